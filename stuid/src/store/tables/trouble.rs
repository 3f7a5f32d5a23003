//! Why the tables cannot be used, and which of redb's errors mean what.

use redb::{DatabaseError, StorageError, TableError};

/// Why the tables cannot be used.
#[derive(Debug)]
pub(in crate::store) enum Trouble {
    /// Written by a later version.
    Newer(u64),
    /// Not what it was when it was written.
    Damaged(String),
    /// The system says no.
    Failed(String),
}

impl From<redb::Error> for Trouble {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Corrupted(why) => Self::Damaged(why),
            redb::Error::UpgradeRequired(version) => {
                Self::Damaged(format!("its file format is {version}"))
            }
            // What redb says of a file that is none of its own.
            redb::Error::Io(why) if why.kind() == std::io::ErrorKind::InvalidData => {
                Self::Damaged(why.to_string())
            }
            wrong @ (redb::Error::TableTypeMismatch { .. }
            | redb::Error::TypeDefinitionChanged { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TableDoesNotExist(_)) => Self::Damaged(wrong.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }
}

macro_rules! from_errors {
    ($($error:ty),*) => {
        $(impl From<$error> for Trouble {
            fn from(error: $error) -> Self {
                redb::Error::from(error).into()
            }
        })*
    };
}

from_errors!(
    DatabaseError,
    StorageError,
    TableError,
    redb::TransactionError,
    redb::CommitError
);

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Newer(format) => write!(f, "it has format {format}, of a later stuid"),
            Self::Damaged(why) => write!(f, "it is damaged: {why}"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

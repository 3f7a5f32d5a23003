//! Keys in files: `NAME.pub`, and `NAME.key` that only its owner may read.
//!
//! The format is that of ZeroMQ's certificates, so that pyzmq and czmq read them, too:
//!
//! ```text
//! curve
//!     public-key = "..."
//!     secret-key = "..."
//! ```

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::{KeyPair, PublicKey, SecretKey};

/// A file of keys is a few lines; more is a mistake.
const MOST_BYTES: u64 = 64 * 1024;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read or written.
    #[error("{}: {why}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// Others may read a secret, or it belongs to somebody else.
    #[error("{}: {why}", path.display())]
    NotSecret {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// There is no such key in it.
    #[error("{} has no {kind}: it needs a line {kind} = \"…\" with 40 characters of Z85; `stui keys new` writes such files", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// `public-key` or `secret-key`.
        kind: &'static str,
    },
}

/// Who else may read a file with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Nobody but its owner.
    Owner,
    /// Its group bits may be set: systemd lets a service read its credentials by an access list,
    /// which shows there.
    Credential,
}

/// The files of a new pair.
#[derive(Clone, Debug)]
pub struct Written {
    /// Who the pair is.
    pub public: PublicKey,
    /// The file to give away.
    pub public_file: PathBuf,
    /// The file to keep.
    pub secret_file: PathBuf,
}

/// Makes a pair and writes it to `NAME.pub` and `NAME.key` in that directory. Files that are
/// there already stay, and nothing is written.
///
/// # Errors
/// When a file is there already or cannot be written.
pub fn create(dir: &Path, name: &str) -> Result<Written, KeyError> {
    let pair = KeyPair::new();
    let written = Written {
        public: pair.public,
        public_file: dir.join(format!("{name}.pub")),
        secret_file: dir.join(format!("{name}.key")),
    };
    let public = format!("    public-key = \"{}\"\n", pair.public);
    let secret = format!("    secret-key = \"{}\"\n", pair.secret.text());
    let head = format!("# {name}: a CURVE key of stui.");
    write_new(
        &written.secret_file,
        0o600,
        &format!("{head} Keep this file to yourself.\ncurve\n{public}{secret}"),
    )?;
    let shown = format!("{head} This file may be shown to anybody.\ncurve\n{public}");
    write_new(&written.public_file, 0o644, &shown).inspect_err(|_| {
        // Half a pair is of no use; when it cannot go, the error says enough.
        let _ = std::fs::remove_file(&written.secret_file);
    })?;
    Ok(written)
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), KeyError> {
    let written = File::options()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
    written.map_err(|why| io_error(path, why))
}

/// The public key in a file.
///
/// # Errors
/// When there is none.
pub fn read_public(path: &Path) -> Result<PublicKey, KeyError> {
    let text = read(&open(path)?, path)?;
    find(&text, path, "public-key")
}

/// The pair whose secret key is in a file.
///
/// # Errors
/// When there is none, when it belongs to another user than this one or root, or when others may
/// read it.
pub fn read_pair(path: &Path, readers: Readers) -> Result<KeyPair, KeyError> {
    let file = open(path)?;
    check_secret(&file, path, readers)?;
    let text = read(&file, path)?;
    find::<SecretKey>(&text, path, "secret-key").map(KeyPair::from)
}

fn open(path: &Path) -> Result<File, KeyError> {
    File::open(path).map_err(|why| io_error(path, why))
}

fn io_error(path: &Path, why: io::Error) -> KeyError {
    let path = path.to_owned();
    KeyError::Io { path, why }
}

/// Looks at the open file, so that nobody can put another one in its place meanwhile.
fn check_secret(file: &File, path: &Path, readers: Readers) -> Result<(), KeyError> {
    let found = file.metadata().map_err(|why| io_error(path, why))?;
    let not_secret = |why: String| KeyError::NotSecret {
        path: path.to_owned(),
        why,
    };
    let owner = found.uid();
    if owner != 0 && owner != rustix::process::getuid().as_raw() {
        return Err(not_secret(format!(
            "it holds a secret key and belongs to user {owner}: chown it to the user that reads it"
        )));
    }
    let forbidden = match readers {
        Readers::Owner => 0o077,
        Readers::Credential => 0o037,
    };
    if found.mode() & forbidden != 0 {
        return Err(not_secret(format!(
            "it holds a secret key and others may use it (mode {:04o}): chmod 600 it, and make a new key if somebody may have read it",
            found.mode() & 0o7777
        )));
    }
    Ok(())
}

fn read(file: &File, path: &Path) -> Result<String, KeyError> {
    let mut text = String::new();
    let read = file.take(MOST_BYTES).read_to_string(&mut text);
    read.map(|_| text).map_err(|why| io_error(path, why))
}

fn find<K: std::str::FromStr>(text: &str, path: &Path, kind: &'static str) -> Result<K, KeyError> {
    let value = |line: &str| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == kind).then(|| value.trim().trim_matches('"').parse().ok())?
    };
    text.lines().find_map(value).ok_or_else(|| KeyError::NoKey {
        path: path.to_owned(),
        kind,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_new_pair_is_read_back_and_its_secret_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let written = create(dir.path(), "image").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&written.secret_file), 0o600);
        let pair = read_pair(&written.secret_file, Readers::Owner).unwrap();
        assert_eq!(pair.public, written.public);
        assert_eq!(read_public(&written.public_file).unwrap(), written.public);
        assert_eq!(read_public(&written.secret_file).unwrap(), written.public);
        let public = std::fs::read_to_string(&written.public_file).unwrap();
        assert!(!public.contains("secret-key"), "{public}");
    }

    #[test]
    fn a_pair_that_is_there_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let first = create(dir.path(), "image").unwrap();
        let kept = std::fs::read(&first.secret_file).unwrap();
        assert!(create(dir.path(), "image").is_err());
        assert_eq!(std::fs::read(&first.secret_file).unwrap(), kept);
        std::fs::remove_file(&first.secret_file).unwrap();
        assert!(create(dir.path(), "image").is_err());
        assert!(!first.secret_file.exists(), "no half of a pair stays");
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let secret = create(dir.path(), "image").unwrap().secret_file;
        for (mode, readers, taken) in [
            (0o640, Readers::Owner, false),
            (0o604, Readers::Owner, false),
            (0o400, Readers::Owner, true),
            (0o440, Readers::Credential, true),
            (0o460, Readers::Credential, false),
            (0o444, Readers::Credential, false),
        ] {
            set_mode(&secret, mode);
            let read = read_pair(&secret, readers);
            assert_eq!(read.is_ok(), taken, "{mode:o}: {read:?}");
            if let Err(error) = read {
                assert!(error.to_string().contains("chmod 600"), "{error}");
            }
        }
    }

    #[test]
    fn a_file_without_a_key_says_what_it_needs() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wrong.pub");
        for text in [
            "",
            "curve\n",
            "public-key = \"short\"\n",
            "secret-key = \"x\"\n",
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read_public(&path).unwrap_err().to_string();
            assert!(error.contains("stui keys new"), "{error}");
        }
        assert!(matches!(
            read_public(&dir.path().join("absent")),
            Err(KeyError::Io { .. })
        ));
    }
}

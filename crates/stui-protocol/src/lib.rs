//! The STUI protocol as plain types: one JSON message language on two links.
//!
//! The *image link* carries [`Request`]s to the server in the image and [`Reply`]s back, one JSON
//! document per ZeroMQ message. The *event link* carries [`Event`]s from the image. The *client
//! link* carries all three as lines over a Unix socket. What a command takes and gives is a pair
//! of types in [`image`] (commands that the image answers) or [`daemon`] (commands that the daemon
//! answers itself), tied together by [`Command`].
//!
//! This crate does no I/O and knows no transport: [`codec`] turns bytes into messages and back,
//! and everything in it treats those bytes as hostile.
//!
//! Reading order: [`limits`], [`error`], [`version`], [`message`], [`command`], [`image`],
//! [`daemon`], [`codec`]. The page for people is `docs/PROTOCOL.md`.

pub mod limits;

pub mod error;
pub mod time;
pub mod version;

pub mod message;

pub mod command;
pub mod daemon;
pub mod image;

pub mod codec;

pub use command::Command;
pub use error::{ErrorType, Failure};
pub use message::{Event, EventName, Outcome, Reply, Request};
pub use time::Timestamp;
pub use version::Version;

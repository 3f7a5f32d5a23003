//! `stuid`, the daemon in front of a live Smalltalk image: many clients attach to sessions in one
//! image over a Unix socket, and the sessions outlive them.
//!
//! Modules stand in the order of a request's way and use only what stands below them: [`daemon`]
//! puts everything together; [`listener`] accepts, [`connection`] speaks with one client,
//! [`frontend`] with those of ZeroMQ, [`commands`] serve their requests; [`sessions`] and [`session`]
//! keep what belongs together, [`log`] what happened, [`store`] puts it on disk; [`gate`] holds work
//! back while an operator wants that; [`image`] asks the image and hears its events. The others are leaves.
//!
//! What is not here: Smalltalk. The daemon carries code and never reads it.

pub mod daemon;

pub mod admin;
pub mod listener;

pub mod connection;

pub mod frontend;

pub mod commands;

pub mod sessions;

pub mod session;

pub mod announcements;
pub mod gate;
pub mod log;
pub mod notes;
pub mod store;

pub mod image;

pub mod config;
pub mod error;
pub mod identity;
pub mod limits;
pub mod metrics;
pub mod origin;
pub mod shutdown;
pub mod supervisor;
pub mod telemetry;

#[cfg(feature = "fuzzing")]
pub mod fuzzing;

/// Version of the daemon.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

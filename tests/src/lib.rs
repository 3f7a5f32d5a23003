//! The cast of the stories: images, daemons, clients and terminals as a user would have them.
//!
//! The stories are in `tests/stories.rs`. Here stands who acts in them: an [`Image`] and somebody
//! who talks to it ([`ImageClient`]) or listens to it ([`Events`]); the real [`Daemon`] with a
//! plain [`Client`]; the real `stui` as a command ([`Cli`]) or in a [`Terminal`]. Everybody has
//! a directory of their own that goes away with them, and nobody sleeps: [`patience`] waits for
//! facts.
//!
//! This is test code: whatever goes wrong in it ends the story with a panic that says what was
//! seen.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

pub mod patience;
pub mod process;

pub mod footprint;
pub mod proxy;

pub mod binaries;

pub mod asking;
pub mod events;
pub mod image;
pub mod image_client;

pub mod client;
pub mod daemon;
mod incoming;

pub mod cli;
pub mod container;
pub mod conversation;
pub mod disk;
pub mod golden;
pub mod http;
pub mod python;
pub mod scripted;
pub mod terminal;

pub mod faults;
pub mod networks;

pub mod skipped;

pub use asking::{Asking, Session};
pub use cli::{Cli, Home};
pub use client::Client;
pub use container::Container;
pub use daemon::Daemon;
pub use events::Events;
pub use image::Image;
pub use image_client::ImageClient;
pub use scripted::Scripted;
pub use skipped::skipped;
pub use terminal::Terminal;

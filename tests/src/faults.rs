//! The fault suite: real clients evaluate through a real daemon while one kind of thing goes wrong
//! again and again, and afterwards every answer is held against what the image has done.
//!
//! A row is a [`scene::Scene`]: its cast and its fault. What the clients were told is in
//! [`ledger::Told`], what the image did in [`ledger::Ledger`], the verdict in [`tally::Tally`].
//! The stories play each row for seconds, the program `faults` for as long as it is told.

pub mod caller;
mod holdings;
pub mod image;
pub mod ledger;
pub mod load;
pub mod rows;
pub mod scene;
pub mod tally;

pub use rows::{ROWS, Row};
pub use scene::Run;
pub use tally::{HEAD, Tally};

//! Stories about `stui`, told with a scripted daemon at the other end of a real socket and, for
//! the interactive loop, a real pseudo terminal.

#![allow(
    clippy::unwrap_used,
    reason = "in a story everything that fails is a failed story"
)]

mod cast;

mod connecting;
mod evaluating;
mod generated;
mod interactive;
mod keys;
mod looking;
mod starting;

//! Stories of the daemon: the real program between real sockets, in front of a scripted image.

#![allow(missing_docs, clippy::expect_used, clippy::unwrap_used)] // test code, also outside of test functions

mod support;

mod evaluating;
mod filling;
mod fronting;
mod guarding;
mod imaging;
mod interrupting;
mod keeping;
mod lining;
mod living;
mod operating;
mod speaking;
mod waiting;

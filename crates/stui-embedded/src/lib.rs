//! The embedded image: a small Smalltalk that speaks the image link.
//!
//! [`EmbeddedImage::start`] gives a running image with its endpoint. Below it stands the server
//! (sessions, evaluations, commands), below that the virtual machine, in the order of reading: what
//! it does for its owner, how it starts, how it runs, what it runs, what it runs on.

pub mod server;

pub mod vm;

mod bootstrap;

mod interpreter;
mod process;

mod primitives;

mod compiler;

mod bytecode;

mod heap;
mod object;
pub mod value;

pub use server::{Bounds, Config, EmbeddedImage, Guard, StartError, run_alone};
#[cfg(feature = "fuzzing")]
pub use server::{FiledIn, file_in};

//! The embedded image: a small Smalltalk that speaks the image link.
//!
//! [`EmbeddedImage::start`] gives a running image with its endpoint. Below it stands the server
//! (sessions, evaluations, commands), below that the virtual machine.

pub mod server;

mod bootstrap;
mod bytecode;
mod compiler;
mod heap;
mod interpreter;
mod object;
mod primitives;
mod process;
pub mod value;
pub mod vm;

pub use server::{Bounds, Config, EmbeddedImage, StartError, run_alone};

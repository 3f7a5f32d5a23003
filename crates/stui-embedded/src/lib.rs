//! The embedded image: a small Smalltalk that speaks the image link.

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

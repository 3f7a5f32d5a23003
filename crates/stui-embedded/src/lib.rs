//! The embedded image: a small Smalltalk that speaks the image link.

pub mod value;
pub mod vm;

//! The embedded image: a small Smalltalk that speaks the image link.

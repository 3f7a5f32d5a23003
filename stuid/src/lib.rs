//! The daemon in front of a live Smalltalk image.

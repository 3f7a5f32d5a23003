//! How things look in a terminal. Everything here makes text from values and writes nothing.

pub(crate) mod columns;
pub(crate) mod event;
pub(crate) mod failure;
pub(crate) mod image;
pub(crate) mod loss;
pub(crate) mod palette;
pub(crate) mod sessions;
pub(crate) mod source;
pub(crate) mod store;
pub(crate) mod table;
pub(crate) mod time;

pub(crate) use palette::Palette;

//! The messages of the STUI protocol as plain types.

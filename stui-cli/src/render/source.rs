//! Smalltalk source with colours.

use super::palette::Palette;

/// The source as a terminal shows it.
pub(crate) fn coloured(source: &str, palette: Palette) -> String {
    let _ = palette;
    source.replace('\r', "\n")
}

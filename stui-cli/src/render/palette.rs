//! The few colours, by what they mean.

use nu_ansi_term::{Color, Style};

/// Paints text, or leaves it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Palette {
    colours: bool,
}

impl Palette {
    /// A palette with or without colours.
    pub(crate) fn new(colours: bool) -> Self {
        Self { colours }
    }

    /// Whether it paints at all.
    pub(crate) fn has_colours(self) -> bool {
        self.colours
    }

    /// What went wrong.
    pub(crate) fn error(self, text: &str) -> String {
        self.paint(Color::Red.bold(), text)
    }

    /// What needs attention.
    pub(crate) fn warning(self, text: &str) -> String {
        self.paint(Color::Yellow.normal(), text)
    }

    /// What stands out: names, headings.
    pub(crate) fn strong(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// What may be overlooked: notes, places, ornaments.
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// The prompt, where code of others is shown.
    pub(crate) fn prompt(self, text: &str) -> String {
        self.paint(Color::Green.normal(), text)
    }

    /// Text in a style.
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        if self.colours && !text.is_empty() {
            style.paint(text).to_string()
        } else {
            text.to_owned()
        }
    }
}

//! The prompt: the session's name.

use std::borrow::Cow;

use reedline::{Prompt, PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus};

use crate::render::columns;
use crate::render::event::Scribe;

/// `main> `, and a bar under the `>` for the lines that follow.
pub(super) struct SessionPrompt {
    name: String,
    continued: String,
}

/// Columns that the prompt takes, in the first line as in those that follow.
pub(super) fn width(scribe: &Scribe) -> usize {
    columns::width(&scribe.session) + INDICATOR.len()
}

/// What stands after the name.
pub(super) const INDICATOR: &str = "> ";

impl SessionPrompt {
    pub(super) fn new(scribe: &Scribe) -> Self {
        let name = scribe.session.clone();
        let continued = format!("{}| ", " ".repeat(columns::width(&name)));
        Self { name, continued }
    }
}

impl Prompt for SessionPrompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed(INDICATOR)
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.continued)
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let found = match search.status {
            PromptHistorySearchStatus::Passing => "search",
            PromptHistorySearchStatus::Failing => "no match",
        };
        Cow::Owned(format!(" ({found}: {}) ", search.term))
    }

    fn get_prompt_color(&self) -> nu_ansi_term::Color {
        nu_ansi_term::Color::Green
    }

    fn get_indicator_color(&self) -> nu_ansi_term::Color {
        nu_ansi_term::Color::Green
    }

    fn get_prompt_multiline_color(&self) -> nu_ansi_term::Color {
        nu_ansi_term::Color::DarkGray
    }
}

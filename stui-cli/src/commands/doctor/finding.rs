//! What was found at one part of the chain.

use serde::Serialize;

use crate::render::Palette;

/// One part, how it is, and what to do about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Finding {
    pub(super) part: &'static str,
    pub(super) state: State,
    /// What is so, in a sentence.
    pub(super) says: String,
    /// What to do; none when there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advice: Option<String>,
}

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// It works.
    Well,
    /// It works, and somebody should know something about it.
    Doubt,
    /// It does not work.
    Wrong,
    /// It cannot be seen from here, or not now.
    Unseen,
}

impl Finding {
    pub(super) fn well(part: &'static str, says: impl Into<String>) -> Self {
        Self::of(part, State::Well, says, None)
    }

    pub(super) fn unseen(part: &'static str, says: impl Into<String>) -> Self {
        Self::of(part, State::Unseen, says, None)
    }

    pub(super) fn doubt(part: &'static str, says: impl Into<String>, advice: &str) -> Self {
        Self::of(part, State::Doubt, says, Some(advice))
    }

    pub(super) fn wrong(part: &'static str, says: impl Into<String>, advice: &str) -> Self {
        Self::of(part, State::Wrong, says, Some(advice))
    }

    fn of(part: &'static str, state: State, says: impl Into<String>, advice: Option<&str>) -> Self {
        Self {
            part,
            state,
            says: says.into(),
            advice: advice.map(str::to_owned),
        }
    }
}

/// Findings as lines, with what to do under each that needs something.
pub(super) fn lines(findings: &[Finding], palette: Palette) -> String {
    let mut text = String::new();
    for finding in findings {
        let state = match finding.state {
            State::Well => "ok    ".to_owned(),
            State::Unseen => palette.dim("unseen"),
            State::Doubt => palette.warning("note  "),
            State::Wrong => palette.error("WRONG "),
        };
        let part = palette.strong(&format!("{:<9}", finding.part));
        text.push_str(&format!("{state} {part} {}\n", finding.says));
        if let Some(advice) = &finding.advice {
            text.push_str(&format!("{:17}→ {advice}\n", ""));
        }
    }
    text
}

//! A session that the image has lost: why, and what its user can do about it.

use stui_protocol::daemon::{AttachResult, ClientSession, Lost, Recreated};
use stui_protocol::time::now;
use stui_protocol::{ErrorType, Failure};

use super::time;

/// What a failure tells of a session that the image has lost.
#[derive(Debug)]
pub(crate) struct Loss {
    session: String,
    lost: Lost,
}

impl Loss {
    /// Reads it in the failure's details; none when it failed for another reason.
    pub(crate) fn of(failure: &Failure) -> Option<Self> {
        let lost = failure.details.get("lost")?.as_bool()?;
        let told = lost && failure.error_type == ErrorType::SessionNotFound;
        told.then_some(())?;
        Some(Self {
            session: failure.details.get("session")?.as_str()?.to_owned(),
            lost: failure.details_as()?,
        })
    }

    /// The same of a session that is attached to look on.
    pub(crate) fn of_session(session: &ClientSession) -> Option<Self> {
        Some(Self {
            session: session.name.clone(),
            lost: session.lost.clone()?,
        })
    }

    /// The failure of somebody who needs the session.
    pub(crate) fn failure(&self) -> Failure {
        Failure::new(ErrorType::SessionNotFound, self.sentence())
            .with("session", self.session.as_str())
            .with("lost", true)
            .with_details(&self.lost)
    }

    /// Whether something was saved of it that can be brought back.
    pub(crate) fn is_saved(&self) -> bool {
        self.lost.context_id.is_some()
    }

    /// What happened, in one line.
    pub(crate) fn sentence(&self) -> String {
        let Lost { reason, since, .. } = &self.lost;
        let ago = time::ago(*since, now());
        format!("session {} is lost: {reason} ({ago} ago)", self.session)
    }

    /// The question whether to bring it back.
    pub(crate) fn question(&self) -> String {
        format!("recreate it from its context{}? [Y/n] ", self.saved_at())
    }

    /// The commands that bring it back or begin it anew.
    pub(crate) fn advice(&self) -> String {
        let anew = anew(&self.session);
        match self.is_saved() {
            true => format!("{}{}, {anew}", back(&self.session), self.saved_at()),
            false => anew,
        }
    }

    fn saved_at(&self) -> String {
        self.lost.saved_at.map_or_else(String::new, |at| {
            format!(" saved at {at} ({} ago)", time::ago(at, now()))
        })
    }
}

/// How an attached session came to be, to go behind its name; empty when it was there.
pub(crate) fn came(joined: &AttachResult) -> String {
    match &joined.recreated {
        Some(from) => format!(" ({})", recreated(from)),
        None if joined.created => " (new)".to_owned(),
        None => String::new(),
    }
}

/// What was brought back.
pub(crate) fn recreated(from: &Recreated) -> String {
    let variables = match from.loaded {
        1 => "1 variable".to_owned(),
        more => format!("{more} variables"),
    };
    format!("recreated: {variables} saved at {}", from.saved_at)
}

/// What whoever is attached to the session can do when it is lost.
pub(crate) fn ways_on(session: &str) -> String {
    format!("{}, {}", back(session), anew(session))
}

fn back(session: &str) -> String {
    format!("`stui attach --recreate {session}` brings back its context")
}

fn anew(session: &str) -> String {
    format!("`stui attach --create {session}` begins it anew")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> Failure {
        Failure::new(ErrorType::SessionNotFound, "session w is lost")
            .with("lost", true)
            .with("session", "w")
            .with("reason", "the image was restarted without it")
            .with("since", "2026-11-20T10:30:00Z")
    }

    #[test]
    fn what_can_be_done_depends_on_what_was_saved() {
        let loss = Loss::of(&failure()).unwrap();
        assert!(loss.sentence().contains("w is lost: the image was"));
        assert_eq!(loss.advice(), "`stui attach --create w` begins it anew");
        let saved = failure()
            .with("context_id", "c-1")
            .with("saved_at", "2026-11-20T10:25:00Z");
        let loss = Loss::of(&saved).unwrap();
        assert!(loss.is_saved());
        let asked = "recreate it from its context saved at 2026-11-20T10:25:00Z (";
        assert!(loss.question().starts_with(asked), "{}", loss.question());
        assert!(loss.advice().contains("--recreate w"), "{}", loss.advice());
    }

    #[test]
    fn a_session_that_is_not_there_is_no_loss() {
        let absent = Failure::new(ErrorType::SessionNotFound, "there is no session w");
        assert!(Loss::of(&absent.with("session", "w")).is_none());
        assert!(Loss::of(&failure().with("lost", false)).is_none());
    }
}

//! Whether the image has the session: not yet, in which life, or no more. Only this changes it.

use serde_json::from_value;
use stui_protocol::image::SessionSummary;
use stui_protocol::message::Outcome;
use stui_protocol::time;
use stui_protocol::{ErrorType, Event, EventName, Failure, Reply};
use tokio::sync::oneshot;

use super::{Session, gone};

/// Whether the image has the session.
#[derive(Clone, Debug)]
pub(super) enum Home {
    /// Not yet.
    New,
    /// It has.
    There(Place),
    /// It had.
    Lost(Place, String),
}

/// The session in the image.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// What the image said of it.
    pub(crate) summary: SessionSummary,
    /// In which life of the image.
    pub(crate) instance: String,
}

/// What `open` found.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What the image said of it.
    pub summary: SessionSummary,
    /// It was made just now.
    pub created: bool,
}

/// Reads the reply to `create_session`.
pub(super) fn in_image(reply: Reply) -> Result<Place, Failure> {
    let summary = from_value(reply.outcome?).map_err(|wrong| {
        Failure::new(
            ErrorType::InternalError,
            format!("the image's answer to create_session cannot be understood: {wrong}"),
        )
    })?;
    Ok(Place {
        summary,
        instance: reply.instance,
    })
}

impl Session {
    /// Its id in the image; none while the image does not have it.
    #[must_use]
    pub fn session_id(&self) -> Option<String> {
        self.facts().home.id().map(str::to_owned)
    }

    /// Its id in the image.
    ///
    /// # Errors
    /// `SessionNotFound` when the image has lost it; says since when and what to do.
    pub fn usable_id(&self) -> Result<String, Failure> {
        let facts = self.facts();
        match &facts.home {
            Home::There(place) => Ok(place.summary.session_id.clone()),
            Home::New => Err(Failure::new(
                ErrorType::SessionNotFound,
                format!("session {} is not made yet", facts.name),
            )),
            Home::Lost(_, why) => Err(lost(&facts.name, why)),
        }
    }

    /// Makes the session in the image when it is not there.
    ///
    /// # Errors
    /// The image's failure, or the link's.
    pub async fn open(&self) -> Result<Opened, Failure> {
        let answer = {
            let mut facts = self.facts();
            if facts.closing {
                return Err(gone());
            }
            if let Home::There(place) = &facts.home {
                return Ok(Opened {
                    summary: place.summary.clone(),
                    created: false,
                });
            }
            let (opener, answer) = oneshot::channel();
            facts.openers.push(opener);
            answer
        };
        self.work.notify_one();
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// What the session is to be made as: its name and its timeout in seconds.
    pub(super) fn wanted(&self) -> (String, Option<u64>) {
        let facts = self.facts();
        (facts.name.clone(), facts.timeout)
    }

    /// The image has answered.
    pub(super) fn opened(&self, made: Result<Place, Failure>) {
        let mut facts = self.facts();
        let openers = std::mem::take(&mut facts.openers);
        let answer = made.map(|place| {
            let summary = place.summary.clone();
            facts.home = Home::There(place);
            summary
        });
        drop(facts);
        if let Err(failure) = &answer {
            self.settle_queue(failure);
        }
        for (index, opener) in openers.into_iter().enumerate() {
            let created = index == 0;
            let opened = answer.clone().map(|summary| Opened { summary, created });
            let _ = opener.send(opened);
        }
    }

    /// Which life of the image it is known to be in.
    pub(crate) fn instance(&self) -> Option<String> {
        self.facts().home.instance().map(str::to_owned)
    }

    /// The image has it, in this life.
    pub(crate) fn confirm(&self, instance: &str) {
        let mut facts = self.facts();
        let place = match &mut facts.home {
            Home::There(place) | Home::Lost(place, _) => place,
            Home::New => return,
        };
        instance.clone_into(&mut place.instance);
        let place = place.clone();
        facts.home = Home::There(place);
        drop(facts);
        self.work.notify_one();
    }

    /// The image does not have it any more. False when that was known.
    pub(crate) fn lose(&self, why: &str) -> bool {
        let mut facts = self.facts();
        let news = matches!(facts.home, Home::There(_));
        if let Home::There(place) = &facts.home {
            let since = time::now();
            tracing::warn!(session = facts.name, why, "a session is lost");
            facts.home = Home::Lost(place.clone(), format!("{why} ({since})"));
        }
        drop(facts);
        if news {
            let lost = EventName::Other("session_lost".to_owned());
            self.tell(Event::new(lost, &serde_json::json!({ "reason": why })));
            self.work.notify_one();
        }
        news
    }

    /// Whether the image has it, as far as is known.
    pub(crate) fn is_there(&self) -> bool {
        matches!(self.facts().home, Home::There(_))
    }

    /// Whether the image was never asked for it, or has not answered yet.
    pub(crate) fn is_new(&self) -> bool {
        matches!(self.facts().home, Home::New)
    }

    /// An evaluation that ended in `SessionNotFound` tells that the image has lost the session.
    pub(super) fn notice_loss(&self, outcome: &Outcome) {
        let gone = [ErrorType::SessionNotFound, ErrorType::SessionExpired];
        if let Err(failure) = outcome
            && gone.contains(&failure.error_type)
        {
            self.lose("the image does not know it any more");
        }
    }
}

impl Home {
    pub(super) fn place(&self) -> Option<&Place> {
        match self {
            Self::New => None,
            Self::There(place) | Self::Lost(place, _) => Some(place),
        }
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.place().map(|place| place.summary.session_id.as_str())
    }

    pub(super) fn instance(&self) -> Option<&str> {
        self.place().map(|place| place.instance.as_str())
    }
}

pub(super) fn lost(name: &str, why: &str) -> Failure {
    Failure::new(
        ErrorType::SessionNotFound,
        format!("session {name} is lost: {why}; attach with create to begin it anew"),
    )
    .with("lost", true)
    .with("session", name)
}

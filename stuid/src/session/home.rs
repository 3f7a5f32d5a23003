//! Whether the image has the session: not yet, in which life, or no more. Only this changes it.

use serde_json::from_value;
use stui_protocol::daemon::{Lost, Recreated};
use stui_protocol::image::SessionSummary;
use stui_protocol::message::Outcome;
use stui_protocol::time::{self, Timestamp};
use stui_protocol::{ErrorType, Event, EventName, Failure, Reply};
use tokio::sync::oneshot;

use super::{Facts, Session, gone};
use crate::store::{HomeRecord, PlaceRecord as Place, SavedRecord};

/// Whether the image has the session.
#[derive(Clone, Debug)]
pub(super) enum Home {
    /// Not yet.
    New,
    /// An earlier daemon left it there; the image was not asked yet.
    Known(Place),
    /// It has.
    There(Place),
    /// It had, until somebody noticed.
    Lost(Place, Loss),
}

/// Why the image does not have a session any more.
#[derive(Clone, Debug)]
pub(super) struct Loss {
    pub(super) reason: String,
    pub(super) since: Timestamp,
}

/// What `open` found.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What the image said of it.
    pub summary: SessionSummary,
    /// It was made just now.
    pub created: bool,
    /// What was brought back of one that was lost.
    pub recreated: Option<Recreated>,
}

/// What a session is to be made as in the image.
pub(super) struct Wanted {
    pub(super) name: String,
    /// Seconds; none is never.
    pub(super) timeout: Option<u64>,
    /// With which saved context, when with one: none is the newest that the image knows.
    pub(super) context: Option<Option<String>>,
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

    /// Whether that is its id in the image.
    pub(crate) fn is_called(&self, id: &str) -> bool {
        self.facts().home.id() == Some(id)
    }

    /// Its id in the image.
    ///
    /// # Errors
    /// `SessionNotFound` when the image has lost it; says since when and what to do.
    pub fn usable_id(&self) -> Result<String, Failure> {
        let facts = self.facts();
        match &facts.home {
            Home::There(place) | Home::Known(place) => Ok(place.summary.session_id.clone()),
            Home::New => Err(Failure::new(
                ErrorType::SessionNotFound,
                format!("session {} is not made yet", facts.name),
            )),
            Home::Lost(..) => Err(lost(&facts)),
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
            if let Home::There(place) | Home::Known(place) = &facts.home {
                return Ok(Opened {
                    summary: place.summary.clone(),
                    created: false,
                    recreated: None,
                });
            }
            let (opener, answer) = oneshot::channel();
            facts.openers.push(opener);
            answer
        };
        self.work.notify_one();
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// The same for one that is lost, with what its newest saved context has.
    ///
    /// # Errors
    /// As [`Self::open`]; `ContextNotFound` when nothing was saved. It stays lost then.
    pub async fn recreate(&self) -> Result<Opened, Failure> {
        self.facts().recreates = true;
        self.open().await
    }

    /// What the session is to be made as.
    pub(super) fn wanted(&self) -> Wanted {
        let mut facts = self.facts();
        let recreates = std::mem::take(&mut facts.recreates);
        let saved = facts.saved.as_ref().map(|saved| saved.context_id.clone());
        Wanted {
            name: facts.name.clone(),
            timeout: facts.timeout,
            context: recreates.then_some(saved),
        }
    }

    /// The image has answered.
    pub(super) fn opened(&self, made: Result<(Place, Option<Recreated>), Failure>) {
        let mut facts = self.facts();
        let openers = std::mem::take(&mut facts.openers);
        let answer = made.map(|(place, recreated)| {
            let summary = place.summary.clone();
            facts.home = Home::There(place);
            self.keep(&facts);
            (summary, recreated)
        });
        drop(facts);
        match &answer {
            Ok((_, Some(recreated))) => {
                let event = EventName::Other("session_recreated".to_owned());
                self.tell(Event::new(event, recreated));
            }
            Ok(_) => {}
            Err(failure) => self.settle_queue(failure),
        }
        for (index, opener) in openers.into_iter().enumerate() {
            let opened = answer.clone().map(|(summary, recreated)| Opened {
                summary,
                created: index == 0,
                recreated,
            });
            let _ = opener.send(opened);
        }
    }

    /// Which life of the image it is known to be in; none when it is not known.
    pub(crate) fn instance(&self) -> Option<String> {
        match &self.facts().home {
            Home::There(place) | Home::Lost(place, _) => Some(place.instance.clone()),
            Home::New | Home::Known(_) => None,
        }
    }

    /// An earlier daemon left it in that life of the image, and the image was not asked yet.
    pub(crate) fn left_in(&self) -> Option<String> {
        match &self.facts().home {
            Home::Known(place) => Some(place.instance.clone()),
            Home::New | Home::There(_) | Home::Lost(..) => None,
        }
    }

    /// The image has it, in this life.
    pub(crate) fn confirm(&self, instance: &str) {
        let mut facts = self.facts();
        let Some(place) = facts.home.place() else {
            return;
        };
        let place = Place {
            instance: instance.to_owned(),
            ..place.clone()
        };
        facts.home = Home::There(place);
        self.keep(&facts);
        drop(facts);
        self.work.notify_one();
    }

    /// The image does not have it any more. False when that was known.
    pub(crate) fn lose(&self, reason: &str) -> bool {
        let mut facts = self.facts();
        let (Home::There(place) | Home::Known(place)) = &facts.home else {
            return false;
        };
        tracing::warn!(session = facts.name, reason, "a session is lost");
        let loss = Loss {
            reason: reason.to_owned(),
            since: time::now(),
        };
        facts.home = Home::Lost(place.clone(), loss);
        self.keep(&facts);
        drop(facts);
        let lost = EventName::Other("session_lost".to_owned());
        self.tell(Event::new(lost, &serde_json::json!({ "reason": reason })));
        self.work.notify_one();
        true
    }

    /// Why it cannot be used, when the image has lost it.
    pub(crate) fn loss(&self) -> Option<Failure> {
        let facts = self.facts();
        matches!(facts.home, Home::Lost(..)).then(|| lost(&facts))
    }

    /// A context of it was saved.
    pub(crate) fn saved(&self, saved: SavedRecord) {
        let mut facts = self.facts();
        facts.saved = Some(saved);
        self.keep(&facts);
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
            Self::Known(place) | Self::There(place) | Self::Lost(place, _) => Some(place),
        }
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.place().map(|place| place.summary.session_id.as_str())
    }

    pub(super) fn instance(&self) -> Option<&str> {
        self.place().map(|place| place.instance.as_str())
    }

    /// Why it is lost, for lists.
    pub(super) fn lost(&self, saved: Option<&SavedRecord>) -> Option<Lost> {
        let Self::Lost(_, loss) = self else {
            return None;
        };
        Some(Lost {
            reason: loss.reason.clone(),
            since: loss.since,
            context_id: saved.map(|saved| saved.context_id.clone()),
            saved_at: saved.map(|saved| saved.saved_at),
        })
    }

    /// As an earlier daemon left it.
    pub(super) fn of_record(record: &HomeRecord) -> Self {
        match record {
            HomeRecord::New | HomeRecord::Closed { .. } => Self::New,
            HomeRecord::There(place) => Self::Known(place.clone()),
            HomeRecord::Lost {
                place,
                reason,
                since,
            } => {
                let loss = Loss {
                    reason: reason.clone(),
                    since: *since,
                };
                Self::Lost(place.clone(), loss)
            }
        }
    }

    /// As it is kept; none for one that there is nothing to keep of.
    pub(super) fn to_record(&self) -> Option<HomeRecord> {
        match self {
            Self::New => None,
            Self::Known(place) | Self::There(place) => Some(HomeRecord::There(place.clone())),
            Self::Lost(place, loss) => Some(HomeRecord::Lost {
                place: place.clone(),
                reason: loss.reason.clone(),
                since: loss.since,
            }),
        }
    }
}

/// What is told to those who want to use a session that is lost.
pub(super) fn lost(facts: &Facts) -> Failure {
    let name = &facts.name;
    let Home::Lost(_, Loss { reason, since }) = &facts.home else {
        return gone();
    };
    let advice = match &facts.saved {
        Some(_) => {
            "`attach` with `recreate` brings back what was saved of it, with `create` it begins anew"
        }
        None => "`attach` with `create` begins it anew",
    };
    let failure = Failure::new(
        ErrorType::SessionNotFound,
        format!("session {name} is lost: {reason} ({since}); {advice}"),
    );
    let failure = failure
        .with("lost", true)
        .with("session", name.as_str())
        .with("reason", reason.as_str())
        .with("since", since.to_string());
    match &facts.saved {
        Some(saved) => failure
            .with("context_id", saved.context_id.as_str())
            .with("saved_at", saved.saved_at.to_string()),
        None => failure,
    }
}

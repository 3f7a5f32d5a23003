//! One session: its name and owner, its queue, its log, who is attached.
//!
//! Facts are behind a lock that is never held across a wait; whatever takes time is done by the
//! session's own task (`desk`), one thing after the other. Every evaluation is recorded in an
//! [`Evaluation`] and ends exactly once, in [`Session::finish`].

mod desk;
mod evaluation;
mod following;
mod history;
mod queueing;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stui_protocol::daemon::{
    AttachMode, AttachedClient, ClientSession, RenamedData, RunningEvaluation, SessionState,
};
use stui_protocol::image::SessionSummary;
use stui_protocol::message::Outcome;
use stui_protocol::time::{self, Timestamp};
use stui_protocol::{ErrorType, Event, EventName, Failure, Reply};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) use desk::Desk;
pub(crate) use evaluation::Book;
pub use evaluation::{Evaluation, Stage};
pub(crate) use following::Following;
pub(crate) use history::History;
pub(crate) use queueing::{Job, Queue, Work};

use crate::log::Log;
use crate::metrics::Metrics;

/// Characters of code in `list_sessions`.
const SHOWN_CODE_CHARS: usize = 200;

/// A session that has an owner and a name.
#[derive(Debug)]
pub struct Session {
    /// The daemon's own number for it; stays when the image loses it and makes it anew.
    pub key: u64,
    /// User id of its owner.
    pub owner: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// What happened in it.
    pub log: Log,
    metrics: Arc<Metrics>,
    facts: Mutex<Facts>,
    /// There is something to do for the task.
    work: Notify,
    /// The session is gone.
    pub(crate) closed: CancellationToken,
}

#[derive(Debug)]
struct Facts {
    name: String,
    home: Home,
    /// Seconds after which the image may end it; none is never.
    timeout: Option<u64>,
    last_active: Timestamp,
    attached: Vec<AttachedClient>,
    openers: Vec<oneshot::Sender<Result<Opened, Failure>>>,
    /// Nothing is accepted any more.
    closing: bool,
    queue: Queue,
    history: History,
}

/// Whether the image has the session.
#[derive(Clone, Debug)]
enum Home {
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
fn in_image(reply: Reply) -> Result<Place, Failure> {
    let summary = serde_json::from_value(reply.outcome?).map_err(|wrong| {
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
    /// A session that the image does not have yet.
    pub(crate) fn new(key: u64, owner: u32, name: &str, limits: &Limits) -> Self {
        Self {
            key,
            owner,
            created_at: time::now(),
            log: Log::new(limits.log_bytes),
            metrics: Arc::clone(&limits.metrics),
            facts: Mutex::new(Facts {
                name: name.to_owned(),
                home: Home::New,
                timeout: limits.timeout,
                last_active: time::now(),
                attached: Vec::new(),
                openers: Vec::new(),
                closing: false,
                queue: Queue::default(),
                history: History::default(),
            }),
            work: Notify::new(),
            closed: CancellationToken::new(),
        }
    }

    /// The same, for one that the image has.
    pub(crate) fn found(key: u64, owner: u32, name: &str, place: Place, limits: &Limits) -> Self {
        let session = Self::new(key, owner, name, limits);
        let created_at = place.summary.created_at;
        session.facts().home = Home::There(place);
        Self {
            created_at,
            ..session
        }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.facts().name.clone()
    }

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

    /// The session as clients see it.
    #[must_use]
    pub fn describe(&self) -> ClientSession {
        // Looked at before the facts: an evaluation's lock is never taken inside this one.
        let shown = self
            .foremost()
            .and_then(|evaluation| running_of(&evaluation));
        let facts = self.facts();
        ClientSession {
            name: facts.name.clone(),
            session_id: facts.home.id().unwrap_or_default().to_owned(),
            owner: self.owner,
            state: match (&facts.home, &shown) {
                (Home::Lost(..), _) => SessionState::Lost,
                (_, Some(_)) => SessionState::Busy,
                (_, None) => SessionState::Idle,
            },
            created_at: self.created_at,
            last_active: facts.last_active,
            attached: facts.attached.clone(),
            running: shown,
            queued: facts.queue.waiting.len() as u64,
            position: self.log.end().position,
        }
    }

    /// Adds an event to the log and answers its position.
    pub fn tell(&self, mut event: Event) -> u64 {
        {
            let mut facts = self.facts();
            facts.last_active = time::now();
            event.session_id = facts.home.id().map(str::to_owned);
            event.instance = facts.home.instance().map(str::to_owned);
        }
        self.log.append(event)
    }

    /// Makes the session in the image when it is not there.
    ///
    /// # Errors
    /// The image's failure, or the link's.
    pub async fn open(&self) -> Result<Opened, Failure> {
        let answer = {
            let mut facts = self.facts();
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
    fn wanted(&self) -> (String, Option<u64>) {
        let facts = self.facts();
        (facts.name.clone(), facts.timeout)
    }

    /// The image has answered.
    fn opened(&self, made: Result<Place, Failure>) {
        let mut facts = self.facts();
        let openers = std::mem::take(&mut facts.openers);
        let answer = made.map(|place| {
            let summary = place.summary.clone();
            facts.home = Home::There(place);
            summary
        });
        drop(facts);
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
        self.work.notify_one();
        news
    }

    /// Whether the image was never asked for it, or has not answered yet.
    pub(crate) fn is_new(&self) -> bool {
        matches!(self.facts().home, Home::New)
    }

    /// An evaluation that ended in `SessionNotFound` tells that the image has lost the session.
    fn notice_loss(&self, outcome: &Outcome) {
        let gone = [ErrorType::SessionNotFound, ErrorType::SessionExpired];
        if let Err(failure) = outcome
            && gone.contains(&failure.error_type)
        {
            self.lose("the image does not know it any more");
        }
    }

    /// Gives it another name. The registry sees to it that names are unique.
    pub(crate) fn rename(&self, name: &str) {
        name.clone_into(&mut self.facts().name);
        let name = name.to_owned();
        self.tell(Event::new(EventName::SessionRenamed, &RenamedData { name }));
    }

    /// Accepts nothing any more, and lets the running evaluation tell its end.
    pub(crate) async fn wind_up(&self, patience: Duration) {
        self.facts().closing = true;
        self.settle_queue(&gone());
        if let Some(running) = self.running() {
            // One that does not end in time is ended by `close`.
            let _ = timeout(patience, running.end()).await;
        }
    }

    /// Ends it; its log is closed.
    pub(crate) fn close(&self) {
        self.facts().closing = true;
        self.closed.cancel();
        self.settle_queue(&gone());
        self.tell(Event::new(EventName::SessionClosed, &serde_json::json!({})));
        self.log.close();
        self.facts().openers.clear();
        self.work.notify_one();
    }

    /// Lets a client join.
    ///
    /// # Errors
    /// `SessionBusy` when another client drives; with `steal` that one becomes a watcher.
    pub fn attach(&self, client: &AttachedClient, steal: bool) -> Result<(), Failure> {
        let mut facts = self.facts();
        let driver = facts
            .attached
            .iter_mut()
            .find(|other| other.mode == AttachMode::Drive && other.client != client.client);
        let mut demoted = None;
        if client.mode == AttachMode::Drive
            && let Some(driver) = driver
        {
            if !steal {
                let driver = driver.clone();
                return Err(driven_by(&facts.name, &driver));
            }
            driver.mode = AttachMode::Watch;
            demoted = Some(driver.clone());
        }
        facts.attached.retain(|other| other.client != client.client);
        facts.attached.push(client.clone());
        drop(facts);
        if let Some(demoted) = demoted {
            self.tell(Event::new(EventName::Attached, &demoted));
        }
        self.tell(Event::new(EventName::Attached, client));
        Ok(())
    }

    /// Lets a client leave.
    pub fn detach(&self, client: u64) {
        let mut facts = self.facts();
        let Some(index) = facts.attached.iter().position(|each| each.client == client) else {
            return;
        };
        let left = facts.attached.remove(index);
        drop(facts);
        if !self.closed.is_cancelled() {
            self.tell(Event::new(EventName::Detached, &left));
        }
    }

    /// Whether the client is attached to look on only.
    #[must_use]
    pub fn is_watcher(&self, client: u64) -> bool {
        let facts = self.facts();
        let watches =
            |each: &AttachedClient| each.client == client && each.mode == AttachMode::Watch;
        facts.attached.iter().any(watches)
    }
}

impl Home {
    fn place(&self) -> Option<&Place> {
        match self {
            Self::New => None,
            Self::There(place) | Self::Lost(place, _) => Some(place),
        }
    }

    fn id(&self) -> Option<&str> {
        self.place().map(|place| place.summary.session_id.as_str())
    }

    fn instance(&self) -> Option<&str> {
        self.place().map(|place| place.instance.as_str())
    }
}

/// What a session is made with.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) log_bytes: usize,
    /// Seconds after which the image may end it; none is never.
    pub(crate) timeout: Option<u64>,
    pub(crate) metrics: Arc<Metrics>,
}

fn running_of(evaluation: &Evaluation) -> Option<RunningEvaluation> {
    let running_for = evaluation
        .started()
        .map_or(Duration::ZERO, |started| started.instant.elapsed());
    (!evaluation.is_ended()).then(|| RunningEvaluation {
        evaluation_id: evaluation.id.clone(),
        code: evaluation.code.chars().take(SHOWN_CODE_CHARS).collect(),
        running_ms: running_for.as_millis().try_into().unwrap_or(u64::MAX),
    })
}

fn lost(name: &str, why: &str) -> Failure {
    Failure::new(
        ErrorType::SessionNotFound,
        format!("session {name} is lost: {why}; attach with create to begin it anew"),
    )
    .with("lost", true)
    .with("session", name)
}

fn gone() -> Failure {
    Failure::new(ErrorType::SessionNotFound, "the session was closed")
}

fn driven_by(name: &str, driver: &AttachedClient) -> Failure {
    Failure::new(
        ErrorType::SessionBusy,
        format!(
            "session {name} is driven by client {} (process {}): watch it, or steal it",
            driver.client, driver.pid
        ),
    )
    .with("client", driver.client)
    .with("driver", serde_json::json!(driver))
}

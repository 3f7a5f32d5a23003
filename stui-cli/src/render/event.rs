//! Events of a session as text: what a user who looks on sees of it.

use std::fmt::Write;

use serde_json::Value;
use stui_protocol::daemon::{
    AttachMode, AttachedClient, Audience, ClientSession, GapData, GoodbyeData, ImageStatus,
    QueuePositionData, RenamedData, Sharing, StoreStatus,
};
use stui_protocol::image::{
    Evaluated, EvaluationFinishedData, EvaluationStartedData, OutputData, TestReport,
};
use stui_protocol::{ErrorType, Event, EventName, Failure, Outcome};

use super::{Palette, failure, image, loss, source, store, time};
use crate::exit::Problem;

/// Evaluations that took longer than this many milliseconds say so.
const TELL_TIME_MS: f64 = 1000.0;

/// The event that tells that the image has the session no more.
const LOST: &str = "session_lost";

/// The event that tells that it was brought back.
const RECREATED: &str = "session_recreated";

/// What stands before a result.
const ARROW: &str = "→ ";

/// Turns the events of one session into text.
#[derive(Debug)]
pub(crate) struct Scribe {
    /// The session's name, for the prompt before code.
    pub(crate) session: String,
    /// Its id, which stays when the name changes. A session that the image lost and that was begun
    /// anew has another.
    pub(crate) session_id: String,
    /// Position of the log at which the session had that id.
    known_at: u64,
    /// Columns of the terminal.
    pub(crate) columns: usize,
    /// Its colours.
    pub(crate) palette: Palette,
    /// Whether we attached to drive the session, not to look on.
    drives: bool,
    /// What we may do now: somebody may have taken the session over.
    pub(crate) mode: AttachMode,
    /// Our own process, whose comings and goings are no news.
    own_pid: u32,
    /// Whether the terminal stands behind text without a line end.
    pub(crate) line_open: bool,
}

impl Scribe {
    /// For somebody who drives a session or looks on.
    pub(crate) fn new(
        session: &ClientSession,
        drives: bool,
        columns: usize,
        palette: Palette,
    ) -> Self {
        Self {
            session: session.name.clone(),
            session_id: session.session_id.clone(),
            known_at: session.position,
            columns,
            palette,
            drives,
            mode: match drives {
                true => AttachMode::Drive,
                false => AttachMode::Watch,
            },
            own_pid: std::process::id(),
            line_open: false,
        }
    }

    /// For somebody who reads the log of a session under that name.
    pub(crate) fn of_log(session: &str, columns: usize, palette: Palette) -> Self {
        Self {
            session: session.to_owned(),
            session_id: String::new(),
            known_at: 0,
            columns,
            palette,
            drives: false,
            mode: AttachMode::Watch,
            own_pid: std::process::id(),
            line_open: false,
        }
    }

    /// The session is attached again after the daemon went away; its log goes on after that
    /// position.
    pub(crate) fn returned(&mut self, session: &ClientSession, position: u64) {
        self.session.clone_from(&session.name);
        self.session_id.clone_from(&session.session_id);
        self.known_at = position;
    }

    /// The text for an event; empty when it is no news. Only output may lack its line end:
    /// whatever follows it begins with one.
    pub(crate) fn text(&mut self, event: &Event) -> String {
        self.notice_id(event);
        let mut text = self.told(event);
        if text.is_empty() {
            return text;
        }
        let continues = matches!(event.event, EventName::Output | EventName::Transcript);
        if self.line_open && !continues {
            text.insert(0, '\n');
        }
        self.line_open = !text.ends_with('\n');
        text
    }

    /// Why nothing more will be seen of the session, when the event tells that.
    pub(crate) fn end(&self, event: &Event) -> Option<Problem> {
        match event.event {
            EventName::SessionClosed if self.is_ours(event) => Some(Problem::SessionEnded),
            EventName::Detached => turned_out(event).map(Problem::NotShared),
            _ => None,
        }
    }

    /// Events with a position are of the log of our session, whatever its id was then; others are
    /// of the daemon as a whole and have no session, or another one.
    fn is_ours(&self, event: &Event) -> bool {
        event.position.is_some()
            || event
                .session_id
                .as_ref()
                .is_none_or(|id| *id == self.session_id)
    }

    /// The log goes on when a session that was lost is begun anew, under another id.
    fn notice_id(&mut self, event: &Event) {
        let (Some(position), Some(id)) = (event.position, &event.session_id) else {
            return;
        };
        if position > self.known_at {
            self.known_at = position;
            self.session_id.clone_from(id);
        }
    }

    fn told(&mut self, event: &Event) -> String {
        if !self.is_ours(event) {
            return String::new();
        }
        match &event.event {
            EventName::Output | EventName::Transcript => output(event),
            EventName::EvaluationStarted => event
                .data_as::<EvaluationStartedData>()
                .map_or_else(String::new, |started| self.code(&started.code)),
            EventName::EvaluationFinished => {
                ended(event).map_or_else(String::new, |outcome| self.outcome(&outcome))
            }
            EventName::SessionRenamed => {
                if let Some(RenamedData { name }) = event.data_as() {
                    self.session = name;
                }
                self.note(&format!("the session is called {} now", self.session))
            }
            EventName::SessionShared => event
                .data_as()
                .map_or_else(String::new, |sharing| self.shared(&sharing)),
            EventName::SessionClosed => self.note("the session was ended"),
            EventName::Attached => self.client(event, "attached"),
            EventName::Detached => self.client(event, "left"),
            EventName::Gap => event.data_as().map_or_else(String::new, |gap: GapData| {
                let gone = gap.to.saturating_sub(gap.from).saturating_add(1);
                self.note(&format!("{gone} older lines of the log are gone"))
            }),
            EventName::QueuePosition => event
                .data_as()
                .map_or_else(String::new, |place: QueuePositionData| self.waits(&place)),
            EventName::ImageState => event
                .data_as()
                .map_or_else(String::new, |status: ImageStatus| {
                    self.note(&format!("image: {}", image::state(&status)))
                }),
            EventName::StoreState => event
                .data_as()
                .map_or_else(String::new, |status: StoreStatus| {
                    self.note(&format!("store: {}", store::state(&status)))
                }),
            EventName::ImageSaving => self.note("the image saves itself and will answer later"),
            EventName::ImageSaved => self.note("the image is saved"),
            EventName::Goodbye => event
                .data_as()
                .map_or_else(String::new, |data: GoodbyeData| self.note(&data.reason)),
            EventName::Paused => self.note("an operator holds new work back"),
            EventName::Resumed => self.note("new work goes on"),
            EventName::ShuttingDown => self.note("the daemon shuts down"),
            // What was dropped meanwhile, if anything, is told by a gap.
            EventName::Lagging => String::new(),
            // The daemon tells its subscribers, too; the line of the log has the reason.
            EventName::Other(name) if name == LOST && event.position.is_some() => self.lost(event),
            EventName::Other(name) if name == RECREATED && event.position.is_some() => event
                .data_as()
                .map_or_else(String::new, |from| self.note(&loss::recreated(&from))),
            EventName::SessionCreated
            | EventName::Heartbeat
            | EventName::Hello
            | EventName::Other(_) => String::new(),
        }
    }

    /// As [`Self::text`] for an event of some time ago: comings and goings are left out.
    pub(crate) fn past(&mut self, event: &Event) -> String {
        match event.event {
            EventName::Output
            | EventName::Transcript
            | EventName::EvaluationStarted
            | EventName::EvaluationFinished
            | EventName::SessionRenamed
            | EventName::Gap => self.text(event),
            _ => String::new(),
        }
    }

    /// Code as it was typed at a prompt.
    pub(crate) fn code(&self, code: &str) -> String {
        let mut text = self.palette.prompt(&format!("{}> ", self.session));
        let indent = " ".repeat(super::columns::width(&self.session));
        let code = source::script(code.trim_end(), self.palette);
        for (number, line) in code.lines().enumerate() {
            if number > 0 {
                let _ = write!(text, "\n{}", self.palette.dim(&format!("{indent}| ")));
            }
            text.push_str(line);
        }
        text.push('\n');
        text
    }

    /// The result of an evaluation or its failure.
    pub(crate) fn outcome(&self, outcome: &Outcome) -> String {
        let value = match outcome {
            Ok(value) => value,
            Err(failed) => return self.failure(failed),
        };
        if let Ok(report) = serde_json::from_value::<TestReport>(value.clone()) {
            return format!("{}\n", tests(&report));
        }
        match serde_json::from_value::<Evaluated>(value.clone()) {
            Ok(evaluated) => self.result(&evaluated),
            Err(_) => format!("{value}\n"),
        }
    }

    /// A failure; who interrupted code knows where it was.
    pub(crate) fn failure(&self, failed: &Failure) -> String {
        if failed.error_type == ErrorType::Interrupted {
            return format!("{}\n", self.palette.error("interrupted"));
        }
        failure::failure(failed, self.columns, self.palette)
    }

    /// What a session that the image lost means for whoever is attached.
    fn lost(&self, event: &Event) -> String {
        let why = event.data.get("reason").and_then(Value::as_str);
        let leave = if self.drives {
            "leave with Ctrl-D, then "
        } else {
            ""
        };
        self.note(&format!(
            "session {} is lost with its variables: {}; {leave}{}",
            self.session,
            why.unwrap_or("the image has it no more"),
            loss::ways_on(&self.session),
        ))
    }

    /// A remark in brackets.
    pub(crate) fn note(&self, what: &str) -> String {
        format!("{}\n", self.palette.dim(&format!("[{what}]")))
    }

    fn result(&self, evaluated: &Evaluated) -> String {
        let mut text = self.palette.dim(ARROW);
        text.push_str(&evaluated.result);
        if evaluated.execution_time >= TELL_TIME_MS {
            let took = format!("  ({})", time::milliseconds(evaluated.execution_time));
            text.push_str(&self.palette.dim(&took));
        }
        text.push('\n');
        if evaluated.truncated {
            text.push_str(&self.note("the result or its output was cut"));
        }
        text
    }

    fn waits(&self, place: &QueuePositionData) -> String {
        let what = match place.request_id {
            Some(_) => "request",
            None => "evaluation",
        };
        match place.position {
            0 => match &place.reason {
                Some(reason) => self.note(&format!("waits: {reason}")),
                None => String::new(),
            },
            1 => self.note(&format!("waits for one {what} before it")),
            more => self.note(&format!("waits for {more} {what}s before it")),
        }
    }

    fn shared(&self, sharing: &Sharing) -> String {
        let others = match &sharing.with {
            Audience::Private => return self.note("the session is its owner's alone now"),
            Audience::All => "everybody".to_owned(),
            some => some.to_string(),
        };
        let may = match sharing.mode {
            AttachMode::Drive => "use",
            AttachMode::Watch => "watch",
        };
        self.note(&format!("{others} may {may} the session now"))
    }

    fn client(&mut self, event: &Event, what: &str) -> String {
        let Some(client) = event.data_as::<AttachedClient>() else {
            return String::new();
        };
        if client.pid == self.own_pid {
            if event.event == EventName::Attached {
                self.mode = client.mode;
            }
            let lost = self.drives && client.mode == AttachMode::Watch;
            return if lost && event.event == EventName::Attached {
                self.note("somebody took the session over; :steal takes it back")
            } else {
                String::new()
            };
        }
        let terminal = client.terminal.unwrap_or_default();
        let terminal = terminal.trim_start_matches("/dev/");
        let place = if terminal.is_empty() {
            format!("process {}", client.pid)
        } else {
            super::columns::one_line(terminal)
        };
        match client.mode {
            AttachMode::Drive => self.note(&format!("{place} {what}")),
            AttachMode::Watch => String::new(),
        }
    }
}

/// Why this process was detached, when the event tells that and it did not leave by itself.
pub(crate) fn turned_out(event: &Event) -> Option<String> {
    let client: AttachedClient = event.data_as()?;
    let own = event.event == EventName::Detached && client.pid == std::process::id();
    client.reason.filter(|_| own)
}

/// The text that an evaluation wrote.
pub(crate) fn output(event: &Event) -> String {
    event
        .data_as::<OutputData>()
        .map_or_else(String::new, |output| output.text)
}

/// How an evaluation ended, when the event says so.
pub(crate) fn ended(event: &Event) -> Option<Outcome> {
    (event.event == EventName::EvaluationFinished)
        .then(|| event.data_as::<EvaluationFinishedData>())
        .flatten()
        .map(Outcome::from)
}

/// Whether an evaluation has not ended, but a daemon that is about to end stopped following it.
pub(crate) fn is_put_off(outcome: &Outcome) -> bool {
    let shutting_down = |failure: &Failure| failure.error_type == ErrorType::ShuttingDown;
    outcome.as_ref().is_err_and(shutting_down)
}

/// A test run in one line.
pub(crate) fn tests(report: &TestReport) -> String {
    let mut text = format!(
        "{} passed, {} failed, {} errors",
        report.passed, report.failed, report.errors
    );
    if report.skipped > 0 {
        let _ = write!(text, ", {} skipped", report.skipped);
    }
    text
}

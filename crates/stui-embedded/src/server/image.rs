//! The thread `image-vm`: owns the VM, all sessions and everything else that commands work on.
//!
//! Its loop: take requests, run a slice of Smalltalk, look at what happened, see what is due. So a
//! request waits for one slice at most, however many evaluations loop for ever. Nothing here is
//! shared and nothing here waits but the loop itself.

mod closing;
mod finishing;
mod happenings;
mod keeping;
mod printing;
mod running;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use stui_protocol::codec::image::encode_reply;
use stui_protocol::command::unknown_command;
use stui_protocol::image::ImageCommand;
use stui_protocol::{ErrorType, EventName, Failure, Outcome, Reply, Request, Timestamp};
use tracing::{debug, error, info};

use super::commands::{self, Answer, Asked};
use super::config::Bounds;
use super::debuggers::Debuggers;
use super::evaluations::Evaluations;
use super::lag::Lag;
use super::link::{Outbox, ToVm};
use super::objects::Objects;
use super::output::Output;
use super::publisher::Publisher;
use super::replies::{Arrival, Replies, Ticket};
use super::sessions::Sessions;
use super::snapshot::Baseline;
use super::store::Store;
use crate::vm::{EvaluationTag, Vm, WorkspaceId};

pub(super) use happenings::Next;
pub(super) use printing::{Printer, SHORT_PRINT, class_name};
pub(super) use running::{MAX_WAIT, Run, running_answer};

/// How long Smalltalk runs between two looks at the requests, when none rings the doorbell.
pub(super) const SLICE: Duration = Duration::from_millis(1);

/// Requests handled between two slices, so that a flood of them does not stop the evaluations.
const REQUESTS_PER_TURN: usize = 64;

/// Time between heartbeats; expired sessions are looked for in the same rhythm.
pub(super) const BEAT: Duration = Duration::from_secs(1);

/// Bytes of Transcript output of no session that are published per turn.
const TRANSCRIPT_BYTES: usize = 1024 * 1024;

/// Children of ended evaluations whose output is still told apart.
const MAX_LINGERING: usize = 1000;

/// Processes that an evaluation forked and that go on after its end.
#[derive(Debug)]
pub(super) struct Lingering {
    tag: EvaluationTag,
    evaluation_id: String,
    session: String,
    output: Output,
}

/// What the VM's thread owns.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) vm: Vm,
    pub(super) name: String,
    pub(super) bounds: Bounds,
    pub(super) instance: String,
    pub(super) started: Instant,
    pub(super) started_at: Timestamp,
    pub(super) publisher: Publisher,
    pub(super) sessions: Sessions,
    pub(super) evaluations: Evaluations,
    pub(super) debuggers: Debuggers,
    pub(super) objects: Objects,
    /// Where contexts and the snapshot are, when there is a state directory.
    pub(super) store: Option<Store>,
    /// What came with the image.
    pub(super) baseline: Baseline,
    pub(super) lag: Lag,
    pub(super) evaluations_total: u64,
    pub(super) errors_total: u64,
    replies: Replies,
    outbox: Outbox,
    lingering: VecDeque<Lingering>,
    /// Workspaces to be dropped when nothing uses them any more.
    doomed: Vec<WorkspaceId>,
    transcript: Output,
    next_beat: Instant,
    last_tag: u64,
}

impl Image {
    /// An image without sessions.
    pub(super) fn new(
        vm: Vm,
        (name, bounds): (String, Bounds),
        instance: String,
        publisher: Publisher,
        outbox: Outbox,
        store: Option<Store>,
    ) -> Self {
        let now = Instant::now();
        Self {
            baseline: Baseline::of(&vm),
            vm,
            name,
            bounds,
            instance,
            started: now,
            started_at: stui_protocol::time::now(),
            publisher,
            sessions: Sessions::default(),
            evaluations: Evaluations::default(),
            debuggers: Debuggers::default(),
            objects: Objects::default(),
            store,
            lag: Lag::new(SLICE, now),
            evaluations_total: 0,
            errors_total: 0,
            replies: Replies::default(),
            outbox,
            lingering: VecDeque::new(),
            doomed: Vec::new(),
            transcript: Output::new(TRANSCRIPT_BYTES),
            next_beat: now,
            last_tag: 0,
        }
    }

    /// Serves until it is told to stop. Dropping the image then ends the link.
    pub(super) fn run(&mut self, requests: &Receiver<ToVm>) {
        info!(instance = self.instance, "the embedded image is ready");
        while self.take_waiting(requests) {
            let now = Instant::now();
            self.lag.slice_begins(now);
            let slice = self.vm.run_slice(SLICE);
            self.lag.slice_ends(now, slice.runnable, Instant::now());
            let happened = self.look_around();
            if slice.runnable || happened {
                continue;
            }
            let deadline = self.next_deadline();
            let wake = slice.next_wakeup.map_or(deadline, |at| at.min(deadline));
            let patience = wake.saturating_duration_since(Instant::now());
            match requests.recv_timeout(patience) {
                Ok(ToVm::Request(ticket, request)) => self.take(ticket, request),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(ToVm::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        debug!("the embedded image stops");
    }

    /// Takes the requests that are there, some at most; false when it is time to stop.
    fn take_waiting(&mut self, requests: &Receiver<ToVm>) -> bool {
        self.vm.doorbell().answer();
        for _ in 0..REQUESTS_PER_TURN {
            match requests.try_recv() {
                Ok(ToVm::Request(ticket, request)) => self.take(ticket, request),
                Ok(ToVm::Stop) | Err(TryRecvError::Disconnected) => return false,
                Err(TryRecvError::Empty) => break,
            }
        }
        true
    }

    /// Handles one request: a repeat is answered or joins, a new one is done. A defect in a
    /// command is answered as such and ends nothing.
    fn take(&mut self, ticket: Ticket, request: Request) {
        match self.replies.arrive(&request.id, ticket) {
            Arrival::New => {}
            Arrival::Joined => return,
            Arrival::Kept(reply) => {
                self.outbox.reply(ticket, reply);
                return;
            }
        }
        let id = request.id.clone();
        let command = request.command.clone();
        debug!(id, command, "request");
        let done = catch_unwind(AssertUnwindSafe(|| self.serve(request)));
        let outcome = match done {
            Ok(Ok(Answer::Now(result))) => Ok(result),
            Ok(Ok(Answer::Later)) => return,
            Ok(Err(failure)) => Err(failure),
            Err(_) => {
                error!(id, command, "a command failed by a defect of the image");
                Err(Failure::new(
                    ErrorType::InternalError,
                    format!("{command:.64} failed by a defect of the image; it goes on"),
                ))
            }
        };
        self.settle(&id, outcome);
    }

    fn serve(&mut self, request: Request) -> commands::Done {
        let asked = Asked {
            id: request.id,
            version: request.version,
        };
        match ImageCommand::parse(&request.command, request.parameters) {
            Some(command) => commands::run(self, &asked, command?),
            None => Err(unknown_command(
                &request.command,
                ImageCommand::NAMES.iter(),
            )),
        }
    }

    /// Answers a request that waits; nothing when it was answered before.
    pub(super) fn settle(&mut self, id: &str, outcome: Outcome) {
        let reply = encode_reply(&Reply::new(
            Some(id.to_owned()),
            outcome,
            self.instance.as_str(),
        ));
        for ticket in self.replies.settle(id, &reply) {
            self.outbox.reply(ticket, &reply);
        }
    }

    /// Whether so many requests wait that none more may.
    pub(super) fn is_crowded(&self) -> bool {
        self.replies.is_crowded()
    }

    /// Looks at what happened in the VM and at what is due; says whether anything was.
    fn look_around(&mut self) -> bool {
        let happened = self.take_happenings();
        self.tell_output();
        let due = self.do_what_is_due(Instant::now());
        happened || due
    }

    fn next_deadline(&self) -> Instant {
        [self.evaluations.deadline(), self.debuggers.deadline()]
            .into_iter()
            .flatten()
            .fold(self.next_beat, Instant::min)
    }

    /// Heartbeat, expired sessions, forgotten children.
    fn beat(&mut self, now: Instant) {
        self.next_beat = now + BEAT;
        for session in self.sessions.remove_expired(now) {
            info!(session = session.id, "a session has expired");
            self.clear_out(&session, "expired");
        }
        let vm = &self.vm;
        self.lingering.retain(|one| vm.children(one.tag) > 0);
        let data = commands::ping::beat(self, now);
        self.publisher.tell(EventName::Heartbeat, None, None, &data);
    }
}

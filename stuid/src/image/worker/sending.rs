//! From the channel to the socket: what is taken in waits in order of rank, and goes out as far as
//! the window allows; and what was not sent is told so when its time or the link ends.

use tokio::task::yield_now;
use tokio::time::Instant;

use super::super::link::Sent;
use super::super::message::{Connection, LinkError, Message};
use super::super::place::UNTOLD;
use super::{LinkState, Waiting, Worker, answer};

impl Worker {
    /// While the image works, what the next one asks need not go alone: whoever has something to
    /// ask now does so before it is sent, and libzmq's thread is woken once for all of them.
    pub(super) async fn let_others_ask(&mut self) {
        if !self.inflight.is_idle() {
            yield_now().await;
        }
    }

    /// Takes a message and those that came with it.
    pub(super) fn accept_all(&mut self, first: Message) {
        let mut next = Some(first);
        while let Some(message) = next {
            self.accept(message);
            next = self.inbox.try_recv().ok();
        }
        self.tell_queue();
    }

    fn accept(&mut self, message: Message) {
        if self.is_down() {
            let down = self.down();
            return answer(message, Err(down));
        }
        self.enqueue(message);
    }

    /// Sends as much as may be under way.
    pub(super) fn send_waiting(&mut self) {
        self.stuffed = false;
        let window = self.pace.width(Instant::now());
        let mut is_first = true;
        while self.may_send(window) {
            let Some(mut message) = self.queue.pop() else {
                break;
            };
            // Its caller has gone away and nothing was sent: nobody needs it.
            if message.reply.is_closed() {
                continue;
            }
            let here = Connection(self.connection);
            if message.only_by.is_some_and(|only_by| only_by != here) {
                let down = self.down();
                answer(message, Err(down));
                continue;
            }
            let body = std::mem::take(&mut message.body);
            if std::mem::take(&mut is_first) {
                self.link.look();
            }
            match self.link.send(self.inflight.next_correlation(), body) {
                Sent::Whole => self.sent(message),
                Sent::Not(body) => self.put_back(Message { body, ..message }),
                Sent::Broken => {
                    let down = self.down();
                    answer(message, Err(down));
                    self.replace("broken");
                }
            }
        }
        self.tell_queue();
    }

    /// What waits on a worn socket is waited for, and nothing more is given to it.
    fn may_send(&self, window: usize) -> bool {
        self.is_up() && !self.stuffed && self.worn.is_none() && self.inflight.has_room(window)
    }

    fn sent(&mut self, message: Message) {
        let (deadline, sent_at) = (message.deadline, Instant::now());
        let waited = sent_at.duration_since(message.came_at).as_secs_f64();
        let priority = message.priority.name();
        let wait = self.metrics.link.wait.with_label_values(&[priority]);
        wait.observe(waited);
        if self.inflight.is_idle() {
            self.pace.began(sent_at);
        }
        let waiting = Waiting { message, sent_at };
        self.inflight.insert(waiting, deadline);
    }

    fn put_back(&mut self, message: Message) {
        self.stuffed = true;
        // It was in the queue a moment ago, so there is room.
        self.enqueue(message);
    }

    fn enqueue(&mut self, message: Message) {
        let deadline = message.deadline;
        self.queue_due = Some(self.queue_due.map_or(deadline, |due| due.min(deadline)));
        if let Err((message, reached)) = self.queue.push(message.priority, message) {
            answer(message, Err(LinkError::Full(reached)));
        }
    }

    pub(super) fn expire_queue(&mut self, now: Instant) {
        let error = match self.state() {
            LinkState::Up { .. } => LinkError::NotSentInTime,
            LinkState::Connecting | LinkState::Down | LinkState::Refused(_) => self.down(),
        };
        for message in self.queue.take(|message| message.deadline <= now) {
            answer(message, Err(error.clone()));
        }
        self.queue_due = self.queue.iter().map(|message| message.deadline).min();
    }

    /// Tells everybody: *unknown* to those whose request was sent, `unsent` to the others.
    pub(super) fn settle_all(&mut self, unsent: &LinkError) {
        self.settle_sent();
        for message in self.queue.take(|_| true) {
            answer(message, Err(unsent.clone()));
        }
        self.inbox_to(unsent);
        self.tell_queue();
    }

    /// Those in the channel came before the change, too.
    fn inbox_to(&mut self, unsent: &LinkError) {
        while let Ok(message) = self.inbox.try_recv() {
            answer(message, Err(unsent.clone()));
        }
    }

    pub(super) fn tell_queue(&self) {
        self.metrics
            .link
            .queue
            .set(i64::try_from(self.queue.len()).unwrap_or(i64::MAX));
    }

    /// Tells those who wait for long how many go before them: of what was sent and of what was not.
    pub(super) fn tell_places(&mut self) {
        let now = Instant::now();
        if !self.is_up() || self.places_due > now {
            return;
        }
        self.places_due = now + UNTOLD;
        let sent = self.inflight.in_order().filter(|(before, _)| *before > 0);
        for (before, waiting) in sent {
            waiting.message.place.tell(before, now);
        }
        let ahead = self.inflight.places() as u64;
        self.queue.tell_places(now, ahead);
    }
}

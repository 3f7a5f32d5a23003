//! Keeps the registry true to the image: takes in the sessions that the image has, and marks those
//! as lost that it has no more. Runs at the start and at each new life of the image.

use std::sync::Arc;
use std::time::Duration;

use stui_protocol::daemon::{ImageState, ImageStatus};
use stui_protocol::image::{ListSessions, ListSessionsResult, Requester, SessionInfo};
use stui_protocol::{ErrorType, EventName, Request};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Sessions, name};
use crate::identity::uid_of;
use crate::image::new_id;
use crate::session::{Job, Session, Wait};
use crate::store::PlaceRecord as Place;

/// Before the image is asked again when it could not tell its sessions.
const AGAIN: Duration = Duration::from_millis(500);

/// How long commands on sessions wait for the first list.
const COMPLETE: Duration = Duration::from_secs(2);

impl Sessions {
    /// Watches the lives of the image until told to stop.
    pub async fn keep(self, stop: CancellationToken) {
        let mut status = self.table.image.watch();
        let mut kept = None;
        loop {
            let (state, instance) = {
                let status = status.borrow_and_update();
                (status.state, status.instance.clone())
            };
            let answers = matches!(state, ImageState::Ready | ImageState::Busy);
            let due = answers && instance != kept;
            if due {
                tokio::select! {
                    () = stop.cancelled() => return,
                    reconciled = self.reconcile() => kept = reconciled.or(kept),
                }
            }
            // When it failed it is tried again soon, whatever changes.
            let again = due && instance != kept;
            tokio::select! {
                () = stop.cancelled() => return,
                _ = status.changed() => {}
                () = sleep_until(Instant::now() + AGAIN), if again => {}
            }
        }
    }

    /// Waits until the sessions of the image are known, for a little: at the start of a daemon
    /// nobody shall make anew what is there. An image that is down is not waited for.
    pub async fn complete(&self) {
        let mut complete = self.table.complete.subscribe();
        if *complete.borrow() {
            return;
        }
        let mut status = self.table.image.watch();
        let hopeless = |status: &ImageStatus| {
            matches!(status.state, ImageState::Down | ImageState::Unresponsive)
        };
        tokio::select! {
            _ = complete.wait_for(|complete| *complete) => {}
            _ = status.wait_for(hopeless) => {}
            () = sleep_until(Instant::now() + COMPLETE) => {}
        }
    }

    /// Compares with the image's list. Answers the life of the image that it is of.
    async fn reconcile(&self) -> Option<String> {
        let request = Request::new(new_id(), &ListSessions {});
        let deadline = Instant::now() + self.table.config.request_timeout();
        let reply = match self.table.image.call(&request, deadline).await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::warn!(%error, "asking the image for its sessions");
                return None;
            }
        };
        let listed = match reply
            .outcome
            .map(serde_json::from_value::<ListSessionsResult>)
        {
            Ok(Ok(listed)) => listed.sessions,
            Ok(Err(error)) => {
                tracing::warn!(%error, "reading the image's list of sessions");
                Vec::new()
            }
            // An image of protocol 1.0 cannot list its sessions, so none can be found again.
            Err(failure) if failure.error_type == ErrorType::UnknownCommand => Vec::new(),
            Err(failure) => {
                tracing::warn!(%failure, "asking the image for its sessions");
                return None;
            }
        };
        self.mark(&reply.instance, &listed);
        self.take_in(&reply.instance, listed);
        self.table.complete.send_replace(true);
        Some(reply.instance)
    }

    /// Marks the sessions of another life that are not in the list as lost.
    fn mark(&self, instance: &str, listed: &[SessionInfo]) {
        for session in self.all() {
            let left_in = session.left_in();
            // Made in this life, perhaps after the list was.
            let known = session.instance();
            if left_in.is_none() && known.is_none_or(|known| known == instance) {
                continue;
            }
            let id = session.session_id();
            let there = |info: &&SessionInfo| Some(&info.session.session_id) == id.as_ref();
            if let Some(info) = listed.iter().find(there) {
                self.confirm(&session, instance, info);
                continue;
            }
            let why = match left_in {
                Some(life) if life == instance => "the image closed it while the daemon was away",
                _ => "the image was restarted without it",
            };
            if session.lose(why) {
                self.announce(EventName::Other("session_lost".to_owned()), &session);
            }
        }
    }

    /// The image has a session of another life, or of an earlier daemon.
    fn confirm(&self, session: &Arc<Session>, instance: &str, info: &SessionInfo) {
        if let Some(id) = info.evaluation_id.clone().filter(|_| info.busy)
            && !self.knows_evaluation(&id)
        {
            self.follow_found(session, id);
        }
        session.confirm(instance);
    }

    /// Takes in the sessions that an earlier daemon made for its users.
    fn take_in(&self, instance: &str, listed: Vec<SessionInfo>) {
        let known: Vec<_> = self
            .all()
            .iter()
            .filter_map(|each| each.session_id())
            .collect();
        for info in listed {
            let Some(owner) = uid_of(&info.session.client_id) else {
                continue;
            };
            if info.is_expired || known.contains(&info.session.session_id) {
                continue;
            }
            self.take_one_in(owner, instance, info);
        }
    }

    fn take_one_in(&self, owner: u32, instance: &str, info: SessionInfo) {
        let wanted = name::from_image(info.session.name.as_deref(), &info.session.session_id);
        let place = Place {
            summary: info.session,
            instance: instance.to_owned(),
        };
        let same = self.table.by_name.get(&(owner, wanted.clone()));
        if same.is_some_and(|session| session.is_new()) {
            // Just being made: its own reply tells.
            return;
        }
        let second = name::from_image(None, &place.summary.session_id);
        let session = self
            .adopt(owner, &wanted, place.clone())
            .or_else(|| self.adopt(owner, &second, place));
        let Some(session) = session else {
            return tracing::warn!(
                name = wanted,
                "a session of the image has a name that is taken"
            );
        };
        tracing::info!(name = session.name(), owner, "found a session in the image");
        if info.busy
            && let Some(evaluation_id) = info.evaluation_id
        {
            self.follow_found(&session, evaluation_id);
        }
        self.announce(EventName::SessionCreated, &session);
    }

    /// An evaluation runs in a session that was taken in: its end is waited for as for any other.
    fn follow_found(&self, session: &Arc<Session>, evaluation_id: String) {
        let by = Requester {
            client: 0,
            pid: 0,
            uid: session.owner,
        };
        let job = Job {
            evaluation: self.record(evaluation_id, String::new(), by, Some(session)),
            start: None,
            timeout: None,
            notes: None,
            accepted: None,
            begun: None,
            again: None,
            wait: Wait::default(),
        };
        if let Err(failure) = session.enqueue(job) {
            tracing::warn!(%failure, "following an evaluation that was found running");
        }
    }
}

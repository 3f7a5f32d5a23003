//! Who is attached to a session: one who drives, and those who watch.

use stui_protocol::daemon::{AttachMode, AttachedClient};
use stui_protocol::{ErrorType, Event, EventName, Failure};

use super::Session;

impl Session {
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
        facts.used();
        drop(facts);
        if let Some(demoted) = demoted {
            self.tell(Event::new(EventName::Attached, &demoted));
        }
        self.tell(Event::new(EventName::Attached, client));
        Ok(())
    }

    /// Lets a client leave; answers how it was attached.
    pub fn detach(&self, client: u64) -> Option<AttachedClient> {
        let mut facts = self.facts();
        let attached = &mut facts.attached;
        let index = attached.iter().position(|each| each.client == client)?;
        let left = attached.remove(index);
        facts.used();
        drop(facts);
        if !self.closed.is_cancelled() {
            self.tell(Event::new(EventName::Detached, &left));
        }
        Some(left)
    }

    /// Says whether an attached client has fallen behind with reading.
    pub(crate) fn set_lagging(&self, client: u64, lagging: bool) {
        let mut facts = self.facts();
        if let Some(attached) = facts.attached.iter_mut().find(|each| each.client == client) {
            attached.lagging = lagging;
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

//! Who may do what with a session: its owner all, those with whom it is shared as much as was
//! said, others nothing. Who somebody is, the kernel says.

use stui_protocol::daemon::{AttachMode, AttachedClient, Audience, Sharing};
use stui_protocol::{ErrorType, Event, EventName, Failure};

use super::Session;
use crate::identity::Peer;

/// What somebody may do with a session, from nothing to all. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// It is as if the session were not there.
    Nothing,
    /// See what happens in it.
    Watch,
    /// Evaluate and interrupt in it, and look into its objects.
    Drive,
    /// Name it, share it, end it.
    Own,
}

/// Whose a session is and with whom it is shared.
#[derive(Clone, Debug)]
pub struct Right {
    owner: u32,
    sharing: Sharing,
}

impl Right {
    /// A session that is its owner's alone.
    pub(super) fn private(owner: u32) -> Self {
        Self {
            owner,
            sharing: Sharing {
                with: Audience::Private,
                mode: AttachMode::Drive,
            },
        }
    }

    /// With whom it is shared, to be kept.
    pub(super) fn record(&self) -> Option<String> {
        // Its keys are texts, so it can be written.
        self.sharing()
            .and_then(|sharing| serde_json::to_string(sharing).ok())
    }

    /// As it was kept. What cannot be understood is nobody's right.
    pub(super) fn restore(&mut self, record: Option<&str>) {
        if let Some(sharing) = record.and_then(|text| serde_json::from_str(text).ok()) {
            self.sharing = sharing;
        }
    }

    /// What the peer may do.
    #[must_use]
    pub fn of(&self, peer: Peer) -> Access {
        if peer.uid == self.owner {
            Access::Own
        } else if !self.sharing.with.has(peer.uid, peer.gid) {
            Access::Nothing
        } else {
            match self.sharing.mode {
                AttachMode::Drive => Access::Drive,
                AttachMode::Watch => Access::Watch,
            }
        }
    }

    /// With whom it is shared; none when it is not.
    #[must_use]
    pub fn sharing(&self) -> Option<&Sharing> {
        (self.sharing.with != Audience::Private).then_some(&self.sharing)
    }
}

impl Session {
    /// Who may do what with it now.
    #[must_use]
    pub fn right(&self) -> Right {
        self.facts().right.clone()
    }

    /// What the peer may do with it now.
    #[must_use]
    pub fn access(&self, peer: Peer) -> Access {
        self.facts().right.of(peer)
    }

    /// Lets the peer do that.
    ///
    /// # Errors
    /// `PermissionDenied`, for a session that the peer may see.
    pub fn allow(&self, peer: Peer, needed: Access) -> Result<(), Failure> {
        if self.access(peer) >= needed {
            return Ok(());
        }
        let may = match needed {
            Access::Own => "only its owner may do that",
            _ => "it is shared with you to look on only",
        };
        let name = self.name();
        Err(Failure::new(
            ErrorType::PermissionDenied,
            format!(
                "session {name} belongs to user {}: {may}; that user can share it otherwise with \
                 `stui share {name}`",
                self.owner
            ),
        ))
    }

    /// Shares it with others than before. Those who may not drive it any more look on; those who
    /// may not even see it any more are detached by their connections, which find that out at the
    /// event that this tells.
    pub fn share(&self, sharing: &Sharing) {
        let mut demoted = Vec::new();
        {
            let mut facts = self.facts();
            facts.right.sharing = sharing.clone();
            if sharing.mode == AttachMode::Watch {
                let drives = |each: &&mut AttachedClient| each.mode == AttachMode::Drive;
                let guests = facts
                    .attached
                    .iter_mut()
                    .filter(|each| each.uid != self.owner);
                for client in guests.filter(drives) {
                    client.mode = AttachMode::Watch;
                    demoted.push(client.clone());
                }
            }
            self.keep(&facts);
        }
        for client in demoted {
            self.tell(Event::new(EventName::Attached, &client));
        }
        self.tell(Event::new(EventName::SessionShared, sharing));
    }
}

//! A second socket beside one by which nothing comes any more.
//!
//! A silent image and an image that has lost a reply look alike. So the old socket stays, with the
//! place of what was sent on it, and a `ping` is sent by a new one. An image that is frozen answers
//! neither, and when it wakes up it is the old one that speaks. One that answers here has gone on
//! without answering there: then the old socket can go.

use std::time::Duration;

use stui_protocol::Request;
use stui_protocol::image::Ping;
use tokio::time::Instant;

use super::super::address::Address;
use super::super::envelope;
use super::super::inflight::{Correlation, Inflight};
use super::super::link::{Change, Happening, Link, Sent};
use super::super::new_id;

/// How long one is tried. A peer that takes connections and loses what is sent on them would keep
/// it for ever.
const TRIAL: Duration = Duration::from_secs(3);

/// A socket on trial.
pub(super) struct Spare {
    link: Link,
    /// Then it is given up.
    until: Instant,
    /// Number of the ping that is under way on it.
    probe: Option<Correlation>,
}

/// What is to be done with it.
pub(super) enum Verdict {
    Wait,
    Good,
    Useless,
}

impl Spare {
    /// Begins to connect; none when there are no files or memory for another socket.
    pub(super) fn open(context: &zmq::Context, address: &Address) -> Option<Self> {
        let link = Link::open(context, address).ok()?;
        let endpoint = &address.endpoint;
        tracing::debug!(
            endpoint,
            "nothing comes from the image, trying another socket"
        );
        Some(Self {
            link,
            until: Instant::now() + TRIAL,
            probe: None,
        })
    }

    /// When it is given up.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Takes what happened on it.
    pub(super) fn hear<T>(&mut self, happening: Happening, inflight: &mut Inflight<T>) -> Verdict {
        match happening {
            Happening::Changed(Change::Up) => self.probe(inflight.spend_correlation()),
            Happening::Changed(Change::Down) => {
                self.probe = None;
                Verdict::Wait
            }
            Happening::Received(reply) => match reply {
                Some((number, _)) if Some(number) == self.probe => Verdict::Good,
                _ => Verdict::Useless,
            },
            Happening::Changed(Change::Refused(_)) | Happening::Failed => Verdict::Useless,
        }
    }

    fn probe(&mut self, number: Correlation) -> Verdict {
        let Ok(body) = envelope::seal(&Request::new(new_id(), &Ping::default())) else {
            return Verdict::Useless;
        };
        self.link.look();
        match self.link.send(number, body) {
            Sent::Whole => {
                self.probe = Some(number);
                Verdict::Wait
            }
            Sent::Not(_) | Sent::Broken => Verdict::Useless,
        }
    }

    pub(super) fn into_link(self) -> Link {
        self.link
    }
}

/// What happens next on a spare socket; nothing ever when there is none. Can be cancelled.
pub(super) async fn next(spare: &mut Option<Spare>) -> Happening {
    match spare {
        Some(spare) => spare.link.next().await,
        None => std::future::pending().await,
    }
}

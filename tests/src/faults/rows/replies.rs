//! The image answers wrongly, late, twice, or not at all; its evaluator stands still.

use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;

use crate::daemon::Daemon;
use crate::faults::ledger::{Language, Ledger};
use crate::faults::scene::{Scene, impatient, rest_for_up_to};
use crate::scripted::{Scripted, Wrong};

/// One reply in so many goes wrong.
const ONE_IN: u32 = 10;

/// A scripted image and a daemon in front of it.
fn cast() -> (Scripted, Daemon) {
    let image = Scripted::start();
    let events = image.events_endpoint();
    let flags = ["--image", image.endpoint(), "--image-events", events];
    let daemon = Daemon::start_under(impatient(), &flags);
    (image, daemon)
}

fn ledger(image: &Scripted) -> Ledger {
    Ledger {
        executed: image.executed(),
        ..Ledger::default()
    }
}

/// Replies go wrong.
pub(super) struct Replies {
    daemon: Daemon,
    image: Scripted,
    wrong: Wrong,
}

impl Replies {
    pub(super) fn new(wrong: Wrong) -> Self {
        let (image, daemon) = cast();
        Self {
            daemon,
            image,
            wrong,
        }
    }

    /// Late ones come before or after the daemon has lost its patience.
    pub(super) fn late() -> Self {
        Self::new(Wrong::Late(Duration::from_millis(1)))
    }
}

impl Scene for Replies {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        Language::Codes
    }

    fn fault(&mut self, dice: &mut StdRng) -> u64 {
        let wrong = match self.wrong {
            Wrong::Late(_) => Wrong::Late(Duration::from_millis(dice.random_range(1..1500))),
            wrong => wrong,
        };
        self.image.misbehaves(wrong, ONE_IN, dice.random());
        rest_for_up_to(dice, 1000);
        self.image.behaves()
    }

    fn ledger(&mut self, _clients: usize) -> Ledger {
        ledger(&self.image)
    }
}

/// The listener answers, and no code makes progress.
pub(super) struct EvaluatorFrozen {
    daemon: Daemon,
    image: Scripted,
}

impl EvaluatorFrozen {
    pub(super) fn new() -> Self {
        let (image, daemon) = cast();
        Self { daemon, image }
    }
}

impl Scene for EvaluatorFrozen {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        Language::Codes
    }

    fn fault(&mut self, dice: &mut StdRng) -> u64 {
        self.image.freeze();
        rest_for_up_to(dice, 2500);
        self.image.thaw();
        1
    }

    fn mend(&mut self) -> u64 {
        self.image.thaw();
        0
    }

    fn ledger(&mut self, _clients: usize) -> Ledger {
        ledger(&self.image)
    }
}

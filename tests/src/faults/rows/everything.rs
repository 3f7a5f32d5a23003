//! Everything that can end, break or stand still does, in any order and at once.

use rand::Rng;
use rand::rngs::StdRng;
use rustix::process::Signal;

use super::links::Roads;
use crate::daemon::Daemon;
use crate::faults::image::ImageProcess;
use crate::faults::ledger::{Language, Ledger};
use crate::faults::scene::{Run, Scene, rest_for_up_to};
use crate::proxy::Weather;

/// An image that writes down what it does, links with weather, a daemon.
pub(super) struct Everything {
    daemon: Daemon,
    roads: Roads,
    image: ImageProcess,
}

impl Everything {
    pub(super) fn new(run: &Run) -> Self {
        let image = ImageProcess::scripted(&run.program);
        let (roads, daemon) = Roads::to(&image);
        Self {
            daemon,
            roads,
            image,
        }
    }

    /// Something that lasts, beside what happens meanwhile.
    fn begin(&mut self, dice: &mut StdRng) {
        match dice.random_range(0..4) {
            0 => self.roads.set(Weather::Silent),
            1 => self.roads.set(Weather::EverySecondWrite),
            2 => self.image.signal(Signal::STOP),
            _ => {}
        }
    }

    /// Something that happens at once.
    fn strike(&mut self, dice: &mut StdRng) {
        match dice.random_range(0..4) {
            0 => {
                self.image.end(Signal::KILL);
                self.image.start_again();
            }
            1 => self.roads.cut(),
            2 => {
                let by = [Signal::KILL, Signal::TERM][dice.random_range(0..2)];
                self.daemon.process().signal(by);
                self.daemon.process().end();
                // It begins only when it reaches the image.
                self.clear();
                self.daemon.start_again();
            }
            _ => {}
        }
    }

    fn clear(&mut self) {
        self.roads.set(Weather::Clear);
        self.image.signal(Signal::CONT);
    }
}

impl Scene for Everything {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        self.image.language()
    }

    fn fault(&mut self, dice: &mut StdRng) -> u64 {
        self.begin(dice);
        rest_for_up_to(dice, 400);
        self.strike(dice);
        rest_for_up_to(dice, 400);
        self.clear();
        // Now and then, long enough for work.
        rest_for_up_to(dice, 1000);
        2
    }

    fn ledger(&mut self, _clients: usize) -> Ledger {
        self.image.written().expect("what a scripted image does")
    }
}

//! One row being played: a load, faults beside it, and the reckoning.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::holdings::Holdings;
use super::ledger::{Language, Ledger, Told};
use super::load::Load;
use super::tally::Tally;
use crate::daemon::{Daemon, Surroundings};
use crate::patience;

/// Clients of a load.
pub const CLIENTS: usize = 4;

/// Between two questions of one client. The rows are about faults; there is a bench for speed.
const PAUSE: Duration = Duration::from_millis(2);

/// Questions of each client before anything is measured, so that whatever fills up has begun to.
const WARM_UP: Duration = Duration::from_millis(500);

/// How long, with which dice, by whose help.
#[derive(Clone, Debug)]
pub struct Run {
    /// How long faults are injected.
    pub length: Duration,
    /// After which an answer that did not come is a hang.
    pub limit: Duration,
    /// Same seed, same dice.
    pub seed: u64,
    /// The program that is a scripted image when it is told so: `PROGRAM image …`.
    pub program: PathBuf,
    /// Sessions that are made and closed at least, where that is the row.
    pub sessions: u64,
}

/// The cast of a row, and what goes wrong in it.
pub trait Scene {
    /// The daemon that is asked.
    fn daemon(&mut self) -> &mut Daemon;

    /// What the image understands.
    fn language(&self) -> Language;

    /// Does one thing wrong, for a while; answers how many faults that were.
    fn fault(&mut self, dice: &mut StdRng) -> u64;

    /// Makes everything right again; answers how many faults were counted only now.
    fn mend(&mut self) -> u64 {
        0
    }

    /// What the image has done for that many clients. Asked at the end.
    fn ledger(&mut self, clients: usize) -> Ledger {
        Ledger::of(&self.daemon().client(), clients)
    }

    /// Whether that many faults are enough when the time is over.
    fn is_enough(&self, _faults: u64) -> bool {
        true
    }

    /// Whether a task is sent again when the daemon went away: where the image stays the same.
    fn sends_again(&self) -> bool {
        false
    }

    /// Where the load connects.
    fn socket(&mut self) -> PathBuf {
        self.daemon().socket()
    }

    /// What was told to clients that the scene has of its own.
    fn told(&mut self) -> Vec<Told> {
        Vec::new()
    }

    /// Other processes that must give back what they took.
    fn processes(&mut self) -> Vec<u32> {
        Vec::new()
    }
}

impl Run {
    /// Plays a scene and counts.
    pub fn play(&self, row: &'static str, mut scene: impl Scene) -> Tally {
        let mut dice = StdRng::seed_from_u64(self.seed);
        let load = Load {
            socket: scene.socket(),
            language: scene.language(),
            clients: CLIENTS,
            pause: PAUSE,
            limit: self.limit,
            sends_again: scene.sends_again(),
            next: AtomicU64::new(1),
        };
        let (mut told, ()) = load.beside(|| rest(WARM_UP));
        let before = Holdings::of(&mut scene);

        let (more, mut faults) = load.beside(|| self.faults(&mut scene, &mut dice));
        faults += scene.mend();
        told.extend(more);
        told.extend(scene.told());

        let findings = scene.ledger(CLIENTS + 1).judge(&told);
        let mut tally = Tally::new(row, faults, &told, findings);
        tally.leaks = before.left_over(&mut scene, told.len());
        tally
    }

    fn faults(&self, scene: &mut impl Scene, dice: &mut StdRng) -> u64 {
        let began = Instant::now();
        let mut faults = 0;
        while began.elapsed() < self.length || !scene.is_enough(faults) {
            faults += scene.fault(dice);
            // Between two faults, life.
            rest_for_up_to(dice, 150);
        }
        faults + scene.mend()
    }
}

/// Lets that much time pass, in which others act.
pub fn rest(time: Duration) {
    patience::until_within(time, &mut || None::<()>);
}

/// Lets some time pass, up to that many milliseconds.
pub fn rest_for_up_to(dice: &mut StdRng, most_ms: u64) {
    rest(Duration::from_millis(dice.random_range(0..=most_ms)));
}

/// Surroundings of a daemon that writes little.
#[must_use]
pub fn patient() -> Surroundings {
    let mut surroundings = Surroundings::default();
    surroundings.set("STUID_LOG__LEVEL", "info");
    surroundings
}

/// The same for one whose exchanges with the image take a second at most.
#[must_use]
pub fn impatient() -> Surroundings {
    let mut surroundings = patient();
    surroundings.set("STUID_IMAGE__REQUEST_TIMEOUT_MS", "1000");
    surroundings
}

/// A path as an endpoint of ZeroMQ.
#[must_use]
pub fn ipc(path: &Path) -> String {
    format!("ipc://{}", path.display())
}

//! Something ends, by kill or by request, and begins again: the image, the daemon, a client.

use std::process::Child;

use rand::Rng;
use rand::rngs::StdRng;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use stui_protocol::daemon::{ImageState, Status};

use crate::asking::{Asking, new_id};
use crate::daemon::{Daemon, Surroundings};
use crate::faults::image::ImageProcess;
use crate::faults::ledger::{Language, Ledger, Told, Verdict};
use crate::faults::scene::{CLIENTS, Scene, impatient, patient, rest_for_up_to};
use crate::patience::{self, PATIENCE};

/// A daemon in front of an image in another process.
pub(super) fn before(image: &ImageProcess, surroundings: Surroundings) -> Daemon {
    Daemon::start_under(surroundings, &image.flags())
}

fn wait_until_ready(daemon: &Daemon) {
    let client = daemon.client();
    patience::until("an image that is ready", || {
        let state = client.ask::<Status>(json!({})).image.state;
        (state == ImageState::Ready).then_some(())
    });
}

/// The image ends.
pub(super) struct ImageEnds {
    daemon: Daemon,
    image: ImageProcess,
    by: Signal,
}

impl ImageEnds {
    pub(super) fn new(image: ImageProcess, by: Signal) -> Self {
        let daemon = before(&image, impatient());
        Self { daemon, image, by }
    }
}

impl Scene for ImageEnds {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        self.image.language()
    }

    fn fault(&mut self, dice: &mut StdRng) -> u64 {
        // One in four times it ends while it begins.
        if dice.random_ratio(3, 4) {
            wait_until_ready(&self.daemon);
        }
        rest_for_up_to(dice, 300);
        self.image.end(self.by);
        rest_for_up_to(dice, 300);
        self.image.start_again();
        1
    }

    fn ledger(&mut self, clients: usize) -> Ledger {
        let written = self.image.written();
        written.unwrap_or_else(|| Ledger::of(&self.daemon.client(), clients))
    }
}

/// The daemon ends; the image goes on.
pub(super) struct DaemonEnds {
    daemon: Daemon,
    image: ImageProcess,
    by: Signal,
}

impl DaemonEnds {
    pub(super) fn new(by: Signal) -> Self {
        let image = ImageProcess::embedded();
        let daemon = before(&image, impatient());
        Self { daemon, image, by }
    }
}

impl Scene for DaemonEnds {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        self.image.language()
    }

    fn fault(&mut self, dice: &mut StdRng) -> u64 {
        rest_for_up_to(dice, 300);
        self.daemon.process().signal(self.by);
        self.daemon.process().end();
        rest_for_up_to(dice, 100);
        self.daemon.start_again();
        1
    }

    fn sends_again(&self) -> bool {
        true
    }

    fn processes(&mut self) -> Vec<u32> {
        vec![self.image.pid()]
    }
}

/// The real `stui` ends, or is stopped and continued, while it evaluates.
pub(super) struct ClientsEnd {
    daemon: Daemon,
    image: ImageProcess,
    number: u64,
    told: Vec<Told>,
}

impl ClientsEnd {
    pub(super) fn new() -> Self {
        let image = ImageProcess::embedded();
        let daemon = before(&image, patient());
        Self {
            daemon,
            image,
            // The tasks of the load have smaller ones.
            number: 1 << 40,
            told: Vec::new(),
        }
    }

    /// A `stui` that evaluates the next task, after a moment in which it can be met.
    fn spawn(&mut self) -> (String, Child) {
        self.number += 1;
        let task = Language::Smalltalk.task(CLIENTS, self.number);
        let code = format!("(Delay forMilliseconds: 20) wait. {}", task.code);
        let mut command = self
            .daemon
            .user()
            .command(&["eval", "--session", "killed", &code]);
        command.stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::null());
        (task.mark, command.spawn().expect("starting stui"))
    }
}

impl Scene for ClientsEnd {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        Language::Smalltalk
    }

    fn fault(&mut self, dice: &mut StdRng) -> u64 {
        let began = std::time::Instant::now();
        let (mark, mut child) = self.spawn();
        rest_for_up_to(dice, 60);
        let signal = [Signal::KILL, Signal::TERM, Signal::STOP][dice.random_range(0..3)];
        let pid = Pid::from_child(&child);
        kill_process(pid, signal).expect("sending a signal");
        if signal == Signal::STOP {
            rest_for_up_to(dice, 200);
            kill_process(pid, Signal::CONT).expect("sending a signal");
        }
        let mut ended = || child.try_wait().expect("asking for the end");
        let status = patience::until_within(PATIENCE, &mut ended);
        let verdict = match status {
            None => Verdict::Hang,
            Some(status) if status.success() => Verdict::Done,
            Some(_) => Verdict::Unknown,
        };
        if verdict == Verdict::Hang {
            let _ = child.kill();
            let _ = child.wait();
        }
        self.told.push(Told {
            mark,
            verdict,
            // What it was told did not say so; this image has one life only.
            life: String::new(),
            took: began.elapsed(),
        });
        1
    }

    fn ledger(&mut self, clients: usize) -> Ledger {
        let mut ledger = Ledger::of(&self.daemon.client(), clients);
        ledger.lives = None;
        ledger
    }

    fn told(&mut self) -> Vec<Told> {
        // Whatever the last one has left running ends before the image is asked.
        let session = self.daemon.client();
        let _ = session
            .attach("killed")
            .value(&format!("'{}'", new_id("last")));
        std::mem::take(&mut self.told)
    }

    fn processes(&mut self) -> Vec<u32> {
        vec![self.image.pid()]
    }
}

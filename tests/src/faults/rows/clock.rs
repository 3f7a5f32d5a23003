//! The wall clock cannot be trusted.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::json;
use stui_protocol::time::now;
use tempfile::TempDir;

use crate::asking::Asking;
use crate::daemon::Daemon;
use crate::faults::ledger::Language;
use crate::faults::scene::{Scene, patient, rest_for_up_to};

/// The wall clock jumps, for the daemon and the image inside of it.
pub(super) struct ClockJumps {
    daemon: Daemon,
    offset: PathBuf,
    _dir: TempDir,
}

/// What stands between a program and its wall clock.
const CLOCK: &str = include_str!("clock.c");

/// The farthest jump, in seconds.
const FARTHEST_S: i64 = 400 * 24 * 3600;

impl ClockJumps {
    /// # Errors
    /// What is missing where the clock cannot be shifted for one program.
    pub(super) fn new() -> Result<Self, String> {
        let dir = tempfile::tempdir().expect("a directory for the clock");
        let (source, library) = (dir.path().join("clock.c"), dir.path().join("clock.so"));
        let offset = dir.path().join("offset");
        std::fs::write(&source, CLOCK).expect("writing the clock");
        std::fs::write(&offset, 0_i64.to_ne_bytes()).expect("writing the offset");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-o"])
            .args([&library, &source])
            .output()
            .map_err(|error| format!("a C compiler, cc: {error}"))?;
        if !built.status.success() {
            let said = String::from_utf8_lossy(&built.stderr);
            return Err(format!("a C library with a clock to replace: {said}"));
        }
        let mut surroundings = patient();
        surroundings.set("LD_PRELOAD", &library.to_string_lossy());
        surroundings.set("CLOCK_OFFSET", &offset.to_string_lossy());
        Ok(Self {
            daemon: Daemon::start_under(surroundings, &["--embedded"]),
            offset,
            _dir: dir,
        })
    }

    fn shift(&self, seconds: i64) {
        // In place: the library has the file mapped.
        let mut file = File::options()
            .write(true)
            .open(&self.offset)
            .expect("the offset");
        file.write_all(&seconds.to_ne_bytes())
            .expect("writing the offset");
    }

    /// How far the daemon's clock is off, in seconds.
    fn seen(&self) -> i64 {
        let reply = self.daemon.client().reply("status", json!({}));
        reply.timestamp.as_second() - now().as_second()
    }
}

impl Scene for ClockJumps {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        Language::Smalltalk
    }

    fn fault(&mut self, dice: &mut StdRng) -> u64 {
        let jump = dice.random_range(-FARTHEST_S..FARTHEST_S);
        self.shift(jump);
        let seen = self.seen();
        assert!(
            (seen - jump).abs() < 60,
            "a jump of {jump} s is seen as {seen} s"
        );
        rest_for_up_to(dice, 500);
        1
    }

    fn mend(&mut self) -> u64 {
        self.shift(0);
        0
    }
}

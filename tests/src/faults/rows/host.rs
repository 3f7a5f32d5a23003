//! The machine lacks something: disk, descriptors, a clock that can be trusted. And 10,000 sessions
//! that come and go.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;

use rand::Rng;
use rand::rngs::StdRng;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;
use stui_protocol::Command as _;
use stui_protocol::daemon::{KillSession, NewSession};
use stui_protocol::image::SaveImage;
use stui_protocol::time::now;
use tempfile::TempDir;

use super::ends::before;
use crate::asking::{Asking, new_id};
use crate::client::Client;
use crate::daemon::{Daemon, Surroundings};
use crate::faults::image::ImageProcess;
use crate::faults::ledger::Language;
use crate::faults::scene::{Scene, patient, rest_for_up_to};
use crate::footprint::Footprint;
use crate::patience;

/// Descriptors run out while clients are served, and further ones come.
pub(super) struct DescriptorsGone {
    daemon: Daemon,
    image: ImageProcess,
}

/// Clients that come when there are no descriptors left.
const CROWD: usize = 30;

impl DescriptorsGone {
    pub(super) fn new() -> Self {
        let image = ImageProcess::embedded();
        let daemon = before(&image, patient());
        Self { daemon, image }
    }

    fn allow(&mut self, descriptors: Option<u64>) -> Rlimit {
        let pid = self.daemon.process().pid();
        let pid = Pid::from_raw(pid.cast_signed()).expect("a process id");
        let now = prlimit(Some(pid), Resource::Nofile, hard_limit_of(pid, descriptors));
        now.expect("limiting the descriptors of a daemon")
    }
}

/// Whether the daemon has said hello, so far.
fn is_welcome(mut stream: &UnixStream) -> bool {
    let mut said = [0; 1024];
    stream.set_nonblocking(true).expect("a stream to look at");
    let count = stream.read(&mut said).unwrap_or_default();
    String::from_utf8_lossy(&said[..count]).contains("\"hello\"")
}

/// The soft limit, under the hard one that is in force.
fn hard_limit_of(pid: Pid, descriptors: Option<u64>) -> Rlimit {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", pid.as_raw_pid()));
    let limits = limits.expect("the limits of a daemon");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let hard = line.and_then(|line| line.split_whitespace().nth(4));
    let maximum = hard.and_then(|hard| hard.parse().ok());
    Rlimit {
        current: descriptors.or(maximum),
        maximum,
    }
}

impl Scene for DescriptorsGone {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        self.image.language()
    }

    fn fault(&mut self, dice: &mut StdRng) -> u64 {
        let held = Footprint::of(self.daemon.process().pid()).descriptors;
        let before = self.allow(Some(held as u64 + 2));
        let socket = self.daemon.socket();
        let connect = |_| UnixStream::connect(&socket).ok();
        let crowd: Vec<_> = (0..CROWD).filter_map(connect).collect();
        rest_for_up_to(dice, 500);
        let welcome = crowd.iter().filter(|stream| is_welcome(stream)).count();
        assert!(welcome < CROWD, "there are descriptors for everybody");
        drop(crowd);
        self.allow(before.current);
        1
    }

    fn processes(&mut self) -> Vec<u32> {
        vec![self.image.pid()]
    }
}

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

/// The file system with the state of the daemon, and of the image inside of it, is full.
pub(super) struct DiskFull {
    daemon: Daemon,
    disk: Disk,
}

/// A small file system. It goes when dropped.
#[derive(Debug)]
struct Disk {
    dir: TempDir,
}

impl Disk {
    fn small() -> Result<Self, String> {
        let dir = tempfile::tempdir().expect("a directory for a disk");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16m", "stui-faults"])
            .arg(dir.path())
            .output()
            .map_err(|error| format!("mount: {error}"))?;
        match mounted.status.success() {
            true => Ok(Self { dir }),
            false => Err("permission to mount a small file system (root)".to_owned()),
        }
    }

    /// Writes until nothing more fits.
    fn fill(&self) {
        let mut file = File::create(self.filler()).expect("a file on an empty disk");
        let block = [b'x'; 4096];
        while file.write_all(&block).is_ok() {}
    }

    fn empty(&self) {
        let _ = std::fs::remove_file(self.filler());
    }

    fn filler(&self) -> PathBuf {
        self.dir.path().join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: whatever still has files there does not keep the directory.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.dir.path())
            .status();
    }
}

impl DiskFull {
    /// # Errors
    /// What is missing where no file system can be mounted.
    pub(super) fn new() -> Result<Self, String> {
        let disk = Disk::small()?;
        let surroundings = Surroundings {
            state_dir: Some(disk.dir.path().join("state")),
            ..patient()
        };
        let daemon = Daemon::start_under(surroundings, &["--embedded"]);
        Ok(Self { daemon, disk })
    }
}

impl Scene for DiskFull {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        Language::Smalltalk
    }

    fn fault(&mut self, dice: &mut StdRng) -> u64 {
        self.disk.fill();
        let client = self.daemon.client();
        // It may fail, and must say so; nothing else may suffer.
        let saved = client.reply(SaveImage::NAME, json!({})).outcome;
        assert!(saved.is_err(), "a full disk took an image: {saved:?}");
        rest_for_up_to(dice, 500);
        self.disk.empty();
        patience::until("an image that is saved to a disk with room", || {
            let saved = client.reply(SaveImage::NAME, json!({})).outcome;
            saved.is_ok().then_some(())
        });
        1
    }
}

/// Sessions are made, used and closed.
pub(super) struct SessionsComeAndGo {
    daemon: Daemon,
    image: ImageProcess,
    least: u64,
}

/// Sessions of one turn; a user may have 256 at a time.
const TURN: usize = 100;

impl SessionsComeAndGo {
    /// So many at least; a tenth of them before anything is measured.
    pub(super) fn new(least: u64) -> Self {
        let image = ImageProcess::embedded();
        let daemon = before(&image, patient());
        let scene = Self {
            daemon,
            image,
            least,
        };
        for _ in 0..least.div_ceil(10 * TURN as u64) {
            scene.turn();
        }
        scene
    }

    fn turn(&self) {
        let client: Client = self.daemon.client();
        let made: Vec<_> = (0..TURN)
            .map(|_| {
                client
                    .ask::<NewSession>(json!({"name": new_id("brief")}))
                    .session
                    .name
            })
            .collect();
        for name in made {
            let parameters = json!({"session": name, "code": "x := 3 + 4", "wait_ms": 20_000});
            client
                .reply("evaluate", parameters)
                .outcome
                .expect("an evaluation");
            client.ask::<KillSession>(json!({"session": name}));
        }
    }
}

impl Scene for SessionsComeAndGo {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        self.image.language()
    }

    fn fault(&mut self, _dice: &mut StdRng) -> u64 {
        self.turn();
        TURN as u64
    }

    fn is_enough(&self, faults: u64) -> bool {
        faults >= self.least
    }

    fn processes(&mut self) -> Vec<u32> {
        vec![self.image.pid()]
    }
}

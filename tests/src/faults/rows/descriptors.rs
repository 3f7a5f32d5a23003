//! Descriptors run out.

use std::io::Read;
use std::os::unix::net::UnixStream;

use rand::rngs::StdRng;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::ends::before;
use crate::daemon::Daemon;
use crate::faults::image::ImageProcess;
use crate::faults::ledger::Language;
use crate::faults::scene::{Scene, patient, rest_for_up_to};
use crate::footprint::Footprint;

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
        let held = Footprint::of(self.daemon.process().pid()).open();
        let before = self.allow(Some(held as u64 + 2));
        let socket = self.daemon.socket();
        let connect = |_| UnixStream::connect(&socket).ok();
        let crowd: Vec<_> = (0..CROWD).filter_map(connect).collect();
        rest_for_up_to(dice, 500);
        let welcome = crowd.iter().filter(|stream| is_welcome(stream)).count();
        drop(crowd);
        self.allow(before.current);
        // Those of an earlier crowd that are let go meanwhile make room for this one.
        u64::from(welcome < CROWD)
    }

    fn processes(&mut self) -> Vec<u32> {
        vec![self.image.pid()]
    }
}

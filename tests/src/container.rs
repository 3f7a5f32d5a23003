//! A machine of its own, booted by systemd: a container over the files of this one, with the
//! units and programs of stui installed. What it writes goes to memory and away with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::binaries;
use crate::patience;
use crate::process::Process;

/// A boot takes seconds; on a machine that cannot boot one, this long.
const BOOT: Duration = Duration::from_secs(60);

/// A booted container with loopback and no other network.
#[derive(Debug)]
pub struct Container {
    // Fields are dropped in this order: the processes, the mounts, the directory.
    manager: Process,
    init: u32,
    _mounts: Mounts,
    _dir: TempDir,
}

impl Container {
    /// Boots one with stui in it.
    ///
    /// # Errors
    /// What this machine lacks for it.
    pub fn boot() -> Result<Self, String> {
        Self::boot_after(install)
    }

    /// Boots one after something was done to its files.
    ///
    /// # Errors
    /// What this machine lacks for it.
    pub fn boot_after(prepare: impl FnOnce(&Path)) -> Result<Self, String> {
        if !rustix::process::getuid().is_root() {
            return Err("root, who may boot a container".to_owned());
        }
        if Command::new("systemd-nspawn")
            .arg("--version")
            .output()
            .is_err()
        {
            return Err("systemd-nspawn (Debian package systemd-container)".to_owned());
        }
        let dir = tempfile::tempdir().expect("a directory for the container");
        let mounts = Mounts::over_this_machine(dir.path())?;
        prepare(&mounts.root());
        let mut command = Command::new("systemd-nspawn");
        command
            .args(["--quiet", "--register=no", "--keep-unit", "--boot"])
            .args(["--private-network", "--console=pipe", "--link-journal=no"])
            .arg(format!("--directory={}", mounts.root().display()))
            // What else this machine runs is not started.
            .arg("systemd.unit=basic.target");
        let mut manager = Process::start("systemd-nspawn", &mut command, dir.path());
        let mut look = || {
            if manager.ended().is_some() {
                return Some(Err(manager.log()));
            }
            let init = child_of(manager.pid())?;
            let state = inside(init, &["systemctl", "is-system-running"]).output();
            let state = String::from_utf8(state.ok()?.stdout).ok()?;
            ["running", "degraded"]
                .contains(&state.trim())
                .then_some(Ok(init))
        };
        match patience::until_within(BOOT, &mut look) {
            Some(Ok(init)) => Ok(Self {
                manager,
                init,
                _mounts: mounts,
                _dir: dir,
            }),
            Some(Err(log)) => Err(format!("a machine that boots containers:\n{log}")),
            None => Err("a machine that boots a container within a minute".to_owned()),
        }
    }

    /// A command inside, as root.
    #[must_use]
    pub fn command(&self, words: &[&str]) -> Command {
        inside(self.init, words)
    }

    /// Runs a command inside and answers its standard output.
    ///
    /// # Panics
    /// When it fails; what it and the daemon wrote is shown.
    pub fn run(&self, words: &[&str]) -> String {
        let output = self.output(words);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{words:?}: {}\n{said}\n{}\n--- the journal:\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr),
            self.journal()
        );
        said
    }

    /// Runs a command inside, whatever comes of it.
    #[must_use]
    pub fn output(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("a command inside")
    }

    /// A file inside, as it is reached from outside.
    #[must_use]
    pub fn file(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.init))
    }

    /// A property of a unit, as `systemctl show` has it.
    #[must_use]
    pub fn property(&self, unit: &str, name: &str) -> String {
        let said = self.run(&["systemctl", "show", unit, "--value", "--property", name]);
        said.trim().to_owned()
    }

    /// Writes a drop-in of a unit.
    pub fn change_unit(&self, unit: &str, text: &str) {
        let dir = format!("/run/systemd/system/{unit}.d");
        let script = format!("mkdir -p {dir} && printf '%s' \"$0\" > {dir}/story.conf");
        self.run(&["sh", "-c", &script, text]);
        self.run(&["systemctl", "daemon-reload"]);
    }

    /// What the units of stui logged.
    #[must_use]
    pub fn journal(&self) -> String {
        let words = ["journalctl", "--no-pager", "-u", "stuid*"];
        String::from_utf8_lossy(&self.output(&words).stdout).into_owned()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // All its processes go with its init.
        if let Some(init) = rustix::process::Pid::from_raw(self.init.cast_signed()) {
            let _ = rustix::process::kill_process(init, rustix::process::Signal::KILL);
        }
        let _ = patience::until_within(patience::PATIENCE, &mut || self.manager.ended());
    }
}

fn inside(init: u32, words: &[&str]) -> Command {
    let mut command = Command::new("nsenter");
    command
        .arg(format!("--target={init}"))
        .args(["--mount", "--uts", "--ipc", "--net", "--pid", "--"])
        .args(words)
        .env_clear()
        .env("PATH", "/usr/bin:/usr/sbin:/bin:/sbin")
        .env("LANG", "C.UTF-8")
        .env("HOME", "/root")
        .stdin(Stdio::null());
    command
}

/// The init of the container is the only child of `systemd-nspawn`.
fn child_of(parent: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    children.split_whitespace().last()?.parse().ok()
}

/// Puts stui where its package would.
fn install(root: &Path) {
    let units = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../systemd"));
    let copies = [
        ("system", "etc/systemd/system"),
        ("sysusers.d", "etc/sysusers.d"),
        ("tmpfiles.d", "etc/tmpfiles.d"),
    ];
    for (from, to) in copies {
        let to = root.join(to);
        fs::create_dir_all(&to).expect("a directory of units");
        for file in fs::read_dir(units.join(from)).expect("units") {
            let file = file.expect("a unit");
            fs::copy(file.path(), to.join(file.file_name())).expect("installing a unit");
        }
    }
    for program in [binaries::stuid(), binaries::stui()] {
        let name = program.file_name().expect("a name");
        fs::copy(&program, root.join("usr/bin").join(name)).expect("installing a program");
    }
}

/// The files of this machine, with memory above them for what is written.
#[derive(Debug)]
struct Mounts {
    memory: PathBuf,
}

impl Mounts {
    fn over_this_machine(dir: &Path) -> Result<Self, String> {
        let memory = dir.join("memory");
        fs::create_dir(&memory).expect("a directory");
        mount(&["-t", "tmpfs", "tmpfs"], &memory)?;
        let mounts = Self { memory };
        for name in ["upper", "work", "root"] {
            fs::create_dir(mounts.memory.join(name)).expect("a directory");
        }
        let layers = format!(
            "lowerdir=/,upperdir={0}/upper,workdir={0}/work",
            mounts.memory.display()
        );
        mount(&["-t", "overlay", "overlay", "-o", &layers], &mounts.root())?;
        Ok(mounts)
    }

    fn root(&self) -> PathBuf {
        self.memory.join("root")
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        for place in [self.root(), self.memory.clone()] {
            // One that was not mounted has nothing to undo.
            let _ = Command::new("umount")
                .args(["--lazy", "--quiet"])
                .arg(place)
                .output();
        }
    }
}

fn mount(what: &[&str], place: &Path) -> Result<(), String> {
    let output = Command::new("mount").args(what).arg(place).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "the right to mount: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
        Err(error) => Err(format!("mount: {error}")),
    }
}

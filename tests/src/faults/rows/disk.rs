//! The disk is full.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use rand::rngs::StdRng;
use serde_json::json;
use stui_protocol::Command as _;
use stui_protocol::image::SaveImage;
use tempfile::TempDir;

use crate::asking::Asking;
use crate::daemon::{Daemon, Surroundings};
use crate::faults::ledger::Language;
use crate::faults::scene::{Scene, patient, rest_for_up_to};
use crate::patience;

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

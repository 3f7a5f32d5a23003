//! The disk is full.

use rand::rngs::StdRng;
use serde_json::json;
use stui_protocol::Command as _;
use stui_protocol::image::SaveImage;

use crate::asking::Asking;
use crate::daemon::{Daemon, Surroundings};
use crate::disk::Disk;
use crate::faults::ledger::Language;
use crate::faults::scene::{Scene, patient, rest_for_up_to};
use crate::patience;

/// The file system with the state of the daemon, and of the image inside of it, is full.
pub(super) struct DiskFull {
    daemon: Daemon,
    disk: Disk,
}

impl DiskFull {
    /// # Errors
    /// What is missing where no file system can be mounted.
    pub(super) fn new() -> Result<Self, String> {
        let disk = Disk::small()?;
        let surroundings = Surroundings {
            state_dir: Some(disk.path().join("state")),
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
        self.disk.clear();
        patience::until("an image that is saved to a disk with room", || {
            let saved = client.reply(SaveImage::NAME, json!({})).outcome;
            saved.is_ok().then_some(())
        });
        1
    }
}

//! The image is there and does not answer: it is stopped, or it saves itself.

use rand::rngs::StdRng;
use rustix::process::Signal;
use serde_json::json;
use stui_protocol::Command;
use stui_protocol::image::SaveImage;

use super::ends::before;
use crate::asking::Asking;
use crate::daemon::Daemon;
use crate::faults::image::ImageProcess;
use crate::faults::ledger::Language;
use crate::faults::scene::{Scene, impatient, patient, rest_for_up_to};

/// The process of the image is stopped and continued: frozen below its listener.
pub(super) struct ImageFrozen {
    daemon: Daemon,
    image: ImageProcess,
}

impl ImageFrozen {
    pub(super) fn new() -> Self {
        let image = ImageProcess::embedded();
        let daemon = before(&image, impatient());
        Self { daemon, image }
    }
}

impl Scene for ImageFrozen {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        self.image.language()
    }

    fn fault(&mut self, dice: &mut StdRng) -> u64 {
        self.image.signal(Signal::STOP);
        // Shorter and longer than the daemon's patience with one exchange.
        rest_for_up_to(dice, 2500);
        self.image.signal(Signal::CONT);
        1
    }

    fn mend(&mut self) -> u64 {
        self.image.signal(Signal::CONT);
        0
    }

    fn processes(&mut self) -> Vec<u32> {
        vec![self.image.pid()]
    }
}

/// The image saves itself under load.
pub(super) struct ImageSaves {
    daemon: Daemon,
    image: ImageProcess,
}

impl ImageSaves {
    pub(super) fn new() -> Self {
        let image = ImageProcess::embedded();
        let daemon = before(&image, patient());
        Self { daemon, image }
    }
}

impl Scene for ImageSaves {
    fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn language(&self) -> Language {
        self.image.language()
    }

    fn fault(&mut self, _dice: &mut StdRng) -> u64 {
        let saved = self
            .daemon
            .client()
            .reply(SaveImage::NAME, json!({}))
            .outcome;
        u64::from(saved.is_ok())
    }

    fn processes(&mut self) -> Vec<u32> {
        vec![self.image.pid()]
    }
}

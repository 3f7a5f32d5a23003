//! The image under test.
//!
//! `STUI_TEST_IMAGE` (and `STUI_TEST_IMAGE_EVENTS`) name one that runs already, such as a Pharo;
//! else the embedded image is started as a process of its own. The stories of one run share it,
//! as clients of a real image do; it ends with the last story that uses it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::json;
use stui_protocol::image::{Describe, DescribeResult};
use tempfile::TempDir;

use crate::asking::Asking;
use crate::binaries;
use crate::image_client::ImageClient;
use crate::process::Process;

/// An image that answers.
#[derive(Debug)]
pub struct Image {
    endpoint: String,
    events_endpoint: Option<String>,
    started: Option<Mutex<Started>>,
}

/// An embedded image that a story started.
#[derive(Debug)]
struct Started {
    // Before the directory: the process ends before its files go.
    process: Process,
    dir: Arc<TempDir>,
}

/// What an embedded image left behind.
#[derive(Debug)]
pub struct CrashedImage {
    dir: Arc<TempDir>,
}

impl CrashedImage {
    /// Starts another image on the same directory and endpoints.
    #[must_use]
    pub fn start(self) -> Image {
        Image::embedded_in(self.dir)
    }
}

impl Image {
    /// The image that all conformance stories share.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Image>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let image = Arc::new(Self::named().unwrap_or_else(Self::embedded));
            *shared = Arc::downgrade(&image);
            image
        })
    }

    /// An image without the other stories: one of its own, unless the environment names one.
    #[must_use]
    pub fn alone() -> Self {
        Self::named().unwrap_or_else(Self::embedded)
    }

    /// The image that the environment names.
    fn named() -> Option<Self> {
        let endpoint = std::env::var("STUI_TEST_IMAGE").ok()?;
        let events_endpoint = std::env::var("STUI_TEST_IMAGE_EVENTS").ok();
        Some(Self {
            endpoint,
            events_endpoint,
            started: None,
        })
    }

    /// An embedded image of one's own, for stories that end it.
    #[must_use]
    pub fn embedded() -> Self {
        Self::embedded_in(Arc::new(
            tempfile::tempdir().expect("a directory for the image"),
        ))
    }

    fn embedded_in(dir: Arc<TempDir>) -> Self {
        let endpoint = format!("ipc://{}", dir.path().join("image.ipc").display());
        let events_endpoint = format!("ipc://{}", dir.path().join("events.ipc").display());
        let mut command = Command::new(binaries::stuid());
        command
            .args([
                "embedded-image",
                "--bind",
                &endpoint,
                "--events",
                &events_endpoint,
            ])
            .arg("--state-dir")
            .arg(dir.path().join("state"));
        let process = Process::start("image", &mut command, dir.path());
        let image = Self {
            endpoint,
            events_endpoint: Some(events_endpoint),
            started: Some(Mutex::new(Started { process, dir })),
        };
        // A REQ socket waits for the other end, so this is also the wait for the start.
        let _ = image.describe();
        image
    }

    /// Ends the embedded image at once, as a crash would, and starts another one on the same
    /// directory and endpoints.
    #[must_use]
    pub fn after_a_crash(self) -> Self {
        self.crash().start()
    }

    /// Ends the embedded image at once.
    #[must_use]
    pub fn crash(self) -> CrashedImage {
        let started = self.started.expect("an image that the story started");
        let mut started = started.into_inner().unwrap_or_else(PoisonError::into_inner);
        started.process.kill();
        CrashedImage { dir: started.dir }
    }

    /// Where its REP socket is.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where its events are published: as the environment says, else as the image says.
    #[must_use]
    pub fn events_endpoint(&self) -> Option<String> {
        self.events_endpoint
            .clone()
            .or_else(|| self.describe().event_endpoint)
    }

    /// Somebody who talks to it.
    #[must_use]
    pub fn client(&self) -> ImageClient {
        ImageClient::connect(&self.endpoint)
    }

    /// What it says that it is.
    #[must_use]
    pub fn describe(&self) -> DescribeResult {
        self.client().ask::<Describe>(json!({}))
    }

    /// Whether it is the embedded image.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.describe().image.kind == "embedded"
    }

    /// Its directory, when the story started it.
    #[must_use]
    pub fn state_dir(&self) -> Option<PathBuf> {
        let started = self
            .started
            .as_ref()?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Some(Path::join(started.dir.path(), "state"))
    }

    /// The process, when the story started it.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        let started = self
            .started
            .as_ref()?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Some(started.process.pid())
    }
}

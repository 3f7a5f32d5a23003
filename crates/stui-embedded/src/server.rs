//! The image link of the embedded image: its sessions, evaluations and commands over ZeroMQ.
//!
//! Two threads: `image-link` owns the socket of the image link, `image-vm` owns the virtual
//! machine, all state and the socket of the event link. They share nothing but a bounded channel
//! for requests and a pipe for replies.
//!
//! What is not here: Smalltalk. That is [`crate::vm`], and the class library it reads.

mod config;
mod endpoint;
mod escalation;
mod files;
mod glob;
mod guard;
mod history;
mod lag;
mod objects;
mod output;
mod records;
mod replies;

mod debuggers;
mod definitions;
mod evaluations;
mod failures;
mod link;
mod publisher;
mod sessions;
mod store;

mod commands;
mod image;
mod snapshot;

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use thiserror::Error;
use tracing::{error, info, warn};
use uuid::Uuid;
use zmq::Context;

#[cfg(feature = "fuzzing")]
pub use commands::file_in::{FiledIn, read as file_in};
pub use config::{Bounds, Config};
pub use endpoint::EndpointError;
pub use guard::Guard;

use crate::vm::{BootstrapError, Doorbell, Vm};
use image::Image;
use link::{Link, MAX_IN_FLIGHT, Outbox, ToVm};
use publisher::Publisher;
use store::Store;

/// How long messages may linger in a socket that is closed: the last replies, the last events.
const LINGER_MS: i32 = 200;

/// How long `stop` waits for the threads. They look at the request to stop every slice; a snapshot
/// of a large image takes longest.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// Rhythm in which `run_alone` looks whether the image still lives.
const LIFE_CHECK: Duration = Duration::from_millis(500);

/// Why an image did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// An endpoint cannot be bound.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The class library is broken.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// The state directory cannot be used.
    #[error("opening the state directory {path}: {reason}")]
    StateDir {
        /// Which.
        path: String,
        /// Why not.
        reason: String,
    },
    /// The snapshot cannot be resumed. It is left as it is.
    #[error("resuming {path}: {reason}; move the file away to start without it")]
    Snapshot {
        /// Which file.
        path: String,
        /// Why not.
        reason: String,
    },
    /// The system gives no thread.
    #[error("starting a thread: {0}")]
    Thread(#[source] std::io::Error),
    /// The image ended while it started.
    #[error("the image ended while it started")]
    Ended,
}

/// A running embedded image. Dropping it stops it.
#[derive(Debug)]
pub struct EmbeddedImage {
    endpoint: String,
    events_endpoint: Option<String>,
    instance: String,
    requests: SyncSender<ToVm>,
    /// Closed by a thread when it ends.
    ends: Vec<(thread::JoinHandle<()>, Receiver<()>)>,
}

impl EmbeddedImage {
    /// Starts an image; when this returns, it answers.
    ///
    /// # Errors
    /// See [`StartError`]. Nothing is left running.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let context = Context::new();
        let instance = Uuid::new_v4().to_string();
        let (requests, taken) = sync_channel(MAX_IN_FLIGHT + 1);
        let doorbell = Doorbell::default();
        let to_vm = (requests.clone(), doorbell.clone());
        let guard = config.guard.as_ref();
        let place = (&config.endpoint[..], guard);
        let (link, endpoint, outbox) = Link::bind(&context, place, &instance, to_vm)?;
        let events = config.events_endpoint.as_deref().map(|at| (at, guard));
        let publisher = Publisher::bind(&context, events, &instance)?;
        let mut started = Self {
            endpoint,
            events_endpoint: publisher.endpoint().map(str::to_owned),
            instance: instance.clone(),
            requests,
            ends: Vec::new(),
        };
        let (ready, answer) = sync_channel(1);
        let body = VmThread {
            config,
            instance,
            publisher,
            outbox,
            taken,
            doorbell,
            ready,
        };
        started.spawn("image-vm", move || body.run())?;
        match answer.recv() {
            Ok(made) => made?,
            Err(mpsc::RecvError) => return Err(StartError::Ended),
        }
        started.spawn("image-link", move || link.run())?;
        info!(
            endpoint = started.endpoint,
            events_endpoint = started.events_endpoint,
            "the embedded image is listening"
        );
        Ok(started)
    }

    fn spawn(
        &mut self,
        name: &str,
        body: impl FnOnce() + Send + 'static,
    ) -> Result<(), StartError> {
        let (end, ended) = sync_channel::<()>(0);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                // Dropped when the thread ends, however it ends.
                let _end = end;
                body();
            })
            .map_err(StartError::Thread)?;
        self.ends.push((thread, ended));
        Ok(())
    }

    /// Where requests are answered.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where events are published, when they are.
    #[must_use]
    pub fn events_endpoint(&self) -> Option<&str> {
        self.events_endpoint.as_deref()
    }

    /// This life of the image.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// Whether it still runs. One that does not has met a defect of its own.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.ends.iter().all(|(thread, _)| !thread.is_finished())
    }

    /// Stops the image and waits for its threads, ten seconds at most. What runs in it ends.
    /// A snapshot is written when the configuration says so.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if self.ends.is_empty() {
            return;
        }
        // The channel is full only when nobody takes from it, and closed when the VM has ended.
        if matches!(
            self.requests.try_send(ToVm::Stop),
            Err(TrySendError::Full(_))
        ) {
            warn!("the embedded image does not take the request to stop");
        }
        for (thread, ended) in self.ends.drain(..) {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if ended.recv_timeout(STOP_PATIENCE) == Err(RecvTimeoutError::Timeout) {
                warn!(
                    name,
                    "a thread of the embedded image does not end; leaving it"
                );
            } else if thread.join().is_err() {
                error!(name, "a thread of the embedded image ended by a defect");
            }
        }
        endpoint::remove(&self.endpoint);
        if let Some(events_endpoint) = &self.events_endpoint {
            endpoint::remove(events_endpoint);
        }
    }
}

impl Drop for EmbeddedImage {
    fn drop(&mut self) {
        self.end();
    }
}

/// What the VM's thread starts with. The VM is made on its thread and never leaves it.
struct VmThread {
    config: Config,
    instance: String,
    publisher: Publisher,
    outbox: Outbox,
    taken: Receiver<ToVm>,
    doorbell: Doorbell,
    ready: SyncSender<Result<(), StartError>>,
}

impl VmThread {
    fn run(self) {
        let save_on_stop = self.config.save_on_stop;
        let mut image = match make(self.config, self.instance, self.publisher, self.outbox) {
            Ok(image) => image,
            Err(error) => {
                // Whoever starts the image waits for this.
                let _ = self.ready.send(Err(error));
                return;
            }
        };
        if self.ready.send(Ok(())).is_err() {
            return;
        }
        image.vm.listen_to(self.doorbell);
        image.run(&self.taken);
        if save_on_stop
            && image.store.is_some()
            && let Err(failure) = commands::save_image::save(&mut image)
        {
            error!(%failure, "saving the image at its end");
        }
    }
}

fn make(
    config: Config,
    instance: String,
    publisher: Publisher,
    outbox: Outbox,
) -> Result<Image, StartError> {
    let store = match &config.state_dir {
        Some(folder) => Some(Store::open(folder).map_err(|reason| StartError::StateDir {
            path: folder.display().to_string(),
            reason: reason.to_string(),
        })?),
        None => None,
    };
    let snapshot_path = store.as_ref().map(Store::snapshot_path);
    let vm = Vm::new(config.bounds.vm.clone())?;
    let mut image = Image::new(
        vm,
        (config.name, config.bounds),
        instance,
        publisher,
        outbox,
        store,
    );
    if let Some(path) = snapshot_path {
        let found = store::snapshot_file::read(&path).map_err(|reason| StartError::Snapshot {
            path: path.display().to_string(),
            reason: reason.to_string(),
        })?;
        if let Some(found) = found {
            snapshot::resume(&mut image, found);
        }
    }
    Ok(image)
}

/// Runs an image until `stop` gets something or its other end is dropped. `listening` is called
/// once, when the image answers.
///
/// # Errors
/// See [`StartError`]; `Ended` also when the image ends by a defect of its own.
pub fn run_alone(
    config: Config,
    stop: &Receiver<()>,
    listening: impl FnOnce(&EmbeddedImage),
) -> Result<(), StartError> {
    let image = EmbeddedImage::start(config)?;
    listening(&image);
    while image.is_alive() {
        match stop.recv_timeout(LIFE_CHECK) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                image.stop();
                return Ok(());
            }
        }
    }
    Err(StartError::Ended)
}

//! The daemon as a whole: what it is made of, and the phases of its end.

mod embedded;

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stui_protocol::time;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::Admin;
use crate::announcements::{self, Announcements};
use crate::commands::{Clients, MOST_LOOSE, Services};
use crate::config::{Config, ImageKind, InForce, Layered};
use crate::error::Error;
use crate::frontend::{self, Frontend};
use crate::gate::Gate;
use crate::image::{Approach, Image, Protocol, events};
use crate::limits::RequestBytes;
use crate::listener::{self, Listener, Places};
use crate::metrics::Metrics;
use crate::sessions::{Sessions, Surroundings};
use crate::store::{Recovered, Retention, Store};
use crate::supervisor::{self, Held};
use stui_embedded::EmbeddedImage;

/// For the last replies to be written and the last tasks to see that they shall end.
const FAREWELL: Duration = Duration::from_secs(1);

/// A daemon that is ready to run.
#[derive(Debug)]
pub struct Daemon {
    services: Arc<Services>,
    listener: Listener,
    /// Clients of the daemon before this one.
    kept: Vec<UnixStream>,
    admin: Option<Admin>,
    frontend: Option<Frontend>,
    embedded: Option<EmbeddedImage>,
    places: Places,
    events_endpoint: Option<String>,
    approach: Approach,
    /// Ends the tasks that serve nobody in particular.
    background: CancellationToken,
}

impl Daemon {
    /// Takes the socket, or what the service manager `held`, starts the image if it is inside, and
    /// opens the link to it.
    ///
    /// # Errors
    /// Whatever keeps it from serving; see [`Error`].
    pub async fn start(in_force: InForce, held: Held) -> Result<Self, Error> {
        let layered = &*in_force.now();
        let config = &layered.config;
        warn_of_insecure_links(layered);
        let metrics = Metrics::new().map_err(|why| Error::Io {
            doing: "making the metrics".to_owned(),
            why: std::io::Error::other(why),
        })?;
        let metrics = Arc::new(metrics);
        let limits = in_force.limits();
        let request_bytes = RequestBytes::new(limits.clone());
        let frontend_files = frontend::files(&config.frontend);
        let room = listener::make_room(config.clients.max, frontend_files)?;
        let listener = match held.socket {
            Some(socket) => Listener::adopt(socket)?,
            None => Listener::bind(&config.listen.socket, config.listen.mode)?,
        };
        let admin = bind_admin(layered).await?;
        let frontend = Frontend::bind(&config.frontend, &layered.links, &request_bytes)?;
        let (store, recovered) = open_store(config, &metrics)?;
        let embedded = start_embedded(config, listener.path())?;
        let (endpoint, events_endpoint) = endpoints(config, embedded.as_ref());
        let (tasks, background) = (TaskTracker::new(), CancellationToken::new());
        let settling = CancellationToken::new();
        let approach = approach(layered);
        let address = approach.to(&endpoint);
        let image = Image::start(&address, limits.clone(), &metrics, &tasks, &background);
        let image = image.map_err(|why| Error::Endpoint {
            endpoint,
            why: why.to_string(),
        })?;
        let announcements = Announcements::default();
        let gate = Gate::default();
        let sessions = Sessions::new(Surroundings {
            image: image.clone(),
            announcements: announcements.clone(),
            gate: gate.clone(),
            metrics: Arc::clone(&metrics),
            store: store.clone(),
            config: in_force.clone(),
            request_bytes: request_bytes.clone(),
            tasks: tasks.clone(),
            stop: settling.clone(),
        });
        sessions.recover(recovered);
        let services = Services {
            image,
            sessions,
            store,
            announcements,
            clients: Clients::default(),
            gate,
            config: in_force.clone(),
            request_bytes,
            metrics,
            closing: CancellationToken::new(),
            settling,
            stop: CancellationToken::new(),
            tasks,
            loose: Semaphore::new(MOST_LOOSE),
            started_at: time::now(),
            socket: listener.path().display().to_string(),
            admin: admin.as_ref().map(|admin| admin.address.to_string()),
            frontend: frontend.as_ref().map(|front| front.endpoint().to_owned()),
        };
        Ok(Self {
            services: Arc::new(services),
            listener,
            kept: held.clients,
            admin,
            frontend,
            embedded,
            places: Places::new(config.clients.max, room, limits),
            events_endpoint,
            approach,
            background,
        })
    }

    /// Serves until `ending` is cancelled, then ends in order.
    pub async fn run(self, ending: CancellationToken) {
        let clients = TaskTracker::new();
        let (services, listener) = (self.services, self.listener);
        start_tasks(
            &services,
            self.admin,
            (self.events_endpoint, self.approach),
            &self.background,
        );
        if let Some(frontend) = self.frontend {
            tracing::info!(endpoint = frontend.endpoint(), "serving ZeroMQ clients");
            clients.spawn(frontend.run(Arc::clone(&services)));
        }
        tracing::info!(socket = services.socket, "serving");
        supervisor::ready(&format!("serving clients at {}", services.socket));
        let welcome = listener.welcome(&services, &self.places, &clients);
        welcome.back(self.kept);
        listener.run(&welcome, &ending).await;
        end(&services, &clients, &self.background).await;
        if let Some(embedded) = self.embedded {
            phase("stopping the embedded image");
            embedded.stop();
        }
        phase("closing the store");
        services.store.close();
        phase("removing the socket");
        drop(listener);
    }
}

/// What runs beside the clients.
fn start_tasks(
    services: &Arc<Services>,
    admin: Option<Admin>,
    (events_endpoint, approach): (Option<String>, Approach),
    stop: &CancellationToken,
) {
    let tasks = &services.tasks;
    let image = services.image.clone();
    let sessions = services.sessions.clone();
    tasks.spawn(sessions.clone().keep(stop.clone()));
    tasks.spawn(sessions.clone().tend(stop.clone()));
    tasks.spawn(events::run(
        image.clone(),
        events_endpoint,
        approach,
        Arc::new(sessions),
        Arc::clone(&services.metrics),
        stop.clone(),
    ));
    tasks.spawn(supervisor::feed_watchdog(stop.clone()));
    let announcements = services.announcements.clone();
    tasks.spawn(announcements::image_states(
        image,
        announcements,
        stop.clone(),
    ));
    tasks.spawn(announcements::store_states(
        services.store.clone(),
        services.announcements.clone(),
        stop.clone(),
    ));
    if let Some(admin) = admin {
        tracing::info!(address = %admin.address, "serving /metrics, /healthz and /readyz");
        tasks.spawn(admin.run(Arc::clone(services), stop.clone()));
    }
}

/// The phases of the end. Each has a limit, so that it comes.
async fn end(services: &Services, clients: &TaskTracker, background: &CancellationToken) {
    let patience = services.config.now().config.shutdown.timeout;
    supervisor::stopping();
    phase("telling the clients");
    services.closing.cancel();
    clients.close();
    phase("waiting for requests under way");
    let settled = timeout(patience, clients.wait()).await.is_ok();
    if !settled {
        phase("giving up evaluations under way");
    }
    services.settling.cancel();
    if timeout(FAREWELL, clients.wait()).await.is_err() {
        phase("disconnecting the clients");
        services.stop.cancel();
        // They end by themselves now; whoever does not goes with the process.
        let _ = timeout(FAREWELL, clients.wait()).await;
    }
    match services.clients.kept() {
        0 => {}
        some => phase(&format!("keeping connections for the next daemon: {some}")),
    }
    phase("closing the link to the image");
    background.cancel();
    services.tasks.close();
    if timeout(FAREWELL, services.tasks.wait()).await.is_err() {
        tracing::warn!(
            tasks = services.tasks.len(),
            "some tasks did not end in time"
        );
    }
}

fn phase(name: &str) {
    tracing::info!("shutting down: {name}");
}

fn warn_of_insecure_links(layered: &Layered) {
    for endpoint in &layered.links.insecure {
        tracing::warn!(
            endpoint,
            "this link leaves the machine without CURVE keys, as allow_insecure says: whoever is on the way can read along and evaluate anything"
        );
    }
}

/// The default address may be taken by the daemon of another user: that is no reason not to serve.
async fn bind_admin(layered: &Layered) -> Result<Option<Admin>, Error> {
    let Some(address) = layered.config.admin.address else {
        return Ok(None);
    };
    match Admin::bind(address).await {
        Ok(admin) => Ok(Some(admin)),
        Err(error) if layered.is_default("admin.address") => {
            tracing::warn!(%address, %error, "the metrics are not served; set admin.address");
            Ok(None)
        }
        Err(error) => Err(Error::io(format!("binding admin.address {address}"))(error)),
    }
}

/// The store in the state directory; in memory when there is none.
fn open_store(config: &Config, metrics: &Arc<Metrics>) -> Result<(Store, Vec<Recovered>), Error> {
    let retention = Retention {
        log_bytes: config.sessions.log_bytes,
        log_days: config.sessions.log_days,
    };
    if config.state.dir.as_os_str().is_empty() {
        tracing::warn!("there is no state directory: sessions and logs end with the daemon");
        return Ok((Store::in_memory(retention, Arc::clone(metrics)), Vec::new()));
    }
    Store::open(&config.state.dir, retention, Arc::clone(metrics))
}

fn start_embedded(config: &Config, socket: &Path) -> Result<Option<EmbeddedImage>, Error> {
    match config.image.kind {
        ImageKind::Embedded => embedded::start(config, socket).map(Some),
        ImageKind::Zeromq => Ok(None),
    }
}

/// The embedded image is beside the daemon's own socket, where nobody else is.
fn approach(layered: &Layered) -> Approach {
    let image = &layered.config.image;
    let is_own = image.kind == ImageKind::Embedded;
    Approach {
        heartbeat: image.heartbeat_timeout,
        protocol: match is_own {
            true => Protocol::ZeroMq,
            false => image.protocol,
        },
        guard: layered.links.image.clone().filter(|_| !is_own),
        allow_insecure: image.allow_insecure,
    }
}

/// Where the image answers, and where it publishes when that is known.
fn endpoints(config: &Config, embedded: Option<&EmbeddedImage>) -> (String, Option<String>) {
    match embedded {
        Some(embedded) => (
            embedded.endpoint().to_owned(),
            embedded.events_endpoint().map(str::to_owned),
        ),
        None => {
            let events = config.image.events_endpoint.clone();
            (
                config.image.endpoint.clone(),
                (!events.is_empty()).then_some(events),
            )
        }
    }
}

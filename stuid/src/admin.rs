//! The daemon's numbers and health over HTTP: `/metrics`, `/healthz`, `/readyz`. Read only.
//!
//! Anybody on the machine can connect, so a connection is for one small question and short: so many
//! at a time, so many bytes of head, so much time. Whoever is beyond that is told or cut off, and
//! harms nobody but those who ask here, for seconds.

mod health;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::commands::Services;
use health::{Health, JSON};

/// The format that Prometheus reads.
const PROMETHEUS_TEXT: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const PLAIN_TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Connections at a time: a few scrapers and people. Each is one of the files that clients leave.
const MOST_CONNECTIONS: usize = 16;
/// Bytes of a question's first line and headers: that of Prometheus has some hundreds. It is the
/// least that hyper can be told.
const MOST_HEAD_BYTES: usize = 8 * 1024;
/// For all of the head to come.
const HEAD: Duration = Duration::from_secs(5);
/// For a connection altogether: the head, the page, and that it is read.
const EXCHANGE: Duration = Duration::from_secs(10);
/// After a connection could not be accepted, the next one is after this.
const BREATH: Duration = Duration::from_millis(100);

/// Told to a connection beyond [`MOST_CONNECTIONS`].
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\n\
    content-length: 40\r\nretry-after: 1\r\nconnection: close\r\n\r\n\
    too many connections here: try it again\n";

type Page = Response<String>;

/// A socket for HTTP that is not served yet.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    /// Where it is, with the port that was chosen.
    pub address: SocketAddr,
}

impl Admin {
    /// Takes the address.
    ///
    /// # Errors
    /// When it is taken, or is not of this machine.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Serves until told to stop. Questions under way are cut off then.
    pub async fn run(self, services: Arc<Services>, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let connections = TaskTracker::new();
        let accepting = async {
            loop {
                let stream = match self.listener.accept().await {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "accepting a connection for the metrics");
                        sleep_until(Instant::now() + BREATH).await;
                        continue;
                    }
                };
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    refuse(&stream);
                    continue;
                };
                let services = Arc::clone(&services);
                let stop = stop.clone();
                connections.spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = serve(stream, services) => {}
                    }
                    drop(place);
                });
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = accepting => {}
        }
        connections.close();
        connections.wait().await;
    }
}

/// Tells a connection that there is no place for it.
fn refuse(stream: &TcpStream) {
    // Not through the runtime: it does not know yet that the socket can be written.
    let sent = rustix::net::send(stream, FULL, rustix::net::SendFlags::DONTWAIT);
    tracing::debug!(?sent, "refusing a connection for the metrics");
}

/// Answers one question.
async fn serve(stream: TcpStream, services: Arc<Services>) {
    let page = service_fn(move |asked: Request<Incoming>| {
        let page = answer(&asked, &services);
        async move { Ok::<_, Infallible>(page) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MOST_HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), page);
    match timeout(EXCHANGE, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection for the metrics"),
        Err(_) => tracing::debug!("a connection for the metrics takes too long"),
    }
}

fn answer(asked: &Request<Incoming>, services: &Services) -> Page {
    if ![Method::GET, Method::HEAD].contains(asked.method()) {
        let mut page = plain(StatusCode::METHOD_NOT_ALLOWED, "this is read only\n");
        let allowed = HeaderValue::from_static("GET, HEAD");
        page.headers_mut().insert(ALLOW, allowed);
        return page;
    }
    match asked.uri().path() {
        "/metrics" => metrics(services),
        "/healthz" => health(&Health::of_daemon(services)),
        "/readyz" => health(&Health::of_all(services)),
        _ => plain(
            StatusCode::NOT_FOUND,
            "here are /metrics, /healthz and /readyz\n",
        ),
    }
}

fn metrics(services: &Services) -> Page {
    services.count();
    match services.metrics.text() {
        Ok(text) => page(StatusCode::OK, PROMETHEUS_TEXT, text),
        Err(error) => {
            tracing::error!(%error, "writing the metrics");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "a defect: see the log\n")
        }
    }
}

fn health(health: &Health) -> Page {
    let status = match health.is_well {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    page(status, HeaderValue::from_static(JSON), health.text())
}

fn plain(status: StatusCode, text: impl Into<String>) -> Page {
    page(status, PLAIN_TEXT, text.into())
}

fn page(status: StatusCode, content_type: HeaderValue, text: String) -> Page {
    let mut page = Response::new(text);
    *page.status_mut() = status;
    page.headers_mut().insert(CONTENT_TYPE, content_type);
    page
}

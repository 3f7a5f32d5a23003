//! The daemon's numbers and health over HTTP: `/metrics`, `/healthz`, `/readyz`. Read only.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use stui_protocol::daemon::ImageState;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::commands::Services;

/// The format that Prometheus reads.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

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

    /// Serves until told to stop.
    pub async fn run(self, services: Arc<Services>, stop: CancellationToken) {
        let pages = Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .with_state(services);
        tokio::select! {
            () = stop.cancelled() => {}
            served = async { axum::serve(self.listener, pages).await } => {
                if let Err(error) = served {
                    tracing::error!(%error, "serving the metrics");
                }
            }
        }
    }
}

async fn metrics(State(services): State<Arc<Services>>) -> impl IntoResponse {
    services.count();
    match services.metrics.text() {
        Ok(text) => (StatusCode::OK, [(CONTENT_TYPE, PROMETHEUS_TEXT)], text),
        Err(error) => {
            tracing::error!(%error, "writing the metrics");
            let nothing = Vec::new();
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                [(CONTENT_TYPE, PROMETHEUS_TEXT)],
                nothing,
            )
        }
    }
}

/// The daemon lives. An image that does not is no reason to restart the daemon.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether requests can be served now.
async fn readyz(State(services): State<Arc<Services>>) -> (StatusCode, String) {
    let status = services.image.status();
    let ready = matches!(status.state, ImageState::Ready | ImageState::Busy);
    if ready && !services.closing.is_cancelled() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let why = status.reason.unwrap_or_default();
    let state = format!("{:?}", status.state).to_lowercase();
    (
        StatusCode::SERVICE_UNAVAILABLE,
        format!("the image is {state} {why}\n"),
    )
}

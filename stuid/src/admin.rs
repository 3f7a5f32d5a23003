//! The daemon's numbers and health over HTTP: `/metrics`, `/healthz`, `/readyz`. Read only.

mod health;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::commands::Services;
use health::{Health, JSON};

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
            let nothing = String::new();
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                [(CONTENT_TYPE, PROMETHEUS_TEXT)],
                nothing,
            )
        }
    }
}

async fn healthz(State(services): State<Arc<Services>>) -> impl IntoResponse {
    page(&Health::of_daemon(&services))
}

async fn readyz(State(services): State<Arc<Services>>) -> impl IntoResponse {
    page(&Health::of_all(&services))
}

fn page(health: &Health) -> impl IntoResponse + use<> {
    let status = match health.is_well {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, [(CONTENT_TYPE, JSON)], health.text())
}

//! Numbers of the store.

use prometheus::{IntCounter, IntGauge};

use super::making::{Making, Registered};

/// Whether what is new is on disk.
#[derive(Debug)]
pub struct Store {
    /// Times that the store could not be written or read.
    pub errors: IntCounter,
    /// 1 while the store cannot be written.
    pub degraded: IntGauge,
}

impl Store {
    pub(super) fn new(make: &Making<'_>) -> Registered<Self> {
        Ok(Self {
            errors: make.counter(
                "stui_store_errors_total",
                "Times that the store could not be written or read.",
            )?,
            degraded: make.gauge(
                "stui_store_degraded",
                "1 while the store cannot be written.",
            )?,
        })
    }
}

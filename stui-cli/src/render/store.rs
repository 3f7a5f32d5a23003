//! The daemon's store in words.

use stui_protocol::daemon::{StoreState, StoreStatus};

/// How it is, and what that means.
pub(crate) fn state(status: &StoreStatus) -> String {
    let why = status.reason.as_deref().unwrap_or("nobody knows why");
    match status.state {
        StoreState::Ok => "all is on disk".to_owned(),
        StoreState::Degraded => {
            format!("CANNOT BE WRITTEN ({why}), what is new is in memory until it can")
        }
        StoreState::Memory => "in memory, it ends with the daemon".to_owned(),
    }
}

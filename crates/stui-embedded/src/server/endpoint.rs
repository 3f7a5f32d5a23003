//! Where the image may be reached: this machine only, unless keys say who comes in.

use std::net::IpAddr;
use std::{fs, io};

use thiserror::Error;
use tracing::warn;
use zmq::Socket;

use super::Guard;

/// An endpoint that is not bound.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// Neither `tcp://` nor `ipc://`.
    #[error("{0} is no endpoint: write tcp://127.0.0.1:PORT or ipc://PATH")]
    Form(String),
    /// Another machine could reach it.
    #[error(
        "{0} can be reached from outside, and whoever reaches an image can do everything in it: bind to 127.0.0.1, [::1] or ipc://, or give it CURVE keys"
    )]
    NotLocal(String),
    /// The system refuses.
    #[error("binding {endpoint}: {reason}")]
    Bind {
        /// Which.
        endpoint: String,
        /// In the system's words.
        reason: String,
    },
}

/// Binds a socket and answers where: the port that the system chose stands in it.
pub(super) fn bind(
    socket: &Socket,
    endpoint: &str,
    guard: Option<&Guard>,
) -> Result<String, EndpointError> {
    match check(endpoint) {
        Err(EndpointError::NotLocal(_)) if guard.is_some() => {}
        checked => checked?,
    }
    let refused = |reason: String| EndpointError::Bind {
        endpoint: endpoint.to_owned(),
        reason,
    };
    // libzmq would take the path away from whoever listens there.
    #[cfg(unix)]
    if let Some(path) = ipc_path(endpoint)
        && std::os::unix::net::UnixStream::connect(path).is_ok()
    {
        return Err(refused("somebody else listens there".to_owned()));
    }
    if endpoint.starts_with("tcp://[") {
        socket
            .set_ipv6(true)
            .map_err(|error| refused(error.to_string()))?;
    }
    if let Some(guard) = guard {
        guard
            .protect(socket)
            .map_err(|error| refused(error.to_string()))?;
    }
    socket
        .bind(endpoint)
        .map_err(|error| refused(error.to_string()))?;
    match socket.get_last_endpoint() {
        Ok(Ok(actual)) => Ok(actual),
        Ok(Err(_)) => Err(refused("its actual name is no text".to_owned())),
        Err(error) => Err(refused(error.to_string())),
    }
}

/// Removes what an endpoint that was bound leaves in the file system: libzmq leaves its file.
pub(super) fn remove(endpoint: &str) {
    let Some(path) = ipc_path(endpoint) else {
        return;
    };
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            warn!(path, %error, "removing the file of an endpoint");
        }
        _ => {}
    }
}

/// The file of an ipc endpoint; a name that begins with @ is none.
fn ipc_path(endpoint: &str) -> Option<&str> {
    endpoint
        .strip_prefix("ipc://")
        .filter(|path| !path.starts_with('@'))
}

fn check(endpoint: &str) -> Result<(), EndpointError> {
    let form = || EndpointError::Form(endpoint.to_owned());
    if let Some(path) = endpoint.strip_prefix("ipc://") {
        return if path.is_empty() { Err(form()) } else { Ok(()) };
    }
    let address = endpoint.strip_prefix("tcp://").ok_or_else(form)?;
    let (host, port) = address.rsplit_once(':').ok_or_else(form)?;
    if port != "*" && port.parse::<u16>().is_err() {
        return Err(form());
    }
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let local = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if local {
        Ok(())
    } else {
        Err(EndpointError::NotLocal(endpoint.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_bound() {
        for local in [
            "tcp://127.0.0.1:0",
            "tcp://127.0.0.1:*",
            "tcp://127.1.2.3:5555",
            "tcp://localhost:5555",
            "tcp://[::1]:5555",
            "ipc:///tmp/x",
        ] {
            assert_eq!(check(local), Ok(()), "{local}");
        }
        for open in [
            "tcp://0.0.0.0:1",
            "tcp://*:1",
            "tcp://eth0:1",
            "tcp://[::]:1",
        ] {
            assert!(
                matches!(check(open), Err(EndpointError::NotLocal(_))),
                "{open}"
            );
        }
        for wrong in [
            "",
            "x",
            "tcp://",
            "tcp://127.0.0.1",
            "tcp://127.0.0.1:x",
            "ipc://",
            "inproc://x",
        ] {
            assert!(
                matches!(check(wrong), Err(EndpointError::Form(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn any_port_is_answered_as_the_one_taken_and_nobody_is_pushed_aside() {
        let context = zmq::Context::new();
        let first = context.socket(zmq::PUB).unwrap();
        let taken = bind(&first, "tcp://127.0.0.1:0", None).unwrap();
        assert!(!taken.ends_with(":0"), "{taken}");
        let second = context.socket(zmq::PUB).unwrap();
        let refused = bind(&second, &taken, None).unwrap_err();
        assert!(matches!(refused, EndpointError::Bind { .. }), "{refused}");
        let folder = tempfile::tempdir().unwrap();
        let path = format!("ipc://{}", folder.path().join("x").display());
        let third = context.socket(zmq::PUB).unwrap();
        bind(&third, &path, None).unwrap();
        let refused = bind(&second, &path, None).unwrap_err();
        assert!(refused.to_string().contains("somebody else"), "{refused}");
    }
}

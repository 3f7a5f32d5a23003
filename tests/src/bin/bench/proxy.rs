//! `zmq_proxy` between REQ clients and an image: what the simplest thing in between costs.

use std::thread::{self, JoinHandle};

use tempfile::TempDir;

/// A running proxy; it ends when dropped.
pub(crate) struct Proxy {
    endpoint: String,
    context: zmq::Context,
    thread: Option<JoinHandle<()>>,
    _dir: TempDir,
}

impl Proxy {
    pub(crate) fn start(image: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory for the proxy");
        let endpoint = format!("ipc://{}", dir.path().join("proxy.ipc").display());
        let context = zmq::Context::new();
        let clients = context.socket(zmq::ROUTER).expect("a ROUTER socket");
        clients.set_linger(0).expect("no linger");
        clients.bind(&endpoint).expect("binding the proxy");
        let server = context.socket(zmq::DEALER).expect("a DEALER socket");
        server.set_linger(0).expect("no linger");
        server.connect(image).expect("an image");
        let thread = thread::spawn(move || {
            // Until its context ends.
            let ended = zmq::proxy(&clients, &server);
            assert_eq!(ended, Err(zmq::Error::ETERM));
        });
        Self {
            endpoint,
            context,
            thread: Some(thread),
            _dir: dir,
        }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.context.destroy().expect("ending the proxy's context");
        if let Some(thread) = self.thread.take() {
            thread.join().expect("a proxy that ended well");
        }
    }
}

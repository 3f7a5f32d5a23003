//! A daemon that follows a script: what to say to each request, written as plain JSON so that the
//! protocol's types are checked by it, too.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::PATIENCE;

/// Something the daemon says.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    /// A message.
    Json(Value),
    /// Bytes as they are.
    Raw(Vec<u8>),
    /// Nothing more: it hangs up.
    HangUp,
}

type Script = dyn Fn(&Value) -> Vec<Line> + Send + Sync;

/// A daemon on a socket in a directory of its own.
pub(crate) struct Daemon {
    home: TempDir,
    socket: PathBuf,
    clients: Arc<Mutex<Vec<UnixStream>>>,
    requests: Receiver<Value>,
}

impl Daemon {
    /// A daemon that says hello and does what `script` says; `None` leaves a request to
    /// [`usual`].
    pub(crate) fn start(
        script: impl Fn(&Value) -> Option<Vec<Line>> + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(vec![Line::Json(hello())], move |request| {
            script(request).unwrap_or_else(|| usual(request))
        })
    }

    /// A daemon with another greeting.
    pub(crate) fn start_with(
        greeting: Vec<Line>,
        script: impl Fn(&Value) -> Vec<Line> + Send + Sync + 'static,
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        let socket = home.path().join("stuid.sock");
        Self::listen(home, socket, greeting, script)
    }

    /// An ordinary daemon at that socket.
    pub(crate) fn start_at(socket: &Path) -> Self {
        let home = tempfile::tempdir().unwrap();
        Self::listen(home, socket.to_owned(), vec![Line::Json(hello())], usual)
    }

    fn listen(
        home: TempDir,
        socket: PathBuf,
        greeting: Vec<Line>,
        script: impl Fn(&Value) -> Vec<Line> + Send + Sync + 'static,
    ) -> Self {
        let listener = UnixListener::bind(&socket).unwrap();
        let clients = Arc::default();
        let (seen, requests) = sync_channel(1000);
        let script: Arc<Script> = Arc::new(script);
        let connected = Arc::clone(&clients);
        thread::spawn(move || accept(&listener, &greeting, &script, &connected, &seen));
        Self {
            home,
            socket,
            clients,
            requests,
        }
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// A directory for the user's files.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The next request of that command; others are skipped.
    pub(crate) fn asked(&self, command: &str) -> Value {
        loop {
            let request = self
                .requests
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("nobody asked for {command}"));
            if request["command"] == command {
                return request;
            }
        }
    }

    /// Says something to everybody who is connected, out of turn.
    pub(crate) fn say(&self, lines: &[Line]) {
        for client in self.clients.lock().unwrap().iter() {
            let _ = say(client, lines);
        }
    }
}

fn accept(
    listener: &UnixListener,
    greeting: &[Line],
    script: &Arc<Script>,
    clients: &Arc<Mutex<Vec<UnixStream>>>,
    seen: &SyncSender<Value>,
) {
    while let Ok((stream, _)) = listener.accept() {
        if !say(&stream, greeting) {
            continue;
        }
        clients.lock().unwrap().push(stream.try_clone().unwrap());
        let (script, seen) = (Arc::clone(script), seen.clone());
        let everybody = Arc::clone(clients);
        thread::spawn(move || serve(&stream, &*script, &seen, &everybody));
    }
}

fn serve(
    stream: &UnixStream,
    script: &Script,
    seen: &SyncSender<Value>,
    everybody: &Mutex<Vec<UnixStream>>,
) {
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        let request: Value = serde_json::from_str(&line).unwrap();
        // Nobody may be looking any more.
        let _ = seen.send(request.clone());
        for line in script(&request) {
            let is_event = matches!(&line, Line::Json(value) if value.get("event").is_some());
            if is_event {
                for client in everybody.lock().unwrap().iter() {
                    say(client, std::slice::from_ref(&line));
                }
            } else if !say(stream, &[line]) {
                return;
            }
        }
    }
}

/// Answers whether the connection still stands.
fn say(mut stream: &UnixStream, lines: &[Line]) -> bool {
    lines.iter().all(|line| match line {
        Line::Json(value) => stream.write_all(format!("{value}\n").as_bytes()).is_ok(),
        Line::Raw(bytes) => stream.write_all(bytes).is_ok(),
        Line::HangUp => {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            false
        }
    })
}

/// The daemon's first line.
pub(crate) fn hello() -> Value {
    json!({"event": "hello", "data": {
        "protocol": ["1.0", "1.1"], "daemon_version": "0.1.0", "instance": "i-1",
        "image": {
            "state": "ready", "since": "2026-11-20T10:00:00Z", "endpoint": "inproc://embedded",
            "description": {"kind": "embedded", "version": "0.1.0", "name": "embedded"},
        },
    }})
}

/// A success.
pub(crate) fn reply(request: &Value, result: &Value) -> Line {
    Line::Json(json!({
        "id": request["id"], "status": "success", "result": result, "instance": "i-1",
    }))
}

/// A failure.
pub(crate) fn error(request: &Value, error_type: &str, sentence: &str, details: &Value) -> Line {
    Line::Json(json!({
        "id": request["id"], "status": "error", "error": sentence, "error_type": error_type,
        "details": details, "instance": "i-1",
    }))
}

/// An event of the evaluation that the stories run.
pub(crate) fn event(name: &str, data: &Value) -> Line {
    Line::Json(json!({
        "event": name, "session_id": "s-1", "evaluation_id": "e-1", "data": data,
    }))
}

/// What `submit` answers, and the evaluation's beginning.
fn submitted(request: &Value) -> Vec<Line> {
    vec![
        reply(
            request,
            &json!({"evaluation_id": "e-1", "queue_position": 0}),
        ),
        event(
            "evaluation_started",
            &json!({"code": request["parameters"]["code"]}),
        ),
    ]
}

/// An evaluation that ends well, perhaps with output before its result.
pub(crate) fn evaluated(request: &Value, output: &[&str], result: &str) -> Vec<Line> {
    let mut lines = submitted(request);
    lines.extend(
        output
            .iter()
            .map(|text| event("output", &json!({"text": text}))),
    );
    lines.push(finished(result));
    lines
}

/// The good end of the evaluation.
pub(crate) fn finished(result: &str) -> Line {
    event(
        "evaluation_finished",
        &json!({"status": "success", "result": {
            "state": "finished", "evaluation_id": "e-1", "result": result,
            "result_type": "Object", "execution_time": 1.5,
        }}),
    )
}

/// A session as the daemon describes it.
pub(crate) fn session(name: &str) -> Value {
    json!({
        "name": name, "session_id": "s-1", "owner": 1000, "state": "idle",
        "created_at": "2026-11-20T10:00:00Z", "last_active": "2026-11-20T10:00:00Z",
        "attached": [], "running": null, "queued": 0, "position": 0,
    })
}

/// What any daemon would answer. Code that begins with `wait` does not end, `fail` fails; all
/// other code is its own result.
fn usual(request: &Value) -> Vec<Line> {
    let given = &request["parameters"];
    let name = given["session"].as_str().unwrap_or("main");
    match request["command"].as_str().unwrap() {
        "attach" if name == "nowhere" => vec![error(
            request,
            "SessionNotFound",
            "there is no session nowhere",
            &json!({}),
        )],
        "attach" => vec![reply(
            request,
            &json!({"session": session(name), "position": 0, "created": false}),
        )],
        "submit" => match given["code"].as_str().unwrap() {
            code if code.starts_with("wait") => submitted(request),
            code => evaluated(request, &[], code),
        },
        "interrupt" => vec![
            event(
                "evaluation_finished",
                &json!({"status": "error", "error_type": "Interrupted", "error": "interrupted"}),
            ),
            reply(request, &json!({"tier": "signal", "evaluation_id": "e-1"})),
        ],
        "detach" => vec![reply(request, &json!({"session": "main"}))],
        "complete" => vec![reply(request, &json!({"candidates": [], "start": 0}))],
        other => vec![error(
            request,
            "UnknownCommand",
            &format!("there is no command {other}"),
            &json!({}),
        )],
    }
}

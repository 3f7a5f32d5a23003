//! The daemon is restarted by a service manager that holds connections for it: whoever understands
//! that stays connected.

use std::fs;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::{Command, Stdio};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::Signal;
use serde_json::json;
use stui_protocol::codec::client::Message;
use stui_protocol::daemon::{Attach, Detach, Subscribe};
use stui_protocol::{EventName, Reply};
use stui_tests::process::Process;
use stui_tests::terminal::key;
use stui_tests::{Asking, Cli, Client, Container, Image, Terminal, binaries, patience, skipped};
use tempfile::TempDir;

/// Puts a socket and at most one connection where a service manager puts them, and becomes the
/// daemon.
const BECOMES: &str = "exec 3<&0 4<&1 </dev/null >/dev/null; export LISTEN_PID=$$; exec \"$@\"";

/// Somebody who starts `stuid` as systemd does, and holds what it is given.
struct Manager {
    image: Image,
    listener: UnixListener,
    notifications: UnixDatagram,
    daemon: Option<Process>,
    dir: TempDir,
}

impl Manager {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let place = |name| dir.path().join(name);
        let notifications = UnixDatagram::bind(place("notify")).expect("a place for notifications");
        notifications
            .set_read_timeout(Some(patience::PATIENCE))
            .expect("a limit");
        let listener = UnixListener::bind(place("stuid.sock")).expect("a socket");
        let mut manager = Self {
            image: Image::embedded(),
            listener,
            notifications,
            daemon: None,
            dir,
        };
        manager.start(None);
        manager
    }

    fn start(&mut self, kept: Option<OwnedFd>) {
        let files = if kept.is_some() { "2" } else { "1" };
        let mut command = Command::new("sh");
        command
            .args(["-c", BECOMES, "sh"])
            .arg(binaries::stuid())
            .args(["--image", self.image.endpoint(), "--admin", "127.0.0.1:0"])
            .arg("--state-dir")
            .arg(self.dir.path().join("state"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LISTEN_FDS", files)
            .env("LISTEN_FDNAMES", "stuid.socket:client")
            .env("NOTIFY_SOCKET", self.dir.path().join("notify"));
        let socket: OwnedFd = self.listener.try_clone().expect("the socket").into();
        let files = (socket.into(), kept.map_or_else(Stdio::null, Into::into));
        let dir = self.dir.path();
        self.daemon = Some(Process::start_with_files("stuid", &mut command, dir, files));
        self.hears("READY=1");
    }

    /// Tells the daemon to end; answers what it gives away before it is gone.
    fn stops_it(&mut self) -> Vec<OwnedFd> {
        let mut daemon = self.daemon.take().expect("a daemon");
        daemon.signal(Signal::TERM);
        self.hears("STOPPING=1");
        assert!(daemon.end().success(), "{}", daemon.log());
        // All that it has said waits here.
        let mut kept = Vec::new();
        self.notifications
            .set_nonblocking(true)
            .expect("no waiting");
        while let Some((text, files)) = self.hear() {
            if !files.is_empty() {
                assert_eq!(text, "FDSTORE=1\nFDNAME=client\n");
                kept.extend(files);
            }
        }
        self.notifications.set_nonblocking(false).expect("waiting");
        kept
    }

    /// Waits for a notification that has these lines.
    fn hears(&self, lines: &str) {
        while let Some((text, _)) = self.hear() {
            if text.contains(lines) {
                return;
            }
        }
        let log = self.daemon.as_ref().map(Process::log);
        panic!("the daemon did not say {lines}: {log:?}");
    }

    fn hear(&self) -> Option<(String, Vec<OwnedFd>)> {
        let mut bytes = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = recvmsg(
            self.notifications.as_fd(),
            &mut [IoSliceMut::new(&mut bytes)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        )
        .ok()?;
        let text = String::from_utf8_lossy(&bytes[..received.bytes]).into_owned();
        let mut files = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                files.extend(rights);
            }
        }
        Some((text, files))
    }

    fn connect(&self) -> Client {
        let socket = self.dir.path().join("stuid.sock");
        Client::try_connect(&socket).expect("a hello")
    }
}

/// Is told the daemon's own events, and says that it understands a second hello.
fn stays(client: &Client) {
    client.ask::<Subscribe>(json!({"handover": true}));
}

/// Whether the connection is closed, after what is still to be said on it.
fn is_closed(client: &Client) -> bool {
    loop {
        match client.next_message() {
            None => return true,
            Some(Message::Event(event)) if event.event == EventName::Hello => return false,
            Some(_) => {}
        }
    }
}

fn value(reply: &Reply) -> &str {
    let result = reply.outcome.as_ref().expect("a value");
    result["result"].as_str().expect("a print string")
}

#[test]
fn whoever_understands_a_second_hello_stays_connected_and_loses_nothing() {
    let mut manager = Manager::new();
    let client = manager.connect();
    stays(&client);
    let joined = client.ask::<Attach>(json!({"session": "main", "create": true}));
    let main = |code: &str| json!({"session": "main", "code": code});
    assert_eq!(value(&client.reply("evaluate", main("x := 3"))), "3");
    let position = client
        .events()
        .into_iter()
        .filter_map(|event| event.position);
    let position = position.max().unwrap_or(joined.position);
    let earlier = manager.connect();
    earlier.ask::<Subscribe>(json!({}));

    let mut kept = manager.stops_it();
    assert!(is_closed(&earlier), "it would not understand it");
    assert_eq!(kept.len(), 1);
    // Nobody is there to read this.
    let asked = json!({"id": "while-nobody-is-there", "command": "evaluate", "version": "1.1",
        "parameters": main("x := x + 4")});
    client.send(&asked);
    manager.start(kept.pop());
    manager.hears("FDSTOREREMOVE=1\nFDNAME=client\n");

    assert!(!is_closed(&client), "the next daemon says hello");
    let reply = client.next_reply().expect("an answer");
    assert_eq!(reply.id.as_deref(), asked["id"].as_str());
    assert_eq!(value(&reply), "7");
    // What was attached is not any more; nothing of the log is missed.
    assert_eq!(client.ask::<Detach>(json!({})).session, None);
    client.ask::<Attach>(json!({"session": "main", "since": position}));
    let missed = client.wait_for("the end of what was asked meanwhile", |event| {
        event.event == EventName::EvaluationFinished && event.data["result"]["result"] == "7"
    });
    assert!(missed.position > Some(position));
    stays(&client);
    assert_eq!(manager.stops_it().len(), 1, "again and again");
}

#[test]
fn half_a_line_is_never_handed_over() {
    let mut manager = Manager::new();
    let client = manager.connect();
    stays(&client);
    // Read at once: who has the answer to the first knows that the second has come.
    let status = json!({"id": "whole", "command": "status"});
    client
        .send_bytes(format!("{status}\n{{\"id\": \"half\", ").as_bytes())
        .expect("sending");
    assert!(
        client
            .next_reply()
            .is_some_and(|reply| reply.outcome.is_ok())
    );

    assert!(manager.stops_it().is_empty());

    assert!(is_closed(&client));
}

#[test]
fn a_terminal_goes_on_with_its_line_its_session_and_what_it_evaluates() {
    let mut manager = Manager::new();
    let user = Cli::of(&manager.dir.path().join("stuid.sock"), manager.dir.path());
    let mut terminal = Terminal::open(&user, &[]);
    terminal.shows("main> ");
    terminal.enters("x := 3");
    terminal.shows("→ 3");
    terminal.types("x +");
    terminal.shows("main> x +");

    let mut kept = manager.stops_it();
    terminal.types(" 4");
    assert_eq!(kept.len(), 1, "{}", terminal.screen());
    manager.start(kept.pop());
    terminal.shows("the daemon was restarted; going on…");
    terminal.shows("reconnected");
    terminal.types(key::ENTER);
    terminal.shows("→ 7");

    // And while something runs.
    terminal.enters("Smalltalk at: #Go put: 1. [ (Smalltalk at: #Go) == 1 ] whileTrue: [ (Delay forMilliseconds: 20) wait ]. 6 * 7");
    patience::until("something that runs", || {
        let client = manager.connect();
        let go = client.session().value("Smalltalk at: #Go ifAbsent: [ 0 ]");
        (go == "1").then_some(())
    });
    let mut kept = manager.stops_it();
    assert_eq!(kept.len(), 1, "{}", terminal.screen());
    manager.start(kept.pop());
    patience::until("the second return", || {
        (terminal.screen().matches("reconnected").count() == 2).then_some(())
    });
    manager
        .connect()
        .session()
        .value("Smalltalk at: #Go put: 2");
    terminal.shows("→ 42");
    assert!(
        !terminal.screen().contains("went away"),
        "{}",
        terminal.screen()
    );
    let log = fs::read_to_string(manager.dir.path().join("stuid.log")).expect("a log");
    assert!(
        log.contains("keeping connections for the next daemon: 1"),
        "{log}"
    );
}

#[test]
fn systemd_holds_the_clients_of_a_daemon_that_is_restarted() {
    let container = match Container::boot() {
        Ok(container) => container,
        Err(needs) => return skipped("clients held by systemd over a restart", &needs),
    };
    container.run(&["systemd-sysusers"]);
    container.run(&["systemctl", "start", "stuid.socket"]);
    let socket = container.file("/run/stui/stuid.sock");
    let connect = || Client::try_connect(&socket).expect("a hello");
    let clients: Vec<_> = (0..10)
        .map(|number| {
            let client = connect();
            stays(&client);
            let session = format!("s{number}");
            client.ask::<Attach>(json!({"session": session, "create": true}));
            let code = format!("x := {number}");
            let done = client.reply("evaluate", json!({"session": session, "code": code}));
            assert_eq!(value(&done), number.to_string());
            (client, session)
        })
        .collect();
    let earlier = connect();
    let before = container.property("stuid.service", "MainPID");

    container.run(&["systemctl", "restart", "stuid.service"]);

    assert!(is_closed(&earlier));
    for (number, (client, session)) in clients.iter().enumerate() {
        assert!(!is_closed(client), "{session}: {}", container.journal());
        client.ask::<Attach>(json!({"session": session}));
        stays(client);
        let code = json!({"session": session, "code": "x + 100"});
        let sum = (number + 100).to_string();
        assert_eq!(value(&client.reply("evaluate", code)), sum);
    }
    assert_ne!(container.property("stuid.service", "MainPID"), before);
    assert_eq!(held(&container), "0", "systemd holds none that is in use");

    // Who may connect no more is not taken up.
    container.run(&["useradd", "--create-home", "alice"]);
    container.run(&["usermod", "--append", "--groups", "stui", "alice"]);
    let watch = "stui --no-start --reconnect 0 attach --watch";
    let mut alice = container
        .command(&["su", "-", "alice", "-c", watch])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("alice");
    patience::until("alice to look on", || {
        let shown = container.run(&["stui", "admin", "show", "clients"]);
        shown.contains("main").then_some(())
    });
    container.run(&["chmod", "0600", "/run/stui/stuid.sock"]);
    container.run(&["systemctl", "restart", "stuid.service"]);
    let ended = alice.wait().expect("her end");
    assert!(!ended.success());
    let journal = container.journal();
    assert!(journal.contains("may not connect now"), "{journal}");

    // A stop is a stop.
    let (client, _) = &clients[0];
    assert!(!is_closed(client));
    stays(client);
    container.run(&["systemctl", "stop", "stuid.service"]);
    assert!(is_closed(client), "{}", container.journal());
}

/// How many descriptors systemd holds for the daemon.
fn held(container: &Container) -> String {
    patience::until("systemd to let go of them", || {
        let held = container.property("stuid.service", "NFileDescriptorStore");
        (held == "0").then_some(held)
    })
}

//! The daemon under a service manager: the protocols that it speaks with one, and the real thing.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use stui_tests::process::Process;
use stui_tests::{Client, Container, binaries, patience, skipped};
use tempfile::TempDir;

/// Somebody who starts `stuid` as systemd does: with a socket and a place for notifications.
struct Manager {
    daemon: Process,
    notifications: UnixDatagram,
    dir: TempDir,
}

impl Manager {
    /// Listens for clients, and starts the daemon when the first one connects.
    fn start(environment: &[&str]) -> Option<Self> {
        let tool = "systemd-socket-activate";
        if Command::new(tool).arg("--version").output().is_err() {
            skipped("a service manager's socket", "systemd-socket-activate");
            return None;
        }
        let dir = tempfile::tempdir().expect("a directory");
        let notify = dir.path().join("notify");
        let notifications = UnixDatagram::bind(&notify).expect("a socket for notifications");
        notifications
            .set_read_timeout(Some(patience::PATIENCE))
            .expect("a limit");
        let mut command = Command::new(tool);
        command
            .arg("--listen")
            .arg(dir.path().join("stuid.sock"))
            .arg(format!("--setenv=NOTIFY_SOCKET={}", notify.display()))
            .args(environment.iter().map(|pair| format!("--setenv={pair}")))
            .arg(binaries::stuid())
            .args(["--embedded", "--admin", "127.0.0.1:0", "--state-dir"])
            .arg(dir.path().join("state"))
            .env_clear();
        let daemon = Process::start("stuid", &mut command, dir.path());
        patience::until("a socket", || {
            dir.path().join("stuid.sock").exists().then_some(())
        });
        Some(Self {
            daemon,
            notifications,
            dir,
        })
    }

    fn connect(&self) -> Client {
        let socket = self.dir.path().join("stuid.sock");
        patience::until("a hello", || Client::try_connect(&socket))
    }

    /// Waits for a notification that has this line.
    fn hears(&self, line: &str) {
        let mut buffer = [0; 4096];
        let deadline = Instant::now() + patience::PATIENCE;
        while Instant::now() < deadline {
            let Ok(count) = self.notifications.recv(&mut buffer) else {
                break;
            };
            let text = String::from_utf8_lossy(&buffer[..count]);
            if text.lines().any(|told| told == line) {
                return;
            }
        }
        panic!("the daemon did not say {line}:\n{}", self.daemon.log());
    }

    fn forget_what_was_said(&self) {
        self.notifications
            .set_nonblocking(true)
            .expect("no waiting");
        while self.notifications.recv(&mut [0; 4096]).is_ok() {}
        self.notifications.set_nonblocking(false).expect("waiting");
    }
}

#[test]
fn a_socket_of_the_service_manager_is_used_and_left_in_place() {
    let Some(mut manager) = Manager::start(&[]) else {
        return;
    };

    let client = manager.connect();
    manager.hears("READY=1");
    assert_eq!(client.session().value("3 + 4"), "7");
    manager.daemon.signal(Signal::TERM);
    manager.hears("STOPPING=1");

    assert!(manager.daemon.end().success(), "{}", manager.daemon.log());
    assert!(
        manager.dir.path().join("stuid.sock").exists(),
        "it belongs to the service manager"
    );
}

#[test]
fn the_watchdog_is_fed_while_the_daemon_works_and_starves_when_it_is_stuck() {
    let Some(mut manager) = Manager::start(&["WATCHDOG_USEC=300000"]) else {
        return;
    };
    let _client = manager.connect();
    manager.hears("WATCHDOG=1");
    manager.hears("WATCHDOG=1");

    manager.daemon.signal(Signal::STOP);
    manager.forget_what_was_said();
    let silence = Some(Duration::from_secs(1));
    let notifications = &manager.notifications;
    notifications.set_read_timeout(silence).expect("a limit");
    let heard = notifications.recv(&mut [0; 4096]);
    assert!(heard.is_err(), "a stopped daemon says nothing");

    notifications
        .set_read_timeout(Some(patience::PATIENCE))
        .expect("a limit");
    manager.daemon.signal(Signal::CONT);
    manager.hears("WATCHDOG=1");
}

#[test]
fn systemd_starts_restarts_and_stops_it() {
    let container = match Container::boot() {
        Ok(container) => container,
        Err(needs) => return skipped("the life of the service under systemd", &needs),
    };
    container.run(&["systemd-sysusers"]);
    container.run(&["systemctl", "start", "stuid.socket"]);
    assert_eq!(
        container.property("stuid.service", "ActiveState"),
        "inactive"
    );

    // The first client starts it.
    assert_eq!(evaluate(&container, "3 + 4"), "7\n");
    assert_eq!(container.property("stuid.service", "SubState"), "running");
    assert_eq!(container.property("stuid.service", "Type"), "notify");

    whoever_may_use_it_finds_it(&container);
    its_lines_have_fields_in_the_journal(&container);
    a_reload_takes_what_is_right_and_refuses_what_is_wrong(&container);
    nobody_is_refused_while_it_restarts(&container);
    a_stuck_daemon_is_replaced(&container);
    it_stops_in_time(&container);
}

fn evaluate(container: &Container, code: &str) -> String {
    container.run(&["stui", "--no-start", "eval", code])
}

/// Without a flag or a variable; who may not is told all places that were tried.
fn whoever_may_use_it_finds_it(container: &Container) {
    let has = |user: &str, words: &str| container.output(&["su", "-", user, "-c", words]);
    for user in ["alice", "bob"] {
        container.run(&["useradd", "--create-home", user]);
    }
    container.run(&["usermod", "--append", "--groups", "stui", "alice"]);
    let evaluated = has("alice", "stui --no-start eval '6 * 7'");
    let said = String::from_utf8_lossy(&evaluated.stderr);
    assert_eq!(String::from_utf8_lossy(&evaluated.stdout), "42\n", "{said}");

    for words in ["stui --no-start eval 1", "stui status", "stui doctor"] {
        let refused = has("bob", words);
        let said = [refused.stdout, refused.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(refused.status.code(), Some(3), "{said}");
        // His own is where his login says.
        let both = (said.contains("/run/user/") || said.contains("/tmp/stui-"))
            && said.contains("/run/stui/stuid.sock cannot be used: Permission denied");
        assert!(both, "{said}");
    }
}

fn its_lines_have_fields_in_the_journal(container: &Container) {
    container.run(&["stui", "--no-start", "admin", "pause"]);
    container.run(&["stui", "--no-start", "admin", "resume"]);

    let line = patience::until("a line in the journal", || {
        let words = [
            "journalctl",
            "-u",
            "stuid",
            "-o",
            "json",
            "STUI_COMMAND=Pause",
        ];
        let said = container.run(&words);
        serde_json::from_str::<Value>(said.lines().next()?).ok()
    });

    let message = line["MESSAGE"].as_str().unwrap_or_default();
    let told = "an operator's command uid=0 pid=";
    assert!(message.starts_with(told), "{line}");
    assert!(message.contains("command=Pause"), "{line}");
    assert_eq!(line["STUI_UID"], "0", "{line}");
    assert_eq!(line["PRIORITY"], "6", "{line}");
    assert_eq!(line["SYSLOG_IDENTIFIER"], "stuid", "{line}");
}

fn a_reload_takes_what_is_right_and_refuses_what_is_wrong(container: &Container) {
    let writes = |text: &str| {
        container.run(&["sh", "-c", "printf \"$0\" > /etc/stui/stuid.toml", text]);
    };
    let reloads = || container.output(&["systemctl", "reload", "stuid"]);
    let process = container.property("stuid.service", "MainPID");

    writes("[sessions]\nautosave_s = 7\n");
    let reloaded = reloads();
    assert!(reloaded.status.success(), "{}", container.journal());
    let config = container.run(&["stui", "--no-start", "admin", "show", "config"]);
    let shown = config.lines().find(|line| line.contains("autosave_s"));
    assert!(shown.is_some_and(|line| line.contains(" 7 ")), "{config}");

    writes("[sessions]\nautosafe_s = 9\n");
    assert!(!reloads().status.success(), "{}", container.journal());
    let journal = container.journal();
    assert!(journal.contains("autosave_s"), "the nearest key: {journal}");
    assert_eq!(container.property("stuid.service", "MainPID"), process);
    assert_eq!(evaluate(container, "3 + 4"), "7\n");
    container.run(&["rm", "/etc/stui/stuid.toml"]);
}

/// Ten clients that connect and ask again and again. One whom the old daemon leaves without an
/// answer asks the next daemon by itself, and no connection is refused.
fn nobody_is_refused_while_it_restarts(container: &Container) {
    let ask = "stui --no-start status >/dev/null";
    let script = format!("for i in $(seq 20); do {ask} || exit 1; done");
    let clients: Vec<_> = (0..10)
        .map(|_| {
            let mut command = container.command(&["sh", "-c", &script]);
            command.stdout(Stdio::null()).stderr(Stdio::piped());
            command.spawn().expect("a client")
        })
        .collect();
    let before = container.property("stuid.service", "MainPID");

    container.run(&["systemctl", "restart", "stuid.service"]);

    for client in clients {
        let output = client.wait_with_output().expect("its end");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{}", container.journal());
    }
    assert_ne!(container.property("stuid.service", "MainPID"), before);
}

fn a_stuck_daemon_is_replaced(container: &Container) {
    let short = "[Service]\nWatchdogSec=2\nTimeoutAbortSec=1\n";
    container.change_unit("stuid.service", short);
    container.run(&["systemctl", "restart", "stuid.service"]);
    let stuck = container.property("stuid.service", "MainPID");

    container.run(&["kill", "-STOP", &stuck]);

    patience::until("systemd to replace it", || {
        let new = container.property("stuid.service", "NRestarts") == "1"
            && container.property("stuid.service", "SubState") == "running";
        new.then_some(())
    });
    assert_ne!(container.property("stuid.service", "MainPID"), stuck);
    assert_eq!(evaluate(container, "6 * 7"), "42\n");
}

fn it_stops_in_time(container: &Container) {
    evaluate(container, "3");
    container.run(&["systemctl", "stop", "stuid.service"]);

    let result = container.property("stuid.service", "Result");
    assert_eq!(result, "success", "{}", container.journal());
    let socket = container.property("stuid.socket", "ActiveState");
    assert_eq!(socket, "active", "the next client starts it again");
}

//! How a daemon begins, ends, and begins again.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::json;
use stui_protocol::EventName;
use stui_protocol::daemon::{Status, Subscribe};
use stui_tests::{Asking, Client, Daemon, Home, binaries, patience};

#[test]
fn stui_starts_a_daemon_when_none_runs_and_says_so() {
    let home = Home::new();

    let first = home.user().run(&["eval", "x := 3"]).exits(0);
    let second = home.user().run(&["eval", "x + 1"]).exits(0);

    assert_eq!(first.stdout, "3\n");
    assert!(first.stderr.contains("starting"), "{}", first.stderr);
    assert_eq!(second.stdout, "4\n", "the same daemon, the same session");
    assert_eq!(second.stderr, "");
}

#[test]
fn clients_that_start_at_once_end_with_one_daemon() {
    let home = Home::new();
    let running: Vec<_> = (0..4)
        .map(|number| {
            let code = format!("(Smalltalk at: #Seen ifAbsentPut: [Set new]) add: {number}");
            let mut command = home.user().command(&["eval", &code]);
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("stui")
        })
        .collect();

    let said: Vec<_> = running
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().expect("its end");
            assert!(output.status.success(), "{output:?}");
            String::from_utf8_lossy(&output.stderr).into_owned()
        })
        .collect();

    assert_eq!(
        said.iter().filter(|said| said.contains("starting")).count(),
        1,
        "{said:?}"
    );
    let seen = home
        .user()
        .run(&["eval", "(Smalltalk at: #Seen) size"])
        .exits(0);
    assert_eq!(seen.stdout, "4\n", "all of them were in one image");
}

#[test]
fn the_socket_is_its_owners_alone() {
    let daemon = Daemon::start();

    let mode = std::fs::metadata(daemon.socket())
        .expect("a socket")
        .permissions()
        .mode();

    assert_eq!(mode & 0o077, 0, "{mode:o}");
}

#[test]
fn sigterm_ends_it_cleanly_and_tells_its_clients() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut daemon = Daemon::start();
        let client = daemon.client();
        client.ask::<Subscribe>(json!({}));

        daemon.process().signal(signal);

        client.wait_for("word of the shutdown", |event| {
            event.event == EventName::ShuttingDown
        });
        assert_eq!(client.next_reply(), None, "the connection is closed");
        assert!(daemon.process().end().success());
        let left = std::fs::read_dir(daemon.dir()).expect("its directory");
        let left: Vec<_> = left
            .map(|entry| entry.expect("a file").file_name())
            .collect();
        let sockets = [".sock", ".image", ".events"];
        let is_socket = |name: &str| sockets.iter().any(|end| name.ends_with(end));
        assert!(
            !left.iter().any(|name| is_socket(&name.to_string_lossy())),
            "{left:?}"
        );
    }
}

#[test]
fn it_ends_while_an_evaluation_runs() {
    let mut daemon = Daemon::start();
    let client = daemon.client();
    let session = client.session();
    session.start("[true] whileTrue");

    assert!(daemon.terminate().success());
}

#[test]
fn a_socket_that_a_killed_daemon_left_is_no_obstacle() {
    let mut daemon = Daemon::start();
    daemon.kill();
    assert!(daemon.socket().exists(), "the story needs a stale socket");

    daemon.start_again();

    assert_eq!(daemon.user().run(&["eval", "3 + 4"]).exits(0).stdout, "7\n");
}

#[test]
fn stui_starts_a_daemon_over_a_stale_socket() {
    let home = Home::new();
    home.user().run(&["eval", "3"]).exits(0);
    let pid = home.daemon().expect("a daemon");
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).expect("a process id");
    rustix::process::kill_process(pid, Signal::KILL).expect("a signal");
    patience::until("nobody at the socket", || {
        UnixStream::connect(home.socket()).is_err().then_some(())
    });

    let ran = home.user().run(&["eval", "3 + 4"]).exits(0);

    assert_eq!(ran.stdout, "7\n");
    assert!(ran.stderr.contains("starting"), "{}", ran.stderr);
}

#[test]
fn a_second_daemon_does_not_take_the_socket_of_the_first() {
    let daemon = Daemon::start();
    let dir = tempfile::tempdir().expect("a directory");

    let second = Command::new(binaries::stuid())
        .args(["--embedded", "--admin", "127.0.0.1:0", "--socket"])
        .arg(daemon.socket())
        .arg("--state-dir")
        .arg(dir.path())
        .output()
        .expect("stuid");

    assert!(!second.status.success());
    assert_eq!(daemon.user().run(&["eval", "3 + 4"]).exits(0).stdout, "7\n");
}

#[test]
fn the_profiles_and_the_file_of_defaults_are_accepted() {
    for name in ["stuid", "development", "production"] {
        let file = format!("{}/../config/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let checked = Command::new(binaries::stuid())
            .env_clear()
            .args(["--check-config", "--config", &file])
            .output()
            .expect("stuid");
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success(), "{name}: {checked:?}");
        assert!(said.contains(&format!("{name}.toml")), "{name}: {said}");
    }
}

#[test]
fn check_config_says_what_is_in_force_and_from_where() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("stuid.toml");
    std::fs::write(
        &file,
        "[log]\nlevel = \"warn\"\n[image]\nrequest_timeout_ms = 1234\n",
    )
    .expect("a file");
    let check = |arguments: &[&str]| {
        Command::new(binaries::stuid())
            .env("STUID_LOG__LEVEL", "debug")
            .arg("--check-config")
            .arg("--config")
            .arg(&file)
            .args(arguments)
            .output()
            .expect("stuid")
    };

    let good = check(&["--socket", "/tmp/from-a-flag.sock"]);
    std::fs::write(&file, "[log]\nlevl = \"warn\"\n").expect("a file");
    let bad = check(&[]);

    let said = String::from_utf8_lossy(&good.stdout).into_owned();
    assert!(good.status.success(), "{good:?}");
    for word in [
        "/tmp/from-a-flag.sock",
        "1234",
        "debug",
        "STUID_LOG__LEVEL",
        "stuid.toml",
    ] {
        assert!(said.contains(word), "no {word} in\n{said}");
    }
    assert!(!bad.status.success(), "a misspelt key is no key");
    assert!(
        String::from_utf8_lossy(&bad.stderr).contains("levl"),
        "{bad:?}"
    );
}

#[test]
fn metrics_are_served() {
    let daemon = Daemon::start();
    let client = daemon.client();
    client.session().value("3 + 4");
    let address = client
        .ask::<Status>(json!({}))
        .daemon
        .admin
        .expect("an address");
    let address = address.trim_start_matches("http://");

    let mut page = String::new();
    let mut stream = TcpStream::connect(address).expect("the admin address");
    write!(
        stream,
        "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .expect("asking");
    stream.read_to_string(&mut page).expect("a page");

    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("\nstui_"), "{page}");
}

#[test]
fn status_tells_about_the_daemon_and_its_image() {
    let mut daemon = Daemon::start();
    let client = daemon.client();
    client.session().value("3 + 4");

    let status = client.ask::<Status>(json!({}));

    assert_eq!(status.daemon.pid, daemon.process().pid());
    assert_eq!(status.daemon.socket, daemon.socket().to_string_lossy());
    assert!(status.clients >= 1 && status.sessions >= 1);
    let description = status.image.description.expect("an image that was asked");
    assert_eq!(description.kind, "embedded");
    assert_eq!(status.image.instance, client.hello().instance);
}

#[test]
fn hello_comes_first_and_says_what_is_spoken() {
    let daemon = Daemon::start();

    let client = Client::try_connect(&daemon.socket()).expect("a hello");

    let versions: Vec<_> = client
        .hello()
        .protocol
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(versions, ["1.0", "1.1"]);
    assert!(!client.hello().daemon_version.is_empty());
}

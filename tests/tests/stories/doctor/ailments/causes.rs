//! One function for each ailment.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

use rustix::process::{Pid, Signal, getuid, kill_process};
use serde_json::json;
use stui_protocol::daemon::{Admin, Attach};
use stui_tests::daemon::Surroundings;
use stui_tests::disk::Disk;
use stui_tests::{Asking, Cli, Client, Daemon, Image, Scripted, patience};
use tempfile::TempDir;

use super::Patient;

type Befallen = Result<Patient, String>;

/// A user, and the place of a socket that nobody has made.
fn nobody() -> (TempDir, Patient) {
    let dir = tempfile::tempdir().expect("a directory");
    let user = Cli::of(&dir.path().join("stuid.sock"), dir.path());
    (dir, Patient::of(user))
}

pub(super) fn nothing_is_there() -> Befallen {
    let (dir, patient) = nobody();
    Ok(patient.with(dir))
}

pub(super) fn a_file_is_there() -> Befallen {
    let (dir, patient) = nobody();
    fs::write(dir.path().join("stuid.sock"), "").expect("a file");
    Ok(patient.with(dir))
}

pub(super) fn a_misspelt_key() -> Befallen {
    let (dir, patient) = nobody();
    let settings = dir.path().join(".config/stui");
    fs::create_dir_all(&settings).expect("a directory");
    fs::write(settings.join("stuid.toml"), "[log]\nlevle = \"info\"\n").expect("a file");
    Ok(patient.with(dir))
}

pub(super) fn a_killed_daemon() -> Befallen {
    let mut daemon = Daemon::start();
    daemon.kill();
    Ok(daemon.into())
}

pub(super) fn a_stopped_daemon() -> Befallen {
    let mut daemon = Daemon::start();
    daemon.process().signal(Signal::STOP);
    Ok(daemon.into())
}

/// Somebody who says that line to whoever connects, until dropped.
struct Impostor(UnixListener);

impl Impostor {
    fn listen(socket: &Path, line: String) -> Self {
        let listener = UnixListener::bind(socket).expect("a socket");
        let own = listener.try_clone().expect("the socket");
        thread::spawn(move || {
            while let Ok((mut client, _)) = own.accept() {
                // Who has gone needs nothing.
                let _ = client.write_all(line.as_bytes());
            }
        });
        Self(listener)
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        // Its thread accepts nobody any more.
        let _ = rustix::net::shutdown(&self.0, rustix::net::Shutdown::Both);
    }
}

pub(super) fn another_program() -> Befallen {
    let (dir, patient) = nobody();
    let socket = dir.path().join("stuid.sock");
    let other = Impostor::listen(&socket, "220 mail.example ESMTP\n".to_owned());
    Ok(patient.with(other).with(dir))
}

pub(super) fn another_version() -> Befallen {
    let (dir, patient) = nobody();
    let daemon = Daemon::start();
    let stream = UnixStream::connect(daemon.socket()).expect("a daemon");
    let mut hello = String::new();
    let read = BufReader::new(stream).read_line(&mut hello);
    read.expect("a hello");
    let own = format!("\"daemon_version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(hello.contains(&own), "{hello}");
    let hello = hello.replace(&own, "\"daemon_version\":\"9.9.9\"");
    let other = Impostor::listen(&dir.path().join("stuid.sock"), hello);
    Ok(patient.with(other).with(dir))
}

pub(super) fn a_socket_of_another_user() -> Befallen {
    if !getuid().is_root() {
        return Err("root, who can act as another user".to_owned());
    }
    let daemon = Daemon::start();
    let stranger = Cli::other(&daemon, 65_534, 65_534);
    Ok(Patient::of(stranger).with(daemon))
}

pub(super) fn too_many_clients() -> Befallen {
    let daemon = Daemon::configured("[clients]\nmax = 1\n");
    let socket = daemon.socket();
    let client = patience::until("the only place", || Client::try_connect(&socket));
    Ok(Patient::from(daemon).with(client))
}

pub(super) fn no_image() -> Befallen {
    Ok(Daemon::start_without_image().into())
}

pub(super) fn a_killed_image() -> Befallen {
    let image = Image::embedded();
    let daemon = Daemon::start_with(&["--image", image.endpoint()]);
    drop(image);
    Ok(daemon.into())
}

pub(super) fn a_stopped_image() -> Befallen {
    let image = Image::embedded();
    let daemon = Daemon::start_with(&["--image", image.endpoint()]);
    let pid = image.pid().and_then(|pid| Pid::from_raw(pid.cast_signed()));
    kill_process(pid.expect("its process"), Signal::STOP).expect("stopping it");
    Ok(Patient::from(daemon).with(image))
}

pub(super) fn keys_at_one_end() -> Befallen {
    let image = Image::embedded();
    let keys = tempfile::tempdir().expect("a directory");
    let user = Cli::of(&keys.path().join("none"), keys.path());
    let dir = keys.path().to_str().expect("a path in UTF-8");
    for name in ["image", "daemon"] {
        user.run(&["keys", "new", name, "--out", dir]).exits(0);
    }
    let mut surroundings = Surroundings::default();
    surroundings.set("STUID_IMAGE__CURVE_SERVER_KEY", &format!("{dir}/image.pub"));
    surroundings.set("STUID_IMAGE__CURVE_KEY", &format!("{dir}/daemon.key"));
    let daemon = Daemon::start_alone(surroundings, &["--image", image.endpoint()]);
    Ok(Patient::from(daemon).with(image).with(keys))
}

/// A daemon before a scripted image, with its state there.
fn before(image: &Scripted, state_dir: Option<&Path>) -> Daemon {
    let surroundings = Surroundings {
        state_dir: state_dir.map(Path::to_owned),
        ..Surroundings::default()
    };
    let events = image.events_endpoint();
    let places = ["--image", image.endpoint(), "--image-events", events];
    Daemon::start_under(surroundings, &places)
}

pub(super) fn a_frozen_evaluator() -> Befallen {
    let image = Scripted::start();
    let daemon = before(&image, None);
    image.freeze();
    Ok(Patient::from(daemon).with(image))
}

pub(super) fn no_events() -> Befallen {
    let image = Image::embedded();
    let nowhere = format!("{}-nowhere", image.endpoint());
    let daemon = Daemon::start_with(&["--image", image.endpoint(), "--image-events", &nowhere]);
    Ok(Patient::from(daemon).with(image))
}

pub(super) fn a_full_disk() -> Befallen {
    let disk = Disk::small()?;
    let image = Scripted::start();
    let daemon = before(&image, Some(disk.path()));
    disk.fill();
    let client = daemon.client();
    client.ask::<Attach>(json!({"session": "main", "create": true}));
    Ok(Patient::from(daemon).with(client).with(image).with(disk))
}

pub(super) fn a_disk_that_is_read_only() -> Befallen {
    let disk = Disk::small()?;
    disk.remount("ro");
    let image = Scripted::start();
    let daemon = before(&image, Some(disk.path()));
    Ok(Patient::from(daemon).with(image).with(disk))
}

pub(super) fn a_damaged_store() -> Befallen {
    let mut daemon = Daemon::start();
    daemon.kill();
    let tables = daemon.dir().join("state/store/sessions.redb");
    fs::write(tables, "this is no database").expect("damaging it");
    daemon.start_again();
    Ok(daemon.into())
}

pub(super) fn a_pause() -> Befallen {
    let daemon = Daemon::start();
    daemon.client().ask::<Admin>(json!({"operation": "pause"}));
    Ok(daemon.into())
}

pub(super) fn a_deaf_client() -> Befallen {
    let daemon = Daemon::configured("[clients]\nstall_timeout_ms = 600000\n");
    let (client, deaf) = (daemon.client(), daemon.client());
    client.ask::<Attach>(json!({"session": "main", "create": true}));
    deaf.ask::<Attach>(json!({"session": "main", "mode": "watch"}));
    let code = "s := String new: 1000 withAll: $x. 900 timesRepeat: [Transcript show: s]. 42";
    for _ in 0..3 {
        assert_eq!(client.attach("main").value(code), "42");
    }
    Ok(Patient::from(daemon).with(client).with(deaf))
}

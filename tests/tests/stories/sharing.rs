//! Sessions of several users: what others can do when a session is shared with them, and that
//! they can do nothing when it is not. These stories act as other users, which only root can.

mod kept;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use stui_protocol::daemon::{ClientSession, ListSessionsResult};
use stui_protocol::{Event, EventName, Reply};
use stui_tests::daemon::Surroundings;
use stui_tests::{Cli, Daemon, patience, skipped};

const OWNER: u32 = 4_711;
const STRANGER: u32 = 4_712;
const GROUP: u32 = 4_700;

/// A daemon that every user reaches, and two of them.
struct Town {
    daemon: Daemon,
    owner: Cli,
    stranger: Cli,
}

impl Town {
    /// None when this process cannot act as other users.
    fn start(story: &str) -> Option<Self> {
        Self::start_with(story, &[])
    }

    fn start_with(story: &str, environment: &[(&str, &str)]) -> Option<Self> {
        Self::start_before(&["--embedded"], story, environment)
    }

    fn start_before(image: &[&str], story: &str, environment: &[(&str, &str)]) -> Option<Self> {
        if !rustix::process::getuid().is_root() {
            skipped(story, "root, to act as other users");
            return None;
        }
        let mut surroundings = Surroundings::default();
        let open = [("STUID_LISTEN__MODE", "0666")];
        for (name, value) in open.iter().chain(environment) {
            let variable = ((*name).to_owned(), (*value).to_owned());
            surroundings.environment.push(variable);
        }
        let daemon = Daemon::start_under(surroundings, image);
        let owner = Cli::other(&daemon, OWNER, GROUP);
        let stranger = Cli::other(&daemon, STRANGER, GROUP);
        Some(Self {
            daemon,
            owner,
            stranger,
        })
    }

    /// The session as a user's list has it.
    fn listed(user: &Cli, name: &str) -> Option<ClientSession> {
        let listed = user.run(&["ls", "--json"]).exits(0);
        let reply: Reply = serde_json::from_str(&listed.stdout).expect("a reply");
        let listed: ListSessionsResult =
            serde_json::from_value(reply.outcome.expect("a list")).expect("sessions");
        listed.sessions.into_iter().find(|each| each.name == name)
    }
}

/// A command that prints events, line by line.
struct Listening {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Listening {
    fn start(user: &Cli, arguments: &[&str]) -> Self {
        let mut child = user
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("stui");
        let output = child.stdout.take().expect("standard output");
        let lines = BufReader::new(output).lines();
        Self { child, lines }
    }

    /// Waits for an event of that name.
    fn hears(&mut self, name: &EventName) -> Event {
        let events = self.lines.by_ref().map(|line| {
            let line = line.expect("a line");
            serde_json::from_str::<Event>(&line).expect("an event")
        });
        let mut others = Vec::new();
        for event in events {
            if event.event == *name {
                return event;
            }
            others.push(event);
        }
        panic!("{name:?} never came, only {others:#?}");
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_second_user_can_do_nothing_to_a_session_that_is_not_shared() {
    let Some(town) = Town::start("a_second_user_can_do_nothing_to_a_session_that_is_not_shared")
    else {
        return;
    };
    let (owner, stranger) = (&town.owner, &town.stranger);
    owner.run(&["new", "--detached", "secret"]).exits(0);
    let running = owner.run(&["submit", "--session", "secret", "[true] whileTrue"]);
    let running = running.exits(0).stdout.trim_end().to_owned();
    let id = Town::listed(owner, "secret").expect("one's own").session_id;
    let of_owner = format!("{OWNER}:secret");

    assert!(Town::listed(stranger, "secret").is_none());
    for session in ["secret", id.as_str(), of_owner.as_str()] {
        let absent = |arguments: &[&str]| {
            let ran = stranger.run(arguments).exits(7);
            let other = arguments.iter().map(|word| match *word == session {
                true => "absent",
                false => word,
            });
            let other = stranger.run(&other.collect::<Vec<_>>()).exits(7);
            let said = |text: &str| text.replace(session, "absent");
            assert_eq!(said(&ran.stderr), other.stderr, "as if it were not there");
        };
        absent(&["attach", session, "--watch"]);
        absent(&["attach", session, "--watch", "--json"]);
        absent(&["kill", session]);
        absent(&["rename", session, "mine"]);
        absent(&["share", session, "all"]);
        absent(&["interrupt", session]);
        absent(&["log", session]);
        absent(&["log", session, "--follow"]);
        absent(&["history", session]);
    }
    let guessed = stranger.run(&["await", &running]).exits(1);
    let absent = stranger.run(&["await", "00000000-0000-4000-8000-000000000000"]);
    assert_eq!(guessed.stderr, absent.exits(1).stderr);
    // Their own name for a session of their own.
    stranger.run(&["eval", "--session", "secret", "3"]).exits(0);

    let still = Town::listed(owner, "secret").expect("it is untouched");
    assert!(still.running.is_some() && still.attached.is_empty());
    owner.run(&["interrupt", "secret"]).exits(0);
}

#[test]
fn events_of_others_sessions_are_not_told() {
    let Some(town) = Town::start("events_of_others_sessions_are_not_told") else {
        return;
    };
    let mut listening = Listening::start(&town.stranger, &["events"]);
    // It may not have subscribed when the first of them are made.
    let told = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !told.load(Ordering::Relaxed) {
                town.owner.run(&["new", "--detached", "hidden"]).exits(0);
                town.owner.run(&["kill", "hidden"]).exits(0);
                town.stranger.run(&["new", "--detached", "own"]).exits(0);
                town.stranger.run(&["kill", "own"]).exits(0);
            }
        });
        for _ in 0..3 {
            let event = listening.hears(&EventName::SessionCreated);
            assert_eq!(event.data["owner"], STRANGER, "{event:?}");
        }
        told.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_shared_session_is_used_by_both_until_it_is_taken_back() {
    let Some(town) = Town::start("a_shared_session_is_used_by_both_until_it_is_taken_back") else {
        return;
    };
    let (owner, stranger) = (&town.owner, &town.stranger);
    let with = format!("uid:{STRANGER}");
    owner
        .run(&["new", "--detached", "pair", "--share", &with])
        .exits(0);
    owner
        .run(&["eval", "--session", "pair", "x := 20"])
        .exits(0);
    let name = format!("{OWNER}:pair");

    let shown = stranger.run(&["ls"]).exits(0).stdout;
    assert!(shown.contains(&name), "{shown}");
    let sum = stranger.run(&["eval", "--session", &name, "x := x + 22"]);
    assert_eq!(sum.exits(0).stdout, "42\n");
    let past = stranger.run(&["history", "pair"]).exits(0).stdout;
    assert!(past.contains("x := 20"), "{past}");
    for forbidden in [
        &["kill", "pair"][..],
        &["rename", "pair", "mine"],
        &["share", "pair", "all"],
    ] {
        let refused = stranger.run(forbidden).exits(6);
        assert!(refused.stderr.contains("owner"), "{}", refused.stderr);
    }
    let mut watching = Listening::start(stranger, &["attach", &name, "--watch", "--json"]);
    patience::until("the one who watches", || {
        let pair = Town::listed(owner, "pair")?;
        (!pair.attached.is_empty()).then_some(())
    });
    owner.run(&["eval", "--session", "pair", "x"]).exits(0);
    watching.hears(&EventName::EvaluationFinished);

    owner.run(&["share", "pair", "private"]).exits(0);

    // Whoever evaluates comes and goes, too.
    let why = loop {
        let left = watching.hears(&EventName::Detached);
        if let Some(why) = left.data.get("reason").and_then(Value::as_str) {
            break why.to_owned();
        }
    };
    assert!(why.contains("not shared with you any more"), "{why}");
    assert_eq!(watching.child.wait().expect("its end").code(), Some(6));
    stranger.run(&["log", &name]).exits(7);
    stranger.run(&["attach", &name, "--watch"]).exits(7);
    assert!(Town::listed(owner, "pair").expect("it").attached.is_empty());
}

#[test]
fn whoever_may_only_watch_sees_all_and_changes_nothing() {
    let Some(town) = Town::start("whoever_may_only_watch_sees_all_and_changes_nothing") else {
        return;
    };
    let (owner, stranger) = (&town.owner, &town.stranger);
    owner.run(&["eval", "--session", "show", "x := 3"]).exits(0);
    owner
        .run(&["share", "show", "group", "--watch-only"])
        .exits(0);
    let name = format!("{OWNER}:show");
    let id = owner.run(&["submit", "--session", "show", "[true] whileTrue"]);
    let id = id.exits(0).stdout.trim_end().to_owned();

    assert!(
        stranger
            .run(&["log", &name])
            .exits(0)
            .stdout
            .contains("x := 3")
    );
    stranger.run(&["await", &id, "--timeout", "10ms"]).exits(5);
    for forbidden in [
        &["submit", "--session", &name, "x := 4"][..],
        &["interrupt", &name],
        &["inspect", "--session", &name, "x"],
        &["kill", &name],
    ] {
        let refused = stranger.run(forbidden).exits(6);
        assert!(refused.stderr.contains("belongs to"), "{}", refused.stderr);
    }
    owner.run(&["interrupt", "show"]).exits(0);
    // Another group is nobody.
    let outsider = Cli::other(&town.daemon, 4_713, 4_701);
    outsider.run(&["log", &name]).exits(7);
}

#[test]
fn root_may_list_and_end_sessions_of_others_and_no_more_and_that_is_logged() {
    let story = "root_may_list_and_end_sessions_of_others_and_no_more_and_that_is_logged";
    let Some(mut town) = Town::start(story) else {
        return;
    };
    let root = town.daemon.user();
    let code = "(Delay forSeconds: 600) wait. #confidential";
    let id = town.owner.run(&["submit", "--session", "work", code]);
    let id = id.exits(0).stdout.trim_end().to_owned();
    let name = format!("{OWNER}:work");

    let seen = Town::listed(&root, "work").expect("it may list");
    assert_eq!(seen.owner, OWNER);
    assert!(
        seen.running.expect("it runs").code.is_empty(),
        "not what it does"
    );
    root.run(&["log", &name]).exits(7);
    root.run(&["attach", &name, "--watch"]).exits(7);
    root.run(&["interrupt", &name]).exits(7);
    root.run(&["await", &id]).exits(1);
    town.stranger.run(&["kill", &name]).exits(7);
    root.run(&["kill", &name]).exits(0);

    assert!(Town::listed(&town.owner, "work").is_none());
    let log = town.daemon.process().log();
    let line = log.lines().find(|line| line.contains("an operator ends"));
    let line = line.expect("it is logged");
    assert!(line.contains("uid") && line.contains("4711"), "{line}");
    assert!(
        !log.lines()
            .any(|line| line.contains("confidential") && line.contains("WARN"))
    );
}

#[test]
fn limits_of_a_user_name_the_key_that_sets_them() {
    let environment = [
        ("STUID_LIMITS__SESSIONS_PER_OWNER", "2"),
        ("STUID_LIMITS__CLIENTS_PER_OWNER", "2"),
    ];
    let story = "limits_of_a_user_name_the_key_that_sets_them";
    let Some(town) = Town::start_with(story, &environment) else {
        return;
    };
    let owner = &town.owner;
    owner.run(&["new", "--detached", "one"]).exits(0);
    owner.run(&["new", "--detached", "two"]).exits(0);

    let refused = owner.run(&["new", "--detached", "three"]).exits(6);
    assert!(
        refused.stderr.contains("limits.sessions_per_owner"),
        "{}",
        refused.stderr
    );
    town.stranger.run(&["new", "--detached", "other"]).exits(0);

    let _watching =
        ["one", "two"].map(|name| Listening::start(owner, &["attach", name, "--watch", "--json"]));
    let root = town.daemon.user();
    patience::until("two clients", || {
        let attached = |name| Town::listed(&root, name).is_some_and(|it| !it.attached.is_empty());
        ["one", "two"].into_iter().all(attached).then_some(())
    });
    let refused = owner.run(&["ls"]).exits(6);
    assert!(
        refused.stderr.contains("limits.clients_per_owner"),
        "{}",
        refused.stderr
    );
    town.stranger.run(&["ls"]).exits(0);
}

#[test]
fn ls_shows_who_is_attached_from_where_and_what_waits() {
    let daemon = Daemon::start();
    let user = daemon.user();
    let terminal = stui_tests::Terminal::open(&user, &[]);
    terminal.shows("main> ");
    user.run(&["submit", "[true] whileTrue. #first"]).exits(0);
    user.run(&["submit", "#second"]).exits(0);

    let shown = user.run(&["ls"]).exits(0).stdout;
    let listed: Value =
        serde_json::from_str(&user.run(&["ls", "--json"]).exits(0).stdout).expect("a reply");

    assert!(
        shown.contains("pts/") && shown.contains(" stui "),
        "{shown}"
    );
    assert!(
        shown.contains("#first (") && shown.contains("#second (waits"),
        "{shown}"
    );
    let attached = &listed["result"]["sessions"][0]["attached"][0];
    assert_eq!(attached["command"], "stui");
    assert_eq!(attached["pid"], terminal.pid());
    user.run(&["interrupt"]).exits(0);
}

//! What Prometheus, its alerts and its dashboards see of the daemon.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};
use stui_protocol::daemon::{Attach, Status, Submit};
use stui_tests::process::Process;
use stui_tests::{Asking, Client, Daemon, http, patience, skipped};
use tempfile::TempDir;

/// A file of the project.
fn project(path: &str) -> String {
    let path = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Where the daemon of that client serves its numbers.
fn address(client: &Client) -> String {
    let status = client.ask::<Status>(json!({}));
    status.daemon.admin.expect("an address for metrics")
}

/// The metrics of a daemon in which something was evaluated.
fn metrics_of(daemon: &Daemon) -> String {
    let client = daemon.client();
    assert_eq!(client.session().value("3 + 4"), "7");
    http::get(&address(&client), "/metrics")
        .expect("the metrics")
        .body
}

/// The names of metrics in expressions of Prometheus.
fn names_in(expressions: &str) -> BTreeSet<String> {
    let words = expressions.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    let ours = |word: &&str| word.starts_with("stui_") || word.starts_with("process_");
    words.filter(ours).map(str::to_owned).collect()
}

/// The names in the alerts, and in the queries of the dashboard.
fn watched() -> BTreeSet<String> {
    let alerts = project("config/prometheus/alerts.yml");
    let conditions = alerts.lines().filter(|line| line.contains("expr:"));
    let mut names = names_in(&conditions.collect::<String>());
    let dashboard: Value = serde_json::from_str(&project("config/grafana/stuid.json")).unwrap();
    for panel in dashboard["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().into_iter().flatten() {
            names.append(&mut names_in(target["expr"].as_str().expect("a query")));
        }
    }
    names
}

#[test]
fn alerts_and_dashboard_watch_what_the_daemon_tells() {
    let page = metrics_of(&Daemon::start());
    let told: BTreeSet<_> = page
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();

    let watched = watched();

    assert!(watched.len() > 20, "{watched:?}");
    for name in watched {
        assert!(told.contains(name.as_str()), "nobody tells {name}:\n{page}");
    }
}

#[test]
fn each_alert_has_its_entry_in_the_runbook() {
    let alerts = project("config/prometheus/alerts.yml");
    let alerts: Vec<_> = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    let runbook = project("docs/runbook.md");
    let entries: Vec<_> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();

    assert_eq!(alerts, entries, "in the same order");
    let rules = project("config/prometheus/alerts.yml");
    for alert in alerts {
        let link = format!("runbook: docs/runbook.md#{}\n", alert.to_lowercase());
        assert!(rules.contains(&link), "{alert} does not name {link}");
    }
}

/// Runs promtool on files of the project; none when it is not there.
fn promtool(words: &[&str], input: Option<&Path>) -> Option<String> {
    let input = match input {
        Some(file) => fs::File::open(file).expect("the input").into(),
        None => Stdio::null(),
    };
    let output = Command::new("promtool")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../config/prometheus"))
        .args(words)
        .stdin(input)
        .output()
        .ok()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "promtool {words:?}:\n{said}");
    Some(said)
}

#[test]
fn promtool_has_nothing_to_say_against_metrics_and_rules() {
    let Some(_) = promtool(&["check", "config", "prometheus.yml"], None) else {
        return skipped("promtool's opinion", "promtool (Debian package prometheus)");
    };
    promtool(&["test", "rules", "alerts.test.yml"], None);
    let dir = tempfile::tempdir().expect("a directory");
    let page = dir.path().join("metrics");
    fs::write(&page, metrics_of(&Daemon::start())).expect("a page");

    let said = promtool(&["check", "metrics"], Some(&page)).expect("promtool");

    assert_eq!(said, "", "every advice of it is a fault here");
}

/// A real Prometheus with the project's own files, but for where the daemon is and how often it
/// looks.
struct Prometheus {
    process: Process,
    address: String,
    _dir: TempDir,
}

impl Prometheus {
    fn watching(daemon: &str) -> Option<Self> {
        let there = Command::new("prometheus").arg("--version").output();
        if !there.is_ok_and(|output| output.status.success()) {
            return None;
        }
        let dir = tempfile::tempdir().expect("a directory");
        let config = project("config/prometheus/prometheus.yml");
        assert!(config.contains("127.0.0.1:9464") && config.contains("15s"));
        let config = config
            .replace("127.0.0.1:9464", daemon)
            .replace("15s", "1s");
        fs::write(dir.path().join("prometheus.yml"), config).expect("a file");
        let alerts = project("config/prometheus/alerts.yml");
        fs::write(dir.path().join("alerts.yml"), alerts).expect("a file");
        let path = |name: &str| -> PathBuf { dir.path().join(name) };
        let mut command = Command::new("prometheus");
        command
            .arg(format!(
                "--config.file={}",
                path("prometheus.yml").display()
            ))
            .arg(format!("--storage.tsdb.path={}", path("data").display()))
            .arg("--web.listen-address=127.0.0.1:0");
        let process = Process::start("prometheus", &mut command, dir.path());
        let address = patience::until("where Prometheus listens", || {
            let log = process.log();
            let (_, rest) = log.split_once("msg=\"Listening on\" address=")?;
            let (address, _) = rest.split_once(char::is_whitespace)?;
            Some(address.to_owned())
        });
        Some(Self {
            process,
            address,
            _dir: dir,
        })
    }

    /// What it answers at that place of its interface, as soon as that is as wanted.
    fn says(&self, what: &str, path: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        patience::until(what, || {
            let page = http::get(&self.address, path)?;
            let mut said: Value = serde_json::from_str(&page.body).ok()?;
            is_it(&said["data"]).then(|| said["data"].take())
        })
    }
}

#[test]
fn a_real_prometheus_scrapes_the_daemon_and_its_alerts_see_an_image_that_is_away() {
    let daemon = Daemon::start_without_image();
    let Some(mut prometheus) = Prometheus::watching(&address(&daemon.client())) else {
        let needs = "prometheus (Debian package prometheus)";
        return skipped("a real Prometheus that scrapes the daemon", needs);
    };

    let query = "/api/v1/query?query=stui_build_info";
    let found = prometheus.says("a first scrape", query, |data| {
        data["result"].as_array().is_some_and(|all| !all.is_empty())
    });
    assert_eq!(found["result"][0]["metric"]["job"], "stuid");
    prometheus.says("a daemon that is up", "/api/v1/query?query=up", |data| {
        data["result"][0]["value"][1] == "1"
    });
    prometheus.says("an alert on its way", "/api/v1/alerts", |data| {
        let alerts = data["alerts"].as_array();
        alerts
            .into_iter()
            .flatten()
            .any(|alert| alert["labels"]["alertname"] == "StuiImageDown")
    });
    let rules = prometheus.says("rules that were tried", "/api/v1/rules", |data| {
        let rules = data["groups"][0]["rules"].as_array();
        rules.is_some_and(|rules| rules.iter().all(|rule| rule["health"] != "unknown"))
    });
    for rule in rules["groups"][0]["rules"].as_array().expect("rules") {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
    prometheus.process.kill();
}

#[test]
fn health_is_told_as_json_with_a_reason() {
    let daemon = Daemon::start();
    let nobody = Daemon::start_without_image();
    let look = |daemon: &Daemon, path: &str| {
        let page = http::get(&address(&daemon.client()), path).expect("a page");
        assert!(
            page.head.contains("content-type: application/json"),
            "{page:?}"
        );
        let body: Value = serde_json::from_str(&page.body).expect("JSON");
        (page.code, body)
    };

    let (code, health) = look(&daemon, "/healthz");
    assert_eq!((code, &health["status"]), (200, &json!("ok")), "{health}");
    assert_eq!(health["reason"], "the daemon serves");
    let (code, ready) = look(&daemon, "/readyz");
    assert_eq!((code, &ready["status"]), (200, &json!("ready")), "{ready}");

    assert_eq!(look(&nobody, "/healthz").0, 200, "the daemon lives");
    // For its first two seconds it may still be connecting.
    let ready = patience::until("an image that is down", || {
        let (code, ready) = look(&nobody, "/readyz");
        assert_eq!(code, 503, "{ready}");
        (ready["image"]["state"] == "down").then_some(ready)
    });
    assert_eq!(ready["status"], "not ready");
    assert!(
        ready["reason"]
            .as_str()
            .is_some_and(|why| why.contains("nobody")),
        "{ready}"
    );
}

#[test]
fn numbers_are_told_until_the_end() {
    let mut daemon = Daemon::configured("[shutdown]\ntimeout_ms = 600000\n");
    let client = daemon.client();
    let address = address(&client);
    client.ask::<Attach>(json!({"session": "main", "create": true}));
    // Somebody waits for it, and so the daemon does.
    let forever = json!({"session": "main", "code": "[true] whileTrue"});
    client.send(&json!({"id": "forever", "command": "evaluate", "parameters": forever}));
    patience::until("an evaluation that runs", || {
        (client.metric("stui_evaluations_running") == Some(1.0)).then_some(())
    });

    daemon.process().signal(Signal::TERM);

    patience::until("a daemon that ends", || {
        let ready = http::get(&address, "/readyz")?;
        (ready.code == 503 && ready.body.contains("told to end")).then_some(())
    });
    let health = http::get(&address, "/healthz").expect("its health");
    assert!(
        health.code == 200 && health.body.contains("ending"),
        "{health:?}"
    );
    let metrics = http::get(&address, "/metrics").expect("its numbers");
    assert!(
        metrics.body.contains("stui_evaluations_running 1\n"),
        "{metrics:?}"
    );
    daemon.kill();
}

#[test]
fn clients_and_sessions_are_counted_by_what_they_do() {
    let daemon = Daemon::start();
    let (one, other) = (daemon.client(), daemon.client());
    one.ask::<Attach>(json!({"session": "main", "create": true}));
    other.ask::<Attach>(json!({"session": "main", "mode": "watch"}));
    let _third = daemon.client();
    one.ask::<Submit>(json!({"session": "main", "code": "[true] whileTrue"}));
    one.ask::<Submit>(json!({"session": "main", "code": "3 + 4"}));

    patience::until("numbers that say so", || {
        let told = |line: &str| one.metric(line);
        let is_so = told("stui_clients{state=\"attached\"}") == Some(1.0)
            && told("stui_clients{state=\"watching\"}") == Some(1.0)
            && told("stui_clients{state=\"unattached\"}") == Some(1.0)
            && told("stui_sessions{state=\"busy\"}") == Some(1.0)
            && told("stui_evaluations_running") == Some(1.0)
            && told("stui_evaluations_queued") == Some(1.0)
            && told("stui_evaluations_oldest_wait_seconds") > Some(0.0)
            && told("stui_evaluation_wait_seconds_count") == Some(1.0)
            && told("stui_image_instances_total") == Some(1.0);
        is_so.then_some(())
    });
}

//! The Debian package on a machine that systemd has booted: installed, upgraded under a daemon that
//! works, removed and purged.

use std::fs;
use std::path::Path;
use std::process::Command;

use stui_tests::{Container, binaries, patience, skipped};

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[test]
fn a_package_is_installed_upgraded_and_purged() {
    let story = "the life of the Debian package";
    let there = Command::new("cargo-deb").arg("--version").output();
    if !there.is_ok_and(|output| output.status.success()) {
        return skipped(story, "cargo-deb (cargo install cargo-deb)");
    }
    let packages = tempfile::tempdir().expect("a directory");
    let container = Container::boot_after(|root| {
        for revision in ["1", "2"] {
            build(revision, packages.path());
        }
        for package in fs::read_dir(packages.path()).expect("packages") {
            let package = package.expect("a package");
            let dir = if is_second(&package.path()) {
                "root/next"
            } else {
                "root"
            };
            fs::create_dir_all(root.join(dir)).expect("a directory");
            let to = root.join(dir).join(package.file_name());
            fs::copy(package.path(), to).expect("a copy of a package");
        }
        // Here services may be started, whatever this machine says.
        let _ = fs::remove_file(root.join("usr/sbin/policy-rc.d"));
    });
    let container = match container {
        Ok(container) => container,
        Err(needs) => return skipped(story, &needs),
    };

    let told = told();
    let [install, others, settings, upgrade] = told.as_slice() else {
        panic!("docs/installing.md has other commands: {told:#?}");
    };
    assert!(typed(&container, install).contains("active\n7\n"));
    it_works_as_soon_as_it_is_installed(&container);
    assert!(typed(&container, others).ends_with("7\n"));
    assert!(typed(&container, settings).contains("autosave_s = \"30\""));
    an_upgrade_leaves_what_runs_alone(&container, upgrade);
    a_removal_keeps_what_users_have(&container);
    a_purge_keeps_only_keys(&container);
}

/// The commands of docs/installing.md that are told here, as they stand there.
fn told() -> Vec<String> {
    let page = fs::read_to_string(format!("{PROJECT}/docs/installing.md")).expect("the page");
    let marked = page.split("<!-- told by the story package -->\n```sh\n");
    let commands = marked.skip(1).filter_map(|rest| rest.split("```").next());
    commands.map(str::to_owned).collect()
}

/// Types commands into a shell of root.
fn typed(container: &Container, commands: &str) -> String {
    container.run(&["sh", "-e", "-c", &format!("cd /root\n{commands}")])
}

/// Makes a package of the programs under test.
fn build(revision: &str, output: &Path) {
    let stuid = binaries::stuid();
    let programs = stuid.parent().expect("a directory");
    let built = Command::new("packaging/build")
        .current_dir(PROJECT)
        .arg("--programs")
        .arg(fs::canonicalize(programs).expect("programs"))
        .args(["--revision", revision, "--output"])
        .arg(output)
        .output()
        .expect("bash");
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "packaging/build: {said}");
}

fn is_second(package: &Path) -> bool {
    package.to_string_lossy().contains("-2_")
}

fn is_there(container: &Container, path: &str) -> bool {
    container.output(&["test", "-e", path]).status.success()
}

fn it_works_as_soon_as_it_is_installed(container: &Container) {
    assert_eq!(container.property("stuid.socket", "ActiveState"), "active");
    let enabled = container.property("stuid.socket", "UnitFileState");
    assert_eq!(enabled, "enabled", "it is there after the next boot");
    let said = container.run(&["stui", "--no-start", "eval", "3 + 4"]);
    assert_eq!(said, "7\n");
    container.run(&["stui", "--no-start", "doctor"]);
    container.run(&["stuid", "--check-config"]);
    for page in ["stui", "stui-attach", "stuid"] {
        let page = format!("/usr/share/man/man1/{page}.1.gz");
        assert!(is_there(container, &page), "{page}");
    }
    let completions = "/usr/share/bash-completion/completions/stui";
    container.run(&["bash", "-n", completions]);
}

fn an_upgrade_leaves_what_runs_alone(container: &Container, commands: &str) {
    let (install, restart) = commands.split_once('\n').expect("two steps");
    let daemon = container.property("stuid.service", "MainPID");
    container.run(&["stui", "--no-start", "submit", "[true] whileTrue"]);
    patience::until("an evaluation that runs", || {
        let sessions = container.run(&["stui", "--no-start", "ls"]);
        sessions.contains("whileTrue").then_some(())
    });

    let said = typed(container, install);

    assert!(said.contains("systemctl restart stuid"), "{said}");
    assert_eq!(container.property("stuid.service", "MainPID"), daemon);
    let sessions = container.run(&["stui", "--no-start", "ls"]);
    assert!(sessions.contains("whileTrue"), "it still runs: {sessions}");
    let settings = container.run(&["cat", "/etc/stui/stuid.toml"]);
    assert!(settings.contains("autosave_s"), "settings stay: {settings}");

    assert_eq!(typed(container, restart), "7\n");
    assert_ne!(container.property("stuid.service", "MainPID"), daemon);
}

fn a_removal_keeps_what_users_have(container: &Container) {
    container.run(&["dpkg", "--remove", "stui"]);

    assert!(!is_there(container, "/usr/bin/stuid"));
    assert!(!is_there(container, "/run/stui/stuid.sock"));
    assert!(is_there(container, "/var/lib/stui/store"));
    assert!(is_there(container, "/etc/stui/stuid.toml"));
}

fn a_purge_keeps_only_keys(container: &Container) {
    container.run(&["touch", "/etc/stui/keys/image.key"]);

    container.run(&["dpkg", "--purge", "stui"]);

    let left = container.run(&["find", "/etc/stui", "-type", "f"]);
    assert_eq!(left, "/etc/stui/keys/image.key\n");
    assert!(!is_there(container, "/var/lib/stui"));
}

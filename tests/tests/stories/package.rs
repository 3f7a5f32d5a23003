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
            let revision = if is_second(&package.path()) { 2 } else { 1 };
            let to = root.join(format!("root/stui-{revision}.deb"));
            fs::copy(package.path(), to).expect("a copy of a package");
        }
        // Here services may be started, whatever this machine says.
        let _ = fs::remove_file(root.join("usr/sbin/policy-rc.d"));
    });
    let container = match container {
        Ok(container) => container,
        Err(needs) => return skipped(story, &needs),
    };

    it_works_as_soon_as_it_is_installed(&container);
    an_upgrade_leaves_what_runs_alone(&container);
    a_removal_keeps_what_users_have(&container);
    a_purge_keeps_only_keys(&container);
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
    container.run(&["dpkg", "--install", "/root/stui-1.deb"]);

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

fn an_upgrade_leaves_what_runs_alone(container: &Container) {
    let daemon = container.property("stuid.service", "MainPID");
    let changed = "printf '[log]\\nlevel = \"warn\"\\n' >> /etc/stui/stuid.toml";
    container.run(&["sh", "-c", changed]);
    container.run(&["stui", "--no-start", "submit", "[true] whileTrue"]);
    patience::until("an evaluation that runs", || {
        let sessions = container.run(&["stui", "--no-start", "ls"]);
        sessions.contains("whileTrue").then_some(())
    });

    let said = container.run(&["dpkg", "--install", "/root/stui-2.deb"]);

    assert!(said.contains("systemctl restart stuid"), "{said}");
    assert_eq!(container.property("stuid.service", "MainPID"), daemon);
    let sessions = container.run(&["stui", "--no-start", "ls"]);
    assert!(sessions.contains("whileTrue"), "it still runs: {sessions}");
    let settings = container.run(&["cat", "/etc/stui/stuid.toml"]);
    assert!(settings.contains("warn"), "settings stay: {settings}");

    container.run(&["systemctl", "restart", "stuid"]);
    assert_ne!(container.property("stuid.service", "MainPID"), daemon);
    let said = container.run(&["stui", "--no-start", "eval", "3 + 4"]);
    assert_eq!(said, "7\n");
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

//! Completions and man pages, which are made from the definition of the command line.

use std::fs;
use std::path::Path;

use crate::cast::{Ended, STUI, Stui, command};

fn stui(home: &Path, arguments: &[&str]) -> Ended {
    let mut command = command(Path::new(STUI), home);
    command.env("STUI_NO_START", "1").args(arguments);
    Stui::spawn(&mut command).end()
}

/// The commands that `stui --help` lists.
fn commands(home: &Path) -> Vec<String> {
    let help = stui(home, &["--help"]).out;
    let listed = help.split("Commands:").nth(1).unwrap();
    let listed = listed.split("Options:").next().unwrap();
    let is_name = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let name = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    let names = listed.lines().filter(is_name).map(name);
    names.filter(|name| name != "help").collect()
}

#[test]
fn completions_know_every_command() {
    let home = tempfile::tempdir().unwrap();
    let commands = commands(home.path());
    assert!(commands.len() > 10, "{commands:?}");
    for shell in ["bash", "zsh", "fish"] {
        let ended = stui(home.path(), &["completions", shell]);

        assert_eq!(ended.code, Some(0), "{ended:?}");
        for name in &commands {
            assert!(ended.out.contains(name.as_str()), "{shell}: {name}");
        }
    }
}

#[test]
fn every_command_has_a_man_page() {
    let home = tempfile::tempdir().unwrap();

    let ended = stui(home.path(), &["man", home.path().to_str().unwrap()]);

    assert_eq!(ended.code, Some(0), "{ended:?}");
    for name in commands(home.path()) {
        let page = home.path().join(format!("stui-{name}.1"));
        let page = fs::read_to_string(&page).unwrap();
        assert!(page.contains(".SH NAME"), "{name}: {page}");
    }
}

//! `stui keys new`: key pairs in files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::cast::{Ended, STUI, Stui, command};

fn stui(home: &Path, arguments: &[&str]) -> Ended {
    let mut command = command(Path::new(STUI), home);
    command.env("STUI_NO_START", "1").args(arguments);
    Stui::spawn(&mut command).end()
}

#[test]
fn a_pair_is_made_without_a_daemon_and_its_secret_is_for_its_owner_alone() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().to_str().unwrap();

    let ended = stui(home.path(), &["keys", "new", "image", "--out", out]);

    assert_eq!(ended.code, Some(0), "{ended:?}");
    let secret = home.path().join("image.key");
    let mode = fs::metadata(&secret).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let public = ended.out.lines().last().unwrap();
    let given = fs::read_to_string(home.path().join("image.pub")).unwrap();
    assert!(given.contains(public), "{given}");
    let kept = fs::read_to_string(&secret).unwrap();
    let secret_key = kept.lines().find(|line| line.contains("secret-key"));
    let secret_key = secret_key.unwrap().split('"').nth(1).unwrap();
    assert!(!ended.out.contains(secret_key), "the secret is not printed");
}

#[test]
fn a_name_that_is_taken_or_leads_elsewhere_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().to_str().unwrap();
    assert_eq!(
        stui(home.path(), &["keys", "new", "a", "--out", out]).code,
        Some(0)
    );
    let before = fs::read(home.path().join("a.key")).unwrap();

    for name in ["a", "../b", ".c", ""] {
        let ended = stui(home.path(), &["keys", "new", name, "--out", out]);
        assert_eq!(ended.code, Some(2), "{name}: {ended:?}");
    }

    assert_eq!(fs::read(home.path().join("a.key")).unwrap(), before);
    let ended = stui(
        home.path(),
        &["keys", "new", "d", "--out", "/no/such/place"],
    );
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("/no/such/place/d.key"), "{ended:?}");
}

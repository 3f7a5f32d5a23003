//! Which layer wins, and what is said about one that is wrong.

use super::*;
use crate::config::ImageKind;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    Environment::of(
        pairs
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into())),
    )
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn load_with(
    text: &str,
    variables: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Layered, ConfigError> {
    let file = file(text);
    let flags: Vec<_> = flags
        .iter()
        .map(|(key, value)| (*key, (*value).to_owned()))
        .collect();
    load(Some(file.path()), &environment(variables), &flags)
}

#[test]
fn the_defaults_are_a_whole_configuration() {
    let layered = load_with("", &[], &[]).unwrap();
    assert_eq!(layered.config.image.kind, ImageKind::Embedded);
    assert_eq!(layered.config.listen.mode, 0o600);
    assert_eq!(
        layered.origins["image.kind"],
        ("embedded".into(), "default".into())
    );
}

#[test]
fn the_heartbeat_is_a_number_never_or_auto() {
    use crate::image::Heartbeat::{Auto, Every, Off};
    let of = |text: &str| {
        let layered = load_with(text, &[], &[])?;
        Ok::<_, ConfigError>(layered.config.image.heartbeat_timeout)
    };
    let second = std::time::Duration::from_secs(1);
    assert_eq!(of("").unwrap(), Auto);
    assert_eq!(of("[image]\nheartbeat_timeout_ms = 0").unwrap(), Off);
    assert_eq!(
        of("[image]\nheartbeat_timeout_ms = 1000").unwrap(),
        Every(second)
    );
    for wrong in ["5", "-1", "\"often\"", "86400001"] {
        let text = format!("[image]\nheartbeat_timeout_ms = {wrong}");
        let told = of(&text).unwrap_err().to_string();
        assert!(told.contains("image.heartbeat_timeout_ms"), "{told}");
    }
}

#[test]
fn a_later_layer_wins_and_is_named() {
    let text = "[image]\nrequest_timeout_ms = 1000\n[log]\nlevel = \"warn\"\n[state]\ndir = \"/f\"";
    let variables = [("STUID_LOG__LEVEL", "debug"), ("STUID_STATE__DIR", "/e")];
    let layered = load_with(text, &variables, &[("state.dir", "/flag")]).unwrap();
    assert_eq!(layered.config.image.request_timeout.as_millis(), 1000);
    assert_eq!(layered.config.log.level, "debug");
    assert_eq!(layered.config.state.dir, Path::new("/flag"));
    assert!(
        layered.origins["image.request_timeout_ms"]
            .1
            .starts_with('/')
    );
    assert_eq!(
        layered.origins["log.level"].1,
        "environment STUID_LOG__LEVEL"
    );
    assert_eq!(layered.origins["state.dir"].1, "flag");
}

#[test]
fn numbers_may_come_from_the_environment() {
    let layered = load_with("", &[("STUID_IMAGE__REQUEST_TIMEOUT_MS", "250")], &[]).unwrap();
    assert_eq!(layered.config.image.request_timeout.as_millis(), 250);
}

#[test]
fn an_unknown_key_is_an_error_that_names_the_nearest() {
    let error = load_with("[image]\nendpont = \"x\"", &[], &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("did you mean image.endpoint?"), "{error}");
    let error = load_with("", &[("STUID_LOG__LEVLE", "x")], &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("STUID_LOG__LEVLE"), "{error}");
    assert!(error.contains("log.level"), "{error}");
    assert!(load_with("", &[("STUID_LISTEN_SOCKET", "x")], &[]).is_err());
}

#[test]
fn an_endpoint_alone_means_that_image() {
    let layered = load_with("", &[], &[("image.endpoint", "tcp://127.0.0.1:1")]).unwrap();
    assert_eq!(layered.config.image.kind, ImageKind::Zeromq);
    let error = load_with("[image]\nkind = \"zeromq\"", &[], &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("image.endpoint is empty"), "{error}");
}

#[test]
fn a_wrong_value_is_told_with_its_key_and_place() {
    for (key, value) in [
        ("STUID_LISTEN__MODE", "rw"),
        ("STUID_IMAGE__KIND", "pharo"),
        ("STUID_ADMIN__ADDRESS", "here"),
        ("STUID_IMAGE__REQUEST_TIMEOUT_MS", "0"),
        ("STUID_LOG__LEVEL", "a=b=c"),
    ] {
        let error = load_with("", &[(key, value)], &[]).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}

#[test]
fn a_word_that_is_none_of_those_allowed_is_told_them() {
    for (text, allowed) in [
        (
            "[image]\nkind = \"xml\"",
            "\"embedded\" or \"zeromq\", not \"xml\"",
        ),
        (
            "[log]\nformat = \"xml\"",
            "\"human\", \"json\" or \"journald\", not \"xml\"",
        ),
    ] {
        let error = load_with(text, &[], &[]).unwrap_err().to_string();
        assert!(error.contains(allowed), "{error}");
    }
}

#[test]
fn the_metrics_can_be_switched_off() {
    let layered = load_with("", &[("STUID_ADMIN__ADDRESS", "")], &[]).unwrap();
    assert_eq!(layered.config.admin.address, None);
}

#[test]
fn a_file_that_is_no_toml_is_named() {
    let error = load_with("image = [", &[], &[]).unwrap_err();
    assert!(matches!(error, ConfigError::Unreadable { .. }), "{error}");
}

#[test]
fn places_that_nobody_set_say_what_they_follow_from() {
    let layered = load_with("", &[("XDG_RUNTIME_DIR", "/r"), ("HOME", "/h")], &[]).unwrap();
    let from = |key: &str| layered.origins[key].1.as_str();
    assert_eq!(from("listen.socket"), "environment XDG_RUNTIME_DIR");
    assert_eq!(from("state.dir"), "environment HOME");
    let text = "[listen]\nsocket = \"/f\"";
    let layered = load_with(text, &[("STUI_SOCKET", "/e")], &[]).unwrap();
    assert_eq!(layered.config.listen.socket, Path::new("/e"));
    assert_eq!(
        layered.origins["listen.socket"].1,
        "environment STUI_SOCKET"
    );
}

#[test]
fn a_link_that_leaves_the_machine_needs_keys_or_a_word() {
    let far = "[image]\nendpoint = \"tcp://10.0.0.1:5555\"";
    let refused = load_with(far, &[], &[]).unwrap_err().to_string();
    assert!(refused.contains("image.endpoint"), "{refused}");
    assert!(refused.contains("stui keys new"), "{refused}");
    let allowed = format!("{far}\nallow_insecure = true");
    let layered = load_with(&allowed, &[], &[]).unwrap();
    assert_eq!(layered.links.insecure, ["tcp://10.0.0.1:5555"]);
    let front = "[frontend]\nendpoint = \"tcp://*:5565\"";
    let refused = load_with(front, &[], &[]).unwrap_err().to_string();
    assert!(refused.contains("frontend.allow_insecure"), "{refused}");
}

#[test]
fn owners_of_the_front_end_are_a_table_with_keys_of_the_users_own() {
    let text = "[frontend]\nowner = 7\n[frontend.owners]\n\"an.editor\" = 1001";
    let frontend = load_with(text, &[], &[]).unwrap().config.frontend;
    assert_eq!(frontend.owner, Some(7));
    assert_eq!(frontend.owners["an.editor"], 1001);
    let wrong = load_with("[frontend]\nowners = {a = \"x\"}", &[], &[]).unwrap_err();
    assert!(wrong.to_string().contains("frontend.owners"), "{wrong}");
    assert!(load_with("[frontend]\nowner = \"me\"", &[], &[]).is_err());
}

#[test]
fn a_key_without_a_directory_is_a_credential() {
    let dir = tempfile::tempdir().unwrap();
    let made = stui_keys::file::create(dir.path(), "front").unwrap();
    let key = made.public.to_string();
    let text = format!("[frontend]\ncurve_key = \"front.key\"\n[frontend.owners]\n\"{key}\" = 5");
    let credentials = [("CREDENTIALS_DIRECTORY", dir.path().to_str().unwrap())];
    let links = load_with(&text, &credentials, &[]).unwrap().links;
    assert_eq!(links.frontend.unwrap().public, made.public);
    let wrong = load_with(&text, &[], &[]).unwrap_err().to_string();
    assert!(wrong.contains("LoadCredential="), "{wrong}");
    let nobody = "[frontend]\ncurve_key = \"front.key\"";
    let wrong = load_with(nobody, &credentials, &[])
        .unwrap_err()
        .to_string();
    assert!(wrong.contains("[frontend.owners]"), "{wrong}");
    let names = format!("{nobody}\n[frontend.owners]\neditor = 5");
    let wrong = load_with(&names, &credentials, &[])
        .unwrap_err()
        .to_string();
    assert!(wrong.contains("no public key"), "{wrong}");
}

#[test]
fn the_image_link_has_both_keys_or_neither() {
    let dir = tempfile::tempdir().unwrap();
    let own = stui_keys::file::create(dir.path(), "daemon").unwrap();
    let image = stui_keys::file::create(dir.path(), "image").unwrap();
    let far = "[image]\nendpoint = \"tcp://10.0.0.1:5555\"";
    let own_key = format!("curve_key = \"{}\"", own.secret_file.display());
    let server_key = format!("curve_server_key = \"{}\"", image.public_file.display());
    for half in [&own_key, &server_key] {
        let wrong = load_with(&format!("{far}\n{half}"), &[], &[]);
        let wrong = wrong.unwrap_err().to_string();
        assert!(wrong.contains("both keys"), "{wrong}");
    }
    let layered = load_with(&format!("{far}\n{own_key}\n{server_key}"), &[], &[]).unwrap();
    assert!(layered.links.insecure.is_empty());
    let guard = layered.links.image.unwrap();
    assert_eq!((guard.server, guard.own.public), (image.public, own.public));
}

#[test]
fn lines_over_tcp_need_a_tcp_endpoint() {
    let text = |endpoint: &str| format!("[image]\nprotocol = \"tcp\"\nendpoint = \"{endpoint}\"");
    assert!(load_with(&text("tcp://127.0.0.1:5557"), &[], &[]).is_ok());
    let wrong = load_with(&text("ipc:///x"), &[], &[])
        .unwrap_err()
        .to_string();
    assert!(wrong.contains("image.protocol"), "{wrong}");
    let wrong = load_with("[image]\nprotocol = \"udp\"", &[], &[])
        .unwrap_err()
        .to_string();
    assert!(wrong.contains("\"zeromq\" or \"tcp\""), "{wrong}");
}

//! That each key is documented: in `config/stuid.toml`, which is compiled in and so is what the
//! daemon does, and in the table of docs/configuring.md, which is made from that file.

use std::path::Path;

use super::in_force::is_reloadable;
use super::{DEFAULTS, Environment, load};

/// The table stands between these lines.
const BEGIN: &str = "<!-- keys: made from config/stuid.toml -->\n";
const END: &str = "<!-- end of keys -->\n";

/// A key as the file has it.
struct Documented {
    name: String,
    default: String,
    meaning: String,
}

/// Reads the file as people do: the comment right above a key is about that key.
fn documented() -> Vec<Documented> {
    let (mut section, mut comment, mut keys) = (String::new(), Vec::new(), Vec::new());
    for line in DEFAULTS.lines() {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.trim());
            continue;
        }
        let meaning = comment.join(" ");
        comment.clear();
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((key, default)) = line.split_once(" = ") {
            keys.push(Documented {
                name: format!("{section}.{key}"),
                default: default.to_owned(),
                meaning,
            });
        }
    }
    keys
}

fn table() -> String {
    let mut text =
        "| key | default | a change comes | meaning |\n| --- | --- | --- | --- |\n".to_owned();
    for key in documented() {
        let when = match is_reloadable(&key.name) {
            true => "with a reload",
            false => "at the next start",
        };
        let Documented {
            name,
            default,
            meaning,
        } = key;
        text.push_str(&format!(
            "| `{name}` | `{default}` | {when} | {meaning} |\n"
        ));
    }
    text
}

#[test]
fn every_key_is_in_the_file_with_its_meaning_and_unit() {
    let keys = documented();
    // The file is the list of all keys: one that the program does not know, or knows and does not
    // find, ends this.
    let known = load(Some(Path::new("/dev/null")), &Environment::default(), &[]).unwrap();
    let mut names: Vec<_> = keys.iter().map(|key| key.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, known.origins.keys().collect::<Vec<_>>());
    let units = [
        ("_ms", "Milliseconds"),
        ("_s", "Seconds"),
        ("_bytes", "Bytes"),
        ("_days", "Days"),
    ];
    for key in keys {
        let name = &key.name;
        assert!(key.meaning.len() > 20, "{name} has no meaning");
        assert!(!key.meaning.contains('|'), "{name} would break the table");
        if let Some((_, unit)) = units.iter().find(|(end, _)| name.ends_with(end)) {
            assert!(key.meaning.starts_with(unit), "{name} has no unit");
        }
    }
}

/// `STUI_UPDATE_DOCS=1 cargo test -p stuid documented` writes it.
#[test]
fn the_table_of_the_documentation_is_that_of_the_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuring.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    if std::env::var_os("STUI_UPDATE_DOCS").is_some() {
        let page = format!("{before}{BEGIN}{}{END}{after}", table());
        return std::fs::write(&path, page).unwrap();
    }
    assert_eq!(
        found,
        table(),
        "STUI_UPDATE_DOCS=1 cargo test -p stuid documented"
    );
}

/// systemd holds the connections of all clients while it restarts the daemon.
#[test]
fn the_units_have_room_for_the_usual_number_of_clients() {
    let keys = documented();
    let most = keys.iter().find(|key| key.name == "clients.max").unwrap();
    let line = format!("FileDescriptorStoreMax={}\n", most.default);
    for unit in ["system", "user"] {
        let path = format!("../systemd/{unit}/stuid.service");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        assert!(std::fs::read_to_string(path).unwrap().contains(&line));
    }
}

//! `stui doctor`: something is broken on purpose, and the cause is named.

mod ailments;

use serde_json::Value;
use stui_tests::{Daemon, patience, skipped};

use ailments::{AILMENTS, Ailment};

#[test]
fn a_daemon_that_is_well_gets_no_advice() {
    let daemon = Daemon::start();

    let said = daemon.user().run(&["doctor"]).exits(0).stdout;

    for part in [
        "socket",
        "daemon",
        "store",
        "link",
        "listener",
        "evaluator",
        "events",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("WRONG"), "{said}");
}

#[test]
fn whatever_is_broken_is_named() {
    assert!(AILMENTS.len() >= 15);
    for Ailment {
        name,
        part,
        says,
        code,
        befall,
    } in AILMENTS
    {
        let patient = match befall() {
            Ok(patient) => patient,
            Err(needs) => {
                skipped(&format!("the ailment {name:?}"), &needs);
                continue;
            }
        };
        let mut last = String::new();
        // Some take a moment until anybody can see them.
        let named = patience::until_within(patience::PATIENCE, &mut || {
            let ran = patient.user.run(&["doctor", "--json"]);
            last = format!("{ran:#?}");
            let findings: Vec<Value> = serde_json::from_str(&ran.stdout).ok()?;
            let mut of_part = findings.iter().filter(|each| each["part"] == part);
            let found = of_part.any(|finding| {
                let told = finding["says"].as_str().unwrap_or_default();
                let advised = finding["advice"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty());
                finding["state"] != "well" && told.contains(says) && advised
            });
            (found && ran.code == Some(code)).then_some(())
        });
        assert!(
            named.is_some(),
            "{name}: {part} does not say {says:?} with exit code {code}, but {last}"
        );
    }
}

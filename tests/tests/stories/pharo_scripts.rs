//! The scripts that install and run the server in Pharo, tried with a fake VM.

use std::process::Command;

use stui_tests::skipped;

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../pharo-server/scripts/test.sh"
);

#[test]
fn the_scripts_for_pharo_do_what_they_say() {
    if Command::new("python3").arg("--version").output().is_err() {
        return skipped("the_scripts_for_pharo_do_what_they_say", "python3");
    }

    let output = Command::new("bash")
        .arg(SCRIPT)
        .output()
        .expect("running bash");

    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{wrong}");
}

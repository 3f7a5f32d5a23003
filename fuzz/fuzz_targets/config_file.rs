//! The configuration: a file, then, each behind a NUL, variables of the environment. It is in force
//! as a whole, or a sentence says what is wrong.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stuid::config::{Environment, load};

fuzz_target!(|text: &str| {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
        let name = format!("stuid-fuzz-{}.toml", std::process::id());
        std::env::temp_dir().join(name)
    });
    let (file, variables) = text.split_once('\0').unwrap_or((text, ""));
    let variables = variables.split('\0').filter_map(|text| {
        let (name, value) = text.split_once('=')?;
        Some((format!("STUID_{name}"), value.to_owned()))
    });
    std::fs::write(&*FILE, file).expect("a directory for temporary files");
    match load(Some(&FILE), &Environment::of(variables), &[]) {
        Ok(layered) => {
            let limits = layered.config.limits;
            assert!(limits.queue > 0 && limits.requests > 0 && layered.config.clients.max > 0);
            assert!(layered.origins.values().all(|(_, place)| !place.is_empty()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

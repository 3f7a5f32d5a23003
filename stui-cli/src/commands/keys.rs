//! `stui keys new`: a CURVE key pair for the ZeroMQ links. No daemon is asked.

use std::io::Write;

use serde_json::json;
use stui_keys::file::{self, KeyError};

use super::Context;
use crate::args::{Keys, NewKeys};
use crate::exit::{Exit, Problem};

pub(super) fn run(keys: &Keys, context: &mut Context<'_>) -> Result<Exit, Problem> {
    let Keys::New(asked) = keys;
    make(asked, context)
}

fn make(asked: &NewKeys, context: &mut Context<'_>) -> Result<Exit, Problem> {
    if !is_file_name(&asked.name) {
        return Err(Problem::Usage(format!(
            "{:?} cannot be part of a file's name: use letters, digits, -, _ and .",
            asked.name
        )));
    }
    let written = file::create(&asked.out, &asked.name).map_err(explain)?;
    let (public, secret) = (&written.public_file, &written.secret_file);
    if context.json {
        context.print_json(&json!({
            "public_key": written.public.to_string(),
            "public_file": public,
            "secret_file": secret,
        }))?;
    } else {
        let out = &mut context.terminal.out;
        writeln!(out, "{}  the secret key: keep it here", secret.display())?;
        writeln!(out, "{}  the public key, to give away:", public.display())?;
        writeln!(out, "{}", written.public)?;
    }
    Ok(Exit::Done)
}

/// Whether a name names a file in the directory, and nothing elsewhere.
fn is_file_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn explain(error: KeyError) -> Problem {
    match error {
        KeyError::Io { path, why } if why.kind() == std::io::ErrorKind::AlreadyExists => {
            Problem::Usage(format!(
                "{} is there already and stays: choose another name",
                path.display()
            ))
        }
        KeyError::Io { path, why } => Problem::Io {
            doing: format!("writing {}", path.display()),
            source: why,
        },
        other => Problem::Usage(other.to_string()),
    }
}

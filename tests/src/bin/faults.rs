//! The fault suite in its long form, as Markdown for docs/reliability.md.
//!
//! `cargo run --release -p stui-tests --bin faults -- --minutes 30` shares the time among all rows;
//! `--only ROW`, again and again, plays these rows; `--seed NUMBER` rolls the same dice; `--list`
//! tells what the rows are. It ends with 1 when something happened that may not.

#![allow(clippy::unwrap_used, clippy::expect_used)] // as the cast: whatever goes wrong ends it
#![allow(clippy::print_stdout, clippy::print_stderr)] // the table is the result

use std::panic::catch_unwind;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use stui_tests::faults::{HEAD, ROWS, Row, Run};
use stui_tests::scripted;

/// What was asked for.
struct Asked {
    minutes: f64,
    rows: Vec<Row>,
    seed: u64,
}

/// After which an answer that did not come is a hang: the daemon waits a second for one exchange.
const LIMIT: Duration = Duration::from_secs(20);

/// Sessions that are made and closed at least.
const SESSIONS: u64 = 10_000;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        // Not for people: a row's image that can be killed.
        ["image", endpoint, events, record] => {
            scripted::serve(endpoint, events, Path::new(record));
            ExitCode::SUCCESS
        }
        ["--list"] => {
            for row in ROWS {
                println!("{:20} {}", row.name, row.about);
            }
            ExitCode::SUCCESS
        }
        _ => match understand(&words) {
            Ok(asked) => play(&asked),
            Err(wrong) => {
                eprintln!("{wrong}");
                eprintln!("usage: faults [--minutes N] [--only ROW]… [--seed N] | --list");
                ExitCode::from(2)
            }
        },
    }
}

fn understand(words: &[&str]) -> Result<Asked, String> {
    let mut asked = Asked {
        minutes: 1.0,
        rows: Vec::new(),
        seed: 1,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or(format!("{word} needs a value"))?;
        let number = || value.parse().map_err(|_| format!("{value} is no number"));
        match *word {
            "--minutes" => asked.minutes = number()?,
            "--seed" => asked.seed = number()? as u64,
            "--only" => {
                let row = ROWS.iter().find(|row| row.name == *value);
                let row = row.ok_or(format!("there is no row {value}: --list tells them"))?;
                asked.rows.push(*row);
            }
            _ => return Err(format!("{word} is no option")),
        }
    }
    if asked.rows.is_empty() {
        asked.rows = ROWS.to_vec();
    }
    Ok(asked)
}

fn play(asked: &Asked) -> ExitCode {
    let share = asked.minutes * 60.0 / asked.rows.len() as f64;
    let run = Run {
        length: Duration::from_secs_f64(share),
        limit: LIMIT,
        seed: asked.seed,
        program: std::env::current_exe().expect("the path of this program"),
        sessions: SESSIONS,
    };
    let mut all_is_well = true;
    let (mut faults, mut requests) = (0, 0);
    println!("{HEAD}");
    for row in &asked.rows {
        // What breaks one row is told by its panic, and the others are played nevertheless.
        match catch_unwind(|| row.play(&run)) {
            Ok(Ok(tally)) => {
                println!("{tally}");
                faults += tally.faults;
                requests += tally.requests;
                let forbidden = tally.forbidden();
                all_is_well &= forbidden.is_empty();
                for each in forbidden {
                    eprintln!("{each}");
                }
            }
            Ok(Err(missing)) => println!("| {} | SKIPPED: it needs {missing} |", row.name),
            Err(_) => {
                println!("| {} | BROKEN |", row.name);
                all_is_well = false;
            }
        }
    }
    println!(
        "\n{faults} faults, {requests} requests, seed {}.",
        asked.seed
    );
    ExitCode::from(u8::from(!all_is_well))
}

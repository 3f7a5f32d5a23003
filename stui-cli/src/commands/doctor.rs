//! `stui doctor`: looks at each part of the chain from the socket to the image, and says what is
//! wrong and what to do.

mod finding;
mod judging;
mod reaching;
mod settings;

use std::time::Duration;

use stui_protocol::ErrorType;
use stui_protocol::daemon::{Admin, Shown, Status, Subject};
use stui_protocol::time::now;

use super::Context;
use crate::connection::{self, Connection};
use crate::exit::{Exit, Problem};
use finding::{Finding, State};

/// How long the daemon may take for what it knows by heart.
const PATIENCE: Duration = Duration::from_secs(10);

/// Examines everything. Exit code 3 when the daemon is not reached, 4 when the image is not, 1 when
/// something else is wrong, 0 otherwise.
pub(crate) fn run(context: &mut Context<'_>) -> Result<Exit, Problem> {
    let findings = examine(context);
    if context.json {
        context.print_json(&findings)?;
    } else {
        let text = finding::lines(&findings, context.terminal.out.palette);
        std::io::Write::write_all(&mut context.terminal.out, text.as_bytes())?;
    }
    Ok(exit(&findings))
}

fn examine(context: &Context<'_>) -> Vec<Finding> {
    let socket = reaching::socket(&context.socket, context.passed_over.as_ref());
    if socket.state == State::Wrong {
        return [Some(socket), settings::check()]
            .into_iter()
            .flatten()
            .collect();
    }
    let mut findings = vec![socket];
    let mut connection = match Connection::open(&context.socket) {
        Ok(connection) => connection,
        Err(problem) => {
            let nobody = matches!(problem, Problem::NoDaemon(_));
            findings.push(reaching::no_daemon(&problem, &context.socket));
            findings.extend(nobody.then(settings::check).flatten());
            return findings;
        }
    };
    findings.push(judging::versions(&connection.hello().daemon_version));
    let request = connection::request(&Status {}, None);
    let asked = connection.ask_within(&request, PATIENCE);
    match asked.and_then(connection::result::<Status>) {
        Ok(status) => {
            findings.extend(judging::status(&status, now()));
            findings.push(judging::events(events(&mut connection)));
        }
        Err(problem) => findings.push(reaching::no_daemon(&problem, &context.socket)),
    }
    findings
}

/// Whether the image's events arrive; none when only operators may know.
fn events(connection: &mut Connection) -> Result<Option<bool>, Problem> {
    let show = Admin::Show {
        what: Subject::Image,
    };
    let request = connection::request(&show, None);
    let reply = connection.ask_within(&request, PATIENCE)?;
    match connection::result::<Admin>(reply) {
        Ok(result) => match result.shown {
            Some(Shown::Image(image)) => Ok(Some(image.events)),
            _ => Ok(None),
        },
        Err(Problem::Failed(failure)) if failure.error_type == ErrorType::PermissionDenied => {
            Ok(None)
        }
        Err(problem) => Err(problem),
    }
}

fn exit(findings: &[Finding]) -> Exit {
    let wrong = |parts: &[&str]| {
        findings
            .iter()
            .any(|each| each.state == State::Wrong && parts.contains(&each.part))
    };
    if wrong(&["socket", "daemon"]) {
        Exit::NoDaemon
    } else if wrong(&["link", "listener"]) {
        Exit::ImageUnavailable
    } else if findings.iter().any(|each| each.state == State::Wrong) {
        Exit::Failed
    } else {
        Exit::Done
    }
}

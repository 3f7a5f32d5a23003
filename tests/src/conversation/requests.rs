//! What is sent.

use serde_json::{Value, json};
use stui_protocol::ErrorType;

use super::player::Player;
use super::step::{Code, Deed, Garbage};

/// Lines of a log that are asked for at once.
const LOG_LIMIT: usize = 1000;

impl Player<'_> {
    /// The requests of a deed that needs nothing to be known.
    pub(super) fn requests(&self, deed: &Deed) -> Vec<(String, Value)> {
        let one = |command: &str, parameters| vec![(command.to_owned(), parameters)];
        match deed {
            Deed::Attach {
                name,
                create,
                watch,
                steal,
                since,
            } => {
                let mode = if *watch { "watch" } else { "drive" };
                let mut parameters = json!({
                    "session": self.name(*name), "create": create, "mode": mode, "steal": steal,
                });
                if let Some(since) = since {
                    parameters["since"] = (*since).into();
                }
                one("attach", parameters)
            }
            Deed::Detach => one("detach", json!({})),
            Deed::NewSession { name: None } => one("new_session", json!({})),
            Deed::NewSession { name: Some(name) } => {
                one("new_session", json!({"name": self.name(*name)}))
            }
            Deed::Rename { name, to } => one(
                "rename_session",
                json!({"session": self.name(*name), "name": self.name(*to)}),
            ),
            Deed::Kill { name } => one("kill_session", json!({"session": self.name(*name)})),
            Deed::Evaluate { name, code } => one("evaluate", self.with_code(*name, *code)),
            Deed::Submit { name, code } => one("submit", self.with_code(*name, *code)),
            Deed::Interrupt { name } => one("interrupt", json!({"session": self.name(*name)})),
            Deed::Log { name, since } => one(
                "log",
                json!({"session": self.name(*name), "since": since, "limit": LOG_LIMIT}),
            ),
            Deed::History { name } => one("history", json!({"session": self.name(*name)})),
            Deed::List => one("list_sessions", json!({})),
            Deed::Status => one("status", json!({})),
            Deed::Subscribe => one("subscribe", json!({})),
            Deed::Ping | Deed::Twice => one("ping", json!({})),
            Deed::Await { .. } | Deed::Repeat { .. } | Deed::Garbage(_) | Deed::Wrong(_) => {
                Vec::new()
            }
        }
    }

    fn with_code(&self, name: usize, code: Code) -> Value {
        let (source, _) = self.source(code);
        json!({"session": self.name(name), "code": source})
    }

    /// Code whose value nobody else's has, and that value.
    pub(super) fn source(&self, code: Code) -> (String, String) {
        let number = self.tally.requests;
        let source = match code {
            Code::Quick => format!("{number} + 1"),
            Code::Prints => format!("Transcript show: 'text {number}'; cr. {number} + 1"),
            Code::PrintsMuch => format!(
                "| s | s := String new: 1000 withAll: $x. \
                 400 timesRepeat: [Transcript show: s]. {number} + 1"
            ),
            Code::Fails => format!("{number} / 0"),
            Code::IsNoSmalltalk => format!("{number} + ]"),
            Code::Endless => format!("[{number} > 0] whileTrue"),
        };
        (source, (number + 1).to_string())
    }
}

/// How a command may fail when others do something at the same time.
pub(super) fn may_fail_with(command: &str) -> &'static [ErrorType] {
    use ErrorType::{
        EvaluationError, EvaluationNotFound, Interrupted, InvalidParameter, PermissionDenied,
        SessionBusy, SessionNotFound, SyntaxError,
    };
    match command {
        "attach" => &[SessionNotFound, SessionBusy, InvalidParameter],
        "rename_session" => &[SessionNotFound, InvalidParameter],
        "new_session" => &[InvalidParameter, SessionNotFound],
        "kill_session" | "log" | "history" => &[SessionNotFound],
        "submit" => &[SessionNotFound, PermissionDenied],
        "evaluate" => &[
            SessionNotFound,
            PermissionDenied,
            EvaluationError,
            SyntaxError,
            Interrupted,
        ],
        "interrupt" => &[SessionNotFound, PermissionDenied, EvaluationNotFound],
        _ => &[],
    }
}

/// A line that is no request, and how it is refused.
pub(super) fn line_of(garbage: Garbage) -> (Vec<u8>, ErrorType) {
    let line = match garbage {
        Garbage::NoJson => b"no json".to_vec(),
        Garbage::NoObject => b"[1, 2]".to_vec(),
        Garbage::NoUtf8 => b"\xff\xfe{".to_vec(),
        Garbage::NoId => b"{\"command\": \"ping\"}".to_vec(),
        Garbage::LongId => {
            let id = "x".repeat(200);
            format!("{{\"id\": \"{id}\", \"command\": \"ping\"}}").into_bytes()
        }
        Garbage::Deep => "[".repeat(10_000).into_bytes(),
        Garbage::TooLong => vec![b'x'; 11 << 20],
    };
    let due = match garbage {
        Garbage::TooLong => ErrorType::MessageTooLarge,
        _ => ErrorType::InvalidRequest,
    };
    ([line, b"\n".to_vec()].concat(), due)
}

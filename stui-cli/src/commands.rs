//! What `stui` can do, one file for each command, and what all of them need.

mod admin;
mod attach;
mod awaiting;
mod browse;
mod classes;
mod code;
mod doctor;
mod ended;
mod eval;
mod events;
mod generated;
mod history;
mod inspect;
mod interrupt;
mod joining;
mod keys;
mod log;
mod method;
mod new;
mod returning;
mod search;
mod sessions;
mod status;
mod submit;
mod test;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use stui_protocol::daemon::{Attach, AttachMode, AttachResult, Detach};
use stui_protocol::image::SearchKind;
use stui_protocol::{Command, Reply};

use crate::args::{Global, Verb};
use crate::connection::{self, Connection};
use crate::exit::{Exit, Problem};
use crate::render::loss::Loss;
use crate::socket::{self, PassedOver};
use crate::start;
use crate::terminal::Terminal;

pub(crate) use awaiting::goes_on;
pub(crate) use browse::{browse, class};
pub(crate) use inspect::inspection;
pub(crate) use method::parse as parse_method;
pub(crate) use returning::fate_unknown;

/// The session that is meant when none is named. It is made when it is not there.
pub(crate) const MAIN: &str = "main";

/// What a command works with.
pub(crate) struct Context<'t> {
    /// Where the daemon listens.
    pub(crate) socket: PathBuf,
    /// The machine's socket, when it cannot be used.
    passed_over: Option<PassedOver>,
    /// Whether to start a daemon when none runs.
    start: bool,
    /// How long to wait for an image that is away.
    pub(crate) wait: Option<Duration>,
    /// How long a daemon that went away is waited for.
    pub(crate) reconnect: Duration,
    /// Whether to print JSON.
    pub(crate) json: bool,
    /// Where to print.
    pub(crate) terminal: &'t mut Terminal,
}

impl<'t> Context<'t> {
    /// Works out where the daemon is.
    ///
    /// # Errors
    /// As [`socket::locate`].
    pub(crate) fn new(global: &Global, terminal: &'t mut Terminal) -> Result<Self, Problem> {
        // An empty variable is as good as none.
        let path = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let given = global.socket.clone().or_else(|| path("STUI_SOCKET"));
        let machine = Path::new(socket::SYSTEM_SOCKET);
        let place = socket::locate(given, path("XDG_RUNTIME_DIR"), machine)?;
        Ok(Self {
            socket: place.path,
            passed_over: place.passed_over,
            start: !global.no_start,
            wait: global.wait,
            reconnect: global.reconnect,
            json: global.json,
            terminal,
        })
    }

    /// Connects; starts a daemon when none runs, for commands that are useful with a fresh one.
    pub(crate) fn connect(&mut self) -> Result<Connection, Problem> {
        let passed_over = self.passed_over.as_ref().filter(|_| self.start);
        if let Some(denied) = passed_over.filter(|each| each.is_denied()) {
            let advice = "be in the group that may, or name another with --socket";
            writeln!(self.terminal.err, "stui: {denied} ({advice})")?;
        }
        let connection = match start::connect(&self.socket, self.start, &mut self.terminal.err) {
            Err(problem) if returning::is_ending(&problem) => self.open(),
            Err(Problem::NoDaemon(path)) => Err(self.nobody(
                &path,
                "start stuid, or leave out --no-start to have it started",
            )),
            other => other,
        };
        Ok(connection?.patient(self.wait))
    }

    /// Connects to a daemon that runs, for commands about what is there.
    pub(crate) fn connect_running(&mut self) -> Result<Connection, Problem> {
        let opened = self.open().map_err(|problem| match problem {
            Problem::NoDaemon(path) => self.nobody(&path, "`stui` starts one"),
            other => other,
        });
        Ok(opened?.patient(self.wait))
    }

    /// No daemon is anywhere it was looked for.
    fn nobody(&self, path: &Path, advice: &str) -> Problem {
        let mut text = format!("no daemon listens at {}", path.display());
        if let Some(machine) = &self.passed_over {
            text += &format!(", and {machine}");
        }
        Problem::NotStarted(format!("{text}: {advice}"))
    }

    /// Does a command; prints the reply with `--json`, else what `show` makes of the result. The
    /// exit code is the same either way.
    pub(crate) fn answer<C: Command, S: Into<Shown>>(
        &mut self,
        connection: &mut Connection,
        command: &C,
        session: Option<&str>,
        show: impl FnOnce(&C::Result, &Terminal) -> S,
    ) -> Result<Exit, Problem> {
        let reply = self.ask(connection, command, session)?;
        self.show_reply::<C, S>(reply, show)
    }

    /// Prints a reply as [`Self::answer`] does.
    pub(crate) fn show_reply<C: Command, S: Into<Shown>>(
        &mut self,
        reply: Reply,
        show: impl FnOnce(&C::Result, &Terminal) -> S,
    ) -> Result<Exit, Problem> {
        if self.json {
            self.print_json(&reply)?;
        }
        let shown: Shown = match connection::result::<C>(reply) {
            Ok(result) => show(&result, self.terminal).into(),
            // It has been told.
            Err(problem) if self.json => return Err(Problem::Told(problem.exit())),
            Err(problem) => return Err(problem),
        };
        if !self.json {
            self.terminal.out.write_all(shown.text.as_bytes())?;
        }
        Ok(shown.exit)
    }

    /// Prints something as one line of JSON.
    pub(crate) fn print_json(&mut self, what: &impl Serialize) -> Result<(), Problem> {
        let line = serde_json::to_string(what)
            .map_err(|error| Problem::io("writing JSON")(error.into()))?;
        writeln!(self.terminal.out, "{line}")?;
        Ok(())
    }
}

/// A result as text, and what it means for the exit code.
pub(crate) struct Shown {
    text: String,
    exit: Exit,
}

impl Shown {
    /// Text that is the answer, unless nothing was found.
    pub(crate) fn found(text: String, any: bool) -> Self {
        let exit = if any { Exit::Done } else { Exit::Failed };
        Self { text, exit }
    }
}

impl From<String> for Shown {
    fn from(text: String) -> Self {
        let exit = Exit::Done;
        Self { text, exit }
    }
}

/// Does what the command line says; without a command, attaches to [`MAIN`].
///
/// # Errors
/// Whatever keeps it from being done.
pub(crate) fn run(verb: Option<Verb>, context: &mut Context<'_>) -> Result<Exit, Problem> {
    match verb.unwrap_or_else(|| Verb::Attach(crate::args::Attach::default())) {
        Verb::Admin(args) => admin::run(&args, context),
        Verb::Doctor => doctor::run(context),
        Verb::Attach(args) => attach::run(&args, context),
        Verb::New(args) => new::run(&args, context),
        Verb::Ls => sessions::list(context),
        Verb::Kill(args) => sessions::kill(args.session, context),
        Verb::Rename { old, new } => sessions::rename(old, new, context),
        Verb::Share(args) => sessions::share(args, context),
        Verb::Eval(args) => eval::run(&args, context),
        Verb::Submit(args) => submit::run(&args, context),
        Verb::Await(args) => awaiting::run(&args, context),
        Verb::Log(args) => log::run(&args, context),
        Verb::Events => events::run(context),
        Verb::Inspect(args) => inspect::run(&args, context),
        Verb::Browse { class } => browse::run(&class, context),
        Verb::Classes { pattern, limit } => classes::run(pattern.as_deref(), limit, context),
        Verb::Method { method } => method::run(&method, context),
        Verb::Senders(args) => search::run(SearchKind::Senders, &args.text, context),
        Verb::Implementors(args) => search::run(SearchKind::Implementors, &args.text, context),
        Verb::References(args) => search::run(SearchKind::References, &args.text, context),
        Verb::Test(args) => test::run(&args, context),
        Verb::Interrupt { session } => interrupt::run(&session, context),
        Verb::History(args) => history::run(&args, context),
        Verb::Status => status::run(context),
        Verb::Keys(args) => keys::run(&args, context),
        Verb::Completions { shell } => generated::completions(shell, context),
        Verb::Man { dir } => generated::man(&dir),
        Verb::RunDaemon { stuid, listen } => Err(start::run_daemon(&stuid, &listen)),
    }
}

/// Joins a session to see what happens in it, makes it when it is not there, and answers its id.
pub(crate) fn look_on(
    connection: &mut Connection,
    session: Option<&str>,
) -> Result<String, Problem> {
    Ok(watch(connection, session)?.session.session_id)
}

/// As [`look_on`], and answers all that the daemon says of it.
///
/// # Errors
/// Why it cannot be joined; that it is lost, when something was saved of it: nobody shall throw
/// that away without a word.
pub(crate) fn watch(
    connection: &mut Connection,
    session: Option<&str>,
) -> Result<AttachResult, Problem> {
    let mut attach = Attach {
        session: session.unwrap_or(MAIN).to_owned(),
        mode: AttachMode::Watch,
        ..Attach::default()
    };
    let joined = joining::attach_or_make(connection, &attach)?;
    match Loss::of_session(&joined.session) {
        Some(loss) if loss.is_saved() => Err(loss.failure().into()),
        Some(_) => {
            attach.create = true;
            connection.call(&attach, None)
        }
        None => Ok(joined),
    }
}

/// The session that is named, or [`MAIN`], which is made when it is not there.
pub(crate) fn session_or_main<'s>(
    connection: &mut Connection,
    session: Option<&'s str>,
) -> Result<&'s str, Problem> {
    if let Some(session) = session {
        return Ok(session);
    }
    look_on(connection, None)?;
    connection.call(&Detach {}, None)?;
    Ok(MAIN)
}

//! The command line.

pub(crate) mod admin;
mod detached;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args as Group, Parser, Subcommand};

pub(crate) use detached::{Await, Code, Log};

/// A terminal for a live Smalltalk image.
///
/// Without a command, `stui` attaches to the session `main`, which is made when it is not there.
#[derive(Debug, Parser)]
#[command(name = "stui", version, propagate_version = true)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 the Smalltalk code failed or the thing is not there, 2 usage, 3 no daemon,
4 image unavailable, 5 timeout, 6 refused or busy, 7 no such session, 130 interrupted.";

const COMPLETIONS: &str = "\
For bash: stui completions bash > ~/.local/share/bash-completion/completions/stui
For zsh, in a directory of $fpath: stui completions zsh > _stui
For fish: stui completions fish > ~/.config/fish/completions/stui.fish";

const EVAL: &str = "\
What the code writes to the Transcript goes to standard output as it comes, then the result on a
line of its own; errors go to standard error. Variables stay in the session, so that
`stui eval 'x := 3'` and then `stui eval 'x'` print 3 twice. Ctrl-C interrupts the evaluation.
A process that ends in another way leaves the evaluation running.";

/// Options of every command.
#[derive(Debug, Group)]
pub(crate) struct Global {
    /// Socket of the daemon [default: $STUI_SOCKET, else your own when it is there, else the
    /// machine's, /run/stui/stuid.sock, when you may use it, else your own, where a daemon is
    /// started: $XDG_RUNTIME_DIR/stui/stuid.sock, or /tmp/stui-$UID/stuid.sock]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// Fail when no daemon runs instead of starting one
    #[arg(long, global = true, env = "STUI_NO_START", value_parser = FalseyValueParser::new())]
    pub(crate) no_start: bool,
    /// Wait so long for an image that is away instead of failing at once; eval waits no longer
    /// than that for its end either, and the evaluation goes on
    #[arg(long, global = true, value_name = "TIME", value_parser = duration)]
    pub(crate) wait: Option<Duration>,
    /// How long to wait for a daemon that goes away meanwhile; 0 is not at all
    #[arg(long, global = true, value_name = "TIME", default_value = "60s", value_parser = patience)]
    pub(crate) reconnect: Duration,
    /// Print JSON: the reply as it came, or the events of a watched session
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Attach to a session and work in it
    Attach(Attach),
    /// Make a session and attach to it
    New(New),
    /// List the sessions
    #[command(visible_alias = "list")]
    Ls,
    /// End a session; what runs in it is terminated
    Kill(OneSession),
    /// Give a session another name
    Rename {
        /// The session
        old: String,
        /// Its new name
        new: String,
    },
    /// Let other users use a session, or nobody but its owner again
    Share(Share),
    /// Evaluate code and print its result
    #[command(after_help = EVAL)]
    Eval(Evaluation),
    /// Start an evaluation, print its id and leave it to itself
    #[command(after_help = detached::SUBMIT)]
    Submit(Evaluation),
    /// Wait for an evaluation that was submitted and print its result
    Await(Await),
    /// Print what happened in a session
    Log(Log),
    /// Print what happens in the daemon and to the image, as JSON lines
    Events,
    /// Look into an object
    Inspect(Inspect),
    /// Show a class: its variables and the selectors of its methods
    Browse {
        /// The class
        class: String,
    },
    /// List the classes whose names match
    Classes {
        /// `*` and `?` stand for any text and any character; a text without them may stand
        /// anywhere in the name
        pattern: Option<String>,
        /// Most classes to list
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Print the source of a method
    Method {
        /// Such as 'OrderedCollection>>add:' or 'OrderedCollection class>>new:'
        method: String,
    },
    /// List the methods that send a selector
    Senders(Search),
    /// List the methods of a selector
    Implementors(Search),
    /// List the methods that name a class or global
    References(Search),
    /// Run SUnit tests
    Test(Test),
    /// Interrupt what runs in a session
    Interrupt {
        /// The session
        #[arg(default_value = "main")]
        session: String,
    },
    /// List past evaluations of a session
    History(History),
    /// Show how the daemon and the image are
    Status,
    /// Look at each part from the socket to the image, and say what is wrong and what to do
    Doctor,
    /// Make CURVE keys for ZeroMQ links that leave this machine
    #[command(subcommand)]
    Keys(Keys),
    /// Operate the daemon, as root or as the user who runs it
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Print completions for a shell
    #[command(after_help = COMPLETIONS)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages of `stui` and its commands, for packages
    #[command(hide = true)]
    Man {
        /// Into this directory
        dir: PathBuf,
    },
    /// What `stui` runs in the background to become the daemon
    #[command(hide = true)]
    RunDaemon {
        /// The program
        stuid: PathBuf,
        /// The daemon's socket
        listen: PathBuf,
    },
}

/// Options of `attach`.
#[derive(Debug, Default, Group)]
pub(crate) struct Attach {
    /// The session [default: main]
    pub(crate) name: Option<String>,
    /// Make it when it is not there, and anew when the image has lost it; `main` is always made
    #[arg(long, short)]
    pub(crate) create: bool,
    /// Bring it back from its newest saved context when the image has lost it; without a terminal
    /// that is all
    #[arg(long, short)]
    pub(crate) recreate: bool,
    /// Look on without a prompt
    #[arg(long, short)]
    pub(crate) watch: bool,
    /// Take over from whoever drives the session
    #[arg(long, conflicts_with = "watch")]
    pub(crate) steal: bool,
}

/// Options of `new`.
#[derive(Debug, Group)]
pub(crate) struct New {
    /// Its name; made up without one
    pub(crate) name: Option<String>,
    /// Print the name and do not attach
    #[arg(long, short)]
    pub(crate) detached: bool,
    /// Share it with others from the start, as `stui share` does
    #[arg(long, value_name = "WITH")]
    pub(crate) share: Option<String>,
}

/// Options of `share`.
#[derive(Debug, Group)]
#[command(after_help = "\
Others name the session with its owner's number before it, as `stui ls` shows it to them:
`stui attach 1000:main`. Without --watch-only they can evaluate in it, take it over and interrupt
what runs; only its owner can rename, share and end it. Whatever is evaluated runs in one image,
so code of any user can reach the objects of all.")]
pub(crate) struct Share {
    /// The session
    pub(crate) session: String,
    /// `private`, `group` (your primary group), `group:N`, `all`, or `uid:N,N…`
    pub(crate) with: String,
    /// They may only look on
    #[arg(long)]
    pub(crate) watch_only: bool,
}

/// One session by name.
#[derive(Debug, Group)]
pub(crate) struct OneSession {
    /// The session
    pub(crate) session: String,
}

/// What to evaluate, where, and within which bounds: options of `eval` and `submit`.
#[derive(Debug, Group)]
pub(crate) struct Evaluation {
    #[command(flatten)]
    pub(crate) code: Code,
    /// Evaluate in this session, which is made when it is not there [default: main]
    #[arg(long, short, value_name = "NAME")]
    pub(crate) session: Option<String>,
    /// Stop the code after this time, such as 500ms, 1s, 5m, 2h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Most characters of the result
    #[arg(long, value_name = "N")]
    pub(crate) print_limit: Option<usize>,
}

/// Options of `inspect`.
#[derive(Debug, Group)]
pub(crate) struct Inspect {
    /// An expression for the object
    #[arg(allow_hyphen_values = true)]
    pub(crate) expression: String,
    /// Go to a part of it: names, keys and indexes with slashes between, such as `3/key`
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// Most fields to show
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Fields to skip
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) offset: usize,
    /// The session whose variables count [default: main, made when it is not there]
    #[arg(long, short, value_name = "NAME")]
    pub(crate) session: Option<String>,
}

/// Options of the searches.
#[derive(Debug, Group)]
pub(crate) struct Search {
    /// What to look for
    pub(crate) text: String,
}

/// Options of `test`.
#[derive(Debug, Group)]
pub(crate) struct Test {
    /// A test class, a pattern of class names, or one test such as 'SetTest>>testAdd'
    pub(crate) tests: String,
    /// Stop the tests after this time
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Run them in this session [default: main, made when it is not there]
    #[arg(long, short, value_name = "NAME")]
    pub(crate) session: Option<String>,
}

/// Options of `history`.
#[derive(Debug, Group)]
pub(crate) struct History {
    /// The session
    #[arg(default_value = "main")]
    pub(crate) session: String,
    /// Only evaluations whose code has this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) grep: Option<String>,
    /// Most evaluations to list, the newest
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make a key pair: NAME.key, which only you can read, and NAME.pub, to give away
    New(NewKeys),
}

/// Options of `keys new`.
#[derive(Debug, Group)]
pub(crate) struct NewKeys {
    /// What the key is for, such as `image`
    pub(crate) name: String,
    /// Write the files into this directory
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
}

/// Reads `500ms`, `1s`, `5m`, `2h`; a number alone is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let seconds = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("{unit:?} is no unit of time: ms, s, m and h are")),
    };
    let number: f64 = digits
        .parse()
        .map_err(|_| "a time is a number and a unit, such as 1s".to_owned())?;
    Duration::try_from_secs_f64(number * seconds)
        .ok()
        .filter(|time| *time >= Duration::from_millis(1) && *time <= LONGEST)
        .ok_or_else(|| "a time lies between 1ms and 8760h".to_owned())
}

/// As [`duration`], or `0`.
fn patience(text: &str) -> Result<Duration, String> {
    match text {
        "0" | "0s" => Ok(Duration::ZERO),
        other => duration(other),
    }
}

/// The longest time that can be asked for: a year.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for wrong in [
            "", "s", "1d", "-1s", "0s", "1 s", "inf", "NaN", "9e99h", "1é",
        ] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn code_may_begin_with_a_minus() {
        let parse = |line: &[&str]| Args::try_parse_from(line).unwrap();
        let Some(Verb::Eval(eval)) = parse(&["stui", "eval", "--json", "-3 abs"]).verb else {
            panic!("not eval");
        };
        assert_eq!(eval.code.code.as_deref(), Some("-3 abs"));
        let args = parse(&["stui", "eval", "--timeout", "1s", "-", "--json"]);
        assert!(args.global.json);
    }
}

//! What may happen in a conversation. Every sequence of steps makes sense: a step whose client is
//! not there does nothing, so that a failing conversation can be shortened anywhere.

use proptest::prelude::*;

/// Clients of one conversation.
pub(super) const CLIENTS: usize = 4;

/// Names for sessions in one conversation.
pub(super) const NAMES: usize = 3;

/// One thing that a client does.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // numbers of clients and of names, and what the variants' names say
pub enum Step {
    Connect {
        client: usize,
    },
    /// Closes the connection, perhaps in the middle of a line.
    Leave {
        client: usize,
        mid_line: bool,
    },
    /// Sends the first half of a request; whatever it does next begins with the rest.
    HalfLine {
        client: usize,
    },
    Do {
        client: usize,
        deed: Deed,
    },
    /// Many requests of several clients at once, before any reply is read.
    Burst(Vec<(usize, Deed)>),
}

/// A request, valid or not.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // as the commands of the protocol
pub enum Deed {
    Attach {
        name: usize,
        create: bool,
        watch: bool,
        steal: bool,
        since: Option<u64>,
    },
    Detach,
    NewSession {
        name: Option<usize>,
    },
    Rename {
        name: usize,
        to: usize,
    },
    Kill {
        name: usize,
    },
    Evaluate {
        name: usize,
        code: Code,
    },
    Submit {
        name: usize,
        code: Code,
    },
    /// Of an evaluation of before.
    Await {
        which: usize,
        until_the_end: bool,
    },
    /// An evaluation of before, under the same id.
    Repeat {
        which: usize,
    },
    Interrupt {
        name: usize,
    },
    Log {
        name: usize,
        since: u64,
    },
    History {
        name: usize,
    },
    List,
    Status,
    Ping,
    Subscribe,
    /// The same id twice.
    Twice,
    Garbage(Garbage),
    Wrong(Wrong),
}

/// What is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub enum Code {
    Quick,
    Prints,
    /// More than a log keeps.
    PrintsMuch,
    Fails,
    IsNoSmalltalk,
    /// Until it is interrupted.
    Endless,
}

/// Lines that are no requests.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // the names say it
pub enum Garbage {
    NoJson,
    NoObject,
    NoUtf8,
    NoId,
    LongId,
    Deep,
    TooLong,
}

/// Requests that cannot be served as they are.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // the names say it
pub enum Wrong {
    UnknownCommand,
    NumberForName,
    NoCode,
    BadName,
    NewerVersion,
    UnknownEvaluation,
}

/// Any conversation of at most so many steps.
pub fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..=most)
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..CLIENTS;
    prop_oneof![
        4 => client.clone().prop_map(|client| Step::Connect { client }),
        2 => (client.clone(), any::<bool>())
            .prop_map(|(client, mid_line)| Step::Leave { client, mid_line }),
        1 => client.clone().prop_map(|client| Step::HalfLine { client }),
        30 => (client.clone(), deed()).prop_map(|(client, deed)| Step::Do { client, deed }),
        2 => proptest::collection::vec((client, burst_deed()), 2..20).prop_map(Step::Burst),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    let name = 0..NAMES;
    prop_oneof![
        6 => burst_deed(),
        3 => (name.clone(), code()).prop_map(|(name, code)| Deed::Evaluate { name, code }),
        3 => (name, code()).prop_map(|(name, code)| Deed::Submit { name, code }),
        2 => (0..40_usize, any::<bool>())
            .prop_map(|(which, until_the_end)| Deed::Await { which, until_the_end }),
        1 => (0..40_usize).prop_map(|which| Deed::Repeat { which }),
        1 => garbage().prop_map(Deed::Garbage),
        1 => wrong().prop_map(Deed::Wrong),
    ]
}

/// Deeds that are over soon, whatever else happens.
fn burst_deed() -> impl Strategy<Value = Deed> {
    let name = 0..NAMES;
    prop_oneof![
        5 => attach(),
        1 => Just(Deed::Detach),
        1 => proptest::option::of(name.clone()).prop_map(|name| Deed::NewSession { name }),
        1 => (name.clone(), name.clone()).prop_map(|(name, to)| Deed::Rename { name, to }),
        1 => name.clone().prop_map(|name| Deed::Kill { name }),
        3 => (name.clone(), quick()).prop_map(|(name, code)| Deed::Evaluate { name, code }),
        2 => (name.clone(), quick()).prop_map(|(name, code)| Deed::Submit { name, code }),
        2 => name.clone().prop_map(|name| Deed::Interrupt { name }),
        1 => (name.clone(), 0..30_u64).prop_map(|(name, since)| Deed::Log { name, since }),
        1 => name.prop_map(|name| Deed::History { name }),
        2 => prop_oneof![
            Just(Deed::List),
            Just(Deed::Status),
            Just(Deed::Ping),
            Just(Deed::Subscribe),
            Just(Deed::Twice),
        ],
    ]
}

fn attach() -> impl Strategy<Value = Deed> {
    let since = proptest::option::of(0..30_u64);
    let flags = (prop::bool::weighted(0.7), any::<bool>(), any::<bool>());
    (0..NAMES, flags, since).prop_map(|(name, (create, watch, steal), since)| Deed::Attach {
        name,
        create,
        watch,
        steal,
        since,
    })
}

fn quick() -> impl Strategy<Value = Code> {
    prop_oneof![
        4 => Just(Code::Quick),
        2 => Just(Code::Prints),
        1 => Just(Code::Fails),
        1 => Just(Code::IsNoSmalltalk),
    ]
}

fn code() -> impl Strategy<Value = Code> {
    prop_oneof![
        6 => quick(),
        1 => Just(Code::PrintsMuch),
        2 => Just(Code::Endless),
    ]
}

fn garbage() -> impl Strategy<Value = Garbage> {
    prop_oneof![
        4 => Just(Garbage::NoJson),
        4 => Just(Garbage::NoObject),
        4 => Just(Garbage::NoUtf8),
        4 => Just(Garbage::NoId),
        4 => Just(Garbage::LongId),
        4 => Just(Garbage::Deep),
        1 => Just(Garbage::TooLong),
    ]
}

fn wrong() -> impl Strategy<Value = Wrong> {
    prop_oneof![
        Just(Wrong::UnknownCommand),
        Just(Wrong::NumberForName),
        Just(Wrong::NoCode),
        Just(Wrong::BadName),
        Just(Wrong::NewerVersion),
        Just(Wrong::UnknownEvaluation),
    ]
}

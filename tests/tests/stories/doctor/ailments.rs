//! What can befall a daemon, each really done to a real one.

mod causes;

use std::any::Any;

use stui_tests::{Cli, Daemon};

/// Something that is wrong, and what must be said of it.
pub(super) struct Ailment {
    pub(super) name: &'static str,
    /// The part of the chain at which it is to be found.
    pub(super) part: &'static str,
    /// Words that name the cause.
    pub(super) says: &'static str,
    /// The exit code of `stui doctor`.
    pub(super) code: i32,
    /// Does it; or says what this machine lacks for it.
    pub(super) befall: fn() -> Result<Patient, String>,
}

/// Whoever asks the doctor, and all that has to live meanwhile.
pub(super) struct Patient {
    pub(super) user: Cli,
    _kept: Vec<Box<dyn Any>>,
}

impl Patient {
    fn of(user: Cli) -> Self {
        Self {
            user,
            _kept: Vec::new(),
        }
    }

    fn with(mut self, kept: impl Any) -> Self {
        self._kept.push(Box::new(kept));
        self
    }
}

impl From<Daemon> for Patient {
    fn from(daemon: Daemon) -> Self {
        Self::of(daemon.user()).with(daemon)
    }
}

const fn ailment(
    name: &'static str,
    (part, says, code): (&'static str, &'static str, i32),
    befall: fn() -> Result<Patient, String>,
) -> Ailment {
    Ailment {
        name,
        part,
        says,
        code,
        befall,
    }
}

/// No daemon is reached.
const NO_DAEMON: i32 = 3;
/// No image is reached.
const NO_IMAGE: i32 = 4;
/// Something else is wrong.
const WRONG: i32 = 1;
/// Worth a note only.
const NOTE: i32 = 0;

#[rustfmt::skip] // a table
pub(super) const AILMENTS: [Ailment; 20] = [
    ailment("nothing was ever started", ("socket", "nothing is at", NO_DAEMON), causes::nothing_is_there),
    ailment("a file where the socket should be", ("socket", "is no socket", NO_DAEMON), causes::a_file_is_there),
    ailment("a key that is misspelt", ("settings", "did you mean log.level", NO_DAEMON), causes::a_misspelt_key),
    ailment("a killed daemon", ("daemon", "nobody listens at", NO_DAEMON), causes::a_killed_daemon),
    ailment("a stopped daemon", ("daemon", "did not answer", NO_DAEMON), causes::a_stopped_daemon),
    ailment("another program at the socket", ("daemon", "not a message", NO_DAEMON), causes::another_program),
    ailment("a socket of somebody else", ("daemon", "ermission denied", NO_DAEMON), causes::a_socket_of_another_user),
    ailment("no place for one more client", ("daemon", "clients.max", NO_DAEMON), causes::too_many_clients),
    ailment("a daemon of another version", ("versions", "9.9.9", NO_DAEMON), causes::another_version),
    ailment("no image", ("link", "nobody is at", NO_IMAGE), causes::no_image),
    ailment("an image without the keys", ("link", "CURVE keys, or neither", NO_IMAGE), causes::keys_at_one_end),
    ailment("a killed image", ("link", "nobody is at", NO_IMAGE), causes::a_killed_image),
    ailment("a stopped image", ("listener", "not answered a ping", NO_IMAGE), causes::a_stopped_image),
    ailment("code that lets nothing else run", ("evaluator", "keeps everything else waiting", WRONG), causes::a_frozen_evaluator),
    ailment("events from nowhere", ("events", "do not arrive", NOTE), causes::no_events),
    ailment("a full disk", ("store", "CANNOT BE WRITTEN", WRONG), causes::a_full_disk),
    ailment("a disk that is read-only", ("store", "ead-only", WRONG), causes::a_disk_that_is_read_only),
    ailment("a damaged store", ("store", "damaged and set aside", NOTE), causes::a_damaged_store),
    ailment("a pause that somebody forgot", ("pause", "holds new work back", NOTE), causes::a_pause),
    ailment("a client that does not read", ("clients", "do not read", NOTE), causes::a_deaf_client),
];

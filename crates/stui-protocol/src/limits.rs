//! The bounds that the protocol sets, as named constants.
//!
//! Bounds that an implementation chooses for itself (queue lengths, sessions per client) are not
//! here: they are announced by `describe`.

/// The largest message on any link, in bytes, without framing.
pub const MAX_MESSAGE_BYTES: usize = 10 * 1024 * 1024;

/// The longest request id, in characters.
pub const MAX_ID_CHARS: usize = 128;

/// The longest command name looked at, in characters; longer ones are echoed cut.
pub const MAX_COMMAND_CHARS: usize = 64;

/// The deepest nesting of arrays and objects in a message. `serde_json` refuses more.
pub const MAX_DEPTH: usize = 127;

/// Replies that an image keeps for repeated ids: at least this many, or [`KEPT_REPLY_BYTES`].
pub const KEPT_REPLIES: usize = 1024;

/// Bytes of replies that an image keeps for repeated ids; see [`KEPT_REPLIES`].
pub const KEPT_REPLY_BYTES: usize = 16 * 1024 * 1024;

/// Characters of a print string unless the request says otherwise.
pub const DEFAULT_PRINT_LIMIT: usize = 10_000;

/// Fields that `inspect` answers unless the request says otherwise.
pub const DEFAULT_FIELD_LIMIT: usize = 100;

/// The longest name of a session, in characters.
pub const MAX_SESSION_NAME_CHARS: usize = 64;

//! The commands that an image answers, as the tables of the protocol page list them.

mod code;
mod context;
mod core;
mod evaluation;
mod object;
mod session;

pub use code::*;
pub use context::*;
pub use core::*;
pub use evaluation::*;
pub use object::*;
pub use session::*;

use crate::command::command_enum;

command_enum! {
    /// A command to the image.
    ImageCommand {
        // Core
        Ping, Evaluate, Inspect, BrowseClass, Debug, SystemInfo, ListClasses, GetMethod,
        // Sessions and contexts
        CreateSession, RestoreSession, UpdateSessionState, CloseSession, GetSessionInfo,
        ListClientSessions, GetSessionStatistics, SaveContext, LoadContext, GetContextSummary,
        ClearContext,
        // Beyond 1.0
        Describe, ListSessions, EvaluationStatus, Interrupt, Complete, CheckSyntax, Search,
        DefineClass, CompileMethod, RemoveMethod, FileIn, RunTests, ReleaseObject, SaveImage,
    }
}

//! The commands of the image link, one file for each or for each small family.
//!
//! A command is a function of the image, the request's id and version, and its parameters. It
//! answers now, or later under the request's id (`Image::settle`).

pub(super) mod browse;
pub(super) mod check_syntax;
pub(super) mod complete;
pub(super) mod contexts;
pub(super) mod debug;
pub(super) mod define_class;
pub(super) mod describe;
pub(super) mod evaluate;
pub(super) mod evaluation_status;
pub(super) mod file_in;
pub(super) mod inspect;
pub(super) mod interrupt;
pub(super) mod methods;
pub(super) mod ping;
pub(super) mod run_tests;
pub(super) mod save_image;
pub(super) mod search;
pub(super) mod session_state;
pub(super) mod sessions;
pub(super) mod system_info;

use serde_json::Value;
use stui_protocol::image::ImageCommand;
use stui_protocol::{Command, Failure, Version};

use super::image::Image;

/// Who asks, in what version.
#[derive(Debug)]
pub(super) struct Asked {
    /// The request's id.
    pub(super) id: String,
    /// What the sender speaks.
    pub(super) version: Version,
}

/// When the answer comes.
#[derive(Debug)]
pub(super) enum Answer {
    /// Here it is.
    Now(Value),
    /// `Image::settle` will be called with the request's id.
    Later,
}

/// What a command says.
pub(super) type Done = Result<Answer, Failure>;

/// The result of a command as JSON.
pub(super) fn value_of<C: Command>(result: &C::Result) -> Value {
    // Results are structs with string keys: they always become JSON.
    serde_json::to_value(result).unwrap_or_default()
}

/// An answer now.
fn answer<C: Command>(result: &C::Result) -> Done {
    Ok(Answer::Now(value_of::<C>(result)))
}

/// Does a command.
pub(super) fn run(image: &mut Image, asked: &Asked, command: ImageCommand) -> Done {
    match command {
        ImageCommand::Ping(command) => ping::run(image, command),
        ImageCommand::Evaluate(command) => evaluate::run(image, asked, command),
        ImageCommand::Inspect(command) => inspect::run(image, asked, command),
        ImageCommand::BrowseClass(command) => browse::browse_class(image, &command),
        ImageCommand::Debug(command) => debug::run(image, asked, &command),
        ImageCommand::SystemInfo(command) => system_info::run(image, &command),
        ImageCommand::ListClasses(command) => browse::list_classes(image, &command),
        ImageCommand::GetMethod(command) => methods::get(image, &command),
        ImageCommand::CreateSession(command) => sessions::create(image, command),
        ImageCommand::RestoreSession(command) => session_state::restore(image, &command),
        ImageCommand::UpdateSessionState(command) => session_state::update(image, command),
        ImageCommand::CloseSession(command) => sessions::close(image, asked, command),
        ImageCommand::GetSessionInfo(command) => sessions::info(image, &command),
        ImageCommand::ListClientSessions(command) => sessions::of_client(image, command),
        ImageCommand::GetSessionStatistics(_) => sessions::statistics(image),
        ImageCommand::SaveContext(command) => contexts::save(image, command),
        ImageCommand::LoadContext(command) => contexts::load(image, &command),
        ImageCommand::GetContextSummary(command) => contexts::summary(image, &command),
        ImageCommand::ClearContext(command) => contexts::clear(image, &command),
        ImageCommand::Describe(_) => describe::run(image),
        ImageCommand::ListSessions(_) => sessions::list(image),
        ImageCommand::EvaluationStatus(command) => evaluation_status::run(image, asked, &command),
        ImageCommand::Interrupt(command) => interrupt::run(image, asked, &command),
        ImageCommand::Complete(command) => complete::run(image, &command),
        ImageCommand::CheckSyntax(command) => check_syntax::run(command),
        ImageCommand::Search(command) => search::run(image, command),
        ImageCommand::DefineClass(command) => define_class::run(image, asked, &command),
        ImageCommand::CompileMethod(command) => methods::compile(image, &command),
        ImageCommand::RemoveMethod(command) => methods::remove(image, &command),
        ImageCommand::FileIn(command) => file_in::run(image, asked, &command),
        ImageCommand::RunTests(command) => run_tests::run(image, asked, &command),
        ImageCommand::ReleaseObject(command) => inspect::release(image, command),
        ImageCommand::SaveImage(_) => save_image::run(image),
    }
}

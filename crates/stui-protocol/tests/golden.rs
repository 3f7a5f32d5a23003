//! The golden messages under `tests/golden/`: what old and new peers must go on to understand.
//!
//! One file for each command (request and reply), each event and each failure. A golden message
//! must be read as its type and be written again with the same keys and values.

#![allow(clippy::unwrap_used)] // a golden message that cannot be read is what these tests are to find

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use stui_protocol::codec::{client, event, image};
use stui_protocol::command::parameters;
use stui_protocol::daemon::{self, DaemonCommand};
use stui_protocol::image::{self as commands, ImageCommand};
use stui_protocol::{Command, ErrorType, Event, Reply, Request};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden")
        .join(name)
}

fn golden(folder_name: &str, name: &str) -> Value {
    let path = folder(folder_name).join(name).with_extension("json");
    let text = fs::read(&path).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()))
}

fn names(folder_name: &str) -> BTreeSet<String> {
    fs::read_dir(folder(folder_name))
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

/// The request and the reply of a command's golden file, read as their types and written again.
fn check<C: Command>(folder_name: &str) {
    check_file::<C>(folder_name, C::NAME);
}

fn check_file<C: Command>(folder_name: &str, name: &str) {
    let golden = golden(folder_name, name);

    let bytes = golden["request"].to_string();
    let request = image::decode_request(bytes.as_bytes()).unwrap();
    assert_eq!(request.command, C::NAME);
    let command: C = parameters(request.parameters.clone()).unwrap();
    let written = Request::new(request.id, &command);
    assert_eq!(
        serde_json::to_value(&written).unwrap(),
        golden["request"],
        "{}",
        C::NAME
    );

    let reply = image::decode_reply(golden["reply"].to_string().as_bytes()).unwrap();
    let result: C::Result = serde_json::from_value(reply.outcome.clone().unwrap()).unwrap();
    assert_eq!(
        serde_json::to_value(result).unwrap(),
        golden["reply"]["result"],
        "{}",
        C::NAME
    );
    assert_eq!(
        serde_json::to_value(&reply).unwrap(),
        golden["reply"],
        "{}",
        C::NAME
    );
}

macro_rules! check_all {
    ($folder:literal, $module:ident: $($command:ident)*) => {{
        $(check::<$module::$command>($folder);)*
        [$(<$module::$command as Command>::NAME),*]
    }};
}

#[test]
fn every_image_command_reads_and_writes_its_golden_messages() {
    let checked = check_all!("image", commands:
        Ping Evaluate Inspect BrowseClass Debug SystemInfo ListClasses GetMethod
        CreateSession RestoreSession UpdateSessionState CloseSession GetSessionInfo
        ListClientSessions GetSessionStatistics SaveContext LoadContext GetContextSummary
        ClearContext
        Describe ListSessions EvaluationStatus Interrupt Complete CheckSyntax Search
        DefineClass CompileMethod RemoveMethod FileIn RunTests ReleaseObject SaveImage);
    assert_eq!(checked, ImageCommand::NAMES);
    assert_eq!(
        names("image"),
        ImageCommand::NAMES
            .iter()
            .map(ToString::to_string)
            .collect()
    );
}

#[test]
fn every_daemon_command_reads_and_writes_its_golden_messages() {
    let checked = check_all!("client", daemon:
        Attach Detach NewSession ListSessions RenameSession KillSession ShareSession
        Submit Await History Log Status Subscribe Admin);
    assert_eq!(checked, DaemonCommand::NAMES);
    assert_eq!(
        names("client"),
        DaemonCommand::NAMES
            .iter()
            .map(ToString::to_string)
            .collect()
    );
}

#[test]
fn every_operation_of_admin_reads_and_writes_its_golden_messages() {
    for name in names("admin") {
        check_file::<daemon::Admin>("admin", &name);
    }
    let read = |name: &str| golden("admin", name)["request"]["parameters"]["operation"].clone();
    let read: BTreeSet<_> = names("admin")
        .iter()
        .map(|name| read(name).as_str().unwrap().to_owned())
        .collect();
    let all = [
        "drain",
        "kick",
        "pause",
        "reconnect",
        "reload",
        "resume",
        "save_image",
        "set_log_level",
        "show",
    ];
    assert_eq!(read, all.map(str::to_owned).into());
}

#[test]
fn every_event_reads_and_writes_its_golden_message() {
    for name in names("events") {
        let golden = golden("events", &name);
        let read = event::decode_event(name.as_bytes(), golden.to_string().as_bytes()).unwrap();
        assert!(
            !matches!(read.event, stui_protocol::EventName::Other(_)),
            "{name}"
        );
        assert_eq!(serde_json::to_value(&read).unwrap(), golden, "{name}");
        let line = client::encode_event(&read);
        let client::Message::Event(again) = client::decode_message(&line).unwrap() else {
            panic!("{name} is no event");
        };
        assert_eq!(again, read);
    }
}

#[test]
fn event_data_is_of_the_type_that_its_event_names() {
    fn data<T: serde::de::DeserializeOwned + serde::Serialize>(name: &str) {
        let event: Event = serde_json::from_value(golden("events", name)).unwrap();
        let data: T = event.data_as().unwrap_or_else(|| panic!("{name}"));
        assert_eq!(
            serde_json::to_value(data).unwrap(),
            Value::Object(event.data),
            "{name}"
        );
    }
    data::<commands::OutputData>("output");
    data::<commands::OutputData>("transcript");
    data::<commands::EvaluationStartedData>("evaluation_started");
    data::<commands::EvaluationFinishedData>("evaluation_finished");
    data::<commands::SessionSummary>("session_created");
    data::<daemon::HelloData>("hello");
    data::<daemon::GapData>("gap");
    data::<daemon::LaggingData>("lagging");
    data::<daemon::QueuePositionData>("queue_position");
    data::<daemon::AttachedClient>("attached");
    data::<daemon::AttachedClient>("detached");
    data::<daemon::RenamedData>("session_renamed");
    data::<daemon::Sharing>("session_shared");
    data::<daemon::ImageStatus>("image_state");
    data::<daemon::Paused>("paused");
    data::<daemon::GoodbyeData>("goodbye");
}

#[test]
fn every_failure_reads_and_writes_its_golden_reply() {
    for error_type in ErrorType::ALL {
        let golden = golden("failures", &error_type.to_string());
        let reply: Reply = image::decode_reply(golden.to_string().as_bytes()).unwrap();
        assert_eq!(reply.outcome.as_ref().unwrap_err().error_type, error_type);
        assert_eq!(
            serde_json::to_value(&reply).unwrap(),
            golden,
            "{error_type}"
        );
    }
    assert_eq!(
        names("failures"),
        ErrorType::ALL.iter().map(ToString::to_string).collect()
    );
}

#[test]
fn a_syntax_error_says_where_it_is() {
    let reply: Reply = serde_json::from_value(golden("failures", "SyntaxError")).unwrap();
    let details = reply.outcome.unwrap_err().syntax_error().unwrap();
    assert_eq!((details.position, details.line, details.column), (5, 1, 5));
}

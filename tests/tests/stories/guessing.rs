//! A second user who has learnt ids of the first one's work: of kept objects, of a debug session, of
//! a saved context. The front end makes its clients another user, so this needs no root.

use serde_json::{Value, json};
use stui_protocol::image::{Debug, Inspect, LoadContext, ReleaseObject, SaveContext};
use stui_protocol::{ErrorType, Failure, Outcome};
use stui_tests::{Asking, Client, Daemon, Image, ImageClient};
use tempfile::TempDir;

/// Nobody's id.
const NOBODYS: &str = "00000000-0000-4000-8000-000000000000";

/// A daemon, an image that outlives it, and where a stranger may ask.
struct Town {
    daemon: Daemon,
    front: String,
    image: Image,
    _dir: TempDir,
}

impl Town {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let front = format!("ipc://{}", dir.path().join("front").display());
        let config = dir.path().join("stuid.toml");
        let text = format!("[frontend]\nendpoint = \"{front}\"\nowner = 4712\n");
        std::fs::write(&config, text).expect("a configuration");
        let image = Image::embedded();
        let events = image.events_endpoint().expect("an event link");
        let daemon = Daemon::start_with(&[
            "--config",
            config.to_str().expect("a path"),
            "--image",
            image.endpoint(),
            "--image-events",
            &events,
        ]);
        Self {
            daemon,
            front,
            image,
            _dir: dir,
        }
    }

    fn stranger(&self) -> ImageClient {
        ImageClient::connect(&self.front)
    }
}

/// Ids that the owner has got.
struct Ids {
    object: String,
    loose: String,
    debug: String,
    context: String,
}

impl Ids {
    fn of(owner: &Client) -> Self {
        let session = owner.attach("secret");
        let kept = |outcome: Outcome<stui_protocol::image::Evaluated>| {
            let evaluated = outcome.expect("a value");
            evaluated.object_id.expect("an object that is kept")
        };
        let object = kept(session.evaluate("secret := OrderedCollection with: #treasure"));
        let loose = kept(owner.evaluate(json!({"code": "OrderedCollection with: #gold"})));
        let parameters = session.with(json!({"code": "1/0", "on_error": "debug"}));
        let failure = owner.evaluate(parameters).expect_err("a failure");
        let debug = failure.details["debug_session_id"].as_str();
        Self {
            object,
            loose,
            debug: debug.expect("a debug session").to_owned(),
            context: session.ask::<SaveContext>(json!({})).context_id,
        }
    }
}

/// What a stranger asks of somebody's id; `own` is a session of the stranger.
fn attempts(ids: &Ids, own: &str) -> Vec<(&'static str, String, Value)> {
    let mut attempts = Vec::new();
    let sessions = [json!({}), json!({"session_id": own})];
    for session in sessions {
        for (command, key, id) in [
            ("inspect", "object_id", &ids.object),
            ("inspect", "object_id", &ids.loose),
            ("release_object", "object_id", &ids.object),
            ("release_object", "object_id", &ids.loose),
            ("debug", "debug_session_id", &ids.debug),
        ] {
            let mut parameters = session.clone();
            parameters[key] = id.as_str().into();
            if command == "debug" {
                for operation in ["GetStackTrace", "GetLocalVars", "StepOver", "Terminate"] {
                    parameters["operation"] = operation.into();
                    attempts.push((command, id.clone(), parameters.clone()));
                }
            } else {
                attempts.push((command, id.clone(), parameters));
            }
        }
    }
    let parameters = json!({"session_id": own, "context_id": ids.context});
    attempts.push(("load_context", ids.context.clone(), parameters));
    attempts
}

/// The stranger gets nothing, and learns not even whether there is something.
fn nothing_is_got(stranger: &ImageClient, ids: &Ids, own: &str) {
    for (command, id, parameters) in attempts(ids, own) {
        let refused = |parameters: Value| -> Failure {
            let outcome = stranger.reply(command, parameters.clone()).outcome;
            outcome.expect_err(&format!("{command} {parameters}"))
        };
        let absent = parameters.to_string().replace(&id, NOBODYS);
        let absent = refused(serde_json::from_str(&absent).expect("JSON"));
        let failure = refused(parameters);
        let said = |failure: &Failure| {
            let details = serde_json::to_string(&failure.details).expect("JSON");
            (failure.error_type, failure.error.clone(), details)
        };
        let (error_type, error, details) = said(&failure);
        let as_absent = (error_type, error, details.replace(&id, NOBODYS));
        assert_eq!(as_absent, said(&absent), "{command}");
    }
}

#[test]
fn ids_of_another_user_are_as_good_as_none() {
    let town = Town::start();
    let owner = town.daemon.client();
    let ids = Ids::of(&owner);
    let stranger = town.stranger();
    let own = stranger.session();

    nothing_is_got(&stranger, &ids, &own.id);

    // Their owner uses them as before, without naming the session.
    for id in [&ids.object, &ids.loose] {
        let seen = owner.ask::<Inspect>(json!({"object_id": id}));
        assert_eq!(seen.total_fields, 1, "{seen:?}");
    }
    let stack = json!({"debug_session_id": ids.debug, "operation": "GetStackTrace"});
    assert!(!owner.ask::<Debug>(stack).stack.is_empty());
    owner.ask::<ReleaseObject>(json!({"object_id": ids.loose}));
    let other = owner.session();
    other.ask::<LoadContext>(json!({"context_id": ids.context}));
    assert_eq!(other.value("secret first"), "#treasure");
}

#[test]
fn ids_that_a_restarted_daemon_does_not_remember_need_their_session() {
    let mut town = Town::start();
    let ids = Ids::of(&town.daemon.client());
    town.daemon.kill();
    town.daemon.start_again();
    let stranger = town.stranger();
    let own = stranger.session();

    nothing_is_got(&stranger, &ids, &own.id);

    let owner = town.daemon.client();
    let alone = owner.refused::<Inspect>(json!({"object_id": ids.object}));
    assert_eq!(alone.error_type, ErrorType::ObjectNotFound);
    assert!(alone.error.contains("session"), "{alone:?}");
    let secret = owner.attach("secret");
    let seen = secret.ask::<Inspect>(json!({"object_id": ids.object}));
    assert_eq!(seen.total_fields, 1);
    let stack = json!({"debug_session_id": ids.debug, "operation": "GetStackTrace"});
    assert!(!secret.ask::<Debug>(stack).stack.is_empty());
    drop(town.image);
}

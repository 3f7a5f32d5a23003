//! The image about itself: `ping`, `describe`, `system_info`.

use serde_json::json;
use stui_protocol::image::{Describe, ImageCommand, Ping, SystemInfo};
use stui_protocol::{ErrorType, Version};
use stui_tests::{Asking, Image};

#[test]
fn ping_brings_back_the_message_and_says_how_the_image_is() {
    let image = Image::shared();
    let client = image.client();

    let pong = client.ask::<Ping>(json!({"message": "héllo \u{1f41f}"}));

    assert_eq!(pong.message.as_deref(), Some("héllo \u{1f41f}"));
    assert_eq!(pong.status, "ready");
    assert!(pong.uptime > 0.0);
    assert!(pong.evaluator_lag_ms >= 0.0);
}

#[test]
fn every_reply_names_the_same_instance() {
    let image = Image::shared();
    let client = image.client();

    let pong = client.ask::<Ping>(json!({}));
    let description = client.ask::<Describe>(json!({}));
    let reply = client.reply("ping", json!({}));

    assert_eq!(pong.message, None);
    assert_eq!(pong.instance, description.instance);
    assert_eq!(pong.instance, reply.instance);
}

#[test]
fn describe_announces_every_command_and_both_versions() {
    let image = Image::shared();

    let description = image.describe();

    assert_eq!(description.versions, Version::SPOKEN);
    for name in ImageCommand::NAMES {
        assert!(
            description.commands.iter().any(|command| command == name),
            "no {name}"
        );
    }
    assert!(["pharo", "embedded"].contains(&description.image.kind.as_str()));
    assert!(!description.image.version.is_empty());
    assert!(!description.limits.is_empty());
}

#[test]
fn system_info_answers_each_group_and_all_of_them_together() {
    let image = Image::shared();
    let client = image.client();

    for group in ["Basic", "Memory", "Packages", "Environment", "All"] {
        let answer = client.ask::<SystemInfo>(json!({"info_type": group}));
        assert!(!answer.info.is_empty(), "{group} says nothing");
    }
    client.ask::<SystemInfo>(json!({}));

    let failure = client.refused::<SystemInfo>(json!({"info_type": "Weather"}));
    assert_eq!(failure.error_type, ErrorType::InvalidParameter);
    assert_eq!(failure.details["parameter"], "info_type");
}

//! The wire between the server in Pharo and libzmq, byte by byte.
//!
//! `tests/golden/wire` holds what a server that speaks ZMTP 3.0 sends, and what libzmq sends to
//! it. Here the server's bytes are played to libzmq itself, whole and one at a time, and what
//! libzmq sends is held against the recorded bytes. The SUnit tests of `pharo-server` play the
//! same files the other way round.

mod peer;
mod recording;

use peer::{Peer, closes};
use recording::{Recording, Refused, Step};

/// Plays a recording, the server's bytes in pieces of at most `piece`.
fn play(name: &str, piece: usize) {
    let recording = Recording::read(name);
    let mut peer = Peer::meet(&recording);
    for (index, step) in recording.steps.iter().enumerate() {
        peer.at(format!("step {index} of {name}"));
        match step {
            Step::Server { bytes } => peer.write(bytes, piece),
            Step::Client {
                bytes,
                varies,
                zeros,
            } => {
                peer.expect(bytes, varies);
                peer.expect_zeros(*zeros);
            }
            Step::Sends(frames) => peer.client_sends(frames),
            Step::SendsZeros(count) => peer.client_sends(&[vec![0; *count]]),
            Step::Receives(frames) => peer.client_receives(frames),
            Step::Subscribes(topic) => peer.client_subscribes(topic),
            Step::Unsubscribes(topic) => peer.client_unsubscribes(topic),
        }
    }
}

/// As it comes, and byte by byte: half a message must wait for its other half.
fn play_whole_and_in_pieces(name: &str) {
    play(name, usize::MAX);
    play(name, 1);
}

#[test]
fn a_req_client_is_answered() {
    play_whole_and_in_pieces("req");
}

#[test]
fn a_dealer_gets_its_envelopes_back() {
    play_whole_and_in_pieces("dealer");
}

#[test]
fn a_dealer_without_a_delimiter_is_answered() {
    play_whole_and_in_pieces("dealer_without_delimiter");
}

#[test]
fn long_frames_have_long_headers() {
    play_whole_and_in_pieces("long_frames");
}

#[test]
fn a_body_that_is_too_large_is_answered_and_the_link_stays() {
    play("too_large", usize::MAX);
}

#[test]
fn a_subscriber_gets_the_topics_it_asked_for() {
    play_whole_and_in_pieces("subscriptions");
}

#[test]
fn the_empty_topic_wants_all() {
    play_whole_and_in_pieces("subscribe_all");
}

#[test]
fn heartbeats_are_answered() {
    play_whole_and_in_pieces("heartbeats");
}

#[test]
fn half_a_reply_is_no_reply() {
    let recording = Recording::read("req");
    let mut steps = recording.steps.iter();
    let mut peer = Peer::meet(&recording);
    for step in steps.by_ref().take(6) {
        match step {
            Step::Server { bytes } => peer.write(bytes, usize::MAX),
            Step::Client { bytes, varies, .. } => peer.expect(bytes, varies),
            Step::Sends(frames) => peer.client_sends(frames),
            _ => unreachable!("six steps of req"),
        }
    }
    let Some(Step::Server { bytes: reply }) = steps.next() else {
        panic!("then the server replies")
    };

    peer.write(&reply[..reply.len() - 1], usize::MAX);
    peer.leave_and_meet_again();

    assert!(!peer.client_has_something());
}

#[test]
fn libzmq_closes_what_the_recordings_say_that_it_closes() {
    let all = Refused::all();
    let said = all.iter().filter(|refused| refused.libzmq_closes);
    let open: Vec<_> = said
        .filter(|refused| !closes(refused))
        .map(|refused| &refused.what)
        .collect();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_rep_of_libzmq_answers_with_the_same_bytes() {
    for name in ["req", "dealer", "long_frames"] {
        peer::a_real_server_says_the_same(&Recording::read(name), name);
    }
}

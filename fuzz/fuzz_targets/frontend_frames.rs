//! The frames of a request at the front end, and of a question who may come in: each is a length
//! and its bytes. Whatever comes has a way back that begins with its sender.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stui_keys::zap::Question;
use stui_protocol::codec::frames::{self, MAX_FRAMES};
use stui_protocol::codec::image::{decode_reply, decode_request, encode_reply};

fuzz_target!(|bytes: &[u8]| {
    let all = cut(bytes);
    if let Some(question) = Question::read(&all) {
        let id = all[1].clone();
        assert_eq!(question.clone().welcome()[1], id);
        assert_eq!(question.refuse("no")[1], id);
    }
    let whole = all.len() <= MAX_FRAMES;
    let kept: Vec<_> = all.iter().take(MAX_FRAMES).cloned().collect();
    let message = frames::cut(kept.clone(), whole);
    assert!(kept.starts_with(&message.envelope));
    assert_eq!(message.envelope.is_empty(), kept.is_empty());
    let Ok(body) = message.body else {
        return;
    };
    assert_eq!(message.envelope.len() + 1, all.len());
    assert_eq!(all.last(), Some(&body));
    if let Err(rejected) = decode_request(&body) {
        let reply = rejected.into_reply("life");
        assert_eq!(decode_reply(&encode_reply(&reply)), Ok(reply));
    }
});

fn cut(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let length = usize::from(*length).min(rest.len());
        // 255 is all that is left.
        let (frame, behind) = rest.split_at(if length == 255 { rest.len() } else { length });
        frames.push(frame.to_vec());
        bytes = behind;
    }
    frames
}

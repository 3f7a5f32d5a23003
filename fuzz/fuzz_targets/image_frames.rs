//! The frames of a reply on the image link: the first byte says how long the first frame is, and
//! so on; each is cut from the rest. What is taken for a reply belongs to its request.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stui_protocol::Request;
use stui_protocol::image::Ping;
use stuid::fuzzing::{read_reply, reply_of_frames};

fuzz_target!(|bytes: &[u8]| {
    let frames = cut(bytes);
    if let Some((number, body)) = reply_of_frames(&frames) {
        assert_eq!(frames.len(), 3);
        assert_eq!(frames[0], number.to_be_bytes());
        assert!(frames[1].is_empty() && frames[2] == body);
        let request = Request::new("mine", &Ping::default());
        if let Some(reply) = read_reply(&request, &body) {
            assert!(reply.id.is_none_or(|id| id == "mine"));
        }
    }
});

/// Frames of the lengths that stand before them; the last has the rest when it is shorter.
fn cut(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let length = usize::from(*length).min(rest.len());
        // 255 is all that is left.
        let (frame, behind) = rest.split_at(if length == 255 { rest.len() } else { length });
        frames.push(frame);
        bytes = behind;
    }
    frames
}

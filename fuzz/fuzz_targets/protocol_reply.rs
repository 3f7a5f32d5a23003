//! The reply decoder of both links.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stui_protocol::codec::{client, image};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(reply) = image::decode_reply(bytes) {
        assert_eq!(
            image::decode_reply(&image::encode_reply(&reply)).as_ref(),
            Ok(&reply)
        );
    }
    if let Ok(client::Message::Reply(reply)) = client::decode_message(bytes) {
        assert_eq!(image::decode_reply(bytes), Ok(reply));
    }
});

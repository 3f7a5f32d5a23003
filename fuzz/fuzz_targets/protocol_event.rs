//! The event decoder: a topic and a body, parted by the first NUL.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stui_protocol::codec::event;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    let (topic, body) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    if let Ok(read) = event::decode_event(topic, body) {
        let (topic, body) = event::encode_event(&read);
        assert_eq!(event::decode_event(&topic, &body), Ok(read));
    }
});

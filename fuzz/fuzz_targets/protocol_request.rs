//! The request decoder of both links: reads or refuses, and what it reads it can write.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stui_protocol::codec::image;
use stui_protocol::daemon::ClientCommand;

fuzz_target!(|bytes: &[u8]| {
    match image::decode_request(bytes) {
        Ok(request) => {
            let written = image::encode_request(&request).expect("it was small when it came");
            assert_eq!(image::decode_request(&written).as_ref(), Ok(&request));
            let _ = ClientCommand::parse(&request.command, request.parameters);
        }
        Err(rejected) => assert!(!rejected.failure.error.is_empty()),
    }
});

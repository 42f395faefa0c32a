//! Any bytes: what they are is decided without a panic, and wide text becomes mapped UTF-8.
#![no_main]

use keysweep::decode::ViewBuilder;
use keysweep::decode::wide::transcode;
use keysweep::sniff::{Encoding, sniff};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(encoding) = sniff(bytes) else { return };
    if encoding == Encoding::Bytes {
        return;
    }
    let mut builder = ViewBuilder::default();
    transcode(bytes, encoding, &mut builder);
    assert_eq!(builder.text.len(), builder.map.len());
    assert!(std::str::from_utf8(&builder.text).is_ok());
});

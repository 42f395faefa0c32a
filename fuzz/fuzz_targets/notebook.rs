//! Any bytes as a notebook, well-formed or not: the view is mapped whole and segments are in order.
#![no_main]

use keysweep::decode::{Place, ViewBuilder, notebook};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    notebook::looks_like_one(bytes);
    let mut builder = ViewBuilder::default();
    let mut places = vec![Place::default()];
    if let Err(fault) = notebook::decode(bytes, &[], &mut builder, &mut places) {
        assert!(fault.offset <= bytes.len());
    }
    assert_eq!(builder.text.len(), builder.map.len());
    assert!(builder.segments.is_sorted_by(|a, b| a.start < b.start));
    for segment in &builder.segments {
        assert!(segment.start as usize <= builder.text.len());
        assert!((segment.place as usize) < places.len());
    }
});

//! The JSON lexer against serde_json: a string both can read must mean the same text.
//!
//! The input is put as a string token into a notebook, since that is how strings are read here.
#![no_main]

use keysweep::decode::{ViewBuilder, notebook};
use libfuzzer_sys::fuzz_target;

const BEFORE: &str = r#"{"cells":[{"cell_type":"raw","metadata":{},"source":"#;
const AFTER: &str = r#"}],"metadata":{},"nbformat":4,"nbformat_minor":4}"#;

fuzz_target!(|bytes: &[u8]| {
    let token = [b"\"", bytes, b"\""].concat();
    let Ok(text) = serde_json::from_slice::<String>(&token) else {
        return;
    };
    // Terminal escape sequences are taken out on the way, which is another subject.
    if text.contains('\u{1b}') {
        return;
    }
    let whole = [BEFORE.as_bytes(), &token, AFTER.as_bytes()].concat();
    let mut builder = ViewBuilder::default();
    let read = notebook::decode(&whole, &[], &mut builder, &mut vec![Default::default()]);
    assert_eq!(read.map(drop), Ok(()));
    let held = text.is_empty() || contains(&builder.text, text.as_bytes());
    assert!(held, "the cell's text is not in the view");
});

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

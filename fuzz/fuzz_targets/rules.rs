//! Any bytes through the whole pipeline: nothing panics, and findings lie within the input.
#![no_main]

use std::sync::LazyLock;

use keysweep::pipeline::{Options, Sweep};
use libfuzzer_sys::fuzz_target;

const NAMES: &[&str] = &["a.ipynb", "a.py", "a.json", "a.yml", ".env", "a.tf"];

static SWEEP: LazyLock<Sweep> =
    LazyLock::new(|| Sweep::new(Options::default()).expect("the built-in rules load"));

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else {
        return;
    };
    let name = NAMES[usize::from(choice) % NAMES.len()];
    for finding in SWEEP.scan_bytes(name, bytes) {
        assert!(finding.byte_start <= finding.byte_end);
        assert!(finding.byte_end as usize <= bytes.len());
    }
});

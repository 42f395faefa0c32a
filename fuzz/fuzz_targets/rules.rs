//! Any bytes through the whole pipeline: nothing panics, and findings lie within the input.
#![no_main]

use std::sync::LazyLock;

use keysweep::pipeline::{Options, Sweep};
use libfuzzer_sys::fuzz_target;

const NAMES: &[&str] = &["a.ipynb", "a.py", "a.json", "a.yml", ".env", "a.tf"];

/// The time by which expiry is judged.
const NOW: i64 = 1_767_225_600;

static SWEEP: LazyLock<Sweep> = LazyLock::new(|| Sweep::new(Options::new(NOW)));

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else {
        return;
    };
    let name = NAMES[usize::from(choice) % NAMES.len()];
    for finding in SWEEP.scan_bytes(name, bytes) {
        for range in &finding.bytes {
            assert!(range.start < range.end && range.end <= bytes.len() as u64);
        }
    }
});

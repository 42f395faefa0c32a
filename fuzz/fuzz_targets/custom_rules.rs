//! Any text as a file of rules: it is refused with a message or it can be checked and scanned with.
#![no_main]

use keysweep::exam;
use keysweep::pipeline::{Options, Sweep};
use keysweep::rules::RuleSet;
use libfuzzer_sys::fuzz_target;

/// The time by which expiry is judged.
const NOW: i64 = 1_767_225_600;

fuzz_target!(|text: &str| {
    match RuleSet::parse(text) {
        Ok(rules) => {
            exam::check(&rules, 0, NOW, exam::SEED);
            let sweep = Sweep::new(Options {
                rules,
                ..Options::new(NOW)
            });
            sweep.scan_bytes("rules.toml", text.as_bytes());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

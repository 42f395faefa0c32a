//! Any bytes under any file name, from the bytes to every form of report: nothing panics, findings
//! lie within the input, and lines and columns count from 1.
#![no_main]

use std::sync::LazyLock;

use keysweep::ledger::Ledger;
use keysweep::pipeline::{Options, Outcome, Sweep};
use keysweep::report::{self, Format, Style};
use keysweep::rules::Level;
use libfuzzer_sys::fuzz_target;

/// The time by which expiry is judged.
const NOW: i64 = 1_767_225_600;

static SWEEP: LazyLock<Sweep> = LazyLock::new(|| {
    Sweep::new(Options {
        min_confidence: Level::Low,
        ..Options::new(NOW)
    })
});

fuzz_target!(|input: &[u8]| {
    // The first byte says how many of the next are the name.
    let Some((&length, rest)) = input.split_first() else {
        return;
    };
    let (name, bytes) = rest.split_at(rest.len().min(usize::from(length % 64)));
    let findings = SWEEP.scan_bytes(&String::from_utf8_lossy(name), bytes);
    for finding in &findings {
        for range in &finding.bytes {
            assert!(range.start < range.end && range.end <= bytes.len() as u64);
        }
        assert!(finding.start <= finding.end && finding.start.line > 0 && finding.start.column > 0);
    }
    let outcome = Outcome {
        findings,
        ledger: Ledger::default(),
    };
    for format in [Format::Human, Format::Json, Format::Jsonl, Format::Sarif] {
        let mut out = Vec::new();
        let style = Style::default();
        report::write(format, &outcome, SWEEP.rules(), &style, &mut out).expect("a vector takes all");
        assert!(std::str::from_utf8(&out).is_ok());
    }
});

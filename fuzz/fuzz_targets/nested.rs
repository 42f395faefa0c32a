//! Any bytes under any kind of name: every stretch of every view leads back into the input.
#![no_main]

use keysweep::decode::{Limits, open};
use keysweep::unit::{Origin, Unit};
use libfuzzer_sys::fuzz_target;

/// The first byte of the input chooses among these.
const NAMES: &[&str] = &[
    "a.ipynb", "a.py", "a.json", "a.html", "a.yml", "a.tf", "a.js", ".env", "a", "a.ps1",
];

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else {
        return;
    };
    let name = NAMES[usize::from(choice) % NAMES.len()];
    let unit = Unit::whole(Origin::file(name), bytes);
    let Ok(document) = open(&unit, Limits::default()) else {
        return;
    };
    for (index, view) in document.searchable() {
        for (span, place) in view.stretches() {
            document.place(place);
            let located = document.locate(index, span);
            for piece in &located.source {
                assert!(piece.start <= piece.end && piece.end as usize <= bytes.len());
            }
        }
    }
});

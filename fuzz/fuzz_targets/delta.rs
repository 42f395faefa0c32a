//! A text and a delta of it, from any bytes: the delta gives what its instructions say, or is
//! refused, and the changed text is found to hold what a scan of the whole of it finds.
#![no_main]

use std::sync::LazyLock;

use keysweep::git::Kind;
use keysweep::git::delta::{Delta, Step};
use keysweep::history::changes::Changes;
use keysweep::history::secrets::{Secrets, Spot, without_twins};
use keysweep::history::texts::Texts;
use keysweep::history::walk::{LazyId, Visit};
use keysweep::pipeline::{Options, Sweep};
use keysweep::unit::ObjectId;
use libfuzzer_sys::fuzz_target;

/// The time by which expiry is judged.
const NOW: i64 = 1_767_225_600;
const BASE: LazyId<'static> = LazyId::Known(ObjectId([0; 20]));
const RESULT: LazyId<'static> = LazyId::Known(ObjectId([1; 20]));

static SWEEP: LazyLock<Sweep> = LazyLock::new(|| Sweep::new(Options::new(NOW)));

fuzz_target!(|input: &[u8]| {
    // The first two bytes say how many of the next are the delta's instructions.
    let Some((&[low, high], rest)) = input.split_first_chunk() else {
        return;
    };
    let length = usize::from(u16::from_le_bytes([low, high])) % 1024;
    let (steps, base) = rest.split_at(rest.len().min(length));
    let made = make(base, steps);
    let length = made.as_ref().map_or(base.len(), Vec::len);
    let mut delta = Vec::new();
    for mut length in [base.len(), length] {
        while length > 0x7F {
            delta.push(length as u8 & 0x7F | 0x80);
            length >>= 7;
        }
        delta.push(length as u8);
    }
    delta.extend_from_slice(steps);
    let (mut changes, mut out) = (Changes::default(), Vec::new());
    let applied = changes.apply(base, &delta, &mut out);
    assert_eq!(applied.is_ok(), made.is_some());
    let Some(made) = made else { return };
    assert_eq!(out, made);

    let secrets = Secrets::new(SWEEP.options().fingerprint_key.clone());
    let mut texts = Texts::new(SWEEP.scanner(), &secrets);
    let seen = texts.whole(BASE, Kind::Blob, base);
    texts.found.clear();
    texts.delta(RESULT, Kind::Blob, &seen, &changes, &out);
    let changed = spots(&mut texts);
    texts.whole(RESULT, Kind::Blob, &out);
    assert_eq!(changed, spots(&mut texts));
});

/// What the instructions make of a base, byte by byte.
fn make(base: &[u8], steps: &[u8]) -> Option<Vec<u8>> {
    let header = [0, 0];
    let whole = [&header[..], steps].concat();
    let mut out = Vec::new();
    for step in Delta::parse(&whole).ok()?.steps() {
        match step.ok()? {
            Step::Copy { from, len } => out.extend(base.get(from..from.checked_add(len)?)?),
            Step::Insert(bytes) => out.extend(bytes),
        }
        if out.len() > 1 << 20 {
            return None;
        }
    }
    Some(out)
}

fn spots(texts: &mut Texts<'_>) -> Vec<Spot> {
    let found = std::mem::take(&mut texts.found);
    let spots = found.into_iter().flat_map(|holder| holder.spots);
    without_twins(&spots.collect::<Vec<_>>())
}

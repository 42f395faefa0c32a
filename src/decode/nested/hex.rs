//! Text spelled as hexadecimal digits. Digests and keys do not decode to text; this does.

use super::runs::{self, Class};
use super::{Finds, Region, Writer, context, hex_number};

const DIGITS: Class = runs::class(&[(b'0', b'9'), (b'a', b'f'), (b'A', b'F')], b"");

const MIN: usize = 40;

pub(super) fn find(text: &[u8], finds: &mut Finds<'_>) {
    let mut at = 0;
    while let Some(run) = runs::next(text, at, MIN, &DIGITS) {
        at = run.end;
        if spells_text(&text[run.clone()]) && finds.wants(run.clone()) {
            finds.apart(context(text, run.start), run.start, run.end);
        }
    }
}

fn spells_text(digits: &[u8]) -> bool {
    let (mut letter, mut mark) = (false, false);
    for pair in digits.chunks(2) {
        let Some(byte @ (b' '..=b'~' | b'\t' | b'\n' | b'\r')) = byte(pair) else {
            return false;
        };
        letter |= byte.is_ascii_alphabetic();
        mark |= b"=:;_-/ \"".contains(&byte);
    }
    letter && mark
}

fn byte(pair: &[u8]) -> Option<u8> {
    let code = (pair.len() == 2).then(|| hex_number(pair))??;
    u8::try_from(code).ok()
}

pub(super) fn decode(text: &[u8], region: &Region, out: &mut Writer<'_>) {
    out.copy(text, region.start..region.core);
    let digits = text.get(region.core..region.end).unwrap_or_default();
    let bytes: Vec<u8> = digits.chunks(2).filter_map(byte).collect();
    out.row(region.core, 2, 1, &bytes);
}

//! Text spelled as hexadecimal digits. Digests and keys do not decode to text; this does.

use std::ops::Range;

use super::class::{self, Class};
use super::{Finds, Marks, Region, Writer, context, hex_number};

const DIGITS: Class = class::of(&[(b'0', b'9'), (b'a', b'f'), (b'A', b'F')], b"");

/// The shortest run.
pub(super) const MIN: usize = 40;

/// Marks are the starts of long runs of digits.
pub(super) fn find(text: &[u8], mut marks: Marks<'_>, finds: &mut Finds<'_>) {
    let mut at = 0;
    while let Some(start) = marks.next(at) {
        let end = DIGITS.run_end(text, start);
        at = end;
        if spells_text(&text[start..end]) && finds.wants(start..end) {
            finds.apart(context(text, start), start, end);
        }
    }
}

/// The first maximal run of at least [`MIN`] digits.
pub(super) fn next_run(text: &[u8]) -> Option<Range<usize>> {
    let mut start = 0;
    loop {
        // A run that long cannot hide before the last byte of a window that is no digit.
        let window = text.get(start..start + MIN)?;
        match window.iter().rposition(|&b| !DIGITS.has(b)) {
            Some(outside) => start += outside + 1,
            None => return Some(start..DIGITS.run_end(text, start + MIN)),
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

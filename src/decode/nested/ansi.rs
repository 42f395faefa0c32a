//! Terminal escape sequences, taken out of the lines that have them.

use std::ops::Range;

use super::region::{self, Regions};
use crate::decode::ViewBuilder;

/// How programs and their logs spell ESC.
const SPELLINGS: [&[u8]; 5] = [b"\x1b", b"\\x1b", b"\\u001b", b"\\033", b"\\e"];

pub fn decode(text: &[u8], stretch: Range<usize>, place: u32, out: &mut ViewBuilder) {
    let mut regions = Regions::default();
    let mut at = stretch.start;
    while let Some(found) = memchr::memchr2(0x1b, b'\\', &text[at..stretch.end]) {
        let mark = at + found;
        at = mark + 1;
        if sequence(&text[mark..stretch.end]).is_some() {
            let line = region::line(text, mark, &stretch);
            at = line.end.max(at);
            regions.add(line);
        }
    }
    for region in regions.into_iter() {
        out.begin(place, region.start);
        strip(text, region, out);
    }
}

/// The length of the control sequence at the start of `rest`.
fn sequence(rest: &[u8]) -> Option<usize> {
    const LONGEST: usize = 32;
    let escape = SPELLINGS.iter().find(|spelling| {
        rest.get(..spelling.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(spelling))
    })?;
    let body = rest[escape.len()..].strip_prefix(b"[")?;
    let len = body
        .iter()
        .take(LONGEST)
        .position(|b| !matches!(b, 0x20..=0x3f))?;
    matches!(body[len], 0x40..=0x7e).then_some(escape.len() + 1 + len + 1)
}

fn strip(text: &[u8], region: Range<usize>, out: &mut ViewBuilder) {
    let mut at = region.start;
    while at < region.end {
        let rest = &text[at..region.end];
        let plain = memchr::memchr2(0x1b, b'\\', rest).unwrap_or(rest.len());
        out.copy(at, &rest[..plain]);
        at += plain;
        let rest = &text[at..region.end];
        match sequence(rest) {
            Some(len) => at += len,
            None if !rest.is_empty() => {
                out.copy(at, &rest[..1]);
                at += 1;
            }
            None => {}
        }
    }
}

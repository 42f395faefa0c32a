//! HTML and XML entities, line by line.

use std::ops::Range;

use super::region::{self, Regions};
use crate::decode::ViewBuilder;

const NAMED: [(&[u8], u8); 6] = [
    (b"&amp;", b'&'),
    (b"&lt;", b'<'),
    (b"&gt;", b'>'),
    (b"&quot;", b'"'),
    (b"&apos;", b'\''),
    (b"&nbsp;", b' '),
];

pub fn decode(text: &[u8], stretch: Range<usize>, place: u32, out: &mut ViewBuilder) {
    let mut regions = Regions::default();
    let mut at = stretch.start;
    while let Some(found) = memchr::memchr(b'&', &text[at..stretch.end]) {
        let mark = at + found;
        at = mark + 1;
        if entity(&text[mark..stretch.end]).is_some() {
            let line = region::line(text, mark, &stretch);
            at = line.end.max(at);
            regions.add(line);
        }
    }
    for region in regions.into_iter() {
        out.begin(place, region.start);
        unescape(text, region, out);
    }
}

/// The entity at the start of `rest`: its length and character.
fn entity(rest: &[u8]) -> Option<(usize, char)> {
    if let Some((name, byte)) = NAMED.iter().find(|(name, _)| rest.starts_with(name)) {
        return Some((name.len(), *byte as char));
    }
    let digits = rest.strip_prefix(b"&#")?;
    let len = digits.iter().take(9).position(|b| *b == b';')?;
    let digits = std::str::from_utf8(&digits[..len]).ok()?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some((len + 3, char::from_u32(code)?))
}

fn unescape(text: &[u8], region: Range<usize>, out: &mut ViewBuilder) {
    let mut at = region.start;
    let mut utf8 = [0; 4];
    while at < region.end {
        let rest = &text[at..region.end];
        let plain = memchr::memchr(b'&', rest).unwrap_or(rest.len());
        out.copy(at, &rest[..plain]);
        at += plain;
        let rest = &text[at..region.end];
        match entity(rest) {
            Some((len, c)) => {
                out.token(at, len, c.encode_utf8(&mut utf8).as_bytes());
                at += len;
            }
            None if !rest.is_empty() => {
                out.copy(at, &rest[..1]);
                at += 1;
            }
            None => {}
        }
    }
}

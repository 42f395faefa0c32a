//! Backslash escapes of JSON, JavaScript, Python, C and their like.
//!
//! Source code is full of `\n`; only an escape that hides what a rule would read (a quote, a slash,
//! a printable character by its number) makes a line worth decoding.

use std::ops::Range;

use super::region::{self, Regions};
use crate::decode::ViewBuilder;

/// How far apart the line ends of such a text may stand.
const NEAR: usize = 300;

pub fn decode(text: &[u8], stretch: Range<usize>, place: u32, out: &mut ViewBuilder) {
    let mut regions = Regions::default();
    let mut at = stretch.start;
    while let Some(found) = memchr::memchr(b'\\', &text[at..stretch.end]) {
        let mark = at + found;
        if hides_something(&text[mark..stretch.end]) {
            let line = region::line(text, mark, &stretch);
            at = line.end.max(mark + 2);
            regions.add(line);
        } else {
            at = mark + 2;
        }
        if at >= stretch.end {
            break;
        }
    }
    for region in regions.into_iter() {
        out.begin(place, region.start);
        unescape(text, region, out);
    }
}

fn hides_something(rest: &[u8]) -> bool {
    match rest.get(1) {
        Some(b'"' | b'\'' | b'/') => true,
        Some(b'u' | b'x' | b'U') => {
            numbered(rest).is_some_and(|(_, c)| c.is_ascii_graphic() || c == ' ')
        }
        Some(b'\\') => matches!(rest.get(2), Some(b'"' | b'u' | b'x' | b'/')),
        // A text of several lines in one string, as JSON has them.
        Some(b'n') => {
            let near = &rest[2..rest.len().min(NEAR)];
            memchr::memmem::find_iter(near, b"\\n").nth(1).is_some()
        }
        _ => false,
    }
}

fn unescape(text: &[u8], region: Range<usize>, out: &mut ViewBuilder) {
    let mut at = region.start;
    let mut utf8 = [0; 4];
    while at < region.end {
        let rest = &text[at..region.end];
        let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        out.copy(at, &rest[..plain]);
        at += plain;
        let rest = &text[at..region.end];
        let Some(&sign) = rest.get(1) else {
            out.copy(at, rest);
            break;
        };
        let (len, decoded): (usize, &[u8]) = match sign {
            b'n' => (2, b"\n"),
            b't' => (2, b"\t"),
            b'r' => (2, b"\r"),
            b'"' | b'\'' | b'\\' | b'/' | b'`' => (2, &rest[1..2]),
            b'u' | b'x' | b'U' => match numbered(rest) {
                Some((len, c)) => (len, c.encode_utf8(&mut utf8).as_bytes()),
                None => (2, &rest[..2]),
            },
            _ => (2, &rest[..2]),
        };
        out.token(at, len, decoded);
        at += len;
    }
}

/// `\xXX`, `\uXXXX`, `\u{X}`, `\UXXXXXXXX`, and surrogate pairs: their length and character.
fn numbered(rest: &[u8]) -> Option<(usize, char)> {
    let hex = |digits: &[u8]| -> Option<u32> {
        let all = !digits.is_empty();
        let sum = digits.iter().try_fold(0u32, |sum, b| {
            Some(sum.checked_mul(16)? + (*b as char).to_digit(16)?)
        });
        sum.filter(|_| all)
    };
    let (len, code) = match rest.get(1)? {
        b'x' => (4, hex(rest.get(2..4)?)?),
        b'U' => (10, hex(rest.get(2..10)?)?),
        _ if rest.get(2) == Some(&b'{') => {
            let close = rest.iter().take(10).position(|b| *b == b'}')?;
            (close + 1, hex(&rest[3..close])?)
        }
        _ => (6, hex(rest.get(2..6)?)?),
    };
    if (0xd800..0xdc00).contains(&code)
        && let Some(pair) = rest.get(6..12)
        && pair.starts_with(b"\\u")
        && let Some(low @ 0xdc00..0xe000) = hex(&pair[2..])
    {
        return Some((
            12,
            char::from_u32(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00))?,
        ));
    }
    Some((
        len,
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    ))
}

//! Percent-encoding, word by word.

use std::ops::Range;

use super::region::Regions;
use crate::decode::ViewBuilder;

/// A word is followed so far to either side.
const REACH: usize = 8192;

pub fn decode(text: &[u8], stretch: Range<usize>, place: u32, out: &mut ViewBuilder) {
    let mut regions = Regions::default();
    let mut at = stretch.start;
    while let Some(found) = memchr::memchr(b'%', &text[at..stretch.end]) {
        let mark = at + found;
        at = mark + 1;
        if byte_at(&text[mark..stretch.end]).is_some_and(|b| b.is_ascii_graphic() || b == b' ') {
            let word = word(text, mark, &stretch);
            at = word.end.max(at);
            regions.add(word);
        }
    }
    for region in regions.into_iter() {
        out.begin(place, region.start);
        unescape(text, region, out);
    }
}

/// The byte that a `%XX` stands for.
fn byte_at(rest: &[u8]) -> Option<u8> {
    let digits = rest.get(1..3)?;
    let digit = |b: u8| (b as char).to_digit(16);
    Some((digit(digits[0])? * 16 + digit(digits[1])?) as u8)
}

fn word(text: &[u8], at: usize, stretch: &Range<usize>) -> Range<usize> {
    let low = at.saturating_sub(REACH).max(stretch.start);
    let high = (at + REACH).min(stretch.end);
    let left = text[low..at]
        .iter()
        .rev()
        .take_while(|b| is_word(**b))
        .count();
    let right = text[at..high].iter().take_while(|b| is_word(**b)).count();
    at - left..at + right
}

fn is_word(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | 0x7f)
}

fn unescape(text: &[u8], region: Range<usize>, out: &mut ViewBuilder) {
    let mut at = region.start;
    while at < region.end {
        let rest = &text[at..region.end];
        let plain = memchr::memchr(b'%', rest).unwrap_or(rest.len());
        out.copy(at, &rest[..plain]);
        at += plain;
        let rest = &text[at..region.end];
        match byte_at(rest) {
            Some(byte) => {
                out.token(at, 3, &[byte]);
                at += 3;
            }
            None if !rest.is_empty() => {
                out.copy(at, &rest[..1]);
                at += 1;
            }
            None => {}
        }
    }
}

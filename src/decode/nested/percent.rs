//! Percent-encoding, as in URLs and queries.
//!
//! The percent sign is also a remainder, a format and a share, so a word is opened only for a code
//! that none of those explains.

use super::{Finds, Marks, Region, Writer, context, hex_number};

/// Marks are percent signs.
pub(super) fn find(text: &[u8], mut marks: Marks<'_>, finds: &mut Finds<'_>) {
    let mut at = 0;
    while let Some(start) = marks.next(at) {
        at = start + 1;
        if is_telling(text, start) && finds.wants(start..start + 3) {
            let (first, end) = word(text, start);
            // Words close to each other on a line come out as one region.
            finds.merge(context(text, first), end);
            at = end;
        }
    }
}

/// Whether `%XX` at `at` is the code of a printable character rather than arithmetic or a format.
fn is_telling(text: &[u8], at: usize) -> bool {
    let Some(&[high, low]) = text.get(at + 1..at + 3) else {
        return false;
    };
    if !matches!(hex_number(&[high, low]), Some(0x20..0x7F)) {
        return false;
    }
    // `n%20`, `%3d` and `%5.2f` stand before something else than more of the word.
    let explained = low.is_ascii_digit() || low.is_ascii_lowercase();
    let next = text.get(at + 3).copied().unwrap_or(b' ');
    let before = at.checked_sub(1).and_then(|at| text.get(at));
    let inside = next.is_ascii_alphanumeric() && before.is_some_and(|&b| in_word(b));
    let followed = next == b'%' && text.get(at + 4).is_some_and(u8::is_ascii_digit);
    !explained || inside || (followed && low.is_ascii_digit())
}

/// The word around the code at `at`.
fn word(text: &[u8], at: usize) -> (usize, usize) {
    let before = text[..at].iter().rev().take_while(|&&b| in_word(b)).count();
    let after = text[at..].iter().take_while(|&&b| in_word(b)).count();
    (at - before, at + after)
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"%-._~:/?#@!$&*+,;=".contains(&byte)
}

pub(super) fn decode(text: &[u8], region: &Region, out: &mut Writer<'_>) {
    let text = text.get(..region.end).unwrap_or(text);
    let mut at = region.start;
    while let Some(found) = memchr::memchr(b'%', &text[at..]) {
        let start = at + found;
        out.copy(text, at..start);
        at = match text.get(start + 1..start + 3).and_then(hex_number) {
            Some(code) => {
                out.token(start, 3, &[code as u8]);
                start + 3
            }
            None => {
                out.copy(text, start..start + 1);
                start + 1
            }
        };
    }
    out.copy(text, at..text.len());
}

//! Percent-encoding, as in URLs and queries.
//!
//! The percent sign is also a remainder, a format and a share, so a word is opened only for a code
//! that none of those explains.

use super::{CONTEXT, Finds, Marks, Region, Writer, context, hex_number};
use crate::lines::REACH;

/// How far from a code its word is opened: with the context before that no farther than lines are.
const MAX_WORD: usize = REACH - CONTEXT;

/// Marks are percent signs.
pub(super) fn find(text: &[u8], mut marks: Marks<'_>, finds: &mut Finds<'_>) {
    let mut at = 0;
    while let Some(mark) = marks.next(at) {
        at = mark + 1;
        let code =
            |finds: &Finds<'_>, at| (is_telling(text, at) && finds.wants(at..at + 3)).then_some(at);
        let mut next = code(finds, mark);
        while let Some(start) = next.take() {
            let (first, end) = word(text, start);
            // Words close to each other on a line come out as one region.
            finds.merge(context(text, first), end);
            at = end;
            // Of the codes in a long word the last one tells how far to go.
            next = marks.last_before(end, |mark| code(finds, mark));
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

/// The word around the code at `at`, or what of a long one is near.
fn word(text: &[u8], at: usize) -> (usize, usize) {
    let before = text[..at].iter().rev().take(MAX_WORD);
    let after = text[at..].iter().take(MAX_WORD);
    let before = before.take_while(|&&b| in_word(b)).count();
    (at - before, at + after.take_while(|&&b| in_word(b)).count())
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

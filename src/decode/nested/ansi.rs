//! Terminal escape sequences, raw or as source code and JSON spell them.
//!
//! They are taken out without a trace, so that a word coloured in its middle is whole again.

use super::{Finds, Marks, Region, Sign, Writer};

const ESC: u8 = 0x1B;
const BEL: u8 = 0x07;

/// Spellings of ESC that only count before `[`.
const SPELLED: [&[u8]; 6] = [b"\\x1b", b"\\x1B", b"\\u001b", b"\\u001B", b"\\033", b"\\e"];

/// The longest parameters of a CSI sequence, and the longest text of an OSC one.
const MAX_PARAMETERS: usize = 64;
const MAX_COMMAND: usize = 1 << 9;

/// The longest sequence behind its first byte.
const MAX_SEQUENCE: usize = MAX_COMMAND + 2;

/// Marks are ESC and the last of some backslashes.
pub(super) fn find(text: &[u8], marks: Marks<'_>, finds: &mut Finds<'_>) {
    finds.lines(text, marks, |last| {
        let end = last + 1;
        let slashes = super::slashes_before(text, end);
        let first = last.min(end - slashes);
        let (start, len) = spelled(text, first, slashes)?;
        Some(Sign {
            core: start..start + len,
            told_by: first..end + MAX_SEQUENCE,
        })
    });
}

pub(super) fn decode(text: &[u8], region: &Region, out: &mut Writer<'_>) {
    let text = text.get(..region.end).unwrap_or(text);
    let mut at = region.start;
    while let Some((start, len)) = next(text, at) {
        out.copy(text, at..start);
        at = start + len;
    }
    out.copy(text, at..text.len());
}

/// The next sequence from `at` on: where it starts and how long it is.
fn next(text: &[u8], mut at: usize) -> Option<(usize, usize)> {
    while let Some(found) = memchr::memchr2(ESC, b'\\', text.get(at..)?) {
        let start = at + found;
        let slashes = text[start..].iter().take_while(|&&b| b == b'\\').count();
        let found = spelled(text, start, slashes);
        if found.is_some() {
            return found;
        }
        at = start + slashes.max(1);
    }
    None
}

/// The sequence that begins with the ESC at `start` or with the last of so many backslashes there.
fn spelled(text: &[u8], start: usize, slashes: usize) -> Option<(usize, usize)> {
    let last = start + slashes.saturating_sub(1);
    let len = sequence(&text[last..])?;
    // Each further layer of escapes doubles the backslash; other numbers of them begin with some
    // that mean themselves.
    let start = if slashes.is_power_of_two() {
        start
    } else {
        last
    };
    Some((start, last + len - start))
}

/// The length of the sequence at the start of `text`.
fn sequence(text: &[u8]) -> Option<usize> {
    match text {
        [ESC, b']', command @ ..] => Some(2 + operating_system_command(command)?),
        [ESC, b'[', rest @ ..] => Some(2 + control_sequence(rest)?),
        [b'\\', b'x', b'1', ..]
        | [b'\\', b'u', b'0', b'0', b'1', ..]
        | [b'\\', b'0', b'3', ..]
        | [b'\\', b'e', b'[', ..] => {
            let spelled = SPELLED.iter().find(|s| text.starts_with(s))?;
            let rest = text.get(spelled.len()..)?.strip_prefix(b"[")?;
            Some(spelled.len() + 1 + control_sequence(rest)?)
        }
        _ => None,
    }
}

/// Parameters and the letter that ends them. Code that puts a sequence together from parts has
/// something else after the bracket, and is left alone.
fn control_sequence(rest: &[u8]) -> Option<usize> {
    let parameter = |b: &u8| matches!(b, b'0'..=b'?');
    let len = rest
        .iter()
        .take(MAX_PARAMETERS + 1)
        .position(|b| !parameter(b))?;
    matches!(rest.get(len)?, b'@'..=b'Z' | b'a'..=b'~').then_some(len + 1)
}

/// Up to BEL or to ESC and a backslash, on one line.
fn operating_system_command(rest: &[u8]) -> Option<usize> {
    let rest = rest.get(..MAX_COMMAND).unwrap_or(rest);
    let end = memchr::memchr3(BEL, ESC, b'\n', rest)?;
    match rest.get(end..)? {
        [BEL, ..] => Some(end + 1),
        [ESC, b'\\', ..] => Some(end + 2),
        _ => None,
    }
}

//! String literals that a program joins: side by side, by an operator, or over a line's end.
//!
//! Where the two sides meet, the quotes and all between them are taken out; the rest of the lines
//! stays, with the name before the first literal.

use std::ops::Range;

use super::{Finds, Marks, Region, Sign, Writer};

/// A joint is within a value when bytes without space touch it on both sides, so many on one.
/// Prose that is broken over lines breaks at a space.
const CARRIED: usize = 8;

/// White space and operators between two literals.
const MAX_GAP: usize = 256;

/// How far from the joint the other quotes of the two literals may be.
const MAX_LITERAL: usize = 1 << 9;

/// Marks are quotes and backslashes.
pub(super) fn find(text: &[u8], marks: Marks<'_>, finds: &mut Finds<'_>) {
    finds.lines(text, marks, |start| {
        // What is escaped opens and closes nothing.
        let slashes = super::slashes_before(text, start);
        let is_bare = slashes.is_multiple_of(2) && slashes < MAX_LITERAL;
        let core = joint(text, start).filter(|_| is_bare)?;
        Some(Sign {
            told_by: start.saturating_sub(MAX_LITERAL)..core.end + MAX_LITERAL,
            core,
        })
    });
}

pub(super) fn decode(text: &[u8], region: &Region, out: &mut Writer<'_>) {
    let text = text.get(..region.end).unwrap_or(text);
    let mut at = region.start;
    while let Some(joint) = next(text, at) {
        out.copy(text, at..joint.start);
        at = joint.end;
    }
    out.copy(text, at..text.len());
}

/// The next joint that starts at `at` or later: from the quote that closes one literal to the
/// quote that opens the other, or a backslash and the line end it hides.
fn next(text: &[u8], mut at: usize) -> Option<Range<usize>> {
    loop {
        let start = at + memchr::memchr3(b'"', b'\'', b'\\', text.get(at..)?)?;
        match joint(text, start) {
            None if text[start] == b'\\' => at = start + 2,
            None => at = start + 1,
            found => return found,
        }
    }
}

/// The joint whose first byte is the quote or backslash at `start`.
pub(super) fn joint(text: &[u8], start: usize) -> Option<Range<usize>> {
    match text.get(start..start + 2)? {
        [b'\\', b'\n' | b'\r'] => continuation(text, start),
        [
            b'"' | b'\'',
            b' ' | b'\t' | b'\n' | b'\r' | b'+' | b'.' | b'&' | b'\\' | b'|',
        ] => literals(text, start),
        _ => None,
    }
}

/// A line end that a backslash hides within a word or a literal.
fn continuation(text: &[u8], start: usize) -> Option<Range<usize>> {
    let end = start + 1 + line_end(&text[start + 1..])?;
    let escaped = text[..start].last() == Some(&b'\\');
    (is_within_value(text, start, end) && !escaped).then_some(start..end)
}

/// Two literals of which the first ends with the quote at `start`.
fn literals(text: &[u8], start: usize) -> Option<Range<usize>> {
    let (end, quote) = gap(text, start + 1, text[start])?;
    if is_literal(text, start, end) || !is_within_value(text, start, end) {
        return None;
    }
    let opened = &text[start.saturating_sub(MAX_LITERAL)..start];
    let closed = &text[end..end.saturating_add(MAX_LITERAL).min(text.len())];
    let opens = memchr::memrchr2(text[start], b'\n', opened)?;
    let closes = memchr::memchr2(quote, b'\n', closed)?;
    (opened[opens] != b'\n' && closed[closes] != b'\n').then_some(start..end)
}

/// Whether what seems to be a joint is a literal itself, such as the `" "` of `split(" ")`.
fn is_literal(text: &[u8], start: usize, end: usize) -> bool {
    let before = text[..start].last();
    before.is_some_and(|b| b"(,=+[:{?!&|<>".contains(b))
        && text.get(end).is_some_and(|b| b"),;].+}?:&|".contains(b))
}

/// Reads from after a `closing` quote to after the next opening one; gives that quote too.
fn gap(text: &[u8], start: usize, closing: u8) -> Option<(usize, u8)> {
    let rest = &text[start..start.saturating_add(MAX_GAP).min(text.len())];
    let mut at = 0;
    let (mut operator, mut hidden, mut lines, mut indent) = (false, false, 0, 0);
    loop {
        let here = &rest[at..];
        match here {
            [b' ' | b'\t', ..] => (at, indent) = (at + 1, indent + 1),
            [b'\n' | b'\r', ..] => {
                at += line_end(here)?;
                (lines, indent) = (lines + 1, 0);
            }
            [b'\\' | b'_', b'\n' | b'\r', ..] if !hidden => (at, hidden) = (at + 1, true),
            [b'.', b'.', ..] | [b'|', b'|', ..] if !operator => (at, operator) = (at + 2, true),
            [b'+' | b'.' | b'&', ..] if !operator => (at, operator) = (at + 1, true),
            _ => break,
        }
    }
    let prefix = rest[at..]
        .iter()
        .take(2)
        .take_while(|b| b"rbufRBUF".contains(b))
        .count();
    let quote = *rest
        .get(at + prefix)
        .filter(|b| matches!(b, b'"' | b'\''))?;
    // Lines of quoted values that begin at the margin are a table, not a program; and without an
    // operator, quotes of two kinds are more often a remark and what it is about.
    let joined = operator || hidden || (quote == closing && (lines == 0 || indent > 0));
    (at > 0 && joined).then_some((start + at + prefix + 1, quote))
}

/// The length of the line end at the start of `text`.
fn line_end(text: &[u8]) -> Option<usize> {
    match text {
        [b'\r', b'\n', ..] => Some(2),
        [b'\n' | b'\r', ..] => Some(1),
        _ => None,
    }
}

/// Whether the text goes on without space over the joint, far enough on one side to be a value.
fn is_within_value(text: &[u8], start: usize, end: usize) -> bool {
    // The survey takes the same for blanks.
    let carried = |b: &&u8| !matches!(b, 0..=b'\r' | b' ' | b'"' | b'\'');
    let before = text[..start].iter().rev().take(CARRIED);
    let after = text[end..].iter().take(CARRIED);
    let (before, after) = (
        before.take_while(carried).count(),
        after.take_while(carried).count(),
    );
    before > 0 && after > 0 && before.max(after) == CARRIED
}

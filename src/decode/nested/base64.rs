//! Base64 of text, in either alphabet, with or without padding.
//!
//! Names and paths are runs of the alphabet too. They are told apart by decoding: what spells a
//! word in the one hardly ever spells text in the other, so the first bytes decide. A payload that
//! stops being text is cut there.

use std::ops::Range;

use smallvec::SmallVec;

use super::class::{self, Class};
use super::{Finds, Marks, Region, Writer, context};
use crate::span::ViewSpan;

const ALPHABET: Class = class::of(&[(b'0', b'9'), (b'a', b'z'), (b'A', b'Z')], b"+/-_");

/// The value of each digit; 64 for what is none.
const VALUES: [u8; 256] = values();

/// The shortest run, and how much of a run decides: these decode to [`PROOF`] bytes.
pub(super) const MIN: usize = 20;
const START: usize = 16;
const PROOF: usize = 12;

/// The bytes that a character of text may begin with.
const STARTS: [bool; 256] = starts();

/// The longest run that is decoded to its end.
const MAX: usize = 1 << 20;

/// Bytes looked at together.
const BLOCK: usize = 64;

/// How far a line of a payload may be indented.
const MAX_INDENT: usize = 1 << 10;

/// The shortest line of a payload that is broken over lines.
const MIN_LINE: usize = 40;

const fn values() -> [u8; 256] {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [64; 256];
    let mut value = 0;
    while value < digits.len() {
        values[digits[value] as usize] = value as u8;
        value += 1;
    }
    values[b'-' as usize] = 62;
    values[b'_' as usize] = 63;
    values
}

const fn starts() -> [bool; 256] {
    let mut starts = [false; 256];
    let mut byte = 0;
    while byte < starts.len() {
        starts[byte] = is_plain(byte as u8) || matches!(byte, 0xC2..=0xF4);
        byte += 1;
    }
    starts
}

/// How a payload's bytes spell characters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Utf8,
    /// Of PowerShell's `-EncodedCommand`.
    Utf16,
}

/// Marks are the starts of runs of at least [`MIN`] digits.
pub(super) fn find(text: &[u8], mut marks: Marks<'_>, finds: &mut Finds<'_>) {
    let mut at = 0;
    while let Some(start) = marks.next(at) {
        at = start + MIN;
        if kind(&text[start..at]).is_none() {
            continue;
        }
        let run = start..run_end(text, at);
        at = run.end;
        if finds.wants(run.clone()) {
            let end = last_line(text, run.clone()).min(start + MAX);
            finds.apart(context(text, start), start, end);
            at = at.max(end);
        }
    }
}

/// What the first digits of a run decode to, if that is text.
fn kind(run: &[u8]) -> Option<Text> {
    // Most runs are names, and show it in their first bytes.
    if !may_begin(group(*run.first_chunk()?)) {
        return None;
    }
    let mut start = [0; PROOF];
    let (quads, _) = run.get(..START)?.as_chunks();
    for (quad, bytes) in quads.iter().zip(start.chunks_mut(3)) {
        bytes.copy_from_slice(&group(*quad));
        if bytes.iter().any(|&b| b < b' ' && !b"\0\t\n\r".contains(&b)) {
            return None;
        }
    }
    if start
        .chunks(2)
        .all(|unit| is_plain(unit[0]) && unit[1] == 0)
    {
        return Some(Text::Utf16);
    }
    let valid = match std::str::from_utf8(&start) {
        Ok(text) => text,
        // A character may go on after these bytes.
        Err(fault) if fault.error_len().is_none() => {
            std::str::from_utf8(&start[..fault.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let plain = valid.bytes().filter(|&b| is_plain(b)).count();
    let marked = valid.bytes().any(|b| b < 0x80 && !is_plain(b));
    (!marked && plain * 2 >= PROOF).then_some(Text::Utf8)
}

/// Whether text may begin with these bytes.
fn may_begin([a, b, c]: [u8; 3]) -> bool {
    let begins = |byte: u8| STARTS[usize::from(byte)];
    let goes_on = |byte: u8| byte & 0xC0 == 0x80;
    match (is_plain(a), is_plain(b)) {
        (true, true) => begins(c),
        // Wide characters have a zero there.
        (true, false) => b == 0 && is_plain(c) || begins(b) && goes_on(c),
        (false, _) => begins(a) && goes_on(b) && if a < 0xE0 { begins(c) } else { goes_on(c) },
    }
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// The three bytes of four digits.
fn group(digits: [u8; 4]) -> [u8; 3] {
    let [a, b, c, d] = digits.map(|digit| u32::from(VALUES[usize::from(digit)] & 63));
    let [_, bytes @ ..] = (a << 18 | b << 12 | c << 6 | d).to_be_bytes();
    bytes
}

/// Where the payload that begins with `run` ends, with its padding and when it goes on over lines of equal width.
fn last_line(text: &[u8], run: Range<usize>) -> usize {
    let width = run.len();
    if !is_full(width) {
        return run.end + padding(text, run.end, width);
    }
    let mut end = run.end;
    while let Some(next) = next_line(text, end) {
        let rest = &text[next..];
        let len = rest.iter().take(width + 1);
        let len = len.take_while(|&&b| ALPHABET.has(b)).count();
        if len == 0 || len > width || next + len - run.start > MAX {
            break;
        }
        end = next + len;
        if len < width {
            return end + padding(text, end, len);
        }
    }
    end
}

/// Where the text of the next line starts, if this one ends at `at`.
fn next_line(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
    let rest = rest.strip_prefix(b"\n")?;
    Some(text.len() - rest.len() + indent(rest))
}

/// Where the payload starts and ends that a cut of the text at `at` goes through: the run of digits
/// there and the lines that may belong to it, as far as a payload is decoded. What it decodes to is not
/// asked, nor whether its lines are full: they may have been before a change. Empty when the cut goes
/// through none.
pub fn cut_by(text: &[u8], at: usize) -> Range<usize> {
    // Mostly a line begins there, or a word is cut.
    let goes_on = match text[..at].split_last() {
        Some((b'\n', line)) => ends_long(line.strip_suffix(b"\r").unwrap_or(line)),
        Some((b' ' | b'\t', _)) => true,
        Some(_) => is_long(text, at),
        None => false,
    };
    match goes_on {
        true => payload(text, at),
        false => at..at,
    }
}

/// Whether digits stand on both sides.
pub(super) fn is_cut(text: &[u8], at: usize) -> bool {
    let has = |at: Option<usize>| {
        at.and_then(|at| text.get(at))
            .is_some_and(|&b| ALPHABET.has(b))
    };
    has(at.checked_sub(1)) && has(Some(at))
}

/// A stretch of a view, with its line end, without the digits at those of its ends that cut them.
pub(super) fn uncut(text: &[u8], stretch: ViewSpan, [begins, ends]: [bool; 2]) -> ViewSpan {
    let Range { mut start, mut end } = stretch.range();
    if begins {
        start = ALPHABET.run_end(&text[..end], start);
    }
    if ends {
        let inside = &text[start..end];
        let inside = inside.strip_suffix(b"\n").unwrap_or(inside);
        let digits = inside.iter().rev().take_while(|&&b| ALPHABET.has(b));
        end = start + inside.len() - digits.count();
    }
    ViewSpan::new(start, end)
}

/// Whether the last digits may be a payload's.
fn ends_long(line: &[u8]) -> bool {
    let end = line.last_chunk::<MIN>();
    end.is_some_and(|end| end.iter().rev().all(|&b| ALPHABET.has(b)))
}

/// Whether the run of digits at `at` may be a payload's, or its last line's.
fn is_long(text: &[u8], at: usize) -> bool {
    let near = text[at..].iter().take(MIN);
    let behind = near.take_while(|&&b| ALPHABET.has(b)).count();
    if behind == 0 {
        return false;
    }
    let near = text[..at].iter().rev().take(MIN);
    let before = near.take_while(|&&b| ALPHABET.has(b)).count();
    let first = text[..at - before].last();
    let begins_line = first.is_none_or(|&b| b == b'\n' || is_blank(b));
    before > 0 && (begins_line || before + behind >= MIN)
}

fn payload(text: &[u8], at: usize) -> Range<usize> {
    let (floor, ceiling) = (at.saturating_sub(MAX), text.len().min(at + MAX));
    let has = |at: usize| text.get(at).is_some_and(|&b| ALPHABET.has(b));
    let (first, mut start) = if at > 0 && has(at - 1) {
        (at, run_start(text, at, floor))
    } else if let Some(before) = line_before(text, at, floor) {
        (at + indent(&text[at..]), before)
    } else {
        return at..at;
    };
    if !has(first) {
        return at..at;
    }
    while let Some(before) = line_before(text, start, floor) {
        start = before;
    }
    let mut line = run_start(text, first, floor);
    let mut end = run_end(&text[..ceiling], first);
    while end - line >= MIN_LINE
        && let Some(next) = next_line(text, end).filter(|&next| next < ceiling && has(next))
    {
        line = next;
        end = run_end(&text[..ceiling], next);
    }
    start..end
}

/// Where the payload's line before the one that starts at `at` starts, if it can go on there.
fn line_before(text: &[u8], at: usize, floor: usize) -> Option<usize> {
    let before = &text[floor..at];
    let near = before.iter().rev().take(MAX_INDENT);
    let blanks = near.take_while(|b| is_blank(**b)).count();
    let before = before[..before.len() - blanks].strip_suffix(b"\n")?;
    let before = before.strip_suffix(b"\r").unwrap_or(before);
    let end = floor + before.len();
    let start = run_start(text, end, floor);
    (end - start >= MIN_LINE).then_some(start)
}

/// Where the run of digits that ends at `at` starts, not before `floor`. Some are very long.
fn run_start(text: &[u8], at: usize, floor: usize) -> usize {
    let mut start = at;
    while let Some(block) = text[floor..start].last_chunk()
        && all_digits(block)
    {
        start -= BLOCK;
    }
    let before = text[floor..start].iter().rev();
    start - before.take_while(|&&b| ALPHABET.has(b)).count()
}

/// Where the run of digits that goes on at `at` ends.
fn run_end(text: &[u8], at: usize) -> usize {
    let mut end = at;
    while let Some(block) = text[end..].first_chunk()
        && all_digits(block)
    {
        end += BLOCK;
    }
    ALPHABET.run_end(text, end)
}

/// By comparisons, which the compiler makes of all at once.
fn all_digits(block: &[u8; BLOCK]) -> bool {
    let is_digit = |b: u8| b.is_ascii_alphanumeric() | matches!(b, b'+' | b'/' | b'-' | b'_');
    block.iter().fold(true, |all, &b| all & is_digit(b))
}

/// Whether a payload may go on after a line of so many digits.
const fn is_full(width: usize) -> bool {
    width >= MIN_LINE && width.is_multiple_of(4)
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// How many blanks a line begins with, as far as a payload's may.
fn indent(line: &[u8]) -> usize {
    let near = line.iter().take(MAX_INDENT);
    near.take_while(|b| is_blank(**b)).count()
}

/// A stretch of digits: where it starts, how many there are, and padding after them.
type Piece = (usize, usize, usize);

pub(super) fn decode(text: &[u8], region: &Region, out: &mut Writer<'_>) {
    out.copy(text, region.start..region.core);
    let text = text.get(..region.end).unwrap_or(text);
    let mut pieces: SmallVec<[Piece; 4]> = SmallVec::new();
    let mut bytes = Vec::with_capacity((region.end - region.core) / 4 * 3 + 3);
    let mut at = region.core;
    loop {
        let len = run_end(text, at) - at;
        pieces.push((at, len, padding(text, at + len, len)));
        let (quads, rest) = text[at..at + len].as_chunks();
        let before = bytes.len();
        bytes.resize(before + 3 * quads.len(), 0);
        let (groups, _) = bytes[before..].as_chunks_mut();
        for (quad, bytes) in quads.iter().zip(groups) {
            *bytes = group(*quad);
        }
        let mut last = [b'A'; 4];
        last[..rest.len()].copy_from_slice(rest);
        bytes.extend_from_slice(&group(last)[..rest.len() * 3 / 4]);
        match next_line(text, at + len) {
            Some(next) if len.is_multiple_of(4) => at = next,
            _ => break,
        }
    }
    match kind(&text[region.core..]) {
        Some(Text::Utf16) => utf16(pieces[0], &bytes, out),
        _ => utf8(&pieces, &bytes[..text_len(&bytes)], out),
    }
}

/// The padding at `at`, after so many digits.
fn padding(text: &[u8], at: usize, digits: usize) -> usize {
    let most = (4 - digits % 4) % 4;
    let found = text[at..].iter().take(most).take_while(|&&b| b == b'=');
    found.count()
}

/// How many bytes from the start are text.
fn text_len(bytes: &[u8]) -> usize {
    // By all of a block at once, as most payloads are plain to their end.
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let is_plain_block =
        |block: &&[u8; BLOCK]| block.iter().fold(true, |all, &b| all & is_plain(b));
    let plain = BLOCK * blocks.iter().take_while(is_plain_block).count();
    plain + text_len_of(&bytes[plain..])
}

/// The same, byte by byte.
fn text_len_of(bytes: &[u8]) -> usize {
    let valid = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(fault) => fault.valid_up_to(),
    };
    let marked = bytes[..valid]
        .iter()
        .position(|&b| b < 0x80 && !is_plain(b));
    marked.unwrap_or(valid)
}

fn utf8(pieces: &[Piece], mut bytes: &[u8], out: &mut Writer<'_>) {
    for &(at, digits, padding) in pieces {
        let (row, rest) = bytes.split_at(bytes.len().min(digits / 4 * 3) / 3 * 3);
        out.row(at, 4, 3, row);
        let (at, left) = (at + row.len() / 3 * 4, digits - row.len() / 3 * 4);
        let (tail, rest) = rest.split_at(rest.len().min(left * 3 / 4).min(2));
        if !tail.is_empty() {
            let from = if left < 4 { left + padding } else { 4 };
            out.token(at, from, tail);
        }
        bytes = rest;
    }
}

/// Eight digits are six bytes are three units; ASCII keeps that measure. One line only: over a
/// line's end the measure would not hold, and PowerShell writes none.
fn utf16((at, digits, padding): Piece, bytes: &[u8], out: &mut Writer<'_>) {
    let bytes = &bytes[..bytes.len().min(digits * 3 / 4)];
    for (index, units) in bytes.chunks(6).enumerate() {
        let units = units.chunks_exact(2);
        let text: String = char::decode_utf16(units.map(|u| u16::from_le_bytes([u[0], u[1]])))
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        if text.bytes().any(|b| b < 0x80 && !is_plain(b)) {
            break;
        }
        let from = (digits + padding - index * 8).min(8);
        out.token(at + index * 8, from, text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    /// The same of the bytes that a run decodes to, all at once.
    fn kind_of(bytes: &[u8]) -> Option<Text> {
        if bytes
            .chunks(2)
            .all(|unit| is_plain(unit[0]) && unit[1] == 0)
        {
            return Some(Text::Utf16);
        }
        let valid = bytes.utf8_chunks().next()?;
        let is_cut = valid.valid().len() + valid.invalid().len() == bytes.len()
            && std::str::from_utf8(bytes).is_err_and(|fault| fault.error_len().is_none());
        let plain = valid.valid().bytes().filter(|&b| is_plain(b)).count();
        let ascii = valid.valid().bytes().filter(u8::is_ascii).count();
        let is_text = valid.invalid().is_empty() || is_cut;
        (is_text && ascii == plain && plain * 2 >= PROOF).then_some(Text::Utf8)
    }

    proptest! {
        #[test]
        fn runs_are_told_by_their_first_bytes(
            bytes in prop_oneof![
                "[ -~\t\n\u{1}\u{e9}\u{4e2d}\u{1f600}]{12}".prop_map(String::into_bytes),
                prop::collection::vec(prop_oneof![3 => 32..127_u8, 1 => any::<u8>(), 1 => 0..1_u8], 12),
                "[ -~\n]{6}".prop_map(|text| text.bytes().flat_map(|byte| [byte, 0]).collect()),
            ],
            flaw in prop::option::of((0..12_usize, any::<u8>())),
        ) {
            let mut bytes = bytes[..12].to_vec();
            if let Some((at, byte)) = flaw {
                bytes[at] = byte;
            }
            let run = STANDARD.encode(&bytes) + "AAAA";
            prop_assert!(kind(run.as_bytes()) == kind_of(&bytes), "{bytes:?}");
        }

        #[test]
        fn text_ends_where_it_does_byte_by_byte(
            text in "([a-z\n]{0,150}|\u{e9}){0,4}",
            breaks in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        ) {
            let mut bytes = text.into_bytes();
            for (at, byte) in breaks {
                bytes.insert(at.index(bytes.len() + 1), byte);
            }
            prop_assert_eq!(text_len(&bytes), text_len_of(&bytes));
        }
    }

    #[test]
    fn a_block_of_digits_is_of_the_alphabet() {
        for byte in 0..=u8::MAX {
            assert_eq!(all_digits(&[byte; BLOCK]), ALPHABET.has(byte), "{byte}");
        }
    }

    #[test]
    fn a_payload_ends_where_lines_are_indented_without_end() {
        let line = "A".repeat(76);
        let text = |blanks| format!("{line}\n{}BBBB;", " ".repeat(blanks));
        let near = text(MAX_INDENT);
        assert_eq!(cut_by(near.as_bytes(), 77), 0..near.len() - 1);
        assert_eq!(last_line(near.as_bytes(), 0..76), near.len() - 1);
        let far = text(MAX + 9);
        assert_eq!(cut_by(far.as_bytes(), 77), 77..77);
        assert_eq!(last_line(far.as_bytes(), 0..76), 76);
    }
}

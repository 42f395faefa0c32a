//! Backslash escapes of JSON, JavaScript, C, Python and their like.
//!
//! Source code is full of `\n`, and undoing one tells nothing that the text did not. So a line is
//! opened only for escapes that hide what a rule looks for: quotes, slashes, printable characters
//! spelled as numbers, and the line ends of a whole text in one string.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

use super::{Finds, Marks, Region, Sign, Writer, hex_number};

/// Bytes looked at together.
const BLOCK: usize = 64;

/// How far apart the line ends of a text in one string may stand.
const NEAR: usize = 300;

/// How much behind the backslashes tells of an escape, at most.
const TOLD_BY: usize = 1 + NEAR;

/// Marks are the last of some backslashes.
pub(super) fn find(text: &[u8], marks: Marks<'_>, finds: &mut Finds<'_>) {
    finds.lines(text, marks, |last| {
        let end = last + 1;
        let slashes = super::slashes_before(text, end);
        let len = telling(slashes, &text[end..])?;
        Some(Sign {
            core: last..end + len,
            told_by: end - slashes..end + TOLD_BY,
        })
    });
}

/// Whether what follows a run of backslashes makes the line worth opening; how long that is.
fn telling(slashes: usize, rest: &[u8]) -> Option<usize> {
    match rest {
        [b'\'' | b'/', ..] if slashes % 2 == 1 => Some(1),
        [b'"', ..] if slashes % 2 == 1 => Some(1),
        // `"\\"` is a backslash between quotes; `\\"name\\"` is JSON twice escaped.
        [b'"', next, ..] if next.is_ascii_alphanumeric() => Some(1),
        // A text of several lines in one string, as JSON has them.
        [b'n', rest @ ..] if slashes % 2 == 1 => {
            let near = &rest[..rest.len().min(NEAR)];
            let line = memchr::memchr(b'\n', near).map_or(near, |end| &near[..end]);
            let mut ends =
                memchr::memchr_iter(b'\\', line).filter(|at| line.get(at + 1) == Some(&b'n'));
            ends.nth(1).map(|_| 1)
        }
        // What is printable has a small number, and whole texts are spelled in others.
        [b'u', b'0', b'0', ..] | [b'u', b'{', ..] | [b'U', b'0', b'0', b'0', ..] | [b'x', ..] => {
            let (len, character) = number(rest)?;
            let printable = character.is_ascii_graphic() || character == ' ';
            printable.then_some(len)
        }
        _ => None,
    }
}

pub(super) fn decode(text: &[u8], region: &Region, out: &mut Writer<'_>) {
    let text = text.get(..region.end).unwrap_or(text);
    let mut at = region.start;
    let mut backslashes = Backslashes::new(text, at);
    out.expect(text.len() - at);
    while let Some(start) = backslashes.next(at) {
        out.copy(text, at..start);
        at = match escape(&text[start + 1..]) {
            Some((len, Meaning::Byte(byte))) => {
                out.token(start, len + 1, &[byte]);
                start + 1 + len
            }
            Some((len, Meaning::Char(character))) => {
                out.character(start, len + 1, character);
                start + 1 + len
            }
            None => {
                out.copy(text, start..start + 1);
                start + 1
            }
        };
    }
    out.copy(text, at..text.len());
}

/// Finds one backslash after the other. In a text of strings they are too near to each other for a
/// search that begins anew with each.
struct Backslashes<'t> {
    level: Level,
    text: &'t [u8],
    /// Where the next block starts.
    next: usize,
    /// Those of the block before that are left, a bit each.
    left: u64,
}

impl<'t> Backslashes<'t> {
    fn new(text: &'t [u8], from: usize) -> Self {
        Self {
            level: Level::new(),
            text,
            next: from,
            left: 0,
        }
    }

    /// The next one at `from` or behind.
    fn next(&mut self, from: usize) -> Option<usize> {
        loop {
            while self.left == 0 {
                let rest = self.text.get(self.next..).filter(|rest| !rest.is_empty())?;
                self.left = match rest.first_chunk() {
                    Some(block) => in_block(self.level, block),
                    None => {
                        let mut block = [0; BLOCK];
                        block[..rest.len()].copy_from_slice(rest);
                        in_block(self.level, &block)
                    }
                };
                self.next += BLOCK;
            }
            let at = self.next - BLOCK + self.left.trailing_zeros() as usize;
            self.left &= self.left - 1;
            if at >= from {
                return Some(at);
            }
        }
    }
}

/// A bit for each backslash.
fn in_block(level: Level, block: &[u8; BLOCK]) -> u64 {
    dispatch!(level, simd => compare(simd, block))
}

/// Needs to be inlined to be compiled for the level at hand.
#[inline(always)]
fn compare<S: Simd>(simd: S, block: &[u8; BLOCK]) -> u64 {
    let bytes = u8x64::load_array_ref(simd, block);
    bytes.simd_eq(b'\\').to_bitmask()
}

/// What an escape stands for.
enum Meaning {
    /// `\xE9` is a byte in Python's and C's byte strings, and those spell UTF-8 that way.
    Byte(u8),
    Char(char),
}

/// Reads what follows a backslash: its length and meaning. `None` for an unknown escape.
fn escape(rest: &[u8]) -> Option<(usize, Meaning)> {
    let byte = match *rest.first()? {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        quoted @ (b'\\' | b'"' | b'\'' | b'/') => quoted,
        b'x' => {
            let code = hex_number(rest.get(1..3)?)?;
            return Some((3, Meaning::Byte(code as u8)));
        }
        b'u' | b'U' => {
            let (len, character) = number(rest)?;
            return Some((len, Meaning::Char(character)));
        }
        _ => return None,
    };
    Some((1, Meaning::Byte(byte)))
}

/// Reads `xXX`, `uXXXX` (and the second half of a surrogate pair), `u{X...}` or `UXXXXXXXX`.
fn number(rest: &[u8]) -> Option<(usize, char)> {
    let (len, code) = match rest {
        [b'x', ..] => (3, hex_number(rest.get(1..3)?)?),
        [b'u', b'{', digits @ ..] => {
            let len = digits.iter().take(7).position(|&b| b == b'}')?;
            (
                len + 3,
                hex_number(digits.get(..len).filter(|d| !d.is_empty())?)?,
            )
        }
        [b'u', ..] => (5, hex_number(rest.get(1..5)?)?),
        [b'U', ..] => (9, hex_number(rest.get(1..9)?)?),
        _ => return None,
    };
    if let (0xD800..0xDC00, Some(low)) = (code, low_surrogate(rest.get(len..)?)) {
        let pair = 0x1_0000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        return Some((len + 6, char::from_u32(pair)?));
    }
    let lone = matches!(code, 0xD800..0xE000);
    let character = if lone {
        char::REPLACEMENT_CHARACTER
    } else {
        char::from_u32(code)?
    };
    Some((len, character))
}

/// The second half of a pair, when an escape of one stands here.
fn low_surrogate(rest: &[u8]) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = rest else {
        return None;
    };
    let code = hex_number(digits.get(..4)?)?;
    matches!(code, 0xDC00..0xE000).then_some(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn backslashes_are_found_as_one_by_one(
            text in r"(\\|a|b{1,90}){0,60}",
            from in any::<prop::sample::Index>(),
            taken in 1..4_usize,
        ) {
            let text = text.as_bytes();
            let mut at = from.index(text.len() + 1);
            for level in [Level::new(), Level::baseline()] {
                let mut found = Backslashes { level, ..Backslashes::new(text, at) };
                loop {
                    let next = text[at..].iter().position(|&b| b == b'\\').map(|next| at + next);
                    prop_assert_eq!(found.next(at), next);
                    let Some(next) = next else { break };
                    at = (next + taken).min(text.len());
                }
                at = from.index(text.len() + 1);
            }
        }
    }
}

//! Long runs of bytes of one class, found without looking at every byte.

use std::ops::Range;

/// A set of byte values as a table.
pub(super) struct Class {
    members: [bool; 256],
    /// Whether a byte of text is more likely outside than inside.
    rare: bool,
}

impl Class {
    pub(super) fn has(&self, byte: u8) -> bool {
        self.members[usize::from(byte)]
    }
}

/// The set of the bytes in `ranges`, ends included, and of the `others`.
pub(super) const fn class(ranges: &[(u8, u8)], others: &[u8]) -> Class {
    let mut members = [false; 256];
    let mut size = others.len();
    let mut index = 0;
    while index < ranges.len() {
        let (mut byte, last) = ranges[index];
        while byte <= last {
            members[byte as usize] = true;
            byte += 1;
            size += 1;
        }
        index += 1;
    }
    index = 0;
    while index < others.len() {
        members[others[index] as usize] = true;
        index += 1;
    }
    let rare = size < 32;
    Class { members, rare }
}

/// The next maximal run of at least `min` bytes of the class that starts at `from` or later.
///
/// A run as long as that cannot hide between two bytes `min` apart: the last byte of the present
/// window that is not of the class tells how far to leap.
pub(super) fn next(text: &[u8], from: usize, min: usize, class: &Class) -> Option<Range<usize>> {
    let mut start = from;
    loop {
        let window = text.get(start..start.checked_add(min)?)?;
        match last_outside(window, class) {
            Some(outside) => start += outside + 1,
            None => {
                let rest = &text[start + min..];
                let more = rest.iter().position(|&b| !class.has(b));
                return Some(start..start + min + more.unwrap_or(rest.len()));
            }
        }
    }
}

/// The last byte of a window that is not of the class.
fn last_outside(window: &[u8], class: &Class) -> Option<usize> {
    if class.rare && window.last().is_some_and(|&b| !class.has(b)) {
        return Some(window.len() - 1);
    }
    if let Some(tail) = window.last_chunk() {
        let separators = separators(u64::from_le_bytes(*tail));
        if separators != 0 {
            return Some(window.len() - 1 - separators.leading_zeros() as usize / 8);
        }
    }
    window.iter().rposition(|&b| !class.has(b))
}

/// Marks, by the top bit of each byte, what separates words most often: the bytes up to `.` but
/// for `)`, `+` and `-`. No class has any of them, and eight are looked at in one go.
fn separators(bytes: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // With these bits set, `+` and `-` are `/`, and what is below stays below.
    let raised = (bytes | (0x06 * EACH)) & (0x7F * EACH);
    let above = (raised + (0x80 - 0x2F) * EACH) | bytes;
    !above & (0x80 * EACH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORD: Class = class(&[(b'0', b'9'), (b'a', b'z')], b"+/-_");

    #[test]
    fn separators_are_of_no_class() {
        for byte in 0..=u8::MAX {
            let marked = separators(u64::from_le_bytes([
                byte, b'a', b'a', b'a', b'a', b'a', b'a', b'a',
            ]));
            let expected = byte <= b'.' && !b")+-".contains(&byte);
            assert_eq!(marked, if expected { 0x80 } else { 0 }, "{byte}");
        }
    }

    proptest! {
        #[test]
        fn all_runs_are_found(text in "[a-f0-9+/-]{0,30}([ .=)é][a-f0-9_-]{0,24}){0,6}", min in 1..20_usize) {
            let text = text.as_bytes();
            let (mut runs, mut at) = (Vec::new(), 0);
            while let Some(run) = next(text, at, min, &WORD) {
                at = run.end;
                runs.push(run);
            }
            let mut expected = Vec::new();
            for word in text.split(|&b| !WORD.has(b)).filter(|w| w.len() >= min) {
                let start = word.as_ptr() as usize - text.as_ptr() as usize;
                expected.push(start..start + word.len());
            }
            prop_assert_eq!(runs, expected);
        }
    }
}

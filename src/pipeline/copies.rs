//! Further copies of secrets that a document is known to hold.
//!
//! What is shown around a finding may say its value again where no rule looks: in a comment, in
//! the name of a variable, in a host. What a rule found once is hidden wherever it stands.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Shorter values are in every text and tell nothing there.
const SHORTEST: usize = 4;
/// Values from here on are known by their last bytes, which vary most.
const TAIL: usize = 8;
/// Values from here on are hidden in any case, as hosts are shown in small letters. Below, so are
/// those with a digit; others are words that a text may well use for itself.
const ANY_CASE: usize = 12;

/// The values of a document's secrets, for finding them in other text.
#[derive(Default)]
pub(super) struct Copies<'a> {
    short: HashSet<&'a [u8]>,
    /// By their last bytes in lower case.
    long: HashMap<[u8; TAIL], Vec<&'a [u8]>>,
    longest: usize,
}

impl<'a> Copies<'a> {
    pub fn add(&mut self, value: &'a [u8]) {
        self.longest = self.longest.max(value.len());
        if let Some(tail) = value.last_chunk() {
            let alike = self.long.entry(lower(*tail)).or_default();
            if !alike.contains(&value) {
                alike.push(value);
            }
        } else if value.len() >= SHORTEST {
            self.short.insert(value);
        }
    }

    /// Bytes of the longest value.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Whether `text` holds a copy.
    pub fn are_in(&self, text: &[u8]) -> bool {
        self.find(text).next().is_some()
    }

    /// Where the copies in `text` are.
    pub fn find<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = Range<usize>> + 't {
        (SHORTEST..=text.len()).filter_map(move |end| {
            let before = &text[..end];
            let start = self.long(before).or_else(|| self.short(before))?;
            Some(start..end)
        })
    }

    /// Where the longest copy starts that ends with `text`.
    fn long(&self, text: &[u8]) -> Option<usize> {
        let alike = self.long.get(&lower(*text.last_chunk()?))?;
        let ends = |value: &&&[u8]| match text.len().checked_sub(value.len()) {
            Some(start) if is_no_word(value) => text[start..].eq_ignore_ascii_case(value),
            Some(start) => text[start..] == ***value,
            None => false,
        };
        let longest = alike.iter().filter(ends).map(|value| value.len()).max()?;
        Some(text.len() - longest)
    }

    fn short(&self, text: &[u8]) -> Option<usize> {
        if self.short.is_empty() {
            return None;
        }
        let starts = (SHORTEST..TAIL)
            .rev()
            .filter_map(|len| text.len().checked_sub(len));
        starts
            .into_iter()
            .find(|start| self.short.contains(&text[*start..]))
    }
}

/// Whether a value does not read as a word that a text may use for itself.
pub(super) fn is_no_word(value: &[u8]) -> bool {
    value.len() >= ANY_CASE || value.iter().any(u8::is_ascii_digit)
}

fn lower(mut tail: [u8; TAIL]) -> [u8; TAIL] {
    tail.make_ascii_lowercase();
    tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_found_by_length_and_case() {
        let mut copies = Copies::default();
        for value in [
            &b"abc"[..],
            b"hush",
            b"postgres",
            b"Kq7aLongValueX",
            b"LongValueX",
        ] {
            copies.add(value);
        }
        let found = |text: &str| {
            let found = copies.find(text.as_bytes());
            found
                .map(|range| text[range].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(found("abc hush Hush"), ["hush"]);
        assert_eq!(found("PostgreSQL postgres"), ["postgres"]);
        assert_eq!(found("a.kq7alongvaluex.net"), ["kq7alongvaluex"]);
        assert_eq!(found("b-LongValueX"), ["LongValueX"]);
        assert!(!copies.are_in(b""));
    }
}

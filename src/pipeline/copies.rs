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
    long: HashMap<[u8; TAIL], Alike<'a>>,
    longest: usize,
    ends: Ends,
}

/// The last two bytes of values, in lower case, by a hash: most of a text is told from its copies by them.
struct Ends([u64; 64]);

impl Default for Ends {
    fn default() -> Self {
        Self([0; 64])
    }
}

impl Ends {
    fn place(text: &[u8]) -> Option<(usize, u64)> {
        let [a, b] = text.last_chunk()?.map(|byte: u8| byte.to_ascii_lowercase());
        let hash = (u16::from(a) << 6) ^ u16::from(b);
        Some((usize::from(hash >> 6) % 64, 1 << (hash % 64)))
    }

    fn note(&mut self, value: &[u8]) {
        if let Some((word, bit)) = Self::place(value) {
            self.0[word] |= bit;
        }
    }

    /// Whether a text may end with one of the values.
    fn may_end(&self, text: &[u8]) -> bool {
        Self::place(text).is_some_and(|(word, bit)| self.0[word] & bit != 0)
    }
}

/// Values that end alike, of which there may be thousands.
struct Alike<'a> {
    /// In the order of their bytes in lower case, the last one first.
    values: Vec<&'a [u8]>,
    /// For each the longest of the others, by index, with which it ends, in whatever case.
    inner: Vec<Option<usize>>,
}

impl<'a> Copies<'a> {
    pub fn of(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut copies = Self::default();
        let mut long: HashMap<[u8; TAIL], Vec<&[u8]>> = HashMap::new();
        for value in values {
            copies.longest = copies.longest.max(value.len());
            copies.ends.note(value);
            if let Some(tail) = value.last_chunk() {
                long.entry(lower(*tail)).or_default().push(value);
            } else if value.len() >= SHORTEST {
                copies.short.insert(value);
            }
        }
        let long = long.into_iter();
        copies.long = long
            .map(|(tail, values)| (tail, Alike::of(values)))
            .collect();
        copies
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
            let before = Some(&text[..end]).filter(|before| self.ends.may_end(before))?;
            let start = self.long(before).or_else(|| self.short(before))?;
            Some(start..end)
        })
    }

    /// Where the longest copy starts that ends with `text`.
    fn long(&self, text: &[u8]) -> Option<usize> {
        let alike = self.long.get(&lower(*text.last_chunk()?))?;
        Some(text.len() - alike.ending(text)?)
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

impl<'a> Alike<'a> {
    fn of(mut values: Vec<&'a [u8]>) -> Self {
        values.sort_unstable_by(|a, b| backwards(a).cmp(backwards(b)).then(a.cmp(b)));
        values.dedup();
        let mut inner: Vec<Option<usize>> = Vec::with_capacity(values.len());
        for (at, value) in values.iter().enumerate() {
            // What stands between the two in order ends with the same one.
            let mut before = at.checked_sub(1);
            while let Some(other) = before.filter(|&other| !ends_alike(value, values[other])) {
                before = inner[other];
            }
            inner.push(before);
        }
        Self { values, inner }
    }

    /// The length of the longest of them with which a text ends.
    fn ending(&self, text: &[u8]) -> Option<usize> {
        let is_before = |value: &&[u8]| backwards(value).le(backwards(text));
        let mut at = self.values.partition_point(is_before).checked_sub(1);
        while let Some(value) = at {
            if ends_with(text, self.values[value]) {
                return Some(self.values[value].len());
            }
            at = self.inner[value];
        }
        None
    }
}

/// The bytes of a text in lower case, from its end.
fn backwards(text: &[u8]) -> impl Iterator<Item = u8> + '_ {
    text.iter().rev().map(u8::to_ascii_lowercase)
}

/// Whether a text ends with a value, in whatever case.
fn ends_alike(text: &[u8], value: &[u8]) -> bool {
    let start = text.len().checked_sub(value.len());
    start.is_some_and(|start| text[start..].eq_ignore_ascii_case(value))
}

/// Whether a text ends with a value, as far as case counts in that.
fn ends_with(text: &[u8], value: &[u8]) -> bool {
    match is_no_word(value) {
        true => ends_alike(text, value),
        false => text.ends_with(value),
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
        let copies = Copies::of([
            &b"abc"[..],
            b"hush",
            b"postgres",
            b"Postgres",
            b"Kq7aLongValueX",
            b"LongValueX",
            b"7aLongValueX",
        ]);
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
        assert_eq!(found("b-longvaluex Postgres"), ["Postgres"]);
        assert_eq!(
            found("q7ALONGVALUEX zz LongValueX"),
            ["7ALONGVALUEX", "LongValueX"]
        );
        assert!(!copies.are_in(b""));
    }
    /// By trying all.
    fn naive(values: &[Vec<u8>], text: &[u8]) -> Vec<Range<usize>> {
        let longest = |end: usize| {
            let fit = values.iter().filter(|value| {
                value.len() >= SHORTEST
                    && match value.len() < TAIL {
                        true => text[..end].ends_with(value),
                        false => ends_with(&text[..end], value),
                    }
            });
            let length = fit.map(Vec::len).max()?;
            Some(end - length..end)
        };
        (0..=text.len()).filter_map(longest).collect()
    }

    proptest::proptest! {
        #[test]
        fn the_longest_copies_are_found(
            values in proptest::collection::vec("[abAB1]{0,14}", 0..12),
            text in "[abAB1]{0,60}",
            ends in proptest::collection::vec(0_usize..12, 0..4),
        ) {
            let values: Vec<Vec<u8>> = values.into_iter().map(String::into_bytes).collect();
            let ends = ends.iter().filter_map(|at| values.get(*at)).flatten();
            let text: Vec<u8> = text.bytes().chain(ends.copied()).collect();
            let copies = Copies::of(values.iter().map(|value| &**value));
            let found: Vec<_> = copies.find(&text).collect();
            proptest::prop_assert_eq!(found, naive(&values, &text));
        }
    }
}

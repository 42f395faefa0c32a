//! The one pass over every text: where does which keyword stand?
//!
//! The answer is that of an overlapping, ASCII-case-insensitive Aho-Corasick pass, and the tests
//! hold it against exactly that. An automaton of a thousand keywords reads one state per byte, each
//! load waiting for the last, and takes milliseconds to build. Nearly all text holds no keyword, so
//! this module asks a cheaper question first: of each keyword two neighbouring three-byte *grams*
//! are noted in a table of 64 KiB, one of which starts at an even distance from the start of the
//! text wherever the keyword stands. Looking up every second gram of the text is independent work
//! that the processor overlaps; only where the table answers are keywords compared. The grams
//! noted are the rarest of each keyword, and the byte in the table says which values the byte after
//! the gram may have.

use std::borrow::Cow;

/// A keyword seen in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    pub start: u32,
    pub end: u32,
    /// Index of the keyword, in the order given to [`Keywords::new`].
    pub keyword: u32,
}

/// A set of keywords to find, all at least three ASCII bytes long.
pub struct Keywords {
    words: Vec<Box<[u8]>>,
    /// By gram hash: a bit for each class of next byte, 0 where no keyword has the gram.
    filter: Box<[u8; SLOTS]>,
    /// By gram hash: where its entries start; they end where the next hash's start.
    heads: Vec<u32>,
    entries: Vec<Entry>,
}

/// One gram of one keyword.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    keyword: u32,
    /// Where in the keyword the gram starts, -1 when it starts one byte before.
    offset: i32,
}

const SLOT_BITS: u32 = 16;
const SLOTS: usize = 1 << SLOT_BITS;
/// Bytes looked at in one step of the scan.
const BLOCK: usize = 16;
/// The shortest keyword.
pub const SHORTEST: usize = 3;

/// Letters and signs from the most to the least common in source code and prose; what is not
/// listed is rarer still.
const BY_FREQUENCY: &[u8] =
    b" etaoinsrlcdpumfhgyb_,.0\"1()vw:'-k/=2x345678{}9;[]jz><q*#+@&\\$%!|?`^~";

impl Keywords {
    /// Prepares a set. Equal keywords (case aside) may be given more than once.
    ///
    /// # Panics
    /// When a keyword is shorter than [`SHORTEST`]; the rule parser refuses such rules.
    pub fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let words: Vec<Box<[u8]>> = words
            .into_iter()
            .map(|word| word.to_ascii_lowercase().into_bytes().into())
            .collect();
        let mut filter = vec![0u8; SLOTS].into_boxed_slice();
        let mut slots: Vec<(u32, Entry)> = Vec::new();
        for (keyword, word) in words.iter().enumerate() {
            assert!(
                word.len() >= SHORTEST,
                "keywords have at least {SHORTEST} bytes"
            );
            for_each_gram(word, |gram, next, offset| {
                let slot = slot(gram);
                filter[slot] |= next.map_or(0xff, class_bit);
                let keyword = keyword as u32;
                slots.push((slot as u32, Entry { keyword, offset }));
            });
        }
        slots.sort_by_key(|(slot, entry)| (*slot, entry.keyword, entry.offset));
        slots.dedup();
        let mut heads = vec![0u32; SLOTS + 1];
        for (slot, _) in &slots {
            heads[*slot as usize + 1] += 1;
        }
        for slot in 0..SLOTS {
            heads[slot + 1] += heads[slot];
        }
        let filter: Box<[u8; SLOTS]> = filter.try_into().expect("made with SLOTS bytes");
        let entries = slots.into_iter().map(|(_, entry)| entry).collect();
        Self {
            words,
            filter,
            heads,
            entries,
        }
    }

    /// Calls `hit` for every place where a keyword stands. Hits come in ascending blocks of
    /// sixteen bytes; within a block their order is fixed but not by start.
    pub fn scan(&self, text: &[u8], mut hit: impl FnMut(Hit)) {
        let mut at = 0;
        while let Some(window) = text.get(at..at + BLOCK + 8) {
            let grams = even_grams(window.try_into().expect("a window of that size"));
            let mut fired = 0u32;
            for (index, gram) in grams.into_iter().enumerate() {
                fired |= u32::from(self.may_start(gram)) << index;
            }
            while fired != 0 {
                let index = fired.trailing_zeros() as usize;
                fired &= fired - 1;
                self.confirm(text, at + 2 * index, grams[index], &mut hit);
            }
            at += BLOCK;
        }
        while at < text.len() {
            let gram = padded_gram(text, at);
            if self.may_start(gram) {
                self.confirm(text, at, gram, &mut hit);
            }
            at += 2;
        }
    }

    /// Whether some keyword has this gram with such a byte after it.
    #[inline(always)]
    fn may_start(&self, gram: u32) -> bool {
        self.filter[slot(gram)] & class_bit((gram >> 24) as u8) != 0
    }

    /// Reports the keywords that have `gram` where it stands in the text.
    fn confirm(&self, text: &[u8], at: usize, gram: u32, hit: &mut impl FnMut(Hit)) {
        let slot = slot(gram);
        let entries = self.heads[slot] as usize..self.heads[slot + 1] as usize;
        for entry in &self.entries[entries] {
            let Some(start) = at.checked_add_signed(-(entry.offset as isize)) else {
                continue;
            };
            let word = &self.words[entry.keyword as usize];
            let stands = text
                .get(start..start + word.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(word));
            if stands {
                hit(Hit {
                    start: start as u32,
                    end: (start + word.len()) as u32,
                    keyword: entry.keyword,
                });
            }
        }
    }
}

/// The grams at the even offsets of a block, each with the byte after it on top.
#[inline]
fn even_grams(window: &[u8; BLOCK + 8]) -> [u32; BLOCK / 2] {
    let mut grams = [0; BLOCK / 2];
    for (index, gram) in grams.iter_mut().enumerate() {
        let at = 2 * index;
        *gram = u32::from_le_bytes([window[at], window[at + 1], window[at + 2], window[at + 3]]);
    }
    grams
}

/// The gram at `at`, with spaces where the text has ended.
fn padded_gram(text: &[u8], at: usize) -> u32 {
    let byte = |offset: usize| text.get(at + offset).copied().unwrap_or(b' ');
    u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
}

/// Hashes the low three bytes of a gram, case folded (and a few signs with it, harmlessly).
#[inline(always)]
fn slot(gram: u32) -> usize {
    ((gram | 0x0020_2020) << 8).wrapping_mul(0x9E37_79B1) as usize >> (32 - SLOT_BITS)
}

/// The bit that stands for the class of the byte after a gram.
#[inline(always)]
fn class_bit(next: u8) -> u8 {
    1 << ((next | 0x20) & 7)
}

/// Names the grams under which a keyword is noted: gram, the byte after it when the keyword says,
/// and the gram's offset in the keyword.
fn for_each_gram(word: &[u8], mut note: impl FnMut(u32, Option<u8>, i32)) {
    let gram = |bytes: [u8; 3]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
    if let [a, b, c] = *word {
        note(gram([a, b, c]), None, 0);
        // At an odd place the even gram starts one byte before the keyword, with any byte.
        for before in 0..=255u8 {
            note(gram([before, a, b]), Some(c), -1);
        }
        return;
    }
    let rarest = (0..=word.len() - 4)
        .min_by(|&a, &b| commonness(&word[a..a + 4]).total_cmp(&commonness(&word[b..b + 4])))
        .unwrap_or(0);
    for offset in [rarest, rarest + 1] {
        let bytes = [word[offset], word[offset + 1], word[offset + 2]];
        note(gram(bytes), word.get(offset + 3).copied(), offset as i32);
    }
}

/// An estimate of how often the two grams in four bytes occur, only good for comparing.
fn commonness(four: &[u8]) -> f32 {
    let weight = |byte: &u8| {
        let rank = BY_FREQUENCY.iter().position(|b| b == byte);
        1.0 / (rank.unwrap_or(BY_FREQUENCY.len()) as f32 + 8.0)
    };
    let gram = |bytes: &[u8]| bytes.iter().map(weight).product::<f32>();
    gram(&four[..3]) + gram(&four[1..])
}

/// A keyword list without its repetitions, and for each given keyword its index in that list.
pub fn distinct<'w>(words: impl IntoIterator<Item = &'w str>) -> (Vec<Cow<'w, str>>, Vec<u32>) {
    let mut seen = std::collections::HashMap::new();
    let mut list = Vec::new();
    let indices = words
        .into_iter()
        .map(|word| {
            let folded: Cow<'w, str> = if word.bytes().any(|b| b.is_ascii_uppercase()) {
                word.to_ascii_lowercase().into()
            } else {
                word.into()
            };
            *seen.entry(folded.clone()).or_insert_with(|| {
                list.push(folded);
                list.len() as u32 - 1
            })
        })
        .collect();
    (list, indices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aho_corasick::{AhoCorasick, MatchKind};
    use proptest::prelude::*;

    fn ours(words: &[String], text: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        Keywords::new(words.iter().map(String::as_str)).scan(text, |hit| hits.push(hit));
        hits.sort();
        hits
    }

    fn oracle(words: &[String], text: &[u8]) -> Vec<Hit> {
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(words)
            .expect("a small automaton");
        let mut hits: Vec<Hit> = automaton
            .find_overlapping_iter(text)
            .map(|m| Hit {
                start: m.start() as u32,
                end: m.end() as u32,
                keyword: m.pattern().as_u32(),
            })
            .collect();
        hits.sort();
        hits
    }

    #[test]
    fn finds_keywords_at_every_offset_and_at_both_ends() {
        let words: Vec<String> = ["sig=", "://", "AccountKey", "eyj"]
            .map(String::from)
            .into();
        for word in &words {
            for pad in 0..40 {
                let text = format!("{}{word}{}", "x".repeat(pad), "y".repeat(40 - pad));
                let hits = ours(&words, text.as_bytes());
                assert_eq!(hits.len(), 1, "{text}");
                assert_eq!(hits[0].start as usize, pad);
                let last = ours(&words, &text.as_bytes()[..pad + word.len()]);
                assert_eq!(last, hits, "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_aho_corasick(
            words in prop::collection::vec("[aAbB_=]{3,7}", 1..12),
            text in "[aAbB_=\n\u{e9}]{0,200}",
        ) {
            prop_assert_eq!(ours(&words, text.as_bytes()), oracle(&words, text.as_bytes()));
        }

        #[test]
        fn agrees_with_aho_corasick_on_any_bytes(
            words in prop::collection::vec("[ -~]{3,5}", 1..30),
            text in prop::collection::vec(32u8..127, 0..2000),
        ) {
            prop_assert_eq!(ours(&words, &text), oracle(&words, &text));
        }
    }
}

//! The one pass over every text: where does which keyword stand?
//!
//! The answer is that of an overlapping, ASCII-case-insensitive Aho-Corasick pass, and the tests
//! hold it against exactly that. An automaton of a thousand keywords reads one state per byte, each
//! load waiting for the last, and takes milliseconds to build. Nearly all text holds no keyword, so
//! this module asks a cheaper question first. Of each keyword two *windows* of four bytes are
//! noted, one for either parity of the keyword's place, so that one of them starts at an even
//! offset of the text wherever the keyword stands. Only even offsets are then looked at: the first
//! three bytes, hashed, choose an entry of a table of 128 KiB, and a bit of it says whether
//! such a byte may follow. The hashes of a block are computed together, the look-ups do not wait
//! for each other, and nothing branches until a window fits. Of those that do, a second
//! look-up leaves out most. Then the windows noted under that hash are compared, and where one is the
//! same, its keyword.
//!
//! What this costs is decided by how common the windows are, more than by how many: of each keyword
//! the rarest are noted, by what `patterns/common-grams.tsv` counted.

use std::borrow::Cow;
use std::ops::Range;

use super::gram;
use super::sides::Sides;
use super::window::{Window, cost};
use crate::rules::def::ByteSet;
use crate::span::ViewSpan;
use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x16, u8x32, u16x16, u64x4};

/// A keyword seen in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    pub start: u32,
    /// Where the keyword ends, or what must follow it.
    pub end: u32,
    /// Index of the keyword, in the order given to [`Keywords::new`].
    pub keyword: u32,
}

impl Hit {
    pub fn span(&self) -> ViewSpan {
        ViewSpan {
            start: self.start,
            end: self.end,
        }
    }
}

/// A keyword, and what the bytes from its start on must be among. A short one of capital letters
/// stands everywhere in data that is spelled as letters, and is hardly ever followed by what its
/// rule wants.
#[derive(Clone, Debug)]
pub struct Word<'w> {
    pub word: &'w str,
    pub opening: Box<[ByteSet]>,
}

impl<'w> From<&'w str> for Word<'w> {
    fn from(word: &'w str) -> Self {
        Self {
            word,
            opening: Box::default(),
        }
    }
}

/// A set of keywords to find, all at least three ASCII bytes long.
pub struct Keywords {
    level: Level,
    /// All keywords one after the other, in lower case.
    words: Vec<u8>,
    /// By hash of three bytes: a bit for each class of next byte, 0 where no window is noted.
    filter: Box<[u16; SLOTS]>,
    /// By hash, divided by [`SHARED`]: where the windows start; they end where the next ones start.
    heads: Vec<u32>,
    noted: Vec<Noted>,
    sides: Sides,
    /// By keyword, what must stand there.
    openings: Vec<Box<[ByteSet]>>,
    /// What may be part of a keyword, or must follow one.
    parts: ByteSet,
    /// How far before and behind the start of a window its keyword reaches, at most, with what must
    /// follow it.
    around: [usize; 2],
}

/// One window of one keyword.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Noted {
    /// Of the eight bytes from the window on, or from [`BACK`] before it: those that are the
    /// keyword's, and where they are. A window by itself is much more common than its keyword.
    bytes: u64,
    known: u64,
    back: bool,
    /// Where in the keyword the window starts.
    offset: i32,
    keyword: u32,
    /// Where the keyword starts among all of them, and how long it is.
    word: u32,
    len: u32,
}

impl Noted {
    /// One window of a keyword, which starts at `start` among all.
    fn new(word: &[u8], window: &Window, keyword: u32, start: u32) -> Self {
        let on = around(word, window.offset);
        let before = around(word, window.offset - BACK as i32);
        let back = on.1.count_ones() < before.1.count_ones();
        let (bytes, known) = if back { before } else { on };
        Self {
            bytes,
            known,
            back,
            offset: window.offset,
            keyword,
            word: start,
            len: word.len() as u32,
        }
    }
}

/// How far before its window a keyword is compared.
const BACK: usize = 4;
/// As many as there are hashes of sixteen bits.
const SLOTS: usize = 1 << 16;
/// Slots that share a head: fewer would make for more heads than the near caches have room for, and
/// more for windows that are compared in vain.
const SHARED: usize = 4;
/// Bytes looked at in one step of the scan.
const BLOCK: usize = 32;
/// Bytes that the windows of a block reach into.
const REACH: usize = BLOCK + 2;
/// Windows that are compared together, at most.
const LIKELY: usize = 64;
/// What a window costs for which it is asked whether one that starts with any byte costs less.
const COSTLY: u32 = 20_000;
/// The shortest keyword.
pub const SHORTEST: usize = 3;

impl Keywords {
    /// Prepares a set. Equal keywords (case aside) may be given more than once.
    ///
    /// # Panics
    /// When a keyword is shorter than [`SHORTEST`]; the rule parser refuses such rules.
    pub fn new<'w>(words: impl IntoIterator<Item = Word<'w>>) -> Self {
        let mut filter: Box<[u16; SLOTS]> =
            vec![0; SLOTS].try_into().expect("made with SLOTS entries");
        let mut all = Vec::new();
        let mut noted: Vec<(usize, Noted)> = Vec::new();
        let mut sides = Sides::new();
        let mut around = [0; 2];
        let mut openings = Vec::new();
        for (keyword, Word { word, opening }) in words.into_iter().enumerate() {
            assert!(
                word.len() >= SHORTEST,
                "keywords have at least {SHORTEST} bytes"
            );
            let start = all.len();
            all.extend(word.bytes().map(|byte| byte.to_ascii_lowercase()));
            let word = &all[start..];
            let len = word.len().max(opening.len());
            for window in windows(word, &mut filter) {
                around = farthest(around, &window, len);
                sides.note(word, &opening, &window);
                let noting = Noted::new(word, &window, keyword as u32, start as u32);
                noted.extend(slots(&window).map(|slot| (slot / SHARED, noting)));
            }
            openings.push(opening);
        }
        noted.sort_unstable();
        noted.dedup();
        let mut heads = vec![0u32; SLOTS / SHARED + 1];
        for (head, _) in &noted {
            heads[head + 1] += 1;
        }
        for head in 1..heads.len() {
            heads[head] += heads[head - 1];
        }
        Self {
            level: Level::new(),
            filter,
            heads,
            noted: noted.into_iter().map(|(_, noting)| noting).collect(),
            sides,
            parts: parts(&all, &openings),
            words: all,
            openings,
            around,
        }
    }

    /// Whether a byte may be part of a keyword, or of what must follow one.
    pub fn may_hold(&self, byte: u8) -> bool {
        self.parts.contains(byte)
    }

    /// Appends every place where a keyword stands that one of some changes, which are in order and
    /// apart, is part of; an empty one is where bytes were taken out.
    pub fn scan_changed(&self, text: &[u8], changes: &[ViewSpan], hits: &mut Vec<Hit>) {
        let old = hits.len();
        dispatch!(self.level, simd => self.blocks_of(simd, text, changes, hits));
        let mut at = old;
        while at < hits.len() {
            let hit = hits[at];
            let before = changes.partition_point(|change| change.start < hit.end);
            let change = before.checked_sub(1).map(|last| changes[last]);
            if change.is_some_and(|change| hit.start < change.end) {
                at += 1;
            } else {
                hits.swap_remove(at);
            }
        }
    }

    /// Appends every place where a keyword stands. Hits come in ascending blocks of some bytes;
    /// within a block their order is fixed but not by start.
    pub fn scan(&self, text: &[u8], hits: &mut Vec<Hit>) {
        dispatch!(self.level, simd => self.blocks(simd, text, hits));
    }

    /// Looks at all windows of a text, block by block.
    ///
    /// Needs to be inlined to be compiled for the level at hand.
    #[inline(always)]
    fn blocks<S: Simd>(&self, simd: S, text: &[u8], hits: &mut Vec<Hit>) {
        let mut pending = Pending::default();
        self.windows(simd, text, 0..text.len(), &mut pending, hits);
        self.confirm(text, &mut pending, hits);
    }

    /// Looks at the windows of all keywords that reach into one of some changes. No block is looked at
    /// twice, so each keyword is found once.
    #[inline(always)]
    fn blocks_of<S: Simd>(&self, simd: S, text: &[u8], changes: &[ViewSpan], hits: &mut Vec<Hit>) {
        let mut pending = Pending::default();
        let [before, behind] = self.around;
        let mut done = 0;
        for change in changes {
            let from = (change.start as usize + 1).saturating_sub(behind).max(done);
            done = text.len().min(change.end as usize + before);
            done = from + done.saturating_sub(from).next_multiple_of(BLOCK);
            self.windows(simd, text, from..done.min(text.len()), &mut pending, hits);
        }
        self.confirm(text, &mut pending, hits);
    }

    /// Looks at the windows that start in `range` at offsets that are even there.
    #[inline(always)]
    fn windows<S: Simd>(
        &self,
        simd: S,
        text: &[u8],
        range: Range<usize>,
        pending: &mut Pending,
        hits: &mut Vec<Hit>,
    ) {
        let mut at = range.start;
        while at < range.end {
            let fired = match text.get(at..at + REACH) {
                Some(block) => self.fired(simd, block.try_into().expect("a block of that size")),
                None => {
                    let mut block = [b' '; REACH];
                    let rest = &text[at..text.len().min(at + REACH)];
                    block[..rest.len()].copy_from_slice(rest);
                    self.fired(simd, &block)
                }
            };
            if pending.add(at, fired) {
                self.confirm(text, pending, hits);
            }
            at += BLOCK;
        }
    }

    /// A bit for each of the windows at even offsets of a block that may be a keyword's.
    #[inline(always)]
    fn fired<S: Simd>(&self, simd: S, block: &[u8; REACH]) -> u64 {
        // Folds the case of letters, and a few signs with them, harmlessly.
        let bytes = u8x32::from_slice(simd, &block[..BLOCK]) | 0x20;
        let later = u8x32::from_slice(simd, &block[2..]) | 0x20;
        let (low, high): (u16x16<S>, u16x16<S>) = (bytes.bitcast(), later.bitcast());
        let slots: u64x4<S> = hash(low, high).bitcast();
        let slots: [u64; 4] = slots.into();
        // Four in a word: to take lanes out of a vector one by one, and put others in, takes longer
        // than all the rest.
        let mut found = [0; 4];
        for (found, slots) in found.iter_mut().zip(slots) {
            for lane in [0, 16, 32, 48] {
                let entry = self.filter[usize::from((slots >> lane) as u16)];
                *found |= u64::from(entry) << lane;
            }
        }
        let found: u16x16<S> = u64x4::from_slice(simd, &found).bitcast();
        (found & class_bits(simd, high >> 8))
            .simd_ne(0)
            .to_bitmask()
    }

    /// Appends the keywords whose windows have fired, and forgets those.
    #[inline(never)]
    fn confirm(&self, text: &[u8], pending: &mut Pending, hits: &mut Vec<Hit>) {
        let mut likely = [0; LIKELY];
        let mut len = 0;
        for &(base, mut fired) in &pending.blocks[..pending.len] {
            while fired != 0 {
                let at = base + 2 * fired.trailing_zeros();
                fired &= fired - 1;
                // Whether it stays cannot be foretold either.
                likely[len] = at;
                len += usize::from(self.sides.fit(folded(text, at as usize, 1)));
            }
            if len > LIKELY - BLOCK / 2 {
                self.compare(text, &likely[..len], hits);
                len = 0;
            }
        }
        self.compare(text, &likely[..len], hits);
        pending.len = 0;
    }

    /// Appends the keywords around some windows.
    fn compare(&self, text: &[u8], windows: &[u32], hits: &mut Vec<Hit>) {
        for &at in windows {
            let at = at as usize;
            let seen = [folded(text, at, 0), folded(text, at, BACK)];
            let head = gram::slot(seen[0] as u32) / SHARED;
            let noted = self.heads[head] as usize..self.heads[head + 1] as usize;
            for noted in &self.noted[noted] {
                if seen[usize::from(noted.back)] & noted.known == noted.bytes {
                    hits.extend(self.hit(text, at, noted));
                }
            }
        }
    }

    /// The keyword, if all of it stands around its window at `at`.
    fn hit(&self, text: &[u8], at: usize, noted: &Noted) -> Option<Hit> {
        let start = at.checked_add_signed(-(noted.offset as isize))?;
        let end = start + noted.len as usize;
        let word = &self.words[noted.word as usize..][..noted.len as usize];
        let stands = text.get(start..end)?;
        if !stands.eq_ignore_ascii_case(word) {
            return None;
        }
        let opening = &*self.openings[noted.keyword as usize];
        let end = end.max(start + opening.len());
        let first = text.get(start..end)?.iter();
        // The last is the most telling: it is no byte of the keyword.
        let opens = opening
            .iter()
            .zip(first)
            .rev()
            .all(|(set, b)| set.contains(*b));
        opens.then_some(Hit {
            start: start as u32,
            end: end as u32,
            keyword: noted.keyword,
        })
    }
}

/// Blocks in which windows have fired, until there are enough to look at them together: whether
/// one fires cannot be foretold, and a processor that guesses wrong has to start over.
struct Pending {
    /// Where each block starts, with a bit for each window.
    blocks: [(u32, u32); Self::MOST],
    len: usize,
}

impl Default for Pending {
    fn default() -> Self {
        Self {
            blocks: [(0, 0); Self::MOST],
            len: 0,
        }
    }
}

impl Pending {
    const MOST: usize = 64;

    /// Adds a block, unless nothing fired in it. Tells whether there is no room for another.
    #[inline(always)]
    fn add(&mut self, at: usize, fired: u64) -> bool {
        self.blocks[self.len % Self::MOST] = (at as u32, fired as u32);
        self.len += usize::from(fired != 0);
        self.len == Self::MOST
    }
}

/// The eight bytes that start `back` bytes before `at`, case folded, with spaces where there is no
/// text.
#[inline(always)]
fn folded(text: &[u8], at: usize, back: usize) -> u64 {
    let whole = at.checked_sub(back).and_then(|at| text.get(at..at + 8));
    let bytes = match whole {
        Some(bytes) => bytes.try_into().expect("eight bytes"),
        None => std::array::from_fn(|offset| {
            let at = (at + offset).checked_sub(back);
            at.and_then(|at| text.get(at)).copied().unwrap_or(b' ')
        }),
    };
    u64::from_le_bytes(bytes) | 0x2020_2020_2020_2020
}

/// Of eight bytes that start at an offset of a word those that are the word's, folded, and where
/// they are.
fn around(word: &[u8], from: i32) -> (u64, u64) {
    let byte = |at| usize::try_from(at).ok().and_then(|at| word.get(at));
    let bytes: [Option<&u8>; 8] = std::array::from_fn(|at| byte(from + at as i32));
    let known = bytes.map(|byte| byte.map_or(0, |_| u8::MAX));
    let bytes = bytes.map(|byte| byte.map_or(0, |byte| byte | 0x20));
    (u64::from_le_bytes(bytes), u64::from_le_bytes(known))
}

/// The hashes of many grams at once.
#[inline(always)]
fn hash<S: Simd>(low: u16x16<S>, high: u16x16<S>) -> u16x16<S> {
    (low * gram::PAIR) ^ (high & gram::THIRD)
}

/// For each byte, given in a wider lane, the bit of its class.
#[inline(always)]
fn class_bits<S: Simd>(simd: S, bytes: u16x16<S>) -> u16x16<S> {
    // A look-up yields bytes, so the two halves of a bit are looked up apart. The upper byte of a
    // lane looks up what index 0 has, which is not wanted in either.
    const HALF: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0];
    let table = u8x32::block_splat(u8x16::load_array(simd, HALF));
    let look_up = |index: u16x16<S>| -> u16x16<S> {
        let index: u8x32<S> = (index & 15).bitcast();
        table.swizzle_dyn_within_blocks(index).bitcast()
    };
    (look_up(bytes) & 0xFF) | (look_up(bytes ^ 8) << 8)
}

/// The windows under which a keyword is noted, which fire from now on: of those at even offsets the one
/// that costs least, and of those at odd ones.
fn windows(word: &[u8], filter: &mut [u16; SLOTS]) -> [Window; 2] {
    [0, 1].map(|parity| {
        let offsets = (parity..word.len().saturating_sub(2)).step_by(2);
        let windows = offsets.map(|offset| Window::of(word, offset as i32));
        let price = |window: &Window| {
            let classes = window.next_classes();
            let fires = slots(window).all(|slot| filter[slot] & classes == classes);
            cost(window, fires)
        };
        let cheapest = windows.map(|window| (price(&window), window)).min();
        // At an odd place three bytes have only the window that starts a byte earlier, with any: there
        // are many such, so it pays for few others.
        let earlier = || Window::of(word, -1);
        let window = match cheapest {
            Some((most, window)) if parity == 0 || most < COSTLY => window,
            Some((most, window)) if most <= price(&earlier()) => window,
            _ => earlier(),
        };
        for slot in slots(&window) {
            filter[slot] |= window.next_classes();
        }
        window
    })
}

/// The bytes of keywords in lower case, in both cases, and of what must follow them.
fn parts(words: &[u8], openings: &[Box<[ByteSet]>]) -> ByteSet {
    let spellings = |&byte: &u8| [byte, byte.to_ascii_uppercase()];
    let bytes = words.iter().flat_map(spellings);
    let bytes = bytes.map(|byte| ByteSet::of(byte..=byte));
    let openings = openings.iter().flat_map(|opening| opening.iter().copied());
    bytes.chain(openings).fold(ByteSet::default(), ByteSet::or)
}

/// How far before and behind the start of a window a keyword of `len` bytes reaches, or another did.
fn farthest([before, behind]: [usize; 2], window: &Window, len: usize) -> [usize; 2] {
    let offset = window.offset;
    [
        before.max(offset.max(0) as usize),
        behind.max((len as i32 - offset) as usize),
    ]
}

/// The slots of a window.
fn slots(window: &Window) -> impl Iterator<Item = usize> + use<> {
    window.spellings().map(gram::slot)
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

    /// The hits at the best level of this machine, which every machine's must be.
    fn ours(words: &[String], text: &[u8]) -> Vec<Hit> {
        let mut keywords = Keywords::new(words.iter().map(|word| Word::from(&**word)));
        let mut found = |level| {
            let mut hits = Vec::new();
            keywords.level = level;
            keywords.scan(text, &mut hits);
            hits.sort();
            hits
        };
        let hits = found(Level::new());
        assert_eq!(hits, found(Level::baseline()));
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
        // The second is noted under a window that starts before it.
        let words: Vec<String> = ["sig=", "pass=", "://", "AccountKey", "eyj"]
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

    #[test]
    fn a_costly_window_gives_way_to_one_before_the_keyword() {
        let mut filter = vec![0; SLOTS].try_into().expect("made with SLOTS entries");
        let offsets = windows(b"pass=", &mut filter).map(|window| window.offset);
        assert_eq!(offsets, [0, -1]);
    }

    proptest! {
        #[test]
        fn keywords_that_changes_are_part_of_are_those_of_the_whole(
            words in prop::collection::vec("[ab.]{3,7}|[ab]{10,24}", 1..6),
            text in "[abAB. ]{0,400}",
            copied in prop::collection::vec(any::<prop::sample::Index>(), 0..9),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let mut text = text;
            for copy in copied {
                text.insert_str(copy.index(text.len() + 1), &words[copy.index(words.len())]);
            }
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            cuts.sort_unstable();
            let parts = cuts.chunks_exact(2).map(|cut| ViewSpan::new(cut[0], cut[1]));
            let mut parts: Vec<ViewSpan> = parts.collect();
            parts.dedup_by(|next, last| next.start <= last.end);
            let keywords = Keywords::new(words.iter().map(|word| Word::from(&**word)));
            let (mut all, mut some) = (Vec::new(), Vec::new());
            keywords.scan(text.as_bytes(), &mut all);
            all.retain(|hit| parts.iter().any(|part| part.start < hit.end && hit.start < part.end));
            keywords.scan_changed(text.as_bytes(), &parts, &mut some);
            all.sort();
            some.sort();
            prop_assert_eq!(all, some);
        }

        #[test]
        fn a_keyword_with_an_opening_stands_only_where_that_fits(
            text in "[aA1 ]{0,120}",
        ) {
            let set = ByteSet::parse("A").expect("a class");
            let digit = ByteSet::parse("0-9").expect("a class");
            let opening = [set, set, set, digit].into();
            let word = Word { word: "aaa", opening };
            let mut hits = Vec::new();
            Keywords::new([word]).scan(text.as_bytes(), &mut hits);
            hits.sort();
            let places: Vec<(u32, u32)> = hits.iter().map(|hit| (hit.start, hit.end)).collect();
            let expected = text.match_indices("AAA1").map(|(at, _)| (at as u32, at as u32 + 4));
            prop_assert_eq!(places, expected.collect::<Vec<_>>());
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

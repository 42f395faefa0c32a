//! One pass over a view that says where each coding could stand.
//!
//! Each coding is given away by a byte or two, or by a long run of digits. Looking for them one
//! coding after the other would read the text seven times, and stop at every backslash and quote.
//! So all are looked for together, sixty-four bytes at a time: the bytes are classed by comparing
//! them all at once, and bit arithmetic on the classes leaves few places to look at one by one. In
//! most text there are none, and nothing of what follows in this module runs.

use std::ops::Range;

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

use super::{CODINGS, base64, hex};
use crate::decode::Layer;
use crate::span::ViewSpan;

const BLOCK: usize = 64;

/// For each of the codings, in their order, where in a view its marks stand. A place is there when
/// the coding may be; whether it is, its own module knows.
pub struct Survey {
    level: Level,
    marks: [Vec<u32>; CODINGS.len()],
}

impl Default for Survey {
    fn default() -> Self {
        Self {
            level: Level::new(),
            marks: Default::default(),
        }
    }
}

impl Survey {
    /// Surveys another text and forgets the last one.
    pub(super) fn read(&mut self, text: &[u8]) {
        self.read_parts(text, &[ViewSpan::new(0, text.len())]);
    }

    /// Surveys some parts of another text, in order and apart, and forgets the last one.
    pub(in crate::decode) fn read_parts(&mut self, text: &[u8], parts: &[ViewSpan]) {
        self.marks.iter_mut().for_each(Vec::clear);
        dispatch!(self.level, simd => self.blocks(simd, text, parts));
    }

    /// Gives back memory for more than so many marks of a coding.
    pub(in crate::decode) fn shrink(&mut self, most: usize) {
        for marks in &mut self.marks {
            marks.clear();
            marks.shrink_to(most);
        }
    }

    pub(in crate::decode) fn is_empty(&self) -> bool {
        self.marks.iter().all(Vec::is_empty)
    }

    /// The marks of the coding of this rank, in order.
    pub(super) fn marks(&self, rank: usize) -> &[u32] {
        &self.marks[rank]
    }

    /// Needs to be inlined to be compiled for the level at hand.
    #[inline(always)]
    fn blocks<S: Simd>(&mut self, simd: S, text: &[u8], parts: &[ViewSpan]) {
        let mut pass = Pass::default();
        for part in parts {
            pass.begin();
            let (blocks, rest) = text[part.range()].as_chunks::<BLOCK>();
            for (index, block) in blocks.iter().enumerate() {
                let at = part.range().start + index * BLOCK;
                if pass.add(at, classify(simd, block)) {
                    self.settle(text, &mut pass);
                }
            }
            let at = part.range().end - rest.len();
            let classes = match text[at..].first_chunk() {
                Some(block) => classify(simd, block),
                None => classify(simd, &padded(&text[at..])),
            };
            if pass.add(at, classes.clipped(rest.len())) {
                self.settle(text, &mut pass);
            }
        }
        self.settle(text, &mut pass);
    }

    /// Looks at what a pass has put aside, and forgets it.
    #[inline(never)]
    fn settle(&mut self, text: &[u8], pass: &mut Pass) {
        for aside in &pass.aside[..pass.len] {
            self.look(text, aside.at as usize, aside.marks);
            if aside.ends {
                self.runs(text, aside.at as usize, aside.digits, aside.open as usize);
            }
        }
        pass.len = 0;
    }

    /// Looks at each of the `marked` bytes of the block at `base`.
    fn look(&mut self, text: &[u8], base: usize, mut marked: u64) {
        while marked != 0 {
            let at = base + marked.trailing_zeros() as usize;
            marked &= marked - 1;
            let next = text.get(at + 1).copied().unwrap_or_default();
            match (text[at], next) {
                (b'\\', b'x' | b'u') => {
                    self.mark(ANSI, at);
                    self.mark(ESCAPES, at);
                }
                (0, _) => self.mark(WIDE, at),
                (b'\\', b'0' | b'e') | (0x1B, b'[' | b']') => self.mark(ANSI, at),
                (b'\\', b'\'' | b'"' | b'/' | b'n' | b'U') => self.mark(ESCAPES, at),
                (b'\\', b'\n' | b'\r') => self.mark(LITERALS, at),
                (b'"' | b'\'', _) => self.mark(LITERALS, at),
                (b'&', b'#' | b'a' | b'g' | b'l' | b'n' | b'q') => self.mark(HTML, at),
                (b'%', b'2'..=b'7') => self.mark(PERCENT, at),
                _ => {}
            }
        }
    }

    /// Notes the long runs that end in the block at `base`, given its digits and how much of a run
    /// came before.
    fn runs(&mut self, text: &[u8], base: usize, digits: u64, open: usize) {
        let leading = digits.trailing_ones() as usize;
        if leading < BLOCK && open + leading >= base64::MIN {
            self.run(text, base - open..base + leading);
        }
        let long = long_runs(digits);
        // The first byte belongs to the leading run.
        let mut starts = long & !(long << 1) & !1;
        while starts != 0 {
            let start = starts.trailing_zeros();
            starts &= starts - 1;
            let end = start + (digits >> start).trailing_ones();
            if (end as usize) < BLOCK {
                self.run(text, base + start as usize..base + end as usize);
            }
        }
    }

    fn run(&mut self, text: &[u8], run: Range<usize>) {
        self.mark(BASE64, run.start);
        self.hex_runs(text, run);
    }

    /// Digits of hex are digits of base64 too.
    fn hex_runs(&mut self, text: &[u8], mut within: Range<usize>) {
        while within.len() >= hex::MIN {
            let Some(run) = hex::next_run(&text[within.clone()]) else {
                return;
            };
            self.mark(HEX, within.start + run.start);
            within.start += run.end;
        }
    }

    fn mark(&mut self, rank: usize, at: usize) {
        self.marks[rank].push(at as u32);
    }
}

const WIDE: usize = rank(Layer::Wide);
const ANSI: usize = rank(Layer::Ansi);
const LITERALS: usize = rank(Layer::Literals);
const ESCAPES: usize = rank(Layer::Escapes);
const HTML: usize = rank(Layer::Html);
const PERCENT: usize = rank(Layer::Percent);
const BASE64: usize = rank(Layer::Base64);
const HEX: usize = rank(Layer::Hex);

/// The place of a layer's coding in the order of codings.
const fn rank(layer: Layer) -> usize {
    let mut rank = 0;
    while CODINGS[rank].layer as u8 != layer as u8 {
        rank += 1;
    }
    rank
}

/// A bit for each byte of a block, by what the byte is.
struct Classes {
    quotes: u64,
    /// White space, and what else stands for no sign.
    blanks: u64,
    /// What may follow a literal that is joined to another.
    joins: u64,
    slashes: u64,
    /// Marks by themselves.
    signs: u64,
    /// Digits of base64, in either alphabet.
    digits: u64,
}

/// The last bytes of a text as a block.
fn padded(rest: &[u8]) -> [u8; BLOCK] {
    let mut block = [b'\n'; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    block
}

#[inline(always)]
fn classify<S: Simd>(simd: S, block: &[u8; BLOCK]) -> Classes {
    let bytes = u8x64::load_array_ref(simd, block);
    let is = |byte: u8| bytes.simd_eq(byte);
    let blanks = bytes.simd_le(b'\r') | is(b' ');
    let lower = bytes | 0x20;
    // The bar is the backslash with that bit.
    let joins = blanks | lower.simd_eq(b'|') | is(b'+') | is(b'.') | is(b'&');
    let letters = (lower - b'a').simd_lt(26);
    let numbers = (bytes - b'/').simd_lt(11);
    Classes {
        quotes: (is(b'"') | is(b'\'')).to_bitmask(),
        blanks: blanks.to_bitmask(),
        joins: joins.to_bitmask(),
        slashes: is(b'\\').to_bitmask(),
        signs: (is(b'%') | is(b'&') | is(0x1B) | is(0)).to_bitmask(),
        digits: (letters | numbers | is(b'+') | is(b'-') | is(b'_')).to_bitmask(),
    }
}

/// A pass over stretches of blocks. What must be looked at is put aside until there is enough of it:
/// which blocks have any cannot be foretold, and a processor that guesses wrong has to start over.
#[derive(Default)]
struct Pass {
    /// 1 where a literal cannot end with the first byte of the next block.
    bare: u64,
    /// Digits right before the next block.
    open: usize,
    aside: [Aside; Self::MOST],
    len: usize,
}

/// A block to look at.
#[derive(Clone, Copy, Default)]
struct Aside {
    marks: u64,
    digits: u64,
    at: u32,
    /// Digits right before it.
    open: u32,
    /// Whether a long run ends in it.
    ends: bool,
}

impl Pass {
    const MOST: usize = 32;

    /// Begins another stretch of blocks. No literal ends with its first byte.
    #[inline(always)]
    fn begin(&mut self) {
        (self.bare, self.open) = (1, 0);
    }

    /// Passes over the block at `at`. Tells whether there is no room to put another aside.
    #[inline(always)]
    fn add(&mut self, at: usize, classes: Classes) -> bool {
        let marks = classes.marks(&mut self.bare);
        let Classes { digits, .. } = classes;
        let leading = digits.trailing_ones() as usize;
        let first = (leading < BLOCK) & (self.open + leading >= base64::MIN);
        let ends = first | (long_runs(digits) != 0);
        self.aside[self.len % Self::MOST] = Aside {
            marks,
            digits,
            at: at as u32,
            open: self.open as u32,
            ends,
        };
        self.len += usize::from((marks != 0) | ends);
        let trailing = digits.leading_ones() as usize;
        self.open = trailing + if trailing == BLOCK { self.open } else { 0 };
        self.len == Self::MOST
    }
}

impl Classes {
    /// The same with line ends behind so many bytes. They mean nothing to any coding, and at least one
    /// ends the last run.
    #[inline(always)]
    fn clipped(self, len: usize) -> Self {
        let rest = u64::MAX << len;
        Self {
            quotes: self.quotes & !rest,
            blanks: self.blanks | rest,
            joins: self.joins | rest,
            slashes: self.slashes & !rest,
            signs: self.signs & !rest,
            digits: self.digits & !rest,
        }
    }

    /// The bytes to look at. `before` is 1 where a literal cannot end with the first byte, and is told
    /// of the next block.
    #[inline(always)]
    fn marks(&self, before: &mut u64) -> u64 {
        // What the next block begins with is not known here, so the last byte is always marked.
        let joined = self.joins >> 1 | 1 << (BLOCK - 1);
        // A value is carried over a joint only where bytes of it touch the quote.
        let bare = self.blanks | self.quotes;
        let joints = self.quotes & joined & !(bare << 1 | *before) & !self.apart();
        *before = bare >> (BLOCK - 1);
        // Of a row of backslashes the last tells.
        let slashes = self.slashes & !(self.slashes >> 1);
        joints | slashes | self.signs
    }

    /// The bytes before white space, if none of the quotes among them goes on with what joins it to
    /// another literal. In programs most quotes that end a line are such.
    #[inline(always)]
    fn apart(&self) -> u64 {
        // A literal may have a letter or two before it, and a line that goes on a sign at its end. Of
        // what follows the block's last byte nothing is known.
        let ends = (self.quotes | self.blanks) >> 1 | 1 << (BLOCK - 1);
        let short = self.digits & (ends | self.digits >> 1 & ends >> 1);
        let goes_on = self.quotes | self.joins | short;
        // A bit added to a row of bits comes out behind it.
        let behind = self.quotes << 1 & self.blanks;
        let (ends, over) = self.blanks.overflowing_add(behind);
        let joined = over | (ends & !self.blanks & goes_on != 0);
        if joined { 0 } else { self.blanks >> 1 }
    }
}

/// Where [`base64::MIN`] bits that are set stand side by side: the first of them.
#[inline(always)]
fn long_runs(bits: u64) -> u64 {
    const { assert!(base64::MIN == 20) };
    let two = bits & bits >> 1;
    let four = two & two >> 2;
    let eight = four & four >> 4;
    let sixteen = eight & eight >> 8;
    sixteen & four >> 16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";

    /// Starts of the maximal runs of at least `min` bytes that `has` names.
    fn runs(text: &[u8], min: usize, has: impl Fn(u8) -> bool) -> Vec<u32> {
        let words = text.split(|&b| !has(b)).filter(|word| word.len() >= min);
        let start = |word: &[u8]| (word.as_ptr() as usize - text.as_ptr() as usize) as u32;
        words.map(start).collect()
    }

    /// The places where two bytes fit, with a zero byte after the last.
    fn pairs(text: &[u8], fits: impl Fn(usize, u8, u8) -> bool) -> Vec<u32> {
        let next = |at: usize| text.get(at + 1).copied().unwrap_or_default();
        let places = (0..text.len()).filter(|&at| fits(at, text[at], next(at)));
        places.map(|at| at as u32).collect()
    }

    /// What must be marked at least, and what may be.
    fn oracle(text: &[u8], rank: usize) -> (Vec<u32>, Vec<u32>) {
        let exact = |places: Vec<u32>| (places.clone(), places);
        match CODINGS[rank].layer {
            Layer::Wide => exact(pairs(text, |_, byte, _| byte == 0)),
            Layer::Ansi => exact(pairs(text, |_, byte, next| match byte {
                b'\\' => b"xu0e".contains(&next),
                _ => byte == 0x1B && b"[]".contains(&next),
            })),
            Layer::Escapes => exact(pairs(text, |_, byte, next| {
                byte == b'\\' && b"'\"/nuxU".contains(&next)
            })),
            Layer::Html => exact(pairs(text, |_, byte, next| {
                byte == b'&' && b"#agqln".contains(&next)
            })),
            Layer::Percent => exact(pairs(text, |_, byte, next| {
                byte == b'%' && (b'2'..=b'7').contains(&next)
            })),
            Layer::Base64 => exact(runs(text, 20, |b| DIGITS.contains(&b))),
            Layer::Hex => exact(runs(text, 40, |b| b.is_ascii_hexdigit())),
            _ => {
                let is_joint = |at, _, _| super::super::literals::joint(text, at).is_some();
                let may_be = |_, byte, next| match byte {
                    b'\\' => b"\r\n".contains(&next),
                    _ => b"'\"".contains(&byte),
                };
                (pairs(text, is_joint), pairs(text, may_be))
            }
        }
    }

    fn agrees(text: &[u8], level: Level) -> Result<(), TestCaseError> {
        let mut survey = Survey {
            level,
            ..Survey::default()
        };
        // Nothing is left of the text before.
        survey.read(b"\\x41 %41 &amp;");
        survey.read(text);
        for rank in 0..CODINGS.len() {
            let (least, most) = oracle(text, rank);
            let marks = survey.marks(rank);
            prop_assert!(marks.is_sorted());
            prop_assert!(least.iter().all(|at| marks.contains(at)), "{rank} {text:?}");
            prop_assert!(marks.iter().all(|at| most.contains(at)), "{rank} {text:?}");
        }
        Ok(())
    }

    proptest! {
        /// A quote may be marked in vain, and which are depends on where the blocks are.
        #[test]
        fn marks_of_some_lines_are_those_of_the_whole(
            lines in prop::collection::vec(
                ("(\\\\|\"|'|%|&|#|\x1b|[+]| |[a-z=]{1,4}|[0-9a-f]{18,70}){0,9}", any::<bool>()),
                0..12,
            ),
        ) {
            let (mut text, mut parts) = (String::new(), Vec::new());
            for (line, wanted) in &lines {
                let start = text.len();
                text.push_str(line);
                text.push('\n');
                parts.extend(wanted.then(|| ViewSpan::new(start, text.len())));
            }
            let (mut whole, mut some) = (Survey::default(), Survey::default());
            whole.read(text.as_bytes());
            some.read_parts(text.as_bytes(), &parts);
            let inside = |at: &&u32| parts.iter().any(|part| part.start <= **at && **at < part.end);
            for rank in (0..CODINGS.len()).filter(|rank| *rank != LITERALS) {
                let expected: Vec<u32> = whole.marks(rank).iter().filter(inside).copied().collect();
                prop_assert_eq!(some.marks(rank), &expected, "{} {:?}", rank, text);
            }
        }
    }

    proptest! {
        #[test]
        fn marks_are_those_of_looking_at_every_byte(
            text in "(\\\\|\"|'|%|&|#|\x1b|\n|\r|[+]|[.]| |[|]|[a-z=é]{1,4}|[0-9a-f]{18,70}|[A-Za-z0-9/_-]{15,150}){0,40}",
            pad in 0..BLOCK,
            times in 1..40_usize,
        ) {
            // More blocks than are put aside.
            let text = format!("{}{}", "=".repeat(pad), text.repeat(times));
            agrees(text.as_bytes(), Level::new())?;
            agrees(text.as_bytes(), Level::baseline())?;
        }

        /// Whatever stands between two literals, and wherever in a block they meet.
        #[test]
        fn literals_that_are_joined_are_marked(
            text in "(\"[a-z]{8}(\"|')([ \t\r\n+.&\\\\|_\x01]| {9,70}|\n {1,20}|_\n)?[+.&\\\\|_ \n]{0,3}[rBuFn]{0,3}(\"|')[a-z]{8}('|\"),?){1,9}",
            pad in 0..BLOCK,
        ) {
            let text = format!("{}{text}", "=".repeat(pad));
            agrees(text.as_bytes(), Level::new())?;
            agrees(text.as_bytes(), Level::baseline())?;
        }

        #[test]
        fn any_bytes_are_read_alike(text in prop::collection::vec(any::<u8>(), 0..300)) {
            agrees(&text, Level::new())?;
            agrees(&text, Level::baseline())?;
        }
    }
}

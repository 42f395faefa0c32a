//! Byte ranges and the line index.
//!
//! Everything inside the engine is measured in bytes. Lines and columns exist only at the edge,
//! where a person or a report reader needs them, and only [`LineIndex`] makes them. Two kinds of
//! byte range are kept apart by type: a [`ViewSpan`] counts bytes of some decoded view, a
//! [`SourceSpan`] counts bytes of the file as it lies on disk. Only a
//! [`Document`](crate::decode::Document) can turn the first into the second.

use std::cell::OnceCell;
use std::collections::BTreeMap;

/// A half-open range of bytes in the decoded text of one view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ViewSpan {
    pub start: u32,
    pub end: u32,
}

/// A half-open range of bytes in a unit's original bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceSpan {
    pub start: u32,
    pub end: u32,
}

macro_rules! span_methods {
    ($name:ident) => {
        impl $name {
            pub fn new(start: usize, end: usize) -> Self {
                debug_assert!(start <= end && end <= u32::MAX as usize);
                Self {
                    start: start as u32,
                    end: end as u32,
                }
            }

            pub fn range(self) -> std::ops::Range<usize> {
                self.start as usize..self.end as usize
            }

            pub fn len(self) -> usize {
                (self.end - self.start) as usize
            }

            pub fn is_empty(self) -> bool {
                self.start == self.end
            }

            /// What of it lies in `bounds`.
            #[must_use]
            pub fn clipped(self, bounds: Self) -> Self {
                let start = self.start.clamp(bounds.start, bounds.end);
                Self {
                    start,
                    end: self.end.clamp(start, bounds.end),
                }
            }

            /// Whether the two ranges share at least one byte.
            pub fn overlaps(self, other: Self) -> bool {
                self.start < other.end && other.start < self.end
            }

            pub fn contains(self, other: Self) -> bool {
                self.start <= other.start && other.end <= self.end
            }
        }
    };
}

span_methods!(ViewSpan);
span_methods!(SourceSpan);

/// A place for people: both numbers start at 1, the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// How wide a stretch of text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Width {
    pub chars: u32,
    /// Code units of UTF-16, in which editors and SARIF count.
    pub utf16: u32,
}

impl Width {
    /// Measures text; bytes that are no UTF-8 count one for each piece that a reader would replace,
    /// and so one a character in Latin-1.
    pub fn of(text: &[u8]) -> Self {
        // Nearly all text is, and that is told many bytes at a time.
        if text.is_ascii() {
            let chars = text.len() as u32;
            return Self {
                chars,
                utf16: chars,
            };
        }
        let mut width = Self::default();
        for chunk in text.utf8_chunks() {
            let bytes = chunk.valid().as_bytes();
            let starts = bytes.iter().filter(|&&b| (b as i8) >= -0x40).count();
            let pairs = bytes.iter().filter(|&&b| b >= 0xF0).count();
            let broken = usize::from(!chunk.invalid().is_empty());
            width.chars += (starts + broken) as u32;
            width.utf16 += (starts + pairs + broken) as u32;
        }
        width
    }
}

impl std::ops::Add for Width {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            chars: self.chars + more.chars,
            utf16: self.utf16 + more.utf16,
        }
    }
}

/// Where the lines of a text start.
///
/// A line ends after `\n`, after `\r\n`, or after a `\r` that no `\n` follows. They are counted up to each
/// multiple of some bytes only, which takes a small part of the time that a list of all does.
#[derive(Clone, Debug)]
pub struct LineStarts(Vec<LineStart>);

/// A line and where it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineStart {
    /// From 1.
    pub line: u32,
    pub offset: u32,
}

impl LineStarts {
    pub fn new(text: &[u8]) -> Self {
        let mut last = LineStart { line: 1, offset: 0 };
        let mut starts = vec![last];
        for border in (BLOCK..=text.len()).step_by(BLOCK) {
            last = last.up_to(text, border - BLOCK, border);
            starts.push(last);
        }
        Self(starts)
    }

    /// The line of `text`, of which these are the lines, that holds `offset`. One past the end counts as
    /// the end.
    pub fn line(&self, text: &[u8], offset: u32) -> LineStart {
        let offset = (offset as usize).min(text.len());
        let block = offset / BLOCK;
        self.0[block].up_to(text, block * BLOCK, offset)
    }
}

impl LineStart {
    /// The line that holds `to`, where this one holds `from`.
    fn up_to(self, text: &[u8], from: usize, to: usize) -> Self {
        let passed = &text[from..to];
        // What ends a line with a `\r` alone starts one.
        let is_alone = |at: &usize| text.get(from + at + 1) != Some(&b'\n');
        let alone = memchr::memchr_iter(b'\r', passed).filter(is_alone);
        let lines = memchr::memchr_iter(b'\n', passed).count() + alone.count();
        let mut ends = memchr::memrchr2_iter(b'\n', b'\r', passed);
        let last = ends.find(|at| passed[*at] == b'\n' || is_alone(at));
        Self {
            line: self.line + lines as u32,
            offset: last.map_or(self.offset, |at| (from + at + 1) as u32),
        }
    }
}

/// Finds line and column of a byte offset. Built only for units that have findings.
pub struct LineIndex<'t> {
    text: &'t [u8],
    starts: LineStarts,
    /// The width of all text before each multiple of [`BLOCK`], made for the first long line, so
    /// that many findings on a line of megabytes do not each measure all of it.
    blocks: OnceCell<Vec<Width>>,
}

/// Bytes measured for a line or a column at most, several times over.
const BLOCK: usize = 4 << 10;

impl<'t> LineIndex<'t> {
    pub fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            starts: LineStarts::new(text),
            blocks: OnceCell::new(),
        }
    }

    /// The 1-based line of `offset`, and the width of that line's text before it; an offset past
    /// the end counts as the end.
    pub fn line_and_width(&self, offset: u32) -> (u32, Width) {
        let LineStart {
            line,
            offset: start,
        } = self.starts.line(self.text, offset);
        let start = start as usize;
        let end = (offset as usize).min(self.text.len()).max(start);
        if end - start <= BLOCK {
            return (line, Width::of(&self.text[start..end]));
        }
        let (to_start, to_end) = (self.width_before(start), self.width_before(end));
        let width = Width {
            chars: to_end.chars - to_start.chars,
            utf16: to_end.utf16 - to_start.utf16,
        };
        (line, width)
    }

    /// The 1-based line and column of `offset`.
    pub fn position(&self, offset: u32) -> Position {
        let (line, width) = self.line_and_width(offset);
        Position {
            line,
            column: width.chars + 1,
        }
    }

    /// The width of all text before `offset`, line ends included.
    fn width_before(&self, offset: usize) -> Width {
        let blocks = self.blocks.get_or_init(|| {
            let ends = (0..=self.text.len() / BLOCK).map(|block| self.border(block));
            let mut width = Width::default();
            let mut last = 0;
            ends.map(|end| {
                width = width + Width::of(&self.text[last..end]);
                last = end;
                width
            })
            .collect()
        });
        let block = offset / BLOCK;
        let border = self.border(block);
        if border > offset {
            return blocks[block];
        }
        blocks[block] + Width::of(&self.text[border..offset])
    }

    /// The first whole character at or after the start of a block.
    fn border(&self, block: usize) -> usize {
        let at = block * BLOCK;
        let rest = self.text[at..].iter().take(3);
        at + rest.take_while(|b| (**b as i8) < -0x40).count()
    }
}

/// A set of offsets as disjoint ranges that do not touch.
#[derive(Clone, Debug, Default)]
pub struct SpanSet(BTreeMap<u32, u32>);

impl SpanSet {
    /// Adds a range, joined with those that it overlaps or touches.
    pub fn insert(&mut self, span: SourceSpan) {
        let SourceSpan { mut start, mut end } = span;
        while let Some((&low, &high)) = self.0.range(..=end).next_back() {
            if high < start {
                break;
            }
            self.0.remove(&low);
            start = start.min(low);
            end = end.max(high);
        }
        self.0.insert(start, end);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges, in order.
    pub fn iter(&self) -> impl Iterator<Item = SourceSpan> {
        let ranges = self.0.iter();
        ranges.map(|(&start, &end)| SourceSpan { start, end })
    }

    /// Whether a range of the set and `span` share at least one byte.
    pub fn overlaps(&self, span: SourceSpan) -> bool {
        let below = self.0.range(..span.end).next_back();
        below.is_some_and(|(_, &end)| end > span.start)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_end_at_lf_crlf_and_lone_cr() {
        let index = LineIndex::new(b"a\nb\r\nc\rd");
        let at = |offset| {
            let p = index.position(offset);
            (p.line, p.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(2), (2, 1));
        assert_eq!(at(5), (3, 1));
        assert_eq!(at(7), (4, 1));
    }

    #[test]
    fn columns_count_characters() {
        let text = "é😀x".as_bytes();
        assert_eq!(LineIndex::new(text).position(6).column, 3);
    }

    #[test]
    fn bytes_of_no_utf8_are_a_column_each() {
        let width = |text: &[u8]| {
            let width = Width::of(text);
            (width.chars, width.utf16)
        };
        assert_eq!(width("é😀x".as_bytes()), (3, 4));
        assert_eq!(width(b"caf\xe9 \xa9\xa9 x"), (9, 9));
        assert_eq!(width(b"\xf0\x9f"), (1, 1));
    }

    proptest! {
        #[test]
        fn long_lines_are_measured_like_short_ones(
            filler in "[a\u{e9}\u{4e2d}\u{1f600}]{1,5}",
            at in 0..6000_usize,
            newline in prop::option::of(0..3000_usize),
        ) {
            let mut text = filler.repeat(3000);
            if let Some(at) = newline {
                let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
                text.insert(places[at], '\n');
            }
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let offset = places[at % places.len()];
            let before = &text[..offset];
            let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
            let (number, width) = LineIndex::new(text.as_bytes()).line_and_width(offset as u32);
            prop_assert_eq!(number as usize, before.matches('\n').count() + 1);
            prop_assert_eq!(width.chars as usize, line.chars().count());
            prop_assert_eq!(width.utf16 as usize, line.encode_utf16().count());
        }

        #[test]
        fn lines_start_where_a_list_of_all_says(
            text in "[ab\r\n]{0,40}",
            pads in prop::collection::vec(0..2 * BLOCK, 0..4),
            asked in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
        ) {
            let mut bytes = text.into_bytes();
            for (at, pad) in pads.into_iter().enumerate() {
                let at = (7 * at).min(bytes.len());
                bytes.splice(at..at, std::iter::repeat_n(b'x', pad));
            }
            let starts = LineStarts::new(&bytes);
            let is_start = |at: &usize| match at.checked_sub(1).map(|before| bytes[before]) {
                None | Some(b'\n') => true,
                Some(b'\r') => bytes.get(*at) != Some(&b'\n'),
                Some(_) => false,
            };
            let all: Vec<usize> = (0..=bytes.len()).filter(is_start).collect();
            for offset in asked.iter().map(|asked| asked.index(bytes.len() + 2)) {
                let line = all.partition_point(|start| *start <= offset);
                let expected = LineStart { line: line as u32, offset: all[line - 1] as u32 };
                prop_assert_eq!(starts.line(&bytes, offset as u32), expected);
            }
        }

        #[test]
        fn a_set_of_spans_holds_what_was_put_in(
            spans in prop::collection::vec((0..60_u32, 1..9_u32), 0..12),
            asked in (0..60_u32, 1..5_u32),
        ) {
            let span = |(start, len): (u32, u32)| SourceSpan { start, end: start + len };
            let mut set = SpanSet::default();
            spans.iter().for_each(|s| set.insert(span(*s)));
            let expected = spans.iter().any(|s| span(*s).overlaps(span(asked)));
            prop_assert_eq!(set.overlaps(span(asked)), expected);
        }
    }
}

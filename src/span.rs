//! Byte ranges and the line index.
//!
//! Everything inside the engine is measured in bytes. Lines and columns exist only at the edge,
//! where a person or a report reader needs them, and only [`LineIndex`] makes them. Two kinds of
//! byte range are kept apart by type: a [`ViewSpan`] counts bytes of some decoded view, a
//! [`SourceSpan`] counts bytes of the file as it lies on disk. Only a
//! [`Document`](crate::decode::Document) can turn the first into the second.

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

/// Finds line and column of a byte offset. Built only for units that have findings.
///
/// A line ends after `\n`, after `\r\n`, or after a `\r` that no `\n` follows.
pub struct LineIndex<'t> {
    text: &'t [u8],
    starts: Vec<u32>,
}

impl<'t> LineIndex<'t> {
    pub fn new(text: &'t [u8]) -> Self {
        let mut starts = vec![0];
        for at in memchr::memchr2_iter(b'\n', b'\r', text) {
            if text[at] == b'\n' || text.get(at + 1) != Some(&b'\n') {
                starts.push(at as u32 + 1);
            }
        }
        Self { text, starts }
    }

    /// The 1-based line and column of `offset`; an offset past the end counts as the end.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_of(offset);
        let start = self.starts[line] as usize;
        let end = (offset as usize).min(self.text.len()).max(start);
        Position {
            line: line as u32 + 1,
            column: count_chars(&self.text[start..end]) as u32 + 1,
        }
    }

    /// The bytes of the 1-based `line`, without its line end.
    pub fn line(&self, line: u32) -> &'t [u8] {
        let index = line.saturating_sub(1) as usize;
        let Some(&start) = self.starts.get(index) else {
            return &[];
        };
        let end = self
            .starts
            .get(index + 1)
            .map_or(self.text.len(), |&e| e as usize);
        let mut bytes = &self.text[start as usize..end];
        while let [rest @ .., b'\n' | b'\r'] = bytes {
            bytes = rest;
        }
        bytes
    }

    /// The offset at which the 1-based `line` starts.
    pub fn line_start(&self, line: u32) -> u32 {
        let index = (line.saturating_sub(1) as usize).min(self.starts.len() - 1);
        self.starts[index]
    }

    fn line_of(&self, offset: u32) -> usize {
        self.starts.partition_point(|&start| start <= offset) - 1
    }
}

/// Counts characters: the bytes that do not continue a UTF-8 sequence. Text in another
/// single-byte encoding therefore counts some of its bytes as continuations only when they look so.
pub fn count_chars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&b| (b as i8) >= -0x40).count()
}

#[cfg(test)]
mod tests {
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
        assert_eq!(index.line(2), b"b");
    }

    #[test]
    fn columns_count_characters() {
        let text = "é😀x".as_bytes();
        assert_eq!(LineIndex::new(text).position(6).column, 3);
    }
}

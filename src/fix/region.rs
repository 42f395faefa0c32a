//! A text that one grammar reads, with the way back to the file: a whole file, or the source of one
//! cell of a notebook, which stands there as JSON strings.

use std::ops::Range;

use super::edit::Edit;
use super::quote;
use crate::decode::json::{Piece, Str};

/// A text and where each of its bytes comes from.
#[derive(Clone, Debug, Default)]
pub struct Region {
    pub text: Vec<u8>,
    /// For each byte of the text its token in the file; empty when the text is the file.
    tokens: Vec<Range<u32>>,
    /// Where the last string ends.
    end: usize,
}

impl Region {
    /// A whole file.
    pub fn file(bytes: &[u8]) -> Self {
        Self {
            text: bytes.to_vec(),
            tokens: Vec::new(),
            end: bytes.len(),
        }
    }

    /// Strings of a JSON file, joined. The ranges are without their quotes.
    pub fn strings(file: &[u8], strings: &[Range<usize>]) -> Self {
        let mut region = Self::default();
        for range in strings {
            let string = Str {
                start: range.start as u32,
                end: range.end as u32,
                escaped: memchr::memchr(b'\\', &file[range.clone()]).is_some(),
            };
            for piece in string.pieces(file) {
                region.add(piece);
            }
            region.end = range.end;
        }
        region
    }

    fn add(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Plain { at, bytes } => {
                self.text.extend_from_slice(bytes);
                let own = (at..at + bytes.len()).map(|at| at as u32..at as u32 + 1);
                self.tokens.extend(own);
            }
            Piece::Escape { at, from, meant } => {
                self.text.extend_from_slice(meant.bytes());
                let token = at as u32..(at + from) as u32;
                self.tokens
                    .extend(std::iter::repeat_n(token, meant.bytes().len()));
            }
        }
    }

    /// Whether the text stands in the file as it is.
    pub fn is_file(&self) -> bool {
        self.tokens.is_empty() && self.end == self.text.len()
    }

    /// The stretch of text that comes from a stretch of the file.
    pub fn of_source(&self, source: Range<usize>) -> Option<Range<usize>> {
        if self.is_file() {
            return (source.end <= self.text.len()).then_some(source);
        }
        let start = self
            .tokens
            .iter()
            .position(|t| t.start as usize <= source.start && source.start < t.end as usize)?;
        let end = self
            .tokens
            .iter()
            .rposition(|t| (t.start as usize) < source.end && source.end <= t.end as usize)?;
        (start <= end).then_some(start..end + 1)
    }

    /// An edit of the text as edits of the file.
    pub fn to_source(&self, edit: &Edit) -> Vec<Edit> {
        if self.is_file() {
            return vec![edit.clone()];
        }
        let with = quote::json(&String::from_utf8_lossy(&edit.with)).into_bytes();
        let mut pieces: Vec<Range<usize>> = Vec::new();
        for token in &self.tokens[edit.range.clone()] {
            let (start, end) = (token.start as usize, token.end as usize);
            match pieces.last_mut() {
                Some(last) if last.end >= start => last.end = last.end.max(end),
                _ => pieces.push(start..end),
            }
        }
        if pieces.is_empty() {
            let at = self.tokens.get(edit.range.start);
            let at = at.map_or(self.end, |token| token.start as usize);
            pieces.push(at..at);
        }
        let mut with = Some(with);
        pieces
            .into_iter()
            .map(|piece| Edit::new(piece, with.take().unwrap_or_default()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::edit::apply;

    #[test]
    fn edits_of_a_cell_are_edits_of_its_strings() {
        let file = br#"["a = \"se", "cret\"\n"]"#;
        let region = Region::strings(file, &[2..10, 14..22]);
        assert_eq!(region.text, b"a = \"secret\"\n");
        let edit = Edit::new(4..12, "kv(\"n\")");
        let edits = region.to_source(&edit);
        let (after, _) = apply(file, &edits);
        assert_eq!(
            String::from_utf8_lossy(&after),
            r#"["a = kv(\"n\")", "\n"]"#
        );
        assert_eq!(region.of_source(8..9), Some(5..6));
    }
}

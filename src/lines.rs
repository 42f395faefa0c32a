//! Finds the lines of places in a text.
//!
//! Places in one long line are many in minified code, so what was looked through for one place is
//! not looked through again for the next.

use std::ops::Range;

/// How far from a place the ends of its line are looked for, in bytes. A line that is longer on
/// either side, as minified code and data on one line have them, is not taken whole.
pub const REACH: usize = 1408;
/// How many bytes more of a long line are looked through at once, so that many places near to each other
/// are not each looked ahead from.
const AHEAD: usize = 4 << 10;

/// Finds lines in one text; best asked for one place after the other.
#[derive(Clone, Debug, Default)]
pub struct LineSearch {
    /// Where no line ends, as far as was looked.
    clear: Range<usize>,
}

impl LineSearch {
    /// Where the first line of a place starts, and where the last ends: at its line feed, or with
    /// the text. `None` for what is farther than [`REACH`].
    pub fn around(&mut self, text: &[u8], place: Range<usize>) -> (Option<usize>, Option<usize>) {
        let start = self.start(text, place.start);
        if self.clear.end + REACH < place.end {
            // The line that the place ends in is known from there on.
            self.clear = place.end..place.end;
        } else if self.clear.end < place.end {
            let inside = self.clear.end..place.end;
            let line = memchr::memrchr(b'\n', &text[inside.clone()]);
            let known = self.clear.start;
            self.clear = line.map_or(known, |at| inside.start + at + 1)..place.end;
        }
        (start, self.end(text, place.end))
    }

    /// A place with its lines, or with [`REACH`] bytes of what is longer.
    pub fn along(&mut self, text: &[u8], place: Range<usize>) -> Range<usize> {
        let (start, end) = self.around(text, place.clone());
        // What is farther than that is in the text.
        start.unwrap_or_else(|| place.start - REACH)..end.unwrap_or(place.end + REACH)
    }

    /// Where the line starts that `at` is in.
    fn start(&mut self, text: &[u8], at: usize) -> Option<usize> {
        if !(self.clear.start..=self.clear.end).contains(&at) {
            self.clear = at..at;
        }
        let floor = at.saturating_sub(REACH);
        let before = floor..self.clear.start;
        if !before.is_empty() && text[before.end - 1] != b'\n' {
            let line = memchr::memrchr(b'\n', &text[before]);
            self.clear.start = line.map_or(floor, |at| floor + at + 1);
        }
        let start = self.clear.start;
        (start > floor || floor == 0).then_some(start)
    }

    /// Where the line ends that `at`, the end of a place, is in.
    fn end(&mut self, text: &[u8], at: usize) -> Option<usize> {
        let ceiling = (at + REACH).min(text.len());
        if self.clear.end < ceiling {
            let ahead = &text[self.clear.end..text.len().min(ceiling + AHEAD)];
            self.clear.end += memchr::memchr(b'\n', ahead).unwrap_or(ahead.len());
        }
        let end = self.clear.end;
        (end < ceiling || ceiling == text.len()).then_some(end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The ends of the line around a place, looked for afresh.
    fn oracle(text: &[u8], place: Range<usize>) -> (Option<usize>, Option<usize>) {
        let floor = place.start.saturating_sub(REACH);
        let line = text[floor..place.start].iter().rposition(|&b| b == b'\n');
        let ceiling = (place.end + REACH).min(text.len());
        let next = text[place.end..ceiling].iter().position(|&b| b == b'\n');
        (
            line.map(|at| floor + at + 1).or((floor == 0).then_some(0)),
            next.map(|at| place.end + at)
                .or((ceiling == text.len()).then_some(ceiling)),
        )
    }

    proptest! {
        #[test]
        fn lines_are_found_as_one_by_one(
            lines in prop::collection::vec(
                prop_oneof![
                    8 => 0..40_usize,
                    2 => REACH - 50..2 * REACH + 50,
                    1 => AHEAD..AHEAD + 3 * REACH,
                ],
                1..8,
            ),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 2..14),
            nearby in any::<bool>(),
            in_order in any::<bool>(),
        ) {
            let line = |len: &usize| [vec![b'x'; *len], vec![b'\n']].concat();
            let text = lines.iter().flat_map(line).collect::<Vec<u8>>();
            let text = &text[..text.len() - usize::from(nearby)];
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            if in_order {
                cuts.sort_unstable();
            }
            let mut found = LineSearch::default();
            for cut in cuts.chunks_exact(2) {
                let (start, end) = (cut[0].min(cut[1]), cut[0].max(cut[1]));
                let end = if nearby { end.min(start + 9) } else { end };
                prop_assert_eq!(found.around(text, start..end), oracle(text, start..end));
            }
        }
    }
}

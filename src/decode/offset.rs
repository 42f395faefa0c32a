//! The way back from decoded text to the bytes it came from.
//!
//! A map is a sorted list of [`Run`]s. A run is a row of equal *tokens*: each takes `from` bytes of
//! the parent and gives `to` bytes of view. Plain copying is 1 -> 1, a JSON `\n` is 2 -> 1, a row of
//! `%41%42` is 3 -> 1, base64 is 4 -> 3, UTF-16 without accents is 2 -> 1. Text that the decoder
//! made up (a newline between two cells) is *glue*: 0 -> n. With that one shape every decoder in
//! this module is described, spans map to whole tokens by arithmetic, and memory grows with the
//! number of changes in coding rather than with the number of bytes.

use smallvec::SmallVec;

use crate::span::ViewSpan;

/// One row of equal tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where the run starts in the view; it ends where the next run starts.
    view: u32,
    /// Where its first token starts in the parent.
    parent: u32,
    /// Bytes of parent in one token; 0 for glue.
    from: u16,
    /// Bytes of view in one token.
    to: u16,
}

/// Pieces of parent text, in the order of the view.
pub type Pieces = SmallVec<[ViewSpan; 2]>;

/// Maps spans of a view to spans of its parent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetMap {
    runs: Vec<Run>,
    /// Bytes of view covered.
    len: u32,
}

impl OffsetMap {
    /// Bytes of memory for one run.
    pub const RUN: usize = size_of::<Run>();

    /// The map of a view that is its parent's bytes unchanged.
    pub fn identity(len: usize) -> Self {
        let mut map = Self::default();
        map.copy(0, len);
        map
    }

    /// Bytes of view that the map covers so far.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// For how many runs there is memory.
    pub fn capacity(&self) -> usize {
        self.runs.capacity()
    }

    /// Forgets all runs and keeps the memory.
    pub fn clear(&mut self) {
        self.runs.clear();
        self.len = 0;
    }

    /// Appends `len` bytes copied from `parent`.
    #[inline]
    pub fn copy(&mut self, parent: usize, len: usize) {
        self.tokens(parent, 1, 1, len);
    }

    /// Appends one token: `from` bytes of parent at `parent` that became `to` bytes of view.
    #[inline]
    pub fn token(&mut self, parent: usize, from: usize, to: usize) {
        self.tokens(parent, from, to, 1);
    }

    /// Appends `count` equal tokens that lie side by side in the parent from `parent` on.
    ///
    /// A token that gives no view bytes (a stripped escape sequence) is simply left out.
    #[inline]
    pub fn tokens(&mut self, parent: usize, from: usize, to: usize, count: usize) {
        debug_assert!(from > 0 && from <= u16::MAX as usize && to <= u16::MAX as usize);
        if to == 0 || count == 0 {
            return;
        }
        let (from, to) = (from as u16, to as u16);
        if !self.continues(parent, from, to) {
            self.runs.push(Run {
                view: self.len,
                parent: parent as u32,
                from,
                to,
            });
        }
        self.len += count as u32 * u32::from(to);
    }

    /// Appends `len` bytes that stand nowhere in the parent; `parent` is the place they point to.
    pub fn glue(&mut self, parent: usize, len: usize) {
        if len == 0 {
            return;
        }
        self.runs.push(Run {
            view: self.len,
            parent: parent as u32,
            from: 0,
            to: 1,
        });
        self.len += len as u32;
    }

    /// Whether tokens at `parent` simply lengthen the last run.
    fn continues(&self, parent: usize, from: u16, to: u16) -> bool {
        let end = |last: &Run| {
            let tokens = (self.len - last.view) / u32::from(to);
            last.parent + tokens * u32::from(from)
        };
        let alike = self.runs.last().filter(|r| r.from == from && r.to == to);
        alike.is_some_and(|last| end(last) == parent as u32)
    }

    /// The rows of which the view is made, in order: where each is, and where in the parent it was copied from
    /// if it is a copy.
    pub fn rows(&self) -> impl Iterator<Item = (ViewSpan, Option<u32>)> + '_ {
        self.runs.iter().enumerate().map(|(index, run)| {
            let start = run.view;
            let end = self.runs.get(index + 1).map_or(self.len, |next| next.view);
            let is_copy = run.from == 1 && run.to == 1;
            (ViewSpan { start, end }, is_copy.then_some(run.parent))
        })
    }

    /// Whether `span` is an unchanged copy of one stretch of parent text: nothing in it was
    /// decoded, and nothing was taken out of it.
    pub fn is_copy(&self, span: ViewSpan) -> bool {
        let after = self.runs.partition_point(|run| run.view <= span.start);
        let run = self.runs.get(after.saturating_sub(1));
        let end = self.runs.get(after).map_or(self.len, |next| next.view);
        run.is_some_and(|run| run.from == 1 && run.to == 1) && span.end <= end
    }

    /// Where in the parent the token starts that gave the byte at `offset`, or where glue points to.
    pub fn origin(&self, offset: u32) -> u32 {
        let after = self.runs.partition_point(|run| run.view <= offset);
        let run = self.runs.get(after.saturating_sub(1));
        run.map_or(0, |run| match run.from {
            0 => run.parent,
            from => run.parent + (offset - run.view) / u32::from(run.to) * u32::from(from),
        })
    }

    /// The bytes of view that come from `span` of the parent, widened to whole tokens, for a map whose
    /// parent bytes are in order.
    pub fn to_view(&self, span: ViewSpan) -> ViewSpan {
        let tokens = |at: u32, round: fn(u32, u32) -> u32| {
            let after = self.runs.partition_point(|run| run.parent <= at);
            let Some(run) = after.checked_sub(1).and_then(|at| self.runs.get(at)) else {
                return 0;
            };
            let end = self.runs.get(after).map_or(self.len, |next| next.view);
            let tokens = round(at - run.parent, u32::from(run.from).max(1));
            (run.view + tokens * u32::from(run.to)).min(end)
        };
        let start = tokens(span.start, |bytes, from| bytes / from);
        ViewSpan {
            start,
            end: tokens(span.end, u32::div_ceil).max(start),
        }
    }

    /// The parent bytes behind `span`, widened to whole tokens. Pieces that touch are joined; glue
    /// contributes nothing, so a span of glue alone gives one empty piece where the glue points.
    pub fn to_parent(&self, span: ViewSpan) -> Pieces {
        let mut pieces = Pieces::new();
        if self.runs.is_empty() {
            return pieces;
        }
        let first = self.runs.partition_point(|run| run.view <= span.start);
        let first = first.saturating_sub(1);
        for (index, run) in self.runs.iter().enumerate().skip(first) {
            if run.view >= span.end && index > first {
                break;
            }
            let end = self.runs.get(index + 1).map_or(self.len, |next| next.view);
            if run.from == 0 {
                continue;
            }
            let (from, to) = (u32::from(run.from), u32::from(run.to));
            let low = span.start.clamp(run.view, end) - run.view;
            let high = span.end.clamp(run.view, end) - run.view;
            if low == high && !span.is_empty() {
                continue;
            }
            let piece = ViewSpan {
                start: run.parent + low / to * from,
                end: run.parent + high.div_ceil(to) * from,
            };
            match pieces.last_mut() {
                Some(last) if last.end == piece.start => last.end = piece.end,
                _ => pieces.push(piece),
            }
        }
        if pieces.is_empty() {
            let at = self.runs[first].parent;
            pieces.push(ViewSpan { start: at, end: at });
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(map: &OffsetMap, start: usize, end: usize) -> Vec<(u32, u32)> {
        map.to_parent(ViewSpan::new(start, end))
            .iter()
            .map(|p| (p.start, p.end))
            .collect()
    }

    /// `ab\ncd` then glue then `%41%42` then base64 of six bytes.
    fn sample() -> OffsetMap {
        let mut map = OffsetMap::default();
        map.copy(1, 2);
        map.token(3, 2, 1);
        map.copy(5, 2);
        map.glue(8, 1);
        map.tokens(10, 3, 1, 2);
        map.tokens(20, 4, 3, 2);
        map
    }

    #[test]
    fn copies_escapes_and_rows_map_back() {
        let map = sample();
        assert_eq!(map.len(), 14);
        assert_eq!(spans(&map, 0, 2), [(1, 3)]);
        assert_eq!(spans(&map, 0, 5), [(1, 7)]);
        assert_eq!(spans(&map, 2, 3), [(3, 5)]);
        assert_eq!(spans(&map, 7, 8), [(13, 16)]);
    }

    #[test]
    fn partial_tokens_widen_and_glue_splits() {
        let map = sample();
        assert_eq!(spans(&map, 9, 10), [(20, 24)]);
        assert_eq!(spans(&map, 10, 12), [(20, 28)]);
        assert_eq!(spans(&map, 3, 8), [(5, 7), (10, 16)]);
        assert_eq!(spans(&map, 5, 6), [(8, 8)]);
    }

    #[test]
    fn a_byte_comes_from_where_its_span_starts() {
        let map = sample();
        for offset in 0..map.len() {
            let [(start, _)] = spans(&map, offset, offset + 1)[..] else {
                panic!("one piece for one byte");
            };
            assert_eq!(map.origin(offset as u32), start, "{offset}");
        }
        assert_eq!(OffsetMap::default().origin(0), 0);
    }

    #[test]
    fn only_untouched_stretches_are_copies() {
        let mut map = sample();
        assert!(map.is_copy(ViewSpan::new(0, 2)));
        assert!(!map.is_copy(ViewSpan::new(1, 3)));
        assert!(!map.is_copy(ViewSpan::new(9, 10)));
        assert!(!map.is_copy(ViewSpan::new(5, 6)));
        map.copy(40, 3);
        map.copy(50, 3);
        assert!(map.is_copy(ViewSpan::new(14, 17)));
        assert!(!map.is_copy(ViewSpan::new(16, 18)));
    }

    #[test]
    fn neighbouring_copies_become_one_run() {
        let mut map = OffsetMap::default();
        map.copy(0, 4);
        map.copy(4, 4);
        map.token(8, 1, 1);
        assert_eq!(map.runs.len(), 1);
        assert_eq!(map, OffsetMap::identity(9));
    }
}

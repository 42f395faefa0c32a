//! Applies a delta and remembers what it copied and where it changed anything.

use crate::git::delta::{Broken, Delta, Step};
use crate::span::ViewSpan;

/// Bytes of a copy between two changes that is not worth knowing of: what is near a change is looked
/// at again in any case.
const SHORT: usize = 64;

/// What a delta did, by offsets of base and result. Reused from delta to delta.
#[derive(Default)]
pub struct Changes {
    /// Stretches of the base that stand in the result, in the order of the result.
    pub copies: Vec<Copy>,
    /// Stretches of the result that are new, and empty ones where bytes were taken out or moved, in
    /// order.
    pub dirty: Vec<ViewSpan>,
}

/// A stretch of the base that stands in the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    pub from: u32,
    pub to: u32,
    pub len: u32,
}

impl Changes {
    /// Makes `out` what `delta` makes of `base`.
    ///
    /// # Errors
    /// When the delta is broken or was made for another base.
    pub fn apply(&mut self, base: &[u8], delta: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        self.clear();
        out.clear();
        let delta = Delta::parse(delta)?;
        if delta.base_len != base.len() || u32::try_from(delta.result_len).is_err() {
            return Err(Broken);
        }
        // What it claims is believed only as far as its instructions bear it out.
        out.reserve(
            delta
                .result_len
                .min(base.len().saturating_mul(2) + (1 << 20)),
        );
        for step in delta.steps() {
            match step? {
                Step::Copy { from, len } => {
                    let end = from.checked_add(len).ok_or(Broken)?;
                    let bytes = base.get(from..end).ok_or(Broken)?;
                    self.copied(from, out.len(), len);
                    out.extend_from_slice(bytes);
                }
                Step::Insert(bytes) => {
                    self.changed(out.len(), out.len() + bytes.len());
                    out.extend_from_slice(bytes);
                }
            }
            if out.len() > delta.result_len {
                return Err(Broken);
            }
        }
        if out.len() != delta.result_len {
            return Err(Broken);
        }
        self.close(base.len(), out.len());
        Ok(())
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.copies.clear();
        self.dirty.clear();
    }

    /// Adds a stretch of the base, right behind what was added before.
    pub(super) fn copied(&mut self, from: usize, to: usize, len: usize) {
        let (from, to, len) = (from as u32, to as u32, len as u32);
        match self.copies.last_mut() {
            Some(last) if last.to + last.len == to && last.from + last.len == from => {
                last.len += len;
                return;
            }
            Some(last) if last.to + last.len == to => self.changed(to as usize, to as usize),
            None if to == 0 && from != 0 => self.changed(0, 0),
            _ => {}
        }
        self.copies.push(Copy { from, to, len });
    }

    /// Adds a stretch that is new, right behind what was added before.
    pub(super) fn changed(&mut self, start: usize, end: usize) {
        match self.dirty.last_mut() {
            Some(last) if last.end as usize == start => last.end = end as u32,
            Some(last) if start - (last.end as usize) < SHORT => {
                self.copies.pop();
                last.end = end as u32;
            }
            _ => self.dirty.push(ViewSpan::new(start, end)),
        }
    }

    /// The end of the result is a change unless it is the end of the base.
    pub(super) fn close(&mut self, base: usize, result: usize) {
        let ends_alike = self.copies.last().is_some_and(|last| {
            (last.to + last.len) as usize == result && (last.from + last.len) as usize == base
        });
        if !ends_alike {
            self.changed(result, result);
        }
    }

    /// The copies that may have something which starts at one of some places of the base. There are
    /// thousands of copies in a changed bundle, and most have nothing.
    pub fn holding(&self, starts: impl Iterator<Item = u32>) -> Holding {
        let blocks = Blocks::of(starts);
        let holds = |copy: &&Copy| blocks.any_in(copy.from, copy.from + copy.len);
        Holding(self.copies.iter().filter(holds).copied().collect())
    }

    /// The same in units of so many bytes: what is copied from another place in a unit is new.
    pub fn aligned(&self, width: u32) -> Self {
        let is_aligned = |copy: &&Copy| copy.from % width == copy.to % width;
        let (copies, shifted): (Vec<&Copy>, Vec<&Copy>) = self.copies.iter().partition(is_aligned);
        let shifted = shifted.into_iter().map(|copy| ViewSpan {
            start: copy.to,
            end: copy.to + copy.len,
        });
        let mut dirty = self.dirty.clone();
        dirty.extend(shifted);
        dirty.sort();
        join(&mut dirty, 0);
        Self {
            copies: copies.into_iter().copied().collect(),
            dirty,
        }
    }

    /// The stretches of the result that come out of those of some items of the base, in order of `span`,
    /// which copies take in part only.
    pub fn cut<T>(&self, items: &[T], span: impl Fn(&T) -> ViewSpan) -> Vec<ViewSpan> {
        let mut pieces = Vec::new();
        let longest = items.iter().map(|item| span(item).len() as u32).max();
        let Some(longest) = longest else {
            return pieces;
        };
        for copy in &self.copies {
            for edge in [copy.from, copy.from + copy.len] {
                let before = items.partition_point(|item| span(item).start < edge);
                let reaching = items[..before].iter().rev().map(&span);
                let reaching = reaching.take_while(|span| edge - span.start < longest);
                pieces.extend(
                    reaching
                        .filter(|span| edge < span.end)
                        .map(|span| copy.piece(span)),
                );
            }
        }
        pieces
    }
}

/// Joins those of some spans, in order, that have no more than so many bytes between them.
pub fn join(spans: &mut Vec<ViewSpan>, gap: u32) {
    spans.dedup_by(|next, last| {
        let meets = next.start <= last.end.saturating_add(gap);
        if meets {
            last.end = last.end.max(next.end);
        }
        meets
    });
}

impl Copy {
    /// What of a span of the base it takes, in the result.
    fn piece(&self, span: ViewSpan) -> ViewSpan {
        let start = span.start.max(self.from);
        let end = span.end.min(self.from + self.len);
        ViewSpan {
            start: start - self.from + self.to,
            end: end - self.from + self.to,
        }
    }
}

/// Copies that hold what is to be handed on.
pub struct Holding(Vec<Copy>);

impl Holding {
    /// Hands on what `kept` has in the base to the result: each that a copy takes whole, in the order
    /// of the result, with the offset to add. `kept` is in order of `span`; a delta may copy it twice.
    pub fn carry<T>(&self, kept: &[T], span: impl Fn(&T) -> ViewSpan, mut to: impl FnMut(&T, i64)) {
        if kept.is_empty() {
            return;
        }
        for copy in &self.0 {
            let next = kept.partition_point(|item| span(item).start < copy.from);
            let end = copy.from + copy.len;
            let inside = kept[next..]
                .iter()
                .take_while(|item| span(item).start < end);
            for item in inside.filter(|item| span(item).end <= end) {
                to(item, i64::from(copy.to) - i64::from(copy.from));
            }
        }
    }
}

/// Blocks of a text, a bit each: whether something starts there.
struct Blocks(Vec<u64>);

impl Blocks {
    /// Bytes of a block.
    const BYTES: u32 = 256;
    /// Bytes of the blocks of one word.
    const WORD: u32 = Self::BYTES * u64::BITS;

    fn of(starts: impl Iterator<Item = u32>) -> Self {
        let mut words = Vec::new();
        for start in starts {
            let word = (start / Self::WORD) as usize;
            if word >= words.len() {
                words.resize(word + 1, 0);
            }
            words[word] |= 1 << (start / Self::BYTES % u64::BITS);
        }
        Self(words)
    }

    /// Whether something may start in a stretch that is not empty.
    fn any_in(&self, start: u32, end: u32) -> bool {
        let (first, last) = (start / Self::WORD, (end - 1) / Self::WORD);
        let from = u64::MAX << (start / Self::BYTES % u64::BITS);
        let to = u64::MAX >> (u64::BITS - 1 - (end - 1) / Self::BYTES % u64::BITS);
        let words = self.0.get(first as usize..).unwrap_or_default();
        let mut words = (first..=last).zip(words);
        words.any(|(word, bits)| {
            let after = if word == first { from } else { u64::MAX };
            let before = if word == last { to } else { u64::MAX };
            bits & after & before != 0
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What stands elsewhere in its unit is read otherwise.
    #[test]
    fn copies_that_shift_units_are_changes() {
        let copies = [(0, 0, 80), (91, 90, 100), (192, 200, 30)];
        let copies = copies.map(|(from, to, len)| Copy { from, to, len });
        let changes = Changes {
            copies: copies.to_vec(),
            dirty: vec![ViewSpan::new(80, 90), ViewSpan::new(190, 200)],
        };
        let units = changes.aligned(2);
        assert_eq!(units.copies, [copies[0], copies[2]]);
        assert_eq!(units.dirty, [ViewSpan::new(80, 200)]);
        assert_eq!(changes.aligned(1).copies, copies);
    }

    /// A delta's bytes from instructions.
    pub fn encode(base: usize, result: usize, steps: &[Step<'_>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for mut length in [base, result] {
            while length > 0x7F {
                bytes.push(length as u8 & 0x7F | 0x80);
                length >>= 7;
            }
            bytes.push(length as u8);
        }
        for step in steps {
            match step {
                Step::Insert(new) => {
                    bytes.push(new.len() as u8);
                    bytes.extend_from_slice(new);
                }
                Step::Copy { from, len } => {
                    bytes.push(0x80 | 0x0F | 0x30);
                    bytes.extend_from_slice(&(*from as u32).to_le_bytes());
                    bytes.extend_from_slice(&(*len as u16).to_le_bytes());
                }
            }
        }
        bytes
    }

    /// Whether copies are copies, all else is dirty, and neighbours that were no neighbours in the base have
    /// a dirty place between them.
    pub fn is_described(base: &[u8], out: &[u8], changes: &Changes) -> Result<(), TestCaseError> {
        let mut origin = vec![None; out.len()];
        for copy in &changes.copies {
            for at in 0..copy.len {
                origin[(copy.to + at) as usize] = Some(copy.from + at);
            }
        }
        for (at, from) in origin.iter().enumerate() {
            let dirty = changes.dirty.iter().any(|d| d.range().contains(&at));
            prop_assert_eq!(from.is_none(), dirty);
            let Some(from) = from else { continue };
            prop_assert_eq!(base[*from as usize], out[at]);
            let before = at.checked_sub(1).map(|b| origin[b]);
            let continues = match before {
                None => *from == 0,
                Some(before) => before.is_some_and(|b| b + 1 == *from),
            };
            let marked = changes
                .dirty
                .iter()
                .any(|d| d.start as usize <= at && at <= d.end as usize);
            prop_assert!(continues || marked);
        }
        Ok(())
    }

    proptest! {
        /// Nothing that starts in a stretch is overlooked.
        #[test]
        fn blocks_tell_where_something_starts(
            starts in prop::collection::vec(0..60_000_u32, 0..6),
            start in 0..70_000_u32,
            len in 1..40_000_u32,
        ) {
            let blocks = Blocks::of(starts.iter().copied());
            let (first, last) = (start / Blocks::BYTES, (start + len - 1) / Blocks::BYTES);
            let there = |at: &u32| (first..=last).contains(&(at / Blocks::BYTES));
            prop_assert_eq!(blocks.any_in(start, start + len), starts.iter().any(there));
        }

        /// What a copy takes as a whole is not cut.
        #[test]
        fn pieces_are_of_what_copies_take_in_part(
            items in prop::collection::vec((0..900_u32, 1..90_u32), 0..30),
            copies in prop::collection::vec((0..900_u32, 1..300_u32), 0..9),
        ) {
            let mut to = 0;
            let copies = copies.into_iter().map(|(from, len)| {
                to += len + 7;
                Copy { from, to: to - len, len }
            });
            let changes = Changes { copies: copies.collect(), dirty: Vec::new() };
            let items = items.into_iter().map(|(start, len)| ViewSpan { start, end: start + len });
            let mut items: Vec<ViewSpan> = items.collect();
            items.sort();
            let mut expected = Vec::new();
            for copy in &changes.copies {
                for item in &items {
                    let start = item.start.max(copy.from);
                    let end = item.end.min(copy.from + copy.len);
                    if start < end && (start, end) != (item.start, item.end) {
                        let moved = |at: u32| at - copy.from + copy.to;
                        expected.push(ViewSpan { start: moved(start), end: moved(end) });
                    }
                }
            }
            let mut pieces = changes.cut(&items, |item| *item);
            for list in [&mut pieces, &mut expected] {
                list.sort();
                list.dedup();
            }
            prop_assert_eq!(pieces, expected);
        }

        /// What is no copy is dirty, copies are copies, and neighbours that were no neighbours in
        /// the base have a dirty place between them.
        #[test]
        fn copies_and_dirty_places_describe_the_result(
            base in prop::collection::vec(any::<u8>(), 300..400),
            plan in prop::collection::vec((any::<bool>(), 0usize..150, 1usize..150), 1..8),
        ) {
            let new = [b'n'; 127];
            let steps: Vec<Step<'_>> = plan.iter().map(|&(copy, from, len)| match copy {
                true => Step::Copy { from, len },
                false => Step::Insert(&new[..len.min(127)]),
            }).collect();
            let expected: Vec<u8> = steps.iter().flat_map(|step| match *step {
                Step::Copy { from, len } => &base[from..from + len],
                Step::Insert(bytes) => bytes,
            }).copied().collect();
            let delta = encode(base.len(), expected.len(), &steps);
            let (mut changes, mut out) = (Changes::default(), Vec::new());
            changes.apply(&base, &delta, &mut out).expect("a good delta");
            prop_assert_eq!(&out, &expected);
            is_described(&base, &out, &changes)?;
        }
    }
}

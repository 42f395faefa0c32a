//! Applies a delta and remembers what it copied and where it changed anything.

use crate::git::delta::{Broken, Delta, Step};
use crate::span::ViewSpan;

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
        self.copies.clear();
        self.dirty.clear();
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

    fn copied(&mut self, from: usize, to: usize, len: usize) {
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

    fn changed(&mut self, start: usize, end: usize) {
        match self.dirty.last_mut() {
            Some(last) if last.end as usize == start => last.end = end as u32,
            _ => self.dirty.push(ViewSpan::new(start, end)),
        }
    }

    /// The end of the result is a change unless it is the end of the base.
    fn close(&mut self, base: usize, result: usize) {
        let ends_alike = self.copies.last().is_some_and(|last| {
            (last.to + last.len) as usize == result && (last.from + last.len) as usize == base
        });
        if !ends_alike {
            self.changed(result, result);
        }
    }

    /// Hands on what `kept` has in the base to the result: each that a copy takes whole, in the order
    /// of the result, with the offset to add. `kept` is in order of `span`; a delta may copy it twice.
    pub fn carry<T>(&self, kept: &[T], span: impl Fn(&T) -> ViewSpan, mut to: impl FnMut(&T, i64)) {
        if kept.is_empty() {
            return;
        }
        let index = Index::of(kept, self.copies.len(), |item| span(item).start);
        for copy in &self.copies {
            let next = index.first_from(kept, copy.from, |item| span(item).start);
            let end = copy.from + copy.len;
            let inside = kept[next..]
                .iter()
                .take_while(|item| span(item).start < end);
            for item in inside.filter(|item| span(item).end <= end) {
                to(item, i64::from(copy.to) - i64::from(copy.from));
            }
        }
    }

    /// The stretches of the result that come out of `span` of the base.
    pub fn pieces(&self, span: ViewSpan) -> impl Iterator<Item = ViewSpan> + '_ {
        self.copies.iter().filter_map(move |copy| {
            let start = span.start.max(copy.from);
            let end = span.end.min(copy.from + copy.len);
            (start < end).then(|| ViewSpan {
                start: start - copy.from + copy.to,
                end: end - copy.from + copy.to,
            })
        })
    }
}

/// Where to look for the first of some items at or behind a place. Copies of minified code jump to
/// and fro in their base by the thousand, so that looking must not take long.
struct Index {
    /// By block: how many items start before it. Empty where that is not worth it.
    starts: Vec<u32>,
}

impl Index {
    /// Bytes of a block.
    const BLOCK: u32 = 512;

    /// For so many `look_ups` in items that are in order of `start`.
    fn of<T>(items: &[T], look_ups: usize, start: impl Fn(&T) -> u32) -> Self {
        let mut starts = Vec::new();
        if look_ups * 16 > items.len() {
            for (number, item) in items.iter().enumerate() {
                let block = (start(item) / Self::BLOCK) as usize;
                if block >= starts.len() {
                    starts.resize(block + 1, number as u32);
                }
            }
        }
        Self { starts }
    }

    /// The first of the items that starts at `place` or behind it.
    fn first_from<T>(&self, items: &[T], place: u32, start: impl Fn(&T) -> u32) -> usize {
        if self.starts.is_empty() {
            return items.partition_point(|item| start(item) < place);
        }
        let Some(&first) = self.starts.get((place / Self::BLOCK) as usize) else {
            return items.len();
        };
        let rest = &items[first as usize..];
        let before = rest.iter().position(|item| start(item) >= place);
        first as usize + before.unwrap_or(rest.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A delta's bytes from instructions.
    fn encode(base: usize, result: usize, steps: &[Step<'_>]) -> Vec<u8> {
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

    proptest! {
        #[test]
        fn the_first_item_from_a_place_on_is_found(
            mut items in prop::collection::vec(0..5000_u32, 0..60),
            look_ups in 0..10_usize,
            place in 0..6000_u32,
        ) {
            items.sort_unstable();
            let found = Index::of(&items, look_ups, |item| *item)
                .first_from(&items, place, |item| *item);
            prop_assert_eq!(found, items.partition_point(|item| *item < place));
        }

        /// What is no copy is dirty, copies are copies, and neighbours that were no neighbours in
        /// the base have a dirty place between them.
        #[test]
        fn copies_and_dirty_places_describe_the_result(
            base in prop::collection::vec(any::<u8>(), 30..60),
            plan in prop::collection::vec((any::<bool>(), 0usize..20, 1usize..10), 1..8),
        ) {
            let new = [b'n'; 10];
            let steps: Vec<Step<'_>> = plan.iter().map(|&(copy, from, len)| match copy {
                true => Step::Copy { from, len },
                false => Step::Insert(&new[..len]),
            }).collect();
            let expected: Vec<u8> = steps.iter().flat_map(|step| match *step {
                Step::Copy { from, len } => &base[from..from + len],
                Step::Insert(bytes) => bytes,
            }).copied().collect();
            let delta = encode(base.len(), expected.len(), &steps);
            let (mut changes, mut out) = (Changes::default(), Vec::new());
            changes.apply(&base, &delta, &mut out).expect("a good delta");
            prop_assert_eq!(&out, &expected);
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
                let marked = changes.dirty.iter().any(|d| d.start as usize <= at && at <= d.end as usize);
                prop_assert!(continues || marked);
            }
        }
    }
}

//! Text in wide characters (UTF-16, UTF-32), of which a delta changed bytes.
//!
//! What is seen in such a text is seen in its transcoding. It is kept by the bytes of the object, which
//! deltas speak of, and told by the offsets of the text again where a version is looked at.

use crate::decode::offset::OffsetMap;
use crate::decode::{ViewBuilder, wide};
use crate::detect::keywords::Hit;
use crate::sniff::Encoding;
use crate::span::ViewSpan;

use super::changes::{Changes, join};
use super::secrets::Spot;
use super::seen::{Moved, Seen};

/// A transcoded object.
pub struct Wide {
    pub text: Vec<u8>,
    map: OffsetMap,
    encoding: Encoding,
}

impl Wide {
    pub fn of(bytes: &[u8], encoding: Encoding) -> Self {
        let mut out = ViewBuilder::default();
        out.text.reserve(bytes.len() / encoding.width());
        wide::transcode(bytes, encoding, &mut out);
        let ViewBuilder { text, map, .. } = out;
        Self {
            text,
            map,
            encoding,
        }
    }

    /// What a delta hands on of its base, by offsets of this text.
    pub fn moved(&self, base: &Seen, changes: &Changes) -> Moved<'static> {
        let width = self.encoding.width() as u32;
        let changes = changes.aligned(width);
        let carried = self.in_text(Seen::carried(base, &changes));
        // A half of a pair depends on the unit beside it.
        let wider = |span: &ViewSpan| ViewSpan {
            start: span.start.saturating_sub(width),
            end: span.end.saturating_add(width),
        };
        let dirty = changes.dirty.iter().map(wider);
        let mut dirty: Vec<ViewSpan> = dirty.map(|span| self.map.to_view(span)).collect();
        join(&mut dirty, 0);
        let cut = changes.cut(&base.spots, Spot::span).into_iter();
        Moved {
            carried,
            dirty: dirty.into(),
            cut: cut.map(|span| self.map.to_view(span)).collect(),
        }
    }

    /// What was seen in the text, by the bytes of the object.
    pub fn in_bytes(&self, seen: Seen) -> Seen {
        let span = |span: ViewSpan| {
            let pieces = self.map.to_parent(span);
            ViewSpan {
                start: self.map.origin(span.start),
                end: pieces.last().map_or(0, |last| last.end),
            }
        };
        Seen {
            encoding: seen.encoding.map(|_| self.encoding),
            ..placed(seen, span)
        }
    }

    /// The other way round.
    fn in_text(&self, seen: Seen) -> Seen {
        placed(seen, |span| self.map.to_view(span))
    }
}

/// What was seen, where `place` says that its places are.
fn placed(mut seen: Seen, place: impl Fn(ViewSpan) -> ViewSpan) -> Seen {
    let first = |start: u32| place(ViewSpan::new(start as usize, start as usize + 1));
    for spot in &mut seen.spots {
        let ViewSpan { start, end } = place(spot.span());
        *spot = Spot {
            start,
            end,
            ..*spot
        };
    }
    for hit in &mut seen.hits {
        let ViewSpan { start, end } = place(hit.span());
        *hit = Hit { start, end, ..*hit };
    }
    for hit in &mut seen.coded {
        let start = first(hit.start).start;
        *hit = Hit {
            start,
            end: start + 1,
            ..*hit
        };
    }
    for start in &mut seen.live {
        *start = first(*start).start;
    }
    for part in &mut seen.parts {
        part.span = place(part.span);
    }
    seen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::git::delta::Step;
    use crate::history::changes::{Copy, tests::encode};

    proptest! {
        /// What is not said to have changed stood in the base, and said the same there.
        #[test]
        fn what_is_not_new_is_read_as_in_the_base(
            units in prop::collection::vec(prop_oneof![
                Just(u16::from(b'a')), Just(0x6F22), Just(0xD83D_u16), Just(0xDE00),
            ], 150..300),
            plan in prop::collection::vec((any::<bool>(), 0_usize..150, 35_usize..100, 0..4_u8), 1..8),
        ) {
            let base: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let mut result = Vec::new();
            let steps = plan.iter().map(|&(copy, from, len, odd)| {
                // Mostly whole units.
                let (from, len) = (2 * from + usize::from(odd == 1), 2 * len + usize::from(odd > 1));
                match copy {
                    true => Step::Copy { from, len: len.min(base.len() - from) },
                    false => Step::Insert(&base[..len.min(127)]),
                }
            });
            let steps: Vec<Step<'_>> = steps.collect();
            for step in &steps {
                result.extend_from_slice(match *step {
                    Step::Copy { from, len } => &base[from..from + len],
                    Step::Insert(bytes) => bytes,
                });
            }
            let delta = encode(base.len(), result.len(), &steps);
            let (mut changes, mut out) = (Changes::default(), Vec::new());
            changes.apply(&base, &delta, &mut out).expect("a good delta");
            let (before, after) = (Wide::of(&base, Encoding::Utf16Le), Wide::of(&out, Encoding::Utf16Le));
            let seen = Seen { encoding: Some(Encoding::Utf16Le), ..Seen::default() };
            let moved = after.moved(&seen, &changes);
            let text = std::str::from_utf8(&after.text).expect("text");
            for (at, said) in text.char_indices() {
                let span = ViewSpan::new(at, at + said.len_utf8());
                if moved.dirty.iter().any(|dirty| dirty.overlaps(span)) {
                    continue;
                }
                let bytes = after.map.to_parent(span)[0];
                let holds = |copy: &&Copy| {
                    copy.to <= bytes.start && bytes.end <= copy.to + copy.len
                };
                let copy = changes.copies.iter().find(holds).expect("a copy");
                let from = bytes.start - copy.to + copy.from;
                let there = before.map.to_view(ViewSpan { start: from, end: from + bytes.end - bytes.start });
                prop_assert_eq!(&before.text[there.range()], &after.text[span.range()]);
            }
        }
    }
}

//! What is kept of an object for its deltas, and what a delta hands on of it.

use std::borrow::Cow;

use crate::decode::notebook::Part;
use crate::detect::keywords::Hit;
use crate::sniff::Encoding;
use crate::span::ViewSpan;

use super::changes::Changes;
use super::secrets::Spot;

/// What was seen in an object, by its bytes. All lists are in order.
#[derive(Default)]
pub struct Seen {
    /// How it spells text, if any of this can be handed on.
    pub encoding: Option<Encoding>,
    pub spots: Box<[Spot]>,
    /// Keywords in the text itself.
    pub hits: Box<[Hit]>,
    /// Keywords in what is encoded in the text: where the first byte of each comes from.
    pub coded: Box<[Hit]>,
    /// Where rules' patterns fit in the text itself, and what is around may matter for that.
    pub live: Box<[u32]>,
    /// Plain text, which can be scanned in part.
    pub plain: bool,
    /// The parts of a notebook: what is seen in one is so wherever its bytes are one.
    pub parts: Box<[Part]>,
    /// How much room a notebook takes at most, of each that is limited.
    pub taken: [usize; 2],
}

/// What a delta hands on, and what of the result has changed, by offsets of its text.
pub struct Moved<'c> {
    pub carried: Seen,
    /// In order and apart.
    pub dirty: Cow<'c, [ViewSpan]>,
    /// What is left of spots that a change cut in two: no copy takes those whole.
    pub cut: Vec<ViewSpan>,
}

impl<'c> Moved<'c> {
    /// What `changes` hand on of a base whose bytes are its text.
    pub fn of(base: &Seen, changes: &'c Changes) -> Self {
        Self {
            carried: Seen::carried(base, changes),
            dirty: (&*changes.dirty).into(),
            cut: changes.cut(&base.spots, Spot::span),
        }
    }
}

/// Bytes of a large text for each mark that is kept of it at most.
const PER_MARK: usize = 32;

impl Seen {
    /// Whether so many marks of a large text of `len` bytes are not kept: they would take as much memory
    /// as the text.
    pub fn are_too_many(marks: usize, len: usize) -> bool {
        marks > len / PER_MARK
    }

    /// What is kept of a large text of `len` bytes: nothing to hand on, if there are too many marks.
    pub fn bounded(self, len: usize) -> Self {
        let marks = self.hits.len() + self.coded.len() + self.live.len();
        match Self::are_too_many(marks, len) {
            true => Self {
                spots: self.spots,
                ..Self::default()
            },
            false => self,
        }
    }

    /// What a delta hands on of what was seen in its base.
    pub fn carried(base: &Self, changes: &Changes) -> Self {
        let moved = |at: u32, by: i64| (i64::from(at) + by) as u32;
        let hits = base.hits.iter().chain(&base.coded).map(|hit| hit.start);
        let spans = base.spots.iter().map(Spot::span);
        let spans = spans.chain(base.parts.iter().map(|part| part.span));
        let others = spans.map(|span| span.start);
        let starts = hits.chain(others).chain(base.live.iter().copied());
        let holding = changes.holding(starts);
        let mut spots = Vec::new();
        holding.carry(&base.spots, Spot::span, |spot, by| {
            spots.push(Spot {
                start: moved(spot.start, by),
                end: moved(spot.end, by),
                ..*spot
            });
        });
        let hits = |kept: &[Hit]| {
            let mut hits = Vec::with_capacity(kept.len());
            holding.carry(kept, Hit::span, |hit, by| {
                hits.push(Hit {
                    start: moved(hit.start, by),
                    end: moved(hit.end, by),
                    ..*hit
                });
            });
            hits.into()
        };
        let mut live = Vec::new();
        let at = |start: &u32| ViewSpan::new(*start as usize, *start as usize + 1);
        holding.carry(&base.live, at, |&start, by| live.push(moved(start, by)));
        let mut parts = Vec::new();
        let span = |part: &Part| part.span;
        holding.carry(&base.parts, span, |&Part { span, kind }, by| {
            let span = ViewSpan {
                start: moved(span.start, by),
                end: moved(span.end, by),
            };
            parts.push(Part { span, kind });
        });
        Self {
            encoding: base.encoding,
            spots: spots.into(),
            hits: hits(&base.hits),
            coded: hits(&base.coded),
            live: live.into(),
            plain: base.plain,
            parts: parts.into(),
            taken: base.taken,
        }
    }
}

impl Spot {
    pub fn span(&self) -> ViewSpan {
        ViewSpan {
            start: self.start,
            end: self.end,
        }
    }
}

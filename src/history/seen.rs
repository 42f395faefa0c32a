//! What is kept of an object for its deltas, and what a delta hands on of it.

use crate::detect::keywords::Hit;
use crate::span::ViewSpan;

use super::changes::Changes;
use super::secrets::Spot;

/// What was seen in a text. All lists are in order.
#[derive(Default)]
pub struct Seen {
    pub spots: Box<[Spot]>,
    /// Keywords in the text itself.
    pub hits: Box<[Hit]>,
    /// Keywords in what is encoded in the text: where the first byte of each comes from.
    pub coded: Box<[Hit]>,
    /// Where rules' patterns fit in the text itself, and what is around may matter for that.
    pub live: Box<[u32]>,
    /// The same in what is encoded in the text: where the first byte of the match comes from.
    pub coded_live: Box<[u32]>,
    /// Plain text, which can be scanned in part.
    pub plain: bool,
}

impl Seen {
    /// What a delta hands on of what was seen in its base.
    pub fn carried(base: &Self, changes: &Changes) -> Self {
        let moved = |at: u32, by: i64| (i64::from(at) + by) as u32;
        let hits = base.hits.iter().chain(&base.coded).map(|hit| hit.start);
        let others = base.spots.iter().map(|spot| spot.start);
        let live = base.live.iter().chain(&base.coded_live);
        let starts = hits.chain(others).chain(live.copied());
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
        let at = |start: &u32| ViewSpan::new(*start as usize, *start as usize + 1);
        let live = |kept: &[u32]| {
            let mut live = Vec::new();
            holding.carry(kept, at, |&start, by| live.push(moved(start, by)));
            live.into()
        };
        Self {
            spots: spots.into(),
            hits: hits(&base.hits),
            coded: hits(&base.coded),
            live: live(&base.live),
            coded_live: live(&base.coded_live),
            plain: true,
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

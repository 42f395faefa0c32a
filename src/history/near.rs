//! The parts of a text around its secrets: to show some of them, no more of it need be searched.

use crate::detect::keywords::Hit;
use crate::detect::{Detector, LOCAL};
use crate::pipeline::Focus;
use crate::span::ViewSpan;

use super::Stands;
use super::around::Places;
use super::texts::MARGIN;

/// What is searched.
pub struct Near {
    places: Places,
    hits: Vec<Hit>,
    whole: ViewSpan,
}

impl Near {
    /// As far from some secrets as their rules and the judge look. `None` where that is most of the text.
    pub(super) fn of(secrets: &Stands, bytes: &[u8], detector: &Detector) -> Option<Self> {
        let mut places = Places::joined(&secrets.all, [MARGIN + LOCAL; 2], bytes.len());
        let farthest = MARGIN + detector.farthest();
        let mut far = Places::joined(&secrets.far, [farthest; 2], bytes.len());
        places.list.append(&mut far.list);
        places.merge();
        places.take_lines(0, bytes);
        if places.cover_most(bytes.len()) {
            return None;
        }
        let mut hits = Vec::new();
        for place in &places.list {
            let first = hits.len();
            detector.keywords().scan(&bytes[place.range()], &mut hits);
            for hit in &mut hits[first..] {
                hit.start += place.start;
                hit.end += place.start;
            }
        }
        hits.sort_unstable();
        Some(Self {
            places,
            hits,
            whole: ViewSpan::new(0, bytes.len()),
        })
    }

    pub fn focus(&self) -> Focus<'_> {
        Focus {
            hits: &self.hits,
            lines: &self.places.list,
            bounds: self.whole,
            stirred: None,
            // Encodings are opened farther than that.
            known: None,
        }
    }
}

//! Parts of a text around what a delta changed.

use std::ops::Range;

use crate::decode::nested::payload_cut_by;
use crate::detect::Far;
use crate::lines::{self, LineSearch};
use crate::span::ViewSpan;

use super::changes::join;
use super::seen::Moved;
use super::texts::MARGIN;

/// Bytes between two changes that are sooner looked through for encodings than the ends of lines are
/// sought around each: in minified code changes stand that near to each other.
const BESIDE: u32 = 128;

/// Parts of a text to scan.
#[derive(Default)]
pub struct Places {
    /// In order and apart from each other.
    pub list: Vec<ViewSpan>,
}

impl Places {
    /// What must be looked at again after a delta, with what reaches there from `far`.
    pub fn around(moved: &Moved<'_>, far: impl Iterator<Item = ViewSpan>, bytes: &[u8]) -> Self {
        let mut places = Self::joined(&moved.dirty, [MARGIN; 2], bytes.len());
        let mut more: Vec<ViewSpan> = far.collect();
        more.extend(&moved.cut);
        more.sort();
        let mut more = Self::joined(&more, [MARGIN; 2], bytes.len());
        places.list.append(&mut more.list);
        places.merge();
        places.take_lines(0, bytes);
        for spot in &moved.carried.spots {
            places.take_whole(spot.span());
        }
        places.merge();
        places
    }

    /// Some places, put in order and joined where they meet.
    pub fn of(list: Vec<ViewSpan>) -> Self {
        let mut places = Self { list };
        places.merge();
        places
    }

    /// Some places, in order, with so many bytes and whole lines around each.
    pub fn widened(places: &[ViewSpan], margin: u32, bytes: &[u8]) -> Self {
        let mut wide = Self::joined(places, [margin; 2], bytes.len());
        wide.take_lines(0, bytes);
        wide
    }

    /// Where changes, in order, may have made encodings: so many bytes before and behind each, with whole
    /// lines. Behind a change that is no farther than its line: what begins on a later one was there.
    pub fn of_encodings(changes: &[ViewSpan], margin: u32, bytes: &[u8]) -> Self {
        let mut places = Self::joined(changes, [margin, 0], bytes.len());
        join(&mut places.list, BESIDE);
        places.take_lines(margin as usize, bytes);
        places
    }

    /// Adds where encodings may be that open these keywords, in order, though they begin far off on a long
    /// line: what is new in them may say something only there.
    pub fn take_opened(&mut self, keywords: &[ViewSpan], bytes: &[u8]) {
        let mut search = LineSearch::default();
        let lines = keywords.iter().map(|keyword| {
            let Range { start, end } = search.along(bytes, keyword.range());
            ViewSpan::new(start, end)
        });
        self.list.extend(lines);
        self.merge();
    }

    /// Some places, in order, in a text of `len` bytes, with so many bytes before and behind each.
    /// There may be thousands, of a few bytes each, so those that meet are joined at once.
    pub fn joined(places: &[ViewSpan], [before, behind]: [u32; 2], len: usize) -> Self {
        let mut list: Vec<ViewSpan> = Vec::new();
        for place in places {
            let start = place.start.saturating_sub(before);
            let end = place.end.saturating_add(behind).min(len as u32);
            match list.last_mut() {
                Some(last) if start <= last.end => last.end = last.end.max(end),
                _ => list.push(ViewSpan { start, end }),
            }
        }
        Self { list }
    }

    /// Whether one place has all of `span`.
    pub fn cover(&self, span: ViewSpan) -> bool {
        let after = self.list.partition_point(|place| place.start <= span.start);
        let place = after.checked_sub(1).map(|at| self.list[at]);
        place.is_some_and(|place| span.end <= place.end)
    }

    /// Widens each place to whole lines, or where the last one does not end near by so many bytes.
    pub fn take_lines(&mut self, behind: usize, bytes: &[u8]) {
        let mut ends = Ends::default();
        for place in &mut self.list {
            *place = ends.whole(*place, behind, bytes);
        }
        self.merge();
    }

    /// Widens the places into which `span` reaches.
    fn take_whole(&mut self, span: ViewSpan) {
        let first = self.list.partition_point(|place| place.end <= span.start);
        let reached = self.list[first..].iter_mut();
        for place in reached.take_while(|place| place.start < span.end) {
            place.start = place.start.min(span.start);
            place.end = place.end.max(span.end);
        }
    }

    /// Those of some items in order that start in no place.
    pub fn outside<'t, T: Copy>(
        &'t self,
        items: &'t [T],
        start: impl Fn(&T) -> u32 + 't,
    ) -> impl Iterator<Item = T> + 't {
        let mut places = self.list.iter().peekable();
        items.iter().copied().filter(move |item| {
            let at = start(item);
            while places.next_if(|place| place.end <= at).is_some() {}
            places.peek().is_none_or(|place| at < place.start)
        })
    }

    /// Puts the places in order and joins those that meet.
    pub fn merge(&mut self) {
        // Mostly one or two runs that are in order, which this sort sees.
        self.list.sort();
        join(&mut self.list, 0);
    }

    /// Whether a text of `len` bytes had better be scanned as a whole.
    pub fn cover_most(&self, len: usize) -> bool {
        self.len() * 4 > len * 3
    }

    /// How many bytes they have.
    pub fn len(&self) -> usize {
        self.list.iter().map(|place| place.len()).sum()
    }
}

/// Sorts what one text has and leaves out repetitions.
pub fn in_order<T: Ord + Clone>(items: &mut Vec<T>) -> Box<[T]> {
    items.sort();
    items.dedup();
    items.as_slice().into()
}

/// Those of some items in order that lie in a place as a whole.
pub fn within<T>(
    items: &[T],
    place: ViewSpan,
    span: impl Fn(&T) -> ViewSpan,
) -> impl Iterator<Item = &T> {
    let first = items.partition_point(|item| span(item).start < place.start);
    items[first..]
        .iter()
        .map(move |item| (span(item), item))
        .take_while(move |(span, _)| span.start < place.end)
        .filter(move |(span, _)| span.end <= place.end)
        .map(|(_, item)| item)
}

/// Those of some items in order that start in a place.
pub fn starting_in<T>(items: &[T], place: ViewSpan, start: impl Fn(&T) -> u32) -> &[T] {
    let first = items.partition_point(|item| start(item) < place.start);
    let len = items[first..].partition_point(|item| start(item) < place.end);
    &items[first..first + len]
}

/// Those of some spans, in order and apart, that lie in or at a place.
pub fn meeting(spans: &[ViewSpan], place: ViewSpan) -> &[ViewSpan] {
    let first = spans.partition_point(|span| span.end < place.start);
    let len = spans[first..].partition_point(|span| span.start <= place.end);
    &spans[first..first + len]
}

/// Whether one of the changes, in order, lies in or at `span`.
pub fn touches(dirty: &[ViewSpan], span: ViewSpan) -> bool {
    !meeting(dirty, span).is_empty()
}

/// All that the rules of a mark look at in a text of `len` bytes.
pub fn reach(mark: &Far, len: usize) -> ViewSpan {
    ViewSpan {
        start: mark.start.saturating_sub(mark.reach.before),
        end: mark.start.saturating_add(mark.reach.behind).min(len as u32),
    }
}

/// A place with [`MARGIN`] and whole lines around it.
pub fn widened(place: ViewSpan, bytes: &[u8]) -> ViewSpan {
    let wide = ViewSpan {
        start: place.start.saturating_sub(MARGIN),
        end: place.end.saturating_add(MARGIN).min(bytes.len() as u32),
    };
    Ends::default().whole(wide, 0, bytes)
}

/// A place with as much of a line that it cuts as an encoding there is opened along, and the byte behind
/// that, which tells whether something is cut there.
pub fn along_lines(place: ViewSpan, bytes: &[u8]) -> ViewSpan {
    const OPENED: usize = lines::REACH + 1;
    let (start, end) = (place.start as usize, place.end as usize);
    let cuts = |at: usize| at > 0 && at < bytes.len() && bytes[at - 1] != b'\n';
    ViewSpan::new(
        start.saturating_sub(if cuts(start) { OPENED } else { 0 }),
        (end + if cuts(end) { OPENED } else { 0 }).min(bytes.len()),
    )
}

/// Finds what must not be cut at the ends of places; best asked for one place after the other.
#[derive(Default)]
struct Ends {
    lines: LineSearch,
    /// The last payload that a place ended in.
    payload: Range<usize>,
}

impl Ends {
    /// A place with the rest of its first and its last line, where they are not too long, and of what
    /// may be base64: cut anywhere, it would decode to something else. With `behind` more bytes where
    /// the last line is too long.
    fn whole(&mut self, place: ViewSpan, behind: usize, bytes: &[u8]) -> ViewSpan {
        let (start, end) = self.lines.around(bytes, place.range());
        let start = start.unwrap_or(place.start as usize);
        // A line has its line end.
        let end = end.map_or(place.end as usize + behind, |end| end + 1);
        let end = end.min(bytes.len());
        ViewSpan::new(
            self.payload(start, bytes).start.min(start),
            self.payload(end, bytes).end.max(end),
        )
    }

    fn payload(&mut self, at: usize, bytes: &[u8]) -> &Range<usize> {
        if !self.payload.contains(&at) {
            self.payload = payload_cut_by(bytes, at);
        }
        &self.payload
    }
}

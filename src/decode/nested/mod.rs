//! Encodings inside text.
//!
//! Each view is looked through for each coding, breadth first, and what is found goes into one
//! child view per coding: only the stretches that hold the coding, decoded. Children are looked
//! through in turn, down to [`Limits::depth`] and up to [`Limits::growth`].
//!
//! Several codings often share a line, and every order of undoing them would be a view of its own.
//! Two rules keep it at one:
//!
//! 1. The codings have an order, `CODINGS`. Where an earlier one has opened a stretch, the later
//!    ones leave that stretch to the child in which it is already undone. Only at the last depth,
//!    where that child will have no children, does each coding open what it finds.
//! 2. A child is looked through for all *later* codings, but for its own and *earlier* ones only
//!    where its decoding brought them to light: the marker that gives the coding away (`\"`,
//!    `&amp;`, `%41`, a run of base64) must not be a plain copy of the parent's bytes, in which it
//!    was already seen. Decoded base64 and hex stand beside copied context, so there the second
//!    condition holds for every coding.
//!
//! So `%2541` is opened twice, base64 in JSON in HTML is followed all the way, and a line with both
//! `\"` and `&amp;` is opened as escapes and then as entities, never the other way round.

mod ansi;
mod base64;
mod class;
mod escapes;
mod hex;
mod html;
mod literals;
mod percent;
mod survey;
#[cfg(test)]
mod tests;
mod wide;

use std::ops::Range;

use super::notebook::Taken;
use super::{Document, Layer, Limits, OffsetMap, Segment, Spares, View, ViewBuilder};
use crate::lines::{LineSearch, REACH};
use crate::span::ViewSpan;
pub use base64::cut_by as payload_cut_by;
pub use survey::Survey;

/// Text before a decoded word that is kept with it: it holds the name the word is given.
const CONTEXT: usize = 64;

/// Decoded bytes that are allowed whatever the size of the unit.
const BASE_BUDGET: usize = 1 << 20;

/// Offsets are 32 bits wide, and no view may come near their end.
const MAX_BUDGET: usize = 1 << 31;

/// One coding: how to find the stretches that hold it, and how to undo it there. Both are given
/// the text of one stretch of the parent view, so nothing can be read across its ends. Where it is
/// to be looked for, the [`Survey`] of the view says.
struct Coding {
    layer: Layer,
    find: fn(&[u8], Marks<'_>, &mut Finds<'_>),
    decode: fn(&[u8], &Region, &mut Writer<'_>),
}

/// In the order in which codings that share a stretch are undone.
const CODINGS: [Coding; 8] = [
    coding(Layer::Wide, wide::find, wide::decode),
    coding(Layer::Ansi, ansi::find, ansi::decode),
    coding(Layer::Literals, literals::find, literals::decode),
    coding(Layer::Escapes, escapes::find, escapes::decode),
    coding(Layer::Html, html::find, html::decode),
    coding(Layer::Percent, percent::find, percent::decode),
    coding(Layer::Base64, base64::find, base64::decode),
    coding(Layer::Hex, hex::find, hex::decode),
];

const fn coding(
    layer: Layer,
    find: fn(&[u8], Marks<'_>, &mut Finds<'_>),
    decode: fn(&[u8], &Region, &mut Writer<'_>),
) -> Coding {
    Coding {
        layer,
        find,
        decode,
    }
}

/// A part of a stretch that is worth decoding, in offsets of the stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Region {
    start: usize,
    /// Where the coded part starts; what stands before is context.
    core: usize,
    end: usize,
}

/// What tells that lines are to be decoded, in offsets of the stretch.
struct Sign {
    /// What is undone there.
    core: Range<usize>,
    /// All that may tell of it, the text's end or not.
    told_by: Range<usize>,
}

impl Sign {
    /// One that tells of itself.
    fn of(core: Range<usize>) -> Self {
        let told_by = core.clone();
        Self { core, told_by }
    }
}

/// Where one coding may be in one stretch, in order.
struct Marks<'a> {
    /// Where the stretch starts in its view.
    base: usize,
    /// In offsets of the view.
    left: &'a [u32],
}

impl Marks<'_> {
    /// The next mark at `from` or later, both in offsets of the stretch.
    fn next(&mut self, from: usize) -> Option<usize> {
        while let [first, rest @ ..] = self.left {
            self.left = rest;
            let at = *first as usize - self.base;
            if at >= from {
                return Some(at);
            }
        }
        None
    }

    /// Takes all marks before `end`, in offsets of the stretch, and gives the last that `tells` accepts.
    fn last_before<T>(&mut self, end: usize, tells: impl FnMut(usize) -> Option<T>) -> Option<T> {
        let len = self
            .left
            .partition_point(|&at| (at as usize) < self.base + end);
        let (before, rest) = self.left.split_at(len);
        self.left = rest;
        let before = before.iter().rev();
        before.map(|&at| at as usize - self.base).find_map(tells)
    }
}

/// Collects the regions of one coding in one stretch, in order.
struct Finds<'a> {
    /// Where the stretch starts in its view.
    base: usize,
    /// The way the view was decoded, when only what that brought to light is wanted.
    exposed_by: Option<&'a OffsetMap>,
    /// Parts of the view that earlier codings have opened, in order and apart.
    taken: &'a [Range<usize>],
    regions: Vec<Region>,
    lines: LineSearch,
}

impl Finds<'_> {
    /// Whether what stands at `marker` is to be decoded here.
    fn wants(&self, marker: Range<usize>) -> bool {
        self.taken_at(&marker).is_none() && self.is_exposed(marker)
    }

    /// The same of what opens lines: an earlier coding has opened all of them that the marker opens, or it
    /// is opened here too.
    fn wants_lines(&self, text: &[u8], marker: Range<usize>) -> bool {
        let is_enough = |taken: Range<usize>| {
            let begins_line = taken.start == 0 || text[taken.start - 1] == b'\n';
            let ends_line = matches!(text.get(taken.end), None | Some(b'\n'));
            (begins_line || taken.start + REACH <= marker.start)
                && (ends_line || marker.end + REACH <= taken.end)
        };
        !self.taken_at(&marker).is_some_and(is_enough) && self.is_exposed(marker)
    }

    /// What an earlier coding has opened with all of `marker`, in offsets of the stretch.
    fn taken_at(&self, marker: &Range<usize>) -> Option<Range<usize>> {
        let (start, end) = (self.base + marker.start, self.base + marker.end);
        let after = self.taken.partition_point(|t| t.start <= start);
        let taken = after.checked_sub(1).and_then(|at| self.taken.get(at));
        let taken = taken.filter(|t| end <= t.end)?;
        Some(taken.start.saturating_sub(self.base)..taken.end - self.base)
    }

    fn is_exposed(&self, marker: Range<usize>) -> bool {
        let marker = ViewSpan::new(self.base + marker.start, self.base + marker.end);
        self.exposed_by.is_none_or(|map| !map.is_copy(marker))
    }

    /// Adds the lines with marks that tell of something to decode, as far as [`REACH`] from all that tells of
    /// it: what is opened does not depend on what is farther off. `tells` gives what stands at a mark; what
    /// tells of that starts and ends no earlier than what tells of a mark before.
    fn lines(&mut self, text: &[u8], mut marks: Marks<'_>, tells: impl Fn(usize) -> Option<Sign>) {
        let mut at = 0;
        while let Some(mark) = marks.next(at) {
            let wanted = |finds: &Self, mark| {
                let sign = tells(mark).filter(|sign| sign.told_by.len() <= REACH);
                sign.filter(|sign| finds.wants_lines(text, sign.core.clone()))
            };
            let mut next = wanted(self, mark);
            while let Some(sign) = next.take() {
                at = self.line(text, sign);
                // Of the marks in what is opened, the last one tells how far to go.
                next = marks.last_before(at, |mark| wanted(self, mark));
            }
        }
    }

    /// Adds the lines of a sign, or what is near to all of it where they are long. Gives where they end.
    fn line(&mut self, text: &[u8], Sign { core, told_by }: Sign) -> usize {
        let Range { start, end } = self.lines.along(text, core);
        let start = start.max(told_by.end.saturating_sub(REACH));
        let end = end.min(told_by.start + REACH);
        self.merge(start, end);
        end
    }

    /// Adds a region, as part of the last one where they overlap or only a line end is between
    /// them: what neighbouring lines say may belong together.
    fn merge(&mut self, start: usize, end: usize) {
        match self.regions.last_mut() {
            Some(last) if start <= last.end + 1 => last.end = last.end.max(end),
            _ => self.apart(start, start, end),
        }
    }

    /// Adds a region that stays by itself.
    fn apart(&mut self, start: usize, core: usize, end: usize) {
        self.regions.push(Region { start, core, end });
    }
}

/// Writes one region to the child view; parent offsets are those of the stretch.
struct Writer<'a> {
    out: &'a mut ViewBuilder,
    base: usize,
}

impl Writer<'_> {
    /// Makes room for so many bytes.
    fn expect(&mut self, bytes: usize) {
        self.out.text.reserve(bytes);
    }

    #[inline]
    fn copy(&mut self, text: &[u8], range: Range<usize>) {
        if range.start < range.end && range.end <= text.len() {
            let at = self.base + range.start;
            self.out.copy_first(at, &text[range.start..], range.len());
        }
    }

    fn token(&mut self, at: usize, from: usize, bytes: &[u8]) {
        self.out.token(self.base + at, from, bytes);
    }

    fn row(&mut self, at: usize, from: usize, to: usize, bytes: &[u8]) {
        self.out.tokens(self.base + at, from, to, bytes);
    }

    fn character(&mut self, at: usize, from: usize, character: char) {
        let mut buffer = [0; 4];
        self.token(at, from, character.encode_utf8(&mut buffer).as_bytes());
    }
}

/// Where the context of a word that starts at `core` starts: on its line, [`CONTEXT`] bytes off.
fn context(text: &[u8], core: usize) -> usize {
    let floor = core.saturating_sub(CONTEXT);
    memchr::memrchr(b'\n', &text[floor..core]).map_or(floor, |at| floor + at + 1)
}

/// How many backslashes stand side by side right before `at`.
fn slashes_before(text: &[u8], at: usize) -> usize {
    let before = text[..at].iter().rev();
    before.take_while(|&&b| b == b'\\').count()
}

/// The number that the hexadecimal `digits` spell.
fn hex_number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, &digit| {
        Some(number.checked_mul(16)? + char::from(digit).to_digit(16)?)
    })
}

/// Adds a view for each encoding that some view holds, and for those inside them. With `surveyed`,
/// the survey tells already where encodings of the unit's text are looked for, and these are the bounds
/// within which they are opened.
pub(super) fn open(
    document: &mut Document<'_>,
    limits: Limits,
    surveyed: Option<ViewSpan>,
    survey: &mut Survey,
    spares: &mut Spares,
) {
    let room = limits
        .growth
        .saturating_mul(document.text().len())
        .saturating_add(BASE_BUDGET)
        .min(MAX_BUDGET);
    let mut budget = Budget {
        room,
        asked: 0,
        cut: false,
    };
    let Some((mut index, _)) = document.searchable().next() else {
        return;
    };
    // The views grow while they are walked: children come after all views of lesser depth.
    while let Some(view) = document.views.get(index) {
        if view.depth < limits.depth {
            let surveyed = surveyed.filter(|_| view.parent.is_none());
            if surveyed.is_none() {
                survey.read(&view.text);
            }
            if !survey.is_empty() {
                let bounds = surveyed.unwrap_or(ViewSpan::new(0, view.text.len()));
                let last = view.depth + 1 == limits.depth;
                let children = open_view((index, view, bounds), survey, last, &mut budget, spares);
                document.views.extend(children);
            }
        }
        index += 1;
    }
    let used = budget.asked;
    document.parts.cut |= budget.cut;
    document.parts.taken[1] = Taken { used, room };
}

/// How much may still be decoded.
struct Budget {
    /// In bytes.
    room: usize,
    /// What was asked for so far, with the line ends around it.
    asked: usize,
    /// Whether something was left out for want of room.
    cut: bool,
}

/// The children of one view, of what is in bounds; `last` when these will have none.
fn open_view<'u>(
    (index, view, bounds): (usize, &View<'u>, ViewSpan),
    survey: &Survey,
    last: bool,
    budget: &mut Budget,
    spares: &mut Spares,
) -> Vec<View<'u>> {
    let mut children = Vec::new();
    let mut taken: Vec<Range<usize>> = Vec::new();
    for (rank, coding) in CODINGS.iter().enumerate() {
        if survey.marks(rank).is_empty() {
            continue;
        }
        let mut child = spares.builder();
        let mut opened = Vec::new();
        let mut finds = Finds {
            base: 0,
            exposed_by: (!is_later(rank, view.layer)).then_some(&view.map),
            taken: &taken,
            regions: Vec::new(),
            lines: LineSearch::default(),
        };
        let mut marks = survey.marks(rank);
        while let Some((stretch, place, here)) = next_stretch(view, bounds, coding, &mut marks) {
            let text = &view.text[stretch.range()];
            finds.base = stretch.start as usize;
            finds.regions.clear();
            finds.lines = LineSearch::default();
            (coding.find)(text, here, &mut finds);
            let at = (finds.base, place);
            for region in &finds.regions {
                write(coding, text, region, at, &mut child, budget);
                opened.push(finds.base + region.start..finds.base + region.end);
            }
        }
        if child.text.is_empty() {
            spares.put(child);
            continue;
        }
        if !last && decodes_whole_regions(coding.layer) {
            taken = union(taken, opened);
        }
        child.end(view.text.len());
        children.push(View::built(child, coding.layer, index, view.depth + 1));
    }
    children
}

/// The stretch in which the next of the marks stands, with its place and the marks in it, which are taken
/// from the list.
fn next_stretch<'m>(
    view: &View<'_>,
    bounds: ViewSpan,
    coding: &Coding,
    marks: &mut &'m [u32],
) -> Option<(ViewSpan, u32, Marks<'m>)> {
    let &mark = marks.first()?;
    let mut stretch = view.stretch(mark).clipped(bounds);
    let Segment { place, cut, .. } = view.segment(mark);
    let (here, rest) = marks.split_at(marks.partition_point(|&m| m < stretch.end));
    *marks = rest;
    // What is left of a run would decode to something else; the parent has all of it.
    if !decodes_whole_regions(coding.layer) {
        stretch = base64::uncut(&view.text, stretch, cut);
    }
    let from = here.partition_point(|&m| m < stretch.start);
    let left = &here[from..here.partition_point(|&m| m < stretch.end).max(from)];
    let base = stretch.start as usize;
    Some((stretch, place, Marks { base, left }))
}

/// Decodes one region into a segment of its own, if there is room for it. No coding gives more
/// bytes than it takes.
fn write(
    coding: &Coding,
    text: &[u8],
    region: &Region,
    (base, place): (usize, u32),
    child: &mut ViewBuilder,
    budget: &mut Budget,
) {
    budget.asked += region.end - region.start + 2;
    if region.end - region.start >= budget.room {
        budget.cut = true;
        return;
    }
    let before = child.text.len();
    child.begin(place, base + region.start);
    child.cut([region.start, region.end].map(|at| base64::is_cut(text, at)));
    (coding.decode)(text, region, &mut Writer { out: child, base });
    budget.room = budget.room.saturating_sub(child.text.len() - before);
}

/// Whether a coding is looked for in a view of `layer` without regard to how it came about.
fn is_later(rank: usize, layer: Layer) -> bool {
    decodes_whole_regions(layer)
        && CODINGS
            .iter()
            .position(|coding| coding.layer == layer)
            .is_none_or(|own| own < rank)
}

/// Whether all of a region of this layer is decoded, so that later codings may be left to it.
fn decodes_whole_regions(layer: Layer) -> bool {
    !matches!(layer, Layer::Base64 | Layer::Hex)
}

/// Merges two lists of ranges into one that is in order and free of overlap.
fn union(mut ranges: Vec<Range<usize>>, more: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.extend(more);
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, last| {
        let touches = next.start <= last.end;
        if touches {
            last.end = last.end.max(next.end);
        }
        touches
    });
    ranges
}

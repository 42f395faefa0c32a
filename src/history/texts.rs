//! Looks for secrets in blobs, commits and tags, and in a delta only where it changed something.
//!
//! Whether a text holds a secret is decided near the secret: by the match, by what must stand near,
//! by the lines around. So what a delta copies keeps its verdicts, and only what lies near a change
//! is judged again:
//!
//! 1. Each change is widened by [`MARGIN`] and to whole lines. That is farther than all but a few
//!    rules look. For those few the places of their keywords are remembered ([`Far`]), and a change
//!    in their reach widens to all of it.
//! 2. The widened places are scanned. Mostly nothing is found, and the object has what its base had.
//!    Of where keywords stand the base tells all but what is new ([`Hit`]), so that only the change
//!    itself is searched for them; and encodings are looked for only in its lines, unless a keyword
//!    stands in what is encoded.
//! 3. Where something is found, or the base had something nearby, the place is scanned once more with
//!    as much around it as the rules there look at: what then starts in the place is what is there.
//!
//! Text that is decoded as a whole (UTF-16, notebooks) is scanned as a whole; the naive sweep does
//! that with all objects, and is the oracle of this one.

use std::sync::{Arc, Mutex, PoisonError};

use crate::decode;
use crate::detect::keywords::Hit;
use crate::detect::{Far, LOCAL};
use crate::git::{Kind, object};
use crate::ledger::Reason;
use crate::pipeline::{Focus, Scanner};
use crate::source::Sink;
use crate::source::stream::{self, Sizes};
use crate::span::ViewSpan;
use crate::unit::{ObjectId, Origin, Unit};

use super::changes::Changes;
use super::secrets::{Secrets, Spot};
use super::walk::Visit;

/// How far from a change a verdict may depend on it, in bytes: as far as rules look, and as far as
/// the judge looks from there.
pub const MARGIN: u32 = LOCAL + 512;
/// How far from a change, in bytes, an encoding may begin that the change makes one. Whole lines are
/// looked through in any case.
const CODED: u32 = 64;
/// How far the end of a line is looked for; nested decoders take no longer lines whole.
const LINE: usize = 8 << 10;
/// How a file begins that stands for one kept elsewhere by Git LFS, and how long it can be.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";
const LFS_LONGEST: usize = 1024;

/// What is kept of an object for its deltas.
#[derive(Default)]
pub struct Seen {
    spots: Box<[Spot]>,
    /// Keywords in the text itself.
    hits: Box<[Hit]>,
    far: Box<[Far]>,
    /// Where keywords stand in what is encoded in the text.
    coded: Box<[u32]>,
    /// Where rules' patterns fit in the text itself.
    live: Box<[u32]>,
    /// Plain text, which can be scanned in part.
    plain: bool,
}

/// Finds secrets in the objects of one thread.
pub struct Texts<'s> {
    scanner: Scanner<'s>,
    secrets: &'s Secrets,
    origin: Origin,
    words: Vec<u8>,
    spots: Vec<Spot>,
    far: Vec<Far>,
    coded: Vec<u32>,
    live: Vec<u32>,
    /// Keywords of a part, by its own bytes.
    hits: Vec<Hit>,
    /// Lines of a part that changed, by its own bytes.
    lines: Vec<ViewSpan>,
    /// What of a part rules must look at to be tried, by its own bytes.
    stirred: Vec<ViewSpan>,
    /// Objects with secrets.
    pub found: Vec<(ObjectId, Kind, Box<[Spot]>)>,
    /// What the commits say of themselves.
    pub commits: Vec<(ObjectId, object::Commit)>,
    /// Blobs that stand for files kept elsewhere by Git LFS.
    pub lfs_pointers: Vec<ObjectId>,
    /// Blobs read as notebooks for what they hold, whatever their names.
    pub notebooks: Vec<ObjectId>,
}

impl<'s> Texts<'s> {
    pub fn new(scanner: Scanner<'s>, secrets: &'s Secrets) -> Self {
        Self {
            scanner: scanner.tracing(),
            secrets,
            origin: Origin::file(""),
            words: Vec::new(),
            spots: Vec::new(),
            far: Vec::new(),
            coded: Vec::new(),
            live: Vec::new(),
            hits: Vec::new(),
            lines: Vec::new(),
            stirred: Vec::new(),
            found: Vec::new(),
            commits: Vec::new(),
            lfs_pointers: Vec::new(),
            notebooks: Vec::new(),
        }
    }

    /// Scans a whole object.
    fn text(&mut self, bytes: &[u8]) -> Seen {
        let sizes = Sizes::default();
        if bytes.len() > sizes.whole {
            return self.windows(bytes, &sizes);
        }
        let secrets = self.secrets;
        let unit = Unit::whole(self.origin.clone(), bytes);
        let found = self.scanner.scan(&unit).iter();
        let spots = found.map(|finding| secrets.spot(finding)).collect();
        let plain = decode::is_plain(bytes);
        let mut seen = Seen {
            spots,
            plain,
            ..Seen::default()
        };
        if plain {
            let traces = self.scanner.traces();
            seen.hits = in_order(&mut traces.hits);
            seen.far = in_order(&mut traces.far);
            seen.coded = in_order(&mut traces.coded);
            seen.live = in_order(&mut traces.live);
        }
        seen
    }

    /// Scans an object too large to be scanned at once.
    fn windows(&mut self, bytes: &[u8], sizes: &Sizes) -> Seen {
        let gather = Gather(Mutex::new((self, Vec::new())));
        let origin = Origin::file("");
        let read = stream::read(
            &origin,
            bytes,
            0,
            sizes,
            &mut stream::Buffer::default(),
            &gather,
        );
        debug_assert!(read.is_ok(), "reading from memory cannot fail");
        let (_, spots) = gather
            .0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        Seen {
            spots: spots.into(),
            ..Seen::default()
        }
    }

    /// Scans what a delta changed.
    fn changed(&mut self, base: &Seen, changes: &Changes, bytes: &[u8]) -> Seen {
        let mut carried = Seen::carried(base, changes);
        self.find_new_hits(&mut carried, changes, bytes);
        let mut places = Places::around(base, &carried, changes, bytes);
        if places.cover_most(bytes.len()) {
            places.list = vec![ViewSpan::new(0, bytes.len())];
        }
        let parts = Places::lines(changes, bytes);
        let (mut far, mut coded, mut live) = (Vec::new(), Vec::new(), Vec::new());
        let mut exact = Places::default();
        for &place in &places.list {
            self.screen(bytes, place, &carried, changes, &parts);
            let cut = self.far.iter().map(|mark| reach(mark, bytes.len()));
            let cut: Vec<ViewSpan> = cut.filter(|span| !place.contains(*span)).collect();
            if !self.spots.is_empty() || !cut.is_empty() || carried.has_spot_in(place) {
                exact.list.push(place);
                exact.list.extend(cut);
            }
            far.append(&mut self.far);
            coded.append(&mut self.coded);
            live.append(&mut self.live);
        }
        exact.merge();
        let mut spots: Vec<Spot> = Vec::new();
        for &place in &exact.list {
            self.whole_part(bytes, place, &carried.hits);
            spots.append(&mut self.spots);
        }
        spots.extend(exact.outside(&carried.spots, |spot| spot.start));
        far.extend(places.outside(&carried.far, |mark| mark.start));
        coded.extend(places.outside(&carried.coded, |&start| start));
        live.extend(places.outside(&carried.live, |&start| start));
        Seen {
            spots: in_order(&mut spots),
            hits: carried.hits,
            far: in_order(&mut far),
            coded: in_order(&mut coded),
            live: in_order(&mut live),
            plain: true,
        }
    }

    /// Makes the keywords that a delta handed on all that are in its result.
    fn find_new_hits(&self, carried: &mut Seen, changes: &Changes, bytes: &[u8]) {
        let keywords = self.scanner.detector().keywords();
        let longest = keywords.longest() as u32;
        // Where a keyword may start that a change is part of.
        let mut starts = Places {
            list: changes.dirty.clone(),
        };
        for place in &mut starts.list {
            place.start = place.start.saturating_sub(longest);
            place.end = (place.end + 1).min(bytes.len() as u32);
        }
        starts.merge();
        let mut hits: Vec<Hit> = starts.outside(&carried.hits, |hit| hit.start).collect();
        for place in &starts.list {
            keywords.scan_starts(bytes, place.range(), &mut hits);
        }
        // Two runs that are in order or nearly so, which this sort takes in one pass.
        hits.sort();
        carried.hits = hits.into();
    }

    /// Looks for anything at all in a place around changes. Where nothing changed that a rule looks
    /// at, and its pattern did not fit, it does not fit now.
    fn screen(
        &mut self,
        bytes: &[u8],
        place: ViewSpan,
        carried: &Seen,
        changes: &Changes,
        lines: &Places,
    ) {
        let mut stirred = std::mem::take(&mut self.stirred);
        stirred.clear();
        let near = |span: ViewSpan| ViewSpan {
            start: span.start.max(place.start) - place.start,
            end: span.end.min(place.end) - place.start,
        };
        stirred.extend(meeting(&changes.dirty, place).iter().map(|span| near(*span)));
        let live = starting_in(&carried.live, place, |&start| start).iter();
        stirred.extend(live.map(|&start| ViewSpan { start, end: start }).map(near));
        stirred.sort_unstable();
        let part = Part {
            range: place,
            core: place,
            hits: &carried.hits,
            lines: Some(&lines.list),
            stirred: Some(&stirred),
        };
        let coded = !starting_in(&carried.coded, place, |&start| start).is_empty();
        if !coded {
            self.part(bytes, part);
        }
        if coded || !self.coded.is_empty() {
            self.part(bytes, Part { lines: None, ..part });
        }
        self.stirred = stirred;
    }

    /// Scans as much around `core` as it takes for nothing that starts there to be cut.
    fn whole_part(&mut self, bytes: &[u8], core: ViewSpan, hits: &[Hit]) {
        let mut range = widened(core, bytes);
        self.part(bytes, Part::whole(range, core, hits));
        let mut needed = range;
        let own = |mark: &&Far| core.start <= mark.start && mark.start < core.end;
        for span in self.far.iter().filter(own).map(|m| reach(m, bytes.len())) {
            needed.start = needed.start.min(span.start);
            needed.end = needed.end.max(span.end);
        }
        if !range.contains(needed) {
            range = widened(needed, bytes);
            self.part(bytes, Part::whole(range, core, hits));
        }
    }

    /// Scans a part of a text of which the keywords are known. What starts in its core is then in
    /// `self.spots`, and the marks of the part in `self.far`, `self.coded` and `self.live`.
    fn part(&mut self, bytes: &[u8], part: Part<'_>) {
        let Part { range, core, .. } = part;
        let by = range.start;
        self.lines.clear();
        let whole = [range];
        let inside = within(part.lines.unwrap_or(&whole), range, |line| *line);
        self.lines.extend(inside.map(|line| ViewSpan {
            start: line.start - by,
            end: line.end - by,
        }));
        self.hits.clear();
        let inside = within(part.hits, range, Hit::span);
        self.hits.extend(inside.map(|hit| Hit {
            start: hit.start - by,
            end: hit.end - by,
            ..*hit
        }));
        let focus = Focus {
            hits: &self.hits,
            parts: &self.lines,
            stirred: part.stirred,
        };
        let unit = Unit::part(self.origin.clone(), bytes, range.range(), core.range());
        let secrets = self.secrets;
        let found = self.scanner.scan_focused(&unit, Some(focus)).iter();
        self.spots.clear();
        self.spots
            .extend(found.map(|finding| secrets.spot(finding)));
        let traces = self.scanner.traces();
        self.far.clear();
        self.far.extend(traces.far.iter().map(|mark| Far {
            start: mark.start + by,
            ..*mark
        }));
        self.coded.clear();
        let coded = traces.coded.iter();
        self.coded.extend(coded.map(|start| start + by));
        self.live.clear();
        let live = traces.live.iter();
        self.live.extend(live.map(|start| start + by));
    }
}

/// A part of a text to scan.
#[derive(Clone, Copy)]
struct Part<'p> {
    range: ViewSpan,
    /// What starts here counts.
    core: ViewSpan,
    /// The keywords of the text.
    hits: &'p [Hit],
    /// Where encodings are looked for; without, everywhere.
    lines: Option<&'p [ViewSpan]>,
    /// What rules must look at to be tried, by bytes of the part; without, all are.
    stirred: Option<&'p [ViewSpan]>,
}

impl<'p> Part<'p> {
    /// All of a part.
    fn whole(range: ViewSpan, core: ViewSpan, hits: &'p [Hit]) -> Self {
        Self {
            range,
            core,
            hits,
            lines: None,
            stirred: None,
        }
    }
}

impl Visit for Texts<'_> {
    type Seen = Seen;

    fn whole(&mut self, id: ObjectId, kind: Kind, bytes: &[u8]) -> Seen {
        let seen = match kind {
            Kind::Blob => self.text(bytes),
            Kind::Commit | Kind::Tag => {
                if kind == Kind::Commit
                    && let Some(commit) = object::Commit::parse(bytes)
                {
                    self.commits.push((id, commit));
                }
                let mut words = std::mem::take(&mut self.words);
                object::words(bytes, &mut words);
                let seen = self.text(&words);
                self.words = words;
                seen
            }
            Kind::Tree => return Seen::default(),
        };
        self.keep(id, kind, seen, bytes)
    }

    fn delta(
        &mut self,
        id: ObjectId,
        kind: Kind,
        base: &Seen,
        changes: &Changes,
        bytes: &[u8],
    ) -> Seen {
        if kind != Kind::Blob || !base.plain || !decode::is_plain(bytes) {
            return self.whole(id, kind, bytes);
        }
        let seen = self.changed(base, changes, bytes);
        self.keep(id, kind, seen, bytes)
    }
}

impl Texts<'_> {
    fn keep(&mut self, id: ObjectId, kind: Kind, seen: Seen, bytes: &[u8]) -> Seen {
        if !seen.spots.is_empty() {
            self.found.push((id, kind, seen.spots.clone()));
        }
        if kind == Kind::Blob && bytes.len() <= LFS_LONGEST && bytes.starts_with(LFS_POINTER) {
            self.lfs_pointers.push(id);
        }
        if kind == Kind::Blob && !seen.plain && decode::looks_like_notebook(bytes) {
            self.notebooks.push(id);
        }
        seen
    }
}

impl Seen {
    /// What a delta hands on of what was seen in its base.
    fn carried(base: &Self, changes: &Changes) -> Self {
        let moved = |at: u32, by: i64| (i64::from(at) + by) as u32;
        let mut spots = Vec::new();
        changes.carry(&base.spots, Spot::span, |spot, by| {
            spots.push(Spot {
                start: moved(spot.start, by),
                end: moved(spot.end, by),
                ..*spot
            });
        });
        let mut hits = Vec::new();
        changes.carry(&base.hits, Hit::span, |hit, by| {
            hits.push(Hit {
                start: moved(hit.start, by),
                end: moved(hit.end, by),
                ..*hit
            });
        });
        let first = |start: u32| ViewSpan::new(start as usize, start as usize + 1);
        let mut far = Vec::new();
        let at = |mark: &Far| first(mark.start);
        changes.carry(&base.far, at, |mark, by| {
            far.push(Far {
                start: moved(mark.start, by),
                ..*mark
            });
        });
        let mut coded = Vec::new();
        let at = |start: &u32| first(*start);
        changes.carry(&base.coded, at, |&start, by| coded.push(moved(start, by)));
        let mut live = Vec::new();
        changes.carry(&base.live, at, |&start, by| live.push(moved(start, by)));
        Self {
            spots: spots.into(),
            hits: hits.into(),
            far: far.into(),
            coded: coded.into(),
            live: live.into(),
            plain: true,
        }
    }

    fn has_spot_in(&self, place: ViewSpan) -> bool {
        !starting_in(&self.spots, place, |spot| spot.start).is_empty()
    }
}

impl Spot {
    fn span(&self) -> ViewSpan {
        ViewSpan {
            start: self.start,
            end: self.end,
        }
    }
}

/// Parts of a text to scan.
#[derive(Default)]
struct Places {
    /// In order and apart from each other.
    list: Vec<ViewSpan>,
}

impl Places {
    /// What must be looked at again after a delta.
    fn around(base: &Seen, carried: &Seen, changes: &Changes, bytes: &[u8]) -> Self {
        let mut places = Self {
            list: changes.dirty.clone(),
        };
        let reached = carried.far.iter().map(|mark| reach(mark, bytes.len()));
        let reached = reached.filter(|span| touches(&changes.dirty, *span));
        places.list.extend(reached);
        // What a change cut in two no copy takes whole.
        if carried.spots.len() < base.spots.len() {
            for spot in &base.spots {
                places.list.extend(changes.pieces(spot.span()));
            }
        }
        places.widen(MARGIN, bytes);
        for spot in &carried.spots {
            places.take_whole(spot.span());
        }
        places.merge();
        places
    }

    /// Where a change may have made an encoding.
    fn lines(changes: &Changes, bytes: &[u8]) -> Self {
        let mut lines = Self {
            list: changes.dirty.clone(),
        };
        lines.widen(CODED, bytes);
        lines
    }

    /// Puts so many bytes and whole lines around each place.
    fn widen(&mut self, margin: u32, bytes: &[u8]) {
        for place in &mut self.list {
            place.start = place.start.saturating_sub(margin);
            place.end = place.end.saturating_add(margin).min(bytes.len() as u32);
        }
        self.merge();
        for place in &mut self.list {
            *place = whole_lines(*place, bytes);
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
    fn outside<'t, T: Copy>(
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
    fn merge(&mut self) {
        self.list.sort_unstable();
        self.list.dedup_by(|next, last| {
            let meets = next.start <= last.end;
            if meets {
                last.end = last.end.max(next.end);
            }
            meets
        });
    }

    /// Whether a text of `len` bytes had better be scanned as a whole.
    fn cover_most(&self, len: usize) -> bool {
        let covered: usize = self.list.iter().map(|place| place.len()).sum();
        covered * 4 > len * 3
    }
}

/// Sorts what one text has and leaves out repetitions.
fn in_order<T: Ord + Clone>(items: &mut Vec<T>) -> Box<[T]> {
    items.sort();
    items.dedup();
    items.as_slice().into()
}

/// Those of some items in order that lie in a place as a whole.
fn within<T>(
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
fn starting_in<T>(items: &[T], place: ViewSpan, start: impl Fn(&T) -> u32) -> &[T] {
    let first = items.partition_point(|item| start(item) < place.start);
    let len = items[first..].partition_point(|item| start(item) < place.end);
    &items[first..first + len]
}

/// Those of some spans, in order and apart, that lie in or at a place.
fn meeting(spans: &[ViewSpan], place: ViewSpan) -> &[ViewSpan] {
    let first = spans.partition_point(|span| span.end < place.start);
    let len = spans[first..].partition_point(|span| span.start <= place.end);
    &spans[first..first + len]
}

/// Whether one of the changes, in order, lies in or at `span`.
fn touches(dirty: &[ViewSpan], span: ViewSpan) -> bool {
    !meeting(dirty, span).is_empty()
}

/// All that the rules of a mark look at in a text of `len` bytes.
fn reach(mark: &Far, len: usize) -> ViewSpan {
    ViewSpan {
        start: mark.start.saturating_sub(mark.reach.before),
        end: mark.start.saturating_add(mark.reach.behind).min(len as u32),
    }
}

/// A place with [`MARGIN`] and whole lines around it.
fn widened(place: ViewSpan, bytes: &[u8]) -> ViewSpan {
    let wide = ViewSpan {
        start: place.start.saturating_sub(MARGIN),
        end: place.end.saturating_add(MARGIN).min(bytes.len() as u32),
    };
    whole_lines(wide, bytes)
}

/// A place with the rest of its first and its last line, where they are not too long.
fn whole_lines(place: ViewSpan, bytes: &[u8]) -> ViewSpan {
    let (start, end) = (place.start as usize, place.end as usize);
    let floor = start.saturating_sub(LINE);
    let line = memchr::memrchr(b'\n', &bytes[floor..start]).map(|at| floor + at + 1);
    let start = line.unwrap_or(if floor == 0 { 0 } else { start });
    let ceiling = (end + LINE).min(bytes.len());
    let line = memchr::memchr(b'\n', &bytes[end..ceiling]).map(|at| end + at + 1);
    let end = line.unwrap_or(if ceiling == bytes.len() { ceiling } else { end });
    ViewSpan::new(start, end)
}

/// Takes the windows of one large object.
struct Gather<'g, 's>(Mutex<(&'g mut Texts<'s>, Vec<Spot>)>);

impl Sink for Gather<'_, '_> {
    fn expect(&self, _: u64) {}

    fn unit(&self, unit: &Unit<'_>) {
        let mut gathered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (texts, spots) = &mut *gathered;
        let secrets = texts.secrets;
        let found = texts.scanner.scan(unit).iter();
        spots.extend(found.map(|finding| secrets.spot(finding)));
    }

    fn done(&self, _: u64) {}

    fn leave_out(&self, _: Arc<str>, _: Reason, _: &str) {}
}

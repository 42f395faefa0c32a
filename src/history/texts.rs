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
//! 3. Where something is found, or the base had something nearby, the place is scanned once more with
//!    as much around it as the rules there look at: what then starts in the place is what is there.
//!
//! Text that is decoded as a whole (UTF-16, notebooks) is scanned as a whole; the naive sweep does
//! that with all objects, and is the oracle of this one.

use std::sync::{Arc, Mutex, PoisonError};

use crate::decode;
use crate::detect::{Far, LOCAL};
use crate::git::{Kind, object};
use crate::ledger::Reason;
use crate::pipeline::Scanner;
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
/// How far the end of a line is looked for; nested decoders take no longer lines whole.
const LINE: usize = 8 << 10;
/// How a file begins that stands for one kept elsewhere by Git LFS, and how long it can be.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";
const LFS_LONGEST: usize = 1024;

/// What is kept of an object for its deltas.
#[derive(Default)]
pub struct Seen {
    spots: Box<[Spot]>,
    far: Box<[Far]>,
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
            scanner,
            secrets,
            origin: Origin::file(""),
            words: Vec::new(),
            spots: Vec::new(),
            far: Vec::new(),
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
        // Every view of the text has its marks.
        let mut far = self.scanner.far().to_vec();
        far.sort_unstable_by_key(|mark| mark.start);
        far.dedup();
        Seen {
            spots,
            far: far.into(),
            plain: decode::is_plain(bytes),
        }
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
        let carried = Seen::carried(base, changes);
        let places = Places::around(base, &carried, changes, bytes);
        if places.cover_most(bytes.len()) {
            return self.text(bytes);
        }
        let mut far: Vec<Far> = Vec::new();
        let mut exact = Places::default();
        for &place in &places.list {
            self.part(bytes, place, place);
            let cut = self.far.iter().map(|mark| reach(mark, bytes.len()));
            let cut: Vec<ViewSpan> = cut.filter(|span| !place.contains(*span)).collect();
            if !self.spots.is_empty() || !cut.is_empty() || carried.has_spot_in(place) {
                exact.list.push(place);
                exact.list.extend(cut);
            }
            far.append(&mut self.far);
        }
        exact.merge();
        let mut spots: Vec<Spot> = Vec::new();
        for &place in &exact.list {
            self.whole_part(bytes, place);
            spots.append(&mut self.spots);
        }
        let kept = |spot: &&Spot| exact.holding(spot.start).is_none();
        spots.extend(carried.spots.iter().filter(kept));
        spots.sort_unstable();
        spots.dedup();
        let kept = |mark: &&Far| places.holding(mark.start).is_none();
        far.extend(carried.far.iter().filter(kept));
        far.sort_unstable_by_key(|mark| mark.start);
        far.dedup();
        Seen {
            spots: spots.into(),
            far: far.into(),
            plain: true,
        }
    }

    /// Scans as much around `core` as it takes for nothing that starts there to be cut.
    fn whole_part(&mut self, bytes: &[u8], core: ViewSpan) {
        let mut range = widened(core, bytes);
        self.part(bytes, range, core);
        let mut needed = range;
        let own = |mark: &&Far| core.start <= mark.start && mark.start < core.end;
        for span in self.far.iter().filter(own).map(|m| reach(m, bytes.len())) {
            needed.start = needed.start.min(span.start);
            needed.end = needed.end.max(span.end);
        }
        if !range.contains(needed) {
            range = widened(needed, bytes);
            self.part(bytes, range, core);
        }
    }

    /// Scans a part of a text. What starts in `core` is then in `self.spots`, and the marks of the
    /// part in `self.far`.
    fn part(&mut self, bytes: &[u8], range: ViewSpan, core: ViewSpan) {
        let origin = self.origin.clone();
        let unit = Unit::part(origin, bytes, range.range(), core.range());
        let secrets = self.secrets;
        let found = self.scanner.scan(&unit).iter();
        self.spots.clear();
        self.spots
            .extend(found.map(|finding| secrets.spot(finding)));
        self.far.clear();
        self.far.extend(self.scanner.far().iter().map(|mark| Far {
            start: mark.start + range.start,
            ..*mark
        }));
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
        let mut far = Vec::new();
        let first = |mark: &Far| ViewSpan::new(mark.start as usize, mark.start as usize + 1);
        changes.carry(&base.far, first, |mark, by| {
            far.push(Far {
                start: moved(mark.start, by),
                ..*mark
            });
        });
        Self {
            spots: spots.into(),
            far: far.into(),
            plain: true,
        }
    }

    fn has_spot_in(&self, place: ViewSpan) -> bool {
        let first = self.spots.partition_point(|spot| spot.start < place.start);
        self.spots
            .get(first)
            .is_some_and(|spot| spot.start < place.end)
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
        places.widen(bytes);
        for spot in &carried.spots {
            places.take_whole(spot.span());
        }
        places.merge();
        places
    }

    /// Puts [`MARGIN`] and whole lines around each place.
    fn widen(&mut self, bytes: &[u8]) {
        let margin = MARGIN;
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

    /// The place that holds a byte.
    fn holding(&self, at: u32) -> Option<&ViewSpan> {
        let after = self.list.partition_point(|place| place.end <= at);
        self.list.get(after).filter(|place| place.start <= at)
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

/// Whether one of the changes, in order, lies in or at `span`.
fn touches(dirty: &[ViewSpan], span: ViewSpan) -> bool {
    let after = dirty.partition_point(|change| change.end < span.start);
    dirty
        .get(after)
        .is_some_and(|change| change.start <= span.end)
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

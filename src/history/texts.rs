//! Looks for secrets in blobs, commits and tags, and in a delta only where it changed something.
//!
//! Whether a text holds a secret is decided near the secret: by the match, by what must stand near,
//! by the lines around. So what a delta copies keeps its verdicts, and only what lies near a change
//! is judged again:
//!
//! 1. Each change is widened by [`MARGIN`] and to whole lines. That is farther than all but a few
//!    rules look. What those few look at from their keywords ([`Far`]) is a place as well where a
//!    change lies in it.
//! 2. The widened places are scanned. Mostly nothing is found, and the object has what its base had.
//!    Of where keywords stand the base tells all but what is new ([`Hit`]), so that only the change
//!    itself is searched for them; a rule is tried only where the change reaches what it looks at, or
//!    where its pattern fitted before and the match does not tell by itself that it is no secret; and
//!    encodings are opened only in the lines that changed, where they reach a new keyword on a long
//!    line, and around keywords inside of them that a change is near to.
//! 3. What is found in the text itself as in the base is what is there. Around what is new, or stands
//!    in an encoding, and where rules look farther, the place is scanned once more with as much around
//!    it as the rules there look at: what then starts there is what is there.
//!
//! Of a notebook the parts that a delta copied are stepped over, and hold what they held. Of text in wide
//! characters all this is done with the transcoding. A text too large to be scanned at once is scanned in
//! windows first, and in wide characters always. The naive sweep scans all objects anew, and is the oracle
//! of this one.

use crate::decode::{self, notebook::Parts};
use crate::detect::keywords::Hit;
use crate::detect::{Far, Known, LOCAL, Reach};
use crate::git::{Kind, lfs, object};
use crate::lines;
use crate::pipeline::{Ask, Focus, Scanner};
use crate::sniff::{self, Encoding};
use crate::source::stream::Sizes;
use crate::span::ViewSpan;
use crate::unit::{self, ObjectId, Origin, Unit};

use super::around::{
    Places, along_lines, in_order, meeting, reach, starting_in, touches, widened, within,
};
use super::changes::Changes;
use super::secrets::{Secrets, Spot};
use super::seen::{Moved, Seen};
use super::walk::{LazyId, Visit};
use super::wide::Wide;
use super::windows;

/// How far from a change a verdict may depend on it, in bytes: as far as rules look, and as far as
/// the judge looks from there.
pub const MARGIN: u32 = LOCAL + 512;
/// How far from a change, in bytes, an encoding may begin that the change makes one. Whole lines are
/// looked through in any case. What is opened along a line because of it reaches no farther than what
/// is looked at again.
const CODED: u32 = 64;
const _: () = assert!(lines::REACH as u32 + CODED <= MARGIN);

/// An object with secrets.
pub struct Holder {
    pub id: ObjectId,
    pub kind: Kind,
    /// All that is taken for secrets in it, in order.
    pub spots: Box<[Spot]>,
    /// Whether it is plain text, which can be scanned in part.
    pub plain: bool,
}

impl Holder {
    /// What may be findings.
    pub fn sure(&self) -> impl Iterator<Item = &Spot> {
        self.spots.iter().filter(|spot| spot.sure)
    }
}

/// Finds secrets in the objects of one thread.
pub struct Texts<'s> {
    scanner: Scanner<'s>,
    secrets: &'s Secrets,
    origin: Origin,
    /// From which size on an object is scanned in windows.
    pub(super) sizes: Sizes,
    words: Vec<u8>,
    spots: Vec<Spot>,
    far: Vec<Far>,
    coded: Vec<Hit>,
    live: Vec<u32>,
    /// Keywords of a part, by its own bytes.
    hits: Vec<Hit>,
    /// Lines of a part that changed, by its own bytes.
    lines: Vec<ViewSpan>,
    /// What of a part rules must look at to be tried, by its own bytes.
    stirred: Vec<ViewSpan>,
    /// Whether something in a part of the text at hand was left out for want of room.
    cut: bool,
    /// Objects with secrets.
    pub found: Vec<Holder>,
    /// What the commits say of themselves.
    pub commits: Vec<(ObjectId, object::Commit)>,
    /// Commits that do not say what they hold.
    pub malformed: Vec<ObjectId>,
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
            sizes: Sizes::default(),
            words: Vec::new(),
            spots: Vec::new(),
            far: Vec::new(),
            coded: Vec::new(),
            live: Vec::new(),
            hits: Vec::new(),
            lines: Vec::new(),
            stirred: Vec::new(),
            cut: false,
            found: Vec::new(),
            commits: Vec::new(),
            malformed: Vec::new(),
            lfs_pointers: Vec::new(),
            notebooks: Vec::new(),
        }
    }

    /// Scans a whole object.
    fn text(&mut self, bytes: &[u8]) -> Seen {
        self.text_but(bytes, None)
    }

    /// Scans a whole object, but for the parts of a notebook that are known of its base.
    fn text_but(&mut self, bytes: &[u8], base: Option<(&Seen, &Changes)>) -> Seen {
        // What is no text holds nothing, and pictures come in many versions too. Of a large object that is
        // told by its first window.
        let Ok(encoding) = sniff::sniff(&bytes[..bytes.len().min(self.sizes.whole + 1)]) else {
            return Seen::default();
        };
        let base = base.filter(|(base, _)| base.encoding == Some(encoding));
        let large = bytes.len() > self.sizes.whole;
        if encoding == Encoding::Bytes {
            let moved = base.map(|(base, changes)| Moved::of(base, changes));
            return self.seen(moved, bytes, large);
        }
        if large {
            return self.windows(unit::Part::File, bytes);
        }
        let wide = Wide::of(bytes, encoding);
        let moved = base.map(|(base, changes)| wide.moved(base, changes));
        wide.in_bytes(self.seen(moved, &wide.text, false))
    }

    /// Scans a text, or what of it has changed; a large one is scanned in windows.
    fn seen(&mut self, moved: Option<Moved<'_>>, text: &[u8], large: bool) -> Seen {
        let is_plain =
            |moved: &Moved<'_>| moved.carried.plain && decode::is_plain(Encoding::Bytes, text);
        let known = match moved {
            Some(moved) if is_plain(&moved) => {
                if let Some(seen) = self.changed(moved, text, large) {
                    return seen;
                }
                None
            }
            moved => moved.filter(|moved| !moved.carried.parts.is_empty()),
        };
        match known {
            _ if large => self.windows(unit::Part::File, text),
            Some(known) => self.all_but(&known.carried, text),
            None => self.all(text),
        }
    }

    /// Scans a large text.
    fn windows(&mut self, part: unit::Part, text: &[u8]) -> Seen {
        let scan = (&mut self.scanner, self.secrets);
        windows::scan(scan, part, text, &self.sizes)
    }

    /// Scans a whole text.
    fn all(&mut self, text: &[u8]) -> Seen {
        self.all_but(&Seen::default(), text)
    }

    /// Scans a whole text, but for the known parts of a notebook.
    fn all_but(&mut self, known: &Seen, text: &[u8]) -> Seen {
        let secrets = self.secrets;
        let unit = Unit::words(self.origin.clone(), text);
        let ask = Ask {
            parts: &known.parts,
            ..Ask::default()
        };
        self.scanner.scan_for(&unit, ask);
        let traces = self.scanner.traces();
        let possible = traces.possible.iter();
        let mut spots: Vec<Spot> = possible.map(|one| secrets.spot(one)).collect();
        let Parts {
            all,
            stepped_over,
            cut,
            taken,
        } = std::mem::take(&mut traces.parts);
        // A scan of the whole would leave something out where all parts together take too much room.
        let before = if stepped_over.is_empty() {
            [0; 2]
        } else {
            known.taken
        };
        let is_full = |at: usize| before[at] + taken[at].used >= taken[at].room;
        if !stepped_over.is_empty() && (cut || is_full(0) || is_full(1)) {
            return self.all(text);
        }
        let stepped_over = stepped_over.into_iter();
        spots.extend(stepped_over.flat_map(|part| within(&known.spots, part, Spot::span)));
        let mut seen = Seen {
            spots: in_order(&mut spots),
            ..Seen::default()
        };
        // Of what was cut nothing can be handed on.
        if cut {
            return seen;
        }
        seen.encoding = Some(Encoding::Bytes);
        seen.plain = decode::is_plain(Encoding::Bytes, text);
        seen.parts = all.into();
        seen.taken = [0, 1].map(|at| before[at] + taken[at].used);
        if seen.plain {
            seen.hits = in_order(&mut traces.hits);
            seen.coded = in_order(&mut traces.coded);
            seen.live = in_order(&mut traces.live);
        }
        seen
    }

    /// Scans what a delta changed. `None` where the whole had better be scanned: of a large text also where
    /// that is more than is scanned at once, or where windows see something else than the whole.
    fn changed(&mut self, mut moved: Moved<'_>, bytes: &[u8], large: bool) -> Option<Seen> {
        if large && windows::cut_payload(bytes, &self.sizes) {
            return None;
        }
        let new_hits = self.find_new_hits(&mut moved, bytes);
        let Moved { carried, dirty, .. } = &moved;
        let detector = self.scanner.detector();
        let far = |hits: &[Hit]| -> Vec<ViewSpan> {
            let marks = hits.iter().filter_map(|hit| detector.far(hit));
            marks.map(|mark| reach(&mark, bytes.len())).collect()
        };
        let (plain_far, coded_far) = (far(&carried.hits), far(&carried.coded));
        let reached = plain_far.iter().chain(&coded_far).copied();
        let reached = reached.filter(|span| touches(dirty, *span));
        let mut places = Places::around(&moved, reached, bytes);
        let most = places.cover_most(bytes.len());
        if large && (most || places.len() > self.sizes.whole) {
            return None;
        }
        if most {
            places.list = vec![ViewSpan::new(0, bytes.len())];
        }
        let mut lines = Places::of_encodings(dirty, CODED, bytes);
        lines.take_opened(&new_hits, bytes);
        let change = Change {
            carried,
            dirty,
            lines,
            far: Places::of(plain_far),
            bytes,
        };
        let mut looked = Looked::default();
        self.cut = false;
        for &place in &places.list {
            self.look(place, &change, &mut looked);
        }
        looked.exact.merge();
        // Many in one payload are looked at together, as each needs all of it.
        looked.exact.take_lines(0, bytes);
        for &place in &looked.exact.list {
            self.whole_part(bytes, place, &carried.hits);
            looked.spots.append(&mut self.spots);
        }
        let seen = (!self.cut).then(|| looked.seen(moved.carried, &places))?;
        Some(if large {
            seen.bounded(bytes.len())
        } else {
            seen
        })
    }

    /// Looks at a place around changes: what stands in the text itself there is then settled, if no
    /// rule looks too far, and for the rest `looked.exact` has what must be scanned exactly.
    fn look(&mut self, place: ViewSpan, change: &Change<'_>, looked: &mut Looked) {
        let range = widened(place, change.bytes);
        self.screen(place, range, change, &mut looked.opened);
        let exact = &mut looked.exact.list;
        let cut = self.far.iter().map(|mark| reach(mark, change.bytes.len()));
        let cut = cut.filter(|span| !place.contains(*span) && touches(change.dirty, *span));
        let before = exact.len();
        exact.extend(cut);
        if exact.len() > before {
            exact.push(place);
        }
        let is_settled = change.is_settled(place, range);
        let known = starting_in(&change.carried.spots, place, |spot| spot.start);
        // What is new may stand in an encoding as well, of which no mark is near to the change.
        let is_open =
            |spot: &&Spot| spot.coded || !is_settled || known.binary_search(spot).is_err();
        let again = self.spots.iter().chain(known).filter(is_open);
        exact.extend(again.map(|spot| around(spot.span(), place)));
        if is_settled {
            looked.settled.list.push(place);
            let settled = self.spots.iter().filter(|spot| !spot.coded);
            looked.spots.extend(settled);
        }
        looked.coded.append(&mut self.coded);
        looked.live.append(&mut self.live);
    }

    /// Makes the keywords that a delta handed on all that are in its result. Gives the places of the new ones.
    fn find_new_hits(&self, moved: &mut Moved<'_>, bytes: &[u8]) -> Vec<ViewSpan> {
        let keywords = self.scanner.detector().keywords();
        let mut hits = std::mem::take(&mut moved.carried.hits).into_vec();
        let known = hits.len();
        keywords.scan_changed(bytes, &moved.dirty, &mut hits);
        let mut new: Vec<ViewSpan> = hits[known..].iter().map(Hit::span).collect();
        new.sort();
        // Two runs that are in order or nearly so, which this sort takes in one pass.
        hits.sort();
        // In wide characters a change is widened to units, into what was handed on.
        hits.dedup();
        moved.carried.hits = hits.into();
        new
    }

    /// Looks for anything at all in a place around changes. Where nothing changed that a rule looks
    /// at, and its pattern did not fit, it does not fit now.
    ///
    /// Encodings are opened in the lines that changed, and around the keywords in them that a change
    /// is near to; all that was opened is added to `opened`.
    fn screen(
        &mut self,
        place: ViewSpan,
        range: ViewSpan,
        change: &Change<'_>,
        opened: &mut Places,
    ) {
        let carried = change.carried;
        let mut stirred = std::mem::take(&mut self.stirred);
        change.stirred_in(place, range.start, &mut stirred);
        let part = Part {
            range,
            core: place,
            near: range,
            hits: &carried.hits,
            known: &carried.hits,
            lines: &[],
            bounds: place,
            stirred: Some(&stirred),
        };
        let inside = within(&change.lines.list, place, |line| *line);
        let mut lines = Places {
            list: inside.copied().collect(),
        };
        let known = starting_in(&carried.coded, place, |hit| hit.start);
        lines.list.extend(self.around_coded(known, place, change));
        lines.merge();
        self.forget();
        self.part(change.bytes, part.only(&lines.list));
        // The text itself was looked at.
        self.open_further(Part { hits: &[], ..part }, change, &mut lines);
        opened.list.append(&mut lines.list);
        self.stirred = stirred;
    }

    /// Opens the surroundings of what was found in encodings until all are among `lines`. Mostly they
    /// are: there is nothing new in what is encoded.
    fn open_further(&mut self, part: Part<'_>, change: &Change<'_>, lines: &mut Places) {
        let mut seen = 0;
        loop {
            let mut cut = Places {
                list: self.around_coded(&self.coded[seen..], part.core, change),
            };
            cut.list.retain(|span| !lines.cover(*span));
            if cut.list.is_empty() {
                return;
            }
            seen = self.coded.len();
            cut.merge();
            lines.list.extend(&cut.list);
            lines.merge();
            let fresh = |line: &&ViewSpan| touches(&cut.list, **line);
            let fresh: Vec<ViewSpan> = lines.list.iter().filter(fresh).copied().collect();
            self.part(change.bytes, part.only(&fresh));
        }
    }

    /// The surroundings of those of some keywords in encodings that a change is near to.
    fn around_coded(&self, coded: &[Hit], place: ViewSpan, change: &Change<'_>) -> Vec<ViewSpan> {
        let detector = self.scanner.detector();
        let is_near = |hit: &&Hit| {
            let Reach { before, behind } = detector.far(hit).map(|m| m.reach).unwrap_or_default();
            let reaches = Reach {
                before: before.max(MARGIN),
                behind: behind.max(MARGIN),
            };
            let mark = Far {
                start: hit.start,
                reach: reaches,
            };
            touches(change.dirty, reach(&mark, change.bytes.len()))
        };
        let mut near: Vec<ViewSpan> = coded.iter().filter(is_near).map(Hit::span).collect();
        near.sort();
        let mut around = Places::widened(&near, MARGIN, change.bytes);
        for span in &mut around.list {
            *span = span.clipped(place);
        }
        around.list
    }

    fn forget(&mut self) {
        self.spots.clear();
        self.far.clear();
        self.coded.clear();
        self.live.clear();
    }

    /// Scans as much around `core` as it takes for nothing that starts there to be cut.
    fn whole_part(&mut self, bytes: &[u8], core: ViewSpan, hits: &[Hit]) {
        let mut near = widened(core, bytes);
        self.all_near(bytes, core, near, hits);
        let mut needed = near;
        let own = |mark: &&Far| core.start <= mark.start && mark.start < core.end;
        for span in self.far.iter().filter(own).map(|m| reach(m, bytes.len())) {
            needed.start = needed.start.min(span.start);
            needed.end = needed.end.max(span.end);
        }
        if !near.contains(needed) {
            near = widened(needed, bytes);
            self.all_near(bytes, core, near, hits);
        }
    }

    /// Scans what starts in `core` with all that is `near`, and all encodings that reach there.
    fn all_near(&mut self, bytes: &[u8], core: ViewSpan, near: ViewSpan, hits: &[Hit]) {
        let lines = along_lines(near, bytes);
        let range = along_lines(lines, bytes);
        self.forget();
        let part = Part {
            range,
            core,
            hits,
            near,
            known: hits,
            lines: &[lines],
            bounds: range,
            stirred: None,
        };
        self.part(bytes, part);
    }

    /// Scans a part of a text of which the keywords are known. What starts in its core is added to
    /// `self.spots`, and the marks of the part to `self.far`, `self.coded` and `self.live`.
    fn part(&mut self, bytes: &[u8], part: Part<'_>) {
        let Part { range, core, .. } = part;
        let by = range.start;
        self.lines.clear();
        let inside = within(part.lines, part.bounds, |line| *line);
        self.lines.extend(inside.map(|line| ViewSpan {
            start: line.start - by,
            end: line.end - by,
        }));
        self.hits.clear();
        let inside = within(part.hits, part.near, Hit::span);
        self.hits.extend(inside.map(|hit| Hit {
            start: hit.start - by,
            end: hit.end - by,
            ..*hit
        }));
        if let Some(stirred) = part.stirred {
            let detector = self.scanner.detector();
            detector.retain_stirred(&mut self.hits, stirred);
        }
        let focus = Focus {
            hits: &self.hits,
            lines: &self.lines,
            bounds: ViewSpan {
                start: part.bounds.start - by,
                end: part.bounds.end - by,
            },
            stirred: part.stirred,
            known: Some(Known {
                hits: starting_in(part.known, range, |hit| hit.start),
                base: by,
            }),
        };
        let unit = Unit::part(self.origin.clone(), bytes, range.range(), core.range());
        let ask = Ask {
            focus: Some(focus),
            ..Ask::default()
        };
        self.scanner.scan_for(&unit, ask);
        let secrets = self.secrets;
        let traces = self.scanner.traces();
        let possible = traces.possible.iter();
        self.spots.extend(possible.map(|one| secrets.spot(one)));
        self.far.extend(traces.far.iter().map(|mark| Far {
            start: mark.start + by,
            ..*mark
        }));
        let coded = traces.coded.iter();
        self.coded.extend(coded.map(|hit| Hit {
            start: hit.start + by,
            end: hit.end + by,
            ..*hit
        }));
        let live = traces.live.iter();
        self.live.extend(live.map(|start| start + by));
        self.cut |= traces.parts.cut;
    }
}

/// What of a place must be scanned exactly for what is, or was, in `spot`.
fn around(spot: ViewSpan, place: ViewSpan) -> ViewSpan {
    let wide = ViewSpan {
        start: spot.start.saturating_sub(MARGIN),
        end: spot.end.saturating_add(MARGIN),
    };
    wide.clipped(place)
}

/// What the places around changes turned out to hold.
#[derive(Default)]
struct Looked {
    spots: Vec<Spot>,
    coded: Vec<Hit>,
    live: Vec<u32>,
    /// Where encodings were opened.
    opened: Places,
    /// Where it is known what stands in the text itself.
    settled: Places,
    /// What must be scanned with all that rules look at, or was.
    exact: Places,
}

impl Looked {
    /// All that is in the text: what is here, and what was handed on and not looked at again.
    fn seen(mut self, carried: Seen, places: &Places) -> Seen {
        self.opened.merge();
        let kept: Vec<Spot> = self
            .exact
            .outside(&carried.spots, |spot| spot.start)
            .collect();
        self.spots.extend(kept.iter().filter(|spot| spot.coded));
        let kept = self.settled.outside(&kept, |spot| spot.start);
        self.spots.extend(kept.filter(|spot| !spot.coded));
        let coded = self.opened.outside(&carried.coded, |hit| hit.start);
        self.coded.extend(coded);
        let live = places.outside(&carried.live, |&start| start);
        self.live.extend(live);
        Seen {
            spots: in_order(&mut self.spots),
            hits: carried.hits,
            coded: in_order(&mut self.coded),
            live: in_order(&mut self.live),
            ..carried
        }
    }
}

/// A text and what of it has changed.
struct Change<'c> {
    carried: &'c Seen,
    /// In order and apart, as all lists are.
    dirty: &'c [ViewSpan],
    /// Where a change may have made an encoding, or another may open what is new.
    lines: Places,
    /// All that rules look at which look far, in the text itself.
    far: Places,
    bytes: &'c [u8],
}

impl Change<'_> {
    /// Whether `range` has all that rules look at in the text itself for what starts in a place.
    fn is_settled(&self, place: ViewSpan, range: ViewSpan) -> bool {
        let far = meeting(&self.far.list, place);
        far.iter().all(|span| range.contains(*span))
    }

    /// Puts into `stirred` what rules must look at in a place to be tried, by the bytes from `base` on:
    /// what changed, where their patterns fitted, and what was found.
    fn stirred_in(&self, place: ViewSpan, base: u32, stirred: &mut Vec<ViewSpan>) {
        let Seen { live, spots, .. } = self.carried;
        let spots = starting_in(spots, place, |spot| spot.start).iter();
        let spots = spots.filter(|spot| !spot.coded).map(|spot| spot.start);
        let live = starting_in(live, place, |&start| start).iter().copied();
        let points = live
            .chain(spots)
            .map(|start| ViewSpan { start, end: start });
        let spans = meeting(self.dirty, place).iter().copied().chain(points);
        stirred.clear();
        stirred.extend(spans.map(|span| {
            let span = span.clipped(place);
            ViewSpan {
                start: span.start - base,
                end: span.end - base,
            }
        }));
        stirred.sort();
    }
}

/// A part of a text to scan.
#[derive(Clone, Copy)]
struct Part<'p> {
    range: ViewSpan,
    /// What starts here counts.
    core: ViewSpan,
    /// The keywords of the text, of which those count that stand in `near`.
    hits: &'p [Hit],
    near: ViewSpan,
    /// All keywords of the text.
    known: &'p [Hit],
    /// Where encodings are looked for, and how far what is found there is opened.
    lines: &'p [ViewSpan],
    bounds: ViewSpan,
    /// What rules must look at to be tried, by bytes of the part; without, all are.
    stirred: Option<&'p [ViewSpan]>,
}

impl<'p> Part<'p> {
    /// The same with encodings in some lines only.
    fn only(self, lines: &'p [ViewSpan]) -> Self {
        Self { lines, ..self }
    }
}

impl Visit for Texts<'_> {
    type Seen = Seen;
    const COMPARES: bool = true;

    fn wants(&self, kind: Kind, head: &[u8]) -> bool {
        kind != Kind::Blob || !sniff::is_marked(head)
    }

    fn whole(&mut self, id: LazyId<'_>, kind: Kind, bytes: &[u8]) -> Seen {
        let seen = match kind {
            Kind::Blob => self.text(bytes),
            Kind::Commit | Kind::Tag => {
                if kind == Kind::Commit {
                    match object::Commit::parse(bytes) {
                        Some(commit) => self.commits.push((id.read(), commit)),
                        None => self.malformed.push(id.read()),
                    }
                }
                let mut words = std::mem::take(&mut self.words);
                object::words(bytes, &mut words);
                let seen = match words.len() > self.sizes.whole {
                    true => self.windows(unit::Part::Commit, &words),
                    false => self.seen(None, &words, false),
                };
                self.words = words;
                seen
            }
            Kind::Tree => return Seen::default(),
        };
        self.keep(id, kind, seen, bytes)
    }

    fn delta(
        &mut self,
        id: LazyId<'_>,
        kind: Kind,
        base: &Seen,
        changes: &Changes,
        bytes: &[u8],
    ) -> Seen {
        if kind != Kind::Blob {
            return self.whole(id, kind, bytes);
        }
        let seen = self.text_but(bytes, Some((base, changes)));
        self.keep(id, kind, seen, bytes)
    }
}

impl Texts<'_> {
    fn keep(&mut self, id: LazyId<'_>, kind: Kind, seen: Seen, bytes: &[u8]) -> Seen {
        if seen.spots.iter().any(|spot| spot.sure) {
            self.found.push(Holder {
                id: id.read(),
                kind,
                spots: seen.spots.clone(),
                plain: seen.plain && seen.encoding == Some(Encoding::Bytes),
            });
        }
        if kind == Kind::Blob && lfs::is_pointer(bytes) {
            self.lfs_pointers.push(id.read());
        }
        if kind == Kind::Blob && !seen.plain && decode::looks_like_notebook(bytes) {
            self.notebooks.push(id.read());
        }
        seen
    }
}

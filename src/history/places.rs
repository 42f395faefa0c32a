//! From objects with secrets to findings: one for each secret in each path, with its commits.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::finding::{CommitNote, Finding, State, Trace};
use crate::git::Kind;
use crate::git::object::{self, Commit, Tag};
use crate::git::refs::Refs;
use crate::judge::place::Place as PathPlace;
use crate::ledger::Ledger;
use crate::pipeline::mask_names;
use crate::unit::{GitOrigin, ObjectId, Origin, Part, Unit, path_text};

use super::graph::{Graph, Rank, Reached};
use super::holders::{Edge, Number};
use super::secrets::{SecretId, ValueId};
use super::show;
use super::ways::{Item, Path, Span, Ways};
use super::{Found, Run, Trees};

/// References listed with one finding; more are counted only.
const MOST_REFS: usize = 50;

/// What is known of the places of the secrets, and of the commits.
pub(super) struct Places<'p> {
    pub(super) run: &'p Run<'p>,
    graph: Graph,
    refs: &'p Refs,
    /// The references and the commits they lead to, once each.
    tips: Vec<(u32, Rank)>,
    /// References that lead to a tree without a commit.
    trees: Vec<(u32, Number)>,
    /// What references lead to, and the tags on the way, with these references.
    named: HashMap<ObjectId, Vec<u32>>,
    /// What is no commit to which reflogs lead, and the tags on the way.
    logged: HashSet<ObjectId>,
    head: Option<Rank>,
    /// Whether all that may lead to something could be read.
    certain: bool,
    /// What is told of commits, by rank.
    notes: Mutex<HashMap<Rank, CommitNote>>,
}

/// Secrets to show in an object under a path, each with what commits have it there.
pub(super) type Shown = Vec<(SecretId, Place)>;

/// Blobs to show, under which of their paths.
pub(super) type Blobs = HashMap<ObjectId, BTreeMap<Arc<str>, Shown>>;

/// By path and secret, the place to show.
type Placed = BTreeMap<(Arc<str>, SecretId), Place>;

/// Further objects in which a secret that others cover may be shown under one path, at most.
const MOST_TRIES: usize = 16;

/// A secret under one path.
pub(super) struct Place {
    /// The object to show: the one that the first of the commits has.
    first: Try,
    /// Those to show after it, until one of them shows the secret.
    others: Vec<Try>,
    fate: Fate,
}

/// An object that has a secret.
#[derive(Clone, Copy)]
struct Try {
    object: ObjectId,
    /// The commit that brought it.
    first: Option<Rank>,
    /// See [`Held::covers`](super::secrets::Held::covers).
    covers: Option<u64>,
}

/// What commits, or trees that references name, have a value under one path, whichever rules find it.
#[derive(Clone, Default)]
struct Fate {
    span: Option<Span>,
    still: Still,
    /// Whether a reflog leads to the object itself.
    logged: bool,
}

/// What of today has something.
#[derive(Clone, Default)]
struct Still {
    /// References whose newest commit has it: the first [`MOST_REFS`] of them, in order.
    refs: Vec<u32>,
    refs_total: usize,
    in_head: bool,
}

/// An item's object, what of today has it, and its secrets, each with what may be shown in its place.
type Told = (ObjectId, Still, Vec<(SecretId, Option<u64>)>);

/// The findings of a sweep. What can no longer be read is told to the ledger.
pub(super) fn findings(
    run: &Run<'_>,
    found: &Found,
    trees: Trees,
    (refs, certain): (&Refs, bool),
    ledger: &mut Ledger,
) -> Vec<Finding> {
    // Who reaches which commit is asked only of what was found.
    let any = !(found.is_empty() && trees.telling.is_empty());
    let commits = any.then_some(&*found.commits);
    let places = Places::new(run, commits, refs, certain);
    let blobs = places.of_blobs(found, &trees);
    let mut findings = places.in_names(&trees);
    // To show blobs takes memory of its own.
    drop(trees);
    show::blobs(&places, found, blobs, (&mut findings, ledger));
    findings.extend(places.in_words(found));
    findings.extend(places.in_ref_names());
    mask_names(run.sweep, &mut findings, ledger);
    findings
}

/// The commits to which reflogs lead, and what else they lead to.
fn logged(run: &Run<'_>, graph: &Graph, refs: &Refs) -> (Vec<Rank>, HashSet<ObjectId>) {
    let mut commits = Vec::new();
    let mut others = HashSet::new();
    let mut left = refs.reflog.clone();
    while let Some(id) = left.pop() {
        if let Some(rank) = graph.rank(&id) {
            commits.push(rank);
        } else if run.store.has(&id) && others.insert(id) {
            // What cannot be read was told before.
            let read = run.read(id).ok();
            let tag = read.filter(|read| read.kind == Kind::Tag);
            left.extend(tag.and_then(|tag| Some(Tag::parse(tag.bytes())?.target)));
        }
    }
    (commits, others)
}

/// Whether a reference leads to it, or may: a clone or a mirror push would hand it on.
pub(super) fn may_be_reachable(finding: &Finding) -> bool {
    let state = finding.trace.as_ref().map(|trace| trace.state);
    state.is_some_and(|state| state <= State::Unknown)
}

impl<'p> Places<'p> {
    fn new(
        run: &'p Run<'p>,
        commits: Option<&[(ObjectId, Commit)]>,
        refs: &'p Refs,
        certain: bool,
    ) -> Self {
        let mut graph = Graph::new(commits.unwrap_or_default(), run.store);
        let head = refs.head.and_then(|id| graph.rank(&id));
        let (mut tips, mut trees) = (Vec::new(), Vec::new());
        let mut named: HashMap<ObjectId, Vec<u32>> = HashMap::new();
        for (index, reference) in (0..).zip(&refs.refs) {
            let peeled = reference.peeled;
            if let Some(rank) = graph.rank(&peeled) {
                tips.push((index, rank));
            } else if reference.kind == Some(Kind::Tree) {
                trees.extend(run.store.number(&peeled).map(|tree| (index, tree)));
            }
            for id in reference.tags.iter().chain([&peeled]) {
                named.entry(*id).or_default().push(index);
            }
        }
        graph.mark(tips.iter().map(|tip| tip.1).chain(head), Reached::Refs);
        let led = commits.map(|_| logged(run, &graph, refs));
        let (commits, logged) = led.unwrap_or_default();
        graph.mark(commits, Reached::Reflog);
        Self {
            run,
            graph,
            refs,
            tips,
            trees,
            named,
            logged,
            head,
            certain,
            notes: Mutex::default(),
        }
    }

    /// Which blobs to show under which of their paths, with the secrets to show there.
    fn of_blobs(&self, found: &Found, trees: &Trees) -> Blobs {
        let mut ways = Ways::new(&trees.holders, &trees.leaves);
        let id = |object| self.run.store.id(object);
        let (placed, objects) = self.place(&mut ways, &trees.names, id, |object, path| {
            let holding = found.blobs.get(&id(object));
            let secrets = holding.into_iter().flat_map(|holding| &holding.secrets);
            let fit = secrets.filter(|held| held.kinds.fit(path));
            fit.map(|held| (held.secret, held.covers)).collect()
        });
        let placed = placed.into_iter();
        let mut shown = to_show(placed.map(|((path, secret), place)| (path, secret, place)));
        let mut homeless: HashSet<ObjectId> = found.blobs.keys().copied().collect();
        for object in objects {
            homeless.remove(&self.run.store.id(object));
        }
        for id in homeless {
            let path: Arc<str> = id.to_string().into();
            let of_path = PathPlace::of(&path);
            let fit = found.blobs[&id]
                .secrets
                .iter()
                .filter(|held| held.kinds.fit(&of_path));
            let secrets = fit.map(|held| (held.secret, self.without_path(id)));
            let secrets: Vec<_> = secrets.collect();
            if !secrets.is_empty() {
                shown.insert(id, [(path, secrets)].into());
            }
        }
        shown
    }

    /// Secrets in the names of files and folders.
    fn in_names(&self, trees: &Trees) -> Vec<Finding> {
        if trees.telling.is_empty() {
            return Vec::new();
        }
        let named: Vec<Edge> = trees
            .named
            .iter()
            .map(|&edge| Edge {
                // Whatever it names: the name is what counts.
                child: edge.name,
                ..edge
            })
            .collect();
        let mut ways = Ways::new(&trees.holders, &named);
        // A name's number is that of no object.
        let none = |_| ObjectId([0; 20]);
        let (placed, _) = self.place(&mut ways, &trees.names, none, |name, _| {
            let telling = trees.telling.get(&trees.names[name as usize]);
            let telling = telling.into_iter().flatten();
            telling.map(|secret| (*secret, None)).collect()
        });
        let mut scanner = self.run.sweep.scanner();
        let mut findings = Vec::new();
        for ((path, secret), place) in placed {
            let name = path.rsplit('/').next().unwrap_or_default();
            let unit = Unit::words(Origin::file(path.clone()), name.as_bytes());
            let found = scanner.scan(&unit).iter();
            let found = found.filter(|f| self.run.secrets.number(f) == secret);
            findings.extend(found.map(|f| self.traced(f.clone(), Part::FileName, &place)));
        }
        findings
    }

    /// Secrets in what commits and tags say.
    fn in_words(&self, found: &Found) -> Vec<Finding> {
        let mut scanner = self.run.sweep.scanner();
        let mut findings = Vec::new();
        let mut words = Vec::new();
        for (id, (kind, secrets)) in &found.words {
            let read = match self.run.read(*id) {
                Ok(read) => read,
                Err(why) => {
                    self.run.lose([*id], &why);
                    continue;
                }
            };
            let (part, path, place) = match kind {
                Kind::Commit => (Part::Commit, "commit message", self.of_commit(*id)),
                _ => (Part::Tag, "tag message", self.without_path(*id)),
            };
            object::words(read.bytes(), &mut words);
            let unit = Unit::words(Origin::file(path), &words);
            let mut wanted: HashSet<SecretId> = secrets.iter().copied().collect();
            for finding in scanner.scan(&unit).iter() {
                if wanted.remove(&self.run.secrets.number(finding)) {
                    findings.push(self.traced(finding.clone(), part, &place));
                }
            }
        }
        findings
    }

    /// Secrets in the names of references.
    fn in_ref_names(&self) -> Vec<Finding> {
        let mut scanner = self.run.sweep.scanner();
        let mut findings = Vec::new();
        for (index, reference) in self.refs.refs.iter().enumerate() {
            let unit = Unit::words(Origin::file("reference"), reference.name.as_bytes());
            let still = Still::of(&[index as u32]);
            let place = Place::of(reference.target, None, still);
            let found = scanner.scan(&unit).iter();
            findings.extend(found.map(|f| self.traced(f.clone(), Part::RefName, &place)));
        }
        findings
    }

    /// For each path and secret the place to show, and all objects that have a place. `id` gives what an
    /// object of the ways is called, and `secrets` those in it that may be some in a path.
    fn place(
        &self,
        ways: &mut Ways,
        names: &[Box<[u8]>],
        id: impl Fn(Number) -> ObjectId + Sync,
        secrets: impl Fn(Number, &PathPlace) -> Vec<(SecretId, Option<u64>)> + Sync,
    ) -> (Placed, HashSet<Number>) {
        let spans = ways.items(&self.graph);
        let alive = self.alive(ways);
        let items = in_order(spans, &alive);
        // Of a file that changes often there are many items with one path.
        let distinct: HashSet<Path> = items.iter().map(|(item, _)| item.path).collect();
        let text = |path| {
            let text: Arc<str> = path_text(&ways.paths.bytes(path, names)).into();
            let place = PathPlace::of(&text);
            (path, (text, place))
        };
        let paths: HashMap<Path, (Arc<str>, PathPlace)> =
            distinct.into_par_iter().map(text).collect();
        let told = items.par_iter().map(|(item, _)| {
            let object = id(item.object);
            let lists = [alive.get(item), self.named.get(&object)];
            let still = Still::of(lists.into_iter().flatten().flatten());
            let secrets = secrets(item.object, &paths[&item.path].1);
            (object, still, secrets)
        });
        let told: Vec<Told> = told.collect();
        let path = |item: &Item| paths[&item.path].0.clone();
        let told = items.iter().zip(told);
        let placed = self.placed(told.map(|((item, span), told)| (path(item), *span, told)));
        let objects = items.iter().map(|(item, _)| item.object).collect();
        (placed, objects)
    }

    /// By path and secret, what items in order tell, each with its path and since when commits have it.
    fn placed(&self, items: impl Iterator<Item = (Arc<str>, Option<Span>, Told)>) -> Placed {
        let values = self.run.secrets.values();
        let value = |secret: SecretId| values[secret as usize];
        let mut placed = Placed::new();
        let mut fates: HashMap<(Arc<str>, ValueId), Fate> = HashMap::new();
        for (path, span, (object, still, secrets)) in items {
            for &(secret, covers) in &secrets {
                let one = Try {
                    object,
                    first: span.map(|span| span.first),
                    covers,
                };
                placed
                    .entry((path.clone(), secret))
                    .and_modify(|place: &mut Place| place.may_be_shown_in(one))
                    .or_insert_with(|| Place::new(one, Fate::default()));
            }
            // Several rules may find one value.
            let distinct: BTreeSet<ValueId> = secrets.iter().map(|one| value(one.0)).collect();
            for value in distinct {
                fates
                    .entry((path.clone(), value))
                    .and_modify(|fate| fate.extend(span, &still))
                    .or_insert_with(|| Fate {
                        span,
                        still: still.clone(),
                        logged: false,
                    });
            }
        }
        for ((path, secret), place) in &mut placed {
            if let Some(fate) = fates.get(&(path.clone(), value(*secret))) {
                place.fate = fate.clone();
            }
        }
        placed
    }

    /// Which references still have which items; `u32::MAX` stands for the checked-out commit.
    fn alive(&self, ways: &mut Ways) -> HashMap<Item, Vec<u32>> {
        let head = self.head.map(|rank| (u32::MAX, rank));
        let tips = self.tips.iter().copied().chain(head);
        let trees = tips.filter_map(|(index, rank)| Some((self.graph.tree(rank)?, index)));
        let named = self.trees.iter().map(|&(index, tree)| (tree, index));
        ways.items_in(trees.chain(named))
    }

    /// The place of what no tree holds that anything leads to.
    fn without_path(&self, id: ObjectId) -> Place {
        let refs = self.named.get(&id).into_iter().flatten();
        let mut place = Place::of(id, None, Still::of(refs));
        place.fate.logged = self.logged.contains(&id);
        place
    }

    fn of_commit(&self, id: ObjectId) -> Place {
        let Some(rank) = self.graph.rank(&id) else {
            return self.without_path(id);
        };
        let tips: Vec<Rank> = self.tips.iter().map(|tip| tip.1).chain(self.head).collect();
        let reached = self.graph.contains(&[rank], &tips);
        let refs = self.tips.iter().zip(&reached);
        let refs = refs.filter(|(_, mask)| **mask != 0).map(|(tip, _)| &tip.0);
        let mut still = Still::of(refs);
        still.in_head = self.head.is_some() && reached.last() == Some(&1);
        let span = Span {
            first: rank,
            last: rank,
            reached: self.graph.reached(rank),
        };
        Place::of(id, Some(span), still)
    }

    /// What is told of a commit. One may have brought thousands of secrets.
    fn note(&self, rank: Rank) -> CommitNote {
        let known = || self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(note) = known().get(&rank) {
            return note.clone();
        }
        let id = self.graph.id(rank);
        let author = match self.run.read(id) {
            Ok(read) => object::author(read.bytes()),
            Err(why) => {
                self.run.lose([id], &why);
                String::new()
            }
        };
        let note = CommitNote {
            id,
            author,
            time: self.graph.time(rank),
        };
        known().insert(rank, note.clone());
        note
    }

    /// A finding with what is known of its place.
    pub(super) fn traced(&self, mut finding: Finding, part: Part, place: &Place) -> Finding {
        let first = place.first.first.map(|first| self.note(first));
        finding.origin.part = part;
        finding.origin.git = Some(GitOrigin {
            object: place.object(),
            commit: first.as_ref().map(|commit| commit.id),
        });
        let Fate { span, still, .. } = &place.fate;
        let name = |&index: &u32| self.refs.refs[index as usize].name.clone();
        finding.trace = Some(Box::new(Trace {
            first,
            last: span.map(|span| self.note(span.last)),
            refs: still.refs.iter().map(name).collect(),
            refs_total: still.refs_total as u32,
            state: place.fate.state(self.certain),
            group: 0,
        }));
        finding
    }
}

/// Which blobs to show for some secrets, under which paths.
pub(super) fn to_show(places: impl Iterator<Item = (Arc<str>, SecretId, Place)>) -> Blobs {
    let mut shown = Blobs::new();
    for (path, secret, place) in places {
        let paths = shown.entry(place.object()).or_default();
        paths.entry(path).or_default().push((secret, place));
    }
    shown
}

/// What commits have, and what only trees have that references name: the best reached first, then in the
/// order of commits.
fn in_order(
    spans: HashMap<Item, Span>,
    alive: &HashMap<Item, Vec<u32>>,
) -> Vec<(Item, Option<Span>)> {
    let without = alive.keys().filter(|item| !spans.contains_key(item));
    let mut items: Vec<_> = without.map(|item| (*item, None)).collect();
    items.extend(spans.into_iter().map(|(item, span)| (item, Some(span))));
    items.sort_unstable_by_key(|(item, span)| {
        let order = span.map_or((Reached::Refs, Rank::MAX), |s| (s.reached, s.first));
        (order, *item)
    });
    items
}

impl Place {
    fn new(first: Try, fate: Fate) -> Self {
        Self {
            first,
            others: Vec::new(),
            fate,
        }
    }

    /// A place of which one object tells.
    fn of(object: ObjectId, span: Option<Span>, still: Still) -> Self {
        let only = Try {
            object,
            first: span.map(|span| span.first),
            covers: None,
        };
        let fate = Fate {
            span,
            still,
            logged: false,
        };
        Self::new(only, fate)
    }

    /// The object to show.
    fn object(&self) -> ObjectId {
        self.first.object
    }

    /// Adds an object, of later commits than those before, if it may show the secret where they do not: what
    /// shows another in its place there does so wherever that stands.
    fn may_be_shown_in(&mut self, one: Try) {
        let is_like = |other: &Try| other.covers.is_none() || other.covers == one.covers;
        let is_enough = self.others.len() >= MOST_TRIES && one.covers.is_some();
        if !is_enough && !is_like(&self.first) && !self.others.iter().any(is_like) {
            self.others.push(one);
        }
    }

    /// The same place with the next object to show. `None` where that was the last.
    pub(super) fn next(mut self) -> Option<Self> {
        if self.others.is_empty() {
            return None;
        }
        self.first = self.others.remove(0);
        Some(self)
    }
}

impl Fate {
    /// Adds that the commits of another item have it too.
    fn extend(&mut self, span: Option<Span>, still: &Still) {
        if let (Some(own), Some(span)) = (&mut self.span, span)
            && own.reached == span.reached
        {
            own.first = own.first.min(span.first);
            own.last = own.last.max(span.last);
        }
        self.still.extend(still);
    }

    /// How much of the repository still shows it; `certain` where all that may lead there was read.
    fn state(&self, certain: bool) -> State {
        let alone = match self.logged {
            true => Reached::Reflog,
            false => Reached::Nowhere,
        };
        let reached = self.span.map_or(alone, |span| span.reached);
        if self.still.in_head {
            State::Head
        } else if self.still.refs_total > 0 {
            State::Ref
        } else {
            match reached {
                Reached::Refs => State::History,
                _ if !certain => State::Unknown,
                Reached::Reflog => State::Reflog,
                Reached::Nowhere => State::Dangling,
            }
        }
    }
}

impl Still {
    /// Of some references; `u32::MAX` stands for the checked-out commit.
    fn of<'r>(refs: impl IntoIterator<Item = &'r u32>) -> Self {
        let mut refs: Vec<u32> = refs.into_iter().copied().collect();
        refs.sort_unstable();
        refs.dedup();
        let in_head = refs.pop_if(|last| *last == u32::MAX).is_some();
        let refs_total = refs.len();
        refs.truncate(MOST_REFS);
        refs.shrink_to_fit();
        Self {
            refs,
            refs_total,
            in_head,
        }
    }

    /// Adds another item of the same path, which other references have: each has one there.
    fn extend(&mut self, other: &Self) {
        self.refs.extend(&other.refs);
        self.refs.sort_unstable();
        self.refs.truncate(MOST_REFS);
        self.refs_total += other.refs_total;
        self.in_head |= other.in_head;
    }
}

/// Numbers the secrets, the gravest first, and puts the findings into that order. There may be a hundred
/// thousand of them, so they stay where they are.
pub(super) fn group(findings: &mut [Finding]) {
    // One place may have held several secrets, one after the other. Their values decide then, so that
    // two sweeps number them alike.
    fn place(finding: &Finding) -> impl Ord {
        (finding.path(), finding.byte_start(), finding.fingerprint)
    }
    findings.sort_unstable_by(|a, b| (&a.secret, place(a)).cmp(&(&b.secret, place(b))));
    let mut groups = Vec::new();
    let mut start = 0;
    for group in findings.chunk_by(|a, b| a.secret == b.secret) {
        let gravest = group.iter().map(|f| (f.severity, f.confidence)).max();
        let traces = group.iter().filter_map(|f| f.trace.as_ref());
        let state = traces.map(|trace| trace.state).min();
        groups.push((std::cmp::Reverse(gravest), state, start));
        start += group.len();
    }
    groups.sort_by(|a, b| {
        let order =
            |&(gravest, state, start): &(_, _, usize)| (gravest, state, place(&findings[start]));
        order(a).cmp(&order(b))
    });
    let starts: Vec<usize> = groups.into_iter().map(|(_, _, start)| start).collect();
    for (number, start) in (1..).zip(starts) {
        let secret = findings[start].secret.clone();
        let group = findings[start..].iter_mut();
        for finding in group.take_while(|finding| finding.secret == secret) {
            if let Some(trace) = &mut finding.trace {
                trace.group = number;
            }
        }
    }
    findings.sort_by_key(|finding| finding.trace.as_ref().map(|trace| trace.group));
}

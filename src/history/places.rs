//! From objects with secrets to findings: one for each secret in each path, with its commits.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::finding::{CommitNote, Finding, State, Trace};
use crate::git::Kind;
use crate::git::object::{self, Commit};
use crate::git::refs::Refs;
use crate::judge::place::Place as PathPlace;
use crate::ledger::Ledger;
use crate::pipeline::mask_names;
use crate::unit::{GitOrigin, ObjectId, Origin, Part, Unit, path_text};

use super::graph::{Graph, Rank, Reached};
use super::holders::{Edge, Number};
use super::secrets::SecretId;
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

/// One path with what some commits have there, or trees that references name.
pub(super) struct Place {
    /// The object to show: the one that the first of the commits has.
    object: ObjectId,
    span: Option<Span>,
    /// References whose newest commit has it.
    refs: Vec<u32>,
    in_head: bool,
}

/// The findings of a sweep. What can no longer be read is told to the ledger.
pub(super) fn findings(
    run: &Run<'_>,
    found: &Found,
    trees: Trees,
    (refs, certain): (&Refs, bool),
    ledger: &mut Ledger,
) -> Vec<Finding> {
    // Who reaches which commit is asked only of what was found.
    let commits = match found.is_empty() && trees.telling.is_empty() {
        true => &[],
        false => &*found.commits,
    };
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

/// Whether a reference leads to it, or may: a clone or a mirror push would hand it on.
pub(super) fn may_be_reachable(finding: &Finding) -> bool {
    let state = finding.trace.as_ref().map(|trace| trace.state);
    state.is_some_and(|state| state <= State::Unknown)
}

impl<'p> Places<'p> {
    fn new(
        run: &'p Run<'p>,
        commits: &[(ObjectId, Commit)],
        refs: &'p Refs,
        certain: bool,
    ) -> Self {
        let mut graph = Graph::new(commits, run.store);
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
        let logged = refs.reflog.iter().filter_map(|id| graph.rank(id));
        let logged: Vec<Rank> = logged.collect();
        graph.mark(tips.iter().map(|tip| tip.1).chain(head), Reached::Refs);
        graph.mark(logged, Reached::Reflog);
        Self {
            run,
            graph,
            refs,
            tips,
            trees,
            named,
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
            let fit = secrets.filter(|(_, kinds)| kinds.fit(path));
            fit.map(|(secret, _)| *secret).collect()
        });
        let mut shown = Blobs::new();
        let mut homeless: HashSet<ObjectId> = found.blobs.keys().copied().collect();
        for object in objects {
            homeless.remove(&self.run.store.id(object));
        }
        for ((path, secret), place) in placed {
            let paths = shown.entry(place.object).or_default();
            paths.entry(path).or_default().push((secret, place));
        }
        for id in homeless {
            let path: Arc<str> = id.to_string().into();
            let of_path = PathPlace::of(&path);
            let fit = found.blobs[&id]
                .secrets
                .iter()
                .filter(|(_, kinds)| kinds.fit(&of_path));
            let secrets = fit.map(|(secret, _)| (*secret, self.without_path(id)));
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
            telling.cloned().unwrap_or_default()
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
            let Ok(read) = self.run.reader.try_read(*id) else {
                continue;
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
            let place = Place {
                object: reference.target,
                span: None,
                refs: vec![index as u32],
                in_head: false,
            };
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
        secrets: impl Fn(Number, &PathPlace) -> Vec<SecretId> + Sync,
    ) -> (Placed, HashSet<Number>) {
        let spans = ways.items(&self.graph);
        let alive = self.alive(ways);
        let items = in_order(spans, &alive);
        let mut placed = Placed::new();
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
            let secrets = secrets(item.object, &paths[&item.path].1);
            (id(item.object), secrets)
        });
        let told: Vec<(ObjectId, Vec<SecretId>)> = told.collect();
        for ((item, span), (object, secrets)) in items.iter().zip(told) {
            let (path, _) = &paths[&item.path];
            for secret in secrets {
                let place = placed
                    .entry((path.clone(), secret))
                    .or_insert_with(|| Place {
                        object,
                        span: *span,
                        refs: Vec::new(),
                        in_head: false,
                    });
                let still = [alive.get(item), self.named.get(&object)];
                place.extend(*span, still.into_iter().flatten().flatten());
            }
        }
        for place in placed.values_mut() {
            place.refs.sort_unstable();
            place.refs.dedup();
        }
        let objects = items.iter().map(|(item, _)| item.object).collect();
        (placed, objects)
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
        Place {
            object: id,
            span: None,
            refs: self.named.get(&id).cloned().unwrap_or_default(),
            in_head: false,
        }
    }

    fn of_commit(&self, id: ObjectId) -> Place {
        let Some(rank) = self.graph.rank(&id) else {
            return self.without_path(id);
        };
        let tips: Vec<Rank> = self.tips.iter().map(|tip| tip.1).chain(self.head).collect();
        let reached = self.graph.contains(&[rank], &tips);
        let refs = self.tips.iter().zip(&reached);
        Place {
            object: id,
            span: Some(Span {
                first: rank,
                last: rank,
                reached: self.graph.reached(rank),
            }),
            refs: refs
                .filter(|(_, mask)| **mask != 0)
                .map(|(tip, _)| tip.0)
                .collect(),
            in_head: self.head.is_some() && reached.last() == Some(&1),
        }
    }

    /// What is told of a commit. One may have brought thousands of secrets.
    fn note(&self, rank: Rank) -> CommitNote {
        let known = || self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(note) = known().get(&rank) {
            return note.clone();
        }
        let id = self.graph.id(rank);
        let read = self.run.reader.try_read(id);
        let note = CommitNote {
            id,
            author: read.map_or_else(|_| String::new(), |read| object::author(read.bytes())),
            time: self.graph.time(rank),
        };
        known().insert(rank, note.clone());
        note
    }

    /// A finding with what is known of its place.
    pub(super) fn traced(&self, mut finding: Finding, part: Part, place: &Place) -> Finding {
        let first = place.span.map(|span| self.note(span.first));
        finding.origin.part = part;
        finding.origin.git = Some(GitOrigin {
            object: place.object,
            commit: first.as_ref().map(|commit| commit.id),
        });
        let mut refs = place.refs.clone();
        refs.sort_unstable();
        let shown = refs.iter().take(MOST_REFS);
        finding.trace = Some(Box::new(Trace {
            first,
            last: place.span.map(|span| self.note(span.last)),
            refs: shown
                .map(|&index| self.refs.refs[index as usize].name.clone())
                .collect(),
            refs_total: place.refs.len() as u32,
            state: place.state(self.certain),
            group: 0,
        }));
        finding
    }
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
    /// Adds that other commits have the secret in the same path too. References may then be listed twice.
    fn extend<'r>(&mut self, span: Option<Span>, still: impl Iterator<Item = &'r u32>) {
        if let (Some(own), Some(span)) = (&mut self.span, span)
            && own.reached == span.reached
        {
            own.first = own.first.min(span.first);
            own.last = own.last.max(span.last);
        }
        for &reference in still {
            if reference == u32::MAX {
                self.in_head = true;
            } else {
                self.refs.push(reference);
            }
        }
    }

    /// How much of the repository still shows it; `certain` where all that may lead there was read.
    fn state(&self, certain: bool) -> State {
        let reached = self.span.map_or(Reached::Nowhere, |span| span.reached);
        if self.in_head {
            State::Head
        } else if !self.refs.is_empty() {
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

//! Everything that a mirror push would publish: each object of a repository looked at once.
//!
//! Three passes, each through the deltas of the packs ([`walk`]):
//!
//! 1. Blobs, commits and tags are searched ([`texts`]), a delta only where it changed something. Their
//!    paths are not known yet, so this finds what could be a secret under some path.
//! 2. Trees are read ([`names`]): their names are searched too, and of their entries those are kept
//!    that may lead to what was found.
//! 3. [`ways`] hands the commits down these trees: by which paths, since when, until when, and
//!    which references still have it. [`places`] makes the findings of that.
//!
//! The naive sweep reads every object whole through libgit2 and shares all but the first two passes'
//! shortcuts. It is slow and simple, and the tests demand that both find the same.

pub mod ahead;
mod alike;
mod around;
pub mod changes;
mod compare;
pub mod graph;
mod groups;
pub mod holders;
mod missing;
pub mod names;
mod near;
pub mod places;
pub mod screen;
pub mod secrets;
pub mod seen;
mod show;
pub mod texts;
pub mod walk;
pub mod ways;
mod wide;
mod windows;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::error::Error;
use crate::git::object::Commit;
use crate::git::reader::{Object, Reader};
use crate::git::repo::{Completeness, PARTIAL, Repo};
use crate::git::store::Store;
use crate::git::{Kind, refs::Refs};
use crate::judge::place::Kinds;
use crate::ledger::{Ledger, Reason};
use crate::pipeline::{Outcome, Progress, Sweep};
use crate::span::ViewSpan;
use crate::unit::{ObjectId, Origin, Unit};

use holders::{Edge, Holders, Noted};
use names::{Names, Quest, Wanted, least};
use secrets::{Held, SecretId, Secrets, Spot};
use texts::Texts;
use walk::{LazyId, Unread, Visit, Walk};

/// What to sweep and how.
pub struct Request<'r> {
    pub sweep: &'r Sweep,
    pub repo: &'r Repo,
    /// The objects to read.
    pub store: Store,
    /// Leave out what no reference leads to.
    pub reachable_only: bool,
    /// Read every object whole. Finds the same, slowly.
    pub naive: bool,
}

/// What the passes have found, by object.
#[derive(Default)]
struct Found {
    /// How many objects were read.
    objects: u64,
    blobs: HashMap<ObjectId, Holding>,
    /// Commits and tags with secrets in their words.
    words: BTreeMap<ObjectId, (Kind, Vec<SecretId>)>,
    commits: Vec<(ObjectId, Commit)>,
    lfs_pointers: Vec<ObjectId>,
    /// Blobs that were read as notebooks for what they hold.
    notebooks: HashSet<ObjectId>,
}

/// What a blob holds.
#[derive(Default)]
struct Holding {
    /// Its secrets.
    secrets: Vec<Held>,
    /// Where all that is taken for secrets stands, if it is plain text.
    places: Option<Stands>,
}

/// Where secrets stand in a text, in order.
struct Stands {
    all: Box<[ViewSpan]>,
    /// Those of rules that look far, and those in encodings, where as many bytes say less.
    far: Box<[ViewSpan]>,
    /// The secrets that may be seen in the whole text only, in order: that they are found hangs on what
    /// their rules matched before.
    chained: Box<[SecretId]>,
}

impl Stands {
    fn of(spots: &[Spot]) -> Self {
        let far = spots.iter().filter(|spot| spot.far || spot.coded);
        let chained = spots.iter().filter(|spot| spot.chained);
        let mut chained: Vec<SecretId> = chained.map(|spot| spot.secret).collect();
        chained.sort_unstable();
        Self {
            all: spots.iter().map(Spot::span).collect(),
            far: far.map(Spot::span).collect(),
            chained: chained.into(),
        }
    }
}

impl Found {
    /// Whether there is no secret.
    fn is_empty(&self) -> bool {
        self.blobs.is_empty() && self.words.is_empty()
    }
}

/// What the trees say.
#[derive(Default)]
struct Trees {
    names: Vec<Box<[u8]>>,
    numbers: HashMap<Box<[u8]>, u32>,
    noted: Vec<Noted>,
    /// Of what was noted.
    holders: Holders,
    /// Entries that are wanted blobs.
    leaves: Vec<Edge>,
    named: Vec<Edge>,
    telling: HashMap<Box<[u8]>, Vec<SecretId>>,
    notebooks: HashSet<ObjectId>,
    /// An object that some tree names and that is not here.
    missing: Option<ObjectId>,
}

/// A sweep under way.
struct Run<'r> {
    sweep: &'r Sweep,
    naive: bool,
    store: &'r Store,
    reader: &'r Reader,
    secrets: &'r Secrets,
    progress: &'r Progress,
    stop: &'r AtomicBool,
    unread: Mutex<Vec<Unread>>,
}

/// Objects of which the survey is kept while the places of secrets are looked for, which takes memory too:
/// to make it again takes little of a sweep's time. In tests there are some with more.
const MOST_SURVEYED: u64 = if cfg!(test) { 40 } else { 1 << 19 };

/// Sweeps a history. Ends early, with what was found so far, when `stop` becomes true; the ledger
/// then says that it is not complete.
///
/// # Errors
/// When libgit2 cannot read the object folders.
pub fn run(
    request: &Request<'_>,
    progress: &Progress,
    stop: &AtomicBool,
) -> Result<Outcome, Error> {
    let store = &request.store;
    let mut reader = store.reader()?;
    let refused = store.refused();
    if !refused.is_empty() {
        reader.keep(ahead::read(&refused, &reader));
    }
    let secrets = Secrets::new(request.sweep.options().fingerprint_key.clone());
    progress.expected.store(store.len(), Ordering::Relaxed);
    let run = Run {
        sweep: request.sweep,
        naive: request.naive,
        store,
        reader: &reader,
        secrets: &secrets,
        progress,
        stop,
        unread: Mutex::default(),
    };
    let (mut found, refs) = run.texts_and_refs(request.repo);
    let trees = run.trees(&mut found);
    let clone = request.repo.completeness();
    let missing = missing::led_to(&run, &found.commits, trees.missing, &refs, clone.shallow);
    let certain = run.is_certain(&refs, missing);
    let mut ledger = run.ledger(&found, request.repo, (clone, missing));
    for fault in refs.faults.iter().chain(&refs.log_faults) {
        ledger.leave_out(fault.reason, fault.place.as_str().into(), &*fault.why);
    }
    if store.len() > MOST_SURVEYED {
        store.forget_survey();
    }
    let mut findings = places::findings(&run, &found, trees, (&refs, certain), &mut ledger);
    run.tell_unread(&mut ledger);
    store.forget_survey();
    ledger.sort();
    if request.reachable_only {
        findings.retain(places::may_be_reachable);
    }
    places::group(&mut findings);
    Ok(Outcome { findings, ledger })
}

impl Run<'_> {
    /// The first pass, and the references, which one thread reads meanwhile.
    fn texts_and_refs(&self, repo: &Repo) -> (Found, Refs) {
        std::thread::scope(|scope| {
            let texts = scope.spawn(|| self.texts());
            let refs = Refs::read(repo, self.reader);
            let found = texts.join().unwrap_or_else(|panic| resume_unwind(panic));
            (found, refs)
        })
    }

    /// The first pass.
    fn texts(&self) -> Found {
        let make = || Texts::new(self.sweep.scanner(), self.secrets);
        let mut found = Found::default();
        for texts in self.visit(&[Kind::Blob, Kind::Commit, Kind::Tag], make) {
            for holder in texts.found {
                let secrets = secrets::held(&holder.spots);
                if holder.kind == Kind::Blob {
                    let places = holder.plain.then(|| Stands::of(&holder.spots));
                    let holding = Holding { secrets, places };
                    found.blobs.insert(holder.id, holding);
                } else {
                    let ids = secrets.into_iter().map(|held| held.secret);
                    found.words.insert(holder.id, (holder.kind, ids.collect()));
                }
            }
            found.commits.extend(texts.commits);
            found.lfs_pointers.extend(texts.lfs_pointers);
            found.notebooks.extend(texts.notebooks);
            self.lose(texts.malformed, "is no commit as git writes it");
        }
        found
    }

    /// Notes objects that could not be read.
    fn lose(&self, ids: impl IntoIterator<Item = ObjectId>, why: &str) {
        let lost = ids.into_iter().map(|id| Unread {
            id,
            why: why.to_owned(),
        });
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        unread.extend(lost);
    }

    /// The second pass. A blob that only its name makes a notebook is known as one only now; and
    /// what leads to it, or to a telling name, is sought in a further pass.
    fn trees(&self, found: &mut Found) -> Trees {
        let none = HashSet::new();
        let mut trees = self.read_trees(found, &none);
        // Further passes read no others.
        found.objects = self.progress.done.load(Ordering::Relaxed);
        let late = self.late_notebooks(&trees, found);
        if late || !trees.telling.is_empty() {
            let names: HashSet<Box<[u8]>> = trees.telling.keys().cloned().collect();
            let again = self.read_trees(found, &names);
            trees.holders = again.holders;
            trees.leaves = again.leaves;
            trees.named = again.named;
            trees.names = again.names;
        }
        trees
    }

    fn read_trees(&self, found: &Found, names: &HashSet<Box<[u8]>>) -> Trees {
        let blobs = Wanted::new(found.blobs.keys().copied());
        let objects = self.store.len() as usize;
        let ways = !blobs.is_empty() || !names.is_empty();
        let mut noted = Vec::new();
        noted.resize_with(if ways { objects } else { 0 }, AtomicBool::default);
        let quest = Quest {
            store: self.store,
            secrets: self.secrets,
            blobs: &blobs,
            names,
            noted: &noted,
        };
        let make = || Names::new(quest, self.sweep.scanner());
        let mut trees = Trees::default();
        for mut seen in self.visit(&[Kind::Tree], make) {
            let malformed = std::mem::take(&mut seen.malformed);
            self.lose(malformed, "is no tree as git writes it");
            trees.add(seen);
        }
        trees.holders = Holders::new(&std::mem::take(&mut trees.noted), objects);
        let blobs = found.blobs.par_iter();
        let held = blobs.flat_map_iter(|(id, _)| {
            let mut leaves = Vec::new();
            if let Some(blob) = self.store.number(id) {
                trees.holders.of(blob, &mut leaves);
            }
            leaves
        });
        trees.leaves = held.collect();
        for edges in [&mut trees.leaves, &mut trees.named] {
            edges.par_sort_unstable();
            edges.dedup();
        }
        trees
    }

    /// Searches the blobs that are notebooks by name only; says whether anything new was found.
    fn late_notebooks(&self, trees: &Trees, found: &mut Found) -> bool {
        let late = trees.notebooks.difference(&found.notebooks);
        let late: Vec<ObjectId> = late.copied().collect();
        let mut any = false;
        for id in late {
            let object = match self.read(id) {
                Ok(object) => object,
                Err(why) => {
                    self.lose([id], &why);
                    continue;
                }
            };
            let unit = Unit::whole(Origin::file("notebook.ipynb"), object.bytes());
            let mut scanner = self.sweep.scanner();
            let secrets = scanner.scan(&unit).iter();
            let secrets = secrets.map(|finding| Held {
                secret: self.secrets.number(finding),
                kinds: Kinds::ALL,
                covers: None,
            });
            let secrets: Vec<_> = secrets.collect();
            if !secrets.is_empty() {
                any = true;
                let holding = found.blobs.entry(id).or_default();
                holding.secrets.extend(secrets);
                holding.secrets = secrets::once_each(std::mem::take(&mut holding.secrets));
                // These are places in a notebook.
                holding.places = None;
            }
        }
        any
    }

    /// Reads an object once more, as it was read before: from a pack where its own file is broken.
    ///
    /// # Errors
    /// When it can no longer be read, in words.
    fn read(&self, id: ObjectId) -> Result<Object<'_>, String> {
        let read = self.reader.try_read(id);
        match self.store.packed(&id) {
            Some(_) if read.is_err() => self.reader.read_packed(id),
            _ => read,
        }
    }

    /// Shows all objects of these kinds to visitors.
    fn visit<V: Visit>(&self, kinds: &[Kind], make: impl Fn() -> V + Sync) -> Vec<V> {
        if self.naive {
            return self.visit_naively(kinds, make);
        }
        let walk = Walk {
            store: self.store,
            reader: self.reader,
            kinds,
            progress: self.progress,
            stop: self.stop,
            unread: &self.unread,
        };
        walk.run(make)
    }

    /// The oracle: every object by itself, read by libgit2.
    fn visit_naively<V: Visit>(&self, kinds: &[Kind], make: impl Fn() -> V + Sync) -> Vec<V> {
        let packed = self.store.packs.iter();
        let packed = packed.flat_map(|pack| (0..pack.len()).map(|number| pack.id(number)));
        let ids: Vec<ObjectId> = packed.chain(self.store.loose.iter().copied()).collect();
        ids.par_chunks(1024)
            .map(|ids| {
                let mut visitor = make();
                for &id in ids {
                    if self.stop.load(Ordering::Relaxed) {
                        break;
                    }
                    self.visit_one(id, kinds, &mut visitor);
                }
                visitor
            })
            .collect()
    }

    fn visit_one<V: Visit>(&self, id: ObjectId, kinds: &[Kind], visitor: &mut V) {
        match self.read(id) {
            Ok(object) => {
                if let Some(why) = object.fault() {
                    self.lose([id], why);
                }
                let kind = object.kind;
                if kinds.contains(&kind) {
                    let bytes = object.bytes();
                    self.progress.done.fetch_add(1, Ordering::Relaxed);
                    let read = &self.progress.bytes;
                    read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    visitor.whole(LazyId::Known(id), kind, bytes);
                }
            }
            Err(why) => self.lose([id], &why),
        }
    }

    /// Whether all could be read that may lead to what was found.
    fn is_certain(&self, refs: &Refs, missing: Option<ObjectId>) -> bool {
        let unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        let stopped = self.stop.load(Ordering::Relaxed);
        let read = refs.faults.is_empty() && self.store.faults.is_empty() && unread.is_empty();
        read && !stopped && missing.is_none()
    }

    /// Tells the ledger of the objects that could not be read since it was told last.
    fn tell_unread(&self, ledger: &mut Ledger) {
        let mut unread =
            std::mem::take(&mut *self.unread.lock().unwrap_or_else(PoisonError::into_inner));
        unread.sort();
        unread.dedup_by_key(|unread| unread.id);
        for Unread { id, why } in unread {
            ledger.leave_out(Reason::Unreadable, format!("object {id}").into(), why);
        }
    }

    /// What was read and what was not.
    fn ledger(
        &self,
        found: &Found,
        repo: &Repo,
        (clone, gone): (Completeness, Option<ObjectId>),
    ) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.objects = found.objects;
        ledger.commits = found.commits.len() as u64;
        ledger.bytes = self.progress.bytes.load(Ordering::Relaxed);
        let repo: Arc<str> = repo.common_dir().to_string_lossy().into();
        for fault in &self.store.faults {
            ledger.leave_out(Reason::Unreadable, repo.clone(), fault.to_string());
        }
        self.tell_unread(&mut ledger);
        let mut missing = |what: &str| ledger.leave_out(Reason::Missing, repo.clone(), what);
        if clone.shallow {
            missing("a shallow clone: older commits are not here; run: git fetch --unshallow");
        }
        match gone {
            // It says for good that it is one, also when the rest was fetched since.
            Some(_) if clone.partial => missing(&format!("{PARTIAL}, or sweep a full clone")),
            Some(id) => missing(&format!(
                "object {id} is named and not here; all that are missing: git fsck --connectivity-only"
            )),
            None => {}
        }
        let pointers = found.lfs_pointers.len();
        if pointers > 0 {
            missing(&format!(
                "{pointers} versions of files are kept by Git LFS and not read; after git lfs fetch --all, scan .git/lfs"
            ));
        }
        if self.stop.load(Ordering::Relaxed) {
            missing("stopped before all objects were read");
        }
        ledger
    }
}

impl Trees {
    /// Adds what one thread saw, under the numbers of one table of names.
    fn add(&mut self, seen: Names<'_>) {
        let mut numbers = Vec::with_capacity(seen.table.len());
        for name in seen.table {
            let next = self.numbers.len() as u32;
            let number = *self.numbers.entry(name.clone()).or_insert(next);
            if number == next {
                self.names.push(name);
            }
            numbers.push(number);
        }
        let renamed = |edge: Edge| Edge {
            name: numbers[edge.name as usize],
            ..edge
        };
        let mut noted = seen.noted;
        noted.rename(&numbers);
        self.noted.push(noted);
        self.named.extend(seen.named.into_iter().map(renamed));
        for (name, secret) in seen.telling {
            let secrets = self.telling.entry(name).or_default();
            if !secrets.contains(&secret) {
                secrets.push(secret);
            }
        }
        self.notebooks.extend(seen.notebooks);
        self.missing = least(self.missing, seen.missing);
    }
}

//! Visits the objects of a store, all or some, once each, and each delta from its base.
//!
//! The deltas of a pack form trees. A tree is walked from its root down: an object is made from its
//! base's bytes, shown to the visitor together with what the visitor kept of the base, and lives
//! until its last delta is made. Trees are shared out to threads, and so are the branches of large
//! ones.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use zlib_rs::Inflate;

use super::alike::{self, Root};
use super::changes::Changes;
use super::compare::Comparer;
use crate::git::Kind;
use crate::git::forest::{Base, Entry, Forest};
use crate::git::pack::{Inflater, Pack, WINDOW_BITS};
use crate::git::reader::{Object, Reader};
use crate::git::store::Store;
use crate::pipeline::Progress;
use crate::pool::Pool;
use crate::sniff;
use crate::unit::ObjectId;

/// A branch of so many deltas is worth a task of its own.
const BRANCH: u32 = 64;
/// Roots walked in one task, or objects read by themselves, at most.
const BATCH: usize = 32;
/// Tasks for each thread at least, if there are so many roots.
const TASKS: usize = 8;
/// Bytes of all objects of a tree, as far as can be told beforehand, from which on it is begun
/// before the others: what is begun last should not take long. If there are few, so are those that have
/// more than one in [`SHARES`] of the bytes of all.
const LARGE: u64 = 16 << 20;
const SHARES: u64 = 64;
/// A row of objects that are compared has no more than one in so many of them either. In tests it may have all.
const ROWS: u64 = if cfg!(test) { 1 } else { 16 };
/// Buffers a worker keeps for objects to come.
const SPARE: usize = 8;
/// Bytes of the largest of them.
const SPARE_BYTES: usize = 1 << 20;

/// An object that takes up so many bytes in its pack, and hardly fewer than by itself, may be a
/// picture or an archive. That takes longest to inflate and can often be told by how it begins.
const DENSE_BYTES: u64 = 4 << 10;

/// The id of an object, which is read when somebody asks for it. Most are never asked for, and one in the
/// index of a pack stands so far off in memory that to read it takes as long as all else that is done
/// with a small object.
#[derive(Clone, Copy)]
pub enum LazyId<'p> {
    Known(ObjectId),
    /// The object of that number in a pack.
    Packed(&'p Pack, u32),
}

impl LazyId<'_> {
    pub fn read(self) -> ObjectId {
        match self {
            Self::Known(id) => id,
            Self::Packed(pack, number) => pack.id(number),
        }
    }

    /// The number of the object in its store: in one of a single pack, that in the pack.
    pub fn number(self, store: &Store) -> Option<u32> {
        match self {
            Self::Packed(_, number) if store.packs.len() == 1 => Some(number),
            _ => store.number(&self.read()),
        }
    }
}

/// Looks at objects. Every thread has its own.
pub trait Visit: Send {
    /// What is kept of an object for the deltas made from it.
    type Seen: Send + Sync;
    /// Whether that helps with other objects that are like it.
    const COMPARES: bool = false;

    /// Whether an object that nothing is built on needs to be read for how it begins, with `head` or
    /// all of it. What needs not is never shown.
    fn wants(&self, _kind: Kind, _head: &[u8]) -> bool {
        true
    }

    /// An object that is not looked at as a delta.
    fn whole(&mut self, id: LazyId<'_>, kind: Kind, bytes: &[u8]) -> Self::Seen;

    /// An object made from `base`, or one that is like it.
    fn delta(
        &mut self,
        id: LazyId<'_>,
        kind: Kind,
        base: &Self::Seen,
        changes: &Changes,
        bytes: &[u8],
    ) -> Self::Seen;
}

/// An object that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    pub id: ObjectId,
    pub why: String,
}

/// A walk through a store.
pub struct Walk<'a> {
    pub store: &'a Store,
    /// Reads the objects that are not reached through a pack's forest.
    pub reader: &'a Reader,
    /// The kinds of objects to visit; others may come along and are the visitor's to leave.
    pub kinds: &'a [Kind],
    pub progress: &'a Progress,
    /// Ends the walk early when it becomes true.
    pub stop: &'a AtomicBool,
    pub unread: &'a Mutex<Vec<Unread>>,
}

/// An object with what was seen in it, kept for its deltas.
struct Live<S> {
    kind: Kind,
    bytes: Vec<u8>,
    seen: S,
}

/// What is at hand for an object.
enum Known<'l, S> {
    Nothing,
    /// What its delta was made from.
    Base(&'l Live<S>),
    /// What may be like it.
    Like(&'l Live<S>),
}

/// What one thread works with.
struct Worker<V: Visit> {
    visitor: V,
    inflater: Inflater,
    /// Reads how objects begin.
    peeker: Inflate,
    packed: Vec<u8>,
    changes: Changes,
    comparer: Comparer,
    spare: Vec<Vec<u8>>,
}

/// A delta still to visit, with its base.
type Job<S> = (u32, Arc<Live<S>>);

impl Walk<'_> {
    /// Visits all objects; gives the visitors that did so.
    pub fn run<V: Visit>(&self, make: impl Fn() -> V + Sync) -> Vec<V> {
        let workers = Pool::default();
        for pack in &self.store.packs {
            self.visit_pack(pack, &pack.forest(), &workers, &make);
        }
        self.visit_singly(&self.store.loose, &workers, &make);
        visitors(workers)
    }

    /// Visits some objects, and of the packs those that they are built on. Nothing of the packs' survey
    /// is left then.
    pub fn run_to<V: Visit>(&self, ids: &[ObjectId], make: impl Fn() -> V + Sync) -> Vec<V> {
        let mut packed: Vec<HashSet<u32>> = vec![HashSet::new(); self.store.packs.len()];
        let mut loose = Vec::new();
        for id in ids {
            match self.store.packed(id) {
                Some((pack, number)) => {
                    packed[pack].insert(number);
                }
                None => loose.push(*id),
            }
        }
        let workers = Pool::default();
        for (pack, wanted) in self.store.packs.iter().zip(packed) {
            if wanted.is_empty() {
                pack.forget_forest();
                continue;
            }
            let forest = pack.take_forest();
            let forest = forest.leading_to(|entry| wanted.contains(&entry.number));
            self.visit_pack(pack, &forest, &workers, &make);
        }
        self.visit_singly(&loose, &workers, &make);
        visitors(workers)
    }

    /// Visits some objects, each read by itself.
    pub fn run_singly<V: Visit>(&self, ids: &[ObjectId], make: impl Fn() -> V + Sync) -> Vec<V> {
        let workers = Pool::default();
        self.visit_singly(ids, &workers, &make);
        visitors(workers)
    }

    fn visit_pack<V: Visit>(
        &self,
        pack: &Pack,
        forest: &Forest,
        workers: &Pool<Worker<V>>,
        make: &(impl Fn() -> V + Sync),
    ) {
        let grove = Grove {
            walk: self,
            pack,
            forest,
            workers,
            make,
        };
        grove.visit();
    }

    fn visit_singly<V: Visit>(
        &self,
        ids: &[ObjectId],
        workers: &Pool<Worker<V>>,
        make: &(impl Fn() -> V + Sync),
    ) {
        ids.par_chunks(batch(ids.len())).for_each(|ids| {
            let mut worker = workers.lend(|| Worker::new(make()));
            for id in ids {
                if self.stop.load(Ordering::Relaxed) {
                    break;
                }
                self.visit_single(*id, &mut worker);
            }
        });
    }

    /// Visits an object that is not reached through a pack's forest.
    fn visit_single<V: Visit>(
        &self,
        id: ObjectId,
        worker: &mut Worker<V>,
    ) -> Option<Live<V::Seen>> {
        match self.reader.try_read(id) {
            Ok(object) => Some(self.visit_read(id, object, worker)),
            Err(why) => {
                self.fail(id, why);
                None
            }
        }
    }

    /// Visits what was read by itself.
    fn visit_read<V: Visit>(
        &self,
        id: ObjectId,
        object: Object<'_>,
        worker: &mut Worker<V>,
    ) -> Live<V::Seen> {
        if let Some(why) = object.fault() {
            self.fail(id, why);
        }
        let kind = object.kind;
        let bytes = object.into_bytes();
        self.count(kind, bytes.len() as u64);
        let seen = worker.visitor.whole(LazyId::Known(id), kind, &bytes);
        Live { kind, bytes, seen }
    }

    /// Counts an object that was read, if it is one that is visited: others come along in each walk.
    fn count(&self, kind: Kind, bytes: u64) {
        let objects = u64::from(self.kinds.contains(&kind));
        self.progress.done.fetch_add(objects, Ordering::Relaxed);
        self.progress.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn fail(&self, id: ObjectId, why: impl Into<String>) {
        let why = why.into();
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        unread.push(Unread { id, why });
    }
}

/// How many of so many roots or objects one task takes.
fn batch(len: usize) -> usize {
    (len / (TASKS * rayon::current_num_threads())).clamp(1, BATCH)
}

/// Bytes of all that some roots lead to.
fn bytes(roots: &[Root]) -> u64 {
    let bytes = roots.iter().map(|root| root.bytes);
    bytes.fold(0, u64::saturating_add)
}

fn visitors<V: Visit>(workers: Pool<Worker<V>>) -> Vec<V> {
    let workers = workers.into_items().into_iter();
    workers.map(|worker| worker.visitor).collect()
}

/// The walk through one pack.
struct Grove<'a, V: Visit, F> {
    walk: &'a Walk<'a>,
    pack: &'a Pack,
    forest: &'a Forest,
    workers: &'a Pool<Worker<V>>,
    make: &'a F,
}

impl<V: Visit, F: Fn() -> V + Sync> Grove<'_, V, F> {
    fn visit(&self) {
        let mut roots = self.roots();
        let all = bytes(&roots);
        let rows = match V::COMPARES {
            true => alike::rows((self.pack, self.forest), &mut roots, LARGE.min(all / ROWS)),
            false => Vec::new(),
        };
        let least = LARGE.min(all / SHARES);
        let (large, small): (Vec<Root>, Vec<Root>) =
            roots.into_iter().partition(|root| root.bytes >= least);
        let large = large.into_iter().map(|root| vec![root]);
        let mut large: Vec<Vec<Root>> = large.chain(rows).collect();
        large.sort_by_key(|roots| bytes(roots));
        // This thread takes what was queued last, so the largest come last; the others take what
        // was queued first.
        let small = small.chunks(batch(small.len())).map(<[Root]>::to_vec);
        rayon::scope(|scope| {
            for roots in small.chain(large) {
                scope.spawn(move |scope| self.trees(scope, &roots));
            }
        });
    }

    /// The roots of the kinds that are visited.
    fn roots(&self) -> Vec<Root> {
        let wanted = |kind: Option<Kind>| kind.is_none_or(|kind| self.walk.kinds.contains(&kind));
        let roots = self.forest.roots();
        let roots = roots.filter(|(_, entry)| wanted(entry.kind));
        let root = |(place, entry): (u32, Entry)| Root {
            place,
            // Versions of one object are about as large as their root.
            bytes: entry.size.saturating_mul(self.forest.weight(place).into()),
            is_alike: false,
        };
        roots.map(root).collect()
    }

    /// Visits some roots, each with what hangs on it.
    fn trees<'s>(&'s self, scope: &rayon::Scope<'s>, roots: &[Root]) {
        let mut worker = self.workers.lend(|| Worker::new((self.make)()));
        let mut before = None;
        for (at, root) in roots.iter().enumerate() {
            if self.walk.stop.load(Ordering::Relaxed) {
                break;
            }
            let known = before.as_deref().map_or(Known::Nothing, Known::Like);
            let made = self.make(root.place, known, &mut worker);
            worker.reuse(before.take());
            let Some(live) = made else {
                self.lose(root.place);
                continue;
            };
            let live = Arc::new(live);
            let mut jobs = Vec::new();
            self.branch(scope, root.place, &live, &mut jobs);
            match roots.get(at + 1) {
                Some(next) if next.is_alike => before = Some(live),
                // The last of its deltas gives its buffer back.
                _ => worker.reuse(Some(live)),
            }
            self.work(scope, jobs, &mut worker);
        }
    }

    /// Visits some deltas and what hangs on them.
    fn work<'s>(
        &'s self,
        scope: &rayon::Scope<'s>,
        mut jobs: Vec<Job<V::Seen>>,
        worker: &mut Worker<V>,
    ) {
        while let Some((place, base)) = jobs.pop() {
            if self.walk.stop.load(Ordering::Relaxed) {
                break;
            }
            let made = self.make(place, Known::Base(&base), worker);
            worker.reuse(Some(base));
            match made {
                Some(live) if self.forest.deltas(place).is_empty() => worker.keep(live.bytes),
                Some(live) => self.branch(scope, place, &Arc::new(live), &mut jobs),
                None => self.lose(place),
            }
        }
    }

    /// Queues the deltas of an object: small branches for this task, large ones as tasks. The
    /// largest comes last, when nothing else needs the object any more: so few objects live at a
    /// time, however deep the tree is.
    fn branch<'s>(
        &'s self,
        scope: &rayon::Scope<'s>,
        place: u32,
        live: &Arc<Live<V::Seen>>,
        jobs: &mut Vec<Job<V::Seen>>,
    ) {
        let deltas = self.forest.deltas(place);
        let largest = deltas
            .iter()
            .copied()
            .max_by_key(|&d| self.forest.weight(d));
        jobs.extend(largest.map(|delta| (delta, live.clone())));
        for &delta in deltas.iter().filter(|&&delta| Some(delta) != largest) {
            let base = live.clone();
            if self.forest.weight(delta) < BRANCH {
                jobs.push((delta, base));
            } else {
                scope.spawn(move |scope| {
                    let mut worker = self.workers.lend(|| Worker::new((self.make)()));
                    self.work(scope, vec![(delta, base)], &mut worker);
                });
            }
        }
    }

    /// Says of the deltas of an object that could not be read that they could not either.
    fn lose(&self, place: u32) {
        let mut lost: Vec<u32> = self.forest.deltas(place).to_vec();
        while let Some(delta) = lost.pop() {
            let id = self.pack.id(self.forest.entry(delta).number);
            self.walk
                .fail(id, "is built on an object that cannot be read");
            lost.extend(self.forest.deltas(delta));
        }
    }

    /// Makes and visits one object: from its base, or by itself, if it has none, when another is at hand
    /// that may be like it. `None` where it cannot be read, or need not.
    fn make(
        &self,
        place: u32,
        known: Known<'_, V::Seen>,
        worker: &mut Worker<V>,
    ) -> Option<Live<V::Seen>> {
        let entry = self.forest.entry(place);
        let id = LazyId::Packed(self.pack, entry.number);
        let base = match known {
            Known::Base(base) => Some(base),
            _ => None,
        };
        if entry.base == Base::Elsewhere {
            return self.walk.visit_single(id.read(), worker);
        }
        // Of what is built on an object from elsewhere the pack does not tell it.
        let kind = base.map(|base| base.kind).or(entry.kind)?;
        if self.is_unwanted(place, entry, kind, worker) {
            self.walk.count(kind, entry.size);
            return None;
        }
        let mut bytes = worker.spare.pop().unwrap_or_default();
        let target = if base.is_some() {
            &mut worker.packed
        } else {
            &mut bytes
        };
        let inflated = self
            .pack
            .inflate((self.forest, place), &mut worker.inflater, target);
        if let Err(why) = inflated {
            return self.other_copy(id.read(), why, worker);
        }
        let Worker {
            visitor,
            packed,
            changes,
            comparer,
            ..
        } = worker;
        let seen = match known {
            Known::Base(base) => {
                if changes.apply(&base.bytes, packed, &mut bytes).is_err() {
                    return self.other_copy(id.read(), "its delta is broken", worker);
                }
                visitor.delta(id, kind, &base.seen, changes, &bytes)
            }
            Known::Like(like) if comparer.compare(changes, &like.bytes, &bytes) => {
                visitor.delta(id, kind, &like.seen, changes, &bytes)
            }
            _ => visitor.whole(id, kind, &bytes),
        };
        self.walk.count(kind, bytes.len() as u64);
        Some(Live { kind, bytes, seen })
    }

    /// Visits the copy in a file of its own of an object that is broken here, if there is one.
    fn other_copy(&self, id: ObjectId, why: &str, worker: &mut Worker<V>) -> Option<Live<V::Seen>> {
        match self.walk.reader.read_loose(id) {
            Some(Ok(object)) => Some(self.walk.visit_read(id, object, worker)),
            _ => {
                self.walk.fail(id, why);
                None
            }
        }
    }

    /// Whether what an object begins with tells that it need not be read.
    fn is_unwanted(&self, place: u32, entry: Entry, kind: Kind, worker: &mut Worker<V>) -> bool {
        let is_leaf = entry.base == Base::None && self.forest.deltas(place).is_empty();
        let packed = self.pack.packed_len(self.forest, place);
        if !is_leaf || packed < DENSE_BYTES || packed < entry.size / 4 * 3 {
            return false;
        }
        let mut head = [0; sniff::HEAD];
        let at = (self.forest, place);
        let head = self.pack.inflate_head(at, &mut worker.peeker, &mut head);
        // What is broken is told when all of it is inflated.
        head.is_ok_and(|head| !worker.visitor.wants(kind, head))
    }
}

impl<V: Visit> Worker<V> {
    fn new(visitor: V) -> Self {
        Self {
            visitor,
            inflater: Inflater::default(),
            peeker: Inflate::new(true, WINDOW_BITS),
            packed: Vec::new(),
            changes: Changes::default(),
            comparer: Comparer::default(),
            spare: Vec::new(),
        }
    }

    /// Keeps the buffer of an object that nothing needs any more.
    fn reuse(&mut self, live: Option<Arc<Live<V::Seen>>>) {
        if let Some(live) = live.and_then(|live| Arc::try_unwrap(live).ok()) {
            self.keep(live.bytes);
        }
    }

    fn keep(&mut self, bytes: Vec<u8>) {
        if self.spare.len() < SPARE && bytes.capacity() <= SPARE_BYTES {
            self.spare.push(bytes);
        }
    }
}

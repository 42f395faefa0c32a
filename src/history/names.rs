//! Reads trees: names that hold secrets, and what leads from commits to the objects that do.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::git::Kind;
use crate::git::object::{self, TreeEntry};
use crate::git::store::Store;
use crate::pipeline::Scanner;
use crate::span::ViewSpan;
use crate::unit::{ObjectId, Origin, Unit};

use super::changes::{self, Changes};
use super::holders::{Edge, Noted, Number};
use super::secrets::{SecretId, Secrets};
use super::walk::{LazyId, Visit};

/// A set of objects with a quick answer for the many that are not in it.
pub struct Wanted {
    filter: Vec<bool>,
    ids: HashSet<ObjectId>,
}

impl Wanted {
    pub fn new(ids: impl IntoIterator<Item = ObjectId>) -> Self {
        let mut wanted = Self {
            filter: vec![false; 1 << 16],
            ids: HashSet::new(),
        };
        for id in ids {
            wanted.filter[slot(&id)] = true;
            wanted.ids.insert(id);
        }
        wanted
    }

    pub fn contains(&self, id: &ObjectId) -> bool {
        self.filter[slot(id)] && self.ids.contains(id)
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

fn slot(id: &ObjectId) -> usize {
    usize::from(id.0[0]) << 8 | usize::from(id.0[1])
}

/// What is sought in trees.
#[derive(Clone, Copy)]
pub struct Quest<'q> {
    pub store: &'q Store,
    pub secrets: &'q Secrets,
    /// Blobs whose places are wanted.
    pub blobs: &'q Wanted,
    /// Names to look for whatever they hold, found by an earlier pass.
    pub names: &'q HashSet<Box<[u8]>>,
    /// By object, whether it was noted what that tree holds; empty where the ways are not wanted.
    pub noted: &'q [AtomicBool],
}

/// Looks at the trees of one thread.
pub struct Names<'q> {
    quest: Quest<'q>,
    scanner: Scanner<'q>,
    origin: Origin,
    hasher: RandomState,
    /// Hashes of names already looked at.
    known: HashSet<u64, BuildHasherDefault<AsIs>>,
    words: HashMap<Box<[u8]>, u32>,
    /// Names, by the numbers in the edges.
    pub table: Vec<Box<[u8]>>,
    /// Which trees hold trees and wanted blobs.
    pub noted: Noted,
    /// Trees with an entry of a wanted name: child is the entry's object, where it is at hand.
    pub named: Vec<Edge>,
    /// Names that hold secrets.
    pub telling: Vec<(Box<[u8]>, SecretId)>,
    /// Blobs that some tree calls notebooks.
    pub notebooks: HashSet<ObjectId>,
    /// An object that some tree names and that is not here.
    pub missing: Option<ObjectId>,
    /// Trees that could not be read to their ends.
    pub malformed: Vec<ObjectId>,
    /// The entries of the tree at hand.
    entries: Vec<HeldEntry>,
    /// Of those of its base, which a delta copied.
    kept: Vec<bool>,
}

/// The first of two ids, if there are any: whoever looked at what, the same is told.
pub fn least(one: Option<ObjectId>, other: Option<ObjectId>) -> Option<ObjectId> {
    one.into_iter().chain(other).min()
}

/// Hashes what is a hash.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What is kept of a tree for its deltas.
#[derive(Default)]
pub struct Held {
    /// Its number, if the ways are wanted.
    number: Option<Number>,
    /// All its entries, in order.
    entries: Box<[HeldEntry]>,
}

#[derive(Clone, Copy)]
struct HeldEntry {
    /// Where it starts in the tree.
    start: u32,
    /// What it leads to, if that may be a secret.
    child: Option<Number>,
}

impl<'q> Names<'q> {
    pub fn new(quest: Quest<'q>, scanner: Scanner<'q>) -> Self {
        Self {
            quest,
            scanner,
            origin: Origin::file(""),
            hasher: RandomState::new(),
            known: HashSet::default(),
            words: HashMap::new(),
            table: Vec::new(),
            noted: Noted::default(),
            named: Vec::new(),
            telling: Vec::new(),
            notebooks: HashSet::new(),
            missing: None,
            malformed: Vec::new(),
            entries: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Looks at an entry that no base of its tree had.
    fn fresh(&mut self, entry: &TreeEntry<'_>) {
        // Of a tree on the ways its number is asked.
        let is_asked = entry.is_tree && !self.quest.noted.is_empty();
        if !entry.is_commit && !is_asked && !self.quest.store.has(&entry.id) {
            self.miss(entry.id);
        }
        if entry.name.ends_with(b".ipynb") {
            self.notebooks.insert(entry.id);
        }
        if !self.known.insert(self.hasher.hash_one(entry.name)) {
            return;
        }
        let unit = Unit::words(self.origin.clone(), entry.name);
        for finding in self.scanner.scan(&unit).iter() {
            let secret = self.quest.secrets.number(finding);
            self.telling.push((entry.name.into(), secret));
        }
    }

    /// The object of an entry that may lead to a secret.
    fn led_to(&mut self, entry: &TreeEntry<'_>) -> Option<Number> {
        if !entry.is_tree && !self.quest.blobs.contains(&entry.id) {
            return None;
        }
        let number = self.quest.store.number(&entry.id);
        if number.is_none() {
            self.miss(entry.id);
        }
        number
    }

    fn miss(&mut self, id: ObjectId) {
        self.missing = least(self.missing, Some(id));
    }

    /// Notes a tree with an entry of a wanted name.
    fn note_name(&mut self, tree: Number, entry: &TreeEntry<'_>) {
        if self.quest.names.contains(entry.name) {
            let child = self.quest.store.number(&entry.id);
            let child = child.unwrap_or(Number::MAX);
            let name = self.word(entry.name);
            self.named.push(Edge { tree, child, name });
        }
    }

    fn word(&mut self, name: &[u8]) -> u32 {
        if let Some(&number) = self.words.get(name) {
            return number;
        }
        let number = self.table.len() as u32;
        self.table.push(name.into());
        self.words.insert(name.into(), number);
        number
    }

    /// Notes what a tree has that its base has not.
    fn add(&mut self, tree: Number, child: Number, entry: &TreeEntry<'_>) {
        let name = self.word(entry.name);
        self.noted.added.push(Edge { tree, child, name });
    }

    /// Looks at a tree, or at what a delta made of another.
    fn look(&mut self, id: LazyId<'_>, bytes: &[u8], base: Option<(&Held, &Changes)>) -> Held {
        let Quest { store, noted, .. } = self.quest;
        let number = (!noted.is_empty()).then(|| id.number(store));
        let number = number.flatten();
        // Several packs may have it.
        let is_noted = |tree: &Number| noted[*tree as usize].swap(true, Ordering::Relaxed);
        let tree = number.filter(|tree| !is_noted(tree));
        let before = self.noted.added.len();
        let kept = std::mem::take(&mut self.kept);
        let mut copied = base.map(|(held, changes)| Copied::new(held, changes, kept));
        self.entries.clear();
        // With the ways of its base those of the tree are known where it was copied.
        let leads = base.is_some_and(|(held, _)| held.number.is_some());
        let mut end = 0;
        for entry in object::entries(bytes) {
            end = entry.end;
            let known = copied.as_mut().and_then(|copied| copied.find(&entry));
            if known.is_none() {
                self.fresh(&entry);
            }
            let child = match known {
                Some(child) if leads => child,
                _ if number.is_some() => {
                    let child = self.led_to(&entry);
                    if let (Some(tree), Some(child)) = (tree, child) {
                        self.add(tree, child, &entry);
                    }
                    child
                }
                _ => None,
            };
            let start = entry.start as u32;
            self.entries.push(HeldEntry { start, child });
            if let Some(tree) = tree {
                self.note_name(tree, &entry);
            }
        }
        if end < bytes.len() {
            self.malformed.push(id.read());
        }
        if let Some(copied) = copied {
            if let (Some(tree), Some(base)) = (tree, copied.base.number) {
                self.note_base((tree, base), &copied, before, bytes);
            }
            self.kept = copied.kept;
        }
        Held {
            number,
            entries: self.entries.as_slice().into(),
        }
    }

    /// Notes of what base a tree was made, and what that has and it has not. A tree that drops more than
    /// it keeps is noted as a whole instead, and so is one that holds under another name what is gone
    /// under one. What it added stands from `before` on.
    fn note_base(
        &mut self,
        (tree, base): (Number, Number),
        copied: &Copied<'_>,
        before: usize,
        bytes: &[u8],
    ) {
        let children = |wanted: bool| {
            let entries = copied.base.entries.iter().zip(&copied.kept);
            let those = entries.filter(move |(_, kept)| **kept == wanted);
            those.filter_map(|(entry, _)| entry.child)
        };
        let mut dropped: Vec<Number> = children(false).collect();
        dropped.sort_unstable();
        dropped.dedup();
        let is_gone = |child: Number| dropped.binary_search(&child).is_ok();
        let few = dropped.len() <= children(true).count();
        if dropped.is_empty() || few && !children(true).any(is_gone) {
            self.noted.bases.push((tree, base));
            let dropped = dropped.into_iter().map(|child| (tree, child));
            self.noted.dropped.extend(dropped);
            return;
        }
        self.noted.added.truncate(before);
        for entry in object::entries(bytes) {
            if let Some(child) = self.led_to(&entry) {
                self.add(tree, child, &entry);
            }
        }
    }
}

/// Finds the entries of a tree that a delta copied among those of its base.
struct Copied<'h> {
    base: &'h Held,
    /// Which were found.
    kept: Vec<bool>,
    /// The one behind the last that was found.
    next: usize,
    /// What was changed and copied from the entry at hand on.
    dirty: &'h [ViewSpan],
    copies: &'h [changes::Copy],
}

impl<'h> Copied<'h> {
    /// With memory for which were found.
    fn new(base: &'h Held, changes: &'h Changes, mut kept: Vec<bool>) -> Self {
        kept.clear();
        kept.resize(base.entries.len(), false);
        Self {
            base,
            kept,
            next: 0,
            dirty: &changes.dirty,
            copies: &changes.copies,
        }
    }

    /// What an entry of the base leads to, if this one is its copy. Best asked for in order.
    fn find(&mut self, entry: &TreeEntry<'_>) -> Option<Option<Number>> {
        let start = self.origin(entry)?;
        let entries = &self.base.entries;
        let is_next = |entry: &&HeldEntry| entry.start == start;
        if entries.get(self.next).filter(is_next).is_none() {
            self.next = entries.partition_point(|entry| entry.start < start);
        }
        // What was copied from within an entry, or from behind a fault, was none there.
        let entry = entries.get(self.next).filter(is_next)?;
        self.kept[self.next] = true;
        self.next += 1;
        Some(entry.child)
    }

    /// Where the bytes of an entry stood in the base; `None` if a change touches them.
    fn origin(&mut self, entry: &TreeEntry<'_>) -> Option<u32> {
        let (start, end) = (entry.start as u32, entry.end as u32);
        while let [first, rest @ ..] = self.dirty
            && first.end < start
        {
            self.dirty = rest;
        }
        if self.dirty.first().is_some_and(|first| first.start <= end) {
            return None;
        }
        while let [first, rest @ ..] = self.copies
            && first.to + first.len <= start
        {
            self.copies = rest;
        }
        let copy = self.copies.first()?;
        Some(start - copy.to + copy.from)
    }
}

impl Visit for Names<'_> {
    type Seen = Held;

    fn whole(&mut self, id: LazyId<'_>, kind: Kind, bytes: &[u8]) -> Held {
        match kind {
            Kind::Tree => self.look(id, bytes, None),
            _ => Held::default(),
        }
    }

    fn delta(
        &mut self,
        id: LazyId<'_>,
        kind: Kind,
        base: &Held,
        changes: &Changes,
        bytes: &[u8],
    ) -> Held {
        match kind {
            Kind::Tree => self.look(id, bytes, Some((base, changes))),
            _ => Held::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::super::changes::tests::encode;
    use super::super::holders::Holders;
    use super::*;
    use crate::git::delta::Step;
    use crate::pipeline::{Options, Sweep};
    use crate::secret::FingerprintKey;

    const BASE: ObjectId = ObjectId([100; 20]);
    const RESULT: ObjectId = ObjectId([101; 20]);

    static SWEEP: LazyLock<Sweep> = LazyLock::new(|| Sweep::new(Options::new(0)));

    /// An entry's name and object, and whether that is a tree.
    type Drawn = (String, u8, bool);

    fn entry((name, id, is_tree): &Drawn) -> Vec<u8> {
        let mode: &[u8] = if *is_tree { b"40000 " } else { b"100644 " };
        [mode, name.as_bytes(), b"\0", &[*id; 20]].concat()
    }

    fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
        // Such names as hold what seems to be an entry.
        let name = prop_oneof![
            "[ab]",
            Just("a40000 b".to_owned()),
            Just("a100644 a".to_owned())
        ];
        prop::collection::vec((name, 1..5_u8, any::<bool>()), 0..9)
    }

    /// What the names of these trees are, and which of the first four objects the result holds.
    fn told(names: &Names<'_>, store: &Store) -> BTreeSet<(Number, Vec<u8>)> {
        let holders = Holders::new(std::slice::from_ref(&names.noted), store.len() as usize);
        let mut edges = Vec::new();
        (0..4).for_each(|child| holders.of(child, &mut edges));
        let own = edges
            .iter()
            .filter(|edge| Some(edge.tree) == store.number(&RESULT));
        own.map(|edge| (edge.child, names.table[edge.name as usize].to_vec()))
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        /// Wherever in an entry it begins to copy.
        #[test]
        fn a_delta_tells_what_the_whole_tree_tells(
            (base, more) in (drawn(), drawn()),
            plan in prop::collection::vec((0..4_u8, any::<prop::sample::Index>(), 1..150_usize), 1..7),
        ) {
            let bytes = |entries: &[Drawn]| -> Vec<u8> { entries.iter().flat_map(entry).collect() };
            // A fault, behind which there are no entries until it is mended.
            let base = [bytes(&base), bytes(&more)].join(&b"\0"[..plan.len() % 2]);
            let starts: Vec<usize> = object::entries(&base).map(|entry| entry.start).collect();
            let more = bytes(&more);
            let mut steps = Vec::new();
            for (kind, at, len) in plan {
                match kind {
                    0 if !more.is_empty() => {
                        let from = at.index(more.len());
                        steps.push(Step::Insert(&more[from..more.len().min(from + len.min(127))]));
                    }
                    1 if !base.is_empty() => {
                        let from = at.index(base.len());
                        steps.push(Step::Copy { from, len: len.min(base.len() - from) });
                    }
                    // Most begin with an entry, and go on to the end.
                    _ if !starts.is_empty() => {
                        let from = starts[at.index(starts.len())];
                        steps.push(Step::Copy { from, len: base.len() - from });
                    }
                    _ => {}
                }
            }
            let result: Vec<u8> = steps.iter().flat_map(|step| match *step {
                Step::Copy { from, len } => &base[from..from + len],
                Step::Insert(new) => new,
            }).copied().collect();
            let (mut changes, mut out) = (Changes::default(), Vec::new());
            let delta = encode(base.len(), result.len(), &steps);
            changes.apply(&base, &delta, &mut out).expect("a good delta");
            prop_assert_eq!(&out, &result);

            let mut store = Store::open(&[]).expect("an empty store");
            store.loose = [1, 2, 3, 4].map(|id| ObjectId([id; 20])).into();
            store.loose.extend([BASE, RESULT]);
            let noted: Vec<AtomicBool> = (0..6).map(|_| AtomicBool::default()).collect();
            let quest = Quest {
                store: &store,
                secrets: &Secrets::new(FingerprintKey::default()),
                blobs: &Wanted::new([ObjectId([1; 20])]),
                names: &HashSet::new(),
                noted: &noted,
            };
            let mut names = Names::new(quest, SWEEP.scanner());
            let held = names.whole(LazyId::Known(BASE), Kind::Tree, &base);
            names.delta(LazyId::Known(RESULT), Kind::Tree, &held, &changes, &result);
            let leads = |entry: &TreeEntry<'_>| entry.is_tree || entry.id.0[0] == 1;
            let expected = object::entries(&result).filter(leads);
            let expected = expected.filter_map(|entry| Some((store.number(&entry.id)?, entry.name.to_vec())));
            let expected: BTreeSet<(Number, Vec<u8>)> = expected.collect();
            prop_assert_eq!(told(&names, &store), expected);
            for entry in object::entries(&result) {
                prop_assert!(names.known.contains(&names.hasher.hash_one(entry.name)));
            }
        }
    }
}

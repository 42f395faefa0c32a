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
    /// The entries of the tree at hand that are kept.
    entries: Vec<HeldEntry>,
    /// Of those of its base, which its delta copied.
    kept: Vec<bool>,
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
    /// The trees and wanted blobs in it, in order.
    entries: Box<[HeldEntry]>,
}

#[derive(Clone, Copy)]
struct HeldEntry {
    /// Where it starts in the tree.
    start: u32,
    child: Number,
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
            entries: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Looks at an entry that no base of its tree had.
    fn fresh(&mut self, entry: &TreeEntry<'_>) {
        if entry.name.ends_with(b".ipynb") {
            self.notebooks.insert(entry.id);
        }
        if !self.known.insert(self.hasher.hash_one(entry.name)) {
            return;
        }
        let unit = Unit::whole(self.origin.clone(), entry.name);
        for finding in self.scanner.scan(&unit).iter() {
            let secret = self.quest.secrets.number(finding);
            self.telling.push((entry.name.into(), secret));
        }
    }

    /// The object of an entry that may lead to a secret.
    fn led_to(&self, entry: &TreeEntry<'_>) -> Option<Number> {
        let leads = entry.is_tree || self.quest.blobs.contains(&entry.id);
        leads.then(|| self.quest.store.number(&entry.id))?
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
        let mut origins = base.map(|(_, changes)| Origins::new(changes));
        let held = base.map(|(held, _)| held);
        let held = held.filter(|held| held.number.is_some());
        let kept = std::mem::take(&mut self.kept);
        let mut copied = held.map(|held| Copied::new(held, kept));
        self.entries.clear();
        for entry in object::entries(bytes) {
            let origin = origins.as_mut().and_then(|origins| origins.of(&entry));
            if origin.is_none() {
                self.fresh(&entry);
            }
            if number.is_none() {
                continue;
            }
            let child = match (origin, &mut copied) {
                (Some(at), Some(copied)) => copied.child(at),
                _ => {
                    let child = self.led_to(&entry);
                    if let (Some(tree), Some(child)) = (tree, child) {
                        self.add(tree, child, &entry);
                    }
                    child
                }
            };
            let start = entry.start as u32;
            let kept = child.map(|child| HeldEntry { start, child });
            self.entries.extend(kept);
            if let Some(tree) = tree {
                self.note_name(tree, &entry);
            }
        }
        if let Some(copied) = copied {
            if let Some(tree) = tree {
                self.note_base(tree, &copied, bytes);
            }
            self.kept = copied.kept;
        }
        Held {
            number,
            entries: self.entries.as_slice().into(),
        }
    }

    /// Notes of what base a tree was made, and what that has and it has not.
    fn note_base(&mut self, tree: Number, copied: &Copied<'_>, bytes: &[u8]) {
        self.noted
            .bases
            .extend(copied.base.number.map(|base| (tree, base)));
        let entries = || copied.base.entries.iter().zip(&copied.kept);
        let of_those = |wanted: bool| {
            let those = entries().filter(move |(_, kept)| **kept == wanted);
            those.map(|(entry, _)| entry.child)
        };
        let dropped: Vec<Number> = of_those(false).collect();
        self.noted
            .dropped
            .extend(dropped.iter().map(|&child| (tree, child)));
        // What is gone under one name may still be there under another.
        if !dropped.is_empty() && of_those(true).any(|child| dropped.contains(&child)) {
            for entry in object::entries(bytes) {
                let child = self.led_to(&entry);
                if let Some(child) = child.filter(|child| dropped.contains(child)) {
                    self.add(tree, child, &entry);
                }
            }
        }
    }
}

/// Tells where in its base a delta copied the entries of a tree from.
struct Origins<'c> {
    /// What was changed and copied from the entry at hand on.
    dirty: &'c [ViewSpan],
    copies: &'c [changes::Copy],
}

impl<'c> Origins<'c> {
    fn new(changes: &'c Changes) -> Self {
        Self {
            dirty: &changes.dirty,
            copies: &changes.copies,
        }
    }

    /// Where an entry started in the base; `None` if a change touches it. Best asked for in order.
    fn of(&mut self, entry: &TreeEntry<'_>) -> Option<u32> {
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

/// The entries of a base, and which of them a delta copied.
struct Copied<'h> {
    base: &'h Held,
    kept: Vec<bool>,
    /// The first entry that starts no earlier than where was looked last.
    next: usize,
}

impl<'h> Copied<'h> {
    /// With memory for what was copied.
    fn new(base: &'h Held, mut kept: Vec<bool>) -> Self {
        kept.clear();
        kept.resize(base.entries.len(), false);
        Self {
            base,
            kept,
            next: 0,
        }
    }

    /// What the entry that starts there leads to, which was copied.
    fn child(&mut self, start: u32) -> Option<Number> {
        let entries = &self.base.entries;
        let is_before = |entry: &HeldEntry| entry.start < start;
        if !entries[..self.next].last().is_none_or(is_before) {
            self.next = entries.partition_point(is_before);
        }
        while entries.get(self.next).is_some_and(is_before) {
            self.next += 1;
        }
        let entry = entries
            .get(self.next)
            .filter(|entry| entry.start == start)?;
        self.kept[self.next] = true;
        Some(entry.child)
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

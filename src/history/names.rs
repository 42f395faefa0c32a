//! Reads trees: names that hold secrets, and what leads from commits to the objects that do.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use crate::git::Kind;
use crate::git::object::{self, TreeEntry};
use crate::git::store::Store;
use crate::pipeline::Scanner;
use crate::unit::{ObjectId, Origin, Unit};

use super::changes::Changes;
use super::secrets::{SecretId, Secrets};
use super::walk::{LazyId, Visit};

/// The number of an object in its store.
pub type Number = u32;

/// A tree's entry that may lead to a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edge {
    pub tree: Number,
    pub child: Number,
    pub name: u32,
}

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
    /// Whether the ways from tree to tree are wanted.
    pub edges: bool,
}

/// Looks at the trees of one thread.
pub struct Names<'q> {
    quest: Quest<'q>,
    scanner: Scanner<'q>,
    origin: Origin,
    hasher: RandomState,
    /// Hashes of names already looked at.
    known: HashSet<u64>,
    words: HashMap<Box<[u8]>, u32>,
    /// Names, by the numbers in the edges.
    pub table: Vec<Box<[u8]>>,
    /// From tree to tree.
    pub edges: Vec<Edge>,
    /// From tree to wanted blob.
    pub leaves: Vec<Edge>,
    /// Trees with an entry of a wanted name: child is the entry's object, where it is at hand.
    pub named: Vec<Edge>,
    /// Names that hold secrets.
    pub telling: Vec<(Box<[u8]>, SecretId)>,
    /// Blobs that some tree calls notebooks.
    pub notebooks: HashSet<ObjectId>,
}

impl<'q> Names<'q> {
    pub fn new(quest: Quest<'q>, scanner: Scanner<'q>) -> Self {
        Self {
            quest,
            scanner,
            origin: Origin::file(""),
            hasher: RandomState::new(),
            known: HashSet::new(),
            words: HashMap::new(),
            table: Vec::new(),
            edges: Vec::new(),
            leaves: Vec::new(),
            named: Vec::new(),
            telling: Vec::new(),
            notebooks: HashSet::new(),
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

    /// Notes where an entry leads.
    fn lead(&mut self, tree: Number, entry: &TreeEntry<'_>) {
        let wanted = self.quest.names.contains(entry.name);
        let leaf = !entry.is_tree && self.quest.blobs.contains(&entry.id);
        if !entry.is_tree && !leaf && !wanted {
            return;
        }
        let name = self.word(entry.name);
        let child = self.quest.store.number(&entry.id);
        if wanted {
            let child = child.unwrap_or(Number::MAX);
            self.named.push(Edge { tree, child, name });
        }
        let Some(child) = child else { return };
        let edge = Edge { tree, child, name };
        if entry.is_tree {
            self.edges.push(edge);
        } else if leaf {
            self.leaves.push(edge);
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

    fn look(&mut self, id: LazyId<'_>, bytes: &[u8], is_fresh: impl Fn(&TreeEntry<'_>) -> bool) {
        let store = self.quest.store;
        let number = self.quest.edges.then(|| store.number(&id.read()));
        for entry in object::entries(bytes) {
            if is_fresh(&entry) {
                self.fresh(&entry);
            }
            if let Some(Some(tree)) = number {
                self.lead(tree, &entry);
            }
        }
    }
}

impl Visit for Names<'_> {
    type Seen = ();

    fn whole(&mut self, id: LazyId<'_>, kind: Kind, bytes: &[u8]) {
        if kind == Kind::Tree {
            self.look(id, bytes, |_| true);
        }
    }

    fn delta(&mut self, id: LazyId<'_>, kind: Kind, (): &(), changes: &Changes, bytes: &[u8]) {
        if kind != Kind::Tree {
            return;
        }
        let dirty = &changes.dirty;
        let next = std::cell::Cell::new(0);
        self.look(id, bytes, |entry| {
            // Entries come in order, and so do the changes.
            let start = entry.start as u32;
            while dirty.get(next.get()).is_some_and(|d| d.end < start) {
                next.set(next.get() + 1);
            }
            dirty
                .get(next.get())
                .is_some_and(|d| d.start <= entry.end as u32)
        });
    }
}

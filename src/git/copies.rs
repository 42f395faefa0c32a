//! All paths under which commits brought some blobs in.

use std::collections::{HashMap, HashSet};

use super::Kind;
use super::changes::{self, Beside, Changes, Entry, Pair, Place, Places, Visit};
use super::fresh::Fresh;
use super::reader::Reader;
use crate::error::Error;
use crate::unit::ObjectId;

/// So many paths are told besides one for each blob. A tree made of itself ten times over has more than
/// anybody can read.
const MOST: usize = 1 << 14;

/// Bytes of trees read, and of paths held, besides twice those that a walk by kinds of path reads.
const SPARE: u64 = 64 << 20;

/// Where blobs stand.
pub struct Copies {
    pub places: Places,
    /// Whether these are all.
    pub complete: bool,
}

/// Finds all places of `wanted` in what `changes` was made of.
///
/// # Errors
/// When a commit or a tree cannot be read.
pub fn find<K>(
    reader: &Reader,
    fresh: &Fresh,
    changes: &Changes<K>,
    wanted: &HashSet<ObjectId>,
) -> Result<Copies, Error> {
    let mut search = Search {
        wanted,
        left: 2 * changes.bytes + SPARE,
        walked: HashMap::new(),
        seen: HashSet::new(),
        places: Places::new(),
    };
    for commit in &fresh.commits {
        changes::walk_commit(reader, *commit, &mut search)?;
    }
    for tree in &fresh.trees {
        changes::walk_tree(reader, *tree, &[], &mut search)?;
    }
    if let Some(kept) = &fresh.kept {
        changes::walk_tree(reader, kept.tree, &kept.others, &mut search)?;
    }
    Ok(Copies {
        complete: !search.is_over(),
        places: search.places,
    })
}

struct Search<'w> {
    wanted: &'w HashSet<ObjectId>,
    /// Bytes of trees that may still be read, and of paths that may be held.
    left: u64,
    /// By path. What stood under a folder's path once need not be looked at again there beside the same.
    walked: HashMap<String, HashMap<ObjectId, Beside>>,
    seen: HashSet<(ObjectId, String)>,
    places: Places,
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        self.left == 0 || self.seen.len() > MOST + self.places.len()
    }
}

impl Visit for Search<'_> {
    fn enters(&mut self, folder: &mut Pair) -> bool {
        if self.is_over() {
            return false;
        }
        if !self.walked.contains_key(&folder.path) {
            self.reads(folder.path.len());
        }
        let trees = self.walked.entry(folder.path.clone()).or_default();
        trees.entry(folder.own).or_default().adds(folder)
    }

    fn reads(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes as u64);
    }

    fn meets(&mut self, entry: &Entry, commit: Option<ObjectId>) {
        let is_wanted = entry.kind == Kind::Blob && self.wanted.contains(&entry.id);
        if is_wanted && !self.is_over() && self.seen.insert((entry.id, entry.path.clone())) {
            self.reads(entry.path.len());
            let path = entry.path.as_str().into();
            let places = self.places.entry(entry.id).or_default();
            places.push(Place { path, commit });
        }
    }
}

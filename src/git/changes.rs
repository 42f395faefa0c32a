//! What commits bring in: for each, the entries of its tree that no parent has.
//!
//! A merge is compared with all its parents, so what was put in while resolving is seen, and what
//! only came over from the other side is not. The work is that of the trees that differ. A folder
//! already walked is not walked again, so that neither a thousand commits nor a tree made of itself
//! ten times over can make it long.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use smallvec::SmallVec;

use super::Kind;
use super::object::{self, Commit, TreeEntry};
use super::reader::{Object, Reader};
use crate::error::{Error, ErrorKind};
use crate::unit::ObjectId;

/// Where an object was first met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub path: Arc<str>,
    /// `None` where only a tag leads to it.
    pub commit: Option<ObjectId>,
}

/// What a number of commits brought in.
#[derive(Default)]
pub struct Changes {
    /// Blobs, each where it first came in.
    pub blobs: HashMap<ObjectId, Place>,
    /// Paths that no parent has, in the order in which they came.
    pub names: Vec<Place>,
    /// Trees that were looked into.
    pub trees: HashSet<ObjectId>,
}

/// A commit's tree, or one of its folders, beside those of its parents.
struct Pair {
    path: String,
    own: ObjectId,
    parents: Vec<ObjectId>,
}

impl Changes {
    /// Adds what a commit brings in. Add parents before children, so that a blob is placed where it
    /// came from.
    ///
    /// # Errors
    /// When the commit, a parent or a tree cannot be read.
    pub fn add(&mut self, reader: &Reader, id: ObjectId) -> Result<(), Error> {
        let (own, parents) = roots(reader, id)?;
        self.walk(reader, Some(id), own, parents)
    }

    /// Adds a tree that stands for itself, such as one that a tag names.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn add_tree(&mut self, reader: &Reader, tree: ObjectId) -> Result<(), Error> {
        self.walk(reader, None, tree, Vec::new())
    }

    fn walk(
        &mut self,
        reader: &Reader,
        commit: Option<ObjectId>,
        own: ObjectId,
        parents: Vec<ObjectId>,
    ) -> Result<(), Error> {
        let mut open = vec![Pair {
            path: String::new(),
            own,
            parents,
        }];
        while let Some(pair) = open.pop() {
            if !pair.parents.contains(&pair.own) && self.trees.insert(pair.own) {
                self.compare(reader, commit, &pair, &mut open)?;
            }
        }
        Ok(())
    }

    fn compare(
        &mut self,
        reader: &Reader,
        commit: Option<ObjectId>,
        pair: &Pair,
        open: &mut Vec<Pair>,
    ) -> Result<(), Error> {
        let olds = pair.parents.iter().map(|id| read_tree(reader, *id));
        let olds = olds.collect::<Result<SmallVec<[_; 2]>, _>>()?;
        let mut before: SmallVec<[Listing<'_>; 2]> = olds.iter().map(Listing::of).collect();
        let own = read_tree(reader, pair.own)?;
        // An own tree is gone through as a list: a hostile one may name two alike.
        for entry in entries(pair.own, &own) {
            let entry = entry?;
            let written = &own.bytes()[entry.start..entry.end];
            // All of them go on, whichever has it.
            let has = before.iter_mut().map(|tree| tree.pass(written));
            if has.fold(false, |any, has| any | has) {
                continue;
            }
            let same: SmallVec<[TreeEntry<'_>; 2]> = before
                .iter_mut()
                .filter_map(|tree| tree.named(entry.name))
                .collect();
            if same.iter().any(|old| old.id == entry.id) {
                continue;
            }
            let path = join(&pair.path, entry.name);
            if same.iter().all(|old| old.kind() != entry.kind()) {
                self.names.push(Place {
                    path: path.as_str().into(),
                    commit,
                });
            }
            match entry.kind() {
                Kind::Tree => {
                    let trees = same.iter().filter(|old| old.kind() == Kind::Tree);
                    open.push(Pair {
                        path,
                        own: entry.id,
                        parents: trees.map(|old| old.id).collect(),
                    });
                }
                Kind::Blob => {
                    self.blobs.entry(entry.id).or_insert_with(|| Place {
                        path: path.as_str().into(),
                        commit,
                    });
                }
                Kind::Commit | Kind::Tag => {}
            }
        }
        Ok(())
    }
}

/// The blobs that a commit replaces or drops: where a value may have stood before.
///
/// # Errors
/// When the commit, a parent or a tree cannot be read.
pub fn replaced(reader: &Reader, id: ObjectId) -> Result<Vec<(Arc<str>, ObjectId)>, Error> {
    let (own, parents) = roots(reader, id)?;
    let mut gone = Vec::new();
    let mut seen = HashSet::new();
    let mut open: Vec<(String, Option<ObjectId>, ObjectId)> = parents
        .into_iter()
        .map(|parent| (String::new(), Some(own), parent))
        .collect();
    while let Some((path, new, old)) = open.pop() {
        if new == Some(old) || !seen.insert((new, old)) {
            continue;
        }
        let now = new.map(|id| read_tree(reader, id)).transpose()?;
        let mut now = now.as_ref().map(Listing::of).unwrap_or_default();
        let tree = read_tree(reader, old)?;
        for entry in entries(old, &tree) {
            let entry = entry?;
            let kept = now.named(entry.name);
            if kept.is_some_and(|kept| kept.id == entry.id) {
                continue;
            }
            let path = join(&path, entry.name);
            match entry.kind() {
                Kind::Blob => gone.push((path.into(), entry.id)),
                Kind::Tree => {
                    let tree = kept.filter(|kept| kept.kind() == Kind::Tree);
                    open.push((path, tree.map(|kept| kept.id), entry.id));
                }
                Kind::Commit | Kind::Tag => {}
            }
        }
    }
    Ok(gone)
}

/// All files of a tree with their paths. A folder that stands in several places is given once.
///
/// # Errors
/// When a tree cannot be read.
pub fn files(reader: &Reader, tree: ObjectId) -> Result<Vec<(Arc<str>, ObjectId)>, Error> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut open = vec![(String::new(), tree)];
    while let Some((path, id)) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let tree = read_tree(reader, id)?;
        for entry in entries(id, &tree) {
            let entry = entry?;
            let path = join(&path, entry.name);
            match entry.kind() {
                Kind::Blob => found.push((path.into(), entry.id)),
                Kind::Tree => open.push((path, entry.id)),
                Kind::Commit | Kind::Tag => {}
            }
        }
    }
    Ok(found)
}

/// The blob at a path of a tree, where there is one.
///
/// # Errors
/// When a tree on the way cannot be read.
pub fn find(reader: &Reader, tree: ObjectId, path: &str) -> Result<Option<ObjectId>, Error> {
    let (mut id, mut kind) = (tree, Kind::Tree);
    for part in path.split('/') {
        if kind != Kind::Tree {
            return Ok(None);
        }
        let tree = read_tree(reader, id)?;
        match Listing::of(&tree).named(part.as_bytes()) {
            Some(next) => (id, kind) = (next.id, next.kind()),
            None => return Ok(None),
        }
    }
    Ok((kind == Kind::Blob).then_some(id))
}

/// The tree of a commit.
///
/// # Errors
/// When the commit cannot be read.
pub fn tree_of(reader: &Reader, commit: ObjectId) -> Result<ObjectId, Error> {
    let object = reader.read_as(commit, Kind::Commit)?;
    let parsed = Commit::parse(object.bytes()).ok_or_else(|| malformed("commit", commit))?;
    Ok(parsed.tree)
}

/// The tree of a commit, and those of its parents.
fn roots(reader: &Reader, id: ObjectId) -> Result<(ObjectId, Vec<ObjectId>), Error> {
    let object = reader.read_as(id, Kind::Commit)?;
    let commit = Commit::parse(object.bytes()).ok_or_else(|| malformed("commit", id))?;
    let parents = commit.parents.iter().map(|id| tree_of(reader, *id));
    Ok((commit.tree, parents.collect::<Result<_, _>>()?))
}

fn read_tree(reader: &Reader, id: ObjectId) -> Result<Object<'_>, Error> {
    reader.read_as(id, Kind::Tree)
}

/// All entries of a tree. One that ends before its bytes do could hide something behind its fault:
/// the last item says so.
fn entries<'b>(
    id: ObjectId,
    tree: &'b Object<'_>,
) -> impl Iterator<Item = Result<TreeEntry<'b>, Error>> {
    let mut entries = object::entries(tree.bytes());
    let mut left = tree.bytes().len();
    std::iter::from_fn(move || match entries.next() {
        Some(entry) => {
            left = tree.bytes().len() - entry.end;
            Some(Ok(entry))
        }
        None => (std::mem::take(&mut left) > 0).then(|| Err(malformed("tree", id))),
    })
}

/// A tree's entries, asked for in about the order in which they stand. What stands behind a fault is
/// not there.
#[derive(Default)]
struct Listing<'b> {
    /// What was not asked for yet.
    rest: &'b [u8],
    all: &'b [u8],
    /// Made when the order fails, which in two versions of a folder is rare.
    by_name: Option<HashMap<&'b [u8], TreeEntry<'b>>>,
}

impl<'b> Listing<'b> {
    fn of(tree: &'b Object<'_>) -> Self {
        Self {
            rest: tree.bytes(),
            all: tree.bytes(),
            by_name: None,
        }
    }

    /// Passes over an entry, and says whether it was the next.
    fn pass(&mut self, written: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(written);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn named(&mut self, name: &[u8]) -> Option<TreeEntry<'b>> {
        let here = object::entries(self.rest).next();
        if let Some(entry) = here.filter(|entry| entry.name == name) {
            self.rest = &self.rest[entry.end..];
            return Some(entry);
        }
        let all = self.all;
        let by_name = self.by_name.get_or_insert_with(|| {
            let entries = object::entries(all);
            entries.map(|entry| (entry.name, entry)).collect()
        });
        let entry = *by_name.get(name)?;
        self.rest = &all[entry.end..];
        Some(entry)
    }
}

pub(crate) fn malformed(kind: &str, id: ObjectId) -> Error {
    Error::new(ErrorKind::Git, format!("{kind} {id}: is malformed"))
}

fn join(folder: &str, name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    if folder.is_empty() {
        name.into_owned()
    } else {
        format!("{folder}/{name}")
    }
}

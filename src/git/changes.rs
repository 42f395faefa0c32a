//! What commits bring in: for each, the entries of its tree that no parent has.
//!
//! A merge is compared with all its parents, so what was put in while resolving is seen, and what
//! only came over from the other side is not. The work is that of the trees that differ. A folder
//! already walked is walked again only under a path of another kind or beside other parents, and of
//! these only so many, so that neither a thousand commits nor a tree made of itself ten times over can
//! make it long.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use smallvec::SmallVec;

use super::Kind;
use super::object::{self, Commit, Tag, TreeEntry};
use super::reader::{Object, Reader};
use crate::error::{Error, ErrorKind};
use crate::unit::{ObjectId, path_text};

/// Where an object was first met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub path: Arc<str>,
    /// `None` where only a tag leads to it.
    pub commit: Option<ObjectId>,
}

/// One folder is looked at beside the folders of so many different parents; then whole, once and for all.
const MOST_BESIDE: usize = 64;

/// Places of blobs.
pub type Places = HashMap<ObjectId, SmallVec<[Place; 1]>>;

/// A tree of which counts what others do not have, such as that at the end of a range, beside those of the
/// commits where it began: a merge may keep what one of its parents no longer had, and brings that back
/// without anything in it being new to all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub tree: ObjectId,
    pub others: Vec<ObjectId>,
}

/// What a number of commits brought in. Of paths of one kind, as `kind` tells it, one stands for all.
pub struct Changes<K> {
    kind: fn(&str) -> K,
    /// Blobs, each where it first came in under each kind of path.
    pub blobs: Places,
    /// Paths that no parent has, in the order in which they came.
    pub names: Vec<Place>,
    /// Trees that were looked into, with the kinds of their paths and what they were held against.
    pub trees: HashMap<ObjectId, SmallVec<[(K, Beside); 1]>>,
    /// The bytes of these trees.
    pub bytes: u64,
}

/// A commit's tree, or one of its folders, beside those of its parents.
pub(super) struct Pair {
    /// Ends with a slash, if it is not empty.
    pub path: String,
    pub own: ObjectId,
    parents: Vec<ObjectId>,
}

/// The folders of parents that one folder was held against, each time it was looked into.
#[derive(Default)]
pub struct Beside(SmallVec<[SmallVec<[ObjectId; 1]>; 1]>);

impl Beside {
    /// Whether to look into a folder beside these parents. Not after it was beside some of them alone: what
    /// none of all of them has, these have not either.
    pub(super) fn adds(&mut self, folder: &mut Pair) -> bool {
        let parents = &mut folder.parents;
        let is_told = |done: &SmallVec<_>| done.iter().all(|id| parents.contains(id));
        if self.0.iter().any(is_told) {
            return false;
        }
        if self.0.len() == MOST_BESIDE {
            parents.clear();
            self.0.clear();
        }
        self.0.push(parents.iter().copied().collect());
        true
    }
}

/// What a commit's tree has at a path, and no parent.
pub(super) struct Entry {
    pub path: String,
    pub kind: Kind,
    pub id: ObjectId,
    /// The folders that parents have there.
    parents: Vec<ObjectId>,
    /// Whether no parent has anything of its kind there.
    is_new: bool,
}

/// Looks at what commits bring in.
pub(super) trait Visit {
    /// Whether to look into a folder that no parent has; it may be made to be looked at beside none.
    fn enters(&mut self, folder: &mut Pair) -> bool;

    /// So many bytes of a folder that was entered are looked at.
    fn reads(&mut self, bytes: usize);

    /// An entry of a folder that was entered; those that are folders are walked next.
    fn meets(&mut self, entry: &Entry, commit: Option<ObjectId>);
}

impl<K: PartialEq> Changes<K> {
    /// Nothing, for paths of these kinds. That of a folder's path, which ends with a slash, has to tell
    /// with a name the kind of both together.
    pub fn new(kind: fn(&str) -> K) -> Self {
        Self {
            kind,
            blobs: Places::default(),
            names: Vec::new(),
            trees: HashMap::new(),
            bytes: 0,
        }
    }

    /// Adds what a commit brings in. Add parents before children, so that a blob is placed where it
    /// came from.
    ///
    /// # Errors
    /// When the commit, a parent or a tree cannot be read.
    pub fn add(&mut self, reader: &Reader, id: ObjectId) -> Result<(), Error> {
        walk_commit(reader, id, self)
    }

    /// Adds a tree that stands for itself, such as one that a tag names.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn add_tree(&mut self, reader: &Reader, tree: ObjectId) -> Result<(), Error> {
        walk_tree(reader, tree, &[], self)
    }

    /// Adds what a tree has and none of others, whichever commit put it there. What commits brought has to
    /// be added before, and keeps its commit.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn add_kept(&mut self, reader: &Reader, kept: &Kept) -> Result<(), Error> {
        let told = self.names.len();
        walk_tree(reader, kept.tree, &kept.others, self)?;
        let known: HashSet<Arc<str>> = self.names[..told]
            .iter()
            .map(|name| name.path.clone())
            .collect();
        let more = self.names.split_off(told).into_iter();
        self.names
            .extend(more.filter(|name| !known.contains(&name.path)));
        Ok(())
    }
}

impl<K: PartialEq> Visit for Changes<K> {
    fn enters(&mut self, folder: &mut Pair) -> bool {
        let kind = (self.kind)(&folder.path);
        let kinds = self.trees.entry(folder.own).or_default();
        let at = kinds.iter().position(|(known, _)| *known == kind);
        let at = at.unwrap_or_else(|| {
            kinds.push((kind, Beside::default()));
            kinds.len() - 1
        });
        kinds[at].1.adds(folder)
    }

    fn reads(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    fn meets(&mut self, entry: &Entry, commit: Option<ObjectId>) {
        let path = &*entry.path;
        if entry.is_new {
            let path = path.into();
            self.names.push(Place { path, commit });
        }
        if entry.kind == Kind::Blob {
            add_place(&mut self.blobs, self.kind, entry.id, path, commit);
        }
    }
}

/// Adds a place of a blob, unless the blob has one of that kind.
pub fn add_place<K: PartialEq>(
    places: &mut Places,
    kind: fn(&str) -> K,
    blob: ObjectId,
    path: &str,
    commit: Option<ObjectId>,
) {
    let places = places.entry(blob).or_default();
    let alike = |place: &Place| *place.path == *path || kind(&place.path) == kind(path);
    if !places.iter().any(alike) {
        let path = path.into();
        places.push(Place { path, commit });
    }
}

/// Shows a visitor what a commit brings in.
pub(super) fn walk_commit(
    reader: &Reader,
    id: ObjectId,
    visit: &mut impl Visit,
) -> Result<(), Error> {
    let (own, parents) = roots(reader, id)?;
    walk(reader, Some(id), (own, parents), visit)
}

/// Shows a visitor what a tree has and none of others.
pub(super) fn walk_tree(
    reader: &Reader,
    tree: ObjectId,
    others: &[ObjectId],
    visit: &mut impl Visit,
) -> Result<(), Error> {
    walk(reader, None, (tree, others.to_vec()), visit)
}

fn walk(
    reader: &Reader,
    commit: Option<ObjectId>,
    (own, parents): (ObjectId, Vec<ObjectId>),
    visit: &mut impl Visit,
) -> Result<(), Error> {
    let mut open = vec![Pair {
        path: String::new(),
        own,
        parents,
    }];
    while let Some(mut pair) = open.pop() {
        if pair.parents.contains(&pair.own) || !visit.enters(&mut pair) {
            continue;
        }
        let own = read_tree(reader, pair.own)?;
        visit.reads(own.bytes().len());
        compare(reader, &pair, &own, |entry| {
            visit.meets(&entry, commit);
            if entry.kind == Kind::Tree {
                open.push(Pair {
                    path: entry.path + "/",
                    own: entry.id,
                    parents: entry.parents,
                });
            }
        })?;
    }
    Ok(())
}

/// Gives the entries of a tree that no parent has.
fn compare(
    reader: &Reader,
    pair: &Pair,
    own: &Object<'_>,
    mut give: impl FnMut(Entry),
) -> Result<(), Error> {
    let olds = pair.parents.iter().map(|id| read_tree(reader, *id));
    let olds = olds.collect::<Result<SmallVec<[_; 2]>, _>>()?;
    let mut before: SmallVec<[Listing<'_>; 2]> = olds.iter().map(Listing::of).collect();
    // An own tree is gone through as a list: a hostile one may name two alike.
    for entry in entries(pair.own, own) {
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
        let trees = same.iter().filter(|old| old.kind() == Kind::Tree);
        give(Entry {
            path: pair.path.clone() + &path_text(entry.name),
            kind: entry.kind(),
            id: entry.id,
            parents: trees.map(|old| old.id).collect(),
            is_new: same.iter().all(|old| old.kind() != entry.kind()),
        });
    }
    Ok(())
}

/// The blobs of a tree that an older one does not have like that, by their paths in it.
///
/// # Errors
/// When a tree cannot be read.
pub fn brought(
    reader: &Reader,
    old: Option<ObjectId>,
    new: ObjectId,
) -> Result<Vec<(String, ObjectId)>, Error> {
    let mut files = Files(Vec::new());
    walk_tree(reader, new, old.as_slice(), &mut files)?;
    Ok(files.0)
}

/// All blobs that are met, by their paths.
struct Files(Vec<(String, ObjectId)>);

impl Visit for Files {
    fn enters(&mut self, _: &mut Pair) -> bool {
        true
    }

    fn reads(&mut self, _: usize) {}

    fn meets(&mut self, entry: &Entry, _: Option<ObjectId>) {
        if entry.kind == Kind::Blob {
            self.0.push((entry.path.clone(), entry.id));
        }
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

/// Reads a commit.
///
/// # Errors
/// When it cannot be read.
pub fn commit(reader: &Reader, id: ObjectId) -> Result<Commit, Error> {
    let object = reader.read_as(id, Kind::Commit)?;
    Commit::parse(object.bytes()).ok_or_else(|| malformed("commit", id))
}

/// The tree of a commit.
///
/// # Errors
/// When the commit cannot be read.
pub fn tree_of(reader: &Reader, id: ObjectId) -> Result<ObjectId, Error> {
    Ok(commit(reader, id)?.tree)
}

/// The commit that an object is, or that tags lead to, and these tags.
///
/// # Errors
/// When a tag on the way cannot be read.
pub fn follow(reader: &Reader, id: ObjectId) -> Result<(Vec<ObjectId>, Option<ObjectId>), Error> {
    let (mut tags, mut at) = (Vec::new(), id);
    loop {
        let object = reader.read(at)?;
        match object.kind {
            Kind::Commit => return Ok((tags, Some(at))),
            Kind::Tag => {
                tags.push(at);
                let tag = Tag::parse(object.bytes());
                at = tag.ok_or_else(|| malformed("tag", at))?.target;
            }
            Kind::Tree | Kind::Blob => return Ok((tags, None)),
        }
    }
}

/// The tree of a commit, and those of its parents.
fn roots(reader: &Reader, id: ObjectId) -> Result<(ObjectId, Vec<ObjectId>), Error> {
    let commit = commit(reader, id)?;
    let parents = commit.parents.iter().map(|id| tree_of(reader, *id));
    Ok((commit.tree, parents.collect::<Result<_, _>>()?))
}

pub(super) fn read_tree(reader: &Reader, id: ObjectId) -> Result<Object<'_>, Error> {
    reader.read_as(id, Kind::Tree)
}

/// All entries of a tree. One that ends before its bytes do could hide something behind its fault:
/// the last item says so.
pub(super) fn entries<'b>(
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
    let message = format!("object {id}: is no {kind} as git writes it");
    Error::new(ErrorKind::Git, message)
}

fn join(folder: &str, name: &[u8]) -> String {
    let name = path_text(name);
    if folder.is_empty() {
        name.into_owned()
    } else {
        format!("{folder}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder beside the folders of these parents.
    fn beside(parents: &[u8]) -> Pair {
        let id = |byte: u8| ObjectId([byte; 20]);
        Pair {
            path: String::new(),
            own: id(0),
            parents: parents.iter().copied().map(id).collect(),
        }
    }

    #[test]
    fn a_folder_is_looked_at_beside_others_until_nothing_can_be_new() {
        let mut told = Beside::default();
        assert!(told.adds(&mut beside(&[1, 2])));
        for parents in [&[1, 2][..], &[2, 1], &[1, 2, 3]] {
            assert!(!told.adds(&mut beside(parents)), "{parents:?}");
        }
        for parents in [&[1][..], &[2], &[3, 4], &[]] {
            assert!(told.adds(&mut beside(parents)), "{parents:?}");
        }
        assert!(!told.adds(&mut beside(&[9])), "all of it was told");
    }

    #[test]
    fn a_folder_beside_very_many_others_is_looked_at_whole_at_last() {
        let mut told = Beside::default();
        let most = MOST_BESIDE as u8;
        for parent in 1..=most {
            assert!(told.adds(&mut beside(&[parent])));
        }
        let mut last = beside(&[most + 1]);
        assert!(told.adds(&mut last) && last.parents.is_empty());
        assert!(!told.adds(&mut beside(&[most + 2])));
    }
}

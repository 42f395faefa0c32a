//! What of all that references and reflogs lead to is not here.
//!
//! Objects that nothing leads to may well name others that git has removed. So when something names what
//! is not here, the way is gone from the references on, which is slow and hardly ever called for.

use std::collections::{HashMap, HashSet};

use super::Run;
use crate::git::Kind;
use crate::git::object::{self, Commit};
use crate::git::refs::Refs;
use crate::unit::ObjectId;

const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// The first object on the way that is not here; `of_trees` is one that some tree names. The oldest commits of a shallow clone lack their parents;
/// that is told of such a clone in any case.
pub(super) fn led_to(
    run: &Run<'_>,
    commits: &[(ObjectId, Commit)],
    of_trees: Option<ObjectId>,
    refs: &Refs,
    shallow: bool,
) -> Option<ObjectId> {
    let lacks = |commit: &Commit| {
        let parents = commit.parents.iter().filter(|_| !shallow);
        let mut named = parents.chain([&commit.tree]);
        named.find(|id| is_gone(run, **id)).copied()
    };
    if of_trees.is_none() && commits.iter().all(|(_, commit)| lacks(commit).is_none()) {
        return None;
    }
    let commits: HashMap<ObjectId, &Commit> = commits.iter().map(|(id, c)| (*id, c)).collect();
    let named = refs.refs.iter().map(|reference| reference.peeled);
    let mut left: Vec<ObjectId> = named
        .chain(refs.head)
        .chain(refs.reflog.iter().copied())
        .filter(|id| commits.contains_key(id))
        .collect();
    let is_tree = |kind: Option<Kind>| kind == Some(Kind::Tree);
    let to_trees = refs.refs.iter().filter(|r| is_tree(r.kind));
    let mut trees: Vec<ObjectId> = to_trees.map(|reference| reference.peeled).collect();
    let mut seen = HashSet::new();
    while let Some(id) = left.pop() {
        let Some(commit) = commits.get(&id).filter(|_| seen.insert(id)) else {
            continue;
        };
        let gone = lacks(commit);
        if gone.is_some() {
            return gone;
        }
        left.extend(&commit.parents);
        trees.push(commit.tree);
    }
    in_trees(run, trees)
}

/// git knows the tree of nothing without having it.
fn is_gone(run: &Run<'_>, id: ObjectId) -> bool {
    !run.store.has(&id) && id.to_string() != EMPTY_TREE
}

/// The first object in some trees that is not here.
fn in_trees(run: &Run<'_>, mut left: Vec<ObjectId>) -> Option<ObjectId> {
    let mut seen = HashSet::new();
    while let Some(id) = left.pop() {
        if !seen.insert(id) {
            continue;
        }
        // One that cannot be read was told before.
        let Ok(tree) = run.reader.try_read(id) else {
            continue;
        };
        for entry in object::entries(tree.bytes()).filter(|entry| !entry.is_commit) {
            if is_gone(run, entry.id) {
                return Some(entry.id);
            }
            left.extend(entry.is_tree.then_some(entry.id));
        }
    }
    None
}

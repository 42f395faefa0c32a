//! What a set of new tips leads to that was not there before.

use std::collections::HashSet;

use super::Kind;
use super::changes::{self, Kept, malformed};
use super::object::Tag;
use super::reader::Reader;
use crate::error::Error;
use crate::unit::ObjectId;

/// New objects at the top of the graph; trees and blobs here are those that tags or references
/// name directly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fresh {
    /// Parents before children.
    pub commits: Vec<ObjectId>,
    pub tags: Vec<ObjectId>,
    pub trees: Vec<ObjectId>,
    pub blobs: Vec<ObjectId>,
    pub kept: Option<Kept>,
}

impl Fresh {
    /// Follows `tips` until what is `known`.
    ///
    /// # Errors
    /// When an object on the way is missing or malformed.
    pub fn of(
        reader: &Reader,
        tips: &[ObjectId],
        known: impl Fn(ObjectId) -> bool,
    ) -> Result<Self, Error> {
        let mut fresh = Self::default();
        let mut seen = HashSet::new();
        for tip in tips {
            fresh.follow(reader, *tip, &known, &mut seen)?;
        }
        Ok(fresh)
    }

    fn follow(
        &mut self,
        reader: &Reader,
        tip: ObjectId,
        known: &impl Fn(ObjectId) -> bool,
        seen: &mut HashSet<ObjectId>,
    ) -> Result<(), Error> {
        let mut at = tip;
        while !known(at) && seen.insert(at) {
            let object = reader.read(at)?;
            match object.kind {
                Kind::Tag => {
                    self.tags.push(at);
                    let tag = Tag::parse(object.bytes()).ok_or_else(|| malformed("tag", at))?;
                    at = tag.target;
                    continue;
                }
                Kind::Commit => self.descend(reader, at, known, seen)?,
                Kind::Tree => self.trees.push(at),
                Kind::Blob => self.blobs.push(at),
            }
            break;
        }
        Ok(())
    }

    /// Adds a commit after all of its new ancestors. No recursion: histories are deep.
    fn descend(
        &mut self,
        reader: &Reader,
        commit: ObjectId,
        known: &impl Fn(ObjectId) -> bool,
        seen: &mut HashSet<ObjectId>,
    ) -> Result<(), Error> {
        let mut open = vec![(commit, parents(reader, commit)?)];
        while let Some((id, waiting)) = open.last_mut() {
            match waiting.pop() {
                Some(parent) if !known(parent) && seen.insert(parent) => {
                    open.push((parent, parents(reader, parent)?));
                }
                Some(_) => {}
                None => {
                    self.commits.push(*id);
                    open.pop();
                }
            }
        }
        Ok(())
    }
}

/// A commit's parents, the first one last.
fn parents(reader: &Reader, id: ObjectId) -> Result<Vec<ObjectId>, Error> {
    let commit = changes::commit(reader, id)?;
    Ok(commit.parents.iter().rev().copied().collect())
}

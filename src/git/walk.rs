//! Walks through commits, and tells which of them only one side leads to.
//!
//! Whoever makes a commit chooses its time, so times do not tell where to stop: all that either side leads
//! to is walked through.

use std::collections::{HashMap, HashSet};

use smallvec::SmallVec;

use super::changes;
use super::reader::Reader;
use super::repo::Repo;
use crate::error::Error;
use crate::unit::ObjectId;

/// What one side leads to and the other does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parted {
    pub own: HashSet<ObjectId>,
    /// The newest commits that both lead to, of which none leads to another; none for histories that have
    /// nothing in common, and several where each side has merged the other.
    pub forks: Vec<ObjectId>,
}

/// Parts the commits that `own` leads to from those that `other` does.
///
/// # Errors
/// When a commit on the way cannot be read.
pub fn part(
    repo: &Repo,
    reader: &Reader,
    own: &[ObjectId],
    other: &[ObjectId],
) -> Result<Parted, Error> {
    Walk::of(repo, reader, false)?.part(own, other)
}

/// The commits that `own` leads to and `hidden` does not, which only tells what needs no look: what it leads
/// to and cannot be read is passed over, so that more is left.
///
/// # Errors
/// When a commit to which `own` alone leads cannot be read.
pub fn beyond(
    repo: &Repo,
    reader: &Reader,
    own: &[ObjectId],
    hidden: &[ObjectId],
) -> Result<HashSet<ObjectId>, Error> {
    Ok(Walk::of(repo, reader, true)?.part(own, hidden)?.own)
}

/// What leads to a commit.
const OWN: u8 = 1;
const OTHER: u8 = 2;
const BOTH: u8 = OWN | OTHER;
/// Another commit that both sides lead to.
const BELOW: u8 = 4;

struct Walk<'r> {
    reader: &'r Reader,
    /// Commits whose parents are not here.
    shallow: HashSet<ObjectId>,
    seen: HashMap<ObjectId, Seen>,
    /// Commits whose parents have not all of their marks. One comes here again when it gets more of them.
    open: Vec<ObjectId>,
    /// Whether the other side may lead to what cannot be read.
    passes_over: bool,
}

#[derive(Default)]
struct Seen {
    marks: u8,
    time: i64,
    parents: SmallVec<[ObjectId; 2]>,
}

impl<'r> Walk<'r> {
    fn of(repo: &Repo, reader: &'r Reader, passes_over: bool) -> Result<Self, Error> {
        Ok(Self {
            reader,
            shallow: repo.shallow()?,
            seen: HashMap::new(),
            open: Vec::new(),
            passes_over,
        })
    }

    fn part(mut self, own: &[ObjectId], other: &[ObjectId]) -> Result<Parted, Error> {
        own.iter().try_for_each(|id| self.mark(*id, OWN))?;
        // What was marked last is followed first: all of this side, before the rest of the own one.
        other.iter().try_for_each(|id| self.mark(*id, OTHER))?;
        self.run()?;
        let is_own = |(id, seen): (&ObjectId, &Seen)| (seen.marks == OWN).then_some(*id);
        let forks = self.seen.iter().filter(|(_, seen)| seen.marks == BOTH);
        let mut forks: Vec<_> = forks.map(|(id, seen)| (seen.time, *id)).collect();
        forks.sort_unstable_by(|a, b| b.cmp(a));
        Ok(Parted {
            own: self.seen.iter().filter_map(is_own).collect(),
            forks: forks.into_iter().map(|(_, id)| id).collect(),
        })
    }

    fn run(&mut self) -> Result<(), Error> {
        while let Some(id) = self.open.pop() {
            let seen = &self.seen[&id];
            let below = if seen.marks == BOTH { BELOW } else { 0 };
            let (marks, parents) = (seen.marks | below, seen.parents.clone());
            parents
                .iter()
                .try_for_each(|parent| self.mark(*parent, marks))?;
        }
        Ok(())
    }

    fn mark(&mut self, id: ObjectId, marks: u8) -> Result<(), Error> {
        if !self.seen.contains_key(&id) {
            let seen = match self.read(id) {
                Err(_) if self.passes_over && marks & OTHER != 0 => Seen::default(),
                read => read?,
            };
            self.seen.insert(id, seen);
        }
        let Some(seen) = self
            .seen
            .get_mut(&id)
            .filter(|seen| seen.marks | marks != seen.marks)
        else {
            return Ok(());
        };
        seen.marks |= marks;
        self.open.push(id);
        Ok(())
    }

    fn read(&self, id: ObjectId) -> Result<Seen, Error> {
        let commit = changes::commit(self.reader, id)?;
        let is_cut = self.shallow.contains(&id);
        Ok(Seen {
            marks: 0,
            time: commit.time,
            parents: if is_cut {
                SmallVec::new()
            } else {
                commit.parents
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;

    /// Writes commits, each with those of its parents that come before it and the time that it tells.
    fn written(git: &git2::Repository, told: &[(Vec<Index>, i64)]) -> Vec<ObjectId> {
        let empty = git.treebuilder(None).and_then(|tree| tree.write());
        let tree = empty.and_then(|id| git.find_tree(id)).expect("a tree");
        let mut ids: Vec<git2::Oid> = Vec::new();
        for (number, (parents, time)) in told.iter().enumerate() {
            let mut parents: Vec<git2::Oid> = match ids.is_empty() {
                true => Vec::new(),
                false => parents.iter().map(|parent| *parent.get(&ids)).collect(),
            };
            parents.sort_unstable();
            parents.dedup();
            let parents: Vec<_> = parents.iter().map(|id| git.find_commit(*id)).collect();
            let parents: Vec<_> = parents.iter().map(|read| read.as_ref().unwrap()).collect();
            let by = git2::Signature::new("a", "a@b", &git2::Time::new(*time, 0)).expect("one");
            let words = number.to_string();
            let id = git.commit(None, &by, &by, &words, &tree, &parents);
            ids.push(id.expect("a commit"));
        }
        ids.into_iter().map(ObjectId::from).collect()
    }

    /// All that a commit leads to, itself among it.
    fn reached(reader: &Reader, from: ObjectId) -> HashSet<ObjectId> {
        let mut all = HashSet::new();
        let mut open = vec![from];
        while let Some(id) = open.pop() {
            if all.insert(id) {
                open.extend(changes::commit(reader, id).expect("a commit").parents);
            }
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn two_sides_are_parted_whatever_their_times_tell(
            told in prop::collection::vec((prop::collection::vec(any::<Index>(), 0..3), 0..40_i64), 1..16),
            ends: (Index, Index),
            lie: bool,
        ) {
            let dir = tempfile::tempdir().expect("a folder");
            let git = git2::Repository::init_bare(dir.path()).expect("a repository");
            let timed = told.into_iter().enumerate().map(|(number, (parents, time))| {
                (parents, if lie { time } else { number as i64 })
            });
            let ids = written(&git, &timed.collect::<Vec<_>>());
            let repo = Repo::open(dir.path()).expect("a repository");
            let reader = repo.reader().expect("a reader");
            let (own, other) = (*ends.0.get(&ids), *ends.1.get(&ids));
            let parted = part(&repo, &reader, &[own], &[other]).expect("parted");
            let (ours, theirs) = (reached(&reader, own), reached(&reader, other));
            let only: HashSet<_> = ours.difference(&theirs).copied().collect();
            let common: HashSet<_> = ours.intersection(&theirs).copied().collect();
            prop_assert_eq!(parted.own, only);
            let is_below = |id: &ObjectId| {
                let mut others = common.iter().filter(|other| *other != id);
                others.any(|other| reached(&reader, *other).contains(id))
            };
            let forks: HashSet<_> = common.iter().filter(|id| !is_below(id)).copied().collect();
            prop_assert_eq!(parted.forks.into_iter().collect::<HashSet<_>>(), forks);
        }
    }
}

//! Commits in their order, and who reaches which.

use std::collections::{BinaryHeap, HashMap};

use crate::git::object::Commit;
use crate::git::store::Store;
use crate::unit::ObjectId;

use super::holders::Number;

/// Where a commit stands among all, parents before children.
pub type Rank = u32;

/// How a commit can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reached {
    /// From a branch, a tag or another reference.
    Refs,
    /// Only from a reflog.
    Reflog,
    #[default]
    Nowhere,
}

/// All commits of a store, in an order in which parents come before children and, where they may,
/// older ones before younger.
pub struct Graph {
    ids: Vec<ObjectId>,
    times: Vec<i64>,
    /// The number of each commit's tree.
    trees: Vec<Option<Number>>,
    /// Parents that are at hand, by rank.
    parents: Vec<Box<[Rank]>>,
    reached: Vec<Reached>,
    ranks: HashMap<ObjectId, Rank>,
}

impl Graph {
    pub fn new(commits: &[(ObjectId, Commit)], store: &Store) -> Self {
        let mut at: HashMap<ObjectId, usize> = HashMap::with_capacity(commits.len());
        for (index, (id, _)) in commits.iter().enumerate() {
            at.entry(*id).or_insert(index);
        }
        let mut graph = Self {
            ids: Vec::with_capacity(commits.len()),
            times: Vec::new(),
            trees: Vec::new(),
            parents: Vec::new(),
            reached: Vec::new(),
            ranks: HashMap::with_capacity(commits.len()),
        };
        for index in order(commits, &at) {
            let (id, commit) = &commits[index];
            let parents = commit.parents.iter();
            let parents = parents.filter_map(|parent| graph.ranks.get(parent).copied());
            graph.parents.push(parents.collect());
            graph.ranks.insert(*id, graph.ids.len() as Rank);
            graph.ids.push(*id);
            graph.times.push(commit.time);
            graph.trees.push(store.number(&commit.tree));
            graph.reached.push(Reached::Nowhere);
        }
        graph
    }

    /// All commits, parents first.
    pub fn commits(&self) -> std::ops::Range<Rank> {
        0..self.ids.len() as Rank
    }

    pub fn id(&self, rank: Rank) -> ObjectId {
        self.ids[rank as usize]
    }

    pub fn time(&self, rank: Rank) -> i64 {
        self.times[rank as usize]
    }

    pub fn tree(&self, rank: Rank) -> Option<Number> {
        self.trees[rank as usize]
    }

    pub fn rank(&self, id: &ObjectId) -> Option<Rank> {
        self.ranks.get(id).copied()
    }

    pub fn reached(&self, rank: Rank) -> Reached {
        self.reached[rank as usize]
    }

    /// Marks all that these commits reach, but for what is marked already.
    pub fn mark(&mut self, tips: impl IntoIterator<Item = Rank>, how: Reached) {
        let mut open: Vec<Rank> = tips.into_iter().collect();
        while let Some(rank) = open.pop() {
            let reached = &mut self.reached[rank as usize];
            if *reached > how {
                *reached = how;
                open.extend_from_slice(&self.parents[rank as usize]);
            }
        }
    }

    /// For each of `tips` which of at most 64 `commits` it reaches, a bit each.
    pub fn contains(&self, commits: &[Rank], tips: &[Rank]) -> Vec<u64> {
        let mut masks = vec![0_u64; self.ids.len()];
        for (bit, &commit) in commits.iter().take(64).enumerate() {
            masks[commit as usize] |= 1 << bit;
        }
        for rank in 0..self.ids.len() {
            for &parent in &self.parents[rank] {
                masks[rank] |= masks[parent as usize];
            }
        }
        tips.iter().map(|&tip| masks[tip as usize]).collect()
    }
}

/// The commits' indices, parents first, the oldest first where several may come.
fn order(commits: &[(ObjectId, Commit)], at: &HashMap<ObjectId, usize>) -> Vec<usize> {
    let mut waits = vec![0_u32; commits.len()];
    let mut children: Vec<Vec<u32>> = vec![Vec::new(); commits.len()];
    let single = |index: usize| at.get(&commits[index].0) == Some(&index);
    for (index, (_, commit)) in commits.iter().enumerate() {
        for parent in commit.parents.iter().filter_map(|parent| at.get(parent)) {
            waits[index] += 1;
            children[*parent].push(index as u32);
        }
    }
    let key = |index: usize| {
        let (id, commit) = &commits[index];
        std::cmp::Reverse((commit.time, *id, index))
    };
    let ready = (0..commits.len()).filter(|&index| waits[index] == 0);
    let mut ready: BinaryHeap<_> = ready.map(key).collect();
    let mut ordered = Vec::with_capacity(commits.len());
    while let Some(std::cmp::Reverse((_, _, index))) = ready.pop() {
        if single(index) {
            ordered.push(index);
        }
        for &child in &children[index] {
            waits[child as usize] -= 1;
            if waits[child as usize] == 0 {
                ready.push(key(child as usize));
            }
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use smallvec::SmallVec;

    fn id(n: u8) -> ObjectId {
        ObjectId([n; 20])
    }

    fn commit(n: u8, time: i64, parents: &[u8]) -> (ObjectId, Commit) {
        let parents: SmallVec<[ObjectId; 2]> = parents.iter().map(|&p| id(p)).collect();
        let tree = id(200);
        (
            id(n),
            Commit {
                tree,
                parents,
                time,
            },
        )
    }

    #[test]
    fn parents_come_first_even_when_clocks_are_wrong() {
        let store = Store::open(&[]).expect("an empty store");
        let commits = vec![
            commit(3, 10, &[2]),
            commit(2, 50, &[1]),
            commit(1, 40, &[]),
            commit(4, 45, &[1, 9]),
            commit(3, 10, &[2]),
        ];
        let mut graph = Graph::new(&commits, &store);
        let ids: Vec<u8> = graph.commits().map(|r| graph.id(r).0[0]).collect();
        assert_eq!(ids, [1, 4, 2, 3]);
        let rank = |n| graph.rank(&id(n)).expect("a commit");
        let (one, two, three, four) = (rank(1), rank(2), rank(3), rank(4));
        assert_eq!(graph.contains(&[one, two], &[three, four]), [3, 1]);
        use Reached::{Nowhere, Reflog, Refs};
        graph.mark([four], Refs);
        graph.mark([two], Reflog);
        let reached = [one, four, two, three].map(|r| graph.reached(r));
        assert_eq!(reached, [Refs, Refs, Reflog, Nowhere]);
    }
}

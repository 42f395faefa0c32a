//! From commits down to the objects that hold secrets: by which paths, since when, until when.
//!
//! Only trees that lead to such an object take part. Each carries, for every path under which
//! commits have it, the first and the last of those commits; they are handed down from tree to tree
//! in one pass, whatever the number of commits.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::graph::{Graph, Rank, Reached};
use super::groups::Groups;
use super::holders::{Edge, Holders, Number};

/// An object in a path. The object is a blob with secrets, or what a telling name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Item {
    pub object: Number,
    pub path: Path,
}

/// A path by number, see [`Paths`].
pub type Path = u32;

/// Since when and until when commits have an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub first: Rank,
    pub last: Rank,
    pub reached: Reached,
}

/// Paths as a tree of names; the root is 0.
pub struct Paths {
    parts: Vec<(Path, u32)>,
    numbers: HashMap<(Path, u32), Path>,
}

impl Paths {
    fn new() -> Self {
        Self {
            parts: vec![(0, 0)],
            numbers: HashMap::new(),
        }
    }

    fn join(&mut self, folder: Path, name: u32) -> Path {
        *self.numbers.entry((folder, name)).or_insert_with(|| {
            self.parts.push((folder, name));
            self.parts.len() as Path - 1
        })
    }

    /// The bytes of a path, given the names.
    pub fn bytes(&self, path: Path, names: &[Box<[u8]>]) -> Vec<u8> {
        let mut parts = Vec::new();
        let mut at = path;
        while at != 0 {
            let (folder, name) = self.parts[at as usize];
            parts.push(&*names[name as usize]);
            at = folder;
        }
        parts.reverse();
        parts.join(&b'/')
    }
}

/// The trees that lead to wanted objects, and where they lead.
pub struct Ways {
    /// The trees' local numbers; [`NONE`] for what is none of them.
    locals: Vec<u32>,
    /// How many local numbers there are.
    trees: usize,
    /// The local numbers, each before those of the trees that it holds.
    order: Vec<u32>,
    /// By local number, the trees that lead on and their names.
    down: Groups<(u32, u32)>,
    leaves: Groups<(Number, u32)>,
    pub paths: Paths,
}

/// The local number of what is no tree here.
const NONE: u32 = u32::MAX;

/// The paths where a tree stands, each with what is told of those who have it there.
type Stand<T> = SmallVec<[(Path, T); 1]>;

impl Ways {
    /// All ways to `leaves`.
    pub fn new(holders: &Holders, leaves: &[Edge]) -> Self {
        let mut found = Leading::default();
        leaves.iter().for_each(|leaf| found.meet(leaf.tree));
        found.climb(holders);
        let mut down = found.down();
        let order = in_order(found.trees.len(), &down);
        if order.len() < found.trees.len() {
            found.keep(&order);
            down = found.down();
        }
        let Leading { locals, trees, .. } = found;
        let ends = leaves
            .iter()
            .filter(|leaf| locals[leaf.tree as usize] != NONE);
        let ends = ends.map(|leaf| (locals[leaf.tree as usize], (leaf.child, leaf.name)));
        Self {
            leaves: Groups::new(trees.len(), ends),
            down,
            trees: trees.len(),
            order,
            paths: Paths::new(),
            locals,
        }
    }

    fn local(&self, tree: Number) -> Option<u32> {
        let local = self.locals.get(tree as usize).copied();
        local.filter(|&local| local != NONE)
    }

    /// All items that commits have. One that several kinds of commits have counts for the best
    /// reached of them.
    pub fn items(&mut self, graph: &Graph) -> HashMap<Item, Span> {
        let mut items = HashMap::new();
        for reached in [Reached::Refs, Reached::Reflog, Reached::Nowhere] {
            let commits = graph
                .commits()
                .filter(|&rank| graph.reached(rank) == reached);
            let trees = commits.filter_map(|rank| Some((graph.tree(rank)?, (rank, rank))));
            self.hand_down(trees, widen, |item, &(first, last)| {
                let span = items.entry(item).or_insert(Span {
                    first,
                    last,
                    reached,
                });
                if span.reached == reached {
                    span.first = span.first.min(first);
                    span.last = span.last.max(last);
                }
            });
        }
        items
    }

    /// All items in some trees, each with the numbers of those that have it.
    pub fn items_in(
        &mut self,
        trees: impl IntoIterator<Item = (Number, u32)>,
    ) -> HashMap<Item, Vec<u32>> {
        let mut items: HashMap<Item, Vec<u32>> = HashMap::new();
        let trees = trees.into_iter().map(|(tree, number)| (tree, vec![number]));
        self.hand_down(trees, Vec::append, |item, numbers| {
            items.entry(item).or_default().extend_from_slice(numbers);
        });
        items
    }

    /// Hands down what is told of some trees, from tree to tree, to the items at the ends. `add` makes one
    /// of what several tell of a tree in one path.
    fn hand_down<T: Clone>(
        &mut self,
        trees: impl Iterator<Item = (Number, T)>,
        add: impl Fn(&mut T, &mut T),
        mut end: impl FnMut(Item, &T),
    ) {
        let mut trees = trees.peekable();
        if trees.peek().is_none() {
            return;
        }
        let mut stands: Vec<Stand<T>> = vec![Stand::new(); self.trees];
        let stand = |stand: &mut Stand<T>, path, mut told: T| {
            let known = stand.iter_mut().find(|(at, _)| *at == path);
            match known {
                Some((_, known)) => add(known, &mut told),
                None => stand.push((path, told)),
            }
        };
        for (tree, told) in trees {
            if let Some(local) = self.local(tree) {
                stand(&mut stands[local as usize], 0, told);
            }
        }
        for &local in &self.order {
            let here = std::mem::take(&mut stands[local as usize]);
            for (folder, told) in here {
                for &(child, name) in self.down.of(local) {
                    let path = self.paths.join(folder, name);
                    stand(&mut stands[child as usize], path, told.clone());
                }
                for &(object, name) in self.leaves.of(local) {
                    let path = self.paths.join(folder, name);
                    end(Item { object, path }, &told);
                }
            }
        }
    }
}

/// Makes one of two ranges of commits.
fn widen(range: &mut (Rank, Rank), other: &mut (Rank, Rank)) {
    range.0 = range.0.min(other.0);
    range.1 = range.1.max(other.1);
}

/// The trees that lead to leaves, as far as they are known.
#[derive(Default)]
struct Leading {
    locals: Vec<u32>,
    /// By local number.
    trees: Vec<Number>,
    /// From tree to tree.
    edges: Vec<Edge>,
}

impl Leading {
    /// Gives a tree a number, unless it has one.
    fn meet(&mut self, tree: Number) {
        let at = tree as usize;
        if at >= self.locals.len() {
            self.locals.resize(at + 1, NONE);
        }
        if self.locals[at] == NONE {
            self.locals[at] = self.trees.len() as u32;
            self.trees.push(tree);
        }
    }

    /// Meets all that hold those that were met, and those above.
    fn climb(&mut self, holders: &Holders) {
        let mut next = 0;
        while let Some(&tree) = self.trees.get(next) {
            let mut edges = Vec::new();
            holders.of(tree, &mut edges);
            // A tree that is wrong may have an entry twice.
            edges.sort_unstable();
            edges.dedup();
            edges.iter().for_each(|edge| self.meet(edge.tree));
            self.edges.append(&mut edges);
            next += 1;
        }
    }

    /// By local number, the trees that lead on and their names.
    fn down(&self) -> Groups<(u32, u32)> {
        let local = |tree: Number| self.locals[tree as usize];
        let down = self.edges.iter();
        let down = down.map(|edge| (local(edge.tree), (local(edge.child), edge.name)));
        Groups::new(self.trees.len(), down)
    }

    /// Keeps these trees only. No tree holds itself, whatever an index says: what seems to, and what hangs
    /// on that, stands in no order.
    fn keep(&mut self, order: &[u32]) {
        let mut kept = vec![false; self.trees.len()];
        order.iter().for_each(|&tree| kept[tree as usize] = true);
        let locals = &mut self.locals;
        let is_kept = |tree: Number| kept[locals[tree as usize] as usize];
        self.edges
            .retain(|edge| is_kept(edge.tree) && is_kept(edge.child));
        for (&tree, kept) in self.trees.iter().zip(kept) {
            if !kept {
                locals[tree as usize] = NONE;
            }
        }
    }
}

/// So many trees, each before those it holds.
fn in_order(trees: usize, down: &Groups<(u32, u32)>) -> Vec<u32> {
    // A tree is ready when all that hold it are placed.
    let mut waits = vec![0_u32; trees];
    for (child, _) in down.all() {
        waits[*child as usize] += 1;
    }
    let all = 0..trees as u32;
    let mut order: Vec<u32> = all.filter(|&tree| waits[tree as usize] == 0).collect();
    let mut next = 0;
    while let Some(&tree) = order.get(next) {
        for &(child, _) in down.of(tree) {
            let count = &mut waits[child as usize];
            *count -= 1;
            if *count == 0 {
                order.push(child);
            }
        }
        next += 1;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::super::holders::Noted;
    use super::*;
    use crate::git::Store;

    fn holders(edges: &[Edge]) -> Holders {
        let noted = Noted {
            added: edges.to_vec(),
            ..Noted::default()
        };
        Holders::new(&[noted], 10)
    }

    fn edge(tree: Number, child: Number, name: u32) -> Edge {
        Edge { tree, child, name }
    }

    #[test]
    fn only_leading_trees_are_kept_holders_first() {
        let edges = [edge(1, 2, 0), edge(2, 3, 1), edge(1, 4, 2), edge(5, 3, 1)];
        let ways = Ways::new(&holders(&edges), &[edge(3, 9, 3)]);
        assert_eq!(ways.order.len(), 4);
        assert!(ways.local(4).is_none());
        let at = |tree| ways.order.iter().position(|&t| Some(t) == ways.local(tree));
        assert!(at(1) < at(2) && at(2) < at(3) && at(5) < at(3));
    }

    #[test]
    fn trees_that_seem_to_hold_themselves_lead_nowhere() {
        let edges = [edge(1, 2, 0), edge(2, 2, 1), edge(1, 3, 2)];
        let mut ways = Ways::new(&holders(&edges), &[edge(2, 8, 3), edge(3, 9, 4)]);
        assert!(ways.local(2).is_none());
        let items = ways.items_in([(1, 0)]);
        let objects: Vec<Number> = items.keys().map(|item| item.object).collect();
        assert_eq!(objects, [9]);
        let graph = Graph::new(&[], &Store::open(&[]).expect("empty"));
        assert!(ways.items(&graph).is_empty());
    }

    #[test]
    fn items_of_a_tree_have_full_paths() {
        let names: Vec<Box<[u8]>> = [&b"src"[..], b"key.py"].map(Into::into).into();
        let mut ways = Ways::new(&holders(&[edge(1, 2, 0)]), &[edge(2, 9, 1), edge(1, 9, 1)]);
        let mut items: Vec<(String, Vec<u32>)> = ways
            .items_in([(1, 7), (2, 8), (1, 9)])
            .into_iter()
            .map(|(item, mut trees)| {
                let path = ways.paths.bytes(item.path, &names);
                trees.sort_unstable();
                (String::from_utf8(path).expect("text"), trees)
            })
            .collect();
        items.sort();
        let expected = [("key.py", vec![7, 8, 9]), ("src/key.py", vec![7, 9])];
        assert_eq!(
            items,
            expected.map(|(path, trees)| (path.to_owned(), trees))
        );
        let graph = Graph::new(&[], &Store::open(&[]).expect("empty"));
        assert!(ways.items(&graph).is_empty());
    }
}

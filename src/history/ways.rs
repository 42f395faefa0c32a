//! From commits down to the objects that hold secrets: by which paths, since when, until when.
//!
//! Only trees that lead to such an object take part. Each carries, for every path under which
//! commits have it, the first and the last of those commits; they are handed down from tree to tree
//! in one pass, whatever the number of commits.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;
use smallvec::SmallVec;

use super::graph::{Graph, Rank, Reached};
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
    /// The trees' local numbers, in such an order that each comes before those it holds; [`NONE`] for
    /// what is none of them.
    locals: Vec<u32>,
    down: Vec<Vec<(u32, u32)>>,
    leaves: Vec<Vec<(Number, u32)>>,
    pub paths: Paths,
}

/// The local number of what is no tree here.
const NONE: u32 = u32::MAX;

/// Where one version of a tree stands.
type Stand = SmallVec<[(Path, Rank, Rank); 1]>;

impl Ways {
    /// All ways to `leaves`.
    pub fn new(holders: &Holders, leaves: &[Edge]) -> Self {
        let edges = leading(holders, leaves);
        let order = in_order(&edges, leaves);
        let most = order.iter().max().map_or(0, |&most| most as usize + 1);
        let mut locals = vec![NONE; most];
        for (local, &tree) in order.iter().enumerate() {
            locals[tree as usize] = local as u32;
        }
        let mut ways = Self {
            down: vec![Vec::new(); order.len()],
            leaves: vec![Vec::new(); order.len()],
            paths: Paths::new(),
            locals,
        };
        for edge in edges {
            let ends = (ways.local(edge.tree), ways.local(edge.child));
            if let (Some(tree), Some(child)) = ends {
                ways.down[tree as usize].push((child, edge.name));
            }
        }
        for leaf in leaves {
            if let Some(tree) = ways.local(leaf.tree) {
                ways.leaves[tree as usize].push((leaf.child, leaf.name));
            }
        }
        ways
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
            self.items_reached(graph, reached, &mut items);
        }
        items
    }

    fn items_reached(&mut self, graph: &Graph, reached: Reached, items: &mut HashMap<Item, Span>) {
        let mut stands: Vec<Stand> = vec![Stand::new(); self.down.len()];
        for rank in graph
            .commits()
            .filter(|&rank| graph.reached(rank) == reached)
        {
            let local = graph.tree(rank).and_then(|tree| self.local(tree));
            if let Some(local) = local {
                stand(&mut stands[local as usize], 0, rank, rank);
            }
        }
        for local in 0..stands.len() {
            let here = std::mem::take(&mut stands[local]);
            for &(folder, first, last) in &here {
                for &(child, name) in &self.down[local] {
                    let path = self.paths.join(folder, name);
                    stand(&mut stands[child as usize], path, first, last);
                }
                for &(object, name) in &self.leaves[local] {
                    let path = self.paths.join(folder, name);
                    let span = items.entry(Item { object, path }).or_insert(Span {
                        first,
                        last,
                        reached,
                    });
                    if span.reached == reached {
                        span.first = span.first.min(first);
                        span.last = span.last.max(last);
                    }
                }
            }
        }
    }

    /// The items in one tree.
    pub fn items_in(&mut self, tree: Number) -> Vec<Item> {
        let mut items = Vec::new();
        let mut open: Vec<(u32, Path)> = Vec::new();
        open.extend(self.local(tree).map(|local| (local, 0)));
        while let Some((local, folder)) = open.pop() {
            for &(child, name) in &self.down[local as usize] {
                open.push((child, self.paths.join(folder, name)));
            }
            for &(object, name) in &self.leaves[local as usize] {
                let path = self.paths.join(folder, name);
                items.push(Item { object, path });
            }
        }
        items
    }
}

/// Notes that a tree stands at `path` from `first` to `last`.
fn stand(stands: &mut Stand, path: Path, first: Rank, last: Rank) {
    match stands.iter_mut().find(|(at, ..)| *at == path) {
        Some((_, since, until)) => {
            *since = (*since).min(first);
            *until = (*until).max(last);
        }
        None => stands.push((path, first, last)),
    }
}

/// The entries from tree to tree that lead to a leaf, in order.
fn leading(holders: &Holders, leaves: &[Edge]) -> Vec<Edge> {
    let mut edges = Vec::new();
    let mut open: Vec<Number> = leaves.iter().map(|leaf| leaf.tree).collect();
    let mut seen: HashSet<Number> = open.iter().copied().collect();
    open.sort_unstable();
    open.dedup();
    while let Some(tree) = open.pop() {
        let before = edges.len();
        holders.of(tree, &mut edges);
        let above = edges[before..].iter().map(|edge| edge.tree);
        open.extend(above.filter(|&above| seen.insert(above)));
    }
    edges.par_sort_unstable();
    edges.dedup();
    edges
}

/// The trees of entries, which are in order, and of leaves, each before those it holds.
fn in_order(edges: &[Edge], leaves: &[Edge]) -> Vec<Number> {
    let mut trees: Vec<Number> = edges.iter().chain(leaves).map(|edge| edge.tree).collect();
    trees.sort_unstable();
    trees.dedup();
    // A tree is ready when all that hold it are placed.
    let mut waits: HashMap<Number, u32> = HashMap::with_capacity(trees.len());
    for edge in edges {
        *waits.entry(edge.child).or_default() += 1;
    }
    let mut ready = trees;
    ready.retain(|tree| !waits.contains_key(tree));
    let mut order = Vec::new();
    while let Some(tree) = ready.pop() {
        order.push(tree);
        let own = edges.partition_point(|edge| edge.tree < tree);
        for edge in edges[own..].iter().take_while(|edge| edge.tree == tree) {
            let count = waits.entry(edge.child).or_default();
            *count -= 1;
            if *count == 0 {
                ready.push(edge.child);
            }
        }
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
        Holders::new(noted, 10)
    }

    fn edge(tree: Number, child: Number, name: u32) -> Edge {
        Edge { tree, child, name }
    }

    #[test]
    fn only_leading_trees_are_kept_holders_first() {
        let edges = [edge(1, 2, 0), edge(2, 3, 1), edge(1, 4, 2), edge(5, 3, 1)];
        let leaves = [edge(3, 9, 3)];
        let order = in_order(&leading(&holders(&edges), &leaves), &leaves);
        assert_eq!(order.len(), 4);
        let at = |tree| order.iter().position(|&t| t == tree);
        assert!(at(4).is_none());
        assert!(at(1) < at(2) && at(2) < at(3) && at(5) < at(3));
    }

    #[test]
    fn items_of_a_tree_have_full_paths() {
        let names: Vec<Box<[u8]>> = [&b"src"[..], b"key.py"].map(Into::into).into();
        let mut ways = Ways::new(&holders(&[edge(1, 2, 0)]), &[edge(2, 9, 1), edge(1, 9, 1)]);
        let mut paths: Vec<String> = ways
            .items_in(1)
            .iter()
            .map(|item| String::from_utf8(ways.paths.bytes(item.path, &names)).expect("text"))
            .collect();
        paths.sort();
        assert_eq!(paths, ["key.py", "src/key.py"]);
        let graph = Graph::new(&[], &Store::open(&[]).expect("empty"));
        assert!(ways.items(&graph).is_empty());
    }
}

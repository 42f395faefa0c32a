//! Which tree holds what.
//!
//! A folder has a tree for each of its versions, and nearly all that one holds the version before held
//! too. So of a tree that a delta made only what it adds to that of its base is kept, and what it drops.
//! From where a tree adds an object all those hold it that were made from that one, on to those that drop
//! it: who is asked for a few objects only never writes out the rest.

use super::groups::Groups;

/// The number of an object in its store.
pub type Number = u32;

/// A tree's entry that may lead to a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edge {
    pub tree: Number,
    pub child: Number,
    pub name: u32,
}

/// What some trees hold, each by what it changed, in any order.
#[derive(Debug, Default)]
pub struct Noted {
    /// What a tree holds and its base does not, or all that one holds without a base.
    pub added: Vec<Edge>,
    /// A tree and what of its base it does not take over, under any name, though it may add that itself;
    /// in order for each tree.
    pub dropped: Vec<(Number, Number)>,
    /// A tree and its base.
    pub bases: Vec<(Number, Number)>,
}

impl Noted {
    /// Gives names other numbers.
    pub fn rename(&mut self, numbers: &[u32]) {
        for edge in &mut self.added {
            edge.name = numbers[edge.name as usize];
        }
    }
}

/// Tells who holds an object.
#[derive(Default)]
pub struct Holders {
    /// By what is held.
    added: Groups<Edge>,
    /// By tree.
    dropped: Groups<Number>,
    /// By base, the trees made from it.
    made: Groups<Number>,
}

impl Holders {
    /// Puts in order what was noted of the trees of a store with so many objects, of each once.
    pub fn new(noted: &[Noted], objects: usize) -> Self {
        let added = noted.iter().flat_map(|noted| &noted.added);
        let dropped = noted.iter().flat_map(|noted| &noted.dropped);
        let bases = noted.iter().flat_map(|noted| &noted.bases);
        let added = || Groups::new(objects, added.map(|edge| (edge.child, *edge)));
        let dropped = || Groups::new(objects, dropped.copied());
        let made = || Groups::new(objects, bases.map(|&(tree, base)| (base, tree)));
        let (added, (dropped, made)) = rayon::join(added, || (dropped(), made()));
        Self {
            added,
            dropped,
            made,
        }
    }

    /// Appends all entries of trees that hold an object.
    pub fn of(&self, child: Number, found: &mut Vec<Edge>) {
        let mut open = Vec::new();
        for edge in self.added.of(child) {
            open.push(edge.tree);
            while let Some(tree) = open.pop() {
                found.push(Edge { tree, ..*edge });
                let made = self.made.of(tree).iter().copied();
                open.extend(
                    made.filter(|&made| self.dropped.of(made).binary_search(&child).is_err()),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Entries of a tree, without the tree.
    type Held = Vec<(Number, u32)>;

    /// Notes what a tree holds by what it changed of another's, unless that would leave in doubt under
    /// which name something is gone.
    fn note(noted: &mut Noted, tree: Number, held: &Held, base: Option<(Number, &Held)>) {
        let holds = |child| held.iter().any(|entry| entry.0 == child);
        let gone = |before: &Held| -> Vec<Number> {
            let gone = before.iter().filter(|entry| !held.contains(entry));
            gone.map(|entry| entry.0).collect()
        };
        let base = base.filter(|(_, before)| !gone(before).into_iter().any(holds));
        let before: &[(Number, u32)] = base.map_or(&[], |(_, before)| before);
        let mut dropped = base.map_or_else(Vec::new, |(_, before)| gone(before));
        dropped.dedup();
        noted
            .dropped
            .extend(dropped.into_iter().map(|child| (tree, child)));
        noted.bases.extend(base.map(|(base, _)| (tree, base)));
        let added = held.iter().filter(|entry| !before.contains(entry));
        noted
            .added
            .extend(added.map(|&(child, name)| Edge { tree, child, name }));
    }

    proptest! {
        #[test]
        fn who_holds_what_is_told_as_by_all_entries(
            trees in prop::collection::vec(
                (prop::collection::btree_set((0..6_u32, 0..3_u32), 0..6), any::<prop::sample::Index>()),
                1..20,
            ),
        ) {
            // The first numbers are of what is held, the next of the trees.
            let number = |index: usize| index as Number + 6;
            let held: Vec<Held> = trees.iter().map(|(held, _)| held.iter().copied().collect()).collect();
            let mut noted = Noted::default();
            for (index, (_, base)) in trees.iter().enumerate() {
                // One of those before it, or none.
                let base = base.index(index + 1).checked_sub(1);
                let base = base.map(|base| (number(base), &held[base]));
                note(&mut noted, number(index), &held[index], base);
            }
            let holders = Holders::new(&[noted], trees.len() + 6);
            for child in 0..6 {
                let mut found = Vec::new();
                holders.of(child, &mut found);
                found.sort();
                let mut expected: Vec<Edge> = Vec::new();
                for (index, held) in held.iter().enumerate() {
                    let own = held.iter().filter(|entry| entry.0 == child);
                    let tree = number(index);
                    expected.extend(own.map(|&(child, name)| Edge { tree, child, name }));
                }
                expected.sort();
                prop_assert_eq!(found, expected);
            }
        }
    }
}

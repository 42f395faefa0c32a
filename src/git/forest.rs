//! The forest that the deltas of a pack form.

use super::Kind;

/// The entries of a pack in the order of their offsets, each with its base and its deltas.
pub struct Forest {
    nodes: Vec<Node>,
    deltas: Vec<u32>,
}

/// All that is asked of an entry together: a walk goes from one to another far off in memory, and waits
/// for each.
pub struct Node {
    entry: Entry,
    /// Where its deltas start among all; they end where the next one's start.
    deltas: u32,
    /// How many entries hang on it, itself included; without any it is left out.
    weight: u32,
}

impl Node {
    /// Where the entry stands that this one is built on.
    fn base(&self) -> Option<usize> {
        match self.entry.base {
            Base::Entry(base) => Some(base as usize),
            _ => None,
        }
    }
}

impl From<Entry> for Node {
    /// An entry on which nothing hangs yet.
    fn from(entry: Entry) -> Self {
        Self {
            entry,
            deltas: 0,
            weight: 1,
        }
    }
}

/// One entry of a pack.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its number in the index, which is in the order of ids.
    pub number: u32,
    /// Where it starts in the pack.
    pub offset: u64,
    /// How many bytes of the pack stand before what is packed.
    pub header: u8,
    /// Bytes of the object, or of its delta.
    pub size: u64,
    pub base: Base,
    /// The kind of the object; that of the base for a delta.
    pub kind: Option<Kind>,
}

/// What an entry is built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing: the object is whole.
    None,
    /// Another entry of the pack, by its place in the forest.
    Entry(u32),
    /// What is not in the pack, or nowhere.
    Elsewhere,
}

impl Forest {
    /// Hangs the deltas among all entries of a pack, in the order of their offsets, on their bases.
    pub fn new(mut nodes: Vec<Node>) -> Self {
        let deltas = hang(&mut nodes);
        let mut forest = Self { nodes, deltas };
        forest.weigh();
        forest
    }

    /// Of the same entries only those that are wanted, and those that they are built on.
    pub fn leading_to(mut self, wanted: impl Fn(Entry) -> bool) -> Self {
        for node in &mut self.nodes {
            node.weight = 0;
        }
        for at in 0..self.nodes.len() {
            let mut next = wanted(self.nodes[at].entry).then_some(at);
            // What is marked leads to marked ones only; some could be built on each other in a circle.
            while let Some(node) = next.map(|at| &mut self.nodes[at])
                && node.weight == 0
            {
                node.weight = 1;
                next = node.base();
            }
        }
        self.deltas = hang(&mut self.nodes);
        self.weigh();
        self
    }

    /// Tells each entry its kind, and how many hang on it, of which it knows itself only.
    fn weigh(&mut self) {
        // From the roots outward, so that each delta comes after its base.
        let mut order: Vec<u32> = self.roots().map(|(place, _)| place).collect();
        let mut at = 0;
        while let Some(&place) = order.get(at) {
            let kind = self.entry(place).kind;
            let deltas = order.len();
            order.extend(self.deltas(place));
            for &delta in &order[deltas..] {
                self.nodes[delta as usize].entry.kind = kind;
            }
            at += 1;
        }
        for &place in order.iter().rev() {
            if let Some(base) = self.nodes[place as usize].base() {
                self.nodes[base].weight += self.weight(place);
            }
        }
    }

    pub fn entry(&self, place: u32) -> Entry {
        self.nodes[place as usize].entry
    }

    pub fn entries(&self) -> impl Iterator<Item = (u32, Entry)> + '_ {
        (0..).zip(self.nodes.iter().map(|node| node.entry))
    }

    /// The entries that are not built on another of the pack.
    pub fn roots(&self) -> impl Iterator<Item = (u32, Entry)> + '_ {
        let is_root = |(place, entry): &(u32, Entry)| {
            !matches!(entry.base, Base::Entry(_)) && self.weight(*place) > 0
        };
        self.entries().filter(is_root)
    }

    /// The entries built right on this one.
    pub fn deltas(&self, place: u32) -> &[u32] {
        let start = self.nodes[place as usize].deltas as usize;
        let next = self.nodes.get(place as usize + 1);
        let end = next.map_or(self.deltas.len(), |next| next.deltas as usize);
        &self.deltas[start..end]
    }

    /// How many entries hang on this one, itself included.
    pub fn weight(&self, place: u32) -> u32 {
        self.nodes[place as usize].weight
    }
}

/// Lists the deltas of all nodes, node by node, and notes with each where its own start.
fn hang(nodes: &mut [Node]) -> Vec<u32> {
    // At first how many there are, then where the next one goes, which in the end is where the next
    // node's start.
    let base = |node: &Node| node.base().filter(|_| node.weight > 0);
    let mut next = vec![0_u32; nodes.len()];
    for base in nodes.iter().filter_map(base) {
        next[base] += 1;
    }
    let mut all = 0;
    for (node, next) in nodes.iter_mut().zip(&mut next) {
        node.deltas = all;
        all += std::mem::replace(next, all);
    }
    let mut deltas = vec![0; all as usize];
    for (place, node) in (0..).zip(&*nodes) {
        if let Some(base) = base(node) {
            deltas[next[base] as usize] = place;
            next[base] += 1;
        }
    }
    deltas
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An entry at a place, built on another or on nothing.
    fn entry(place: usize, base: Option<u32>) -> Entry {
        Entry {
            number: place as u32,
            offset: place as u64,
            header: 0,
            size: 0,
            base: base.map_or(Base::None, Base::Entry),
            kind: match (base, place % 2) {
                (Some(_), _) => None,
                (None, 0) => Some(Kind::Blob),
                (None, _) => Some(Kind::Tree),
            },
        }
    }

    proptest! {
        #[test]
        fn each_delta_hangs_on_its_base(
            draws in prop::collection::vec(prop::option::weighted(0.8, any::<prop::sample::Index>()), 1..40),
            order in any::<u64>(),
            wanted in any::<u64>(),
        ) {
            // Bases come before or behind: the places are shuffled, and none is built on itself.
            let mut places: Vec<u32> = (0..draws.len() as u32).collect();
            places.sort_by_key(|place| u64::from(*place).wrapping_mul(order | 1));
            let mut bases = vec![None; draws.len()];
            for (at, draw) in draws.iter().enumerate().skip(1) {
                bases[places[at] as usize] = draw.map(|draw| places[draw.index(at)]);
            }
            let nodes = bases.iter().enumerate().map(|(place, base)| entry(place, *base).into());
            let forest = Forest::new(nodes.collect());
            let mut weights = vec![1; bases.len()];
            for &place in places.iter().rev() {
                if let Some(base) = bases[place as usize] {
                    weights[base as usize] += weights[place as usize];
                }
            }
            for place in 0..bases.len() as u32 {
                let hung = (0..bases.len() as u32).filter(|&at| bases[at as usize] == Some(place));
                prop_assert_eq!(forest.deltas(place), hung.collect::<Vec<_>>());
                prop_assert_eq!(forest.weight(place), weights[place as usize]);
                let mut root = place;
                while let Some(base) = bases[root as usize] {
                    root = base;
                }
                prop_assert_eq!(forest.entry(place).kind, forest.entry(root).kind);
                prop_assert!(forest.entry(place).kind.is_some());
            }
            let roots: Vec<u32> = forest.roots().map(|(place, _)| place).collect();
            let alone = (0..bases.len() as u32).filter(|&at| bases[at as usize].is_none());
            prop_assert_eq!(roots, alone.collect::<Vec<_>>());

            let is_wanted = |place: u32| wanted >> (place % 64) & 1 == 1;
            let mut leads = vec![false; bases.len()];
            for &place in places.iter().rev() {
                leads[place as usize] |= is_wanted(place);
                if let Some(base) = bases[place as usize] {
                    leads[base as usize] |= leads[place as usize];
                }
            }
            let mut seen: Vec<u32> = Vec::new();
            let forest = forest.leading_to(|entry| is_wanted(entry.number));
            let mut next: Vec<u32> = forest.roots().map(|(place, _)| place).collect();
            while let Some(place) = next.pop() {
                let hung = forest.deltas(place);
                let weights = hung.iter().map(|&delta| forest.weight(delta)).sum::<u32>();
                prop_assert_eq!(forest.weight(place), 1 + weights);
                prop_assert!(hung.iter().all(|&delta| bases[delta as usize] == Some(place)));
                next.extend(hung);
                seen.push(place);
            }
            seen.sort_unstable();
            let expected = (0..bases.len() as u32).filter(|&at| leads[at as usize]);
            prop_assert_eq!(seen, expected.collect::<Vec<_>>());
        }

        /// A broken pack may have deltas that are built on each other.
        #[test]
        fn a_circle_leads_to_nothing(len in 1..6_u32, wanted in 0..6_u32) {
            let circle = (0..len).map(|place| entry(place as usize, Some((place + 1) % len)));
            let nodes = circle.chain([entry(len as usize, None)]).map(Node::from);
            let forest = Forest::new(nodes.collect());
            let forest = forest.leading_to(|entry| entry.number == wanted || entry.number == len);
            let roots: Vec<u32> = forest.roots().map(|(place, _)| place).collect();
            prop_assert_eq!(roots, [len]);
            prop_assert!(forest.deltas(len).is_empty());
        }
    }
}

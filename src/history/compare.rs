//! Tells what a text has of another, as a delta would, where no delta was made.
//!
//! git makes deltas of objects that stand near each other by name and size, and versions of one file
//! often do not. To find what two texts share takes a small part of the time that a search for secrets
//! takes, if they share much; and if not, their first bytes show it.

use super::changes::Changes;

/// After which a text is known again: what ends lines and statements.
const ENDS: [u8; 3] = *b"\n;}";
/// Bytes between two places at which it is, at least.
const STRIDE: usize = if cfg!(test) { 8 } else { 256 };
/// Bytes by which a place is known: enough that not all of them are blanks.
const KEY: usize = if cfg!(test) { 16 } else { 64 };
/// Bytes that are worth sharing: what is near a change is looked at again in any case.
const WORTH: usize = if cfg!(test) { 64 } else { 512 };
/// How far ahead of what is looked for a text is known.
const AHEAD: usize = 64 << 10;
/// Bytes after which texts that share too little of them are given up.
const TRIAL: usize = 8 << 10;

/// Finds what texts share. Reused from text to text.
#[derive(Default)]
pub struct Comparer {
    /// By hash of the bytes there, places of the base that are known, plus 1.
    places: Vec<u32>,
    /// Up to where the base is known.
    known: usize,
}

impl Comparer {
    /// Makes `changes` what leads from `base` to `result`. `false` where they share too little to look at
    /// the changes alone.
    pub fn compare(&mut self, changes: &mut Changes, base: &[u8], result: &[u8]) -> bool {
        if u32::try_from(base.len().max(result.len())).is_err() {
            return false;
        }
        changes.clear();
        self.forget(base.len());
        let (mut at, mut done, mut shared) = (0, 0, 0);
        while let Some(key) = result.get(at..at + KEY) {
            self.learn(base, at);
            if let Some(from) = self.find(base, key) {
                let found = Shared::around(base, from, &result[done..], at - done);
                let to = done + found.to;
                at = to + found.len;
                if found.len >= WORTH {
                    if to > done {
                        changes.changed(done, to);
                    }
                    changes.copied(found.from, to, found.len);
                    shared += found.len;
                    done = at;
                }
            } else {
                at = next(result, at);
            }
            if at >= TRIAL && !is_enough(shared, at) {
                return false;
            }
        }
        if done < result.len() {
            changes.changed(done, result.len());
        }
        changes.close(base.len(), result.len());
        is_enough(shared, result.len())
    }

    /// Makes room for the places of a base of that length.
    fn forget(&mut self, len: usize) {
        let places = (2 * len / STRIDE).next_power_of_two().max(2);
        self.places.clear();
        self.places.resize(places, 0);
        self.known = 0;
    }

    /// Gets to know a base as far as is needed to look for what stands `at` a place of the result. What
    /// comes later counts: of what repeats the next one is wanted.
    fn learn(&mut self, base: &[u8], at: usize) {
        while self.known <= at + AHEAD
            && let Some(key) = base.get(self.known..self.known + KEY)
        {
            let slot = self.slot(key);
            self.places[slot] = self.known as u32 + 1;
            self.known = next(base, base.len().min(self.known + STRIDE));
        }
    }

    /// A place of the base where these bytes stand.
    fn find(&self, base: &[u8], key: &[u8]) -> Option<usize> {
        let place = self.places[self.slot(key)].checked_sub(1)? as usize;
        base[place..].starts_with(key).then_some(place)
    }

    fn slot(&self, key: &[u8]) -> usize {
        const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
        let (words, _) = key.as_chunks();
        let words = words.iter().zip((0..).step_by(7));
        let hash = words.fold(0, |hash, (word, turn)| {
            hash ^ u64::from_le_bytes(*word)
                .wrapping_mul(MIX)
                .rotate_left(turn)
        });
        // The upper bits of a product hang on all below.
        (hash.wrapping_mul(MIX) >> (u64::BITS - self.places.len().ilog2())) as usize
    }
}

/// Whether so much of a text is shared that its changes are worth looking at alone.
fn is_enough(shared: usize, len: usize) -> bool {
    const QUARTERS: usize = if cfg!(test) { 2 } else { 3 };
    shared * 4 >= len * QUARTERS
}

/// The next place at which a text may be known again.
fn next(text: &[u8], at: usize) -> usize {
    let [a, b, c] = ENDS;
    let end = memchr::memchr3(a, b, c, &text[at..]);
    end.map_or(text.len(), |end| at + end + 1)
}

/// A stretch that stands in both.
struct Shared {
    from: usize,
    to: usize,
    len: usize,
}

impl Shared {
    /// All that is alike around a place of each.
    fn around(base: &[u8], from: usize, result: &[u8], to: usize) -> Self {
        let before = base[..from].iter().rev().zip(result[..to].iter().rev());
        let before = before.take_while(|(one, other)| one == other).count();
        let behind = alike(&base[from..], &result[to..]);
        Self {
            from: from - before,
            to: to - before,
            len: before + behind,
        }
    }
}

/// How many bytes two texts begin with alike.
fn alike(one: &[u8], other: &[u8]) -> usize {
    const BLOCK: usize = 64;
    let (blocks, _) = one.as_chunks::<BLOCK>();
    let (others, _) = other.as_chunks::<BLOCK>();
    let whole = blocks.iter().zip(others);
    let whole = BLOCK * whole.take_while(|(one, other)| one == other).count();
    let rest = one[whole..].iter().zip(&other[whole..]);
    whole + rest.take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::super::changes::tests::is_described;
    use super::*;
    use proptest::prelude::*;

    fn compare(base: &str, result: &str) -> Option<Changes> {
        let mut changes = Changes::default();
        // Nothing is left of the texts before.
        let mut comparer = Comparer::default();
        comparer.compare(&mut changes, result.as_bytes(), base.as_bytes());
        let shared = comparer.compare(&mut changes, base.as_bytes(), result.as_bytes());
        shared.then_some(changes)
    }

    #[test]
    fn a_changed_line_is_found_between_copies() {
        let line = |at: usize| format!("line {at} says {}\n", at * at);
        let lines: Vec<String> = (0..300).map(line).collect();
        let (base, mut changed) = (lines.concat(), lines);
        changed[150] = "something else;\n".to_owned();
        let result = changed.concat();
        let changes = compare(&base, &result).expect("much in common");
        let dirty: Vec<&str> = changes.dirty.iter().map(|d| &result[d.range()]).collect();
        assert_eq!(dirty.len(), 1, "{dirty:?}");
        assert!(dirty[0].contains("something else"), "{dirty:?}");
        assert!(dirty[0].len() < 40, "{dirty:?}");
        assert_eq!(changes.copies.len(), 2);
        assert!(compare(&base, &base).expect("the same").dirty.is_empty());
    }

    #[test]
    fn what_has_little_in_common_is_left_alone() {
        let text = |word: &str| format!("the same start\n{}", format!("{word};\n").repeat(3_000));
        assert!(compare(&text("one thing"), &text("another")).is_none());
        assert!(compare("", "new").is_none());
    }

    proptest! {
        #[test]
        fn what_is_shared_is_described_as_a_delta_does(
            lines in prop::collection::vec("[a-c]{0,30}[;\n}]", 0..60),
            edits in prop::collection::vec(
                (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..20_usize, "[a-d;\n]{0,40}"),
                0..6,
            ),
        ) {
            let base: String = lines.concat();
            let mut result = base.clone();
            for (from, to, len, new) in edits {
                // Something is taken out, and put in elsewhere with something new.
                let from = from.index(result.len() + 1);
                let end = result.len().min(from + len);
                let moved: String = result.drain(from..end).collect();
                result.insert_str(to.index(result.len() + 1), &(moved + &new));
            }
            if let Some(changes) = compare(&base, &result) {
                is_described(base.as_bytes(), result.as_bytes(), &changes)?;
                let copied: u32 = changes.copies.iter().map(|copy| copy.len).sum();
                prop_assert!(copied as usize * 2 >= result.len() || result.len() < 512);
            }
        }
    }
}

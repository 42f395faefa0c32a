//! Which of some commits are led to by none of the others.

use std::collections::{BinaryHeap, HashMap, HashSet};

use super::changes;
use super::reader::Reader;
use crate::unit::ObjectId;

/// So many commits at most are met on the way.
const MOST: usize = 1 << 15;
/// So many seconds the clocks of two machines may differ.
const SLOP: i64 = 24 * 60 * 60;

/// The `commits` that no other of them leads to, in their order; those that cannot be read are left out.
///
/// Newer commits are looked at first, and none that is older than all that are left. Where a clock was
/// wrong, or the way is long, one is kept that another leads to. So this is for the parents of a commit,
/// among which such a one changes nothing.
pub fn independent(reader: &Reader, mut commits: Vec<ObjectId>) -> Vec<ObjectId> {
    let dated = |id: ObjectId| {
        let commit = changes::commit(reader, id).ok()?;
        Some((commit.time, id, commit.parents))
    };
    let mut open: BinaryHeap<_> = commits.iter().filter_map(|id| dated(*id)).collect();
    let mut left: HashMap<ObjectId, i64> = open.iter().map(|(time, id, _)| (*id, *time)).collect();
    let mut oldest = left.values().min().copied();
    let mut seen: HashSet<ObjectId> = commits.iter().copied().collect();
    while let Some((time, _, parents)) = open.pop() {
        let is_past = oldest.is_none_or(|oldest| time.saturating_add(SLOP) < oldest);
        if left.len() < 2 || is_past || seen.len() > MOST {
            break;
        }
        for parent in parents {
            if left.remove(&parent).is_some() {
                oldest = left.values().min().copied();
            }
            if seen.insert(parent) {
                open.extend(dated(parent));
            }
        }
    }
    commits.retain(|id| left.contains_key(id));
    commits
}

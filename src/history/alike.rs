//! Which whole objects of a pack are likely versions of one file.
//!
//! Such begin alike, but for numbers: those of versions, years and dates. They are put one behind the
//! other by size, so that each can be compared with the one before it. If they are no versions of one file
//! after all, that shows soon and does no harm.

use std::hash::{DefaultHasher, Hash, Hasher};

use rayon::prelude::*;
use zlib_rs::Inflate;

use crate::git::Kind;
use crate::git::forest::{Base, Entry, Forest};
use crate::git::pack::{Pack, WINDOW_BITS};
use crate::sniff::HEAD;

/// Bytes of an object from which on it is worth comparing.
const LEAST: u64 = if cfg!(test) { 32 } else { 16 << 10 };
/// Bytes with which such begin alike. In tests all objects are taken for alike.
const BEGINNING: usize = if cfg!(test) { 0 } else { HEAD };

/// An object that is built on nothing in its pack.
#[derive(Clone, Copy)]
pub struct Root {
    pub place: u32,
    /// Bytes of all that is built on it, as far as can be told beforehand.
    pub bytes: u64,
    /// Whether it is likely to be like the one before it.
    pub is_alike: bool,
}

/// How an object begins, and how large it is.
type Key = (u64, u64);

/// Takes out of some roots those that are likely versions of one file, and gives them in rows of no more
/// than so many bytes, or of one.
pub fn rows(at: (&Pack, &Forest), roots: &mut Vec<Root>, most: u64) -> Vec<Vec<Root>> {
    let mut rows: Vec<Vec<Root>> = Vec::new();
    for group in keyed(at, roots).chunk_by(|one, other| one.0.0 == other.0.0) {
        // One by itself is like none.
        if let [(_, root)] = group {
            roots.push(*root);
            continue;
        }
        let mut left = 0;
        for (_, root) in group {
            if left < root.bytes {
                left = most;
                rows.push(Vec::new());
            }
            left = left.saturating_sub(root.bytes);
            if let Some(row) = rows.last_mut() {
                let is_alike = !row.is_empty();
                row.push(Root { is_alike, ..*root });
            }
        }
    }
    rows
}

/// Takes out those that may be like others, in the order of their keys.
fn keyed((pack, forest): (&Pack, &Forest), roots: &mut Vec<Root>) -> Vec<(Key, Root)> {
    let inflater = || Inflate::new(true, WINDOW_BITS);
    let keys = roots.par_iter().map_init(inflater, |inflater, root| {
        let entry = forest.entry(root.place);
        let head = || head((pack, forest), root.place, inflater);
        let head = may_be_alike(entry).then(head).flatten();
        head.map(|head| (head, entry.size))
    });
    let keys: Vec<Option<Key>> = keys.collect();
    let mut keyed: Vec<(Key, Root)> = Vec::new();
    let mut keys = keys.into_iter();
    roots.retain(|root| {
        let key = keys.next().flatten();
        keyed.extend(key.map(|key| (key, *root)));
        key.is_none()
    });
    keyed.sort_unstable_by_key(|(key, root)| (*key, root.place));
    keyed
}

fn may_be_alike(entry: Entry) -> bool {
    entry.base == Base::None && entry.kind == Some(Kind::Blob) && entry.size >= LEAST
}

/// What an object begins with, without its numbers, as a hash.
fn head((pack, forest): (&Pack, &Forest), place: u32, inflater: &mut Inflate) -> Option<u64> {
    let mut head = [0; HEAD];
    let head = pack
        .inflate_head((forest, place), inflater, &mut head)
        .ok()?;
    let is_number = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let head = head.iter().take(BEGINNING);
    let words: Vec<&u8> = head.filter(|byte| !is_number(byte)).collect();
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    Some(hasher.finish())
}

//! Reads single objects of a store, out of their turn.
//!
//! libgit2 could read any, but it maps a pack as a whole and sums up every object; those with
//! findings are read for their places only, and were read before. Many are versions of one file, built
//! on each other: read in [`turn`], one goes on from the other.

use libdeflater::Decompressor;

use super::Run;
use super::changes::Changes;
use crate::git::store::Store;
use crate::unit::ObjectId;

/// Bytes of the largest root that is kept.
const MOST_KEPT: usize = 8 << 20;

/// Bytes of memory beyond which what led to an object is given back once that is read: while an object is
/// searched, its thread holds it and no more of its versions than a root.
const MOST_SPARED: usize = 1 << 20;

/// What one thread reads objects with.
pub struct Single<'r> {
    run: &'r Run<'r>,
    inflater: Decompressor,
    changes: Changes,
    delta: Vec<u8>,
    base: Vec<u8>,
    bytes: Vec<u8>,
    /// What `bytes` is: the number of its pack, and where it starts there.
    held: Option<(usize, u64)>,
    /// The last root that was read: the other branches of its tree start from it too.
    root: Vec<u8>,
    /// The same of `root`.
    root_held: Option<(usize, u64)>,
}

/// In which order objects are best read: by pack, by the root in that, by how many deltas lead to them.
pub fn turn(store: &Store, id: ObjectId) -> Option<(usize, u64, usize)> {
    let (index, number) = store.packed(&id)?;
    let (root, deltas) = store.packs[index].chain(number)?;
    Some((index, root, deltas.len()))
}

impl<'r> Single<'r> {
    pub(super) fn new(run: &'r Run<'r>) -> Self {
        Self {
            run,
            inflater: Decompressor::new(),
            changes: Changes::default(),
            delta: Vec::new(),
            base: Vec::new(),
            bytes: Vec::new(),
            held: None,
            root: Vec::new(),
            root_held: None,
        }
    }

    /// The bytes of an object, until the next is read.
    ///
    /// # Errors
    /// When it is missing or broken, in words.
    pub fn read(&mut self, id: ObjectId) -> Result<&[u8], String> {
        if self.run.naive || self.read_packed(id).is_none() {
            self.held = None;
            self.bytes = self.run.reader.try_read(id)?.into_bytes();
        }
        Ok(&self.bytes)
    }

    /// Reads an object whose deltas all lie in one pack. `None` where they do not, or are broken.
    pub(super) fn read_packed(&mut self, id: ObjectId) -> Option<()> {
        let (index, number) = self.run.store.packed(&id)?;
        let pack = &self.run.store.packs[index];
        let (root, mut deltas) = pack.chain(number)?;
        let held = self.held.take();
        let is_held = |offset: u64| held == Some((index, offset));
        let last = deltas.first().copied().unwrap_or(root);
        match deltas.iter().position(|&delta| is_held(delta)) {
            Some(at) => deltas.truncate(at),
            None if is_held(root) => {}
            None => self.read_root(index, root)?,
        }
        let inflater = &mut self.inflater;
        for delta in deltas.into_iter().rev() {
            std::mem::swap(&mut self.base, &mut self.bytes);
            pack.inflate_at(delta, inflater, &mut self.delta).ok()?;
            let changes = &mut self.changes;
            changes
                .apply(&self.base, &self.delta, &mut self.bytes)
                .ok()?;
        }
        for spare in [&mut self.base, &mut self.delta] {
            if spare.capacity() > MOST_SPARED {
                *spare = Vec::new();
            }
        }
        self.held = Some((index, last));
        Some(())
    }

    /// Makes `bytes` the object that starts at `root` in a pack.
    fn read_root(&mut self, pack: usize, root: u64) -> Option<()> {
        if self.root_held != Some((pack, root)) {
            self.root_held = None;
            let pack = &self.run.store.packs[pack];
            pack.inflate_at(root, &mut self.inflater, &mut self.root)
                .ok()?;
        }
        if self.root.len() > MOST_KEPT {
            self.root_held = None;
            self.bytes = std::mem::take(&mut self.root);
        } else {
            self.root_held = Some((pack, root));
            self.bytes.clear();
            self.bytes.extend_from_slice(&self.root);
        }
        Some(())
    }
}

//! Reads single objects of a store, out of their turn.
//!
//! libgit2 could read any, but it maps a pack as a whole and sums up every object; those with
//! findings are read for their places only, and were read before.

use libdeflater::Decompressor;

use super::Run;
use super::changes::Changes;
use crate::unit::ObjectId;

/// What one thread reads objects with.
pub struct Single<'r> {
    run: &'r Run<'r>,
    inflater: Decompressor,
    changes: Changes,
    delta: Vec<u8>,
    base: Vec<u8>,
    bytes: Vec<u8>,
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
        }
    }

    /// The bytes of an object, until the next is read.
    ///
    /// # Errors
    /// When it is missing or broken, in words.
    pub fn read(&mut self, id: ObjectId) -> Result<&[u8], String> {
        if self.run.naive || self.read_packed(id).is_none() {
            let object = self.run.reader.read(id.into());
            let object = object.map_err(|error| error.message().to_owned())?;
            self.bytes.clear();
            self.bytes.extend_from_slice(object.data());
        }
        Ok(&self.bytes)
    }

    /// Reads an object whose deltas all lie in one pack. `None` where they do not, or are broken.
    pub(super) fn read_packed(&mut self, id: ObjectId) -> Option<()> {
        let mut packs = self.run.store.packs.iter();
        let (pack, number) = packs.find_map(|pack| Some((pack, pack.number(&id)?)))?;
        let (root, deltas) = pack.chain(number)?;
        let inflater = &mut self.inflater;
        pack.inflate_at(root, inflater, &mut self.bytes).ok()?;
        for delta in deltas.into_iter().rev() {
            std::mem::swap(&mut self.base, &mut self.bytes);
            pack.inflate_at(delta, inflater, &mut self.delta).ok()?;
            let changes = &mut self.changes;
            changes
                .apply(&self.base, &self.delta, &mut self.bytes)
                .ok()?;
        }
        Some(())
    }
}

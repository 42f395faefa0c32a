//! Paths looked up in a tree, of which each folder is read once.

use std::collections::HashMap;

use bstr::ByteSlice;

use super::Kind;
use super::changes;
use super::reader::Reader;
use crate::error::Error;
use crate::unit::ObjectId;

/// A tree, or nothing.
pub struct Folders<'r> {
    reader: &'r Reader,
    root: Option<ObjectId>,
    read: HashMap<ObjectId, Folder>,
}

/// What a folder has under each name.
type Folder = HashMap<Box<[u8]>, (ObjectId, Kind)>;

impl<'r> Folders<'r> {
    pub fn of(reader: &'r Reader, root: Option<ObjectId>) -> Self {
        Self {
            reader,
            root,
            read: HashMap::new(),
        }
    }

    /// What stands at a path.
    ///
    /// # Errors
    /// When a folder on the way cannot be read.
    pub fn find(&mut self, path: &[u8]) -> Result<Option<(ObjectId, Kind)>, Error> {
        let mut at = self.root.map(|root| (root, Kind::Tree));
        for name in path.split_str("/") {
            let Some((folder, Kind::Tree)) = at else {
                return Ok(None);
            };
            at = self.folder(folder)?.get(name).copied();
        }
        Ok(at)
    }

    fn folder(&mut self, id: ObjectId) -> Result<&Folder, Error> {
        if !self.read.contains_key(&id) {
            let folder = self.list(id)?;
            self.read.insert(id, folder);
        }
        Ok(&self.read[&id])
    }

    fn list(&self, id: ObjectId) -> Result<Folder, Error> {
        let tree = changes::read_tree(self.reader, id)?;
        let entries = changes::entries(id, &tree).map(|entry| {
            let entry = entry?;
            Ok((entry.name.into(), (entry.id, entry.kind())))
        });
        entries.collect()
    }
}

//! What trees have at many paths: each folder is read once, however many are asked for in it.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::Kind;
use super::changes;
use super::reader::Reader;
use crate::error::Error;
use crate::unit::{ObjectId, path_text};

/// Entries kept at most, but for those of one folder.
const MOST: usize = 1 << 18;

/// By name: one or none, but in a tree that names two alike.
type Folder = HashMap<Box<str>, SmallVec<[(ObjectId, Kind); 1]>>;

/// Folders that were looked into. Ask for the paths of one folder after each other, since not all of many
/// are kept.
pub struct Folders<'r> {
    reader: &'r Reader,
    read: HashMap<ObjectId, Folder>,
    entries: usize,
}

impl<'r> Folders<'r> {
    pub fn of(reader: &'r Reader) -> Self {
        Self {
            reader,
            read: HashMap::new(),
            entries: 0,
        }
    }

    /// The blobs at a path of a tree: one or none, but in a tree that names two alike.
    ///
    /// # Errors
    /// When a tree on the way cannot be read.
    pub fn blobs(&mut self, tree: ObjectId, path: &str) -> Result<Vec<ObjectId>, Error> {
        let found = self.find(tree, path)?.into_iter();
        let blobs = found.filter(|(_, kind)| *kind == Kind::Blob);
        Ok(blobs.map(|(id, _)| id).collect())
    }

    /// What stands at a path of a tree: one or none, but in a tree that names two alike.
    ///
    /// # Errors
    /// When a tree on the way cannot be read.
    pub fn find(&mut self, tree: ObjectId, path: &str) -> Result<Vec<(ObjectId, Kind)>, Error> {
        let mut at = vec![(tree, Kind::Tree)];
        for part in path.split('/') {
            let mut below = Vec::new();
            for (id, _) in at.into_iter().filter(|(_, kind)| *kind == Kind::Tree) {
                let named = self.folder(id)?.get(part);
                below.extend(named.into_iter().flatten().copied());
            }
            at = below;
        }
        Ok(at)
    }

    fn folder(&mut self, id: ObjectId) -> Result<&Folder, Error> {
        if !self.read.contains_key(&id) {
            let tree = changes::read_tree(self.reader, id)?;
            let mut folder = Folder::new();
            for entry in changes::entries(id, &tree) {
                let entry = entry?;
                let name = path_text(entry.name);
                let named = folder.entry(name.into()).or_default();
                named.push((entry.id, entry.kind()));
            }
            self.entries += folder.len();
            if self.entries > MOST {
                self.read.clear();
                self.entries = folder.len();
            }
            self.read.insert(id, folder);
        }
        Ok(&self.read[&id])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_once() {
        let dir = tempfile::tempdir().unwrap();
        let repo = git2::Repository::init_bare(dir.path()).unwrap();
        let blob = repo.blob(b"text").unwrap();
        let mut folder = repo.treebuilder(None).unwrap();
        for number in 0..1000 {
            folder.insert(number.to_string(), blob, 0o100_644).unwrap();
        }
        let folder = folder.write().unwrap();
        let mut root = repo.treebuilder(None).unwrap();
        root.insert("folder", folder, 0o040_000).unwrap();
        let root = root.write().unwrap();

        let objects = dir.path().join("objects");
        let reader = Reader::open(std::slice::from_ref(&objects)).unwrap();
        let mut folders = Folders::of(&reader);
        let mut find = |path: &str| folders.blobs(root.into(), path).unwrap();
        assert_eq!(find("folder/7"), [ObjectId::from(blob)]);
        // What is read again is missed.
        for tree in [root, folder] {
            let (first, rest) = (&tree.to_string()[..2], &tree.to_string()[2..]);
            std::fs::remove_file(objects.join(first).join(rest)).unwrap();
        }
        assert!(reader.read(folder.into()).is_err());
        assert_eq!(find("folder/999"), [ObjectId::from(blob)]);
        for none in ["folder", "folder/1000", "folder/7/7", "7", ""] {
            assert_eq!(find(none), []);
        }
    }
}

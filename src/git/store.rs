//! All objects of some object folders, each listed once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::pack::Pack;
use super::reader::Reader;
use crate::error::{Error, ErrorKind};
use crate::unit::ObjectId;

/// The packs and the loose objects of some object folders.
pub struct Store {
    dirs: Vec<PathBuf>,
    pub packs: Vec<Pack>,
    /// Objects in files of their own that no pack has, in the order of their ids.
    pub loose: Vec<ObjectId>,
    /// What could not be opened.
    pub faults: Vec<Error>,
}

impl Store {
    /// Lists what lies in `dirs`. What cannot be opened or listed is a fault, the rest goes on.
    ///
    /// # Errors
    /// When an index is damaged: whoever read by it, libgit2 as well, would read anything.
    pub fn open(dirs: &[PathBuf]) -> Result<Self, Error> {
        let mut store = Self {
            dirs: Vec::new(),
            packs: Vec::new(),
            loose: Vec::new(),
            faults: Vec::new(),
        };
        for dir in dirs {
            if dir.is_dir() {
                store.dirs.push(dir.clone());
            } else {
                let message = format!("{}: no such folder of objects", dir.display());
                store.faults.push(Error::new(ErrorKind::Git, message));
            }
        }
        for dir in store.dirs.clone() {
            store.list_packs(&dir.join("pack"))?;
        }
        for dir in store.dirs.clone() {
            for folder in store.listed(&dir) {
                if folder.file_name().is_some_and(|name| name.len() == 2) {
                    store.list_loose(&folder);
                }
            }
        }
        store.loose.sort_unstable();
        store.loose.dedup();
        Ok(store)
    }

    fn list_packs(&mut self, folder: &Path) -> Result<(), Error> {
        let files = self.listed(folder);
        let of_kind = |kind: &'static str| {
            let is_of = move |file: &&PathBuf| file.extension().is_some_and(|e| e == kind);
            files.iter().filter(is_of)
        };
        for index in of_kind("idx") {
            match Pack::open(index) {
                Ok(pack) => {
                    pack.check()?;
                    self.faults.extend(pack.fault());
                    self.packs.push(pack);
                }
                Err(fault) => self.faults.push(fault),
            }
        }
        for pack in of_kind("pack") {
            if files.binary_search(&pack.with_extension("idx")).is_err() {
                let pack = pack.display();
                let message = format!("{pack}: has no index; write one: git index-pack {pack}");
                self.faults.push(Error::new(ErrorKind::Git, message));
            }
        }
        Ok(())
    }

    /// Reads the headers of all entries, which whoever walks through the packs needs first.
    pub fn survey(&self) {
        for pack in &self.packs {
            pack.forest();
        }
    }

    /// Gives back what the survey took, when no walk through the packs is to come.
    pub fn forget_survey(&self) {
        for pack in &self.packs {
            pack.forget_forest();
        }
    }

    fn list_loose(&mut self, folder: &Path) {
        let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
        let head = name(folder).unwrap_or_default();
        for file in self.listed(folder) {
            let hex = head.clone() + &name(&file).unwrap_or_default();
            if let Some(id) = ObjectId::from_hex(&hex)
                && self.packs.iter().all(|pack| pack.number(&id).is_none())
            {
                self.loose.push(id);
            }
        }
    }

    /// The entries of a folder, in order; none when it does not exist.
    fn listed(&mut self, folder: &Path) -> Vec<PathBuf> {
        let list = || -> io::Result<Vec<PathBuf>> {
            let entries = fs::read_dir(folder)?;
            let mut paths: Vec<PathBuf> = entries
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<_>>()?;
            paths.sort();
            Ok(paths)
        };
        list().unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                self.faults.push(Error::io(folder, error));
            }
            Vec::new()
        })
    }

    /// How many objects there are; those in several packs count for each.
    pub fn len(&self) -> u64 {
        let packed: u64 = self.packs.iter().map(|pack| u64::from(pack.len())).sum();
        packed + self.loose.len() as u64
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One number an object, the same for all its copies; ids that are not here have none.
    pub fn number(&self, id: &ObjectId) -> Option<u32> {
        let mut first = 0;
        for pack in &self.packs {
            if let Some(number) = pack.number(id) {
                return Some(first + number);
            }
            first += pack.len();
        }
        let at = self.loose.binary_search(id).ok()?;
        Some(first + at as u32)
    }

    /// Whether an object is here.
    pub fn has(&self, id: &ObjectId) -> bool {
        self.packs.iter().any(|pack| pack.has(id)) || self.loose.binary_search(id).is_ok()
    }

    /// Which pack has an object, and under which number.
    pub fn packed(&self, id: &ObjectId) -> Option<(usize, u32)> {
        let mut packs = self.packs.iter().enumerate();
        packs.find_map(|(index, pack)| Some((index, pack.number(id)?)))
    }

    /// The id behind a number.
    pub fn id(&self, mut number: u32) -> ObjectId {
        for pack in &self.packs {
            if number < pack.len() {
                return pack.id(number);
            }
            number -= pack.len();
        }
        self.loose[number as usize]
    }

    /// The packs that libgit2 reads nothing of, as a store of their own.
    pub fn refused(&self) -> Self {
        let refused = self.packs.iter().filter(|pack| !pack.is_whole());
        let again = refused.filter_map(|pack| Pack::open(&pack.path().with_extension("idx")).ok());
        Self {
            dirs: Vec::new(),
            packs: again.collect(),
            loose: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// A reader of single objects.
    ///
    /// # Errors
    /// When libgit2 cannot read the folders.
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::of(&self.dirs)
    }
}

//! All objects of some object folders, each listed once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::pack::Pack;
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
    /// Lists what lies in `dirs`. A pack that cannot be opened is a fault, the rest goes on.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn open(dirs: &[PathBuf]) -> Result<Self, Error> {
        let mut store = Self {
            dirs: dirs.to_vec(),
            packs: Vec::new(),
            loose: Vec::new(),
            faults: Vec::new(),
        };
        for dir in dirs {
            for index in listed(&dir.join("pack"))? {
                if index.extension().is_some_and(|e| e == "idx") {
                    match Pack::open(&index) {
                        Ok(pack) => store.packs.push(pack),
                        Err(fault) => store.faults.push(fault),
                    }
                }
            }
        }
        for dir in dirs {
            for folder in listed(dir)? {
                if folder.file_name().is_some_and(|name| name.len() == 2) {
                    store.list_loose(&folder)?;
                }
            }
        }
        store.loose.sort_unstable();
        store.loose.dedup();
        Ok(store)
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

    fn list_loose(&mut self, folder: &Path) -> Result<(), Error> {
        let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
        let head = name(folder).unwrap_or_default();
        for file in listed(folder)? {
            let hex = head.clone() + &name(&file).unwrap_or_default();
            if let Some(id) = ObjectId::from_hex(&hex)
                && self.packs.iter().all(|pack| pack.number(&id).is_none())
            {
                self.loose.push(id);
            }
        }
        Ok(())
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

    /// A reader of single objects. Every thread opens its own.
    ///
    /// # Errors
    /// When libgit2 cannot read the folders.
    pub fn reader(&self) -> Result<git2::Odb<'static>, Error> {
        let open = || {
            let odb = git2::Odb::new()?;
            for dir in &self.dirs {
                odb.add_disk_alternate(&dir.to_string_lossy())?;
            }
            Ok(odb)
        };
        open().map_err(|error: git2::Error| Error::new(ErrorKind::Git, error.message()))
    }
}

/// The entries of a folder; none when it does not exist.
fn listed(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(dir, error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|error| Error::io(dir, error))?.path());
    }
    paths.sort();
    Ok(paths)
}

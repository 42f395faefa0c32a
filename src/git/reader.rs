//! Single objects by name, from object folders alone.
//!
//! No repository is opened for it, so no configuration is read and ownership plays no part. A hook
//! hands over the folder of a push and those of the repository behind it; a range hands over the
//! folders of the open repository.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Odb, OdbLookupFlags, OdbObject, Oid};
use tempfile::TempDir;

use super::loose::{self, Loose};
use super::{Kind, alternates, object};
use crate::error::{Error, ErrorKind};
use crate::unit::ObjectId;

/// The objects of some folders. Threads may share it.
pub struct Reader {
    dirs: Vec<PathBuf>,
    odb: Odb<'static>,
    /// What leads to folders whose paths libgit2 does not take, as long as it reads there.
    _links: Vec<TempDir>,
    kept: HashMap<ObjectId, Kept>,
}

/// An object at hand before it is asked for.
pub struct Kept {
    pub kind: Kind,
    pub bytes: Box<[u8]>,
}

/// One object's bytes.
pub struct Object<'r> {
    inner: Bytes<'r>,
    pub kind: Kind,
}

enum Bytes<'r> {
    Kept(&'r [u8]),
    Loose(Loose),
    Read(OdbObject<'r>),
}

impl Object<'_> {
    pub fn bytes(&self) -> &[u8] {
        match &self.inner {
            Bytes::Kept(bytes) => bytes,
            Bytes::Loose(loose) => &loose.bytes,
            Bytes::Read(object) => object.data(),
        }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        match self.inner {
            Bytes::Loose(loose) => loose.bytes,
            _ => self.bytes().to_vec(),
        }
    }

    /// What is damaged about its file, though all of the object could be read.
    pub fn fault(&self) -> Option<&'static str> {
        let is_followed = matches!(&self.inner, Bytes::Loose(loose) if loose.is_followed);
        is_followed.then_some("more stands behind its end")
    }
}

impl Reader {
    /// Opens object folders, and whatever they name as their alternates.
    ///
    /// # Errors
    /// When a folder is missing, or it or its list of alternates cannot be read.
    pub fn open(dirs: &[PathBuf]) -> Result<Self, Error> {
        for dir in dirs {
            std::fs::read_dir(dir).map_err(|error| Error::io(dir, error))?;
        }
        // libgit2 follows alternates too, but is not to read what lies there in files of its own.
        Self::of(&alternates::with(dirs)?)
    }

    /// The same, of folders of which some may be gone.
    ///
    /// # Errors
    /// When libgit2 cannot read a folder.
    pub fn of(dirs: &[PathBuf]) -> Result<Self, Error> {
        let odb = Odb::new().map_err(|error| Error::new(ErrorKind::Git, error.message()))?;
        let mut links = Vec::new();
        for dir in dirs {
            let fault = |why: &str| {
                let message = format!("{}: {why}", dir.display());
                Error::new(ErrorKind::Git, message)
            };
            let added = match dir.to_str() {
                Some(text) => odb.add_disk_alternate(text),
                None => {
                    let (link, text) = link_to(dir).ok_or_else(|| {
                        fault("the path is not UTF-8, and no link to it can be made")
                    })?;
                    links.push(link);
                    odb.add_disk_alternate(&text)
                }
            };
            added.map_err(|error| fault(error.message()))?;
        }
        Ok(Self {
            dirs: dirs.to_vec(),
            odb,
            _links: links,
            kept: HashMap::new(),
        })
    }

    /// Takes objects over, so that they need not be read one by one. What is kept already stays.
    pub fn keep(&mut self, objects: impl IntoIterator<Item = (ObjectId, Kept)>) {
        for (id, kept) in objects {
            self.kept.entry(id).or_insert(kept);
        }
    }

    /// Takes the parents from commits with which a history begins that was cut off there, as git does.
    pub fn cut(&mut self, commits: impl IntoIterator<Item = ObjectId>) {
        for id in commits {
            // A list of such commits may name some that are not here.
            let commit = self.read_as(id, Kind::Commit);
            let first = commit.map(|commit| object::without_parents(commit.bytes()));
            if let Ok(bytes) = first {
                let (kind, bytes) = (Kind::Commit, bytes.into());
                self.kept.insert(id, Kept { kind, bytes });
            }
        }
    }

    /// Whether an object is there, as far as the folders were known when they were opened.
    pub fn has(&self, id: ObjectId) -> bool {
        self.odb.exists_ext(id.into(), OdbLookupFlags::NO_REFRESH)
    }

    /// The object whose name begins with some digits, of which there are four at least.
    ///
    /// # Errors
    /// When that is true of several.
    pub fn beginning(&self, digits: &str) -> Result<Option<ObjectId>, Error> {
        let is_one = (4..40).contains(&digits.len());
        let Some(start) = Oid::from_str(digits).ok().filter(|_| is_one) else {
            return Ok(None);
        };
        match self.odb.exists_prefix(start, digits.len()) {
            Ok(id) => Ok(Some(id.into())),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => {
                let message = format!("{digits}: {}", error.message());
                Err(Error::new(ErrorKind::Git, message))
            }
        }
    }

    /// Reads an object.
    ///
    /// # Errors
    /// When it is missing or broken.
    pub fn read(&self, id: ObjectId) -> Result<Object<'_>, Error> {
        let broken = |why| Error::new(ErrorKind::Git, format!("object {id}: {why}"));
        self.try_read(id).map_err(broken)
    }

    /// Reads an object.
    ///
    /// # Errors
    /// When it is missing or broken, in words.
    pub fn try_read(&self, id: ObjectId) -> Result<Object<'_>, String> {
        if let Some(Kept { kind, bytes }) = self.kept.get(&id) {
            let inner = Bytes::Kept(bytes);
            return Ok(Object { inner, kind: *kind });
        }
        match self.read_loose(id) {
            Some(read) => read,
            None => self.read_packed(id),
        }
    }

    /// Reads an object that is in a pack, whatever file of its own it has.
    ///
    /// # Errors
    /// When it is missing or broken, in words.
    pub fn read_packed(&self, id: ObjectId) -> Result<Object<'_>, String> {
        // Packs come first here.
        let inner = self.odb.read(id.into());
        let inner = inner.map_err(|error| match error.code() {
            ErrorCode::NotFound => "is not here".to_owned(),
            _ => error.message().to_owned(),
        })?;
        let kind = Kind::of(inner.kind()).ok_or("of no known kind")?;
        let inner = Bytes::Read(inner);
        Ok(Object { inner, kind })
    }

    /// Reads an object from a file of its own; `None` when it has none.
    pub fn read_loose(&self, id: ObjectId) -> Option<Result<Object<'static>, String>> {
        let read = loose::read(&self.dirs, id)?;
        Some(read.map(|loose| Object {
            kind: loose.kind,
            inner: Bytes::Loose(loose),
        }))
    }

    /// The kind of an object, when that can be told by how it begins.
    pub fn kind(&self, id: ObjectId) -> Option<Kind> {
        let packed = || self.odb.read_header(id.into()).ok();
        loose::kind(&self.dirs, id).or_else(|| Kind::of(packed()?.1))
    }

    /// Reads an object that has to be of one kind.
    ///
    /// # Errors
    /// When it is missing, broken, or something else.
    pub fn read_as(&self, id: ObjectId, kind: Kind) -> Result<Object<'_>, Error> {
        let object = self.read(id)?;
        if object.kind != kind {
            let message = format!("object {id}: is no {kind:?}").to_lowercase();
            return Err(Error::new(ErrorKind::Git, message));
        }
        Ok(object)
    }
}

/// A folder with a link to one whose path is not UTF-8, and the path of the link.
#[cfg(unix)]
fn link_to(dir: &Path) -> Option<(TempDir, String)> {
    let folder = tempfile::tempdir().ok()?;
    let link = folder.path().join("objects");
    std::os::unix::fs::symlink(std::path::absolute(dir).ok()?, &link).ok()?;
    let text = link.to_str()?.to_owned();
    Some((folder, text))
}

#[cfg(not(unix))]
fn link_to(_: &Path) -> Option<(TempDir, String)> {
    None
}

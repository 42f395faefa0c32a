//! Single objects by name, from object folders alone.
//!
//! No repository is opened for it, so no configuration is read and ownership plays no part. A hook
//! hands over the folder of a push and those of the repository behind it; a range hands over the
//! folders of the open repository.

use std::collections::HashMap;
use std::path::PathBuf;

use git2::{Odb, OdbLookupFlags, OdbObject};

use super::Kind;
use crate::error::{Error, ErrorKind};
use crate::unit::ObjectId;

/// The objects of some folders. Threads may share it.
pub struct Reader {
    odb: Odb<'static>,
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
    Read(OdbObject<'r>),
}

impl Object<'_> {
    pub fn bytes(&self) -> &[u8] {
        match &self.inner {
            Bytes::Kept(bytes) => bytes,
            Bytes::Read(object) => object.data(),
        }
    }
}

impl Reader {
    /// Opens object folders, and whatever they name as their alternates.
    ///
    /// # Errors
    /// When a folder is missing or cannot be read.
    pub fn open(dirs: &[PathBuf]) -> Result<Self, Error> {
        let odb = Odb::new().map_err(|error| Error::new(ErrorKind::Git, error.message()))?;
        for dir in dirs {
            std::fs::read_dir(dir).map_err(|error| Error::io(dir, error))?;
            let text = dir.to_str().ok_or_else(|| {
                let message = format!("{}: the path is not UTF-8", dir.display());
                Error::new(ErrorKind::Git, message)
            })?;
            odb.add_disk_alternate(text).map_err(|error| {
                let message = format!("{}: {}", dir.display(), error.message());
                Error::new(ErrorKind::Git, message)
            })?;
        }
        let kept = HashMap::new();
        Ok(Self { odb, kept })
    }

    /// Takes objects over, so that they need not be read one by one.
    pub fn keep(&mut self, objects: impl IntoIterator<Item = (ObjectId, Kept)>) {
        self.kept.extend(objects);
    }

    /// What reads the objects.
    pub fn odb(&self) -> &Odb<'static> {
        &self.odb
    }

    /// Whether an object is there, as far as the folders were known when they were opened.
    pub fn has(&self, id: ObjectId) -> bool {
        self.odb.exists_ext(id.into(), OdbLookupFlags::NO_REFRESH)
    }

    /// Reads an object.
    ///
    /// # Errors
    /// When it is missing or broken.
    pub fn read(&self, id: ObjectId) -> Result<Object<'_>, Error> {
        if let Some(Kept { kind, bytes }) = self.kept.get(&id) {
            let inner = Bytes::Kept(bytes);
            return Ok(Object { inner, kind: *kind });
        }
        let broken = |why: &str| Error::new(ErrorKind::Git, format!("object {id}: {why}"));
        let inner = self
            .odb
            .read(id.into())
            .map_err(|error| broken(error.message()))?;
        let kind = Kind::of(inner.kind()).ok_or_else(|| broken("of no known kind"))?;
        let inner = Bytes::Read(inner);
        Ok(Object { inner, kind })
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

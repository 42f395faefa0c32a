//! Git repositories, as far as keysweep reads them.
//!
//! Reading only: nothing here runs a filter, a hook or a helper, and no configuration of the
//! repository chooses what is read.

mod alternates;
pub mod changes;
pub mod copies;
mod cursor;
pub mod delta;
mod ewah;
pub mod folders;
pub mod forest;
pub mod fresh;
pub mod independent;
pub mod index;
pub mod lfs;
pub mod linked;
pub mod loose;
pub mod object;
pub mod pack;
pub mod quoted;
pub mod range;
pub mod reader;
pub mod refs;
pub mod repo;
pub mod revision;
pub mod store;
pub mod walk;
pub mod working;

pub use repo::Repo;
pub use store::Store;

use crate::unit::ObjectId;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
}

impl Kind {
    /// The kind by libgit2's word; `None` for what is no object.
    pub fn of(kind: git2::ObjectType) -> Option<Self> {
        match kind {
            git2::ObjectType::Commit => Some(Self::Commit),
            git2::ObjectType::Tree => Some(Self::Tree),
            git2::ObjectType::Blob => Some(Self::Blob),
            git2::ObjectType::Tag => Some(Self::Tag),
            git2::ObjectType::Any => None,
        }
    }
}

impl From<Kind> for git2::ObjectType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Commit => Self::Commit,
            Kind::Tree => Self::Tree,
            Kind::Blob => Self::Blob,
            Kind::Tag => Self::Tag,
        }
    }
}

impl From<git2::Oid> for ObjectId {
    fn from(oid: git2::Oid) -> Self {
        let mut id = [0; 20];
        id.copy_from_slice(oid.as_bytes());
        Self(id)
    }
}

impl From<ObjectId> for git2::Oid {
    fn from(id: ObjectId) -> Self {
        Self::from_bytes(&id.0).expect("twenty bytes are an object id")
    }
}

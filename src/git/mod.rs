//! Git repositories, as far as keysweep reads them.
//!
//! Reading only: nothing here runs a filter, a hook or a helper, and no configuration of the
//! repository chooses what is read.

pub mod repo;

pub use repo::Repo;

use crate::unit::ObjectId;

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

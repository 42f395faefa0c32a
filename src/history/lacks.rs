//! Whether objects are named that are not here, as in a partial clone.
//!
//! Such a clone says for good that it is one, also when the rest was fetched since. So its commits, tags
//! and trees are asked, until one names what is missing.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Run;
use super::changes::Changes;
use super::walk::{LazyId, Visit, Walk};
use crate::git::Kind;
use crate::git::object::{self, Commit, Tag};
use crate::git::store::Store;
use crate::pipeline::Progress;
use crate::unit::ObjectId;

/// Looks for the first object that is not here.
struct Lacks<'l> {
    store: &'l Store,
    /// Whether commits may lack their parents.
    shallow: bool,
    found: &'l AtomicBool,
}

/// Whether an object of the store names one that is not in it, but for parents where it is shallow.
pub(super) fn any(run: &Run<'_>, shallow: bool) -> bool {
    let found = AtomicBool::default();
    let walk = Walk {
        store: run.store,
        reader: run.reader,
        kinds: &[Kind::Commit, Kind::Tree, Kind::Tag],
        // All of it was read and counted before.
        progress: &Progress::default(),
        stop: run.stop,
        unread: &run.unread,
    };
    walk.run(|| Lacks {
        store: run.store,
        shallow,
        found: &found,
    });
    found.into_inner()
}

impl Lacks<'_> {
    fn look(&self, kind: Kind, bytes: &[u8]) {
        if self.found.load(Ordering::Relaxed) {
            return;
        }
        let is_missing = |id: &ObjectId| self.store.number(id).is_none();
        let lacks = match kind {
            Kind::Commit => Commit::parse(bytes).is_some_and(|commit| {
                let mut parents = commit.parents.iter();
                is_missing(&commit.tree) || !self.shallow && parents.any(is_missing)
            }),
            Kind::Tag => Tag::parse(bytes).is_some_and(|tag| is_missing(&tag.target)),
            Kind::Tree => {
                object::entries(bytes).any(|entry| !entry.is_commit && is_missing(&entry.id))
            }
            Kind::Blob => false,
        };
        if lacks {
            self.found.store(true, Ordering::Relaxed);
        }
    }
}

impl Visit for Lacks<'_> {
    type Seen = ();

    fn whole(&mut self, _id: LazyId<'_>, kind: Kind, bytes: &[u8]) {
        self.look(kind, bytes);
    }

    fn delta(&mut self, _id: LazyId<'_>, kind: Kind, _base: &(), _changes: &Changes, bytes: &[u8]) {
        self.look(kind, bytes);
    }
}

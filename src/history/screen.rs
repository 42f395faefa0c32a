//! Which of many objects could hold a secret, at the speed of a sweep.
//!
//! A large push is searched as a history is, through the deltas of its pack; only what then is in
//! doubt need be read whole, under its path and with all that a finding tells.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Instant;

use super::secrets::Secrets;
use super::texts::Texts;
use super::walk::{Unread, Walk};
use crate::error::Error;
use crate::git::reader::Reader;
use crate::git::{Kind, Store};
use crate::pipeline::{Progress, Sweep};
use crate::unit::ObjectId;

/// What a look at all objects of a folder tells.
#[derive(Debug, Default)]
pub struct Screened {
    /// Objects that could hold a secret under some path, or that could not be read.
    pub suspects: HashSet<ObjectId>,
    /// Blobs read as notebooks for what they hold.
    pub notebooks: HashSet<ObjectId>,
    /// Trees, whose names were not looked at.
    pub trees: HashSet<ObjectId>,
}

/// Looks at the blobs, commits and tags in an object folder. `reader` reads them, and what their
/// deltas are built on elsewhere. `None` where `deadline` came before the end.
///
/// # Errors
/// When the objects cannot be listed.
pub fn screen(
    sweep: &Sweep,
    dir: &Path,
    reader: &Reader,
    deadline: Option<Instant>,
) -> Result<Option<Screened>, Error> {
    let store = Store::open(&[dir.to_path_buf()])?;
    let secrets = Secrets::new(sweep.options().fingerprint_key.clone());
    let (stop, unread) = (AtomicBool::new(false), Mutex::default());
    let walk = Walk {
        store: &store,
        reader: reader.odb(),
        kinds: &[Kind::Blob, Kind::Commit, Kind::Tag],
        progress: &Progress::default(),
        stop: &stop,
        unread: &unread,
    };
    let mut screened = Screened {
        trees: trees(&store, reader),
        ..Screened::default()
    };
    let walked = until(deadline, &stop, || {
        walk.run(|| Texts::new(sweep.scanner(), &secrets))
    });
    for texts in walked {
        let found = texts.found.into_iter().map(|(id, ..)| id);
        screened.suspects.extend(found);
        screened.notebooks.extend(texts.notebooks);
    }
    let unread = unread.into_inner().unwrap_or_default();
    let unread = unread.into_iter().map(|Unread { id, .. }| id);
    screened.suspects.extend(unread);
    Ok((!stop.load(Ordering::Relaxed)).then_some(screened))
}

/// The trees of a store, and what cannot be told to be something else.
fn trees(store: &Store, reader: &Reader) -> HashSet<ObjectId> {
    let mut trees = HashSet::new();
    for pack in &store.packs {
        let forest = pack.forest();
        let entries = forest.entries().map(|(_, entry)| entry);
        let entries = entries.filter(|entry| entry.kind.is_none_or(|kind| kind == Kind::Tree));
        trees.extend(entries.map(|entry| pack.id(entry.number)));
    }
    let is_tree = |id: &&ObjectId| {
        let header = reader.odb().read_header((**id).into());
        header.is_ok_and(|(_, kind)| Kind::of(kind) == Some(Kind::Tree))
    };
    trees.extend(store.loose.iter().filter(is_tree));
    trees
}

/// Does something, and sets `stop` when `deadline` comes before it is done.
fn until<T>(deadline: Option<Instant>, stop: &AtomicBool, act: impl FnOnce() -> T) -> T {
    let Some(deadline) = deadline else {
        return act();
    };
    std::thread::scope(|scope| {
        let (done, waited) = mpsc::channel::<()>();
        scope.spawn(move || {
            let left = deadline.saturating_duration_since(Instant::now());
            if waited.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                stop.store(true, Ordering::Relaxed);
            }
        });
        let made = act();
        drop(done);
        made
    })
}

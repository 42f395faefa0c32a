//! Objects kept while they pass by, for whoever asks for them by name later.
//!
//! Asked for by name, an object is read through its whole chain of deltas each time. A walk through
//! a pack makes each once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::changes::Changes;
use super::walk::{LazyId, Visit, Walk};
use crate::git::reader::{Kept, Reader};
use crate::git::{Kind, Store};
use crate::pipeline::Progress;
use crate::unit::ObjectId;

/// Bytes of commits, tags and trees kept at most.
const MOST: usize = 128 << 20;

/// Reads the commits, tags and trees of a store: following many commits asks for nearly all. What
/// cannot be read is left out, whoever asks for it learns why.
pub fn read(store: &Store, reader: &Reader) -> Vec<(ObjectId, Kept)> {
    let room = Room::of(MOST);
    let walk = Walk {
        store,
        reader,
        kinds: &[Kind::Commit, Kind::Tag, Kind::Tree],
        progress: &Progress::default(),
        stop: &AtomicBool::new(false),
        unread: &Mutex::default(),
    };
    let keepers = walk.run(|| Keeper::new(&room));
    keepers.into_iter().flat_map(|k| k.objects).collect()
}

/// How many bytes may still be kept. Threads share it.
pub struct Room {
    left: AtomicUsize,
}

impl Room {
    pub fn of(bytes: usize) -> Self {
        Self {
            left: AtomicUsize::new(bytes),
        }
    }

    fn take(&self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.left.fetch_update(set, fetch, less).is_ok()
    }
}

/// Keeps objects of one thread while there is room. What is not kept is read when it is asked for.
pub struct Keeper<'k> {
    room: &'k Room,
    pub objects: Vec<(ObjectId, Kept)>,
}

impl<'k> Keeper<'k> {
    pub fn new(room: &'k Room) -> Self {
        Self {
            room,
            objects: Vec::new(),
        }
    }

    pub fn keep(&mut self, id: ObjectId, kind: Kind, bytes: &[u8]) {
        if self.room.take(bytes.len()) {
            let bytes = bytes.into();
            self.objects.push((id, Kept { kind, bytes }));
        }
    }
}

impl Visit for Keeper<'_> {
    type Seen = ();

    fn whole(&mut self, id: LazyId<'_>, kind: Kind, bytes: &[u8]) {
        // Blobs come along where the kind of a root is not known beforehand.
        if kind != Kind::Blob {
            self.keep(id.read(), kind, bytes);
        }
    }

    fn delta(&mut self, id: LazyId<'_>, kind: Kind, (): &(), _: &Changes, bytes: &[u8]) {
        self.whole(id, kind, bytes);
    }
}

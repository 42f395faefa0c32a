//! Which of many objects could hold a secret, at the speed of a sweep.
//!
//! A large push is searched as a history is, through the deltas of its pack; only what then is in
//! doubt need be read whole, under its path and with all that a finding tells.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Instant;

use super::ahead::{Keeper, Room};
use super::changes::Changes;
use super::secrets::Secrets;
use super::seen::Seen;
use super::texts::Texts;
use super::walk::{LazyId, Unread, Visit, Walk};
use crate::git::reader::{Kept, Reader};
use crate::git::{Kind, Store};
use crate::judge::place::Kinds;
use crate::pipeline::{Progress, Sweep};
use crate::unit::ObjectId;

/// What a look at all objects of a folder tells.
#[derive(Default)]
pub struct Screened {
    /// Objects that could hold a secret under some kind of path, or that could not be read.
    pub suspects: HashMap<ObjectId, Kinds>,
    /// Blobs read as notebooks for what they hold.
    pub notebooks: HashSet<ObjectId>,
    /// Trees, whose names were not looked at.
    pub trees: Vec<ObjectId>,
    /// The suspects, as far as they were kept.
    pub kept: Vec<(ObjectId, Kept)>,
}

/// Bytes of suspects kept at most.
const MOST: usize = 64 << 20;

/// Looks at the blobs, commits and tags of a store. `reader` reads them, and what their deltas are
/// built on elsewhere. `None` where `deadline` came before the end.
pub fn screen(
    sweep: &Sweep,
    store: &Store,
    reader: &Reader,
    deadline: Option<Instant>,
) -> Option<Screened> {
    let secrets = Secrets::new(sweep.options().fingerprint_key.clone());
    let (stop, unread) = (AtomicBool::new(false), Mutex::default());
    let walk = Walk {
        store,
        reader,
        kinds: &[Kind::Blob, Kind::Commit, Kind::Tag],
        progress: &Progress::default(),
        stop: &stop,
        unread: &unread,
    };
    let mut screened = Screened {
        trees: trees(store, reader),
        ..Screened::default()
    };
    let room = Room::of(MOST);
    let make = || Screener {
        texts: Texts::new(sweep.scanner(), &secrets),
        keeper: Keeper::new(&room),
    };
    for Screener { texts, keeper } in until(deadline, &stop, || walk.run(make)) {
        screened.kept.extend(keeper.objects);
        for holder in texts.found {
            let kinds = screened.suspects.entry(holder.id).or_default();
            *kinds = holder
                .sure()
                .fold(*kinds, |kinds, spot| kinds.or(spot.kinds));
        }
        screened.notebooks.extend(texts.notebooks);
    }
    let unread = unread.into_inner().unwrap_or_default();
    let unread = unread.into_iter().map(|Unread { id, .. }| (id, Kinds::ALL));
    screened.suspects.extend(unread);
    (!stop.load(Ordering::Relaxed)).then_some(screened)
}

/// Looks at the objects of one thread and keeps those that will be read whole.
struct Screener<'s> {
    texts: Texts<'s>,
    keeper: Keeper<'s>,
}

impl Screener<'_> {
    fn look(
        &mut self,
        (id, kind, bytes): (LazyId<'_>, Kind, &[u8]),
        look: impl FnOnce(&mut Texts<'_>) -> Seen,
    ) -> Seen {
        let found = self.texts.found.len();
        let seen = look(&mut self.texts);
        if self.texts.found.len() > found {
            self.keeper.keep(id.read(), kind, bytes);
        }
        seen
    }
}

impl Visit for Screener<'_> {
    type Seen = Seen;

    fn wants(&self, kind: Kind, head: &[u8]) -> bool {
        self.texts.wants(kind, head)
    }

    fn whole(&mut self, id: LazyId<'_>, kind: Kind, bytes: &[u8]) -> Seen {
        self.look((id, kind, bytes), |texts| texts.whole(id, kind, bytes))
    }

    fn delta(
        &mut self,
        id: LazyId<'_>,
        kind: Kind,
        base: &Seen,
        changes: &Changes,
        bytes: &[u8],
    ) -> Seen {
        let delta = |texts: &mut Texts<'_>| texts.delta(id, kind, base, changes, bytes);
        self.look((id, kind, bytes), delta)
    }
}

/// The trees of a store, and what cannot be told to be something else.
fn trees(store: &Store, reader: &Reader) -> Vec<ObjectId> {
    let mut trees = Vec::new();
    for pack in &store.packs {
        let forest = pack.forest();
        let entries = forest.entries().map(|(_, entry)| entry);
        let entries = entries.filter(|entry| entry.kind.is_none_or(|kind| kind == Kind::Tree));
        trees.extend(entries.map(|entry| pack.id(entry.number)));
    }
    let is_tree = |id: &&ObjectId| reader.kind(**id) == Some(Kind::Tree);
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

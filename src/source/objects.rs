//! Git objects by name: files, commit and tag texts, and the names of files and references.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rayon::prelude::*;

use super::stream::{self, Sizes};
use super::{Sink, Source};
use crate::error::Error;
use crate::git::Kind;
use crate::git::changes::{Place, Places};
use crate::git::reader::{Object, Reader};
use crate::git::{lfs, object};
use crate::ledger::Reason;
use crate::unit::{GitOrigin, ObjectId, Origin, Part, Unit, path_text};

/// The paths under which texts that are no files are reported.
pub const COMMIT: &str = "commit message";
pub const TAG: &str = "tag message";

/// Objects to read and names to look at.
pub struct Objects<'s> {
    pub reader: &'s Reader,
    pub ids: Vec<ObjectId>,
    /// Where blobs stand. Each is delivered under every one of its paths; one without a place under its
    /// own name.
    pub places: Places,
    /// Texts at hand, such as the names of files.
    pub names: Vec<Origin>,
    /// Whether trees without a place of their own give the names of their entries.
    pub tree_names: bool,
    /// When to stop. What is left then is told to the sink, once.
    pub deadline: Option<Instant>,
}

impl<'s> Objects<'s> {
    pub fn new(reader: &'s Reader, ids: Vec<ObjectId>, places: Places) -> Self {
        Self {
            reader,
            ids,
            places,
            names: Vec::new(),
            tree_names: false,
            deadline: None,
        }
    }

    /// Blobs with their places.
    pub fn placed(reader: &'s Reader, places: Places) -> Self {
        let mut ids: Vec<ObjectId> = places.keys().copied().collect();
        ids.sort_unstable();
        Self::new(reader, ids, places)
    }

    /// Files by their paths.
    pub fn files(reader: &'s Reader, files: Vec<(Arc<str>, ObjectId)>) -> Self {
        let mut places = Places::new();
        for (path, id) in files {
            let places = places.entry(id).or_default();
            places.push(Place { path, commit: None });
        }
        Self::placed(reader, places)
    }

    fn read(&self, id: ObjectId, told: &AtomicBool, sink: &dyn Sink) {
        match self.reader.read(id) {
            Ok(object) => {
                self.open(id, &object, told, sink);
                sink.done(object.bytes().len() as u64);
            }
            Err(error) => {
                let place = self.places.get(&id).and_then(|places| places.first());
                let path =
                    place.map_or_else(|| format!("object {id}").into(), |place| place.path.clone());
                sink.leave_out(path, Reason::Unreadable, &error.to_string());
            }
        }
    }

    fn open(&self, id: ObjectId, object: &Object<'_>, told: &AtomicBool, sink: &dyn Sink) {
        let bytes = object.bytes();
        let mut words = Vec::new();
        let text = |path: &str, part, commit, bytes: &[u8]| {
            let object = id;
            let origin = GitOrigin { object, commit };
            push(&Origin::git(path, part, origin), bytes, sink);
        };
        match object.kind {
            Kind::Blob => match self.places.get(&id) {
                Some(places) => {
                    if let Some(place) = places.first().filter(|_| lfs::is_pointer(bytes)) {
                        let detail = "kept by Git LFS, and only what stands for it is read";
                        sink.leave_out(place.path.clone(), Reason::Lfs, detail);
                    }
                    for place in places {
                        if !self.is_over(told, sink) {
                            text(&place.path, Part::File, place.commit, bytes);
                        }
                    }
                }
                None => text(&format!("(blob {id})"), Part::File, None, bytes),
            },
            Kind::Commit => {
                object::words(bytes, &mut words);
                text(COMMIT, Part::Commit, Some(id), &words);
            }
            Kind::Tag => {
                object::words(bytes, &mut words);
                text(TAG, Part::Tag, None, &words);
            }
            Kind::Tree if self.tree_names => {
                for entry in object::entries(bytes) {
                    let name = path_text(entry.name);
                    text(&name, Part::FileName, None, name.as_bytes());
                }
            }
            Kind::Tree => {}
        }
    }

    fn is_over(&self, told: &AtomicBool, sink: &dyn Sink) -> bool {
        let over = self.deadline.is_some_and(|at| Instant::now() >= at);
        if over && !told.swap(true, Ordering::Relaxed) {
            sink.leave_out(
                "(remaining objects)".into(),
                Reason::OutOfTime,
                "the time allowed was over before everything was read",
            );
        }
        over
    }
}

impl Source for Objects<'_> {
    fn deliver(&self, sink: &dyn Sink) -> Result<(), Error> {
        sink.expect((self.ids.len() + self.names.len()) as u64);
        let told = AtomicBool::new(false);
        self.ids.par_iter().for_each(|id| {
            if !self.is_over(&told, sink) {
                self.read(*id, &told, sink);
            }
        });
        self.names.par_iter().for_each(|origin| {
            if !self.is_over(&told, sink) {
                push(origin, origin.path.as_bytes(), sink);
                sink.done(origin.path.len() as u64);
            }
        });
        Ok(())
    }
}

fn push(origin: &Origin, bytes: &[u8], sink: &dyn Sink) {
    let sizes = Sizes::default();
    if bytes.len() <= sizes.whole_bound(&origin.path) {
        let unit = match origin.is_file() {
            true => Unit::whole,
            false => Unit::words,
        };
        return sink.unit(&unit(origin.clone(), bytes));
    }
    let mut buffer = stream::Buffer::default();
    let size = bytes.len() as u64;
    if let Err(error) = stream::read(origin, bytes, size, &sizes, &mut buffer, sink) {
        sink.leave_out(origin.path.clone(), Reason::Unreadable, &error.to_string());
    }
}

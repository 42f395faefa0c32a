//! Files and folders of a working tree, and their names.
//!
//! Two steps: `ignore` lists the tree in parallel, then each thread of rayon's pool takes one entry after
//! the other, in the order of their paths, and hands it on. Listing first costs a few milliseconds,
//! and buys progress with a known end and work that is shared file by file instead of folder by
//! folder.

use std::collections::{HashMap, HashSet};
use std::fs::{File, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bstr::ByteSlice;
use ignore::{DirEntry, WalkBuilder, WalkState};
use rayon::prelude::*;

use super::stream::{self, Buffer, Sizes};
use super::{Sink, Source};
use crate::error::Error;
use crate::ledger::Reason;
use crate::unit::{Origin, Part, Unit, path_text};

/// What to walk and how.
#[derive(Clone, Debug)]
pub struct Walk {
    pub paths: Vec<PathBuf>,
    /// Honour `.gitignore`, `.ignore` and git's own exclude files.
    pub ignore_files: bool,
    /// Leave out files over this many bytes; `None` reads any size.
    pub max_size: Option<u64>,
    pub sizes: Sizes,
}

impl Walk {
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            ignore_files: true,
            max_size: None,
            sizes: Sizes::default(),
        }
    }

    fn list(&self, sink: &dyn Sink) -> Result<Vec<Found>, Error> {
        let Some((first, rest)) = self.paths.split_first() else {
            return Ok(Vec::new());
        };
        let mut builder = WalkBuilder::new(first);
        for path in rest {
            builder.add(path);
        }
        builder
            .hidden(false)
            .follow_links(false)
            .parents(self.ignore_files)
            .ignore(self.ignore_files)
            .git_ignore(self.ignore_files)
            .git_global(self.ignore_files)
            .git_exclude(self.ignore_files)
            .threads(rayon::current_num_threads())
            .filter_entry(|entry| entry.file_name() != ".git");
        let found = Mutex::new(Vec::new());
        builder.build_parallel().run(|| {
            let mut batch = Batch {
                found: Vec::new(),
                all: &found,
            };
            Box::new(move |entry| {
                match entry {
                    Ok(entry) => batch.found.push(Found::of(entry)),
                    Err(error) => fail_to_list(&error, sink),
                }
                WalkState::Continue
            })
        });
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Not as paths: comparing those part by part would cost more than listing them.
        found.par_sort_unstable_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
        if !rest.is_empty() {
            let mut seen = Seen::default();
            found.retain(|found| seen.is_new(found));
        }
        Ok(found)
    }

    /// Hands on an entry's name, and what it holds.
    fn hand_on(&self, found: &Found, buffer: &mut Buffer, sink: &dyn Sink) {
        let Found { path, kind } = found;
        name(path, sink);
        let refuse = |reason, detail| sink.leave_out(shown_path(path), reason, detail);
        match kind {
            Kind::Folder => {}
            Kind::File => self.read(path, buffer, sink),
            Kind::Link => refuse(Reason::Symlink, "a symbolic link"),
            Kind::Other => refuse(Reason::NotAFile, "a pipe, a socket or a device"),
            Kind::Refused => refuse(Reason::Unreadable, "neither a file nor a folder"),
        }
    }

    fn read(&self, path: &Path, buffer: &mut Buffer, sink: &dyn Sink) {
        let shown = shown_path(path);
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) = match opened {
            Ok(opened) => opened,
            Err(error) => return fail(sink, shown, &error),
        };
        if let Some(detail) = self.refuses(&metadata) {
            return sink.leave_out(shown, detail.0, &detail.1);
        }
        let origin = Origin::file(shown.clone());
        match stream::read(&origin, file, metadata.len(), &self.sizes, buffer, sink) {
            Ok(bytes) => sink.done(bytes),
            Err(error) => fail(sink, shown, &error),
        }
    }

    fn refuses(&self, metadata: &Metadata) -> Option<(Reason, String)> {
        let max = self.max_size?;
        let size = metadata.len();
        (size > max).then(|| {
            (
                Reason::TooLarge,
                format!("{size} bytes, over the {max} asked for"),
            )
        })
    }
}

impl Source for Walk {
    fn deliver(&self, sink: &dyn Sink) -> Result<(), Error> {
        let found = self.list(sink)?;
        let files = found.iter().filter(|found| found.kind != Kind::Folder);
        sink.expect(files.count() as u64);
        let next = AtomicUsize::new(0);
        rayon::broadcast(|_| {
            let mut buffer = Buffer::default();
            while let Some(found) = found.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.hand_on(found, &mut buffer, sink);
            }
        });
        Ok(())
    }
}

/// One walking thread's entries, added to all when the thread is done.
struct Batch<'a> {
    found: Vec<Found>,
    all: &'a Mutex<Vec<Found>>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.append(&mut self.found);
    }
}

/// The entries seen so far, by their one true path, for paths that were named twice or lie in each
/// other.
#[derive(Default)]
struct Seen {
    files: HashSet<PathBuf>,
    /// True paths of folders.
    folders: HashMap<PathBuf, PathBuf>,
}

impl Seen {
    fn is_new(&mut self, found: &Found) -> bool {
        let path = &*found.path;
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return true;
        };
        // A link that is not followed is one thing, and what it leads to is another.
        let file = match found.kind != Kind::Link && path.is_symlink() {
            true => path.canonicalize().unwrap_or_else(|_| path.into()),
            false => self.folder(folder).join(name),
        };
        self.files.insert(file)
    }

    fn folder(&mut self, folder: &Path) -> &Path {
        let known = self.folders.entry(folder.into());
        known.or_insert_with(|| {
            let here = if folder == Path::new("") {
                Path::new(".")
            } else {
                folder
            };
            here.canonicalize().unwrap_or_else(|_| folder.into())
        })
    }
}

/// An entry of the tree.
struct Found {
    path: PathBuf,
    kind: Kind,
}

/// What to do with an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
    Link,
    Other,
    /// No file either, but somebody named it and wants it read.
    Refused,
}

impl Found {
    fn of(entry: DirEntry) -> Self {
        Self {
            kind: kind(&entry),
            path: entry.into_path(),
        }
    }
}

/// Links that were named are followed, others are not. A pipe is only opened when it was named, as
/// `<(command)` of a shell is; opening one that nobody writes to would wait for ever.
fn kind(entry: &DirEntry) -> Kind {
    let is_named = entry.depth() == 0;
    if !is_named && entry.path_is_symlink() {
        return Kind::Link;
    }
    let followed = match entry.path_is_symlink() {
        true => entry.path().metadata().ok().map(|known| known.file_type()),
        false => entry.file_type(),
    };
    match followed {
        Some(kind) if kind.is_dir() => Kind::Folder,
        // One that points nowhere fails when it is opened, and is told of then.
        None => Kind::File,
        Some(kind) if kind.is_file() || (is_named && is_pipe(kind)) => Kind::File,
        Some(_) if is_named => Kind::Refused,
        Some(_) => Kind::Other,
    }
}

/// Hands on the name of a file or a folder as a text of its own.
fn name(path: &Path, sink: &dyn Sink) {
    if let Some(name) = path.file_name() {
        let name = shown_path(Path::new(name));
        let path = shown_path(path);
        let origin = Origin {
            part: Part::FileName,
            ..Origin::file(path.trim_end_matches('/'))
        };
        sink.unit(&Unit::words(origin, name.as_bytes()));
    }
}

fn fail_to_list(error: &ignore::Error, sink: &dyn Sink) {
    let path = error_path(error).map_or_else(|| "?".into(), shown_path);
    sink.expect(1);
    match error.io_error() {
        Some(io) => fail(sink, path, io),
        None => sink.leave_out(path, Reason::Unreadable, &error.to_string()),
    }
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
fn is_pipe(_: FileType) -> bool {
    false
}

fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            error_path(err)
        }
        _ => None,
    }
}

fn fail(sink: &dyn Sink, path: Arc<str>, error: &io::Error) {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => Reason::Vanished,
        _ => Reason::Unreadable,
    };
    sink.leave_out(path, reason, &error.to_string());
}

/// The path as reports show it: forward slashes, no leading `./`.
fn shown_path(path: &Path) -> Arc<str> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let bytes = path.as_os_str().as_encoded_bytes();
    match cfg!(windows) {
        true => path_text(&bytes.replace(b"\\", b"/")).into(),
        false => path_text(bytes).into(),
    }
}

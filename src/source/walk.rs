//! Files and folders of a working tree.
//!
//! Two steps: `ignore` lists the files in parallel, then each thread of rayon's pool takes one after
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
use crate::unit::{Origin, path_text};

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

    fn list(&self, sink: &dyn Sink) -> Result<Vec<PathBuf>, Error> {
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
                files: Vec::new(),
                all: &found,
            };
            Box::new(move |entry| {
                visit(entry, &mut batch.files, sink);
                WalkState::Continue
            })
        });
        let mut files = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Not as paths: comparing those part by part would cost more than listing them.
        files.par_sort_unstable_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
        if !rest.is_empty() {
            let mut seen = Seen::default();
            files.retain(|path| seen.is_new(path));
        }
        Ok(files)
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
        let files = self.list(sink)?;
        sink.expect(files.len() as u64);
        let next = AtomicUsize::new(0);
        rayon::broadcast(|_| {
            let mut buffer = Buffer::default();
            while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.read(path, &mut buffer, sink);
            }
        });
        Ok(())
    }
}

/// One walking thread's files, added to all when the thread is done.
struct Batch<'a> {
    files: Vec<PathBuf>,
    all: &'a Mutex<Vec<PathBuf>>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.append(&mut self.files);
    }
}

/// The files seen so far, by their one true path, for paths that were named twice or lie in each
/// other.
#[derive(Default)]
struct Seen {
    files: HashSet<PathBuf>,
    /// True paths of folders.
    folders: HashMap<PathBuf, PathBuf>,
}

impl Seen {
    fn is_new(&mut self, path: &Path) -> bool {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return true;
        };
        // Below what was named there are no links; what was named may be one.
        let file = match path.is_symlink() {
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

fn visit(entry: Result<DirEntry, ignore::Error>, files: &mut Vec<PathBuf>, sink: &dyn Sink) {
    match entry {
        Ok(entry) => match kind(&entry) {
            Kind::Folder => {}
            Kind::File => files.push(entry.into_path()),
            Kind::Link => refuse(&entry, Reason::Symlink, "a symbolic link", sink),
            // Whoever names a path wants it read.
            Kind::Other if entry.depth() == 0 => {
                refuse(
                    &entry,
                    Reason::Unreadable,
                    "neither a file nor a folder",
                    sink,
                );
            }
            Kind::Other => {
                refuse(
                    &entry,
                    Reason::NotAFile,
                    "a pipe, a socket or a device",
                    sink,
                );
            }
        },
        Err(error) => {
            let path = error_path(&error).map_or_else(|| "?".into(), shown_path);
            sink.expect(1);
            match error.io_error() {
                Some(io) => fail(sink, path, io),
                None => sink.leave_out(path, Reason::Unreadable, &error.to_string()),
            }
        }
    }
}

fn refuse(entry: &DirEntry, reason: Reason, detail: &str, sink: &dyn Sink) {
    sink.expect(1);
    sink.leave_out(shown_path(entry.path()), reason, detail);
}

/// What to do with an entry.
enum Kind {
    Folder,
    File,
    Link,
    Other,
}

/// Links that were named are followed, others are not. A pipe is only opened when it was named, as
/// `<(command)` of a shell is; opening one that nobody writes to would wait for ever.
fn kind(entry: &DirEntry) -> Kind {
    if entry.depth() > 0 && entry.path_is_symlink() {
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
        Some(kind) if kind.is_file() || (entry.depth() == 0 && is_pipe(kind)) => Kind::File,
        Some(_) => Kind::Other,
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

//! Files and folders of a working tree.
//!
//! Two steps: `ignore` lists the files in parallel, then a rayon pool reads and hands them on in
//! the order of their paths. Listing first costs a few milliseconds, and buys progress with a known
//! end and work that is shared file by file instead of folder by folder.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder, WalkState};
use rayon::prelude::*;

use super::stream::{self, Sizes};
use super::{Sink, Source};
use crate::error::Error;
use crate::ledger::Reason;
use crate::unit::Origin;

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
        files.par_sort_unstable();
        files.dedup();
        Ok(files)
    }

    fn read(&self, path: &Path, buffer: &mut Vec<u8>, sink: &dyn Sink) {
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
        // A large file must not make every worker hold a large buffer from then on.
        if buffer.capacity() > self.sizes.core {
            *buffer = Vec::new();
        }
    }

    fn refuses(&self, metadata: &Metadata) -> Option<(Reason, String)> {
        if !metadata.is_file() {
            return Some((Reason::NotAFile, "not a regular file".into()));
        }
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
        files
            .par_iter()
            .with_max_len(1)
            .for_each_init(Vec::new, |buffer, path| self.read(path, buffer, sink));
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

fn visit(entry: Result<DirEntry, ignore::Error>, files: &mut Vec<PathBuf>, sink: &dyn Sink) {
    match entry {
        Ok(entry) => {
            let kind = entry.file_type();
            let link = entry.path_is_symlink() && entry.depth() > 0;
            if kind.is_some_and(|k| !k.is_dir()) && !link {
                files.push(entry.into_path());
            }
        }
        Err(error) => {
            let path = error_path(&error).map_or_else(|| "?".into(), shown_path);
            match error.io_error() {
                Some(io) => fail(sink, path, io),
                None => sink.leave_out(path, Reason::Unreadable, &error.to_string()),
            }
        }
    }
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
    let text = path.to_string_lossy();
    if cfg!(windows) {
        text.replace('\\', "/").into()
    } else {
        text.into()
    }
}

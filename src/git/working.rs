//! What the index and the working tree changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bstr::ByteSlice;
use git2::DiffOptions;

use super::folders::Folders;
use super::reader::Reader;
use super::{Kind, Repo, changes, index, revision};
use crate::error::{Error, ErrorKind};
use crate::unit::{ObjectId, path_text};

/// Files of the index, or of the one in another file, that the checked-out commit does not have
/// like that.
///
/// # Errors
/// When the index or the commit cannot be read.
pub fn staged(
    repo: &Repo,
    reader: &Reader,
    index: Option<&Path>,
) -> Result<Vec<(Arc<str>, ObjectId)>, Error> {
    let git = repo.git2();
    let entries = index::read(&index_file(git, index)?, git.path())?;
    let head = revision::find(repo, reader, "HEAD")?;
    let tree = head
        .map(|head| changes::tree_of(reader, head))
        .transpose()?;
    let mut folders = Folders::of(reader);
    let mut found = Vec::new();
    for entry in entries {
        let path = path_text(entry.path.trim_end_with(|c| c == '/'));
        let old = match tree {
            Some(tree) => folders.find(tree, &path)?,
            None => Vec::new(),
        };
        let is_same = old.iter().any(|(old, _)| *old == entry.id);
        if is_same || entry.is_commit() || entry.is_intended || entry.is_ancestor {
            continue;
        }
        if entry.is_folder() {
            let old = old.iter().find(|(_, kind)| *kind == Kind::Tree);
            let files = changes::brought(reader, old.map(|(id, _)| *id), entry.id)?;
            let files = files.into_iter();
            found.extend(files.map(|(name, id)| (format!("{path}/{name}").into(), id)));
        } else {
            found.push((path.into(), entry.id));
        }
    }
    Ok(found)
}

/// The index that git names, from the root of the working tree, wherever this runs; else the
/// repository's own, which alone may be missing: nothing was ever staged then.
fn index_file(git: &git2::Repository, named: Option<&Path>) -> Result<PathBuf, Error> {
    let own = git.path().join("index");
    let Some(named) = named else {
        return Ok(own);
    };
    let file = git.workdir().unwrap_or(git.path()).join(named);
    let folder = file.parent().and_then(|folder| folder.canonicalize().ok());
    let is_own = file.file_name() == own.file_name()
        && folder.is_some_and(|folder| git.path().canonicalize().is_ok_and(|own| own == folder));
    if !is_own && !file.exists() {
        let missing = std::io::ErrorKind::NotFound.into();
        return Err(Error::io(&file, missing));
    }
    Ok(file)
}

/// Whether files in the folder, or below it, are in the index.
///
/// # Errors
/// When the index cannot be read.
pub fn tracks(repo: &Repo, folder: &Path) -> Result<bool, Error> {
    let git = repo.git2();
    let root = git.workdir().and_then(|root| root.canonicalize().ok());
    // What is not there is not tracked.
    let (Some(root), Ok(folder)) = (root, folder.canonicalize()) else {
        return Ok(false);
    };
    let Ok(inside) = folder.strip_prefix(root) else {
        return Ok(false);
    };
    let prefix: Vec<u8> = inside
        .components()
        .flat_map(|name| [name.as_os_str().as_encoded_bytes(), b"/"].concat())
        .collect();
    let entries = index::read(&index_file(git, None)?, git.path())?;
    Ok(entries.iter().any(|entry| entry.path.starts_with(&prefix)))
}

/// Files of the working tree that differ from the index, and the blobs that stand there for them.
///
/// # Errors
/// When there is no working tree, or the index cannot be read or compared with it.
pub fn unstaged(repo: &Repo) -> Result<Vec<(PathBuf, ObjectId)>, Error> {
    // Of one that is damaged libgit2 only says that it is not there.
    index::read(&index_file(repo.git2(), None)?, repo.git2().path())?;
    let mut options = DiffOptions::new();
    options.ignore_submodules(true).include_typechange(true);
    let diff = repo
        .git2()
        .diff_index_to_workdir(None, Some(&mut options))
        .map_err(|error| match error.message() {
            // Only what is staged is read without libgit2.
            message if message.contains("mandatory extension") => unlike_libgit2(),
            _ => failed(repo, &error),
        })?;
    let changed = diff.deltas().filter_map(|delta| {
        let path = delta.new_file().path()?.to_path_buf();
        Some((path, delta.old_file().id().into()))
    });
    Ok(changed.collect())
}

/// The index is split in two files, or holds folders for what lies outside of a sparse checkout.
fn unlike_libgit2() -> Error {
    Error::new(
        ErrorKind::Git,
        "a split or sparse index cannot be compared with the working tree; make it a whole one with \
         `git config core.splitIndex false && git update-index --no-split-index`, or `git \
         sparse-checkout reapply --no-sparse-index`",
    )
}

fn failed(repo: &Repo, error: &git2::Error) -> Error {
    let at = repo.git2().path().display();
    Error::new(ErrorKind::Git, format!("{at}: {}", error.message()))
}

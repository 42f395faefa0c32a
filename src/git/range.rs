//! Revisions, ranges of commits, and what the index and the working tree changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bstr::ByteSlice;
use git2::{DiffOptions, FileMode, Oid, Sort};

use super::{Repo, index};
use crate::error::{Error, ErrorKind};
use crate::unit::{ObjectId, path_text};

/// A range with its ends resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// `None` for a range that begins with the history.
    pub base: Option<ObjectId>,
    pub head: ObjectId,
    /// Where the two parted; `None` for histories that have nothing in common.
    pub fork: Option<ObjectId>,
    /// Reachable from `head` and not from `base`.
    pub commits: Vec<ObjectId>,
}

/// Resolves a range; without a base it is all that leads to `head`.
///
/// # Errors
/// When an end does not exist, or the clone is too shallow to tell where the range begins.
pub fn resolve(repo: &Repo, base: Option<&str>, head: &str) -> Result<Range, Error> {
    let head = commit(repo, head)?;
    let is_shallow = repo.completeness().shallow;
    let (base, fork) = match base {
        None if is_shallow => return Err(shallow("the history begins")),
        None => (None, None),
        Some(base) => {
            let base = commit(repo, base)?;
            match repo.git2().merge_base(base.into(), head.into()) {
                Ok(fork) => (Some(base), Some(fork.into())),
                Err(_) if is_shallow => return Err(shallow("the range begins")),
                Err(_) => (Some(base), None),
            }
        }
    };
    let hidden: Vec<Oid> = base.into_iter().map(Oid::from).collect();
    let commits = between(repo, &[head.into()], &hidden)?;
    Ok(Range {
        base,
        head,
        fork,
        commits,
    })
}

/// The first of `revisions` that is there; `None` when a clone that has the whole history has none of
/// them.
///
/// # Errors
/// When the clone is too shallow to tell.
pub fn first_of(repo: &Repo, revisions: &[String]) -> Result<Option<String>, Error> {
    for revision in revisions {
        match commit(repo, revision) {
            Ok(_) => return Ok(Some(revision.clone())),
            Err(error) if repo.completeness().shallow => return Err(error),
            Err(_) => {}
        }
    }
    Ok(None)
}

/// The commit that a revision names.
///
/// # Errors
/// When there is none; in a shallow clone the message says how to get it.
pub fn commit(repo: &Repo, revision: &str) -> Result<ObjectId, Error> {
    let object = repo.git2().revparse_single(revision);
    match object.and_then(|object| object.peel_to_commit()) {
        Ok(commit) => Ok(commit.id().into()),
        Err(_) if repo.completeness().shallow => Err(shallow(&format!("{revision} stands"))),
        Err(error) => {
            let why = why_not(revision, &error);
            Err(Error::new(ErrorKind::Git, format!("{revision}: {why}")))
        }
    }
}

/// Says why a revision names no commit, in terms of what can be done about it.
fn why_not(revision: &str, error: &git2::Error) -> String {
    let name = "name the commits to judge: keysweep diff BASE..HEAD";
    if revision.contains("@{u") {
        format!("no upstream branch is known for what is checked out; {name}")
    } else if error.code() == git2::ErrorCode::NotFound {
        format!("there is no such commit in this clone; fetch it, or {name}")
    } else {
        error.message().to_owned()
    }
}

/// The commits reachable from `tips` and from none of `hidden`.
///
/// # Errors
/// When a commit on the way cannot be read.
pub fn between(repo: &Repo, tips: &[Oid], hidden: &[Oid]) -> Result<Vec<ObjectId>, Error> {
    let walk = || -> Result<Vec<ObjectId>, git2::Error> {
        let mut walk = repo.git2().revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)?;
        tips.iter().try_for_each(|id| walk.push(*id))?;
        hidden.iter().try_for_each(|id| walk.hide(*id))?;
        walk.map(|id| Ok(id?.into())).collect()
    };
    walk().map_err(|error| failed(repo, &error))
}

/// The commits that branches, tags and all other references name.
///
/// # Errors
/// When the references cannot be listed.
pub fn tips(repo: &Repo) -> Result<Vec<Oid>, Error> {
    let references = repo
        .git2()
        .references()
        .map_err(|error| failed(repo, &error))?;
    let commits = references
        .flatten()
        .filter_map(|reference| reference.peel_to_commit().ok())
        .map(|commit| commit.id());
    Ok(commits.collect())
}

/// The commits that the next one merges, besides the checked-out one.
pub fn merged(repo: &Repo) -> Vec<ObjectId> {
    let file = repo.git2().path().join("MERGE_HEAD");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(ObjectId::from_hex).collect()
}

/// Files of the index, or of the one in another file, that the checked-out commit does not have
/// like that.
///
/// # Errors
/// When the index cannot be read.
pub fn staged(repo: &Repo, index: Option<&Path>) -> Result<Vec<(Arc<str>, ObjectId)>, Error> {
    let git = repo.git2();
    let entries = index::read(&index_file(git, index)?, git.path())?;
    let list = || {
        let head = match git.head() {
            Ok(head) => Some(head.peel_to_tree()?),
            Err(_) => None,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.path.trim_end_with(|c| c == '/');
            let old = head.as_ref().and_then(|tree| {
                // A path that cannot be looked up is new to the commit.
                tree.get_path(&path.to_path_lossy()).ok()
            });
            let is_same = old.as_ref().is_some_and(|old| old.id() == entry.id.into());
            if is_same || entry.is_commit() || entry.is_intended {
                continue;
            }
            let path = path_text(path);
            if entry.is_folder() {
                let old = old.and_then(|old| git.find_tree(old.id()).ok());
                let new = git.find_tree(entry.id.into())?;
                let files = changed_files(git, old.as_ref(), &new)?.into_iter();
                found.extend(files.map(|(name, id)| (format!("{path}/{name}").into(), id)));
            } else {
                found.push((path.into(), entry.id));
            }
        }
        Ok(found)
    };
    list().map_err(|error: git2::Error| failed(repo, &error))
}

/// Files of a folder that an older one does not have like that, by their paths in it.
fn changed_files(
    git: &git2::Repository,
    old: Option<&git2::Tree<'_>>,
    new: &git2::Tree<'_>,
) -> Result<Vec<(String, ObjectId)>, git2::Error> {
    let diff = git.diff_tree_to_tree(old, Some(new), None)?;
    let files = diff.deltas().map(|delta| delta.new_file()).filter(|file| {
        // What was deleted has none, and a submodule is no file.
        file.exists() && file.mode() != FileMode::Commit
    });
    let named = files.map(|file| {
        let path = path_text(file.path_bytes().unwrap_or_default());
        (path.into_owned(), file.id().into())
    });
    Ok(named.collect())
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

/// Files of the working tree that differ from the index, and the blobs that stand there for them.
///
/// # Errors
/// When there is no working tree, or it cannot be compared.
pub fn unstaged(repo: &Repo) -> Result<Vec<(PathBuf, ObjectId)>, Error> {
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

pub fn shallow(what: &str) -> Error {
    Error::new(
        ErrorKind::Git,
        format!(
            "the clone is too shallow: it does not reach the place where {what}; fetch all of it \
             with `git fetch --unshallow origin` (GitHub: `fetch-depth: 0`, Azure Pipelines: \
             `fetchDepth: 0`, GitLab: `GIT_DEPTH: 0`, Bitbucket: `depth: full`)"
        ),
    )
}

fn failed(repo: &Repo, error: &git2::Error) -> Error {
    let at = repo.git2().path().display();
    Error::new(ErrorKind::Git, format!("{at}: {}", error.message()))
}

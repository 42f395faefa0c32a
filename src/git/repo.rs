//! Opens a repository and says where its objects lie.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Odb, RepositoryOpenFlags};

use super::alternates;
use super::reader::Reader;
use crate::error::{Error, ErrorKind};
use crate::unit::ObjectId;

/// An open repository. Not for sharing between threads: each opens its own.
pub struct Repo {
    inner: git2::Repository,
}

/// Whether all objects that the history names are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Completeness {
    /// Cloned with `--depth`: the oldest commits lack their parents.
    pub shallow: bool,
    /// Cloned with `--filter`: objects come when they are asked for.
    pub partial: bool,
}

/// What a clone made with `--filter` lacks, and what to do.
pub const PARTIAL: &str = "a partial clone: objects left on the server are not here; run: git fetch \
                           --refetch --no-filter";

impl Repo {
    /// Opens the repository that `path` is, or lies in. Bare repositories and linked worktrees too.
    ///
    /// # Errors
    /// When there is none, or when it cannot be read; the message says what to do.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let none: [&Path; 0] = [];
        git2::Repository::open_ext(path, RepositoryOpenFlags::empty(), none)
            .and_then(Self::of)
            .map_err(|error| refuse(path, &error))
    }

    /// Opens the repository that git names to the programs it runs: by its own folder, and by the
    /// root of its working tree, which otherwise is where they run.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn open_named(git_dir: &Path, work_tree: Option<&Path>) -> Result<Self, Error> {
        let none: [&Path; 0] = [];
        let open = || {
            let git = git2::Repository::open_ext(git_dir, RepositoryOpenFlags::NO_SEARCH, none)?;
            // `.git` lies in its working tree; of other folders only git itself knows.
            let is_told = git.is_bare()
                || git.path().ends_with(".git")
                || git.config()?.get_entry("core.worktree").is_ok();
            let here = (!is_told).then_some(Path::new("."));
            if let Some(root) = work_tree.or(here) {
                git.set_workdir(root, false)?;
            }
            Ok(git)
        };
        let opened = open().and_then(Self::of);
        opened.map_err(|error| refuse(git_dir, &error))
    }

    /// Takes the objects from libgit2, which asks for more for ever of one that is cut off.
    fn of(inner: git2::Repository) -> Result<Self, git2::Error> {
        inner.set_odb(&Odb::new()?)?;
        Ok(Self { inner })
    }

    /// What tells of references, settings and the working tree, but has no objects: a [`Reader`] has.
    pub fn git2(&self) -> &git2::Repository {
        &self.inner
    }

    /// The folder that holds refs and objects, shared by all linked worktrees.
    pub fn common_dir(&self) -> &Path {
        self.inner.commondir()
    }

    /// The object folders, the repository's own first, then those it borrows from.
    ///
    /// # Errors
    /// When a list of alternates cannot be read.
    pub fn object_dirs(&self) -> Result<Vec<PathBuf>, Error> {
        alternates::with(&[self.common_dir().join("objects")])
    }

    /// A reader of the objects. As git does, it goes without folders that others were borrowed from and are
    /// gone.
    ///
    /// # Errors
    /// When the repository's own object folder is missing or cannot be read.
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::open(&[self.common_dir().join("objects")])
    }

    /// The commits with which a history begins that was cut off there.
    ///
    /// # Errors
    /// When their list cannot be read.
    pub fn shallow(&self) -> Result<HashSet<ObjectId>, Error> {
        let list = self.common_dir().join("shallow");
        match fs::read_to_string(&list) {
            Ok(text) => Ok(text.lines().filter_map(ObjectId::from_hex).collect()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(HashSet::new()),
            Err(error) => Err(Error::io(&list, error)),
        }
    }

    /// Whether a list gives commits other parents than they name, which git is giving up.
    pub fn has_grafts(&self) -> bool {
        let list = fs::read(self.common_dir().join("info/grafts")).unwrap_or_default();
        !list.trim_ascii().is_empty()
    }

    /// The error, with the cause where a clone may lack what cannot be read.
    pub fn explain(&self, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Git if self.completeness().partial => {
                Error::new(ErrorKind::Git, format!("{error}; this is {PARTIAL}"))
            }
            _ => error,
        }
    }

    /// Whether the repository was made to hold all of its history.
    pub fn completeness(&self) -> Completeness {
        let partial = self.object_dirs().is_ok_and(|dirs| {
            dirs.iter().any(|dir| {
                let entries = fs::read_dir(dir.join("pack"))
                    .into_iter()
                    .flatten()
                    .flatten();
                entries
                    .map(|entry| entry.path())
                    .any(|path| path.extension().is_some_and(|e| e == "promisor"))
            })
        });
        Completeness {
            shallow: self.shallow().is_ok_and(|commits| !commits.is_empty()),
            partial,
        }
    }
}

/// Says why a repository cannot be opened, in terms of what can be done about it.
fn refuse(path: &Path, error: &git2::Error) -> Error {
    // What is to be trusted is told as a command that does so from any folder.
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let (path, whole) = (path.display(), whole.display());
    let message = error.message();
    let why = if error.code() == ErrorCode::NotFound {
        "not a git repository".to_owned()
    } else if message.contains("refstorage") {
        "keeps its references in the reftable format, which keysweep cannot read yet; git can \
         change it: git refs migrate --ref-format=files"
            .to_owned()
    } else if error.code() == ErrorCode::Owner {
        format!(
            "owned by somebody else; trust it with: git config --global --add safe.directory {whole}"
        )
    } else if message.contains("objectformat") || message.contains("object format") {
        "uses SHA-256 object names, which keysweep cannot read yet".to_owned()
    } else if message.contains("extensions.partialclone") {
        // The form that git writes today; it reads both.
        format!(
            "{message}; git can say the same otherwise: git config remote.\"$(git config \
             extensions.partialClone)\".promisor true && git config --unset extensions.partialClone"
        )
    } else if message.ends_with(".gitconfig'") {
        format!(
            "{message}; git goes without it: unset HOME, or set it to a folder that can be read"
        )
    } else if message.contains("graft") {
        // It takes no comments there.
        format!(
            "{message} of info/grafts or shallow; git can make replacements of grafts: git replace \
             --convert-graft-file"
        )
    } else {
        message.to_owned()
    };
    Error::new(ErrorKind::Git, format!("{path}: {why}"))
}

//! Opens a repository and says where its objects lie.

use std::fs;
use std::path::{Path, PathBuf};

use git2::{ErrorClass, ErrorCode, RepositoryOpenFlags};

use crate::error::{Error, ErrorKind};

/// How many alternates may follow each other, as in git.
const ALTERNATES_DEPTH: usize = 5;

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

impl Repo {
    /// Opens the repository that `path` is, or lies in. Bare repositories and linked worktrees too.
    ///
    /// # Errors
    /// When there is none, or when it cannot be read; the message says what to do.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let none: [&Path; 0] = [];
        git2::Repository::open_ext(path, RepositoryOpenFlags::empty(), none)
            .map(|inner| Self { inner })
            .map_err(|error| refuse(path, &error))
    }

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
        let mut dirs = Vec::new();
        add_object_dir(
            self.common_dir().join("objects"),
            ALTERNATES_DEPTH,
            &mut dirs,
        )?;
        Ok(dirs)
    }

    /// Whether the repository holds all of its history.
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
            shallow: self.inner.is_shallow(),
            partial,
        }
    }
}

fn add_object_dir(dir: PathBuf, depth: usize, dirs: &mut Vec<PathBuf>) -> Result<(), Error> {
    let dir = dir.canonicalize().unwrap_or(dir);
    if dirs.contains(&dir) {
        return Ok(());
    }
    let list = dir.join("info/alternates");
    dirs.push(dir.clone());
    let text = match fs::read_to_string(&list) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io(&list, error)),
    };
    if depth == 0 {
        let message = format!("{}: alternates are nested too deep", list.display());
        return Err(Error::new(ErrorKind::Git, message));
    }
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        add_object_dir(dir.join(line), depth - 1, dirs)?;
    }
    Ok(())
}

/// Says why a repository cannot be opened, in terms of what can be done about it.
fn refuse(path: &Path, error: &git2::Error) -> Error {
    let path = path.display();
    let message = error.message();
    let why = if error.code() == ErrorCode::NotFound {
        "not a git repository".to_owned()
    } else if error.code() == ErrorCode::Owner {
        format!(
            "owned by somebody else; trust it with: git config --global --add safe.directory {path}"
        )
    } else if error.class() == ErrorClass::Repository && message.contains("objectformat") {
        "uses SHA-256 object names, which keysweep cannot read yet".to_owned()
    } else {
        message.to_owned()
    };
    Error::new(ErrorKind::Git, format!("{path}: {why}"))
}

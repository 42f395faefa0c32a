//! The hook that was there before ours: kept so that it works as before, and put back.
//!
//! Hooks go by their own name, and read what lies beside and above them. So the earlier one keeps
//! its name and moves to a folder beside that of the hooks, where links stand for everything else
//! that the folder of hooks has.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::install::{self, Kind};
use super::ownership;
use crate::error::Error;

/// The folder with the hooks that were there before has the name of the folder of hooks and this.
/// Older versions named the hook itself so, beside ours.
pub(super) const BEFORE: &str = ".before-keysweep";

/// Where the hook that was there before ours is kept.
pub(super) struct Earlier {
    /// The folder of hooks, whose name is not that of a link.
    hooks: PathBuf,
    folder: PathBuf,
    name: OsString,
}

impl Earlier {
    /// That of the hook in `file`, whose folder is there.
    pub fn of(file: &Path) -> Result<Self, Error> {
        let hooks = file.parent().unwrap_or(Path::new("."));
        let hooks = hooks
            .canonicalize()
            .map_err(|error| Error::io(hooks, error))?;
        Ok(Self {
            folder: with_ending(&hooks),
            name: file.file_name().unwrap_or_default().into(),
            hooks,
        })
    }

    /// Whether git would have run it.
    pub fn runs(&self) -> bool {
        [self.kept(), self.in_old_place()]
            .iter()
            .any(|kept| install::is_executable(kept))
    }

    /// Keeps the hook that is there, which stays until ours is put over it: at every moment one of the
    /// two judges.
    pub fn keep(&self) -> Result<(), Error> {
        let old = self.in_old_place();
        if is_there(&old) {
            return Err(in_the_way(&old));
        }
        self.take(&self.hooks.join(&self.name))
    }

    /// Keeps a hook that an older version kept beside ours, and links what came to the folder of hooks
    /// since one was kept.
    pub fn adopt(&self) -> Result<(), Error> {
        let old = self.in_old_place();
        if is_there(&old) {
            return self.take(&old);
        }
        match is_there(&self.kept()) {
            true => self.prepare(),
            false => Ok(()),
        }
    }

    /// Removes what an older version kept beside ours, once a script stands that runs what was adopted.
    pub fn leave_old_place(&self) -> Result<(), Error> {
        let old = self.in_old_place();
        match is_there(&old) {
            true => fs::remove_file(&old).map_err(|error| Error::io(&old, error)),
            false => Ok(()),
        }
    }

    /// Puts what was there in the place of ours.
    pub fn restore(&self) -> Result<(), Error> {
        let file = self.hooks.join(&self.name);
        let kept = [self.kept(), self.in_old_place()];
        let put_back = match kept.iter().find(|kept| is_there(kept)) {
            Some(kept) => fs::rename(kept, &file),
            None => fs::remove_file(&file),
        };
        put_back.map_err(|error| Error::io(&file, error))?;
        self.tidy().map_err(|error| Error::io(&self.folder, error))
    }

    /// Where it is kept.
    pub fn kept(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    fn in_old_place(&self) -> PathBuf {
        with_ending(&self.hooks.join(&self.name))
    }

    fn take(&self, hook: &Path) -> Result<(), Error> {
        let kept = self.kept();
        // Some managers write their hooks anew over ours: the same one may be kept already.
        let is_kept = is_there(&kept);
        if is_kept && !is_same(hook, &kept) {
            return Err(in_the_way(&kept));
        }
        self.prepare()?;
        if is_kept {
            return Ok(());
        }
        double(hook, &kept).map_err(|error| Error::io(&kept, error))
    }

    /// Makes the folder as it has to be: open to all who run hooks, whoever installs ours.
    fn prepare(&self) -> Result<(), Error> {
        let made = || {
            fs::create_dir_all(&self.folder)?;
            ownership::share(&self.folder, &self.hooks)?;
            // The folder of hooks may lie in the working tree.
            let ignore = self.folder.join(".gitignore");
            if !is_there(&ignore) {
                fs::write(ignore, "*\n")?;
            }
            self.link()
        };
        made().map_err(|error| Error::io(&self.folder, error))
    }

    /// Links what lies beside the hooks. Hooks of kinds that we install are not linked: what has
    /// their name here is an earlier one.
    fn link(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.hooks)? {
            let name = entry?.file_name();
            let link = self.folder.join(&name);
            let is_draft = name
                .as_encoded_bytes()
                .starts_with(install::DRAFT.as_bytes());
            let is_hook = Kind::ALL.iter().any(|kind| name == kind.name());
            if !is_hook && !is_draft && !is_there(&link) {
                stand_in(&self.hooks, &name, &link)?;
            }
        }
        Ok(())
    }

    /// Removes the folder when no hook is kept in it any more. Files that hooks made there stay.
    fn tidy(&self) -> io::Result<()> {
        let kept = |kind: &Kind| is_there(&self.folder.join(kind.name()));
        if !self.folder.is_dir() || Kind::ALL.iter().any(kept) {
            return Ok(());
        }
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if entry.file_type()?.is_symlink()
                || name == ".gitignore"
                || is_same(&entry.path(), &self.hooks.join(&name))
            {
                fs::remove_file(entry.path())?;
            }
        }
        // What is left is somebody's.
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }
}

fn with_ending(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(BEFORE);
    name.into()
}

/// Whether something has this name, be it a link that leads nowhere.
pub(super) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn is_same(one: &Path, other: &Path) -> bool {
    let texts = (fs::read(one), fs::read(other));
    matches!(texts, (Ok(one), Ok(other)) if one == other)
}

pub(super) fn in_the_way(path: &Path) -> Error {
    Error::usage(format!("{}: is in the way", path.display()))
}

/// Gives a hook a second name. Where one file cannot have two, as some file systems and kernels want,
/// it is copied.
fn double(hook: &Path, kept: &Path) -> io::Result<()> {
    if fs::hard_link(hook, kept).is_ok() {
        return Ok(());
    }
    #[cfg(unix)]
    if hook.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(hook)?, kept);
    }
    fs::copy(hook, kept)?;
    ownership::share_file(&fs::File::open(kept)?, &fs::metadata(hook)?)
}

#[cfg(unix)]
fn stand_in(hooks: &Path, name: &std::ffi::OsStr, link: &Path) -> io::Result<()> {
    let folder = hooks.file_name().unwrap_or_default();
    std::os::unix::fs::symlink(Path::new("..").join(folder).join(name), link)
}

/// Links need a privilege there, so files are copied.
#[cfg(not(unix))]
fn stand_in(hooks: &Path, name: &std::ffi::OsStr, link: &Path) -> io::Result<()> {
    let original = hooks.join(name);
    if original.is_file() {
        fs::copy(original, link)?;
    }
    Ok(())
}

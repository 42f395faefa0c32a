//! Writes files so that at any moment each is either old or new.
//!
//! The new text goes to a temporary file beside, is synced, gets the old one's mode, and is renamed
//! over it. A temporary file of a run that was killed is known by its name and taken away by the
//! next run that writes beside it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, ErrorKind};

const INFIX: &str = ".keysweep-";
const SUFFIX: &str = ".tmp";
/// Where a process cannot be asked after, a temporary file this old is nobody's.
const STALE: Duration = Duration::from_secs(3600);

/// Replaces the content of a file that still holds `before`.
///
/// # Errors
/// When the file is a link, lies outside `root` behind one, has changed, or cannot be written. It
/// then holds what it held.
pub fn replace(root: &Path, path: &Path, before: &[u8], after: &[u8]) -> Result<(), Error> {
    let folder = own_folder(root, path)?;
    let metadata = fs::symlink_metadata(path).map_err(|e| Error::io(path, e))?;
    if !metadata.is_file() {
        return Err(refuse(path, "is a link or no regular file; not written to"));
    }
    clean(&folder, path);
    let temporary = temporary(&folder, path);
    let written = (|| -> io::Result<bool> {
        write_new(&temporary, after, Some(metadata.permissions()))?;
        if fs::read(path)? != before {
            return Ok(false);
        }
        fs::rename(&temporary, path)?;
        sync_folder(&folder)?;
        Ok(true)
    })();
    match written {
        Ok(true) => Ok(()),
        Ok(false) => {
            let _ = fs::remove_file(&temporary);
            Err(refuse(
                path,
                "has changed while it was read; not written to",
            ))
        }
        Err(error) => {
            let _ = fs::remove_file(&temporary);
            Err(Error::io(path, error))
        }
    }
}

/// Makes a file that does not exist, whole or not at all.
///
/// # Errors
/// When it exists with another content or cannot be written.
pub fn create(root: &Path, path: &Path, text: &str) -> Result<(), Error> {
    let folder = own_folder(root, path)?;
    clean(&folder, path);
    let temporary = temporary(&folder, path);
    let written = write_new(&temporary, text.as_bytes(), None)
        .and_then(|()| give_name(&temporary, path))
        .and_then(|()| sync_folder(&folder));
    let _ = fs::remove_file(&temporary);
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let held = fs::read(path).map_err(|e| Error::io(path, e))?;
            if held == text.as_bytes() {
                Ok(())
            } else {
                Err(refuse(path, "exists already with another content"))
            }
        }
        written => written.map_err(|e| Error::io(path, e)),
    }
}

/// Unlike a rename, a link does not replace what somebody else has made meanwhile; not every file
/// system has them.
fn give_name(temporary: &Path, path: &Path) -> io::Result<()> {
    fs::hard_link(temporary, path).or_else(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists || fs::symlink_metadata(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(temporary, path)
    })
}

fn write_new(path: &Path, bytes: &[u8], permissions: Option<fs::Permissions>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    file.sync_all()
}

fn refuse(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("{}: {why}", path.display()))
}

/// The real folder of a path, which must be in the real root.
fn own_folder(root: &Path, path: &Path) -> Result<PathBuf, Error> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    let folder = fs::canonicalize(folder).map_err(|e| Error::io(folder, e))?;
    let root = fs::canonicalize(root).map_err(|e| Error::io(root, e))?;
    if folder.starts_with(&root) {
        Ok(folder)
    } else {
        Err(refuse(
            path,
            "lies behind a link that leads out; not written to",
        ))
    }
}

fn temporary(folder: &Path, path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    folder.join(format!(".{name}{INFIX}{}{SUFFIX}", std::process::id()))
}

/// Takes away temporary files of runs that are no more.
fn clean(folder: &Path, path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}{INFIX}");
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let id = name
            .strip_prefix(&prefix)
            .and_then(|rest| rest.strip_suffix(SUFFIX));
        if id.is_some_and(|id| is_stale(&entry.path(), id)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_stale(path: &Path, id: &str) -> bool {
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    if Path::new("/proc/self").exists() {
        return id == std::process::id().to_string() || !Path::new("/proc").join(id).exists();
    }
    let age = fs::metadata(path)
        .and_then(|m| m.modified())
        .map(|at| at.elapsed());
    matches!(age, Ok(Ok(age)) if age > STALE)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    let _: Option<File> = None;
    Ok(())
}

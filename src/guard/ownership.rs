//! What is made for others to use belongs to those for whom the folder around it is, and not to whoever
//! made it: a server's hooks are installed by root, say, and run by another user.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::error::Error;

/// Makes a folder and those above it that are missing, each for whom the one above is.
///
/// # Errors
/// When that cannot be done.
pub(super) fn make_folder(folder: &Path) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = above(folder);
    make_folder(above)?;
    fs::create_dir(folder)
        .and_then(|()| share(folder, above))
        .map_err(|error| Error::io(folder, error))
}

fn above(file: &Path) -> &Path {
    let above = file.parent().filter(|above| *above != Path::new(""));
    above.unwrap_or(Path::new("."))
}

/// Lets those into a folder who get into the other one. What anybody may write to does not spread.
#[cfg(unix)]
pub(super) fn share(folder: &Path, other: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let other = fs::metadata(other)?;
    let held = File::open(folder)?;
    let [is, named] = [held.metadata()?, fs::symlink_metadata(folder)?];
    // Whoever may write around it could have put a link there, and be given what it leads to.
    if (is.dev(), is.ino()) != (named.dev(), named.ino()) {
        return Err(io::Error::other("is a link"));
    }
    give_away(&held, &other);
    let mode = other.mode() & 0o2775;
    if held.metadata()?.mode() & 0o7777 == mode {
        return Ok(());
    }
    held.set_permissions(fs::Permissions::from_mode(mode))
}

/// Lets those read, write and run a file who may the other one.
#[cfg(unix)]
pub(super) fn share_file(file: &File, other: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    give_away(file, other);
    file.set_permissions(fs::Permissions::from_mode(other.mode() & 0o777))
}

/// Gives a log that root made, and that has this name, to the owner of its folder, who writes to it
/// from then on.
#[cfg(unix)]
pub(super) fn share_log(log: &File, name: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let made = log.metadata()?;
    if made.uid() != 0 {
        return Ok(());
    }
    let folder = fs::metadata(above(name))?;
    give_away(log, &folder);
    log.set_permissions(fs::Permissions::from_mode(
        made.mode() | folder.mode() & 0o020,
    ))
}

/// Only root can give all away; others at most to a group of their own.
#[cfg(unix)]
fn give_away(file: &File, to: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let _ = fchown(file, Some(to.uid()), Some(to.gid()))
        .or_else(|_| fchown(file, None, Some(to.gid())));
}

/// Whether the owner of `folder`, with no group but its own, can run the file. Only root can try that;
/// to others it seems so.
#[cfg(unix)]
pub(super) fn owner_can_run(file: &Path, folder: &Path) -> io::Result<bool> {
    use std::os::unix::{fs::MetadataExt, process::CommandExt};
    let owner = fs::metadata(folder)?;
    let tried = std::process::Command::new("/bin/sh")
        .args(["-c", "[ -x \"$1\" ]", "sh"])
        .arg(std::path::absolute(file)?)
        .current_dir("/")
        .uid(owner.uid())
        .gid(owner.gid())
        .status();
    Ok(!tried.is_ok_and(|status| !status.success()))
}

#[cfg(not(unix))]
pub(super) fn share(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn share_file(_: &File, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn share_log(_: &File, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn owner_can_run(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(true)
}

//! Object folders, and those that they borrow from.

use std::fs;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use super::quoted;
use crate::error::{Error, ErrorKind};

/// How many lists of alternates may follow each other, as in git.
const DEPTH: usize = 6;

/// Object folders, each once and before those that it borrows from.
///
/// # Errors
/// When a list of alternates cannot be read.
pub fn with(dirs: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut all = Vec::new();
    for dir in dirs {
        add(dir, DEPTH, &mut all)?;
    }
    Ok(all)
}

fn add(dir: &Path, depth: usize, dirs: &mut Vec<PathBuf>) -> Result<(), Error> {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
    if dirs.contains(&dir) {
        return Ok(());
    }
    let list = dir.join("info/alternates");
    dirs.push(dir.clone());
    let text = match fs::read(&list) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io(&list, error)),
    };
    if depth == 0 {
        let message = format!("{}: alternates are nested too deep", list.display());
        return Err(Error::new(ErrorKind::Git, message));
    }
    let lines = text.lines().map(ByteSlice::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with(b"#")) {
        // What is not quoted as git does it is taken as it stands.
        let inner = line.strip_prefix(b"\"").and_then(quoted::read);
        let whole = inner.filter(|(_, rest)| rest.is_empty());
        let other = whole.map_or_else(|| line.to_vec(), |(path, _)| path);
        add(&dir.join(quoted::path(other)), depth - 1, dirs)?;
    }
    Ok(())
}

//! The file at a path of a tree as whoever checks it out reads it: links are followed, but not out of it.

use super::Kind;
use super::changes;
use super::reader::Reader;
use crate::error::{Error, ErrorKind};
use crate::unit::{ObjectId, path_text};

/// So many links are followed for one path, as by Linux.
const MOST_LINKS: usize = 40;

/// The file at a path; `None` where there is none.
///
/// # Errors
/// When something on the way cannot be read, or a link leads out of the tree or around in it.
pub fn file(reader: &Reader, tree: ObjectId, path: &str) -> Result<Option<ObjectId>, Error> {
    let refused = || {
        let message =
            format!("{path}: a link on the way leads out of the repository, or around in it");
        Err(Error::new(ErrorKind::Git, message))
    };
    // The folders on the way, and what is left of it, the next part last.
    let (mut above, mut at) = (Vec::new(), tree);
    let mut open: Vec<String> = parts(path).collect();
    let mut links = 0;
    while let Some(part) = open.pop() {
        if part == ".." {
            match above.pop() {
                Some(folder) => at = folder,
                None => return refused(),
            }
            continue;
        }
        match entry(reader, at, &part)? {
            Some((Kind::Tree, _, id)) => above.push(std::mem::replace(&mut at, id)),
            Some((Kind::Blob, true, id)) => {
                let link = reader.read(id)?;
                let target = path_text(link.bytes());
                links += 1;
                if links > MOST_LINKS || target.starts_with('/') {
                    return refused();
                }
                open.extend(parts(&target));
            }
            Some((Kind::Blob, false, id)) => return Ok(open.is_empty().then_some(id)),
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// The parts of a path, the last one first.
fn parts(path: &str) -> impl Iterator<Item = String> {
    let parts = path.split('/').rev();
    parts
        .filter(|part| !matches!(*part, "" | "."))
        .map(str::to_owned)
}

/// What a folder has under a name, and whether that is a link.
fn entry(
    reader: &Reader,
    folder: ObjectId,
    name: &str,
) -> Result<Option<(Kind, bool, ObjectId)>, Error> {
    let tree = changes::read_tree(reader, folder)?;
    for entry in changes::entries(folder, &tree) {
        let entry = entry?;
        if path_text(entry.name) == name {
            return Ok(Some((entry.kind(), entry.is_link, entry.id)));
        }
    }
    Ok(None)
}

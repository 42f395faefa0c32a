//! The names of all objects that one object folder holds itself, packed and loose.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::unit::ObjectId;

/// Lists a folder's own objects; those that it borrows from alternates are not among them.
///
/// # Errors
/// When the folder or a pack's index cannot be read.
pub fn objects_of(dir: &Path) -> Result<Vec<ObjectId>, Error> {
    let mut ids = loose(dir)?;
    let packs = dir.join("pack");
    for name in names(&packs)? {
        if name.ends_with(".pack") {
            let index = packs.join(&name).with_extension("idx");
            let bytes = fs::read(&index).map_err(|error| Error::io(&index, error))?;
            let read = packed(&bytes, &mut ids);
            read.ok_or_else(|| {
                let message = format!("{}: not an index of a pack", index.display());
                Error::new(ErrorKind::Git, message)
            })?;
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

fn loose(dir: &Path) -> Result<Vec<ObjectId>, Error> {
    let mut ids = Vec::new();
    for folder in names(dir)? {
        let is_hex = folder.len() == 2 && folder.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hex {
            let files = names(&dir.join(&folder))?;
            // What git is still writing has a name of another form.
            let files = files.iter().map(|file| format!("{folder}{file}"));
            ids.extend(files.filter_map(|hex| ObjectId::from_hex(&hex)));
        }
    }
    Ok(ids)
}

fn names(dir: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(dir, error)),
    };
    let name = |entry: io::Result<fs::DirEntry>| {
        let name = entry.map_err(|error| Error::io(dir, error))?.file_name();
        Ok(name.to_string_lossy().into_owned())
    };
    entries.map(name).collect()
}

/// Reads the names from a pack's index, version 1 or 2; `None` when it is neither.
fn packed(index: &[u8], ids: &mut Vec<ObjectId>) -> Option<()> {
    const FANOUT: usize = 256 * 4;
    let second = index.strip_prefix(b"\xfftOc\x00\x00\x00\x02");
    // Version 1 has no header, and a 4-byte offset before each name.
    let (table, before) = second.map_or((index, 4), |rest| (rest, 0));
    let last = table.get(FANOUT - 4..FANOUT)?.first_chunk::<4>()?;
    let count = u32::from_be_bytes(*last) as usize;
    let width = before + 20;
    let entries = table.get(FANOUT..)?.get(..count.checked_mul(width)?)?;
    let names = entries.chunks_exact(width);
    ids.extend(names.filter_map(|entry| entry[before..].first_chunk().map(|id| ObjectId(*id))));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(second: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        if second {
            bytes.extend(b"\xfftOc\x00\x00\x00\x02");
        }
        for first in 0..256_u32 {
            let count: u32 = if first < 5 { 0 } else { 2 };
            bytes.extend(count.to_be_bytes());
        }
        for fill in [5, 5] {
            if !second {
                bytes.extend([0; 4]);
            }
            bytes.extend([fill; 20]);
        }
        bytes
    }

    #[test]
    fn both_versions_of_an_index_are_read() {
        for second in [false, true] {
            let mut ids = Vec::new();
            let bytes = index(second);
            assert_eq!(packed(&bytes, &mut ids), Some(()));
            assert_eq!(ids, [ObjectId([5; 20]), ObjectId([5; 20])]);
            for cut in [0, 7, 500, bytes.len() - 1] {
                assert_eq!(packed(&bytes[..cut], &mut ids), None, "{cut}");
            }
        }
    }
}

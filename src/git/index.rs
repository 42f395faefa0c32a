//! The index, as git wrote it: in any version, whole or split in two files, with all files or with
//! folders in the place of those outside of a sparse checkout.

use std::path::Path;
use std::{fs, io};

use super::cursor::{Cursor, Cut};
use super::ewah;
use crate::error::{Error, ErrorKind};
use crate::unit::ObjectId;

/// In the place of a hash.
const NONE: [u8; 20] = [0; 20];
const BROKEN: &str = "is damaged";

/// What the index holds for a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: Vec<u8>,
    pub mode: u32,
    pub id: ObjectId,
    /// Named by `git add --intent-to-add`: no content is staged.
    pub is_intended: bool,
    /// What stood there before the two sides of a conflict, neither of which has it.
    pub is_ancestor: bool,
}

/// The entries of one file, and what they are to be put upon.
struct Part {
    entries: Vec<Entry>,
    link: Option<Link>,
}

/// The other file of a split index: its hash, and which of its entries are gone or have changed.
struct Link {
    base: [u8; 20],
    bitmaps: Vec<u8>,
}

impl Entry {
    /// A folder that stands for its files, which are outside of the sparse checkout.
    pub fn is_folder(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    /// A commit of a submodule.
    pub fn is_commit(&self) -> bool {
        self.mode & 0o170_000 == 0o160_000
    }
}

/// Reads all entries of an index of the repository at `git_dir`; one that is not there has none.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn read(file: &Path, git_dir: &Path) -> Result<Vec<Entry>, Error> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(file, error)),
    };
    let part = parse(&bytes).map_err(|why| not_valid(file, why))?;
    let Some(link) = part.link else {
        return Ok(part.entries);
    };
    let base = match link.base == NONE {
        true => Vec::new(),
        false => shared(&git_dir.join(format!("sharedindex.{}", ObjectId(link.base))))?,
    };
    merge(base, part.entries, &link).map_err(|Cut| not_valid(file, BROKEN))
}

/// The entries of the file that a split index shares with others.
fn shared(file: &Path) -> Result<Vec<Entry>, Error> {
    let bytes = fs::read(file).map_err(|error| Error::io(file, error))?;
    let part = parse(&bytes).map_err(|why| not_valid(file, why))?;
    Ok(part.entries)
}

fn not_valid(file: &Path, why: &str) -> Error {
    Error::new(
        ErrorKind::Git,
        format!("{}: the index {why}", file.display()),
    )
}

fn parse(bytes: &[u8]) -> Result<Part, &'static str> {
    let (content, sum) = bytes.split_last_chunk::<20>().ok_or(BROKEN)?;
    let mut input = Cursor::new(content);
    if input.take(4) != Ok(b"DIRC") {
        return Err("is not one of git's");
    }
    // With `index.skipHash` there is none.
    if *sum != NONE && hash(content) != Some(*sum) {
        return Err(BROKEN);
    }
    let version = input.u32().map_err(|Cut| BROKEN)?;
    if !(2..=4).contains(&version) {
        return Err("has a version that is not known");
    }
    let entries = entries(&mut input, version).map_err(|Cut| BROKEN)?;
    let mut link = None;
    while !input.is_empty() {
        let (name, content) = extension(&mut input).map_err(|Cut| BROKEN)?;
        match name {
            b"link" => link = Some(Link::parse(content).map_err(|Cut| BROKEN)?),
            // That there are folders among the entries.
            b"sdir" => {}
            // Those that begin so can be done without.
            [b'A'..=b'Z', ..] => {}
            _ => return Err("has an extension that is not known"),
        }
    }
    Ok(Part { entries, link })
}

fn hash(content: &[u8]) -> Option<[u8; 20]> {
    let mut hasher = gix_hash::hasher(gix_hash::Kind::Sha1);
    hasher.update(content);
    let hash = hasher.try_finalize().ok()?;
    hash.as_slice().try_into().ok()
}

fn entries(input: &mut Cursor<'_>, version: u32) -> Result<Vec<Entry>, Cut> {
    let count = input.u32()?;
    let mut entries: Vec<Entry> = Vec::new();
    for _ in 0..count {
        let before = entries.last().map_or(&[][..], |entry| &entry.path);
        entries.push(entry(input, version, before)?);
    }
    Ok(entries)
}

fn entry(input: &mut Cursor<'_>, version: u32, before: &[u8]) -> Result<Entry, Cut> {
    const EXTENDED: u16 = 0x4000;
    const INTENDED: u16 = 0x2000;
    const STAGE: u16 = 0x3000;
    const FIRST_STAGE: u16 = 0x1000;
    // Times, device and inode; then owner and size.
    input.take(24)?;
    let mode = input.u32()?;
    input.take(12)?;
    let id = ObjectId(input.hash()?);
    let flags = input.u16()?;
    let is_extended = flags & EXTENDED != 0;
    let more = if is_extended { input.u16()? } else { 0 };
    let path = if version == 4 {
        let kept = before.len().checked_sub(number(input)?).ok_or(Cut)?;
        [&before[..kept], input.text()?].concat()
    } else {
        let path = input.text()?.to_vec();
        // Up to the next multiple of eight, the zero after the path among it.
        let len = if is_extended { 64 } else { 62 } + path.len() + 1;
        input.take(len.next_multiple_of(8) - len)?;
        path
    };
    Ok(Entry {
        path,
        mode,
        id,
        is_intended: more & INTENDED != 0,
        is_ancestor: flags & STAGE == FIRST_STAGE,
    })
}

/// A number in bytes of seven bits, each but the last with one more than it says.
fn number(input: &mut Cursor<'_>) -> Result<usize, Cut> {
    let mut byte = input.u8()?;
    let mut number = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = input.u8()?;
        let above = number.checked_add(1).and_then(|n| n.checked_mul(0x80));
        number = above.ok_or(Cut)? | usize::from(byte & 0x7f);
    }
    Ok(number)
}

fn extension<'b>(input: &mut Cursor<'b>) -> Result<(&'b [u8], &'b [u8]), Cut> {
    let name = input.take(4)?;
    let len = input.u32()?;
    Ok((name, input.take(len as usize)?))
}

impl Link {
    fn parse(content: &[u8]) -> Result<Self, Cut> {
        let (base, bitmaps) = content.split_first_chunk().ok_or(Cut)?;
        Ok(Self {
            base: *base,
            bitmaps: bitmaps.to_vec(),
        })
    }
}

/// Puts the entries of a split index upon those of its base: first, without paths, those that
/// replace one, then those that are new.
fn merge(base: Vec<Entry>, own: Vec<Entry>, link: &Link) -> Result<Vec<Entry>, Cut> {
    let mut merged: Vec<Option<Entry>> = base.into_iter().map(Some).collect();
    let mut own = own.into_iter();
    if !link.bitmaps.is_empty() {
        let mut input = Cursor::new(&link.bitmaps);
        let deleted = ewah::read(&mut input, merged.len())?;
        let replaced = ewah::read(&mut input, merged.len())?;
        for at in replaced {
            let old = merged[at].take().ok_or(Cut)?;
            let new = own.next().ok_or(Cut)?;
            merged[at] = Some(Entry {
                path: old.path,
                ..new
            });
        }
        for at in deleted {
            merged[at] = None;
        }
    }
    let own: Vec<Entry> = own.collect();
    if own.iter().any(|entry| entry.path.is_empty()) {
        return Err(Cut);
    }
    Ok(merged.into_iter().flatten().chain(own).collect())
}

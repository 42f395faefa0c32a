//! Objects in files of their own.
//!
//! libgit2 reads them too, but of one that is cut off it asks for more for ever.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use git2::{ObjectType, Oid};
use libdeflater::Decompressor;
use zlib_rs::{Inflate, InflateFlush};

use super::Kind;
use super::pack::MOST_GROWTH;
use crate::unit::ObjectId;

/// The longest header: a kind, a size, a zero byte.
const HEADER: usize = 32;

/// What the file of an object holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loose {
    pub kind: Kind,
    pub bytes: Vec<u8>,
    /// Whether more stands behind the end of the object. git does not read one like that.
    pub is_followed: bool,
}

/// Reads an object from the first of some object folders that has it in a file of its own. `None` when none
/// has.
pub fn read(dirs: &[PathBuf], id: ObjectId) -> Option<Result<Loose, String>> {
    let packed = file(dirs, id)?;
    let unpack = |packed: Vec<u8>| unpack(&packed, id).map_err(str::to_owned);
    Some(packed.and_then(unpack))
}

/// The kind of an object in a file of its own; `None` when there is none, or when it does not begin as one.
pub fn kind(dirs: &[PathBuf], id: ObjectId) -> Option<Kind> {
    let packed = file(dirs, id)?.ok()?;
    Header::read(&packed).map(|header| header.kind)
}

/// The bytes of an object's file.
fn file(dirs: &[PathBuf], id: ObjectId) -> Option<Result<Vec<u8>, String>> {
    let hex = id.to_string();
    let (folder, name) = hex.split_at(2);
    let files = dirs.iter().map(|dir| dir.join(folder).join(name));
    let mut found = files.map(fs::read).filter(|read| {
        let error = read.as_ref().err().map(std::io::Error::kind);
        !matches!(error, Some(ErrorKind::NotFound | ErrorKind::NotADirectory))
    });
    found
        .next()
        .map(|read| read.map_err(|error| error.to_string()))
}

/// What an object's file begins with.
struct Header {
    kind: Kind,
    size: u64,
    /// How many bytes that are.
    len: usize,
}

impl Header {
    fn read(packed: &[u8]) -> Option<Self> {
        let mut head = [0; HEADER];
        let mut inflate = Inflate::new(true, super::pack::WINDOW_BITS);
        // What follows may be broken; that is told later.
        let _ = inflate.decompress(packed, &mut head, InflateFlush::NoFlush);
        let head = &head[..(inflate.total_out() as usize).min(HEADER)];
        let end = memchr::memchr(0, head)?;
        let (word, size) = std::str::from_utf8(&head[..end]).ok()?.split_once(' ')?;
        Some(Self {
            kind: ObjectType::from_str(word).and_then(Kind::of)?,
            size: size.parse().ok()?,
            len: end + 1,
        })
    }
}

fn unpack(packed: &[u8], id: ObjectId) -> Result<Loose, &'static str> {
    let Header { kind, size, len } = Header::read(packed).ok_or("its header is broken")?;
    let most = (packed.len() as u64).saturating_mul(MOST_GROWTH);
    if size > most {
        return Err("its size is wrong");
    }
    let mut bytes = vec![0; len + size as usize];
    let inflated = Decompressor::new().zlib_decompress(packed, &mut bytes);
    if inflated != Ok(bytes.len()) {
        return Err("its data is broken");
    }
    // What was packed ends with the sum of what it unpacks to.
    let is_followed = !packed.ends_with(&libdeflater::adler32(&bytes).to_be_bytes());
    bytes.drain(..len);
    let told = Oid::hash_object(kind.into(), &bytes);
    if told.map(ObjectId::from) != Ok(id) {
        return Err("its bytes are not those that it is named by");
    }
    Ok(Loose {
        kind,
        bytes,
        is_followed,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    /// Files an object in a folder, and gives its name and the file.
    fn filed(dir: &Path, bytes: &[u8]) -> (ObjectId, PathBuf) {
        let repo = git2::Repository::init_bare(dir).expect("a repository");
        let id = ObjectId::from(repo.blob(bytes).expect("an object"));
        let hex = id.to_string();
        (id, dir.join("objects").join(&hex[..2]).join(&hex[2..]))
    }

    #[test]
    fn an_object_under_the_name_of_another_is_broken() {
        let dir = tempfile::tempdir().expect("a folder");
        let (id, file) = filed(dir.path(), b"one");
        let (_, other) = filed(dir.path(), b"other");
        fs::remove_file(&file).expect("a file");
        fs::copy(other, file).expect("a copy");
        let read = read(&[dir.path().join("objects")], id).expect("is there");
        assert!(read.is_err_and(|why| why.contains("not those")));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_file_is_read_or_told_to_be_broken(
            bytes in prop::collection::vec(any::<u8>(), 0..3000),
            cut in any::<prop::sample::Index>(),
            noise in any::<u8>(),
        ) {
            let dir = tempfile::tempdir().expect("a folder");
            let (id, file) = filed(dir.path(), &bytes);
            let dirs = [dir.path().join("none"), dir.path().join("objects")];
            let loose = Loose { kind: Kind::Blob, bytes, is_followed: false };
            prop_assert_eq!(read(&dirs, id), Some(Ok(loose.clone())));
            prop_assert_eq!(kind(&dirs, id), Some(Kind::Blob));
            prop_assert_eq!(read(&dirs, ObjectId([7; 20])), None);
            let whole = fs::read(&file).expect("a file");
            let at = cut.index(whole.len());
            fs::remove_file(&file).expect("a file");
            fs::write(&file, &whole[..at]).expect("a file");
            prop_assert!(read(&dirs, id).is_some_and(|read| read.is_err()));
            let mut other = fs::File::create(&file).expect("a file");
            let mut changed = whole.clone();
            changed[at] ^= noise | 1;
            other.write_all(&changed).expect("a file");
            let read = read(&dirs, id).expect("is there");
            prop_assert!(read.is_err() || read.as_ref() == Ok(&loose));
            fs::write(&file, [&whole[..], &[noise]].concat()).expect("a file");
            let followed = Loose { is_followed: true, ..loose };
            prop_assert_eq!(super::read(&dirs, id), Some(Ok(followed)));
        }
    }
}

//! What the raw bytes of commits, trees and tags say.
//!
//! Pure readers of hostile bytes: a push may hold objects that no git would have written.

use smallvec::SmallVec;

use crate::unit::ObjectId;

/// The four kinds of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Blob,
    Tree,
    Commit,
    Tag,
}

/// A commit, over its raw bytes.
#[derive(Clone, Debug)]
pub struct Commit<'b> {
    pub tree: ObjectId,
    pub parents: SmallVec<[ObjectId; 2]>,
    /// All headers after the parents: author, committer, signatures, whatever else was put there.
    pub headers: &'b [u8],
    pub message: &'b [u8],
}

impl<'b> Commit<'b> {
    /// Reads a commit; `None` when it names no tree.
    pub fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (tree, mut rest) = id_line(bytes, b"tree ")?;
        let mut parents = SmallVec::new();
        while let Some((parent, after)) = id_line(rest, b"parent ") {
            parents.push(parent);
            rest = after;
        }
        let (headers, message) = split_message(rest);
        Some(Self {
            tree,
            parents,
            headers,
            message,
        })
    }

    /// `Name <address>` of the author.
    pub fn author(&self) -> String {
        let (who, _) = person(self.headers, b"author ");
        who
    }

    /// When the author says it was written, in seconds since 1970; 0 where that cannot be read.
    pub fn time(&self) -> i64 {
        let (_, time) = person(self.headers, b"author ");
        time
    }
}

/// An annotated tag, over its raw bytes.
#[derive(Clone, Debug)]
pub struct Tag<'b> {
    pub target: ObjectId,
    /// All headers after the type: the tag's name, the tagger.
    pub headers: &'b [u8],
    pub message: &'b [u8],
}

impl<'b> Tag<'b> {
    /// Reads a tag; `None` when it names no object.
    pub fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (target, rest) = id_line(bytes, b"object ")?;
        let rest = match rest.strip_prefix(b"type ") {
            Some(kind) => kind.splitn(2, |b| *b == b'\n').nth(1).unwrap_or_default(),
            None => rest,
        };
        let (headers, message) = split_message(rest);
        Some(Self {
            target,
            headers,
            message,
        })
    }

    /// `Name <address>` of the tagger, and when, in seconds since 1970.
    pub fn tagger(&self) -> (String, i64) {
        person(self.headers, b"tagger ")
    }
}

/// One entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'b> {
    pub name: &'b [u8],
    pub id: ObjectId,
    pub kind: EntryKind,
}

/// What a tree's entry is, by its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A file, or a link, whose target is content like any other.
    Blob,
    Tree,
    /// A commit of another repository.
    Submodule,
}

/// The entries of a tree; ends early, with an error, where the bytes are no tree.
pub fn entries(bytes: &[u8]) -> impl Iterator<Item = Result<Entry<'_>, Malformed>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let read = entry(rest);
        rest = read.map_or(&[], |(_, rest)| rest);
        Some(read.map(|(entry, _)| entry).ok_or(Malformed))
    })
}

/// An object's bytes are not of the form that its kind has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

fn entry(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let space = memchr::memchr(b' ', bytes)?;
    let (mode, rest) = (&bytes[..space], &bytes[space + 1..]);
    let end = memchr::memchr(0, rest)?;
    let (name, rest) = (&rest[..end], &rest[end + 1..]);
    let id = ObjectId(*rest.first_chunk::<20>()?);
    let kind = match mode {
        b"40000" | b"040000" => EntryKind::Tree,
        b"160000" => EntryKind::Submodule,
        _ => EntryKind::Blob,
    };
    Some((Entry { name, id, kind }, &rest[20..]))
}

fn id_line<'b>(bytes: &'b [u8], key: &[u8]) -> Option<(ObjectId, &'b [u8])> {
    let rest = bytes.strip_prefix(key)?;
    let hex = std::str::from_utf8(rest.get(..40)?).ok()?;
    let rest = rest[40..].strip_prefix(b"\n")?;
    Some((ObjectId::from_hex(hex)?, rest))
}

fn split_message(bytes: &[u8]) -> (&[u8], &[u8]) {
    if let Some(message) = bytes.strip_prefix(b"\n") {
        return (&[], message);
    }
    match memchr::memmem::find(bytes, b"\n\n") {
        Some(at) => (&bytes[..at + 1], &bytes[at + 2..]),
        None => (bytes, &[]),
    }
}

/// Who and when of a header such as `author Name <address> 1700000000 +0100`.
fn person(headers: &[u8], key: &[u8]) -> (String, i64) {
    let mut lines = headers.split(|b| *b == b'\n');
    let line = lines.find_map(|line| line.strip_prefix(key));
    let line = String::from_utf8_lossy(line.unwrap_or_default());
    let (who, when) = match line.rfind('>') {
        Some(at) => line.split_at(at + 1),
        None => (&*line, ""),
    };
    let time = when.split_whitespace().next().map(str::parse);
    (who.to_owned(), time.and_then(Result::ok).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    #[test]
    fn a_commit_gives_its_parts() {
        let text = format!(
            "tree {TREE}\nparent {TREE}\nparent {TREE}\nauthor A B <a@b> 17 +0100\n\
             committer C <c@d> 18 +0000\nx-more here\n\nSubject\n\nBody\n"
        );
        let commit = Commit::parse(text.as_bytes()).unwrap();
        assert_eq!(commit.parents.len(), 2);
        assert_eq!((commit.author().as_str(), commit.time()), ("A B <a@b>", 17));
        assert_eq!(commit.message, b"Subject\n\nBody\n");
        assert!(commit.headers.ends_with(b"x-more here\n"));
        assert!(Commit::parse(b"parent nobody\n").is_none());
    }

    #[test]
    fn a_tag_gives_its_parts() {
        let text = format!("object {TREE}\ntype tree\ntag v1\ntagger T <t@t> 5 +0000\n\nnotes\n");
        let tag = Tag::parse(text.as_bytes()).unwrap();
        assert_eq!(tag.target.to_string(), TREE);
        assert_eq!(tag.headers, b"tag v1\ntagger T <t@t> 5 +0000\n");
        assert_eq!(tag.tagger(), ("T <t@t>".to_owned(), 5));
        assert_eq!(tag.message, b"notes\n");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_hostile(
            start in proptest::sample::select(vec!["", "tree ", "object ", "100644 a\0"]),
            rest: Vec<u8>,
        ) {
            let bytes = [start.as_bytes(), &rest].concat();
            if let Some(commit) = Commit::parse(&bytes) {
                proptest::prop_assert!(commit.message.len() < bytes.len());
            }
            let _ = Tag::parse(&bytes).map(|tag| tag.tagger());
            let names: usize = entries(&bytes).flatten().map(|entry| entry.name.len()).sum();
            proptest::prop_assert!(names <= bytes.len());
        }
    }

    #[test]
    fn a_tree_cut_short_says_so() {
        let mut bytes = b"100644 a b\0".to_vec();
        bytes.extend([7; 20]);
        bytes.extend(b"40000 dir\0");
        bytes.extend([9; 20]);
        let read: Vec<_> = entries(&bytes).map(Result::unwrap).collect();
        assert_eq!(read[0].name, b"a b");
        assert_eq!(
            (read[0].kind, read[1].kind),
            (EntryKind::Blob, EntryKind::Tree)
        );
        let cut: Vec<_> = entries(&bytes[..bytes.len() - 1]).collect();
        assert_eq!(cut.last(), Some(&Err(Malformed)));
    }
}

//! Reads the bytes of commits, tags and trees without asking for more than is needed.

use smallvec::SmallVec;

use crate::unit::ObjectId;

/// What a commit says of itself, without its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub tree: ObjectId,
    pub parents: SmallVec<[ObjectId; 2]>,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
}

impl Commit {
    /// Reads a commit; `None` when it is not one.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = bytes.split(|&b| b == b'\n');
        let tree = id_after(lines.next()?, b"tree ")?;
        let mut commit = Self {
            tree,
            parents: SmallVec::new(),
            time: 0,
        };
        for line in lines.take_while(|line| !line.is_empty()) {
            if let Some(parent) = id_after(line, b"parent ") {
                commit.parents.push(parent);
            } else if let Some(rest) = line.strip_prefix(b"committer ") {
                commit.time = signed_at(rest);
            }
        }
        Some(commit)
    }
}

fn id_after(line: &[u8], word: &[u8]) -> Option<ObjectId> {
    let hex = std::str::from_utf8(line.strip_prefix(word)?).ok()?;
    ObjectId::from_hex(hex)
}

/// The time at the end of `Name <address> 1700000000 +0100`.
fn signed_at(line: &[u8]) -> i64 {
    let mut words = line.rsplit(|&b| b == b' ');
    words.next();
    let digits = words.next().and_then(|word| std::str::from_utf8(word).ok());
    digits.and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// The `Name <address>` of a commit's author or a tag's tagger.
pub fn author(bytes: &[u8]) -> String {
    let head = bytes
        .split(|&b| b == b'\n')
        .take_while(|line| !line.is_empty());
    let line = head
        .filter_map(|line| {
            let author = line.strip_prefix(b"author ");
            author.or_else(|| line.strip_prefix(b"tagger "))
        })
        .next()
        .unwrap_or_default();
    let end = memchr::memrchr(b'>', line).map_or(line.len(), |at| at + 1);
    String::from_utf8_lossy(&line[..end]).into_owned()
}

/// The words of a commit or tag: its message first, so that lines count from there, then its
/// headers but for those that only name objects.
pub fn words(bytes: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let split = memchr::memmem::find(bytes, b"\n\n");
    let (head, message) = match split {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &b""[..]),
    };
    out.extend_from_slice(message);
    if !message.ends_with(b"\n") {
        out.push(b'\n');
    }
    for line in head.split(|&b| b == b'\n') {
        let names_object = [&b"tree "[..], b"parent ", b"object ", b"type "];
        if !names_object.iter().any(|word| line.starts_with(word)) {
            out.push(b'\n');
            out.extend_from_slice(line);
        }
    }
}

/// One entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeEntry<'t> {
    pub is_tree: bool,
    /// A submodule: the id names a commit of another repository.
    pub is_commit: bool,
    pub name: &'t [u8],
    pub id: ObjectId,
    /// The entry's bytes in the tree.
    pub start: usize,
    pub end: usize,
}

/// Iterates over a tree's entries; ends where the bytes are no tree.
pub fn entries(tree: &[u8]) -> impl Iterator<Item = TreeEntry<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = tree.get(at..)?;
        let nul = memchr::memchr(0, rest)?;
        let id = rest.get(nul + 1..nul + 21)?;
        let space = memchr::memchr(b' ', &rest[..nul])?;
        let start = at;
        at += nul + 21;
        Some(TreeEntry {
            start,
            is_tree: rest.starts_with(b"4"),
            is_commit: rest.starts_with(b"16"),
            name: &rest[space + 1..nul],
            id: ObjectId(id.try_into().expect("twenty bytes")),
            end: at,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_give_parents_time_author_and_words() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let text = format!(
            "tree {id}\nparent {id}\nparent {id}\nauthor A U <a@u> 5 +0000\n\
             committer C <c@c> 1700000000 -0330\n\nfirst\n\nsecond"
        );
        let commit = Commit::parse(text.as_bytes()).expect("a commit");
        assert_eq!(commit.parents.len(), 2);
        assert_eq!(commit.time, 1_700_000_000);
        assert_eq!(author(text.as_bytes()), "A U <a@u>");
        let mut said = Vec::new();
        words(text.as_bytes(), &mut said);
        let said = String::from_utf8(said).expect("text");
        assert!(said.starts_with("first\n\nsecond\n\nauthor A U"), "{said}");
        assert!(!said.contains(id));
    }

    #[test]
    fn trees_give_entries_and_end_at_the_first_fault() {
        let mut tree = b"40000 dir\0".to_vec();
        tree.extend([7; 20]);
        tree.extend(b"100644 a b\0");
        tree.extend([9; 20]);
        tree.extend(b"100644 cut\0");
        let found: Vec<_> = entries(&tree).collect();
        assert_eq!(found.len(), 2);
        assert!(found[0].is_tree && found[0].name == b"dir");
        assert!(found[1].name == b"a b" && found[1].id == ObjectId([9; 20]));
    }
}

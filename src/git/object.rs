//! Reads the bytes of commits, tags and trees without asking for more than is needed.

use smallvec::SmallVec;

use super::Kind;
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

/// What an annotated tag says of itself, without its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    pub target: ObjectId,
    /// When it was made, in seconds since 1970.
    pub time: i64,
}

impl Tag {
    /// Reads a tag; `None` when it is not one.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = bytes.split(|&b| b == b'\n');
        let target = id_after(lines.next()?, b"object ")?;
        let mut head = lines.take_while(|line| !line.is_empty());
        let tagger = head.find_map(|line| line.strip_prefix(b"tagger "));
        let time = tagger.map_or(0, signed_at);
        Some(Self { target, time })
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
    let (head, message) = split(bytes);
    out.extend_from_slice(message);
    if !message.ends_with(b"\n") {
        out.push(b'\n');
    }
    for line in head
        .split(|&b| b == b'\n')
        .filter(|line| !names_object(line))
    {
        out.push(b'\n');
        out.extend_from_slice(line);
    }
}

/// A commit as if it were the first one.
pub fn without_parents(bytes: &[u8]) -> Vec<u8> {
    let (head, _) = split(bytes);
    let lines = head.split_inclusive(|&b| b == b'\n');
    let kept: Vec<&[u8]> = lines
        .filter(|line| id_after(line.trim_ascii_end(), b"parent ").is_none())
        .collect();
    [&kept.concat(), &bytes[head.len()..]].concat()
}

/// The message of a commit or tag.
pub fn message(bytes: &[u8]) -> &[u8] {
    split(bytes).1
}

/// The headers, and the message.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memmem::find(bytes, b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, b""),
    }
}

/// Whether a header says which object, and nothing that somebody could have put there instead.
fn names_object(line: &[u8]) -> bool {
    let ids = [&b"tree "[..], b"parent ", b"object "];
    let kinds = [&b"type blob"[..], b"type tree", b"type commit", b"type tag"];
    ids.iter().any(|word| id_after(line, word).is_some()) || kinds.contains(&line)
}

/// One entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeEntry<'t> {
    pub is_tree: bool,
    /// A submodule: the id names a commit of another repository.
    pub is_commit: bool,
    pub is_link: bool,
    pub name: &'t [u8],
    pub id: ObjectId,
    /// The entry's bytes in the tree.
    pub start: usize,
    pub end: usize,
}

impl TreeEntry<'_> {
    /// What it names; a commit is a submodule's.
    pub fn kind(&self) -> Kind {
        match (self.is_tree, self.is_commit) {
            (true, _) => Kind::Tree,
            (_, true) => Kind::Commit,
            _ => Kind::Blob,
        }
    }
}

/// The type in a mode of octal digits, as git reads it whatever zeros stand before it.
fn file_type(mode: &[u8]) -> u32 {
    let digits = mode.iter().map(|digit| u32::from(digit & 7));
    digits.fold(0, |mode: u32, digit| mode << 3 | digit) & 0o170_000
}

/// The entries of a tree; ends where the bytes are no tree.
pub fn entries(tree: &[u8]) -> Entries<'_> {
    Entries { tree, at: 0 }
}

/// Iterates over the entries of a tree.
pub struct Entries<'t> {
    tree: &'t [u8],
    at: usize,
}

impl<'t> Iterator for Entries<'t> {
    type Item = TreeEntry<'t>;

    /// A history is full of trees, which take longer to call this for each entry than to read it.
    #[inline(always)]
    fn next(&mut self) -> Option<TreeEntry<'t>> {
        let start = self.at;
        let rest = self.tree.get(start..)?;
        let (mode, kind) = mode(rest)?;
        let nul = mode + nul(&rest[mode..])?;
        let id = rest.get(nul + 1..nul + 21)?;
        self.at = start + nul + 21;
        Some(TreeEntry {
            start,
            is_tree: kind == 0o040_000,
            is_commit: kind == 0o160_000,
            is_link: kind == 0o120_000,
            name: &rest[mode + 1..nul],
            id: ObjectId(id.try_into().expect("twenty bytes")),
            end: self.at,
        })
    }
}

/// Where the first zero is. Names are so short that eight bytes at a time are faster than a search made
/// for long texts.
#[inline(always)]
fn nul(text: &[u8]) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // A borrow goes upward only, so the lowest bit that is set is right.
        let zeros = word.wrapping_sub(LOW) & !word & (LOW << 7);
        if zeros != 0 {
            return Some(8 * index + zeros.trailing_zeros() as usize / 8);
        }
    }
    let behind = rest.iter().position(|&b| b == 0)?;
    Some(8 * words.len() + behind)
}

/// Where the mode of an entry ends, and the type in it.
#[inline]
fn mode(entry: &[u8]) -> Option<(usize, u32)> {
    // Nearly all are one of these.
    if entry.starts_with(b"100644 ") {
        return Some((6, 0o100_000));
    }
    if entry.starts_with(b"40000 ") {
        return Some((5, 0o040_000));
    }
    let end = memchr::memchr2(b' ', 0, entry)?;
    (entry[end] == b' ').then(|| (end, file_type(&entry[..end])))
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
        let (mut said, mut said_all) = (Vec::new(), Vec::new());
        words(text.as_bytes(), &mut said);
        let said = String::from_utf8(said).expect("text");
        assert!(said.starts_with("first\n\nsecond\n\nauthor A U"), "{said}");
        assert!(!said.contains(id));
        words(b"object mine\ntype of my own\n\n", &mut said_all);
        assert_eq!(said_all, b"\n\nobject mine\ntype of my own");
    }

    #[test]
    fn tags_give_target_and_time() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let text = format!("object {id}\ntype tree\ntag v1\ntagger T <t@t> 5 +0000\n\nnotes\n");
        let tag = Tag::parse(text.as_bytes()).expect("a tag");
        assert_eq!((tag.target.to_string(), tag.time), (id.to_owned(), 5));
        assert_eq!(Tag::parse(b"tag v1\n"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_hostile(
            start in proptest::sample::select(vec!["", "tree ", "object ", "100644 a\0"]),
            rest: Vec<u8>,
        ) {
            let bytes = [start.as_bytes(), &rest].concat();
            let (_, _, _) = (Commit::parse(&bytes), Tag::parse(&bytes), author(&bytes));
            let names: usize = entries(&bytes).map(|entry| entry.name.len()).sum();
            proptest::prop_assert!(names <= bytes.len());
        }

        #[test]
        fn the_first_zero_is_found_as_byte_by_byte(
            bytes in proptest::collection::vec(proptest::sample::select(vec![0, 1, 0x7F, 0x80, 0xFF]), 0..30),
            before in 0..20_usize,
        ) {
            let bytes = [vec![b'a'; before], bytes].concat();
            proptest::prop_assert_eq!(nul(&bytes), bytes.iter().position(|&b| b == 0));
        }
    }

    #[test]
    fn trees_give_entries_and_end_at_the_first_fault() {
        let mut tree = b"040000 dir\0".to_vec();
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

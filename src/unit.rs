//! A unit: one piece of input as a source hands it over.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::sniff::Encoding;
use crate::span::Width;

/// Where a unit's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The path to show and to judge by, with forward slashes, relative to where the scan started.
    pub path: Arc<str>,
    pub part: Part,
    /// The git object the bytes belong to; `None` for files of a working tree.
    pub git: Option<GitOrigin>,
}

impl Origin {
    pub fn file(path: impl Into<Arc<str>>) -> Self {
        Self {
            path: path.into(),
            part: Part::File,
            git: None,
        }
    }

    pub fn git(path: impl Into<Arc<str>>, part: Part, git: GitOrigin) -> Self {
        Self {
            path: path.into(),
            part,
            git: Some(git),
        }
    }

    /// Whether the bytes are a file's content, and not a name or a message.
    pub fn is_file(&self) -> bool {
        self.part == Part::File
    }
}

/// A path as text: with `<FF>` for bytes of a name that is no Unicode, so that two such names stay two. The
/// signs around them keep what a name says apart, as the bytes do. A name that says `<FF>` itself says it
/// as `<3C>FF>`: [`path_of`] leads from each text to one path.
pub fn path_text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !memchr::memchr_iter(b'<', bytes).any(|at| byte_at(&bytes[at..]).is_some())
    {
        return text.into();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        for (at, c) in valid.char_indices() {
            match byte_at(&valid.as_bytes()[at..]) {
                Some(_) => text.push_str("<3C>"),
                None => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("<{byte:02X}>"));
        }
    }
    text.into()
}

/// The path that a text made by [`path_text`] stands for.
#[cfg(unix)]
pub fn path_of(text: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let mut rest = text.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((first, after)) = rest.split_first() {
        let byte = byte_at(rest);
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &rest[4..] } else { after };
    }
    std::ffi::OsString::from_vec(bytes).into()
}

/// The path that a text made by [`path_text`] stands for. Names of other bytes are none here.
#[cfg(not(unix))]
pub fn path_of(text: &str) -> PathBuf {
    text.into()
}

/// The byte that a text of a path begins with, where it stands there by its number.
fn byte_at(text: &[u8]) -> Option<u8> {
    let [b'<', high, low, b'>', ..] = text else {
        return None;
    };
    let digit = |d: u8| match d {
        b'0'..=b'9' => Some(d - b'0'),
        b'A'..=b'F' => Some(d - b'A' + 10),
        _ => None,
    };
    let byte = digit(*high)? * 16 + digit(*low)?;
    (byte >= 0x80 || byte == b'<').then_some(byte)
}

/// Tells a path apart from others that look the same behind their masks, and says as little as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathKey {
    pub text: String,
    /// Whether no other path has it. Those that differ in nothing but what could be guessed share one.
    pub is_own: bool,
}

impl PathKey {
    /// The key of a path that holds no secret.
    pub fn plain(path: &str) -> Self {
        Self {
            text: path.to_owned(),
            is_own: true,
        }
    }
}

/// Which git object bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GitOrigin {
    /// The blob, commit or tag that holds the bytes.
    pub object: ObjectId,
    /// The commit to name to a person: the one that brought the bytes in, where that is known.
    pub commit: Option<ObjectId>,
}

/// What of a working tree or a git repository a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The content of a file.
    File,
    /// The name of a file or a folder.
    FileName,
    /// A commit's message, author or committer.
    Commit,
    /// An annotated tag's message or tagger.
    Tag,
    /// The name of a branch, a tag or another reference.
    RefName,
}

impl Part {
    /// The word in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::FileName => "file_name",
            Self::Commit => "commit",
            Self::Tag => "tag",
            Self::RefName => "ref_name",
        }
    }
}

/// The name of a git object: its SHA-1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub [u8; 20]);

impl ObjectId {
    /// Reads 40 hexadecimal digits.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        if digits.len() != 40 {
            return None;
        }
        let mut id = [0; 20];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |d: u8| char::from(d).to_digit(16);
            *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Some(Self(id))
    }

    /// As many digits as people are shown.
    pub fn short(&self) -> String {
        self.to_string()[..10].to_owned()
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Bytes to look into, whole or one window of something too large to hold.
#[derive(Clone, Debug)]
pub struct Unit<'b> {
    pub origin: Origin,
    pub bytes: &'b [u8],
    /// What came before these bytes, when they are a window of a larger input.
    pub before: Before,
    /// How the bytes spell text, where the source knows; a window may not look like its input.
    pub encoding: Option<Encoding>,
    /// For a window: the part in which findings must start to be this window's.
    pub core: Option<Range<u32>>,
}

/// What precedes a window in its input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    pub bytes: u64,
    pub lines: u64,
    /// How much of the window's first line stands before the window.
    pub columns: Width,
}

impl<'b> Unit<'b> {
    /// Whether this is a part of an input too large to be decoded as a whole.
    pub fn is_window(&self) -> bool {
        self.core.is_some()
    }

    /// Whether a finding that starts at an offset is this unit's to report.
    pub fn starts_in_core(&self, start: u32) -> bool {
        let core = self.core.as_ref();
        core.is_none_or(|core| core.contains(&start))
    }

    /// How many bytes of the input are in this unit and in none before it.
    pub fn fresh_bytes(&self) -> u64 {
        let old = match &self.core {
            Some(core) if self.before.bytes > 0 => core.start as usize,
            _ => 0,
        };
        let end = self
            .core
            .as_ref()
            .map_or(self.bytes.len(), |core| core.end as usize);
        end.saturating_sub(old) as u64
    }

    /// The bytes in `range` of a text that is at hand as a whole, for what starts in `core`.
    pub fn part(origin: Origin, text: &'b [u8], range: Range<usize>, core: Range<usize>) -> Self {
        let offset = |at: usize| (at - range.start) as u32;
        Self {
            origin,
            core: Some(offset(core.start)..offset(core.end)),
            before: Before {
                bytes: range.start as u64,
                ..Before::default()
            },
            bytes: &text[range],
            encoding: Some(Encoding::Bytes),
        }
    }

    /// A text that is known to be one, or is no file, such as what a commit says: it is read, however it begins.
    pub fn words(origin: Origin, bytes: &'b [u8]) -> Self {
        Self {
            encoding: Some(Encoding::Bytes),
            ..Self::whole(origin, bytes)
        }
    }

    /// A whole input.
    pub fn whole(origin: Origin, bytes: &'b [u8]) -> Self {
        Self {
            origin,
            bytes,
            before: Before::default(),
            encoding: None,
            core: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_text_stands_for_one_path() {
        use std::os::unix::ffi::OsStrExt;
        for (path, text) in [
            (&b"caf\xc3\xa9/a<b>.py"[..], "caf\u{e9}/a<b>.py"),
            (b"caf\xe9.py", "caf<E9>.py"),
            (b"caf<E9>.py", "caf<3C>E9>.py"),
            (b"caf<3C>E9>.py", "caf<3C>3C>E9>.py"),
            (b"<<\xff>\xfe/<E9", "<<<FF>><FE>/<E9"),
            (b"<7F>", "<7F>"),
        ] {
            assert_eq!(path_text(path), text);
            assert_eq!(path_of(text).as_os_str().as_bytes(), path);
        }
    }
}

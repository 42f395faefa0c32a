//! Jupyter notebooks.
//!
//! A notebook is JSON in which the texts that people wrote and programs printed lie cut into lists
//! and escaped. [`decode`] walks it once and writes every readable text, joined and unescaped,
//! into one view. It knows the few levels that give a text its [`Place`] (`cells`); whatever else
//! there is (metadata of any writer, JSON outputs of any vendor) is walked without a schema and
//! becomes lines of `key = "value"` (`leaves`), so that one set of rules reads code and data
//! alike. Pictures and other binary payloads are half of all bytes and are stepped over (`mime`).
//!
//! Files that are no JSON (a merge conflict, a download cut off) are read by their strings alone
//! (`lexical`): worse places, but no string lost.

mod cells;
mod leaves;
mod lexical;
mod mime;
mod text;

#[cfg(test)]
mod tests;

use memchr::memmem;

use super::{Place, ViewBuilder};
use crate::span::ViewSpan;

/// What makes a notebook unreadable as JSON.
pub use super::json::Fault;
pub use leaves::is_uuid;

/// A part of a notebook with text of its own, which is read as its bytes alone say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// By the bytes of the notebook.
    pub span: ViewSpan,
    pub kind: PartKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// A cell with its brackets.
    Cell,
    /// What an output says in one type, from the name of that on.
    Output,
    /// The same of a file attached to a cell.
    Attachment,
}

/// The parts of a notebook, each before those in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    pub all: Vec<Part>,
    /// Those of them that were not read, as it was known what they hold.
    pub stepped_over: Vec<ViewSpan>,
    /// Whether what was read depends on more than the bytes of each part: something was left out for want
    /// of room, or the format is of old.
    pub cut: bool,
    /// What of the room was taken by the notebook's view, and by what is encoded in a text.
    pub taken: [Taken; 2],
}

/// How much of some room was taken, in bytes. Where all is taken something is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub used: usize,
    pub room: usize,
}

/// How much of either end of a file is looked at.
const GLANCE: usize = 4096;

/// Whether bytes without the name of a notebook hold one all the same.
///
/// The first byte sends nearly every other file away; of large JSON only both ends are read, which
/// is where every writer puts the names of the outermost members.
pub fn looks_like_one(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let head = &text[..text.len().min(GLANCE)];
    let first = head.iter().find(|b| !b.is_ascii_whitespace());
    if first != Some(&b'{') {
        return false;
    }
    // Of a short text the head is all.
    let tail = (head.len() < text.len()).then(|| &text[text.len() - GLANCE..]);
    let holds = |word: &[u8]| {
        let word = memmem::Finder::new(word);
        let is_in = |end: &[u8]| word.find(end).is_some();
        is_in(head) || tail.is_some_and(is_in)
    };
    holds(b"\"nbformat\"") && (holds(b"\"cells\"") || holds(b"\"worksheets\""))
}

/// Decodes a notebook's readable text into `builder`, but for parts that are known: those of such bytes
/// that were read before, in the order of [`Parts`].
///
/// # Errors
/// When the text is not well-formed; `builder` then holds what could be read of its strings.
pub fn decode(
    text: &[u8],
    known: &[Part],
    builder: &mut ViewBuilder,
    places: &mut Vec<Place>,
) -> Result<Parts, Fault> {
    if u32::try_from(text.len()).is_err() {
        return Err(Fault {
            offset: 0,
            what: "more than four gigabytes",
        });
    }
    // A file just created is empty, not broken.
    if text.trim_ascii().is_empty() {
        return Ok(Parts::default());
    }
    let before = places.len();
    // About what is left without syntax; memory that stays unused is never touched.
    builder.text.reserve(text.len() / 2);
    let read = cells::read(text, known, builder, places);
    if read.is_err() {
        builder.text.clear();
        builder.map.clear();
        builder.segments.clear();
        places.truncate(before);
        lexical::read(text, builder, places);
    }
    read
}

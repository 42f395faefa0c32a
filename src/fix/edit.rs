//! Edits: byte ranges and what is written there. Everything outside them stays as it is.

use std::ops::Range;

/// One splice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub range: Range<usize>,
    pub with: Vec<u8>,
}

impl Edit {
    pub fn new(range: Range<usize>, with: impl Into<Vec<u8>>) -> Self {
        Self {
            range,
            with: with.into(),
        }
    }

    pub fn insert(at: usize, text: impl Into<Vec<u8>>) -> Self {
        Self::new(at..at, text)
    }
}

/// Puts edits into the order of their places; those at one place stay in the order given, and exact
/// repeats are one. `None` when two overlap.
pub fn ordered(mut edits: Vec<Edit>) -> Option<Vec<Edit>> {
    let mut unique: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits.drain(..) {
        if !unique.contains(&edit) {
            unique.push(edit);
        }
    }
    unique.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let overlap = unique
        .windows(2)
        .any(|pair| pair[0].range.end > pair[1].range.start);
    (!overlap).then_some(unique)
}

/// The text with all edits made, and where in it each stands. Edits must be [`ordered`].
pub fn apply(text: &[u8], edits: &[Edit]) -> (Vec<u8>, Vec<Range<usize>>) {
    let mut out = Vec::with_capacity(text.len() + 256);
    let mut written = Vec::with_capacity(edits.len());
    let mut at = 0;
    for edit in edits {
        out.extend_from_slice(&text[at..edit.range.start]);
        let start = out.len();
        out.extend_from_slice(&edit.with);
        written.push(start..out.len());
        at = edit.range.end;
    }
    out.extend_from_slice(&text[at..]);
    (out, written)
}

/// Whether `after` is `before` but for the edits: undoes them and compares.
pub fn only_edited(before: &[u8], edits: &[Edit], after: &[u8], written: &[Range<usize>]) -> bool {
    let mut back = Vec::with_capacity(before.len());
    let mut at = 0;
    for (edit, place) in edits.iter().zip(written) {
        back.extend_from_slice(&after[at..place.start]);
        back.extend_from_slice(&before[edit.range.clone()]);
        at = place.end;
    }
    back.extend_from_slice(&after[at..]);
    back == before
}

/// The line end that a text uses.
pub fn newline(text: &[u8]) -> &'static str {
    match memchr::memchr(b'\n', text) {
        Some(at) if at > 0 && text[at - 1] == b'\r' => "\r\n",
        _ => "\n",
    }
}

/// The start of the line that holds `at`.
pub fn line_start(text: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &text[..at]).map_or(0, |n| n + 1)
}

/// The start of the line after the one that holds `at`, or the end of the text.
pub fn next_line(text: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |n| at + n + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_made_and_can_be_undone() {
        let text = b"one two three";
        let edits = ordered(vec![
            Edit::new(8..13, "3"),
            Edit::new(0..3, "1"),
            Edit::insert(4, "x"),
        ])
        .expect("apart");
        let (after, written) = apply(text, &edits);
        assert_eq!(after, b"1 xtwo 3");
        assert!(only_edited(text, &edits, &after, &written));
        assert!(!only_edited(b"one tvo three", &edits, &after, &written));
        assert!(ordered(vec![Edit::new(0..3, "1"), Edit::new(2..4, "2")]).is_none());
    }
}

//! A unified diff in which no secret can be read.

use crate::finding::Finding;

/// Stands for a secret in a diff; other than the mask that may be written to the file, so that the
/// line shows.
const SECRET: &str = "[SECRET]";
/// Longer lines are cut: a picture in a notebook is one.
const LONGEST: usize = 400;

/// The changes from `before` to `after`, with the secrets of both taken out.
pub fn unified(path: &str, before: (&[u8], &[Finding]), after: (&[u8], &[Finding])) -> String {
    let values: Vec<&[u8]> = before
        .1
        .iter()
        .chain(after.1)
        .map(|f| f.secret.expose())
        .collect();
    let old = shown(before.0, before.1, &values);
    let new = shown(after.0, after.1, &values);
    let diff = similar::TextDiff::from_lines(&*old, &*new);
    let text = diff
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string();
    text.lines().map(|line| cut(line) + "\n").collect()
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None => line.to_owned(),
    }
}

/// Where a value really ends that was found to end at the `;` of an entity of XML.
pub(super) fn past_entity(text: &[u8], start: usize, mut end: usize) -> usize {
    let is_cut = |end: usize| text.get(end) == Some(&b';') && ends_in_entity(&text[start..end]);
    while is_cut(end) {
        let rest = &text[end + 1..];
        let stop = rest.iter().position(|b| b";\"'< \r\n".contains(b));
        end += 1 + stop.unwrap_or(rest.len());
    }
    end
}

fn ends_in_entity(value: &[u8]) -> bool {
    let name = memchr::memrchr(b'&', value).map(|at| &value[at + 1..]);
    name.is_some_and(|name| {
        matches!(name, b"amp" | b"lt" | b"gt" | b"quot" | b"apos")
            || name.split_first().is_some_and(|(sign, number)| {
                *sign == b'#' && number.iter().all(u8::is_ascii_alphanumeric)
            })
    })
}

fn shown(bytes: &[u8], findings: &[Finding], values: &[&[u8]]) -> String {
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut ranges: Vec<(usize, usize)> = findings
        .iter()
        .flat_map(|f| f.bytes.iter().map(|r| (r.start as usize, r.end as usize)))
        .collect();
    // The same value may stand where no rule sees it.
    for value in values.iter().filter(|value| value.len() >= 6) {
        ranges.extend(memchr::memmem::find_iter(bytes, value).map(|at| (at, at + value.len())));
    }
    ranges.sort_unstable();
    let mut at = 0;
    for (start, end) in ranges {
        if end > at && end <= bytes.len() {
            out.extend_from_slice(&bytes[at..start.max(at)]);
            if start >= at {
                out.extend_from_slice(SECRET.as_bytes());
            }
            at = past_entity(bytes, start, end);
        }
    }
    out.extend_from_slice(&bytes[at..]);
    String::from_utf8_lossy(&out).into_owned()
}

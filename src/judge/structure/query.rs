//! The `name=value&name=value` text that stands around a byte.
//!
//! Tokens are pasted with and without their address, with `&` in four spellings, and inside
//! connection strings, so the query is found from the inside: outwards from the value to the
//! nearest byte that no query holds, then cut at the separators.

use std::borrow::Cow;
use std::ops::Range;

use super::text::{ends_with_ci, percent_decode, starts_with_ci};
use crate::rules::check::Check;
use crate::span::ViewSpan;

/// How far on either side a query may reach.
const REACH: usize = Check::Sas.reach() as usize;

/// A query, cut into its parts.
pub struct Query<'t> {
    text: &'t [u8],
    /// The name and where the raw value stands.
    fields: Vec<(&'t [u8], Range<usize>)>,
    /// Whether the whole query is percent-encoded once more, as it is inside another query.
    encoded: bool,
    address: Option<&'t [u8]>,
}

/// Finds the query around `inside`; only fields with a name from `names` are kept.
pub fn around<'t>(
    text: &'t [u8],
    inside: ViewSpan,
    stretch: ViewSpan,
    names: &[&str],
) -> Option<Query<'t>> {
    let Range { start, end } = inside.range();
    let low = start.saturating_sub(REACH).max(stretch.start as usize);
    let high = end.saturating_add(REACH).min(stretch.end as usize);
    let before = text.get(low.min(start)..start)?;
    let after = text.get(end..high.max(end))?;
    let from = start - tail_of_query(before);
    let to = end + head_of_query(after);
    let mut query = Query {
        text,
        fields: Vec::new(),
        encoded: ends_with_ci(before, b"%3d"),
        address: None,
    };
    query.cut(from..to, names);
    Some(query)
}

fn ends_query(byte: u8) -> bool {
    byte <= b' '
        || matches!(
            byte,
            b'"' | b'\'' | b'`' | b'<' | b'>' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'|'
        )
        || byte >= 0x7f
}

/// Whether the backslash that starts `rest` belongs to the query: an escaped `&` or `/`.
fn is_inner_backslash(rest: &[u8]) -> bool {
    rest.starts_with(b"\\u0026") || rest.starts_with(b"\\/") || rest.starts_with(b"\\&")
}

/// How many bytes at the end of `before` belong to the query.
fn tail_of_query(before: &[u8]) -> usize {
    let stop = (0..before.len()).rev().find(|&at| {
        let byte = before[at];
        ends_query(byte) || (byte == b'\\' && !is_inner_backslash(&before[at..]))
    });
    before.len() - stop.map_or(0, |at| at + 1)
}

/// How many bytes at the start of `after` belong to the query.
fn head_of_query(after: &[u8]) -> usize {
    let stop = (0..after.len()).find(|&at| {
        let byte = after[at];
        ends_query(byte) || (byte == b'\\' && !is_inner_backslash(&after[at..]))
    });
    stop.unwrap_or(after.len())
}

impl<'t> Query<'t> {
    fn cut(&mut self, range: Range<usize>, names: &[&str]) {
        let mut start = range.start;
        let mut at = range.start;
        while at < range.end {
            let Some(len) = self.separator(&self.text[at..range.end]) else {
                at += 1;
                continue;
            };
            self.part(start..at, names);
            at += len;
            start = at;
        }
        self.part(start..range.end, names);
    }

    /// The length of the separator that `rest` starts with.
    fn separator(&self, rest: &[u8]) -> Option<usize> {
        match rest.first()? {
            b'&' if starts_with_ci(rest, b"&amp;") || rest.starts_with(b"&#38;") => Some(5),
            b'&' | b';' => Some(1),
            b'\\' if rest.starts_with(b"\\u0026") => Some(6),
            b'%' if self.encoded && rest.starts_with(b"%26") => Some(3),
            _ => None,
        }
    }

    /// Reads one part; the first may carry an address or a variable before its name.
    fn part(&mut self, range: Range<usize>, names: &[&str]) {
        let text = self.text;
        let part = &text[range.clone()];
        if self.address.is_none() {
            self.address = self.address_in(part);
        }
        let equals: &[u8] = if self.encoded { b"%3d" } else { b"=" };
        let mut from = 0;
        while let Some(found) = super::text::find_ci(&part[from..], equals) {
            let at = from + found;
            let name = trailing_name(&part[..at], self.encoded);
            from = at + equals.len();
            if names.iter().any(|n| n.as_bytes() == name) {
                let end = part.strip_suffix(b"\\").map_or(part.len(), <[u8]>::len);
                let value = range.start + from..range.start + end.max(from);
                self.fields.push((name, value));
                return;
            }
        }
    }

    /// The address in a part: all before its question mark, or a whole `https://...` value.
    fn address_in(&self, part: &'t [u8]) -> Option<&'t [u8]> {
        let scheme = memchr::memmem::find(part, b"://")
            .or_else(|| memchr::memmem::find(part, b":\\/\\/"))
            .or_else(|| super::text::find_ci(part, b"%3a%2f%2f"))?;
        let start = part[..scheme]
            .iter()
            .rposition(|b| !b.is_ascii_alphanumeric())
            .map_or(0, |at| at + 1);
        let address = &part[start..];
        let end = memchr::memchr(b'?', address)
            .or_else(|| super::text::find_ci(address, b"%3f"))
            .unwrap_or(address.len());
        Some(&address[..end])
    }

    /// The value of a field, decoded.
    pub fn get(&self, name: &str) -> Option<Cow<'t, [u8]>> {
        let range = self.span(name)?;
        let once = percent_decode(&self.text[range]);
        if !self.encoded {
            return Some(once);
        }
        Some(Cow::Owned(percent_decode(&once).into_owned()))
    }

    /// Where the raw value of a field stands.
    pub fn span(&self, name: &str) -> Option<Range<usize>> {
        let field = self.fields.iter().find(|(n, _)| *n == name.as_bytes());
        field.map(|(_, range)| range.clone())
    }

    pub fn has(&self, name: &str) -> bool {
        self.span(name).is_some()
    }

    /// Host and path of the address that the query belongs to.
    pub fn host_and_path(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let address = percent_decode(self.address?);
        let plain: Vec<u8> = address.iter().copied().filter(|&b| b != b'\\').collect();
        let start = memchr::memmem::find(&plain, b"://")? + 3;
        let rest = plain.get(start..)?;
        let host_end = memchr::memchr2(b'/', b':', rest).unwrap_or(rest.len());
        let path = memchr::memchr(b'/', rest).map_or(&[][..], |at| &rest[at..]);
        Some((rest[..host_end].to_ascii_lowercase(), path.to_vec()))
    }
}

/// The name right before an equals sign.
fn trailing_name(before: &[u8], encoded: bool) -> &[u8] {
    let start = before
        .iter()
        .rposition(|b| !(b.is_ascii_alphanumeric() || *b == b'-'))
        .map_or(0, |at| at + 1);
    let name = &before[start..];
    // In `%3Fsv%3D` the digits of the escape touch the name.
    let after_escape = encoded && start > 0 && before[start - 1] == b'%' && name.len() > 2;
    if after_escape { &name[2..] } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str, inside: &str) -> Vec<(String, String)> {
        let at = text.find(inside).expect("the marker stands in the text");
        let span = ViewSpan::new(at, at + inside.len());
        let all = ViewSpan::new(0, text.len());
        let query = around(text.as_bytes(), span, all, &["a", "b", "sig"]).expect("a query");
        let names = ["a", "b", "sig"].into_iter();
        names
            .filter_map(|n| Some((n, query.get(n)?)))
            .map(|(n, v)| (n.to_owned(), String::from_utf8_lossy(&v).into_owned()))
            .collect()
    }

    #[test]
    fn separators_in_every_spelling() {
        let expected =
            [("a", "1"), ("b", "x y"), ("sig", "S+")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        for text in [
            "u = 'https://h/p?a=1&b=x%20y&sig=S%2B'",
            "T=a=1&amp;b=x%20y&amp;sig=S%2B\"",
            "(a=1\\u0026b=x%20y\\u0026sig=S%2B)",
            "export T=?a=1;b=x%20y;sig=S%2B;",
            "x?u=https%3A%2F%2Fh%2Fp%3Fa%3D1%26b%3Dx%2520y%26sig%3DS%252B other",
            "a=1\\&b=x%20y\\&sig=S%2B\n&b=no",
        ] {
            let marker = if text.contains("S%252B") {
                "S%252B"
            } else {
                "S%2B"
            };
            assert_eq!(fields(text, marker), expected, "{text}");
        }
    }

    #[test]
    fn address_is_read_in_every_spelling() {
        for text in [
            "https://H.example/c/b?a=1&sig=S",
            "https:\\/\\/h.example\\/c\\/b?a=1&sig=S",
            "u=https%3A%2F%2Fh.example%2Fc%2Fb%3Fa%3D1%26sig%3DS",
            "BlobEndpoint=https://h.example/c/b;SharedAccessSignature=a=1&sig=S",
        ] {
            let at = text.len() - 1;
            let (span, all) = (ViewSpan::new(at, at + 1), ViewSpan::new(0, text.len()));
            let query = around(text.as_bytes(), span, all, &["a", "sig"]).expect("a query");
            let (host, path) = query.host_and_path().expect("an address");
            assert_eq!(
                (&*host, &*path),
                (&b"h.example"[..], &b"/c/b"[..]),
                "{text}"
            );
            assert_eq!(query.get("a").as_deref(), Some(&b"1"[..]), "{text}");
        }
    }
}

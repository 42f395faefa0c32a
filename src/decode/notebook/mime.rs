//! What a mime type says about the value under it.
//!
//! Vendors invent types all the time, so types are told by family and suffix, never by a list of
//! all that exist.

use memchr::memmem;

/// How the value of a mime type is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Base64 of something that holds no text: stepped over.
    Payload,
    /// A tree.
    Json,
    /// Text, perhaps with terminal colours.
    Plain,
    /// Text.
    Text,
}

pub fn kind(mime: &[u8]) -> Kind {
    let starts = |word: &[u8]| {
        let head = mime.get(..word.len());
        head.is_some_and(|h| h.eq_ignore_ascii_case(word))
    };
    let payload = (starts(b"image/") && !starts(b"image/svg"))
        || starts(b"audio/")
        || starts(b"video/")
        || starts(b"font/")
        || starts(b"application/font")
        || starts(b"application/x-font")
        || starts(b"application/vnd.ms-fontobject")
        || starts(b"application/pdf");
    if payload {
        Kind::Payload
    } else if mime == b"application/json" || mime.ends_with(b"+json") {
        Kind::Json
    } else if mime == b"text/plain" {
        Kind::Plain
    } else {
        Kind::Text
    }
}

/// The mime type behind a member of an output of format 2 or 3.
pub fn of_short_name(name: &[u8]) -> Option<&'static str> {
    Some(match name {
        b"html" => "text/html",
        b"latex" => "text/latex",
        b"svg" => "image/svg+xml",
        b"png" => "image/png",
        b"jpeg" => "image/jpeg",
        b"pdf" => "application/pdf",
        b"json" => "application/json",
        b"javascript" => "application/javascript",
        _ => return None,
    })
}

/// A line that no person wrote.
const LONG_LINE: usize = 20_000;
/// More script than a person puts into one output.
const LONG_SCRIPT: usize = 200_000;

/// Whether an output's text is an embedded JavaScript library or a page with one: script that has
/// a line of over 20 KB or is over 200 KB long. A large table without script is not.
pub fn is_library(mime: &str, text: &[u8]) -> bool {
    if text.len() <= LONG_LINE {
        return false;
    }
    let script = mime.contains("javascript")
        || mime.contains("bokehjs")
        || (mime == "text/html" && memmem::find(text, b"<script").is_some());
    script && (text.len() > LONG_SCRIPT || has_long_line(text))
}

fn has_long_line(text: &[u8]) -> bool {
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text) {
        if end - start > LONG_LINE {
            return true;
        }
        start = end + 1;
    }
    text.len() - start > LONG_LINE
}

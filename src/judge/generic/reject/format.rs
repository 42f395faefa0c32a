//! Values with a form of their own that is no secret's: numbers, dates, sums, names of formats.

use smallvec::SmallVec;

use crate::checksum::crc16;
use crate::judge::generic::features;
use crate::judge::generic::words::Wording;
use crate::judge::reference;
use crate::judge::structure::jwt;
use crate::judge::structure::text::{base64, contains_any_ci, is_one_of};

const MECHANISMS: [&[u8]; 6] = [
    b"CRAM-",
    b"DIGEST-",
    b"SCRAM-",
    b"XOAUTH",
    b"OAUTHBEARER",
    b"HMAC-",
];

const ENCODINGS: [&[u8]; 9] = [
    b"utf-8",
    b"utf8",
    b"utf_8",
    b"ascii",
    b"latin1",
    b"latin-1",
    b"iso-8859-1",
    b"us-ascii",
    b"utf-16",
];

/// Bytes that count, in hexadecimal (`000102...`) or as numbers, or are so small that they are no
/// key's.
fn counts(value: &[u8]) -> bool {
    let bytes: SmallVec<[u32; 64]> = if features::is_numbers(value) {
        value
            .split(|b| *b == b',')
            .take(64)
            .filter_map(number)
            .collect()
    } else if value.len() >= 16 && value.iter().all(u8::is_ascii_hexdigit) {
        value
            .chunks_exact(2)
            .take(64)
            .filter_map(|pair| digits(pair, 16))
            .collect()
    } else {
        return false;
    };
    let steady = bytes
        .windows(3)
        .filter(|w| w[1].wrapping_sub(w[0]) == w[2].wrapping_sub(w[1]))
        .count();
    let small = bytes.iter().filter(|b| **b < 16).count();
    steady * 2 > bytes.len() || small * 3 > bytes.len() * 2
}

fn number(text: &[u8]) -> Option<u32> {
    match text.trim_ascii() {
        [b'0', b'x' | b'X', rest @ ..] => digits(rest, 16),
        text => digits(text, 10),
    }
}

fn digits(text: &[u8], radix: u32) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(text).ok()?, radix).ok()
}

/// `1.25`, `-0.5`, `4.0.0b1`, `v1beta2`.
fn is_number_or_version(value: &[u8]) -> bool {
    const STAGES: &[&str] = &["a", "b", "rc", "alpha", "beta", "dev", "post"];
    let signed = value
        .strip_prefix(b"-")
        .or_else(|| value.strip_prefix(b"v"));
    let body = signed.unwrap_or(value);
    let number =
        |text: &[u8]| !text.is_empty() && text.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    let head = body
        .iter()
        .position(|b| !(b.is_ascii_digit() || *b == b'.'))
        .unwrap_or(body.len());
    let tail = &body[head..];
    let stage = tail.len() - tail.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    number(&body[..head])
        && (tail.is_empty() && memchr::memchr(b'.', body).is_some()
            || !tail.is_empty() && is_one_of(tail[..stage].trim_ascii_start(), STAGES))
}

/// `MySaltString`: letters only, and the first word is what manuals begin made-up values with.
fn is_mine(text: &[u8]) -> bool {
    matches!(text, [b'M' | b'm', b'y', b'A'..=b'Z', ..]) && text.iter().all(u8::is_ascii_alphabetic)
}

/// Values with a form of their own that is no secret's.
pub fn reason(value: &[u8]) -> Option<&'static str> {
    const MARKS: &[&str] = &[
        "sha256:",
        "sha512:",
        "sha1:",
        "sha256-",
        "sha384-",
        "sha512-",
        "data:",
        "urn:",
        "xmlns",
        "application/",
        "text/",
    ];
    if contains_any_ci(value, MARKS) {
        return Some("a checksum or a name of a format");
    }
    if value.len() > 80 && (value.starts_with(b"MI") || value.starts_with(b"MFkwEwYH")) {
        return Some("a key or certificate in base64, which has rules of its own");
    }
    if crc16::is_public_key(value) {
        return Some("a public key, by its checksum");
    }
    if value.starts_with(b"eyJ") && (jwt::is_payload(value) || jwt::is_unsigned(value)) {
        return Some("a token without its signature");
    }
    if is_number_or_version(value) {
        return Some("a number");
    }
    if value.ends_with(b"aws4_request") {
        return Some("the scope of a signature, which names no secret");
    }
    if memchr::memmem::find(value, b"[A-Z").is_some()
        || memchr::memmem::find(value, b"[a-z").is_some()
    {
        return Some("a pattern for such values");
    }
    if MECHANISMS
        .iter()
        .any(|start| value.len() < 24 && value.starts_with(start))
    {
        return Some("the name of a way to sign in");
    }
    if let Some(text) = base64(value)
        .filter(|text| text.len() >= 6 && text.iter().all(|b| (b' '..=b'~').contains(b)))
        && (Wording::of(&text).dummy > 0.8 || is_mine(&text))
    {
        return Some("decodes to words for no secret");
    }
    if ENCODINGS
        .iter()
        .any(|name| value.eq_ignore_ascii_case(name))
    {
        return Some("the name of an encoding");
    }
    if counts(value) {
        return Some("is a sequence");
    }
    let date = value.len() >= 8
        && value
            .iter()
            .all(|b| b.is_ascii_digit() || b"-:/TZ.+_ ".contains(b))
        && memchr::memchr3(b'-', b'/', b':', value).is_some()
        && value.len() <= 40;
    (date && !reference::is_guid(value)).then_some("a date")
}

//! Paths, files, addresses without a password, and names of things in packages.

use super::code::{is_identifier, is_member_access};
use crate::judge::generic::features::Shape;
use crate::judge::generic::name;
use crate::judge::generic::words::Wording;

/// Paths, and addresses without a password.
pub fn reason(value: &[u8], shape: &Shape) -> Option<&'static str> {
    if memchr::memmem::find(value, b"://").is_some() {
        return Some("an address");
    }
    // What a feature of a crate turns on.
    if value.starts_with(b"dep:") && value[4..].iter().all(|b| is_part_of_name(*b)) {
        return Some("the name of a dependency");
    }
    // `@scope/package:Name`.
    if value.starts_with(b"@") && slashes_in(value) == 1 && shape.signs == 1 {
        return Some("the name of something in a package");
    }
    let drive = matches!(value, [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    let starts = [
        &b"./"[..],
        b"../",
        b"~/",
        b"//",
        b"file:",
        b"mailto:",
        b"classpath:",
    ]
    .iter()
    .any(|start| value.starts_with(start));
    if drive || starts {
        return Some("a path");
    }
    let slashes = slashes_in(value);
    // Base64 has slashes too, in no rhythm of words.
    let mixed = shape.digits > 0 && shape.upper > 0 && shape.lower > 0 && value.len() >= 16;
    if slashes > 0
        && !mixed
        && (value[0] == b'/' || slashes > 1 || is_file(value))
        && shape.signs == 0
    {
        return Some("a path");
    }
    // `Europe/Dublin`, `text/plain`: letters on both sides of one slash.
    if slashes == 1
        && shape.digits + shape.signs == 0
        && value.len() < 40
        && (is_zone(value) || Wording::of(value).words > 0.3)
    {
        return Some("a path");
    }
    let mut halves = value.splitn(2, |b| *b == b':');
    if halves.next().is_some_and(is_member_access) && halves.next().is_some_and(is_identifier) {
        return Some("the name of something in a module");
    }
    if is_file(value) {
        return Some("a file");
    }
    is_mail(value).then_some("an address")
}

fn is_part_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn slashes_in(value: &[u8]) -> usize {
    memchr::memchr_iter(b'/', value).count()
}

/// `Europe/Dublin`, `America/Los_Angeles`.
fn is_zone(value: &[u8]) -> bool {
    value.split(|b| matches!(b, b'/' | b'_')).all(|part| {
        part.len() >= 2
            && part[0].is_ascii_uppercase()
            && part[1..].iter().all(u8::is_ascii_lowercase)
    })
}

fn is_file(value: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', value) else {
        return false;
    };
    name::lists(&value[dot + 1..]) & name::ENDING != 0
        && value[..dot]
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_-./\\@".contains(b))
}

/// `name@host.tld`.
fn is_mail(value: &[u8]) -> bool {
    let Some(at) = memchr::memchr(b'@', value) else {
        return false;
    };
    let (user, host) = (&value[..at], &value[at + 1..]);
    let plain = |part: &[u8]| {
        !part.is_empty()
            && part
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(b))
    };
    let dot = memchr::memrchr(b'.', host);
    plain(user)
        && plain(host)
        && dot.is_some_and(|dot| {
            host[dot + 1..].iter().all(u8::is_ascii_alphabetic) && host.len() - dot >= 3
        })
}

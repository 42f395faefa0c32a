//! Sentences, labels and whatever else is written for people.

use crate::judge::Probe;
use crate::judge::generic::features::{self, Shape};
use crate::judge::generic::name::{Name, Promise};
use crate::judge::place::Kind;

/// Sentences, labels and whatever else is written for people.
pub fn reason(value: &[u8], name: &Name, shape: &Shape) -> Option<&'static str> {
    let plain = shape.digits + shape.signs == 0;
    let password = name.promise == Some(Promise::Password);
    if shape.other > 0 && plain && (!password || shape.blanks > 0 || shape.lower + shape.upper > 0)
    {
        return Some("prose");
    }
    if shape.blanks == 0 || features::is_numbers(value) || is_grouped(value) {
        return None;
    }
    // A phrase to remember is four words or more in small letters.
    let phrase = password
        && plain
        && shape.upper == 0
        && shape.dashes == 0
        && (3..=7).contains(&shape.blanks);
    let odd = password
        && !plain
        && shape.blanks <= 3
        && !value.ends_with(b".")
        && !value.ends_with(b":")
        && !value.ends_with(b"?");
    (!phrase && !odd).then_some("prose")
}

/// `abcd efgh ijkl`: groups of four, as seeds of one-time codes are shown.
fn is_grouped(value: &[u8]) -> bool {
    let mut groups = value.split(|b| *b == b' ');
    value.len() >= 14
        && groups.all(|group| group.len() == 4 && group.iter().all(u8::is_ascii_alphanumeric))
}

/// Whether a bare word of letters after a colon goes on as a sentence does.
pub fn is_in_prose(probe: &Probe<'_>, shape: &Shape) -> bool {
    let plain = shape.lower == probe.value().len();
    let goes_on = matches!(probe.after(2), [b' ' | b',', b'a'..=b'z' | b' ', ..]);
    plain
        && goes_on
        && memchr::memchr(b':', features::between(probe)).is_some()
        && probe.place.kind != Kind::Config
}

//! Values that a name alone calls secret: what they look like decides.
//!
//! A first, plain judgement by shape. It rejects, with a reason, what is code, prose or an
//! identifier, and is the surer the more the value looks made rather than written.

use super::{Assessment, Dropped, Probe};
use crate::rules::Level;

/// The shortest value in quotes, and without.
const SHORTEST: (usize, usize) = (6, 8);

/// Judges the value of an assignment.
///
/// # Errors
/// When the value is no secret, with the reason.
pub fn judge(probe: &Probe<'_>, found: &mut Assessment) -> Result<(), Dropped> {
    let value = probe.value();
    let quoted = probe.quoted;
    let shape = Shape::of(value);
    let shortest = if quoted { SHORTEST.0 } else { SHORTEST.1 };
    if names_something_else(probe.name) {
        return Err(Dropped(
            "the name is that of an id, an address or a setting",
        ));
    }
    if value.len() < shortest {
        return Err(Dropped("too short for a secret"));
    }
    if value.contains(&b' ') || shape.other > 0 {
        return Err(Dropped("prose"));
    }
    if shape.digits + shape.upper + shape.lower == 0 {
        return Err(Dropped("no letters or digits"));
    }
    if let Some(reason) = code(value, quoted, &shape) {
        return Err(Dropped(reason));
    }
    let entropy = entropy::shannon_entropy(value);
    found.confidence = if shape.classes() >= 3 && (value.len() >= 8 || shape.signs > 0) {
        found.because("a name that promises a secret, and a value of several kinds of characters");
        Level::Medium
    } else if value.len() >= 20 && entropy >= 3.5 && shape.digits > 0 {
        found.because("a name that promises a secret, and a long random value");
        Level::Medium
    } else {
        found.because("a name that promises a secret, but a plain value");
        Level::Low
    };
    if !quoted && !shape.random_looking(value) {
        found.doubt("the value stands without quotes");
    }
    Ok(())
}

/// Names such as `secret_name` or `tokenUrl`: they speak of a secret, their value is none.
fn names_something_else(name: &[u8]) -> bool {
    const LAST_WORDS: [&[u8]; 26] = [
        b"id",
        b"ids",
        b"name",
        b"names",
        b"uri",
        b"url",
        b"path",
        b"file",
        b"dir",
        b"type",
        b"version",
        b"ref",
        b"expiry",
        b"count",
        b"size",
        b"length",
        b"limit",
        b"field",
        b"label",
        b"format",
        b"prefix",
        b"policy",
        b"provider",
        b"class",
        b"endpoint",
        b"hint",
    ];
    let is_start = |at: &usize| {
        let (before, byte) = (name[at - 1], name[*at]);
        !before.is_ascii_alphanumeric() || before.is_ascii_lowercase() && byte.is_ascii_uppercase()
    };
    let start = (1..name.len()).rev().find(is_start).unwrap_or(0);
    start > 0
        && LAST_WORDS
            .iter()
            .any(|word| word.eq_ignore_ascii_case(&name[start..]))
}

/// How many characters of each kind a value has.
#[derive(Default)]
struct Shape {
    upper: usize,
    lower: usize,
    digits: usize,
    signs: usize,
    other: usize,
}

impl Shape {
    fn of(value: &[u8]) -> Self {
        let mut shape = Self::default();
        for byte in value {
            let count = match byte {
                b'A'..=b'Z' => &mut shape.upper,
                b'a'..=b'z' => &mut shape.lower,
                b'0'..=b'9' => &mut shape.digits,
                0x21..=0x7e | 0x80.. => &mut shape.signs,
                _ => &mut shape.other,
            };
            *count += 1;
        }
        shape
    }

    fn classes(&self) -> usize {
        [self.upper, self.lower, self.digits, self.signs]
            .iter()
            .filter(|&&count| count > 0)
            .count()
    }

    /// Letters and digits that take turns, as in generated values.
    fn random_looking(&self, value: &[u8]) -> bool {
        let turns = value
            .windows(2)
            .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit())
            .count();
        self.digits > 0 && turns >= 3
    }
}

/// Why a value is code, a path or an identifier, if it is.
fn code(value: &[u8], quoted: bool, shape: &Shape) -> Option<&'static str> {
    let has = |needle: &[u8]| memchr::memmem::find(value, needle).is_some();
    if has(b"://")
        || value.starts_with(b"/")
        || value.starts_with(b"./")
        || value.starts_with(b"~/")
    {
        return Some("a path or address");
    }
    if has(b"()") || has(b"->") || has(b"::") || has(b"${") || has(b"{{") || has(b"$(") {
        return Some("an expression");
    }
    if value.iter().any(|b| matches!(b, b'{' | b'}' | b'<' | b'>')) {
        return Some("a template");
    }
    if value.starts_with(b"$") || value.starts_with(b"%") || value.starts_with(b"@") && !quoted {
        return Some("a variable");
    }
    if shape.digits == 0 && is_words(value) {
        return Some("words");
    }
    if !quoted && value.contains(&b'.') && is_member_access(value) {
        return Some("a member access");
    }
    if !quoted && shape.digits + shape.signs == 0 {
        return Some("an identifier");
    }
    None
}

/// Words of letters joined by `_`, `-`, `.`, `/`, `:` or by capitals: names, not passwords.
fn is_words(value: &[u8]) -> bool {
    value
        .iter()
        .all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'.' | b'/' | b':' | b','))
}

fn is_member_access(value: &[u8]) -> bool {
    value.split(|&b| b == b'.').all(|part| {
        part.first()
            .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
            && part.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
    })
}

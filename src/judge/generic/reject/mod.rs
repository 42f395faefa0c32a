//! Values that cannot be secrets whatever their name says, each with a reason.

mod address;
mod code;
mod format;
mod hash;
mod prose;
mod unfinished;

use crate::judge::Probe;
use crate::judge::generic::company;
use crate::judge::generic::features::{self, Shape};
use crate::judge::generic::name::{Name, Promise, Tail};
use crate::judge::structure::jwt;
use crate::judge::structure::text::{contains_any_ci, contains_ci};
pub use code::is_member_access;
pub use hash::is_crypt;
pub use unfinished::template;

/// The fewest bytes of a value that some name makes a secret of.
pub const SHORTEST: usize = 4;

/// Why what is given to any name is no value, if it is none.
pub fn of_any(probe: &Probe<'_>) -> Option<&'static str> {
    template(probe.value())
        .or_else(|| company::reason(probe))
        .or_else(|| unfinished::reason(probe))
        .or_else(|| code::reason(probe, &Shape::of(probe.value())))
}

/// Why a name, or the length of its value, makes no secret of an assignment, if they do not.
pub fn at_once(probe: &Probe<'_>, name: &Name) -> Option<&'static str> {
    by_name(probe.name, name).or_else(|| by_size(probe.value(), name))
}

/// Why the value of an assignment that was not turned down [`at_once`] is no secret wherever it
/// stands, if it is none.
pub fn of_value(value: &[u8], name: &Name) -> Option<&'static str> {
    let shape = Shape::of(value);
    template(value)
        .or_else(|| address::reason(value, &shape))
        .or_else(|| prose::reason(value, name, &shape))
        .or_else(|| hash::reason(value))
        .or_else(|| format::reason(value))
}

/// Why what stands around the value of an assignment makes it none, if it does.
pub fn reason(probe: &Probe<'_>) -> Option<&'static str> {
    by_place(probe)
        .or_else(|| company::reason(probe))
        .or_else(|| unfinished::reason(probe))
        .or_else(|| by_kind(probe))
        .or_else(|| of_manuals(probe))
        .or_else(|| is_badge(probe).then_some("the token of a badge, which is public"))
}

/// As much of [`reason`] as hangs on the kind of the path.
pub fn by_kind(probe: &Probe<'_>) -> Option<&'static str> {
    code::reason(probe, &Shape::of(probe.value()))
        .or_else(|| company::is_test_vector(probe).then_some("a test vector of a cipher"))
}

/// Whether the value belongs to the address of a badge in a page.
fn is_badge(probe: &Probe<'_>) -> bool {
    contains_any_ci(probe.before(120), &["badge", ".svg?"]) && features::between(probe) == b"="
}

/// What manuals show: sample accounts and sample tokens.
fn of_manuals(probe: &Probe<'_>) -> Option<&'static str> {
    let value = probe.value();
    if value == b"tiger" && contains_ci(probe.before(features::REACH), b"scott") {
        return Some("the sample account of manuals");
    }
    let sample = value.starts_with(b"eyJ")
        && jwt::parse(value).is_ok_and(|token| token.harmless().is_some());
    sample.then_some("the token that manuals show")
}

fn by_name(text: &[u8], name: &Name) -> Option<&'static str> {
    if name.promise.is_none() {
        return Some("the name promises nothing");
    }
    if name.public {
        return Some("the name is that of a public key");
    }
    if contains_any_ci(text, &["websocket-key", "websocket_key"]) {
        return Some("a nonce of a handshake, which opens nothing");
    }
    if name.label {
        return Some("the name is that of a label or an error");
    }
    (name.tail == Tail::Thing).then_some("the name is that of an id, an address or a setting")
}

fn by_size(value: &[u8], name: &Name) -> Option<&'static str> {
    let shortest = match name.promise {
        Some(Promise::Password | Promise::Secret) => SHORTEST,
        Some(Promise::Token | Promise::Credential) => 5,
        // A plain `key` is most often that of a row or a map.
        Some(Promise::Key) if name.alone => 12,
        _ => 6,
    };
    if written(value) < shortest {
        return Some("too short for a secret");
    }
    let shape = Shape::of(value);
    let said = shape.digits + shape.upper + shape.lower + shape.other;
    (said == 0 && name.promise != Some(Promise::Secret) && name.promise != Some(Promise::Password))
        .then_some("no letters or digits")
}

/// How many characters are written, an escape such as `\xe5` or `&#229;` being one.
fn written(value: &[u8]) -> usize {
    if memchr::memchr2(b'\\', b'&', value).is_none() {
        return value.len();
    }
    let (mut count, mut at) = (0, 0);
    while at < value.len() {
        at += escape(&value[at..]).unwrap_or(1);
        count += 1;
    }
    count
}

/// How long the escape is that `text` starts with.
fn escape(text: &[u8]) -> Option<usize> {
    /// Of an entity with its sign and semicolon, such as `&hellip;`.
    const LONGEST: usize = 8;
    match text {
        [b'\\', b'x', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => Some(4),
        [b'\\', b'u', rest @ ..] => {
            let digits = rest.get(..4)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(6)
        }
        [b'&', rest @ ..] => {
            let end = memchr::memchr(b';', &rest[..rest.len().min(LONGEST)])?;
            let named = |b: &u8| b.is_ascii_alphanumeric() || *b == b'#';
            (end >= 2 && rest[..end].iter().all(named)).then_some(end + 2)
        }
        _ => None,
    }
}

fn by_place(probe: &Probe<'_>) -> Option<&'static str> {
    let place = probe.place;
    if place.generated {
        return Some("stands in a file that a tool wrote");
    }
    place.locale.then_some("stands among translations")
}

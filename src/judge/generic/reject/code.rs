//! Values that are code: calls, look-ups, members, types.

use super::prose;
use crate::judge::Probe;
use crate::judge::generic::features::{self, Shape};
use crate::judge::generic::name;
use crate::judge::place::Kind;
use crate::judge::structure::text::{is_one_of, starts_with_ci};

pub fn reason(probe: &Probe<'_>, shape: &Shape) -> Option<&'static str> {
    let value = probe.value();
    let has = |needle: &[u8]| memchr::memmem::find(value, needle).is_some();
    if has(b"()")
        || has(b"->")
        || has(b"::")
        || has(b"=>")
        || has(b"&&")
        || has(b"||")
        || has(b" + ")
    {
        return Some("an expression");
    }
    if is_call(value) {
        return Some("a call");
    }
    if is_inner(probe) {
        return Some("a part of something larger");
    }
    if is_minified(probe) {
        return Some("stands in minified code");
    }
    if probe.quoted {
        return looked_up(probe).then_some("is looked up elsewhere");
    }
    if shape.digits == 0 && is_member_access(value) {
        return Some("a member access");
    }
    // A bare word in a list of arguments ends at the comma.
    let member = value
        .strip_suffix(b",")
        .or_else(|| value.strip_suffix(b"+"));
    if member.is_some_and(is_member_access) {
        return Some("a member access");
    }
    let code = matches!(probe.place.kind, Kind::Code | Kind::Markup);
    let in_string = features::is_text(probe);
    if prose::is_in_prose(probe, shape) {
        return Some("a word of a sentence");
    }
    if code && !in_string && !in_comment(probe) && !features::is_command(probe) {
        return Some("an expression");
    }
    if !in_string && is_type(value) {
        return Some("a type");
    }
    None
}

/// Whether an object or a list of objects opens between name and value: the value is of another name.
fn is_inner(probe: &Probe<'_>) -> bool {
    let between = features::between(probe);
    let call = memchr::memchr2(b'(', b'[', between);
    !features::is_numbers(probe.value())
        && call.is_some_and(|at| {
            memchr::memchr(b'{', &between[at..]).is_some()
                && memchr::memchr(b':', &between[at..]).is_some()
        })
}

/// Whether the value stands in code without line ends, as tools write it.
fn is_minified(probe: &Probe<'_>) -> bool {
    const LONG: usize = 400;
    /// People put a space after every fourth character or so.
    const SPACES: usize = 8;
    /// JSON in a string has no spaces either, and no calls.
    const CALLS: usize = 4;
    let line = probe.line(LONG);
    let length = (line.end - line.start) as usize - probe.value().len();
    if probe.place.kind != Kind::Code || length < LONG {
        return false;
    }
    let (near, before) = (probe.before(80), probe.before(160));
    let spaces = |text: &[u8]| memchr::memchr_iter(b' ', text).count();
    let inside = probe.secret.start - line.start >= LONG as u32
        && line.end - probe.secret.end >= LONG as u32;
    inside && spaces(near) == 0
        || spaces(before) <= SPACES && before.iter().filter(|b| b"();=".contains(b)).count() > CALLS
}

/// `name(...)` at the start, or a call's end.
fn is_call(value: &[u8]) -> bool {
    let Some(open) = memchr::memchr(b'(', value) else {
        return false;
    };
    let callee = &value[..open];
    value.ends_with(b")")
        && callee.len() >= 2
        && callee
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_.".contains(b))
        && callee[0].is_ascii_alphabetic()
}

/// The only argument of a call that fetches what it names: `getenv("K")`, `config["k"]`.
fn looked_up(probe: &Probe<'_>) -> bool {
    let between = features::between(probe);
    let Some(open) = between.iter().rposition(|b| matches!(b, b'(' | b'[')) else {
        return false;
    };
    if memchr::memchr3(b',', b')', b']', &between[open..]).is_some() {
        return false;
    }
    // The name itself may be the call's: `setPassword("v")`.
    let start = between[..open]
        .iter()
        .rposition(|b| !(b.is_ascii_alphanumeric() || *b == b'_'))
        .map_or(0, |at| at + 1);
    let callee = &between[start..open];
    // `settings["k"]`; a list has nothing before its bracket.
    if between[open] == b'[' && !callee.is_empty() {
        return true;
    }
    const GETS: [&[u8]; 6] = [b"get_", b"fetch_", b"read_", b"load_", b"lookup_", b"find_"];
    let words = probe
        .value()
        .iter()
        .all(|b| b.is_ascii_lowercase() || b"_-.".contains(b));
    name::lists(callee) & name::FETCHER != 0
        || words && GETS.iter().any(|start| starts_with_ci(callee, start))
}

/// Whether the line is a comment up to the name, where code is quoted as text.
fn in_comment(probe: &Probe<'_>) -> bool {
    let line = probe.line(features::REACH);
    let head = probe.text[line.range()].trim_ascii_start();
    [&b"#"[..], b"//", b"*", b"--", b"<!--", b"/*"]
        .iter()
        .any(|mark| head.starts_with(mark))
}

fn is_type(value: &[u8]) -> bool {
    const TYPES: &[&str] = &[
        "string", "str", "int", "integer", "number", "bool", "boolean", "bytes", "byte", "object",
        "any", "char", "text", "varchar", "optional", "required", "void", "float", "double",
        "long", "array", "list", "map", "json", "binary", "password", "secret", "literal", "file",
        "date", "datetime",
    ];
    let value = value.strip_suffix(b"?").unwrap_or(value);
    is_one_of(value, TYPES)
}

pub fn is_member_access(value: &[u8]) -> bool {
    value.contains(&b'.') && value.split(|&b| b == b'.').all(is_identifier)
}

pub fn is_identifier(text: &[u8]) -> bool {
    text.first()
        .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
        && text.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

//! Values that cannot be secrets whatever their name says, each with a reason.

use smallvec::SmallVec;

use super::super::place::Kind;
use super::super::structure::jwt;
use super::super::structure::text::{
    base64, contains_any_ci, contains_ci, is_one_of, starts_with_ci,
};
use super::super::{Probe, reference};
use super::company;
use super::features::{self, Shape};
use super::name::{self, Name, Promise, Tail};
use super::words::Wording;

/// Why what is given to any name is no value, if it is none.
pub fn of_any(probe: &Probe<'_>) -> Option<&'static str> {
    template(probe.value())
        .or_else(|| company::reason(probe))
        .or_else(|| unfinished(probe))
        .or_else(|| code(probe, &Shape::of(probe.value())))
}

/// Why the value of an assignment is no secret, if it is none.
pub fn reason(probe: &Probe<'_>, name: &Name) -> Option<&'static str> {
    let value = probe.value();
    let shape = Shape::of(value);
    by_name(name)
        .or_else(|| by_size(value, name, &shape))
        .or_else(|| by_place(probe))
        .or_else(|| template(value))
        .or_else(|| company::reason(probe))
        .or_else(|| unfinished(probe))
        .or_else(|| code(probe, &shape))
        .or_else(|| address(value, &shape))
        .or_else(|| prose(value, name, &shape))
        .or_else(|| by_both(probe))
        .or_else(|| format(value))
        .or_else(|| company::is_test_vector(probe).then_some("a test vector of a cipher"))
        .or_else(|| is_badge(probe).then_some("the token of a badge, which is public"))
}

/// Whether the value belongs to the address of a badge in a page.
fn is_badge(probe: &Probe<'_>) -> bool {
    contains_any_ci(probe.before(120), &["badge", ".svg?"]) && features::between(probe) == b"="
}

fn by_name(name: &Name) -> Option<&'static str> {
    if name.promise.is_none() {
        return Some("the name promises nothing");
    }
    if name.public {
        return Some("the name is that of a public key");
    }
    if name.label {
        return Some("the name is that of a label or an error");
    }
    (name.tail == Tail::Thing).then_some("the name is that of an id, an address or a setting")
}

fn by_size(value: &[u8], name: &Name, shape: &Shape) -> Option<&'static str> {
    let shortest = match name.promise {
        Some(Promise::Password | Promise::Secret) => 4,
        Some(Promise::Token | Promise::Credential) => 5,
        // A plain `key` is most often that of a row or a map.
        Some(Promise::Key) if name.alone => 12,
        _ => 6,
    };
    if value.len() < shortest {
        return Some("too short for a secret");
    }
    let said = shape.digits + shape.upper + shape.lower + shape.other;
    (said == 0 && name.promise != Some(Promise::Secret) && name.promise != Some(Promise::Password))
        .then_some("no letters or digits")
}

fn by_place(probe: &Probe<'_>) -> Option<&'static str> {
    let place = probe.place;
    if place.generated {
        return Some("stands in a file that a tool wrote");
    }
    place.locale.then_some("stands among translations")
}

/// A value of which a part is left out, or comes from elsewhere.
fn unfinished(probe: &Probe<'_>) -> Option<&'static str> {
    let value = probe.value();
    if value.ends_with(b"...") {
        return Some("an ellipsis stands for the rest");
    }
    if is_cut_field(probe) {
        return Some("a template");
    }
    if matches!(value, [head @ .., b'_'] if head.iter().all(u8::is_ascii_alphabetic)) {
        return Some("a prefix without its rest");
    }
    // `prefix_<your key>` without quotes ends at the bracket, or at the space.
    let opened = memchr::memrchr(b'<', value).map(|at| &value[at + 1..]);
    let next = probe.after(2);
    let opened = opened.or_else(|| next.strip_prefix(b"<"));
    if opened.is_some_and(|word| word.iter().all(u8::is_ascii_alphabetic))
        && probe.after(40).contains(&b'>')
    {
        return Some("a placeholder");
    }
    let after = probe.after(8).trim_ascii_start();
    let added = [&b"\" +"[..], b"' +", b"\\\" +"]
        .iter()
        .any(|end| after.starts_with(end));
    let open_end = value.last().is_some_and(|b| b"-_.:/".contains(b));
    (added && open_end).then_some("put together when it runs")
}

/// Whether the value ends inside the field of a template, as a value without quotes does at the
/// bracket: `Password={name:16};`.
fn is_cut_field(probe: &Probe<'_>) -> bool {
    let value = probe.value();
    let Some(open) = memchr::memrchr(b'{', value) else {
        return false;
    };
    let field = &value[open + 1..];
    probe.after(1) == b"}"
        && field.first().is_some_and(u8::is_ascii_alphabetic)
        && field
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.:+|".contains(b))
}

/// Values that are no secret by names such as theirs.
fn by_both(probe: &Probe<'_>) -> Option<&'static str> {
    let (name, value) = (probe.name, probe.value());
    if contains_ci(name, b"websocket-key") || contains_ci(name, b"websocket_key") {
        return Some("a nonce of a handshake, which opens nothing");
    }
    let base32 = |b: &u8| b.is_ascii_uppercase() || (b'2'..=b'7').contains(b);
    // Five bits tell the kind of key, and the three after them are none of the key's.
    if contains_ci(name, b"nkey")
        && value.len() == 56
        && b"UAONCX".contains(&value[0])
        && (b'A'..=b'D').contains(&value[1])
        && value.iter().all(base32)
    {
        return Some("the public half of a key");
    }
    if value == b"tiger" && contains_ci(probe.before(features::REACH), b"scott") {
        return Some("the sample account of manuals");
    }
    if value.starts_with(b"eyJ") && jwt::parse(value).is_ok_and(|token| token.harmless().is_some())
    {
        return Some("the token that manuals show");
    }
    None
}

/// Text that is filled in later.
pub fn template(value: &[u8]) -> Option<&'static str> {
    let has = |needle: &[u8]| memchr::memmem::find(value, needle).is_some();
    if has(b"${")
        || has(b"{{")
        || has(b"$(")
        || has(b"#{")
        || has(b"<%")
        || has(b"%>")
        || has(b"[[")
    {
        return Some("a template");
    }
    let wrapped = |open: u8, close: u8| {
        let inner = memchr::memchr(open, value).map(|start| &value[start + 1..]);
        let inner = inner.and_then(|rest| Some(&rest[..memchr::memchr(close, rest)?]));
        inner.is_some_and(|inner| {
            inner
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b" _-.:+[]'\"|$".contains(b))
        })
    };
    if wrapped(b'{', b'}')
        || wrapped(b'<', b'>')
        || has(b"%s")
        || has(b"%d")
        || has(b"%v")
        || has(b"{}")
    {
        return Some("a template");
    }
    let variable = match value {
        [b'$', rest @ ..] => rest
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_.:>-[]'\"".contains(b)),
        [b'%', .., b'%'] => true,
        [b'@', rest @ ..] => rest
            .iter()
            .all(|b| b.is_ascii_alphabetic() || *b == b'_' || *b == b'.'),
        [b':', rest @ ..] => rest.iter().all(|b| b.is_ascii_alphabetic() || *b == b'_'),
        _ => false,
    };
    variable.then_some("a variable")
}

fn code(probe: &Probe<'_>, shape: &Shape) -> Option<&'static str> {
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
    if is_in_prose(probe, shape) {
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

/// Whether a bare word of letters after a colon goes on as a sentence does.
fn is_in_prose(probe: &Probe<'_>, shape: &Shape) -> bool {
    let plain = shape.lower == probe.value().len();
    let goes_on = matches!(probe.after(2), [b' ' | b',', b'a'..=b'z' | b' ', ..]);
    plain
        && goes_on
        && memchr::memchr(b':', features::between(probe)).is_some()
        && probe.place.kind != Kind::Config
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

fn is_member_access(value: &[u8]) -> bool {
    value.contains(&b'.') && value.split(|&b| b == b'.').all(is_identifier)
}

fn is_identifier(text: &[u8]) -> bool {
    text.first()
        .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
        && text.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

/// Paths, and addresses without a password.
fn address(value: &[u8], shape: &Shape) -> Option<&'static str> {
    if memchr::memmem::find(value, b"://").is_some() {
        return Some("an address");
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

/// Sentences, labels and whatever else is written for people.
fn prose(value: &[u8], name: &Name, shape: &Shape) -> Option<&'static str> {
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

/// Values with a form of their own that is no secret's.
fn format(value: &[u8]) -> Option<&'static str> {
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
    if is_number_or_version(value) {
        return Some("a number");
    }
    if value.ends_with(b"/aws4_request") {
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
        && Wording::of(&text).dummy > 0.8
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

//! What stands beside a name and a value and shows that the value is another thing's: the next key
//! of an object, an element of a list, an argument of its own, a vector of a cipher's test.

use bstr::ByteSlice;

use super::super::Probe;
use super::super::place::Kind;
use super::super::structure::text::is_one_of;
use super::features::{self, FARTHEST};
use super::name::{self, Promise};
use super::reject;

/// Why what is given to any name is not the name's, if it is another's.
pub fn reason(probe: &Probe<'_>) -> Option<&'static str> {
    let between = features::between(probe);
    if is_path(probe, between) {
        return Some("the name is that of a file");
    }
    if between.first() == Some(&b'}') && byte_before_name(probe) == Some(b'{') {
        return Some("the name is a field of a template");
    }
    if is_next_key(probe, between) {
        return Some("is the next key of an object");
    }
    if is_hash_beside_its_source(probe, between) {
        return Some("is a hash beside what it is the hash of");
    }
    if is_element(probe, between) {
        return Some("is an element of a list");
    }
    if probe.quoted && is_other_argument(between) {
        return Some("is an argument with a name of its own");
    }
    is_option_in_prose(probe, between).then_some("a word of a sentence")
}

fn byte_before_name(probe: &Probe<'_>) -> Option<u8> {
    let at = (probe.matched.start as usize).checked_sub(1)?;
    (at >= probe.stretch.start as usize).then(|| probe.text[at])
}

/// Whether the name is the last part of a path: `"src/token.rs": "1f..."`.
fn is_path(probe: &Probe<'_>, between: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', probe.name) else {
        return false;
    };
    let ending = &probe.name[dot + 1..];
    byte_before_name(probe) == Some(b'/')
        && matches!(between.first(), Some(b'"' | b'\'' | b'`' | b':'))
        && ((1..=4).contains(&ending.len()) && ending.iter().all(u8::is_ascii_alphanumeric))
}

/// Whether name and value are neighbours with a comma between and the value is a key itself:
/// `"shape": "Password", "documentation": "..."`.
fn is_next_key(probe: &Probe<'_>, between: &[u8]) -> bool {
    let pair = between
        .trim_ascii_start()
        .trim_start_with(|b| matches!(b, '"' | '\'' | '\\'))
        .starts_with(b",");
    let after = probe.after(24);
    let closing = after.trim_start_with(|b| matches!(b, '"' | '\'' | '\\'));
    pair && closing.len() < after.len() && closing.trim_ascii_start().starts_with(b":")
}

/// Whether name and value are a pair in brackets of no call, and the value is hexadecimal, or one
/// of a table of such: `("password", "5f4d...")` is a line of a table of hashes.
fn is_hash_beside_its_source(probe: &Probe<'_>, between: &[u8]) -> bool {
    // The name may be the last word of the text that was hashed.
    let before = probe.text[..probe.matched.start as usize]
        .trim_end_with(|b| b.is_ascii_alphabetic() || b == ' ')
        .trim_end_with(|b| matches!(b, '"' | '\'' | 'b'));
    let Some(before) = before.strip_suffix(b"(") else {
        return false;
    };
    let glue = |b: &u8| matches!(b, b'"' | b'\'' | b',' | b'b' | b' ');
    let value = probe.value();
    let hex = value.len() >= 16 && value.iter().all(u8::is_ascii_hexdigit);
    between.iter().all(glue)
        && memchr::memchr(b',', between).is_some()
        && !before
            .last()
            .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
        && (hex || is_in_table_of_hashes(probe))
}

/// Whether the value looks as crypt(3) writes hashes, the name is one word for a password, and
/// the line above or below pairs another text, which names nothing, with a hash.
fn is_in_table_of_hashes(probe: &Probe<'_>) -> bool {
    let name = name::read(probe.name);
    let password = name.alone && name.promise == Some(Promise::Password);
    if !password || !looks_hashed(probe.value()) {
        return false;
    }
    let (before, after) = (probe.before(features::REACH), probe.after(features::REACH));
    let above = before.rsplit(|b| *b == b'\n').nth(1);
    let below = after.split(|b| *b == b'\n').nth(1);
    [above, below].into_iter().flatten().any(is_pair_with_hash)
}

/// `("a text", "its hash")`, where the text is no name with a value.
fn is_pair_with_hash(line: &[u8]) -> bool {
    let mut texts = line.split(|b| matches!(b, b'"' | b'\''));
    let (Some(open), Some(text), Some(_), Some(hash)) =
        (texts.next(), texts.next(), texts.next(), texts.next())
    else {
        return false;
    };
    let mut words = text.split(|b| !b.is_ascii_alphanumeric());
    let names = !text.contains(&b' ')
        && words.any(|word| name::lists(word) & (name::THING | name::EXACT) != 0);
    open.trim_ascii().starts_with(b"(") && !names && looks_hashed(hash)
}

/// Whether `value` is of a length and of characters that crypt(3) and its kin write.
fn looks_hashed(value: &[u8]) -> bool {
    const SHORTEST: usize = 13;
    let has = |class: fn(&u8) -> bool| value.iter().any(class);
    value.len() >= SHORTEST
        && value.iter().all(|b| reject::is_crypt(*b))
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
}

/// Whether name and value are two lines of a list with one element a line.
fn is_element(probe: &Probe<'_>, between: &[u8]) -> bool {
    let glue = |b: &u8| matches!(b, b'"' | b'\'' | b',' | b'b' | b' ' | b'\t' | b'\r' | b'\n');
    if memchr::memchr(b'\n', between).is_none()
        || memchr::memchr(b',', between).is_none()
        || !between.iter().all(glue)
        || probe.name.starts_with(b"-")
    {
        return false;
    }
    // Nothing but the opening quote stands before the name on its line, and the line before ends
    // as one of a list does; a call's would end in its bracket.
    let start = probe.matched.start as usize;
    let before = &probe.text[start
        .saturating_sub(features::REACH)
        .max(probe.stretch.start as usize)..start];
    let line = memchr::memrchr(b'\n', before);
    let head = &before[line.map_or(0, |at| at + 1)..];
    let above = before[..line.unwrap_or(0)].trim_ascii_end();
    line.is_some()
        && head.trim_ascii().len() <= 2
        && above
            .last()
            .is_some_and(|b| matches!(b, b',' | b'[' | b'{'))
}

/// Whether a call stands around the value and gives it to a parameter that is named otherwise:
/// `password = unquote(text, errors="strict")`.
fn is_other_argument(between: &[u8]) -> bool {
    const VALUES: &[&str] = &[
        "default", "fallback", "initial", "string", "object", "input",
    ];
    let Some(open) = memchr::memchr(b'(', between) else {
        return false;
    };
    let inner = between[open + 1..].trim_ascii_end();
    let inner = inner.trim_end_with(|b| matches!(b, '"' | '\'' | 'b' | 'r' | 'f' | 'u'));
    let Some(inner) = inner.trim_ascii_end().strip_suffix(b"=") else {
        return false;
    };
    let inner = inner.trim_ascii_end();
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let start = inner
        .iter()
        .rposition(|b| !is_part(b))
        .map_or(0, |at| at + 1);
    let parameter = &inner[start..];
    !parameter.is_empty()
        && start > 0
        && matches!(inner[start - 1], b'(' | b',' | b' ' | b'\n')
        && !is_one_of(parameter, VALUES)
        && name::lists(parameter) & name::SAME == 0
        && name::read(parameter).promise.is_none()
}

/// Whether an option of a command is spoken of: ``the `--password` option``.
fn is_option_in_prose(probe: &Probe<'_>, between: &[u8]) -> bool {
    probe.name.starts_with(b"-")
        && !probe.quoted
        && between.first() == Some(&b'`')
        && probe.value().iter().all(u8::is_ascii_lowercase)
}

/// Whether the value is one of the test vectors of a cipher, which are published: it is bytes in
/// hexadecimal, and what goes in and comes out stands beside it, line by line, as bytes too.
pub fn is_test_vector(probe: &Probe<'_>) -> bool {
    const FIELDS: &[&str] = &[
        "plaintext",
        "plain",
        "pt",
        "ciphertext",
        "cipher",
        "ct",
        "aad",
        "assoc",
        "ad",
        "tag",
        "mac",
        "msg",
        "message",
        "input",
        "output",
        "digest",
        "result",
        "expected",
        "out",
        "in",
        "data",
    ];
    let bytes = |value: &[u8]| value.len() >= 16 && value.iter().all(u8::is_ascii_hexdigit);
    if !bytes(probe.value()) || probe.place.kind == Kind::Config {
        return false;
    }
    let holds = |line: &&[u8]| {
        let line = line
            .trim_ascii()
            .trim_start_with(|b| matches!(b, '"' | '\'' | '.' | '-'));
        let line = after_declaration(line);
        let len = line
            .iter()
            .take_while(|b| b.is_ascii_alphabetic() || **b == b'_')
            .count();
        let (field, rest) = line.split_at(len);
        let rest = rest.trim_start_with(|b| matches!(b, '"' | '\'' | ' ' | '\t'));
        let given = matches!(rest.first(), Some(b':' | b'='));
        given && is_one_of(field, FIELDS) && is_bytes(&rest[1..])
    };
    let before = probe.before(FARTHEST);
    let after = probe.after(FARTHEST);
    let lines = before.split(|b| *b == b'\n').rev().skip(1).take(6);
    let lines = lines.chain(after.split(|b| *b == b'\n').skip(1).take(6));
    lines.filter(holds).take(2).count() == 2
}

/// `line` without the words that declare a variable: `let mut pt = ...` gives `pt = ...`.
fn after_declaration(line: &[u8]) -> &[u8] {
    const WORDS: &[&str] = &[
        "let",
        "mut",
        "const",
        "static",
        "final",
        "var",
        "val",
        "auto",
        "my",
        "string",
        "std::string",
    ];
    let mut rest = line;
    while let Some(end) = memchr::memchr(b' ', rest).filter(|end| is_one_of(&rest[..*end], WORDS)) {
        rest = rest[end..].trim_ascii_start();
    }
    rest
}

/// Whether nothing but bytes in hexadecimal is given, in quotes or a call or neither.
fn is_bytes(given: &[u8]) -> bool {
    const EMPTY: [&[u8]; 3] = [b"\"\"", b"''", b"(\"\")"];
    let hex = given
        .split(|b| !b.is_ascii_alphanumeric())
        .any(|word| word.len() >= 16 && word.iter().all(u8::is_ascii_hexdigit));
    // The bytes may stand on the next line.
    let opens =
        given.trim_ascii_end().ends_with(b"(") && memchr::memmem::find(given, b"hex").is_some();
    hex || opens
        || given.len() < 24
            && EMPTY
                .iter()
                .any(|empty| memchr::memmem::find(given, empty).is_some())
}

//! Values that stand for a secret without being one.
//!
//! A word list alone would drop real keys: four given letters turn up by chance in one of some
//! hundred thousand random keys, in any case. So a short word counts only where it stands as a
//! word, and only long words count anywhere. Runs and sequences count by their share of the value.

use aho_corasick::{AhoCorasick, MatchKind};

/// Longer values are files or blocks, which the words of a short value say nothing about.
const LONGEST: usize = 256;
/// From this length on, a value that ends in the mark of manuals was made up for one.
const LONG: usize = 24;
/// The mark of manuals counts in longer tokens too: seven given capitals never turn up by chance.
const LONGEST_TOKEN: usize = 4096;

/// Decides whether a value is a placeholder. Built once and shared.
pub struct Placeholders {
    words: AhoCorasick,
}

/// Where a word must stand to count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// Long enough never to turn up by chance.
    Anywhere,
    /// With no letter or digit of its own kind on either side.
    Alone,
    /// At the start of the value or of a word.
    Leading,
}

const WORDS: &[(&str, Where)] = &[
    ("placeholder", Where::Anywhere),
    ("changeme", Where::Anywhere),
    ("change_me", Where::Anywhere),
    ("change-me", Where::Anywhere),
    ("change me", Where::Anywhere),
    ("changeit", Where::Anywhere),
    ("change-this", Where::Anywhere),
    ("change_this", Where::Anywhere),
    ("replaceme", Where::Anywhere),
    ("replace_me", Where::Anywhere),
    ("replace-me", Where::Anywhere),
    ("replace_with", Where::Anywhere),
    ("replace-with", Where::Anywhere),
    ("redacted", Where::Anywhere),
    ("sanitized", Where::Anywhere),
    ("sensitive value", Where::Anywhere),
    ("sas_key_value", Where::Anywhere),
    ("notreal", Where::Anywhere),
    ("notareal", Where::Anywhere),
    ("not-a-real", Where::Anywhere),
    ("not_a_real", Where::Anywhere),
    ("insert_your", Where::Anywhere),
    ("insert-your", Where::Anywhere),
    ("insertyour", Where::Anywhere),
    ("enter_your", Where::Anywhere),
    ("enter-your", Where::Anywhere),
    ("your_api", Where::Anywhere),
    ("your-api", Where::Anywhere),
    ("yourapikey", Where::Anywhere),
    ("yourpassword", Where::Anywhere),
    ("yoursecret", Where::Anywhere),
    ("your_password", Where::Anywhere),
    ("your-password", Where::Anywhere),
    ("examplekey", Where::Anywhere),
    ("example_key", Where::Anywhere),
    ("example-key", Where::Anywhere),
    ("example", Where::Alone),
    ("insert", Where::Alone),
    ("replace", Where::Alone),
    ("dummy", Where::Alone),
    ("sample", Where::Alone),
    ("fake", Where::Alone),
    ("todo", Where::Alone),
    ("fixme", Where::Alone),
    ("masked", Where::Alone),
    ("hidden", Where::Alone),
    ("removed", Where::Alone),
    ("omitted", Where::Alone),
    ("scrubbed", Where::Alone),
    ("obfuscated", Where::Alone),
    ("your", Where::Leading),
    ("my-", Where::Leading),
    ("my_", Where::Leading),
    ("the-", Where::Leading),
    ("some-", Where::Leading),
    ("some_", Where::Leading),
];

/// Words that a value made of two or more of them, after `my-` or `some_`, is a description of.
const DESCRIBING: &[&str] = &[
    "key", "secret", "token", "password", "account", "value", "here",
];

impl Default for Placeholders {
    fn default() -> Self {
        Self::new()
    }
}

impl Placeholders {
    pub fn new() -> Self {
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(WORDS.iter().map(|(word, _)| word))
            .expect("the list is short and fixed");
        Self { words }
    }

    /// Why `value` is a placeholder or a template rather than a secret, if it is.
    pub fn reason(&self, value: &[u8]) -> Option<&'static str> {
        let value = value.trim_ascii();
        if is_nothing(value) {
            return Some("is empty or says that there is no value");
        }
        let marked = memchr::memmem::find(value, b"EXAMPLE").is_some()
            || value.len() >= LONG && value.ends_with(b"example");
        if value.len() <= LONGEST_TOKEN && marked {
            return Some("is marked as an example");
        }
        if value.len() <= LONGEST_TOKEN && has_row(value, b'X', 8) {
            return Some("is masked");
        }
        if value.len() > LONGEST {
            return None;
        }
        if is_template(value) {
            return Some("is filled in from elsewhere");
        }
        if is_mask(value) {
            return Some("is masked");
        }
        if self.has_word(value) {
            return Some("is a placeholder");
        }
        repeats(value)
    }

    fn has_word(&self, value: &[u8]) -> bool {
        self.words.find_iter(value).any(|found| {
            let (start, end) = (found.start(), found.end());
            match WORDS[found.pattern().as_usize()].1 {
                Where::Anywhere => true,
                Where::Alone => starts_word(value, start) && ends_word(value, end),
                Where::Leading if value[start..end].len() == 4 => {
                    start == 0 && ends_word(value, end)
                }
                Where::Leading => start == 0 && describes(value),
            }
        })
    }
}

/// Whether a value like `my-secret-key` is made of plain words with one that describes it.
fn describes(value: &[u8]) -> bool {
    let mut words = value.split(|b| matches!(b, b'-' | b'_' | b' '));
    let plain = value
        .iter()
        .all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_' | b' '));
    plain && words.any(|word| super::structure::text::is_one_of(word, DESCRIBING))
}

/// Whether a word starts at `at`: after no letter or digit, or in `camelCase`.
fn starts_word(value: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|b| value.get(b)) else {
        return true;
    };
    if !before.is_ascii_alphanumeric() {
        return !matches!(before, b'+' | b'/');
    }
    before.is_ascii_lowercase() && is_title(value, at)
}

/// Whether a word ends before `at`: no letter or digit follows, or a new word in `camelCase`.
fn ends_word(value: &[u8], at: usize) -> bool {
    let Some(after) = value.get(at) else {
        return true;
    };
    if !after.is_ascii_alphanumeric() {
        return !matches!(after, b'+' | b'/');
    }
    let last = value[at - 1];
    last.is_ascii_lowercase() && is_title(value, at)
}

/// Whether a capitalised word of at least three letters starts at `at`.
fn is_title(value: &[u8], at: usize) -> bool {
    matches!(value.get(at..at + 3), Some([a, b, c])
        if a.is_ascii_uppercase() && b.is_ascii_lowercase() && c.is_ascii_lowercase())
}

fn is_nothing(value: &[u8]) -> bool {
    const NOTHING: &[&str] = &[
        "",
        "none",
        "null",
        "nil",
        "nan",
        "true",
        "false",
        "undefined",
        "empty",
        "n/a",
        "na",
        "tbd",
        "unknown",
        "unset",
        "default",
        "string",
        "str",
        "optional",
        "required",
        "nullptr",
    ];
    super::structure::text::is_one_of(value, NOTHING)
}

/// Whether a tool fills the value in: all of it, or a named piece of it.
fn is_template(value: &[u8]) -> bool {
    let wraps: &[(&[u8], &[u8])] = &[
        (b"${", b"}"),
        (b"$(", b")"),
        (b"{{", b"}}"),
        (b"#{", b"}"),
        (b"<%", b"%>"),
        (b"<", b">"),
        (b"{", b"}"),
        (b"%(", b")s"),
        (b"__", b"__"),
        (b"@@", b"@@"),
    ];
    // A random key may begin and end with underscores; a name is in one case.
    let both_cases =
        value.iter().any(u8::is_ascii_lowercase) && value.iter().any(u8::is_ascii_uppercase);
    if wraps.iter().any(|(open, close)| {
        value.len() > open.len() + close.len()
            && value.starts_with(open)
            && value.ends_with(close)
            && !(*open == b"__" && both_cases)
    }) {
        return true;
    }
    starts_ci(value, b"@microsoft.keyvault(")
        || is_variable(value)
        || has_fields(value)
        || [
            (&b"${"[..], b'}'),
            (b"$(", b')'),
            (b"{{", b'}'),
            (b"#{", b'}'),
            (b"<", b'>'),
        ]
        .iter()
        .any(|(open, close)| has_named_piece(value, open, *close))
}

/// Whether a format string's fields stand in the value: two of them, or one that a `key=` is given,
/// as in `host={host};key={key}`. A password may have braces; it has no two names in them.
fn has_fields(value: &[u8]) -> bool {
    let is_part = |b: &u8| b.is_ascii_lowercase() || *b == b'_';
    let fields = memchr::memchr_iter(b'{', value).filter_map(|at| {
        let inner = &value[at + 1..];
        let end = memchr::memchr(b'}', inner)?;
        let named = end > 0 && inner[..end].iter().all(is_part);
        named.then_some((at, at + end + 2))
    });
    let (mut count, mut given) = (0, false);
    for (start, end) in fields {
        count += 1;
        given |= end == value.len() && value[..start].ends_with(b"=");
    }
    count >= 2 || given
}

fn starts_ci(value: &[u8], prefix: &[u8]) -> bool {
    super::structure::text::starts_with_ci(value, prefix)
}

/// `$NAME`, `$env:NAME`, `%NAME%`, `%s`.
fn is_variable(value: &[u8]) -> bool {
    let is_name = |name: &[u8]| {
        name.first()
            .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
            && name
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'.'))
    };
    match value {
        [b'$', name @ ..] => {
            // A password may well start with a dollar sign; a variable reads like a name.
            let plain =
                !name.iter().any(u8::is_ascii_digit) || memchr::memchr(b'_', name).is_some();
            is_name(name) && plain
        }
        [b'%', name @ .., b'%'] => is_name(name),
        b"%s" | b"%d" | b"%v" | b"%r" | b"{}" | b"?" => true,
        _ => false,
    }
}

/// Whether `open`, a name of three letters or more, and `close` stand in the value.
fn has_named_piece(value: &[u8], open: &[u8], close: u8) -> bool {
    let Some(at) = memchr::memmem::find(value, open) else {
        return false;
    };
    let inner = &value[at + open.len()..];
    let Some(end) = memchr::memchr(close, inner) else {
        return false;
    };
    let name = inner[..end].trim_ascii();
    name.len() >= 3
        && name[0].is_ascii_alphabetic()
        && name
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_-. :/".contains(b))
}

/// `***`, `....`, `xxxx`, bullets.
fn is_mask(value: &[u8]) -> bool {
    if memchr::memmem::find(value, b"***").is_some() || value.iter().all(|b| *b == b'*') {
        return true;
    }
    if value.starts_with(b"...") || value.ends_with(b"...") || value.ends_with("…".as_bytes()) {
        return true;
    }
    if memchr::memmem::find(value, "••".as_bytes()).is_some() {
        return true;
    }
    if has_row(value, b'x', 6) || has_row(value, b'X', 6) {
        return true;
    }
    let x = value.iter().filter(|b| matches!(b, b'x' | b'X')).count();
    if x * 2 >= value.len() && x >= 3 {
        return true;
    }
    has_x_word(value)
}

/// Whether `byte` stands in the value so many times in a row.
fn has_row(value: &[u8], byte: u8, count: usize) -> bool {
    let starts = memchr::memchr_iter(byte, value);
    let mut rows = starts.filter_map(|at| value.get(at..at + count));
    rows.any(|row| row.iter().all(|b| *b == byte))
}

/// Whether a row of four or more `x` stands as a word of its own.
fn has_x_word(value: &[u8]) -> bool {
    value
        .split(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'+' | b'/'))
        .any(|word| word.len() >= 4 && word.iter().all(|b| matches!(b, b'x' | b'X')))
}

/// Values that repeat or count: one character, a short unit, `123456`, `abcdef`.
fn repeats(value: &[u8]) -> Option<&'static str> {
    // Separators and padding aside, so that a GUID of zeros counts as one.
    let mut plain = [0u8; LONGEST];
    let mut len = 0;
    for &byte in value
        .iter()
        .filter(|b| !matches!(b, b'-' | b'_' | b'=' | b' ' | b':'))
    {
        let slot = plain.get_mut(len)?;
        *slot = byte;
        len += 1;
    }
    let plain = &plain[..len];
    let longest = longest_run(plain);
    if len >= 3 && longest == len {
        return Some("is one character again and again");
    }
    if len >= 5 && longest * 3 >= len * 2 {
        return Some("is mostly one character");
    }
    if len < 6 {
        return None;
    }
    if longest >= 8.max(len / 2) {
        return Some("is mostly one character");
    }
    if counted(plain) * 5 >= (len - 1) * 3 {
        return Some("is a sequence");
    }
    (1..=(len / 2).min(16))
        .any(|unit| {
            let times = len / unit;
            (times >= 3 || len >= 16) && plain.iter().zip(&plain[unit..]).all(|(a, b)| a == b)
        })
        .then_some("repeats a short piece")
}

fn longest_run(value: &[u8]) -> usize {
    value
        .chunk_by(|a, b| a == b)
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0)
}

/// How many steps from one character to the next lie in rows of at least four that count up or
/// down, as in `2345`, `fghi`, `90ab` or `4321`.
fn counted(value: &[u8]) -> usize {
    let rows = |next: fn(u8, u8) -> bool| -> usize {
        value
            .chunk_by(|a, b| next(*a, *b))
            .map(|row| row.len() - 1)
            .filter(|steps| *steps >= 3)
            .sum()
    };
    let up = |a: u8, b: u8| {
        let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
        a.checked_add(1) == Some(b) && b.is_ascii_alphanumeric()
            || matches!(
                (a, b),
                (b'9', b'0' | b'a') | (b'0', b'a') | (b'z', b'a' | b'0' | b'1')
            )
            || matches!((a, b), (b'f', b'0'))
    };
    let down = |a: u8, b: u8| b.checked_add(1) == Some(a) && b.is_ascii_alphanumeric();
    rows(up) + rows(down)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn placeholders_are_seen() {
        let list = Placeholders::new();
        for value in [
            "",
            " ",
            "None",
            "null",
            "true",
            "undefined",
            "${API_KEY}",
            "$(secret)",
            "{{ token }}",
            "<your key>",
            "%PASSWORD%",
            "$DB_PASSWORD",
            "$env:KEY",
            "#{Token}#",
            "{password}",
            "@Microsoft.KeyVault(SecretUri=https://v)",
            "prefix-${NAME}-x",
            "${{ secrets.X }}",
            "AccountKey<account-key>",
            "Endpoint=sb://{host}.servicebus.windows.net/;SharedAccessKey={key}",
            "SharedAccessKey={s}",
            "your-api-key",
            "YOUR_KEY_HERE",
            "yourKeyHere",
            "my-secret-key",
            "my_api_token",
            "some_password",
            "example-token",
            "ExampleKey",
            "changeme",
            "ChangeMe123",
            "REPLACE_WITH_KEY",
            "replace-me",
            "sk-placeholder-0",
            "dummy",
            "dummy-key-1",
            "fakeToken",
            "sample_token",
            "todo",
            "[REDACTED]",
            "[masked]",
            "(sensitive value)",
            "***",
            "ab***yz",
            "abcd...",
            "...",
            "xxxxxxxx",
            "ghp_xxxxxxxxxxxxxxxx",
            "sk-XXXX-1234",
            "aaaaaaaaaa",
            "00000000-0000-0000-0000-000000000000",
            "1234567890abcdef",
            "abcdefghij",
            "87654321",
            "1234567890ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "abcabcabc",
            "deadbeefdeadbeef",
            "SAS_KEY_VALUE",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH",
            "••••••",
        ] {
            assert!(list.reason(value.as_bytes()).is_some(), "{value:?} passed");
        }
    }

    #[test]
    fn real_looking_values_pass() {
        let list = Placeholders::new();
        for value in [
            "tiger77!",
            "Summer2019!",
            "$ecr3tPa55",
            "a<b>c9Kd",
            "p%40ss",
            "Tr0ub4dor&3",
            "hunter2",
            "kX3example9Qz",
            "K7xxxxQ2mB9+TfakeR4w8Zq1L",
            "q/todo+9fB2",
            "myDogRexIs12",
            "correct-horse-battery",
            "A1b2C3d4E5f6",
        ] {
            assert_eq!(list.reason(value.as_bytes()), None, "{value:?} dropped");
        }
    }

    proptest! {
        /// Random keys pass. The longer words may in theory turn up in one, with odds that no run
        /// of this test will meet.
        #[test]
        fn random_keys_pass(key in "[A-Za-z0-9+/]{40}", hex in "[0-9a-f]{32}", url in "[A-Za-z0-9_-]{43}") {
            let list = Placeholders::new();
            prop_assert_eq!(list.reason(key.as_bytes()), None);
            prop_assert_eq!(list.reason(hex.as_bytes()), None);
            prop_assert_eq!(list.reason(url.as_bytes()), None);
        }

        #[test]
        fn any_bytes_are_fine(value in proptest::collection::vec(any::<u8>(), 0..300)) {
            Placeholders::new().reason(&value);
        }
    }
}

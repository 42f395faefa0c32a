//! The grammar of assignments: from a word in a name to the values that the name is given.
//!
//! A name near a value is written in a few dozen ways (`k = "v"`, `"k": "v"`, `os.environ["k"] =
//! 'v'`, `getenv("k", "v")`, `setK("v")`, `--k v`, `export K=v`, `<k>v</k>`, `key="k" value="v"`,
//! `k == "v"`, `k: str = "v"`), and all of them are: a name, closing signs, a separator, perhaps a
//! wrapper, a value. The reader walks exactly that once, forward, and knows no language.
//! Whether the value can be a secret is the judge's business.
//!
//! What is found depends on the text from [`LONGEST_NAME`] bytes before the keyword to
//! [`REACH`] bytes after it, within one stretch, and on nothing else: a sweep over changed text
//! need not read more. Mostly it depends on much less, which [`Found::read`] tells.

mod reader;
#[cfg(test)]
mod tests;

use smallvec::SmallVec;

use crate::span::ViewSpan;
use reader::Reader;

/// What stands around a keyword.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The whole name that the keyword is part of.
    pub name: ViewSpan,
    pub values: SmallVec<[Assigned; 1]>,
    /// What all this depends on.
    pub read: ViewSpan,
}

/// A value given to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned {
    pub value: ViewSpan,
    /// Whether quotes or tags delimit the value.
    pub quoted: bool,
}

/// How far a name may stretch from its keyword to either side.
pub const LONGEST_NAME: usize = 64;
/// The longest start of a word that a keyword may be the end of, and of what before a name says whether it
/// is one: its scope, or the signs that end the text there.
pub const LONGEST_OTHER: usize = 8;
/// How far behind its keyword a value may end.
pub const REACH: usize = 1024;

/// Reads the name around `keyword` and what it is given. The keyword may end in signs that follow
/// a name (`key=`): they make a short word rare enough to look for, and belong to no name.
pub fn read(text: &[u8], stretch: ViewSpan, keyword: ViewSpan) -> Found {
    let keyword = without_signs(text, keyword);
    let mut found = Found {
        name: keyword,
        values: SmallVec::new(),
        read: around(keyword),
    };
    if !is_word(text, stretch, keyword) {
        return found;
    }
    found.name = name_around(text, stretch, keyword);
    found.read = around(found.name);
    let before = text[stretch.start as usize..found.name.start as usize].last();
    let after = &text[found.name.end as usize..stretch.end as usize];
    let start = &text[..found.name.start as usize];
    if before == Some(&b':') && !is_scope(start) || after.starts_with(b"::") {
        // A part of a longer name: `Token::new("v")`, `arn:aws:secret:x`.
        return found;
    }
    let end = (stretch.end as usize).min(keyword.end as usize + REACH);
    let reader = Reader::new(&text[..end], found.name);
    let (values, end) = reader.read(before.copied());
    found.values = values;
    found.read.end = found.read.end.max(end as u32);
    found
}

/// Whether the text before a name says where PowerShell keeps the variable: `$env:NAME`.
fn is_scope(before: &[u8]) -> bool {
    const SCOPES: [&[u8]; 5] = [b"$env:", b"$global:", b"$script:", b"$local:", b"$using:"];
    SCOPES.iter().any(|scope| {
        let start = before.len().saturating_sub(scope.len());
        before[start..].eq_ignore_ascii_case(scope)
    })
}

/// A name with what decides where it starts and ends.
fn around(name: ViewSpan) -> ViewSpan {
    ViewSpan {
        start: name.start.saturating_sub(LONGEST_OTHER as u32),
        end: name.end + reader::AHEAD as u32,
    }
}

fn without_signs(text: &[u8], keyword: ViewSpan) -> ViewSpan {
    let word = &text[keyword.range()];
    let is_part = |b: &u8| b.is_ascii_alphanumeric();
    let first = word.iter().position(is_part).unwrap_or(0);
    let last = word
        .iter()
        .rposition(is_part)
        .map_or(word.len(), |at| at + 1);
    let start = keyword.start as usize;
    ViewSpan::new(start + first, start + last)
}

/// Whether the keyword is a word of its name: `tokenizer` and `tiktoken` speak of no token, and
/// `monkey` of no key. Before most words any prefix is fine, as in `dbpassword`.
fn is_word(text: &[u8], stretch: ViewSpan, keyword: ViewSpan) -> bool {
    let word = &text[keyword.range()];
    let lower = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_lowercase);
    let upper = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_uppercase);
    let after = &text[keyword.end as usize..stretch.end as usize];
    let goes_on = |same: fn(Option<&u8>) -> bool| same(word.last()) && same(after.first());
    let plural = matches!(after.first(), Some(b's' | b'S'))
        && !after.get(1).is_some_and(u8::is_ascii_alphabetic);
    if (goes_on(lower) || goes_on(upper)) && !plural {
        return false;
    }
    let before = &text[stretch.start as usize..keyword.start as usize];
    let joined =
        lower(before.last()) && lower(word.first()) || upper(before.last()) && upper(word.first());
    !joined || !ends_other_word(before, word)
}

/// Whether `word` after `before` is the end of another word: `monkey`, `bypass`.
fn ends_other_word(before: &[u8], word: &[u8]) -> bool {
    const OTHERS: [(&[u8], &[&[u8]]); 6] = [
        (
            b"key",
            &[
                b"mon", b"don", b"tur", b"hoc", b"joc", b"whis", b"hot", b"smo", b"lac", b"dic",
                b"mic",
            ],
        ),
        (
            b"pass",
            &[b"by", b"com", b"tres", b"sur", b"im", b"over", b"under"],
        ),
        (b"token", &[b"tik", b"be"]),
        (b"salt", &[b"ba", b"as"]),
        (b"nonce", &[b"an", b"pro", b"de"]),
        (b"pw", &[b"u", b"e", b"o"]),
    ];
    let ends_in = |start: &&[u8]| {
        before.len() >= start.len()
            && before[before.len() - start.len()..].eq_ignore_ascii_case(start)
    };
    OTHERS
        .iter()
        .any(|(end, starts)| end.eq_ignore_ascii_case(word) && starts.iter().any(ends_in))
}

fn name_around(text: &[u8], stretch: ViewSpan, keyword: ViewSpan) -> ViewSpan {
    let (start, end) = (keyword.start as usize, keyword.end as usize);
    let before = &text[stretch.start as usize..start];
    let after = &text[end..stretch.end as usize];
    let left = before.iter().rev().take(LONGEST_NAME);
    let left = left.take_while(|&&b| is_name(b)).count();
    let right = after
        .iter()
        .take(LONGEST_NAME)
        .take_while(|&&b| is_name(b))
        .count();
    let mut end = end + right;
    while end > keyword.end as usize && matches!(text[end - 1], b'.' | b'-') {
        end -= 1;
    }
    // The `n` of `"a\npassword: x"` is an escape's.
    let mut first = start - left;
    if left > 1
        && matches!(text[first], b'n' | b't' | b'r')
        && before.len() > left
        && before[before.len() - left - 1] == b'\\'
    {
        first += 1;
    }
    ViewSpan::new(first, end)
}

pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$')
}

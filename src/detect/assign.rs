//! The grammar of assignments: from a word in a name to the value that the name is given.
//!
//! A name near a value is written in a few dozen ways (`k = "v"`, `"k": "v"`, `os.environ["k"] =
//! 'v'`, `getenv("k", "v")`, `set("k", "v")`, `--k v`, `export K=v`, `<k>v</k>`, `key="k" value="v"`,
//! `k: str = "v"`), and all of them are: a name, closing signs, a separator, perhaps a wrapper, a
//! value. The reader walks exactly that once, forward, within one stretch and a bounded reach, and
//! knows no language. Whether the value can be a secret is the judge's business.

use smallvec::SmallVec;

use crate::span::ViewSpan;

/// What stands around a keyword.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The whole name that the keyword is part of.
    pub name: ViewSpan,
    pub values: SmallVec<[Assigned; 1]>,
}

/// A value given to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned {
    pub value: ViewSpan,
    /// Whether quotes or tags delimit the value.
    pub quoted: bool,
}

/// The longest value that is read.
const LONGEST_VALUE: usize = 512;
/// How far a name may stretch from its keyword to either side.
const LONGEST_NAME: usize = 64;
/// Names that stand for "the value of the name just said".
const VALUE_NAMES: [&[u8]; 4] = [b"value", b"currentvalue", b"defaultvalue", b"text"];
/// Calls whose argument is a prompt and whose real value people leave in a comment behind.
const PROMPTS: [&[u8]; 2] = [b"getpass", b"input"];

/// Reads the name around `keyword` and what it is given.
pub fn read(text: &[u8], stretch: ViewSpan, keyword: ViewSpan) -> Found {
    let name = name_around(text, stretch, keyword);
    if !is_word(text, stretch, keyword) {
        return Found {
            name,
            values: SmallVec::new(),
        };
    }
    let mut reader = Reader {
        text: &text[..stretch.end as usize],
        at: name.end as usize,
        values: SmallVec::new(),
    };
    reader.after_name(text.get((name.start as usize).wrapping_sub(1)), name);
    Found {
        name,
        values: reader.values,
    }
}

/// Whether the keyword is a word of its name: `tokenizer` and `tiktoken` speak of no token. Before
/// `password` any prefix is fine, as in `dbpassword`.
fn is_word(text: &[u8], stretch: ViewSpan, keyword: ViewSpan) -> bool {
    let word = &text[keyword.range()];
    let lower = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_lowercase);
    let after = &text[keyword.end as usize..stretch.end as usize];
    let plural = after.first() == Some(&b's') && !lower(after.get(1));
    if lower(word.last()) && lower(after.first()) && !plural {
        return false;
    }
    let before = text[stretch.start as usize..keyword.start as usize].last();
    !(word == b"token" && lower(before))
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
    ViewSpan::new(start - left, end)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$')
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    values: SmallVec<[Assigned; 1]>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Skips blanks and at most one line end, for values on the next line.
    fn skip_blanks_and_line(&mut self) {
        self.skip_blanks();
        if self.peek() == Some(b'\r') {
            self.at += 1;
        }
        if self.peek() == Some(b'\n') {
            self.at += 1;
            self.skip_blanks();
        }
    }

    fn eat(&mut self, token: &[u8]) -> bool {
        let eaten = self.rest().starts_with(token);
        if eaten {
            self.at += token.len();
        }
        eaten
    }

    fn after_name(&mut self, before: Option<&u8>, name: ViewSpan) {
        let quote = self.closing_signs();
        if let Some(&b'<') = before
            && self.text.get(self.at.wrapping_sub(1)) == Some(&b'>')
        {
            return self.element();
        }
        let gap = self.at;
        self.skip_blanks();
        let spaced = self.at > gap;
        let flag = self.text.get(name.start as usize) == Some(&b'-');
        match self.peek() {
            Some(b'=' | b':') => self.after_separator(),
            Some(b'-') if self.rest().starts_with(b"->") => {
                self.at += 2;
                self.after_separator();
            }
            Some(b',') if quote => {
                self.at += 1;
                self.skip_blanks_and_line();
                self.argument();
            }
            Some(b'(') if !spaced => {
                self.at += 1;
                self.skip_blanks_and_line();
                self.quoted();
            }
            Some(b'v' | b'V' | b'd' | b'D') if quote => self.argument(),
            Some(b'"' | b'\'') if spaced => self.quoted(),
            Some(_) if spaced && flag => self.value(),
            _ => {}
        }
    }

    /// Skips what closes a name: quotes (also escaped), brackets, a tag's end. Tells whether a
    /// quote was among them.
    fn closing_signs(&mut self) -> bool {
        let mut quote = false;
        for _ in 0..4 {
            match self.peek() {
                Some(b'"' | b'\'' | b'`') => quote = true,
                Some(b']' | b')' | b'>' | b'\\' | b'*') => {}
                _ => break,
            }
            self.at += 1;
        }
        quote
    }

    /// The text of an XML element whose opening tag was just closed.
    fn element(&mut self) {
        let limit = self.rest().len().min(LONGEST_VALUE);
        let end = memchr::memchr3(b'<', b'\n', b'\r', &self.rest()[..limit]);
        if let Some(len) = end
            && self.text.get(self.at + len) == Some(&b'<')
        {
            self.push(self.at, self.at + len, true);
        }
    }

    fn after_separator(&mut self) {
        while matches!(self.peek(), Some(b'=' | b':' | b'>' | b'~')) {
            self.at += 1;
        }
        self.skip_blanks();
        let start = self.at;
        if self.type_annotation() {
            self.skip_blanks();
        } else {
            self.at = start;
        }
        self.value();
    }

    /// `str = ` after `name: `.
    fn type_annotation(&mut self) -> bool {
        let len = self.rest().iter().take(40).take_while(|&&b| {
            is_name(b) || matches!(b, b'[' | b']' | b'|' | b' ' | b'?' | b'<' | b'>')
        });
        let len = len.count();
        let word = &self.rest()[..len];
        let starts = word.first().is_some_and(|b| b.is_ascii_alphabetic());
        if !starts || self.text.get(self.at + len) != Some(&b'=') {
            return false;
        }
        // `export A=b C=d` is no annotation: one has a blank or a closing sign before its `=`.
        if !matches!(word.last(), Some(b' ')) {
            return false;
        }
        self.at += len + 1;
        true
    }

    /// An argument or attribute after the name: `"v"`, or `value="v"`, `"value": "v"`.
    fn argument(&mut self) {
        let start = self.at;
        let opened = matches!(self.peek(), Some(b'"' | b'\''));
        if opened {
            self.at += 1;
        }
        let len = self
            .rest()
            .iter()
            .take(16)
            .take_while(|&&b| is_name(b))
            .count();
        let word = &self.rest()[..len];
        if VALUE_NAMES.iter().any(|v| v.eq_ignore_ascii_case(word)) {
            self.at += len + usize::from(opened);
            self.skip_blanks();
            if matches!(self.peek(), Some(b'=' | b':')) {
                self.at += 1;
                self.skip_blanks();
                return self.quoted();
            }
        }
        self.at = start;
        self.quoted();
    }

    /// A value in any spelling: quoted, in a call, bare.
    fn value(&mut self) {
        let start = self.at;
        self.skip_blanks_and_line();
        if self.eat(b"(") {
            self.skip_blanks_and_line();
        }
        if self.opens_quote() {
            return self.quoted();
        }
        if self.at > start && self.text[start..self.at].contains(&b'\n') {
            // A bare value stands on the line of its name.
            return;
        }
        self.bare();
    }

    /// Whether a string literal starts here, perhaps with a prefix letter.
    fn opens_quote(&self) -> bool {
        let rest = self.rest();
        let prefix = rest
            .iter()
            .take(2)
            .take_while(|b| b"rRbBfFuU@$L".contains(b))
            .count();
        let rest = &rest[prefix..];
        matches!(rest, [b'"' | b'\'' | b'`', ..] | [b'\\', b'"' | b'\'', ..])
    }

    /// A string literal, up to its closing quote on the same line.
    fn quoted(&mut self) {
        if !self.opens_quote() {
            return;
        }
        while !matches!(self.peek(), Some(b'"' | b'\'' | b'`' | b'\\')) {
            self.at += 1;
        }
        let escaped = self.eat(b"\\");
        let Some(quote) = self.peek() else { return };
        self.at += 1;
        if !escaped && self.rest().starts_with(&[quote, quote]) {
            self.at += 2;
        }
        let start = self.at;
        let limit = self.rest().len().min(LONGEST_VALUE);
        let body = &self.rest()[..limit];
        let mut end = None;
        let mut skip = false;
        for (index, &byte) in body.iter().enumerate() {
            match byte {
                b'\n' | b'\r' => break,
                _ if skip => skip = false,
                b'\\' if escaped && body.get(index + 1) == Some(&quote) => {
                    end = Some(index);
                    break;
                }
                b'\\' => skip = true,
                _ if byte == quote => {
                    end = Some(index);
                    break;
                }
                _ => {}
            }
        }
        if let Some(len) = end {
            self.push(start, start + len, true);
            self.at = start + len + 1;
        }
    }

    /// A bare word, or a call with the value among its arguments.
    fn bare(&mut self) {
        let start = self.at;
        let limit = self.rest().len().min(LONGEST_VALUE);
        let len = self.rest()[..limit]
            .iter()
            .position(|&b| is_bare_end(b))
            .unwrap_or(limit);
        self.at += len;
        if matches!(self.peek(), Some(b'(' | b'[')) {
            let callee = ViewSpan::new(start, self.at);
            return self.call(callee);
        }
        let mut end = self.at;
        while end > start && matches!(self.text[end - 1], b'.' | b':' | b'!' | b'?') {
            end -= 1;
        }
        self.push(start, end, false);
    }

    /// `getenv("K", "v")`, `SecretStr("v")`, `getpass()  # v`: the last string argument on the
    /// line, or for a prompt what a comment behind it says.
    fn call(&mut self, callee: ViewSpan) {
        let limit = self.rest().len().min(LONGEST_VALUE);
        let line_len = memchr::memchr2(b'\n', b'\r', &self.rest()[..limit]).unwrap_or(limit);
        let line_end = self.at + line_len;
        let callee = &self.text[callee.range()];
        if PROMPTS.iter().any(|p| {
            callee.len() >= p.len() && callee[callee.len() - p.len()..].eq_ignore_ascii_case(p)
        }) {
            return self.comment(line_end);
        }
        let from = self.values.len();
        while self.at < line_end {
            if self.opens_quote() && !self.rest()[0].is_ascii_alphabetic() {
                let before = self.at;
                self.quoted();
                if self.at == before || self.values.is_empty() {
                    break;
                }
                self.at = self.at.max(before + 1);
            } else if self.peek() == Some(b')') {
                break;
            } else {
                self.at += 1;
            }
        }
        if self.values.len() > from + 1 {
            let last = self.values.len() - 1;
            self.values.swap(from, last);
            self.values.truncate(from + 1);
        }
    }

    /// The first word of a comment before `line_end`.
    fn comment(&mut self, line_end: usize) {
        let line = &self.text[self.at..line_end];
        let Some(mark) = line.iter().position(|&b| b == b'#') else {
            return;
        };
        self.at += mark + 1;
        self.skip_blanks();
        let start = self.at;
        while self.at < line_end && !self.text[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
        let word = ViewSpan::new(start, self.at);
        let text = self.text;
        let inner = text[word.range()]
            .iter()
            .filter(|b| matches!(b, b'"' | b'\''))
            .count();
        self.push(
            start + inner.min(1),
            self.at - usize::from(inner > 1),
            false,
        );
    }

    fn push(&mut self, start: usize, end: usize, quoted: bool) {
        if start < end {
            self.values.push(Assigned {
                value: ViewSpan::new(start, end),
                quoted,
            });
        }
    }
}

/// What ends a bare word.
fn is_bare_end(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(
            byte,
            b'"' | b'\''
                | b'`'
                | b'('
                | b'['
                | b','
                | b';'
                | b')'
                | b'<'
                | b'>'
                | b'}'
                | b']'
                | b'&'
                | b'|'
                | 0
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(text: &str) -> Vec<&str> {
        let Some(at) = text.to_lowercase().find("password") else {
            return Vec::new();
        };
        let word = ViewSpan::new(at, at + 8);
        let found = read(text.as_bytes(), ViewSpan::new(0, text.len()), word);
        found
            .values
            .iter()
            .map(|v| &text[v.value.range()])
            .collect()
    }

    #[test]
    fn reads_every_spelling() {
        for text in [
            "db_password = \"V1\"",
            "db_password='V1'",
            "password: str = 'V1'",
            "{\"password\": \"V1\"}",
            "{\\\"password\\\": \\\"V1\\\"}",
            "os.environ[\"DB_PASSWORD\"] = \"V1\"",
            "x = os.getenv(\"DB_PASSWORD\", \"V1\")",
            "spark.conf.set(\"my.password\", \"V1\")",
            "password = os.environ.get('PW', 'V1')",
            "password = SecretStr(\"V1\")",
            "password = getpass('Password: ')  # V1",
            "password => 'V1'",
            "password := `V1`",
            "export PASSWORD=V1",
            "%env PASSWORD=V1",
            "password: V1\nnext: x",
            "Password=V1;Encrypt=true",
            "az x --admin-password V1 --name y",
            "az x --admin-password 'V1'",
            "<password>V1</password>",
            "<add key=\"Password\" value=\"V1\"/>",
            "{\"name\": \"DB_PASSWORD\", \"value\": \"V1\"}",
            "CREATE LOGIN a WITH PASSWORD 'V1'",
            "connect(password=\n    \"V1\")",
        ] {
            assert_eq!(values(text), ["V1"], "{text}");
        }
    }

    #[test]
    fn says_nothing_where_nothing_is_assigned() {
        for text in [
            "the password is long",
            "password",
            "passwords = ",
            "def password(self):",
        ] {
            assert!(values(text).is_empty(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[pasw\"'=:,()<>#\\\\ \n\t`]{0,40}password[pasword\"'=:,()<>#\\\\ \n\t`]{0,60}") {
            values(&text);
        }
    }
}

//! The walk from a name to its values.

use std::cell::Cell;

use smallvec::SmallVec;

use super::{Assigned, is_name};
use crate::span::ViewSpan;

/// The longest value that is read.
const LONGEST_VALUE: usize = 512;
/// How far a step looks ahead that reads no value: the longest name, and what follows that.
pub(super) const AHEAD: usize = 72;
/// Most arguments of one call that count as values.
const MOST_ARGUMENTS: usize = 3;
/// Names that stand for "the value of the name just said".
const VALUE_NAMES: [&[u8]; 5] = [
    b"value",
    b"currentvalue",
    b"defaultvalue",
    b"default",
    b"text",
];
/// Calls whose argument is a prompt and whose real value people leave in a comment behind.
const PROMPTS: [&[u8]; 2] = [b"getpass", b"input"];
/// Words that compare what stands before with what stands behind, in tests and queries.
const COMPARISONS: [&[u8]; 13] = [
    b"equalsignorecase",
    b"equals",
    b"equalto",
    b"equal",
    b"eql",
    b"eq",
    b"tobe",
    b"toequal",
    b"tostrictequal",
    b"be",
    b"is",
    b"isequalto",
    b"as",
];

pub(super) struct Reader<'t> {
    text: &'t [u8],
    name: ViewSpan,
    at: usize,
    /// The end of what was looked at.
    seen: Cell<usize>,
    values: SmallVec<[Assigned; 1]>,
}

impl<'t> Reader<'t> {
    /// A reader of `text`, which ends where reading must.
    pub fn new(text: &'t [u8], name: ViewSpan) -> Self {
        Self {
            text,
            name,
            at: name.end as usize,
            seen: Cell::new(0),
            values: SmallVec::new(),
        }
    }

    /// Reads what the name is given, and gives the end of what that depends on; `before` is the byte
    /// before the name.
    pub fn read(mut self, before: Option<u8>) -> (SmallVec<[Assigned; 1]>, usize) {
        let (quote, closed) = self.closing_signs();
        if before == Some(b'<') && self.text.get(self.at.wrapping_sub(1)) == Some(&b'>') {
            self.element();
        } else {
            self.after_name(before, quote, closed);
        }
        (self.values, self.seen.get())
    }

    fn peek(&self) -> Option<u8> {
        self.saw(AHEAD);
        self.text.get(self.at).copied()
    }

    /// What follows. Who looks farther than [`AHEAD`] says so.
    fn rest(&self) -> &'t [u8] {
        self.saw(AHEAD);
        self.text.get(self.at..).unwrap_or_default()
    }

    /// As much of what follows as a value can have. Who reads it says how far that was.
    fn body(&self) -> &'t [u8] {
        let rest = self.rest();
        &rest[..rest.len().min(LONGEST_VALUE)]
    }

    /// Notes that so many bytes from here on were looked at.
    fn saw(&self, bytes: usize) {
        self.seen.set(self.seen.get().max(self.at + bytes));
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

    fn after_name(&mut self, before: Option<u8>, quote: bool, closed: bool) {
        let gap = self.at;
        self.skip_blanks();
        let spaced = self.at > gap;
        let flag = self.text.get(self.name.start as usize) == Some(&b'-');
        match self.peek() {
            Some(b'=' | b':') => self.after_separator(before),
            Some(b'-') if self.rest().starts_with(b"->") => {
                self.at += 2;
                self.after_separator(before);
            }
            Some(b'!' | b'+' | b'?') if self.rest().get(1) == Some(&b'=') => {
                self.at += 1;
                self.after_separator(before);
            }
            Some(b'|') if self.rest().starts_with(b"||=") => {
                self.at += 2;
                self.after_separator(before);
            }
            Some(b',') if (quote || flag) && !closed => {
                self.at += 1;
                self.skip_blanks_and_line();
                self.argument();
            }
            Some(b'(') if !spaced => {
                self.at += 1;
                self.skip_blanks_and_line();
                self.arguments();
            }
            Some(b'>') => self.element(),
            Some(b'v' | b'V' | b'd' | b'D') if quote => self.argument(),
            Some(b'\n' | b'\r') if !quote => self.sibling(),
            Some(b'"' | b'\'') if spaced => self.quoted(),
            Some(_) if spaced && flag => self.value(before),
            Some(b'.' | b't' | b's' | b'i') => self.comparison(),
            _ => {}
        }
    }

    /// Skips what closes a name: quotes (also escaped), brackets, a tag's end. Tells whether a
    /// quote and whether a bracket was among them.
    fn closing_signs(&mut self) -> (bool, bool) {
        let (mut quote, mut closed) = (false, false);
        for _ in 0..4 {
            match self.peek() {
                Some(b'"' | b'\'' | b'`') => quote = true,
                Some(b'\\')
                    if !matches!(self.text.get(self.at + 1), Some(b'"' | b'\'' | b'\\')) =>
                {
                    break;
                }
                Some(b']' | b')' | b'}') => closed = true,
                Some(b'>' | b'\\' | b'*') => {}
                _ => break,
            }
            self.at += 1;
        }
        (quote, closed)
    }

    /// The text of an XML element whose opening tag was just closed, or closes here. In a list of
    /// pairs (`<key>k</key><string>v</string>`) the text of the next element.
    fn element(&mut self) {
        self.eat(b">");
        let body = self.body();
        let end = memchr::memchr3(b'<', b'\n', b'\r', body);
        self.saw(end.unwrap_or(body.len()) + 1);
        if let Some(len) = end
            && self.text.get(self.at + len) == Some(&b'<')
        {
            self.push(self.at, self.at + len, true);
        }
    }

    fn after_separator(&mut self, before: Option<u8>) {
        let tight = self.at == self.name.end as usize;
        let from = self.at;
        while matches!(self.peek(), Some(b'=' | b':' | b'>' | b'~' | b'!')) {
            self.at += 1;
        }
        let equals = self.text[from..self.at] == *b"=";
        self.skip_blanks();
        if tight && equals && matches!(self.text[self.at - 1], b' ' | b'\t') && !self.opens_quote()
        {
            // `A= B=c` gives `A` nothing.
            return;
        }
        let start = self.at;
        if self.type_annotation() {
            self.skip_blanks();
        } else {
            self.at = start;
        }
        self.value(before);
    }

    /// `str = ` after `name: `.
    fn type_annotation(&mut self) -> bool {
        let len = self.rest().iter().take(40).take_while(|&&b| {
            is_name(b)
                || matches!(
                    b,
                    b'[' | b']' | b'|' | b' ' | b'?' | b'<' | b'>' | b'&' | b'*' | b'\''
                )
        });
        let len = len.count();
        let word = &self.rest()[..len];
        let starts = word
            .first()
            .is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'&' | b'*'));
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
        if !self.value_name() {
            self.at = start;
        }
        self.quoted_or_wrapped();
    }

    /// `value=`, `"value":` and the like, which say that the value of the name just said follows.
    fn value_name(&mut self) -> bool {
        let escaped = self.eat(b"\\");
        let opened = matches!(self.peek(), Some(b'"' | b'\''));
        self.at += usize::from(opened);
        let len = self
            .rest()
            .iter()
            .take(16)
            .take_while(|&&b| is_name(b))
            .count();
        let word = &self.rest()[..len];
        if !VALUE_NAMES.iter().any(|v| v.eq_ignore_ascii_case(word)) {
            return false;
        }
        self.at += len + usize::from(opened) + usize::from(escaped);
        self.skip_blanks();
        let separated = matches!(self.peek(), Some(b'=' | b':'));
        if separated {
            while matches!(self.peek(), Some(b'=' | b':' | b'>')) {
                self.at += 1;
            }
            self.skip_blanks();
        }
        separated
    }

    /// `- name: K` and on the next line `value: v`.
    fn sibling(&mut self) {
        self.skip_blanks_and_line();
        if self.value_name() {
            self.value(None);
        }
    }

    /// The string arguments of a call whose name is the name.
    fn arguments(&mut self) {
        let line_end = self.line_end();
        for _ in 0..MOST_ARGUMENTS {
            let before = self.values.len();
            self.quoted_or_wrapped();
            if self.values.len() == before {
                return;
            }
            self.skip_blanks();
            if !self.eat(b",") || self.at >= line_end {
                return;
            }
            self.skip_blanks();
        }
    }

    /// `.to eq('v')`, `.equals("v")`, `should eq 'v'`, `is "v"` after a name.
    fn comparison(&mut self) {
        let mut compares = false;
        for _ in 0..4 {
            while matches!(self.peek(), Some(b' ' | b'.' | b'(' | b')' | b'_')) {
                self.at += 1;
            }
            if self.opens_quote() {
                break;
            }
            let len = self
                .rest()
                .iter()
                .take(20)
                .take_while(|b| b.is_ascii_alphabetic())
                .count();
            let word = &self.rest()[..len];
            let joins = [
                &b"to"[..],
                b"should",
                b"must",
                b"assert",
                b"expect",
                b"tostring",
            ]
            .iter()
            .any(|w| w.eq_ignore_ascii_case(word));
            let ends = COMPARISONS.iter().any(|w| w.eq_ignore_ascii_case(word));
            if len == 0 || !joins && !ends {
                return;
            }
            compares |= ends;
            self.at += len;
        }
        if compares {
            self.quoted();
        }
    }

    /// A value in any spelling: quoted, in a call, a list of bytes, bare.
    fn value(&mut self, before: Option<u8>) {
        let start = self.at;
        self.skip_blanks_and_line();
        let next_line = self.text[start..self.at].contains(&b'\n');
        let pair = self.eat(b"(");
        if pair {
            self.skip_blanks_and_line();
        }
        self.keyword_new();
        if self.opens_quote() {
            self.quoted();
            if pair {
                self.second();
            }
            return self.alternative();
        }
        if next_line && !self.eat(b"- ") {
            // A bare value stands on the line of its name, or is the first of a list below it.
            return;
        }
        if self.bytes() {
            return;
        }
        self.bare(before);
    }

    /// Of a pair in brackets, `auth=("user", "v")`, the second counts.
    fn second(&mut self) {
        let start = self.at;
        let first = self.values.len();
        self.skip_blanks();
        if self.eat(b",") {
            self.skip_blanks();
            self.quoted();
        }
        if self.values.len() > first && first > 0 {
            self.values.swap_remove(first - 1);
        } else {
            self.at = start;
        }
    }

    /// `new`, `await`, casts and references before a value.
    fn keyword_new(&mut self) {
        for word in [&b"new "[..], b"await ", b"&", b"*", b"return "] {
            if self.eat(word) {
                return;
            }
        }
    }

    /// What is given when the first value is missing: `a || 'v'`, `a ?? 'v'`, `a or 'v'`, and the
    /// second half of `x ? 'a' : 'b'`.
    fn alternative(&mut self) {
        let start = self.at;
        self.skip_blanks();
        for word in [&b"|| "[..], b"?? ", b"or ", b"?: ", b": ", b"?? "] {
            if self.eat(word) {
                self.skip_blanks();
                if self.opens_quote() {
                    return self.quoted();
                }
                break;
            }
        }
        self.at = start;
    }

    /// `{1, 2, 3}`, `[0x01, 0x02]`: at least eight numbers with commas between, the key as bytes.
    fn bytes(&mut self) -> bool {
        const FEWEST: usize = 8;
        let start = self.at;
        // A type may stand before: `[]byte{`, `new byte[] {`, `Buffer.from([`, `bytes([`.
        let head = self
            .rest()
            .iter()
            .take(32)
            .position(|b| b.is_ascii_digit() || matches!(b, b'\n' | b'"' | b'\''));
        let Some(head) = head else { return false };
        let opening = &self.rest()[..head];
        let opened = opening.iter().rev().find(|b| !matches!(b, b' ' | b'\t'));
        if !matches!(opened, Some(b'{' | b'[')) {
            return false;
        }
        self.at += head;
        let from = self.at;
        let body = self.body();
        let len = body
            .iter()
            .take_while(|b| b.is_ascii_hexdigit() || matches!(b, b',' | b' ' | b'x' | b'X' | b'-'))
            .count();
        self.saw(len + 1);
        let body = &body[..len];
        if memchr::memchr_iter(b',', body).count() + 1 < FEWEST {
            self.at = start;
            return false;
        }
        let body = body.trim_ascii_end();
        self.push(from, from + body.len(), true);
        self.at = from + len;
        true
    }

    /// Whether a string literal starts here, perhaps with a prefix letter.
    fn opens_quote(&self) -> bool {
        let rest = self.rest();
        let prefix = rest
            .iter()
            .take(2)
            .take_while(|b| b"rRbBfFuU@$LN".contains(b))
            .count();
        let rest = &rest[prefix..];
        matches!(rest, [b'"' | b'\'' | b'`', ..] | [b'\\', b'"' | b'\'', ..])
    }

    /// A string literal, bare or as the argument of a call.
    fn quoted_or_wrapped(&mut self) {
        self.keyword_new();
        if self.opens_quote() {
            return self.quoted();
        }
        let len = self
            .rest()
            .iter()
            .take(40)
            .take_while(|&&b| is_name(b) || matches!(b, b'[' | b']' | b':'))
            .count();
        if len > 0 && self.text.get(self.at + len) == Some(&b'(') {
            self.at += len + 1;
            if self.opens_quote() {
                self.quoted();
                self.eat(b")");
            }
        }
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
        let body = self.body();
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
        self.saw(end.unwrap_or(body.len()) + 1);
        // A value longer than is read is cut: its head says what it is.
        let long = body.len() == LONGEST_VALUE && !body.contains(&b'\n');
        let cut = (end.is_none() && long).then_some(body.len());
        if let Some(len) = end.or(cut) {
            self.push(start, start + len, true);
            self.at = start + len + 1;
        }
    }

    /// A bare word, or a call with the value among its arguments.
    fn bare(&mut self, before: Option<u8>) {
        let start = self.at;
        if self.rest().starts_with(b"${")
            || self.rest().starts_with(b"$(")
            || self.rest().starts_with(b"{{")
        {
            // Filled in from elsewhere, perhaps with a value to fall back to.
            return self.fallback();
        }
        let body = self.body();
        let in_query = matches!(before, Some(b'?' | b'&'));
        let rest = self.rest();
        let len = body
            .iter()
            .enumerate()
            .position(|(nth, &b)| {
                let inner = b == b'\''
                    && nth > 0
                    && rest.get(nth + 1).is_some_and(u8::is_ascii_alphanumeric);
                is_bare_end(b) && !inner || in_query && matches!(b, b'#' | b'\\')
            })
            .unwrap_or(body.len());
        self.at += len;
        if matches!(self.peek(), Some(b'(' | b'[')) {
            let callee = ViewSpan::new(start, self.at);
            return self.call(callee);
        }
        let mut end = self.at;
        // `\n` and `\"` that end a value inside a string literal are none of it.
        if let Some(cut) = escape_in(&self.text[start..end]) {
            end = start + cut;
        }
        while end > start && matches!(self.text[end - 1], b'.' | b':' | b'!' | b'?' | b'\\') {
            end -= 1;
        }
        self.push(start, end, false);
        self.alternative();
    }

    /// `${NAME:-v}`, `${NAME:v}`, `${NAME-v}`: what is given when the variable is not set.
    fn fallback(&mut self) {
        if !self.eat(b"${") {
            return;
        }
        let name = self
            .rest()
            .iter()
            .take(64)
            .take_while(|&&b| is_name(b) && b != b'-')
            .count();
        self.at += name;
        if !self.eat(b":-") && !self.eat(b":=") && !self.eat(b":") && !self.eat(b"-") {
            return;
        }
        let body = self.body();
        let end = memchr::memchr3(b'}', b'\n', b'$', body);
        self.saw(end.unwrap_or(body.len()) + 1);
        let Some(len) = end else {
            return;
        };
        if body[len] == b'}' {
            self.push(self.at, self.at + len, false);
        }
    }

    fn line_end(&self) -> usize {
        let body = self.body();
        let len = memchr::memchr2(b'\n', b'\r', body).unwrap_or(body.len());
        self.saw(len + 1);
        self.at + len
    }

    /// `getenv("K", "v")`, `SecretStr("v")`, `getpass()  # v`: the last string argument on the
    /// line, or for a prompt what a comment behind it says.
    fn call(&mut self, callee: ViewSpan) {
        let line_end = self.line_end();
        let callee = &self.text[callee.range()];
        if PROMPTS.iter().any(|p| {
            callee.len() >= p.len() && callee[callee.len() - p.len()..].eq_ignore_ascii_case(p)
        }) {
            return self.comment(line_end);
        }
        let from = self.values.len();
        let mut depth = 0usize;
        while self.at < line_end {
            let opens = self.opens_quote() && !self.rest()[0].is_ascii_alphabetic();
            match self.peek() {
                _ if opens => {
                    let before = self.at;
                    self.quoted();
                    if self.at == before {
                        break;
                    }
                    self.at = self.at.max(before + 1);
                    continue;
                }
                Some(b'(' | b'[' | b'{') => depth += 1,
                // `[]string{"v"}`: the type of a list.
                Some(b']')
                    if self
                        .text
                        .get(self.at + 1)
                        .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'{') =>
                {
                    depth = depth.saturating_sub(1);
                }
                Some(b')' | b']' | b'}') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        self.at += 1;
                        break;
                    }
                }
                Some(b';') => break,
                _ => {}
            }
            self.at += 1;
        }
        if self.values.len() > from + 1 {
            let last = self.values.len() - 1;
            self.values.swap(from, last);
            self.values.truncate(from + 1);
        }
        self.alternative();
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

/// Where in a bare value an escape for a line end, a tab or a quote starts.
fn escape_in(value: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\\', value).find(|&at| {
        matches!(
            value.get(at + 1),
            None | Some(b'n' | b'r' | b't' | b'"' | b'\'')
        )
    })
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

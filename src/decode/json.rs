//! A tolerant JSON lexer over bytes.
//!
//! A parser that builds values is of no use here: what is wanted is every string of the file with
//! the bytes it came from, duplicate keys included, and what real writers produce against the
//! standard (a byte order mark, `NaN`, trailing commas, lone surrogates, raw control characters,
//! bytes that are no UTF-8) is no reason to stop reading. So this is a pull lexer: [`Reader`] hands
//! out one [`Event`] at a time and strings as [`Str`]s, spans that nothing has been copied from.
//! Nesting lives in a byte a level on the heap, never on the call stack.

use std::borrow::Cow;

use super::ViewBuilder;

/// What makes a text unreadable as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Byte offset of the fault.
    pub offset: usize,
    pub what: &'static str,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}", self.what, self.offset)
    }
}

/// The inside of a string (or a bare word or number), as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Str {
    pub start: u32,
    pub end: u32,
    /// Whether a backslash is in it; without one the raw bytes are the string.
    pub escaped: bool,
}

impl Str {
    pub fn raw(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// What the string says.
    pub fn decoded(self, text: &[u8]) -> Cow<'_, [u8]> {
        if !self.escaped {
            return Cow::Borrowed(self.raw(text));
        }
        let mut bytes = Vec::with_capacity(self.raw(text).len());
        for piece in self.pieces(text) {
            match piece {
                Piece::Plain { bytes: plain, .. } => bytes.extend_from_slice(plain),
                Piece::Escape { meant, .. } => bytes.extend_from_slice(meant.bytes()),
            }
        }
        Cow::Owned(bytes)
    }

    /// The string cut at its escapes.
    pub fn pieces(self, text: &[u8]) -> Pieces<'_> {
        Pieces {
            text,
            at: self.start as usize,
            end: self.end as usize,
            escaped: self.escaped,
        }
    }

    /// Appends what the string says.
    pub fn write(self, text: &[u8], out: &mut ViewBuilder) {
        for piece in self.pieces(text) {
            match piece {
                Piece::Plain { at, bytes } => out.copy(at, bytes),
                Piece::Escape { at, from, meant } => out.token(at, from, meant.bytes()),
            }
        }
    }
}

/// A stretch of a string.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'t> {
    /// Bytes that mean themselves.
    Plain { at: usize, bytes: &'t [u8] },
    /// `from` bytes of escape.
    Escape {
        at: usize,
        from: usize,
        meant: Meant,
    },
}

/// The one character that an escape stands for, in UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct Meant {
    utf8: [u8; 4],
    len: u8,
}

impl Meant {
    fn of(character: char) -> Self {
        let mut utf8 = [0; 4];
        let len = character.encode_utf8(&mut utf8).len() as u8;
        Self { utf8, len }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.utf8[..usize::from(self.len)]
    }
}

/// Iterates over the [`Piece`]s of a string.
pub struct Pieces<'t> {
    text: &'t [u8],
    at: usize,
    end: usize,
    escaped: bool,
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        let rest = self.text.get(self.at..self.end)?;
        let at = self.at;
        let plain = match rest.first()? {
            b'\\' => match escape(rest) {
                Some((from, character)) => {
                    self.at += from;
                    let meant = Meant::of(character);
                    return Some(Piece::Escape { at, from, meant });
                }
                // No escape of JSON: the backslash means itself, like any other byte.
                None => 1,
            },
            _ if self.escaped => memchr::memchr(b'\\', rest).unwrap_or(rest.len()),
            _ => rest.len(),
        };
        self.at += plain;
        let bytes = &rest[..plain];
        Some(Piece::Plain { at, bytes })
    }
}

/// The length and meaning of the escape that `rest` starts with.
fn escape(rest: &[u8]) -> Option<(usize, char)> {
    let character = match rest.get(1)? {
        b @ (b'"' | b'\\' | b'/') => char::from(*b),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(rest),
        _ => return None,
    };
    Some((2, character))
}

/// `\u0041`, or two of them that make a surrogate pair. Half a pair is U+FFFD.
fn unicode_escape(rest: &[u8]) -> Option<(usize, char)> {
    let first = hex4(rest.get(2..6)?)?;
    if (0xd800..0xdc00).contains(&first)
        && rest.get(6..8) == Some(b"\\u")
        && let Some(second) = rest.get(8..12).and_then(hex4)
        && (0xdc00..0xe000).contains(&second)
    {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return Some((12, char::from_u32(code)?));
    }
    let character = char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((6, character))
}

fn hex4(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |code, &digit| {
        Some(code << 4 | char::from(digit).to_digit(16)?)
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bracket {
    Object,
    Array,
}

/// What a [`Reader`] comes upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Open(Bracket),
    Close(Bracket),
    /// The name of a member; its value follows.
    Key(Str),
    Text(Str),
    /// A number, `true`, `false`, `null`, `NaN` or an infinity.
    Scalar(Str),
    /// The text is read to its end.
    End,
}

/// What may stand next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Value,
    ItemOrEnd,
    KeyOrEnd,
    CommaOrEnd,
    Nothing,
}

/// Reads a JSON text event by event.
pub struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    open: Vec<Bracket>,
    expect: Expect,
}

impl<'t> Reader<'t> {
    /// Offsets of more than 32 bits are the caller's to refuse.
    pub fn new(text: &'t [u8]) -> Self {
        let mark = text.starts_with(b"\xef\xbb\xbf");
        Self::value_at(text, if mark { 3 } else { 0 })
    }

    /// Reads the one value at `offset`.
    pub fn value_at(text: &'t [u8], offset: usize) -> Self {
        Self {
            text,
            at: offset,
            open: Vec::new(),
            expect: Expect::Value,
        }
    }

    /// How far the text is read.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The next event.
    ///
    /// # Errors
    /// When the text cannot be read on as JSON. What further calls give is then undefined.
    pub fn event(&mut self) -> Result<Event, Fault> {
        loop {
            self.skip_space();
            let Some(&byte) = self.text.get(self.at) else {
                return self.end();
            };
            match (self.expect, byte) {
                (Expect::CommaOrEnd, b',') => {
                    self.at += 1;
                    self.expect = match self.open.last() {
                        Some(Bracket::Object) => Expect::KeyOrEnd,
                        _ => Expect::ItemOrEnd,
                    };
                }
                (Expect::CommaOrEnd | Expect::KeyOrEnd, b'}') => {
                    return self.close(Bracket::Object);
                }
                (Expect::CommaOrEnd | Expect::ItemOrEnd, b']') => {
                    return self.close(Bracket::Array);
                }
                (Expect::KeyOrEnd, b'"') => return self.key(),
                (Expect::Value | Expect::ItemOrEnd, _) => return self.value(byte),
                _ => return Err(self.unexpected()),
            }
        }
    }

    /// Goes on behind the next value, of which it is known that it ends at `end`.
    pub fn pass(&mut self, end: usize) {
        self.at = end;
        self.after_value();
    }

    /// The same of the innermost list or object that is open.
    pub fn leave(&mut self, end: usize) {
        self.open.pop();
        self.pass(end);
    }

    /// Reads one value and keeps nothing of it.
    ///
    /// # Errors
    /// As [`Self::event`].
    pub fn skip(&mut self) -> Result<(), Fault> {
        let mut depth = 0_usize;
        loop {
            match self.event()? {
                Event::Open(_) => depth += 1,
                Event::Close(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn value(&mut self, byte: u8) -> Result<Event, Fault> {
        let opened = match byte {
            b'{' => (Bracket::Object, Expect::KeyOrEnd),
            b'[' => (Bracket::Array, Expect::ItemOrEnd),
            b'"' => {
                let text = self.string()?;
                self.after_value();
                return Ok(Event::Text(text));
            }
            _ => return self.scalar(),
        };
        self.at += 1;
        self.open.push(opened.0);
        self.expect = opened.1;
        Ok(Event::Open(opened.0))
    }

    fn close(&mut self, bracket: Bracket) -> Result<Event, Fault> {
        if self.open.last() != Some(&bracket) {
            return Err(self.fault("a bracket that closes nothing"));
        }
        self.open.pop();
        self.at += 1;
        self.after_value();
        Ok(Event::Close(bracket))
    }

    fn after_value(&mut self) {
        self.expect = if self.open.is_empty() {
            Expect::Nothing
        } else {
            Expect::CommaOrEnd
        };
    }

    fn key(&mut self) -> Result<Event, Fault> {
        let key = self.string()?;
        self.skip_space();
        if self.text.get(self.at) != Some(&b':') {
            return Err(self.fault("a name without a colon"));
        }
        self.at += 1;
        self.expect = Expect::Value;
        Ok(Event::Key(key))
    }

    /// The string whose opening quote is here.
    fn string(&mut self) -> Result<Str, Fault> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            let rest = self.text.get(at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
                return Err(self.fault("a string without an end"));
            };
            at += found;
            if rest.get(found) == Some(&b'"') {
                break;
            }
            escaped = true;
            at += 2;
        }
        self.at = at + 1;
        Ok(Str {
            start: start as u32,
            end: at as u32,
            escaped,
        })
    }

    fn scalar(&mut self) -> Result<Event, Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let ends = |b: &u8| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.' | b'_'));
        let word = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
        let number = |b: &u8| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E');
        let known = match word {
            [] => false,
            b"true" | b"false" | b"null" | b"NaN" => true,
            b"Infinity" | b"-Infinity" | b"+Infinity" => true,
            _ => word.iter().all(number),
        };
        if !known {
            return Err(self.unexpected());
        }
        let start = self.at as u32;
        self.at += word.len();
        self.after_value();
        Ok(Event::Scalar(Str {
            start,
            end: self.at as u32,
            escaped: false,
        }))
    }

    fn skip_space(&mut self) {
        const INDENT: [u8; 8] = [b' '; 8];
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(self.at) {
            self.at += 1;
            while self.text.get(self.at..self.at + 8) == Some(&INDENT) {
                self.at += 8;
            }
        }
    }

    fn end(&self) -> Result<Event, Fault> {
        match self.expect {
            Expect::Nothing => Ok(Event::End),
            _ => Err(self.fault("the end in the middle of a value")),
        }
    }

    fn unexpected(&self) -> Fault {
        if conflict_marker(self.text, self.at) {
            return self.fault("a merge conflict marker");
        }
        self.fault(match self.expect {
            Expect::Value | Expect::ItemOrEnd => "no value where one is due",
            Expect::KeyOrEnd => "no name where one is due",
            Expect::CommaOrEnd => "no comma where one is due",
            Expect::Nothing => "text after the end",
        })
    }

    fn fault(&self, what: &'static str) -> Fault {
        Fault {
            offset: self.at,
            what,
        }
    }
}

/// Whether a line that marks a merge conflict starts at `at`.
pub fn conflict_marker(text: &[u8], at: usize) -> bool {
    let starts_line = at == 0 || text.get(at - 1) == Some(&b'\n');
    let Some(&[first, ref more @ ..]) = text.get(at..at.saturating_add(7)) else {
        return false;
    };
    starts_line && matches!(first, b'<' | b'=' | b'>' | b'|') && more.iter().all(|b| *b == first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::ViewSpan;
    use proptest::prelude::*;
    use serde_json::Value;

    fn events(text: &[u8]) -> Result<Vec<Event>, Fault> {
        let mut reader = Reader::new(text);
        let mut events = Vec::new();
        loop {
            match reader.event()? {
                Event::End => return Ok(events),
                event => events.push(event),
            }
        }
    }

    /// Keys and strings in order, as the lexer reads them.
    fn strings(text: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
        let strings = events(text)?.into_iter().filter_map(|event| match event {
            Event::Key(s) | Event::Text(s) => Some(s.decoded(text).into_owned()),
            _ => None,
        });
        Ok(strings.collect())
    }

    fn what(text: &str) -> (&'static str, usize) {
        let fault = events(text.as_bytes()).expect_err("a fault");
        (fault.what, fault.offset)
    }

    /// Keys and strings in order, as serde_json has them.
    fn expected(value: &Value, into: &mut Vec<Vec<u8>>) {
        match value {
            Value::String(s) => into.push(s.clone().into_bytes()),
            Value::Array(items) => items.iter().for_each(|item| expected(item, into)),
            Value::Object(members) => {
                for (key, value) in members {
                    into.push(key.clone().into_bytes());
                    expected(value, into);
                }
            }
            _ => {}
        }
    }

    /// Writes everything but plain ASCII letters as `\u....`.
    fn escape_all(text: &str) -> String {
        text.encode_utf16()
            .map(|unit| match char::from_u32(u32::from(unit)) {
                Some(c) if c.is_ascii_alphanumeric() => c.to_string(),
                _ => format!("\\u{unit:04X}"),
            })
            .collect()
    }

    #[test]
    fn every_escape_is_understood() {
        let text = br#"["\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00"]"#;
        let wanted = "\"\\/\u{8}\u{c}\n\r\tAé😀";
        assert_eq!(strings(text).unwrap(), [wanted.as_bytes()]);
    }

    #[test]
    fn what_writers_do_against_the_standard_is_read() {
        let marked = b"\xef\xbb\xbf{\"a\": [NaN, -Infinity, 1e5,], \"a\": \"b\xff\x01\n\",}";
        let read = strings(marked).unwrap();
        assert_eq!(read, [&b"a"[..], b"a", b"b\xff\x01\n"]);
        let halves = br#"["\ud83d", "\ude00x", "\ud83d\u0041", "\x41\u12"]"#;
        let read = strings(halves).unwrap();
        let wanted = ["\u{fffd}", "\u{fffd}x", "\u{fffd}A", r"\x41\u12"];
        assert_eq!(read, wanted.map(|s| s.as_bytes().to_vec()));
    }

    #[test]
    fn faults_are_named_and_placed() {
        assert_eq!(what("{\"a\": }"), ("no value where one is due", 6));
        assert_eq!(what("[1,,2]"), ("no value where one is due", 3));
        assert_eq!(what("[1 2]"), ("no comma where one is due", 3));
        assert_eq!(what("{a: 1}"), ("no name where one is due", 1));
        assert_eq!(what("{\"a\" 1}"), ("a name without a colon", 5));
        assert_eq!(what("[\"abc"), ("a string without an end", 1));
        assert_eq!(what("[[1]"), ("the end in the middle of a value", 4));
        assert_eq!(what("[1}"), ("a bracket that closes nothing", 2));
        assert_eq!(what("[1] x"), ("text after the end", 4));
        assert_eq!(what("[wat]"), ("no value where one is due", 1));
        let conflict = "[1,\n<<<<<<< HEAD\n2]";
        assert_eq!(what(conflict), ("a merge conflict marker", 4));
    }

    #[test]
    fn deep_nesting_needs_no_call_stack() {
        let open = "[".repeat(100_000);
        assert_eq!(what(&open).0, "the end in the middle of a value");
        let closed = open + &"]".repeat(100_000);
        assert_eq!(events(closed.as_bytes()).unwrap().len(), 200_000);
        assert!(Reader::new(closed.as_bytes()).skip().is_ok());
    }

    #[test]
    fn one_value_can_be_read_again() {
        let text = b"{\"a\": [1, \"x\"], \"b\": 2}";
        let mut reader = Reader::value_at(text, 5);
        assert!(reader.skip().is_ok());
        assert_eq!(reader.offset(), 14);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let string =
            || proptest::string::string_regex("([a-c\"\\\\/\n\t é😀\u{1}]|.){0,12}").unwrap();
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            string().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(string(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn agrees_with_serde_json(value in any_value()) {
            let mut wanted = Vec::new();
            expected(&value, &mut wanted);
            let compact = serde_json::to_vec(&value).unwrap();
            prop_assert_eq!(strings(&compact).unwrap(), wanted.clone());
            let pretty = serde_json::to_vec_pretty(&value).unwrap();
            prop_assert_eq!(strings(&pretty).unwrap(), wanted);
        }

        #[test]
        fn spans_of_a_written_string_decode_to_it(said in ".{0,24}", all in any::<bool>()) {
            let inside = if all { escape_all(&said) } else {
                let quoted = serde_json::to_string(&said).unwrap();
                quoted[1..quoted.len() - 1].to_owned()
            };
            let text = format!("[ \"{inside}\"]").into_bytes();
            let Event::Text(string) = events(&text).unwrap()[1] else { panic!("no string") };
            let mut out = ViewBuilder::default();
            string.write(&text, &mut out);
            prop_assert_eq!(&out.text, said.as_bytes());
            prop_assert_eq!(out.map.len(), out.text.len());
            for (start, one) in said.char_indices() {
                let span = ViewSpan::new(start, start + one.len_utf8());
                let pieces = out.map.to_parent(span);
                let raw = &text[pieces[0].range()];
                let again = strings(&[b"\"", raw, b"\""].concat()).unwrap();
                prop_assert_eq!(pieces.len(), 1);
                prop_assert_eq!(&again[0], &one.to_string().into_bytes());
            }
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(
            prop_oneof![prop::sample::select(b"{}[],:\"\\u0dn \n-<=".to_vec()), any::<u8>()],
            0..60,
        )) {
            if let Ok(read) = strings(&bytes) {
                prop_assert!(read.len() <= bytes.len());
            }
        }
    }
}

//! A tolerant JSON reader over bytes that keeps where every string stands.
//!
//! The usual parsers give values without positions, keep the last of two equal keys and refuse what
//! real notebooks contain: NaN, lone surrogates, raw control characters, a byte order mark, trailing
//! commas. This one reads into a flat [`Tree`] in document order: each node knows its span, its key
//! and where its subtree ends, so walking needs neither recursion nor pointers, and nesting of any
//! depth costs one stack entry. Numbers and other scalars hold no text and get no node.

use super::ViewBuilder;

/// What makes a text unreadable as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// The bytes between the quotes of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    pub start: u32,
    pub end: u32,
    /// Whether a backslash is among them.
    pub escaped: bool,
}

impl Text {
    pub fn raw(self, text: &[u8]) -> &[u8] {
        &text[self.start as usize..self.end as usize]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Object,
    Array,
    String(Text),
}

#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub kind: Kind,
    /// The key under which an object holds it.
    pub key: Option<Text>,
    /// Where it starts in the text.
    pub start: u32,
    /// Index of the first node after its subtree.
    pub next: u32,
}

/// Containers and strings in document order, each followed by what it contains.
#[derive(Debug, Default)]
pub struct Tree {
    pub nodes: Vec<Node>,
}

impl Tree {
    /// The direct children of node `index`.
    pub fn children(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.nodes[index].next as usize;
        let mut at = index + 1;
        std::iter::from_fn(move || {
            let child = at;
            (child < end).then(|| {
                at = self.nodes[child].next as usize;
                child
            })
        })
    }

    /// The child that an object holds under `key`, spelled without escapes.
    pub fn get(&self, text: &[u8], index: usize, key: &[u8]) -> Option<usize> {
        self.children(index)
            .find(|&child| self.nodes[child].key.is_some_and(|k| k.raw(text) == key))
    }

    /// The raw text of node `index` when it is a string.
    pub fn string<'t>(&self, text: &'t [u8], index: usize) -> Option<&'t [u8]> {
        match self.nodes[index].kind {
            Kind::String(string) => Some(string.raw(text)),
            _ => None,
        }
    }
}

/// Reads a whole document.
///
/// # Errors
/// At the first thing that no tolerance explains: a missing value or bracket, a conflict marker,
/// the end of the text.
pub fn parse(text: &[u8]) -> Result<Tree, Fault> {
    let mut reader = Reader {
        text,
        at: if text.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        },
        tree: Tree::default(),
        open: Vec::new(),
    };
    reader.document()?;
    Ok(reader.tree)
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    tree: Tree,
    /// Containers that have not ended: their nodes.
    open: Vec<u32>,
}

impl Reader<'_> {
    fn fault<T>(&self, what: &'static str) -> Result<T, Fault> {
        Err(Fault {
            offset: self.at.min(self.text.len()),
            what,
        })
    }

    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    fn document(&mut self) -> Result<(), Fault> {
        self.value(None)?;
        while let Some(&container) = self.open.last() {
            match self.peek() {
                None => return self.fault("the text ends early"),
                Some(b',') => self.at += 1,
                Some(b']' | b'}') => self.close(container)?,
                Some(_) if self.tree.nodes[container as usize].kind == Kind::Array => {
                    self.value(None)?;
                }
                Some(b'"') => {
                    let key = self.string()?;
                    if self.peek() != Some(b':') {
                        return self.fault("a colon is missing");
                    }
                    self.at += 1;
                    self.value(Some(key))?;
                }
                Some(_) => return self.fault("a key is missing"),
            }
        }
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fault("text after the end"),
        }
    }

    fn close(&mut self, container: u32) -> Result<(), Fault> {
        let closing = self.text[self.at];
        let expected = match self.tree.nodes[container as usize].kind {
            Kind::Array => b']',
            _ => b'}',
        };
        if closing != expected {
            return self.fault("the wrong bracket");
        }
        self.at += 1;
        self.open.pop();
        self.tree.nodes[container as usize].next = self.tree.nodes.len() as u32;
        Ok(())
    }

    fn value(&mut self, key: Option<Text>) -> Result<(), Fault> {
        match self.peek() {
            Some(b'{') => self.push_open(Kind::Object, key),
            Some(b'[') => self.push_open(Kind::Array, key),
            Some(b'"') => {
                let start = self.at;
                let string = self.string()?;
                self.push(Kind::String(string), key, start);
            }
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'+' | b'.') => {
                let rest = &self.text[self.at..];
                let is_scalar =
                    |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
                self.at += rest.iter().take_while(is_scalar).count();
            }
            Some(_) => return self.fault("a value is missing"),
            None => return self.fault("the text ends early"),
        }
        Ok(())
    }

    fn push(&mut self, kind: Kind, key: Option<Text>, start: usize) {
        let next = self.tree.nodes.len() as u32 + 1;
        self.tree.nodes.push(Node {
            kind,
            key,
            start: start as u32,
            next,
        });
    }

    fn push_open(&mut self, kind: Kind, key: Option<Text>) {
        self.open.push(self.tree.nodes.len() as u32);
        self.push(kind, key, self.at);
        self.at += 1;
    }

    fn string(&mut self) -> Result<Text, Fault> {
        match string_at(self.text, self.at) {
            Some(string) => {
                self.at = string.end as usize + 1;
                Ok(string)
            }
            None => self.fault("a string does not end"),
        }
    }
}

/// The string whose opening quote stands at `at`; `None` when it never ends.
pub fn string_at(text: &[u8], at: usize) -> Option<Text> {
    let start = at + 1;
    let mut from = start;
    let mut escaped = false;
    loop {
        let found = from + memchr::memchr2(b'"', b'\\', text.get(from..)?)?;
        if text[found] == b'"' {
            return Some(Text {
                start: start as u32,
                end: found as u32,
                escaped,
            });
        }
        escaped = true;
        from = found + 2;
    }
}

/// Writes strings unescaped, and without terminal escapes, into a view.
pub struct Unescaper<'b> {
    pub builder: &'b mut ViewBuilder,
    terminal: Terminal,
}

/// Where in a terminal escape sequence the text is. Kept across strings, for sequences cut in two.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Terminal {
    Plain,
    /// After ESC.
    Escape,
    /// After `ESC [`, until a letter.
    Control,
}

const ESC: u8 = 0x1b;

impl<'b> Unescaper<'b> {
    pub fn new(builder: &'b mut ViewBuilder) -> Self {
        Self {
            builder,
            terminal: Terminal::Plain,
        }
    }

    /// Forgets a terminal escape sequence that never ended.
    pub fn reset(&mut self) {
        self.terminal = Terminal::Plain;
    }

    /// Appends a string, decoded.
    pub fn write(&mut self, text: &[u8], string: Text) {
        let end = string.end as usize;
        let mut at = string.start as usize;
        while at < end {
            let rest = &text[at..end];
            let plain = if string.escaped {
                memchr::memchr(b'\\', rest).unwrap_or(rest.len())
            } else {
                rest.len()
            };
            self.plain(at, &rest[..plain]);
            at += plain;
            if at < end {
                at += self.escape(at, &text[at..end]);
            }
        }
    }

    /// Appends bytes as they stand.
    fn plain(&mut self, mut at: usize, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let step = match self.terminal {
                Terminal::Plain => {
                    let len = memchr::memchr(ESC, bytes).unwrap_or(bytes.len());
                    self.builder.copy(at, &bytes[..len]);
                    if len == bytes.len() {
                        return;
                    }
                    self.terminal = Terminal::Escape;
                    len + 1
                }
                _ => {
                    self.sequence(bytes[0]);
                    1
                }
            };
            at += step;
            bytes = &bytes[step..];
        }
    }

    /// Takes one byte of a terminal escape sequence.
    fn sequence(&mut self, byte: u8) {
        self.terminal = match (self.terminal, byte) {
            (_, ESC) => Terminal::Escape,
            (Terminal::Escape, b'[') => Terminal::Control,
            (Terminal::Control, 0x20..=0x3f) => Terminal::Control,
            // What an `ESC ]` command carries, such as the address of a link, is text to read.
            _ => Terminal::Plain,
        };
    }

    /// Decodes the escape at the start of `rest`; returns its length.
    fn escape(&mut self, at: usize, rest: &[u8]) -> usize {
        let mut utf8 = [0; 4];
        let (len, decoded): (usize, &[u8]) = match rest.get(1) {
            Some(b'n') => (2, b"\n"),
            Some(b't') => (2, b"\t"),
            Some(b'r') => (2, b"\r"),
            Some(b'b') => (2, b"\x08"),
            Some(b'f') => (2, b"\x0c"),
            Some(b'"') => (2, b"\""),
            Some(b'\\') => (2, b"\\"),
            Some(b'/') => (2, b"/"),
            Some(b'u') => match unicode(rest) {
                Some((len, c)) => (len, c.encode_utf8(&mut utf8).as_bytes()),
                None => (2, &rest[..2]),
            },
            Some(_) => (2, &rest[..2]),
            None => (1, &rest[..1]),
        };
        if self.terminal == Terminal::Plain && decoded != [ESC] {
            self.builder.token(at, len, decoded);
        } else if self.terminal == Terminal::Plain {
            self.terminal = Terminal::Escape;
        } else {
            decoded.iter().for_each(|byte| self.sequence(*byte));
        }
        len
    }
}

/// `\uXXXX`, or a pair of them for one character; a lone surrogate reads as U+FFFD.
fn unicode(rest: &[u8]) -> Option<(usize, char)> {
    let unit = |at: usize| -> Option<u32> {
        let digits = rest.get(at..at + 6)?.strip_prefix(b"\\u")?;
        digits
            .iter()
            .try_fold(0, |sum, b| Some(sum * 16 + (*b as char).to_digit(16)?))
    };
    let first = unit(0)?;
    if (0xd800..0xdc00).contains(&first)
        && let Some(second @ 0xdc00..0xe000) = unit(6)
    {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return Some((
            12,
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
        ));
    }
    Some((
        6,
        char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::ViewSpan;
    use proptest::prelude::*;
    use serde_json::Value;

    fn decoded(text: &[u8]) -> Vec<String> {
        let tree = parse(text).expect("valid");
        tree.nodes
            .iter()
            .filter_map(|node| match node.kind {
                Kind::String(string) => {
                    let mut builder = ViewBuilder::default();
                    Unescaper::new(&mut builder).write(text, string);
                    assert_eq!(builder.text.len(), builder.map.len());
                    Some(String::from_utf8(builder.text).expect("UTF-8"))
                }
                _ => None,
            })
            .collect()
    }

    fn strings(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::String(s) => into.push(s.clone()),
            Value::Array(list) => list.iter().for_each(|v| strings(v, into)),
            Value::Object(map) => map.values().for_each(|v| strings(v, into)),
            _ => {}
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[^\u{1b}]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map("[a-z\"\\\\é]{0,6}", inner, 0..6)
                    .prop_map(Value::from_iter),
            ]
        })
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(value in any_json(), pretty in any::<bool>()) {
            let text = if pretty {
                serde_json::to_string_pretty(&value)
            } else {
                serde_json::to_string(&value)
            };
            let mut expected = Vec::new();
            strings(&value, &mut expected);
            prop_assert_eq!(decoded(text.expect("serialises").as_bytes()), expected);
        }

        #[test]
        fn never_panics(text in "[\\[\\]{}\",:\\\\un0a1é \n]{0,60}") {
            let _ = parse(text.as_bytes());
        }

        #[test]
        fn every_piece_decodes_again(text in "[a-z\"\\\\\né😀/]{1,20}", from in 0usize..20, len in 1usize..8) {
            let json = serde_json::to_string(&text).expect("serialises");
            let tree = parse(json.as_bytes()).expect("valid");
            let Kind::String(string) = tree.nodes[0].kind else { unreachable!("a string") };
            let mut builder = ViewBuilder::default();
            Unescaper::new(&mut builder).write(json.as_bytes(), string);
            let end = (from + len).min(text.len());
            prop_assume!(from < end && text.is_char_boundary(from) && text.is_char_boundary(end));
            let pieces = builder.map.to_parent(ViewSpan::new(from, end));
            prop_assert_eq!(pieces.len(), 1);
            let again: String = serde_json::from_str(&format!("\"{}\"", &json[pieces[0].range()])).expect("whole tokens");
            prop_assert_eq!(again, &text[from..end]);
        }
    }

    #[test]
    fn tolerates_what_notebooks_contain() {
        let texts: [&[u8]; 6] = [
            b"\xef\xbb\xbf{\"a\": \"x\"}",
            b"{\"a\": NaN, \"b\": -Infinity, \"c\": \"x\"}",
            b"{\"a\": [\"x\",], }",
            b"{\"a\": \"x\", \"a\": 1}",
            b"[\"x\"]\n",
            b"{\"a\": 1e-5, \"c\": \"\\u0078\"}",
        ];
        for text in texts {
            assert_eq!(decoded(text), ["x"], "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(
            decoded(br#"["\ud83d", "\ud83d\ude00"]"#),
            ["\u{fffd}", "😀"]
        );
    }

    #[test]
    fn names_the_fault() {
        for (text, what) in [
            ("{\"a\": [", "the text ends early"),
            ("{\"a\": \"x", "a string does not end"),
            ("<<<<<<< HEAD\n{}", "a value is missing"),
            ("{\"a\" 1}", "a colon is missing"),
            ("[1}", "the wrong bracket"),
        ] {
            assert_eq!(parse(text.as_bytes()).expect_err(text).what, what);
        }
    }

    #[test]
    fn nesting_costs_no_stack() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        assert_eq!(parse(deep.as_bytes()).expect("valid").nodes.len(), 200_000);
    }

    #[test]
    fn strips_terminal_colours_inside_a_token() {
        let json = br#"["ab\u001b[1;31mcd\u001b[0mef"]"#;
        assert_eq!(decoded(json), ["abcdef"]);
        let link = br#"["\u001b]8;;https://x/?sig=1\u001b\\text"]"#;
        assert_eq!(decoded(link), ["8;;https://x/?sig=1text"]);
    }
}

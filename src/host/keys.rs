//! Under which keys a value stands in a configuration file.
//!
//! These are quick readers for files that are what they seem: they name and recognise. An edit is
//! proven with the file's grammar, never with these. Each reads a file once, whatever the number of
//! values asked for.

use super::Grammar;
use crate::decode::json::{Bracket, Event, Reader};

type Keys = Vec<Box<str>>;

/// A value under more keys than this is no setting, and is told none.
const DEEPEST: usize = 64;
/// Bytes of a line read again for each value in it.
const LINE: usize = 4 << 10;

/// Whether values of this grammar stand under keys.
pub fn has_keys(grammar: Grammar) -> bool {
    matches!(
        grammar,
        Grammar::Json
            | Grammar::Yaml
            | Grammar::Xml
            | Grammar::Hcl
            | Grammar::Bicep
            | Grammar::Lines
            | Grammar::Containerfile
    )
}

/// The keys of the values at `spots`, sorted by offset.
pub fn paths(grammar: Grammar, text: &[u8], spots: &[u32]) -> Vec<(u32, Keys)> {
    let mut spots = spots.to_vec();
    spots.sort_unstable();
    spots.dedup();
    match grammar {
        Grammar::Json => json(text, &spots),
        Grammar::Xml => xml(text, &spots),
        Grammar::Yaml => yaml(text, &spots),
        Grammar::Hcl | Grammar::Bicep => blocks(text, &spots),
        Grammar::Lines => each(&spots, |at| line_key(text, at, b"=:")),
        Grammar::Containerfile => each(&spots, |at| line_key(text, at, b"= ")),
        _ => Vec::new(),
    }
}

/// Whether the keys fit a pattern of segments with `*` for one and `**` for any number.
pub fn matches(pattern: &str, keys: &[Box<str>]) -> bool {
    fn fits(pattern: &[&str], keys: &[Box<str>]) -> bool {
        match (pattern.split_first(), keys.split_first()) {
            (None, None) => true,
            (Some((&"**", rest)), _) => {
                fits(rest, keys) || keys.split_first().is_some_and(|(_, k)| fits(pattern, k))
            }
            (Some((&head, rest)), Some((key, keys))) => {
                (head == "*" || head.eq_ignore_ascii_case(key)) && fits(rest, keys)
            }
            _ => false,
        }
    }
    let segments: Vec<&str> = pattern.split('.').collect();
    fits(&segments, keys)
}

fn each(spots: &[u32], read: impl Fn(usize) -> Keys) -> Vec<(u32, Keys)> {
    spots.iter().map(|at| (*at, read(*at as usize))).collect()
}

fn shown(bytes: &[u8]) -> Box<str> {
    String::from_utf8_lossy(bytes).into()
}

/// One level of an open JSON document.
struct Level {
    is_array: bool,
    index: usize,
    key: Option<Box<str>>,
    /// What a member `name`, `key` or `id` of this object says.
    called: Option<Box<str>>,
}

fn json(text: &[u8], spots: &[u32]) -> Vec<(u32, Keys)> {
    let mut reader = Reader::new(text);
    let mut levels: Vec<Level> = Vec::new();
    let mut found: Vec<(u32, Keys)> = Vec::new();
    let mut next = 0;
    // The event after the last spot's value, so that a name after a value is seen too.
    while next < spots.len() {
        let Ok(event) = reader.event() else { break };
        match event {
            Event::Key(key) => {
                if let Some(level) = levels.last_mut() {
                    level.key = Some(shown(&key.decoded(text)));
                }
            }
            Event::Open(bracket) => {
                levels.push(Level {
                    is_array: bracket == Bracket::Array,
                    index: 0,
                    key: None,
                    called: None,
                });
                continue;
            }
            Event::Close(_) => {
                levels.pop();
                advance(&mut levels);
            }
            Event::Text(value) | Event::Scalar(value) => {
                let called = levels.last().and_then(|l| l.key.as_deref());
                let is_name = matches!(called, Some("name" | "key" | "Name" | "Key"));
                if is_name && let Some(level) = levels.last_mut() {
                    level.called = Some(shown(&value.decoded(text)));
                }
                while next < spots.len() && spots[next] < value.end.max(value.start + 1) {
                    if spots[next] >= value.start {
                        found.push((spots[next], keys_of(&levels)));
                    }
                    next += 1;
                }
                advance(&mut levels);
            }
            _ => break,
        }
    }
    found
}

fn advance(levels: &mut [Level]) {
    if let Some(level) = levels.last_mut().filter(|level| level.is_array) {
        level.index += 1;
    }
}

/// An item of a list is called by its own name where it has said one.
fn keys_of(levels: &[Level]) -> Keys {
    let mut keys = Keys::new();
    if levels.len() > DEEPEST {
        return keys;
    }
    for (at, level) in levels.iter().enumerate() {
        if level.is_array {
            let called = levels.get(at + 1).and_then(|item| item.called.clone());
            keys.push(called.unwrap_or_else(|| level.index.to_string().into()));
        } else if let Some(key) = &level.key {
            keys.push(key.clone());
        }
    }
    keys
}

/// Climbs by indentation.
fn yaml(text: &[u8], spots: &[u32]) -> Vec<(u32, Keys)> {
    let mut above: Vec<Line<'_>> = Vec::new();
    let mut found = Vec::with_capacity(spots.len());
    let mut spots = spots.iter().copied().peekable();
    let mut start = 0;
    for line in text.split(|b| *b == b'\n') {
        let end = start + line.len();
        while let Some(at) = spots.next_if(|at| *at as usize <= end) {
            let before = &line[..at as usize - start];
            found.push((at, yaml_keys(&above, last_bytes(before))));
        }
        if spots.peek().is_none() {
            break;
        }
        pile(&mut above, line);
        start = end + 1;
    }
    found
}

/// A line that later ones may stand under.
struct Line<'t> {
    text: &'t [u8],
    column: usize,
    is_item: bool,
}

/// Adds a line, and takes those away that no later line can stand under: what is left is indented
/// ever more.
fn pile<'t>(above: &mut Vec<Line<'t>>, line: &'t [u8]) {
    let trimmed = line.trim_ascii();
    if trimmed.starts_with(b"---") {
        return above.clear();
    }
    let column = indent(line);
    let rest = &line[column..];
    let is_item = rest.starts_with(b"- ");
    if trimmed.starts_with(b"#") || !is_item && flow_keys(rest).is_empty() {
        return;
    }
    let line = Line {
        text: line,
        column,
        is_item,
    };
    let covers = |other: &Line<'_>| {
        other.column > line.column
            || other.column == line.column && (other.is_item || !line.is_item)
    };
    while above.last().is_some_and(covers) {
        above.pop();
    }
    above.push(line);
}

fn yaml_keys(above: &[Line<'_>], current: &[u8]) -> Keys {
    let mut keys = Keys::new();
    let mut held = Held {
        column: usize::MAX,
        is_item: false,
    };
    climb(current, &mut held, &mut keys);
    // The innermost, so many that a value with fewer keys has all of its own.
    for line in above.iter().rev().take(2 * DEEPEST) {
        climb(line.text, &mut held, &mut keys);
    }
    keys.reverse();
    shallow(keys)
}

fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|b| **b == b' ').count()
}

/// What was taken last.
struct Held {
    column: usize,
    /// An item of a list, which may stand in the same column as the key of the list.
    is_item: bool,
}

/// Takes the keys of a line that is indented less than what is held so far, innermost first.
fn climb(line: &[u8], held: &mut Held, keys: &mut Keys) {
    let mut column = indent(line);
    let mut rest = &line[column..];
    let mut of_line: Vec<(usize, Option<Box<str>>)> = Vec::new();
    while let Some(item) = rest.strip_prefix(b"- ") {
        of_line.push((column, None));
        let skipped = 1 + item.len() - item.trim_ascii_start().len() + 1;
        column += skipped;
        rest = item.trim_ascii_start();
    }
    for key in flow_keys(rest) {
        of_line.push((column, Some(key)));
        column += 1;
    }
    let called = flow_keys(rest)
        .first()
        .filter(|key| matches!(&***key, "name" | "key"))
        .and_then(|_| rest.split(|b| *b == b':').nth(1))
        .map(|value| value.trim_ascii())
        .filter(|value| !value.is_empty());
    for (column, key) in of_line.into_iter().rev() {
        let fits = column < held.column || held.is_item && key.is_some() && column == held.column;
        if !fits {
            continue;
        }
        held.column = column;
        held.is_item = key.is_none();
        keys.push(match (key, called) {
            (Some(key), _) => key,
            (None, Some(name)) if !keys.is_empty() => shown(name),
            (None, _) => "0".into(),
        });
    }
}

/// `a` of `a: b`, and `a`, `b` of `a: {b: c`.
fn flow_keys(text: &[u8]) -> Vec<Box<str>> {
    let mut keys = Vec::new();
    let mut rest = text;
    loop {
        let rest_trimmed = rest.trim_ascii_start();
        let Some(colon) = colon(rest_trimmed) else {
            return keys;
        };
        let key = rest_trimmed[..colon].trim_ascii();
        let key = key
            .strip_prefix(b"\"")
            .and_then(|k| k.strip_suffix(b"\""))
            .or_else(|| key.strip_prefix(b"'").and_then(|k| k.strip_suffix(b"'")))
            .unwrap_or(key);
        keys.push(shown(key));
        let value = rest_trimmed[colon + 1..].trim_ascii_start();
        let Some(inner) = value.strip_prefix(b"{") else {
            return keys;
        };
        // Only the member that is still open at the end counts.
        let start = inner.iter().rposition(|b| *b == b',').map_or(0, |c| c + 1);
        rest = &inner[start..];
    }
}

/// Where the colon of `key: value` is.
fn colon(text: &[u8]) -> Option<usize> {
    if matches!(text.first(), None | Some(b'#' | b'[' | b'&' | b'*' | b'|')) {
        return None;
    }
    let quote = text.first().copied().filter(|b| matches!(b, b'"' | b'\''));
    let from = match quote {
        Some(quote) => 2 + memchr::memchr(quote, &text[1..])?,
        None => 0,
    };
    let found = text[from..].iter().enumerate().position(|(i, b)| {
        *b == b':'
            && text
                .get(from + i + 1)
                .is_none_or(|n| n.is_ascii_whitespace())
    });
    found.map(|at| from + at)
}

/// Elements around, then the `key` or `name` of the tag, then the attribute.
fn xml(text: &[u8], spots: &[u32]) -> Vec<(u32, Keys)> {
    let mut open: Vec<&[u8]> = Vec::new();
    let mut found = Vec::with_capacity(spots.len());
    let mut spots = spots.iter().copied().peekable();
    let mut position = 0;
    while spots.peek().is_some() {
        let start = memchr::memchr(b'<', &text[position..]).map_or(text.len(), |p| position + p);
        while let Some(at) = spots.next_if(|at| *at as usize <= start) {
            found.push((at, elements(&open, None)));
        }
        if start == text.len() {
            break;
        }
        let rest = &text[start + 1..];
        let is_comment = rest.starts_with(b"!--");
        let close: &[u8] = if is_comment { b"-->" } else { b">" };
        let length = memchr::memmem::find(rest, close);
        let end = length.map_or(text.len(), |end| start + 1 + end);
        while let Some(at) = spots.next_if(|at| *at as usize <= end) {
            let before = &text[start + 1..at as usize];
            found.push((at, elements(&open, (!is_comment).then_some(before))));
        }
        position = (end + close.len()).min(text.len());
        let tag = &text[start + 1..end];
        if tag.starts_with(b"/") {
            open.pop();
        } else if !is_comment
            && !tag.ends_with(b"/")
            && !tag.starts_with(b"?")
            && !tag.starts_with(b"!")
        {
            open.push(tag);
        }
    }
    found
}

/// The keys of a value in these tags, and in the one that is still being written.
fn elements(open: &[&[u8]], unfinished: Option<&[u8]>) -> Keys {
    if open.len() > DEEPEST {
        return Keys::new();
    }
    let called = |tag: &[u8]| attribute(tag, b"key").or_else(|| attribute(tag, b"name"));
    let mut keys: Keys = open
        .iter()
        .map(|tag| match called(tag) {
            Some(called) => format!("{}.{called}", element(tag)).into(),
            None => element(tag),
        })
        .collect();
    if let Some(tag) = unfinished.filter(|tag| tag.len() <= LINE) {
        keys.push(element(tag));
        keys.extend(called(tag));
        keys.extend(last_attribute(tag));
    }
    keys
}

fn element(tag: &[u8]) -> Box<str> {
    let end = tag.iter().position(|b| b.is_ascii_whitespace());
    shown(&tag[..end.unwrap_or(tag.len())])
}

fn attribute(tag: &[u8], name: &[u8]) -> Option<Box<str>> {
    let start = memchr::memmem::find(tag, &[b" ", name, b"=\""].concat())? + name.len() + 3;
    let end = memchr::memchr(b'"', &tag[start..])?;
    Some(shown(&tag[start..start + end]))
}

/// The attribute whose value is still open.
fn last_attribute(tag: &[u8]) -> Option<Box<str>> {
    let (mut quote, mut equals) = (None, None);
    for (at, byte) in tag.iter().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'=') => equals = Some(at),
            _ => {}
        }
    }
    let name = tag[..equals?].trim_ascii_end();
    let start = name.iter().rposition(|b| b.is_ascii_whitespace())? + 1;
    Some(shown(&name[start..]))
}

/// Headers of the blocks around and the key of the line, in Terraform and Bicep.
fn blocks(text: &[u8], spots: &[u32]) -> Vec<(u32, Keys)> {
    let mut open: Vec<&[u8]> = Vec::new();
    let mut found = Vec::with_capacity(spots.len());
    let mut spots = spots.iter().copied().peekable();
    let (mut line_start, mut index) = (0, 0);
    let mut quoted = None;
    while spots.peek().is_some() && index <= text.len() {
        let byte = text.get(index).copied().unwrap_or(b'\n');
        let is_comment = match byte {
            b'#' => true,
            b'/' => text.get(index + 1) == Some(&b'/'),
            _ => false,
        };
        let end = match quoted {
            None if is_comment => line_end(text, index),
            Some(_) if byte == b'\\' => index + 1,
            _ => index,
        };
        while let Some(at) = spots.next_if(|at| *at as usize <= end) {
            let line = last_bytes(&text[line_start.min(at as usize)..at as usize]);
            found.push((at, headers(&open, line)));
        }
        match (quoted, byte) {
            (Some(_), b'\\') => {}
            (Some(quote), b) if quote == b || b == b'\n' => quoted = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quoted = Some(byte),
            (None, b'{') => {
                open.push(last_bytes(&text[line_start..index]));
                line_start = index + 1;
            }
            (None, b'}') => {
                open.pop();
                line_start = index + 1;
            }
            _ => {}
        }
        if text.get(end) == Some(&b'\n') {
            line_start = end + 1;
        }
        index = end + 1;
    }
    found
}

fn headers(open: &[&[u8]], line: &[u8]) -> Keys {
    if open.len() > DEEPEST {
        return Keys::new();
    }
    let lines = open.iter().copied().chain([line]);
    shallow(lines.flat_map(header).collect())
}

/// What stands under too many keys is told none.
fn shallow(keys: Keys) -> Keys {
    if keys.len() > 2 * DEEPEST {
        return Keys::new();
    }
    keys
}

fn last_bytes(line: &[u8]) -> &[u8] {
    &line[line.len().saturating_sub(LINE)..]
}

fn line_end(text: &[u8], from: usize) -> usize {
    memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |end| from + end)
}

/// The words before `=` or `:`, without quotes: `resource "a" "b"`, `key =`, `param p string =`.
fn header(line: &[u8]) -> Keys {
    let end = line
        .iter()
        .position(|b| matches!(b, b'=' | b':'))
        .unwrap_or(line.len());
    let text = String::from_utf8_lossy(&line[..end]);
    let words = text.split_whitespace().map(|w| w.trim_matches(['"', '\'']));
    let words: Keys = words.filter(|w| !w.is_empty()).map(Box::from).collect();
    match words.first().map(|w| &**w) {
        Some("param" | "var" | "module") => words.into_iter().take(2).collect(),
        _ => words,
    }
}

/// The key of `key = value`.
fn line_key(text: &[u8], at: usize, separators: &[u8]) -> Keys {
    let before = last_bytes(&text[..at.min(text.len())]);
    let start = memchr::memrchr(b'\n', before).map_or(0, |n| n + 1);
    let line = before[start..].trim_ascii();
    let line = [&b"export "[..], b"ENV ", b"ARG "]
        .iter()
        .fold(line, |l, word| l.strip_prefix(*word).unwrap_or(l));
    let end = separators
        .iter()
        .find_map(|sign| memchr::memchr(*sign, line));
    let key = line[..end.unwrap_or(line.len())].trim_ascii();
    if key.is_empty() {
        Keys::new()
    } else {
        vec![shown(key)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WORDS: [&str; 30] = [
        "a: ",
        "- ",
        "  ",
        "\n",
        "\n  ",
        "\n    ",
        "\n  - ",
        "\n- ",
        "name: x",
        "k:",
        "{b: c, ",
        "}",
        "{",
        "# c",
        "\n---\n",
        "\"",
        "'",
        "\\",
        "<a>",
        "</a>",
        "<b key=\"q\" v=\"",
        "\"/>",
        "<!--",
        "-->",
        "<",
        "=",
        "//",
        "\"q\": ",
        "resource \"a\" \"b\" {\n",
        "text",
    ];

    /// What a text says before and at a value is all that counts, and what else is asked for is not.
    fn law(grammar: Grammar, text: &str) -> Result<(), TestCaseError> {
        let spots: Vec<u32> = (0..text.len() as u32).collect();
        let together = paths(grammar, text.as_bytes(), &spots);
        prop_assert_eq!(together.len(), spots.len());
        for (at, keys) in together {
            // A comment's sign cut in two is none.
            let before = &text[..at as usize];
            if ["<", "<!", "<!-", "/"]
                .iter()
                .any(|sign| before.ends_with(sign))
            {
                continue;
            }
            let alone = paths(grammar, before.as_bytes(), &[at]);
            prop_assert_eq!(&[(at, keys)][..], &alone[..], "{:?}", grammar);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn values_do_not_share_keys(words in prop::collection::vec(0..WORDS.len(), 0..40)) {
            let text: String = words.iter().map(|word| WORDS[*word]).collect();
            for grammar in [Grammar::Yaml, Grammar::Xml, Grammar::Hcl, Grammar::Lines] {
                law(grammar, &text)?;
            }
        }
    }

    #[test]
    fn what_stands_too_deep_is_told_no_keys() {
        for (grammar, deep) in [
            (Grammar::Json, "{\"a\":".repeat(100) + "\""),
            (Grammar::Xml, "<a>".repeat(100)),
            (Grammar::Hcl, "a {\n".repeat(200)),
        ] {
            let text = deep.clone() + "x\"";
            let found = paths(grammar, text.as_bytes(), &[deep.len() as u32]);
            assert!(found.iter().all(|(_, keys)| keys.is_empty()), "{found:?}");
        }
    }
}

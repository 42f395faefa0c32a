//! The parts of a notebook with their bytes in the file.

use std::ops::Range;

use tree_sitter::Node;

use super::edit::Edit;
use super::grammar::{self, Parsed};
use super::quote;
use super::region::Region;
use crate::decode::{self, Layer, Limits, Role};
use crate::host::Grammar;
use crate::unit::{Origin, Unit};

/// The mark by which a helper is known again.
pub const MARK: &str = "keysweep:kv-helper";

/// A notebook, read for editing.
pub struct Notebook {
    pub cells: Vec<Cell>,
    /// Whether cells have ids: format 4.5 and later.
    has_ids: bool,
    /// Format 3 and before.
    is_old: bool,
}

/// One cell.
pub struct Cell {
    pub range: Range<usize>,
    pub is_code: bool,
    pub source: Region,
    pub outputs: Option<Range<usize>>,
    pub execution_count: Option<Range<usize>>,
    /// Whether its source is a list of lines.
    is_list: bool,
    /// Bytes of the source's strings, for telling sources from outputs.
    pub source_range: Range<usize>,
}

/// Reads a notebook; `None` when the file is not valid JSON or no notebook.
pub fn read(file: &[u8]) -> Option<Notebook> {
    let parsed = grammar::parse(Grammar::Json, file)?;
    let root = parsed.root().named_child(0)?;
    let number = |name| {
        let value = member(&parsed, root, name)?;
        std::str::from_utf8(parsed.text_of(value))
            .ok()?
            .parse::<u32>()
            .ok()
    };
    let major = number("nbformat").unwrap_or(4);
    let minor = number("nbformat_minor").unwrap_or(0);
    let list = match member(&parsed, root, "cells") {
        Some(cells) => cells,
        None => {
            let sheets = member(&parsed, root, "worksheets")?;
            member(&parsed, sheets.named_child(0)?, "cells")?
        }
    };
    let mut cursor = list.walk();
    let cells = list
        .named_children(&mut cursor)
        .filter(|node| node.kind() == "object")
        .map(|node| cell(&parsed, node))
        .collect();
    Some(Notebook {
        cells,
        has_ids: (major, minor) >= (4, 5),
        is_old: major < 4,
    })
}

/// Whether a file is JSON. A byte order mark, which readers of notebooks take, is no fault.
pub fn is_json(file: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(without_mark(file)).is_ok()
}

/// A file without its byte order mark.
pub fn without_mark(file: &[u8]) -> &[u8] {
    file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file)
}

/// The stretches of a notebook, broken or not, that are no code. Read from the file's strings, so
/// that a large file takes no tree.
pub fn outside_code(file: &[u8]) -> Vec<Range<usize>> {
    let unit = Unit::whole(Origin::file("notebook.ipynb"), file);
    let nothing_nested = Limits {
        depth: 0,
        growth: 0,
    };
    let Ok(document) = decode::open(&unit, nothing_nested) else {
        return Vec::new();
    };
    let mut outside = Vec::new();
    let mut at = 0;
    let views = document.searchable();
    for (index, view) in views.filter(|(_, view)| view.layer == Layer::Notebook) {
        for (span, place) in view.stretches() {
            if document.place(place).role != Role::Code || span.is_empty() {
                continue;
            }
            let source = document.locate(index, span).source;
            if let (Some(first), Some(last)) = (source.first(), source.last()) {
                let (start, end) = (first.start as usize, last.end as usize);
                outside.push(at..start.max(at));
                at = end.max(at);
            }
        }
    }
    outside.push(at..file.len());
    outside
}

/// The value of a member of an object.
pub fn member<'n>(parsed: &Parsed<'_>, object: Node<'n>, name: &str) -> Option<Node<'n>> {
    let mut cursor = object.walk();
    object
        .named_children(&mut cursor)
        .filter(|pair| pair.kind() == "pair")
        .find(|pair| {
            let key = pair.child_by_field_name("key");
            key.is_some_and(|key| inner(parsed, key) == name.as_bytes())
        })
        .and_then(|pair| pair.child_by_field_name("value"))
}

/// A string without its quotes.
pub fn inner<'t>(parsed: &Parsed<'t>, node: Node<'_>) -> &'t [u8] {
    let range = node.byte_range();
    match range.len() {
        0 | 1 => &parsed.text[range],
        _ => &parsed.text[range.start + 1..range.end - 1],
    }
}

fn cell(parsed: &Parsed<'_>, node: Node<'_>) -> Cell {
    let source = member(parsed, node, "source").or_else(|| member(parsed, node, "input"));
    let mut strings = Vec::new();
    if let Some(source) = source {
        let mut cursor = source.walk();
        let parts: Vec<Node<'_>> = if source.kind() == "string" {
            vec![source]
        } else {
            source.named_children(&mut cursor).collect()
        };
        let of_strings = parts.iter().filter(|part| part.kind() == "string");
        strings = of_strings
            .map(|p| p.start_byte() + 1..p.end_byte() - 1)
            .collect();
    }
    let kind = member(parsed, node, "cell_type");
    let count =
        member(parsed, node, "execution_count").or_else(|| member(parsed, node, "prompt_number"));
    Cell {
        range: node.byte_range(),
        is_code: kind.is_some_and(|kind| inner(parsed, kind) == b"code"),
        source: Region::strings(parsed.text, &strings),
        outputs: member(parsed, node, "outputs").map(|n| n.byte_range()),
        execution_count: count.map(|n| n.byte_range()),
        is_list: source.is_some_and(|source| source.kind() == "array"),
        source_range: source.map_or(0..0, |source| source.byte_range()),
    }
}

impl Notebook {
    /// Whether the helper is in a cell already.
    pub fn has_helper(&self) -> bool {
        let mark = MARK.as_bytes();
        self.cells
            .iter()
            .any(|cell| memchr::memmem::find(&cell.source.text, mark).is_some())
    }

    /// A new code cell before the one with this index, in the style of the file.
    pub fn insert_cell(&self, file: &[u8], before: usize, source: &str) -> Edit {
        let cell = &self.cells[before];
        let start = cell.range.start;
        let line = super::edit::line_start(file, start);
        let indent = &file[line..start];
        let pretty = indent.iter().all(u8::is_ascii_whitespace) && line > 0;
        let step = step(file, cell, indent.len());
        let newline = super::edit::newline(file);
        let outer = String::from_utf8_lossy(indent).into_owned();
        let text = self.cell_text(source, cell.is_list);
        let mut out = if pretty {
            indented(&text, &outer, step, newline)
        } else {
            text.to_string()
        };
        out.push(',');
        if pretty {
            out.push_str(newline);
            out.push_str(&outer);
        } else {
            out.push(' ');
        }
        Edit::insert(start, out)
    }

    fn cell_text(&self, source: &str, is_list: bool) -> serde_json::Value {
        let lines: Vec<&str> = source.split_inclusive('\n').collect();
        let body = if is_list {
            serde_json::json!(lines)
        } else {
            serde_json::json!(source)
        };
        let mut cell = serde_json::json!({"cell_type": "code", "metadata": {}, "outputs": []});
        if self.is_old {
            cell["collapsed"] = false.into();
            cell["language"] = "python".into();
            cell["input"] = body;
        } else {
            cell["execution_count"] = serde_json::Value::Null;
            cell["metadata"] = serde_json::json!({"tags": ["keysweep"]});
            cell["source"] = body;
        }
        if self.has_ids {
            cell["id"] = "keysweep-kv".into();
        }
        cell
    }

    /// Empties the outputs of a cell.
    pub fn clear(&self, index: usize) -> Vec<Edit> {
        let cell = &self.cells[index];
        let outputs = cell.outputs.clone().map(|range| Edit::new(range, "[]"));
        let count = cell.execution_count.clone();
        let count = count.map(|range| Edit::new(range, "null"));
        outputs.into_iter().chain(count).collect()
    }
}

/// How much deeper the members of a cell stand than the cell.
fn step(file: &[u8], cell: &Cell, outer: usize) -> usize {
    let inside = &file[cell.range.clone()];
    let Some(end) = memchr::memchr(b'\n', inside) else {
        return 1;
    };
    let spaces = inside[end + 1..].iter().take_while(|b| **b == b' ').count();
    spaces.saturating_sub(outer).max(1)
}

/// JSON over several lines, its first not indented.
fn indented(value: &serde_json::Value, outer: &str, step: usize, newline: &str) -> String {
    let deeper = format!("{outer}{}", " ".repeat(step));
    match value {
        serde_json::Value::Object(members) if !members.is_empty() => {
            let lines: Vec<String> = members
                .iter()
                .map(|(key, value)| {
                    let value = indented(value, &deeper, step, newline);
                    format!("{deeper}\"{}\": {value}", quote::json(key))
                })
                .collect();
            let lines = lines.join(&format!(",{newline}"));
            format!("{{{newline}{lines}{newline}{outer}}}")
        }
        serde_json::Value::Array(items) if !items.is_empty() => {
            let lines: Vec<String> = items
                .iter()
                .map(|item| format!("{deeper}{}", indented(item, &deeper, step, newline)))
                .collect();
            let lines = lines.join(&format!(",{newline}"));
            format!("[{newline}{lines}{newline}{outer}]")
        }
        other => other.to_string(),
    }
}

/// Code with IPython's own lines blanked, byte for byte, so that a grammar of Python can read it.
pub fn without_magics(source: &[u8]) -> Vec<u8> {
    let mut out = source.to_vec();
    let mut at = 0;
    let mut continues = false;
    while at < out.len() {
        let end = memchr::memchr(b'\n', &out[at..]).map_or(out.len(), |n| at + n);
        let line = &out[at..end];
        let lead = line.len() - line.trim_ascii_start().len();
        let trimmed = line.trim_ascii();
        let magic = if continues {
            Some(lead)
        } else {
            magic_start(line, lead, trimmed)
        };
        if let Some(from) = magic {
            let goes_on = trimmed.ends_with(b"\\");
            let filler: &[u8] = if continues { b" " } else { b"0" };
            for (index, byte) in out[at + from..end].iter_mut().enumerate() {
                if *byte != b'\r' {
                    *byte = if index == 0 { filler[0] } else { b' ' };
                }
            }
            continues = goes_on;
        } else {
            continues = false;
        }
        at = end + 1;
    }
    out
}

/// Where in a line IPython takes over.
fn magic_start(line: &[u8], lead: usize, trimmed: &[u8]) -> Option<usize> {
    match trimmed.first() {
        Some(b'%' | b'!' | b'?') => return Some(lead),
        Some(b) if trimmed.ends_with(b"?") && (b.is_ascii_alphabetic() || *b == b'_') => {
            return Some(lead);
        }
        _ => {}
    }
    let equals = memchr::memchr(b'=', line)?;
    let after = &line[equals + 1..];
    let skipped = after.len() - after.trim_ascii_start().len();
    let takes_over = matches!(after.get(skipped), Some(b'!'))
        || after.get(skipped) == Some(&b'%')
            && after.get(skipped + 1).is_some_and(u8::is_ascii_alphabetic);
    takes_over.then_some(equals + 1 + skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magics_are_blanked_in_place() {
        let source = b"%%time\nx = !ls \\\n  -l\n!a\nif y:\n    %b c\nz?\nw = 1 % 2\n";
        let plain = without_magics(source);
        assert_eq!(plain.len(), source.len());
        assert!(
            grammar::parse(Grammar::Python, &plain).is_some(),
            "{}",
            String::from_utf8_lossy(&plain)
        );
        assert!(plain.ends_with(b"w = 1 % 2\n"));
    }

    #[test]
    fn all_but_code_is_outside_of_code() {
        let whole = r#"{"cells":[{"cell_type":"code","source":["a\n","b"],"outputs":[{"output_type":"stream","text":"c"}]},{"cell_type":"markdown","source":"d"},{"cell_type":"code","source":"e"}],"nbformat":4}"#;
        for file in [whole, &whole[..whole.len() - 20]] {
            let outside = outside_code(file.as_bytes());
            let at = |quoted: &str| file.find(quoted).expect("there") + 1;
            let is_outside = |at: usize| outside.iter().any(|range| range.contains(&at));
            assert!(
                !is_outside(at("\"a\\n")) && !is_outside(at("\"b\"")),
                "{file}"
            );
            assert!(is_outside(at("\"c\"")) && is_outside(at("\"d\"")), "{file}");
        }
    }

    #[test]
    fn a_cell_is_inserted_in_the_files_style() {
        let file = "{\n \"cells\": [\n  {\n   \"cell_type\": \"code\",\n   \"source\": [\n    \"x\"\n   ]\n  }\n ],\n \"nbformat\": 4,\n \"nbformat_minor\": 5\n}\n";
        let notebook = read(file.as_bytes()).expect("a notebook");
        let edit = notebook.insert_cell(file.as_bytes(), 0, "a\nb\n");
        let (after, _) = super::super::edit::apply(file.as_bytes(), &[edit]);
        let text = String::from_utf8(after).expect("UTF-8");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["cells"][0]["id"], "keysweep-kv");
        assert!(text.starts_with("{\n \"cells\": [\n  {\n   \"cell_type\": \"code\",\n   \"execution_count\": null,\n"), "{text}");
    }
}

//! A notebook that is not JSON any more: conflict markers, cut off, hand-edited.
//!
//! All strings are read in order, wherever they stand. Strings that only a comma parts are joined
//! (the lines of a list), a string after a colon gets its key's name, and cells are counted by their
//! `cell_type`, which writers with sorted keys put first.

use crate::decode::json::{Text, Unescaper, string_at};
use crate::decode::{Place, Role, ViewBuilder};

/// Writes the strings of `text`.
pub fn strings(text: &[u8], builder: &mut ViewBuilder, places: &mut Vec<Place>) {
    builder.begin(places.len() as u32, 0);
    places.push(Place {
        role: Role::Text,
        ..Place::default()
    });
    let mut cells = 0;
    let mut key: Option<Text> = None;
    let mut last_end = 0;
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr(b'"', rest)) {
        let start = at + found;
        let (string, next) = next_string(text, start);
        at = next;
        if text[at.min(text.len())..].trim_ascii_start().first() == Some(&b':') {
            key = Some(string);
            let name = string.raw(text);
            if name == b"cell_type" {
                cells += 1;
            }
            if matches!(
                name,
                b"cell_type" | b"source" | b"input" | b"outputs" | b"data"
            ) {
                builder.begin(places.len() as u32, start);
                places.push(Place {
                    role: role(name),
                    cell: u32::checked_sub(cells, 1),
                    ..Place::default()
                });
            }
            last_end = at;
            continue;
        }
        let between = text[last_end.min(start)..start].trim_ascii();
        if between == b":" {
            entry(text, key, string, builder);
        } else {
            if between != b"," && !between.ends_with(b"[") {
                builder.glue(b"\n", start);
            }
            Unescaper::new(builder).write(text, string);
        }
        last_end = at;
    }
}

/// The string at `start`, and where to go on. One that never ends is taken to end with its line.
fn next_string(text: &[u8], start: usize) -> (Text, usize) {
    let line = memchr::memchr2(b'\n', b'\r', &text[start..]).map_or(text.len(), |len| start + len);
    match string_at(text, start) {
        Some(string) if (string.end as usize) < line => (string, string.end as usize + 1),
        _ => {
            let string = Text {
                start: start as u32 + 1,
                end: line.max(start + 1) as u32,
                escaped: true,
            };
            (string, line.max(start + 1))
        }
    }
}

fn role(key: &[u8]) -> Role {
    match key {
        b"source" | b"input" => Role::Code,
        b"outputs" | b"data" => Role::Output,
        _ => Role::Metadata,
    }
}

fn entry(text: &[u8], key: Option<Text>, value: Text, builder: &mut ViewBuilder) {
    let mut writer = Unescaper::new(builder);
    writer.builder.glue(b"\n", value.start as usize);
    if let Some(key) = key {
        writer.write(text, key);
        writer.builder.glue(b" = \"", value.start as usize);
    }
    writer.write(text, value);
    writer.builder.glue(b"\"\n", value.end as usize);
}

//! JSON values as lines `key = "value"`, so that the name of a value stands beside it.
//!
//! The key is the nearest one: a list's members take the list's. Where an object says
//! `{"name": X, "value": Y}` in one of the usual spellings, X is the key of Y.

use super::lower;
use crate::decode::ViewBuilder;
use crate::decode::json::{Kind, Text, Tree, Unescaper};

/// Keys whose value is a name for a sibling's value.
const NAMING: [&[u8]; 7] = [
    b"name",
    b"key",
    b"keyname",
    b"parameter",
    b"variable",
    b"title",
    b"description",
];
/// Keys whose value is what a sibling names.
const NAMED: [&[u8]; 5] = [
    b"value",
    b"currentvalue",
    b"defaultvalue",
    b"default",
    b"text",
];
/// Keys of identifiers and hashes, which look random and open nothing.
const IDENTIFIERS: [&[u8]; 10] = [
    b"id",
    b"hash",
    b"model_id",
    b"outputid",
    b"nuid",
    b"uuid",
    b"cell_id",
    b"layout",
    b"style",
    b"kernel_id",
];

/// Writes every string below (and including) node `root`.
pub fn write(text: &[u8], tree: &Tree, root: usize, builder: &mut ViewBuilder) {
    // Containers around the present node: where they end, the key their members take, the name
    // that one of their members gives another.
    let mut around: Vec<Around> = Vec::new();
    for index in root..tree.nodes[root].next as usize {
        while around.last().is_some_and(|a| a.end <= index) {
            around.pop();
        }
        let node = &tree.nodes[index];
        let outer = around.last();
        let key = node.key.or(outer.and_then(|a| a.key));
        match node.kind {
            Kind::Object | Kind::Array => around.push(Around {
                end: node.next as usize,
                key,
                name: naming(text, tree, index),
                // Databricks keeps what was typed into a cell's widgets under the cell's title.
                title: outer
                    .and_then(|a| a.name)
                    .filter(|_| lower(node.key, text) == b"inputwidgets"),
            }),
            Kind::String(value) => {
                let own = lower(node.key, text);
                if is_noise(&own, value.raw(text)) {
                    continue;
                }
                let named = NAMED.contains(&&own[..]);
                let title = outer.and_then(|a| a.title);
                let name = title.or(outer.and_then(|a| a.name).filter(|_| named));
                line(text, name.or(key), value, builder);
            }
        }
    }
}

struct Around {
    end: usize,
    key: Option<Text>,
    name: Option<Text>,
    /// The name that all its members take.
    title: Option<Text>,
}

/// The string with which an object names its value, if it does.
fn naming(text: &[u8], tree: &Tree, object: usize) -> Option<Text> {
    if tree.nodes[object].kind != Kind::Object {
        return None;
    }
    tree.children(object).find_map(|child| {
        let node = &tree.nodes[child];
        match node.kind {
            Kind::String(name) if NAMING.contains(&&lower(node.key, text)[..]) => Some(name),
            _ => None,
        }
    })
}

fn line(text: &[u8], key: Option<Text>, value: Text, builder: &mut ViewBuilder) {
    let mut writer = Unescaper::new(builder);
    if let Some(key) = key {
        writer.write(text, key);
        writer.reset();
        writer.builder.glue(b" = \"", value.start as usize);
    }
    writer.write(text, value);
    let end: &[u8] = if key.is_some() { b"\"\n" } else { b"\n" };
    writer.builder.glue(end, value.end as usize);
}

fn is_noise(key: &[u8], value: &[u8]) -> bool {
    value.is_empty()
        || IDENTIFIERS.contains(&key) && is_identifier(value)
        || value.starts_with(b"IPY_MODEL_")
        || value.starts_with(b"data:image/") && !value.starts_with(b"data:image/svg")
        || is_uuid(value)
}

/// No sentence, no address, no connection string: what stands under an identifier's key.
fn is_identifier(value: &[u8]) -> bool {
    value.len() <= 64
        && value
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

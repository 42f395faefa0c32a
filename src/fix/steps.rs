//! Steps of a workflow or pipeline: which list a value's step is in, and what a job may do.

use tree_sitter::Node;

use super::edit::{self, Edit};
use super::grammar::{Parsed, nearest};
use super::slot::{Refused, Scene};

/// The key of a mapping's pair, without quotes.
fn key<'t>(parsed: &Parsed<'t>, pair: Node<'_>) -> &'t [u8] {
    let key = pair.child_by_field_name("key").map(|n| n.byte_range());
    let text = key.map_or(&b""[..], |range| &parsed.text[range]);
    text.trim_ascii()
}

/// The list under the key `steps` that holds the secret.
fn steps<'a>(scene: &Scene<'a>) -> Result<Node<'a>, Refused> {
    let mut at = Some(scene.at()?);
    while let Some(node) = at {
        if node.kind() == "block_sequence" {
            let pair = nearest(node, &["block_mapping_pair"]);
            if pair.is_some_and(|pair| key(scene.parsed, pair) == b"steps") {
                return Ok(node);
            }
        }
        at = node.parent();
    }
    Err("is in no list of steps that is written in lines".into())
}

/// Steps put in front of the list, where they are not there yet.
pub fn insert(scene: &Scene<'_>, key: &str, text: &str) -> Result<Option<Edit>, Refused> {
    let list = steps(scene)?;
    let known = &scene.parsed.text[list.byte_range()];
    if memchr::memmem::find(known, key.as_bytes()).is_some() {
        return Ok(None);
    }
    let indent = " ".repeat(list.start_position().column);
    let newline = edit::newline(scene.parsed.text);
    let lines: String = text
        .trim_start_matches('\n')
        .lines()
        .map(|line| format!("{indent}{line}{newline}"))
        .collect();
    let start = edit::line_start(scene.parsed.text, list.start_byte());
    Ok(Some(Edit::insert(start, lines)))
}

/// The permission that signing in needs, inserted where nothing is said of permissions.
pub fn permission(scene: &Scene<'_>) -> Result<Option<Edit>, Refused> {
    let list = steps(scene)?;
    let parsed = scene.parsed;
    let pair = nearest(list, &["block_mapping_pair"]).ok_or("is in no job")?;
    let mut mapping = pair.parent();
    while let Some(node) = mapping {
        if node.kind() == "block_mapping" {
            let mut cursor = node.walk();
            let said = node
                .named_children(&mut cursor)
                .find(|pair| key(parsed, *pair) == b"permissions");
            if said.is_some() {
                return Ok(None);
            }
        }
        mapping = node.parent();
    }
    let column = pair.start_position().column;
    let indent = " ".repeat(column);
    let newline = edit::newline(parsed.text);
    let text = ["permissions:", "  id-token: write", "  contents: read"]
        .map(|line| format!("{indent}{line}{newline}"))
        .concat();
    let start = edit::line_start(parsed.text, pair.start_byte());
    Ok(Some(Edit::insert(start, text)))
}

/// Permissions that are said must let the job sign in: naming some takes all others away.
pub fn check_permissions(scene: &Scene<'_>) -> Result<(), Refused> {
    let parsed = scene.parsed;
    let mut at = Some(steps(scene)?);
    while let Some(node) = at {
        if node.kind() == "block_mapping" {
            let mut cursor = node.walk();
            let said = node
                .named_children(&mut cursor)
                .find(|pair| key(parsed, *pair) == b"permissions");
            if let Some(said) = said {
                let text = parsed.text_of(said);
                let enough = [&b"id-token: write"[..], b"write-all"];
                let is_enough = enough
                    .iter()
                    .any(|w| memchr::memmem::find(text, w).is_some());
                return if is_enough {
                    Ok(())
                } else {
                    Err("needs id-token: write among the permissions that are named".into())
                };
            }
        }
        at = node.parent();
    }
    Ok(())
}

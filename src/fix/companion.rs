//! What an edit needs beside it in the same file: imports, a helper, a block, a step.

use tree_sitter::Node;

use super::edit::{self, Edit};
use super::grammar::Parsed;
use super::slot::{Refused, Scene, has_module_syntax};
use super::{notebook, steps};
use crate::advise::template::Holes;
use crate::host::{Companion, Grammar};

/// A file to be made beside the edited one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    pub name: String,
    pub text: String,
}

/// Insertions and new files that a context's edit needs.
#[derive(Debug, Default)]
pub struct Needed {
    pub edits: Vec<Edit>,
    pub files: Vec<NewFile>,
}

/// What a scene's context needs beside its edit and does not have yet.
///
/// # Errors
/// With what is missing.
pub fn needed(scene: &Scene<'_>, holes: &Holes<'_>) -> Result<Needed, Refused> {
    let mut needed = Needed::default();
    let parsed = scene.parsed;
    if scene.context.inside == "github-permissions" {
        needed.edits.extend(steps::permission(scene)?);
    }
    for companion in scene.context.companions {
        let fill = |text: &str| {
            holes.fill(text).map_err(|fact| {
                Refused::from(format!("needs --set {}=NAME", fact.replace('_', "-")))
            })
        };
        let (key, text) = (fill(companion.key)?, fill(companion.text)?);
        match companion.at {
            "steps" => needed.edits.extend(steps::insert(scene, &key, &text)?),
            "imports" if !is_there(parsed, &key) => {
                needed.edits.push(import(scene, companion, &text));
            }
            "end" if !is_there(parsed, &key) => needed.edits.push(at_end(parsed, &text)),
            "imports" | "end" => {}
            at => {
                let name = at.strip_prefix("new-file:").unwrap_or(at);
                needed.files.push(NewFile {
                    name: name.to_owned(),
                    text: text.trim_start_matches('\n').to_owned(),
                });
            }
        }
    }
    Ok(needed)
}

/// Whether a text has the key, whatever the quotes.
fn is_there(parsed: &Parsed<'_>, key: &str) -> bool {
    let text = String::from_utf8_lossy(parsed.text).replace('\'', "\"");
    text.contains(&key.replace('\'', "\""))
}

fn at_end(parsed: &Parsed<'_>, text: &str) -> Edit {
    let newline = edit::newline(parsed.text);
    let lead = if parsed.text.ends_with(b"\n") {
        ""
    } else {
        newline
    };
    let text = text
        .trim_end_matches('\n')
        .trim_start_matches('\n')
        .replace('\n', newline);
    Edit::insert(parsed.text.len(), format!("{lead}{newline}{text}{newline}"))
}

/// A line after the imports that the file has.
fn import(scene: &Scene<'_>, companion: &Companion, text: &str) -> Edit {
    let parsed = scene.parsed;
    let newline = edit::newline(parsed.text);
    let is_script = matches!(
        scene.context.grammar,
        Grammar::JavaScript | Grammar::TypeScript
    );
    let text = if is_script && !scene.is_module && !has_module_syntax(parsed) {
        required(text)
    } else {
        text.to_owned()
    };
    debug_assert!(companion.at == "imports");
    Edit::insert(
        after_imports(parsed, scene.context.grammar),
        text.replace('\n', newline),
    )
}

/// `import { A } from "b";` as CommonJS has it.
fn required(line: &str) -> String {
    match line
        .strip_prefix("import ")
        .and_then(|rest| rest.split_once(" from "))
    {
        Some((names, module)) => {
            let module = module.trim_end().trim_end_matches(';');
            format!("const {names} = require({module});\n")
        }
        None => line.to_owned(),
    }
}

/// The start of the line after the leading imports.
pub fn after_imports(parsed: &Parsed<'_>, grammar: Grammar) -> usize {
    let kinds: &[&str] = match grammar {
        Grammar::Python => &[
            "import_statement",
            "import_from_statement",
            "future_import_statement",
        ],
        Grammar::CSharp => &["using_directive"],
        Grammar::Java => &["package_declaration", "import_declaration"],
        _ => &["import_statement", "hash_bang_line"],
    };
    let root = parsed.root();
    let mut cursor = root.walk();
    let mut last: Option<Node<'_>> = None;
    for (index, child) in root.children(&mut cursor).enumerate() {
        let is_import = kinds.contains(&child.kind()) || is_require(parsed, child, grammar);
        let is_head = child.kind() == "comment" && index == 0 && last.is_none();
        if is_import || is_head || is_docstring(child, index) || is_strict(parsed, child) {
            last = Some(child);
        } else if !child.is_extra() {
            break;
        }
    }
    match last {
        Some(node) => edit::next_line(
            parsed.text,
            node.end_byte().saturating_sub(1).max(node.start_byte()),
        ),
        None => bom(parsed.text),
    }
}

fn bom(text: &[u8]) -> usize {
    if text.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    }
}

fn is_require(parsed: &Parsed<'_>, node: Node<'_>, grammar: Grammar) -> bool {
    grammar == Grammar::JavaScript
        && node.kind() == "lexical_declaration"
        && memchr::memmem::find(parsed.text_of(node), b"require(").is_some()
}

fn is_docstring(node: Node<'_>, index: usize) -> bool {
    let only = node.named_child(0).map(|child| child.kind());
    index <= 1 && node.kind() == "expression_statement" && only == Some("string")
}

fn is_strict(parsed: &Parsed<'_>, node: Node<'_>) -> bool {
    node.kind() == "expression_statement"
        && matches!(parsed.text_of(node).get(1..11), Some(b"use strict"))
}

/// The Python helper, under a name that the code does not use for something else.
pub fn python_helper(name: &str) -> String {
    format!(
        "import os\nfrom functools import lru_cache\n\nfrom azure.identity import DefaultAzureCredential\n\
         from azure.keyvault.secrets import SecretClient\n\n\n\
         # {mark}\n@lru_cache(maxsize=None)\ndef _{name}_client():\n    \
         return SecretClient(vault_url=os.environ[\"KEY_VAULT_URL\"], credential=DefaultAzureCredential())\n\n\n\
         @lru_cache(maxsize=None)\ndef {name}(name):\n    return _{name}_client().get_secret(name).value\n",
        mark = notebook::MARK
    )
}

/// The helper's name: that of the helper that is there, else `kv` where the code leaves it free.
pub fn helper_name(code: &[u8]) -> String {
    let text = String::from_utf8_lossy(code);
    if let Some((_, after)) = text.split_once(notebook::MARK) {
        let named = after
            .split("def ")
            .filter_map(|rest| rest.split_once("(name)"))
            .map(|(name, _)| name);
        if let Some(name) = named.last().filter(|name| name.len() < 40) {
            return name.to_owned();
        }
    }
    let words = || text.split(|c: char| !c.is_alphanumeric() && c != '_');
    ["kv", "kv_secret", "keysweep_kv_secret"]
        .into_iter()
        .find(|name| words().all(|word| word != *name))
        .unwrap_or("keysweep_kv_secret_")
        .to_owned()
}

/// The helper for a module, after its imports, without those it has.
pub fn insert_helper(parsed: &Parsed<'_>, name: &str) -> Option<Edit> {
    if is_there(parsed, notebook::MARK) {
        return None;
    }
    let text = String::from_utf8_lossy(parsed.text);
    let has = |line: &str| {
        let is_import = line.starts_with("import ") || line.starts_with("from ");
        is_import && text.lines().any(|own| own.trim_end() == line)
    };
    let helper = python_helper(name);
    let mut kept: Vec<&str> = helper.lines().filter(|line| !has(line)).collect();
    while kept.first().is_some_and(|line| line.is_empty()) {
        kept.remove(0);
    }
    let at = after_imports(parsed, Grammar::Python);
    let newline = edit::newline(parsed.text);
    let mut out = String::new();
    let before = notebook::without_mark(&parsed.text[..at]);
    if before.last().is_some_and(|last| *last != b'\n') {
        out.push_str(newline);
    }
    let begins_with_import = kept
        .first()
        .is_some_and(|line| line.starts_with("import ") || line.starts_with("from "));
    if !before.is_empty() && !begins_with_import {
        out.push_str(newline);
        out.push_str(newline);
    }
    for line in kept {
        out.push_str(line);
        out.push_str(newline);
    }
    let rest = &parsed.text[at..];
    if !rest.is_empty() {
        out.push_str(newline);
        if !rest.starts_with(newline.as_bytes()) {
            out.push_str(newline);
        }
    }
    Some(Edit::insert(at, out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::grammar::parse;

    #[test]
    fn the_helper_goes_after_the_imports_once() {
        let text = b"#!/usr/bin/env python\n\"\"\"Doc.\"\"\"\nfrom __future__ import annotations\nimport os\n\nX = 1\n";
        let parsed = parse(Grammar::Python, text).expect("right");
        let edit = insert_helper(&parsed, "kv").expect("needed");
        let (after, _) = edit::apply(text, &[edit]);
        let shown = String::from_utf8(after).expect("UTF-8");
        assert_eq!(shown.matches("import os\n").count(), 1, "{shown}");
        let again = parse(Grammar::Python, shown.as_bytes()).expect("right");
        assert!(insert_helper(&again, "kv").is_none());
        assert!(shown.find("annotations") < shown.find("lru_cache"));
        assert_eq!(helper_name(shown.as_bytes()), "kv");
        assert_eq!(helper_name(b"kv = 1\n"), "kv_secret");
    }

    #[test]
    fn nothing_stands_between_a_byte_order_mark_and_the_helper() {
        let text = b"\xef\xbb\xbfX = 1\n";
        let parsed = parse(Grammar::Python, text).expect("right");
        let edit = insert_helper(&parsed, "kv").expect("needed");
        let (after, _) = edit::apply(text, &[edit]);
        assert!(after.starts_with(b"\xef\xbb\xbfimport os\n"));
    }
}

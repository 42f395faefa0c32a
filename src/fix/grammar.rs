//! The languages' own grammars: they decide what a whole literal is and whether two texts differ
//! only where they may.

use std::ops::Range;

use tree_sitter::{Node, Parser, Tree};

use crate::host::Grammar;

/// A text parsed without a fault.
pub struct Parsed<'t> {
    pub text: &'t [u8],
    tree: Tree,
}

fn language(grammar: Grammar) -> Option<tree_sitter::Language> {
    Some(match grammar {
        Grammar::Python => tree_sitter_python::LANGUAGE.into(),
        Grammar::R => tree_sitter_r::LANGUAGE.into(),
        Grammar::CSharp => tree_sitter_c_sharp::LANGUAGE.into(),
        Grammar::Java => tree_sitter_java::LANGUAGE.into(),
        Grammar::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
        Grammar::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        Grammar::Go => tree_sitter_go::LANGUAGE.into(),
        Grammar::PowerShell => tree_sitter_powershell::LANGUAGE.into(),
        Grammar::Bash => tree_sitter_bash::LANGUAGE.into(),
        Grammar::Hcl => tree_sitter_hcl::LANGUAGE.into(),
        Grammar::Bicep => tree_sitter_bicep::LANGUAGE.into(),
        Grammar::Yaml => tree_sitter_yaml::LANGUAGE.into(),
        Grammar::Json => tree_sitter_json::LANGUAGE.into(),
        Grammar::Xml => tree_sitter_xml::LANGUAGE_XML.into(),
        Grammar::Containerfile => tree_sitter_containerfile::LANGUAGE.into(),
        Grammar::Lines | Grammar::None => return None,
    })
}

/// Parses a text; `None` when there is no grammar or the text has a fault.
pub fn parse(grammar: Grammar, text: &[u8]) -> Option<Parsed<'_>> {
    let mut parser = Parser::new();
    parser.set_language(&language(grammar)?).ok()?;
    let tree = parser.parse(text, None)?;
    (!tree.root_node().has_error()).then_some(Parsed { text, tree })
}

/// A text of lines, for which there is no grammar: a tree of nothing.
pub fn unparsed(text: &[u8]) -> Parsed<'_> {
    let mut parser = Parser::new();
    let language: tree_sitter::Language = tree_sitter_json::LANGUAGE.into();
    // Both cannot fail: the grammar is of this build, and the text is empty.
    let tree = parser
        .set_language(&language)
        .ok()
        .and_then(|()| parser.parse(b"", None));
    Parsed {
        text,
        tree: tree.expect("an empty text parses"),
    }
}

impl Parsed<'_> {
    pub fn root(&self) -> Node<'_> {
        self.tree.root_node()
    }

    /// The smallest named node that holds the range.
    pub fn at(&self, range: &Range<usize>) -> Option<Node<'_>> {
        self.root()
            .named_descendant_for_byte_range(range.start, range.end)
    }

    pub fn text_of(&self, node: Node<'_>) -> &[u8] {
        &self.text[node.byte_range()]
    }
}

/// The nearest of a node and its ancestors that is of one of these kinds.
pub fn nearest<'n>(node: Node<'n>, kinds: &[&str]) -> Option<Node<'n>> {
    std::iter::successors(Some(node), Node::parent).find(|node| kinds.contains(&node.kind()))
}

/// Whether a node or an ancestor is of one of these kinds.
pub fn inside(node: Node<'_>, kinds: &[&str]) -> bool {
    nearest(node, kinds).is_some()
}

/// Whether two parsed texts have the same tree but for the nodes within these ranges of each: the
/// same kinds at the same depths, and leaves that read the same.
pub fn same_but(
    before: &Parsed<'_>,
    edited: &[Range<usize>],
    after: &Parsed<'_>,
    written: &[Range<usize>],
) -> bool {
    outline(before, edited) == outline(after, written)
}

/// All nodes that are not within an edit, in order. A node that holds an edit counts by its kind
/// only; one without children counts by its text too.
fn outline<'p>(parsed: &'p Parsed<'_>, edits: &[Range<usize>]) -> Vec<(&'static str, &'p [u8])> {
    let mut list = Vec::new();
    let mut cursor = parsed.tree.walk();
    loop {
        let node = cursor.node();
        let range = node.byte_range();
        let is_within = edits
            .iter()
            .any(|edit| edit.start <= range.start && range.end <= edit.end && !edit.is_empty());
        let touches = edits
            .iter()
            .any(|edit| !edit.is_empty() && edit.start < range.end && range.start < edit.end);
        if !is_within {
            let is_leaf = node.child_count() == 0;
            let text: &[u8] = if is_leaf && !touches {
                parsed.text_of(node).trim_ascii()
            } else {
                b""
            };
            list.push((node.kind(), text));
        }
        if (!is_within && cursor.goto_first_child()) || cursor.goto_next_sibling() {
            continue;
        }
        loop {
            if !cursor.goto_parent() {
                return list;
            }
            if cursor.goto_next_sibling() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scalar document, per grammar, that it must accept and one that it must refuse.
    #[test]
    fn every_grammar_tells_right_from_wrong() {
        for (grammar, right, wrong) in [
            (Grammar::Python, "x = 'a'\n", "x = = 'a'\n"),
            (Grammar::R, "x <- 'a'\n", "x <- <- )\n"),
            (
                Grammar::CSharp,
                "class A { string x = \"a\"; }\n",
                "class { = }\n",
            ),
            (
                Grammar::Java,
                "class A { String x = \"a\"; }\n",
                "class { = }\n",
            ),
            (Grammar::JavaScript, "const x = 'a';\n", "const = ;\n"),
            (
                Grammar::TypeScript,
                "const x: string = 'a';\n",
                "const = ;\n",
            ),
            (
                Grammar::Go,
                "package a\n\nvar x = \"a\"\n",
                "package\n var =\n",
            ),
            (Grammar::PowerShell, "$x = 'a'\n", "$x = = (\n"),
            (Grammar::Bash, "x='a'\n", "if ( ; then\n"),
            (Grammar::Hcl, "a \"b\" {\n  x = \"a\"\n}\n", "a { = }\n"),
            (Grammar::Bicep, "param x string = 'a'\n", "param = = {\n"),
            (Grammar::Yaml, "a: b\n", "a: [b\n"),
            (Grammar::Json, "{\"a\": \"b\"}\n", "{\"a\": }\n"),
            (Grammar::Xml, "<a b=\"c\"/>\n", "<a b=>\n"),
            (Grammar::Containerfile, "FROM a\nENV B=c\n", "FROM\nENVV\n"),
        ] {
            assert!(parse(grammar, right.as_bytes()).is_some(), "{grammar:?}");
            assert!(parse(grammar, wrong.as_bytes()).is_none(), "{grammar:?}");
        }
    }

    #[test]
    fn trees_differ_only_where_they_may() {
        let (old, new) = (b"x = 'a'\ny = 1\n", b"x = kv(\"n\")\ny = 1\n");
        let (before, after) = (
            parse(Grammar::Python, old).expect("right"),
            parse(Grammar::Python, new).expect("right"),
        );
        let (edit, written) = (4..7, 4..11);
        let same = |after| {
            let (edit, written) = (std::slice::from_ref(&edit), std::slice::from_ref(&written));
            same_but(&before, edit, after, written)
        };
        assert!(same(&after));
        let other = parse(Grammar::Python, b"x = kv(\"n\")\ny = 2\n").expect("right");
        assert!(!same(&other));
    }
}

//! Finds the literal that holds a secret, and says what stands in the way of replacing it.

use std::ops::Range;

use tree_sitter::Node;

use super::grammar::{Parsed, inside, nearest};
use crate::host::Grammar;

/// Why a secret is not replaced. Never quotes the value.
pub type Refusal = &'static str;

/// A literal with a secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// With quotes and prefix.
    pub whole: Range<usize>,
    /// Without.
    pub content: Range<usize>,
    /// The secret.
    pub secret: Range<usize>,
    pub prefix: String,
    pub quote: String,
    /// Whether the language puts values into it.
    pub has_holes: bool,
}

impl Literal {
    /// Whether the secret is all of it.
    pub fn is_whole(&self) -> bool {
        self.secret.start <= self.content.start && self.secret.end >= self.content.end
    }
}

/// What a language calls its literals, and where they must stay.
struct Kinds {
    strings: &'static [&'static str],
    /// Literals side by side that the language reads as one.
    joined: &'static [&'static str],
    /// Parts of a literal in which values are put.
    holes: &'static [&'static str],
    comments: &'static [&'static str],
    refused: &'static [(&'static str, Refusal)],
}

const COMMENT: Refusal = "stands in a comment";
const NO_LITERAL: Refusal = "is not a string literal of its own";

fn kinds(grammar: Grammar) -> Kinds {
    let none = Kinds {
        strings: &[],
        joined: &[],
        holes: &[],
        comments: &["comment", "line_comment", "block_comment", "Comment"],
        refused: &[],
    };
    match grammar {
        Grammar::Python => Kinds {
            strings: &["string"],
            joined: &["concatenated_string", "binary_operator"],
            holes: &["interpolation"],
            refused: &[
                ("decorator", "stands in a decorator"),
                ("default_parameter", "is a default argument"),
                ("typed_default_parameter", "is a default argument"),
                ("case_pattern", "is a pattern"),
                ("type", "is part of a type"),
                ("assert_statement", "is asserted"),
            ],
            ..none
        },
        Grammar::R => Kinds {
            strings: &["string"],
            ..none
        },
        Grammar::CSharp => Kinds {
            strings: &[
                "string_literal",
                "verbatim_string_literal",
                "raw_string_literal",
                "interpolated_string_expression",
            ],
            holes: &["interpolation"],
            refused: &[
                ("attribute", "stands in an attribute"),
                ("constant_pattern", "is a pattern"),
                ("case_switch_label", "is a case label"),
                ("parameter", "is a default argument"),
                ("enum_member_declaration", "is a constant of an enum"),
            ],
            ..none
        },
        Grammar::Java => Kinds {
            strings: &["string_literal"],
            holes: &["string_interpolation"],
            refused: &[
                ("annotation", "stands in an annotation"),
                ("switch_label", "is a case label"),
            ],
            ..none
        },
        Grammar::JavaScript | Grammar::TypeScript => Kinds {
            strings: &["string", "template_string"],
            holes: &["template_substitution"],
            refused: &[
                ("import_statement", "names a module"),
                ("decorator", "stands in a decorator"),
                ("formal_parameters", "is a default argument"),
                (
                    "jsx_attribute",
                    "is an attribute of a page, which a browser gets to see",
                ),
                ("literal_type", "is part of a type"),
                (
                    "field_definition",
                    "is a field of a class, where await is not legal",
                ),
                (
                    "public_field_definition",
                    "is a field of a class, where await is not legal",
                ),
                ("switch_case", "is a case label"),
            ],
            ..none
        },
        Grammar::Go => Kinds {
            strings: &["interpreted_string_literal", "raw_string_literal"],
            refused: &[
                (
                    "const_declaration",
                    "is a constant, which cannot hold what a call returns",
                ),
                ("import_spec", "names a package"),
                ("field_declaration", "is a tag of a field"),
            ],
            ..none
        },
        Grammar::PowerShell => Kinds {
            strings: &["string_literal"],
            holes: &["variable", "sub_expression"],
            refused: &[
                ("param_block", "is a default of a parameter"),
                ("attribute", "stands in an attribute"),
            ],
            ..none
        },
        Grammar::Bash => Kinds {
            strings: &["string", "raw_string", "word", "concatenation"],
            holes: &["simple_expansion", "expansion", "command_substitution"],
            refused: &[
                ("heredoc_body", "stands in a here-document"),
                ("heredoc_redirect", "stands in a here-document"),
                ("case_item", "is a pattern"),
                ("ansi_c_string", "stands in a string with escapes"),
            ],
            ..none
        },
        Grammar::Hcl => Kinds {
            strings: &["string_lit", "quoted_template"],
            holes: &["template_interpolation"],
            refused: &[("heredoc_template", "stands in a here-document")],
            ..none
        },
        Grammar::Bicep => Kinds {
            strings: &["string"],
            holes: &["interpolation"],
            refused: &[("decorator", "stands in a decorator")],
            ..none
        },
        Grammar::Yaml => Kinds {
            strings: &[
                "plain_scalar",
                "double_quote_scalar",
                "single_quote_scalar",
                "block_scalar",
            ],
            ..none
        },
        Grammar::Json => Kinds {
            strings: &["string"],
            ..none
        },
        Grammar::Xml => Kinds {
            strings: &["AttValue", "CharData"],
            ..none
        },
        Grammar::Containerfile | Grammar::Lines | Grammar::None => none,
    }
}

/// The literal around a secret.
///
/// # Errors
/// With what stands in the way.
pub fn find(
    parsed: &Parsed<'_>,
    grammar: Grammar,
    secret: &Range<usize>,
) -> Result<Literal, Refusal> {
    let kinds = kinds(grammar);
    let node = parsed.at(secret).ok_or(NO_LITERAL)?;
    if inside(node, kinds.comments) {
        return Err(COMMENT);
    }
    for (kind, why) in kinds.refused {
        if inside(node, &[kind]) {
            return Err(why);
        }
    }
    let literal = outermost(parsed, node, &kinds).ok_or(NO_LITERAL)?;
    refuse_position(grammar, literal)?;
    describe(parsed, grammar, literal, secret, &kinds)
}

/// The nearest string, or the row of strings that it is part of.
fn outermost<'n>(parsed: &Parsed<'_>, node: Node<'n>, kinds: &Kinds) -> Option<Node<'n>> {
    let mut found = match nearest(node, kinds.strings) {
        Some(string) => string,
        None => nearest(node, kinds.joined).filter(|n| only_strings(parsed, *n, kinds))?,
    };
    while let Some(parent) = found.parent() {
        let grows = kinds.joined.contains(&parent.kind()) && only_strings(parsed, parent, kinds)
            || parent.kind() == "concatenation" && kinds.strings.contains(&"concatenation");
        if !grows {
            break;
        }
        found = parent;
    }
    Some(found)
}

/// Whether a node is made of literals and `+` only.
fn only_strings(parsed: &Parsed<'_>, node: Node<'_>, kinds: &Kinds) -> bool {
    if kinds.strings.contains(&node.kind()) {
        let prefix = prefix(parsed.text_of(node));
        return !prefix.contains(['f', 'F', 'b', 'B']);
    }
    if !kinds.joined.contains(&node.kind()) {
        return node.kind() == "+" || node.is_extra();
    }
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .all(|child| only_strings(parsed, child, kinds))
}

fn refuse_position(grammar: Grammar, literal: Node<'_>) -> Result<(), Refusal> {
    const KEY: Refusal = "is a key, not a value";
    let Some(parent) = literal.parent() else {
        return Ok(());
    };
    match (grammar, parent.kind()) {
        (Grammar::Python, "expression_statement") => Err("is a string that nothing reads"),
        (Grammar::Python | Grammar::Json | Grammar::JavaScript | Grammar::TypeScript, "pair")
            if parent.child_by_field_name("key") == Some(literal) =>
        {
            Err(KEY)
        }
        (Grammar::Yaml, _) => {
            let pair = nearest(literal, &["block_mapping_pair", "flow_pair"]);
            let key = pair.and_then(|pair| pair.child_by_field_name("key"));
            let is_key = key.is_some_and(|key| key.byte_range().contains(&literal.start_byte()));
            if is_key { Err(KEY) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

/// Letters and signs before the first quote.
pub fn prefix(text: &[u8]) -> String {
    let end = text
        .iter()
        .position(|b| matches!(b, b'"' | b'\'' | b'`'))
        .unwrap_or(0);
    String::from_utf8_lossy(&text[..end]).into_owned()
}

fn describe(
    parsed: &Parsed<'_>,
    grammar: Grammar,
    node: Node<'_>,
    secret: &Range<usize>,
    kinds: &Kinds,
) -> Result<Literal, Refusal> {
    let whole = node.byte_range();
    let text = &parsed.text[whole.clone()];
    let bare = matches!(
        node.kind(),
        "word" | "concatenation" | "plain_scalar" | "block_scalar" | "CharData"
    );
    let joined = kinds.joined.contains(&node.kind());
    let (before, quote) = if bare || joined {
        (String::new(), String::new())
    } else {
        let before = prefix(text);
        let quote = quote_of(&text[before.len()..]).ok_or("has quotes that are not understood")?;
        (before, quote)
    };
    if grammar == Grammar::R && !before.is_empty() {
        return Err("stands in a raw string");
    }
    let content = whole.start + before.len() + quote.len()..whole.end - quote.len();
    let (content, whole) = match node.kind() {
        "CharData" => {
            let trimmed = text.trim_ascii();
            let start = whole.start + (text.len() - text.trim_ascii_start().len());
            (start..start + trimmed.len(), start..start + trimmed.len())
        }
        _ => (content, whole),
    };
    if content.start > content.end {
        return Err("has quotes that are not understood");
    }
    Ok(Literal {
        has_holes: has_descendant(node, kinds.holes),
        whole,
        content,
        secret: secret.clone(),
        prefix: before,
        quote,
    })
}

fn quote_of(text: &[u8]) -> Option<String> {
    let first = *text.first()?;
    let count = text.iter().take_while(|b| **b == first).count();
    let length = match count {
        // `""` is an empty string, `"x"` a plain one.
        0..=2 => 1,
        n if text.len() >= 2 * n => n,
        _ => 3,
    };
    let quote = &text[..length];
    (text.len() >= 2 * length && text.ends_with(quote))
        .then(|| String::from_utf8_lossy(quote).into_owned())
}

fn has_descendant(node: Node<'_>, kinds: &[&str]) -> bool {
    let mut cursor = node.walk();
    kinds.contains(&node.kind())
        || node
            .children(&mut cursor)
            .any(|child| has_descendant(child, kinds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::grammar::parse;

    fn found(grammar: Grammar, text: &str) -> Result<(String, bool), Refusal> {
        let at = text.find("HERE").expect("the mark");
        let parsed = parse(grammar, text.as_bytes()).expect("right");
        find(&parsed, grammar, &(at..at + 4))
            .map(|l| (text[l.whole.clone()].to_owned(), l.is_whole()))
    }

    #[test]
    fn literals_are_found_whole() {
        for (grammar, text, whole, is_whole) in [
            (Grammar::Python, "x = 'HERE'\n", "'HERE'", true),
            (
                Grammar::Python,
                "x = b\"\"\"HERE\"\"\"\n",
                "b\"\"\"HERE\"\"\"",
                true,
            ),
            (Grammar::Python, "x = ('a' 'HERE')\n", "'a' 'HERE'", false),
            (Grammar::Python, "x = 'a' + 'HERE'\n", "'a' + 'HERE'", false),
            (Grammar::Python, "x = y + 'HERE'\n", "'HERE'", true),
            (Grammar::Bash, "x='HERE'\n", "'HERE'", true),
            (Grammar::Bash, "x=HERE\n", "HERE", true),
            (Grammar::Bash, "f --k=HERE\n", "--k=HERE", false),
            (Grammar::Yaml, "a: HERE\n", "HERE", true),
            (Grammar::Yaml, "a: \"HERE\"\n", "\"HERE\"", true),
            (Grammar::Json, "{\"a\": \"HERE\"}", "\"HERE\"", true),
            (Grammar::Xml, "<a b=\"HERE\"/>", "\"HERE\"", true),
            (Grammar::Xml, "<a>HERE</a>", "HERE", true),
            (Grammar::Hcl, "a = \"HERE\"\n", "\"HERE\"", true),
            (
                Grammar::CSharp,
                "class A { string x = @\"HERE\"; }\n",
                "@\"HERE\"",
                true,
            ),
            (
                Grammar::Java,
                "class A { String x = \"HERE\"; }\n",
                "\"HERE\"",
                true,
            ),
            (Grammar::Go, "package a\nvar x = `HERE`\n", "`HERE`", true),
            (Grammar::PowerShell, "$x = 'HERE'\n", "'HERE'", true),
            (Grammar::R, "x <- \"HERE\"\n", "\"HERE\"", true),
            (Grammar::Bicep, "param x string = 'HERE'\n", "'HERE'", true),
            (Grammar::JavaScript, "const x = `HERE`;\n", "`HERE`", true),
        ] {
            let expected = Ok((whole.to_owned(), is_whole));
            assert_eq!(found(grammar, text), expected, "{grammar:?} {text}");
        }
    }

    #[test]
    fn what_must_stay_is_refused() {
        for (grammar, text) in [
            (Grammar::Python, "# HERE\n"),
            (Grammar::Python, "\"\"\"HERE\"\"\"\n"),
            (Grammar::Python, "def f(a='HERE'): pass\n"),
            (Grammar::Python, "x = {'HERE': 1}\n"),
            (Grammar::Python, "HERE = 1\n"),
            (Grammar::Go, "package a\nconst x = \"HERE\"\n"),
            (Grammar::Java, "class A { @B(\"HERE\") int x; }\n"),
            (Grammar::Yaml, "HERE: a\n"),
            (Grammar::Json, "{\"HERE\": 1}"),
            (Grammar::Bash, "cat <<E\nHERE\nE\n"),
        ] {
            assert!(found(grammar, text).is_err(), "{grammar:?} {text}");
        }
    }
}

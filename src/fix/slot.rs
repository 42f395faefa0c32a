//! From a context's template to edits: where they go, how they are quoted, what goes with them.

use std::borrow::Cow;
use std::ops::Range;

use tree_sitter::Node;

use super::edit::{self, Edit};
use super::grammar::{Parsed, nearest};
use super::kubernetes;
use super::literal::{self, Literal};
use super::notebook::{inner, member};
use super::quote::{self, YamlStyle};
use crate::advise::template::Holes;
use crate::host::{Context, Grammar, Slot};

/// Why a secret is not replaced, in words that quote nothing.
pub type Refused = Cow<'static, str>;

/// A secret in a parsed text.
#[derive(Clone)]
pub struct Scene<'a> {
    pub parsed: &'a Parsed<'a>,
    pub context: &'static Context,
    /// The secret in the text.
    pub secret: Range<usize>,
    /// Code that runs before this text, for variables that it binds.
    pub earlier: &'a [u8],
    /// The name of the helper function, where the context has one.
    pub helper: &'a str,
    /// Whether the file's name makes it an ES module.
    pub is_module: bool,
}

/// What goes into the vault and what is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub value: Vec<u8>,
    /// Secrets within this range are gone with the edit.
    pub covers: Range<usize>,
    /// The literal or node in which anything may differ afterwards.
    pub around: Range<usize>,
}

const PARENTS: [&str; 3] = ["pair", "block_mapping_pair", "flow_pair"];

/// How a secret that is part of a literal is taken out.
enum Mode {
    Whole,
    /// The reference goes in between these.
    Embed(String, String),
}

impl<'a> Scene<'a> {
    fn literal(&self) -> Result<Literal, Refused> {
        Ok(literal::find(
            self.parsed,
            self.context.grammar,
            &self.secret,
        )?)
    }

    fn node(&self) -> Result<Node<'a>, Refused> {
        let node = self.parsed.at(&self.secret);
        node.ok_or(Cow::Borrowed("is nothing that the grammar knows"))
    }

    fn text(&self) -> &'a [u8] {
        self.parsed.text
    }

    /// What the vault gets.
    ///
    /// # Errors
    /// With why nothing can be replaced here.
    pub fn held(&self) -> Result<Held, Refused> {
        let of = |range: &Range<usize>, covers: Range<usize>| Held {
            value: self.text()[range.clone()].to_vec(),
            around: covers.clone(),
            covers,
        };
        match self.context.slot {
            Slot::None => Err(self.context.why.into()),
            Slot::RemoveLine => {
                let range = self.line()?;
                Ok(of(&self.secret, range))
            }
            Slot::KubernetesSecret => kubernetes::held(self),
            Slot::Setting => {
                let (argument, value) = self.setting()?;
                Ok(of(&value, argument))
            }
            _ if self.context.grammar == Grammar::Lines => {
                let value = self.line_value()?;
                let held = if self.context.embeds {
                    &self.secret
                } else {
                    &value
                };
                Ok(of(held, value.clone()))
            }
            _ => {
                let literal = self.literal()?;
                Ok(match self.mode(&literal)? {
                    Mode::Whole => of(&literal.content, literal.whole),
                    Mode::Embed(..) => Held {
                        around: literal.whole,
                        ..of(&self.secret, self.secret.clone())
                    },
                })
            }
        }
    }

    /// The edits that put the reference in place, companions aside.
    ///
    /// # Errors
    /// With what is missing or stands in the way.
    pub fn edits(&self, holes: &Holes<'_>) -> Result<Vec<Edit>, Refused> {
        let fill = |holes: &Holes<'_>, template: &str| {
            holes.fill(template).map_err(|fact| -> Refused {
                match &*fact {
                    "vault" | "vault_url" | "vault_host" | "uri" => "needs --vault".into(),
                    fact => format!("needs --set {}=NAME", fact.replace('_', "-")).into(),
                }
            })
        };
        if self.context.public_cloud && holes.facts.vault.as_ref().is_some_and(|v| !v.is_public()) {
            return Err("works with vaults of the public cloud only".into());
        }
        // An argument KEY=VALUE says itself what its key is.
        let own = match self.context.slot {
            Slot::Setting => self.setting_key()?,
            _ => String::new(),
        };
        let own = Holes {
            said: if own.is_empty() { holes.said } else { &own },
            ..holes.clone()
        };
        let fill = |template: &str| fill(&own, template);
        let template = fill(self.context.template)?;
        let mut edits = match self.context.slot {
            Slot::None => return Err(self.context.why.into()),
            Slot::Expression => self.expression(&template)?,
            Slot::Scalar => self.scalar(&template)?,
            Slot::Value => vec![Edit::new(self.literal()?.whole, template)],
            Slot::Member => self.member(&template)?,
            Slot::Parent => self.parent(&template)?,
            Slot::Remove => vec![self.remove(self.pair()?)],
            Slot::RemoveParent => vec![self.remove(self.parent_pair()?)],
            Slot::RemoveLine => vec![Edit::new(self.line()?, "")],
            Slot::Setting => {
                let (argument, _) = self.setting()?;
                vec![Edit::new(argument, template)]
            }
            Slot::BicepParameter => self.bicep_parameter(&template)?,
            Slot::ConfigBuilder => self.config_builder(&template, holes)?,
            Slot::KubernetesSecret => return Err("is written with its whole document".into()),
        };
        for sibling in self.context.siblings {
            edits.extend(self.sibling(&fill(sibling)?)?);
        }
        Ok(edits)
    }

    fn mode(&self, literal: &Literal) -> Result<Mode, Refused> {
        let prefix = &literal.prefix;
        let embed = |a: &str, b: &str| Ok(Mode::Embed(a.to_owned(), b.to_owned()));
        if self.context.slot != Slot::Expression {
            let partial = !literal.is_whole();
            return if partial && self.context.embeds {
                embed("", "")
            } else {
                Ok(Mode::Whole)
            };
        }
        match self.context.grammar {
            Grammar::Python if prefix.contains(['f', 'F']) => {
                if prefix.contains(['b', 'B']) {
                    return Err("stands in a template of bytes".into());
                }
                if literal.is_whole() && !literal.has_holes {
                    return Ok(Mode::Whole);
                }
                embed("{", "}")
            }
            Grammar::Python if !literal.is_whole() && self.is_long(literal) => {
                let (open, close) = (
                    format!("{} + ", literal.quote),
                    format!(" + {}{}", prefix, literal.quote),
                );
                Ok(Mode::Embed(open, close))
            }
            Grammar::JavaScript | Grammar::TypeScript if literal.has_holes => embed("${", "}"),
            Grammar::Hcl if !literal.is_whole() => embed("${", "}"),
            Grammar::Bash if literal.quote == "\"" && !literal.is_whole() => embed("", ""),
            Grammar::Bash if literal.quote.is_empty() && !literal.is_whole() => embed("\"", "\""),
            Grammar::PowerShell if literal.quote == "\"" && !literal.is_whole() => embed("$", ""),
            _ if literal.has_holes => Err("stands in a string with values put into it".into()),
            Grammar::CSharp if prefix.contains('$') => {
                Err("stands in a string with values put into it".into())
            }
            _ => Ok(Mode::Whole),
        }
    }

    /// Too much of a text to be kept as one secret.
    fn is_long(&self, literal: &Literal) -> bool {
        const LONG: usize = 400;
        let content = &self.text()[literal.content.clone()];
        !literal.quote.is_empty() && (content.len() > LONG || content.contains(&b'\n'))
    }

    fn expression(&self, template: &str) -> Result<Vec<Edit>, Refused> {
        let literal = self.literal()?;
        self.precondition(&literal)?;
        let expression = self.bound(template)?;
        let mode = self.mode(&literal)?;
        match (self.context.grammar, mode) {
            (Grammar::Python, Mode::Embed(open, close)) if open == "{" => {
                let other = if literal.quote.starts_with('"') {
                    '\''
                } else {
                    '"'
                };
                let expression = expression.replace(['"', '\''], &other.to_string());
                let text = format!("{open}{expression}{close}");
                Ok(vec![Edit::new(self.secret.clone(), text)])
            }
            (Grammar::Python, Mode::Embed(open, close)) => Ok(vec![
                Edit::insert(literal.whole.start, "("),
                Edit::new(self.secret.clone(), format!("{open}{expression}{close}")),
                Edit::insert(literal.whole.end, ")"),
            ]),
            (Grammar::Python, Mode::Whole) => {
                let bytes = literal.prefix.contains(['b', 'B']);
                let encode = if bytes { ".encode()" } else { "" };
                Ok(vec![Edit::new(
                    literal.whole,
                    format!("{expression}{encode}"),
                )])
            }
            (Grammar::Bash, mode) => self.shell(&literal, &expression, mode),
            (Grammar::PowerShell, Mode::Whole) => {
                Ok(vec![self.secure_string(&literal, &expression)])
            }
            (Grammar::CSharp, Mode::Whole) => self.csharp(literal, &expression),
            (_, Mode::Embed(open, close)) => {
                let text = format!("{open}{expression}{close}");
                Ok(vec![Edit::new(self.secret.clone(), text)])
            }
            (_, Mode::Whole) => Ok(vec![Edit::new(literal.whole, expression)]),
        }
    }

    /// The template with the helper's or variable's real name.
    fn bound(&self, template: &str) -> Result<String, Refused> {
        if !self.context.helper.is_empty() {
            return Ok(template.replacen("kv(", &format!("{}(", self.helper), 1));
        }
        if self.context.binds.is_empty() {
            return Ok(template.to_owned());
        }
        let before = [self.earlier, &self.text()[..self.secret.start]].concat();
        let name = bound_name(&before, self.context.before)
            .ok_or("needs the workspace or the run in a variable before it")?;
        Ok(template.replacen(&format!("{}.", self.context.binds), &format!("{name}."), 1))
    }

    fn precondition(&self, literal: &Literal) -> Result<(), Refused> {
        let node = self.node()?;
        match self.context.inside {
            "function" if nearest(node, &["function_definition"]).is_none() => {
                Err("runs when the file is read, where a look-up does not belong".into())
            }
            "await" => self.await_is_legal(node),
            "no-job" => self.not_in_a_job(node),
            _ => match self.context.grammar {
                Grammar::Java => self.not_in_annotations(literal),
                _ => Ok(()),
            },
        }
    }

    /// What is given to a job stands in its record for everybody to read.
    fn not_in_a_job(&self, node: Node<'_>) -> Result<(), Refused> {
        let mut at = nearest(node, &["keyword_argument"]);
        while let Some(argument) = at {
            let name = argument
                .child_by_field_name("name")
                .map(|n| self.parsed.text_of(n));
            if matches!(
                name,
                Some(b"environment_variables" | b"command" | b"inputs")
            ) {
                return Err("would stand in the job's record: give the job KEY_VAULT_URL and read it in the script".into());
            }
            at = argument
                .parent()
                .and_then(|parent| nearest(parent, &["keyword_argument"]));
        }
        Ok(())
    }

    fn await_is_legal(&self, node: Node<'_>) -> Result<(), Refused> {
        const FUNCTIONS: [&str; 7] = [
            "function_declaration",
            "function_expression",
            "arrow_function",
            "method_definition",
            "generator_function",
            "generator_function_declaration",
            "class_static_block",
        ];
        let browser = [&b"VITE_"[..], b"NEXT_PUBLIC_", b"REACT_APP_"];
        let line = edit::line_start(self.text(), self.secret.start);
        let line = &self.text()[line..self.secret.start];
        if browser
            .iter()
            .any(|mark| memchr::memmem::find(line, mark).is_some())
        {
            return Err("is built into what browsers load".into());
        }
        let Some(function) = nearest(node, &FUNCTIONS) else {
            let module = self.is_module || has_module_syntax(self.parsed);
            return if module {
                Ok(())
            } else {
                Err(
                    "stands at the top of a file that is no ES module, where await is not legal"
                        .into(),
                )
            };
        };
        let mut cursor = function.walk();
        let is_async = function.children(&mut cursor).any(|c| c.kind() == "async");
        if is_async {
            Ok(())
        } else {
            Err("stands in a function that is not async".into())
        }
    }

    /// A constant that an annotation uses must stay one.
    fn not_in_annotations(&self, literal: &Literal) -> Result<(), Refused> {
        let node = self.parsed.at(&literal.whole);
        let declarator = node.and_then(|node| nearest(node, &["variable_declarator"]));
        let name = declarator.and_then(|d| d.child_by_field_name("name"));
        let Some(name) = name.map(|name| self.parsed.text_of(name)) else {
            return Ok(());
        };
        if uses(
            self.parsed,
            self.parsed.root(),
            name,
            &["annotation", "switch_label"],
            false,
        ) {
            return Err("is a constant that an annotation or a case needs".into());
        }
        Ok(())
    }

    fn csharp(&self, literal: Literal, expression: &str) -> Result<Vec<Edit>, Refused> {
        let node = self.node()?;
        let declaration = nearest(node, &["field_declaration", "local_declaration_statement"]);
        let mut edits = vec![Edit::new(literal.whole, expression)];
        let Some(declaration) = declaration else {
            return Ok(edits);
        };
        let mut cursor = declaration.walk();
        let modifiers: Vec<Node<'_>> = declaration
            .children(&mut cursor)
            .filter(|c| c.kind() == "modifier" || c.kind() == "const")
            .collect();
        let word = |n: &Node<'_>| self.parsed.text_of(*n).to_vec();
        let Some(constant) = modifiers.iter().find(|m| word(m) == b"const") else {
            return Ok(edits);
        };
        if modifiers
            .iter()
            .any(|m| matches!(&*word(m), b"public" | b"protected" | b"internal"))
        {
            return Err("is a constant that other files may need as one".into());
        }
        let declarator = nearest(node, &["variable_declarator"]);
        let name = declarator.and_then(|d| d.child_by_field_name("name").or(d.named_child(0)));
        let needs = [
            "attribute",
            "case_switch_label",
            "constant_pattern",
            "parameter",
        ];
        if name.is_some_and(|n| {
            uses(
                self.parsed,
                self.parsed.root(),
                self.parsed.text_of(n),
                &needs,
                false,
            )
        }) {
            return Err("is a constant that an attribute, a case or a default needs".into());
        }
        let mut range = constant.byte_range();
        let with = if declaration.kind() == "field_declaration" {
            "static readonly"
        } else {
            while self
                .text()
                .get(range.end)
                .is_some_and(u8::is_ascii_whitespace)
            {
                range.end += 1;
            }
            ""
        };
        edits.push(Edit::new(range, with));
        Ok(edits)
    }

    fn shell(&self, literal: &Literal, expression: &str, mode: Mode) -> Result<Vec<Edit>, Refused> {
        let bare = expression.trim_matches('"');
        if let Mode::Embed(open, close) = mode {
            if self.text()[self.secret.clone()].contains(&b'\\') {
                return Err("is written with escapes".into());
            }
            let text = format!("{open}{bare}{close}");
            return Ok(vec![Edit::new(self.secret.clone(), text)]);
        }
        let node = self
            .parsed
            .at(&literal.whole)
            .ok_or("is nothing that the grammar knows")?;
        let export = nearest(node, &["declaration_command"]);
        let assignment = nearest(node, &["variable_assignment"]);
        let (Some(export), Some(assignment)) = (export, assignment) else {
            return Ok(vec![Edit::new(literal.whole.clone(), expression)]);
        };
        let words = self.parsed.text_of(export);
        let name = assignment
            .child_by_field_name("name")
            .map(|n| self.parsed.text_of(n));
        let (Some(name), 2) = (name, export.child_count()) else {
            return Ok(vec![Edit::new(literal.whole.clone(), expression)]);
        };
        if !words.starts_with(b"export ") {
            return Ok(vec![Edit::new(literal.whole.clone(), expression)]);
        }
        // `export X="$(...)"` would hide that the command failed.
        let name = String::from_utf8_lossy(name);
        let start = edit::line_start(self.text(), export.start_byte());
        let indent = String::from_utf8_lossy(&self.text()[start..export.start_byte()]).into_owned();
        let own_line = indent.trim().is_empty();
        let between = if own_line {
            format!("{}{indent}", edit::newline(self.text()))
        } else {
            "; ".to_owned()
        };
        let text = format!("{name}={expression}{between}export {name}");
        Ok(vec![Edit::new(export.byte_range(), text)])
    }

    /// `ConvertTo-SecureString 'x' -AsPlainText -Force` needs no plain text at all.
    fn secure_string(&self, literal: &Literal, expression: &str) -> Edit {
        let node = self.parsed.at(&literal.whole);
        let command = node.and_then(|node| nearest(node, &["command"]));
        let is_conversion = command.is_some_and(|command| {
            let text = self.parsed.text_of(command).to_ascii_lowercase();
            text.starts_with(b"convertto-securestring")
        });
        match command.filter(|_| is_conversion) {
            Some(command) => {
                let secure = expression.replace(" -AsPlainText)", ").SecretValue");
                Edit::new(command.byte_range(), secure)
            }
            None => Edit::new(literal.whole.clone(), expression),
        }
    }

    fn scalar(&self, text: &str) -> Result<Vec<Edit>, Refused> {
        if self.context.inside == "github-permissions" {
            super::steps::check_permissions(self)?;
        }
        if self.context.grammar == Grammar::Lines {
            let value = self.line_value()?;
            let range = if self.context.embeds {
                self.secret.clone()
            } else {
                value
            };
            return Ok(vec![Edit::new(range, text)]);
        }
        let literal = self.literal()?;
        let quoted = |range: &Range<usize>| {
            let text = match self.context.grammar {
                Grammar::Json => quote::json(text),
                Grammar::Xml => quote::xml(text),
                Grammar::Hcl => quote::hcl(text),
                _ => text.to_owned(),
            };
            Edit::new(range.clone(), text)
        };
        if let Mode::Embed(..) = self.mode(&literal)? {
            return Ok(vec![quoted(&self.secret)]);
        }
        if self.context.grammar != Grammar::Yaml {
            return Ok(vec![quoted(&literal.content)]);
        }
        let style = match &*literal.quote {
            "'" => YamlStyle::Single,
            "\"" => YamlStyle::Double,
            _ if self.text()[literal.whole.clone()].starts_with(b"|")
                || self.text()[literal.whole.clone()].starts_with(b">") =>
            {
                return Err("stands in a block of text".into());
            }
            _ => YamlStyle::Plain,
        };
        Ok(vec![Edit::new(literal.whole, quote::yaml(text, style))])
    }

    /// The key and value around the secret.
    fn pair(&self) -> Result<Node<'a>, Refused> {
        let literal = self.literal()?;
        let node = self.parsed.at(&literal.whole);
        if self.context.grammar == Grammar::Hcl {
            let attribute = node.and_then(|node| nearest(node, &["attribute"]));
            return attribute.ok_or(Cow::Borrowed("is no value of a key"));
        }
        node.and_then(|node| nearest(node, &PARENTS))
            .ok_or(Cow::Borrowed("is no value of a key"))
    }

    fn parent_pair(&self) -> Result<Node<'a>, Refused> {
        let parent = self.pair()?.parent();
        parent
            .and_then(|parent| nearest(parent, &PARENTS))
            .ok_or(Cow::Borrowed("is no value of a key within a key"))
    }

    fn member(&self, template: &str) -> Result<Vec<Edit>, Refused> {
        let pair = self.pair()?;
        let object = pair.parent().ok_or("is no value of a key")?;
        let key = template.split([':', '=']).next().unwrap_or_default().trim();
        let key = key.trim_matches('"');
        let mut cursor = object.walk();
        let twin = object.named_children(&mut cursor).find(|other| {
            let name = other.child_by_field_name("key").or(other.named_child(0));
            let name = name.map(|name| String::from_utf8_lossy(self.parsed.text_of(name)));
            *other != pair && name.is_some_and(|name| name.trim_matches('"') == key)
        });
        if twin.is_some() {
            return Ok(vec![self.remove(pair)]);
        }
        let column = pair.start_position().column;
        let is_flow = pair.kind() != "block_mapping_pair" && self.context.grammar == Grammar::Yaml;
        let between = if is_flow {
            ", ".to_owned()
        } else {
            format!("{}{}", edit::newline(self.text()), " ".repeat(column))
        };
        Ok(vec![Edit::new(
            pair.byte_range(),
            template.replace('\n', &between),
        )])
    }

    fn parent(&self, template: &str) -> Result<Vec<Edit>, Refused> {
        let pair = self.pair()?;
        let object = pair.parent().ok_or("is no value of a key")?;
        let kind = member(self.parsed, object, "type");
        if kind.is_none_or(|kind| inner(self.parsed, kind) != b"SecureString") {
            return Err("is not the value of a SecureString".into());
        }
        Ok(vec![Edit::new(object.byte_range(), template)])
    }

    /// Takes a member out, with its comma or its lines.
    fn remove(&self, pair: Node<'_>) -> Edit {
        let text = self.text();
        let range = pair.byte_range();
        if self.context.grammar == Grammar::Yaml && pair.kind() == "block_mapping_pair" {
            let start = edit::line_start(text, range.start);
            let own_line = text[start..range.start].iter().all(|b| *b == b' ');
            if own_line {
                return Edit::new(start..edit::next_line(text, range.end), "");
            }
            return match pair.next_named_sibling() {
                Some(next) => Edit::new(range.start..next.start_byte(), ""),
                None => Edit::new(range, "{}"),
            };
        }
        let next = pair.next_sibling().filter(|n| n.kind() == ",");
        if let Some(next) = next.and_then(|_| pair.next_named_sibling()) {
            return Edit::new(range.start..next.start_byte(), "");
        }
        match pair.prev_sibling().filter(|n| n.kind() == ",") {
            Some(comma) => Edit::new(comma.start_byte()..range.end, ""),
            None => Edit::new(alone(text, range), ""),
        }
    }

    /// `key=value`: a member beside, set. With `^` in front, a member of the workflow's parameters.
    fn sibling(&self, assignment: &str) -> Result<Vec<Edit>, Refused> {
        let (key, value) = assignment.split_once('=').unwrap_or((assignment, ""));
        if let Some(path) = key.strip_prefix('^') {
            return self.declare(path, value);
        }
        let pair = self.pair()?;
        let object = pair.parent().ok_or("is no value of a key")?;
        if let Some(held) = member(self.parsed, object, key) {
            let quoted = format!("\"{}\"", quote::json(value));
            return Ok(vec![Edit::new(held.byte_range(), quoted)]);
        }
        let text = format!(", \"{key}\": \"{}\"", quote::json(value));
        Ok(vec![Edit::insert(pair.end_byte(), text)])
    }

    /// Declares a parameter of the workflow definition around.
    fn declare(&self, path: &str, value: &str) -> Result<Vec<Edit>, Refused> {
        let name = path.rsplit('.').next().unwrap_or_default();
        let mut at = Some(self.node()?);
        while let Some(node) = at {
            let is_definition = node.kind() == "object"
                && ["actions", "triggers"]
                    .iter()
                    .any(|k| member(self.parsed, node, k).is_some());
            if !is_definition {
                at = node.parent();
                continue;
            }
            let Some(parameters) = member(self.parsed, node, "parameters") else {
                let at = node.start_byte() + 1;
                let blank = self.text().get(at).is_some_and(u8::is_ascii_whitespace);
                let space = if blank { "" } else { " " };
                let text = format!("\"parameters\": {{\"{name}\": {value}}},{space}");
                return Ok(vec![Edit::insert(at, text)]);
            };
            if member(self.parsed, parameters, name).is_some() {
                return Ok(Vec::new());
            }
            let comma = if parameters.named_child_count() == 0 {
                ""
            } else {
                ", "
            };
            let text = format!("\"{name}\": {value}{comma}");
            return Ok(vec![Edit::insert(parameters.start_byte() + 1, text)]);
        }
        Err("is in no workflow definition".into())
    }

    /// The argument `KEY=VALUE` of a command and its value.
    fn setting(&self) -> Result<(Range<usize>, Range<usize>), Refused> {
        let literal = self.literal()?;
        let content = &self.text()[literal.content.clone()];
        let quote_inside = memchr::memchr2(b'"', b'\'', content);
        let equals = memchr::memchr(b'=', content).ok_or("is no KEY=VALUE of the command")?;
        let mut value = literal.content.start + equals + 1..literal.content.end;
        if quote_inside == Some(equals + 1) && value.len() > 2 {
            value = value.start + 1..value.end - 1;
        }
        if value.start > self.secret.start {
            return Err("is no KEY=VALUE of the command".into());
        }
        Ok((literal.whole, value))
    }

    fn setting_key(&self) -> Result<String, Refused> {
        let (_, value) = self.setting()?;
        let literal = self.literal()?;
        let key = &self.text()[literal.content.start..value.start];
        let key = key.split(|b| *b == b'=').next().unwrap_or_default();
        Ok(String::from_utf8_lossy(key).into_owned())
    }

    /// The value of a `key = value` line.
    fn line_value(&self) -> Result<Range<usize>, Refused> {
        let text = self.text();
        let start = edit::line_start(text, self.secret.start);
        let end = edit::next_line(text, self.secret.end);
        let line = &text[start..end];
        if line.trim_ascii_start().starts_with(b"#") || line.trim_ascii_start().starts_with(b";") {
            return Err("stands in a comment".into());
        }
        let separator = line
            .iter()
            .position(|b| matches!(b, b'='))
            .or_else(|| memchr::memchr(b':', line));
        let from = start + separator.ok_or("is no value of a key")? + 1;
        let value = &text[from..end];
        let lead = value.len() - value.trim_ascii_start().len();
        let mut value = from + lead..from + lead + value.trim_ascii().len();
        let quoted = matches!(&text[value.clone()], [a @ (b'"' | b'\''), .., b] if a == b);
        if quoted && value.len() > 2 {
            value = value.start + 1..value.end - 1;
        }
        if value.start > self.secret.start || self.secret.end > value.end {
            return Err("is no value of a key".into());
        }
        Ok(value)
    }

    /// The whole line of an instruction that says nothing else.
    fn line(&self) -> Result<Range<usize>, Refused> {
        let node = self.node()?;
        let instruction = nearest(node, &["env_instruction", "arg_instruction"])
            .ok_or("is not the value of an ENV or ARG")?;
        let mut cursor = instruction.walk();
        let pairs = instruction
            .named_children(&mut cursor)
            .filter(|child| child.kind() == "env_pair")
            .count();
        if pairs > 1 {
            return Err("stands in an instruction with other variables".into());
        }
        let start = edit::line_start(self.text(), instruction.start_byte());
        Ok(start..edit::next_line(self.text(), instruction.end_byte()))
    }

    fn bicep_parameter(&self, decorator: &str) -> Result<Vec<Edit>, Refused> {
        let literal = self.literal()?;
        let node = self.parsed.at(&literal.whole);
        let declaration = node
            .and_then(|node| nearest(node, &["parameter_declaration"]))
            .ok_or("is not the default of a parameter")?;
        let text = self.parsed.text_of(declaration);
        let equals = memchr::memrchr(
            b'=',
            &text[..literal.whole.start - declaration.start_byte()],
        )
        .ok_or("is not the default of a parameter")?;
        let head = text[..equals].trim_ascii_end().len();
        let mut edits = vec![Edit::new(
            declaration.start_byte() + head..literal.whole.end,
            "",
        )];
        if memchr::memmem::find(&text[..head], decorator.as_bytes()).is_none() {
            let line = format!("{decorator}{}", edit::newline(self.text()));
            edits.push(Edit::insert(declaration.start_byte(), line));
        }
        Ok(edits)
    }

    fn config_builder(&self, template: &str, holes: &Holes<'_>) -> Result<Vec<Edit>, Refused> {
        super::config::builder(self, template, holes)
    }

    pub fn document(&self) -> Result<Node<'a>, Refused> {
        let document = nearest(self.node()?, &["document"]);
        document.ok_or(Cow::Borrowed("is in no document"))
    }

    /// For neighbours in this module: the literal.
    pub fn whole_literal(&self) -> Result<Literal, Refused> {
        self.literal()
    }

    /// For neighbours in this module: the node.
    pub fn at(&self) -> Result<Node<'a>, Refused> {
        self.node()
    }
}

/// A range with the blanks around it, where that leaves empty braces.
fn alone(text: &[u8], range: Range<usize>) -> Range<usize> {
    let before = text[..range.start].trim_ascii_end();
    let after = &text[range.end..];
    let lead = after.len() - after.trim_ascii_start().len();
    if before.ends_with(b"{") && after[lead..].starts_with(b"}") {
        before.len()..range.end + lead
    } else {
        range
    }
}

/// The variable that code binds to one of these calls: `ws` in `ws = Workspace.from_config()`.
fn bound_name(code: &[u8], calls: &[&str]) -> Option<String> {
    let text = String::from_utf8_lossy(code);
    let found = calls.iter().filter_map(|call| text.rfind(call)).max()?;
    let line = text[..found].rfind('\n').map_or(0, |n| n + 1);
    let (name, _) = text[line..found].split_once('=')?;
    let name = name.trim();
    let is_name = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    is_name.then(|| name.to_owned())
}

/// Whether a file has import or export statements.
pub fn has_module_syntax(parsed: &Parsed<'_>) -> bool {
    let root = parsed.root();
    let mut cursor = root.walk();
    root.children(&mut cursor)
        .any(|n| matches!(n.kind(), "import_statement" | "export_statement"))
}

/// Whether an identifier of this name stands within one of these kinds.
fn uses(parsed: &Parsed<'_>, node: Node<'_>, name: &[u8], kinds: &[&str], within: bool) -> bool {
    let within = within || kinds.contains(&node.kind());
    if node.child_count() == 0 {
        return within && parsed.text_of(node) == name;
    }
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .any(|child| uses(parsed, child, name, kinds, within))
}

//! Host contexts: in what kind of place a finding stands, and so what can be written in its stead.
//!
//! The contexts are data (`patterns/contexts/*.toml`). [`Survey`] looks at a file once, when it has
//! findings; [`Survey::place`] then says for each finding which context it stands in and under which
//! key. Both go by names and marks and are right about files that are what they seem. Whoever edits
//! must still prove the edit with the file's grammar.

pub mod def;
pub mod keys;

use memchr::memmem;

pub use def::{Companion, Context, Grammar, Slot, Verdict};

use crate::decode::Role;
use crate::decode::json::{Bracket, Event, Reader};

include!(concat!(env!("OUT_DIR"), "/contexts.rs"));

/// All contexts, in the order in which they are tried.
pub fn contexts() -> &'static [Context] {
    BUILT_IN
}

/// Texts over this many bytes are recognised by their names alone.
const LOOKED_AT: usize = 2 << 20;

/// Bytes of a line looked at on either side of a finding.
const LINE: usize = 400;

/// The place of one finding.
#[derive(Clone, Debug)]
pub struct HostPlace {
    pub context: &'static Context,
    /// The keys from the root to the value in configuration files; empty in programs.
    pub keys: Vec<Box<str>>,
    /// The identifier right before it, as in `label = "value"`.
    pub label: Option<Box<str>>,
}

/// What there is to know of a file to tell its findings' contexts.
pub struct Survey<'t> {
    text: &'t [u8],
    /// The contexts whose conditions on the file hold, each with the offset from which its mark
    /// stands before.
    candidates: Vec<(&'static Context, usize)>,
    kernel: Option<String>,
    paths: Vec<(u32, Vec<Box<str>>)>,
}

/// A finding as the survey sees it.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'t> {
    /// Where it starts in the file's text.
    pub offset: u32,
    /// In a notebook, what part of it and the decoded text around.
    pub cell: Option<(Role, &'t [u8])>,
    /// Where it starts in that text.
    pub in_cell: Option<u32>,
}

impl<'t> Survey<'t> {
    /// Looks at a file's text. `spots` are the starts of its findings, in any order.
    pub fn new(path: &str, text: &'t [u8], is_notebook: bool, spots: &[u32]) -> Self {
        let seen = &text[..text.len().min(LOOKED_AT)];
        let file = FileName::new(path, seen);
        let candidates: Vec<_> = BUILT_IN
            .iter()
            .filter(|context| file.fits(context, is_notebook) && marks_fit(context, seen))
            .filter_map(|context| Some((context, first_end(seen, context.before)?)))
            .collect();
        let structured = candidates
            .iter()
            .map(|(context, _)| context.grammar)
            .find(|grammar| keys::has_keys(*grammar));
        let paths = match structured {
            Some(grammar) if !is_notebook && text.len() <= LOOKED_AT => {
                keys::paths(grammar, text, spots)
            }
            _ => Vec::new(),
        };
        Self {
            text: seen,
            candidates,
            kernel: is_notebook.then(|| kernel_language(text)),
            paths,
        }
    }

    /// The context of one finding.
    pub fn place(&self, spot: Spot<'t>) -> HostPlace {
        let keys = self.keys(spot.offset);
        let language = spot.cell.and_then(|(role, text)| match role {
            Role::Code => Some(self.cell_language(text)),
            _ => None,
        });
        let candidates = self.candidates.iter();
        let mut candidates = candidates.filter(|(_, marked)| *marked <= spot.offset as usize);
        let context = candidates.find(|(context, _)| {
            let hosted = match (&spot.cell, &language) {
                (None, _) => true,
                (Some(_), Some(language)) => {
                    context.kernels.contains(&&**language) || is_last(context)
                }
                (Some(_), None) => is_last(context),
            };
            hosted && self.spot_fits(context, spot.offset, keys)
        });
        HostPlace {
            context: context.map_or(last(), |(context, _)| context),
            keys: keys.to_vec(),
            label: match spot.cell {
                None => label(self.text, spot.offset as usize),
                Some((_, text)) => spot.in_cell.and_then(|at| label(text, at as usize)),
            },
        }
    }

    fn keys(&self, offset: u32) -> &[Box<str>] {
        let found = self.paths.binary_search_by_key(&offset, |(at, _)| *at);
        found.map_or(&[], |index| &self.paths[index].1)
    }

    fn spot_fits(&self, context: &Context, offset: u32, keys: &[Box<str>]) -> bool {
        let offset = (offset as usize).min(self.text.len());
        let matches = |patterns: &[&str]| patterns.iter().any(|p| keys::matches(p, keys));
        let line = line_around(self.text, offset);
        (context.line.is_empty() || contains_any(line, context.line))
            && (context.near_key.is_empty() || contains_any(line, context.near_key))
            && (context.keys.is_empty() || matches(context.keys))
            && !matches(context.not_keys)
    }

    /// The language of a cell: that of its magic, else of the notebook's kernel.
    fn cell_language(&self, cell: &[u8]) -> String {
        let start = &cell[..cell.len().min(LINE)];
        let first = start.split(|b| *b == b'\n').next().unwrap_or_default();
        let Some(magic) = first.trim_ascii_start().strip_prefix(b"%%") else {
            return self.kernel.clone().unwrap_or_default();
        };
        let word = magic.split(u8::is_ascii_whitespace).next();
        match word.unwrap_or_default() {
            b"bash" | b"sh" | b"script" => "bash".into(),
            b"R" => "r".into(),
            b"time" | b"timeit" | b"capture" | b"prun" | b"pyspark" | b"python" | b"python3" => {
                "python".into()
            }
            _ => "other".into(),
        }
    }
}

/// The context of everything that fits no other.
fn last() -> &'static Context {
    BUILT_IN.last().expect("the build made contexts")
}

fn is_last(context: &Context) -> bool {
    std::ptr::eq(context, last())
}

/// A path with the parts that contexts look at.
struct FileName {
    path: String,
    name: String,
    extension: String,
    shebang: String,
}

impl FileName {
    fn new(path: &str, text: &[u8]) -> Self {
        let path = path.to_ascii_lowercase();
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let extension = name.rsplit_once('.').map_or("", |(_, e)| e).to_owned();
        let first = text.split(|b| *b == b'\n').next().unwrap_or_default();
        let shebang = if first.starts_with(b"#!") {
            String::from_utf8_lossy(first).into_owned()
        } else {
            String::new()
        };
        Self {
            path,
            name,
            extension,
            shebang,
        }
    }

    fn fits(&self, context: &Context, is_notebook: bool) -> bool {
        if is_notebook {
            return !context.kernels.is_empty() || is_last(context);
        }
        let anywhere = context.names.is_empty()
            && context.extensions.is_empty()
            && context.shebang.is_empty()
            && context.kernels.is_empty();
        let interpreter = |word: &&str| {
            let words = self.shebang.split(|c: char| !c.is_ascii_alphabetic());
            words.clone().any(|w| w == *word)
        };
        let named = context.names.iter().any(|glob| glob_fits(glob, &self.name))
            || context.extensions.contains(&&*self.extension)
            || context.shebang.iter().any(interpreter);
        let inside = |folder: &&str| {
            self.path.starts_with(*folder) || self.path.contains(&format!("/{folder}"))
        };
        (anywhere || named) && (context.folders.is_empty() || context.folders.iter().any(inside))
    }
}

fn marks_fit(context: &Context, text: &[u8]) -> bool {
    (context.any.is_empty() || contains_any(text, context.any))
        && context.all.iter().all(|mark| contains(text, mark))
        && !contains_any(text, context.none)
}

fn contains(text: &[u8], mark: &str) -> bool {
    memmem::find(text, mark.as_bytes()).is_some()
}

fn contains_any(text: &[u8], marks: &[&str]) -> bool {
    marks.iter().any(|mark| contains(text, mark))
}

/// Where the first of the marks ends; 0 when there are none to look for.
fn first_end(text: &[u8], marks: &[&str]) -> Option<usize> {
    if marks.is_empty() {
        return Some(0);
    }
    let ends = marks
        .iter()
        .filter_map(|mark| Some(memmem::find(text, mark.as_bytes())? + mark.len()));
    ends.min()
}

fn line_around(text: &[u8], offset: usize) -> &[u8] {
    let from = offset.saturating_sub(LINE);
    let to = (offset + LINE).min(text.len());
    let start = memchr::memrchr(b'\n', &text[from..offset]).map_or(from, |at| from + at + 1);
    let end = memchr::memchr(b'\n', &text[offset..to]).map_or(to, |at| offset + at);
    &text[start..end]
}

/// The identifier that a value is given to, when it stands right before: `name = "`, `'name': '`,
/// `--name `.
fn label(text: &[u8], offset: usize) -> Option<Box<str>> {
    const REACH: usize = 120;
    let from = offset.saturating_sub(REACH);
    let mut before = text.get(from..offset)?;
    if let Some(at) = memchr::memrchr(b'\n', before) {
        before = &before[at + 1..];
    }
    let quoted = before
        .iter()
        .rposition(|b| !matches!(b, b'"' | b'\'' | b'`'));
    before = &before[..quoted? + 1];
    // The prefix of the literal.
    let prefix = before
        .iter()
        .rposition(|b| !matches!(b, b'b' | b'f' | b'r' | b'u' | b'@' | b'$'));
    let (stem, prefix) = before.split_at(prefix? + 1);
    if prefix.is_empty() || stem.ends_with(b" ") || stem.ends_with(b"=") || stem.ends_with(b"(") {
        before = stem;
    }
    before = before.trim_ascii_end();
    let assigned = [&b":="[..], b"<-", b"=>", b"=", b":", b","]
        .iter()
        .find_map(|sign| before.strip_suffix(*sign))?;
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let name = assigned.trim_ascii_end();
    let name = name
        .strip_suffix(b"\"")
        .or_else(|| name.strip_suffix(b"'"))
        .unwrap_or(name);
    let start = name
        .iter()
        .rposition(|b| !is_part(b))
        .map_or(0, |at| at + 1);
    let name = name[start..]
        .rsplit(|b| *b == b'.')
        .next()
        .unwrap_or_default();
    let name = std::str::from_utf8(name).ok()?.trim_start_matches('-');
    let is_name =
        name.len() >= 2 && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    is_name.then(|| name.into())
}

/// Whether a name fits a glob in which `*` stands for any characters.
fn glob_fits(glob: &str, name: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(tail) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= tail.len() && rest.ends_with(tail)
}

/// The language that a notebook's metadata names, lower case; empty when it names none.
fn kernel_language(text: &[u8]) -> String {
    let mut reader = Reader::new(text);
    let mut found = [None, None];
    let read = read_language(&mut reader, text, &mut found);
    let [kernel, info] = found;
    match read {
        Ok(()) => kernel.or(info).unwrap_or_default().to_ascii_lowercase(),
        Err(_) => String::new(),
    }
}

fn read_language(
    reader: &mut Reader<'_>,
    text: &[u8],
    found: &mut [Option<String>; 2],
) -> Result<(), crate::decode::json::Fault> {
    let mut path: Vec<Vec<u8>> = Vec::new();
    let mut depth = 0_usize;
    loop {
        match reader.event()? {
            Event::Key(key) => {
                path.truncate(depth.saturating_sub(1));
                path.push(key.decoded(text).into_owned());
                if depth == 1 && path[0] != b"metadata" {
                    reader.skip()?;
                }
            }
            Event::Open(Bracket::Object) => depth += 1,
            Event::Open(Bracket::Array) => skip_array(reader)?,
            Event::Close(_) => depth = depth.saturating_sub(1),
            Event::Text(value) if path.len() == 3 && path[0] == b"metadata" => {
                let slot = match (&path[1][..], &path[2][..]) {
                    (b"kernelspec", b"language") => 0,
                    (b"language_info", b"name") => 1,
                    _ => continue,
                };
                let value = value.decoded(text);
                if !value.is_empty() {
                    found[slot] = Some(String::from_utf8_lossy(&value).into_owned());
                }
            }
            Event::Text(_) | Event::Scalar(_) => {}
            _ => return Ok(()),
        }
        if depth == 0 {
            return Ok(());
        }
    }
}

fn skip_array(reader: &mut Reader<'_>) -> Result<(), crate::decode::json::Fault> {
    let mut depth = 1_usize;
    while depth > 0 {
        match reader.event()? {
            Event::Open(_) => depth += 1,
            Event::Close(_) => depth -= 1,
            Event::Key(_) | Event::Text(_) | Event::Scalar(_) => {}
            _ => return Ok(()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context_of(path: &str, text: &str, at: &str) -> (String, String) {
        let offset = text.find(at).expect("the mark is there") as u32;
        let survey = Survey::new(path, text.as_bytes(), false, &[offset]);
        let place = survey.place(Spot {
            offset,
            cell: None,
            in_cell: None,
        });
        (place.context.id.into(), place.keys.join("."))
    }

    #[test]
    fn globs_know_stars_only() {
        assert!(glob_fits("appsettings.*.json", "appsettings.dev.json"));
        assert!(!glob_fits("appsettings.*.json", "appsettings.json"));
        assert!(glob_fits("*.tfvars", "prod.tfvars"));
        assert!(glob_fits(".env", ".env"));
        assert!(!glob_fits(".env", ".env.local"));
    }

    #[test]
    fn special_contexts_win_over_general_ones() {
        let plain = "x = 'HERE'\n";
        assert_eq!(context_of("a.py", plain, "HERE").0, "C01");
        let databricks = "# Databricks notebook source\nx = 'HERE'\n";
        assert_eq!(context_of("a.py", databricks, "HERE").0, "C05");
        assert_eq!(context_of("a.rs", "let x = \"HERE\";", "HERE").0, "C16");
        assert_eq!(context_of("README.md", "HERE", "HERE").0, "C52");
    }

    #[test]
    fn labels_stand_right_before() {
        for (before, expected) in [
            ("api_key = \"", Some("api_key")),
            ("x = f(token=b'", Some("token")),
            ("{\"Api-Key\": \"", Some("Api-Key")),
            ("os.environ[\"KEY\"] = \"", None),
            ("self.token = '", Some("token")),
            ("const k1 := `", Some("k1")),
            ("key <- \"", Some("key")),
            ("f(\"", None),
            ("a = 1\n\"", None),
        ] {
            let found = label(before.as_bytes(), before.len());
            assert_eq!(found.as_deref(), expected, "{before}");
        }
    }

    #[test]
    fn keys_are_read_from_the_root() {
        let json = r#"{"a": [{"name": "X", "value": "HERE", "slotSetting": true}]}"#;
        assert_eq!(
            context_of("s.json", json, "HERE"),
            ("C23".into(), "a.X.value".into())
        );
        let yaml = "jobs:\n  b:\n    steps:\n      - run: x\n        env:\n          K: HERE\n";
        assert_eq!(
            context_of(".github/workflows/ci.yml", yaml, "HERE"),
            ("C33".into(), "jobs.b.steps.0.env.K".into())
        );
        let hcl = "resource \"t\" \"n\" {\n  app_settings = {\n    K = \"HERE\"\n  }\n}\n";
        assert_eq!(
            context_of("m.tf", hcl, "HERE"),
            ("C23".into(), "resource.t.n.app_settings.K".into())
        );
        let xml = "<configuration><appSettings><add key=\"K\" value=\"HERE\" /></appSettings></configuration>";
        assert_eq!(
            context_of("web.config", xml, "HERE"),
            ("C11".into(), "configuration.appSettings.add.K.value".into())
        );
    }

    #[test]
    fn a_notebook_tells_its_language() {
        let text = br#"{"cells": [{"a": [1]}], "metadata": {"kernelspec": {"language": "R"}}}"#;
        assert_eq!(kernel_language(text), "r");
        assert_eq!(kernel_language(b"{\"cells\": []}"), "");
    }
}

//! Context files as they are written. Compiled into the build script only.

use serde::Deserialize;
use std::fmt::Write as _;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    context: Vec<RawContext>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawContext {
    id: String,
    form: String,
    title: String,
    verdict: String,
    grammar: String,
    extensions: Vec<String>,
    names: Vec<String>,
    folders: Vec<String>,
    shebang: Vec<String>,
    kernels: Vec<String>,
    any: Vec<String>,
    all: Vec<String>,
    none: Vec<String>,
    before: Vec<String>,
    line: Vec<String>,
    near_key: Vec<String>,
    keys: Vec<String>,
    not_keys: Vec<String>,
    slot: String,
    template: String,
    instead: String,
    vault_name: String,
    helper: String,
    inside: String,
    binds: String,
    public_cloud: bool,
    embeds: bool,
    companion: Vec<RawCompanion>,
    siblings: Vec<String>,
    pair: Vec<String>,
    needs: Vec<String>,
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCompanion {
    key: String,
    at: String,
    text: String,
}

/// Rust source of the contexts of one file, as items of a list.
///
/// # Errors
/// When the file is not of this form or a context contradicts itself.
pub fn to_source(text: &str) -> Result<String, String> {
    let file: RawFile = toml::from_str(text).map_err(|e| e.to_string())?;
    let mut code = String::new();
    for context in &file.context {
        context
            .check()
            .map_err(|fault| format!("{} {}: {fault}", context.id, context.form))?;
        context.write(&mut code)?;
    }
    Ok(code)
}

impl RawContext {
    fn check(&self) -> Result<(), String> {
        let digits = self.id.strip_prefix('C').unwrap_or_default();
        if digits.len() != 2 || digits.parse::<u8>().is_err() || self.form.is_empty() {
            return Err("needs an id such as C01 and a form".into());
        }
        let suggests = self.verdict == "suggest";
        if suggests != (self.slot == "none") || suggests == self.why.is_empty() {
            return Err("a suggestion has the slot none and a why, and nothing else has".into());
        }
        if (self.verdict == "pair") == self.pair.is_empty() {
            return Err("pair edits, and only they, name what else to change".into());
        }
        if self.template.is_empty() && self.instead.is_empty() {
            return Err("neither a template nor words in its place".into());
        }
        Ok(())
    }

    fn write(&self, code: &mut String) -> Result<(), String> {
        let mut companions = String::new();
        for c in &self.companion {
            let (key, at, text) = (&c.key, &c.at, &c.text);
            write!(
                companions,
                "Companion {{ key: {key:?}, at: {at:?}, text: {text:?} }}, "
            )
            .map_err(|e| e.to_string())?;
        }
        writeln!(
            code,
            "Context {{ id: {:?}, form: {:?}, title: {:?}, verdict: Verdict::{}, \
             grammar: Grammar::{}, extensions: &{:?}, names: &{:?}, folders: &{:?}, \
             shebang: &{:?}, kernels: &{:?}, any: &{:?}, all: &{:?}, none: &{:?}, before: &{:?}, \
             line: &{:?}, near_key: &{:?}, keys: &{:?}, not_keys: &{:?}, slot: Slot::{}, \
             template: {:?}, instead: {:?}, vault_name: {:?}, helper: {:?}, inside: {:?}, \
             binds: {:?}, public_cloud: {}, embeds: {}, companions: &[{companions}], siblings: &{:?}, \
             pair: &{:?}, needs: &{:?}, why: {:?} }},",
            self.id,
            self.form,
            self.title,
            verdict(&self.verdict)?,
            grammar(&self.grammar)?,
            self.extensions,
            self.names,
            self.folders,
            self.shebang,
            self.kernels,
            self.any,
            self.all,
            self.none,
            self.before,
            self.line,
            self.near_key,
            self.keys,
            self.not_keys,
            slot(&self.slot)?,
            self.template,
            self.instead,
            self.vault_name,
            self.helper,
            self.inside,
            self.binds,
            self.public_cloud,
            self.embeds,
            self.siblings,
            self.pair,
            self.needs,
            self.why,
        )
        .map_err(|e| e.to_string())
    }
}

fn verdict(word: &str) -> Result<&'static str, String> {
    Ok(match word {
        "rewrite" => "Rewrite",
        "rewrite+" => "RewritePlus",
        "pair" => "Pair",
        "suggest" => "Suggest",
        _ => return Err(format!("no verdict {word:?}")),
    })
}

fn grammar(word: &str) -> Result<&'static str, String> {
    Ok(match word {
        "python" => "Python",
        "r" => "R",
        "csharp" => "CSharp",
        "java" => "Java",
        "javascript" => "JavaScript",
        "typescript" => "TypeScript",
        "go" => "Go",
        "powershell" => "PowerShell",
        "bash" => "Bash",
        "hcl" => "Hcl",
        "bicep" => "Bicep",
        "yaml" => "Yaml",
        "json" => "Json",
        "xml" => "Xml",
        "containerfile" => "Containerfile",
        "lines" => "Lines",
        "none" => "None",
        _ => return Err(format!("no grammar {word:?}")),
    })
}

fn slot(word: &str) -> Result<&'static str, String> {
    Ok(match word {
        "expression" => "Expression",
        "scalar" => "Scalar",
        "value" => "Value",
        "member" => "Member",
        "parent" => "Parent",
        "remove" => "Remove",
        "remove-parent" => "RemoveParent",
        "remove-line" => "RemoveLine",
        "setting" => "Setting",
        "bicep-parameter" => "BicepParameter",
        "config-builder" => "ConfigBuilder",
        "kubernetes-secret" => "KubernetesSecret",
        "none" => "None",
        _ => return Err(format!("no slot {word:?}")),
    })
}

//! Turns `patterns/*.toml` into static rules and `patterns/contexts/*.toml` into static contexts, so
//! that a bad one fails the build and start-up parses nothing.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "src/rules/check.rs"]
#[allow(dead_code)]
mod check;
#[path = "src/rules/def.rs"]
#[allow(dead_code)]
mod def;
#[path = "src/detect/gram.rs"]
mod gram;
#[path = "build/grams.rs"]
mod grams;
#[path = "build/lexicon.rs"]
mod lexicon;
#[path = "build/model.rs"]
mod model;
#[path = "src/rules/pattern.rs"]
mod pattern;
#[path = "src/rules/raw.rs"]
mod raw;
#[path = "src/host/raw.rs"]
mod raw_context;

fn main() {
    println!("cargo::rerun-if-changed=patterns");
    println!("cargo::rerun-if-changed=src/rules");
    println!("cargo::rerun-if-changed=src/detect/gram.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/host/raw.rs");
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let generic = Path::new("patterns/generic");
    lexicon::write(generic, &out_dir.join("lexicon.rs"));
    lexicon::write_names(&generic.join("names.toml"), &out_dir.join("names.rs"));
    let words = ["checksums", "pictures", "ids"].map(|list| format!("patterns/words/{list}.txt"));
    lexicon::write_telling_names(
        &words.each_ref().map(Path::new),
        &out_dir.join("telling_names.rs"),
    );
    model::write(&generic.join("model.toml"), &out_dir.join("model.rs"));
    grams::write(
        Path::new("patterns/common-grams.tsv"),
        &out_dir.join("grams.rs"),
    );
    write_contexts(&out_dir.join("contexts.rs"));
    let files = toml_files("patterns");
    let mut code =
        String::from("/// The rules of `patterns/`.\npub static BUILT_IN: &[RuleDef] = &[\n");
    let mut ids = HashSet::new();
    for file in &files {
        for rule in read(file) {
            assert!(
                ids.insert(rule.id.to_string()),
                "{}: rule {} is there twice",
                file.display(),
                rule.id
            );
            write_rule(&mut code, &rule);
        }
    }
    code.push_str("];\n");
    fs::write(out_dir.join("rules.rs"), code).expect("OUT_DIR can be written");
}

/// The TOML files of a folder, not of those inside it.
fn toml_files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{folder} is part of the package: {e}"))
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    files
}

/// The order of the files matters: the first context that fits is taken.
fn write_contexts(out: &Path) {
    let mut code = String::from("static BUILT_IN: &[Context] = &[\n");
    for name in ["code", "infra", "config"] {
        let file = format!("patterns/contexts/{name}.toml");
        let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file}: {e}"));
        code += &raw_context::to_source(&text).unwrap_or_else(|fault| panic!("{file}: {fault}"));
    }
    code.push_str("];\n");
    fs::write(out, code).expect("OUT_DIR can be written");
}

fn read(file: &Path) -> Vec<def::RuleDef> {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    raw::parse(&text).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()))
}

fn write_rule(code: &mut String, rule: &def::RuleDef) {
    let matcher = match &rule.matcher {
        def::Matcher::Assignment => "def::Matcher::Assignment".to_owned(),
        def::Matcher::AssignedValue { regex } => {
            format!("def::Matcher::AssignedValue {{ regex: {} }}", text(regex))
        }
        def::Matcher::Regex {
            regex,
            max_len,
            anchor,
            opening,
            is_all_secret,
            lead,
            row,
            inner,
        } => format!(
            "def::Matcher::Regex {{ regex: {}, max_len: {max_len}, anchor: def::Anchor::{anchor:?}, \
             opening: {}, is_all_secret: {is_all_secret}, lead: {}, row: {}, inner: Cow::Borrowed(&{inner:?}) }}",
            text(regex),
            sets(opening),
            lead.map_or("None".to_owned(), |lead| format!(
                "Some(def::Lead {{ from: {}, over: def::ByteSet({:?}), to: def::ByteSet({:?}) }})",
                lead.from, lead.over.0, lead.to.0
            )),
            row.map_or("None".to_owned(), |row| format!(
                "Some(def::Row {{ set: def::ByteSet({:?}), len: {} }})",
                row.set.0, row.len
            ))
        ),
    };
    let checks: Vec<String> = rule
        .checks
        .iter()
        .map(|c| format!("check::Check::{c:?}"))
        .collect();
    writeln!(
        code,
        "RuleDef {{ id: {}, title: {}, provider: {}, severity: Severity::{:?}, kind: Kind::{:?}, \
         confidence: Level::{:?}, keywords: {}, matcher: {matcher}, not_before: def::ByteSet({:?}), \
         not_after: def::ByteSet({:?}), min_entropy: {:?}, checks: Cow::Borrowed(&[{}]), near: {}, \
         near_bytes: {}, above: {}, grants: {}, rotate: {}, vault_name: {}, references: {}, examples: {}, \
         counters: {} }},",
        text(&rule.id),
        text(&rule.title),
        text(&rule.provider),
        rule.severity,
        rule.kind,
        rule.confidence,
        list(&rule.keywords),
        rule.not_before.0,
        rule.not_after.0,
        rule.min_entropy,
        checks.join(", "),
        list(&rule.near),
        rule.near_bytes,
        list(&rule.above),
        text(&rule.grants),
        list(&rule.rotate),
        text(&rule.vault_name),
        list(&rule.references),
        examples(&rule.examples),
        examples(&rule.counters),
    )
    .expect("writing to a string");
}

fn text(value: &str) -> String {
    format!("Cow::Borrowed({value:?})")
}

fn list(values: &[std::borrow::Cow<'static, str>]) -> String {
    let items: Vec<String> = values.iter().map(|v| text(v)).collect();
    format!("Cow::Borrowed(&[{}])", items.join(", "))
}

fn sets(sets: &[def::ByteSet]) -> String {
    let items: Vec<String> = sets
        .iter()
        .map(|set| format!("def::ByteSet({:?})", set.0))
        .collect();
    format!("Cow::Borrowed(&[{}])", items.join(", "))
}

fn examples(values: &[def::Example]) -> String {
    let items: Vec<String> = values
        .iter()
        .map(|e| {
            format!(
                "def::Example {{ text: {}, secret: {}, why: {} }}",
                text(&e.text),
                text(&e.secret),
                text(&e.why)
            )
        })
        .collect();
    format!("Cow::Borrowed(&[{}])", items.join(", "))
}

//! One direction of dependency: a module of the library uses only those before it.

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up.
const ORDER: [&str; 26] = [
    "pool", "span", "lines", "error", "secret", "checksum", "rules", "sniff", "unit", "ledger",
    "git", "source", "decode", "detect", "judge", "host", "finding", "pipeline", "history",
    "ignores", "exam", "advise", "report", "guard", "fix", "demo",
];

fn rank(module: &str) -> usize {
    let found = ORDER.iter().position(|name| *name == module);
    found.unwrap_or_else(|| panic!("module {module} has no place in the order"))
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src can be listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "bin") {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// The modules named after `crate::` in code outside tests.
fn used(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            &rest[..end.unwrap_or(rest.len())]
        })
}

#[test]
fn no_module_uses_one_above_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 30, "the sources are there");
    let mut upward = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&src).expect("below src");
        let own = relative
            .iter()
            .next()
            .expect("a name")
            .to_string_lossy()
            .replace(".rs", "");
        let is_test = relative
            .file_stem()
            .is_some_and(|s| s.to_string_lossy().ends_with("tests"));
        if own == "lib" || is_test {
            continue;
        }
        let text = fs::read_to_string(&file).expect("readable");
        for module in used(&text).filter(|module| *module != own) {
            if rank(module) > rank(&own) {
                upward.push(format!("{} uses {module}", relative.display()));
            }
        }
    }
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

//! The labelled notebooks beside the project, fixed: a rescan is clean, and the real tools accept
//! what was written.

mod util;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;

use keysweep::fix::quote;
use serde_json::Value;
use util::git::Repo;
use util::tools::{python, run_notebook, run_python, stubs};
use util::{Dir, FIX_AND_MASK, copy, labelled, planted};

/// All strings of a notebook, in order.
fn strings(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, into)),
        Value::Object(members) => members.values().for_each(|m| strings(m, into)),
        _ => {}
    }
}

#[test]
fn all_labelled_notebooks_are_clean_after_a_fix_and_valid() {
    let Some(all) = labelled() else { return };
    let folder = all.join("leaks");
    let dir = Dir::new();
    copy(&folder, &dir);
    let run = dir.run(&FIX_AND_MASK).expect(0);
    assert!(run.stdout.starts_with("rewrote 1"), "{}", run.stdout);
    dir.run(&["scan"]).expect(0);
    for (path, row) in planted(&all) {
        let Some(name) = path.strip_prefix("leaks/") else {
            continue;
        };
        let text = fs::read_to_string(dir.path().join(name)).expect("readable");
        let value: Value = serde_json::from_str(&text).expect("still JSON");
        let mut all = Vec::new();
        strings(&value, &mut all);
        let secret = row["secret"].as_str().expect("a secret");
        let joined = all.concat();
        assert!(
            !joined.contains(secret),
            "{path} still holds its secret ({})",
            row["place"]
        );
    }
    let again = dir.run(&FIX_AND_MASK).expect(0);
    assert!(
        again.stdout.starts_with("rewrote 0 and masked 0"),
        "{}",
        again.stdout
    );
    let Some(python) = python("nbformat") else {
        return;
    };
    let script = "import sys, json, warnings, nbformat\n\
        warnings.simplefilter('ignore')\n\
        bad = []\n\
        for path in sys.argv[2:]:\n\
        \x20   def valid(p):\n\
        \x20       nb = json.load(open(p, encoding='utf-8-sig'))\n\
        \x20       try:\n\
        \x20           nbformat.validate(nb); return True\n\
        \x20       except nbformat.ValidationError: return False\n\
        \x20   if not valid(path) and valid(sys.argv[1] + '/' + path.rsplit('/', 1)[-1]): bad.append(path)\n\
        sys.exit('\\n'.join(bad) or 0)\n";
    let mut args = vec![folder.display().to_string()];
    let paths = fs::read_dir(dir.path()).expect("listed").flatten();
    let names = paths.map(|e| e.file_name().to_string_lossy().into_owned());
    args.extend(names.filter(|name| name.ends_with(".ipynb")));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    run_python(&python, &dir, script, &args);
}

/// The bytes of a finding in its file.
fn spans(finding: &Value) -> Vec<Range<usize>> {
    let number = |value: &Value| value.as_u64().expect("a number") as usize;
    match finding["spans"].as_array() {
        Some(spans) => spans.iter().map(|s| number(&s[0])..number(&s[1])).collect(),
        None => {
            let whole = number(&finding["byte_start"])..number(&finding["byte_end"]);
            std::iter::once(whole).collect()
        }
    }
}

/// The lines of a text, from 1, that hold a finding, or its value once more.
fn held_lines(text: &[u8], findings: &[Value]) -> BTreeSet<usize> {
    let line = |at: usize| 1 + text[..at].iter().filter(|b| **b == b'\n').count();
    let mut lines = BTreeSet::new();
    for finding in findings {
        for span in spans(finding) {
            lines.extend(line(span.start)..=line(span.end - 1));
        }
        for form in quote::repeated(finding["secret"].as_str().expect("a secret")) {
            lines.extend(memchr::memmem::find_iter(text, form.as_bytes()).map(line));
        }
    }
    lines
}

/// A change that git sees: the lines taken out, by number, and those put in.
struct Hunk {
    out: Range<usize>,
    put_in: Vec<String>,
}

fn hunks(diff: &str) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    for line in diff.lines().skip_while(|line| !line.starts_with("@@")) {
        if let Some(head) = line.strip_prefix("@@ -") {
            let (old, _) = head.split_once(' ').expect("two ranges");
            let (start, count) = old.split_once(',').unwrap_or((old, "1"));
            let start: usize = start.parse().expect("a number");
            let count: usize = count.parse().expect("a number");
            hunks.push(Hunk {
                out: start..start + count,
                put_in: Vec::new(),
            });
        } else if let Some(text) = line.strip_prefix('+') {
            hunks
                .last_mut()
                .expect("a head")
                .put_in
                .push(text.to_owned());
        }
    }
    hunks
}

/// git sees no other lines change than those that held a secret, and one cell come in.
#[test]
fn git_sees_only_the_lines_change_that_must() {
    /// Lines of the helper's cell.
    const CELL: usize = 32;
    let Some(all) = labelled() else { return };
    let folder = all.join("leaks");
    let repo = Repo::new();
    copy(&folder, &repo.dir);
    repo.commit("As they were");
    let mut findings: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for finding in repo.dir.findings(&["."]) {
        let path = finding["path"].as_str().expect("a path").to_owned();
        findings.entry(path).or_default().push(finding);
    }
    repo.dir.run(&FIX_AND_MASK).expect(0);
    let changed = repo.git(&["diff", "--name-only"]);
    let changed: Vec<&str> = changed.lines().collect();
    assert!(changed.len() > 100, "{}", changed.len());
    let mut needless = Vec::new();
    for path in changed {
        let before = fs::read(folder.join(path)).expect("readable");
        let held = held_lines(&before, findings.get(path).map_or(&[], Vec::as_slice));
        let mut cells = 0;
        for hunk in hunks(&repo.git(&["diff", "-U0", "--", path])) {
            let others = hunk.out.clone().filter(|line| !held.contains(line));
            needless.extend(others.map(|line| format!("{path} line {line}")));
            let is_cell = hunk.put_in.concat().contains("keysweep:kv-helper");
            cells += usize::from(is_cell);
            let room = hunk.out.len() + if is_cell { CELL } else { 0 };
            if hunk.put_in.len() > room {
                needless.push(format!(
                    "{path} has more lines after line {}",
                    hunk.out.start
                ));
            }
        }
        assert!(cells <= 1, "{path}: {cells} cells");
    }
    assert!(needless.is_empty(), "{}", needless.join("\n"));
}

/// Notebooks that no reader takes are masked in place, and stay as broken as they were.
#[test]
fn broken_notebooks_are_masked_in_place() {
    let Some(all) = labelled() else { return };
    let folder = all.join("malformed");
    let dir = Dir::new();
    copy(&folder, &dir);
    let findings = dir.findings(&["."]);
    dir.run(&FIX_AND_MASK).expect(0);
    dir.run(&["scan"]).expect(0);
    for entry in fs::read_dir(&folder).expect("listed").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let before = fs::read(entry.path()).expect("readable");
        let after = fs::read(dir.path().join(&name)).expect("readable");
        let own = findings.iter().filter(|f| f["path"] == *name);
        let spans: Vec<Range<usize>> = own.flat_map(spans).collect();
        let start = spans.iter().map(|s| s.start).min().expect("a finding");
        let end = spans.iter().map(|s| s.end).max().expect("a finding");
        let rewritten = memchr::memmem::find(&after, b"get_secret(").is_some();
        assert_eq!(rewritten, name == "bom03.ipynb", "{name}");
        if !rewritten {
            assert!(after.starts_with(&before[..start]), "{name}");
            assert!(after.ends_with(&before[end..]), "{name}");
            assert!(
                after.len() - start - (before.len() - end) <= end - start,
                "{name}"
            );
        }
    }
}

/// The helper cell and the rewritten cell run under a real kernel, against a stub of the vault.
#[test]
fn a_rewritten_notebook_runs() {
    let Some(python) = python("nbclient, ipykernel") else {
        return;
    };
    let dir = Dir::new();
    let token = util::github_token();
    let notebook = serde_json::json!({
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["# Title"]},
            {"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [],
             "source": ["import sys\n", "sys.path.insert(0, 'stub')"]},
            {"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [],
             "source": [format!("token = \"{token}\"\n"), format!("!echo --token {token}\n"),
                        format!("%env TOKEN={token}\n"), "import os\n", "print(token, os.environ['TOKEN'])"]},
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4, "nbformat_minor": 4,
    });
    dir.write(
        "n.ipynb",
        serde_json::to_string_pretty(&notebook).expect("JSON"),
    );
    dir.run(&["fix", "n.ipynb", "--vault", "kv-app", "--write"])
        .expect(0);
    stubs(&dir);
    let out = run_notebook(&python, &dir, "n.ipynb");
    assert!(out.contains("--token value-of-github-token"), "{out}");
    assert!(
        out.contains("value-of-github-token value-of-github-token"),
        "{out}"
    );
}

//! The labelled notebooks beside the project, fixed: a rescan is clean, and the real tools accept
//! what was written.

mod util;

use std::fs;
use std::path::{Path, PathBuf};
use util::Dir;
use util::tools::{python, run_notebook, run_python, stubs};

fn leaks() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/nbleaks-dev/leaks");
    if !folder.is_dir() {
        eprintln!("skipped: ../shared/nbleaks-dev is not there");
        return None;
    }
    Some(folder)
}

fn copy(from: &Path, to: &Dir) {
    for entry in fs::read_dir(from).expect("listed").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        to.write(&name, fs::read(entry.path()).expect("readable"));
    }
}

/// All strings of a notebook, in order.
fn strings(value: &serde_json::Value, into: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => into.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, into)),
        serde_json::Value::Object(members) => members.values().for_each(|m| strings(m, into)),
        _ => {}
    }
}

#[test]
fn all_labelled_notebooks_are_clean_after_a_fix_and_valid() {
    let Some(folder) = leaks() else { return };
    let dir = Dir::new();
    copy(&folder, &dir);
    let args = [
        "fix",
        ".",
        "--vault",
        "kv-app",
        "--write",
        "--outputs",
        "mask",
    ];
    let run = dir.run(&args).expect(0);
    assert!(run.stdout.starts_with("rewrote 1"), "{}", run.stdout);
    dir.run(&["scan"]).expect(0);
    let truth = fs::read_to_string(folder.join("../truth.jsonl")).expect("readable");
    for line in truth.lines() {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let path = row["path"].as_str().expect("a path");
        let Some(name) = path.strip_prefix("leaks/") else {
            continue;
        };
        let text = fs::read_to_string(dir.path().join(name)).expect("readable");
        let value: serde_json::Value = serde_json::from_str(&text).expect("still JSON");
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
    let again = dir.run(&args).expect(0);
    assert!(
        again.stdout.starts_with("rewrote 0 and mask 0"),
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

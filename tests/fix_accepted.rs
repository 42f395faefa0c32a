//! What somebody accepts is neither replaced, nor masked, nor rotated; and files with very many
//! findings are answered for each.

mod util;

use std::fs;

use serde_json::Value;
use util::{Dir, made_with};

const FIX: [&str; 5] = ["fix", ".", "--vault", "kv-app", "--write"];

fn token(seed: u64) -> String {
    made_with("ghp_{b62:30}{crc-base62}", seed)
}

/// Accepts the findings of one file.
fn accept(dir: &Dir, path: &str) {
    let lines: String = dir
        .findings(&[path])
        .iter()
        .map(|f| {
            format!(
                "{} # of the emulator\n",
                f["fingerprint"].as_str().expect("text")
            )
        })
        .collect();
    assert!(!lines.is_empty());
    dir.write(".keysweepignore", lines);
}

fn text(dir: &Dir, name: &str) -> String {
    fs::read_to_string(dir.path().join(name)).expect("readable")
}

#[test]
fn what_is_accepted_stays_and_is_no_task() {
    let dir = Dir::new();
    let (kept, gone) = (token(1), token(2));
    let accepted = format!("EMULATOR_TOKEN = \"{kept}\"\n");
    dir.write("emulator.py", &accepted);
    accept(&dir, "emulator.py");
    // All that is found is accepted.
    let run = dir.run(&FIX).expect(0);
    assert!(
        run.stdout
            .starts_with("rewrote 0 and masked 0 secrets in 0 files; 0 stay"),
        "{}",
        run.stdout
    );
    dir.run(&["plan"]).expect(0);
    dir.write("app.py", format!("API_TOKEN = \"{gone}\"\n"));
    let migrate = dir.run(&["migrate", "--vault", "kv-app"]).expect(0).stdout;
    assert!(
        migrate.contains("api-token") && !migrate.contains("emulator-token"),
        "{migrate}"
    );
    let plan = dir
        .run(&["plan", "--replace-text", "rules"])
        .expect(1)
        .stdout;
    assert!(
        plan.contains("api-token") && !plan.contains("emulator-token"),
        "{plan}"
    );
    let rules = text(&dir, "rules");
    assert!(rules.contains(&gone) && !rules.contains(&kept));
    fs::remove_file(dir.path().join("rules")).expect("removed");
    dir.run(&FIX).expect(0);
    assert_eq!(text(&dir, "emulator.py"), accepted);
    assert!(!text(&dir, "app.py").contains(&gone));
}

/// Two secrets in one file, one of them accepted: the other is replaced, and masking leaves it too.
#[test]
fn an_accepted_secret_does_not_keep_its_neighbours() {
    let dir = Dir::new();
    let (kept, gone) = (token(3), token(4));
    let notebook = |second: &str| {
        serde_json::json!({
            "cells": [{"cell_type": "code", "execution_count": 1, "metadata": {}, "source": ["print(1)"],
                "outputs": [{"name": "stdout", "output_type": "stream",
                             "text": [format!("a {kept}\n"), format!("b {second}\n")]}]}],
            "metadata": {}, "nbformat": 4, "nbformat_minor": 4,
        })
        .to_string()
    };
    dir.write("n.ipynb", notebook("nothing"));
    accept(&dir, "n.ipynb");
    dir.write("n.ipynb", notebook(&gone));
    dir.run(&[&FIX[..], &["--outputs", "mask"]].concat())
        .expect(0);
    assert_eq!(text(&dir, "n.ipynb"), notebook("********"));
    let filtered = dir.run_with(
        &["filter", "clean", "n.ipynb"],
        &[],
        notebook(&gone).as_bytes(),
    );
    assert_eq!(filtered.expect(0).stdout, notebook("********"));
}

/// Thousands of settings under one key, after a megabyte of others: each is told its own keys.
#[test]
fn every_finding_of_a_large_file_is_told_its_keys() {
    const SETTINGS: usize = 2000;
    let filler = "  # nothing but a comment that fills the file\n".repeat(20_000);
    let mut yaml = format!("services:\n{filler}");
    let mut hcl = format!("resource \"a\" \"b\" {{\n{filler}");
    let mut xml = format!("<configuration>\n<!-- {filler} -->\n<appSettings>\n");
    for index in 0..SETTINGS {
        let token = token(index as u64);
        yaml += &format!("  s{index}:\n    environment:\n      API_TOKEN: {token}\n");
        hcl += &format!("  n{index} {{\n    api_token = \"{token}\"\n  }}\n");
        xml += &format!("<add key=\"s{index}-token\" value=\"{token}\"/>\n");
    }
    let dir = Dir::new();
    dir.write("docker-compose.yml", yaml);
    dir.write("main.tf", hcl + "}\n");
    dir.write("Web.config", xml + "</appSettings>\n</configuration>\n");
    for (path, context) in [
        ("docker-compose.yml", "C37"),
        ("main.tf", "C31"),
        ("Web.config", "C11"),
    ] {
        let findings = dir.findings(&[path]);
        assert_eq!(findings.len(), SETTINGS, "{path}");
        let told = |f: &&Value| {
            f["advice"]["context"]
                .as_str()
                .is_some_and(|c| c.starts_with(context))
        };
        let some: Vec<&Value> = findings.iter().filter(|f| !told(f)).collect();
        assert!(some.is_empty(), "{path}: {:#}", some[0]["advice"]);
    }
}

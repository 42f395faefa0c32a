//! SARIF as readers demand it: the binary's output against the schema of OASIS, and against the
//! limits and habits of GitHub that no schema holds.

mod util;

use std::collections::HashSet;

use serde_json::{Value, json};
use util::{Dir, github_token, made, made_with};

/// A scan's report, which fits the schema.
fn report(dir: &Dir, args: &[&str], code: i32) -> Value {
    report_of("scan", dir, args, code)
}

/// The report of a command, which fits the schema.
fn report_of(command: &str, dir: &Dir, args: &[&str], code: i32) -> Value {
    let all = [&[command, "--format", "sarif"], args].concat();
    let run = dir.run(&all).expect(code);
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let schema = include_str!("schema/sarif-2.1.0.json");
    let schema: Value = serde_json::from_str(schema).expect("JSON");
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("a schema");
    let faults: Vec<String> = validator
        .iter_errors(&report)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    report["runs"][0].clone()
}

fn results(run: &Value) -> &[Value] {
    run["results"].as_array().expect("a list")
}

fn place(result: &Value) -> &Value {
    &result["locations"][0]["physicalLocation"]
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let schema: Value =
        serde_json::from_str(include_str!("schema/sarif-2.1.0.json")).expect("JSON");
    let valid = |report| jsonschema::is_valid(&schema, &report);
    assert!(valid(json!({ "version": "2.1.0", "runs": [] })));
    assert!(!valid(json!({ "version": "2.1.0" })));
    assert!(!valid(
        json!({ "version": "2.1.0", "runs": [{ "tool": {} }] })
    ));
}

#[test]
fn nothing_found_is_a_report_too() {
    let dir = Dir::new();
    dir.write("a.txt", "nothing here");
    let run = report(&dir, &[], 0);
    assert_eq!(run["results"], json!([]));
    assert_eq!(run["tool"]["driver"]["rules"], json!([]));
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn results_have_what_readers_demand() {
    let dir = Dir::new();
    let token = github_token();
    dir.write("a b#ü.py", format!("😀 = '{token}'\nagain = '{token}'\n"));
    dir.write("b.env", made("DB_PASSWORD=\"Kq{b62:14}\"\n"));
    let run = report(&dir, &[], 1);
    let rules = run["tool"]["driver"]["rules"].as_array().expect("a list");
    let ids: HashSet<&str> = rules.iter().filter_map(|r| r["id"].as_str()).collect();
    assert_eq!(ids.len(), 2, "one description a rule: {rules:?}");
    for rule in rules {
        let score = rule["properties"]["security-severity"].as_str();
        let score: f32 = score.expect("text").parse().expect("a number");
        assert!(score > 0.0 && score <= 10.0);
        for text in ["shortDescription", "fullDescription", "help"] {
            let length = rule[text]["text"].as_str().map_or(0, str::len);
            assert!((1..=1024).contains(&length), "{text}: {rule}");
        }
        let tags = rule["properties"]["tags"].as_array().expect("a list");
        assert!(tags.contains(&json!("security")));
        assert!(tags.contains(&json!("external/cwe/cwe-798")));
    }
    let results = results(&run);
    assert_eq!(results.len(), 3, "{results:?}");
    for result in results {
        let index = result["ruleIndex"].as_u64().expect("a number") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    let first = place(&results[0]);
    assert_eq!(first["artifactLocation"]["uri"], "a%20b%23%C3%BC.py");
    let width = token.len();
    let region = json!({ "startLine": 1, "startColumn": 7, "endLine": 1, "endColumn": 7 + width });
    assert_eq!(
        first["region"], region,
        "UTF-16 units, from 1, end exclusive"
    );
    let hash = |at: usize| results[at]["partialFingerprints"]["primaryLocationLineHash"].as_str();
    let (once, twice) = (hash(0).expect("text"), hash(1).expect("text"));
    assert_eq!(once.strip_suffix(":1"), twice.strip_suffix(":2"));
    assert_eq!(once.len(), 18);
}

#[test]
fn columns_are_those_of_the_text_in_any_coding() {
    let dir = Dir::new();
    let token = github_token();
    let line = format!("x = 1\r\n😀é = '{token}'\r\n");
    let utf16: Vec<u8> = line.encode_utf16().flat_map(u16::to_be_bytes).collect();
    dir.write("a.txt", [&b"\xfe\xff"[..], &utf16].concat());
    dir.write("b.txt", line);
    let latin1 = [&b"\xa9\xe9 = '"[..], token.as_bytes(), b"'"].concat();
    dir.write("c.txt", latin1);
    let run = report(&dir, &[], 1);
    let starts: Vec<(&Value, &Value)> = results(&run)
        .iter()
        .map(|r| {
            (
                &place(r)["region"]["startLine"],
                &place(r)["region"]["startColumn"],
            )
        })
        .collect();
    let expected = [
        (json!(2), json!(8)),
        (json!(2), json!(8)),
        (json!(1), json!(7)),
    ];
    assert_eq!(
        starts,
        expected.each_ref().map(|(line, column)| (line, column))
    );
}

#[test]
fn a_notebook_is_pointed_into() {
    let dir = Dir::new();
    let notebook = json!({ "cells": [
        { "cell_type": "code", "metadata": {}, "source": "😀\n", "outputs": [
            { "output_type": "stream", "name": "stdout", "text": ["a\n", github_token()] } ] },
    ], "metadata": {}, "nbformat": 4, "nbformat_minor": 4 });
    dir.write("n.ipynb", notebook.to_string());
    let run = report(&dir, &[], 1);
    let found = &results(&run)[0];
    let name = &found["locations"][0]["logicalLocations"][0]["fullyQualifiedName"];
    assert_eq!(name, "cell 0 output 0 line 2");
    let message = found["message"]["text"].as_str().expect("text");
    assert!(message.contains("in cell 0"), "{message}");
    let column = place(found)["region"]["startColumn"]
        .as_u64()
        .expect("a number") as usize;
    let before: String = notebook
        .to_string()
        .chars()
        .take_while(|c| *c != 'g')
        .collect();
    assert!(column > before.encode_utf16().count());
}

#[test]
fn an_absolute_path_is_a_file_uri() {
    let dir = Dir::new();
    let path = dir.write("a.py", format!("t = '{}'\n", github_token()));
    let run = report(&dir, &[path.to_str().expect("UTF-8")], 1);
    let uri = &place(&results(&run)[0])["artifactLocation"]["uri"];
    assert!(uri.as_str().expect("text").starts_with("file:///"), "{uri}");
}

#[test]
fn what_was_not_read_is_notified() {
    let dir = Dir::new();
    dir.write("b c.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    dir.write("cut.ipynb", "{\"cells\": [");
    let run = report(&dir, &[".", "missing.txt"], 2);
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notes = invocation["toolExecutionNotifications"]
        .as_array()
        .expect("a list");
    let kinds: Vec<(&Value, &Value)> = notes
        .iter()
        .map(|note| (&note["descriptor"]["id"], &note["level"]))
        .collect();
    let expected = [
        ("left-out-binary", "note"),
        ("left-out-vanished", "error"),
        ("read-in-another-way", "note"),
    ];
    let expected = expected.map(|(kind, level)| (json!(kind), json!(level)));
    assert_eq!(
        kinds,
        expected.each_ref().map(|(kind, level)| (kind, level))
    );
    let place = &notes[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "b%20c.png");
}

#[test]
fn the_gravest_results_stay_when_there_are_too_many() {
    let dir = Dir::new();
    let mut lines = String::new();
    for seed in 0..25_010 {
        let value = made_with("Kq{b62:14}", seed);
        lines.push_str(&format!("db_password = \"{value}\"\n"));
    }
    lines.push_str(&github_token());
    dir.write("many.py", lines);
    let run = report(&dir, &[], 1);
    let results = results(&run);
    assert_eq!(results.len(), 25_000);
    let last = results.last().expect("results");
    assert_eq!(
        last["ruleId"], "github-pat-classic",
        "the gravest, in the order of the file"
    );
    let notes = &run["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(notes[0]["descriptor"]["id"], "results-cut");
    let text = notes[0]["message"]["text"].as_str().expect("text");
    assert!(text.starts_with("11 findings"), "{text}");
}

#[test]
fn each_command_is_a_category_and_findings_of_a_history_name_their_commit() {
    let repo = util::git::Repo::new();
    repo.save("README", "hello\n");
    let added = repo.save("a.py", format!("token = '{}'\n", github_token()));
    repo.save("a.py", "clean\n");
    for (command, args, code) in [
        ("scan", &["."][..], 0),
        ("diff", &["HEAD~2..HEAD"], 1),
        ("ci", &["HEAD~2..HEAD"], 1),
        ("history", &[], 1),
    ] {
        let run = report_of(command, &repo.dir, args, code);
        let category = command.replace("ci", "diff");
        let id = &run["automationDetails"]["id"];
        assert_eq!(*id, json!(format!("keysweep/{category}/")));
        for result in results(&run) {
            assert_eq!(result["properties"]["commit"], json!(added));
            assert_eq!(result["properties"]["state"], "history");
        }
    }
}

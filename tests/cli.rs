//! The binary on real trees.

mod util;

use serde_json::{Value, json};
use util::{Dir, github_token, made, made_with};

#[test]
fn exit_codes_tell_clean_findings_and_errors() {
    let dir = Dir::new();
    dir.write("clean.txt", "nothing here\n");
    dir.run(&["scan"]).expect(0);
    dir.write("leak.py", format!("token = \"{}\"\n", github_token()));
    dir.run(&["scan"]).expect(1);
    let run = dir.run(&["scan", "leak.py", "missing.txt"]).expect(2);
    assert!(run.stderr.contains("missing.txt"), "{}", run.stderr);
    assert!(
        run.stdout.contains("1 secret found"),
        "the rest is still scanned: {}",
        run.stdout
    );
    dir.run(&["scan", "--no-such-flag"]).expect(2);
}

#[test]
fn a_finding_says_what_and_where() {
    let dir = Dir::new();
    let token = github_token();
    let text = format!("é = 1\n  token = \"{token}\"\n");
    dir.write("src/leak.py", &text);
    let findings = dir.findings(&[]);
    assert_eq!(findings.len(), 1, "{findings:?}");
    let found = &findings[0];
    let start = text.find(&token).expect("there");
    for (key, value) in [
        ("rule", json!("github-pat-classic")),
        ("severity", json!("critical")),
        ("confidence", json!("high")),
        ("path", json!("src/leak.py")),
        ("line", json!(2)),
        ("column", json!(12)),
        ("end_line", json!(2)),
        ("end_column", json!(12 + token.len())),
        ("byte_start", json!(start)),
        ("byte_end", json!(start + token.len())),
        ("secret", json!(token)),
    ] {
        assert_eq!(found[key], value, "{key}");
    }
    assert_eq!(found["proof"]["kind"], "checksum");
    assert!(
        found["advice"]["reference"]
            .as_str()
            .expect("text")
            .contains("kv(\"github-token\")")
    );
}

#[test]
fn no_format_shows_a_secret_unasked() {
    let dir = Dir::new();
    let (token, password) = (github_token(), made("Kq7{b62:12}!x"));
    dir.write(
        "a.env",
        format!("TOKEN={token} DB_PASSWORD={password}\nurl=https://me:{token}@github.com/x\n{token}.password = \"{password}\"\n"),
    );
    for format in ["human", "json", "jsonl", "sarif"] {
        let run = dir.run(&["scan", "--format", format]).expect(1);
        for secret in [&token, &password] {
            assert!(
                !run.stdout.contains(&secret[4..]),
                "{format}: {}",
                run.stdout
            );
            assert!(
                !run.stderr.contains(&secret[4..]),
                "{format}: {}",
                run.stderr
            );
        }
    }
    let shown = dir
        .run(&["scan", "--format", "json", "--show-secrets"])
        .expect(1);
    assert!(shown.stdout.contains(&token));
    let args = ["scan", "--show-secrets"];
    let refused = dir.run_with(&args, &[("CI", "true")], b"").expect(2);
    assert!(
        refused.stderr.contains("refused in CI"),
        "{}",
        refused.stderr
    );
}

#[test]
fn walking_honours_ignore_files_and_reads_hidden_ones() {
    let dir = Dir::new();
    let leak = |seed| format!("t = '{}'\n", made_with("ghp_{b62:30}{crc-base62}", seed));
    dir.write(".git/config", leak(1));
    dir.write(".gitignore", "ignored/\n");
    dir.write("ignored/a.txt", leak(2));
    dir.write(".hidden/b.txt", leak(3));
    dir.write("node_modules/c.js", leak(4));
    dir.write("package-lock.json", leak(5));
    let paths = |args: &[&str]| -> Vec<String> {
        let findings = dir.findings(args);
        findings
            .iter()
            .map(|f| f["path"].as_str().expect("a path").to_owned())
            .collect()
    };
    assert_eq!(
        paths(&[]),
        [".hidden/b.txt", "node_modules/c.js", "package-lock.json"]
    );
    assert_eq!(
        paths(&["--no-ignore"]),
        [
            ".hidden/b.txt",
            "ignored/a.txt",
            "node_modules/c.js",
            "package-lock.json"
        ]
    );
}

#[test]
fn the_ledger_counts_what_was_read_and_left_out() {
    let dir = Dir::new();
    dir.write("a.txt", "text");
    dir.write("b.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    dir.write("c.txt", "0123456789");
    let run = dir
        .run(&["scan", "--format", "json", "--max-size", "9"])
        .expect(0);
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let coverage = &report["coverage"];
    assert_eq!(
        (&coverage["files"], &coverage["bytes"]),
        (&json!(1), &json!(4))
    );
    assert_eq!(
        coverage["left_out"]["too_large"].as_array().map(Vec::len),
        Some(2)
    );
    let run = dir.run(&["scan", "--format", "json"]).expect(0);
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(report["coverage"]["left_out"]["binary"][0]["path"], "b.png");
    assert_eq!(report["coverage"]["complete"], true);
}

#[test]
fn standard_input_has_a_name() {
    let dir = Dir::new();
    let notebook = json!({ "cells": [{ "cell_type": "code", "metadata": {}, "outputs": [],
        "source": [format!("t = '{}'\n", github_token())] }], "metadata": {}, "nbformat": 4 });
    let args = ["scan", "-", "--stdin-name", "x.ipynb", "--format", "jsonl"];
    let run = dir
        .run_with(&args, &[], notebook.to_string().as_bytes())
        .expect(1);
    let found = &run.json_lines()[0];
    assert_eq!(
        (&found["path"], &found["cell"]),
        (&json!("x.ipynb"), &json!(0))
    );
}

#[test]
fn a_notebook_finding_reads_by_cell_and_output() {
    let dir = Dir::new();
    let key = made("{his:+ASt:Default0}");
    let (head, tail) = key.split_at(40);
    let notebook = json!({ "cells": [
        { "cell_type": "markdown", "metadata": {}, "source": "x" },
        { "cell_type": "code", "metadata": {}, "source": "print(key)", "execution_count": 1, "outputs": [
            { "output_type": "stream", "name": "stdout", "text": ["first\n", head, tail, "\n"] } ] },
    ], "metadata": {}, "nbformat": 4, "nbformat_minor": 4 });
    let text = serde_json::to_string_pretty(&notebook).expect("JSON");
    dir.write("n.ipynb", &text);
    let findings = dir.findings(&[]);
    assert_eq!(findings.len(), 1, "{findings:?}");
    let found = &findings[0];
    for (name, value) in [("cell", 1), ("output", 0), ("cell_line", 2)] {
        assert_eq!(found[name], json!(value), "{name}");
    }
    assert_eq!(found["secret"], json!(key));
    let spans: Vec<[usize; 2]> = serde_json::from_value(found["spans"].clone()).expect("spans");
    let pieces: Vec<&str> = spans.iter().map(|[from, to]| &text[*from..*to]).collect();
    assert_eq!(pieces, [head, tail]);
    let human = dir.run(&["scan"]).expect(1);
    assert!(
        human
            .stdout
            .contains("n.ipynb · cell 1 · output 0 · line 2"),
        "{}",
        human.stdout
    );
}

#[test]
fn wide_and_single_byte_text_is_read() {
    let dir = Dir::new();
    let line = format!("# caf\u{e9}\r\ntoken = '{}'\r\n", github_token());
    let utf16: Vec<u8> = line.encode_utf16().flat_map(u16::to_le_bytes).collect();
    dir.write("a-utf16.txt", [&b"\xff\xfe"[..], &utf16].concat());
    dir.write("b-utf16-bare.txt", &utf16);
    dir.write(
        "c-latin1.txt",
        line.chars().map(|c| c as u8).collect::<Vec<_>>(),
    );
    dir.write("d-nul.txt", format!("a\0b\r\n{line}"));
    let found: Vec<(Value, Value)> = dir
        .findings(&[])
        .iter()
        .map(|f| (f["line"].clone(), f["column"].clone()))
        .collect();
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(
        found[..3].iter().all(|at| *at == (json!(2), json!(10))),
        "{found:?}"
    );
}

/// A shell appends to a file in its own encoding, and a mark at the beginning is no proof.
#[test]
fn text_in_two_encodings_is_read_in_both() {
    let dir = Dir::new();
    let line = |nth| format!("TOKEN={}\r\n", made_with("ghp_{b62:30}{crc-base62}", nth));
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let start = "PATH=/usr/bin\r\nHOME=/root\r\n";
    let files = [
        [&b"\xff\xfe"[..], &wide(start), line(1).as_bytes()].concat(),
        [start.repeat(30).as_bytes(), &wide(&line(2))].concat(),
        [start.as_bytes(), &wide(&line(3))].concat(),
        [b"\xff\xfe# caf\xc3\xa9\n", line(4).as_bytes()].concat(),
        [b"GIF89a = 1 # caf\xc3\xa9\n", line(5).as_bytes()].concat(),
    ];
    for (nth, bytes) in files.iter().enumerate() {
        dir.write(&format!("{nth}.env"), bytes);
    }
    let found = dir.findings(&[]);
    let paths: Vec<&Value> = found.iter().map(|finding| &finding["path"]).collect();
    assert_eq!(paths, ["0.env", "1.env", "2.env", "3.env", "4.env"]);
    // What stands between zero bytes is not rewritten as if it were not.
    dir.run(&["fix", ".", "--vault", "kv-app", "--write"]);
    for nth in [1, 2] {
        let after = std::fs::read(dir.path().join(format!("{nth}.env"))).expect("a file");
        assert_eq!(after, files[nth], "{nth}.env");
    }
}

#[test]
fn a_file_over_the_bound_is_read_in_windows() {
    let dir = Dir::new();
    // Around the borders of the windows, 8 MiB apart, and at the very end.
    let mut text = String::new();
    let mut places = Vec::new();
    for (nth, at) in [8_388_500usize, 8_388_608, 16_777_210, 25_000_000]
        .into_iter()
        .enumerate()
    {
        let filler = "all is well here\n";
        while text.len() + filler.len() < at {
            text.push_str(filler);
        }
        text.push_str(&" ".repeat(at - text.len()));
        places.push(text.len());
        text.push_str(&format!(
            "{}\n",
            made_with("ghp_{b62:30}{crc-base62}", nth as u64)
        ));
    }
    dir.write("big.log", &text);
    let findings = dir.findings(&[]);
    let starts: Vec<usize> = findings
        .iter()
        .map(|f| f["byte_start"].as_u64().expect("a number") as usize)
        .collect();
    assert_eq!(starts, places);
    for found in &findings {
        let start = found["byte_start"].as_u64().expect("a number") as usize;
        let line = text[..start].matches('\n').count() + 1;
        assert_eq!(found["line"], json!(line));
    }
}

#[test]
fn the_order_of_findings_does_not_depend_on_threads() {
    let dir = Dir::new();
    for nth in 0..40 {
        let token = made_with("ghp_{b62:30}{crc-base62}", nth);
        dir.write(
            &format!("d{}/f{nth}.txt", nth % 7),
            format!("x\nt = '{token}'\n"),
        );
    }
    let once = dir
        .run(&["scan", "-j", "1", "--format", "jsonl"])
        .expect(1)
        .stdout;
    assert_eq!(once.lines().count(), 40);
    for threads in ["2", "8"] {
        let again = dir
            .run(&["scan", "-j", threads, "--format", "jsonl"])
            .expect(1)
            .stdout;
        assert_eq!(again, once);
    }
}

#[test]
fn fingerprints_stay_when_lines_move_and_hide_weak_values() {
    let dir = Dir::new();
    let token = github_token();
    let print = |text: String| {
        dir.write("a.py", text);
        dir.findings(&[])[0]["fingerprint"].clone()
    };
    let first = print(format!("t = '{token}'\n"));
    assert_eq!(print(format!("\n\n#\nother_name = '{token}'\n")), first);
    assert_ne!(
        print(format!(
            "t = '{}'\n",
            made_with("ghp_{b62:30}{crc-base62}", 99)
        )),
        first
    );
    let weak = |value: &str| print(format!("db_password = \"{value}\"\n"));
    assert_eq!(
        weak(&made("Sum{digits:4}r!")),
        weak(&made_with("Sum{digits:4}r!", 9))
    );
}

#[test]
fn broken_notebooks_are_read_and_named() {
    let dir = Dir::new();
    let token = github_token();
    dir.write(
        "cut.ipynb",
        format!("{{\"cells\": [{{\"cell_type\": \"code\", \"source\": [\"t = '{token}'\\n\""),
    );
    let run = dir.run(&["scan", "--format", "jsonl"]).expect(1);
    assert_eq!(run.json_lines()[0]["cell"], 0);
    assert!(
        run.stderr.contains("cut.ipynb") && run.stderr.contains("not a valid notebook"),
        "{}",
        run.stderr
    );
}

#[test]
fn custom_rules_are_loaded_or_refused_with_the_cause() {
    let dir = Dir::new();
    let rule = r#"
provider = "Example"
[[rule]]
id = "example-token"
title = "Example token"
severity = "high"
kind = "anchored"
keywords = ["exmpl_"]
regex = '(?P<secret>exmpl_[A-Za-z0-9]{20})'
grants = "access"
rotate = ["the console"]
vault_name = "example-token"
references = ["https://example.com/"]
[[rule.example]]
text = 'k = "{s}"'
secret = 'exmpl_{b62:20}'
"#;
    dir.write("mine.toml", rule);
    dir.write("src/a.txt", made("k = exmpl_{b62:20}"));
    let run = dir
        .run(&["scan", "src", "--rules", "mine.toml", "--format", "jsonl"])
        .expect(1);
    assert_eq!(run.json_lines()[0]["rule"], "example-token");
    dir.run(&["rules", "check", "mine.toml"]).expect(0);
    dir.write("bad.toml", rule.replace("{20})", "+)"));
    let run = dir.run(&["scan", "src", "--rules", "bad.toml"]).expect(2);
    assert!(
        run.stderr.contains("bad.toml") && run.stderr.contains("example-token"),
        "{}",
        run.stderr
    );
    let run = dir.run(&["rules", "check", "bad.toml"]).expect(2);
    let cause = "bad.toml: rule example-token: regex: the regex has no longest match";
    assert!(run.stderr.contains(cause), "{}", run.stderr);
    dir.write("common.toml", rule.replace("\"exmpl_\"", "\"return\""));
    let run = dir.run(&["rules", "check", "common.toml"]).expect(2);
    let cause = "common.toml: rule example-token: keywords: \"return\" stands ";
    assert!(run.stderr.contains(cause), "{}", run.stderr);
    let run = dir
        .run(&["rules", "check", "mine.toml", "mine.toml"])
        .expect(2);
    let cause = "mine.toml: rule example-token: id: is taken";
    assert!(run.stderr.contains(cause), "{}", run.stderr);
}

#[test]
fn rules_can_be_listed_and_shown() {
    let dir = Dir::new();
    let list = dir.run(&["rules", "list"]).expect(0);
    assert!(
        list.stdout
            .lines()
            .any(|line| line.starts_with("github-pat-classic "))
    );
    let json = dir.run(&["rules", "list", "--format", "json"]).expect(0);
    let rules: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let rules = rules.as_array().expect("an array");
    assert_eq!(rules.len(), list.stdout.lines().count());
    assert!(rules.iter().any(|rule| {
        rule["id"] == "github-pat-classic"
            && rule["provider"] == "GitHub"
            && rule["pattern"].is_string()
    }));
    let shown = dir.run(&["rules", "show", "github-pat-classic"]).expect(0);
    assert!(shown.stdout.contains("https://github.com/settings/tokens"));
    let run = dir.run(&["rules", "show", "no-such-rule"]).expect(2);
    assert!(run.stderr.contains("no-such-rule"));
}

#[test]
fn the_demo_plants_secrets_and_finds_them() {
    let dir = Dir::new();
    let run = dir.run(&["demo", "shop"]).expect(1);
    assert!(run.stdout.contains("Planted"), "{}", run.stdout);
    assert!(dir.path().join("shop/.git").is_dir());
    dir.run(&["demo", "shop"]).expect(2);
}

#[test]
fn completions_and_the_manual_come_from_the_same_definitions() {
    let dir = Dir::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let run = dir.run(&["completions", shell]).expect(0);
        assert!(run.stdout.contains("min-confidence"), "{shell}");
    }
    assert!(dir.run(&["man"]).expect(0).stdout.contains(".TH keysweep"));
}

#[test]
fn no_file_name_can_steer_the_terminal() {
    let dir = Dir::new();
    dir.write("a\u{1b}[2J.txt", format!("t = '{}'\n", github_token()));
    let run = dir.run(&["scan"]).expect(1);
    assert!(!run.stdout.contains('\u{1b}'));
}

#[test]
fn advice_is_for_the_service_that_the_key_names() {
    let dir = Dir::new();
    let cases = [
        (
            "CS=AccountEndpoint=https://acme.documents.azure.com:443/;AccountKey={his:ACDb:MastRO00};",
            "Azure Cosmos DB",
            "reads every database of the account",
            "az cosmosdb keys",
        ),
        (
            "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={his:+ASt:Default0};EndpointSuffix=core.windows.net",
            "Azure Storage",
            "read, write and delete everything",
            "az storage account keys",
        ),
        (
            "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=out;SharedAccessKey={his:+AEh:Send0000}",
            "Azure Event Hubs connection string",
            "sends; does not receive",
            "az eventhubs",
        ),
        (
            "api-key: {his:AzSe:Query000}",
            "Azure AI Search query key",
            "reads all indexes",
            "az search",
        ),
        (
            "api-key: {his:AzSe:PAdmin00}",
            "Azure AI Search admin key",
            "manages the service and all indexes",
            "az search",
        ),
        (
            "postgresql://app:{b62:20}@acme.postgres.database.azure.com/x",
            "Azure Database for PostgreSQL",
            "everything the user may do",
            "az postgres",
        ),
    ];
    for (template, title, grants, rotate) in cases {
        dir.write("a.txt", made(template));
        let findings = dir.findings(&[]);
        assert_eq!(findings.len(), 1, "{findings:?}");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        assert!(
            text(&findings[0]["title"]).starts_with(title),
            "{findings:?}"
        );
        assert!(
            text(&findings[0]["grants"]).starts_with(grants),
            "{findings:?}"
        );
        let step = &findings[0]["advice"]["rotate"][0];
        assert!(text(step).starts_with(rotate), "{findings:?}");
    }
}

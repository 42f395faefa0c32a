//! `keysweep diff` on real repositories.

mod util;

use keysweep::git::{index, revision};
use serde_json::{Value, json};
use util::git::Repo;
use util::{Run, made_with};

fn token(seed: u64) -> String {
    made_with("ghp_{b62:30}{crc-base62}", seed)
}

fn leak(seed: u64) -> String {
    format!("token = \"{}\"\n", token(seed))
}

/// Judges a range with these arguments and gives the findings, with the secrets.
fn findings(repo: &Repo, args: &[&str]) -> Vec<Value> {
    let all = [&["diff", "--format", "jsonl", "--show-secrets"], args].concat();
    repo.dir.run(&all).json_lines()
}

fn paths(findings: &[Value]) -> Vec<&str> {
    findings
        .iter()
        .map(|finding| finding["path"].as_str().expect("a path"))
        .collect()
}

/// A repository whose first commit is tagged `base`.
fn based(files: &[(&str, &str)]) -> Repo {
    let repo = Repo::new();
    repo.write("README", "hello\n");
    for (name, content) in files {
        repo.write(name, content);
    }
    repo.commit("Begin");
    repo.git(&["tag", "base"]);
    repo
}

fn assert_hides(run: &Run, secret: &str) {
    for text in [&run.stdout, &run.stderr] {
        assert!(!text.contains(&secret[4..]), "{text}");
    }
}

#[test]
fn a_finding_names_the_commit_that_brought_it() {
    let repo = based(&[]);
    let id = repo.save("src/app.py", format!("import os\n{}", leak(1)));
    repo.save("src/app.py", format!("import os\nimport sys\n{}", leak(1)));
    let found = findings(&repo, &["base..HEAD"]);
    assert_eq!(found.len(), 1, "{found:?}");
    let blob = repo.git(&["rev-parse", "HEAD:src/app.py"]);
    for (key, value) in [
        ("path", json!("src/app.py")),
        ("line", json!(3)),
        ("commit", json!(id)),
        ("blob", json!(blob)),
        ("part", json!("file")),
        ("state", json!("head")),
        ("author", json!("Ann Author <ann@example.invalid>")),
        ("secret", json!(token(1))),
    ] {
        assert_eq!(found[0][key], value, "{key}");
    }
    let run = repo.dir.run(&["diff", "base"]).expect(1);
    assert!(run.stdout.contains(&id[..10]), "{}", run.stdout);
    assert!(run.stderr.contains("judged 2 commits"), "{}", run.stderr);
    assert_hides(&run, &token(1));
    repo.dir.run(&["ci", "HEAD..HEAD"]).expect(0);
}

#[test]
fn what_was_judged_is_told_without_the_values_in_its_name() {
    let repo = based(&[]);
    repo.save("a.py", leak(1));
    for name in [token(2), format!("topic-v{}", token(1))] {
        repo.git(&["branch", &name]);
        let run = repo.dir.run(&["diff", &format!("base..{name}")]).expect(1);
        assert!(run.stderr.contains("of base.."), "{}", run.stderr);
        assert_hides(&run, &name[name.len() - 40..]);
    }
}

#[test]
fn added_and_then_removed_is_found() {
    let repo = based(&[]);
    let id = repo.save("a.py", leak(1));
    repo.save("a.py", "clean\n");
    let found = findings(&repo, &["base..HEAD"]);
    assert_eq!(paths(&found), ["a.py"]);
    assert_eq!(found[0]["commit"], json!(id));
    assert_eq!(found[0]["state"], "history");
}

/// What is a secret in settings and code, and none in what a tool wrote.
fn password(seed: u64) -> String {
    format!("password = \"{}\"\n", made_with("{b62:12}!x7", seed))
}

#[test]
fn a_file_is_judged_under_each_of_its_paths() {
    let repo = based(&[]);
    repo.write("a.min.js", password(1));
    repo.write("app.js", password(1));
    for (path, content) in [("fix.py", leak(2)), ("zz.py", leak(2))] {
        repo.write(path, content);
    }
    repo.git(&["add", "."]);
    let expected = ["app.js", "fix.py", "zz.py"];
    assert_eq!(paths(&findings(&repo, &["--staged"])), expected);
    repo.commit("Add");
    assert_eq!(paths(&findings(&repo, &["base"])), expected);
    // To accept one of them accepts no other.
    let accepted = findings(&repo, &["base"])[1]["fingerprint"].clone();
    let accept = format!("{} # made up\n", accepted.as_str().unwrap());
    repo.git(&["checkout", "--quiet", "-b", "accepting", "base"]);
    repo.save(".keysweepignore", accept);
    repo.git(&["merge", "--quiet", "main"]);
    let found = findings(&repo, &["HEAD^..HEAD"]);
    assert_eq!(paths(&found), ["app.js", "zz.py"]);
}

#[test]
fn a_renamed_file_is_where_it_is_now() {
    let repo = based(&[]);
    let added = repo.save("a.py", leak(1));
    repo.git(&["mv", "a.py", "b.py"]);
    let renamed = repo.commit("Rename");
    let found = findings(&repo, &["base"]);
    let told: Vec<_> = found
        .iter()
        .map(|f| (&f["path"], &f["state"], &f["commit"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("a.py"), &json!("history"), &json!(added)),
            (&json!("b.py"), &json!("head"), &json!(renamed)),
        ]
    );
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf_8_are_told_apart_by_all_commands() {
    use std::os::unix::ffi::OsStrExt;
    let repo = based(&[]);
    let folder = repo.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    std::fs::create_dir(&folder).unwrap();
    for (byte, content) in [(0xfe, leak(1)), (0xff, format!("# copy\n{}", leak(1)))] {
        let name = [b"n".as_slice(), &[byte], b".py"].concat();
        let path = folder.join(std::ffi::OsStr::from_bytes(&name));
        std::fs::write(path, content).unwrap();
    }
    let named = [b"\xff".as_slice(), token(2).as_bytes()].concat();
    std::fs::write(repo.path().join(std::ffi::OsStr::from_bytes(&named)), "x").unwrap();
    repo.git(&["add", "."]);
    let told = |args: &[&str], state: Option<&str>| {
        let found = repo.dir.run(&[args, &["--format", "jsonl"]].concat());
        let found = found.json_lines().into_iter();
        let files = found.filter(|f| f["part"].is_null() || f["part"] == "file");
        let told = files.map(|f| {
            assert_eq!(f["state"].as_str(), state, "{args:?}: {f}");
            (
                f["path"].clone(),
                f["line"].clone(),
                f["fingerprint"].clone(),
            )
        });
        told.collect::<Vec<_>>()
    };
    let scan = told(&["scan"], None);
    let places: Vec<_> = scan.iter().map(|(path, line, _)| (path, line)).collect();
    let (first, second) = (json!("caf<E9>/n<FE>.py"), json!("caf<E9>/n<FF>.py"));
    assert_eq!(places, [(&first, &json!(1)), (&second, &json!(2))]);
    assert_ne!(scan[0].2, scan[1].2);
    assert_eq!(told(&["diff", "--staged"], None), scan);
    repo.commit("Add");
    assert_eq!(told(&["diff", "base"], Some("head")), scan);
    assert_eq!(told(&["history"], Some("head")), scan);
    // One that is accepted does not accept the other.
    let accepted = format!("{} # fake\n", scan[0].2.as_str().unwrap());
    repo.write(".keysweepignore", &accepted);
    assert_eq!(told(&["scan"], None), scan[1..]);
    // A name is looked into all the same.
    let names = findings(&repo, &["base"]).into_iter();
    let names: Vec<_> = names.filter(|f| f["part"] == "file_name").collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(names[0]["secret"], json!(token(2)));
}

#[test]
fn a_name_that_the_base_has_is_quiet() {
    let name = format!("{}.txt", token(1));
    let repo = based(&[(&name, "one\n")]);
    repo.write(&name, "two\n");
    repo.git(&["add", "."]);
    assert_eq!(findings(&repo, &["--staged"]), [Value::Null; 0]);
    repo.commit("Edit");
    std::fs::create_dir(repo.path().join("folder")).unwrap();
    repo.git(&["mv", &name, "folder/"]);
    assert_eq!(findings(&repo, &["--staged"]), [Value::Null; 0]);
    repo.commit("Move");
    assert_eq!(findings(&repo, &["base"]), [Value::Null; 0]);
    repo.write(&format!("{}.txt", token(2)), "new\n");
    repo.commit("Add");
    assert_eq!(findings(&repo, &["base"]).len(), 1);
}

#[test]
fn a_folder_is_one_name_however_many_files_it_has() {
    let repo = based(&[]);
    let folder = format!("a/{}", token(1));
    for file in ["b/one", "b/two", "three"] {
        repo.write(&format!("{folder}/{file}"), "x\n");
    }
    repo.git(&["add", "."]);
    let staged = findings(&repo, &["--staged"]);
    assert_eq!(staged.len(), 1, "{staged:?}");
    repo.commit("Add");
    let found = findings(&repo, &["base"]);
    assert_eq!(found.len(), 1, "{found:?}");
    for field in ["path", "fingerprint"] {
        assert_eq!(found[0][field], staged[0][field]);
    }
    assert_eq!(found[0]["state"], "head");
    // More of the same is nothing new.
    repo.write(&format!("{folder}/four"), "x\n");
    repo.git(&["add", "."]);
    assert_eq!(findings(&repo, &["--staged"]), [Value::Null; 0]);
    std::fs::remove_dir_all(repo.path().join("a")).unwrap();
    repo.commit("Take out");
    assert_eq!(findings(&repo, &["base"])[0]["state"], "history");
}

#[test]
fn what_only_a_merge_brings_is_found_and_what_it_carries_over_is_not() {
    let repo = based(&[]);
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.save("side.py", "x = 1\n");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.save("main.py", leak(2));
    let target = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["checkout", "--quiet", "side"]);
    repo.git(&["merge", "--quiet", "--no-commit", "--no-ff", "main"]);
    repo.write("resolved.py", leak(1));
    let merge = repo.commit("Merge main");
    let found = findings(&repo, &[&format!("{target}..side")]);
    assert_eq!(paths(&found), ["resolved.py"]);
    assert_eq!(found[0]["commit"], json!(merge));
}

/// What a merge takes from the end of a range counts, whoever wrote it when.
#[test]
fn what_comes_back_with_a_merge_or_its_revert_is_found() {
    let begun = || {
        let repo = based(&[("x.py", &leak(1)), ("p/x.py", &leak(2)), ("y", "1\n")]);
        repo.git(&["checkout", "--quiet", "-b", "topic"]);
        repo.write("p/y", "2\n");
        repo.save("y", "2\n");
        repo.git(&["checkout", "--quiet", "main"]);
        repo.git(&["rm", "--quiet", "x.py", "p/x.py"]);
        repo.commit("Take out");
        repo.git(&["checkout", "--quiet", "topic"]);
        // Not merged, the branch is only behind, and would bring none of it back.
        repo.dir.run(&["diff", "main..topic"]).expect(0);
        repo
    };
    let brought = |repo: &Repo, expected: &[&str], commit: &str| {
        let found = findings(repo, &["main..topic"]);
        assert_eq!(paths(&found), expected);
        for finding in &found {
            assert_eq!(finding["commit"], json!(commit));
            assert_eq!(finding["state"], "head");
        }
    };
    let merge = ["merge", "--quiet", "-m", "Merge"];
    let repo = begun();
    repo.git(&[&merge[..], &["main"]].concat());
    repo.dir.run(&["diff", "main..topic"]).expect(0);
    repo.git(&["checkout", "--quiet", "HEAD^", "--", "p"]);
    let restored = repo.commit("Restore a folder");
    brought(&repo, &["p/x.py"], &restored);
    repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    repo.git(&["revert", "--no-edit", "-m1", "HEAD"]);
    let reverted = repo.git(&["rev-parse", "HEAD"]);
    brought(&repo, &["p/x.py", "x.py"], &reverted);
    let repo = begun();
    repo.git(&[&merge[..], &["-s", "ours", "main"]].concat());
    let merged = repo.git(&["rev-parse", "HEAD"]);
    repo.save("later.py", "x = 1\n");
    brought(&repo, &["p/x.py", "x.py"], &merged);
}

#[test]
fn where_both_sides_merged_each_other_all_their_common_commits_are_base() {
    let repo = based(&[]);
    repo.git(&["checkout", "--quiet", "-b", "topic"]);
    repo.save("topic.py", leak(1));
    repo.git(&["checkout", "--quiet", "main"]);
    repo.save("main.py", leak(2));
    let merge = ["merge", "--quiet", "--no-ff", "-m", "Merge"];
    repo.git(&["branch", "before"]);
    repo.git(&[&merge[..], &["topic"]].concat());
    repo.git(&["checkout", "--quiet", "topic"]);
    repo.git(&[&merge[..], &["before"]].concat());
    let common = repo.git(&["merge-base", "--all", "main", "topic"]);
    assert_eq!(common.lines().count(), 2, "{common}");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["rm", "--quiet", "topic.py", "main.py"]);
    repo.commit("Take out");
    repo.git(&["checkout", "--quiet", "topic"]);
    repo.git(&["mv", "topic.py", "a.py"]);
    repo.git(&["mv", "main.py", "b.py"]);
    repo.save("new.py", leak(3));
    assert_eq!(paths(&findings(&repo, &["main..topic"])), ["new.py"]);
}

#[test]
fn a_value_that_the_base_has_is_quiet_wherever_it_goes() {
    let (one, two, three) = (token(1), token(2), token(3));
    let notebook = |count: u32, output: &str| {
        json!({
            "cells": [{"cell_type": "code", "execution_count": count, "metadata": {},
                "source": [format!("key = \"{three}\"\n"), "print(key)"],
                "outputs": [{"output_type": "stream", "name": "stdout", "text": [output]}]}],
            "metadata": {}, "nbformat": 4, "nbformat_minor": 5
        })
        .to_string()
    };
    let repo = based(&[
        ("moved.py", &format!("token = \"{one}\"\n")),
        ("indented.py", &format!("token = \"{two}\"\n")),
        ("run.ipynb", &notebook(1, "nothing\n")),
    ]);
    repo.git(&["mv", "moved.py", "elsewhere.py"]);
    repo.write("elsewhere.py", format!("# new home\ntoken = \"{one}\"\n"));
    repo.write("indented.py", format!("if True:\n    token = \"{two}\"\n"));
    repo.write(
        "encoded.json",
        format!("{{\"token\": \"{}\"}}\n", escaped(&two)),
    );
    repo.write("run.ipynb", notebook(2, &format!("{three}\n")));
    repo.write("new.py", leak(9));
    repo.commit("Change everything");
    let found = findings(&repo, &["base..HEAD"]);
    assert_eq!(paths(&found), ["new.py"]);
}

/// A key block in each of these forms is one and the same value.
#[test]
fn a_key_block_is_quiet_however_it_is_laid_out() {
    let block = |seed: u64| {
        let lines: String = (0..12_u64)
            .map(|line| made_with("{b62:64}\n", 100 * seed + line))
            .collect();
        let words = ["-----BEGIN PRIVATE KEY", "-----END PRIVATE KEY"];
        format!("{}-----\n{lines}{}-----\n", words[0], words[1])
    };
    let forms = |key: &str| {
        let lines: Vec<&str> = key.lines().collect();
        let (first, last) = (lines[0], lines[lines.len() - 1]);
        let body = lines[1..lines.len() - 1].concat();
        let each = |before: &str, after: &str| -> String {
            let lines = lines.iter().map(|line| format!("{before}{line}{after}"));
            lines.collect()
        };
        [
            ("k.pem", key.to_owned()),
            ("crlf.pem", each("", "\r\n")),
            ("k.yaml", format!("key: |\n{}", each("    ", "\n"))),
            ("k.json", json!({"private_key": key}).to_string()),
            ("k.env", format!("KEY=\"{}\"\n", key.replace('\n', "\\n"))),
            ("k.py", format!("k = (\n{})\n", each("  \"", "\\n\"\n"))),
            ("rewrapped.pem", format!("{first}\n{body}\n{last}\n")),
        ]
    };
    let known = forms(&block(1));
    for (number, (name, text)) in known.iter().enumerate() {
        let repo = based(&[(name, text)]);
        for (other, (_, text)) in known.iter().enumerate() {
            if other != number {
                repo.write(&format!("new/{}", known[other].0), text);
            }
        }
        repo.commit("Write it in other forms");
        assert_eq!(paths(&findings(&repo, &["base..HEAD"])), [""; 0], "{name}");
    }
    let repo = based(&[("k.pem", &block(1))]);
    let forms = forms(&block(2));
    forms
        .iter()
        .for_each(|(name, text)| drop(repo.write(&format!("new/{name}"), text)));
    repo.commit("Add another key");
    assert_eq!(findings(&repo, &["base..HEAD"]).len(), forms.len());
}

/// Every character as JSON may also write it.
fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| format!("\\u{:04x}", c as u32))
        .collect()
}

#[test]
fn messages_authors_and_names_are_read_and_not_repeated() {
    let repo = based(&[]);
    repo.commit(&format!("Use {}", token(1)));
    let author = format!("{} <bot@example.invalid>", token(2));
    repo.write("x", "1");
    repo.git(&["add", "x"]);
    repo.git(&["commit", "--quiet", "-m", "Bot", "--author", &author]);
    repo.write(&format!("dumps/{}.txt", token(3)), leak(4));
    repo.commit("Dump");
    let found = findings(&repo, &["base..HEAD"]);
    let mut parts: Vec<(&str, &str)> = found
        .iter()
        .map(|f| (f["part"].as_str().unwrap(), f["secret"].as_str().unwrap()))
        .collect();
    parts.sort_unstable();
    let (one, two, three, four) = (token(1), token(2), token(3), token(4));
    let mut expected = [
        ("commit", &*one),
        ("commit", &*two),
        ("file", &*four),
        ("file_name", &*three),
    ];
    expected.sort_unstable();
    assert_eq!(parts, expected);
    for format in ["human", "json", "sarif", "github", "azure", "gitlab"] {
        let run = repo
            .dir
            .run(&["diff", "base..HEAD", "--format", format])
            .expect(1);
        for secret in [&one, &two, &three, &four] {
            assert_hides(&run, secret);
        }
    }
}

#[test]
fn the_message_of_the_tag_at_the_end_of_a_range_is_judged() {
    let repo = based(&[]);
    let words = format!("Release\n\n{}", leak(1));
    repo.git(&["tag", "-a", "-m", &words, "inner"]);
    repo.git(&["tag", "-a", "-m", "outer", "outer", "inner"]);
    let tag = repo.git(&["rev-parse", "outer"]);
    for end in ["inner", "outer", &tag] {
        let run = repo.dir.run(&["diff", &format!("base..{end}")]).expect(1);
        assert!(run.stdout.contains("tag message"), "{}", run.stdout);
        assert_hides(&run, &token(1));
    }
    for range in ["inner..outer", "base..outer^{}", "outer..HEAD", "outer"] {
        repo.dir.run(&["diff", range]).expect(0);
    }
    let zeros = "0".repeat(40);
    let event = json!({"before": zeros, "after": tag, "ref": "refs/tags/outer",
        "repository": {"default_branch": "main"}});
    repo.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    let run = pushed(&repo, &event).expect(1);
    assert_hides(&run, &token(1));
    let head = repo.git(&["rev-parse", "HEAD"]);
    let gitlab = [
        ("GITLAB_CI", "true"),
        ("CI_COMMIT_SHA", &*head),
        ("CI_COMMIT_BEFORE_SHA", &*zeros),
        ("CI_DEFAULT_BRANCH", "main"),
        ("CI_COMMIT_REF_NAME", "outer"),
        ("CI_COMMIT_TAG", "outer"),
    ];
    let run = repo.dir.run_with(&["ci"], &gitlab, b"").expect(1);
    assert_hides(&run, &token(1));
}

#[test]
fn a_change_cannot_excuse_itself() {
    let repo = based(&[]);
    repo.save("a.py", leak(1));
    let found = findings(&repo, &["base..HEAD"]);
    let fingerprint = found[0]["fingerprint"].as_str().unwrap().to_owned();
    repo.write(".gitattributes", "* -diff -text binary\n");
    repo.save(".keysweepignore", format!("{fingerprint} # trust me\n"));
    let run = repo.dir.run(&["diff", "base..HEAD"]).expect(1);
    assert!(
        run.stderr
            .contains(".keysweepignore: changed in this range"),
        "{}",
        run.stderr
    );
    // Once the base has it, it counts.
    repo.git(&["branch", "later"]);
    repo.git(&["checkout", "--quiet", "--orphan", "fresh"]);
    repo.git(&["rm", "-rfq", "--cached", "."]);
    repo.git(&["add", "-f", ".keysweepignore"]);
    repo.git(&["commit", "--quiet", "-m", "Accept"]);
    repo.dir.run(&["diff", "fresh..later"]).expect(0);
}

/// Were it an error, nobody could commit its repair.
#[test]
fn a_damaged_list_accepts_nothing_and_lets_itself_be_repaired() {
    let wide: Vec<u8> = "# by PowerShell\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let wide = [&b"\xff\xfe"[..], &wide].concat();
    for (list, why) in [(&b"zz\n"[..], "line 1: not a fin"), (&wide, "not UTF-8")] {
        let repo = based(&[]);
        let told = |args: &[&str], code, notes: &[&str]| {
            let run = repo.dir.run(&[&["diff"], args].concat()).expect(code);
            let lines = run.stderr.lines();
            let said: Vec<&str> = lines.filter(|line| line.contains("damaged")).collect();
            assert_eq!(said.len(), notes.len(), "{args:?}: {}", run.stderr);
            for (line, whose) in said.iter().zip(notes) {
                assert!(line.contains(whose) && line.contains(why), "{line}");
            }
        };
        repo.write(".keysweepignore", list);
        repo.git(&["add", ".keysweepignore"]);
        told(&["--staged"], 0, &["that of the index"]);
        repo.commit("Damage");
        told(&["base..HEAD"], 0, &["that of the end of the range"]);
        told(&["--staged"], 0, &["that of the base revision"]);
        repo.save("a.py", leak(1));
        let both = ["that of the base revision", "that of the end of the range"];
        told(&["HEAD~1..HEAD"], 1, &both);
        repo.save(".keysweepignore", "# nothing\n");
        told(&["HEAD~1..HEAD"], 0, &["that of the base revision"]);
        repo.dir.run(&["diff", "--staged"]).expect(0);
    }
}

#[test]
fn a_list_may_begin_with_a_mark_of_its_encoding() {
    let repo = based(&[("a.py", &leak(1))]);
    let scan = repo.dir.findings(&["."]);
    let fingerprint = scan[0]["fingerprint"].as_str().unwrap();
    repo.write(
        ".keysweepignore",
        format!("\u{feff}{fingerprint} # made up\r\n"),
    );
    repo.dir.run(&["scan", "."]).expect(0);
}

/// A rule for what nothing else takes for a secret.
const RULES: &str = r#"
provider = "Example"
[[rule]]
id = "example-token"
title = "Example service token"
severity = "high"
kind = "anchored"
keywords = ["exm_"]
regex = '''(?P<secret>exm_[A-Za-z0-9]{32})'''
grants = "everything"
rotate = ["https://example.com"]
vault_name = "example-token"
references = ["https://example.com"]
[[rule.example]]
text = 'token = "{s}"'
secret = "exm_{b62:32}"
[[rule.counter]]
text = 'token = "exm_your_token_goes_here"'
why = "a placeholder"
"#;

/// What these rules find, in a text.
fn example(seed: u64) -> String {
    format!("token = \"{}\"\n", made_with("exm_{b62:32}", seed))
}

#[test]
fn rules_of_the_repository_are_those_of_the_base() {
    let repo = based(&[("rules.toml", RULES)]);
    repo.write("rules.toml", RULES.replace("exm_", "nothing_"));
    repo.save("a.txt", example(1));
    let args = [
        "diff",
        "base..HEAD",
        "--rules",
        "rules.toml",
        "--format",
        "jsonl",
    ];
    let run = repo.dir.run(&args).expect(1);
    assert_eq!(run.json_lines()[0]["rule"], "example-token");
    assert!(
        run.stderr.contains("rules.toml: changed in this range"),
        "{}",
        run.stderr
    );
}

/// What a change makes of the folders on the way to the rules is no part of the base.
#[cfg(unix)]
#[test]
fn no_link_of_a_change_leads_to_other_rules() {
    use std::os::unix::fs::symlink;
    let lax = RULES.replace("exm_", "nothing_");
    let outside = util::Dir::new();
    outside.write("r.toml", &lax);
    let changes: [&dyn Fn(&Repo); 4] = [
        &|repo| symlink("old", repo.path().join("cfg")).unwrap(),
        &|repo| {
            repo.write("other/r.toml", RULES);
            symlink("other", repo.path().join("cfg")).unwrap();
        },
        &|repo| symlink(outside.path(), repo.path().join("cfg")).unwrap(),
        &|_| {},
    ];
    for change in changes {
        let repo = based(&[("cfg/r.toml", RULES), ("old/r.toml", &lax)]);
        std::fs::remove_dir_all(repo.path().join("cfg")).unwrap();
        change(&repo);
        repo.write("sub/a.txt", example(1));
        repo.git(&["add", "--all"]);
        let absolute = repo.path().join("cfg/r.toml");
        let rules = [
            "cfg/r.toml",
            "./sub/../cfg/r.toml",
            absolute.to_str().unwrap(),
        ];
        for rules in rules {
            repo.dir
                .run(&["diff", "--staged", "--rules", rules])
                .expect(1);
        }
        repo.commit("Change");
        for rules in rules {
            repo.dir.run(&["diff", "base", "--rules", rules]).expect(1);
        }
    }
}

#[cfg(unix)]
#[test]
fn links_of_the_base_lead_to_its_own_rules() {
    use std::os::unix::fs::symlink;
    let repo = based(&[("cfg/v2/r.toml", RULES)]);
    symlink("v2", repo.path().join("cfg/now")).unwrap();
    symlink("../cfg/now/r.toml", repo.path().join("cfg/link.toml")).unwrap();
    symlink("/etc/hostname", repo.path().join("out.toml")).unwrap();
    symlink("../..", repo.path().join("cfg/up")).unwrap();
    symlink("round.toml", repo.path().join("round.toml")).unwrap();
    repo.commit("Link");
    repo.write("cfg/v2/r.toml", RULES.replace("exm_", "nothing_"));
    repo.save("a.txt", example(1));
    for rules in ["cfg/link.toml", "cfg/now/r.toml"] {
        let run = repo.dir.run(&["diff", "HEAD^", "--rules", rules]).expect(1);
        let note = format!("{rules}: changed in this range");
        assert!(run.stderr.contains(&note), "{}", run.stderr);
    }
    for rules in ["out.toml", "cfg/up/r.toml", "round.toml"] {
        let run = repo.dir.run(&["diff", "HEAD^", "--rules", rules]).expect(2);
        let told = format!("{rules}: a link on the way leads out of the repository");
        assert!(run.stderr.contains(&told), "{}", run.stderr);
    }
}

#[test]
fn rules_count_where_there_is_no_base_to_have_them() {
    let repo = Repo::new();
    repo.write("cfg/r.toml", RULES);
    repo.write("a.txt", example(1));
    repo.git(&["add", "--all"]);
    let rules = ["--rules", "cfg/r.toml"];
    let note = "there is no base revision";
    for changes in ["--staged", "base"] {
        let run = match changes {
            "--staged" => repo.dir.run(&[&["diff", changes], &rules[..]].concat()),
            _ => {
                let head = repo.commit("Begin");
                let vars = [("JENKINS_URL", "x"), ("GIT_COMMIT", &*head)];
                repo.dir
                    .run_with(&[&["ci"], &rules[..]].concat(), &vars, b"")
            }
        };
        let run = run.expect(1);
        assert!(
            run.stderr.contains("cfg/r.toml: ") && run.stderr.contains(note),
            "{}",
            run.stderr
        );
    }
    // What nobody committed is no part of what is judged.
    repo.write("own.toml", RULES);
    let vars = [("JENKINS_URL", "x"), ("GIT_COMMIT", "HEAD")];
    let run = repo
        .dir
        .run_with(&["ci", "--rules", "own.toml"], &vars, b"")
        .expect(2);
    assert!(
        run.stderr
            .contains("own.toml: the judged commit does not have"),
        "{}",
        run.stderr
    );
    // With a base, a change may bring the first ones, but a name that nothing has is mistyped.
    let run = repo
        .dir
        .run(&["diff", "HEAD", "--rules", "own.toml"])
        .expect(0);
    assert!(run.stderr.contains("own.toml: not used"), "{}", run.stderr);
    repo.dir
        .run(&["diff", "HEAD", "--rules", "mistyped.toml"])
        .expect(2);
}

#[test]
fn commits_are_judged_after_the_parents_that_they_name() {
    let repo = based(&[]);
    let found = repo.save("a.py", leak(1));
    repo.save("b.py", "x = 1\n");
    let base = repo.git(&["rev-parse", "base"]);
    let head = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["replace", "--graft", &head, &base]);
    repo.write(".git/info/grafts", format!("{head} {base}\n"));
    assert!(!repo.git(&["log", "--format=%H"]).contains(&found));
    let run = repo.dir.run(&["diff", "base"]).expect(1);
    assert!(run.stdout.contains("a.py"), "{}", run.stdout);
    assert!(
        run.stderr.contains("info/grafts: not followed"),
        "{}",
        run.stderr
    );
    // What libgit2 cannot read is told with what to do.
    repo.write(".git/info/grafts", "# none\n");
    let run = repo.dir.run(&["diff", "base"]).expect(2);
    assert!(
        run.stderr.contains("--convert-graft-file"),
        "{}",
        run.stderr
    );
}

#[test]
fn accepted_findings_need_a_reason_and_are_told_when_unused() {
    let repo = based(&[("a.py", &leak(1))]);
    let scan = repo.dir.findings(&["."]);
    let fingerprint = scan[0]["fingerprint"].as_str().unwrap();
    repo.write(".keysweepignore", format!("{fingerprint}\n"));
    let run = repo.dir.run(&["scan"]).expect(2);
    assert!(run.stderr.contains("line 1: no reason"), "{}", run.stderr);
    let other = "0".repeat(32);
    repo.write(
        ".keysweepignore",
        format!("{fingerprint} # made up\n{other} # gone\n"),
    );
    let run = repo.dir.run(&["scan"]).expect(0);
    assert!(
        run.stderr.contains("line 2 accepts nothing"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_clone_that_is_too_shallow_fails_with_the_fix() {
    let origin = based(&[]);
    for n in 0..4 {
        origin.save("a.py", format!("{n}\n"));
    }
    let clone = Repo::clone_of(&origin, &["--depth=2"]);
    let base = origin.git(&["rev-parse", "base"]);
    let deep = clone.dir.run(&["diff", &format!("{base}..HEAD")]).expect(2);
    assert!(
        deep.stderr.contains("git fetch --unshallow"),
        "{}",
        deep.stderr
    );
    // What can be seen is judged, and the rest is not taken for clean.
    clone.dir.run(&["diff", "HEAD^..HEAD"]).expect(0);
    clone
        .dir
        .run(&["diff", "HEAD~1..HEAD", "--quiet"])
        .expect(0);
    let run = clone.dir.run(&["diff", "HEAD~3..HEAD"]).expect(2);
    assert!(run.stderr.contains("fetch-depth: 0"), "{}", run.stderr);
}

#[test]
fn the_offered_fetch_brings_the_branch_that_a_shallow_clone_lacks() {
    let origin = based(&[]);
    origin.save("a.py", "1\n");
    origin.git(&["checkout", "--quiet", "-b", "topic"]);
    origin.save("a.py", "2\n");
    let clone = Repo::clone_of(&origin, &["--depth=1", "--branch=topic"]);
    let run = clone.dir.run(&["diff", "origin/main..HEAD"]).expect(2);
    let offered = run.stderr.split('`').nth(1).expect("a command");
    let words: Vec<&str> = offered
        .split(' ')
        .map(|word| word.trim_matches('\''))
        .collect();
    assert_eq!(words[0], "git");
    clone.git(&words[1..]);
    let run = clone.dir.run(&["diff", "origin/main..HEAD"]).expect(0);
    assert!(run.stderr.contains("judged 1 commit"), "{}", run.stderr);
}

#[test]
fn a_bare_repository_has_no_changes_to_judge() {
    let origin = based(&[]);
    let bare = Repo::clone_of(&origin, &["--bare"]);
    for changes in ["--staged", "--unstaged"] {
        let run = bare.dir.run(&["diff", changes]).expect(2);
        assert!(run.stderr.contains("bare repository"), "{}", run.stderr);
    }
    // A working tree that is linked to it has.
    let linked = util::Dir::new();
    let at = linked.path().join("tree");
    bare.git(&["worktree", "add", "--quiet", at.to_str().unwrap(), "main"]);
    linked.write("tree/README", leak(1));
    linked.run(&["diff", "-C", "tree", "--staged"]).expect(0);
    linked.run(&["diff", "-C", "tree", "--unstaged"]).expect(1);
}

#[test]
fn a_range_that_does_not_exist_is_an_error() {
    let repo = based(&[]);
    for range in ["nowhere..HEAD", "..", "HEAD..nowhere"] {
        let run = repo.dir.run(&["diff", range]).expect(2);
        assert!(!run.stderr.is_empty());
    }
    // No upstream, and no CI system to say.
    let on_branch = repo.dir.run(&["diff"]).expect(2);
    repo.git(&["checkout", "--quiet", "--detach"]);
    let detached = repo.dir.run(&["diff"]).expect(2);
    for run in [on_branch, detached] {
        let told = "no upstream branch is known for what is checked out; name the commits";
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
}

#[test]
fn ends_are_named_as_git_names_them() {
    let origin = based(&[]);
    origin.git(&["tag", "-a", "v1", "-m", "One"]);
    origin.git(&["tag", "-a", "v1-again", "-m", "Two", "v1"]);
    origin.git(&["checkout", "--quiet", "-b", "side/way"]);
    origin.save("side.py", "x = 1\n");
    origin.git(&["checkout", "--quiet", "main"]);
    origin.save("main.py", "x = 2\n");
    origin.git(&["merge", "--quiet", "--no-ff", "side/way"]);
    let repo = Repo::clone_of(&origin, &[]);
    repo.git(&["pack-refs", "--all"]);
    repo.save("own.py", "x = 3\n");
    let id = repo.git(&["rev-parse", "HEAD^"]);
    let described = repo.git(&["describe", "--tags", "--long"]);
    let short = [&id, &id[..12], &id[..4].to_uppercase()].map(ToString::to_string);
    let names = "HEAD @ main heads/main refs/heads/main origin origin/main origin/side/way \
                 refs/remotes/origin/main @{u} @{upstream} HEAD@{u} main@{UPSTREAM} base v1 v1^{} \
                 v1-again tags/v1 v1^{commit} v1^0 HEAD^ HEAD~ HEAD^^2 HEAD~2 HEAD~1^2~1 main@{u}^1";
    let names = names.split_whitespace().map(str::to_owned);
    let opened = keysweep::git::Repo::open(repo.path()).unwrap();
    let reader = opened.reader().unwrap();
    let find = |name: &str| revision::find(&opened, &reader, name);
    for name in names.chain(short).chain([described]) {
        let commit = repo.git(&["rev-parse", "--verify", &format!("{name}^{{commit}}")]);
        let found = find(&name).unwrap().map(|id| id.to_string());
        assert_eq!(found.as_ref(), Some(&commit), "{name}");
    }
    // A tag has no upstream, whatever it is called.
    repo.git(&["tag", "main", "v1"]);
    let upstream = repo.git(&["rev-parse", "main@{u}"]);
    assert_eq!(
        find("main@{u}").unwrap().map(|id| id.to_string()),
        Some(upstream)
    );
    // A reference that goes by the name of an object is not what a CI system means.
    repo.git(&["update-ref", &format!("refs/heads/{id}"), "HEAD"]);
    assert_eq!(find(&id).unwrap().map(|id| id.to_string()), Some(id));
    for none in [
        "nowhere",
        "v1~9",
        "HEAD^3",
        "",
        "abc",
        "a b",
        "--all",
        &"7".repeat(40),
    ] {
        assert_eq!(find(none).unwrap(), None, "{none}");
    }
    for unknown in [
        "HEAD@{1}",
        "HEAD:own.py",
        "v1^{tree}",
        "HEAD^{/Begin}",
        ":/Begin",
        ":own.py",
        "^main",
        "main@{yesterday}",
    ] {
        let run = repo.dir.run(&["diff", unknown]).expect(2);
        assert!(
            run.stderr.contains("git rev-parse"),
            "{unknown}: {}",
            run.stderr
        );
    }
}

const NOTHING: &str = "0000000000000000000000000000000000000000";

/// What GitHub runs `ci` with after a push of `main`, the default branch.
fn pushed(repo: &Repo, event: &Value) -> Run {
    let folder = util::Dir::new();
    let event = folder.write("event.json", event.to_string());
    let vars = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_PATH", event.to_str().unwrap()),
    ];
    repo.dir.run_with(&["ci"], &vars, b"")
}

/// A server's repository and a clone of it that is up to date, with a secret in its last commit.
fn cloned() -> (Repo, Repo) {
    let origin = based(&[]);
    origin.save("a.py", leak(1));
    let clone = Repo::clone_of(&origin, &[]);
    (origin, clone)
}

#[test]
fn a_push_of_the_default_branch_is_not_held_against_itself() {
    let (origin, clone) = cloned();
    let head = clone.git(&["rev-parse", "HEAD"]);
    let tree = clone.git(&["rev-parse", "base^{tree}"]);
    let old = clone.git(&["commit-tree", "-m", "Old", &tree]);
    // New, overwritten, overwritten and what was there not fetched; by systems that name it or not.
    for before in [NOTHING, &*old, &"1".repeat(40)] {
        for name in [json!("refs/heads/main"), Value::Null] {
            let event = json!({"ref": name, "before": before, "after": head,
                "forced": before != NOTHING, "repository": {"default_branch": "main"}});
            let run = pushed(&clone, &event).expect(1);
            assert!(run.stderr.contains("judged 2 commits"), "{}", run.stderr);
        }
        for name in ["main", ""] {
            let vars = [
                ("GITLAB_CI", "true"),
                ("CI_COMMIT_SHA", &*head),
                ("CI_COMMIT_BEFORE_SHA", before),
                ("CI_DEFAULT_BRANCH", "main"),
                ("CI_COMMIT_REF_NAME", name),
            ];
            let run = clone.dir.run_with(&["ci"], &vars, b"").expect(1);
            assert!(run.stderr.contains("judged 2 commits"), "{}", run.stderr);
        }
    }
    // What was accepted with all the rest stays so: a nightly run says of no commit before.
    let run = clone.dir.run(&["history", "--format", "jsonl"]).expect(1);
    let prints = run.json_lines();
    let prints = prints
        .iter()
        .map(|f| f["fingerprint"].as_str().expect("one"));
    let list: String = prints.map(|print| format!("{print} # made up\n")).collect();
    let accepted = clone.save(".keysweepignore", list);
    let vars = [
        ("GITLAB_CI", "true"),
        ("CI_COMMIT_SHA", &*accepted),
        ("CI_COMMIT_BEFORE_SHA", NOTHING),
        ("CI_DEFAULT_BRANCH", "main"),
        ("CI_COMMIT_REF_NAME", "main"),
    ];
    let run = clone.dir.run_with(&["ci"], &vars, b"").expect(0);
    assert!(run.stderr.contains("there is no base"), "{}", run.stderr);
    // A clone that has not all of it cannot tell.
    let shallow = Repo::clone_of(&origin, &["--depth=1"]);
    let event = json!({"ref": "refs/heads/main", "before": NOTHING, "after": head,
        "repository": {"default_branch": "main"}});
    let run = pushed(&shallow, &event).expect(2);
    assert!(run.stderr.contains("fetch-depth: 0"), "{}", run.stderr);
}

#[test]
fn another_branch_that_was_overwritten_is_held_against_the_default_branch() {
    let (_origin, clone) = cloned();
    let head = clone.save("b.py", leak(2));
    let event = json!({"ref": "refs/heads/topic", "before": "1".repeat(40), "after": head,
        "forced": true, "repository": {"default_branch": "main"}});
    let run = pushed(&clone, &event).expect(1);
    assert!(run.stderr.contains("judged 1 commit of"), "{}", run.stderr);
    let vars = [
        ("GITLAB_CI", "true"),
        ("CI_COMMIT_SHA", &*head),
        ("CI_COMMIT_BEFORE_SHA", &"1".repeat(40)),
        ("CI_DEFAULT_BRANCH", "main"),
        ("CI_COMMIT_REF_NAME", "topic"),
    ];
    let run = clone.dir.run_with(&["ci"], &vars, b"").expect(1);
    assert!(run.stderr.contains("judged 1 commit of"), "{}", run.stderr);
}

#[test]
fn the_first_commit_of_all_is_judged_in_ci() {
    let repo = Repo::new();
    let head = repo.save("a.py", leak(1));
    let bitbucket = [
        ("BITBUCKET_BUILD_NUMBER", "1"),
        ("BITBUCKET_COMMIT", &*head),
    ];
    let jenkins = [("JENKINS_URL", "x"), ("GIT_COMMIT", &*head)];
    for vars in [&[("TF_BUILD", "True")][..], &bitbucket, &jenkins] {
        let run = repo.dir.run_with(&["ci"], vars, b"").expect(1);
        assert!(run.stderr.contains("judged 1 commit, "), "{}", run.stderr);
    }
    // Where the parents were only not fetched, it is not taken for the first.
    repo.save("a.py", "clean\n");
    let shallow = Repo::clone_of(&repo, &["--depth=1"]);
    let azure = [("TF_BUILD", "True")];
    let run = shallow.dir.run_with(&["ci"], &azure, b"").expect(2);
    assert!(run.stderr.contains("fetchDepth: 0"), "{}", run.stderr);
}

#[test]
fn histories_without_a_common_commit_are_judged_whole() {
    let repo = based(&[]);
    repo.git(&["checkout", "--quiet", "--orphan", "other"]);
    repo.save("a.py", leak(1));
    let found = findings(&repo, &["base..other"]);
    assert_eq!(paths(&found), ["a.py"]);
}

#[test]
fn staged_is_what_the_index_holds_and_unstaged_what_the_disk_holds() {
    let repo = based(&[("a.py", "clean\n"), ("b.py", "clean\n")]);
    repo.write("a.py", leak(1));
    repo.git(&["add", "a.py"]);
    repo.write("a.py", "clean again\n");
    repo.write("b.py", leak(2));
    assert_eq!(paths(&findings(&repo, &["--staged"])), ["a.py"]);
    let unstaged = findings(&repo, &["--unstaged"]);
    assert_eq!(paths(&unstaged), ["b.py"]);
    repo.git(&["commit", "--quiet", "-am", "All"]);
    repo.dir.run(&["diff", "--staged"]).expect(0);
    repo.dir.run(&["diff", "--unstaged"]).expect(0);
    // The first commit of all has no base.
    let first = Repo::new();
    first.write("a.py", leak(1));
    first.git(&["add", "a.py"]);
    assert_eq!(paths(&findings(&first, &["--staged"])), ["a.py"]);
}

/// Makes `name` a hook of the repository that runs these lines of a shell, `keysweep` among them.
#[cfg(unix)]
fn hook(repo: &Repo, name: &str, lines: &str) {
    let program = env!("CARGO_BIN_EXE_keysweep");
    let text = format!("#!/bin/sh\nkeysweep() {{ '{program}' \"$@\"; }}\n{lines}\n");
    util::tools::executable(&repo.dir, &format!(".git/hooks/{name}"), &text);
}

#[cfg(unix)]
#[test]
fn the_index_that_git_names_is_found_from_anywhere() {
    for lines in [
        "cd sub && keysweep diff --staged",
        "root=$(pwd); cd / && keysweep diff --staged -C \"$root\"",
    ] {
        let repo = based(&[("sub/a.py", "clean\n")]);
        hook(&repo, "pre-commit", lines);
        repo.write("sub/a.py", leak(1));
        repo.git(&["add", "."]);
        let commit = |args: &[&str]| {
            let all = [&["commit", "--quiet", "-m", "Change"], args].concat();
            repo.try_git(&all)
        };
        commit(&[]).expect(1);
        // A commit of a part has an index of its own.
        repo.write("README", "changed\n");
        commit(&["README"]).expect(0);
        commit(&["sub/a.py"]).expect(1);
        repo.write("sub/a.py", "clean again\n");
        commit(&["--all"]).expect(0);
    }
    // The first commit of all may have none.
    let repo = Repo::new();
    hook(&repo, "pre-commit", "keysweep diff --staged");
    repo.git(&["commit", "--quiet", "--allow-empty", "-m", "Begin"]);
}

#[test]
fn an_index_that_is_missing_is_not_taken_for_an_empty_one() {
    let repo = based(&[]);
    repo.write("a.py", leak(1));
    repo.git(&["add", "."]);
    for index in ["elsewhere/index", ".git/next-index"] {
        let vars = [("GIT_INDEX_FILE", index)];
        let run = repo.dir.run_with(&["diff", "--staged"], &vars, b"");
        assert!(run.expect(2).stderr.contains(index));
    }
    let own = [("GIT_INDEX_FILE", ".git/index")];
    repo.dir
        .run_with(&["diff", "--staged"], &own, b"")
        .expect(1);
    let empty = Repo::new();
    empty
        .dir
        .run_with(&["diff", "--staged"], &own, b"")
        .expect(0);
}

/// The entries of the index as git itself lists them, with folders where the index has them.
fn listed(repo: &Repo) -> Vec<String> {
    let all = repo.git(&["ls-files", "--stage", "--sparse", "-z"]);
    let mut entries: Vec<String> = all.split_terminator('\0').map(str::to_owned).collect();
    entries.sort_unstable();
    entries
}

/// The same as keysweep reads them.
fn read(repo: &Repo) -> Vec<String> {
    let git_dir = repo.path().join(".git");
    let entries = index::read(&git_dir.join("index"), &git_dir).expect("an index");
    let entries = entries.iter().map(|entry| {
        let path = String::from_utf8_lossy(&entry.path);
        format!("{:06o} {} 0\t{path}", entry.mode, entry.id)
    });
    let mut entries: Vec<String> = entries.collect();
    entries.sort_unstable();
    entries
}

#[test]
fn every_form_of_an_index_is_read_as_git_reads_it() {
    let split: &[&[&str]] = &[
        &["config", "splitIndex.maxPercentChange", "100"],
        &["update-index", "--split-index"],
    ];
    let sparse: &[&[&str]] = &[&["sparse-checkout", "set", "--cone", "--sparse-index", "dir1"]];
    let forms: [(&[&[&str]], &[u8]); 6] = [
        (
            &[&["update-index", "--index-version", "2"]],
            b"DIRC\0\0\0\x02",
        ),
        (
            &[&["update-index", "--index-version", "4"]],
            b"DIRC\0\0\0\x04",
        ),
        (
            &[&["update-index", "--skip-worktree", "README"]],
            b"DIRC\0\0\0\x03",
        ),
        (&[&["config", "index.skipHash", "true"]], b"DIRC"),
        (split, b"link"),
        (sparse, b"sdir"),
    ];
    for (form, mark) in forms {
        let repo = based(&[]);
        for n in 0..150 {
            let name = "x".repeat(n % 9);
            repo.write(&format!("dir{}/{n}.py", n % 7), "clean\n");
            repo.write(&format!("dir1/gone/{n}{name}.py"), "clean\n");
        }
        repo.commit("Fill");
        form.iter().for_each(|args| drop(repo.git(args)));
        assert_eq!(read(&repo), listed(&repo), "{form:?}");
        // Of a split index, all that follows lies in the file of its own.
        repo.git(&["rm", "--quiet", "-r", "dir1/gone", "dir1/15.py"]);
        for (name, seed) in [("8", 1), ("new", 2), ("zz/new", 3), ("8", 4), ("148", 5)] {
            let name = format!("dir1/{name}.py");
            repo.write(&name, leak(seed));
            repo.git(&["add", &name]);
        }
        assert_eq!(read(&repo), listed(&repo), "{form:?}");
        let bytes = std::fs::read(repo.path().join(".git/index")).unwrap();
        assert!(
            bytes.windows(mark.len()).any(|part| part == mark),
            "{form:?}"
        );
        let found = findings(&repo, &["--staged"]);
        let changed = repo.git(&["diff", "--cached", "--name-only", "--diff-filter=AM"]);
        assert_eq!(paths(&found).join("\n"), changed, "{form:?}");
        repo.git(&["commit", "--quiet", "-m", "Change"]);
        repo.dir.run(&["diff", "--staged"]).expect(0);
    }
}

#[test]
fn what_stood_before_a_conflict_is_not_staged() {
    let repo = based(&[("a.py", &leak(1)), ("b.py", &leak(2))]);
    repo.git(&["checkout", "--quiet", "-b", "other"]);
    repo.write("a.py", leak(3));
    repo.save("b.py", leak(4));
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("a.py", leak(5));
    repo.git(&["rm", "--quiet", "b.py"]);
    repo.commit("Change");
    assert_eq!(
        repo.try_git(&["merge", "other"]).code,
        Some(1),
        "a conflict"
    );
    assert!(repo.git(&["ls-files", "--unmerged"]).contains(" 1\tb.py"));
    assert_eq!(findings(&repo, &["--staged"]), [Value::Null; 0]);
    // Of a commit that is picked, its own side is new.
    repo.git(&["merge", "--abort"]);
    assert_eq!(
        repo.try_git(&["cherry-pick", "other"]).code,
        Some(1),
        "a conflict"
    );
    let found = findings(&repo, &["--staged"]);
    let secrets: Vec<&str> = found.iter().filter_map(|f| f["secret"].as_str()).collect();
    assert_eq!(secrets, [token(3), token(4)]);
}

#[test]
fn folders_of_others_are_borrowed_from_as_by_git() {
    let mut repos = vec![based(&[])];
    repos[0].save("a.py", leak(1));
    let head = repos[0].git(&["rev-parse", "HEAD"]);
    for _ in 0..6 {
        let borrower = Repo::new();
        let from = repos.last().unwrap().path().join(".git/objects");
        let list = format!("/nowhere\n{}\n", from.display());
        borrower.write(".git/objects/info/alternates", list);
        repos.push(borrower);
    }
    let last = repos.last().unwrap();
    last.git(&["update-ref", "refs/heads/main", &head]);
    assert_eq!(paths(&findings(last, &["main~..main"])), ["a.py"]);
    // One more is too many for git, too.
    let borrower = Repo::new();
    let from = last.path().join(".git/objects").display().to_string();
    borrower.write(".git/objects/info/alternates", from);
    assert_eq!(borrower.try_git(&["cat-file", "-e", &head]).code, Some(1));
    let run = borrower.dir.run(&["diff", &head]).expect(2);
    assert!(run.stderr.contains("nested too deep"), "{}", run.stderr);
}

#[test]
fn a_partial_clone_says_what_to_do() {
    let origin = based(&[("a.py", "one\n")]);
    origin.save("a.py", "two\n");
    origin.save("a.py", "three\n");
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    for filter in ["blob:none", "tree:0"] {
        let clone = Repo::clone_of(&origin, &["--filter", filter]);
        let run = clone.dir.run(&["diff", "HEAD~2..HEAD"]).expect(2);
        assert!(
            run.stderr.contains("--refetch --no-filter"),
            "{}",
            run.stderr
        );
        clone.git(&["fetch", "--quiet", "--refetch", "--no-filter"]);
        clone.dir.run(&["diff", "HEAD~2..HEAD"]).expect(0);
    }
}

#[test]
fn an_index_that_is_damaged_is_an_error() {
    let repo = based(&[]);
    repo.git(&["config", "splitIndex.maxPercentChange", "100"]);
    repo.git(&["update-index", "--split-index"]);
    repo.write("a.py", leak(1));
    repo.git(&["add", "a.py"]);
    let git_dir = repo.path().join(".git");
    let file = git_dir.join("index");
    let whole = std::fs::read(&file).unwrap();
    let read = || index::read(&file, &git_dir);
    for cut in 0..whole.len() {
        std::fs::write(&file, &whole[..cut]).unwrap();
        assert!(read().is_err(), "cut at {cut}");
        // With no hash to tell, it is read as far as it goes.
        let rest = whole.len().saturating_sub(cut + 20);
        let changed = [&whole[..cut], &vec![0xff; rest], &[0; 20]].concat();
        std::fs::write(&file, changed).unwrap();
        let _ = read();
    }
    std::fs::write(&file, "no index at all, but long enough").unwrap();
    let run = repo.dir.run(&["diff", "--staged"]).expect(2);
    assert!(run.stderr.contains("not one of git's"), "{}", run.stderr);
    std::fs::write(&file, &whole).unwrap();
    let run = repo.dir.run(&["diff", "--unstaged"]).expect(2);
    assert!(run.stderr.contains("--no-split-index"), "{}", run.stderr);
}

/// A folder outside of a sparse checkout that is staged otherwise than HEAD has it.
#[test]
fn a_folder_of_a_sparse_index_is_looked_into() {
    let repo = based(&[("in/a.py", "clean\n"), ("out/deep/b.py", "clean\n")]);
    repo.save("out/deep/c.py", leak(1));
    repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    repo.dir.run(&["diff", "--staged"]).expect(0);
    repo.git(&["reset", "--quiet", "--soft", "HEAD^"]);
    assert_eq!(paths(&findings(&repo, &["--staged"])), ["out/deep/c.py"]);
}

/// What is only intended to be added has no content yet.
#[test]
fn what_is_intended_is_not_staged() {
    let repo = based(&[]);
    repo.write("a.py", leak(1));
    repo.git(&["add", "--intent-to-add", "a.py"]);
    repo.dir.run(&["diff", "--staged"]).expect(0);
    assert_eq!(paths(&findings(&repo, &["--unstaged"])), ["a.py"]);
}

#[cfg(unix)]
#[test]
fn unstaged_reads_what_git_would_store_under_any_name() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    let repo = based(&[("link", "a file\n"), ("gone.py", "x\n")]);
    let name = repo.path().join(std::ffi::OsStr::from_bytes(b"n\xff.py"));
    std::fs::write(&name, "clean\n").unwrap();
    repo.commit("Add");
    std::fs::write(&name, leak(1)).unwrap();
    let link = repo.path().join("link");
    std::fs::remove_file(&link).unwrap();
    symlink(format!("/srv/{}", token(2)), &link).unwrap();
    std::fs::remove_file(repo.path().join("gone.py")).unwrap();
    let found = findings(&repo, &["--unstaged"]);
    assert_eq!(paths(&found), ["link", "n<FF>.py"]);
    // A link that leads elsewhere than before.
    repo.commit("Store");
    std::fs::remove_file(&link).unwrap();
    symlink(token(3), &link).unwrap();
    let found = findings(&repo, &["--unstaged"]);
    assert_eq!(paths(&found), ["link"]);
}

#[test]
fn wide_text_is_read() {
    let repo = based(&[]);
    let wide: Vec<u8> = leak(1).encode_utf16().flat_map(u16::to_le_bytes).collect();
    repo.save("wide.txt", [&[0xff, 0xfe][..], &wide].concat());
    assert_eq!(paths(&findings(&repo, &["base..HEAD"])), ["wide.txt"]);
}

#[test]
fn github_gets_annotations_and_a_summary() {
    let repo = based(&[]);
    for n in 0..12 {
        repo.write(&format!("dir,{n}/a.py"), format!("x\n{}", leak(n)));
    }
    let head = repo.commit("Add");
    let base = repo.git(&["rev-parse", "base"]);
    let event = json!({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}});
    let folder = util::Dir::new();
    let event = folder.write("event.json", event.to_string());
    let summary = folder.path().join("summary.md");
    let vars = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_PATH", event.to_str().unwrap()),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    let run = repo.dir.run_with(&["ci"], &vars, b"").expect(1);
    let errors: Vec<&str> = run
        .stdout
        .lines()
        .filter(|l| l.starts_with("::error "))
        .collect();
    assert_eq!(errors.len(), 10, "{}", run.stdout);
    assert!(
        errors[0].contains("file=dir%2C0/a.py,line=2,endLine=2,col=10,"),
        "{}",
        errors[0]
    );
    assert!(run.stdout.contains("12 new secrets, 10 of them marked"));
    let summary = std::fs::read_to_string(summary).unwrap();
    assert_eq!(
        summary.lines().filter(|l| l.contains("a.py:2")).count(),
        12,
        "{summary}"
    );
    for n in 0..12 {
        assert_hides(&run, &token(n));
        assert!(!summary.contains(&token(n)[4..]));
    }
}

#[test]
fn azure_is_given_no_commands_by_names_of_a_repository() {
    let repo = based(&[]);
    let name = "##vso[task.complete result=Succeeded;]a.py";
    repo.write(name, leak(1));
    repo.git(&["add", "--all"]);
    let author = "##vso[task.complete] <ann@example.invalid>";
    repo.git(&["commit", "--quiet", "-m", "Add", "--author", author]);
    let azure = [("TF_BUILD", "True")];
    let commands = |run: &Run| {
        let text = format!("{}{}", run.stdout, run.stderr);
        text.matches("##vso[").count()
    };
    let args = ["ci", "--format", "human"];
    let run = repo.dir.run_with(&args, &azure, b"").expect(1);
    assert_eq!(commands(&run), 0, "{}", run.stdout);
    let run = repo.dir.run_with(&["ci"], &azure, b"").expect(1);
    assert_eq!(commands(&run), 2, "{}", run.stdout);
    // What cannot be read is named in the log too.
    let blob = repo.git(&["rev-parse", &format!("HEAD:{name}")]);
    let (folder, file) = blob.split_at(2);
    let object = format!(".git/objects/{folder}/{file}");
    std::fs::remove_file(repo.path().join(object)).unwrap();
    let run = repo.dir.run_with(&["ci"], &azure, b"").expect(2);
    assert!(run.stderr.contains("a.py"), "{}", run.stderr);
    assert_eq!(commands(&run), 1, "{}{}", run.stdout, run.stderr);
    let none = "keysweep: no new secrets in what could be read\n";
    assert!(run.stdout.ends_with(none), "{}", run.stdout);
}

#[test]
fn azure_and_gitlab_get_what_they_read() {
    let repo = based(&[]);
    let id = repo.save("a.py", leak(1));
    let azure = [("TF_BUILD", "True"), ("BUILD_REASON", "IndividualCI")];
    let run = repo.dir.run_with(&["ci"], &azure, b"").expect(1);
    assert!(
        run.stdout.starts_with(
            "##vso[task.logissue type=error;code=github-pat-classic;\
             sourcepath=a.py;linenumber=1;columnnumber=10;]"
        ),
        "{}",
        run.stdout
    );
    assert_hides(&run, &token(1));
    let base = repo.git(&["rev-parse", "base"]);
    let gitlab = [
        ("GITLAB_CI", "true"),
        ("CI_COMMIT_SHA", &*id),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &*base),
    ];
    let run = repo.dir.run_with(&["ci"], &gitlab, b"").expect(1);
    assert_hides(&run, &token(1));
    assert!(run.stdout.contains("a.py"));
    let file = repo.path().join("gl-secret-detection-report.json");
    let report = std::fs::read_to_string(file).unwrap();
    assert!(!report.contains(&token(1)[4..]));
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["scan"]["type"], "secret_detection");
    let found = &report["vulnerabilities"][0];
    assert_eq!(found["location"]["commit"]["sha"], json!(id));
    assert_eq!(found["location"]["start_line"], 1);
    assert_eq!(found["identifiers"][0]["value"], "github-pat-classic");
    assert_eq!(found["id"].as_str().unwrap().len(), 36);
}

/// A link by the name of the report may come with the merge request.
#[cfg(unix)]
#[test]
fn the_report_of_gitlab_is_not_written_through_a_link_that_nobody_named() {
    use std::os::unix::fs::symlink;
    let repo = based(&[("victim", "whole\n")]);
    let report = repo.path().join("gl-secret-detection-report.json");
    symlink("victim", &report).unwrap();
    let id = repo.save("a.py", leak(1));
    let base = repo.git(&["rev-parse", "base"]);
    let gitlab = [
        ("GITLAB_CI", "true"),
        ("CI_COMMIT_SHA", &*id),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &*base),
    ];
    repo.dir.run_with(&["ci"], &gitlab, b"").expect(1);
    let victim = std::fs::read_to_string(repo.path().join("victim")).unwrap();
    assert_eq!(victim, "whole\n");
    assert!(std::fs::symlink_metadata(&report).unwrap().is_file());
    // Whoever names one means what it leads to.
    symlink("victim", repo.path().join("named")).unwrap();
    let named = ["ci", "--output", "named"];
    repo.dir.run_with(&named, &gitlab, b"").expect(1);
    let victim = std::fs::read_to_string(repo.path().join("victim")).unwrap();
    assert!(victim.contains("secret_detection"), "{victim}");
}

#[test]
fn files_kept_by_lfs_are_named() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n";
    let repo = based(&[("old.bin", &pointer.replace("4d", "4e"))]);
    repo.write("model.bin", pointer);
    repo.write("near.bin", "version https://git-lfs.github.com/spec/v9\n");
    repo.git(&["add", "--all"]);
    let told = |args: &[&str]| {
        let run = repo
            .dir
            .run(&[args, &["--format", "json"]].concat())
            .expect(0);
        let named: Vec<&str> = run
            .stderr
            .lines()
            .filter(|line| line.contains("Git LFS"))
            .collect();
        assert!(
            matches!(named[..], [line] if line.contains("model.bin: kept by")),
            "{}",
            run.stderr
        );
        let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let listed = &report["coverage"]["left_out"]["lfs"];
        assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
        assert_eq!(listed[0]["path"], "model.bin");
    };
    told(&["diff", "--staged"]);
    repo.commit("Add");
    told(&["diff", "base"]);
}

/// The line to which a report points is clean by then.
#[test]
fn what_only_an_older_commit_has_is_said_to_be_there() {
    let repo = based(&[]);
    let id = repo.save("a.py", leak(1));
    repo.save("a.py", "clean\n");
    repo.save("b.py", leak(2));
    let (short, past) = (&id[..10], "no longer in the newest");
    let told = format!("in commit {short}, {past}");
    for format in ["github", "azure", "gitlab", "sarif"] {
        let run = repo
            .dir
            .run(&["diff", "base", "--format", format])
            .expect(1);
        assert_eq!(run.stdout.matches(past).count(), 1, "{}", run.stdout);
        assert!(run.stdout.contains(&told), "{}", run.stdout);
    }
    let folder = util::Dir::new();
    let summary = folder.path().join("summary.md");
    let base = repo.git(&["rev-parse", "base"]);
    let head = repo.git(&["rev-parse", "HEAD"]);
    let event = json!({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}});
    let event = folder.write("event.json", event.to_string());
    let vars = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_PATH", event.to_str().unwrap()),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    repo.dir.run_with(&["ci"], &vars, b"").expect(1);
    let summary = std::fs::read_to_string(summary).unwrap();
    assert!(summary.contains(&format!("{short}, {past}")), "{summary}");
    assert_eq!(summary.matches(past).count(), 1, "{summary}");
}

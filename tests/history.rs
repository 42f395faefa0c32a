//! `keysweep history` on real repositories made by the real git.

mod util;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use util::git::{Repo, git};
use util::{Run, github_token, keysweep, made, made_with};

/// A token of its own for each seed.
fn token(seed: u64) -> String {
    made_with("ghp_{b62:30}{crc-base62}", seed)
}

fn assigned(secret: &str) -> String {
    format!("token = \"{secret}\"\n")
}

fn sweep(repo: &Repo, args: &[&str]) -> Run {
    let all = ["history", "--format", "jsonl", "--show-secrets"];
    repo.dir.run(&[&all[..], args].concat())
}

/// The findings of a sweep that has to end with these.
fn found(repo: &Repo) -> Vec<Value> {
    sweep(repo, &[]).expect(1).json_lines()
}

/// The one finding of a secret.
fn only<'f>(findings: &'f [Value], secret: &str) -> &'f Value {
    let mut hits = findings.iter().filter(|f| f["secret"] == secret);
    let hit = hits
        .next()
        .unwrap_or_else(|| panic!("the secret is found: {findings:#?}"));
    assert!(hits.next().is_none(), "once: {findings:#?}");
    hit
}

fn strings(value: &Value) -> Vec<&str> {
    let list = value.as_array().expect("a list").iter();
    list.map(|v| v.as_str().expect("text")).collect()
}

#[test]
fn a_secret_that_was_deleted_is_found_with_its_commits() {
    let repo = Repo::new();
    let secret = github_token();
    repo.save("README.md", "Hello\n");
    let first = repo.save(
        "app/settings.py",
        format!("import os\n{}", assigned(&secret)),
    );
    let last = repo.save("app/other.py", "pass\n");
    repo.save("app/settings.py", "import os\n");
    let findings = found(&repo);
    let hit = only(&findings, &secret);
    assert_eq!(hit["path"], "app/settings.py");
    assert_eq!(hit["line"], 2);
    assert_eq!(hit["commit"], *first);
    assert_eq!(hit["last_commit"], *last);
    assert_eq!(hit["state"], "history");
    assert_eq!(hit["author"], "Ann Author <ann@example.invalid>");
    assert_eq!(hit["part"], "file");
    let blob = repo.git(&["rev-parse", &format!("{first}:app/settings.py")]);
    assert_eq!(hit["blob"], *blob);
}

#[test]
fn what_is_still_there_names_the_references_that_have_it() {
    let repo = Repo::new();
    let (here, gone) = (token(1), token(2));
    repo.save("a.py", assigned(&here));
    repo.save("b.py", assigned(&gone));
    repo.git(&["tag", "v1"]);
    repo.git(&["rm", "--quiet", "b.py"]);
    repo.commit("Drop b");
    let findings = found(&repo);
    assert_eq!(only(&findings, &here)["state"], "head");
    let refs = strings(&only(&findings, &here)["refs"]).join(" ");
    assert_eq!(refs, "refs/heads/main refs/tags/v1");
    assert_eq!(only(&findings, &gone)["state"], "ref");
    assert_eq!(strings(&only(&findings, &gone)["refs"]), ["refs/tags/v1"]);
}

#[test]
fn every_path_of_a_secret_is_listed_in_one_group() {
    let repo = Repo::new();
    let secret = github_token();
    repo.save("old/name.py", assigned(&secret));
    repo.git(&["mv", "old/name.py", "new name é.py"]);
    repo.commit("Move");
    repo.save("copy.txt", format!("# copy\n\n{}", assigned(&secret)));
    let findings = found(&repo);
    let paths: Vec<&str> = findings.iter().filter_map(|f| f["path"].as_str()).collect();
    assert_eq!(paths, ["copy.txt", "new name é.py", "old/name.py"]);
    assert!(findings.iter().all(|f| f["group"] == findings[0]["group"]));
    assert_eq!(findings[0]["line"], 3);
    let shown = repo.dir.run(&["history"]).expect(1).stdout;
    assert!(shown.contains("GitHub"), "{shown}");
    assert!(!shown.contains(&secret), "{shown}");
    assert!(shown.contains("1 secret found in 3 places (3 "), "{shown}");
    assert!(
        shown.contains("old/name.py") && shown.contains("copy.txt"),
        "{shown}"
    );
}

#[test]
fn branches_pull_requests_notes_and_stashes_are_looked_at() {
    let repo = Repo::new();
    repo.save("README.md", "Hello\n");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.save("side.py", assigned(&token(1)));
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["checkout", "--quiet", "-b", "pull"]);
    let pull = repo.save("pull.py", assigned(&token(2)));
    repo.git(&["update-ref", "refs/pull/7/head", &pull]);
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["branch", "--quiet", "-D", "pull"]);
    repo.git(&["notes", "add", "-m", &assigned(&token(3)), "HEAD"]);
    repo.write("README.md", assigned(&token(4)));
    repo.git(&["stash"]);
    let findings = found(&repo);
    for (seed, reference) in [
        (1, "refs/heads/side"),
        (2, "refs/pull/7/head"),
        (3, "refs/notes/commits"),
        (4, "refs/stash"),
    ] {
        let hit = only(&findings, &token(seed));
        assert_eq!(strings(&hit["refs"]), [reference], "{hit:#}");
        assert_eq!(hit["state"], "ref");
    }
}

#[test]
fn what_only_the_reflog_or_nothing_leads_to_is_named_as_such() {
    let repo = Repo::new();
    repo.save("README.md", "Hello\n");
    repo.save("a.py", assigned(&token(1)));
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    repo.write("b.py", assigned(&token(2)));
    repo.git(&["hash-object", "-w", "b.py"]);
    // In a tree that no commit has.
    repo.write("c.py", assigned(&token(3)));
    repo.git(&["add", "c.py"]);
    repo.git(&["write-tree"]);
    let findings = found(&repo);
    assert_eq!(only(&findings, &token(3))["state"], "dangling");
    assert_eq!(only(&findings, &token(1))["state"], "reflog");
    assert_eq!(only(&findings, &token(1))["path"], "a.py");
    assert_eq!(only(&findings, &token(2))["state"], "dangling");
    sweep(&repo, &["--reachable-only"]).expect(0);
}

/// A tag that is moved is in no reference any more.
#[test]
fn a_reflog_leads_through_tags_and_to_blobs() {
    let repo = Repo::new();
    repo.save("README.md", "Hello\n");
    repo.save("a.py", assigned(&token(1)));
    repo.write("b.py", assigned(&token(2)));
    let blob = repo.git(&["hash-object", "-w", "b.py"]);
    fs::remove_file(repo.path().join("b.py")).expect("it was there");
    let tag = |name: &str, args: &[&str]| {
        let create = ["-c", "core.logAllRefUpdates=always", "tag", "-f", name];
        repo.git(&[&create[..], args].concat());
    };
    tag("v1", &["-a", "-m", &format!("uses {}", token(3))]);
    tag("v2", &[&blob]);
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    repo.git(&["reflog", "expire", "--expire=now", "HEAD", "main"]);
    tag("v1", &[]);
    tag("v2", &[]);
    for naive in [&[][..], &["--naive"]] {
        let findings = sweep(&repo, naive).expect(1).json_lines();
        for seed in 1..=3 {
            assert_eq!(only(&findings, &token(seed))["state"], "reflog", "{seed}");
        }
    }
    sweep(&repo, &["--reachable-only"]).expect(0);
}

/// The fields of a finding that say who leads to it.
fn led(finding: &Value) -> (&str, &str, Vec<&str>) {
    let text = |field: &str| finding[field].as_str().expect("text");
    (text("path"), text("state"), strings(&finding["refs"]))
}

#[test]
fn references_lead_to_trees_and_blobs_and_through_tags_of_tags() {
    let repo = Repo::new();
    repo.save("README.md", "Hello\n");
    repo.write("d/f.py", assigned(&token(1)));
    repo.git(&["add", "d/f.py"]);
    let tree = repo.git(&["write-tree"]);
    repo.git(&["reset", "--quiet", "--hard"]);
    repo.git(&["update-ref", "refs/trees/x", &tree]);
    repo.git(&["tag", "-a", "tree", "-m", "a tree", &tree]);
    repo.write("b.py", assigned(&token(2)));
    let blob = repo.git(&["hash-object", "-w", "b.py"]);
    repo.git(&["tag", "blob", &blob]);
    fs::remove_file(repo.path().join("b.py")).expect("it was there");
    // It is in a commit as well, to which nothing leads.
    repo.save("c.py", assigned(&token(3)));
    repo.git(&["tag", "-a", "file", "-m", "a file", "HEAD:c.py"]);
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    repo.git(&["tag", "-a", "inner", "-m", &format!("uses {}", token(4))]);
    let nested = [
        "-c",
        "advice.nestedTag=false",
        "tag",
        "-a",
        "outer",
        "-m",
        "o",
    ];
    repo.git(&[&nested[..], &["inner"]].concat());
    repo.git(&["tag", "-d", "inner"]);
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    for naive in [&[][..], &["--naive"]] {
        let args = [&["--reachable-only"], naive].concat();
        let findings = sweep(&repo, &args).expect(1).json_lines();
        let led = |seed| led(only(&findings, &token(seed)));
        let both = vec!["refs/tags/tree", "refs/trees/x"];
        assert_eq!(led(1), ("d/f.py", "ref", both));
        assert_eq!(led(2), (&*blob, "ref", vec!["refs/tags/blob"]));
        assert_eq!(led(3), ("c.py", "ref", vec!["refs/tags/file"]));
        assert_eq!(led(4), ("tag message", "ref", vec!["refs/tags/outer"]));
        assert_eq!(findings.len(), 4, "{findings:#?}");
    }
}

/// Breaks what leads to a secret; the sweep has to say so and to know no better than before.
fn assert_told(what: &str, state: &str, break_it: impl Fn(&Repo)) {
    let repo = Repo::new();
    repo.save("a.py", assigned(&token(1)));
    break_it(&repo);
    let run = sweep(&repo, &["--reachable-only"]).expect(2);
    assert!(run.stderr.contains(what), "{what}: {}", run.stderr);
    assert_eq!(only(&run.json_lines(), &token(1))["state"], state, "{what}");
}

#[test]
fn references_that_cannot_be_read_are_told_and_nothing_is_concluded_from_them() {
    let main = ".git/refs/heads/main";
    let told = "reference refs/heads/main: ";
    let missing = "0123456789abcdef0123456789abcdef01234567";
    for text in [
        "",
        &missing[..30],
        "garbage\n",
        "ref: refs/heads/main\n",
        missing,
    ] {
        assert_told(told, "unknown", |repo| {
            repo.write(main, text);
        });
    }
    for text in ["", "garbage\n", missing, "ref: HEAD\n"] {
        // The branch still leads to it.
        assert_told("reference HEAD: ", "ref", |repo| {
            repo.write(".git/HEAD", text);
        });
    }
    assert_told("packed-refs: broken: line 1", "unknown", |repo| {
        repo.git(&["pack-refs", "--all"]);
        repo.write(".git/packed-refs", "0123 refs/heads/main\n");
    });
}

#[test]
fn one_broken_line_of_packed_references_leaves_the_others() {
    assert_told("packed-refs: broken: line 1", "head", |repo| {
        repo.git(&["pack-refs", "--all"]);
        let packed = repo.path().join(".git/packed-refs");
        let text = fs::read_to_string(packed).expect("packed");
        repo.write(".git/packed-refs", format!("0123 refs/tags/v1\n{text}"));
    });
}

#[cfg(unix)]
#[test]
fn folders_and_logs_that_cannot_be_read_are_told() {
    use std::os::unix::fs::symlink;
    // Whoever tests may be allowed to read everything, but nobody follows a link to itself.
    let spoil = |repo: &Repo, name: &str| {
        let path = repo.path().join(name);
        let _ = fs::remove_dir_all(&path);
        let _ = fs::remove_file(&path);
        symlink(&path, &path).expect("a link");
    };
    assert_told("refs/heads: ", "unknown", |repo| {
        spoil(repo, ".git/refs/heads")
    });
    assert_told("logs/HEAD: ", "head", |repo| spoil(repo, ".git/logs/HEAD"));
}

#[test]
fn references_to_what_was_pruned_or_never_committed_are_no_fault() {
    let repo = Repo::new();
    let symbolic = ["symbolic-ref", "refs/remotes/origin/HEAD"];
    repo.git(&[&symbolic[..], &["refs/remotes/origin/gone"]].concat());
    repo.write(".git/refs/heads/other.lock", "");
    sweep(&repo, &[]).expect(0);
    repo.save("a.py", assigned(&token(1)));
    repo.git(&["checkout", "--quiet", "--orphan", "empty"]);
    assert_eq!(only(&found(&repo), &token(1))["state"], "ref");
}

#[test]
fn linked_worktrees_lead_to_what_they_have() {
    let repo = Repo::new();
    repo.save("README.md", "Hello\n");
    let linked = util::Dir::new();
    let at = |name: &str| linked.path().join(name).display().to_string();
    for name in ["one", "two"] {
        repo.git(&["worktree", "add", "--quiet", "-b", name, &at(name)]);
    }
    let in_tree = |name: &str, args: &[&str]| {
        let path = at(name);
        repo.git(&[&["-C", &path], args].concat())
    };
    let save = |name: &str, file: &str, seed: u64| {
        linked.write(&format!("{name}/{file}"), assigned(&token(seed)));
        in_tree(name, &["add", "--all"]);
        in_tree(name, &["commit", "--quiet", "-m", file]);
        in_tree(name, &["rev-parse", "HEAD"])
    };
    let back = |name: &str| in_tree(name, &["reset", "--quiet", "--hard", "HEAD~1"]);
    save("one", "logged.py", 1);
    back("one");
    let bad = save("one", "bad.py", 2);
    back("one");
    in_tree("one", &["update-ref", "refs/bisect/bad", &bad]);
    in_tree("one", &["checkout", "--quiet", "--detach"]);
    save("one", "detached.py", 3);
    fs::remove_file(repo.path().join(".git/logs/refs/heads/one")).expect("a log");
    fs::remove_dir_all(linked.path().join("one")).expect("the folder");
    // The main worktree has something of its own too, seen from the second.
    repo.git(&["checkout", "--quiet", "--detach"]);
    repo.save("main.py", assigned(&token(4)));
    let run = linked.run(&["history", "--format", "jsonl", "--show-secrets", &at("two")]);
    let findings = run.expect(1).json_lines();
    let led = |seed| led(only(&findings, &token(seed)));
    assert_eq!(led(1), ("logged.py", "reflog", vec![]));
    assert_eq!(
        led(2),
        ("bad.py", "ref", vec!["worktrees/one/refs/bisect/bad"])
    );
    assert_eq!(led(3), ("detached.py", "ref", vec!["worktrees/one/HEAD"]));
    assert_eq!(led(4), ("main.py", "ref", vec!["main-worktree/HEAD"]));
    let findings = found(&repo);
    assert_eq!(only(&findings, &token(4))["state"], "head");
    assert_eq!(only(&findings, &token(3))["state"], "ref");
}

#[test]
fn a_partial_clone_is_whole_when_the_rest_was_fetched() {
    let repo = Repo::new();
    repo.save("a.py", assigned(&token(1)));
    repo.save("a.py", "pass\n");
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let filter = ["--filter=blob:none", "--no-checkout"];
    let partial = Repo::clone_of(&repo, &filter);
    let run = sweep(&partial, &[]).expect(2);
    assert!(
        run.stderr.contains("--refetch --no-filter"),
        "{}",
        run.stderr
    );
    partial.git(&["fetch", "--quiet", "--refetch", "--no-filter"]);
    assert_eq!(only(&found(&partial), &token(1))["state"], "history");
}

#[test]
fn a_merge_that_brings_in_a_secret_of_its_own_is_the_first_commit() {
    let repo = Repo::new();
    repo.save("a.py", "one\n");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.save("b.py", "two\n");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.save("c.py", "three\n");
    repo.git(&["merge", "--quiet", "--no-commit", "--no-ff", "side"]);
    let merge = repo.save("a.py", assigned(&token(1)));
    let findings = found(&repo);
    assert_eq!(only(&findings, &token(1))["commit"], *merge);
}

#[test]
fn words_and_names_are_looked_at_and_not_shown() {
    let repo = Repo::new();
    repo.save("README.md", "Hello\n");
    let said = repo.commit(&format!("Try it\n\nwith {}\n", token(1)));
    repo.git(&["tag", "-a", "v1", "-m", &format!("uses {}", token(2))]);
    repo.write(&format!("dir/{}.txt", token(3)), "nothing\n");
    repo.commit("Add a file");
    repo.git(&["branch", &format!("try-{}", token(4))]);
    let findings = found(&repo);
    let hit = only(&findings, &token(1));
    assert_eq!(
        (&hit["part"], &hit["commit"]),
        (&Value::from("commit"), &Value::from(said))
    );
    assert_eq!(hit["line"], 3);
    assert_eq!(only(&findings, &token(2))["part"], "tag");
    let named = only(&findings, &token(3));
    assert_eq!(named["part"], "file_name");
    assert!(named["commit"].is_string());
    assert_eq!(only(&findings, &token(4))["part"], "ref_name");
    for format in ["human", "json", "sarif"] {
        let run = repo.dir.run(&["history", "--format", format]).expect(1);
        for seed in 1..=4 {
            let shown = format!("{}{}", run.stdout, run.stderr);
            assert!(!shown.contains(&token(seed)), "{format}: {shown}");
        }
    }
}

/// Such a file is no text; words always are.
#[test]
fn words_that_begin_like_a_picture_are_read() {
    let repo = Repo::new();
    let picture = |seed| format!("GIF89a\u{1}\u{2} {}", token(seed));
    repo.save("README.md", "Hello\n");
    repo.say(&picture(1));
    repo.write("words", picture(2));
    repo.git(&["tag", "-a", "--cleanup=verbatim", "-F", "words", "v1"]);
    // One that is read in windows.
    let long = format!("{}\n{}", picture(3), "all is well here\n".repeat(1_000_000));
    repo.write("words", long);
    repo.git(&[
        "commit",
        "--quiet",
        "--allow-empty",
        "--cleanup=verbatim",
        "-F",
        "words",
    ]);
    let findings = found(&repo);
    for (seed, part) in [(1, "commit"), (2, "tag"), (3, "commit")] {
        assert_eq!(only(&findings, &token(seed))["part"], part);
    }
    let range = [
        "diff",
        "HEAD~1..HEAD",
        "--format",
        "jsonl",
        "--show-secrets",
    ];
    let findings = repo.dir.run(&range).expect(1).json_lines();
    assert_eq!(only(&findings, &token(3))["part"], "commit");
}

#[test]
fn attributes_and_configuration_hide_nothing() {
    let repo = Repo::new();
    repo.write(".gitattributes", "* -diff -text binary\n*.py filter=evil\n");
    repo.git(&["config", "filter.evil.smudge", "touch smudged"]);
    repo.git(&["config", "core.fsmonitor", "touch monitored"]);
    repo.write("a.py", assigned(&token(1)));
    repo.git(&["-c", "core.fsmonitor=false", "add", "--all"]);
    repo.git(&["-c", "core.fsmonitor=false", "commit", "--quiet", "-m", "x"]);
    let findings = found(&repo);
    assert_eq!(only(&findings, &token(1))["path"], "a.py");
    assert!(!repo.path().join("smudged").exists() && !repo.path().join("monitored").exists());
}

#[test]
fn packed_bare_and_borrowed_objects_are_all_read() {
    let repo = Repo::new();
    for n in 0..6 {
        repo.save(
            "a.py",
            format!(
                "{}\n{}",
                "x = 1\n".repeat(40 * n),
                assigned(&token(n as u64))
            ),
        );
    }
    repo.git(&["repack", "-q", "-a", "-d", "-f"]);
    let bare = Repo::clone_of(&repo, &["--bare"]);
    assert_eq!(found(&bare).len(), 6);
    let borrower = Repo::bare();
    let list = borrower.path().join("objects/info/alternates");
    fs::write(list, repo.path().join(".git/objects").display().to_string()).expect("alternates");
    borrower.git(&[
        "update-ref",
        "refs/heads/main",
        &repo.git(&["rev-parse", "HEAD"]),
    ]);
    assert_eq!(found(&borrower).len(), 6);
    let tree = repo.dir.path().join("linked");
    repo.git(&["worktree", "add", "--quiet", "-b", "linked", "linked"]);
    let linked = repo
        .dir
        .run(&["history", "--format", "jsonl", &tree.display().to_string()]);
    assert_eq!(linked.expect(1).json_lines().len(), 6);
}

/// What a rule matches may hang on what it matched before, and that on more before.
#[test]
fn a_secret_that_hangs_on_matches_far_before_is_shown() {
    let repo = Repo::new();
    let pair = made("tokk{b62:20}\ntokk{b62:20}");
    let rule = r#"
provider = "Example"
[[rule]]
id = "pair"
title = "Pair of tokens"
severity = "high"
kind = "anchored"
keywords = ["tokk"]
regex = '[\n-]{0,20}(?P<secret>tokk[0-9A-Za-z]{20}\ntokk[0-9A-Za-z]{20})'
min_entropy = 3.5
grants = "access"
rotate = ["the console"]
vault_name = "pair"
references = []
[[rule.example]]
text = '{s}'
secret = "tokk{b62:20}\ntokk{b62:20}"
"#;
    repo.dir.write("pair.toml", rule);
    let dull = "tokk00000000000000000000\n".repeat(110);
    let rest = "some plain text, no more than that\n".repeat(1000);
    repo.save("notes.txt", format!("-- start\n{dull}{pair}\n{rest}"));
    let quick = sweep(&repo, &["--rules", "pair.toml"]).expect(1);
    let naive = sweep(&repo, &["--rules", "pair.toml", "--naive"]).expect(1);
    assert_eq!(only(&quick.json_lines(), &pair)["rule"], "pair");
    assert_eq!(quick.stdout, naive.stdout);
}

#[test]
fn naive_and_quick_sweeps_report_the_same() {
    let repo = Repo::new();
    for n in 0..12_u64 {
        let text = format!(
            "{}{}{}",
            "a = 1\n".repeat(30),
            assigned(&token(n / 3)),
            "b = 2\n".repeat(n as usize)
        );
        repo.save("a.py", text);
        repo.save(&format!("b{n}.py"), assigned(&token(n)));
    }
    repo.git(&["repack", "-q", "-a", "-d", "-f"]);
    let quick = sweep(&repo, &[]).expect(1).stdout;
    let naive = sweep(&repo, &["--naive"]).expect(1).stdout;
    assert_eq!(quick, naive);
    let one = sweep(&repo, &["--threads", "1"]).expect(1).stdout;
    assert_eq!(quick, one);
}

#[test]
fn a_broken_object_is_reported_and_the_rest_scanned() {
    let repo = Repo::new();
    repo.save("a.py", assigned(&token(1)));
    repo.save("b.py", "fine\n");
    let blob = repo.git(&["rev-parse", "HEAD:b.py"]);
    let file = repo
        .path()
        .join(".git/objects")
        .join(&blob[..2])
        .join(&blob[2..]);
    fs::remove_file(&file).expect("it was there");
    fs::write(&file, b"garbage").expect("written");
    let run = sweep(&repo, &[]).expect(2);
    assert!(run.stderr.contains(&blob), "{}", run.stderr);
    only(&run.json_lines(), &token(1));
}

/// Bytes that are no text and that no pack can shrink.
fn noise() -> Vec<u8> {
    let words = 0..20_000_u32;
    words
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes())
        .collect()
}

/// Packs a repository and changes bytes of the pack.
fn break_pack(repo: &Repo, change: impl FnOnce(&mut [u8])) {
    repo.git(&["repack", "-q", "-a", "-d"]);
    let packs = fs::read_dir(repo.path().join(".git/objects/pack")).expect("packs");
    let pack = packs
        .flatten()
        .map(|e| e.path())
        .find(|p| p.extension().is_some_and(|e| e == "pack"));
    let pack = pack.expect("a pack");
    let mut bytes = fs::read(&pack).expect("read");
    change(&mut bytes);
    fs::remove_file(&pack).expect("removed");
    fs::write(&pack, bytes).expect("written");
}

/// Makes the middle of a pack no data.
fn spoil(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xAA);
}

#[test]
fn a_broken_pack_entry_is_reported_and_the_rest_scanned() {
    let repo = Repo::new();
    repo.save("a.py", assigned(&token(1)));
    repo.save("b.bin", noise());
    break_pack(&repo, spoil);
    let run = sweep(&repo, &[]).expect(2);
    let blob = repo.git(&["rev-parse", "HEAD:b.bin"]);
    assert!(run.stderr.contains(&blob), "{}", run.stderr);
    only(&run.json_lines(), &token(1));
}

#[test]
fn a_pack_entry_of_another_size_than_it_says_is_reported() {
    for said in [39, 41] {
        let repo = Repo::new();
        repo.save("a.py", assigned(&token(1)));
        repo.save("b.txt", "forty bytes of a text, no more, no less.");
        let blob = repo.git(&["rev-parse", "HEAD:b.txt"]);
        repo.git(&["repack", "-q", "-a", "-d"]);
        let index = fs::read_dir(repo.path().join(".git/objects/pack")).expect("packs");
        let mut index = index.flatten().map(|entry| entry.path());
        let index = index.find(|path| path.extension().is_some_and(|end| end == "idx"));
        let index = index.expect("an index").to_string_lossy().into_owned();
        let listed = repo.git(&["verify-pack", "-v", &index]);
        let line = listed.lines().find(|line| line.starts_with(&blob));
        let at = line.and_then(|line| line.split_whitespace().last());
        let at: usize = at.expect("its offset").parse().expect("a number");
        break_pack(&repo, |bytes| {
            assert_eq!(bytes[at] & 0xF, 40 & 0xF, "the lowest bits of the size");
            bytes[at] = bytes[at] & 0xF0 | said & 0xF;
        });
        let run = sweep(&repo, &[]).expect(2);
        assert!(run.stderr.contains(&blob), "{said}: {}", run.stderr);
        only(&run.json_lines(), &token(1));
    }
}

/// Which rule names a value is one thing, whether it is still there another.
#[test]
fn a_value_under_another_name_is_as_alive_as_before() {
    let repo = Repo::new();
    let secret = made("{hex:32}");
    let first = repo.save("app.py", format!("ALGOLIA_API_KEY = \"{secret}\"\n"));
    let last = repo.save("app.py", format!("SEARCH_API_KEY = \"{secret}\"\n"));
    for naive in [&[][..], &["--naive"]] {
        let findings = sweep(&repo, naive).expect(1).json_lines();
        let hit = only(&findings, &secret);
        assert_eq!(hit["rule"], "algolia-key");
        assert_eq!(hit["state"], "head");
        assert_eq!(hit["commit"], *first);
        assert_eq!(hit["last_commit"], *last);
        assert_eq!(strings(&hit["refs"]), ["refs/heads/main"]);
    }
}

/// In the first version a finding that says more has the bytes of the secret, in the last it stands alone.
#[test]
fn a_secret_that_another_covers_at_first_is_shown_where_it_stands_alone() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let repo = Repo::new();
    let secret = made("{hex:32}");
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({"alg": "HS256", "typ": "JWT"}));
    let claims = part(json!({"sub": "svc", "exp": 1_500_003_600, "client_secret": secret}));
    let signature = made("{b62:43}");
    let token = format!("token = \"{head}.{claims}.{signature}\"\n");
    repo.save("app.py", &token);
    repo.save("app.py", format!("# a line more\n{token}"));
    let plain = repo.save("app.py", format!("client_secret = \"{secret}\"\n"));
    for naive in [&[][..], &["--naive"]] {
        let findings = sweep(&repo, naive).expect(1).json_lines();
        let hit = only(&findings, &secret);
        assert_eq!((&hit["state"], &hit["line"]), (&json!("head"), &json!(1)));
        assert_eq!(hit["commit"], *plain);
        let blob = repo.git(&["rev-parse", "HEAD:app.py"]);
        assert_eq!(hit["blob"], *blob);
    }
}

/// Spells a value under one of several names, alone or within what another rule takes for a secret.
fn spelled(value: &str, rng: &mut fastrand::Rng) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let token = || {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let (head, claims) = (json!({"alg": "HS256"}), json!({"client_secret": value}));
        format!(
            "{}.{}.{}",
            part(head),
            part(claims),
            "c2lnbmF0dXJl".repeat(3)
        )
    };
    let (left, right) = value.split_at(value.len() / 2);
    match rng.u8(..9) {
        0 => format!("ALGOLIA_API_KEY = \"{value}\""),
        1 => format!("SEARCH_API_KEY = \"{value}\""),
        2 => format!("client_secret = '{value}'"),
        3 => format!("datadog_api_key: {value}"),
        4 => format!("password = \"{left}\" + \"{right}\""),
        5 => format!("token = \"{}\"", token()),
        6 => format!("url = \"https://me:{value}@db.example.org/\""),
        7 => format!(
            "token: {}",
            STANDARD.encode(format!("client_secret = {value}"))
        ),
        _ => format!("headers = {{\"Authorization\": \"Bearer {value}\"}}"),
    }
}

#[test]
fn what_a_scan_finds_in_the_newest_files_is_alive_in_the_history() {
    for seed in 0..24 {
        let repo = Repo::new();
        let mut rng = fastrand::Rng::with_seed(seed);
        let values: Vec<String> = (0..3)
            .map(|nth| made_with("{hex:32}", 9 * seed + nth))
            .collect();
        for version in 0..rng.usize(2..6) {
            let lines =
                (0..rng.usize(1..4)).map(|_| spelled(&values[rng.usize(..values.len())], &mut rng));
            let lines: Vec<String> = lines.collect();
            repo.save("app.py", format!("# {version}\n{}\n", lines.join("\n")));
        }
        let scan = repo
            .dir
            .run(&["scan", "--format", "jsonl", "--show-secrets"])
            .json_lines();
        let history = sweep(&repo, &[]).json_lines();
        for here in &scan {
            let same =
                |there: &&Value| there["secret"] == here["secret"] && there["part"] == "file";
            let states: Vec<&Value> = history.iter().filter(same).map(|f| &f["state"]).collect();
            assert!(!states.is_empty(), "seed {seed}: {here:#}");
            assert!(
                states.iter().all(|state| **state == "head"),
                "seed {seed}: {states:?} {here:#}"
            );
        }
        let naive = sweep(&repo, &["--naive"]).json_lines();
        assert_eq!(naive, history, "seed {seed}");
    }
}

/// A crash leaves an empty file of an object that a pack has.
#[test]
fn words_in_a_pack_are_told_though_a_file_of_them_is_broken() {
    let repo = Repo::new();
    let secret = token(1);
    repo.write("a.txt", "a\n");
    repo.git(&["add", "a.txt"]);
    let commit = repo.commit(&format!("fix: used {secret}"));
    repo.git(&["repack", "-adq"]);
    let folder = repo.path().join(".git/objects").join(&commit[..2]);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(&commit[2..]), "").expect("a file");
    for naive in [&[][..], &["--naive"]] {
        let findings = sweep(&repo, naive).expect(1).json_lines();
        let hit = only(&findings, &secret);
        assert_eq!(hit["part"], "commit");
        assert_eq!(hit["author"], "Ann Author <ann@example.invalid>");
    }
}

/// libgit2 takes paths in UTF-8 only.
#[cfg(unix)]
#[test]
fn a_repository_whose_path_is_not_utf_8_is_read() {
    use std::os::unix::ffi::OsStrExt;
    let parent = Repo::new();
    let secret = token(1);
    let path = parent.path().join(std::ffi::OsStr::from_bytes(b"r-\xe9"));
    let run = |args: &[&str]| {
        let run = git(&path).args(args).output().expect("git runs");
        assert!(run.status.success(), "git {args:?}");
    };
    fs::create_dir(&path).expect("a folder");
    run(&["init", "-q"]);
    run(&[
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        &format!("leak {secret}"),
    ]);
    run(&["repack", "-adq"]);
    let args = ["history", "--format", "jsonl", "--show-secrets"];
    let run = Run::from(keysweep(&path, &args).output().expect("it runs")).expect(1);
    assert!(run.stdout.contains(&secret), "{}", run.stdout);
}

#[test]
fn secrets_of_one_place_have_the_same_numbers_in_each_run() {
    let repo = Repo::new();
    let passwords: Vec<String> = (0..8).map(|seed| made_with("{b62:12}!x7", seed)).collect();
    for password in &passwords {
        repo.save("settings.py", format!("password = \"{password}\"\n"));
    }
    let first = sweep(&repo, &[]).expect(1);
    let groups = first.json_lines().len();
    assert_eq!(groups, passwords.len(), "{}", first.stdout);
    assert_eq!(first.stdout, sweep(&repo, &[]).expect(1).stdout);
    assert_eq!(first.stdout, sweep(&repo, &["--naive"]).expect(1).stdout);
}

#[test]
fn a_secret_that_is_shown_elsewhere_is_hidden_beside_another() {
    let repo = Repo::new();
    let (old, new) = (token(1), token(2));
    repo.save("a.py", format!("pair = [\"{old}\"]\n"));
    repo.save("a.py", format!("pair = [\"{old}\", \"{new}\"]\n"));
    let findings = found(&repo);
    assert_ne!(only(&findings, &old)["blob"], only(&findings, &new)["blob"]);
    let run = repo.dir.run(&["history", "--format", "human"]).expect(1);
    assert!(run.stdout.contains("pair = [\""), "{}", run.stdout);
    for secret in [&old, &new] {
        assert!(!run.stdout.contains(&secret[8..24]), "{}", run.stdout);
    }
}

/// Only what is near to secrets is searched again to show one, and the doubtful ones count.
#[test]
fn what_is_too_doubtful_to_be_found_is_hidden_beside_a_secret_far_off() {
    let repo = Repo::new();
    let (secret, bucket) = (token(1), made_with("{lower:12}-{lower:9}", 2));
    let filler = "some = other + words\n".repeat(4000);
    let line = format!("token = \"{secret}\"  # of {bucket}\n");
    let url = format!("url = \"https://{bucket}.s3.amazonaws.com/\"\n");
    repo.save("a.py", format!("{filler}{line}{filler}{url}"));
    for args in [
        &["history", "--format", "human"][..],
        &["scan", "a.py", "--format", "human"],
    ] {
        let run = repo.dir.run(args).expect(1);
        assert!(run.stdout.contains("# of ***"), "{}", run.stdout);
        assert!(!run.stdout.contains(&bucket), "{}", run.stdout);
    }
}

#[test]
fn a_picture_is_read_no_farther_than_it_takes_to_know_it() {
    let repo = Repo::new();
    repo.save("a.py", assigned(&token(1)));
    repo.save("logo.png", [b"\x89PNG\r\n\x1a\n", &*noise()].concat());
    break_pack(&repo, spoil);
    let run = sweep(&repo, &[]).expect(1);
    only(&run.json_lines(), &token(1));
    sweep(&repo, &["--naive"]).expect(2);
}

#[test]
fn what_is_missing_is_said_and_ends_with_an_error() {
    let repo = Repo::new();
    repo.save("a.py", "one\n");
    repo.save("b.py", "two\n");
    let shallow = Repo::clone_of(&repo, &["--depth=1"]);
    let run = sweep(&shallow, &[]).expect(2);
    assert!(
        run.stderr.contains("git fetch --unshallow"),
        "{}",
        run.stderr
    );
    let pointers = [
        "version https://git-lfs.github.com/spec/v1\n",
        "version https://git-lfs.github.com/spec/v1\r\n",
        "version https://hawser.github.com/spec/v1\n",
        "version http://git-media.io/v/2\n",
    ];
    for version in pointers {
        repo.save("model.bin", format!("{version}oid sha256:4d7a\nsize 12\n"));
    }
    let run = sweep(&repo, &[]).expect(2);
    assert!(
        run.stderr
            .contains("4 versions of files are kept by Git LFS"),
        "{}",
        run.stderr
    );
    let nowhere = util::Dir::new();
    let run = nowhere.run(&["history"]).expect(2);
    assert!(
        run.stderr.contains("not a git repository"),
        "{}",
        run.stderr
    );
    let long = util::Dir::new();
    let made = git(long.path())
        .args(["init", "-q", "--object-format=sha256", "."])
        .status();
    assert!(made.expect("git runs").success());
    let run = long.run(&["history"]).expect(2);
    assert!(run.stderr.contains("SHA-256"), "{}", run.stderr);
}

#[test]
fn an_empty_repository_is_clean() {
    let repo = Repo::new();
    sweep(&repo, &[]).expect(0);
}

#[test]
fn notebooks_are_read_cell_by_cell_in_every_version() {
    let repo = Repo::new();
    let cell = |text: &str| {
        serde_json::json!({"cell_type": "code", "metadata": {}, "execution_count": 1, "source": ["x\n"],
            "outputs": [{"output_type": "stream", "name": "stdout", "text": [text]}]})
    };
    for n in 0..4_u64 {
        let cells: Vec<Value> = (0..8)
            .map(|c| {
                cell(&if c == n {
                    assigned(&token(n))
                } else {
                    "fine\n".into()
                })
            })
            .collect();
        let book =
            serde_json::json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4});
        repo.save(
            "book.ipynb",
            serde_json::to_string_pretty(&book).expect("JSON"),
        );
    }
    // No JSON at all, and a notebook only by its name: the token is cut over two items.
    let cut = token(9);
    let broken = format!(
        "{{\"cells\": [{{\"cell_type\": \"code\", \"source\": [\"t = '{}\", \"{}'\\n\"",
        &cut[..12],
        &cut[12..]
    );
    repo.save("broken.ipynb", broken);
    repo.git(&["repack", "-q", "-a", "-d", "-f"]);
    let findings = found(&repo);
    for n in 0..4 {
        let hit = only(&findings, &token(n));
        assert_eq!(
            (hit["cell"].as_u64(), hit["output"].as_u64()),
            (Some(n), Some(0))
        );
    }
    assert_eq!(only(&findings, &cut)["path"], "broken.ipynb");
}

/// What a delta tells of one version, the lines and columns of another are told with.
#[test]
fn wide_characters_and_large_texts_are_read_in_every_version() {
    let repo = Repo::new();
    let utf16 = |text: &str| -> Vec<u8> {
        let text = format!("\u{feff}{text}");
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    let head = "-- é 漢字 😀 and so on\n".repeat(150);
    let row = "1,name,\"note\",0.25\n";
    // More than is scanned at once.
    let rows = row.repeat((17 << 20) / row.len());
    for n in 0..4_u64 {
        // The second and the third have one each, the last has none any more.
        let leak = |seed: u64| match n {
            1 | 2 => format!("-- é😀\n  {}", assigned(&token(seed + n))),
            _ => format!("-- {n}\n"),
        };
        repo.write("dump.sql", utf16(&format!("{head}{}{head}", leak(0))));
        repo.write("rows.csv", format!("{rows}{}{rows}", leak(10)));
        repo.git(&["add", "."]);
        repo.commit(&format!("Version {n}"));
    }
    repo.git(&["repack", "-q", "-a", "-d", "-f"]);
    let quick = sweep(&repo, &[]).expect(1);
    let findings = quick.json_lines();
    let above = rows.lines().count() as u64;
    for (seed, path, line) in [(0, "dump.sql", 152), (10, "rows.csv", above + 2)] {
        for n in 1..3 {
            let hit = only(&findings, &token(seed + n));
            assert_eq!((&hit["path"], &hit["line"]), (&json!(path), &json!(line)));
            assert_eq!(
                (&hit["column"], &hit["state"]),
                (&json!(12), &json!("history"))
            );
        }
    }
    assert_eq!(findings.len(), 4, "{findings:#?}");
    assert_eq!(quick.stdout, sweep(&repo, &["--naive"]).expect(1).stdout);
}

/// Names are left out of what is read of a notebook that is nearly all names. A cell that a delta copied
/// takes up its room as well, or a version would count as the first with a secret that cannot be shown in it.
#[test]
fn a_cell_that_was_not_read_again_takes_room() {
    let repo = Repo::new();
    let cell = |source: &str, metadata: Value| json!({"cell_type": "code", "source": source, "outputs": [], "metadata": metadata});
    let name = "n".repeat(64);
    let many = cell("x", json!({ &name: vec!["ab"; 1000] }));
    let secret = made("{password}");
    let more = cell("x", json!({ &name: vec!["cd"; 400], "password": secret }));
    let few = cell("x", json!({ "password": secret }));
    let notebook = |cells: &[&Value]| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.to_string()).collect();
        let cells = cells.join(",\n");
        format!("{{\"cells\": [\n{cells}\n], \"metadata\": {{}}, \"nbformat\": 4}}\n")
    };
    // The largest, so that the next is built on it.
    let first = cell(&"All work and no play. ".repeat(1000), json!({}));
    repo.save("a.ipynb", notebook(&[&many, &first]));
    repo.save("a.ipynb", notebook(&[&many, &more]));
    let second = repo.git(&["rev-parse", "HEAD:a.ipynb"]);
    repo.save("a.ipynb", notebook(&[&few]));
    repo.git(&["gc", "--quiet"]);
    let packed = "--batch-check=%(objectname) %(deltabase)";
    let bases = repo.git(&["cat-file", "--batch-all-objects", packed]);
    let base = bases
        .lines()
        .find_map(|line| line.strip_prefix(second.trim()));
    assert!(base.is_some_and(|base| !base.trim().chars().all(|c| c == '0')));
    let naive = sweep(&repo, &["--naive"]).expect(1);
    assert_eq!(sweep(&repo, &[]).expect(1).stdout, naive.stdout);
}

#[test]
fn fifty_thousand_commits_are_no_trouble() {
    let repo = Repo::bare();
    let mut stream = String::new();
    for n in 0..50_000 {
        let content = if n == 25_000 {
            assigned(&token(1))
        } else {
            format!("version = {n}\n")
        };
        stream.push_str(&format!(
            "commit refs/heads/main\ncommitter A <a@example.invalid> {} +0000\ndata 1\nx\nM 100644 inline v.py\ndata {}\n{content}\n",
            1_600_000_000 + n,
            content.len()
        ));
    }
    import(repo.path(), &stream);
    let findings = found(&repo);
    let hit = only(&findings, &token(1));
    assert_eq!(hit["state"], "history");
    assert_eq!(hit["commit"], hit["last_commit"]);
    assert_eq!(hit["date"], "2020-09-13T19:23:20Z");
}

fn import(at: &Path, stream: &str) {
    let mut child = git(at)
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("git runs");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(stream.as_bytes()).expect("input");
    drop(input);
    assert!(child.wait().expect("git ends").success());
}

/// What a path says of its text counts: more is taken for a password in settings than elsewhere.
#[test]
fn a_history_holds_what_a_scan_finds_under_each_path() {
    let repo = Repo::new();
    let mut settings = String::new();
    for seed in 0..12 {
        let lines = "api-key: {lower:5}{digits:1}{lower:4}\n";
        settings += &made_with(lines, seed);
    }
    settings += &made("datadog_api_key: {hex:32}\n");
    for name in [
        "a.yml",
        "i18n/a.yml",
        "yarn.lock",
        "a.properties",
        "a.py",
        "a.log",
        "LICENSE",
        "test/a.go",
        ".env",
    ] {
        repo.save(name, &settings);
    }
    let named = |findings: Vec<Value>| -> Vec<(String, String, String)> {
        let text = |finding: &Value, field: &str| finding[field].as_str().map(str::to_owned);
        let name = |f: &Value| Some((text(f, "path")?, text(f, "rule")?, text(f, "secret")?));
        let mut named: Vec<_> = findings.iter().filter_map(name).collect();
        named.sort();
        named
    };
    let scanned = named(repo.dir.findings(&["--no-ignore", "."]));
    let under = |path: &str| scanned.iter().filter(|f| f.0 == path).count();
    assert!(under("a.properties") > under("LICENSE"), "the path counts");
    assert_eq!(under("i18n/a.yml"), 1, "of a provider, among translations");
    assert_eq!(named(found(&repo)), scanned);
}

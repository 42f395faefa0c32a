//! Hooks in real repositories: real `git push` and `git commit`, and what the server has afterwards.
#![cfg(unix)]

mod util;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use util::git::{Repo, git};
use util::{Dir, Run, made_with};

fn token(seed: u64) -> String {
    made_with("ghp_{b62:30}{crc-base62}", seed)
}

fn leak(seed: u64) -> String {
    format!("token = \"{}\"\n", token(seed))
}

/// A server's repository with the hook, and a working copy that has pushed a first commit.
struct Server {
    bare: Repo,
    copy: Repo,
    /// The operator's folder, outside of the repository.
    operator: Dir,
}

impl Server {
    fn new() -> Self {
        Self::with("")
    }

    /// With the operator's policy.
    fn with(policy: &str) -> Self {
        let server = Self::without_hook();
        let policy = server.operator.write("policy.toml", policy);
        let policy = policy.to_str().unwrap();
        let args = ["hook", "install", "pre-receive", "--policy", policy];
        server.bare.dir.run(&args).expect(0);
        server
    }

    fn without_hook() -> Self {
        let server = Self {
            bare: Repo::bare(),
            copy: Repo::new(),
            operator: Dir::new(),
        };
        let url = server.bare.path().to_str().unwrap();
        server.copy.git(&["remote", "add", "origin", url]);
        server.copy.save("README", "hello\n");
        server.copy.git(&["push", "--quiet", "origin", "main"]);
        server
    }

    fn push(&self, args: &[&str]) -> Run {
        self.copy
            .try_git(&[&["push", "--quiet", "origin"], args].concat())
    }

    fn refs(&self) -> String {
        self.bare.git(&["for-each-ref"])
    }

    fn audit(&self) -> Vec<Value> {
        let log = fs::read_to_string(self.operator.path().join("audit.jsonl")).unwrap();
        let lines = log.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    /// The policy's line for an audit log in the operator's folder; `write` makes the policy anew.
    fn write_policy(&self, text: &str) {
        let log = self.operator.path().join("audit.jsonl");
        let audit = format!("audit = {:?}\n", log.to_str().unwrap());
        self.operator.write("policy.toml", audit + text);
    }
}

/// The hook's own lines of what a push printed.
fn answer(run: &Run) -> Vec<&str> {
    run.stderr
        .lines()
        .filter_map(|line| line.strip_prefix("remote: "))
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect()
}

/// Asserts that a push was refused for secrets, moved nothing, and told nothing it should not.
fn assert_refused(server: &Server, before: &str, run: &Run, secrets: &[&str]) {
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let answer = answer(run);
    assert!(
        answer[0].starts_with("keysweep: push refused"),
        "{answer:?}"
    );
    assert!(answer.len() < 15, "{answer:?}");
    assert_eq!(server.refs(), before, "no reference may move");
    // git itself repeats the names of references.
    for secret in secrets {
        let told = |line: &&str| line.contains(&secret[4..]);
        assert!(!answer.iter().any(told), "{answer:?}");
    }
    let objects = server.bare.path().join("objects");
    let left = fs::read_dir(objects).unwrap().flatten();
    let left: Vec<_> = left.map(|e| e.file_name().into_string().unwrap()).collect();
    assert!(
        left.iter()
            .all(|name| name.len() == 2 || name == "pack" || name == "info"),
        "{left:?}"
    );
}

/// Prepares a working copy and says what to push and what the answer has to name.
type Case = (&'static str, fn(&Repo) -> (Vec<&'static str>, &'static str));

const CASES: &[Case] = &[
    ("a new branch", |copy| {
        copy.git(&["checkout", "--quiet", "-b", "topic"]);
        copy.save("src/app.py", format!("import os\n{}", leak(1)));
        (vec!["topic"], "src/app.py:2")
    }),
    ("an update", |copy| {
        copy.save("README", format!("hello\n{}", leak(1)));
        (vec!["main"], "README:2")
    }),
    ("added and removed in one push", |copy| {
        copy.save("a.py", leak(1));
        copy.git(&["rm", "--quiet", "a.py"]);
        copy.commit("Remove");
        (vec!["main"], "a.py:1")
    }),
    ("the second of two references", |copy| {
        copy.git(&["checkout", "--quiet", "-b", "a-first"]);
        copy.save("clean.py", "x = 1\n");
        copy.git(&["checkout", "--quiet", "-b", "b-second", "main"]);
        copy.save("second.py", leak(1));
        (vec!["a-first", "b-second"], "second.py:1")
    }),
    ("only a merge", |copy| {
        copy.git(&["checkout", "--quiet", "-b", "side"]);
        copy.save("side.py", "x = 1\n");
        copy.git(&["checkout", "--quiet", "main"]);
        copy.save("main.py", "y = 1\n");
        copy.git(&["merge", "--quiet", "--no-commit", "--no-ff", "side"]);
        copy.write("merged.py", leak(1));
        copy.commit("Merge");
        (vec!["main"], "merged.py:1")
    }),
    ("only a new tag", |copy| {
        copy.git(&["checkout", "--quiet", "--detach"]);
        copy.save("tagged.py", leak(1));
        copy.git(&["tag", "v1"]);
        (vec!["v1"], "tagged.py:1")
    }),
    ("a tag of a file", |copy| {
        copy.write("loose.py", leak(1));
        let blob = copy.git(&["hash-object", "-w", "loose.py"]);
        copy.git(&["tag", "-a", "-m", "a file", "file", &blob]);
        (vec!["file"], "(blob ")
    }),
    ("a tag of a folder", |copy| {
        copy.write("folder/a.py", leak(1));
        copy.git(&["add", "folder"]);
        let tree = copy.git(&["write-tree"]);
        copy.git(&["reset", "--quiet"]);
        copy.git(&["tag", "folder", &tree]);
        (vec!["folder"], "folder/a.py:1")
    }),
    ("a tag's message", |copy| {
        copy.git(&["tag", "-a", "-m", &format!("Release\n\n{}", leak(1)), "v2"]);
        (vec!["v2"], "tag message:3")
    }),
    ("a commit's message", |copy| {
        copy.commit(&format!("Subject\n\nuse {}", token(1)));
        (vec!["main"], "commit message:3")
    }),
    ("a commit's author", |copy| {
        copy.write("x", "1");
        copy.git(&["add", "x"]);
        let author = format!("{} <x@example.invalid>", token(1));
        copy.git(&["commit", "--quiet", "-m", "x", "--author", &author]);
        (vec!["main"], "commit message:3")
    }),
    ("a file's name", |copy| {
        copy.write(&format!("dumps/{}.txt", token(1)), "nothing\n");
        copy.commit("Dump");
        (vec!["main"], "name of dumps/ghp_****")
    }),
    ("a branch's name", |copy| {
        let name = format!("HEAD:refs/heads/{}", token(1));
        copy.git(&["config", "remote.origin.push", &name]);
        (vec![], "name of the reference refs/heads/ghp_****")
    }),
    ("a force push of another history", |copy| {
        copy.git(&["checkout", "--quiet", "--orphan", "other"]);
        copy.save("other.py", leak(1));
        (vec!["--force", "other:main"], "other.py:1")
    }),
    ("attributes and files that ask for silence", |copy| {
        copy.write(
            ".gitattributes",
            "* -diff -text binary filter=evil diff=evil\n",
        );
        copy.write(".keysweepignore", "* # all of it\n");
        copy.write(".gitleaks.toml", "[allowlist]\npaths = ['.*']\n");
        copy.write(".gitignore", "*\n");
        copy.save("hidden.py", format!("# keysweep:allow\n{}", leak(1)));
        (vec!["main"], "hidden.py:2")
    }),
    ("wide text", |copy| {
        let wide: Vec<u8> = leak(1).encode_utf16().flat_map(u16::to_le_bytes).collect();
        copy.save("wide.txt", [&[0xff, 0xfe][..], &wide].concat());
        (vec!["main"], "wide.txt:1")
    }),
    ("an output of a notebook", |copy| {
        let notebook = json!({
            "cells": [{"cell_type": "code", "execution_count": 1, "metadata": {},
                "source": ["print(key)"],
                "outputs": [{"output_type": "stream", "name": "stdout", "text": [leak(1)]}]}],
            "metadata": {}, "nbformat": 4, "nbformat_minor": 5
        });
        copy.save("run.ipynb", notebook.to_string());
        (vec!["main"], "(cell 0)")
    }),
    ("a submodule's neighbour", |copy| {
        let head = copy.git(&["rev-parse", "HEAD"]);
        let entry = format!("160000,{head},vendor");
        copy.git(&["update-index", "--add", "--cacheinfo", &entry]);
        copy.write("near.py", leak(1));
        copy.git(&["add", "near.py"]);
        copy.git(&["commit", "--quiet", "-m", "x"]);
        (vec!["main"], "near.py:1")
    }),
    ("an octopus among clean branches", |copy| {
        for name in ["one", "two"] {
            copy.git(&["checkout", "--quiet", "-b", name, "main"]);
            copy.save(&format!("{name}.py"), "x = 1\n");
        }
        copy.save("two.py", leak(1));
        copy.git(&["checkout", "--quiet", "main"]);
        copy.git(&["merge", "--quiet", "one", "two"]);
        (vec!["main"], "two.py:1")
    }),
];

fn refuses_all(unpack_limit: &str) {
    refuses_all_among(0, unpack_limit);
}

/// Each case with so many clean files in the same push.
fn refuses_all_among(others: usize, unpack_limit: &str) {
    for (name, prepare) in CASES {
        eprintln!("{name}");
        let server = Server::new();
        for number in 0..others {
            let name = format!("clean/{number}.py");
            server.copy.write(&name, format!("x = {number}\n"));
        }
        if others > 0 {
            server.copy.commit("Clean");
        }
        server
            .bare
            .git(&["config", "transfer.unpackLimit", unpack_limit]);
        let (args, told) = prepare(&server.copy);
        let before = server.refs();
        let run = server.push(&args);
        assert_refused(&server, &before, &run, &[&token(1)]);
        let answer = answer(&run).join("\n");
        assert!(answer.contains(told), "{name}: {answer}");
        assert!(answer.contains("github-pat-classic"), "{name}: {answer}");
    }
}

#[test]
fn pushes_kept_as_a_pack_are_refused() {
    refuses_all("1");
}

#[test]
fn pushes_unpacked_to_loose_objects_are_refused() {
    refuses_all("10000");
}

/// So large a push is screened before anything is read whole.
#[test]
fn large_pushes_are_refused() {
    refuses_all_among(1050, "1");
}

#[test]
fn clean_pushes_and_deletions_pass() {
    let server = Server::new();
    let copy = &server.copy;
    for number in 0..1050 {
        copy.write(&format!("many/{number}.py"), format!("x = {number}\n"));
    }
    copy.save("a.py", "x = 1\n");
    copy.git(&["tag", "-a", "-m", "first", "v1"]);
    copy.git(&["checkout", "--quiet", "-b", "topic"]);
    copy.save("b.py", "y = 1\n");
    for args in [
        &["main", "v1", "topic"][..],
        &["main:again"],
        &["--delete", "topic", "v1"],
        &["--force", "main~1:refs/heads/main"],
        &["main", ":again"],
    ] {
        let run = server.push(args);
        assert_eq!(run.code, Some(0), "{args:?}: {}", run.stderr);
        assert_eq!(answer(&run), [""; 0], "{args:?}");
    }
}

#[test]
fn what_the_server_has_already_does_not_count() {
    for unpack_limit in ["1", "10000"] {
        let server = Server::without_hook();
        let copy = &server.copy;
        let rows: String = (0..3000)
            .map(|n| format!("row {n} of a long file\n"))
            .collect();
        copy.save("old.py", format!("{rows}{}", leak(5)));
        assert_eq!(server.push(&["main"]).code, Some(0));
        server.bare.dir.run(&["hook", "install"]).expect(0);
        server.bare.git(&["gc", "--quiet"]);
        server
            .bare
            .git(&["config", "transfer.unpackLimit", unpack_limit]);
        // A thin pack: the new version goes over the wire as a difference from the old one.
        copy.save("old.py", format!("{rows}# a word more\n{}", leak(5)));
        let run = server.push(&["main"]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        copy.git(&["mv", "old.py", "new.py"]);
        copy.save("new.py", format!("{rows}# moved\n  {}", leak(5)));
        let run = server.push(&["main"]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let before = server.refs();
        copy.save("new.py", format!("{rows}{}{}", leak(5), leak(6)));
        let run = server.push(&["main"]);
        assert_refused(&server, &before, &run, &[&token(5), &token(6)]);
        let answer = answer(&run).join("\n");
        assert!(answer.contains("(1 found)"), "{answer}");
        assert!(answer.contains("new.py:3002"), "{answer}");
    }
}

/// What is a secret in settings and code, and none in what a tool wrote.
fn password(seed: u64) -> String {
    format!("password = \"{}\"\n", made_with("{b62:12}!x7", seed))
}

/// A server's repository with the hook and so many clean files in the next push.
fn among(others: usize) -> Server {
    let server = Server::new();
    server.bare.git(&["config", "transfer.unpackLimit", "1"]);
    for number in 0..others {
        let name = format!("clean/{number}.py");
        server.copy.write(&name, format!("x = {number}\n"));
    }
    if others > 0 {
        server.copy.commit("Clean");
    }
    server
}

#[test]
fn a_file_is_judged_under_each_of_its_paths() {
    type Prepare = fn(&Repo);
    let cases: [(&str, Prepare, &str); 4] = [
        (
            "in one commit",
            |copy| {
                copy.write("a.min.js", password(1));
                copy.save("app.js", password(1));
            },
            "app.js:1",
        ),
        (
            "in two commits",
            |copy| {
                copy.save("package-lock.json", password(1));
                copy.save("prod.ini", password(1));
            },
            "prod.ini:1",
        ),
        (
            "in a copy of a folder",
            |copy| {
                copy.write("locales/deep/en.py", password(1));
                copy.save("zz/deep/en.py", password(1));
            },
            "zz/deep/en.py:1",
        ),
        (
            "in a folder of another name",
            |copy| {
                copy.save("locales/en.py", password(1));
                copy.git(&["mv", "locales", "settings"]);
                copy.commit("Move");
            },
            "settings/en.py:1",
        ),
    ];
    for others in [0, 1050] {
        for (name, prepare, told) in cases {
            let server = among(others);
            prepare(&server.copy);
            let before = server.refs();
            let run = server.push(&["main"]);
            assert_refused(&server, &before, &run, &[&password(1)[8..]]);
            let answer = answer(&run).join("\n");
            assert!(answer.contains(told), "{name}: {answer}");
            assert!(answer.contains("(1 found)"), "{name}: {answer}");
        }
    }
}

/// A commit on `main` whose tree has ten folders, each with the same ten folders and so on, and at the
/// end of all paths a file.
fn endless(copy: &Repo, content: &str) {
    copy.write("content", content);
    let blob = copy.git(&["hash-object", "-w", "content"]);
    let mut entry = format!("100644 blob {blob}\t");
    for depth in 0..20 {
        let name = |n: u32| {
            if depth == 0 {
                format!("{n}.py")
            } else {
                n.to_string()
            }
        };
        let entries: String = (0..10).map(|n| format!("{entry}{}\n", name(n))).collect();
        copy.write("entries", entries);
        let tree = copy.git(&["-c", "alias.make=!git mktree < entries", "make"]);
        entry = format!("040000 tree {tree}\t");
    }
    let tree = &entry["040000 tree ".len()..entry.len() - 1];
    let commit = copy.git(&["commit-tree", "-p", "main", "-m", "Endless", tree]);
    copy.git(&["update-ref", "refs/heads/main", &commit]);
}

#[test]
fn a_tree_made_of_itself_ends() {
    let policy = "[budget]\nmilliseconds = 0\n";
    let server = Server::with(policy);
    endless(&server.copy, "x = 1\n");
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let server = Server::with(policy);
    endless(&server.copy, &leak(1));
    let before = server.refs();
    let run = server.push(&["main"]);
    assert_refused(&server, &before, &run, &[&token(1)]);
}

/// The path and the fingerprint of each finding beyond what the server has.
fn fingerprints(copy: &Repo) -> Vec<(String, String)> {
    let args = ["diff", "origin/main", "--format", "jsonl"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found = copy.dir.run(&args).json_lines();
    found
        .iter()
        .map(|finding| (text(&finding["path"]), text(&finding["fingerprint"])))
        .collect()
}

#[test]
fn an_approval_holds_for_one_path_of_a_file() {
    let server = Server::new();
    server.write_policy(APPROVALS);
    server
        .bare
        .git(&["config", "receive.advertisePushOptions", "true"]);
    server.copy.write("fix.py", leak(1));
    server.copy.save("zz.py", leak(1));
    let found = fingerprints(&server.copy);
    let paths: Vec<&str> = found.iter().map(|(path, _)| &**path).collect();
    assert_eq!(paths, ["fix.py", "zz.py"]);
    let options: Vec<String> = found
        .iter()
        .map(|(_, fingerprint)| format!("keysweep-allow={fingerprint}:a canary"))
        .collect();
    for (option, other) in [(&options[0], "zz.py:1"), (&options[1], "fix.py:1")] {
        let run = server.push(&["-o", option, "main"]);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        let answer = answer(&run).join("\n");
        assert!(answer.contains("(1 found)"), "{answer}");
        assert!(answer.contains(other), "{answer}");
    }
    let run = server.push(&["-o", &options[0], "-o", &options[1], "main"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

/// A server that has a file `old.py` with a secret, and since then the hook.
fn leaked() -> Server {
    let server = Server::without_hook();
    server.copy.save("old.py", leak(5));
    assert_eq!(server.push(&["main"]).code, Some(0));
    server.bare.dir.run(&["hook", "install"]).expect(0);
    server
}

#[test]
fn a_value_is_known_to_the_commit_that_replaces_it_and_to_no_other() {
    let server = leaked();
    let copy = &server.copy;
    copy.save("new.py", format!("{}# copy\n", leak(5)));
    copy.save("old.py", format!("{}# touched\n", leak(5)));
    let before = server.refs();
    let run = server.push(&["main"]);
    assert_refused(&server, &before, &run, &[&token(5)]);
    let first = answer(&run).join("\n");
    assert!(first.contains("(1 found)"), "{first}");
    assert!(first.contains("new.py:1"), "{first}");
    // Nor is it to those after one that was not excused.
    copy.git(&["mv", "new.py", "newer.py"]);
    copy.save("newer.py", format!("{}# moved\n", leak(5)));
    let run = server.push(&["main"]);
    assert_refused(&server, &before, &run, &[&token(5)]);
    let second = answer(&run).join("\n");
    assert!(second.contains("newer.py:1"), "{second}");
}

#[test]
fn a_known_value_may_change_its_place_more_than_once_in_a_push() {
    for hook in ["pre-receive", "update"] {
        let server = leaked();
        let install = |args: &[&str]| server.bare.dir.run(&[&["hook", "install"], args].concat());
        install(&["--uninstall"]).expect(0);
        install(&[hook]).expect(0);
        let copy = &server.copy;
        copy.save("other.py", "x = 1\n");
        copy.git(&["mv", "old.py", "moved.py"]);
        copy.commit("Move");
        copy.save("moved.py", format!("{}# one\n", leak(5)));
        copy.save("moved.py", format!("{}# two\n", leak(5)));
        copy.git(&["mv", "moved.py", "again.py"]);
        copy.save("again.py", format!("{}# three\n", leak(5)));
        let run = server.push(&["main"]);
        assert_eq!(run.code, Some(0), "{hook}: {}", run.stderr);
    }
}

#[test]
fn a_name_that_moves_is_known_like_a_value() {
    let server = Server::without_hook();
    let copy = &server.copy;
    let name = format!("{}.txt", token(5));
    copy.write(&name, "one\n");
    copy.commit("Begin");
    assert_eq!(server.push(&["main"]).code, Some(0));
    server.bare.dir.run(&["hook", "install"]).expect(0);
    copy.write(&name, "one\ntwo\n");
    copy.commit("Edit");
    fs::create_dir(copy.path().join("d")).unwrap();
    copy.git(&["mv", &name, "d/"]);
    copy.commit("Move");
    fs::create_dir(copy.path().join("e")).unwrap();
    copy.git(&["mv", &format!("d/{name}"), "e/"]);
    copy.commit("Move on");
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let before = server.refs();
    copy.write(&format!("f/{name}"), "new\n");
    copy.commit("Add");
    let run = server.push(&["main"]);
    assert_refused(&server, &before, &run, &[&token(5)]);
}

/// A file that begins so is no text; what a commit says always is.
#[test]
fn a_message_that_begins_like_a_picture_is_judged() {
    let server = Server::new();
    server.copy.save("a.py", "clean\n");
    server.copy.say(&format!("GIF89a\u{1}\u{2} {}", token(1)));
    let before = server.refs();
    let run = server.push(&["main"]);
    assert_refused(&server, &before, &run, &[&token(1)]);
}

#[test]
fn what_a_renamed_file_still_has_is_to_be_edited() {
    let server = Server::new();
    server.copy.save("a.py", leak(1));
    server.copy.git(&["mv", "a.py", "b.py"]);
    server.copy.commit("Rename");
    let before = server.refs();
    let run = server.push(&["main"]);
    assert_refused(&server, &before, &run, &[&token(1)]);
    let answer = answer(&run).join("\n");
    assert!(answer.contains("b.py:1"), "{answer}");
    assert!(answer.contains("take it out of the files"), "{answer}");
    follow(&server.copy, &run, &take_out);
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

/// The commands that the answer of a server or of `pre-push` offers, with the hints behind them.
fn offered(run: &Run) -> Vec<String> {
    let lines = run.stderr.lines().map(str::trim_end);
    let lines = lines.map(|line| line.strip_prefix("remote: ").unwrap_or(line));
    let commands = lines.filter_map(|line| line.strip_prefix("  git "));
    let commands: Vec<String> = commands.map(|line| format!("git {line}")).collect();
    assert!(!commands.is_empty(), "{}", run.stderr);
    commands
}

/// Runs a command in a shell, as it stands. Not every shell takes comments from who types.
fn shell(copy: &Repo, command: &str) -> std::process::Output {
    assert!(!command.contains(" # "), "{command}");
    let mut shell = std::process::Command::new("sh");
    util::git::isolate(&mut shell);
    // The editor that a person would use for the message.
    shell.env("GIT_EDITOR", "sh -c 'echo Cleaned > \"$0\"'");
    shell.current_dir(copy.path()).args(["-c", command]);
    shell.output().expect("sh")
}

/// Runs the commands that an answer offers, from top to bottom, with an `edit` where they ask for one.
fn follow(copy: &Repo, run: &Run, edit: &dyn Fn(&Repo)) {
    for command in offered(run) {
        let output = shell(copy, &command);
        assert!(
            output.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        if command.contains(" && : then ") {
            edit(copy);
        }
    }
}

/// Writes a reference in the stead of each token, as a person would.
fn take_out(copy: &Repo) {
    for file in fs::read_dir(copy.path()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "py") {
            let text = fs::read_to_string(&path).unwrap();
            let tokens = (0..9).map(|seed| format!("\"{}\"", token(seed)));
            let text = tokens.fold(text, |text, token| text.replace(&token, "get_secret()"));
            fs::write(&path, text).unwrap();
        }
    }
}

#[test]
fn the_offered_commands_clean_what_was_not_pushed() {
    type Prepare = fn(&Repo);
    let cases: [(&str, Prepare); 4] = [
        ("in the last commit", |copy| {
            copy.save("a.py", leak(1));
        }),
        ("in an earlier commit", |copy| {
            copy.save("a.py", leak(1));
            copy.save("b.py", "x = 1\n");
        }),
        ("removed again", |copy| {
            copy.save("a.py", leak(1));
            copy.save("a.py", "clean\n");
        }),
        ("on a branch without anything pushed", |copy| {
            copy.git(&["checkout", "--quiet", "--orphan", "fresh"]);
            copy.save("a.py", leak(1));
            copy.save("b.py", "x = 1\n");
        }),
    ];
    for (name, prepare) in cases {
        let server = Server::new();
        prepare(&server.copy);
        assert_cleaned(&server, &["HEAD"], name);
    }
}

/// A merge of what others have pushed meanwhile.
struct Merge {
    name: &'static str,
    /// Makes it, with a secret in a commit before it.
    make: fn(&Repo),
    pushed: &'static [&'static str],
    /// What the person changes in the files of the newest commit.
    edited: &'static str,
    /// The parents of the clean commit.
    parents: &'static [&'static str],
}

const MERGES: &[Merge] = &[
    Merge {
        name: "a pull",
        make: |copy| {
            save_unasked(copy, "a.py", &leak(1));
            pull(copy, &[]);
        },
        pushed: &["main"],
        edited: "a.py",
        parents: &["origin/main"],
    },
    Merge {
        name: "a pull after a message with a secret",
        make: |copy| {
            copy.write("a.py", "x = 1\n");
            copy.git(&["add", "a.py"]);
            let message = format!("Use {}", token(1));
            copy.git(&["commit", "--quiet", "--no-verify", "-m", &message]);
            pull(copy, &[]);
        },
        pushed: &["main"],
        edited: "",
        parents: &["origin/main"],
    },
    Merge {
        name: "a pull with a conflict",
        make: |copy| {
            save_unasked(copy, "a.py", &leak(1));
            save_unasked(copy, "README", "ours\n");
            let run = copy.try_git(&["pull", "--quiet", "--no-rebase", "origin", "main"]);
            assert_eq!(run.code, Some(1), "{}", run.stderr);
            save_unasked(copy, "README", "ours and theirs\n");
        },
        pushed: &["main"],
        edited: "a.py",
        parents: &["origin/main"],
    },
    Merge {
        name: "a pull of another history",
        make: |copy| {
            copy.git(&["checkout", "--quiet", "--orphan", "own"]);
            copy.git(&["rm", "--quiet", "--force", "README"]);
            save_unasked(copy, "a.py", &leak(1));
            pull(copy, &["--allow-unrelated-histories"]);
            copy.git(&["branch", "--quiet", "--move", "--force", "main"]);
        },
        pushed: &["main"],
        edited: "a.py",
        parents: &["origin/main"],
    },
    Merge {
        name: "main in a new branch",
        make: |copy| {
            copy.git(&["checkout", "--quiet", "-b", "topic"]);
            save_unasked(copy, "a.py", &leak(1));
            pull(copy, &[]);
            save_unasked(copy, "b.py", "x = 1\n");
            pull(copy, &[]);
        },
        pushed: &["topic"],
        edited: "a.py",
        parents: &["origin/main"],
    },
    Merge {
        name: "main in a branch that is there",
        make: |copy| {
            copy.git(&["checkout", "--quiet", "-b", "topic"]);
            save_unasked(copy, "b.py", "x = 1\n");
            copy.git(&["push", "--quiet", "origin", "topic"]);
            save_unasked(copy, "a.py", &leak(1));
            pull(copy, &[]);
        },
        pushed: &["topic"],
        edited: "a.py",
        parents: &["origin/topic", "origin/main"],
    },
    Merge {
        name: "a pull, and a tag of it",
        make: |copy| {
            save_unasked(copy, "a.py", &leak(1));
            pull(copy, &[]);
            copy.git(&["tag", "v1"]);
        },
        pushed: &["v1", "main"],
        edited: "a.py",
        parents: &["origin/main"],
    },
];

/// As after `git pull` the merge of what was fetched.
fn pull(copy: &Repo, args: &[&str]) {
    let pull = ["pull", "--quiet", "--no-rebase", "--no-edit"];
    copy.git(&[&pull[..], args, &["origin", "main"]].concat());
}

/// Pushes from another clone, as somebody else does.
fn push_elsewhere(server: &Server) {
    let other = Repo::clone_of(&server.bare, &[]);
    other.save("README", "theirs\n");
    other.save("theirs.py", "x = 1\n");
    other.git(&["push", "--quiet", "origin", "main"]);
}

#[test]
fn what_others_pushed_stays_theirs_and_a_merge_of_it_is_kept() {
    for at in [Server::new, hooked] {
        for merge in MERGES {
            let server = at();
            let copy = &server.copy;
            push_elsewhere(&server);
            (merge.make)(copy);
            let name = merge.name;
            let tip = copy.git(&["rev-parse", "HEAD"]);
            let run = server.push(merge.pushed);
            assert_eq!(run.code, Some(1), "{name}: {}", run.stderr);
            follow(copy, &run, &take_out);
            let changed = copy.git(&["diff", "--name-only", &tip, "HEAD"]);
            assert_eq!(changed, merge.edited, "{name}: {}", run.stderr);
            let parents = copy.git(&[&["rev-parse"], merge.parents].concat());
            let made = copy.git(&["rev-parse", "HEAD^@"]);
            assert_eq!(made, parents, "{name}: {}", run.stderr);
            let brought = ["rev-list", "HEAD", "--not", "--remotes=origin"];
            let head = copy.git(&["rev-parse", "HEAD"]);
            assert_eq!(copy.git(&brought), head, "{name}: {}", run.stderr);
            let again = server.push(merge.pushed);
            assert_eq!(again.code, Some(0), "{name}: {}", again.stderr);
            assert_eq!(copy.git(&["status", "--porcelain"]), "", "{name}");
        }
    }
}

/// Whoever makes a commit chooses its time.
#[test]
fn a_wrong_clock_leaves_a_commit_that_the_server_takes() {
    let server = Server::new();
    let copy = &server.copy;
    let other = Repo::clone_of(&server.bare, &[]);
    let past = [("GIT_COMMITTER_DATE", "1000000000 +0000")];
    let commit = ["commit", "--quiet", "--allow-empty", "-m", "x"];
    other.try_git_with(&commit, &past).expect(0);
    other.save("theirs.py", "x = 1\n");
    other.git(&["push", "--quiet", "origin", "main"]);
    copy.save("a.py", leak(1));
    pull(copy, &[]);
    assert_cleaned(&server, &["main"], "a wrong clock");
    assert_eq!(copy.git(&["rev-list", "--count", "main"]), "4");
}

#[test]
fn nothing_is_committed_but_what_is_named() {
    type Prepare = fn(&Repo);
    let cases: [(&str, Prepare); 4] = [
        ("in the last commit", |copy| {
            copy.save("my [a].py", leak(1));
        }),
        ("in an earlier commit", |copy| {
            copy.save("__a__.py", leak(1));
            copy.save("b.py", "x = 1\n");
        }),
        ("in the last message", |copy| {
            copy.commit(&format!("Use {}", token(1)));
        }),
        ("in an earlier message", |copy| {
            copy.commit(&format!("Use {}", token(1)));
            copy.save("b.py", "x = 1\n");
        }),
    ];
    for (name, prepare) in cases {
        let server = Server::new();
        let copy = &server.copy;
        prepare(copy);
        copy.write("README", "not ready\n");
        copy.write("staged.txt", "not ready\n");
        copy.git(&["add", "staged.txt"]);
        let run = server.push(&["main"]);
        assert_eq!(run.code, Some(1), "{name}: {}", run.stderr);
        follow(copy, &run, &take_out);
        let run = server.push(&["main"]);
        assert_eq!(run.code, Some(0), "{name}: {}", run.stderr);
        let status = copy.git(&["status", "--porcelain"]);
        assert_eq!(status, " M README\nA  staged.txt", "{name}");
        assert_eq!(server.bare.git(&["show", "main:README"]), "hello");
    }
}

#[test]
fn what_cannot_be_named_is_committed_with_all_and_that_is_said() {
    let server = Server::new();
    let copy = &server.copy;
    for n in 1..=4 {
        copy.write(&format!("{n}.py"), leak(n));
    }
    copy.commit("Many");
    let run = server.push(&["main"]);
    let told = "after that edit, commits all that is changed";
    assert!(offered(&run)[1].ends_with(told), "{}", run.stderr);
    follow(copy, &run, &take_out);
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    // A name with a secret is masked, and is no name then.
    copy.write(&format!("{}.py", token(5)), leak(6));
    copy.commit("Named");
    let before = server.refs();
    let run = server.push(&["main"]);
    assert_refused(&server, &before, &run, &[&token(5), &token(6)]);
    assert!(offered(&run)[1].ends_with(told), "{}", run.stderr);
}

#[test]
fn what_leaves_nothing_to_commit_is_cleaned_too() {
    type Prepare = fn(&Repo);
    let cases: [(&str, Prepare); 5] = [
        ("main", |copy| {
            copy.commit(&format!("Use {}", token(1)));
        }),
        ("main", |copy| {
            copy.commit(&format!("Use it\n\nToken: {}", token(1)));
        }),
        ("main", |copy| {
            let author = format!("--author={} <x@example.invalid>", token(1));
            copy.git(&["commit", "--quiet", "--allow-empty", "-m", "x", &author]);
        }),
        ("main", add_and_remove),
        ("v1", |copy| {
            add_and_remove(copy);
            copy.git(&["tag", "v1"]);
        }),
    ];
    for (number, (pushed, prepare)) in cases.into_iter().enumerate() {
        let server = Server::new();
        prepare(&server.copy);
        assert_cleaned(&server, &[pushed], &number.to_string());
    }
}

fn add_and_remove(copy: &Repo) {
    copy.save("a.py", leak(1));
    copy.git(&["rm", "--quiet", "a.py"]);
    copy.commit("Remove");
}

#[test]
fn what_leaves_nothing_of_a_first_push_is_cleaned_too() {
    let server = Server::new();
    server.bare.git(&["update-ref", "-d", "refs/heads/main"]);
    let copy = &server.copy;
    copy.git(&["checkout", "--quiet", "--orphan", "fresh"]);
    copy.git(&["rm", "--quiet", "--force", "README"]);
    add_and_remove(copy);
    assert_cleaned(&server, &["fresh"], "fresh");
    assert_eq!(copy.git(&["branch", "--show-current"]), "fresh");
}

/// Merges a signed tag whose message has a secret, so that the merge keeps it in a header.
fn merge_signed_tag(copy: &Repo) {
    copy.git(&["checkout", "--quiet", "-b", "side"]);
    let object = copy.save("side.py", "x = 1\n");
    copy.git(&["checkout", "--quiet", "main"]);
    copy.save("b.py", "x = 1\n");
    let tag = format!(
        "object {object}\ntype commit\ntag signed\ntagger A <a@example.invalid> 1 +0000\n\n{}\n\
         -----BEGIN PGP SIGNATURE-----\n\niQ\n-----END PGP SIGNATURE-----\n",
        token(1)
    );
    let path = copy.write(".git/tag", tag);
    let id = copy.git(&["hash-object", "-t", "tag", "-w", path.to_str().unwrap()]);
    copy.git(&["update-ref", "refs/tags/signed", &id]);
    copy.git(&["merge", "--quiet", "--no-ff", "-m", "Merge", "signed"]);
}

/// Puts a header into the newest commit.
fn add_header(copy: &Repo, name: &str) {
    copy.save("b.py", "x = 1\n");
    let commit = copy.git(&["cat-file", "commit", "HEAD"]);
    let header = format!("\n{name} {}\n\n", token(1));
    let path = copy.write(".git/commit", commit.replacen("\n\n", &header, 1));
    let id = copy.git(&["hash-object", "-t", "commit", "-w", path.to_str().unwrap()]);
    copy.git(&["reset", "--quiet", &id]);
}

#[test]
fn a_secret_in_a_header_is_cleaned_and_the_header_named() {
    type Prepare = fn(&Repo);
    let cases: [(&str, Prepare); 5] = [
        ("its header mergetag has it", merge_signed_tag),
        ("its header gpgsig has it", |copy| {
            add_header(copy, "gpgsig")
        }),
        ("one of its headers has it", |copy| add_header(copy, "mark")),
        ("after changing user.name", |copy| {
            let author = format!("--author={} <x@example.invalid>", token(1));
            copy.git(&["commit", "--quiet", "--allow-empty", "-m", "x", &author]);
        }),
        ("after changing user.email", |copy| {
            let author = format!("--author=x <{}@example.invalid>", token(1));
            copy.git(&["commit", "--quiet", "--allow-empty", "-m", "x", &author]);
        }),
    ];
    for (hint, prepare) in cases {
        let server = Server::new();
        prepare(&server.copy);
        let parents = ["log", "-1", "--format=%P%n%T", "main"];
        let before = server.copy.git(&parents);
        let run = assert_cleaned(&server, &["main"], hint);
        assert!(
            offered(&run)[0].ends_with(&format!(" && : {hint}")),
            "{}",
            run.stderr
        );
        assert_eq!(server.bare.git(&parents), before, "{hint}");
    }
}

#[test]
fn a_hint_names_all_that_has_to_change() {
    type Prepare = fn(&Repo);
    let cases: [(&str, Prepare); 4] = [
        ("after that edit, with another message", |copy| {
            copy.write("a.py", leak(1));
            copy.commit(&format!("Use {}", token(1)));
        }),
        ("after that edit and changing user.name", |copy| {
            copy.write("a.py", leak(1));
            copy.git(&["add", "a.py"]);
            let author = format!("--author={} <x@example.invalid>", token(1));
            copy.git(&["commit", "--quiet", "-m", "x", &author]);
        }),
        ("after that edit, makes 3 commits one", |copy| {
            copy.save("a.py", leak(1));
            copy.save("b.py", "x = 1\n");
            copy.save("c.py", "x = 1\n");
        }),
        (
            "after that edit, makes all that is new one commit",
            |copy| {
                copy.git(&["checkout", "--quiet", "-b", "side"]);
                copy.save("a.py", leak(1));
                copy.git(&["checkout", "--quiet", "main"]);
                copy.save("b.py", "x = 1\n");
                copy.git(&["merge", "--quiet", "-m", "Merge", "side"]);
            },
        ),
    ];
    for (hint, prepare) in cases {
        let server = Server::new();
        prepare(&server.copy);
        let run = assert_cleaned(&server, &["main"], hint);
        let told = format!(" && : {hint}");
        assert!(offered(&run)[1].ends_with(&told), "{}", run.stderr);
    }
}

#[test]
fn a_file_with_a_secret_in_its_name_is_moved_as_git_is_told() {
    let server = Server::new();
    let copy = &server.copy;
    copy.save(&format!("{}.txt", token(1)), "x\n");
    let before = server.refs();
    let run = server.push(&["main"]);
    assert_refused(&server, &before, &run, &[&token(1)]);
    let told = "then git mv the files that have it in their names";
    assert!(offered(&run)[0].ends_with(told), "{}", run.stderr);
    follow(copy, &run, &|copy| {
        copy.git(&["mv", &format!("{}.txt", token(1)), "clean.txt"]);
    });
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

/// Asserts that a push is refused, and not when what the answer says is done.
fn assert_cleaned(server: &Server, args: &[&str], case: &str) -> Run {
    let before = server.refs();
    let run = server.push(args);
    assert_refused(server, &before, &run, &[&token(1), &token(2)]);
    follow(&server.copy, &run, &take_out);
    let again = server.push(args);
    let told = format!("{case}: {}{}", run.stderr, again.stderr);
    assert_eq!(again.code, Some(0), "{told}");
    let status = server.copy.git(&["status", "--porcelain"]);
    assert_eq!(status, "", "{told}");
    run
}

#[test]
fn the_repository_s_configuration_is_neither_run_nor_trusted() {
    let server = Server::new();
    let marker = server.operator.path().join("ran");
    let touch = format!("touch {}", marker.display());
    for key in [
        "core.fsmonitor",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "diff.evil.command",
        "diff.external",
        "core.sshCommand",
        "core.pager",
    ] {
        server.bare.git(&["config", key, &touch]);
    }
    server
        .bare
        .git(&["config", "core.attributesFile", "/dev/null"]);
    fs::write(
        server.bare.path().join("info/attributes"),
        "* filter=evil diff=evil\n",
    )
    .unwrap();
    fs::write(server.bare.path().join(".keysweepignore"), "nonsense").unwrap();
    server
        .copy
        .write(".gitattributes", "* filter=evil diff=evil -diff\n");
    server.copy.save("a.py", leak(1));
    let before = server.refs();
    let run = server.push(&["main"]);
    assert_refused(&server, &before, &run, &[&token(1)]);
    assert!(!marker.exists());
}

#[test]
fn two_pushes_at_once_are_judged_each() {
    let server = Server::new();
    server.write_policy("");
    let other = Repo::clone_of(&server.bare, &[]);
    server.copy.git(&["checkout", "--quiet", "-b", "dirty"]);
    server.copy.save("a.py", leak(1));
    other.git(&["checkout", "--quiet", "-b", "clean"]);
    for n in 0..50 {
        other.save(&format!("{n}.py"), format!("x = {n}\n"));
    }
    let start = |repo: &Repo, branch: &str| {
        let mut push = git(repo.path());
        push.args(["push", "--quiet", "origin", branch]);
        push.stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let pushes = [start(&server.copy, "dirty"), start(&other, "clean")];
    let ended = pushes.map(|push| push.wait_with_output().unwrap().status.success());
    assert_eq!(ended, [false, true]);
    let refs = server.refs();
    assert!(
        refs.contains("refs/heads/clean") && !refs.contains("refs/heads/dirty"),
        "{refs}"
    );
    let audit = server.audit();
    let decisions: BTreeSet<&str> = audit
        .iter()
        .filter_map(|r| r["Decision"].as_str())
        .collect();
    assert_eq!(
        (audit.len(), decisions),
        (2, BTreeSet::from(["accepted", "refused"]))
    );
}

#[test]
fn a_hook_that_is_killed_refuses_and_leaves_nothing_behind() {
    let server = Server::new();
    let hook = server.bare.path().join("hooks/pre-receive");
    let keysweep = env!("CARGO_BIN_EXE_keysweep");
    // The hook waits for input that never ends, and is killed while it does.
    let script = format!(
        "#!/bin/sh\nmkfifo '{0}/pipe'\nsleep 5 > '{0}/pipe' &\n'{keysweep}' hook pre-receive < '{0}/pipe' &\n\
         pid=$!\nsleep 0.2\nkill -9 $pid\nwait $pid\n",
        server.operator.path().display()
    );
    fs::write(&hook, script).unwrap();
    let temporary = Dir::new();
    server.copy.save("a.py", "clean\n");
    let before = server.refs();
    let vars = [("TMPDIR", temporary.path().to_str().unwrap())];
    let run = server
        .copy
        .try_git_with(&["push", "--quiet", "origin", "main"], &vars);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(server.refs(), before);
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    let objects = fs::read_dir(server.bare.path().join("objects"))
        .unwrap()
        .flatten();
    assert!(
        objects
            .map(|e| e.file_name())
            .all(|name| !name.to_string_lossy().contains("incoming"))
    );
    server.bare.git(&["fsck", "--strict"]);
    server.bare.dir.run(&["hook", "install"]).expect(0);
    let earlier = server.bare.path().join("hooks.before-keysweep/pre-receive");
    fs::remove_file(earlier).unwrap();
    assert_eq!(server.push(&["main"]).code, Some(1), "a veto got lost");
    server.bare.dir.run(&["hook", "install"]).expect(0);
    assert_eq!(server.push(&["main"]).code, Some(0));
}

#[test]
fn the_time_allowed_is_kept_and_what_then_is_the_operator_s_choice() {
    let server = Server::new();
    server.write_policy("[budget]\nmilliseconds = 1\n");
    server.copy.save("a.py", "clean\n");
    let before = server.refs();
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(1));
    assert!(answer(&run)[0].contains("within 1 ms"), "{}", run.stderr);
    assert_eq!(server.refs(), before);
    server.write_policy("[budget]\nmilliseconds = 1\nwhen_over = 'accept'\n");
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(
        answer(&run)[0].contains("not all of it was judged"),
        "{}",
        run.stderr
    );
    let audit = server.audit();
    let told: Vec<(&Value, &Value, &Value)> = audit
        .iter()
        .map(|r| (&r["Decision"], &r["Cause"], &r["ExitCode"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("refused"), &json!("time"), &json!(2)),
            (&json!("accepted"), &json!("time"), &json!(0)),
        ]
    );
}

#[test]
fn an_approval_needs_the_policy_the_finding_and_a_reason() {
    let server = Server::new();
    server
        .bare
        .git(&["config", "receive.advertisePushOptions", "true"]);
    server.copy.save("a.py", leak(1));
    server.write_policy("[approvals]\npush_options = true\n");
    let run = server.push(&["main"]);
    let answer_text = answer(&run).join("\n");
    let option = answer_text
        .split('\'')
        .find(|part| part.starts_with("keysweep-allow="));
    let fingerprint = option.unwrap()["keysweep-allow=".len()..][..32].to_owned();
    let push = |option: &str| server.push(&["-o", option, "main"]);
    let allow = format!("keysweep-allow={fingerprint}:a canary");
    let other = format!("keysweep-allow={}:a canary", "0".repeat(32));
    assert_eq!(push(&other).code, Some(1));
    assert_eq!(push(&allow[..allow.len() - 9]).code, Some(1), "no reason");
    server.write_policy("");
    assert_eq!(push(&allow).code, Some(1), "the policy does not allow it");
    server.write_policy("[approvals]\npush_options = true\nusers = ['somebody else']\n");
    assert_eq!(push(&allow).code, Some(1), "not this user");
    server.write_policy("[approvals]\npush_options = true\n");
    let run = push(&allow);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let last = server.audit().pop().unwrap();
    assert_eq!(last["Cause"], "approved");
    assert_eq!(last["Approvals"][0]["Reason"], "a canary");
    assert_eq!(last["Approvals"][0]["Fingerprint"], json!(fingerprint));
    assert_eq!(last["Approvals"][0]["Path"], "a.py");
}

#[test]
fn the_answer_stays_short_whatever_there_is_to_say() {
    let server = Server::new();
    server.write_policy(&format!("contact = 'Ask security'\n{APPROVALS}"));
    let copy = &server.copy;
    copy.git(&["checkout", "--quiet", "--orphan", "fresh"]);
    for n in 0..6 {
        copy.save(&format!("{n}.py"), leak(n));
    }
    copy.commit(&format!("use {}", token(7)));
    copy.git(&["tag", "-a", "-m", &leak(8), "v1"]);
    let before = server.refs();
    let name = format!("fresh:refs/heads/{}", token(9));
    let other = format!("fresh:refs/heads/{}", token(10));
    let run = server.push(&[&name, &other]);
    let hidden = answer(&run).join("\n");
    let follows = "git branch --force BRANCH-2 && :";
    assert!(hidden.contains(follows), "{hidden}");
    let run = server.push(&["fresh", "v1", &name]);
    assert_refused(
        &server,
        &before,
        &run,
        &[&token(1), &token(7), &token(8), &token(9)],
    );
    let answer = answer(&run).join("\n");
    for told in [
        "(9 found)",
        "and 6 more",
        "git commit-tree -m ''",
        "git branch --force BRANCH &&",
        "git tag --force --annotate v1 &&",
        "another name",
        "Ask security",
    ] {
        assert!(answer.contains(told), "{told}: {answer}");
    }
}

#[test]
fn every_decision_is_in_the_audit_log() {
    let server = Server::new();
    server.write_policy("");
    server.copy.save("a.py", "x = 1\n");
    let vars = [
        ("GL_ID", "user-7"),
        ("GL_USERNAME", "ann"),
        ("GL_REPOSITORY", "project-9"),
        ("GL_PROTOCOL", "ssh"),
    ];
    let push = |args: &[&str]| {
        let all = [&["push", "--quiet", "origin"], args].concat();
        server.copy.try_git_with(&all, &vars)
    };
    assert_eq!(push(&["main"]).code, Some(0));
    server.copy.save("b.py", leak(1));
    let refused = push(&["main"]);
    assert!(
        answer(&refused)
            .iter()
            .all(|line| line.starts_with("GL-HOOK-ERR: ")),
        "{}",
        refused.stderr
    );
    let audit = server.audit();
    assert_eq!(audit.len(), 2);
    for (key, value) in [
        ("Hook", json!("pre-receive")),
        ("Decision", json!("refused")),
        ("Cause", json!("secrets")),
        ("ExitCode", json!(1)),
        ("Server", json!("gitlab")),
        ("User", json!("ann")),
        ("Repository", json!("project-9")),
        ("Protocol", json!("ssh")),
        ("Commits", json!(1)),
    ] {
        assert_eq!(audit[1][key], value, "{key}");
    }
    assert_eq!(audit[1]["References"][0]["Name"], "refs/heads/main");
    assert_eq!(audit[1]["Findings"][0]["Path"], "b.py");
    assert!(!audit[1].to_string().contains(&token(1)[4..]));
    // A log that cannot be written lets nothing pass.
    let log = server.operator.path().join("audit.jsonl");
    fs::remove_file(&log).unwrap();
    fs::create_dir(&log).unwrap();
    let run = push(&["main~1:refs/heads/other"]);
    assert!(answer(&run)[0].contains("the audit log"), "{}", run.stderr);
    assert_eq!(run.code, Some(1));
}

#[test]
fn the_audit_log_has_no_secret_whoever_names_what() {
    let server = Server::new();
    server.write_policy("");
    let [user, repository, protocol, branch, rules] = [11, 12, 13, 14, 15].map(token);
    let vars = [
        ("GL_USERNAME", &*user),
        ("GL_REPOSITORY", &*repository),
        ("GL_PROTOCOL", &*protocol),
    ];
    server.copy.save("a.py", "x = 1\n");
    let to = format!("main:refs/heads/{branch}");
    let push = || {
        server
            .copy
            .try_git_with(&["push", "--quiet", "origin", &to], &vars)
    };
    assert_eq!(push().code, Some(1));
    // Nor where the policy itself is at fault.
    server.write_policy(&format!("rules = ['/nowhere/{rules}.toml']\n"));
    let run = push();
    assert_eq!(run.code, Some(1));
    assert!(answer(&run)[0].contains("/nowhere/"), "{}", run.stderr);
    assert!(!run.stderr.contains(&rules[4..]), "{}", run.stderr);
    let audit = server.audit();
    assert_eq!(audit.len(), 2);
    for record in audit {
        for (key, value) in [
            ("User", &user),
            ("Repository", &repository),
            ("Protocol", &protocol),
        ] {
            let shown = record[key].as_str().unwrap();
            assert!(shown.starts_with(&value[..4]), "{key}: {shown}");
        }
        let record = record.to_string();
        for value in [&user, &repository, &protocol, &branch, &rules] {
            assert!(!record.contains(&value[4..]), "{record}");
        }
    }
}

/// Between other letters of a name no rule finds it.
#[test]
fn a_value_is_told_by_no_name_that_says_it_again() {
    let server = Server::new();
    server
        .bare
        .git(&["config", "receive.advertisePushOptions", "true"]);
    server.write_policy(APPROVALS);
    let branch = format!("topic-v{}", token(1));
    server.copy.git(&["checkout", "--quiet", "-b", &branch]);
    server.copy.save("a.py", leak(1));
    let allow = format!("keysweep-allow={}:made up", fingerprint(&server.copy));
    let before = server.refs();
    let run = server.push(&[&branch]);
    assert_refused(&server, &before, &run, &[&token(1)]);
    let told = answer(&run).join("\n");
    assert!(told.contains("git switch BRANCH"), "{told}");
    let run = server.push(&[&branch, "-o", &allow]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for record in server.audit() {
        let record = record.to_string();
        assert!(record.contains("refs/heads/topic-vghp_****"), "{record}");
        assert!(!record.contains(&token(1)[4..]), "{record}");
    }
}

/// Who pushes their own name for a secret is to be known all the same.
#[test]
fn no_push_hides_its_user_from_the_log() {
    let server = Server::new();
    server.write_policy("");
    let user = made_with("{b62:24}", 3);
    server.copy.save("a.py", format!("password = \"{user}\"\n"));
    let vars = [("GL_USERNAME", &*user)];
    let run = server
        .copy
        .try_git_with(&["push", "--quiet", "origin", "main"], &vars);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(server.audit()[0]["User"], json!(user));
}

#[test]
fn a_policy_that_is_not_valid_or_not_the_operator_s_refuses() {
    let server = Server::new();
    server.write_policy("disable = ['everything']\n");
    server.copy.save("a.py", "x = 1\n");
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(1));
    assert!(answer(&run).join(" ").contains("disable"), "{}", run.stderr);
    let inside = server.bare.path().join("policy.toml");
    fs::write(&inside, "").unwrap();
    let hook = server.bare.path().join("hooks/pre-receive");
    let keysweep = env!("CARGO_BIN_EXE_keysweep");
    fs::write(
        &hook,
        format!("#!/bin/sh\nexec '{keysweep}' hook pre-receive --policy policy.toml\n"),
    )
    .unwrap();
    let run = server.push(&["main"]);
    assert!(
        answer(&run)[0].contains("outside of the repository"),
        "{}",
        run.stderr
    );
    fs::write(
        &hook,
        format!("#!/bin/sh\nexec '{keysweep}' hook pre-receive\n"),
    )
    .unwrap();
    let policy = server
        .operator
        .write("policy.toml", "min_severity = 'critical'\n");
    let vars = [("KEYSWEEP_POLICY", policy.to_str().unwrap())];
    let run = server
        .copy
        .try_git_with(&["push", "--quiet", "origin", "main"], &vars);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn objects_that_cannot_be_read_refuse() {
    let server = Server::new();
    let hook = server.bare.path().join("hooks/pre-receive");
    let real = fs::read_to_string(&hook).unwrap();
    // Damages what was received before the hook sees it.
    let damage = "find \"$GIT_QUARANTINE_PATH\" -type f -name '??????????*' ! -name '*.idx' | while read f; do \
                  chmod u+w \"$f\"; printf junk > \"$f\"; done\n";
    fs::write(&hook, real.replacen('\n', &format!("\n{damage}"), 1)).unwrap();
    server.copy.save("a.py", "clean\n");
    let before = server.refs();
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(1));
    assert!(
        answer(&run)[0].contains("could not be judged"),
        "{}",
        run.stderr
    );
    assert_eq!(server.refs(), before);
}

/// A large push is read by walking through its pack; no fault there may be taken for nothing found.
#[test]
fn an_object_of_a_large_push_that_cannot_be_read_refuses() {
    for kind in ["blob", "tree", "commit"] {
        let server = Server::new();
        server.bare.git(&["config", "transfer.unpackLimit", "1"]);
        for number in 0..1050 {
            let name = format!("{}/{number}.py", number % 7);
            server.copy.write(&name, format!("x = {number}\n"));
        }
        server.copy.commit("Many");
        let hook = server.bare.path().join("hooks/pre-receive");
        let real = fs::read_to_string(&hook).unwrap();
        // Damages the checksum of the last object of the kind, which ends where the next begins.
        let damage = format!(
            "(pack=$(echo \"$GIT_QUARANTINE_PATH\"/pack/*.pack)\n\
             set -- $(git verify-pack -v \"${{pack%.pack}}.idx\" | grep ' {kind} ' | tail -1)\n\
             chmod u+w \"$pack\"\n\
             printf XX | dd of=\"$pack\" bs=1 seek=$(($5 + $4 - 2)) conv=notrunc) 2>/dev/null\n"
        );
        fs::write(&hook, real.replacen('\n', &format!("\n{damage}"), 1)).unwrap();
        let before = server.refs();
        let run = server.push(&["main"]);
        assert_eq!(run.code, Some(1), "{kind}: {}", run.stderr);
        let answer = answer(&run);
        assert!(
            answer[0].contains("could not be judged"),
            "{kind}: {answer:?}"
        );
        assert_eq!(server.refs(), before, "{kind}");
    }
}

#[test]
fn sha_256_is_refused_clearly() {
    let bare = Repo { dir: Dir::new() };
    bare.git(&["init", "--quiet", "--bare", "--object-format=sha256", "."]);
    let keysweep = env!("CARGO_BIN_EXE_keysweep");
    let hook = bare.path().join("hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(
        &hook,
        format!("#!/bin/sh\nexec '{keysweep}' hook pre-receive\n"),
    )
    .unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let copy = Repo { dir: Dir::new() };
    copy.git(&[
        "init",
        "--quiet",
        "--object-format=sha256",
        "--initial-branch=main",
        ".",
    ]);
    copy.save("a.py", "clean\n");
    let run = copy.try_git(&["push", "--quiet", bare.path().to_str().unwrap(), "main"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("SHA-256"), "{}", run.stderr);
}

#[test]
fn the_update_hook_judges_each_reference() {
    let server = Server::without_hook();
    server
        .bare
        .dir
        .run(&["hook", "install", "update"])
        .expect(0);
    server.copy.git(&["checkout", "--quiet", "-b", "clean"]);
    server.copy.save("a.py", "x = 1\n");
    server
        .copy
        .git(&["checkout", "--quiet", "-b", "dirty", "main"]);
    server.copy.save("b.py", leak(1));
    let run = server.push(&["clean", "dirty"]);
    assert_eq!(run.code, Some(1));
    assert!(answer(&run).join("\n").contains("b.py:1"), "{}", run.stderr);
    let refs = server.refs();
    assert!(
        refs.contains("refs/heads/clean") && !refs.contains("refs/heads/dirty"),
        "{refs}"
    );
    assert_eq!(server.push(&["--delete", "clean"]).code, Some(0));
}

#[test]
fn pre_receive_without_a_quarantine_judges_what_no_reference_has() {
    let server = Server::without_hook();
    server.copy.save("a.py", leak(1));
    let new = server.copy.git(&["rev-parse", "HEAD"]);
    let old = server.copy.git(&["rev-parse", "HEAD^"]);
    // The objects come as files, as a copy of folders brings them.
    let from = server.copy.path().join(".git/objects");
    let to = server.bare.path().join("objects");
    let copied = std::process::Command::new("cp")
        .args(["-rn"])
        .arg(from.join("."))
        .arg(to)
        .status();
    assert!(copied.unwrap().success());
    let judge = |line: String| {
        let args = ["hook", "pre-receive"];
        server
            .bare
            .dir
            .run_with(&args, &[("GIT_DIR", ".")], line.as_bytes())
    };
    let run = judge(format!("{old} {new} refs/heads/main\n")).expect(1);
    assert!(run.stderr.contains("a.py:1"), "{}", run.stderr);
    judge(format!("{old} {old} refs/heads/main\n")).expect(0);
    // git calls it for nothing at all never: what it wrote got lost.
    let run = judge(String::new()).expect(2);
    assert!(run.stderr.contains("no reference"), "{}", run.stderr);
    let missing = "1".repeat(40);
    judge(format!("{old} {missing} refs/heads/main\n")).expect(2);
}

/// A working copy with the client hooks.
fn hooked() -> Server {
    let server = Server::without_hook();
    server.copy.dir.run(&["hook", "install"]).expect(0);
    server
}

#[test]
fn pre_commit_reads_the_index_and_not_the_disk() {
    let copy = &hooked().copy;
    copy.write("a.py", leak(1));
    copy.git(&["add", "a.py"]);
    copy.write("a.py", "clean on disk\n");
    let commit = |args: &[&str]| copy.try_git(&[&["commit", "--quiet", "-m", "x"], args].concat());
    let run = commit(&[]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(
        run.stderr.contains("a.py:1") && !run.stderr.contains(&token(1)[4..]),
        "{}",
        run.stderr
    );
    // What `--all` and a path put into an index of their own is what counts.
    assert_eq!(commit(&["--all"]).code, Some(0));
    copy.write("a.py", leak(1));
    assert_eq!(commit(&["--all"]).code, Some(1));
    copy.write("b.py", "clean\n");
    copy.git(&["add", "b.py"]);
    assert_eq!(commit(&["b.py"]).code, Some(0));
    assert_eq!(commit(&["a.py"]).code, Some(1));
}

#[test]
fn pre_push_judges_what_the_remote_has_not() {
    let server = hooked();
    let copy = &server.copy;
    let save = |name: &str, text: String| {
        copy.write(name, text);
        copy.git(&["add", name]);
        copy.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
    };
    save("a.py", "x = 1\n".to_owned());
    assert_eq!(server.push(&["main"]).code, Some(0));
    save("b.py", leak(1));
    save("b.py", "clean\n".to_owned());
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(
        run.stderr.contains("b.py:1") && !run.stderr.contains(&token(1)[4..]),
        "{}",
        run.stderr
    );
    assert_eq!(server.push(&["main~2:refs/heads/other"]).code, Some(0));
    assert_eq!(server.push(&["--delete", "other"]).code, Some(0));
    // Once the server has it, it is not new.
    assert_eq!(server.push(&["--no-verify", "main"]).code, Some(0));
    save("c.py", "clean\n".to_owned());
    assert_eq!(server.push(&["main"]).code, Some(0));
}

#[test]
fn pre_commit_reads_split_and_sparse_indexes() {
    for form in [
        &["config", "core.splitIndex", "true"][..],
        &["sparse-checkout", "set", "--cone", "--sparse-index", "in"],
    ] {
        let server = hooked();
        let copy = &server.copy;
        copy.save("out/a.py", "clean\n");
        copy.save("in/a.py", "clean\n");
        copy.git(form);
        let commit = |args: &[&str]| {
            let all = [&["commit", "--quiet", "-m", "Change"], args].concat();
            copy.try_git(&all)
        };
        for name in ["in/a.py", "in/b.py"] {
            copy.write(name, "still clean\n");
            copy.git(&["add", name]);
            commit(&[]).expect(0);
            copy.write(name, leak(1));
            commit(&["--all"]).expect(1);
            commit(&[name]).expect(1);
            copy.git(&["add", name]);
            commit(&[]).expect(1);
            copy.git(&["reset", "--quiet", "--hard"]);
        }
    }
}

/// Runs git on a repository that lies apart from its working tree, as people keep their dotfiles.
fn apart(git_dir: &Path, tree: &Path, args: &[&str]) -> Run {
    let output = git(tree)
        .arg(format!("--git-dir={}", git_dir.display()))
        .arg(format!("--work-tree={}", tree.display()))
        .args(args)
        .output();
    output.expect("git runs").into()
}

#[test]
fn a_repository_apart_from_its_working_tree_is_the_one_that_is_judged() {
    let server = Server::without_hook();
    let dotfiles = Repo::clone_of(&server.bare, &["--bare"]);
    // The working tree lies in another repository, which has nothing to do with it.
    let (around, home) = (Repo::new(), Dir::new());
    around.save("README", "around\n");
    let inside = around.path().join("home");
    fs::create_dir(&inside).unwrap();
    dotfiles
        .dir
        .run(&["hook", "install", "pre-commit", "pre-push"])
        .expect(0);
    for tree in [home.path(), &inside] {
        let git = |args: &[&str]| apart(dotfiles.path(), tree, args);
        git(&["reset", "--quiet"]).expect(0);
        fs::write(tree.join(".profile"), leak(1)).unwrap();
        git(&["add", ".profile"]).expect(0);
        let run = git(&["commit", "--quiet", "-m", "Keep"]).expect(1);
        assert!(run.stderr.contains(".profile"), "{}", run.stderr);
        git(&["commit", "--quiet", "--no-verify", "-m", "Keep"]).expect(0);
        let run = git(&["push", "--quiet", "origin", "main"]).expect(1);
        assert!(run.stderr.contains(".profile"), "{}", run.stderr);
        git(&["reset", "--quiet", "--soft", "HEAD^"]).expect(0);
        fs::write(tree.join(".profile"), format!("{}\n", tree.display())).unwrap();
        git(&["commit", "--quiet", "--message=Keep", ".profile"]).expect(0);
        git(&["push", "--quiet", "origin", "main"]).expect(0);
    }
}

#[test]
fn a_linked_working_tree_is_judged_by_its_own_index_and_head() {
    let server = hooked();
    let tree = Dir::new();
    let place = tree.path().join("linked");
    let place = place.to_str().unwrap();
    server
        .copy
        .git(&["worktree", "add", "--quiet", "-b", "topic", place]);
    let git = |args: &[&str]| -> Run {
        let output = git(Path::new(place)).args(args).output();
        output.expect("git runs").into()
    };
    fs::write(Path::new(place).join("a.py"), leak(1)).unwrap();
    git(&["add", "a.py"]).expect(0);
    git(&["commit", "--quiet", "-m", "Add"]).expect(1);
    git(&["commit", "--quiet", "-m", "Add", "a.py"]).expect(1);
    git(&["commit", "--quiet", "--no-verify", "-m", "Add"]).expect(0);
    git(&["push", "--quiet", "origin", "topic"]).expect(1);
    git(&["reset", "--quiet", "--hard", "HEAD^"]).expect(0);
    fs::write(Path::new(place).join("a.py"), "clean\n").unwrap();
    git(&["add", "a.py"]).expect(0);
    git(&["commit", "--quiet", "-m", "Add"]).expect(0);
    git(&["push", "--quiet", "origin", "topic"]).expect(0);
}

#[test]
fn a_push_is_judged_by_what_the_remote_has_accepted() {
    let server = hooked();
    let copy = &server.copy;
    copy.write("a.py", leak(1));
    let save = |name: &str| {
        copy.git(&["add", name]);
        copy.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
    };
    save("a.py");
    let accept = format!("{} # made up\n", fingerprints(copy)[0].1);
    copy.write(".keysweepignore", &accept);
    save(".keysweepignore");
    assert_eq!(server.push(&["main"]).code, Some(1), "it excuses itself");
    copy.git(&["reset", "--quiet", "--hard", "origin/main"]);
    copy.write(".keysweepignore", &accept);
    save(".keysweepignore");
    assert_eq!(server.push(&["main"]).code, Some(0));
    copy.write("a.py", leak(1));
    save("a.py");
    // A new branch builds on what the remote has, too.
    let run = server.push(&["main:refs/heads/other"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(server.push(&["main"]).code, Some(0));
    // So does one to a second server, which has nothing yet.
    let backup = Repo::bare();
    let url = backup.path().display().to_string();
    let run = copy.try_git(&["push", "--quiet", &url, "main"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn a_list_that_is_not_valid_can_be_pushed_right() {
    let server = hooked();
    let copy = &server.copy;
    let save = |text: &str| {
        copy.write(".keysweepignore", text);
        copy.git(&["add", "."]);
        copy.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
        server.push(&["main"]).code
    };
    assert_eq!(save("nonsense\n"), Some(0));
    assert_eq!(save("# nothing\n"), Some(0));
}

#[test]
fn a_list_that_is_not_valid_is_told_and_can_be_committed_right() {
    let copy = &hooked().copy;
    let commit = |text: &str| {
        copy.write(".keysweepignore", text);
        copy.git(&["add", "."]);
        copy.try_git(&["commit", "--quiet", "-m", "x"]).expect(0)
    };
    for text in ["nonsense\n", "# nothing\n"] {
        let run = commit(text);
        assert!(run.stderr.contains("damaged"), "{text}: {}", run.stderr);
    }
    let run = commit("# nothing at all\n");
    assert!(!run.stderr.contains("damaged"), "{}", run.stderr);
}

#[test]
fn a_damaged_list_that_the_remote_has_accepts_nothing() {
    let server = hooked();
    let copy = &server.copy;
    save_unasked(copy, ".keysweepignore", "nonsense\n");
    assert_eq!(server.push(&["main"]).code, Some(0));
    save_unasked(copy, "a.py", &leak(1));
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(1));
    for told in ["a.py:1", "damaged, that of commit"] {
        assert!(run.stderr.contains(told), "{told}: {}", run.stderr);
    }
}

#[test]
fn what_a_merge_brings_from_the_other_side_can_be_committed() {
    let copy = &hooked().copy;
    let commit = |args: &[&str]| copy.try_git(&[&["commit", "--quiet", "-m", "x"], args].concat());
    copy.git(&["checkout", "--quiet", "-b", "other"]);
    copy.write("other.py", leak(1));
    copy.write(&format!("{}.txt", token(2)), "one\n");
    copy.write("README", "theirs\n");
    copy.git(&["add", "."]);
    assert_eq!(commit(&["--no-verify"]).code, Some(0));
    copy.git(&["checkout", "--quiet", "main"]);
    copy.write("README", "ours\n");
    assert_eq!(commit(&["--all"]).code, Some(0));
    assert_eq!(
        copy.try_git(&["merge", "other"]).code,
        Some(1),
        "a conflict"
    );
    copy.write("README", format!("both\n{}", leak(3)));
    copy.git(&["add", "README"]);
    let run = commit(&[]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("README:2"), "{}", run.stderr);
    assert!(run.stderr.contains("(1 found)"), "{}", run.stderr);
    copy.write("README", "both\n");
    copy.git(&["add", "README"]);
    let run = commit(&[]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    // That the name is there already is not the fault of whoever edits the file, or moves it.
    let name = format!("{}.txt", token(2));
    copy.write(&name, "two\n");
    assert_eq!(commit(&["--all"]).code, Some(0));
    fs::create_dir(copy.path().join("folder")).unwrap();
    copy.git(&["mv", &name, "folder/"]);
    let run = commit(&["--all"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn hooks_that_are_there_are_kept_and_put_back() {
    let server = Server::without_hook();
    let copy = &server.copy;
    let hooks = copy.path().join("team hooks");
    copy.git(&["config", "core.hooksPath", "team hooks"]);
    fs::create_dir(&hooks).unwrap();
    let old = "#!/bin/sh\ncat > seen\n[ ! -e veto ]\n";
    for name in ["pre-push", "pre-commit"] {
        fs::write(hooks.join(name), old).unwrap();
        fs::set_permissions(hooks.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let run = copy.dir.run(&["hook", "install"]).expect(0);
    assert!(
        run.stdout.contains("after the hook that was there"),
        "{}",
        run.stdout
    );
    let script = read(&hooks.join("pre-push"));
    let run = copy.dir.run(&["hook", "install"]).expect(0);
    assert!(run.stdout.contains("installed already"), "{}", run.stdout);
    assert_eq!(read(&hooks.join("pre-push")), script);
    copy.write("a.py", "x = 1\n");
    copy.git(&["add", "a.py"]);
    copy.git(&["commit", "--quiet", "-m", "x"]);
    assert_eq!(server.push(&["main"]).code, Some(0));
    let seen = read(&copy.path().join("seen"));
    assert!(
        seen.contains("refs/heads/main"),
        "the earlier hook gets the lines too: {seen}"
    );
    copy.write("veto", "");
    copy.git(&[
        "commit",
        "--quiet",
        "--no-verify",
        "--allow-empty",
        "-m",
        "x",
    ]);
    assert_eq!(
        server.push(&["main"]).code,
        Some(1),
        "the earlier hook still decides"
    );
    copy.dir.run(&["hook", "install", "--uninstall"]).expect(0);
    assert_eq!(read(&hooks.join("pre-push")), old);
    let left: BTreeSet<_> = fs::read_dir(&hooks)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(!copy.path().join("team hooks.before-keysweep").exists());
    // A hook that is none of ours is left alone.
    copy.dir.run(&["hook", "install", "--uninstall"]).expect(0);
    assert_eq!(read(&hooks.join("pre-push")), old);
}

#[test]
fn each_server_has_its_folders_and_the_rehearsal_finds_them() {
    for (layout, file) in [
        ("git", "hooks/pre-receive"),
        ("gitlab", "custom_hooks/pre-receive.d/keysweep"),
        ("gitea", "hooks/pre-receive.d/keysweep"),
        ("forgejo", "hooks/pre-receive.d/keysweep"),
        ("bitbucket", "hooks/pre-receive.d/10_keysweep"),
        ("ghes", "keysweep-pre-receive.sh"),
    ] {
        let bare = Repo::bare();
        bare.dir.run(&["hook", "test"]).expect(2);
        bare.dir
            .run(&["hook", "install", "--layout", layout])
            .expect(0);
        let path = bare.path().join(file);
        let mode = fs::metadata(&path).expect(file).permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{file}");
        let run = bare.dir.run(&["hook", "test"]).expect(0);
        assert!(run.stdout.contains("refuses a secret"), "{}", run.stdout);
        // A hook that does nothing any more is found out.
        let blind = read(&path).replace("pre-receive", "pre-receive --help > /dev/null; exit 0;");
        fs::write(&path, blind).unwrap();
        let run = bare.dir.run(&["hook", "test"]).expect(2);
        assert!(run.stdout.contains("did NOT refuse"), "{}", run.stdout);
        bare.dir
            .run(&["hook", "install", "--layout", layout, "--uninstall"])
            .expect(0);
        assert!(!path.exists());
    }
}

#[test]
fn the_rehearsal_tries_the_hooks_of_a_working_copy() {
    let server = hooked();
    let run = server.copy.dir.run(&["hook", "test"]).expect(0);
    for name in ["pre-commit", "pre-push"] {
        assert!(
            run.stdout.contains(&format!("{name}: refuses a secret")),
            "{}",
            run.stdout
        );
    }
}

#[test]
fn a_hook_that_is_not_executable_is_found_out_and_repaired() {
    let server = Server::new();
    let hook = server.bare.path().join("hooks/pre-receive");
    let set = |mode| fs::set_permissions(&hook, fs::Permissions::from_mode(mode)).unwrap();
    set(0o644);
    let run = server.bare.dir.run(&["hook", "test"]).expect(2);
    assert!(run.stdout.contains("is not executable"), "{}", run.stdout);
    let policy = server.operator.path().join("policy.toml");
    let args = ["hook", "install", "--policy", policy.to_str().unwrap()];
    let run = server.bare.dir.run(&args).expect(0);
    assert!(run.stdout.contains("was not executable"), "{}", run.stdout);
    server.bare.dir.run(&["hook", "test"]).expect(0);
    server.copy.save("a.py", leak(1));
    let before = server.refs();
    assert_refused(&server, &before, &server.push(&["main"]), &[&token(1)]);
    // For whom it is executable, the operator decides.
    set(0o750);
    let run = server.bare.dir.run(&args).expect(0);
    assert!(run.stdout.contains("installed already"), "{}", run.stdout);
    assert_eq!(
        fs::metadata(&hook).unwrap().permissions().mode() & 0o777,
        0o750
    );
}

#[test]
fn a_secret_in_the_name_of_a_folder_is_not_printed() {
    let dir = Dir::new();
    let name = token(1);
    fs::create_dir(dir.path().join(&name)).unwrap();
    git(dir.path())
        .args(["init", "--quiet", &name])
        .status()
        .unwrap();
    for args in [
        &["hook", "install", "-C", &name][..],
        &["hook", "test", "-C", &name],
        &["hook", "install", "-C", &name, "--uninstall"],
        &["demo", &format!("{name}/demo")],
    ] {
        let run = dir.run(args);
        let printed = run.stdout + &run.stderr;
        assert!(
            printed.contains("ghp_*") && !printed.contains(&name),
            "{printed}"
        );
    }
}

#[test]
fn the_framework_s_entry_judges_the_index() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    let manifest = read(&manifest);
    let entries: BTreeSet<&str> = manifest
        .lines()
        .filter_map(|line| line.trim().strip_prefix("entry: keysweep "))
        .collect();
    assert_eq!(entries.len(), 1, "{manifest}");
    let args: Vec<&str> = entries.iter().flat_map(|entry| entry.split(' ')).collect();
    let copy = Repo::new();
    copy.write("a.py", "clean\n");
    copy.git(&["add", "a.py"]);
    let run = copy.dir.run(&args).expect(0);
    assert_eq!(run.stderr, "");
    copy.write("a.py", leak(1));
    copy.git(&["add", "a.py"]);
    copy.dir.run(&args).expect(1);
}

#[test]
fn a_repository_of_somebody_else_is_refused_with_the_fix() {
    let server = Server::without_hook();
    let given = std::process::Command::new("chown")
        .args(["-R", "54321"])
        .arg(server.bare.path())
        .status();
    if !given.is_ok_and(|status| status.success()) {
        return eprintln!("left out: only root can give a repository away");
    }
    let id = server.copy.git(&["rev-parse", "HEAD"]);
    let args = ["hook", "update", "refs/heads/main", &id, &id];
    let run = server
        .bare
        .dir
        .run_with(&args, &[("GIT_DIR", ".")], b"")
        .expect(2);
    assert!(run.stderr.contains("safe.directory"), "{}", run.stderr);
}

/// A hook as managers write them: it goes by its name, by what lies beside it, and by what lies in the
/// folder above.
const BY_NAME: &str = "#!/bin/sh\n. \"$(dirname \"$0\")/h\"\n";
const BESIDE: &str = "n=$(basename \"$0\")\ns=$(dirname \"$(dirname \"$0\")\")/$n\n[ ! -f \"$s\" ] || sh -e \"$s\"\n";

/// A working copy whose hooks in `.husky/_` call what lies in `.husky`.
fn managed() -> Server {
    let server = Server::without_hook();
    let copy = &server.copy;
    copy.git(&["config", "core.hooksPath", ".husky/_"]);
    copy.write(".husky/_/h", BESIDE);
    for name in ["pre-commit", "pre-push"] {
        util::tools::executable(&copy.dir, &format!(".husky/_/{name}"), BY_NAME);
    }
    server
}

#[test]
fn an_earlier_hook_keeps_its_name_and_its_folders() {
    let server = managed();
    let copy = &server.copy;
    copy.dir.run(&["hook", "install"]).expect(0);
    for kept in fs::read_dir(copy.path().join(".husky/_.before-keysweep")).unwrap() {
        let kept = kept.unwrap().path();
        assert!(kept.exists(), "leads nowhere: {}", kept.display());
    }
    let commit = || copy.try_git(&["commit", "--quiet", "--allow-empty", "-m", "x"]);
    assert_eq!(commit().code, Some(0));
    copy.write(".husky/pre-commit", "echo told >&2; exit 1\n");
    copy.write(".husky/pre-push", "cat > seen; exit 1\n");
    let run = commit();
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("told"), "{}", run.stderr);
    assert_eq!(server.push(&["main:other"]).code, Some(1));
    assert!(read(&copy.path().join("seen")).contains("refs/heads/other"));
    // What comes to the folder later is there too, once it is installed again.
    copy.write(".husky/_/more", "echo more >&2\n");
    copy.dir.run(&["hook", "install"]).expect(0);
    let beside = copy.path().join(".husky/_.before-keysweep/more");
    assert_eq!(read(&beside), "echo more >&2\n");
    fs::remove_file(copy.path().join(".husky/_/more")).unwrap();
    let status = copy.git(&["status", "--porcelain", "--untracked-files=all"]);
    assert!(!status.contains("before-keysweep"), "{status}");
    copy.dir
        .run(&["hook", "install", "pre-push", "--uninstall"])
        .expect(0);
    assert_eq!(commit().code, Some(1));
    copy.dir.run(&["hook", "install", "--uninstall"]).expect(0);
    for name in ["pre-commit", "pre-push"] {
        assert_eq!(read(&copy.path().join(".husky/_").join(name)), BY_NAME);
    }
    assert!(!copy.path().join(".husky/_.before-keysweep").exists());
}

#[test]
fn an_earlier_hook_may_be_a_link_or_have_been_written_anew() {
    let server = Server::without_hook();
    let copy = &server.copy;
    util::tools::executable(
        &copy.dir,
        "tools/any",
        "#!/bin/sh\n[ \"${0##*/}\" != pre-commit ]\n",
    );
    let hooks = copy.path().join(".git/hooks");
    let hook = hooks.join("pre-commit");
    fs::create_dir_all(&hooks).unwrap();
    std::os::unix::fs::symlink("../../tools/any", &hook).unwrap();
    let commit = || {
        copy.try_git(&["commit", "--quiet", "--allow-empty", "-m", "x"])
            .code
    };
    for _ in 0..2 {
        copy.dir.run(&["hook", "install", "pre-commit"]).expect(0);
        assert_eq!(commit(), Some(1));
        // A manager puts its hook over ours.
        fs::remove_file(&hook).unwrap();
        std::os::unix::fs::symlink("../../tools/any", &hook).unwrap();
    }
    // Another one than is kept is never lost.
    fs::remove_file(&hook).unwrap();
    fs::write(&hook, "#!/bin/sh\n").unwrap();
    let run = copy.dir.run(&["hook", "install", "pre-commit"]).expect(2);
    assert!(run.stderr.contains("in the way"), "{}", run.stderr);
    // A link that leads nowhere is kept too, and nothing is written where it leads.
    let lost = copy.path().join("lost");
    fs::remove_dir_all(copy.path().join(".git/hooks.before-keysweep")).unwrap();
    fs::remove_file(&hook).unwrap();
    std::os::unix::fs::symlink(&lost, &hook).unwrap();
    copy.dir.run(&["hook", "install", "pre-commit"]).expect(0);
    assert!(!lost.exists());
    assert_eq!(commit(), Some(0));
    copy.dir
        .run(&["hook", "install", "pre-commit", "--uninstall"])
        .expect(0);
    assert_eq!(fs::read_link(&hook).unwrap(), lost);
}

#[test]
fn a_script_that_was_changed_or_is_older_is_replaced_and_kept() {
    let server = Server::without_hook();
    let copy = &server.copy;
    copy.dir.run(&["hook", "install", "pre-commit"]).expect(0);
    let hook = copy.path().join(".git/hooks/pre-commit");
    let ours = read(&hook);
    let edited = ours.replace("exec", "echo mine\nexec");
    fs::write(&hook, &edited).unwrap();
    let run = copy.dir.run(&["hook", "install", "pre-commit"]).expect(0);
    let aside = hook.with_file_name("pre-commit.edited-keysweep");
    assert!(run.stdout.contains("edited-keysweep"), "{}", run.stdout);
    assert_eq!((read(&aside), read(&hook)), (edited, ours.clone()));
    let mode = fs::metadata(&aside).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0, "servers run all that is executable");
    fs::remove_file(&aside).unwrap();
    // As it was before folders were kept.
    let (head, call) = ours.split_once("exec ").unwrap();
    let beside = "\"$(dirname \"$0\")/pre-commit.before-keysweep\"";
    let chain = format!("if [ -x {beside} ]; then\n  {beside} \"$@\" || exit $?\nfi\n");
    fs::write(&hook, format!("{head}{chain}exec {call}")).unwrap();
    util::tools::executable(
        &copy.dir,
        ".git/hooks/pre-commit.before-keysweep",
        "#!/bin/sh\n[ \"${0##*/}\" != pre-commit ]\n",
    );
    let commit = || {
        copy.try_git(&["commit", "--quiet", "--allow-empty", "-m", "x"])
            .code
    };
    assert_eq!(commit(), Some(0));
    let run = copy.dir.run(&["hook", "install", "pre-commit"]).expect(0);
    assert!(!aside.exists(), "{}", run.stdout);
    assert_eq!(commit(), Some(1), "it has its name again");
    // The same where somebody has removed ours.
    let old = hook.with_file_name("pre-commit.before-keysweep");
    fs::rename(
        copy.path().join(".git/hooks.before-keysweep/pre-commit"),
        &old,
    )
    .unwrap();
    fs::remove_file(&hook).unwrap();
    copy.dir.run(&["hook", "install", "pre-commit"]).expect(0);
    assert!(!old.exists());
    assert_eq!(commit(), Some(1));
}

#[test]
fn a_link_to_our_script_of_another_repository_is_not_written_through() {
    let [one, other] = [Server::new(), Server::without_hook()];
    let [theirs, ours] = [&one, &other].map(|server| server.bare.path().join("hooks/pre-receive"));
    std::os::unix::fs::symlink(&theirs, &ours).unwrap();
    let before = read(&theirs);
    other.bare.dir.run(&["hook", "install"]).expect(0);
    assert_eq!(read(&theirs), before);
    assert!(ours.symlink_metadata().unwrap().is_file());
    assert!(!read(&ours).contains("--policy"), "{}", read(&ours));
    other.bare.dir.run(&["hook", "test"]).expect(0);
}

#[test]
fn what_could_not_run_is_not_installed() {
    let server = Server::without_hook();
    let (bare, operator) = (&server.bare, &server.operator);
    let policy = operator.write("policy.toml", "");
    let policy = policy.to_str().unwrap();
    let inside = bare.write("policy.toml", "");
    let refused: [(&[&str], &str); 6] = [
        (&["pre-commit", "--policy", policy], "has no policy"),
        (&["--policy", "no-such-file"], "no-such-file"),
        (
            &["--policy", inside.to_str().unwrap()],
            "outside of the repository",
        ),
        (&["--program", "./no-such-program"], "no such program"),
        (&["--layout", "gitlab", "-C", "typo"], "no repository"),
        (&["--layout", "gitea", "-C", "typo"], "no repository"),
    ];
    for (args, why) in refused {
        let run = bare
            .dir
            .run(&[&["hook", "install"], args].concat())
            .expect(2);
        assert!(run.stderr.contains(why), "{args:?}: {}", run.stderr);
    }
    assert!(!bare.path().join("typo").exists());
    assert!(!bare.path().join("hooks/pre-receive").exists());
    // A program is found from wherever the hook runs.
    fs::copy(env!("CARGO_BIN_EXE_keysweep"), operator.path().join("ours")).unwrap();
    let at = bare.path().to_str().unwrap();
    operator
        .run(&["hook", "install", "-C", at, "--program", "./ours"])
        .expect(0);
    server.copy.save("a.py", leak(1));
    let before = server.refs();
    let run = server.push(&["main"]);
    assert_refused(&server, &before, &run, &[&token(1)]);
}

/// Saves without asking the hooks of the working copy.
fn save_unasked(copy: &Repo, name: &str, text: &str) {
    copy.write(name, text);
    copy.git(&["add", name]);
    copy.git(&["commit", "--quiet", "--no-verify", "-m", "x"]);
}

#[test]
fn pre_push_judges_by_the_repository_and_not_by_the_remote_s_name() {
    let server = hooked();
    let copy = &server.copy;
    save_unasked(copy, "a.py", &leak(1));
    assert_eq!(server.push(&["--no-verify", "main"]).code, Some(0));
    let url = server.bare.path().to_str().unwrap();
    let push = |args: &[&str]| copy.try_git(&[&["push", "--quiet"], args].concat());
    // The server has it, however it is called.
    assert_eq!(push(&[url, "main:by-path"]).code, Some(0));
    assert_eq!(
        push(&[&format!("file://{url}"), "main:by-url"]).code,
        Some(0)
    );
    // Another server has not, though the remote has the same name, or one that begins so.
    let public = Repo::bare();
    let other = public.path().to_str().unwrap();
    copy.git(&["config", "remote.origin.pushurl", other]);
    let run = push(&["origin", "main"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("a.py:1"), "{}", run.stderr);
    copy.git(&["config", "--unset", "remote.origin.pushurl"]);
    copy.git(&["remote", "add", "pub", other]);
    copy.git(&["config", "remote.pub/private.url", url]);
    let refspec = "+refs/heads/*:refs/remotes/pub/private/*";
    copy.git(&["config", "remote.pub/private.fetch", refspec]);
    copy.git(&["fetch", "--quiet", "pub/private"]);
    assert_eq!(push(&["pub", "main"]).code, Some(1));
    assert_eq!(public.git(&["for-each-ref"]), "");
    assert_eq!(push(&["pub/private", "main:again"]).code, Some(0));
}

#[test]
fn pre_push_judges_each_place_that_a_remote_leads_to() {
    let server = hooked();
    let copy = &server.copy;
    save_unasked(copy, "a.py", &leak(1));
    assert_eq!(server.push(&["--no-verify", "main"]).code, Some(0));
    let private = server.bare.path().to_str().unwrap();
    let public = Repo::bare();
    let other = public.path().to_str().unwrap();
    let push = |args: &[&str]| copy.try_git(&[&["push", "--quiet"], args].concat());
    // Pushes go to all of the URLs, fetches to the first, and what libgit2 tells is the last.
    copy.git(&["remote", "set-url", "--add", "origin", other]);
    let run = push(&["origin", "main"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("a.py:1"), "{}", run.stderr);
    copy.git(&["config", "--unset-all", "remote.origin.url"]);
    // Where pushes go elsewhere, git moves what stands for the remote after them, too.
    copy.git(&["config", "remote.origin.url", other]);
    copy.git(&["config", "remote.origin.pushurl", private]);
    assert_eq!(push(&["--no-verify", "origin", "main"]).code, Some(0));
    let run = push(&[other, "main"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(
        run.stderr.contains("so that all is judged"),
        "{}",
        run.stderr
    );
    // A URL that is called like a remote is not that of the remote.
    std::os::unix::fs::symlink(public.path(), copy.path().join("backup")).unwrap();
    copy.git(&["remote", "add", "out", "backup"]);
    copy.git(&["remote", "add", "backup", private]);
    copy.git(&["fetch", "--quiet", "backup"]);
    assert_eq!(push(&["out", "main"]).code, Some(1));
    assert_eq!(public.git(&["for-each-ref"]), "");
    assert_eq!(push(&["backup", "main:again"]).code, Some(0));
}

#[test]
fn pre_push_takes_the_remotes_that_git_takes() {
    let server = hooked();
    let copy = &server.copy;
    save_unasked(copy, "a.py", &leak(1));
    assert_eq!(server.push(&["--no-verify", "main"]).code, Some(0));
    // `git remote` makes none of such a name.
    let set = |key: &str, value: &str| {
        copy.git(&["config", &format!("remote.two words.{key}"), value]);
    };
    set("url", "elsewhere");
    set("fetch", "+refs/heads/*:refs/remotes/two/*");
    let run = server.push(&["main:next"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    // Now it writes what stands for the other one, too.
    set("fetch", "+refs/heads/*:refs/remotes/origin/*");
    assert_eq!(server.push(&["main:again"]).code, Some(1));
}

#[test]
fn what_git_tells_of_a_reference_counts_and_not_what_was_fetched_of_it() {
    let server = hooked();
    let (bare, copy) = (&server.bare, &server.copy);
    save_unasked(copy, "a.py", &leak(1));
    assert_eq!(server.push(&["--no-verify", "main"]).code, Some(0));
    copy.git(&["remote", "set-head", "origin", "main"]);
    // Another repository, of which nothing was fetched.
    let public = Repo::bare();
    let lead = |to: &Repo| copy.git(&["remote", "set-url", "origin", to.path().to_str().unwrap()]);
    lead(&public);
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("a.py:1"), "{}", run.stderr);
    assert_eq!(public.git(&["for-each-ref"]), "");
    lead(bare);
    assert_eq!(server.push(&["main"]).code, Some(0));
    // What somebody put on top is not here, and tells nothing of what was.
    let other = Repo::clone_of(bare, &[]);
    other.save("o.py", "x = 1\n");
    other.git(&["push", "--quiet", "origin", "main"]);
    save_unasked(copy, "b.py", "x = 1\n");
    assert_eq!(server.push(&["--force", "main"]).code, Some(0));
    // Somebody took it out.
    bare.git(&["update-ref", "refs/heads/main", "main~2"]);
    assert_eq!(server.push(&["main"]).code, Some(1));
}

#[test]
fn a_push_into_the_same_repository_brings_what_is_there() {
    let copy = hooked().copy;
    save_unasked(&copy, "a.py", &leak(1));
    copy.git(&["push", "--quiet", ".", "main:next"]);
    // What no reference leads to is new there, too.
    copy.git(&["checkout", "--quiet", "--detach"]);
    save_unasked(&copy, "b.py", &leak(2));
    let run = copy.try_git(&["push", "--quiet", ".", "HEAD:refs/heads/other"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("b.py:1"), "{}", run.stderr);
    assert!(!run.stderr.contains("a.py:1"), "{}", run.stderr);
}

#[test]
fn a_push_of_what_a_partial_clone_lacks_says_what_to_do() {
    let server = Server::without_hook();
    server.copy.save("a.py", "x = 1\n");
    server.copy.save("a.py", "x = 2\n");
    assert_eq!(server.push(&["main"]).code, Some(0));
    server
        .bare
        .git(&["config", "uploadpack.allowFilter", "true"]);
    for filter in ["blob:none", "tree:0"] {
        let partial = Repo::clone_of(&server.bare, &["--filter", filter]);
        partial.dir.run(&["hook", "install"]).expect(0);
        let fork = Repo::clone_of(&server.bare, &["--bare"]);
        let push =
            || partial.try_git(&["push", "--quiet", fork.path().to_str().unwrap(), "main:new"]);
        let run = push();
        assert_eq!(run.code, Some(1));
        assert!(
            run.stderr.contains("--refetch --no-filter"),
            "{}",
            run.stderr
        );
        partial.git(&["fetch", "--quiet", "--refetch", "--no-filter"]);
        let run = push();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
}

#[test]
fn pre_push_takes_two_paths_of_a_host_for_two_repositories() {
    let server = hooked();
    let copy = &server.copy;
    save_unasked(copy, "a.py", &leak(1));
    // A path without a slash begins at home.
    let home = Dir::new();
    let public = Repo::bare();
    let path = public.path().to_str().unwrap();
    let below = home.path().join(&path[1..]);
    fs::create_dir_all(&below).unwrap();
    git(&below)
        .args(["init", "--quiet", "--bare"])
        .status()
        .unwrap();
    let ssh = home.write("ssh", "#!/bin/sh\ncd \"${0%/*}\" && exec sh -c \"$2\"\n");
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
    let vars = [
        ("GIT_SSH", ssh.to_str().unwrap()),
        ("GIT_SSH_VARIANT", "simple"),
    ];
    let push = |args: &[&str]| copy.try_git_with(&[&["push", "--quiet"], args].concat(), &vars);
    let at_home = format!("host.example:{}", &path[1..]);
    let from_root = format!("host.example:{path}");
    copy.git(&["remote", "set-url", "origin", &at_home]);
    let run = push(&["--no-verify", "origin", "main"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let run = push(&[&from_root, "main"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("a.py:1"), "{}", run.stderr);
    assert_eq!(public.git(&["for-each-ref"]), "");
    assert_eq!(push(&[&at_home, "main:again"]).code, Some(0));
}

#[test]
fn a_reference_that_cannot_be_read_only_tells_nothing_of_the_remote() {
    let server = hooked();
    let copy = &server.copy;
    save_unasked(copy, "a.py", &leak(1));
    assert_eq!(server.push(&["--no-verify", "main"]).code, Some(0));
    copy.git(&["checkout", "--quiet", "--orphan", "other"]);
    save_unasked(copy, "other.py", "x = 1\n");
    let lost = copy.git(&["rev-parse", "HEAD"]);
    copy.git(&["tag", "--annotate", "-m", "x", "v1", &lost]);
    let name = format!("refs/remotes/origin/{}", token(2));
    copy.git(&["update-ref", &name, "v1"]);
    copy.git(&["checkout", "--quiet", "main"]);
    let object = copy.path().join(".git/objects");
    fs::remove_file(object.join(&lost[..2]).join(&lost[2..])).unwrap();
    save_unasked(copy, "b.py", "clean\n");
    let run = server.push(&["main:next"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let stderr = &run.stderr;
    assert!(stderr.contains("cannot be read, so that more"), "{stderr}");
    assert!(!stderr.contains(&token(2)[4..]), "{stderr}");
    save_unasked(copy, "c.py", &leak(3));
    let run = server.push(&["main:next"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(!run.stderr.contains("a.py"), "{}", run.stderr);
}

#[test]
fn a_history_of_the_remote_that_cannot_be_read_hides_less() {
    let server = hooked();
    let copy = &server.copy;
    save_unasked(copy, "a.py", "one\n");
    let lost = copy.git(&["rev-parse", "HEAD"]);
    save_unasked(copy, "a.py", "two\n");
    assert_eq!(server.push(&["--no-verify", "main:old"]).code, Some(0));
    copy.git(&["reset", "--quiet", "--hard", "HEAD~2"]);
    let object = copy.path().join(".git/objects");
    fs::remove_file(object.join(&lost[..2]).join(&lost[2..])).unwrap();
    save_unasked(copy, "b.py", "clean\n");
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    save_unasked(copy, "b.py", &leak(1));
    assert_eq!(server.push(&["main"]).code, Some(1));
}

#[test]
fn pre_push_takes_names_with_spaces_and_says_that_nothing_was_sent() {
    let server = hooked();
    let copy = &server.copy;
    save_unasked(copy, "a.py", "x = 1\n");
    for source in ["main@{0 days ago}", ":/x"] {
        let run = server.push(&[&format!("{source}:refs/heads/clean")]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
    copy.git(&["checkout", "--quiet", "-b", "mine"]);
    save_unasked(copy, "b.py", &leak(1));
    let run = server.push(&["HEAD:refs/heads/main"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    for told in ["Nothing has been sent", "git switch mine &&"] {
        assert!(run.stderr.contains(told), "{told}: {}", run.stderr);
    }
    assert!(!run.stderr.contains("left your machine"), "{}", run.stderr);
}

#[test]
fn the_offered_commands_clean_what_is_pushed_and_nothing_else() {
    type Prepare = fn(&Repo);
    let cases: [(&[&str], Prepare); 12] = [
        (&["feat"], |copy| {
            copy.git(&["checkout", "--quiet", "-b", "feat"]);
            copy.save("a.py", leak(1));
        }),
        (&["v1"], |copy| {
            copy.git(&["checkout", "--quiet", "-b", "feat"]);
            copy.save("a.py", leak(1));
            copy.save("b.py", "x = 1\n");
            copy.git(&["tag", "v1"]);
        }),
        (&["v2"], |copy| {
            copy.git(&["checkout", "--quiet", "-b", "feat"]);
            copy.save("a.py", leak(1));
            copy.git(&["tag", "-a", "-m", &leak(2), "v2"]);
        }),
        (&["one", "two"], |copy| {
            copy.git(&["checkout", "--quiet", "-b", "one"]);
            copy.save("one.py", leak(1));
            copy.git(&["checkout", "--quiet", "-b", "two", "main"]);
            copy.save("two.py", leak(2));
        }),
        (&["v3", "feat"], |copy| {
            copy.git(&["checkout", "--quiet", "-b", "feat"]);
            copy.save("a.py", leak(1));
            copy.git(&["tag", "v3"]);
        }),
        (&["feat"], |copy| {
            copy.git(&["checkout", "--quiet", "-b", "feat"]);
            let author = format!("{} <x@example.invalid>", token(1));
            copy.write("a.py", "x = 1\n");
            copy.git(&["add", "a.py"]);
            let commit = ["commit", "--quiet", "-m", "x", "--author"];
            copy.git(&[&commit[..], &[&author]].concat());
        }),
        (&["feat"], |copy| {
            copy.git(&["checkout", "--quiet", "--orphan", "feat"]);
            copy.save("a.py", leak(1));
            copy.save("b.py", "x = 1\n");
            copy.git(&["branch", "clean"]);
        }),
        // A branch and a tag of one name, which lead to one commit or to two.
        (&["refs/heads/v4", "refs/tags/v4"], |copy| {
            copy.git(&["checkout", "--quiet", "-b", "v4"]);
            copy.save("a.py", leak(1));
            copy.git(&["tag", "v4"]);
        }),
        (&["refs/tags/v5"], |copy| {
            copy.git(&["checkout", "--quiet", "--detach"]);
            copy.save("a.py", leak(1));
            copy.git(&["tag", "-a", "-m", &leak(2), "v5"]);
            copy.git(&["branch", "v5", "main"]);
        }),
        (&["a#1", "b$(x)"], |copy| {
            copy.git(&["checkout", "--quiet", "-b", "a#1"]);
            copy.save("a.py", leak(1));
            copy.git(&["branch", "b$(x)"]);
        }),
        (&["it's"], |copy| {
            copy.git(&["checkout", "--quiet", "-b", "it's"]);
            copy.save("a.py", leak(1));
            copy.save("b.py", "x = 1\n");
        }),
        (&["v6", "v7"], |copy| {
            copy.git(&["checkout", "--quiet", "--detach"]);
            copy.save("a.py", leak(1));
            copy.git(&["tag", "v6"]);
            copy.git(&["tag", "v7"]);
        }),
    ];
    for (number, (args, prepare)) in cases.into_iter().enumerate() {
        let server = Server::new();
        let copy = &server.copy;
        prepare(copy);
        copy.git(&["checkout", "--quiet", "main"]);
        let main = copy.git(&["rev-parse", "main"]);
        assert_cleaned(&server, args, &number.to_string());
        assert_eq!(copy.git(&["rev-parse", "main"]), main, "{number}");
    }
}

#[test]
fn offered_commands_that_fail_change_nothing() {
    let server = Server::new();
    let copy = &server.copy;
    copy.git(&["checkout", "--quiet", "-b", "feat"]);
    copy.save("a.py", leak(1));
    copy.save("b.py", "x = 1\n");
    copy.git(&["tag", "-a", "-m", "first", "v1"]);
    copy.git(&["checkout", "--quiet", "main"]);
    // In the way of what would be checked out.
    copy.write("a.py", "mine\n");
    let run = server.push(&["feat"]);
    let tagged = server.push(&["v1"]);
    let state = || copy.git(&["for-each-ref"]) + &copy.git(&["status", "--branch", "--porcelain"]);
    let before = state();
    for command in offered(&run).into_iter().chain(offered(&tagged)) {
        let output = shell(copy, &command);
        assert!(!output.status.success(), "{command}");
    }
    assert_eq!(state(), before);
    assert_eq!(read(&copy.path().join("a.py")), "mine\n");
}

#[test]
fn a_branch_that_is_not_what_was_pushed_stays_as_it_is() {
    let server = Server::new();
    let copy = &server.copy;
    copy.git(&["checkout", "--quiet", "-b", "topic"]);
    copy.save("a.py", leak(1));
    for refs in ["topic:main", "topic:refs/heads/new"] {
        let run = server.push(&[refs, "topic:refs/tags/v1"]);
        let before = copy.git(&["for-each-ref"]);
        for command in offered(&run) {
            let output = shell(copy, &command);
            assert!(!output.status.success(), "{command}");
        }
        assert_eq!(copy.git(&["for-each-ref"]), before);
        assert_eq!(copy.git(&["branch", "--show-current"]), "topic");
    }
    // With the name by which the working copy has it, they do.
    let run = server.push(&["topic:main"]);
    for command in offered(&run) {
        let output = shell(copy, &command.replace("main", "topic"));
        assert!(output.status.success(), "{command}");
        if command.contains(" && : then ") {
            take_out(copy);
        }
    }
    let run = server.push(&["topic:main"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn a_message_that_is_not_given_can_be_given_the_next_time() {
    let server = Server::new();
    let copy = &server.copy;
    copy.save("a.py", leak(1));
    copy.save("b.py", "x = 1\n");
    let run = server.push(&["main"]);
    let commands = offered(&run);
    assert!(shell(copy, &commands[0]).status.success());
    take_out(copy);
    let silent = format!("export GIT_EDITOR=true; {}", commands[1]);
    assert!(!shell(copy, &silent).status.success());
    for command in commands {
        let output = shell(copy, &command);
        assert!(output.status.success(), "{command}");
    }
    assert_eq!(copy.git(&["branch", "--show-current"]), "main");
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn pre_push_cleans_what_is_checked_out_without_a_branch() {
    let server = hooked();
    let copy = &server.copy;
    copy.git(&["checkout", "--quiet", "--detach"]);
    save_unasked(copy, "a.py", &leak(1));
    save_unasked(copy, "b.py", "x = 1\n");
    let push = ["HEAD:refs/heads/new"];
    let run = server.push(&push);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    follow(copy, &run, &take_out);
    let run = server.push(&push);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn no_command_is_offered_for_what_is_no_branch_or_tag() {
    let server = Server::new();
    server.copy.git(&["notes", "add", "-m", &leak(1)]);
    let before = server.refs();
    let run = server.push(&["refs/notes/commits"]);
    assert_refused(&server, &before, &run, &[&token(1)]);
    let answer = answer(&run).join("\n");
    assert!(answer.contains("leave out refs/notes/commits"), "{answer}");
    assert!(!answer.contains("git commit"), "{answer}");
}

/// The fingerprint of the only finding of the newest commit.
fn fingerprint(copy: &Repo) -> String {
    let args = ["diff", "HEAD~1..HEAD", "--quiet", "--format", "jsonl"];
    let found = copy.dir.run(&args).expect(1).json_lines();
    found[0]["fingerprint"].as_str().unwrap().to_owned()
}

const APPROVALS: &str = "[approvals]\npush_options = true\n";

#[test]
fn the_reason_of_an_approval_is_logged_without_the_value() {
    use std::os::unix::ffi::OsStrExt;
    let server = Server::new();
    let advertise = ["config", "receive.advertisePushOptions", "true"];
    server.bare.git(&advertise);
    server.write_policy(APPROVALS);
    // A value that only its name tells is hidden like one that any rule knows.
    let word = made_with("{b62:24}", 3);
    for text in [leak(1), format!("password = \"{word}\"\n")] {
        server.copy.save("a.py", &text);
        let value = text.split('"').nth(1).unwrap();
        let allow = format!(
            "keysweep-allow={}:{value} is fake caf",
            fingerprint(&server.copy)
        );
        let mut push = git(server.copy.path());
        push.args(["push", "--quiet", "origin", "main", "-o"]);
        // Not UTF-8.
        push.arg(std::ffi::OsStr::from_bytes(
            &[allow.as_bytes(), b"\xe9"].concat(),
        ));
        let run: Run = push.output().unwrap().into();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let last = server.audit().pop().unwrap();
        assert_eq!(last["Cause"], "approved");
        let reason = last["Approvals"][0]["Reason"].as_str().unwrap();
        assert!(reason.ends_with(" is fake caf\u{fffd}"), "{reason}");
        assert!(!last.to_string().contains(value), "{last}");
    }
}

#[test]
fn approvals_are_offered_where_they_count() {
    let server = Server::new();
    server
        .bare
        .git(&["config", "receive.advertisePushOptions", "true"]);
    server.copy.save("a.py", leak(1));
    let allow = format!("keysweep-allow={}:fake", fingerprint(&server.copy));
    let users = format!("{APPROVALS}users = ['somebody else']\n");
    for (policy, why) in [("", "this server takes none"), (&users, "not one who may")] {
        server.write_policy(policy);
        let plain = server.push(&["main"]);
        assert!(!plain.stderr.contains("keysweep-allow"), "{}", plain.stderr);
        let run = server.push(&["-o", &allow, "main"]);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains(why), "{}", run.stderr);
    }
    // git gives an update hook no push options.
    server.write_policy(APPROVALS);
    server
        .bare
        .dir
        .run(&["hook", "install", "--uninstall"])
        .expect(0);
    let policy = server.operator.path().join("policy.toml");
    let args = [
        "hook",
        "install",
        "update",
        "--policy",
        policy.to_str().unwrap(),
    ];
    server.bare.dir.run(&args).expect(0);
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("a.py:1"), "{}", run.stderr);
    assert!(!run.stderr.contains("keysweep-allow"), "{}", run.stderr);
}

#[test]
fn an_approval_is_logged_and_git_has_to_take_it() {
    let server = Server::new();
    let advertise = |value| {
        let name = "receive.advertisePushOptions";
        server.bare.git(&["config", name, value]);
    };
    advertise("true");
    server.copy.save("a.py", leak(1));
    let allow = format!("keysweep-allow={}:fake", fingerprint(&server.copy));
    let policy = server.operator.write("policy.toml", APPROVALS);
    let args = ["hook", "install", "--policy", policy.to_str().unwrap()];
    let run = server.push(&["-o", &allow, "main"]);
    assert_eq!(run.code, Some(1));
    for said in [run, server.bare.dir.run(&args).expect(2)] {
        assert!(said.stderr.contains("set `audit`"), "{}", said.stderr);
    }
    server.write_policy(APPROVALS);
    for (value, told) in [("false", true), ("true", false)] {
        advertise(value);
        let run = server.bare.dir.run(&args).expect(0);
        let said = run.stdout.contains("git config receive.adv");
        assert_eq!(said, told, "{}", run.stdout);
    }
    let run = server.push(&["-o", &allow, "main"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn a_policy_that_is_not_valid_is_logged_where_it_says() {
    let server = Server::new();
    server.write_policy("rules = ['/no/such/rules']\n");
    server.copy.save("a.py", "x = 1\n");
    assert_eq!(server.push(&["main"]).code, Some(1));
    let last = server.audit().pop().unwrap();
    assert_eq!(
        (&last["Cause"], &last["ExitCode"]),
        (&json!("error"), &json!(2))
    );
    assert_eq!(last["References"][0]["Name"], "refs/heads/main");
    assert!(last["Error"].as_str().unwrap().contains("/no/such/rules"));
    // What the operator wrote is not for those who push.
    server.write_policy("budget = 'hunter2'\n");
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(1));
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    assert_eq!(server.audit().len(), 2, "a bad value is logged too");
    server.write_policy("disable = ['everything']\n");
    assert_eq!(server.push(&["main"]).code, Some(1));
    let logged = server.audit();
    assert_eq!(logged.len(), 3, "and a key that is not known");
    assert!(logged[2]["Error"].as_str().unwrap().contains("disable"));
    // What is no TOML says nothing of a log.
    server.write_policy("contact = 'open\n");
    assert_eq!(server.push(&["main"]).code, Some(1));
    assert_eq!(server.audit().len(), 3);
}

/// The hook runs in another folder than who installs it.
#[test]
fn the_files_of_a_policy_are_found_from_its_folder() {
    let server = Server::without_hook();
    let (bare, operator) = (&server.bare, &server.operator);
    operator.write("key", "0123456789abcdef");
    operator.write("none.toml", "provider = \"None\"\nrule = []\n");
    let text = "rules = ['none.toml']\naudit = 'audit.jsonl'\nfingerprint_key = './key'\n";
    operator.write("policy.toml", text);
    let at = bare.path().to_str().unwrap();
    let install = ["hook", "install", "-C", at, "--policy", "policy.toml"];
    operator.run(&install).expect(0);
    server.copy.save("a.py", "x = 1\n");
    let run = server.push(&["main"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(server.audit()[0]["Cause"], "clean");
    assert!(!bare.path().join("audit.jsonl").exists());
    // Nor does it depend on where the file is that lacks something.
    operator.write(
        "policy.toml",
        "rules = ['lost.toml']\naudit = 'audit.jsonl'\n",
    );
    assert_eq!(server.push(&["main:other"]).code, Some(1));
    assert_eq!(server.audit()[1]["Cause"], "error");
}

#[test]
fn a_policy_whose_name_is_not_utf_8_is_read() {
    use std::os::unix::ffi::OsStrExt;
    let server = Server::without_hook();
    let keysweep = env!("CARGO_BIN_EXE_keysweep");
    let hook = format!("#!/bin/sh\nexec '{keysweep}' hook pre-receive\n");
    util::tools::executable(&server.bare.dir, "hooks/pre-receive", &hook);
    let name = std::ffi::OsStr::from_bytes(b"policy\xff.toml");
    let policy = server.operator.path().join(name);
    fs::write(&policy, "nonsense").unwrap();
    server.copy.save("a.py", "x = 1\n");
    let mut push = git(server.copy.path());
    push.args(["push", "--quiet", "origin", "main"]);
    let output = push.env("KEYSWEEP_POLICY", &policy).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("could not be judged"), "{said}");
}

#[test]
fn a_policy_in_a_working_tree_of_the_repository_refuses() {
    let server = Server::new();
    let linked = Dir::new();
    let at = linked.path().join("tree");
    server
        .bare
        .git(&["worktree", "add", "--quiet", at.to_str().unwrap(), "main"]);
    let policy = linked.write("tree/policy.toml", "");
    let args = ["hook", "install", "--policy", policy.to_str().unwrap()];
    let run = server.bare.dir.run(&args).expect(2);
    assert!(
        run.stderr.contains("outside of the repository"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_push_from_a_shallow_clone_is_judged() {
    let server = Server::without_hook();
    server.copy.save("a.py", "x = 1\n");
    server.copy.save("a.py", "x = 2\n");
    assert_eq!(server.push(&["main"]).code, Some(0));
    let shallow = Repo::clone_of(&server.bare, &["--depth=1"]);
    let other = Repo::bare();
    other.git(&["config", "receive.shallowUpdate", "true"]);
    other.dir.run(&["hook", "install"]).expect(0);
    let push = || shallow.try_git(&["push", "--quiet", other.path().to_str().unwrap(), "main"]);
    shallow.save("b.py", leak(1));
    let run = push();
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("b.py:1"), "{}", run.stderr);
    shallow.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    shallow.save("b.py", "y = 1\n");
    let run = push();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn pre_push_from_a_shallow_clone_begins_where_its_history_does() {
    let server = Server::without_hook();
    server.copy.save("a.py", "x = 1\n");
    server.copy.save("a.py", "x = 2\n");
    assert_eq!(server.push(&["main"]).code, Some(0));
    let fork = Repo::clone_of(&server.bare, &["--bare"]);
    let shallow = Repo::clone_of(&server.bare, &["--depth=1"]);
    shallow.dir.run(&["hook", "install"]).expect(0);
    let push = || shallow.try_git(&["push", "--quiet", fork.path().to_str().unwrap(), "main:new"]);
    save_unasked(&shallow, "b.py", &leak(1));
    let run = push();
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("b.py:1"), "{}", run.stderr);
    shallow.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    save_unasked(&shallow, "b.py", "y = 1\n");
    let run = push();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

/// Runs this in a shell, in the operator's folder, with the repository's folder as `$1` and the program
/// as `$2`.
fn operate(server: &Server, command: &str) -> Run {
    let mut shell = std::process::Command::new("sh");
    util::git::isolate(&mut shell);
    let shell = shell
        .current_dir(server.operator.path())
        .env("HOME", server.operator.path())
        .args(["-c", command, "sh"])
        .arg(server.bare.path())
        .arg(env!("CARGO_BIN_EXE_keysweep"));
    shell.output().unwrap().into()
}

/// A hook that refuses a reference with this name, by builtins alone.
const VETO: &str = "#!/bin/sh\nwhile read -r a b c d; do\n  case \"$a $b $c $d\" in\n    \
                    *refs/heads/veto*) exit 1 ;;\n  esac\ndone\n";

#[test]
fn a_server_s_hook_judges_without_any_path() {
    for is_chained in [false, true] {
        let server = Server::without_hook();
        if is_chained {
            util::tools::executable(&server.bare.dir, "hooks/pre-receive", VETO);
        }
        server.bare.dir.run(&["hook", "install"]).expect(0);
        let serve = "#!/bin/sh\nexec env -i PATH= \"$(git --exec-path)/git-receive-pack\" \"$@\"\n";
        util::tools::executable(&server.operator, "serve", serve);
        let serve = server.operator.path().join("serve");
        let serve = format!("--receive-pack={}", serve.display());
        server.copy.save("a.py", "x = 1\n");
        let run = server.push(&[&serve, "main"]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let code = server.push(&[&serve, "main:veto"]).code;
        assert_eq!(code, Some(i32::from(is_chained)));
        server.copy.save("a.py", leak(1));
        let before = server.refs();
        let run = server.push(&[&serve, "main"]);
        assert_refused(&server, &before, &run, &[&token(1)]);
    }
}

#[test]
fn a_working_copy_s_hook_judges_without_any_path() {
    let server = Server::without_hook();
    let copy = &server.copy;
    util::tools::executable(&copy.dir, ".git/hooks/pre-push", VETO);
    copy.dir.run(&["hook", "install", "pre-push"]).expect(0);
    let push = |what: &str| {
        let command = format!("git=$(command -v git); PATH= \"$git\" push -q origin {what}");
        shell(copy, &command)
    };
    save_unasked(copy, "a.py", "x = 1\n");
    assert!(push("main").status.success());
    assert!(!push("main:veto").status.success());
    assert!(push("main").status.success(), "nothing is to be pushed");
    save_unasked(copy, "a.py", &leak(1));
    let before = server.refs();
    let refused = push("main");
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("a.py:1"), "{said}");
    assert_eq!(server.refs(), before);
}

/// As another user runs the server.
const SERVICE: &str =
    "--receive-pack=setpriv --reuid 65534 --regid 65534 --clear-groups git-receive-pack";

/// A server whose folders belong to another user, with the program in the operator's folder. Says so
/// where there can be none.
fn of_service() -> Option<Server> {
    let server = Server::without_hook();
    let folder = &server.operator;
    util::tools::set_mode(folder.path(), 0o755);
    let setpriv = std::process::Command::new("setpriv")
        .arg("--version")
        .output();
    if setpriv.is_err() || operate(&server, "chown 65534:65534 .").code != Some(0) {
        eprintln!("skipped: only root, with setpriv, can be another user");
        return None;
    }
    // As root is told to.
    folder.write(".gitconfig", "[safe]\n\tdirectory = *\n");
    operate(&server, "cp \"$2\" keysweep && chown -R 65534:65534 \"$1\"").expect(0);
    Some(server)
}

#[test]
fn an_earlier_hook_keeps_its_veto_whoever_installs() {
    let Some(server) = of_service() else { return };
    util::tools::executable(&server.bare.dir, "hooks/pre-receive", VETO);
    operate(&server, "chown -R 65534:65534 \"$1\"").expect(0);
    let install = "umask 027; exec \"$2\" hook install -C \"$1\" --program ./keysweep";
    operate(&server, install).expect(0);
    assert_eq!(server.push(&[SERVICE, "main:fine"]).code, Some(0));
    assert_eq!(server.push(&[SERVICE, "main:veto"]).code, Some(1));
    operate(&server, "\"$2\" hook test -C \"$1\"").expect(0);
    // Where it cannot be run any more, nothing passes, and the rehearsal says so.
    for bar in [
        "chmod 700 hooks.before-keysweep",
        "rm hooks.before-keysweep/pre-receive",
    ] {
        let bar = format!("cd \"$1\" && chown 0:0 hooks.before-keysweep && {bar}");
        operate(&server, &bar).expect(0);
        let run = server.push(&[SERVICE, "main:other"]);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains("was there before"), "{}", run.stderr);
        let run = operate(&server, "\"$2\" hook test -C \"$1\"").expect(2);
        let place = "before-keysweep/pre-receive";
        assert!(run.stderr.contains(place), "{}", run.stderr);
    }
    operate(&server, install).expect(0);
    assert_eq!(server.push(&[SERVICE, "main:other"]).code, Some(0));
}

#[test]
fn folders_that_are_made_are_for_those_who_run_the_hooks() {
    use std::os::unix::fs::MetadataExt;
    let Some(server) = of_service() else { return };
    operate(&server, "rm -rf \"$1/hooks\"").expect(0);
    for layout in ["git", "gitlab"] {
        let install = "umask 077; exec \"$2\" hook install -C \"$1\" --program ./keysweep --layout";
        operate(&server, &format!("{install} {layout}")).expect(0);
    }
    let root = fs::metadata(server.bare.path()).unwrap();
    for name in ["hooks", "custom_hooks", "custom_hooks/pre-receive.d"] {
        let made = fs::metadata(server.bare.path().join(name)).unwrap();
        let of = |folder: &fs::Metadata| (folder.uid(), folder.gid(), folder.mode());
        assert_eq!(of(&made), of(&root), "{name}");
    }
    server.copy.save("a.py", leak(1));
    let run = server.push(&[SERVICE, "main"]);
    assert_eq!(run.code, Some(1));
    assert!(answer(&run).join(" ").contains("a.py:1"), "{}", run.stderr);
}

#[test]
fn a_hook_that_its_owner_cannot_run_is_found_out() {
    let Some(server) = of_service() else { return };
    operate(
        &server,
        "\"$2\" hook install -C \"$1\" --program ./keysweep",
    )
    .expect(0);
    let run = operate(&server, "HOME=/ \"$2\" hook test -C \"$1\"").expect(2);
    assert!(run.stderr.contains("safe.directory"), "{}", run.stderr);
    operate(&server, "\"$2\" hook test -C \"$1\"").expect(0);
    operate(&server, "chmod 750 \"$1/hooks/pre-receive\"").expect(0);
    let run = operate(&server, "\"$2\" hook test -C \"$1\"").expect(2);
    assert!(run.stdout.contains("CANNOT run"), "{}", run.stdout);
    // What the operator decided of the script outlives its change.
    operate(&server, "chown 0:65534 \"$1/hooks/pre-receive\"").expect(0);
    server.operator.write("policy.toml", "");
    let install = "\"$2\" hook install -C \"$1\" --program ./keysweep --policy policy.toml";
    operate(&server, install).expect(0);
    operate(&server, "\"$2\" hook test -C \"$1\"").expect(0);
    let mode = fs::metadata(server.bare.path().join("hooks/pre-receive")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o750);
}

/// A limit of what may be written stands for a disk that is full.
#[test]
fn an_installation_that_fails_leaves_the_hook_that_was_there() {
    let server = Server::new();
    server.operator.write("other.toml", "known = 'refuse'\n");
    let full = "ulimit -f 0; \"$2\" hook install -C \"$1\" --policy other.toml";
    assert_ne!(operate(&server, full).code, Some(0));
    server.copy.save("a.py", leak(1));
    let before = server.refs();
    assert_refused(&server, &before, &server.push(&["main"]), &[&token(1)]);
    let server = Server::without_hook();
    util::tools::executable(&server.bare.dir, "hooks/pre-receive", VETO);
    server.operator.write("other.toml", "");
    assert_ne!(operate(&server, full).code, Some(0));
    assert_eq!(server.push(&["main:veto"]).code, Some(1));
    assert_eq!(server.push(&["main:fine"]).code, Some(0));
}

/// One of the two hooks stands there at every moment, and is whole.
#[test]
fn a_hook_is_there_while_it_is_installed_and_removed() {
    let server = Server::without_hook();
    util::tools::executable(&server.bare.dir, "hooks/pre-receive", VETO);
    let hook = server.bare.path().join("hooks/pre-receive");
    let done = std::sync::atomic::AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                seen.insert(read(&hook));
            }
            seen
        });
        for _ in 0..40 {
            let install = ["hook", "install"];
            let runs = [&install[..], &["hook", "install", "--uninstall"]];
            for args in runs {
                server.bare.dir.run(args).expect(0);
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        watch.join().unwrap()
    });
    assert!(seen.len() <= 2 && seen.contains(VETO), "{seen:?}");
}

#[test]
fn a_folder_of_hooks_that_git_does_not_use_is_refused() {
    let server = Server::without_hook();
    for path in ["", "%(prefix)/hooks", "~no-such-user/hooks"] {
        for repo in [&server.bare, &server.copy] {
            repo.git(&["config", "core.hooksPath", path]);
            for command in [&["hook", "install"][..], &["hook", "test"]] {
                let run = repo.dir.run(command).expect(2);
                assert!(
                    run.stderr.contains("core.hooksPath"),
                    "{path}: {}",
                    run.stderr
                );
            }
        }
        for name in ["pre-commit", "%(prefix)", "~no-such-user"] {
            assert!(!server.copy.path().join(name).exists(), "{name}");
        }
    }
}

#[test]
fn a_record_that_has_no_room_is_taken_back() {
    let server = Server::new();
    server.write_policy("");
    server.operator.write("audit.jsonl", "{}\n");
    let id = server.copy.git(&["rev-parse", "HEAD"]);
    let judge = |limit: &str| {
        let command = format!(
            "policy=$PWD/policy.toml; cd \"$1\" && {limit} echo {id} {id} refs/heads/main | GIT_DIR=. \
             REMOTE_USER=$(printf %02000d 7) \"$2\" hook pre-receive --policy \"$policy\""
        );
        operate(&server, &command)
    };
    let run = judge("ulimit -f 1;").expect(2);
    assert!(run.stderr.contains("audit log"), "{}", run.stderr);
    assert_eq!(server.audit(), [json!({})]);
    judge("").expect(0);
    assert_eq!(server.audit()[1]["Cause"], "clean");
    // What somebody else left there without an end stays apart.
    server.operator.write("audit.jsonl", "{\"Time");
    judge("").expect(0);
    let log = read(&server.operator.path().join("audit.jsonl"));
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!((lines.len(), lines[0]), (2, "{\"Time"), "{log}");
    let last: Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!(last["Cause"], "clean");
}

#[test]
fn a_log_that_root_s_rehearsal_makes_is_the_server_s() {
    let Some(server) = of_service() else { return };
    server.write_policy("");
    let install = "\"$2\" hook install -C \"$1\" --program ./keysweep --policy policy.toml";
    operate(&server, install).expect(0);
    operate(&server, "umask 077; \"$2\" hook test -C \"$1\"").expect(0);
    let rehearsed = server.audit().len();
    assert!(rehearsed > 0);
    let run = server.push(&[SERVICE, "main:other"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(server.audit().len(), rehearsed + 1);
}

#[test]
fn a_call_that_was_changed_is_kept_and_a_policy_that_is_dropped_is_told() {
    let server = Server::new();
    let hook = server.bare.path().join("hooks/pre-receive");
    let ours = read(&hook);
    let policy = server.operator.path().join("policy.toml");
    let policy = policy.to_str().unwrap();
    let install = ["hook", "install", "--policy", policy];
    let extra = format!("{ours}keysweep hook pre-receive --policy mine\n");
    let aside = hook.with_file_name("pre-receive.edited-keysweep");
    for edited in [ours.replace("exec ", "exec nice "), extra] {
        fs::write(&hook, &edited).unwrap();
        let run = server.bare.dir.run(&install).expect(0);
        assert!(run.stdout.contains("edited-keysweep"), "{}", run.stdout);
        assert_eq!((read(&aside), read(&hook)), (edited, ours.clone()));
        fs::remove_file(&aside).unwrap();
    }
    let run = server.bare.dir.run(&["hook", "install"]).expect(0);
    let told = "no longer has the policy";
    assert!(
        run.stdout.contains(told) && run.stdout.contains(policy),
        "{}",
        run.stdout
    );
    assert!(!aside.exists(), "that is no change of somebody's");
    let run = server.bare.dir.run(&install).expect(0);
    assert!(!run.stdout.contains(told), "{}", run.stdout);
}

#[test]
fn hooks_that_the_repository_tracks_are_left_alone() {
    let copy = Repo::new();
    copy.git(&["config", "core.hooksPath", ".githooks"]);
    util::tools::executable(&copy.dir, ".githooks/pre-commit", "#!/bin/sh\n");
    copy.commit("Share hooks");
    for (name, call) in [
        ("pre-commit", "keysweep hook pre-commit || exit"),
        ("pre-push", "keysweep hook pre-push \"$@\" || exit"),
    ] {
        let run = copy.dir.run(&["hook", "install", name]).expect(2);
        assert!(run.stderr.contains(call), "{}", run.stderr);
    }
    assert_eq!(copy.git(&["status", "--porcelain", "--ignored"]), "");
    copy.dir.run(&["hook", "install", "--uninstall"]).expect(0);
}

#[test]
fn a_program_is_called_by_the_name_that_was_given() {
    let server = Server::without_hook();
    fs::write(server.operator.path().join("data"), "").unwrap();
    let run = operate(&server, "\"$2\" hook install -C \"$1\" --program ./data").expect(2);
    assert!(run.stderr.contains("is not executable"), "{}", run.stderr);
    let link = server.operator.path().join("keysweep");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_keysweep"), &link).unwrap();
    let hook = server.bare.path().join("hooks/pre-receive");
    for call in ["\"$PWD/keysweep\"", "PATH=$PWD:$PATH; keysweep"] {
        operate(&server, &format!("{call} hook install -C \"$1\"")).expect(0);
        let link = link.to_str().unwrap();
        assert!(read(&hook).contains(link), "{}", read(&hook));
        fs::remove_file(&hook).unwrap();
    }
}

#[test]
fn a_hook_of_another_layout_is_not_overlooked() {
    let bare = Repo::bare();
    let layout = ["--layout", "gitea"];
    bare.dir
        .run(&[&["hook", "install"], &layout[..]].concat())
        .expect(0);
    let uninstall = ["hook", "install", "--uninstall"];
    let run = bare.dir.run(&uninstall).expect(2);
    let file = "hooks/pre-receive.d/keysweep";
    assert!(run.stderr.contains(file), "{}", run.stderr);
    assert!(bare.path().join(file).exists());
    bare.dir.run(&[&uninstall, &layout[..]].concat()).expect(0);
    bare.dir.run(&uninstall).expect(0);
}

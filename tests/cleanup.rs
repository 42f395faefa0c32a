//! The whole way of a clean-up on real repositories: plan, rewrite the history, prove that it is
//! clean.

mod util;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use util::git::{Repo, git, isolate};
use util::tools::{ended, python};
use util::{Run, copy, labelled, made_with, planted};

fn token(seed: u64) -> String {
    made_with("ghp_{b62:30}{crc-base62}", seed)
}

fn assigned(secret: &str) -> String {
    format!("token = \"{secret}\"\n")
}

/// Secrets in each form that rules must reach, on several branches, and their values.
fn leaky() -> (Repo, Vec<String>) {
    let repo = Repo::new();
    let key = made_with("{his:+ASt:Default0}", 5);
    let pem = made_with("{pem:RSA}", 6);
    let secrets: Vec<String> = (1..=5).map(token).chain([key, pem]).collect();
    repo.save("README.md", "Hello\n");
    repo.save("app/settings.py", assigned(&secrets[0]));
    repo.save("app/settings.py", "import os\n");
    let notebook = serde_json::json!({"cells": [{"cell_type": "code", "metadata": {}, "execution_count": 1,
        "source": ["print(1)"], "outputs": [{"output_type": "display_data", "metadata": {},
        "data": {"text/html": [format!("<a href=\"x?k=1&amp;token={}\">", secrets[1])]}}]}],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 4});
    repo.save("book.ipynb", notebook.to_string());
    let hidden = base64(format!("a: {}", assigned(&secrets[2])).as_bytes());
    repo.save(
        "k8s.yaml",
        format!("kind: Secret\ndata:\n  app: {hidden}\n"),
    );
    repo.save("server.pem", format!("{}\n", secrets[6]));
    repo.save(
        "connect.txt",
        format!(
            "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={};EndpointSuffix=core.windows.net\n",
            secrets[5]
        ),
    );
    repo.commit(&format!("Try it\n\nwith {}", secrets[3]));
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.save("side.py", assigned(&secrets[4]));
    repo.git(&["checkout", "--quiet", "main"]);
    repo.save("app/settings.py", assigned(&secrets[1]));
    (repo, secrets)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn verify(repo: &Repo, report: &Path) -> Run {
    let report = format!("--verify={}", report.display());
    repo.dir.run(&["history", &report])
}

fn show_nothing(run: &Run, secrets: &[String]) {
    for secret in secrets {
        assert!(!run.stdout.contains(secret.as_str()), "{}", run.stdout);
        assert!(!run.stderr.contains(secret.as_str()), "{}", run.stderr);
    }
}

/// Rewrites a mirror by rules, with git filter-repo.
fn rewrite(python: &Path, mirror: &Repo, rules: &str) {
    let mut filter = Command::new(python);
    isolate(&mut filter);
    filter
        .current_dir(mirror.path())
        .args(["-m", "git_filter_repo", "--force"])
        .args(["--replace-text", rules, "--replace-message", rules])
        .stdin(Stdio::null());
    ended(&mut filter).expect(0);
}

#[test]
fn a_planned_clean_up_is_proven() {
    let Some(python) = python("git_filter_repo") else {
        return;
    };
    let (repo, secrets) = leaky();
    let mirror = Repo::clone_of(&repo, &["--mirror"]);
    let outside = util::Dir::new();
    let (rules, report) = (
        outside.path().join("rules"),
        outside.path().join("before.json"),
    );
    let (rules_arg, report_arg) = (rules.display().to_string(), report.display().to_string());
    let plan = mirror.dir.run(&[
        "plan",
        "--vault",
        "kv-app",
        "--replace-text",
        &rules_arg,
        "--report",
        &report_arg,
    ]);
    let plan = plan.expect(1);
    show_nothing(&plan, &secrets);
    let told = fs::read_to_string(&report).expect("written");
    assert!(secrets.iter().all(|secret| !told.contains(secret.as_str())));
    // What a newest commit has goes into the vault, what older ones have does not.
    let vault = plan.stdout.split("# Key Vault").nth(1).expect("a part");
    for place in [
        "side.py line 1",
        "app/settings.py line 1",
        "connect.txt line 1",
    ] {
        assert!(vault.contains(place), "{place}: {}", plan.stdout);
    }
    assert!(
        plan.stdout.contains("- in the history only: GitHub"),
        "{}",
        plan.stdout
    );
    let before = verify(&mirror, &report).expect(1);
    show_nothing(&before, &secrets);
    assert!(
        before
            .stdout
            .contains("7 secrets of before: 0 gone, 7 still there, 0 accepted; 0 others found"),
        "{}",
        before.stdout
    );
    rewrite(&python, &mirror, &rules_arg);
    let after = verify(&mirror, &report).expect(0);
    assert!(
        after
            .stdout
            .contains("7 secrets of before: 7 gone, 0 still there, 0 accepted; 0 others found"),
        "{}",
        after.stdout
    );
    mirror.dir.run(&["history", "--verify"]).expect(0);
    // Nothing but the secrets is gone.
    assert_eq!(mirror.git(&["show", "main~1:README.md"]), "Hello");
    assert_eq!(
        mirror.git(&["rev-list", "--count", "--all"]),
        repo.git(&["rev-list", "--count", "--all"])
    );
}

/// The labelled notebooks: whatever hides a secret there, a rule reaches it, and what was JSON stays so.
#[test]
fn all_labelled_notebooks_are_cleaned_by_rules() {
    let (Some(python), Some(folder)) = (python("git_filter_repo"), labelled()) else {
        return;
    };
    let repo = Repo::new();
    for part in ["leaks", "malformed"] {
        copy(&folder.join(part), &repo.dir);
    }
    repo.commit("As they were");
    repo.git(&["rm", "--quiet", "*.ipynb"]);
    repo.commit("Gone");
    let mirror = Repo::clone_of(&repo, &["--mirror"]);
    let outside = util::Dir::new();
    let (rules, report) = (outside.path().join("rules"), outside.path().join("before"));
    let (rules, report_arg) = (rules.display().to_string(), report.display().to_string());
    let args = ["plan", "--replace-text", &rules, "--report", &report_arg];
    mirror.dir.run(&args).expect(1);
    verify(&mirror, &report).expect(1);
    rewrite(&python, &mirror, &rules);
    let after = verify(&mirror, &report).expect(0).stdout;
    assert!(after.contains(" 0 still there, 0 accepted; 0 others found"));
    for (path, row) in planted(&folder) {
        let name = path.rsplit('/').next().expect("a name");
        let shown = git(mirror.path())
            .args(["show", &format!("main~1:{name}")])
            .output();
        let bytes = shown.expect("git runs").stdout;
        let secret = row["secret"].as_str().expect("text").as_bytes();
        let place = &row["place"];
        assert!(
            memchr::memmem::find(&bytes, secret).is_none(),
            "{path} {place}"
        );
        let is_json = serde_json::from_slice::<serde_json::Value>(&bytes).is_ok();
        assert!(is_json || row["valid_json"] == false, "{path} {place}");
    }
}

/// Files dropped by git itself: until the old objects are gone, each is named where it still is.
#[test]
fn what_a_rewriting_leaves_behind_is_named() {
    let (repo, (kept, gone)) = (Repo::new(), (token(1), token(2)));
    repo.save("README.md", "Hello\n");
    repo.save("a.py", assigned(&kept));
    repo.save("b.py", assigned(&gone));
    let outside = util::Dir::new();
    let report = outside.path().join("before.jsonl");
    let lines = repo.dir.run(&["history", "--format", "jsonl"]).expect(1);
    fs::write(&report, lines.stdout).expect("written");
    let drop = |name: &str| {
        let remove = format!("git rm -q --cached --ignore-unmatch {name}");
        let args = [
            "filter-branch",
            "-f",
            "--index-filter",
            &remove,
            "--",
            "--all",
        ];
        let run = repo.try_git_with(&args, &[("FILTER_BRANCH_SQUELCH_WARNING", "1")]);
        run.expect(0);
        repo.git(&["update-ref", "-d", "refs/original/refs/heads/main"]);
    };
    let collect = || {
        repo.git(&["reflog", "expire", "--expire=now", "--all"]);
        repo.git(&["gc", "--quiet", "--prune=now"]);
    };
    drop("b.py");
    // The reflog leads to it, and a second report says so.
    let left = verify(&repo, &report).expect(1).stdout;
    assert!(
        left.contains("b.py: line 1, only the reflog leads to it"),
        "{left}"
    );
    assert!(
        left.contains("a.py: line 1, still in the checked-out commit"),
        "{left}"
    );
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    let left = verify(&repo, &report).expect(1).stdout;
    assert!(left.contains("b.py: line 1, nothing leads to it"), "{left}");
    collect();
    let left = verify(&repo, &report).expect(1).stdout;
    assert!(left.contains("b.py: gone"), "{left}");
    assert!(
        left.contains("2 secrets of before: 1 gone, 1 still there"),
        "{left}"
    );
    drop("a.py");
    collect();
    verify(&repo, &report).expect(0);
    // A secret that the report does not name counts too.
    repo.save("c.py", assigned(&token(3)));
    let other = verify(&repo, &report).expect(1).stdout;
    assert!(
        other.contains("2 gone, 0 still there, 0 accepted; 1 others found"),
        "{other}"
    );
    assert!(
        other.contains("c.py: line 1, still in the checked-out commit"),
        "{other}"
    );
}

#[test]
fn nothing_is_proven_by_half() {
    let repo = Repo::new();
    repo.save("a.py", "one\n");
    repo.save("b.py", "two\n");
    repo.dir.run(&["history", "--verify"]).expect(0);
    let shallow = Repo::clone_of(&repo, &["--depth=1"]);
    let run = shallow.dir.run(&["history", "--verify"]).expect(2);
    assert!(run.stdout.contains("proves nothing"), "{}", run.stdout);
    let plan = shallow.dir.run(&["plan"]).expect(2).stdout;
    assert!(!plan.contains("nothing to do"), "{plan}");
    shallow.write("new.py", assigned(&token(1)));
    let plan = shallow.dir.run(&["plan"]).expect(2).stdout;
    assert!(plan.contains("new.py line 1"), "{plan}");
    assert!(!plan.contains("nothing to rewrite"), "{plan}");
    let secret = token(1);
    let no_finding = format!("{{\"findings\":[{{\"path\":\"{secret}\"}}]}}");
    for wrong in [String::new(), no_finding, format!("no JSON {secret}")] {
        let report = repo.write("report", &wrong);
        let run = verify(&repo, &report).expect(2);
        assert!(run.stderr.contains("report: "), "{}", run.stderr);
        show_nothing(&run, std::slice::from_ref(&secret));
    }
    let run = repo.dir.run(&["history", "--verify", "--reachable-only"]);
    assert!(run.expect(2).stderr.contains("--reachable-only"));
}

/// What somebody accepted is no task, and its being there is no failure.
#[test]
fn what_is_accepted_may_stay() {
    let repo = Repo::new();
    let secret = token(1);
    repo.save("emulator.py", assigned(&secret));
    let report = util::Dir::new();
    let report = report.write(
        "before.json",
        repo.dir.run(&["history", "--format", "json"]).stdout,
    );
    let fingerprint = repo.dir.findings(&["emulator.py"])[0]["fingerprint"].clone();
    let fingerprint = fingerprint.as_str().expect("text");
    repo.write(
        ".keysweepignore",
        format!("{fingerprint} # of the emulator\n"),
    );
    let run = verify(&repo, &report).expect(0).stdout;
    assert!(run.contains("emulator.py: accepted"), "{run}");
    repo.dir.run(&["plan"]).expect(0);
}

/// What a step of a plan says to run.
fn step<'p>(plan: &'p Run, start: &str, end: &str) -> &'p str {
    let lines = plan.stdout.lines();
    let mut commands = lines.filter_map(|line| Some(&line[line.find(start)?..]));
    let command = commands.next().unwrap_or_else(|| panic!("{}", plan.stdout));
    command.split(end).next().expect("a part")
}

/// Also of what commits and tags say of people, to which no option puts the rules.
#[cfg(unix)]
#[test]
fn a_plan_can_be_run_as_it_is_printed() {
    use std::os::unix::fs::PermissionsExt;
    let Some(python) = python("git_filter_repo") else {
        return;
    };
    let (repo, secrets) = (Repo::new(), [1, 2, 3, 4].map(token));
    let people = [
        ("GIT_AUTHOR_NAME", format!("deploy {}", secrets[0])),
        ("GIT_COMMITTER_EMAIL", format!("{}@x.invalid", secrets[1])),
    ];
    let people = people.each_ref().map(|(name, value)| (*name, &**value));
    // One that is in the message too.
    let commit = ["commit", "--allow-empty", "-q", "-m", &secrets[0]];
    repo.try_git_with(&commit, &people).expect(0);
    let tagger = [("GIT_COMMITTER_NAME", &*secrets[2])];
    let tag = ["tag", "-a", "v1", "-m", "Words"];
    repo.try_git_with(&tag, &tagger).expect(0);
    repo.save("README.md", "Hello\n");
    let binary = format!("\u{feff}{}", assigned(&secrets[3]));
    let binary: Vec<u8> = binary.encode_utf16().flat_map(u16::to_le_bytes).collect();
    repo.save("a b'c;id.ps1", binary);
    let mirror = Repo::clone_of(&repo, &["--mirror"]);
    let outside = util::Dir::new();
    let shim = format!(
        "#!/bin/sh\nexec '{}' -m git_filter_repo \"$@\"\n",
        python.display()
    );
    let shim = outside.write("bin/git-filter-repo", shim);
    fs::set_permissions(&shim, PermissionsExt::from_mode(0o755)).expect("a program");
    let at = mirror.path().display().to_string();
    let files = ["--replace-text", "my rules", "--report", "my report's.json"];
    let plan = outside
        .run(&[&["plan", &at][..], &files].concat())
        .expect(1);
    show_nothing(&plan, &secrets);
    for command in [
        step(&plan, "git filter-repo --sensitive", "\n"),
        step(&plan, "git filter-repo --invert-paths", "\n"),
        step(&plan, "keysweep history --verify", " repository.git"),
    ] {
        let mut shell = Command::new("sh");
        isolate(&mut shell);
        let program = Path::new(env!("CARGO_BIN_EXE_keysweep")).parent();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = [program.expect("a folder"), &outside.path().join("bin")].map(Path::to_path_buf);
        let path = std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path)));
        shell
            .env("PATH", path.expect("folders"))
            .current_dir(mirror.path());
        ended(shell.args(["-c", command]).stdin(Stdio::null())).expect(0);
    }
    assert_eq!(mirror.git(&["show", "main:README.md"]), "Hello");
}

/// A plan says what `--replace-text` cannot reach, and names the hosts that the remotes name.
#[test]
fn a_plan_says_what_no_rule_reaches() {
    let repo = Repo::new();
    let (wide, named) = (token(1), token(2));
    let utf16: Vec<u8> = assigned(&wide)
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    repo.save("wide.txt", [&[0xff, 0xfe][..], &utf16].concat());
    repo.save(&format!("dir/{named}.txt"), "nothing\n");
    repo.git(&[
        "remote",
        "add",
        "origin",
        "https://dev.azure.com/acme/app/_git/app",
    ]);
    let plan = repo.dir.run(&["plan"]).expect(1);
    show_nothing(&plan, &[wide, named]);
    let text = plan.stdout;
    assert!(text.contains("--invert-paths --path wide.txt"), "{text}");
    assert!(
        text.contains("--path-rename OLD:NEW: dir/ghp_****"),
        "{text}"
    );
    assert!(
        text.contains("Azure DevOps: ") && !text.contains("GitHub: ask"),
        "{text}"
    );
    // A history without secrets needs no rewriting, whatever lies in the folder.
    let clean = Repo::new();
    clean.save("README.md", "Hello\n");
    clean.write("new.py", assigned(&token(3)));
    let text = clean.dir.run(&["plan"]).expect(1).stdout;
    assert!(text.contains("No commit holds any of this"), "{text}");
    assert!(text.contains("new.py line 1"), "{text}");
}

/// Whoever looks at the first lines only, as in `| head -1`, is not told that all is well.
#[test]
fn a_closed_pipe_proves_nothing() {
    let repo = Repo::new();
    repo.save("a.py", assigned(&token(1)));
    for args in [&["history", "--verify"][..], &["plan"], &["fix"]] {
        assert_eq!(repo.dir.run_unheard(args), Some(1), "{args:?}");
    }
    repo.write("a.py", "");
    assert_eq!(repo.dir.run_unheard(&["fix"]), Some(0));
}

#[test]
fn files_beside_a_bare_repository_are_planned_for() {
    let repo = Repo::new();
    repo.save("README.md", "Hello\n");
    let mirror = Repo::clone_of(&repo, &["--mirror"]);
    let beside = util::Dir::new();
    beside.write("a.py", assigned(&token(1)));
    let bare = mirror.path().display().to_string();
    beside.run(&["plan", &bare]).expect(0);
    let plan = beside.run(&["plan", &bare, "a.py"]).expect(1);
    assert!(plan.stdout.contains("a.py line 1"), "{}", plan.stdout);
}

#[test]
fn what_is_accepted_is_read_where_the_repository_lies_and_nothing_is_gone_unread() {
    let (repo, outside) = (Repo::new(), util::Dir::new());
    repo.save("a.py", assigned(&token(1)));
    let run = repo.dir.run(&["history", "--format", "jsonl"]).expect(1);
    let print = run.json_lines()[0]["fingerprint"].clone();
    let report = outside.write("before.json", &run.stdout);
    let accept = format!("{} # an example\n", print.as_str().expect("text"));
    repo.write(".keysweepignore", accept);
    let verify = format!("--verify={}", report.display());
    let path = repo.path().display().to_string();
    let run = outside.run(&["history", &verify, &path]).expect(0);
    assert!(run.stdout.contains("1 accepted"), "{}", run.stdout);
    // Of an object that cannot be read nobody knows what it holds.
    let blob = repo.git(&["rev-parse", "HEAD:a.py"]);
    let file = format!(".git/objects/{}/{}", &blob[..2], &blob[2..]);
    fs::remove_file(repo.path().join(&file)).expect("it was there");
    repo.write(&file, "garbage");
    let run = outside.run(&["history", &verify, &path]).expect(2);
    let sum = "0 gone, 0 still there, 0 accepted, 1 not seen; 0 others found";
    assert!(run.stdout.contains(sum), "{}", run.stdout);
}

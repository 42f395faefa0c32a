//! Sweeps, ranges and hooks in repositories in which something is damaged or gone.

mod util;

use std::fs;
use std::path::PathBuf;

use util::git::{Repo, git};
use util::{Run, made_with};

fn token(seed: u64) -> String {
    made_with("ghp_{b62:30}{crc-base62}", seed)
}

fn assigned(seed: u64) -> String {
    format!("token = \"{}\"\n", token(seed))
}

/// A sweep that has to say that something could not be read.
fn sweep(repo: &Repo) -> Run {
    let all = ["history", "--format", "jsonl", "--show-secrets"];
    repo.dir.run(&all).expect(2)
}

fn finds(run: &Run, seed: u64) -> bool {
    let findings = run.json_lines();
    findings.iter().any(|f| f["secret"] == token(seed).as_str())
}

/// The file of its own that an object has.
fn loose(repo: &Repo, name: &str) -> PathBuf {
    let id = repo.git(&["rev-parse", name]);
    let objects = repo.path().join(".git/objects");
    objects.join(&id[..2]).join(&id[2..])
}

/// Puts other bytes into a file that may be read-only.
fn overwrite(file: &PathBuf, bytes: &[u8]) {
    fs::remove_file(file).expect("it is there");
    fs::write(file, bytes).expect("written");
}

/// Packs everything; gives the pack's file of that kind.
fn packed(repo: &Repo, kind: &str) -> PathBuf {
    repo.git(&["repack", "-q", "-a", "-d"]);
    packs(repo, kind).pop().expect("a pack")
}

/// The files of that kind of all packs.
fn packs(repo: &Repo, kind: &str) -> Vec<PathBuf> {
    let packs = fs::read_dir(repo.path().join(".git/objects/pack")).expect("packs");
    let files = packs.flatten().map(|entry| entry.path());
    let is_wanted = |path: &PathBuf| path.extension().is_some_and(|e| e == kind);
    files.filter(is_wanted).collect()
}

#[test]
fn an_object_file_that_is_cut_off_is_reported_and_the_rest_scanned() {
    for name in ["HEAD:b.py", "HEAD^{tree}", "HEAD"] {
        let repo = Repo::new();
        repo.save("a.py", assigned(1));
        repo.save(
            "b.py",
            "a line of some length, so that there is something to cut\n",
        );
        let id = repo.git(&["rev-parse", name]);
        let file = loose(&repo, name);
        let whole = fs::read(&file).expect("an object");
        for len in [0, 1, 2, whole.len() / 2, whole.len() - 5, whole.len() - 1] {
            overwrite(&file, &whole[..len]);
            let run = sweep(&repo);
            assert!(run.stderr.contains(&id), "{name} {len}: {}", run.stderr);
            assert!(finds(&run, 1), "{name} {len}");
        }
    }
}

#[test]
fn what_stands_behind_the_end_of_an_object_file_is_reported_and_the_object_scanned() {
    for name in ["HEAD:a.py", "HEAD^{tree}", "HEAD"] {
        let repo = Repo::new();
        repo.save("a.py", assigned(1));
        let id = repo.git(&["rev-parse", name]);
        let file = loose(&repo, name);
        let mut bytes = fs::read(&file).expect("an object");
        bytes.extend(b"more");
        overwrite(&file, &bytes);
        let run = sweep(&repo);
        let told = format!("{id}: more stands behind its end");
        assert!(run.stderr.contains(&told), "{name}: {}", run.stderr);
        assert!(finds(&run, 1), "{name}");
        // git cannot read it, and a range can.
        repo.dir.run(&["diff", "HEAD..HEAD"]).expect(0);
    }
}

/// Where libgit2 would read on behind the end of the pack.
#[test]
fn an_index_that_is_damaged_is_refused_with_what_mends_it() {
    fn numbers(index: &[u8]) -> usize {
        let last = index[8 + 255 * 4..][..4].try_into().expect("four bytes");
        u32::from_be_bytes(last) as usize
    }
    fn behind(index: &mut [u8]) {
        let offsets = 8 + 1024 + 24 * numbers(index);
        index[offsets..offsets + 4].copy_from_slice(&268_442_956_u32.to_be_bytes());
    }
    fn unordered(index: &mut [u8]) {
        let last = 8 + 1024 + 20 * (numbers(index) - 1);
        index[last..last + 20].fill(0);
    }
    // An id that names another object.
    fn flipped(index: &mut [u8]) {
        index[8 + 1024 + 12] ^= 1;
    }
    for damage in [behind, unordered, flipped] {
        let repo = Repo::new();
        repo.save("a.py", assigned(1));
        let index = packed(&repo, "idx");
        let mut bytes = fs::read(&index).expect("an index");
        damage(&mut bytes);
        overwrite(&index, &bytes);
        let run = sweep(&repo);
        let pack = index.with_extension("pack").display().to_string();
        assert!(
            run.stderr.contains(&format!("git index-pack {pack}")),
            "{}",
            run.stderr
        );
        fs::remove_file(&index).expect("the index");
        repo.git(&["index-pack", &pack]);
        repo.dir.run(&["history"]).expect(1);
    }
}

#[test]
fn a_pack_without_an_index_is_reported_and_the_rest_scanned() {
    let repo = Repo::new();
    repo.save("a.py", assigned(1));
    let index = packed(&repo, "idx");
    repo.save("b.py", assigned(2));
    fs::remove_file(&index).expect("the index");
    let run = sweep(&repo);
    assert!(run.stderr.contains("has no index"), "{}", run.stderr);
    assert!(finds(&run, 2) && !finds(&run, 1));
}

#[test]
fn a_pack_that_is_cut_off_is_reported_and_the_rest_scanned() {
    let lens: [fn(usize) -> usize; 5] = [|n| n - 1, |n| n - 21, |n| n - 100, |n| n / 2, |_| 33];
    for (way, len) in lens.into_iter().enumerate() {
        let repo = Repo::new();
        repo.save("a.py", assigned(1));
        packed(&repo, "pack");
        let before = packs(&repo, "pack");
        repo.write("long", made_with("{b62:4000}", 3));
        repo.save("b.py", assigned(2));
        repo.git(&["repack", "-q", "-d"]);
        let mut packs = packs(&repo, "pack");
        packs.retain(|pack| !before.contains(pack));
        let whole = fs::read(&packs[0]).expect("a pack");
        overwrite(&packs[0], &whole[..len(whole.len())]);
        let run = sweep(&repo);
        let told = format!("{}: is cut off", packs[0].display());
        assert!(run.stderr.contains(&told), "{way}: {}", run.stderr);
        assert!(!run.stderr.contains("index-pack"), "{way}: {}", run.stderr);
        assert!(finds(&run, 1), "{way}");
    }
}

/// libgit2 reads nothing of such a pack.
#[test]
fn a_pack_with_another_sum_than_its_index_says_is_reported_and_scanned() {
    let repo = Repo::new();
    repo.save("a.py", assigned(1));
    repo.commit(&format!("Words with {}", token(2)));
    let pack = packed(&repo, "pack");
    let mut bytes = fs::read(&pack).expect("a pack");
    let end = bytes.len() - 20;
    bytes[end..].fill(0xAA);
    overwrite(&pack, &bytes);
    let run = sweep(&repo);
    assert!(run.stderr.contains("its sum is not"), "{}", run.stderr);
    assert!(finds(&run, 1) && finds(&run, 2));
    let found = run.json_lines();
    assert_eq!(found[0]["state"], "head", "{}", run.stdout);
}

#[test]
fn what_could_not_be_read_is_not_counted_as_read() {
    let repo = Repo::new();
    for name in ["a.py", "b.py", "c.py"] {
        repo.save(name, format!("{name}\n"));
    }
    let read = |code| {
        let run = repo.dir.run(&["history", "--format", "json"]).expect(code);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        report["coverage"]["objects"].as_u64().expect("a number")
    };
    assert_eq!(read(0), 9);
    let tree = loose(&repo, "HEAD^{tree}");
    overwrite(&loose(&repo, "HEAD:a.py"), b"");
    overwrite(&tree, b"");
    assert_eq!(read(2), 7);
}

#[test]
fn borrowed_folders_are_read_however_git_spells_them_and_missed_when_they_are_gone() {
    let lender = Repo::new();
    lender.save("a.py", assigned(1));
    let at = lender.git(&["rev-parse", "HEAD"]);
    let objects = lender.path().join(".git/objects").display().to_string();
    let borrower = Repo::new();
    borrower.save("b.py", assigned(2));
    let list = borrower.path().join(".git/objects/info/alternates");
    // A letter as git may spell any byte.
    let spelled = objects.replacen("objects", "\\157bjects", 1);
    fs::write(&list, format!("\"{spelled}\"\n")).expect("a list");
    borrower.git(&["update-ref", "refs/heads/other", &at]);
    let run = borrower
        .dir
        .run(&["history", "--format", "jsonl", "--show-secrets"]);
    let run = run.expect(1);
    assert!(finds(&run, 1) && finds(&run, 2));
    fs::write(&list, format!("{objects}-gone\n")).expect("a list");
    let run = sweep(&borrower);
    assert!(
        run.stderr.contains("no such folder of objects"),
        "{}",
        run.stderr
    );
    assert!(finds(&run, 2));
}

#[test]
fn what_is_named_and_not_here_is_missed() {
    for (name, packed) in [
        ("HEAD:b.py", false),
        ("HEAD:d", true),
        ("HEAD^{tree}", false),
        ("HEAD~", true),
    ] {
        let repo = Repo::new();
        repo.save("a.py", assigned(1));
        repo.save("b.py", "fine\n");
        repo.save("d/c.py", "fine as well\n");
        let id = repo.git(&["rev-parse", name]);
        let file = loose(&repo, name);
        repo.dir.run(&["history"]).expect(1);
        fs::remove_file(&file).expect("an object");
        if packed {
            // All that is left, as git cannot follow it any more.
            let objects = repo.git(&[
                "cat-file",
                "--batch-all-objects",
                "--batch-check=%(objectname)",
            ]);
            repo.write("ids", objects + "\n");
            let ids = fs::File::open(repo.path().join("ids")).expect("a list");
            let mut pack = git(repo.path());
            pack.args(["pack-objects", "-q", ".git/objects/pack/pack"]);
            let packed = pack.stdin(ids).output().expect("git runs");
            assert!(packed.status.success(), "{packed:?}");
            repo.git(&["prune-packed", "-q"]);
        }
        let run = sweep(&repo);
        assert!(run.stderr.contains(&id), "{name}: {}", run.stderr);
        assert!(run.stderr.contains("git fsck"), "{name}: {}", run.stderr);
        assert!(finds(&run, 1), "{name}");
    }
}

#[test]
fn what_only_garbage_names_is_not_missed() {
    let repo = Repo::new();
    repo.save("a.py", assigned(1));
    repo.git(&["checkout", "-q", "-b", "other"]);
    repo.save("b.py", "fine\n");
    let file = loose(&repo, "HEAD:b.py");
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["branch", "-q", "-D", "other"]);
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    fs::remove_file(&file).expect("an object");
    repo.dir.run(&["history"]).expect(1);
}

#[test]
fn what_is_no_tree_and_no_commit_is_reported_and_the_rest_scanned() {
    for (kind, bytes) in [
        ("tree", &b"100644 a\0\x01\x02"[..]),
        ("commit", b"tree of another kind\n\nwords\n"),
    ] {
        let repo = Repo::new();
        repo.save("a.py", assigned(1));
        let file = repo.write("bytes", bytes);
        let name = file.display().to_string();
        let written = ["hash-object", "-t", kind, "-w", "--literally", &name];
        let id = repo.git(&written);
        let run = sweep(&repo);
        assert!(run.stderr.contains(&id), "{kind}: {}", run.stderr);
        assert!(finds(&run, 1), "{kind}");
    }
}

#[test]
fn what_is_broken_in_a_pack_is_read_from_a_file_of_its_own() {
    let repo = Repo::new();
    repo.save("a.py", assigned(1));
    repo.save("b.py", format!("{}{}", "b = 2\n".repeat(9), assigned(2)));
    let file = loose(&repo, "HEAD:b.py");
    let sound = fs::read(&file).expect("an object");
    let id = repo.git(&["rev-parse", "HEAD:b.py"]);
    let pack = packed(&repo, "pack");
    let listed = repo.git(&["verify-pack", "-v", &pack.display().to_string()]);
    let line = listed.lines().find(|line| line.starts_with(&id));
    let columns: Vec<&str> = line.expect("it is packed").split_whitespace().collect();
    let number = |column: usize| columns[column].parse::<usize>().expect("a number");
    let (len, at) = (number(3), number(4));
    let mut bytes = fs::read(&pack).expect("a pack");
    bytes[at + len - 12..at + len].fill(0xAA);
    overwrite(&pack, &bytes);
    let run = sweep(&repo);
    assert!(finds(&run, 1) && !finds(&run, 2));
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(&file, sound).expect("a copy");
    let run = repo
        .dir
        .run(&["history", "--format", "jsonl", "--show-secrets"]);
    let run = run.expect(1);
    assert!(finds(&run, 1) && finds(&run, 2));
}

/// The ways in which the file of an object is damaged here.
fn damaged(whole: &[u8]) -> Vec<Vec<u8>> {
    let mut garbage = whole.to_vec();
    garbage[whole.len() / 2..].fill(0x5A);
    let cuts = [0, 1, whole.len() / 2, whole.len() - 5, whole.len() - 1];
    let cut = cuts.map(|len| whole[..len].to_vec());
    cut.into_iter().chain([garbage]).collect()
}

/// What `git push` tells the hook of a working copy.
fn pushes(repo: &Repo, from: &str) -> String {
    let (new, old) = (
        repo.git(&["rev-parse", "HEAD"]),
        repo.git(&["rev-parse", from]),
    );
    format!("refs/heads/main {new} refs/heads/main {old}\n")
}

/// A range of two commits after the annotated tag `v1`.
fn ranged() -> Repo {
    let repo = Repo::new();
    let long = "a line of some length, so that there is something to cut\n";
    repo.save("d/a.py", long);
    repo.git(&["tag", "-a", "v1", "-m", long]);
    repo.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    repo.git(&["remote", "add", "origin", "https://host.invalid/app"]);
    repo.save("b.py", long);
    repo.save("c.py", "fine\n");
    repo
}

#[test]
fn what_is_cut_off_ends_a_range_with_its_name() {
    let range = ["diff", "v1..HEAD"];
    let ci = ["ci", "refs/remotes/origin/main..HEAD"];
    let (staged, unstaged) = (["diff", "--staged"], ["diff", "--unstaged"]);
    let commit = ["hook", "pre-commit"];
    let push = ["hook", "pre-push", "origin"];
    let every = [&range[..], &ci, &staged, &unstaged, &commit, &push];
    let one = [&range[..]];
    let pushed = [&range[..], &ci, &push];
    for (name, commands) in [
        ("HEAD", &every[..]),
        ("HEAD^{tree}", &every),
        ("HEAD~1", &pushed),
        ("HEAD~1^{tree}", &pushed),
        ("HEAD:b.py", &pushed),
        ("v1", &one),
        ("v1^{commit}", &pushed),
        ("v1^{tree}", &pushed),
    ] {
        let repo = ranged();
        repo.write("e.py", "new\n");
        repo.git(&["add", "e.py"]);
        let input = pushes(&repo, "v1^{commit}");
        let id = repo.git(&["rev-parse", name]);
        let file = loose(&repo, name);
        let whole = fs::read(&file).expect("an object");
        for (way, bytes) in damaged(&whole).iter().enumerate() {
            overwrite(&file, bytes);
            for command in commands {
                let input = if *command == push { &*input } else { "" };
                let run = repo.dir.run_with(command, &[], input.as_bytes());
                let told = format!("{name} {way} {command:?}: {}", run.stderr);
                assert_eq!(run.code, Some(2), "{told}");
                assert!(run.stderr.contains(&id), "{told}");
            }
        }
    }
}

#[test]
fn a_branch_that_is_cut_off_is_told_and_hides_nothing() {
    let repo = ranged();
    repo.git(&["checkout", "--quiet", "-b", "other", "v1"]);
    let id = repo.save("o.py", "fine\n");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["update-ref", "refs/remotes/origin/other", &id]);
    let input = pushes(&repo, "v1^{commit}");
    let push = ["hook", "pre-push", "origin"];
    repo.dir.run_with(&push, &[], input.as_bytes()).expect(0);
    let file = loose(&repo, "other");
    for bytes in damaged(&fs::read(&file).expect("an object")) {
        overwrite(&file, &bytes);
        let run = repo.dir.run_with(&push, &[], input.as_bytes()).expect(0);
        assert!(run.stderr.contains(&id), "{}", run.stderr);
        // The same where a server has no quarantine.
        let (new, old) = (
            repo.git(&["rev-parse", "main"]),
            repo.git(&["rev-parse", "v1^{commit}"]),
        );
        let update = ["hook", "update", "refs/heads/new", &old, &new];
        let run = repo
            .dir
            .run_with(&update, &[("GIT_DIR", ".git")], b"")
            .expect(0);
        assert!(run.stderr.contains(&id), "{}", run.stderr);
    }
}

#[test]
fn a_head_that_is_damaged_is_not_taken_for_none() {
    let repo = ranged();
    let (head, branch) = (
        repo.path().join(".git/HEAD"),
        repo.path().join(".git/refs/heads/main"),
    );
    let id = repo.git(&["rev-parse", "HEAD"]);
    for (file, text) in [
        (&branch, "junk\n"),
        (&head, "junk\n"),
        (&branch, &*"7".repeat(40)),
    ] {
        let before = fs::read(file).expect("a reference");
        fs::write(file, text).expect("a reference");
        for command in [["diff", "--staged"], ["hook", "pre-commit"], ["diff", "v1"]] {
            repo.dir.run(&command).expect(2);
        }
        fs::write(file, before).expect("a reference");
    }
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), id);
}

#[test]
fn what_is_no_commit_and_no_tag_ends_a_range_with_its_name() {
    let repo = ranged();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let parent = repo.git(&["rev-parse", "HEAD"]);
    for (kind, bytes) in [
        ("commit", format!("tree zz{}\n\nwords\n", &tree[2..])),
        ("commit", "words\n".to_owned()),
        ("tag", "words\n".to_owned()),
        ("tree", "words\n".to_owned()),
    ] {
        let id = literal(&repo, kind, &bytes);
        let name = match kind {
            "tree" => {
                let commit = format!("tree {id}\nparent {parent}\n\nwords\n");
                literal(&repo, "commit", &commit)
            }
            _ => id.clone(),
        };
        let over = format!("tree {tree}\nparent {name}\n\nwords\n");
        let over = literal(&repo, "commit", &over);
        let ranges = match kind {
            "commit" => [format!("v1..{over}"), format!("{name}..HEAD")],
            "tag" => [format!("v1..{name}"), format!("{name}..HEAD")],
            _ => [format!("v1..{name}"), format!("v1..{over}")],
        };
        for range in ranges {
            let run = repo.dir.run(&["diff", &range]).expect(2);
            let told = format!("object {id}: is no {kind} as git writes it");
            assert!(run.stderr.contains(&told), "{range}: {}", run.stderr);
        }
    }
}

/// Writes an object whatever it holds.
fn literal(repo: &Repo, kind: &str, bytes: &str) -> String {
    let file = repo.write("bytes", bytes).display().to_string();
    repo.git(&["hash-object", "-t", kind, "-w", "--literally", &file])
}

/// As `history` does: nobody could push a secret by leaving a line out.
#[test]
fn a_commit_without_a_committer_is_judged() {
    let repo = ranged();
    repo.write("new.py", assigned(1));
    repo.git(&["add", "new.py"]);
    let (tree, parent) = (repo.git(&["write-tree"]), repo.git(&["rev-parse", "HEAD"]));
    let id = literal(
        &repo,
        "commit",
        &format!("tree {tree}\nparent {parent}\n\nwords\n"),
    );
    repo.git(&["update-ref", "refs/heads/main", &id]);
    let shown = ["diff", "v1..HEAD", "--format", "jsonl", "--show-secrets"];
    let run = repo.dir.run(&shown).expect(1);
    assert!(finds(&run, 1) && run.json_lines()[0]["commit"] == id.as_str());
}

#[test]
fn an_index_that_is_damaged_is_refused_with_the_cause() {
    let repo = ranged();
    let index = repo.path().join(".git/index");
    let whole = fs::read(&index).expect("an index");
    repo.write("b.py", assigned(1));
    for bytes in [&b"junk"[..], b"", &whole[..whole.len() / 2], &[7; 90]] {
        fs::write(&index, bytes).expect("written");
        for command in [
            ["diff", "--unstaged"],
            ["diff", "--staged"],
            ["hook", "pre-commit"],
        ] {
            let run = repo.dir.run(&command).expect(2);
            let told = &run.stderr;
            assert!(told.contains("index: the index is"), "{command:?}: {told}");
        }
    }
    fs::write(&index, whole).expect("written");
    repo.dir.run(&["diff", "--unstaged"]).expect(1);
}

/// libgit2 asks for these while it compares files; they are read by nobody else.
#[test]
fn attributes_that_are_cut_off_do_not_stop_a_comparison_for_ever() {
    let repo = Repo::new();
    repo.write(".gitattributes", "*.txt text eol=crlf\n* text=auto\n");
    repo.save("a.txt", assigned(2));
    repo.git(&["config", "core.autocrlf", "true"]);
    for name in ["HEAD:.gitattributes", "HEAD:a.txt"] {
        let file = loose(&repo, name);
        let half = fs::read(&file).expect("an object");
        overwrite(&file, &half[..half.len() / 2]);
    }
    fs::remove_file(repo.path().join(".gitattributes")).expect("it is there");
    // Of another length it would be another file without a look.
    repo.write("a.txt", assigned(1));
    repo.dir.run(&["diff", "--unstaged"]).expect(1);
}

/// What can be done about it is tried as it is told.
#[cfg(unix)]
#[test]
fn settings_that_libgit2_does_not_take_are_refused_with_what_helps() {
    let repo = Repo::new();
    repo.save("a.py", assigned(1));
    repo.git(&["config", "core.repositoryFormatVersion", "1"]);
    repo.git(&["config", "extensions.partialClone", "the origin"]);
    let run = repo.dir.run(&["history"]).expect(2);
    let at = run.stderr.find("git config").expect("a command");
    let shell = format!("!{}", &run.stderr[at..]);
    repo.git(&["-c", &format!("alias.told={}", shell.trim_end()), "told"]);
    assert_eq!(repo.git(&["config", "remote.the origin.promisor"]), "true");
    repo.dir.run(&["history"]).expect(1);
    // Of a user who may not read the folder that is named as theirs.
    let home = repo.path().join("home");
    fs::create_dir(&home).expect("a folder");
    std::os::unix::fs::symlink(".gitconfig", home.join(".gitconfig")).expect("a link");
    let home = home.display().to_string();
    let run = repo.dir.run_with(&["history"], &[("HOME", &home)], b"");
    assert!(run.expect(2).stderr.contains("unset HOME"));
}

#[test]
fn references_in_a_table_are_refused_with_the_cause() {
    let repo = Repo {
        dir: util::Dir::new(),
    };
    let init = ["init", "--quiet", "--ref-format=reftable"];
    if repo.try_git(&init).code != Some(0) {
        eprintln!("skipped: this git knows no reftable");
        return;
    }
    repo.save("a.py", assigned(1));
    repo.git(&["tag", "v1"]);
    let commands: [&[&str]; 6] = [
        &["history"],
        &["diff", "v1..HEAD"],
        &["diff", "--staged"],
        &["hook", "pre-commit"],
        &["hook", "pre-push", "origin"],
        &["hook", "install"],
    ];
    for command in commands {
        let run = repo.dir.run(command).expect(2);
        let told = "keeps its references in the reftable format, which keysweep cannot read";
        assert!(run.stderr.contains(told), "{command:?}: {}", run.stderr);
    }
}

/// The store of a fork, as servers keep them.
#[cfg(unix)]
#[test]
fn what_is_cut_off_in_a_borrowed_store_does_not_stop_a_push_for_ever() {
    let lender = ranged();
    let server = Repo {
        dir: util::Dir::new(),
    };
    let from = lender.path().display().to_string();
    server.git(&["clone", "--quiet", "--bare", "--shared", &from, "."]);
    server.dir.run(&["hook", "install"]).expect(0);
    let copy = Repo::clone_of(&server, &[]);
    let file = loose(&lender, "HEAD:c.py");
    let whole = fs::read(&file).expect("an object");
    overwrite(&file, &whole[..whole.len() / 2]);
    // Whether the value is new is told by what the file was before.
    copy.save("c.py", assigned(1));
    let run = copy.try_git(&["push", "--quiet", "origin", "main"]);
    assert!(run.stderr.contains("push refused"), "{}", run.stderr);
}

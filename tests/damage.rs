//! `keysweep history` on repositories in which something is damaged or gone.

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
    let packs = fs::read_dir(repo.path().join(".git/objects/pack")).expect("packs");
    let mut files = packs.flatten().map(|entry| entry.path());
    let file = files.find(|path| path.extension().is_some_and(|e| e == kind));
    file.expect("a pack")
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

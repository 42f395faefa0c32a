//! `fix --write` killed at any moment leaves each file old or new, and the next run tidies up.

#![cfg(unix)]

mod util;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use util::{Dir, made_with};

const FILES: usize = 12;

fn files(dir: &Dir) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(dir.path())
        .expect("listed")
        .flatten()
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).expect("readable"))
        })
        .collect()
}

fn write_old(dir: &Dir, old: &BTreeMap<String, Vec<u8>>) {
    for (name, bytes) in old {
        dir.write(name, bytes);
    }
}

/// 200 runs, each killed a little later than the last. Minutes long: `cargo test -- --ignored`.
#[test]
#[ignore = "takes minutes"]
fn killed_runs_leave_files_old_or_new() {
    let dir = Dir::new();
    for index in 0..FILES {
        let token = made_with("ghp_{b62:30}{crc-base62}", index as u64);
        dir.write(
            &format!("f{index:02}.py"),
            format!("API_TOKEN = \"{token}\"\n{}", "# padding\n".repeat(2000)),
        );
    }
    let old = files(&dir);
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keysweep"));
        command.current_dir(dir.path());
        command.args(["fix", ".", "--vault", "kv-app", "--write"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    // The quickest of a few, so that a busy machine does not stretch the kills beyond a run's end.
    let timed = || {
        write_old(&dir, &old);
        let started = std::time::Instant::now();
        run().status().expect("runs");
        started.elapsed()
    };
    let whole = (0..4).map(|_| timed()).min().expect("some");
    let new = files(&dir);
    let (mut cut_short, mut untouched) = (0, 0);
    for round in 0..200u32 {
        fs::read_dir(dir.path())
            .expect("listed")
            .flatten()
            .for_each(|e| fs::remove_file(e.path()).expect("removed"));
        write_old(&dir, &old);
        let mut child = run().spawn().expect("starts");
        std::thread::sleep(
            whole * round / 200 + Duration::from_micros(u64::from(round) * 37 % 900),
        );
        // SIGKILL: nothing can be cleaned up.
        child.kill().expect("killed");
        child.wait().expect("ended");
        let held = files(&dir);
        for (name, bytes) in &old {
            let now = &held[name];
            assert!(
                now == bytes || now == &new[name],
                "round {round}: {name} is neither old nor new"
            );
        }
        let done = old.keys().filter(|name| held[*name] == new[*name]).count();
        cut_short += u32::from(done > 0 && done < FILES);
        untouched += u32::from(done == 0);
        run().status().expect("runs");
        let after = files(&dir);
        let rubbish: Vec<_> = after
            .keys()
            .filter(|name| !new.contains_key(*name))
            .collect();
        assert!(rubbish.is_empty(), "round {round}: {rubbish:?}");
    }
    println!("200 kills: {cut_short} cut a run short, {untouched} came before the first file");
    assert!(cut_short > 10, "only {cut_short} kills came in the middle");
}

#[test]
fn links_and_changed_files_are_not_written_to() {
    let (dir, outside) = (Dir::new(), Dir::new());
    let token = util::github_token();
    let text = format!("API_TOKEN = \"{token}\"\n");
    outside.write("real/app.py", &text);
    std::os::unix::fs::symlink(outside.path().join("real"), dir.path().join("link"))
        .expect("a link");
    dir.run(&["fix", "link/app.py", "--vault", "kv-app", "--write"])
        .expect(2);
    let held = fs::read_to_string(outside.path().join("real/app.py")).expect("readable");
    assert_eq!(held, text);
}

#[test]
fn mode_and_stale_rubbish_are_seen_to() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new();
    let path = dir.write(
        "run.sh",
        format!("#!/bin/sh\nTOKEN='{}'\n", util::github_token()),
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).expect("set");
    dir.write(".run.sh.keysweep-4194305.tmp", "half");
    dir.write(".run.sh.keysweep-notes.tmp", "somebody's");
    dir.run(&["fix", ".", "--vault", "kv-app", "--write"])
        .expect(0);
    assert_eq!(
        fs::metadata(&path).expect("there").permissions().mode() & 0o777,
        0o750
    );
    assert!(!dir.path().join(".run.sh.keysweep-4194305.tmp").exists());
    assert!(dir.path().join(".run.sh.keysweep-notes.tmp").exists());
}

//! What the walk reads, what it leaves out, and how it says so.

mod util;

use serde_json::{Value, json};
use util::{Dir, github_token, made_with};

fn leak(seed: u64) -> String {
    format!("t = '{}'\n", made_with("ghp_{b62:30}{crc-base62}", seed))
}

fn paths(findings: &[Value]) -> Vec<&str> {
    let paths = findings.iter().map(|f| f["path"].as_str());
    paths.map(|path| path.expect("a path")).collect()
}

fn coverage(dir: &Dir, args: &[&str], code: i32) -> Value {
    let run = dir
        .run(&[&["scan", "--format", "json"], args].concat())
        .expect(code);
    let mut report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    report["coverage"].take()
}

#[test]
fn a_file_is_read_once_however_often_it_is_named() {
    let dir = Dir::new();
    dir.write("src/a.py", leak(1));
    dir.write("src/deep/b.py", leak(2));
    let absolute = dir.path().join("src/deep");
    let absolute = absolute.to_str().expect("UTF-8");
    for args in [
        &["src", "src"][..],
        &[".", "src", "src/deep/b.py"],
        &["src", "./src/", "src/../src/deep"],
        &["src/a.py", "src", "./src/a.py"],
    ] {
        let findings = dir.findings(args);
        assert_eq!(paths(&findings), ["src/a.py", "src/deep/b.py"], "{args:?}");
        assert_eq!(coverage(&dir, args, 1)["files"], json!(2));
    }
    assert_eq!(dir.findings(&["src/deep", absolute]).len(), 1);
}

#[cfg(unix)]
#[test]
fn a_link_does_not_stand_for_the_file_it_leads_to() {
    let dir = Dir::new();
    let [before, after] = [3, 4].map(|seed| made_with("ghp_{b62:30}{crc-base62}", seed));
    dir.write("src/m.py", leak(1));
    for name in [&before, &after] {
        std::os::unix::fs::symlink("m.py", dir.path().join("src").join(name)).expect("a link");
    }
    std::os::unix::fs::symlink("m.py", dir.path().join("src/a.py")).expect("a link");
    for args in [&["src"][..], &["src", "src"], &["src/m.py", ".", "src"]] {
        let findings = dir.findings(args);
        let in_file = findings.iter().filter(|f| f["part"].is_null());
        assert_eq!(in_file.count(), 1, "{args:?}");
        assert_eq!(findings.len(), 3, "{args:?}");
        let coverage = coverage(&dir, args, 1);
        let links = coverage["left_out"]["symlink"].as_array();
        assert_eq!(links.expect("a list").len(), 3, "{args:?}");
    }
}

#[test]
fn a_path_that_is_not_there_is_named_and_the_rest_is_read() {
    let dir = Dir::new();
    dir.write("a.py", leak(1));
    for missing in ["b.py", "a.py/c.py"] {
        let run = dir.run(&["scan", missing, "a.py"]).expect(2);
        assert!(run.stderr.contains(missing), "{}", run.stderr);
        assert!(run.stdout.contains("1 secret found"), "{}", run.stdout);
    }
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    fn pipe(dir: &Dir, name: &str) {
        let made = Command::new("mkfifo").arg(dir.path().join(name)).status();
        assert!(made.expect("mkfifo is there").success());
    }

    #[test]
    fn links_in_a_tree_are_not_followed_but_counted() {
        let outside = Dir::new();
        let target = outside.write("leak.txt", leak(1));
        let dir = Dir::new();
        dir.write("a.txt", "clean");
        symlink(target, dir.path().join("link.txt")).expect("a link");
        symlink(outside.path(), dir.path().join("folder")).expect("a link");
        let links = &coverage(&dir, &[], 0)["left_out"]["symlink"];
        assert_eq!(links[0]["path"], "folder");
        assert_eq!(links[1]["path"], "link.txt");
    }

    #[test]
    fn a_link_that_is_named_is_followed() {
        let outside = Dir::new();
        let target = outside.write("leak.txt", leak(1));
        let dir = Dir::new();
        symlink(&target, dir.path().join("link.txt")).expect("a link");
        symlink(outside.path(), dir.path().join("folder")).expect("a link");
        symlink("nowhere", dir.path().join("broken")).expect("a link");
        assert_eq!(paths(&dir.findings(&["link.txt"])), ["link.txt"]);
        assert_eq!(paths(&dir.findings(&["folder"])), ["folder/leak.txt"]);
        let target = target.to_str().expect("UTF-8");
        assert_eq!(dir.findings(&["link.txt", target]).len(), 1);
        let run = dir.run(&["scan", "broken"]).expect(2);
        assert!(run.stderr.contains("broken"), "{}", run.stderr);
    }

    #[test]
    fn a_pipe_is_read_when_it_is_named_and_left_out_otherwise() {
        let dir = Dir::new();
        pipe(&dir, "pipe");
        let left_out = &coverage(&dir, &[], 0)["left_out"]["not_a_file"];
        assert_eq!(left_out[0]["path"], "pipe");
        let path = dir.path().join("pipe");
        let writer = std::thread::spawn(move || fs::write(path, leak(1)));
        assert_eq!(paths(&dir.findings(&["pipe"])), ["pipe"]);
        writer.join().expect("no panic").expect("written");
    }

    #[test]
    fn a_device_that_is_named_is_no_clean_file() {
        let dir = Dir::new();
        let run = dir.run(&["scan", "/dev/null"]).expect(2);
        assert!(run.stderr.contains("/dev/null"), "{}", run.stderr);
    }

    #[test]
    fn what_may_not_be_read_is_named() {
        let dir = Dir::new();
        dir.write("closed/a.py", leak(1));
        let file = dir.write("b.py", leak(2));
        dir.write("c.py", leak(3));
        let closed = dir.path().join("closed");
        for path in [&file, &closed] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o0)).expect("mine");
        }
        let may_all_the_same = fs::read_dir(&closed).is_ok();
        let run = dir.run(&["scan"]);
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("mine");
        if may_all_the_same {
            println!("left out: whoever runs this may read everything");
            return;
        }
        let run = run.expect(2);
        assert!(
            run.stderr.contains("closed:") && run.stderr.contains("b.py:"),
            "{}",
            run.stderr
        );
        assert!(run.stdout.contains("1 secret found"), "{}", run.stdout);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn files_without_a_length_are_read_and_failing_ones_named() {
        let dir = Dir::new();
        let token = github_token();
        let args = ["scan", "/proc/self/environ", "--format", "jsonl"];
        let run = dir.run_with(&args, &[("TOKEN", &token)], b"").expect(1);
        assert_eq!(run.json_lines()[0]["rule"], "github-pat-classic");
        let run = dir.run(&["scan", "/proc/self/mem"]).expect(2);
        assert!(run.stderr.contains("/proc/self/mem"), "{}", run.stderr);
    }

    #[test]
    fn names_that_are_no_unicode_stay_apart() {
        let dir = Dir::new();
        for name in [&b"a\xff.txt"[..], b"a\xfe.txt"] {
            let path = dir.path().join(OsStr::from_bytes(name));
            fs::write(path, leak(1)).expect("written");
        }
        let findings = dir.findings(&[]);
        assert_eq!(paths(&findings), ["a<FE>.txt", "a<FF>.txt"]);
        assert_ne!(findings[0]["fingerprint"], findings[1]["fingerprint"]);
        for format in ["human", "sarif"] {
            dir.run(&["scan", "--format", format]).expect(1);
        }
    }
}

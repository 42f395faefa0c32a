//! Where reports go: files that are whole or untouched, pipes that close, terminals.

mod util;

use std::fs;
use std::io::Read;
use std::process::Stdio;

use serde_json::Value;
use util::{Dir, github_token, keysweep, made_with};

fn names(dir: &Dir) -> Vec<String> {
    let entries = fs::read_dir(dir.path()).expect("a folder");
    let names = entries.map(|e| {
        e.expect("an entry")
            .file_name()
            .into_string()
            .expect("UTF-8")
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_report_replaces_the_last_one_as_a_whole() {
    let dir = Dir::new();
    dir.write("a.py", format!("t = '{}'\n", github_token()));
    for old in ["", "{\"old\": \"much longer than what comes after it\"}"] {
        dir.write("r.json", old);
        let run = dir
            .run(&["scan", "a.py", "-f", "json", "-o", "r.json"])
            .expect(1);
        assert_eq!(run.stdout, "");
        let text = fs::read(dir.path().join("r.json")).expect("the report");
        let report: Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(report["coverage"]["files"], 1);
        assert_eq!(names(&dir), ["a.py", "r.json"], "no draft is left");
    }
}

/// Findings are put into text many at once.
#[test]
fn many_findings_stand_in_order() {
    let dir = Dir::new();
    let token = |seed| made_with("ghp_{b62:30}{crc-base62}", seed);
    for many in [1, 2, 1_024, 1_025, 1_100] {
        let tokens: Vec<String> = (0..many)
            .map(|seed| format!("t = '{}'\n", token(seed)))
            .collect();
        dir.write("a.py", tokens.concat());
        let lines = dir
            .run(&["scan", "a.py", "-f", "jsonl"])
            .expect(1)
            .json_lines();
        let at: Vec<u64> = lines
            .iter()
            .filter_map(|found| found["line"].as_u64())
            .collect();
        assert_eq!(at, (1..=many).collect::<Vec<_>>());
        let whole = dir.run(&["scan", "a.py", "-f", "json"]).expect(1);
        let report: Value = serde_json::from_str(&whole.stdout).expect("JSON");
        assert_eq!(report["findings"], Value::from(lines));
    }
}

#[test]
fn the_draft_is_no_part_of_the_scan() {
    let dir = Dir::new();
    dir.write("a.py", "clean");
    let run = dir.run(&["scan", "-o", "r.txt"]).expect(0);
    assert_eq!(run.stderr, "");
    let text = fs::read_to_string(dir.path().join("r.txt")).expect("the report");
    assert!(text.contains("read 1 file"), "{text}");
}

#[test]
fn a_place_that_cannot_be_written_is_named_before_the_scan() {
    let dir = Dir::new();
    dir.write("a.py", format!("t = '{}'\n", github_token()));
    for place in ["no/such/folder/r.json", ".", "a.py/r.json"] {
        let run = dir.run(&["scan", "missing.txt", "-o", place]).expect(2);
        assert!(run.stderr.contains(place), "{}", run.stderr);
        assert!(!run.stderr.contains("missing.txt"), "{}", run.stderr);
    }
    assert_eq!(names(&dir), ["a.py"]);
}

#[cfg(unix)]
#[test]
fn devices_and_links_are_written_through() {
    let dir = Dir::new();
    dir.write("a.py", format!("t = '{}'\n", github_token()));
    let run = dir.run(&["scan", "a.py", "-o", "/dev/stdout"]).expect(1);
    assert!(run.stdout.contains("1 secret found"), "{}", run.stdout);
    dir.write("real.txt", "old");
    let link = dir.path().join("link.txt");
    std::os::unix::fs::symlink("real.txt", &link).expect("a link");
    dir.run(&["scan", "a.py", "-o", "link.txt"]).expect(1);
    assert!(link.is_symlink());
    let text = fs::read_to_string(dir.path().join("real.txt")).expect("the report");
    assert!(text.contains("1 secret found"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let dir = Dir::new();
    dir.write("a.py", format!("t = '{}'\n", github_token()));
    let run = dir.run(&["scan", "-o", "/dev/full"]).expect(2);
    assert!(run.stderr.contains("/dev/full"), "{}", run.stderr);
}

#[test]
fn a_closed_pipe_is_quiet_and_the_exit_code_stays() {
    let dir = Dir::new();
    let lines = (0..3_000).map(|seed| {
        let token = made_with("ghp_{b62:30}{crc-base62}", seed);
        format!("t = '{token}'\n")
    });
    dir.write("a.py", lines.collect::<String>());
    for format in ["human", "json", "jsonl", "sarif"] {
        let mut child = keysweep(dir.path(), &["scan", "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut start = [0; 10];
        let mut pipe = child.stdout.take().expect("piped");
        pipe.read_exact(&mut start).expect("a report");
        drop(pipe);
        let ended = child.wait_with_output().expect("the binary ends");
        assert_eq!(ended.status.code(), Some(1), "{format}");
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{format}");
    }
}

#[test]
fn a_narrow_terminal_gets_narrow_lines_and_whole_commands() {
    let dir = Dir::new();
    let filler = "x = 'grün' ; ".repeat(5);
    for name in ["a.py", "b.py"] {
        dir.write(name, format!("{filler}t = '{}' {filler}\n", github_token()));
    }
    let run = dir.run_with(&["scan"], &[("COLUMNS", "60")], b"").expect(1);
    let commands = ["    rotate ", "    instead ", "    github-pat-classic "];
    let is_command = |line: &&str| commands.iter().any(|start| line.starts_with(start));
    for line in run.stdout.lines().filter(|line| !is_command(line)) {
        assert!(line.chars().count() <= 60, "{line}");
    }
    let frame = run
        .stdout
        .lines()
        .find(|line| line.contains("    | "))
        .expect("a frame");
    assert!(
        frame.contains("ghp_********") && frame.ends_with('…'),
        "{frame}"
    );
    let rotations = run.stdout.matches("    rotate ").count();
    assert_eq!(rotations, 1, "said once for a kind");
    let whole = dir.run(&["scan"]).expect(1);
    assert!(!whole.stdout.contains('…'));
}

#[test]
fn many_findings_are_counted_by_kind() {
    let dir = Dir::new();
    for seed in 0..30 {
        let token = made_with("ghp_{b62:30}{crc-base62}", seed);
        dir.write(&format!("f{}.py", seed % 3), "");
        dir.write(&format!("g{seed}.py"), format!("t = '{token}'\n"));
    }
    let run = dir.run(&["scan"]).expect(1);
    let count = "    30 critical GitHub personal access token (classic) in 30 files";
    assert!(run.stdout.contains(count), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}'), "no colour in a pipe");
    let coloured = dir.run(&["scan", "--color", "always"]).expect(1);
    assert!(coloured.stdout.contains('\u{1b}'));
}

/// Names and text that CI systems would take for commands if they stood so in a log.
#[cfg(unix)]
#[test]
fn no_text_is_taken_for_a_command_to_a_ci_system() {
    let dir = Dir::new();
    let names = [
        "##vso[task.complete result=Succeeded;]a.py",
        "::add-mask::b.py",
        "##[add-mask]c.py",
        " ::stop-commands::d.py",
        "##teamcity[buildStatus text='fine']e.py",
    ];
    for (name, seed) in names.iter().zip(1..) {
        let token = made_with("ghp_{b62:30}{crc-base62}", seed);
        dir.write(name, format!("{name} = '{token}' {name}\n"));
    }
    for format in [
        "human", "json", "jsonl", "sarif", "github", "azure", "gitlab",
    ] {
        let run = dir.run(&["scan", "--format", format]).expect(1);
        let text = run.stdout + &run.stderr;
        let is_ours = |line: &&str| {
            let own = ["##vso[task.logissue type=error;code=", "::error title="];
            own.iter().any(|start| line.starts_with(start))
                || line.starts_with("##vso[task.complete result=Failed;]")
        };
        for line in text.lines() {
            let ours = is_ours(&line);
            let rest = line.trim_start_matches(['#', ':']);
            let line = if ours { rest } else { line };
            assert!(!line.contains("##"), "{format}: {line}");
            assert!(!line.trim_start().starts_with("::"), "{format}: {line}");
        }
    }
    let found = dir.findings(&["."]);
    let mut paths: Vec<&str> = found.iter().filter_map(|f| f["path"].as_str()).collect();
    let mut expected = names.to_vec();
    paths.sort_unstable();
    expected.sort_unstable();
    assert_eq!(paths, expected, "JSON says the names as they are");
}

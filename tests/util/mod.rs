//! A folder of its own for each test, the binary run in it, and values that look real.

#![allow(dead_code, reason = "each test program uses a part")]

pub mod contexts;
pub mod git;
pub mod tools;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use keysweep::rules::template::Generator;
use serde_json::Value;

/// A temporary folder with files, in which the binary runs.
pub struct Dir {
    folder: tempfile::TempDir,
}

/// Fixes everything in the folder and masks the outputs of notebooks.
pub const FIX_AND_MASK: [&str; 7] = [
    "fix",
    ".",
    "--vault",
    "kv-app",
    "--write",
    "--outputs",
    "mask",
];

/// How a run ended.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Dir {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder");
        fs::write(&path, content).expect("the file");
        path
    }

    /// Runs the binary outside of any CI, with these arguments.
    pub fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, &[], b"")
    }

    pub fn run_with(&self, args: &[&str], vars: &[(&str, &str)], input: &[u8]) -> Run {
        let mut command = keysweep(self.path(), args);
        command.envs(vars.iter().copied());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        std::io::Write::write_all(&mut child.stdin.take().expect("piped"), input).expect("input");
        ended(child).into()
    }

    /// The exit code of a run whose output nobody reads.
    pub fn run_unheard(&self, args: &[&str]) -> Option<i32> {
        let mut command = keysweep(self.path(), args);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let status = command.stdout(writer).status();
        status.expect("the binary runs").code()
    }

    /// The findings of a scan with these arguments, secrets included.
    pub fn findings(&self, args: &[&str]) -> Vec<Value> {
        let all = [&["scan", "--format", "jsonl", "--show-secrets"], args].concat();
        self.run(&all).json_lines()
    }
}

/// The binary in this folder, outside of any CI.
pub fn keysweep(at: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keysweep"));
    git::isolate(&mut command);
    command.current_dir(at).args(args);
    command
}

/// What a child printed, once it has ended. One that goes on for ever is ended, and the test fails.
fn ended(mut child: Child) -> Output {
    const LONGEST: Duration = Duration::from_secs(600);
    let (send, printed) = mpsc::channel();
    let stdout: Box<dyn Read + Send> = Box::new(child.stdout.take().expect("piped"));
    let stderr: Box<dyn Read + Send> = Box::new(child.stderr.take().expect("piped"));
    for (at, mut pipe) in [stdout, stderr].into_iter().enumerate() {
        let send = send.clone();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = pipe.read_to_end(&mut bytes);
            send.send((at, read.map(|_| bytes)))
        });
    }
    let mut texts = [Vec::new(), Vec::new()];
    for _ in 0..texts.len() {
        let Ok((at, bytes)) = printed.recv_timeout(LONGEST) else {
            child.kill().expect("it runs");
            panic!("the binary does not end");
        };
        texts[at] = bytes.expect("readable");
    }
    let [stdout, stderr] = texts;
    let status = child.wait().expect("the binary ends");
    Output {
        status,
        stdout,
        stderr,
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Run {
    /// Asserts the exit code, showing all there is when it is another.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    pub fn json_lines(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }
}

/// A fresh value from a template of the rule language.
pub fn made(template: &str) -> String {
    made_with(template, 7)
}

pub fn made_with(template: &str, seed: u64) -> String {
    Generator::new(seed)
        .fill(template)
        .expect("a valid template")
}

/// A GitHub token with a right checksum.
pub fn github_token() -> String {
    made("ghp_{b62:30}{crc-base62}")
}

/// The labelled notebooks beside the project. Says so where they are not.
pub fn labelled() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/nbleaks-dev");
    if !folder.join("truth.jsonl").is_file() {
        eprintln!("skipped: ../shared/nbleaks-dev is not there");
        return None;
    }
    Some(folder)
}

/// Their planted secrets: paths below the folder, with what is known of each.
pub fn planted(labelled: &Path) -> Vec<(String, Value)> {
    let truth = fs::read_to_string(labelled.join("truth.jsonl")).expect("readable");
    let rows = truth.lines().map(|line| {
        let row: Value = serde_json::from_str(line).expect("JSON");
        (row["path"].as_str().expect("a path").to_owned(), row)
    });
    rows.collect()
}

/// Copies the files of a folder.
pub fn copy(from: &Path, to: &Dir) {
    for entry in fs::read_dir(from).expect("listed").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        to.write(&name, fs::read(entry.path()).expect("readable"));
    }
}

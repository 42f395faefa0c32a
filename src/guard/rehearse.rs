//! `hook test`: proves that an installed hook refuses what it should and lets the rest pass.
//!
//! A copy of the hook is put into a repository made for the purpose, and the real git commits or
//! pushes a secret invented at that moment.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::earlier;
use super::install::{self, Kind};
use crate::error::{Error, ErrorKind};
use crate::rules::template::Generator;

/// What came of a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    pub hook: PathBuf,
    /// Whether git runs it at all.
    pub executable: bool,
    /// Whether the secret was refused by the hook, with its answer.
    pub refused: bool,
    /// Whether a change without a secret got through.
    pub passed: bool,
    /// Whether the secret itself was seen in what was printed.
    pub leaked: bool,
    /// What was printed when it was refused.
    pub answer: String,
}

impl Rehearsal {
    pub fn holds(&self) -> bool {
        self.executable && self.refused && self.passed && !self.leaked
    }
}

/// Tries the hook in the file `hook`. `scratch` is a folder that does not exist yet; it is removed
/// at the end. `seed` makes the secret.
///
/// # Errors
/// When git is missing or the folder cannot be written.
pub fn run(hook: &Path, kind: Kind, scratch: &Path, seed: u64) -> Result<Rehearsal, Error> {
    let stage = Stage::set(hook, kind, scratch)?;
    let canary = Generator::new(seed)
        .fill("ghp_{b62:30}{crc-base62}")
        .map_err(|error| Error::rules(format!("the canary: {error}")))?;
    let clean = stage.try_change("nothing to see\n")?;
    let dirty = stage.try_change(&format!("token = \"{canary}\"\n"))?;
    let printed = [&clean, &dirty].map(text).concat();
    Ok(Rehearsal {
        hook: hook.into(),
        executable: install::is_executable(hook),
        refused: !dirty.status.success() && text(&dirty).contains("keysweep: "),
        passed: clean.status.success(),
        leaked: printed.contains(&canary),
        answer: text(&dirty),
    })
}

/// A server's repository and a working copy.
struct Stage {
    root: PathBuf,
    kind: Kind,
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A folder that stays behind in the temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.root);
    }
}

impl Stage {
    fn set(hook: &Path, kind: Kind, scratch: &Path) -> Result<Self, Error> {
        fs::create_dir(scratch).map_err(|error| Error::io(scratch, error))?;
        let stage = Self {
            root: scratch.into(),
            kind,
        };
        stage.must(&["init", "--quiet", "--bare", "server.git"], ".")?;
        stage.must(&["init", "--quiet", "copy"], ".")?;
        stage.must(&["checkout", "--quiet", "-b", "main"], "copy")?;
        stage.must(&["remote", "add", "origin", "../server.git"], "copy")?;
        let hooks = match kind {
            Kind::PreReceive | Kind::Update => scratch.join("server.git/hooks"),
            Kind::PreCommit | Kind::PrePush => scratch.join("copy/.git/hooks"),
        };
        fs::create_dir_all(&hooks).map_err(|error| Error::io(&hooks, error))?;
        stand_in(&hooks, kind).map_err(|error| Error::io(&hooks, error))?;
        // With its mode: git passes over what is not executable.
        fs::copy(hook, hooks.join(kind.name())).map_err(|error| Error::io(hook, error))?;
        Ok(stage)
    }

    /// Commits and, for all hooks but that of commits, pushes a file with this content.
    fn try_change(&self, content: &str) -> Result<Output, Error> {
        let file = self.root.join("copy/file.txt");
        fs::write(&file, content).map_err(|error| Error::io(&file, error))?;
        self.must(&["add", "file.txt"], "copy")?;
        let commit = ["commit", "--quiet", "-m", "Rehearse"];
        if self.kind == Kind::PreCommit {
            return self.git(&commit, "copy");
        }
        self.must(&commit, "copy")?;
        self.git(&["push", "--quiet", "origin", "main"], "copy")
    }

    fn must(&self, args: &[&str], at: &str) -> Result<(), Error> {
        let output = self.git(args, at)?;
        if output.status.success() {
            return Ok(());
        }
        let said = text(&output);
        Err(Error::new(
            ErrorKind::Git,
            format!("git {}: {said}", args.join(" ")),
        ))
    }

    /// Runs git out of reach of any configuration that could keep hooks from running.
    fn git(&self, args: &[&str], at: &str) -> Result<Output, Error> {
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GIT_") {
                command.env_remove(name);
            }
        }
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Rehearsal");
            command.env(format!("GIT_{role}_EMAIL"), "rehearsal@example.invalid");
        }
        command
            .current_dir(self.root.join(at))
            .env("GIT_CONFIG_GLOBAL", self.root.join("no-config"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .args(args)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| Error::io(Path::new("git"), error))
    }
}

/// In the place of a hook that was there before, which is not tried: without one, ours may refuse.
fn stand_in(hooks: &Path, kind: Kind) -> io::Result<()> {
    let folder = hooks.with_file_name(format!("hooks{}", earlier::BEFORE));
    let file = folder.join(kind.name());
    fs::create_dir(folder)?;
    fs::write(&file, "#!/bin/sh\n")?;
    install::executable(&fs::File::open(&file)?)
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

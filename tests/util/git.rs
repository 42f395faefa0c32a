//! Repositories made by the real git, out of reach of the machine's configuration.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Dir, Run};

/// A working tree, or a bare repository, in a folder of its own.
pub struct Repo {
    pub dir: Dir,
}

/// `git` with no configuration but what is given here.
pub fn git(at: &Path) -> Command {
    let mut command = Command::new("git");
    isolate(&mut command);
    command.current_dir(at);
    command
}

/// Takes the machine's git configuration, and what a surrounding git or CI set, from a command.
pub fn isolate(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let foreign = [
            "GIT_",
            "GL_",
            "CI",
            "GITHUB_",
            "TF_BUILD",
            "JENKINS_",
            "BITBUCKET_",
        ];
        if foreign.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&*name);
        }
    }
    for (name, value) in [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "Ann Author"),
        ("GIT_AUTHOR_EMAIL", "ann@example.invalid"),
        ("GIT_COMMITTER_NAME", "Carl Committer"),
        ("GIT_COMMITTER_EMAIL", "carl@example.invalid"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_EDITOR", "true"),
        ("LC_ALL", "C"),
    ] {
        command.env(name, value);
    }
}

impl Repo {
    pub fn new() -> Self {
        Self::init(&["--initial-branch=main"])
    }

    pub fn bare() -> Self {
        Self::init(&["--bare", "--initial-branch=main"])
    }

    fn init(args: &[&str]) -> Self {
        let repo = Self { dir: Dir::new() };
        repo.git(&[&["init", "--quiet"], args].concat());
        repo
    }

    /// A clone of `from`, with these further arguments.
    pub fn clone_of(from: &Repo, args: &[&str]) -> Self {
        let repo = Self { dir: Dir::new() };
        // A file URL, since a path would be copied whole whatever the depth.
        let url = format!("file://{}", from.path().display());
        repo.git(&[&["clone", "--quiet"], args, &[&url, "."]].concat());
        repo
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        self.dir.write(name, content)
    }

    /// Runs git, which has to succeed, and gives what it printed.
    pub fn git(&self, args: &[&str]) -> String {
        let run = self.try_git(args);
        assert_eq!(
            run.code,
            Some(0),
            "git {args:?}: {}{}",
            run.stdout,
            run.stderr
        );
        run.stdout.trim_end().to_owned()
    }

    pub fn try_git(&self, args: &[&str]) -> Run {
        self.try_git_with(args, &[])
    }

    pub fn try_git_with(&self, args: &[&str], vars: &[(&str, &str)]) -> Run {
        let child = git(self.path())
            .args(args)
            .envs(vars.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git runs");
        super::ended(child).into()
    }

    /// Commits all that lies in the folder; gives the commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Commits nothing, with these words as they stand.
    pub fn say(&self, words: &str) {
        self.write("words", words);
        let verbatim = ["--allow-empty", "--cleanup=verbatim", "-F", "words"];
        self.git(&[&["commit", "--quiet"], &verbatim[..]].concat());
    }

    /// Writes a file and commits it.
    pub fn save(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        self.write(name, content);
        self.commit(&format!("Change {name}"))
    }
}

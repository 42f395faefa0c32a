//! Puts hooks where git, or a server around it, looks for them.
//!
//! A hook is a small shell script that calls this program. A hook that was there before is kept
//! and runs first. Installing twice changes nothing, and uninstalling leaves what was there before.
//! What somebody wrote into a script of ours is kept in a file of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::earlier::{self, Earlier};
use super::policy::Policy;
use crate::error::{Error, ErrorKind};
use crate::git::Repo;

/// The hooks that can be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    PreCommit,
    PrePush,
    PreReceive,
    Update,
}

/// Whose folders a server's hook goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// git's own, also for working copies.
    Git,
    GitLab,
    /// Forgejo too.
    Gitea,
    /// A script in a repository of scripts; the site's administrator chooses it.
    Ghes,
    Bitbucket,
}

/// What to install.
#[derive(Clone, Debug)]
pub struct Plan {
    pub kind: Kind,
    pub layout: Layout,
    pub program: PathBuf,
    pub policy: Option<PathBuf>,
}

/// What became of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    Installed(PathBuf),
    /// A hook that was there runs before it.
    Chained(PathBuf),
    Unchanged(PathBuf),
    /// It was not executable, so nothing ran it.
    Repaired(PathBuf),
    Removed(PathBuf),
    /// There was none of ours.
    Absent(PathBuf),
    /// Keeps what somebody had changed in our script.
    Edited(PathBuf),
    /// The policy lets push options approve, and git takes none there.
    NoOptions(PathBuf),
}

/// By this a script of ours is known.
const MARK: &str = "# keysweep hook, made by `keysweep hook install`";
/// What somebody changed in our script is kept under its name and this.
const EDITED: &str = ".edited-keysweep";

impl Kind {
    pub const ALL: [Self; 4] = [
        Self::PreCommit,
        Self::PrePush,
        Self::PreReceive,
        Self::Update,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PrePush => "pre-push",
            Self::PreReceive => "pre-receive",
            Self::Update => "update",
        }
    }

    /// Whether it is a hook of working copies, not of servers.
    fn is_client(self) -> bool {
        matches!(self, Self::PreCommit | Self::PrePush)
    }

    fn reads_input(self) -> bool {
        matches!(self, Self::PrePush | Self::PreReceive)
    }
}

impl Layout {
    pub const ALL: [Self; 5] = [
        Self::Git,
        Self::GitLab,
        Self::Gitea,
        Self::Ghes,
        Self::Bitbucket,
    ];
}

impl Plan {
    /// Installs the hook in the repository at `dir`.
    ///
    /// # Errors
    /// When the hook could not run there, its folder cannot be found or written, or an earlier hook
    /// has nowhere to go.
    pub fn install(&self, dir: &Path) -> Result<Vec<Done>, Error> {
        let policy = self.check(dir)?;
        let file = place(dir, self.kind, self.layout)?;
        let folder = file.parent().unwrap_or(dir);
        fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        let mut done = self.put(file.clone())?;
        // The other servers set it themselves; git gives an `update` hook no push options.
        let wants_options = policy.is_some_and(|policy| policy.approvals.push_options);
        if wants_options
            && (self.kind, self.layout) == (Kind::PreReceive, Layout::Git)
            && !takes_options(dir)?
        {
            done.push(Done::NoOptions(file));
        }
        Ok(done)
    }

    fn put(&self, file: PathBuf) -> Result<Vec<Done>, Error> {
        let script = self.script()?;
        let mut done = Vec::new();
        match read(&file)? {
            Some(text) if text == script.as_bytes() => {
                Earlier::of(&file)?.adopt()?;
                if is_executable(&file) {
                    return Ok(vec![Done::Unchanged(file)]);
                }
                done.push(Done::Repaired(file.clone()));
            }
            Some(text) if is_ours(&text) => {
                done.extend(self.set_aside(&file, &text, &script)?);
                Earlier::of(&file)?.adopt()?;
                done.push(Done::Installed(file.clone()));
            }
            None if !earlier::is_there(&file) => done.push(Done::Installed(file.clone())),
            // A link that leads nowhere is somebody's too.
            Some(_) | None => {
                Earlier::of(&file)?.keep()?;
                done.push(Done::Chained(file.clone()));
            }
        }
        write(&file, &script).map_err(|error| Error::io(&file, error))?;
        Ok(done)
    }

    /// Removes the hook, and puts back what was there before it.
    ///
    /// # Errors
    /// When a file cannot be read, removed or renamed.
    pub fn uninstall(&self, dir: &Path) -> Result<Vec<Done>, Error> {
        let file = place(dir, self.kind, self.layout)?;
        let Some(text) = read(&file)?.filter(|text| is_ours(text)) else {
            return Ok(vec![Done::Absent(file)]);
        };
        let mut done = Vec::from_iter(self.set_aside(&file, &text, &self.script()?)?);
        fs::remove_file(&file).map_err(|error| Error::io(&file, error))?;
        Earlier::of(&file)?.restore()?;
        done.push(Done::Removed(file));
        Ok(done)
    }

    /// Refuses what could not run, or would refuse everything; gives the policy. A script for GitHub
    /// Enterprise Server runs on another machine.
    fn check(&self, dir: &Path) -> Result<Option<Policy>, Error> {
        if self.policy.is_some() && self.kind.is_client() {
            let name = self.kind.name();
            return Err(Error::usage(format!(
                "{name} has no policy: only hooks of servers have one"
            )));
        }
        if self.layout == Layout::Ghes {
            return Ok(None);
        }
        // A program without a folder is looked for in those of `PATH`.
        if self.program.components().count() > 1 && !self.program.is_file() {
            let message = format!("{}: there is no such program", self.program.display());
            return Err(Error::usage(message));
        }
        let git_dir = if self.layout == Layout::Git {
            Repo::open(dir)?.common_dir().to_owned()
        } else {
            dir.to_owned()
        };
        if !git_dir.join("HEAD").is_file() || !git_dir.join("objects").is_dir() {
            let message = format!("{}: is no repository of a server", dir.display());
            return Err(Error::new(ErrorKind::Git, message));
        }
        match &self.policy {
            Some(policy) => match Policy::read(policy, &git_dir) {
                Ok(policy) => Ok(Some(policy)),
                Err(invalid) => Err(invalid.error),
            },
            None => Ok(None),
        }
    }

    /// Keeps a script of ours that somebody has changed: which has lines that `script` has not, but
    /// for those that call the program or the earlier hook. Not executable, since some servers run
    /// all that is in a folder.
    fn set_aside(&self, file: &Path, text: &[u8], script: &str) -> Result<Option<Done>, Error> {
        let call = format!(" hook {}", self.kind.name());
        let text = String::from_utf8_lossy(text);
        let is_known = |line: &str| {
            line.contains(&call)
                || line.contains(earlier::BEFORE)
                || script.lines().any(|known| known == line)
        };
        if text.lines().all(is_known) {
            return Ok(None);
        }
        let mut aside = file.as_os_str().to_owned();
        aside.push(EDITED);
        let aside = PathBuf::from(aside);
        if earlier::is_there(&aside) {
            return Err(earlier::in_the_way(&aside));
        }
        fs::write(&aside, text.as_bytes()).map_err(|error| Error::io(&aside, error))?;
        Ok(Some(Done::Edited(aside)))
    }

    fn script(&self) -> Result<String, Error> {
        let name = self.kind.name();
        let mut call = format!("{} hook {name}", quoted(&self.program)?);
        if let Some(policy) = &self.policy {
            call.push_str(&format!(" --policy {}", quoted(policy)?));
        }
        let before = format!(
            "before=$(CDPATH= cd \"$(dirname \"$0\")\" && pwd -P){}/{name}",
            earlier::BEFORE
        );
        Ok(if self.layout != Layout::Git {
            format!("#!/bin/sh\n{MARK}\nexec {call} \"$@\"\n")
        } else if self.kind.reads_input() {
            format!(
                "#!/bin/sh\n{MARK}\n{before}\ninput=$(cat)\nfeed() {{ [ -z \"$input\" ] || printf \
                 '%s\\n' \"$input\"; }}\nif [ -x \"$before\" ]; then\n  feed | \"$before\" \"$@\" || exit \
                 $?\nfi\nfeed | {call} \"$@\" || exit $?\n"
            )
        } else {
            format!(
                "#!/bin/sh\n{MARK}\n{before}\nif [ -x \"$before\" ]; then\n  \"$before\" \"$@\" || exit \
                 $?\nfi\nexec {call} \"$@\"\n"
            )
        })
    }
}

/// Where a hook of ours is installed in the repository at `dir`, in whatever layout.
///
/// # Errors
/// When a hook's file cannot be read.
pub fn find(dir: &Path, kind: Kind) -> Result<Option<PathBuf>, Error> {
    for layout in Layout::ALL {
        let Ok(file) = place(dir, kind, layout) else {
            continue;
        };
        if read(&file)?.is_some_and(|text| is_ours(&text)) {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

fn place(dir: &Path, kind: Kind, layout: Layout) -> Result<PathBuf, Error> {
    let name = kind.name();
    if layout != Layout::Git && kind.is_client() {
        return Err(Error::usage(format!(
            "{name} is a hook of working copies, not of servers"
        )));
    }
    Ok(match layout {
        Layout::Git => hooks_dir(dir)?.join(name),
        Layout::GitLab => dir.join("custom_hooks").join(format!("{name}.d/keysweep")),
        Layout::Gitea => dir.join("hooks").join(format!("{name}.d/keysweep")),
        Layout::Ghes => dir.join(format!("keysweep-{name}.sh")),
        // The server's own hook, which ends the push, is number 20.
        Layout::Bitbucket => dir.join("hooks").join(format!("{name}.d/10_keysweep")),
    })
}

/// The folder where git looks for hooks.
fn hooks_dir(dir: &Path) -> Result<PathBuf, Error> {
    let repo = Repo::open(dir)?;
    let git = repo.git2();
    Ok(match config(&repo)?.get_path("core.hooksPath") {
        // A relative one starts where hooks run.
        Ok(path) => git.workdir().unwrap_or(git.path()).join(path),
        Err(_) => repo.common_dir().join("hooks"),
    })
}

/// Whether git takes push options in the repository.
fn takes_options(dir: &Path) -> Result<bool, Error> {
    let config = config(&Repo::open(dir)?)?;
    Ok(config
        .get_bool("receive.advertisePushOptions")
        .unwrap_or(false))
}

fn config(repo: &Repo) -> Result<git2::Config, Error> {
    let config = repo.git2().config();
    let config = config.and_then(|mut config| config.snapshot());
    config.map_err(|error| Error::new(ErrorKind::Git, error.message()))
}

fn read(file: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(file, error)),
    }
}

fn is_ours(script: &[u8]) -> bool {
    memchr::memmem::find(script, MARK.as_bytes()).is_some()
}

/// A path as a shell reads it, with forward slashes everywhere.
fn quoted(path: &Path) -> Result<String, Error> {
    let text = path
        .to_str()
        .ok_or_else(|| Error::usage(format!("{}: the path is not UTF-8", path.display())))?;
    let text = if cfg!(windows) {
        text.replace('\\', "/")
    } else {
        text.to_owned()
    };
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

fn write(file: &Path, script: &str) -> io::Result<()> {
    // Not through a link: it may lead to the hook of another repository.
    if file.is_symlink() {
        fs::remove_file(file)?;
    }
    fs::write(file, script)?;
    executable(file)
}

#[cfg(unix)]
fn executable(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn executable(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether git runs it: what is not executable it passes over. For whom it is, the operator decides.
#[cfg(unix)]
pub(super) fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|file| file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_executable(_: &Path) -> bool {
    true
}

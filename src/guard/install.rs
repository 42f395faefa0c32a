//! Puts hooks where git, or a server around it, looks for them.
//!
//! A hook is a small shell script that calls this program. A hook that was there before is kept
//! beside it and runs first. Installing twice changes nothing, and uninstalling leaves what was
//! there before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

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
    Removed(PathBuf),
    /// There was none of ours.
    Absent(PathBuf),
}

/// By this a script of ours is known.
const MARK: &str = "# keysweep hook, made by `keysweep hook install`";
/// A hook that was there before has its name and this.
const BEFORE: &str = ".before-keysweep";

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
    /// When the folder cannot be found or written, or an earlier hook has nowhere to go.
    pub fn install(&self, dir: &Path) -> Result<Done, Error> {
        let file = place(dir, self.kind, self.layout)?;
        let script = self.script()?;
        let folder = file.parent().unwrap_or(dir);
        fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        let done = match read(&file)? {
            Some(text) if text == script.as_bytes() => return Ok(Done::Unchanged(file)),
            Some(text) if is_ours(&text) => Done::Installed(file.clone()),
            Some(_) => {
                let before = before(&file);
                if before.exists() {
                    let message = format!("{}: is in the way", before.display());
                    return Err(Error::usage(message));
                }
                fs::rename(&file, &before).map_err(|error| Error::io(&before, error))?;
                Done::Chained(file.clone())
            }
            None => Done::Installed(file.clone()),
        };
        write(&file, &script).map_err(|error| Error::io(&file, error))?;
        Ok(done)
    }

    /// Removes the hook, and puts back what was there before it.
    ///
    /// # Errors
    /// When a file cannot be read, removed or renamed.
    pub fn uninstall(&self, dir: &Path) -> Result<Done, Error> {
        let file = place(dir, self.kind, self.layout)?;
        if !read(&file)?.is_some_and(|text| is_ours(&text)) {
            return Ok(Done::Absent(file));
        }
        fs::remove_file(&file).map_err(|error| Error::io(&file, error))?;
        let before = before(&file);
        if before.exists() {
            fs::rename(&before, &file).map_err(|error| Error::io(&file, error))?;
        }
        Ok(Done::Removed(file))
    }

    fn script(&self) -> Result<String, Error> {
        let name = self.kind.name();
        let mut call = format!("{} hook {name}", quoted(&self.program)?);
        if let Some(policy) = &self.policy {
            call.push_str(&format!(" --policy {}", quoted(policy)?));
        }
        let before = format!("\"$(dirname \"$0\")/{name}{BEFORE}\"");
        Ok(if self.layout != Layout::Git {
            format!("#!/bin/sh\n{MARK}\nexec {call} \"$@\"\n")
        } else if self.kind.reads_input() {
            format!(
                "#!/bin/sh\n{MARK}\ninput=$(cat)\nfeed() {{ [ -z \"$input\" ] || printf '%s\\n' \
                 \"$input\"; }}\nif [ -x {before} ]; then\n  feed | {before} \"$@\" || exit $?\nfi\n\
                 feed | {call} \"$@\"\n"
            )
        } else {
            format!(
                "#!/bin/sh\n{MARK}\nif [ -x {before} ]; then\n  {before} \"$@\" || exit $?\nfi\n\
                 exec {call} \"$@\"\n"
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
    let only_server = layout != Layout::Git;
    if only_server && matches!(kind, Kind::PreCommit | Kind::PrePush) {
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
    let config = git
        .config()
        .and_then(|mut config| config.snapshot())
        .map_err(|error| Error::new(ErrorKind::Git, error.message()))?;
    Ok(match config.get_path("core.hooksPath") {
        // A relative one starts where hooks run.
        Ok(path) => git.workdir().unwrap_or(git.path()).join(path),
        Err(_) => repo.common_dir().join("hooks"),
    })
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

fn before(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(BEFORE);
    name.into()
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
    fs::write(file, script)?;
    executable(file)
}

#[cfg(unix)]
pub(super) fn executable(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
pub(super) fn executable(_: &Path) -> io::Result<()> {
    Ok(())
}

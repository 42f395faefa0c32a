//! Puts hooks where git, or a server around it, looks for them.
//!
//! A hook is a small shell script that calls this program. A hook that was there before is kept
//! and runs first. Installing twice changes nothing, and uninstalling leaves what was there before.
//! What somebody wrote into a script of ours is kept in a file of its own.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::earlier::{self, Earlier};
use super::ownership;
use super::policy::Policy;
use super::script::{self, Script};
use crate::error::{Error, ErrorKind};
use crate::git::{Repo, working};

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
    /// The script that stood there named the policy, and the new one does not.
    Dropped(PathBuf, PathBuf),
    /// The policy lets push options approve, and git takes none there.
    NoOptions(PathBuf),
}

/// What somebody changed in our script is kept under its name and this.
const EDITED: &str = ".edited-keysweep";
/// With this the names of scripts begin that are not in their place yet.
pub(super) const DRAFT: &str = ".keysweep-hook-";

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

    pub(super) fn reads_input(self) -> bool {
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
        if self.layout == Layout::Git {
            self.refuse_tracked(dir, &file)?;
        }
        ownership::make_folder(file.parent().unwrap_or(dir))?;
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
        let earlier = Earlier::of(&file)?;
        let ours = read(&file)?.filter(|text| script::is_ours(text));
        // A link that leads nowhere is somebody's too.
        let is_somebody_s = ours.is_none() && earlier::is_there(&file);
        let runs_before = match is_somebody_s {
            true => is_executable(&file),
            false => earlier.runs(),
        };
        let script = self.script(self.layout == Layout::Git && runs_before);
        let text = script.text()?;
        let is_the_same = ours.as_deref() == Some(text.as_bytes());
        if is_the_same && is_executable(&file) {
            earlier.adopt()?;
            earlier.leave_old_place()?;
            return Ok(vec![Done::Unchanged(file)]);
        }
        let mut done = Vec::new();
        let draft = draft(&file, &text, ours.is_some()).map_err(|error| Error::io(&file, error))?;
        match &ours {
            Some(old) => {
                done.extend(set_aside(&file, old, &script)?);
                done.extend(self.dropped(&file, old));
                earlier.adopt()?;
            }
            None if is_somebody_s => earlier.keep()?,
            None => earlier.adopt()?,
        }
        // Not through a link: it may lead to the hook of another repository.
        draft
            .persist(&file)
            .map_err(|error| Error::io(&file, error.error))?;
        earlier.leave_old_place()?;
        done.push(match (is_the_same, is_somebody_s) {
            (true, _) => Done::Repaired(file),
            (_, true) if runs_before => Done::Chained(file),
            _ => Done::Installed(file),
        });
        Ok(done)
    }

    fn script(&self, is_chained: bool) -> Script<'_> {
        Script {
            kind: self.kind,
            program: &self.program,
            policy: self.policy.as_deref(),
            is_chained,
        }
    }

    /// The policy of the script that stood there, when this plan has another one or none.
    fn dropped(&self, file: &Path, old: &[u8]) -> Option<Done> {
        let old = script::policy(&String::from_utf8_lossy(old), self.kind)?;
        let is_same = self.policy.as_deref() == Some(Path::new(&old));
        (!is_same).then(|| Done::Dropped(file.into(), old.into()))
    }

    /// Removes the hook, and puts back what was there before it.
    ///
    /// # Errors
    /// When a file cannot be read, removed or renamed, or the hook is there in another layout.
    pub fn uninstall(&self, dir: &Path) -> Result<Vec<Done>, Error> {
        let file = place(dir, self.kind, self.layout)?;
        let Some(text) = read(&file)?.filter(|text| script::is_ours(text)) else {
            return match find(dir, self.kind)? {
                Some(other) => Err(Error::usage(format!(
                    "{}: this one is keysweep's; give its --layout to remove it",
                    other.display()
                ))),
                None => Ok(vec![Done::Absent(file)]),
            };
        };
        let mut done = Vec::from_iter(set_aside(&file, &text, &self.script(false))?);
        Earlier::of(&file)?.restore()?;
        done.push(Done::Removed(file));
        Ok(done)
    }

    /// Refuses to write what all would get who share the repository: a script with paths of this machine.
    fn refuse_tracked(&self, dir: &Path, file: &Path) -> Result<(), Error> {
        let folder = file.parent().unwrap_or(dir);
        if !working::tracks(&Repo::open(dir)?, folder)? {
            return Ok(());
        }
        let name = self.kind.name();
        let call = match self.kind {
            Kind::PreCommit => format!("keysweep hook {name} || exit"),
            _ => format!("keysweep hook {name} \"$@\" || exit"),
        };
        Err(Error::usage(format!(
            "{}: git tracks files there, so all would get a script with paths of this machine; add this \
             line to your hook {name} instead: {call}",
            folder.display()
        )))
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
        if self.program.components().count() > 1 {
            let program = self.program.display();
            if !self.program.is_file() {
                return Err(Error::usage(format!("{program}: there is no such program")));
            }
            if !is_executable(&self.program) {
                return Err(Error::usage(format!("{program}: is not executable")));
            }
        }
        let git_dir = if self.layout == Layout::Git {
            Repo::open(dir)?.common_dir().to_owned()
        } else {
            dir.to_owned()
        };
        if !is_git_dir(&git_dir) {
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
}

/// Keeps a script of ours that somebody has changed: which has lines that none of our versions wrote.
/// Not executable, since some servers run all that is in a folder.
fn set_aside(file: &Path, text: &[u8], script: &Script<'_>) -> Result<Option<Done>, Error> {
    let text = String::from_utf8_lossy(text);
    if !script.is_edited(&text)? {
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

/// Where a hook of ours is installed in the repository at `dir`, in whatever layout.
///
/// # Errors
/// When a hook's file cannot be read, or it is not known where git looks for it.
pub fn find(dir: &Path, kind: Kind) -> Result<Option<PathBuf>, Error> {
    let is_repository = match Repo::open(dir) {
        Ok(_) => true,
        // As that of somebody else; a folder of scripts is none.
        Err(error) if is_git_dir(dir) || dir.join(".git").exists() => return Err(error),
        Err(_) => false,
    };
    let can_have = |layout: &Layout| match layout {
        Layout::Git => is_repository,
        _ => !kind.is_client(),
    };
    for layout in Layout::ALL.into_iter().filter(can_have) {
        let file = place(dir, kind, layout)?;
        if read(&file)?.is_some_and(|text| script::is_ours(&text)) {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// A file of the installed `hook` that the owner of the repository at `dir`, as whom servers run hooks,
/// cannot run: the hook itself, or the one that was there before.
///
/// # Errors
/// When that cannot be found out.
pub fn barred(dir: &Path, hook: &Path) -> Result<Option<PathBuf>, Error> {
    let mut files = vec![hook.to_owned()];
    if read(hook)?.is_some_and(|text| script::is_chained(&text)) {
        files.push(Earlier::of(hook)?.kept());
    }
    for file in files {
        let runs = is_executable(&file)
            && ownership::owner_can_run(&file, dir).map_err(|error| Error::io(dir, error))?;
        if !runs {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

fn is_git_dir(dir: &Path) -> bool {
    dir.join("HEAD").is_file() && dir.join("objects").is_dir()
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
    const NAME: &str = "core.hooksPath";
    let repo = Repo::open(dir)?;
    let git = repo.git2();
    let config = config(&repo)?;
    let failed = |why: &str| Error::new(ErrorKind::Git, format!("{NAME}: {why}"));
    match config.get_bytes(NAME) {
        Err(error) if error.code() == git2::ErrorCode::NotFound => {
            return Ok(repo.common_dir().join("hooks"));
        }
        Err(error) => return Err(failed(error.message())),
        // git then takes the root of the file system, and so runs none.
        Ok([]) => return Err(failed("is set, but empty, so git runs no hooks: unset it")),
        Ok([b'%' | b':', b'(', ..]) => {
            return Err(failed(
                "only git knows where that is: name the folder itself",
            ));
        }
        Ok(_) => {}
    }
    let path = config.get_path(NAME);
    let path = path.map_err(|error| failed(error.message()))?;
    // A relative one starts where hooks run.
    Ok(git.workdir().unwrap_or(git.path()).join(path))
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

/// The script as a file beside its place, whole before it gets there: git passes over one that is empty.
fn draft(file: &Path, script: &str, is_ours: bool) -> io::Result<NamedTempFile> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut draft = tempfile::Builder::new().prefix(DRAFT).tempfile_in(folder)?;
    draft.write_all(script.as_bytes())?;
    executable(draft.as_file())?;
    // For whom ours is executable, the operator decides.
    if is_ours && !file.is_symlink() && is_executable(file) {
        ownership::share_file(draft.as_file(), &fs::metadata(file)?)?;
    }
    draft.as_file().sync_all()?;
    Ok(draft)
}

#[cfg(unix)]
pub(super) fn executable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
pub(super) fn executable(_: &File) -> io::Result<()> {
    Ok(())
}

/// Whether git runs it: what is not executable it passes over. For whom it is, the operator decides.
#[cfg(unix)]
pub(super) fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|file| file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_executable(file: &Path) -> bool {
    file.is_file()
}

//! `keysweep hook`.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use keysweep::error::Error;
use keysweep::git::Repo;
use keysweep::guard::client;
use keysweep::guard::install::{self, Done, Kind, Layout, Plan};
use keysweep::guard::rehearse;
use keysweep::guard::remotes::Target;
use keysweep::guard::server::{self, Ended, Hook};

use crate::args::{HookCommand, InstallArgs, KindArg, LayoutArg};
use crate::diff::{path, repository, staged};
use crate::exit::{Exit, Fault};
use crate::scan::now;
use crate::{engine, say, shown};

const NO_OPTIONS: &str = "is given no approvals, since git takes no push options there before: git config \
                          receive.advertisePushOptions true";

const DROPPED: &str = "no longer has the policy that it had, with its audit log and approvals:";

pub fn run(command: &HookCommand) -> Result<Exit, Fault> {
    let began = Instant::now();
    match command {
        HookCommand::PreReceive { policy } => {
            let hook = Hook::PreReceive { input: input()? };
            Ok(end(&serve(&hook, policy.as_deref(), began)))
        }
        HookCommand::Update {
            policy,
            name,
            old,
            new,
        } => {
            let hook = Hook::Update {
                name: name.to_string_lossy().into(),
                old: old.clone(),
                new: new.clone(),
            };
            Ok(end(&serve(&hook, policy.as_deref(), began)))
        }
        HookCommand::PreCommit => {
            let repo = repository(Path::new("."))?;
            Ok(end(&client::pre_commit(&repo, &staged(), now())?))
        }
        HookCommand::PrePush { remote, url } => {
            let dir = path("GIT_DIR").unwrap_or_else(|| ".".into());
            let url = url.as_ref().map(|url| url.to_string_lossy());
            let to = Target {
                remote: &remote.to_string_lossy(),
                url: url.as_deref(),
            };
            Ok(end(&client::pre_push(&dir, to, &input()?, now())?))
        }
        HookCommand::Install(args) => install(args),
        HookCommand::Test { repo, kinds } => rehearse(repo, kinds),
    }
}

fn serve(hook: &Hook, policy: Option<&Path>, began: Instant) -> Ended {
    let get = |name: &str| std::env::var_os(name);
    let named = get("KEYSWEEP_POLICY").filter(|file| !file.is_empty());
    let policy = policy.or(named.as_deref().map(Path::new));
    server::run(hook, &get, policy, now(), began)
}

fn input() -> Result<String, Error> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| Error::io(Path::new("standard input"), error))?;
    // Names of references need not be UTF-8; ids always are.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Prints the answer for the person whose push or commit it is.
fn end(ended: &Ended) -> Exit {
    let mut text = ended.lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
        // Who does not listen is refused all the same.
        let _ = io::stderr().write_all(text.as_bytes());
    }
    match ended.code {
        0 => Exit::Clean,
        1 => Exit::Findings,
        _ => Exit::Error,
    }
}

fn install(args: &InstallArgs) -> Result<Exit, Fault> {
    let program = program(args.program.as_deref())?;
    let policy = args.policy.as_deref().map(absolute).transpose()?;
    let engine = engine();
    for kind in kinds(args)? {
        let plan = Plan {
            kind,
            layout: layout(args.layout),
            program: program.clone(),
            policy: policy.clone(),
        };
        let done = if args.uninstall {
            plan.uninstall(&args.repo)?
        } else {
            plan.install(&args.repo)?
        };
        for done in &done {
            let (what, file) = match done {
                Done::Installed(file) => ("installed", file),
                Done::Chained(file) => ("installed, after the hook that was there", file),
                Done::Unchanged(file) => ("is installed already", file),
                Done::Repaired(file) => ("was not executable, is now", file),
                Done::Removed(file) => ("removed", file),
                Done::Absent(file) => ("is none of keysweep's, left alone", file),
                Done::NoOptions(file) => (NO_OPTIONS, file),
                Done::Edited(file) => ("keeps the hook as somebody had changed it", file),
                Done::Dropped(file, policy) => {
                    let policy = shown(&engine, policy);
                    let file = shown(&engine, file);
                    writeln!(io::stdout(), "{file}: {DROPPED} {policy}")?;
                    continue;
                }
            };
            writeln!(io::stdout(), "{}: {what}", shown(&engine, file))?;
        }
    }
    Ok(Exit::Clean)
}

/// What the hook is to call: it runs in other folders than this one. A mere name that is no file
/// here is left to `PATH`.
fn program(given: Option<&Path>) -> Result<PathBuf, Error> {
    match given {
        Some(name) if name.components().count() == 1 && !name.is_file() => Ok(name.into()),
        Some(file) => absolute(file),
        None => {
            let real = std::env::current_exe();
            let real = real.map_err(|error| Error::io(Path::new("keysweep"), error))?;
            Ok(as_called(&real).unwrap_or(real))
        }
    }
}

/// The name by which this program was called, where it leads to `real`: that may be a link which leads
/// to a newer version one day, when the folder of this one is gone.
fn as_called(real: &Path) -> Option<PathBuf> {
    let called = PathBuf::from(std::env::args_os().next()?);
    let folders = match called.components().count() {
        1 => std::env::var_os("PATH").unwrap_or_default(),
        _ => OsString::new(),
    };
    let found = std::env::split_paths(&folders).map(|folder| folder.join(&called));
    let real = real.canonicalize().ok()?;
    found
        .chain([called.clone()])
        .find(|file| file.is_absolute() && file.canonicalize().is_ok_and(|file| file == real))
}

fn absolute(file: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(file).map_err(|error| Error::io(file, error))
}

/// The hooks that were named; else those that make sense there.
fn kinds(args: &InstallArgs) -> Result<Vec<Kind>, Error> {
    if !args.kinds.is_empty() {
        return Ok(args.kinds.iter().map(|arg| kind(*arg)).collect());
    }
    if args.layout != LayoutArg::Git || Repo::open(&args.repo)?.git2().is_bare() {
        return Ok(vec![Kind::PreReceive]);
    }
    Ok(vec![Kind::PreCommit, Kind::PrePush])
}

fn kind(arg: KindArg) -> Kind {
    match arg {
        KindArg::PreCommit => Kind::PreCommit,
        KindArg::PrePush => Kind::PrePush,
        KindArg::PreReceive => Kind::PreReceive,
        KindArg::Update => Kind::Update,
    }
}

fn layout(arg: LayoutArg) -> Layout {
    match arg {
        LayoutArg::Git => Layout::Git,
        LayoutArg::Gitlab => Layout::GitLab,
        LayoutArg::Gitea | LayoutArg::Forgejo => Layout::Gitea,
        LayoutArg::Ghes => Layout::Ghes,
        LayoutArg::Bitbucket => Layout::Bitbucket,
    }
}

/// Tries every hook of ours that is installed there.
fn rehearse(repo: &Path, kinds: &[KindArg]) -> Result<Exit, Fault> {
    let wanted: Vec<Kind> = if kinds.is_empty() {
        Kind::ALL.to_vec()
    } else {
        kinds.iter().map(|arg| kind(*arg)).collect()
    };
    let engine = engine();
    let mut found = 0;
    let mut holds = true;
    for kind in wanted {
        let Some(hook) = install::find(repo, kind)? else {
            continue;
        };
        found += 1;
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let seed = since.map_or(0, |d| d.as_nanos() as u64) ^ u64::from(std::process::id());
        let scratch = std::env::temp_dir().join(format!("keysweep-hook-test-{seed:x}"));
        let rehearsal = rehearse::run(&hook, kind, &scratch, seed)?;
        let barred = install::barred(repo, &hook)?;
        let verdict = match &rehearsal {
            r if r.holds() && barred.is_some() => {
                "the owner of the repository CANNOT run all of it"
            }
            r if r.holds() => "refuses a secret and lets the rest pass",
            r if r.leaked => "PRINTED the secret",
            r if !r.executable => "is not executable, so it does NOT run",
            r if !r.refused => "did NOT refuse a secret",
            _ => "refused a change without a secret",
        };
        writeln!(io::stdout(), "{}: {verdict}", shown(&engine, &hook))?;
        if !rehearsal.holds() && !rehearsal.leaked {
            for line in rehearsal.answer.lines() {
                say(line);
            }
        }
        if let Some(file) = barred.filter(|_| rehearsal.executable) {
            holds = false;
            say(&format!(
                "cannot be run by the owner of the repository: {}",
                shown(&engine, &file)
            ));
        }
        holds &= rehearsal.holds();
    }
    if found == 0 {
        let message = format!("{}: no hook of keysweep is installed there", repo.display());
        return Err(Error::usage(message).into());
    }
    Ok(if holds { Exit::Clean } else { Exit::Error })
}

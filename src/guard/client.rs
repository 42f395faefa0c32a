//! The hooks of a working copy: what is about to be committed, what is about to be pushed.

use std::path::Path;

use super::answer::{self, Manner};
use super::policy::Policy;
use super::push::{self, Verdict};
use super::range::{self, Scope};
use super::receiving::{Receiving, Update};
use super::remotes::{self, Target};
use super::server::Ended;
use crate::error::Error;
use crate::git::Repo;
use crate::git::repo::PARTIAL;
use crate::ledger::{Ledger, Reason};
use crate::pipeline::Progress;
use crate::report::human::printable;
use crate::unit::ObjectId;

/// Judges the index before it is committed.
///
/// # Errors
/// When the index or the repository cannot be read.
pub fn pre_commit(repo: &Repo, scope: &Scope, now: i64) -> Result<Ended, Error> {
    let options = Policy::default().options(now);
    let judged = range::judge(repo, scope, &[], options, &Progress::default())?;
    let findings = judged.outcome.findings;
    Ok(end(&judged.outcome.ledger, findings.is_empty(), || {
        answer::before_commit(&findings)
    }))
}

/// Judges the commits of a push that the repository pushed to has not. `input` is what git writes to the
/// hook.
///
/// # Errors
/// When git's lines or the commits cannot be read.
pub fn pre_push(dir: &Path, to: Target<'_>, input: &str, now: i64) -> Result<Ended, Error> {
    let repo = Repo::open(dir)?;
    let updates = updates(&repo, input)?;
    let verdict = judged(&repo, dir, to, updates, now).map_err(|error| repo.explain(error))?;
    Ok(end(&verdict.ledger, verdict.findings.is_empty(), || {
        refusal(&verdict)
    }))
}

fn judged(
    repo: &Repo,
    dir: &Path,
    to: Target<'_>,
    mut updates: Vec<Update>,
    now: i64,
) -> Result<Verdict, Error> {
    let mut reader = repo.reader()?;
    // As where the push is judged.
    reader.cut(repo.shallow()?);
    let hidden = remotes::known(repo, &reader, to, &updates)?;
    updates.retain(|update| update.new.is_some());
    if updates.is_empty() {
        return Ok(Verdict::default());
    }
    let receiving = Receiving {
        git_dir: dir.into(),
        ..Receiving::default()
    };
    let policy = Policy::default();
    let mut verdict = push::judge_beyond(&receiving, &updates, &hidden, &policy, now)?;
    let Verdict {
        findings, ledger, ..
    } = &mut verdict;
    if !findings.is_empty() {
        let tips: Vec<ObjectId> = updates.iter().filter_map(|update| update.new).collect();
        range::drop_accepted(repo, &reader, &tips, &hidden.commits, findings, ledger)?;
    }
    if !verdict.ledger.is_complete() && repo.completeness().partial {
        verdict.ledger.note("objects".into(), PARTIAL);
    }
    // Else somebody wonders why what is long known there is found.
    if hidden.commits.is_empty() && !verdict.findings.is_empty() {
        let detail = "nothing there tells what is known where this goes, so that all is judged";
        verdict.ledger.note("refs/remotes".into(), detail);
    }
    Ok(verdict)
}

/// Reads what git writes to the hook.
fn updates(repo: &Repo, input: &str) -> Result<Vec<Update>, Error> {
    let updates = input.lines().map(|line| {
        // From its end: what is pushed may be named by an expression with spaces.
        let fields: Vec<&str> = line.rsplitn(4, ' ').collect();
        let [there, name, local, source] = fields[..] else {
            return Err(Error::usage("a line from git is not `NAME ID NAME ID`"));
        };
        Ok(Update {
            source: Some(source_name(repo, source)),
            ..Update::new(name, there, local)?
        })
    });
    updates.collect()
}

/// The full name of what is pushed; of the checked-out branch when it goes by `HEAD`.
fn source_name(repo: &Repo, source: &str) -> String {
    let head = repo.git2().head().ok().filter(|_| source == "HEAD");
    let branch = head.as_ref().and_then(|head| head.name().ok());
    branch.unwrap_or(source).to_owned()
}

fn refusal(verdict: &Verdict) -> Vec<String> {
    answer::refusal("push", verdict, Manner::default())
}

fn end(ledger: &Ledger, clean: bool, refusal: impl Fn() -> Vec<String>) -> Ended {
    let mut lines = if clean { Vec::new() } else { refusal() };
    let failures = Reason::ALL.into_iter().filter(|reason| reason.is_failure());
    let failure = failures
        .flat_map(|reason| ledger.left_out(reason))
        .map(|entry| format!("keysweep: could not read {}: {}", entry.path, entry.detail))
        .next();
    let code = match (&failure, clean) {
        (Some(_), _) => 2,
        (None, false) => 1,
        (None, true) => 0,
    };
    lines.extend(failure.as_deref().map(printable));
    lines.extend(answer::note(ledger));
    Ended { code, lines }
}

//! What a range of commits, the index or the working tree brings in.
//!
//! Rules and accepted findings come from the base: a change cannot excuse itself.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::base::Base;
use super::fold::{self, Tip};
use super::{copies, kept, remotes};
use crate::error::Error;
use crate::finding::Finding;
use crate::git::changes::{self, Changes, Place};
use crate::git::folders::Folders;
use crate::git::fresh::Fresh;
use crate::git::reader::Reader;
use crate::git::repo::PARTIAL;
use crate::git::{Kind, Repo, range, walk, working};
use crate::ledger::Ledger;
use crate::pipeline::{Options, Outcome, Progress, Sweep, mask_names};
use crate::source::listed::Listed;
use crate::source::objects::Objects;
use crate::unit::{GitOrigin, ObjectId, Origin, Part};

/// What is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The commits that `head` has and `base` has not; all of them without a base.
    Range { base: Option<String>, head: String },
    /// The index against the checked-out commit; git names another file for the index while it
    /// commits only a part of what is changed.
    Staged { index: Option<PathBuf> },
    /// The working tree against the index.
    Unstaged,
}

/// What came of it.
pub struct Judged {
    pub outcome: Outcome,
    pub sweep: Sweep,
    pub commits: usize,
    /// Findings left out because the base has their values.
    pub known: usize,
}

/// Judges `scope`. `rules` are files of further rules, read from the base where they lie in the
/// repository.
///
/// # Errors
/// When the range cannot be resolved or read, or rules or accepted findings are not valid.
pub fn judge(
    repo: &Repo,
    scope: &Scope,
    rules: &[PathBuf],
    options: Options,
    progress: &Progress,
) -> Result<Judged, Error> {
    let judged = judge_here(repo, scope, rules, options, progress);
    let mut judged = judged.map_err(|error| repo.explain(error))?;
    let ledger = &mut judged.outcome.ledger;
    if !ledger.is_complete() && repo.completeness().partial {
        let place = repo.common_dir().to_string_lossy();
        ledger.note(judged.sweep.masked(&place).into(), PARTIAL);
    }
    Ok(judged)
}

/// The same, of what is here.
fn judge_here(
    repo: &Repo,
    scope: &Scope,
    rules: &[PathBuf],
    mut options: Options,
    progress: &Progress,
) -> Result<Judged, Error> {
    let reader = repo.reader()?;
    let mut ledger = Ledger::default();
    has_changes(repo, scope)?;
    let range = match scope {
        Scope::Range { base, head } => Some(range::resolve(repo, &reader, base.as_deref(), head)?),
        Scope::Staged { .. } | Scope::Unstaged => None,
    };
    let base = Base::of(repo, &reader, range.as_ref())?;
    let trusted = base.trusted(range.as_ref())?;
    trusted.add_rules(rules, &mut options.rules, &mut ledger)?;
    let mut ignores = trusted.accepted(&mut ledger)?;
    let sweep = Sweep::new(options.clone());
    let (mut outcome, commits) = match (&range, scope) {
        (Some(range), _) => {
            if repo.has_grafts() {
                let note = "not followed: commits are judged after the parents that they name";
                ledger.note("info/grafts".into(), note);
            }
            base.note_changes(rules, range, &mut ledger)?;
            (
                commits(&base, range, &sweep, progress)?,
                range.commits.len(),
            )
        }
        (None, Scope::Staged { index }) => {
            let files = working::staged(repo, &reader, index.as_deref())?;
            base.note_damage(&files, &mut ledger)?;
            (staged(&base, files, &sweep, progress)?, 0)
        }
        (None, _) => (unstaged(&base, &sweep, progress)?, 0),
    };
    let known = base.drop_known(scope, &mut outcome, &options)?;
    if let Some(range) = &range {
        outcome.findings = told_at_head(outcome.findings, &reader, range)?;
    }
    ignores.apply(&mut outcome.findings);
    outcome.ledger.merge(ledger);
    mask_names(&sweep, &mut outcome.findings, &mut outcome.ledger);
    outcome.ledger.sort();
    Ok(Judged {
        outcome,
        sweep,
        commits,
        known,
    })
}

/// Refuses a repository without a working tree where the changes in one are asked for, so that nothing
/// there is not taken for nothing found. An index that is named counts.
fn has_changes(repo: &Repo, scope: &Scope) -> Result<(), Error> {
    let asked = matches!(scope, Scope::Staged { index: None } | Scope::Unstaged);
    if asked && repo.git2().workdir().is_none() {
        return Err(Error::usage(
            "a bare repository has no staged and no other changes; name the commits to judge: \
             keysweep diff BASE..HEAD",
        ));
    }
    Ok(())
}

/// One finding for each secret in a path, as the end of the range has it or the commit that brought it.
fn told_at_head(
    mut findings: Vec<Finding>,
    reader: &Reader,
    range: &range::Range,
) -> Result<Vec<Finding>, Error> {
    let tips = [Tip {
        name: "HEAD".to_owned(),
        commit: range.head,
    }];
    kept::name_commits(&mut findings, reader, &range.commits)?;
    let mut findings = fold::fold(findings, reader, &range.commits, &tips)?;
    // That the end of the range has it says the state.
    for trace in findings.iter_mut().flat_map(|finding| &mut finding.trace) {
        trace.refs.clear();
        trace.refs_total = 0;
    }
    Ok(findings)
}

/// Takes out what the commits accept that those of `tips` build on, which `hidden` has. A list that
/// is on its way itself does not count.
///
/// # Errors
/// When a list cannot be read.
pub fn drop_accepted(
    repo: &Repo,
    reader: &Reader,
    tips: &[ObjectId],
    hidden: &[ObjectId],
    findings: &mut Vec<Finding>,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let mut commits = Vec::new();
    for tip in tips {
        commits.extend(changes::follow(reader, *tip)?.1);
    }
    let new = walk::beyond(repo, reader, &commits, hidden)?;
    for id in &new {
        commits.extend(changes::commit(reader, *id)?.parents);
    }
    let mut bases: HashSet<ObjectId> = commits.into_iter().filter(|id| !new.contains(id)).collect();
    if bases.is_empty() {
        // What is new to one server another may have accepted.
        bases.extend(remotes::tracked(repo, reader)?);
    }
    for id in bases {
        let base = Base::at(repo, reader, id)?;
        let whose = format!("commit {}", id.short());
        base.ignores(&whose, ledger)?.apply(findings);
    }
    Ok(())
}

/// Names of files as texts. A name is no object: `object` stands for it.
pub(super) fn named(names: Vec<Place>, object: ObjectId) -> Vec<Origin> {
    let named = names.into_iter().map(|Place { path, commit }| {
        let origin = GitOrigin { object, commit };
        Origin::git(path, Part::FileName, origin)
    });
    named.collect()
}

fn commits(
    base: &Base<'_>,
    range: &range::Range,
    sweep: &Sweep,
    progress: &Progress,
) -> Result<Outcome, Error> {
    let fresh = Fresh {
        commits: range.commits.clone(),
        tags: range.tags.clone(),
        kept: kept::of(base.reader, range)?,
        ..Fresh::default()
    };
    let mut changes = Changes::new(copies::kind);
    for commit in &fresh.commits {
        changes.add(base.reader, *commit).map_err(|error| {
            if base.repo.completeness().shallow {
                range::shallow("a commit of the range has its parents")
            } else {
                error
            }
        })?;
    }
    if let Some(kept) = &fresh.kept {
        changes.add_kept(base.reader, kept)?;
    }
    let tops = fresh.commits.iter().chain(&fresh.tags);
    let ids = tops.chain(changes.blobs.keys()).copied().collect();
    let mut source = Objects::new(base.reader, ids, std::mem::take(&mut changes.blobs));
    source.names = named(std::mem::take(&mut changes.names), range.head);
    let mut outcome = sweep.run(&source, progress)?;
    copies::judge_rest(&mut outcome, &source, &fresh, &changes, sweep)?;
    Ok(outcome)
}

fn staged(
    base: &Base<'_>,
    files: Vec<(Arc<str>, ObjectId)>,
    sweep: &Sweep,
    progress: &Progress,
) -> Result<Outcome, Error> {
    let mut source = Objects::files(base.reader, files.clone());
    let mut folders = Folders::of(base.reader);
    let mut seen = HashSet::new();
    for (file, object) in files {
        let slashes = file.match_indices('/').map(|(at, _)| at);
        for end in slashes.chain([file.len()]) {
            let kind = if end == file.len() {
                Kind::Blob
            } else {
                Kind::Tree
            };
            let path: Arc<str> = file[..end].into();
            if seen.insert(path.clone()) && !base.has(&mut folders, &path, kind)? {
                let name = Place { path, commit: None };
                source.names.extend(named(vec![name], object));
            }
        }
    }
    let mut outcome = sweep.run(&source, progress)?;
    // The name of a folder is in those of all of its files.
    let mut told = HashSet::new();
    outcome.findings.sort_by(|a, b| a.order().cmp(&b.order()));
    outcome
        .findings
        .retain(|finding| finding.origin.part != Part::FileName || told.insert(fold::key(finding)));
    Ok(outcome)
}

fn unstaged(base: &Base<'_>, sweep: &Sweep, progress: &Progress) -> Result<Outcome, Error> {
    let files = working::unstaged(base.repo)?;
    let source = Listed {
        root: base.repo.git2().workdir().unwrap_or(Path::new(".")).into(),
        files: files.into_iter().map(|(path, _)| path).collect(),
    };
    sweep.run(&source, progress)
}

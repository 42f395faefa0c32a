//! What a range of commits, the index or the working tree brings in.
//!
//! Rules and accepted findings come from the base: a change cannot excuse itself. That it changed
//! them is noted.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bstr::ByteSlice;

use super::copies;
use super::fold::{self, Tip};
use super::known::drop_known;
use super::remotes;
use crate::error::{Error, ErrorKind};
use crate::finding::Finding;
use crate::git::changes::{self, Changes, Place, Places, add_place};
use crate::git::folders::Folders;
use crate::git::fresh::Fresh;
use crate::git::reader::Reader;
use crate::git::repo::PARTIAL;
use crate::git::{Kind, Repo, range, revision, walk, working};
use crate::ignores::{self, Ignores};
use crate::ledger::Ledger;
use crate::pipeline::{Options, Outcome, Progress, Sweep, mask_names};
use crate::rules::RuleSet;
use crate::source::listed::Listed;
use crate::source::objects::Objects;
use crate::unit::{GitOrigin, ObjectId, Origin, Part, path_text};

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

/// The repository with the revision that is trusted.
struct Base<'r> {
    repo: &'r Repo,
    reader: &'r Reader,
    /// Trees whose values are known: that of the base, and that of the commit where they parted or
    /// those of the commits that are being merged.
    trees: Vec<ObjectId>,
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
    let base = base(repo, &reader, range.as_ref())?;
    base.add_rules(rules, &mut options.rules, &mut ledger)?;
    let mut ignores = match &range {
        Some(range) if base.trees.is_empty() => base.own_ignores(range, &mut ledger)?,
        _ => base.ignores("the base revision", &mut ledger)?,
    };
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
    findings: Vec<Finding>,
    reader: &Reader,
    range: &range::Range,
) -> Result<Vec<Finding>, Error> {
    let tips = [Tip {
        name: "HEAD".to_owned(),
        commit: range.head,
    }];
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
        let base = Base {
            repo,
            reader,
            trees: vec![changes::tree_of(reader, id)?],
        };
        let whose = format!("commit {}", id.short());
        base.ignores(&whose, ledger)?.apply(findings);
    }
    Ok(())
}

fn base<'r>(
    repo: &'r Repo,
    reader: &'r Reader,
    range: Option<&range::Range>,
) -> Result<Base<'r>, Error> {
    let commits: Vec<ObjectId> = match range {
        Some(range) => {
            let fork = range.fork.filter(|fork| Some(*fork) != range.base);
            range.base.into_iter().chain(fork).collect()
        }
        // A repository without a commit has no base.
        None => {
            let head = revision::find(repo, reader, "HEAD")?.into_iter();
            head.chain(revision::merged(repo)).collect()
        }
    };
    let trees = commits.into_iter().map(|id| changes::tree_of(reader, id));
    Ok(Base {
        repo,
        reader,
        trees: trees.collect::<Result<_, _>>()?,
    })
}

impl Base<'_> {
    /// A file of the base, by its path from the root.
    fn file(&self, path: &str) -> Result<Option<String>, Error> {
        let Some(blob) = self.blob(path)? else {
            return Ok(None);
        };
        let object = self.reader.read(blob)?;
        let text = std::str::from_utf8(object.bytes());
        let text = text.map_err(|_| {
            let message = format!("{path}: is not UTF-8 as it is committed");
            Error::new(ErrorKind::Usage, message)
        })?;
        Ok(Some(text.to_owned()))
    }

    fn blob(&self, path: &str) -> Result<Option<ObjectId>, Error> {
        match self.trees.first() {
            Some(tree) => Ok(Folders::of(self.reader).blobs(*tree, path)?.pop()),
            None => Ok(None),
        }
    }

    /// What the base accepts, which is `whose`.
    fn ignores(&self, whose: &str, ledger: &mut Ledger) -> Result<Ignores, Error> {
        match self.blob(ignores::FILE)? {
            Some(list) => self.accepted(list, whose, ledger),
            None => Ok(Ignores::default()),
        }
    }

    /// What a list accepts: nothing where it is damaged. Were that an error, it would refuse its repair.
    fn accepted(&self, list: ObjectId, whose: &str, ledger: &mut Ledger) -> Result<Ignores, Error> {
        let object = self.reader.read(list)?;
        let text = object.bytes().to_str();
        let damage = match text.map(Ignores::parse) {
            Ok(Ok(ignores)) => return Ok(ignores),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "not UTF-8".to_owned(),
        };
        let detail = format!("damaged, that of {whose} accepts nothing: {damage}");
        ledger.note(ignores::FILE.into(), detail);
        Ok(Ignores::default())
    }

    /// Notes that the index brings a damaged list. That of the base is told in any case.
    fn note_damage(
        &self,
        staged: &[(Arc<str>, ObjectId)],
        ledger: &mut Ledger,
    ) -> Result<(), Error> {
        let list = staged.iter().find(|(path, _)| **path == *ignores::FILE);
        if let Some((_, list)) = list {
            self.accepted(*list, "the index", ledger)?;
        }
        Ok(())
    }

    /// The list of what is judged, where all of it is and nothing came before: somebody accepted that when
    /// it was brought.
    fn own_ignores(&self, range: &range::Range, ledger: &mut Ledger) -> Result<Ignores, Error> {
        let own = Base {
            trees: vec![changes::tree_of(self.reader, range.head)?],
            ..*self
        };
        if own.blob(ignores::FILE)?.is_some() {
            let note = "that of the judged commit counts: there is no base revision";
            ledger.note(ignores::FILE.into(), note);
        }
        own.ignores("the judged commit", ledger)
    }

    /// A path from the root of the working tree; `None` when it lies elsewhere.
    fn inside(&self, path: &Path) -> Option<String> {
        let root = self.repo.git2().workdir()?.canonicalize().ok()?;
        let absolute = std::path::absolute(path).ok()?;
        // The file itself may be gone from the working tree.
        let folder = absolute.parent()?.canonicalize().ok()?;
        let below = folder.join(absolute.file_name()?);
        let inside = below.strip_prefix(root).ok()?;
        let inside = inside.as_os_str().as_encoded_bytes();
        Some(match cfg!(windows) {
            true => path_text(&inside.replace(b"\\", b"/")).into(),
            false => path_text(inside).into(),
        })
    }

    fn add_rules(
        &self,
        files: &[PathBuf],
        rules: &mut RuleSet,
        ledger: &mut Ledger,
    ) -> Result<(), Error> {
        for file in files {
            let text = match self.inside(file) {
                Some(path) => self.file(&path)?,
                None => {
                    let read = std::fs::read_to_string(file);
                    Some(read.map_err(|error| Error::io(file, error))?)
                }
            };
            match text {
                Some(text) => rules.add(&text).map_err(|error| error.within(file))?,
                None => ledger.note(
                    file.to_string_lossy().into(),
                    "not used: the base revision does not have these rules",
                ),
            }
        }
        Ok(())
    }

    /// Notes that the range changes what decides over findings, or leaves it damaged.
    fn note_changes(
        &self,
        rules: &[PathBuf],
        range: &range::Range,
        ledger: &mut Ledger,
    ) -> Result<(), Error> {
        let Some(tree) = self.trees.last() else {
            return Ok(());
        };
        let head = changes::tree_of(self.reader, range.head)?;
        let own = Base {
            trees: vec![head],
            ..*self
        };
        own.ignores("the end of the range", ledger)?;
        let rules = rules.iter().filter_map(|file| self.inside(file));
        for path in rules.chain([ignores::FILE.to_owned()]) {
            let mut folders = Folders::of(self.reader);
            let before = folders.blobs(*tree, &path)?;
            if folders.blobs(head, &path)? != before {
                ledger.note(
                    path.into(),
                    "changed in this range; judged by the base revision's version",
                );
            }
        }
        Ok(())
    }

    /// Drops what the base has: looked for first in what was replaced, then in all of the base.
    fn drop_known(
        &self,
        scope: &Scope,
        outcome: &mut Outcome,
        options: &Options,
    ) -> Result<usize, Error> {
        let findings = &mut outcome.findings;
        let mut near = Places::new();
        let mut add = |path: &str, blob| add_place(&mut near, copies::kind, blob, path, None);
        let mut folders = Folders::of(self.reader);
        for tree in &self.trees {
            for finding in findings.iter().filter(|finding| finding.origin.is_file()) {
                let path = &finding.origin.path;
                let blobs = folders.blobs(*tree, path)?;
                blobs.into_iter().for_each(|blob| add(path, blob));
            }
        }
        if *scope == Scope::Unstaged {
            for (path, blob) in working::unstaged(self.repo)? {
                add(&path_text(path.as_os_str().as_encoded_bytes()), blob);
            }
        }
        // What is not in the index yet has no blob.
        near.retain(|blob, _| self.reader.has(*blob));
        let mut known = drop_known(findings, &Objects::placed(self.reader, near), options)?;
        for tree in &self.trees {
            if !findings.is_empty() {
                let mut all = Changes::new(copies::kind);
                all.add_tree(self.reader, *tree)?;
                let mut all_files = Objects::placed(self.reader, all.blobs);
                all_files.names = named(all.names, *tree);
                known += drop_known(findings, &all_files, options)?;
            }
        }
        Ok(known)
    }

    /// Whether a tree of the base has something of a kind at a path.
    fn has(&self, folders: &mut Folders<'_>, path: &str, kind: Kind) -> Result<bool, Error> {
        for tree in &self.trees {
            let found = folders.find(*tree, path)?;
            if found.iter().any(|(_, other)| *other == kind) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Names of files as texts. A name is no object: `object` stands for it.
fn named(names: Vec<Place>, object: ObjectId) -> Vec<Origin> {
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

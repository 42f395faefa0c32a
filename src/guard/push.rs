//! What a push brings, and what of it is a new secret.
//!
//! The objects of a push are those in its quarantine and no others, whatever references or
//! attributes say. What git added to complete a thin pack lies in the repository already and is
//! not judged. Nothing else of the repository is read but the trees and files that the new
//! commits replace, so the work grows with the push; and of a refused one that merges what is there
//! already, commits up to where the lines part, to say how to clean it.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Instant;

use super::cleaning::{self, Cleanings, Pushed, Soiled};
use super::copies::{self, PathKind};
use super::fold::{self, Tip};
use super::policy::{Choice, Policy};
use super::receiving::{Approval, Receiving, Update};
use super::replaced::drop_replaced;
use crate::decode;
use crate::error::Error;
use crate::finding::Finding;
use crate::git::changes::{self, Changes, Places};
use crate::git::fresh::Fresh;
use crate::git::reader::Reader;
use crate::git::revision::{self, Tips};
use crate::git::{Kind, Repo, Store, walk};
use crate::history::ahead;
use crate::history::screen::{Screened, screen};
use crate::judge::place::Place;
use crate::ledger::Ledger;
use crate::pipeline::{Outcome, Progress, Sweep, mask_names, mask_texts};
use crate::secret::Secret;
use crate::source::objects::Objects;
use crate::unit::{GitOrigin, ObjectId, Origin, Part};

/// What came of judging a push.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What stands against the push.
    pub findings: Vec<Finding>,
    pub approved: Vec<(Finding, Approval)>,
    /// The values of all that was found, which no text says again.
    pub values: Vec<Secret>,
    /// Findings left out because what they replace has their values.
    pub known: usize,
    pub ledger: Ledger,
    pub commits: usize,
    pub objects: usize,
    /// How to clean the references that lead to what was found.
    pub cleanings: Cleanings,
}

/// From so many objects on, those of a push are walked through as a history is: screened before any
/// is read whole, and commits and trees read before they are asked for.
const MANY: u64 = 1000;

/// The objects that a push brings.
struct Incoming {
    /// What a look at many objects told.
    screened: Option<Screened>,
    reader: Reader,
    /// Reads what was there before, where that need be told from the objects of the push.
    old: Option<Reader>,
    fresh: Fresh,
    changes: Changes<PathKind>,
    /// In order.
    ids: Vec<ObjectId>,
    /// What was to tell that objects are old, and cannot be read.
    notes: Ledger,
}

/// Judges a push. What is not read when `deadline` comes is told in the ledger.
///
/// # Errors
/// When objects of the push cannot be listed or followed.
pub fn judge(
    receiving: &Receiving,
    updates: &[Update],
    policy: &Policy,
    now: i64,
    deadline: Option<Instant>,
) -> Result<Verdict, Error> {
    let tips: Vec<ObjectId> = updates.iter().filter_map(|update| update.new).collect();
    if tips.is_empty() {
        return Ok(Verdict::default());
    }
    let sweep = Sweep::new(policy.options(now));
    let incoming = match &receiving.quarantine {
        Some(own) => quarantined(own, receiving, &tips, &sweep, deadline)?,
        None => {
            let repo = Repo::open(&receiving.git_dir)?;
            let hidden = revision::tips(&repo, &repo.reader()?, |_| true)?;
            reachable(&repo, &tips, &hidden)?
        }
    };
    incoming.judge(receiving, updates, policy, &sweep, deadline)
}

/// Judges what the tips of `updates` have and `hidden` has not.
///
/// # Errors
/// When the commits cannot be read.
pub fn judge_beyond(
    receiving: &Receiving,
    updates: &[Update],
    hidden: &Tips,
    policy: &Policy,
    now: i64,
) -> Result<Verdict, Error> {
    let tips: Vec<ObjectId> = updates.iter().filter_map(|update| update.new).collect();
    let repo = Repo::open(&receiving.git_dir)?;
    let incoming = reachable(&repo, &tips, hidden)?;
    let sweep = Sweep::new(policy.options(now));
    incoming.judge(receiving, updates, policy, &sweep, None)
}

fn quarantined(
    own: &Path,
    receiving: &Receiving,
    tips: &[ObjectId],
    sweep: &Sweep,
    deadline: Option<Instant>,
) -> Result<Incoming, Error> {
    let behind = &receiving.behind;
    let old = Reader::open(behind)?;
    let mut dirs = vec![own.to_path_buf()];
    dirs.extend_from_slice(behind);
    let mut reader = Reader::open(&dirs)?;
    if let Some(list) = &receiving.shallow {
        let text = std::fs::read_to_string(list).map_err(|error| Error::io(list, error))?;
        reader.cut(text.lines().filter_map(ObjectId::from_hex));
    }
    let mut store = Store::open(&[own.to_path_buf()])?;
    if let Some(fault) = store.faults.pop() {
        return Err(fault);
    }
    let ids = in_order((0..store.len()).map(|number| store.id(number as u32)));
    let many = store.len() >= MANY;
    if many {
        let ahead = ahead::read(&store, &reader);
        reader.keep(ahead);
    }
    let follow = || {
        let known = |id| ids.binary_search(&id).is_err() || old.has(id);
        let fresh = Fresh::of(&reader, tips, known)?;
        let changes = brought(&reader, &fresh)?;
        Ok((fresh, changes))
    };
    let screening = || {
        many.then(|| screen(sweep, &store, &reader, deadline))
            .flatten()
    };
    let (mut screened, followed) = rayon::join(screening, follow);
    let (fresh, changes) = followed?;
    if let Some(screened) = &mut screened {
        reader.keep(screened.kept.drain(..));
    }
    Ok(Incoming {
        screened,
        reader,
        old: Some(old),
        fresh,
        changes,
        ids,
        notes: Ledger::default(),
    })
}

fn in_order(ids: impl Iterator<Item = ObjectId>) -> Vec<ObjectId> {
    let mut ids: Vec<ObjectId> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn reachable(repo: &Repo, tips: &[ObjectId], hidden: &Tips) -> Result<Incoming, Error> {
    let mut reader = repo.reader()?;
    // What came before was cut off, and is not pushed either.
    reader.cut(repo.shallow()?);
    let mut commits = Vec::new();
    for tip in tips {
        commits.extend(changes::follow(&reader, *tip)?.1);
    }
    let new = walk::beyond(repo, &reader, &commits, &hidden.commits)?;
    let is_commit = |id| {
        reader
            .read(id)
            .is_ok_and(|object| object.kind == Kind::Commit)
    };
    let fresh = Fresh::of(&reader, tips, |id| !new.contains(&id) && is_commit(id))?;
    let changes = brought(&reader, &fresh)?;
    let tops = fresh.commits.iter().chain(&fresh.tags).chain(&fresh.blobs);
    let ids = in_order(tops.chain(changes.blobs.keys()).copied());
    let mut notes = Ledger::default();
    for (name, error) in &hidden.lost {
        let detail = format!("cannot be read, so that more is judged: {error}");
        notes.note(name.as_str().into(), detail);
    }
    Ok(Incoming {
        screened: None,
        reader,
        old: None,
        fresh,
        changes,
        ids,
        notes,
    })
}

fn brought(reader: &Reader, fresh: &Fresh) -> Result<Changes<PathKind>, Error> {
    let mut changes = Changes::new(copies::kind);
    for commit in &fresh.commits {
        changes.add(reader, *commit)?;
    }
    for tree in &fresh.trees {
        changes.add_tree(reader, *tree)?;
    }
    Ok(changes)
}

impl Incoming {
    fn judge(
        mut self,
        receiving: &Receiving,
        updates: &[Update],
        policy: &Policy,
        sweep: &Sweep,
        deadline: Option<Instant>,
    ) -> Result<Verdict, Error> {
        let (mut outcome, places) = self.find(updates, sweep, deadline)?;
        outcome.ledger.merge(std::mem::take(&mut self.notes));
        let mut found = std::mem::take(&mut outcome.findings);
        let values: Vec<Secret> = found.iter().map(|finding| finding.secret.clone()).collect();
        found.retain(|finding| finding.severity >= policy.min_severity);
        let known = match policy.known {
            Choice::Accept => self.drop_known(&mut found, &places, sweep)?,
            Choice::Refuse => 0,
        };
        let pushed = self.pushed(updates)?;
        let carriers = cleaning::carriers(&found);
        let mut findings = fold::fold(found, &self.reader, &self.fresh.commits, &tips(&pushed))?;
        findings.retain(|finding| !policy.accepted.contains_key(&finding.fingerprint));
        let mut approved = approve(&mut findings, receiving, policy)?;
        let soiled = Soiled {
            reader: &self.reader,
            fresh: &self.fresh.commits,
            findings: &findings,
            carriers: &carriers,
        };
        let mut cleanings = soiled.cleanings(&pushed)?;
        let reasons = approved
            .iter_mut()
            .map(|(_, approval)| &mut approval.reason);
        mask_texts(sweep, &values, reasons.chain(cleanings.names_mut()));
        let excused = approved.iter_mut().map(|(finding, _)| finding);
        let told = findings.iter_mut().chain(excused);
        mask_names(sweep, told, &mut outcome.ledger);
        Ok(Verdict {
            findings,
            approved,
            values,
            known,
            ledger: outcome.ledger,
            commits: self.fresh.commits.len(),
            objects: self.ids.len(),
            cleanings,
        })
    }

    /// All that looks like a secret, and the places of the files that have some.
    fn find(
        &mut self,
        updates: &[Update],
        sweep: &Sweep,
        deadline: Option<Instant>,
    ) -> Result<(Outcome, Places), Error> {
        let ids = self.in_doubt();
        let places = std::mem::take(&mut self.changes.blobs);
        let mut source = Objects::new(&self.reader, ids, places);
        source.tree_names = true;
        source.deadline = deadline;
        source.names = self.names(updates);
        let mut outcome = sweep.run(&source, &Progress::default())?;
        let places = copies::judge_rest(&mut outcome, &source, &self.fresh, &self.changes, sweep)?;
        Ok((outcome, places))
    }

    /// Takes out what is old where it stands, and returns how much that was.
    fn drop_known(
        &self,
        findings: &mut Vec<Finding>,
        places: &Places,
        sweep: &Sweep,
    ) -> Result<usize, Error> {
        let new_names: HashSet<&str> = self.changes.names.iter().map(|name| &*name.path).collect();
        let told = told(places);
        let is_new = |path: &str, blob: Option<ObjectId>| match blob {
            Some(blob) => self.brings(&told, path, blob),
            None => new_names.contains(path),
        };
        let commits = &self.fresh.commits;
        drop_replaced(findings, &self.reader, commits, &is_new, sweep.options())
    }

    /// The objects to read whole: all, or of many those that are not found to hold nothing.
    fn in_doubt(&self) -> Vec<ObjectId> {
        let Changes { blobs, trees, .. } = &self.changes;
        let mut ids = match &self.screened {
            Some(screened) => {
                let called = blobs.iter().filter(|(id, places)| {
                    let mut places = places.iter();
                    let by_name = places.any(|place| decode::is_notebook_path(&place.path));
                    by_name
                        && !screened.notebooks.contains(id)
                        && self.ids.binary_search(id).is_ok()
                });
                let suspects = screened.suspects.iter().filter(|(id, kinds)| {
                    let places = blobs.get(id);
                    let fits = |place: &changes::Place| kinds.fit(&Place::of(&place.path));
                    places.is_none_or(|places| places.iter().any(fits))
                });
                let mut ids: HashSet<ObjectId> = suspects.map(|(id, _)| *id).collect();
                ids.extend(called.map(|(id, _)| *id));
                ids.extend(screened.trees.iter().filter(|id| !trees.contains_key(id)));
                ids.into_iter().collect()
            }
            None => self.ids.clone(),
        };
        // Trees that were walked have given their names with their folders.
        ids.retain(|id| !trees.contains_key(id) && !self.was_there(*id));
        ids.sort_unstable();
        ids
    }

    /// Whether the repository had an object before the push.
    fn was_there(&self, id: ObjectId) -> bool {
        self.old.as_ref().is_some_and(|old| old.has(id))
    }

    /// The names of files that the push brings, and of the references it changes.
    fn names(&self, updates: &[Update]) -> Vec<Origin> {
        let files = self.changes.names.iter().map(|place| {
            let origin = GitOrigin {
                // A name is no object: the commit that brought it stands for it.
                object: place.commit.unwrap_or(ObjectId([0; 20])),
                commit: place.commit,
            };
            Origin::git(place.path.clone(), Part::FileName, origin)
        });
        let references = updates.iter().filter_map(|update| {
            let origin = GitOrigin {
                object: update.new?,
                commit: None,
            };
            Some(Origin::git(&*update.name, Part::RefName, origin))
        });
        files.chain(references).collect()
    }

    /// Whether the push brings a blob to a path, by the places of those that are told one by one; of
    /// others, whether it brings them at all.
    fn brings(&self, told: &Told<'_>, path: &str, blob: ObjectId) -> bool {
        self.ids.binary_search(&blob).is_ok()
            && !self.was_there(blob)
            && told.get(&blob).is_none_or(|paths| paths.contains(path))
    }

    fn pushed<'u>(&self, updates: &'u [Update]) -> Result<Vec<Pushed<'u>>, Error> {
        let pushed = updates
            .iter()
            .map(|update| Pushed::of(&self.reader, update));
        pushed.filter_map(Result::transpose).collect()
    }
}

/// The paths of blobs. One may have thousands.
type Told<'p> = HashMap<ObjectId, HashSet<&'p str>>;

fn told(places: &Places) -> Told<'_> {
    let told = places.iter().map(|(blob, places)| {
        let paths = places.iter().map(|place| &*place.path);
        (*blob, paths.collect())
    });
    told.collect()
}

fn tips(pushed: &[Pushed<'_>]) -> Vec<Tip> {
    let tips = pushed.iter().filter_map(|pushed| {
        Some(Tip {
            name: pushed.update.name.clone(),
            commit: pushed.commit?,
        })
    });
    tips.collect()
}

/// Takes out what the person who pushes approves, where the policy lets them.
fn approve(
    findings: &mut Vec<Finding>,
    receiving: &Receiving,
    policy: &Policy,
) -> Result<Vec<(Finding, Approval)>, Error> {
    if !policy.approvals.push_options || !policy.approvals.may(&receiving.pusher.user) {
        return Ok(Vec::new());
    }
    let approvals = receiving.approvals()?;
    let mut approved = Vec::new();
    for finding in std::mem::take(findings) {
        let given = approvals
            .iter()
            .find(|approval| approval.fingerprint == finding.fingerprint);
        match given {
            Some(approval) => approved.push((finding, approval.clone())),
            None => findings.push(finding),
        }
    }
    Ok(approved)
}

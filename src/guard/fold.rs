//! One finding for a secret in a path, whatever the number of commits that touched it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::error::Error;
use crate::finding::{CommitNote, Finding, State, Trace};
use crate::git::Kind;
use crate::git::changes::{self, malformed};
use crate::git::folders::Folders;
use crate::git::object::{self, Commit, Tag};
use crate::git::reader::Reader;
use crate::secret::Secret;
use crate::unit::{ObjectId, Part};

/// A reference with the commit at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    pub name: String,
    pub commit: ObjectId,
}

/// What is one finding: a secret, by rule, in a path. A name is one wherever it stands.
pub type Key = (Arc<str>, Arc<str>, Secret);

/// Folds findings from many versions of a file into one, told by its first and last commit. Where
/// a tip still has the secret the finding shows that version, so that its line can be opened;
/// elsewhere it shows the version that brought it in.
///
/// # Errors
/// When a commit or a tree cannot be read.
pub fn fold(
    findings: Vec<Finding>,
    reader: &Reader,
    commits: &[ObjectId],
    tips: &[Tip],
) -> Result<Vec<Finding>, Error> {
    let order: HashMap<ObjectId, usize> = commits
        .iter()
        .enumerate()
        .map(|(at, id)| (*id, at))
        .collect();
    let mut groups: HashMap<Key, Vec<Finding>> = HashMap::new();
    for finding in findings {
        groups.entry(key(&finding)).or_default().push(finding);
    }
    let mut groups: Vec<Vec<Finding>> = groups.into_values().collect();
    for group in &mut groups {
        let rank = |finding: &Finding| {
            let commit = finding.origin.git.and_then(|git| git.commit);
            commit
                .and_then(|id| order.get(&id))
                .copied()
                .unwrap_or(usize::MAX)
        };
        group.sort_by_key(|finding| (rank(finding), finding.origin.git.map(|git| git.object)));
    }
    // One folder after the other.
    groups.sort_by(|a, b| path(a).cmp(&path(b)));
    let alive = alive(&groups, reader, tips)?;
    let mut notes = Notes::of(reader);
    let mut folded = Vec::new();
    for (group, alive) in groups.into_iter().zip(alive) {
        folded.extend(one(group, alive, &mut notes)?);
    }
    // Messages of several commits share path and place.
    folded.sort_by(|a, b| (a.order(), a.origin.git).cmp(&(b.order(), b.origin.git)));
    Ok(folded)
}

/// The path of the version that brought a group in.
fn path(group: &[Finding]) -> Option<&str> {
    group.first().map(|finding| &*finding.origin.path)
}

/// By what a finding is folded with others.
pub fn key(finding: &Finding) -> Key {
    let path = if finding.origin.part == Part::FileName {
        "".into()
    } else {
        finding.origin.path.clone()
    };
    (
        finding.rule.id.as_ref().into(),
        path,
        finding.secret.clone(),
    )
}

/// The finding, or the few of one version, that stand for a group in the order of commits.
fn one(group: Vec<Finding>, alive: Alive, notes: &mut Notes<'_>) -> Result<Vec<Finding>, Error> {
    let (Some(first), Some(last)) = (group.first(), group.last()) else {
        return Ok(Vec::new());
    };
    let (Some(first_git), Some(last_git)) = (first.origin.git, last.origin.git) else {
        return Ok(group);
    };
    let path = first.origin.path.clone();
    let Alive { refs, mut shown } = alive;
    if shown.is_empty() {
        shown.push(first_git.object);
    }
    let mut note = |commit: Option<ObjectId>| commit.map(|id| notes.commit(id)).transpose();
    let first_note = note(first_git.commit)?;
    let last_note = note(last_git.commit)?;
    let trace = Trace {
        first: match first.origin.part {
            Part::Tag => Some(notes.tag(first_git.object)?),
            _ => first_note,
        },
        last: last_note,
        state: if refs.is_empty() {
            State::History
        } else {
            State::Head
        },
        refs_total: refs.len() as u32,
        refs,
        group: 0,
    };
    let commit = first_git.commit;
    let kept = group.into_iter().filter_map(|mut finding| {
        let git = finding.origin.git.as_mut()?;
        let stays = shown.contains(&git.object) && finding.origin.path == path;
        git.commit = commit;
        finding.trace = Some(Box::new(trace.clone()));
        stays.then_some(finding)
    });
    Ok(kept.collect())
}

/// Where a group still is.
#[derive(Clone, Default)]
struct Alive {
    /// The tips that have it.
    refs: Vec<String>,
    /// The objects of it that the first of them has: of one path there may be several, in a tree that
    /// names two alike.
    shown: Vec<ObjectId>,
}

/// For each group where it still is.
fn alive(groups: &[Vec<Finding>], reader: &Reader, tips: &[Tip]) -> Result<Vec<Alive>, Error> {
    let mut all = vec![Alive::default(); groups.len()];
    let objects: Vec<HashSet<ObjectId>> = groups.iter().map(|group| objects(group)).collect();
    let mut folders = Folders::of(reader);
    for tip in tips {
        let tree = changes::tree_of(reader, tip.commit)?;
        for ((group, objects), alive) in groups.iter().zip(&objects).zip(&mut all) {
            let Some(first) = group.first() else {
                continue;
            };
            let has = match first.origin.git.map(|_| first.origin.part) {
                Some(Part::File) => {
                    let mut there = folders.blobs(tree, &first.origin.path)?;
                    there.retain(|blob| objects.contains(blob));
                    let has = !there.is_empty();
                    if alive.shown.is_empty() {
                        alive.shown = there;
                    }
                    has
                }
                Some(Part::FileName) => is_named(&mut folders, tree, group)?,
                // Messages and names cannot be taken out without a new commit, tag or reference.
                Some(Part::Commit | Part::Tag | Part::RefName) => true,
                None => false,
            };
            if has {
                alive.refs.push(tip.name.clone());
            }
        }
    }
    Ok(all)
}

/// Whether a tree has one of the files or folders whose names a group is.
fn is_named(folders: &mut Folders<'_>, tree: ObjectId, group: &[Finding]) -> Result<bool, Error> {
    for finding in group {
        if !folders.find(tree, &finding.origin.path)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn objects(group: &[Finding]) -> HashSet<ObjectId> {
    let places = group.iter().filter_map(|finding| finding.origin.git);
    places.map(|git| git.object).collect()
}

/// What is told of commits. One may have brought thousands of secrets.
struct Notes<'r> {
    reader: &'r Reader,
    commits: HashMap<ObjectId, CommitNote>,
}

impl<'r> Notes<'r> {
    fn of(reader: &'r Reader) -> Self {
        Self {
            reader,
            commits: HashMap::new(),
        }
    }

    fn commit(&mut self, id: ObjectId) -> Result<CommitNote, Error> {
        if let Some(note) = self.commits.get(&id) {
            return Ok(note.clone());
        }
        let object = self.reader.read_as(id, Kind::Commit)?;
        let commit = Commit::parse(object.bytes()).ok_or_else(|| malformed("commit", id))?;
        let note = CommitNote {
            id,
            author: object::author(object.bytes()),
            time: commit.time,
        };
        self.commits.insert(id, note.clone());
        Ok(note)
    }

    fn tag(&self, id: ObjectId) -> Result<CommitNote, Error> {
        let object = self.reader.read_as(id, Kind::Tag)?;
        let tag = Tag::parse(object.bytes()).ok_or_else(|| malformed("tag", id))?;
        Ok(CommitNote {
            id: tag.target,
            author: object::author(object.bytes()),
            time: tag.time,
        })
    }
}

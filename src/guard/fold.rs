//! One finding for a secret in a path, whatever the number of commits that touched it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::error::Error;
use crate::finding::{CommitNote, Finding, State, Trace};
use crate::git::Kind;
use crate::git::changes::{self, malformed};
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
    let mut folded = Vec::new();
    for (_, mut group) in groups {
        let rank = |finding: &Finding| {
            let commit = finding.origin.git.and_then(|git| git.commit);
            commit
                .and_then(|id| order.get(&id))
                .copied()
                .unwrap_or(usize::MAX)
        };
        group.sort_by_key(|finding| (rank(finding), finding.origin.git.map(|git| git.object)));
        folded.extend(one(group, reader, tips)?);
    }
    // Messages of several commits share path and place.
    folded.sort_by(|a, b| (a.order(), a.origin.git).cmp(&(b.order(), b.origin.git)));
    Ok(folded)
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
fn one(group: Vec<Finding>, reader: &Reader, tips: &[Tip]) -> Result<Vec<Finding>, Error> {
    let (Some(first), Some(last)) = (group.first(), group.last()) else {
        return Ok(Vec::new());
    };
    let (Some(first_git), Some(last_git)) = (first.origin.git, last.origin.git) else {
        return Ok(group);
    };
    let path = first.origin.path.clone();
    let objects: HashSet<ObjectId> = group
        .iter()
        .filter_map(|finding| finding.origin.git)
        .map(|git| git.object)
        .collect();
    let part = first.origin.part;
    let (refs, alive) = alive(part, &path, &objects, reader, tips)?;
    let shown = match alive.is_empty() {
        true => vec![first_git.object],
        false => alive,
    };
    let note = |commit: Option<ObjectId>| commit.map(|id| note(reader, id)).transpose();
    let trace = Trace {
        first: match part {
            Part::Tag => Some(note_of_tag(reader, first_git.object)?),
            _ => note(first_git.commit)?,
        },
        last: note(last_git.commit)?,
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

/// The tips that have some of the objects at the path, and which those are at the first of them: of one
/// path there may be several, where names that are not UTF-8 look alike.
fn alive(
    part: Part,
    path: &str,
    objects: &HashSet<ObjectId>,
    reader: &Reader,
    tips: &[Tip],
) -> Result<(Vec<String>, Vec<ObjectId>), Error> {
    let mut refs = Vec::new();
    let mut shown = Vec::new();
    for tip in tips {
        let there = || changes::find(reader, changes::tree_of(reader, tip.commit)?, path);
        let has = match part {
            Part::File => {
                let mut there = there()?;
                there.retain(|blob| objects.contains(blob));
                if shown.is_empty() {
                    shown.clone_from(&there);
                }
                !there.is_empty()
            }
            Part::FileName => !there()?.is_empty(),
            // Messages and names cannot be taken out without a new commit, tag or reference.
            Part::Commit | Part::Tag | Part::RefName => true,
        };
        if has {
            refs.push(tip.name.clone());
        }
    }
    Ok((refs, shown))
}

fn note(reader: &Reader, id: ObjectId) -> Result<CommitNote, Error> {
    let object = reader.read_as(id, Kind::Commit)?;
    let commit = Commit::parse(object.bytes()).ok_or_else(|| malformed("commit", id))?;
    Ok(CommitNote {
        id,
        author: object::author(object.bytes()),
        time: commit.time,
    })
}

fn note_of_tag(reader: &Reader, id: ObjectId) -> Result<CommitNote, Error> {
    let object = reader.read_as(id, Kind::Tag)?;
    let tag = Tag::parse(object.bytes()).ok_or_else(|| malformed("tag", id))?;
    Ok(CommitNote {
        id: tag.target,
        author: object::author(object.bytes()),
        time: tag.time,
    })
}

//! What merges of a range kept that where it began no longer had: nothing in it is new to all parents of a
//! commit, and yet it comes back with the range.

use crate::error::Error;
use crate::finding::Finding;
use crate::git::changes::{self, Kept};
use crate::git::folders::Folders;
use crate::git::range::Range;
use crate::git::reader::Reader;
use crate::unit::{ObjectId, Part};

/// What the end of a range has and the commits where it began have not, which is what a merge takes from
/// it. Where nothing came before, commits brought all of that.
///
/// # Errors
/// When one of these commits cannot be read.
pub fn of(reader: &Reader, range: &Range) -> Result<Option<Kept>, Error> {
    if range.forks.is_empty() {
        return Ok(None);
    }
    let forks = range.forks.iter();
    Ok(Some(Kept {
        tree: changes::tree_of(reader, range.head)?,
        others: forks
            .map(|id| changes::tree_of(reader, *id))
            .collect::<Result<_, _>>()?,
    }))
}

/// Names for each finding that no commit brought the merge that kept it: the first that has it where one of
/// its parents has not.
///
/// # Errors
/// When a commit or a tree cannot be read.
pub fn name_commits(
    findings: &mut [Finding],
    reader: &Reader,
    commits: &[ObjectId],
) -> Result<(), Error> {
    let is_kept = |finding: &&mut Finding| {
        let is_path = matches!(finding.origin.part, Part::File | Part::FileName);
        is_path && finding.origin.git.is_some_and(|git| git.commit.is_none())
    };
    let mut open: Vec<&mut Finding> = findings.iter_mut().filter(is_kept).collect();
    let mut folders = Folders::of(reader);
    for id in commits {
        if open.is_empty() {
            break;
        }
        let commit = changes::commit(reader, *id)?;
        if commit.parents.len() < 2 {
            continue;
        }
        let parents = commit.parents.iter();
        let parents = parents.map(|id| changes::tree_of(reader, *id));
        let parents = parents.collect::<Result<Vec<_>, _>>()?;
        let mut left = Vec::new();
        for finding in open {
            let keeps = keeps(finding, &mut folders, commit.tree, &parents)?;
            match &mut finding.origin.git {
                Some(git) if keeps => git.commit = Some(*id),
                _ => left.push(finding),
            }
        }
        open = left;
    }
    Ok(())
}

/// Whether a merge has what is found, and a parent has not.
fn keeps(
    finding: &Finding,
    folders: &mut Folders<'_>,
    own: ObjectId,
    parents: &[ObjectId],
) -> Result<bool, Error> {
    if !stands(finding, folders, own)? {
        return Ok(false);
    }
    for parent in parents {
        if !stands(finding, folders, *parent)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a tree has the file of a finding, or what the name is of.
fn stands(finding: &Finding, folders: &mut Folders<'_>, tree: ObjectId) -> Result<bool, Error> {
    let object = finding.origin.git.map(|git| git.object);
    let found = folders.find(tree, &finding.origin.path)?;
    let is_name = finding.origin.part == Part::FileName;
    Ok(found.iter().any(|(id, _)| is_name || Some(*id) == object))
}

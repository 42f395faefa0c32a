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
        let commit = changes::commit(reader, *id)?;
        if open.is_empty() || commit.parents.len() < 2 {
            continue;
        }
        let parents = commit
            .parents
            .iter()
            .map(|id| changes::tree_of(reader, *id));
        let parents = parents.collect::<Result<Vec<_>, _>>()?;
        let mut left = Vec::new();
        for finding in open {
            let mut lacks = |tree| Ok::<_, Error>(!stands(finding, &mut folders, tree)?);
            let is_first = !lacks(commit.tree)?
                && parents
                    .iter()
                    .try_fold(false, |any, tree| Ok::<_, Error>(any | lacks(*tree)?))?;
            match &mut finding.origin.git {
                Some(git) if is_first => git.commit = Some(*id),
                _ => left.push(finding),
            }
        }
        open = left;
    }
    Ok(())
}

/// Whether a tree has the file of a finding, or what the name is of.
fn stands(finding: &Finding, folders: &mut Folders<'_>, tree: ObjectId) -> Result<bool, Error> {
    let object = finding.origin.git.map(|git| git.object);
    let found = folders.find(tree, &finding.origin.path)?;
    let is_name = finding.origin.part == Part::FileName;
    Ok(found.iter().any(|(id, _)| is_name || Some(*id) == object))
}

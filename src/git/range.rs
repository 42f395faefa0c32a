//! Ranges of commits by the names of their ends.

use super::Repo;
use super::fresh::Fresh;
use super::reader::Reader;
use super::{revision, walk};
use crate::error::{Error, ErrorKind};
use crate::unit::ObjectId;

/// A range with its ends resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// `None` for a range that begins with the history.
    pub base: Option<ObjectId>,
    pub head: ObjectId,
    /// Where the two parted; none for histories that have nothing in common, and several where each has
    /// merged the other.
    pub forks: Vec<ObjectId>,
    /// What `head` leads to and `base` does not, parents before children.
    pub commits: Vec<ObjectId>,
    /// The tags that lead to `head` where it is named by one, but for those that name the base.
    pub tags: Vec<ObjectId>,
}

/// Resolves a range; without a base it is all that leads to `head`.
///
/// # Errors
/// When an end does not exist, a commit cannot be read, or the clone is too shallow to tell where the
/// range begins.
pub fn resolve(
    repo: &Repo,
    reader: &Reader,
    base: Option<&str>,
    head: &str,
) -> Result<Range, Error> {
    let mut tags = revision::tags(repo, reader, head)?;
    if let Some(base) = base {
        let old = revision::tags(repo, reader, base)?;
        tags.retain(|tag| !old.contains(tag));
    }
    let head = commit(repo, reader, head)?;
    let base = base.map(|base| commit(repo, reader, base)).transpose()?;
    let is_shallow = repo.completeness().shallow;
    if base.is_none() && is_shallow {
        return Err(shallow("the history begins"));
    }
    let parted = walk::part(repo, reader, &[head], base.as_slice())?;
    if parted.forks.is_empty() && is_shallow {
        return Err(shallow("the range begins"));
    }
    let fresh = Fresh::of(reader, &[head], |id| !parted.own.contains(&id))?;
    Ok(Range {
        base,
        head,
        forks: parted.forks,
        commits: fresh.commits,
        tags,
    })
}

/// The first of `revisions` that is there; `None` when a clone that has the whole history has none of
/// them.
///
/// # Errors
/// When the clone is too shallow to tell, or what is there cannot be read.
pub fn first_of(
    repo: &Repo,
    reader: &Reader,
    revisions: &[String],
) -> Result<Option<String>, Error> {
    for revision in revisions {
        if revision::find(repo, reader, revision)?.is_some() {
            return Ok(Some(revision.clone()));
        }
        if repo.completeness().shallow {
            return Err(missing(repo, revision));
        }
    }
    Ok(None)
}

/// The commit that a revision names.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn commit(repo: &Repo, reader: &Reader, revision: &str) -> Result<ObjectId, Error> {
    revision::find(repo, reader, revision)?.ok_or_else(|| missing(repo, revision))
}

/// Says why a revision names no commit, in terms of what can be done about it.
fn missing(repo: &Repo, revision: &str) -> Error {
    if repo.completeness().shallow {
        return shallow(&format!("{revision} stands"));
    }
    let why = match revision.contains("@{u") {
        true => "no upstream branch is known for what is checked out;",
        false => "there is no such commit in this clone; fetch it, or",
    };
    let message = format!("{revision}: {why} name the commits to judge: keysweep diff BASE..HEAD");
    Error::new(ErrorKind::Git, message)
}

pub fn shallow(what: &str) -> Error {
    Error::new(
        ErrorKind::Git,
        format!(
            // One of a single branch does not fetch the others by itself.
            "the clone is too shallow: it does not reach the place where {what}; fetch all of it \
             with `git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*'` (GitHub: \
             `fetch-depth: 0`, Azure Pipelines: `fetchDepth: 0`, GitLab: `GIT_DEPTH: 0`, \
             Bitbucket: `depth: full`)"
        ),
    )
}

//! The commits that names lead to: what people and CI systems call them, and references.
//!
//! libgit2 looks up the references. What they lead to is read without it: see [`Repo::git2`].

use git2::{ErrorCode, Reference};

use super::changes;
use super::reader::Reader;
use super::repo::Repo;
use crate::error::{Error, ErrorKind};
use crate::unit::ObjectId;

/// The commit that a revision names; `None` when there is none.
///
/// # Errors
/// When something on the way cannot be read, or the revision is of a form that is not known.
pub fn find(repo: &Repo, reader: &Reader, revision: &str) -> Result<Option<ObjectId>, Error> {
    let end = revision.find(['^', '~', ':']).unwrap_or(revision.len());
    let (name, mut rest) = revision.split_at(end);
    // `:/words` and `^main` are other things than commits with a name.
    if name.is_empty() && !rest.is_empty() {
        return Err(unknown(revision));
    }
    let mut at = match named(repo, reader, name)? {
        Some(object) => changes::follow(reader, object)?.1,
        None => None,
    };
    while let Some(commit) = at.filter(|_| !rest.is_empty()) {
        let (step, after) = Step::parse(rest).ok_or_else(|| unknown(revision))?;
        at = step.take(reader, commit)?;
        rest = after;
    }
    Ok(at)
}

/// The tags with a message on the way from a revision to its commit. One that goes on from there names none.
///
/// # Errors
/// As for [`find`].
pub fn tags(repo: &Repo, reader: &Reader, revision: &str) -> Result<Vec<ObjectId>, Error> {
    if revision.contains(['^', '~', ':']) {
        return Ok(Vec::new());
    }
    match named(repo, reader, revision)? {
        Some(object) => Ok(changes::follow(reader, object)?.0),
        None => Ok(Vec::new()),
    }
}

/// The commit that an object is, or that tags lead to; `None` when it is not here, or leads to none.
///
/// # Errors
/// When a tag on the way cannot be read.
pub fn peel(reader: &Reader, object: ObjectId) -> Result<Option<ObjectId>, Error> {
    if !reader.has(object) {
        return Ok(None);
    }
    Ok(changes::follow(reader, object)?.1)
}

/// Commits that references lead to.
#[derive(Debug, Default)]
pub struct Tips {
    pub commits: Vec<ObjectId>,
    /// The references that lead to what cannot be read, each with the cause.
    pub lost: Vec<(String, Error)>,
}

impl Tips {
    /// Adds the commit that a reference of that name leads to, if it is here.
    pub fn add(&mut self, reader: &Reader, name: &str, object: ObjectId) {
        match peel(reader, object) {
            Ok(commit) => self.commits.extend(commit),
            Err(error) => self.lost.push((name.to_owned(), error)),
        }
    }
}

/// The commits that those references lead to whose names count.
///
/// # Errors
/// When the references cannot be listed.
pub fn tips(repo: &Repo, reader: &Reader, counts: impl Fn(&str) -> bool) -> Result<Tips, Error> {
    let references = repo.git2().references();
    let references = references.map_err(|error| failed("references", &error))?;
    let mut tips = Tips::default();
    for reference in references.flatten() {
        // A symbolic one is passed over: what it leads to is listed itself.
        if let Some(name) = reference.name().ok().filter(|name| counts(name))
            && let Some(object) = reference.target()
        {
            tips.add(reader, name, object.into());
        }
    }
    Ok(tips)
}

/// The commits that the next one merges, besides the checked-out one.
pub fn merged(repo: &Repo) -> Vec<ObjectId> {
    let file = repo.git2().path().join("MERGE_HEAD");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(ObjectId::from_hex).collect()
}

/// One step from a commit to an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// So many commits back, by the first parent of each.
    Back(usize),
    /// To one of its parents, the first of which is number one.
    Parent(usize),
}

impl Step {
    /// Reads the first step of `~2^{}^2`; gives what comes after it.
    fn parse(way: &str) -> Option<(Self, &str)> {
        let peeled = way.strip_prefix("^{}");
        if let Some(rest) = peeled.or_else(|| way.strip_prefix("^{commit}")) {
            return Some((Self::Back(0), rest));
        }
        let rest = way.strip_prefix(['^', '~'])?;
        let end = rest.find(|c: char| !c.is_ascii_digit());
        let (digits, after) = rest.split_at(end.unwrap_or(rest.len()));
        // A step of another kind, such as `^{tree}`.
        if after.starts_with('{') {
            return None;
        }
        let number = if digits.is_empty() {
            1
        } else {
            digits.parse().ok()?
        };
        let step = match number {
            0 => Self::Back(0),
            _ if way.starts_with('~') => Self::Back(number),
            _ => Self::Parent(number),
        };
        Some((step, after))
    }

    fn take(self, reader: &Reader, from: ObjectId) -> Result<Option<ObjectId>, Error> {
        let parent = |of, number: usize| -> Result<Option<ObjectId>, Error> {
            let parents = changes::commit(reader, of)?.parents;
            // Those of a shallow clone may not be here.
            Ok(parents
                .get(number - 1)
                .copied()
                .filter(|id| reader.has(*id)))
        };
        match self {
            Self::Parent(number) => parent(from, number),
            Self::Back(steps) => {
                let mut at = Some(from);
                for _ in 0..steps {
                    let Some(commit) = at else { break };
                    at = parent(commit, 1)?;
                }
                Ok(at)
            }
        }
    }
}

/// The object with a name. Names of forty digits are those of objects and nothing else.
fn named(repo: &Repo, reader: &Reader, name: &str) -> Result<Option<ObjectId>, Error> {
    if let Some(id) = ObjectId::from_hex(name) {
        return Ok(Some(id).filter(|id| reader.has(*id)));
    }
    if let Some((branch, of)) = name.split_once("@{") {
        return match of.to_ascii_lowercase().as_str() {
            "u}" | "upstream}" => upstream(repo, branch),
            _ => Err(unknown(name)),
        };
    }
    if let Some(reference) = reference(repo, name)? {
        return Ok(reference.target().map(ObjectId::from));
    }
    // As `git describe` writes it.
    let digits = name.rsplit_once("-g").map_or(name, |(_, digits)| digits);
    reader.beginning(digits)
}

/// The reference with a name, which need not be the full one.
fn reference<'r>(repo: &'r Repo, name: &str) -> Result<Option<Reference<'r>>, Error> {
    let name = match name {
        // libgit2 takes it for the checked-out commit.
        "" => return Ok(None),
        "@" => "HEAD",
        _ => name,
    };
    match repo.git2().resolve_reference_from_short_name(name) {
        Ok(reference) => Ok(Some(reference)),
        Err(error) => match error.code() {
            ErrorCode::NotFound | ErrorCode::InvalidSpec => Ok(None),
            _ => Err(failed(name, &error)),
        },
    }
}

/// What the upstream branch of a branch names, or of the checked-out one.
fn upstream(repo: &Repo, branch: &str) -> Result<Option<ObjectId>, Error> {
    let git = repo.git2();
    let own = match branch {
        "" | "@" | "HEAD" => git.head().ok(),
        // A tag of the same name has no upstream.
        _ => match reference(repo, &format!("refs/heads/{branch}"))? {
            Some(own) => Some(own),
            None => reference(repo, branch)?,
        },
    };
    let own = own.as_ref().and_then(|own| own.name().ok());
    let Some(upstream) = own.and_then(|own| git.branch_upstream_name(own).ok()) else {
        return Ok(None);
    };
    let name = String::from_utf8_lossy(&upstream);
    Ok(reference(repo, &name)?.and_then(|found| Some(found.target()?.into())))
}

fn unknown(revision: &str) -> Error {
    let message = format!(
        "{revision}: not a way to name a commit that keysweep knows; give what `git rev-parse` makes of it"
    );
    Error::usage(message)
}

fn failed(what: &str, error: &git2::Error) -> Error {
    Error::new(ErrorKind::Git, format!("{what}: {}", error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_one_by_one() {
        for (way, step, rest) in [
            ("^", Step::Parent(1), ""),
            ("^^2", Step::Parent(1), "^2"),
            ("^2~3", Step::Parent(2), "~3"),
            ("~", Step::Back(1), ""),
            ("~12^{}", Step::Back(12), "^{}"),
            ("^{}~", Step::Back(0), "~"),
            ("^{commit}", Step::Back(0), ""),
            ("^0", Step::Back(0), ""),
        ] {
            assert_eq!(Step::parse(way), Some((step, rest)), "{way}");
        }
        for way in [":README", "^{tree}", "^{/words}", "~99999999999999999999"] {
            assert_eq!(Step::parse(way), None, "{way}");
        }
    }
}

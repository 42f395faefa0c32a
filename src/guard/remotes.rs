//! Which references of a working copy tell what the repository at a URL has.
//!
//! A remote's name does not tell: it may push elsewhere than it fetches from, and a push may name no
//! remote at all. Git moves a remote's references when it fetches and when it pushes, so they tell of a
//! repository where the remote leads to no other.

use std::collections::HashSet;

use super::address::Address;
use super::receiving::Update;
use super::refspec::Refspec;
use super::urls::Urls;
use crate::error::{Error, ErrorKind};
use crate::git::Repo;
use crate::git::reader::Reader;
use crate::git::revision::{self, Tips};
use crate::unit::ObjectId;

/// Where references of what was fetched lie. What a refspec writes elsewhere, the people of the
/// working copy write too.
const TRACKING: &str = "refs/remotes/";

/// What is pushed to, as git tells its hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'t> {
    /// The remote's name, or the URL where it has none.
    pub remote: &'t str,
    /// Where the remote pushes to; not known where the hook is called by hand.
    pub url: Option<&'t str>,
}

/// What the repository that is pushed to has, as far as that is known here. Of the references that `updates`
/// name git has just told what stands there.
///
/// # Errors
/// When the remotes or the references cannot be read.
pub fn known(
    repo: &Repo,
    reader: &Reader,
    target: Target<'_>,
    updates: &[Update],
) -> Result<Tips, Error> {
    let mut tips = fetched(repo, reader, target, updates)?;
    // That may not have been fetched.
    for update in updates {
        if let Some(old) = update.old {
            tips.add(reader, &update.name, old);
        }
    }
    Ok(tips)
}

/// What it had when it was last asked, or pushed to.
fn fetched(
    repo: &Repo,
    reader: &Reader,
    target: Target<'_>,
    updates: &[Update],
) -> Result<Tips, Error> {
    let config = repo
        .git2()
        .config()
        .and_then(|mut config| config.snapshot());
    let urls = config.and_then(|config| Urls::read(&config));
    let urls = urls.map_err(|error| failed(&error))?;
    let wanted = match target.url {
        Some(url) => Some(Address::of(url)),
        None => urls.push_address(target.remote),
    };
    let Some(wanted) = wanted else {
        return Ok(Tips::default());
    };
    // What is pushed from a repository into the same one was there.
    if wanted == Address::of(&repo.common_dir().to_string_lossy()) {
        return revision::tips(repo, reader, |_| true);
    }
    let (ours, others) = urls.refspecs(&wanted);
    let told = told(updates, reader, &ours);
    // What two remotes write tells of neither: `pub/x` may be a remote, or a branch of `pub`.
    let writes = |specs: &[&Refspec], name: &str| specs.iter().any(|spec| spec.writes(name));
    revision::tips(repo, reader, |name| {
        name.starts_with(TRACKING)
            && !told.contains(name)
            && writes(&ours, name)
            && !writes(&others, name)
    })
}

/// The references that stand for those of `updates`, as far as it is known here what these lead to. What was
/// fetched may have been taken out since, or be another repository's, where the remote had another URL.
fn told(updates: &[Update], reader: &Reader, specs: &[&Refspec]) -> HashSet<String> {
    let known = updates
        .iter()
        .filter(|update| update.old.is_none_or(|old| reader.has(old)));
    known
        .flat_map(|update| specs.iter().filter_map(|spec| spec.written(&update.name)))
        .collect()
}

/// All commits that were fetched from anywhere.
///
/// # Errors
/// When the references cannot be read.
pub fn tracked(repo: &Repo, reader: &Reader) -> Result<Vec<ObjectId>, Error> {
    // One that cannot be read only accepts less.
    Ok(revision::tips(repo, reader, |name| name.starts_with(TRACKING))?.commits)
}

fn failed(error: &git2::Error) -> Error {
    Error::new(ErrorKind::Git, error.message())
}

//! Which references of a working copy tell what the repository at a URL has.
//!
//! A remote's name does not tell: it may push elsewhere than it fetches from, and a push may name no
//! remote at all. What counts is the repository that a remote was fetched from.

use git2::{Direction, Remote};

use super::address::Address;
use crate::error::{Error, ErrorKind};
use crate::git::reader::Reader;
use crate::git::{Repo, revision};
use crate::unit::ObjectId;

/// Where references of what was fetched lie. What a refspec writes elsewhere, the people of the
/// working copy write too.
const TRACKING: &str = "refs/remotes/";

/// The commits that were fetched from the repository at `url`, or from the remote of that name.
///
/// # Errors
/// When the remotes or the references cannot be read.
pub fn fetched(repo: &Repo, reader: &Reader, url: &str) -> Result<Vec<ObjectId>, Error> {
    let git = repo.git2();
    let named = git.find_remote(url).ok();
    let named = named.as_ref().and_then(|remote| remote.url().ok());
    let wanted = Address::of(named.unwrap_or(url));
    let mut ours = Vec::new();
    let mut others = Vec::new();
    for name in git
        .remotes()
        .map_err(|error| failed(&error))?
        .iter()
        .flatten()
        .flatten()
    {
        let remote = git.find_remote(name).map_err(|error| failed(&error))?;
        let from = remote.url().ok().map(Address::of);
        let is_it = from.is_some_and(|from| from.is_same(&wanted));
        if is_it { &mut ours } else { &mut others }.push(remote);
    }
    // What two remotes write tells of neither: `pub/x` may be a remote, or a branch of `pub`.
    let tells = |name: &str| writes(&ours, name) && !writes(&others, name);
    revision::tips(repo, reader, |name| {
        name.starts_with(TRACKING) && tells(name)
    })
}

/// All commits that were fetched from anywhere.
///
/// # Errors
/// When the references cannot be read.
pub fn tracked(repo: &Repo, reader: &Reader) -> Result<Vec<ObjectId>, Error> {
    revision::tips(repo, reader, |name| name.starts_with(TRACKING))
}

fn failed(error: &git2::Error) -> Error {
    Error::new(ErrorKind::Git, error.message())
}

/// Whether fetching from one of the remotes writes this reference.
fn writes(remotes: &[Remote<'_>], name: &str) -> bool {
    remotes.iter().any(|remote| {
        remote
            .refspecs()
            .any(|spec| spec.direction() == Direction::Fetch && spec.dst_matches(name))
    })
}

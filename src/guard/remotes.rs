//! Which references of a working copy tell what the repository at a URL has.
//!
//! A remote's name does not tell: it may push elsewhere than it fetches from, and a push may name no
//! remote at all. What counts is the repository that a remote was fetched from.

use std::path::{Path, PathBuf};

use git2::{Direction, Remote};

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
    let wanted = Place::of(named.unwrap_or(url));
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
        let from = remote.url().ok().map(Place::of);
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

/// What a URL names: a folder of this machine, or a path on a host.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Folder(PathBuf),
    Host {
        scheme: String,
        /// With the user, but for those of the web, who see the same repository.
        authority: String,
        host: String,
        path: String,
    },
}

impl Place {
    fn of(url: &str) -> Self {
        let folder = Path::new(url.strip_prefix("file://").unwrap_or(url));
        if let Ok(folder) = folder.canonicalize() {
            return Self::Folder(folder);
        }
        let (scheme, rest, separator) = match url.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest, '/'),
            // As `scp` writes it.
            None => ("ssh".to_owned(), url, ':'),
        };
        let Some((authority, path)) = rest.split_once(separator) else {
            return Self::Folder(folder.into());
        };
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let host = host.to_ascii_lowercase();
        let authority = if scheme.starts_with("http") {
            host.clone()
        } else {
            format!("{user}@{host}")
        };
        let path = path.trim_matches('/');
        Self::Host {
            scheme,
            authority,
            host: host.split(':').next().unwrap_or_default().to_owned(),
            path: path.strip_suffix(".git").unwrap_or(path).to_owned(),
        }
    }

    /// Whether both name one repository, perhaps by two protocols, each with a port of its own.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Host {
                    scheme,
                    authority,
                    host,
                    path,
                },
                Self::Host {
                    scheme: other_scheme,
                    authority: other_authority,
                    host: other_host,
                    path: other_path,
                },
            ) => {
                let server = if scheme == other_scheme {
                    authority == other_authority
                } else {
                    host == other_host
                };
                server && path == other_path
            }
            _ => self == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_the_same_by_two_protocols_and_not_by_two_ports() {
        let same = |one, other| Place::of(one).is_same(&Place::of(other));
        for (one, other) in [
            (
                "git@host.example:team/app.git",
                "https://host.example/team/app",
            ),
            (
                "ssh://git@host.example:2222/team/app/",
                "https://ann@HOST.example:8443/team/app.git",
            ),
            ("https://ann:@host.example/app", "https://host.example/app"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [
            (
                "https://host.example/team/app",
                "https://host.example/team/app2",
            ),
            ("https://host.example/app", "https://other.example/app"),
            ("http://localhost:3000/app", "http://localhost:3001/app"),
            ("ann@host.example:app", "ben@host.example:app"),
            ("/no/such/folder", "host.example:no/such/folder"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }
}

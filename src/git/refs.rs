//! What leads into a repository: references, checked-out commits, reflogs.

use git2::ObjectType;

use super::Kind;
use super::repo::Repo;
use crate::error::{Error, ErrorKind};
use crate::unit::ObjectId;

/// A reference and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ref {
    /// The full name, such as `refs/heads/main`. Bytes that are no UTF-8 are replaced.
    pub name: String,
    /// The object it names: a commit, or the tag object of an annotated tag.
    pub target: ObjectId,
    /// What a tag, or a tag of a tag, is about; for others the target.
    pub peeled: ObjectId,
    pub kind: Option<Kind>,
}

/// All ways into a repository.
#[derive(Clone, Debug, Default)]
pub struct Refs {
    /// The checked-out commit.
    pub head: Option<ObjectId>,
    pub refs: Vec<Ref>,
    /// Commits that only the reflogs name.
    pub reflog: Vec<ObjectId>,
}

impl Refs {
    /// Reads them all. A reference to an object that is not there is kept, without a kind.
    ///
    /// # Errors
    /// When the references cannot be listed.
    pub fn read(repo: &Repo) -> Result<Self, Error> {
        let git = repo.git2();
        let fault = |error: git2::Error| Error::new(ErrorKind::Git, error.message());
        let mut found = Self {
            head: head(git),
            ..Self::default()
        };
        let mut logs = vec!["HEAD".to_owned()];
        for reference in git.references().map_err(fault)? {
            let Ok(reference) = reference else { continue };
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            logs.push(name.clone());
            let Some(target) = reference.target() else {
                continue;
            };
            let peeled = reference.peel(ObjectType::Any).ok();
            found.refs.push(Ref {
                name,
                target: target.into(),
                peeled: peeled.as_ref().map_or(target, git2::Object::id).into(),
                kind: peeled.and_then(|o| o.kind()).and_then(Kind::of),
            });
        }
        found.add_worktrees(git);
        for name in logs {
            let Ok(log) = git.reflog(&name) else { continue };
            for entry in log.iter() {
                found.reflog.push(entry.id_new().into());
                found.reflog.push(entry.id_old().into());
            }
        }
        found.reflog.sort_unstable();
        found.reflog.dedup();
        Ok(found)
    }

    /// The commits that linked worktrees have checked out.
    fn add_worktrees(&mut self, git: &git2::Repository) {
        let Ok(names) = git.worktrees() else { return };
        for name in names.iter().flatten().flatten() {
            let worktree = git.find_worktree(name);
            let opened = worktree.and_then(|tree| git2::Repository::open_from_worktree(&tree));
            if let Some(commit) = opened.ok().as_ref().and_then(head) {
                self.refs.push(Ref {
                    name: format!("worktrees/{name}/HEAD"),
                    target: commit,
                    peeled: commit,
                    kind: Some(Kind::Commit),
                });
            }
        }
    }
}

fn head(git: &git2::Repository) -> Option<ObjectId> {
    let commit = git.head().ok()?.peel_to_commit().ok()?;
    Some(commit.id().into())
}

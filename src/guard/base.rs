//! The revision that a range, the index or the working tree is held against: whose rules and accepted
//! findings count, and which values are known.
//!
//! That what is judged changes the first two is noted.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bstr::ByteSlice;

use super::copies;
use super::known::drop_known;
use super::range::{Scope, named};
use crate::error::Error;
use crate::git::changes::{self, Changes, Places, add_place};
use crate::git::folders::Folders;
use crate::git::reader::Reader;
use crate::git::{Kind, Repo, linked, range, revision, working};
use crate::ignores::{self, Ignores};
use crate::ledger::Ledger;
use crate::pipeline::{Options, Outcome};
use crate::rules::RuleSet;
use crate::source::objects::Objects;
use crate::unit::{ObjectId, path_text};

/// The repository with the revision that is trusted.
pub struct Base<'r> {
    pub repo: &'r Repo,
    pub reader: &'r Reader,
    /// Trees whose values are known: that of the base, and those of the commits where it and the head
    /// parted, the newest first, or of the commits that are being merged.
    pub trees: Vec<ObjectId>,
    whose: Whose,
}

/// Which revision is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Base,
    /// Nothing came before.
    Head,
}

impl Whose {
    fn name(self) -> &'static str {
        match self {
            Self::Base => "the base revision",
            Self::Head => "the judged commit",
        }
    }
}

impl<'r> Base<'r> {
    /// What `range` is held against; without one, what is checked out, and what is being merged.
    ///
    /// # Errors
    /// When a commit cannot be read.
    pub fn of(
        repo: &'r Repo,
        reader: &'r Reader,
        range: Option<&range::Range>,
    ) -> Result<Self, Error> {
        let commits: Vec<ObjectId> = match range {
            Some(range) => {
                let forks = range.forks.iter().copied();
                let forks = forks.filter(|fork| Some(*fork) != range.base);
                range.base.into_iter().chain(forks).collect()
            }
            // A repository without a commit has no base.
            None => {
                let head = revision::find(repo, reader, "HEAD")?.into_iter();
                head.chain(revision::merged(repo)).collect()
            }
        };
        let trees = commits.into_iter().map(|id| changes::tree_of(reader, id));
        Ok(Self {
            repo,
            reader,
            trees: trees.collect::<Result<_, _>>()?,
            whose: Whose::Base,
        })
    }

    /// A commit by itself.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn at(repo: &'r Repo, reader: &'r Reader, commit: ObjectId) -> Result<Self, Error> {
        Ok(Self {
            repo,
            reader,
            trees: vec![changes::tree_of(reader, commit)?],
            whose: Whose::Base,
        })
    }

    /// What decides over the findings of a range: what it is held against. Where all that leads to its end
    /// is judged that is the end itself: somebody accepted that when it was brought.
    ///
    /// # Errors
    /// When the end of the range cannot be read.
    pub fn trusted(&self, range: Option<&range::Range>) -> Result<Self, Error> {
        match range {
            Some(range) if self.trees.is_empty() => Ok(Self {
                whose: Whose::Head,
                ..Self::at(self.repo, self.reader, range.head)?
            }),
            _ => Ok(Self {
                trees: self.trees.clone(),
                ..*self
            }),
        }
    }

    fn blob(&self, path: &str) -> Result<Option<ObjectId>, Error> {
        match self.trees.first() {
            Some(tree) => Ok(Folders::of(self.reader).blobs(*tree, path)?.pop()),
            None => Ok(None),
        }
    }

    /// What is accepted.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn accepted(&self, ledger: &mut Ledger) -> Result<Ignores, Error> {
        if self.whose == Whose::Head && self.blob(ignores::FILE)?.is_some() {
            let note = "that of the judged commit counts: there is no base revision";
            ledger.note(ignores::FILE.into(), note);
        }
        self.ignores(self.whose.name(), ledger)
    }

    /// What the base accepts, which is `whose`.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn ignores(&self, whose: &str, ledger: &mut Ledger) -> Result<Ignores, Error> {
        match self.blob(ignores::FILE)? {
            Some(list) => self.list(list, whose, ledger),
            None => Ok(Ignores::default()),
        }
    }

    /// What a list accepts: nothing where it is damaged. Were that an error, it would refuse its repair.
    fn list(&self, list: ObjectId, whose: &str, ledger: &mut Ledger) -> Result<Ignores, Error> {
        let object = self.reader.read(list)?;
        let text = object.bytes().to_str();
        let damage = match text.map(Ignores::parse) {
            Ok(Ok(ignores)) => return Ok(ignores),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "not UTF-8".to_owned(),
        };
        let detail = format!("damaged, that of {whose} accepts nothing: {damage}");
        ledger.note(ignores::FILE.into(), detail);
        Ok(Ignores::default())
    }

    /// Notes that the index brings a damaged list. That of the base is told in any case.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn note_damage(
        &self,
        staged: &[(Arc<str>, ObjectId)],
        ledger: &mut Ledger,
    ) -> Result<(), Error> {
        let list = staged.iter().find(|(path, _)| **path == *ignores::FILE);
        if let Some((_, list)) = list {
            self.list(*list, "the index", ledger)?;
        }
        Ok(())
    }

    /// Adds rules from files; those that are part of the repository as the trusted revision has them.
    ///
    /// # Errors
    /// When they cannot be read or are not valid, and where no revision says whether they are trusted.
    pub fn add_rules(
        &self,
        files: &[PathBuf],
        rules: &mut RuleSet,
        ledger: &mut Ledger,
    ) -> Result<(), Error> {
        for file in files {
            let text = match self.inside(file) {
                Some(path) => self.own_rules(file, &path, ledger)?,
                None => Some(on_disk(file)?),
            };
            if let Some(text) = text {
                rules.add(&text).map_err(|error| error.within(file))?;
            }
        }
        Ok(())
    }

    /// Rules that are part of the repository, at this path from its root.
    fn own_rules(
        &self,
        file: &Path,
        path: &str,
        ledger: &mut Ledger,
    ) -> Result<Option<String>, Error> {
        let mut note = |text: &str| ledger.note(file.to_string_lossy().into(), text);
        let Some(tree) = self.trees.first() else {
            note("as it lies in the working tree: there is no base revision");
            return on_disk(file).map(Some);
        };
        match (linked::file(self.reader, *tree, path)?, self.whose) {
            (Some(blob), whose) => {
                if whose == Whose::Head {
                    note("that of the judged commit counts: there is no base revision");
                }
                let object = self.reader.read(blob)?;
                let text = std::str::from_utf8(object.bytes()).map_err(|_| {
                    Error::usage(format!("{path}: is not UTF-8 as it is committed"))
                })?;
                Ok(Some(text.to_owned()))
            }
            (None, Whose::Head) => Err(Error::usage(format!(
                "{}: the judged commit does not have these rules, and there is no base revision; \
                 commit them, or keep them outside of the repository",
                file.display()
            ))),
            // A change may bring the first of them, but a name may be mistyped, too.
            (None, Whose::Base) => {
                on_disk(file)?;
                note("not used: the base revision does not have these rules");
                Ok(None)
            }
        }
    }

    /// A path from the root of the working tree; `None` when it lies elsewhere. What is below the root is
    /// taken as it is written: links there are what is judged.
    fn inside(&self, path: &Path) -> Option<String> {
        let root = self.repo.git2().workdir()?.canonicalize().ok()?;
        let here = std::env::current_dir().ok()?.canonicalize().ok()?;
        let path = written(&here.join(path));
        let mut above: Vec<&Path> = path.ancestors().collect();
        above.reverse();
        let entered = above.into_iter().find_map(|folder| {
            let real = folder.canonicalize().ok()?;
            Some((folder, real.strip_prefix(&root).ok()?.to_owned()))
        });
        let (folder, below) = entered?;
        let inside = below.join(path.strip_prefix(folder).ok()?);
        let inside = inside.as_os_str().as_encoded_bytes();
        Some(match cfg!(windows) {
            true => path_text(&inside.replace(b"\\", b"/")).into(),
            false => path_text(inside).into(),
        })
    }

    /// Notes that the range changes what decides over findings, or leaves it damaged.
    ///
    /// # Errors
    /// When a tree or a list cannot be read.
    pub fn note_changes(
        &self,
        rules: &[PathBuf],
        range: &range::Range,
        ledger: &mut Ledger,
    ) -> Result<(), Error> {
        // Where the two parted: what the base changed since is no change of the range.
        let Some(tree) = self.trees.get(1).or(self.trees.first()) else {
            return Ok(());
        };
        let head = changes::tree_of(self.reader, range.head)?;
        let own = Self::at(self.repo, self.reader, range.head)?;
        own.ignores("the end of the range", ledger)?;
        let rules = rules.iter().filter_map(|file| self.inside(file));
        for path in rules.chain([ignores::FILE.to_owned()]) {
            // A link that leads nowhere is another file than what was there.
            let at = |tree| linked::file(self.reader, tree, &path).ok().flatten();
            if at(head) != at(*tree) {
                ledger.note(
                    path.into(),
                    "changed in this range; judged by the base revision's version",
                );
            }
        }
        Ok(())
    }

    /// Drops what the base has: looked for first in what was replaced, then in all of the base.
    ///
    /// # Errors
    /// When a tree of the base cannot be read.
    pub fn drop_known(
        &self,
        scope: &Scope,
        outcome: &mut Outcome,
        options: &Options,
    ) -> Result<usize, Error> {
        let findings = &mut outcome.findings;
        let mut near = Places::new();
        let mut add = |path: &str, blob| add_place(&mut near, copies::kind, blob, path, None);
        let mut folders = Folders::of(self.reader);
        for tree in &self.trees {
            for finding in findings.iter().filter(|finding| finding.origin.is_file()) {
                let path = &finding.origin.path;
                let blobs = folders.blobs(*tree, path)?;
                blobs.into_iter().for_each(|blob| add(path, blob));
            }
        }
        if *scope == Scope::Unstaged {
            for (path, blob) in working::unstaged(self.repo)? {
                add(&path_text(path.as_os_str().as_encoded_bytes()), blob);
            }
        }
        // What is not in the index yet has no blob.
        near.retain(|blob, _| self.reader.has(*blob));
        let mut known = drop_known(findings, &Objects::placed(self.reader, near), options)?;
        for tree in &self.trees {
            if !findings.is_empty() {
                let mut all = Changes::new(copies::kind);
                all.add_tree(self.reader, *tree)?;
                let mut all_files = Objects::placed(self.reader, all.blobs);
                all_files.names = named(all.names, *tree);
                known += drop_known(findings, &all_files, options)?;
            }
        }
        Ok(known)
    }

    /// Whether a tree of the base has something of a kind at a path.
    ///
    /// # Errors
    /// When a tree on the way cannot be read.
    pub fn has(&self, folders: &mut Folders<'_>, path: &str, kind: Kind) -> Result<bool, Error> {
        for tree in &self.trees {
            let found = folders.find(*tree, path)?;
            if found.iter().any(|(_, other)| *other == kind) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn on_disk(file: &Path) -> Result<String, Error> {
    std::fs::read_to_string(file).map_err(|error| Error::io(file, error))
}

/// An absolute path without `.` and `..`, by its words alone.
fn written(path: &Path) -> PathBuf {
    let mut written = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(written.pop()),
            _ => written.push(part),
        }
    }
    written
}

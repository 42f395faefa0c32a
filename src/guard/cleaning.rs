//! How to clean the commits and tags that a push was to bring, reference by reference.

use std::collections::{HashMap, HashSet};

use bstr::ByteSlice;

use super::receiving::Update;
use crate::error::Error;
use crate::finding::{Finding, Fingerprint};
use crate::git::Kind;
use crate::git::changes;
use crate::git::object;
use crate::git::reader::Reader;
use crate::unit::{ObjectId, Part};

/// What the commands that clean one reference depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleaning {
    /// The reference, by its full name, masked; that of the working copy where it is known.
    pub name: String,
    /// Whether it names a tag with a message, and whether that has a secret.
    pub annotated: bool,
    pub tag_tells: bool,
    /// `None` where the commits have no secret.
    pub commits: Option<Commits>,
}

/// What is to be known of the commits of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commits {
    /// The newest one.
    pub tip: ObjectId,
    /// The newest commit that the server has already; `None` where all are new.
    pub base: Option<ObjectId>,
    /// Whether only the newest commit has to be made anew.
    pub only_last: bool,
    /// Whether files that still have a secret must be edited first.
    pub edit: bool,
    /// Whether a secret stands where a commit says who made it.
    pub identity: bool,
}

impl Cleaning {
    /// The short name of a branch.
    pub fn branch(&self) -> Option<&str> {
        self.name.strip_prefix("refs/heads/")
    }

    /// The newest of its commits.
    pub fn tip(&self) -> Option<ObjectId> {
        self.commits.as_ref().map(|commits| commits.tip)
    }
}

impl Commits {
    /// Whether they are made anew on a branch without any of them.
    pub fn is_orphan(&self) -> bool {
        !self.only_last && self.base.is_none()
    }
}

/// A reference that is pushed, with the tags on the way to its commit.
pub(super) struct Pushed<'u> {
    pub update: &'u Update,
    pub tags: Vec<ObjectId>,
    /// `None` where it leads to a file or a folder.
    pub commit: Option<ObjectId>,
}

impl<'u> Pushed<'u> {
    /// Follows a reference; `None` where it is deleted.
    pub fn of(reader: &Reader, update: &'u Update) -> Result<Option<Self>, Error> {
        let Some(id) = update.new else {
            return Ok(None);
        };
        let (tags, commit) = changes::follow(reader, id)?;
        Ok(Some(Self {
            update,
            tags,
            commit,
        }))
    }
}

/// The commits in which each finding was seen, before those of one secret become one.
pub(super) type Carriers = HashMap<Fingerprint, HashSet<ObjectId>>;

pub(super) fn carriers(findings: &[Finding]) -> Carriers {
    let mut carriers = Carriers::new();
    for finding in findings {
        let commits = carriers.entry(finding.fingerprint).or_default();
        commits.extend(finding.origin.git.and_then(|git| git.commit));
    }
    carriers
}

/// A push with findings that stand against it.
pub(super) struct Soiled<'p> {
    pub reader: &'p Reader,
    /// The commits that it brings, parents before children.
    pub fresh: &'p [ObjectId],
    pub findings: &'p [Finding],
    pub carriers: &'p Carriers,
}

/// What a new commit and the new ones before it have.
#[derive(Clone, Copy)]
struct Line {
    /// A secret in itself.
    own: bool,
    /// One in a commit before it.
    older: bool,
    /// One where some commit says who made it.
    identity: bool,
    /// The first commit on its main line that is not new.
    base: Option<ObjectId>,
}

impl Soiled<'_> {
    /// How to clean each reference that leads to something with a secret.
    pub fn cleanings(&self, pushed: &[Pushed<'_>]) -> Result<Vec<Cleaning>, Error> {
        if self.findings.is_empty() {
            return Ok(Vec::new());
        }
        let lines = self.lines()?;
        let alive = self.alive();
        let tags = self.tags();
        let cleanings = pushed.iter().filter_map(|pushed| {
            let name = &pushed.update.name;
            let commits = pushed.commit.and_then(|tip| {
                let line = lines.get(&tip)?;
                let edit = alive.contains(name.as_str());
                (line.own || line.older || edit).then_some(Commits {
                    tip,
                    base: line.base,
                    // A file that another line brought too is told by that one's commit.
                    only_last: line.own && !line.older,
                    edit,
                    identity: line.identity,
                })
            });
            let tag_tells = pushed.tags.iter().any(|tag| tags.contains(tag));
            let source = pushed.update.source.as_ref();
            (commits.is_some() || tag_tells).then(|| Cleaning {
                name: source.unwrap_or(name).clone(),
                annotated: !pushed.tags.is_empty(),
                tag_tells,
                commits,
            })
        });
        Ok(cleanings.collect())
    }

    /// All new commits, in one pass however many references lead to them.
    fn lines(&self) -> Result<HashMap<ObjectId, Line>, Error> {
        let (soiled, headers) = self.commits()?;
        let mut lines: HashMap<ObjectId, Line> = HashMap::new();
        for id in self.fresh {
            let commit = changes::commit(self.reader, *id)?;
            let mut line = Line {
                own: soiled.contains(id),
                older: false,
                identity: headers.contains(id),
                base: commit.parents.first().copied(),
            };
            for (nth, parent) in commit.parents.iter().enumerate() {
                let Some(before) = lines.get(parent) else {
                    continue;
                };
                line.older |= before.own || before.older;
                line.identity |= before.identity;
                if nth == 0 {
                    line.base = before.base;
                }
            }
            lines.insert(*id, line);
        }
        Ok(lines)
    }

    /// The commits with a secret, and those of them that have it in their headers.
    fn commits(&self) -> Result<(HashSet<ObjectId>, HashSet<ObjectId>), Error> {
        let (mut soiled, mut headers) = (HashSet::new(), HashSet::new());
        let mut messages = HashMap::new();
        for finding in self.findings {
            soiled.extend(
                self.carriers
                    .get(&finding.fingerprint)
                    .into_iter()
                    .flatten(),
            );
            let Some(commit) = finding.origin.git.and_then(|git| git.commit) else {
                continue;
            };
            soiled.insert(commit);
            if finding.origin.part != Part::Commit {
                continue;
            }
            // One message may hold thousands.
            let lines = match messages.get(&commit) {
                Some(lines) => *lines,
                None => *messages
                    .entry(commit)
                    .or_insert(self.message_lines(commit)?),
            };
            // Behind the message are the headers.
            if finding.start.line as usize > lines {
                headers.insert(commit);
            }
        }
        Ok((soiled, headers))
    }

    /// How many lines a commit's message has.
    fn message_lines(&self, commit: ObjectId) -> Result<usize, Error> {
        let object = self.reader.read_as(commit, Kind::Commit)?;
        Ok(object::message(object.bytes()).lines().count())
    }

    /// The references whose files, or the names of those, still have a secret.
    fn alive(&self) -> HashSet<&str> {
        let parts = [Part::File, Part::FileName];
        let findings = self.findings.iter();
        let files = findings.filter(|finding| parts.contains(&finding.origin.part));
        let traces = files.filter_map(|finding| finding.trace.as_deref());
        traces
            .flat_map(|trace| &trace.refs)
            .map(String::as_str)
            .collect()
    }

    /// The tags whose messages have a secret.
    fn tags(&self) -> HashSet<ObjectId> {
        let findings = self.findings.iter();
        let tags = findings.filter(|finding| finding.origin.part == Part::Tag);
        tags.filter_map(|finding| finding.origin.git)
            .map(|git| git.object)
            .collect()
    }
}

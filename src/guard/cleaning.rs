//! How to clean the commits and tags that a push was to bring, reference by reference.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::receiving::Update;
use crate::error::Error;
use crate::finding::{Finding, Fingerprint};
use crate::git::Kind;
use crate::git::changes;
use crate::git::object::{self, Commit};
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
    /// Whether files still have a secret, and whether the names of some have.
    pub in_files: bool,
    pub in_names: bool,
    /// Where else the commits have one.
    pub spots: BTreeSet<Spot>,
    /// The newest one where it has to be made out of its parts.
    pub parts: Option<Commit>,
    /// How many there are on the main line, and whether others were merged into it.
    pub count: u32,
    pub merges: bool,
}

/// Where a commit can have a secret besides its files and their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    Message,
    /// The name of who made it.
    Name,
    /// The address of who made it.
    Mail,
    Signature,
    /// The tag, with its message, that a merge was of.
    MergeTag,
    Header,
}

impl Spot {
    /// Of a byte in a commit's words, of which `headers` tells where the headers begin.
    fn of(words: &[u8], headers: &[usize], at: usize) -> Self {
        let before = headers.partition_point(|start| *start <= at);
        let Some(start) = headers[..before].last() else {
            return Self::Message;
        };
        let is = |name: &[u8]| words[*start..].starts_with(name);
        if is(b"author ") || is(b"committer ") {
            let in_mail = words[*start..at].contains(&b'<');
            return if in_mail { Self::Mail } else { Self::Name };
        }
        match () {
            () if is(b"gpgsig ") || is(b"gpgsig-sha256 ") => Self::Signature,
            () if is(b"mergetag ") => Self::MergeTag,
            () => Self::Header,
        }
    }

    /// Whether git takes it over into a commit that is amended, unasked.
    fn stays(self) -> bool {
        matches!(self, Self::MergeTag | Self::Header)
    }

    pub fn is_identity(self) -> bool {
        matches!(self, Self::Name | Self::Mail)
    }
}

impl Cleaning {
    /// The newest of its commits.
    pub fn tip(&self) -> Option<ObjectId> {
        self.commits.as_ref().map(|commits| commits.tip)
    }
}

impl Commits {
    /// Whether files have to be changed before they are made anew.
    pub fn edit(&self) -> bool {
        self.in_files || self.in_names
    }

    /// Whether the newest one is amended, and no other is made anew.
    pub fn is_amended(&self) -> bool {
        self.only_last && self.parts.is_none()
    }

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

/// Where each finding was seen, before those of one secret become one.
pub(super) type Carriers = HashMap<Fingerprint, Carrier>;

#[derive(Default)]
pub(super) struct Carrier {
    commits: HashSet<ObjectId>,
    /// The bytes of the commits' own words at which it begins.
    said: Vec<(ObjectId, usize)>,
}

pub(super) fn carriers(findings: &[Finding]) -> Carriers {
    let mut carriers = Carriers::new();
    for finding in findings {
        let Some(commit) = finding.origin.git.and_then(|git| git.commit) else {
            continue;
        };
        let carrier = carriers.entry(finding.fingerprint).or_default();
        carrier.commits.insert(commit);
        if finding.origin.part == Part::Commit {
            let start = finding.bytes.first().map_or(0, |bytes| bytes.start);
            carrier.said.push((commit, start as usize));
        }
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
struct Line {
    /// A secret in itself.
    own: bool,
    /// One in a commit before it.
    older: bool,
    /// Where one stands in any of them, besides files.
    spots: BTreeSet<Spot>,
    /// The first commit on its main line that is not new.
    base: Option<ObjectId>,
    /// The new commits on its main line.
    count: u32,
    /// Whether one of those is a merge.
    merges: bool,
}

impl Soiled<'_> {
    /// How to clean each reference that leads to something with a secret.
    pub fn cleanings(&self, pushed: &[Pushed<'_>]) -> Result<Vec<Cleaning>, Error> {
        if self.findings.is_empty() {
            return Ok(Vec::new());
        }
        let lines = self.lines()?;
        let files = self.alive(Part::File);
        let names = self.alive(Part::FileName);
        let tags = self.tags();
        let mut cleanings = Vec::new();
        for Pushed {
            update,
            tags: on_the_way,
            commit,
        } in pushed
        {
            let line = commit.and_then(|tip| Some((tip, lines.get(&tip)?)));
            let in_files = files.contains(update.name.as_str());
            let in_names = names.contains(update.name.as_str());
            let line = line.filter(|(_, line)| line.own || line.older || in_files || in_names);
            let commits = line.map(|(tip, line)| self.commits(tip, line, in_files, in_names));
            let commits = commits.transpose()?;
            let tag_tells = on_the_way.iter().any(|tag| tags.contains(tag));
            if commits.is_some() || tag_tells {
                cleanings.push(Cleaning {
                    name: update.source.as_ref().unwrap_or(&update.name).clone(),
                    annotated: !on_the_way.is_empty(),
                    tag_tells,
                    commits,
                });
            }
        }
        Ok(cleanings)
    }

    fn commits(
        &self,
        tip: ObjectId,
        line: &Line,
        in_files: bool,
        in_names: bool,
    ) -> Result<Commits, Error> {
        // A file that another line brought too is told by that one's commit.
        let only_last = line.own && !line.older;
        let stays = only_last && line.spots.iter().any(|spot| spot.stays());
        let parts = stays.then(|| changes::commit(self.reader, tip));
        Ok(Commits {
            tip,
            base: line.base,
            only_last,
            in_files,
            in_names,
            spots: line.spots.clone(),
            parts: parts.transpose()?,
            count: line.count,
            merges: line.merges,
        })
    }

    /// All new commits, in one pass however many references lead to them.
    fn lines(&self) -> Result<HashMap<ObjectId, Line>, Error> {
        let soiled = self.soiled();
        let mut spots = self.spots()?;
        let mut lines: HashMap<ObjectId, Line> = HashMap::new();
        for id in self.fresh {
            let commit = changes::commit(self.reader, *id)?;
            let mut line = Line {
                own: soiled.contains(id),
                older: false,
                spots: spots.remove(id).unwrap_or_default(),
                base: commit.parents.first().copied(),
                count: 1,
                merges: commit.parents.len() > 1,
            };
            for (nth, parent) in commit.parents.iter().enumerate() {
                let Some(before) = lines.get(parent) else {
                    continue;
                };
                line.older |= before.own || before.older;
                line.spots.extend(&before.spots);
                if nth == 0 {
                    line.base = before.base;
                    line.count += before.count;
                    line.merges |= before.merges;
                }
            }
            lines.insert(*id, line);
        }
        Ok(lines)
    }

    /// The commits with a secret.
    fn soiled(&self) -> HashSet<ObjectId> {
        let told = self.findings.iter();
        let told = told.filter_map(|finding| finding.origin.git?.commit);
        let seen = self.carriers().flat_map(|carrier| &carrier.commits);
        told.chain(seen.copied()).collect()
    }

    /// Where commits have a secret in their own words.
    fn spots(&self) -> Result<HashMap<ObjectId, BTreeSet<Spot>>, Error> {
        // One message may hold thousands.
        let mut starts: HashMap<ObjectId, Vec<usize>> = HashMap::new();
        for (commit, start) in self.carriers().flat_map(|carrier| &carrier.said) {
            starts.entry(*commit).or_default().push(*start);
        }
        let mut words = Vec::new();
        let spots = starts.into_iter().map(|(commit, starts)| {
            let object = self.reader.read_as(commit, Kind::Commit)?;
            object::words(object.bytes(), &mut words);
            let headers = headers(&words, object::message(object.bytes()).len());
            let starts = starts.into_iter();
            let spots = starts.map(|start| Spot::of(&words, &headers, start));
            Ok((commit, spots.collect()))
        });
        spots.collect()
    }

    fn carriers(&self) -> impl Iterator<Item = &Carrier> {
        let findings = self.findings.iter();
        findings.filter_map(|finding| self.carriers.get(&finding.fingerprint))
    }

    /// The references that still have a secret in this part of a file.
    fn alive(&self, part: Part) -> HashSet<&str> {
        let findings = self.findings.iter();
        let files = findings.filter(|finding| finding.origin.part == part);
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

/// Where headers begin in a commit's words, which its message of so many bytes begins.
fn headers(words: &[u8], message: usize) -> Vec<usize> {
    let ends = memchr::memchr_iter(b'\n', &words[message..]);
    let starts = ends.map(|end| message + end + 1);
    // A line that begins with a space goes on with the header before.
    let begins = |start: &usize| words.get(*start).is_some_and(|byte| !b" \n".contains(byte));
    starts.filter(begins).collect()
}

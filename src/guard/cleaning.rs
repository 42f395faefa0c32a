//! How to clean the commits and tags that a push was to bring, reference by reference.

use std::collections::{BTreeSet, HashMap, HashSet};

use smallvec::SmallVec;

use super::receiving::Update;
use crate::error::Error;
use crate::finding::{Finding, Fingerprint};
use crate::git::Kind;
use crate::git::changes;
use crate::git::independent::independent;
use crate::git::object;
use crate::git::reader::Reader;
use crate::unit::{ObjectId, Part};

/// So many references at most are told how to clean.
const MOST: usize = 3;

/// How to clean the references of a push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleanings {
    /// In the order in which they are cleaned.
    pub told: Vec<Cleaning>,
    /// How many more there are.
    pub more: usize,
}

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
    /// The parents of the one that is made in their stead.
    pub parents: Vec<ObjectId>,
    /// Whether only the newest commit has to be made anew.
    pub only_last: bool,
    /// The files that still have a secret, masked, and whether the names of some have.
    pub files: Vec<String>,
    pub in_names: bool,
    /// Where else the commits have one.
    pub spots: BTreeSet<Spot>,
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

impl Cleanings {
    /// The names of references and files.
    pub fn names_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.told.iter_mut().flat_map(|cleaning| {
            let commits = cleaning.commits.iter_mut();
            let files = commits.flat_map(|commits| &mut commits.files);
            std::iter::once(&mut cleaning.name).chain(files)
        })
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
        !self.files.is_empty() || self.in_names
    }

    /// Whether the newest one is amended, and no other is made anew.
    pub fn is_amended(&self) -> bool {
        self.only_last && !self.spots.iter().any(|spot| spot.stays())
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
    /// The reference as the working copy calls it, where that is known.
    fn name(&self) -> &'u String {
        self.update.source.as_ref().unwrap_or(&self.update.name)
    }

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
    parents: SmallVec<[ObjectId; 2]>,
    /// The new commits on its main line.
    count: u32,
    /// Whether one of those is a merge.
    merges: bool,
}

/// All new commits.
type Lines = HashMap<ObjectId, Line>;

/// A reference that leads to a secret.
struct Found<'l> {
    pushed: &'l Pushed<'l>,
    tag_tells: bool,
    /// Its newest commit, where that or one before it has to be made anew.
    line: Option<(ObjectId, &'l Line)>,
}

impl Soiled<'_> {
    /// How to clean each reference that leads to something with a secret.
    pub fn cleanings(&self, pushed: &[Pushed<'_>]) -> Result<Cleanings, Error> {
        if self.findings.is_empty() {
            return Ok(Cleanings::default());
        }
        let lines = self.lines()?;
        let names = self.alive(Part::FileName);
        let mut found = self.found(pushed, &lines, &names);
        // A tag of the same commit follows its branch.
        found.sort_by_key(|found| !found.pushed.name().starts_with("refs/heads/"));
        let shown = match found.len() {
            all @ ..=MOST => all,
            _ => MOST - 1,
        };
        let told = found[..shown].iter().map(|found| Cleaning {
            name: found.pushed.name().clone(),
            annotated: !found.pushed.tags.is_empty(),
            tag_tells: found.tag_tells,
            commits: found.line.map(|(tip, line)| {
                let name = &*found.pushed.update.name;
                self.commits(tip, line, &lines, (name, names.contains(name)))
            }),
        });
        Ok(Cleanings {
            told: told.collect(),
            more: found.len() - shown,
        })
    }

    fn found<'l>(
        &self,
        pushed: &'l [Pushed<'l>],
        lines: &'l Lines,
        names: &HashSet<&str>,
    ) -> Vec<Found<'l>> {
        let files = self.alive(Part::File);
        let tags = self.tags();
        let found = pushed.iter().map(|pushed| {
            let name = pushed.update.name.as_str();
            // A file that another line brought too is told by that one's commit.
            let is_there = files.contains(name) || names.contains(name);
            let line = pushed.commit.and_then(|tip| Some((tip, lines.get(&tip)?)));
            Found {
                pushed,
                tag_tells: pushed.tags.iter().any(|tag| tags.contains(tag)),
                line: line.filter(|(_, line)| line.own || line.older || is_there),
            }
        });
        found
            .filter(|found| found.tag_tells || found.line.is_some())
            .collect()
    }

    fn commits(
        &self,
        tip: ObjectId,
        line: &Line,
        lines: &Lines,
        (name, in_names): (&str, bool),
    ) -> Commits {
        let only_last = line.own && !line.older;
        Commits {
            tip,
            parents: match only_last {
                true => line.parents.to_vec(),
                false => independent(self.reader, known(tip, lines)),
            },
            only_last,
            files: self.files(name),
            in_names,
            spots: line.spots.clone(),
            count: line.count,
            merges: line.merges,
        }
    }

    /// The files of a reference that still have a secret.
    fn files(&self, name: &str) -> Vec<String> {
        let findings = self.findings.iter();
        let files = findings.filter(|finding| {
            let trace = finding.trace.as_deref();
            finding.origin.part == Part::File
                && trace.is_some_and(|trace| trace.refs.iter().any(|other| other == name))
        });
        let paths: BTreeSet<&str> = files.map(|finding| &*finding.origin.path).collect();
        paths.into_iter().map(str::to_owned).collect()
    }

    /// All new commits, in one pass however many references lead to them.
    fn lines(&self) -> Result<Lines, Error> {
        let soiled = self.soiled();
        let mut spots = self.spots()?;
        let mut lines = Lines::new();
        for id in self.fresh {
            let commit = changes::commit(self.reader, *id)?;
            let mut line = Line {
                own: soiled.contains(id),
                older: false,
                spots: spots.remove(id).unwrap_or_default(),
                count: 1,
                merges: commit.parents.len() > 1,
                parents: commit.parents,
            };
            for (nth, parent) in line.parents.iter().enumerate() {
                let Some(before) = lines.get(parent) else {
                    continue;
                };
                line.older |= before.own || before.older;
                line.spots.extend(&before.spots);
                if nth == 0 {
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

/// The first commits on the ways from `tip` that are not new. All that others made is among them or before
/// them, whichever side of a merge it came in by. That of the main line comes first.
fn known(tip: ObjectId, lines: &Lines) -> Vec<ObjectId> {
    let mut seen = HashSet::new();
    let mut known = Vec::new();
    let mut open = vec![tip];
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        match lines.get(&id) {
            Some(line) => open.extend(line.parents.iter().rev()),
            None => known.push(id),
        }
    }
    known
}

/// Where headers begin in a commit's words, which its message of so many bytes begins.
fn headers(words: &[u8], message: usize) -> Vec<usize> {
    let ends = memchr::memchr_iter(b'\n', &words[message..]);
    let starts = ends.map(|end| message + end + 1);
    // A line that begins with a space goes on with the header before.
    let begins = |start: &usize| words.get(*start).is_some_and(|byte| !b" \n".contains(byte));
    starts.filter(begins).collect()
}

//! A finding: what was found, where, how bad, how sure, and how to show it safely.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::decode::{Layer, Role};
use crate::host::HostPlace;
use crate::judge::Proof;
use crate::judge::generic::model::Explanation;
use crate::rules::{Level, RuleRef, Severity};
use crate::secret::Secret;
use crate::span::Position;
use crate::unit::{ObjectId, Origin};

/// One secret in one place.
#[derive(Clone, Debug)]
pub struct Finding {
    pub rule: RuleRef,
    pub origin: Origin,
    /// The path as it is printed, without secrets.
    pub shown_path: Arc<str>,
    pub title: Cow<'static, str>,
    pub severity: Severity,
    pub confidence: Level,
    /// Why it is so sure and so bad. Never quotes the value.
    pub reasons: Vec<Cow<'static, str>>,
    pub proof: Option<Proof>,
    /// What the model of generic secrets added up, where it judged.
    pub explanation: Option<Explanation>,
    /// What whoever holds the secret can do.
    pub grants: Cow<'static, str>,
    /// How to revoke or replace it, most direct first.
    pub rotate: Cow<'static, [Cow<'static, str>]>,
    /// The name to which the value is assigned, where there is one.
    pub name: Option<Box<str>>,
    pub secret: Secret,
    /// The bytes of the file, more than one range when the secret is split there.
    pub bytes: SmallVec<[ByteRange; 1]>,
    pub start: Position,
    /// The column after the last character.
    pub end: Position,
    /// Columns of `start` and `end` in UTF-16 code units, as SARIF counts.
    pub utf16: (u32, u32),
    pub notebook: Option<NotebookPlace>,
    /// The encodings that hid it, outermost first.
    pub layers: SmallVec<[Layer; 2]>,
    /// In what kind of place it stands, and so what can be written in its stead.
    pub host: HostPlace,
    pub fingerprint: Fingerprint,
    pub frame: Frame,
    /// Who brought it into git when, and where it still is; `None` for a working tree.
    pub trace: Option<Box<Trace>>,
}

/// What a repository's history says of a secret in one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The commit that brought it in.
    pub first: Option<CommitNote>,
    /// The last commit that has it, in the order in which commits follow each other.
    pub last: Option<CommitNote>,
    /// Branches, tags and other references whose newest commit still has it, by full name.
    pub refs: Vec<String>,
    /// How many there are; of very many not all are listed.
    pub refs_total: u32,
    pub state: State,
    /// Findings of one report with the same number are the same secret; from 1.
    pub group: u32,
}

impl Trace {
    /// The commits that a report names.
    pub fn notes(&self) -> impl Iterator<Item = &CommitNote> {
        self.first.iter().chain(&self.last)
    }
}

/// A commit, as far as a report names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitNote {
    pub id: ObjectId,
    /// `Name <address>`, as the commit says.
    pub author: String,
    /// Seconds since 1970.
    pub time: i64,
}

/// How much of a repository still shows a secret, from the most to the least visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// The checked-out commit has it.
    Head,
    /// The newest commit of some reference has it.
    Ref,
    /// Only older commits have it.
    History,
    /// Nothing was seen to lead to it, and not all that may could be read.
    Unknown,
    /// Only the reflog leads to it; it is not pushed or cloned, and goes when git collects garbage.
    Reflog,
    /// Nothing leads to it.
    Dangling,
}

impl State {
    /// The word in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Ref => "ref",
            Self::History => "history",
            Self::Unknown => "unknown",
            Self::Reflog => "reflog",
            Self::Dangling => "dangling",
        }
    }
}

/// A half-open range of bytes of a file of any size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteRange {
    pub start: u64,
    pub end: u64,
}

/// Where in a notebook a finding stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotebookPlace {
    pub role: Role,
    /// 0-based over all cells; `None` in the notebook's own metadata.
    pub cell: Option<u32>,
    /// 0-based over the cell's outputs.
    pub output: Option<u32>,
    pub mime: Option<Box<str>>,
    /// 1-based line of the decoded source, output or value.
    pub line: u32,
}

/// Names a finding in baselines and approvals. Does not move with lines and does not tell the value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// Reads 32 hexadecimal digits.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digits: Option<Vec<u8>> = hex.chars().map(|c| Some(c.to_digit(16)? as u8)).collect();
        let digits = digits.filter(|digits| digits.len() == 32)?;
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair[0] * 16 + pair[1];
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// The decoded line around a finding. Everything secret in it is masked, neighbours included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    pub before: String,
    /// Stands for this finding's secret.
    pub mask: String,
    pub after: String,
}

impl Finding {
    /// The path to print. The one to read by, which may tell a secret, is the origin's.
    pub fn path(&self) -> &str {
        &self.shown_path
    }

    /// The first byte of the secret in the file.
    pub fn byte_start(&self) -> u64 {
        self.bytes.first().map_or(0, |range| range.start)
    }

    /// The byte after the last of the secret in the file.
    pub fn byte_end(&self) -> u64 {
        self.bytes.last().map_or(0, |range| range.end)
    }

    /// The order in which reports list findings.
    pub fn order(&self) -> (&str, u64, u64, &str) {
        (
            &self.origin.path,
            self.byte_start(),
            self.byte_end(),
            &self.rule.id,
        )
    }
}

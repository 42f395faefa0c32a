//! The audit log: one JSON line for every decision of a server's hook.
//!
//! The fields are those of a Log Analytics custom table; `docs/hooks.md` has the schema. No value
//! and no free text of the push goes in but masked.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::Serialize;

use super::ownership;
use super::push::Verdict;
use super::receiving::{Receiving, Update};
use crate::error::Error;
use crate::finding::Finding;
use crate::pipeline::{Sweep, mask_texts};
use crate::report::{human::printable, json};
use crate::secret::Secret;

/// One decision.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Record {
    pub time_generated: String,
    pub hook: &'static str,
    /// `accepted` or `refused`.
    pub decision: &'static str,
    /// `clean`, `secrets`, `approved`, `time` or `error`.
    pub cause: &'static str,
    pub exit_code: u8,
    pub server: &'static str,
    pub repository: String,
    pub user: String,
    pub protocol: String,
    pub references: Vec<Reference>,
    pub commits: usize,
    pub objects: usize,
    pub bytes: u64,
    pub known: usize,
    pub findings: Vec<Found>,
    pub approvals: Vec<Approved>,
    pub error: Option<String>,
    pub duration_ms: u64,
    pub version: &'static str,
    #[serde(skip)]
    values: Vec<Secret>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Reference {
    pub name: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Found {
    rule: String,
    severity: &'static str,
    confidence: &'static str,
    part: Option<&'static str>,
    path: String,
    line: u32,
    commit: Option<String>,
    fingerprint: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Approved {
    #[serde(flatten)]
    finding: Found,
    reason: String,
}

/// More findings than this do not go into one record.
const MOST: usize = 100;

impl Record {
    /// What is known of a push before it is judged.
    pub fn begin(hook: &'static str, receiving: &Receiving, now: i64) -> Self {
        let repository = if receiving.pusher.repository.is_empty() {
            let path = &receiving.git_dir;
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            path.to_string_lossy().into_owned()
        } else {
            receiving.pusher.repository.clone()
        };
        Self {
            time_generated: json::date(now),
            hook,
            decision: "refused",
            cause: "error",
            exit_code: 2,
            server: receiving.pusher.server.name(),
            repository,
            user: receiving.pusher.user.clone(),
            protocol: receiving.pusher.protocol.clone(),
            references: Vec::new(),
            commits: 0,
            objects: 0,
            bytes: 0,
            known: 0,
            findings: Vec::new(),
            approvals: Vec::new(),
            error: None,
            duration_ms: 0,
            version: env!("CARGO_PKG_VERSION"),
            values: Vec::new(),
        }
    }

    /// Adds the references.
    pub fn add_updates(&mut self, updates: &[Update]) {
        let reference = |update: &Update| Reference {
            name: update.name.clone(),
            old: update.old.map(|id| id.to_string()),
            new: update.new.map(|id| id.to_string()),
        };
        self.references = updates.iter().map(reference).collect();
    }

    /// Adds what came of it.
    pub fn add_verdict(&mut self, verdict: &Verdict) {
        self.commits = verdict.commits;
        self.objects = verdict.objects;
        self.bytes = verdict.ledger.bytes;
        self.known = verdict.known;
        self.values.clone_from(&verdict.values);
        self.findings = verdict.findings.iter().take(MOST).map(found).collect();
        let approved = verdict.approved.iter().take(MOST);
        self.approvals = approved
            .map(|(finding, approval)| Approved {
                finding: found(finding),
                reason: printable(&approval.reason),
            })
            .collect();
    }

    /// Makes what others chose, or errors say of it, safe to print. What was found, and why it was
    /// approved, a verdict gives so.
    pub fn hide(&mut self, sweep: &Sweep) {
        let references = self.references.iter_mut();
        let names = references.map(|reference| &mut reference.name);
        let mut chosen: Vec<&mut String> = names.chain(&mut self.error).collect();
        mask_texts(
            sweep,
            &self.values,
            chosen.iter_mut().map(|text| &mut **text),
        );
        let mut said = [&mut self.repository, &mut self.user, &mut self.protocol];
        // By no value of the push: whoever brings their own name in one would be nobody in the log.
        mask_texts(sweep, &[], said.iter_mut().map(|text| &mut **text));
        for text in chosen.into_iter().chain(said) {
            *text = printable(text);
        }
    }

    /// Appends the record to the log.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub fn append(&self, log: &Path) -> Result<(), Error> {
        let mut line = serde_json::to_vec(self).map_err(|error| Error::io(log, error.into()))?;
        line.push(b'\n');
        if ends_within_a_line(log) {
            line.insert(0, b'\n');
        }
        open(log)
            .and_then(|file| write(file, &line))
            .map_err(|error| Error::io(log, error))
    }
}

/// Opens the log for appending.
fn open(log: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let opened = options.append(true).open(log);
    if !matches!(&opened, Err(error) if error.kind() == io::ErrorKind::NotFound) {
        return opened;
    }
    match options.clone().create_new(true).open(log) {
        Ok(file) => {
            ownership::share_log(&file, log)?;
            Ok(file)
        }
        // Another push was faster, or it is a link to what is not there yet.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            options.create(true).open(log)
        }
        Err(error) => Err(error),
    }
}

/// In one write, so that records of two pushes do not mix. One that only a part of has room is taken
/// back, unless another push has written behind it.
fn write(mut log: File, line: &[u8]) -> io::Result<()> {
    let written = log.write(line)?;
    if written == line.len() {
        return Ok(());
    }
    let end = log.stream_position()?;
    if log.metadata()?.len() == end {
        log.set_len(end - written as u64)?;
    }
    let kind = io::ErrorKind::StorageFull;
    Err(io::Error::new(kind, "no room for the whole record"))
}

/// Whether somebody left a record there without its end. Who may only append cannot know.
fn ends_within_a_line(log: &Path) -> bool {
    // Opening a pipe would wait for who writes to it.
    if !log.is_file() {
        return false;
    }
    let mut last = [b'\n'];
    let read = File::open(log).and_then(|mut log| {
        log.seek(SeekFrom::End(-1))?;
        log.read_exact(&mut last)
    });
    read.is_ok() && last != [b'\n']
}

fn found(finding: &Finding) -> Found {
    let git = finding.origin.git;
    Found {
        rule: finding.rule.id.to_string(),
        severity: finding.severity.name(),
        confidence: finding.confidence.name(),
        part: git.map(|_| finding.origin.part.name()),
        path: printable(finding.path()),
        line: finding.start.line,
        commit: git.and_then(|git| git.commit).map(|id| id.to_string()),
        fingerprint: finding.fingerprint.to_string(),
    }
}

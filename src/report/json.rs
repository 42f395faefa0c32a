//! JSON: one document, or one finding a line. The shape is described in `docs/json.md`.

use std::io::{self, Write};

use rayon::prelude::*;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Style;
use crate::advise::{self, Advice, Way};
use crate::finding::Finding;
use crate::judge::generic::features::Feature;
use crate::judge::generic::model::Explanation;
use crate::ledger::{Ledger, LeftOut, Reason};
use crate::pipeline::Outcome;

/// Findings of which the text is in memory together.
const TOGETHER: usize = 1 << 10;

/// One finding as JSON says it. Field names are stable.
#[derive(Serialize)]
struct FindingJson<'f> {
    rule: &'f str,
    title: &'f str,
    severity: &'static str,
    confidence: &'static str,
    reasons: &'f [std::borrow::Cow<'static, str>],
    proof: Option<ProofJson<'f>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<ExplanationJson>,
    path: &'f str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    byte_start: u64,
    byte_end: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    spans: Option<Vec<[u64; 2]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cell_line: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    encoding: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'static str>,
    #[serde(flatten)]
    git: Option<GitJson<'f>>,
    fingerprint: String,
    masked: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    grants: &'f str,
    advice: AdviceJson,
}

/// Where in a repository it is, and since when.
#[derive(Serialize)]
struct GitJson<'f> {
    /// The commit that brought it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refs: Option<&'f [String]>,
    /// The same number for the same secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<u32>,
}

impl<'f> GitJson<'f> {
    fn of(finding: &'f Finding) -> Option<Self> {
        let git = finding.origin.git?;
        let trace = finding.trace.as_deref();
        let first = trace.and_then(|trace| trace.first.as_ref());
        let last = trace.and_then(|trace| trace.last.as_ref());
        Some(Self {
            commit: git.commit.map(|id| id.to_string()),
            blob: finding.origin.is_file().then(|| git.object.to_string()),
            author: first.map(|commit| &*commit.author),
            date: first.map(|commit| date(commit.time)),
            last_commit: last.map(|commit| commit.id.to_string()),
            last_date: last.map(|commit| date(commit.time)),
            state: trace.map(|trace| trace.state.name()),
            refs: trace.map(|trace| &*trace.refs),
            group: trace.map(|trace| trace.group).filter(|group| *group > 0),
        })
    }
}

/// A time as RFC 3339 writes it, in UTC.
pub(crate) fn date(time: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(time).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&Rfc3339).unwrap_or_default()
}

#[derive(Serialize)]
struct ProofJson<'f> {
    kind: &'static str,
    detail: &'f str,
}

/// What a generic secret's score is made of.
#[derive(Serialize)]
struct ExplanationJson {
    score: f32,
    parts: Vec<PartJson>,
}

#[derive(Serialize)]
struct PartJson {
    feature: &'static str,
    says: &'static str,
    added: f32,
}

impl From<&Explanation> for ExplanationJson {
    fn from(explanation: &Explanation) -> Self {
        let part = |(feature, added): &(Feature, f32)| PartJson {
            feature: feature.name(),
            says: feature.words(),
            added: *added,
        };
        Self {
            score: explanation.score,
            parts: explanation.parts.iter().map(part).collect(),
        }
    }
}

#[derive(Serialize)]
struct AdviceJson {
    rotate: Vec<String>,
    vault_name: String,
    reference: String,
    language: &'static str,
    context: &'static str,
    host: &'static str,
    verdict: &'static str,
    ways: Vec<WayJson>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also: Vec<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    breaks: std::borrow::Cow<'static, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    why: &'static str,
}

#[derive(Serialize)]
struct WayJson {
    kind: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<std::borrow::Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<std::borrow::Cow<'static, str>>,
}

impl From<Way> for WayJson {
    fn from(way: Way) -> Self {
        let (role, scope) = way.role.map(|role| (role.name, role.scope)).unzip();
        Self {
            kind: way.kind.name(),
            text: way.text,
            role,
            scope,
        }
    }
}

impl From<Advice> for AdviceJson {
    fn from(advice: Advice) -> Self {
        Self {
            rotate: advice.rotate,
            vault_name: advice.vault_name,
            reference: advice.reference,
            language: advice.language,
            context: advice.context.id,
            host: advice.context.title,
            verdict: advice.context.verdict.name(),
            ways: advice.ways.into_iter().map(WayJson::from).collect(),
            also: advice.also,
            breaks: advice.breaks,
            why: advice.why,
        }
    }
}

fn finding_json<'f>(finding: &'f Finding, style: &Style) -> FindingJson<'f> {
    let notebook = finding.notebook.as_ref();
    let split = finding.bytes.len() > 1;
    FindingJson {
        rule: &finding.rule.id,
        title: &finding.title,
        severity: finding.severity.name(),
        confidence: finding.confidence.name(),
        reasons: &finding.reasons,
        proof: finding.proof.as_ref().map(|proof| ProofJson {
            kind: proof.kind.name(),
            detail: &proof.detail,
        }),
        explanation: finding
            .explanation
            .as_ref()
            .filter(|_| style.explain)
            .map(Into::into),
        path: finding.path(),
        line: finding.start.line,
        column: finding.start.column,
        end_line: finding.end.line,
        end_column: finding.end.column,
        byte_start: finding.byte_start(),
        byte_end: finding.byte_end(),
        spans: split.then(|| finding.bytes.iter().map(|b| [b.start, b.end]).collect()),
        cell: notebook.and_then(|n| n.cell),
        output: notebook.and_then(|n| n.output),
        mime: notebook.and_then(|n| n.mime.as_deref()),
        cell_line: notebook.map(|n| n.line),
        encoding: finding.layers.iter().map(|layer| layer.name()).collect(),
        name: finding.name.as_deref(),
        part: (!is_plain(finding)).then(|| finding.origin.part.name()),
        git: GitJson::of(finding),
        fingerprint: finding.fingerprint.to_string(),
        masked: finding.secret.masked(),
        secret: style.show_secrets.then(|| finding.secret.expose_text()),
        grants: &finding.grants,
        advice: advise::advise(finding).into(),
    }
}

/// Whether a finding is in a file of a working tree, which is what findings are in unless they say it.
fn is_plain(finding: &Finding) -> bool {
    finding.origin.git.is_none() && finding.origin.is_file()
}

/// What was read and what was not.
#[derive(Serialize)]
struct CoverageJson<'l> {
    complete: bool,
    files: u64,
    bytes: u64,
    /// Git objects looked at, and how many of them are commits.
    #[serde(skip_serializing_if = "is_zero")]
    objects: u64,
    #[serde(skip_serializing_if = "is_zero")]
    commits: u64,
    notebooks: u64,
    windowed: u64,
    left_out: std::collections::BTreeMap<&'static str, Vec<LeftOutJson<'l>>>,
    notes: Vec<LeftOutJson<'l>>,
}

#[derive(Serialize)]
struct LeftOutJson<'l> {
    path: &'l str,
    detail: &'l str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn entries(list: &[LeftOut]) -> Vec<LeftOutJson<'_>> {
    list.iter()
        .map(|entry| LeftOutJson {
            path: &entry.path,
            detail: &entry.detail,
        })
        .collect()
}

fn coverage_json(ledger: &Ledger) -> CoverageJson<'_> {
    CoverageJson {
        complete: ledger.is_complete(),
        files: ledger.files,
        bytes: ledger.bytes,
        objects: ledger.objects,
        commits: ledger.commits,
        notebooks: ledger.notebooks,
        windowed: ledger.windowed,
        left_out: Reason::ALL
            .iter()
            .map(|reason| (reason.name(), entries(ledger.left_out(*reason))))
            .collect(),
        notes: entries(ledger.notes()),
    }
}

/// Writes `{"version", "findings", "coverage"}`.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(outcome: &Outcome, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"version\":1,\"findings\":[")?;
    let mut findings = outcome.findings.iter();
    if let Some(first) = findings.next() {
        writeln!(out)?;
        serde_json::to_writer(&mut *out, &finding_json(first, style))?;
    }
    write_each(findings.as_slice(), style, out, |json| format!(",\n{json}"))?;
    write!(out, "\n],\n\"coverage\":")?;
    serde_json::to_writer(&mut *out, &coverage_json(&outcome.ledger))?;
    writeln!(out, "}}")
}

/// Writes one finding a line.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_lines(outcome: &Outcome, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    write_each(&outcome.findings, style, out, |json| format!("{json}\n"))
}

/// Writes findings, each as `entry` has it: many at once, as there may be a hundred thousand of them, and
/// not all, as they take several times as much memory then.
fn write_each(
    findings: &[Finding],
    style: &Style,
    out: &mut dyn Write,
    entry: impl Fn(String) -> String + Sync,
) -> io::Result<()> {
    for findings in findings.chunks(TOGETHER) {
        let json = |finding| serde_json::to_string(&finding_json(finding, style)).map(&entry);
        let texts: Vec<_> = findings.par_iter().with_min_len(32).map(json).collect();
        for text in texts {
            out.write_all(text?.as_bytes())?;
        }
    }
    Ok(())
}

//! GitLab's `gl-secret-detection-report.json`, version 15 of its schema.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Style;
use crate::finding::Finding;
use crate::ledger::Reason;
use crate::pipeline::Outcome;
use crate::rules::Severity;

/// The file's name, by which GitLab's own template collects it.
pub const FILE: &str = "gl-secret-detection-report.json";

/// Writes the report.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(outcome: &Outcome, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let tool = json!({
        "id": "keysweep",
        "name": "keysweep",
        "version": env!("CARGO_PKG_VERSION"),
        "vendor": { "name": "keysweep" },
    });
    let complete = outcome.ledger.is_complete();
    let messages: Vec<Value> = Reason::ALL
        .iter()
        .filter(|reason| reason.is_failure())
        .flat_map(|reason| outcome.ledger.left_out(*reason))
        .map(|entry| json!({ "level": "warn", "value": format!("{}: {}", entry.path, entry.detail) }))
        .collect();
    let report = Report {
        scan: json!({
            "analyzer": tool,
            "scanner": tool,
            "type": "secret_detection",
            "start_time": time(style.started),
            "end_time": time(style.ended),
            "status": if complete { "success" } else { "failure" },
            "messages": messages,
        }),
        version: "15.0.0",
        vulnerabilities: Vulnerabilities {
            findings: &outcome.findings,
            style,
        },
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Report<'r> {
    scan: Value,
    version: &'static str,
    vulnerabilities: Vulnerabilities<'r>,
}

/// All findings, each made when it is written: what is made of them takes several times their memory.
struct Vulnerabilities<'r> {
    findings: &'r [Finding],
    style: &'r Style,
}

impl Serialize for Vulnerabilities<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut occurrences = BTreeMap::new();
        serializer.collect_seq(self.findings.iter().map(|finding| {
            let count = occurrences.entry(finding.fingerprint).or_insert(0_u32);
            *count += 1;
            vulnerability(finding, *count, self.style)
        }))
    }
}

fn vulnerability(finding: &Finding, occurrence: u32, style: &Style) -> Value {
    let fingerprint = finding.fingerprint.to_string();
    let rule = &*finding.rule.id;
    let (line, end) = (finding.start.line, finding.end.line);
    // The schema's longest.
    let name: String = finding.title.chars().take(255).collect();
    json!({
        "id": uuid(&fingerprint, occurrence),
        "name": name,
        "description": super::sentence(finding),
        "severity": severity(finding.severity),
        "solution": finding.rotate.first(),
        "identifiers": [{
            "type": "keysweep_rule_id",
            "name": format!("keysweep rule {rule}"),
            "value": rule,
        }],
        "location": {
            "file": finding.path(),
            "start_line": line,
            "end_line": end,
            "commit": commit(finding, style),
        },
        "tracking": { "type": "source", "items": [{
            "file": finding.path(),
            "start_line": line,
            "end_line": end,
            "signatures": [{ "algorithm": "scope_offset", "value": fingerprint }],
        }]},
    })
}

/// The commit that brought it in; for what is in none, that of the run.
fn commit(finding: &Finding, style: &Style) -> Value {
    let first = finding
        .trace
        .as_deref()
        .and_then(|trace| trace.first.as_ref());
    match first {
        Some(note) => json!({
            "sha": note.id.to_string(),
            "author": note.author,
            "date": super::json::date(note.time),
        }),
        None => json!({ "sha": style.commit.clone().unwrap_or_else(|| "0".repeat(40)) }),
    }
}

/// Stable between pipelines, and another one for another place of the same secret.
fn uuid(fingerprint: &str, occurrence: u32) -> String {
    format!(
        "{}-{}-8{}-8{}-{}{occurrence:08x}",
        &fingerprint[..8],
        &fingerprint[8..12],
        &fingerprint[12..15],
        &fingerprint[15..18],
        &fingerprint[18..22],
    )
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Info => "Info",
    }
}

/// As the schema wants it: UTC, without zone or fraction.
fn time(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, hour, minute, second) = (time.date(), time.hour(), time.minute(), time.second());
    format!("{date}T{hour:02}:{minute:02}:{second:02}")
}

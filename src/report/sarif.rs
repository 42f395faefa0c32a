//! SARIF 2.1.0, as GitHub code scanning and Azure DevOps read it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::Style;
use crate::finding::Finding;
use crate::ledger::{LeftOut, Reason};
use crate::pipeline::Outcome;
use crate::rules::{Kind, Level, RuleDef, RuleSet, Severity};

/// GitHub refuses a file with more results than this.
const MOST_RESULTS: usize = 25_000;
/// GitHub refuses longer descriptions; in characters.
const LONGEST_TEXT: usize = 1024;
/// Notifications of one kind; the rest is said in a number.
const MOST_NOTES: usize = 1000;

#[derive(Serialize)]
struct Report<'r> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'r>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'r> {
    tool: Value,
    column_kind: &'static str,
    automation_details: Value,
    invocations: [Value; 1],
    results: Results<'r>,
}

/// Writes results one by one: a report may be larger than all that it tells of.
struct Results<'r> {
    findings: &'r [&'r Finding],
    /// The how many-eth of its fingerprint each finding is, from 1.
    occurrences: Vec<usize>,
    /// Places of rules in the list of rules.
    rules: BTreeMap<&'r str, usize>,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counted = self.findings.iter().zip(&self.occurrences);
        serializer.collect_seq(counted.map(|(finding, count)| {
            let rule = self.rules.get(&*finding.rule.id).copied();
            result(finding, rule, *count)
        }))
    }
}

/// Writes one run. When there are more findings than readers take, the gravest stay and a
/// notification says so.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(
    outcome: &Outcome,
    rules: &RuleSet,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let findings = gravest(&outcome.findings);
    let cut = outcome.findings.len() - findings.len();
    let used: BTreeSet<&str> = findings.iter().map(|f| &*f.rule.id).collect();
    let described: Vec<&RuleDef> = rules.iter().filter(|r| used.contains(&*r.id)).collect();
    let places = described.iter().enumerate();
    let report = Report {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: json!({ "driver": {
                "name": "keysweep",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": described.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
                "notifications": notification_kinds(),
            }}),
            column_kind: "utf16CodeUnits",
            automation_details: json!({ "id": format!("keysweep/{}/", style.command) }),
            invocations: [json!({
                "executionSuccessful": outcome.ledger.is_complete(),
                "toolExecutionNotifications": notifications(outcome, cut),
            })],
            results: Results {
                occurrences: occurrences(&findings),
                rules: places.map(|(place, rule)| (&*rule.id, place)).collect(),
                findings: &findings,
            },
        }],
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

/// As many findings as readers take, in their order.
fn gravest(findings: &[Finding]) -> Vec<&Finding> {
    let mut kept: Vec<(usize, &Finding)> = findings.iter().enumerate().collect();
    if kept.len() > MOST_RESULTS {
        kept.sort_by_key(|(_, finding)| Reverse((finding.severity, finding.confidence)));
        kept.truncate(MOST_RESULTS);
        kept.sort_by_key(|(place, _)| *place);
    }
    kept.into_iter().map(|(_, finding)| finding).collect()
}

fn occurrences(findings: &[&Finding]) -> Vec<usize> {
    let mut seen = BTreeMap::new();
    let count = |finding: &&Finding| {
        let count = seen.entry(finding.fingerprint).or_insert(0);
        *count += 1;
        *count
    };
    findings.iter().map(count).collect()
}

fn descriptor(rule: &RuleDef) -> Value {
    let rotate = rule.rotate.join("\n");
    let mut descriptor = json!({
        "id": rule.id,
        "name": rule.id,
        "shortDescription": { "text": clip(&rule.title) },
        "fullDescription": { "text": clip(&format!("{}. Opens: {}.", rule.title, rule.grants)) },
        "help": {
            "text": format!("Rotate it:\n{rotate}"),
            "markdown": format!("Rotate it:\n\n```\n{rotate}\n```"),
        },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": {
            "tags": ["security", "external/cwe/cwe-798", "secret"],
            "precision": precision(rule),
            "security-severity": score(rule.severity),
        },
    });
    if let Some(reference) = rule.references.first() {
        descriptor["helpUri"] = json!(reference);
    }
    descriptor
}

/// The start of a description, no longer than readers take.
fn clip(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn precision(rule: &RuleDef) -> &'static str {
    match (rule.kind, rule.confidence) {
        (Kind::Anchored | Kind::Structured, Level::High) => "very-high",
        (_, Level::High) => "high",
        (_, Level::Medium) => "medium",
        (_, Level::Low) => "low",
    }
}

/// On the scale by which GitHub sorts security alerts.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "1.0",
    }
}

fn result(finding: &Finding, rule: Option<usize>, occurrence: usize) -> Value {
    let fingerprint = finding.fingerprint.to_string();
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(finding.path()) },
            "region": {
                "startLine": finding.start.line,
                "startColumn": finding.utf16.0,
                "endLine": finding.end.line,
                "endColumn": finding.utf16.1.max(1),
            },
        },
    });
    if let Some(place) = &finding.notebook {
        let cell = place
            .cell
            .map_or("metadata".to_owned(), |cell| format!("cell {cell}"));
        let output = place
            .output
            .map_or(String::new(), |output| format!(" output {output}"));
        location["logicalLocations"] = json!([{
            "fullyQualifiedName": format!("{cell}{output} line {}", place.line),
            "kind": "member",
        }]);
    }
    let mut result = json!({
        "ruleId": finding.rule.id,
        "level": level(finding.severity),
        "message": { "text": super::sentence(finding) },
        "locations": [location],
        "partialFingerprints": {
            "primaryLocationLineHash": format!("{}:{occurrence}", &fingerprint[..16]),
            "keysweep/v1": fingerprint,
        },
        "properties": {
            "severity": finding.severity.name(),
            "confidence": finding.confidence.name(),
            "security-severity": score(finding.severity),
        },
    });
    if let Some(trace) = &finding.trace {
        result["properties"]["state"] = json!(trace.state.name());
        let commit = trace.first.as_ref().map(|note| note.id.to_string());
        result["properties"]["commit"] = json!(commit);
    }
    if let Some(rule) = rule {
        result["ruleIndex"] = json!(rule);
    }
    result
}

/// A path as a URI: a relative one stays relative, to whatever the scan started in.
fn uri(path: &str) -> String {
    let drive = matches!(path.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic());
    let mut uri = match (path.starts_with('/'), drive) {
        (true, _) => "file://".to_owned(),
        (_, true) => "file:///".to_owned(),
        _ => String::new(),
    };
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte as char);
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

/// What the notifications are about.
const CUT: &str = "results-cut";
const NOTED: &str = "read-in-another-way";

fn left_out(reason: Reason) -> String {
    format!("left-out-{}", reason.name().replace('_', "-"))
}

fn notification_kinds() -> Vec<Value> {
    let reasons = Reason::ALL.iter().map(|reason| left_out(*reason));
    let ids = reasons.chain([CUT.to_owned(), NOTED.to_owned()]);
    ids.map(|id| json!({ "id": id })).collect()
}

fn notification(kind: &str, level: &str, text: &str) -> Value {
    json!({ "descriptor": { "id": kind }, "level": level, "message": { "text": text } })
}

fn notifications(outcome: &Outcome, cut: usize) -> Vec<Value> {
    let mut list = Vec::new();
    if cut > 0 {
        let text = format!("{cut} findings, the least grave, are left out of this file");
        list.push(notification(CUT, "warning", &text));
    }
    for reason in Reason::ALL {
        let level = if reason.is_failure() { "error" } else { "note" };
        files(
            &left_out(reason),
            level,
            outcome.ledger.left_out(reason),
            &mut list,
        );
    }
    files(NOTED, "note", outcome.ledger.notes(), &mut list);
    list
}

/// A notification for each file of a kind, or for as many as are of use to anybody.
fn files(kind: &str, level: &str, entries: &[LeftOut], list: &mut Vec<Value>) {
    for entry in entries.iter().take(MOST_NOTES) {
        let text = format!("{}: {}", entry.path, entry.detail);
        let mut note = notification(kind, level, &text);
        note["locations"] = json!([{
            "physicalLocation": { "artifactLocation": { "uri": uri(&entry.path) } },
        }]);
        list.push(note);
    }
    let more = entries.len().saturating_sub(MOST_NOTES);
    if more > 0 {
        list.push(notification(kind, level, &format!("and {more} more files")));
    }
}

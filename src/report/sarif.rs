//! SARIF 2.1.0, as GitHub code scanning and Azure DevOps read it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::finding::Finding;
use crate::ledger::Reason;
use crate::pipeline::Outcome;
use crate::rules::{Kind, Level, RuleDef, RuleSet, Severity};

/// GitHub refuses a file with more results than this.
const MOST_RESULTS: usize = 25_000;

/// Writes one run. When there are more findings than readers take, the gravest stay and a
/// notification says so.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(outcome: &Outcome, rules: &RuleSet, out: &mut dyn Write) -> io::Result<()> {
    let mut findings: Vec<&Finding> = outcome.findings.iter().collect();
    let cut = findings.len().saturating_sub(MOST_RESULTS);
    if cut > 0 {
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings.truncate(MOST_RESULTS);
    }
    let mut indices = BTreeMap::new();
    let mut descriptors = Vec::new();
    for rule in rules.iter() {
        if findings.iter().any(|f| f.rule.id == rule.id) {
            indices.insert(rule.id.to_string(), descriptors.len());
            descriptors.push(descriptor(rule));
        }
    }
    let mut occurrences = BTreeMap::new();
    let results: Vec<Value> = findings
        .iter()
        .map(|finding| result(finding, &indices, &mut occurrences))
        .collect();
    let report = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "keysweep",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": descriptors,
            }},
            "columnKind": "utf16CodeUnits",
            "automationDetails": { "id": "keysweep/scan/" },
            "invocations": [{
                "executionSuccessful": outcome.ledger.is_complete(),
                "toolExecutionNotifications": notifications(outcome, cut),
            }],
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

fn descriptor(rule: &RuleDef) -> Value {
    let rotate = rule.rotate.join("\n");
    let mut descriptor = json!({
        "id": rule.id,
        "name": rule.id,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": format!("{}. Whoever holds it has {}.", rule.title, rule.grants) },
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

fn result(
    finding: &Finding,
    indices: &BTreeMap<String, usize>,
    occurrences: &mut BTreeMap<String, usize>,
) -> Value {
    let fingerprint = finding.fingerprint.to_string();
    let count = occurrences.entry(fingerprint.clone()).or_insert(0);
    *count += 1;
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
    json!({
        "ruleId": finding.rule.id,
        "ruleIndex": indices.get(&*finding.rule.id),
        "level": level(finding.severity),
        "message": { "text": super::sentence(finding) },
        "locations": [location],
        "partialFingerprints": {
            "primaryLocationLineHash": format!("{}:{count}", &fingerprint[..16]),
            "keysweep/v1": fingerprint,
        },
        "properties": {
            "severity": finding.severity.name(),
            "confidence": finding.confidence.name(),
            "security-severity": score(finding.severity),
        },
    })
}

/// A relative path as a URI.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.trim_start_matches('/').bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte as char);
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

fn notifications(outcome: &Outcome, cut: usize) -> Vec<Value> {
    let note = |level: &str, text: String| json!({ "level": level, "message": { "text": text } });
    let mut list = Vec::new();
    if cut > 0 {
        list.push(note(
            "warning",
            format!("{cut} less grave findings are left out of this file"),
        ));
    }
    for reason in Reason::ALL {
        let level = if reason.is_failure() { "error" } else { "note" };
        for entry in outcome.ledger.left_out(reason).iter().take(1000) {
            list.push(note(
                level,
                format!("left out {}: {}", entry.path, entry.detail),
            ));
        }
    }
    for entry in outcome.ledger.notes().iter().take(1000) {
        list.push(note("note", format!("{}: {}", entry.path, entry.detail)));
    }
    list
}

//! Findings into text. Pure: findings and a ledger in, bytes out.
//!
//! Nothing here can print a secret but the field `secret` of the JSON forms, and that only when
//! [`Style::show_secrets`] is set.

pub mod azure;
mod escaped;
pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
pub mod sarif;

use std::io::{self, Write};

use escaped::Escaped;

use crate::finding::{Finding, State};
use crate::pipeline::Outcome;
use crate::rules::RuleSet;
use crate::unit::Part;

/// How to write a report.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// The one door through which secrets can be seen.
    pub show_secrets: bool,
    pub colour: bool,
    /// Columns that the human report keeps to; without it lines are as long as they are.
    pub width: Option<usize>,
    /// When the run began and ended, in seconds since 1970.
    pub started: i64,
    pub ended: i64,
    /// The command that reports, which readers of SARIF keep apart by it.
    pub command: &'static str,
    /// The commit the run is about, for findings that name none.
    pub commit: Option<String>,
    /// Say what each feature added to the score of a generic secret.
    pub explain: bool,
}

/// The forms a report can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Human,
    Json,
    Jsonl,
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
    /// Logging commands of Azure Pipelines.
    Azure,
    /// GitLab's secret detection report.
    Gitlab,
}

/// Writes a whole report.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(
    format: Format,
    outcome: &Outcome,
    rules: &RuleSet,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Human => human::write(outcome, style, out),
        Format::Json => json::write(outcome, style, &mut Escaped::new(out)),
        Format::Jsonl => json::write_lines(outcome, style, &mut Escaped::new(out)),
        Format::Sarif => sarif::write(outcome, rules, style, &mut Escaped::new(out)),
        Format::Github => github::write(outcome, out),
        Format::Azure => azure::write(outcome, out),
        Format::Gitlab => gitlab::write(outcome, style, &mut Escaped::new(out)),
    }
}

/// What is said when nothing was found.
fn none_found(outcome: &Outcome) -> &'static str {
    if outcome.ledger.is_complete() {
        "no new secrets"
    } else {
        "no new secrets in what could be read"
    }
}

/// Whether only older commits have it.
fn is_past(finding: &Finding) -> bool {
    let trace = finding.trace.as_ref();
    trace.is_some_and(|trace| trace.state == State::History)
}

/// A finding in a few words, for readers that show one line of text.
fn sentence(finding: &Finding) -> String {
    let place = match finding.notebook.as_ref().and_then(|n| n.cell) {
        _ if finding.origin.part == Part::FileName => format!(" in the name {}", finding.path()),
        Some(cell) => format!(" in cell {cell}"),
        None => String::new(),
    };
    let commit = match finding.origin.git.and_then(|git| git.commit) {
        // The line is that of an older file.
        Some(id) if is_past(finding) => {
            format!(" in commit {}, no longer in the newest", id.short())
        }
        Some(id) => format!(" since commit {}", id.short()),
        None => String::new(),
    };
    let rotate = finding.rotate.first().map_or("", |step| &**step);
    format!(
        "{} ({}){place}{commit}. Opens: {}. Rotate: {rotate}",
        finding.title,
        finding.secret.masked(),
        finding.grants
    )
}

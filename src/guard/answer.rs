//! What the person who pushes reads: fewer than fifteen lines that say where, what instead, and
//! with which commands to clean the commits that were not pushed.

use super::commands::commands;
use super::push::Verdict;
use super::receiving::ALLOW;
use crate::advise;
use crate::finding::Finding;
use crate::ledger::Ledger;
use crate::report::human::printable;
use crate::unit::Part;

/// So many findings are told at most, in two lines each.
const MOST: usize = 3;
/// An answer has no more lines than this.
const LINES: usize = 14;

/// How to end: what the policy and the place allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner<'m> {
    /// Whether a server has received what is refused.
    pub sent: bool,
    pub approvals: Approvals,
    /// Whom to ask.
    pub contact: Option<&'m str>,
}

/// Whether a push option can approve a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Approvals {
    #[default]
    None,
    Offered,
    /// One was given, and does not count for this reason.
    Void(&'static str),
}

/// The lines that refuse what a hook named `what`, such as `push`, brings.
pub fn refusal(what: &str, verdict: &Verdict, manner: Manner<'_>) -> Vec<String> {
    let count = verdict.findings.len();
    let secrets = if count == 1 { "a secret" } else { "secrets" };
    let mut end = vec![
        if manner.sent {
            "Rotate each that is real, it has left your machine. Then, to push again:"
        } else {
            "Nothing has been sent. To take it out of the commits first:"
        }
        .to_owned(),
    ];
    end.extend(mend(verdict));
    end.extend(approval(verdict, manner.approvals));
    end.extend(manner.contact.map(printable));
    // The first line, and that about those not told.
    let room = LINES.saturating_sub(end.len() + 2) / 2;
    let told_of = MOST.min(room);
    let mut lines = vec![format!(
        "keysweep: {what} refused, it brings {secrets} ({count} found)"
    )];
    for finding in verdict.findings.iter().take(told_of) {
        lines.extend(told(finding));
    }
    if count > told_of {
        lines.push(format!("  and {} more", count - told_of));
    }
    lines.extend(end);
    lines
}

fn approval(verdict: &Verdict, approvals: Approvals) -> Option<String> {
    let finding = verdict.findings.first()?;
    match approvals {
        Approvals::None => None,
        Approvals::Offered => Some(format!(
            "No secret? git push -o '{ALLOW}{}:REASON' (is logged)",
            finding.fingerprint
        )),
        Approvals::Void(why) => Some(format!("Your {ALLOW}... does not count: {why}")),
    }
}

/// A word about what was read all the same, the first where there are several.
pub fn note(ledger: &Ledger) -> Option<String> {
    let (first, others) = ledger.notes().split_first()?;
    let more = match others.len() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Some(printable(&format!(
        "keysweep: {}{more}: {}",
        first.path, first.detail
    )))
}

/// Lines of a web interface that shows only lines it is told to.
pub fn for_gitlab(lines: Vec<String>) -> Vec<String> {
    let marked = lines.into_iter().map(|line| format!("GL-HOOK-ERR: {line}"));
    marked.collect()
}

fn told(finding: &Finding) -> [String; 2] {
    let git = finding.origin.git;
    let path = printable(finding.path());
    let place = match finding.origin.part {
        Part::FileName => format!("name of {path}"),
        Part::RefName => format!("name of the reference {path}"),
        _ => format!("{path}:{}", finding.start.line),
    };
    let cell = finding.notebook.as_ref().and_then(|place| place.cell);
    let cell = cell.map_or(String::new(), |cell| format!(" (cell {cell})"));
    let commit = git.and_then(|git| git.commit);
    let commit = commit.map_or(String::new(), |id| format!(", commit {}", id.short()));
    [
        format!("  {place}{cell}  {}  {}", finding.title, finding.secret),
        format!(
            "    {}{commit}; write {}",
            finding.rule.id,
            advise::advise(finding).reference
        ),
    ]
}

/// What to do before the push is tried again.
fn mend(verdict: &Verdict) -> Vec<String> {
    let mut lines = commands(&verdict.cleanings);
    let mut parts = verdict.findings.iter().map(|f| f.origin.part);
    if parts.any(|part| part == Part::RefName) {
        lines.push("  give the branch or tag another name".to_owned());
    }
    if lines.is_empty() {
        lines.push("  leave out the branch or tag that leads to it".to_owned());
    }
    lines
}

/// The lines that refuse a commit.
pub fn before_commit(findings: &[Finding]) -> Vec<String> {
    let count = findings.len();
    let secrets = if count == 1 { "a secret" } else { "secrets" };
    let mut lines = vec![format!(
        "keysweep: commit refused, the index holds {secrets} ({count} found)"
    )];
    for finding in findings.iter().take(MOST) {
        lines.extend(told(finding));
    }
    if count > MOST {
        lines.push(format!(
            "  and {} more: keysweep diff --staged",
            count - MOST
        ));
    }
    lines.push("Write the reference instead, git add the file, and commit again.".to_owned());
    if let Some(finding) = findings.first() {
        let id = finding.fingerprint;
        lines.push(format!(
            "No secret? Commit `{id} # REASON` in .keysweepignore first."
        ));
    }
    lines
}

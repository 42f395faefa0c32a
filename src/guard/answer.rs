//! What the person who pushes reads: fewer than fifteen lines that say where, what instead, and
//! with which commands to clean the commits that were not pushed.

use super::push::{Cleaning, Verdict};
use super::receiving::ALLOW;
use crate::advise;
use crate::finding::Finding;
use crate::report::human::printable;
use crate::unit::Part;

/// So many findings are told, in two lines each.
const MOST: usize = 3;

/// How to end: what the policy and the place allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner<'m> {
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
    let mut lines = vec![format!(
        "keysweep: {what} refused, it brings {secrets} ({count} found)"
    )];
    for finding in verdict.findings.iter().take(MOST) {
        lines.extend(told(finding));
    }
    if count > MOST {
        lines.push(format!("  and {} more", count - MOST));
    }
    lines.push(
        "Rotate each that is real, it has left your machine. Then, to push again:".to_owned(),
    );
    lines.extend(commands(verdict));
    lines.extend(approval(verdict, manner.approvals));
    lines.extend(manner.contact.map(printable));
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

/// Lines of a web interface that shows only lines it is told to.
pub fn for_gitlab(lines: Vec<String>) -> Vec<String> {
    let marked = lines.into_iter().map(|line| format!("GL-HOOK-ERR: {line}"));
    marked.collect()
}

fn told(finding: &Finding) -> [String; 2] {
    let git = finding.origin.git;
    let path = printable(finding.path());
    let place = match git.map(|git| git.part) {
        Some(Part::FileName) => format!("name of {path}"),
        Some(Part::RefName) => format!("name of the reference {path}"),
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

fn commands(verdict: &Verdict) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(cleaning) = &verdict.cleaning {
        lines.extend(commits(cleaning));
    }
    let has = |part| {
        let mut parts = verdict.findings.iter().filter_map(|f| f.origin.git);
        parts.any(|git| git.part == part)
    };
    if has(Part::Tag) {
        lines.push("  git tag --force --annotate TAG 'TAG^{}'   # with another message".to_owned());
    }
    if has(Part::RefName) {
        lines.push("  give the branch or tag another name".to_owned());
    }
    if lines.is_empty() {
        lines.push("  leave out the branch or tag that leads to it".to_owned());
    }
    lines
}

/// Commands that were tried as they stand here.
fn commits(cleaning: &Cleaning) -> Vec<String> {
    let edit = if cleaning.edit {
        "# after editing the files that still have it"
    } else {
        "# no newest file has it, older commits do"
    };
    match (cleaning.only_last, &cleaning.base) {
        (true, _) => vec!["  git commit --all --amend   # after editing what has it".to_owned()],
        (false, Some(base)) => vec![format!(
            "  git reset --soft {} && git commit --all   {edit}",
            base.short()
        )],
        (false, None) => {
            // What a shell would take for more than a name is not offered to one.
            let safe = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
            let branch = &cleaning.branch;
            let branch = if branch.chars().all(safe) {
                branch
            } else {
                "BRANCH"
            };
            vec![format!(
                "  git checkout --orphan clean && git commit --all && git branch --move --force \
                 {branch}   {edit}"
            )]
        }
    }
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

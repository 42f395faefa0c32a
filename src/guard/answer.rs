//! What the person who pushes reads: fewer than fifteen lines that say where, what instead, and
//! with which commands to clean the commits that were not pushed.

use std::borrow::Cow;

use super::cleaning::{Cleaning, Commits};
use super::push::Verdict;
use super::receiving::ALLOW;
use crate::advise;
use crate::finding::Finding;
use crate::ledger::Ledger;
use crate::report::human::printable;
use crate::unit::Part;

/// So many findings are told at most, in two lines each.
const MOST: usize = 3;
/// So many references at most are told how to clean.
const MOST_WAYS: usize = 3;
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
    end.extend(commands(verdict));
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

fn commands(verdict: &Verdict) -> Vec<String> {
    let ways = ways(&verdict.cleanings);
    let shown = if ways.len() > MOST_WAYS {
        MOST_WAYS - 1
    } else {
        ways.len()
    };
    let lines = (0..shown).flat_map(|at| ways[at].lines(&ways[..at]));
    let mut lines: Vec<String> = lines.collect();
    if ways.len() > shown {
        let more = ways.len() - shown;
        lines.push(format!("  and so with {more} more branches or tags"));
    }
    let mut parts = verdict.findings.iter().map(|f| f.origin.part);
    if parts.any(|part| part == Part::RefName) {
        lines.push("  give the branch or tag another name".to_owned());
    }
    if lines.is_empty() {
        lines.push("  leave out the branch or tag that leads to it".to_owned());
    }
    lines
}

/// A reference to clean, and what the commands call it.
struct Way<'c> {
    cleaning: &'c Cleaning,
    /// Its short name, or a word for it.
    name: Cow<'c, str>,
}

/// References in the order in which they are cleaned, each with a name that no other has.
fn ways(cleanings: &[Cleaning]) -> Vec<Way<'_>> {
    let mut cleanings: Vec<&Cleaning> = cleanings.iter().collect();
    // A tag of the same commit follows its branch.
    cleanings.sort_by_key(|cleaning| cleaning.branch().is_none());
    let mut hidden = 0;
    let ways = cleanings.into_iter().map(|cleaning| {
        let name = &*cleaning.name;
        let (name, word) = match (cleaning.branch(), tag(cleaning)) {
            (Some(branch), _) => (branch, "BRANCH"),
            (_, Some(tag)) => (tag, "TAG"),
            _ => (name, "REFERENCE"),
        };
        hidden += usize::from(!can_be_told(name));
        let name = match (can_be_told(name), hidden) {
            (true, _) => name.into(),
            (false, 1) => word.into(),
            (false, number) => format!("{word}-{number}").into(),
        };
        Way { cleaning, name }
    });
    ways.collect()
}

/// The short name of a tag.
fn tag(cleaning: &Cleaning) -> Option<&str> {
    cleaning.name.strip_prefix("refs/tags/")
}

impl Way<'_> {
    /// Commands that were tried as they stand here, after those for `others`.
    fn lines(&self, others: &[Self]) -> Vec<String> {
        let is_clean = |other: &&Self| {
            let tip = other.cleaning.tip();
            tip.is_some() && tip == self.cleaning.tip() && other.cleaning.branch().is_some()
        };
        let clean = others.iter().find(is_clean);
        // A branch and a tag may have one name, of which git takes whichever it likes.
        let clean = clean.map(|branch| quoted(&format!("refs/heads/{}", branch.name)));
        if let (Some(_), Some(commits)) = (self.cleaning.branch(), &self.cleaning.commits) {
            return self.branch_lines(commits, clean);
        }
        if tag(self.cleaning).is_some() {
            return self.tag_lines(clean);
        }
        // Notes, reviews: no branch of the working copy is known to be what was pushed.
        vec![format!(
            "  leave out {}, or make its commits anew without it",
            self.name
        )]
    }

    /// `clean` is a branch of the same commit that will have been cleaned.
    fn branch_lines(&self, commits: &Commits, clean: Option<String>) -> Vec<String> {
        let branch = quoted(&self.name);
        if let Some(clean) = clean {
            return vec![format!("  git branch --force {branch} {clean}")];
        }
        let mut steps = anew(commits);
        if commits.is_orphan() {
            steps.push(format!("git branch --move --force {branch}"));
        }
        checked_out(&format!("git switch {branch}"), &steps, commits, "")
    }

    fn tag_lines(&self, clean: Option<String>) -> Vec<String> {
        let Self { cleaning, name } = self;
        let annotate = if cleaning.annotated {
            "--annotate "
        } else {
            ""
        };
        let mark = format!("git tag --force {annotate}{}", quoted(name));
        let message = "with another message";
        match (&cleaning.commits, clean) {
            (None, _) => vec![format!(
                "  {mark} {} && : {message}",
                quoted(&format!("refs/tags/{name}^{{}}"))
            )],
            (_, Some(clean)) if cleaning.tag_tells => {
                vec![format!("  {mark} {clean} && : {message}")]
            }
            (_, Some(clean)) => vec![format!("  {mark} {clean}")],
            (Some(commits), None) => {
                let mut steps = anew(commits);
                steps.push(mark);
                let also = if cleaning.tag_tells {
                    ", and the tag with another message"
                } else {
                    ""
                };
                let tag = quoted(&format!("refs/tags/{name}"));
                let switch = format!("git switch --detach {tag}");
                checked_out(&switch, &steps, commits, also)
            }
        }
    }
}

/// Lines that take `steps` where `switch` leads, and none where that fails. Files that must be edited
/// first are there only once it is done; done twice it changes nothing. Hints are words that a shell
/// passes over: not all take comments from who types.
fn checked_out(switch: &str, steps: &[String], commits: &Commits, also: &str) -> Vec<String> {
    let edit = commits
        .edit
        .then(|| format!("  {switch} && : then take it out of the files that still have it"));
    let hint = match (commits.edit, commits.identity) {
        (true, true) => "after that edit, and with another user.name",
        (true, false) => "after that edit",
        (false, true) => "after changing user.name",
        (false, false) if commits.only_last => "with another message",
        (false, false) => "no newest file has it, older commits do",
    };
    let steps = format!("  {switch} && {} && : {hint}{also}", steps.join(" && "));
    edit.into_iter().chain([steps]).collect()
}

/// Makes the commits that lead to the checked-out one anew.
fn anew(commits: &Commits) -> Vec<String> {
    // Where nothing is left to commit too, the commit is made: else the chain would end.
    let commit = "git commit --all --allow-empty".to_owned();
    match &commits.base {
        _ if commits.only_last && commits.identity => vec![commit + " --amend --reset-author"],
        _ if commits.only_last => vec![commit + " --amend"],
        Some(base) => vec![format!("git reset --soft {}", base.short()), commit],
        None => {
            let branch = format!("clean-{}", commits.tip.short());
            vec![format!("git checkout --orphan {branch}"), commit]
        }
    }
}

/// Whether a name is as it is shown, and can be quoted for a shell. One with a secret is masked, and no
/// name of git has a star.
fn can_be_told(name: &str) -> bool {
    let fine = |c: char| c.is_alphanumeric() || c.is_ascii_graphic() && !"'*".contains(c);
    name.chars().all(fine) && !name.starts_with('-')
}

/// A name as a shell takes it for one.
fn quoted(name: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    match name.chars().all(safe) {
        true => name.to_owned(),
        false => format!("'{name}'"),
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

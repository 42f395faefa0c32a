//! GitHub Actions: workflow commands that mark lines of a pull request, and a job summary.

use std::cmp::Reverse;
use std::io::{self, Write};

use super::human::printable;
use crate::advise;
use crate::finding::Finding;
use crate::ledger::Reason;
use crate::pipeline::Outcome;

/// A step shows no more annotations of one kind than this.
const MOST: usize = 10;
/// A summary is cut off at 1 MiB; so many rows stay well below.
const MOST_ROWS: usize = 500;

/// Writes the gravest findings as errors, then one line with the count.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let findings = gravest(outcome);
    for finding in findings.iter().take(MOST) {
        annotate(finding, out)?;
    }
    let (count, shown) = (findings.len(), findings.len().min(MOST));
    match count {
        0 => writeln!(out, "keysweep: {}", super::none_found(outcome)),
        _ => writeln!(out, "keysweep: {count} new secrets, {shown} of them marked"),
    }?;
    for reason in Reason::ALL.iter().filter(|reason| reason.is_failure()) {
        for entry in outcome.ledger.left_out(*reason).iter().take(MOST) {
            let text = message(&format!("{}: {}", entry.path, entry.detail));
            writeln!(out, "::warning title=keysweep could not read::{text}")?;
        }
    }
    Ok(())
}

/// Writes a job summary in Markdown.
///
/// # Errors
/// When `out` cannot be written to.
pub fn summary(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let findings = gravest(outcome);
    writeln!(out, "### keysweep\n")?;
    if findings.is_empty() {
        return writeln!(out, "There are {}.", super::none_found(outcome));
    }
    writeln!(out, "| severity | what | where | commit | write instead |")?;
    writeln!(out, "| --- | --- | --- | --- | --- |")?;
    for finding in findings.iter().take(MOST_ROWS) {
        let commit = finding.origin.git.and_then(|git| git.commit);
        let mut commit = commit.map_or(String::new(), |id| id.short());
        if super::is_past(finding) {
            commit += ", no longer in the newest";
        }
        writeln!(
            out,
            "| {} | {} {} | {}:{} | {commit} | {} |",
            finding.severity.name(),
            cell(&finding.title),
            cell(&finding.secret.masked()),
            cell(finding.path()),
            finding.start.line,
            cell(&advise::advise(finding).reference),
        )?;
    }
    if findings.len() > MOST_ROWS {
        writeln!(out, "\n{} more are not listed.", findings.len() - MOST_ROWS)?;
    }
    Ok(())
}

/// The findings, most severe and most certain first.
pub(super) fn gravest(outcome: &Outcome) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = outcome.findings.iter().collect();
    findings.sort_by_key(|finding| Reverse((finding.severity, finding.confidence)));
    findings
}

fn annotate(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "::error title={}", property(&finding.title))?;
    if finding.origin.is_file() {
        let (start, end) = (finding.start, finding.end);
        write!(
            out,
            ",file={},line={}",
            property(finding.path()),
            start.line
        )?;
        write!(out, ",endLine={}", end.line)?;
        if start.line == end.line {
            write!(out, ",col={},endColumn={}", start.column, end.column)?;
        }
    }
    writeln!(out, "::{}", message(&super::sentence(finding)))
}

fn message(text: &str) -> String {
    let text = text.replace('%', "%25");
    printable(&text.replace('\r', "%0D").replace('\n', "%0A"))
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text inside a Markdown table.
fn cell(text: &str) -> String {
    let escaped = text.chars().fold(String::new(), |mut cell, c| {
        if matches!(c, '|' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '\\') {
            cell.push('\\');
        }
        cell.push(c);
        cell
    });
    printable(&escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_end_a_command_or_a_property() {
        assert_eq!(message("50%\r\nnext"), "50%25%0D%0Anext");
        assert_eq!(
            property("a:b,c\n::error::x"),
            "a%3Ab%2Cc%0A%3A%3Aerror%3A%3Ax"
        );
        assert_eq!(cell("a|b_c"), "a\\|b\\_c");
    }
}

//! Azure Pipelines: logging commands that show findings as issues of the run.

use std::io::{self, Write};

use super::github::gravest;
use super::human::printable;
use crate::finding::Finding;
use crate::ledger::Reason;
use crate::pipeline::Outcome;

/// More issues than this hide each other.
const MOST: usize = 50;

/// Writes the gravest findings as errors, then one line with the count.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let findings = gravest(outcome);
    for finding in findings.iter().take(MOST) {
        issue(finding, out)?;
    }
    for reason in Reason::ALL.iter().filter(|reason| reason.is_failure()) {
        for entry in outcome.ledger.left_out(*reason).iter().take(MOST) {
            let text = message(&format!("could not read {}: {}", entry.path, entry.detail));
            writeln!(out, "##vso[task.logissue type=warning;]{text}")?;
        }
    }
    let count = findings.len();
    if count == 0 {
        return writeln!(out, "keysweep: {}", super::none_found(outcome));
    }
    writeln!(
        out,
        "##vso[task.complete result=Failed;]{count} new secrets"
    )
}

fn issue(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "##vso[task.logissue type=error;code={};",
        property(&finding.rule.id)
    )?;
    if finding.origin.is_file() {
        let path = property(finding.path());
        let (line, column) = (finding.start.line, finding.start.column);
        write!(
            out,
            "sourcepath={path};linenumber={line};columnnumber={column};"
        )?;
    }
    writeln!(out, "]{}", message(&super::sentence(finding)))
}

fn message(text: &str) -> String {
    printable(&text.replace('\r', "%0D").replace('\n', "%0A"))
}

fn property(text: &str) -> String {
    message(text).replace(';', "%3B").replace(']', "%5D")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_end_a_command_or_a_property() {
        assert_eq!(property("a;b]c\nd"), "a%3Bb%5Dc%0Ad");
        assert_eq!(
            message("x\n##vso[task.complete]"),
            "x%0A·#vso[task.complete]"
        );
    }
}

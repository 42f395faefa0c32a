//! `.keysweepignore`: findings that somebody has looked at and accepts, each with the reason.
//!
//! One fingerprint a line, then `#` and why. A line without a reason is refused: whoever reads the
//! file next year must be able to judge it.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind};
use crate::finding::{Finding, Fingerprint};

/// The file's name, at the root of a working tree.
pub const FILE: &str = ".keysweepignore";

/// Accepted findings.
#[derive(Clone, Debug, Default)]
pub struct Ignores {
    /// By fingerprint: the line, from 1, and whether a finding was met.
    entries: BTreeMap<Fingerprint, (usize, bool)>,
}

impl Ignores {
    /// Reads the file's text.
    ///
    /// # Errors
    /// When a line is neither empty, nor a comment, nor a fingerprint with a reason. The message
    /// says which.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut entries = BTreeMap::new();
        // Some editors write a mark of the encoding.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let entry = entry(line).map_err(|fault| {
                let message = format!("line {}: {fault}", index + 1);
                Error::new(ErrorKind::Usage, message)
            })?;
            entries.insert(entry, (index + 1, false));
        }
        Ok(Self { entries })
    }

    /// Takes the accepted findings out.
    pub fn apply(&mut self, findings: &mut Vec<Finding>) {
        findings.retain(|finding| match self.entries.get_mut(&finding.fingerprint) {
            Some((_, used)) => {
                *used = true;
                false
            }
            None => true,
        });
    }

    /// What is accepted.
    pub fn fingerprints(&self) -> impl Iterator<Item = Fingerprint> + '_ {
        self.entries.keys().copied()
    }

    /// The lines that accepted nothing.
    pub fn unused(&self) -> Vec<usize> {
        let unused = self.entries.values().filter(|(_, used)| !used);
        let mut lines: Vec<usize> = unused.map(|(line, _)| *line).collect();
        lines.sort_unstable();
        lines
    }
}

fn entry(line: &str) -> Result<Fingerprint, &'static str> {
    let (fingerprint, reason) = line.split_once('#').unwrap_or((line, ""));
    let begins = || {
        line.split_whitespace()
            .next()
            .and_then(Fingerprint::from_hex)
    };
    let fingerprint = Fingerprint::from_hex(fingerprint.trim()).ok_or_else(|| match begins() {
        Some(_) => "no `#` between the fingerprint and the reason",
        None => "not a fingerprint of 32 digits",
    })?;
    if reason.trim().is_empty() {
        return Err("no reason; write one after `#`");
    }
    Ok(fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_needs_a_fingerprint_and_a_reason() {
        let hex = "00112233445566778899aabbccddeeff";
        let good = format!("# comment\n\n{hex}  # a key of the emulator\n");
        assert_eq!(Ignores::parse(&good).unwrap().unused(), [3]);
        let marked = format!("\u{feff}{hex} # by Notepad\r\n");
        assert_eq!(Ignores::parse(&marked).unwrap().unused(), [1]);
        for (bad, why) in [
            (hex.to_owned(), "line 1: no reason"),
            (format!("\n{hex} #  "), "line 2: no reason"),
            (format!("{hex} a reason"), "line 1: no `#` between"),
            (format!("{hex} a # reason"), "line 1: no `#` between"),
            (
                "src/app.py # whole file".to_owned(),
                "line 1: not a fingerprint",
            ),
        ] {
            let error = Ignores::parse(&bad).unwrap_err().to_string();
            assert!(error.starts_with(why), "{error}");
        }
    }
}

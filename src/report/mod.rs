//! Findings into text. Pure: findings and a ledger in, bytes out.
//!
//! Nothing here can print a secret but the field `secret` of the JSON forms, and that only when
//! [`Style::show_secrets`] is set.

pub mod human;
pub mod json;
pub mod sarif;

use std::io::{self, Write};

use crate::pipeline::Outcome;
use crate::rules::RuleSet;

/// How to write a report.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// The one door through which secrets can be seen.
    pub show_secrets: bool,
    pub colour: bool,
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
        Format::Json => json::write(outcome, style, out),
        Format::Jsonl => json::write_lines(outcome, style, out),
        Format::Sarif => sarif::write(outcome, rules, out),
    }
}

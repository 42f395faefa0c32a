//! Replaces secrets by references, and proves each edit before it is made.
//!
//! A [`Fixer`] first [surveys](Fixer::survey) each file: which findings stand in a whole literal that
//! their context can replace. Names are then given over all files at once. [`Fixer::fix`] makes the
//! edits as splices of the original bytes and keeps those that are proven: the text parses before
//! and after, the trees differ only where the edit is, a rescan finds nothing there and nothing new.
//! What cannot be proven stays, with the reason.

mod build;
pub mod companion;
mod config;
pub mod diff;
pub mod edit;
pub mod grammar;
mod kubernetes;
pub mod literal;
pub mod magic;
pub mod mask;
pub mod notebook;
pub mod quote;
mod reading;
pub mod region;
pub mod slot;
pub mod sql;
mod steps;
mod survey;
pub mod write;

pub use companion::NewFile;
pub use survey::{Survey, Target};

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::advise::facts::Facts;
use crate::decode::Role;
use crate::finding::{Finding, Fingerprint};
use crate::pipeline::Sweep;
use crate::sniff::{Encoding, sniff};
use edit::Edit;
use slot::Refused;

/// What is done with a notebook's outputs that show a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outputs {
    #[default]
    Keep,
    Mask,
    Clear,
}

/// What is done with secrets that no proven edit replaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// Masked in notebooks whose outputs are masked too, kept elsewhere.
    #[default]
    Usual,
    Keep,
    Mask,
}

/// What may be done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    /// Make edits that need changes elsewhere too.
    pub pair: bool,
    pub outputs: Outputs,
    pub rest: Rest,
    /// Take passwords out of SQL connection strings for the identity's sign-in.
    pub passwordless: bool,
}

/// Makes fixes.
pub struct Fixer<'s> {
    pub sweep: &'s Sweep,
    pub facts: Facts,
    pub policy: Policy,
    /// Findings that somebody accepts: they are neither replaced nor masked.
    pub accepted: HashSet<Fingerprint>,
}

/// What became of one finding.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub finding: Finding,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Replaced by a reference to the secret of this name.
    Rewritten(String),
    /// Taken out for a sign-in without a secret.
    Passwordless,
    Masked,
    /// Stays, for this reason.
    Kept(Refused),
}

/// A file before and after.
pub struct Fixed {
    pub path: String,
    /// The path as it is printed, without secrets.
    pub shown_path: Arc<str>,
    pub before: Vec<u8>,
    pub after: Vec<u8>,
    pub outcomes: Vec<Outcome>,
    pub files: Vec<NewFile>,
}

impl Fixed {
    pub fn is_changed(&self) -> bool {
        self.before != self.after || !self.files.is_empty()
    }
}

impl Fixer<'_> {
    /// What is found in a file and not accepted.
    pub(crate) fn scan(&self, path: &str, bytes: &[u8]) -> Vec<Finding> {
        let mut findings = self.sweep.scan_bytes(path, bytes);
        findings.retain(|finding| !self.accepted.contains(&finding.fingerprint));
        findings
    }

    /// Makes the edits that are proven. `names` are those of the survey's targets, in order; a
    /// target without a name is left as it is.
    pub fn fix(&self, survey: &Survey, names: &[Option<String>]) -> Fixed {
        let built = self.proven(survey, names);
        let mut actions: Vec<Option<Action>> = vec![None; survey.findings.len()];
        for (index, reason) in survey.refused.iter().chain(&built.refused) {
            actions[*index] = Some(Action::Kept(reason.clone()));
        }
        for (index, action) in built.done {
            actions[index] = Some(action);
        }
        let mut after = built.after;
        self.mask(survey, None, &mut after);
        let left = self.scan(&survey.path, &after);
        let outcomes = survey
            .findings
            .iter()
            .zip(actions)
            .map(|(finding, action)| {
                let action = action.unwrap_or(Action::Kept("was not asked for".into()));
                let stays = left
                    .iter()
                    .any(|f| f.rule.id == finding.rule.id && f.secret == finding.secret);
                let action = match action {
                    Action::Kept(_) if !stays => Action::Masked,
                    other => other,
                };
                Outcome {
                    finding: finding.clone(),
                    action,
                }
            });
        Fixed {
            path: survey.path.clone(),
            shown_path: survey.shown_path.clone(),
            before: survey.bytes.clone(),
            outcomes: outcomes.collect(),
            after,
            files: built.files,
        }
    }

    /// A notebook with the secrets of its outputs, prose and metadata masked; everything else, and
    /// any file without one, byte for byte as it is.
    pub fn mask_outputs(&self, path: &str, bytes: Vec<u8>) -> Vec<u8> {
        let findings = self.scan(path, &bytes);
        if findings.iter().all(|f| f.notebook.is_none()) {
            return bytes;
        }
        let survey = Survey::of_findings(path, findings.clone());
        let mut after = bytes;
        self.mask(&survey, Some(findings), &mut after);
        after
    }

    /// Masks what is left, as far as the policy allows, until a rescan finds no more of it.
    /// `found` is what is found in the bytes, where that is known.
    fn mask(&self, survey: &Survey, found: Option<Vec<Finding>>, bytes: &mut Vec<u8>) {
        /// Masking one value can bring another to light that the same place showed twice.
        const ROUNDS: usize = 8;
        let is_notebook = survey.is_notebook;
        let policy = self.policy;
        let masks_rest = match policy.rest {
            Rest::Usual => is_notebook && policy.outputs != Outputs::Keep,
            Rest::Keep => false,
            Rest::Mask => true,
        };
        // Stars of one byte each would spell something else in wide characters.
        if sniff(bytes) != Ok(Encoding::Bytes) {
            return;
        }
        // A notebook that is broken already is not kept from anything; its bytes are masked in place.
        let is_json = is_notebook && notebook::is_json(bytes);
        if policy.outputs == Outputs::Clear {
            self.clear(survey, bytes);
        }
        let mut edits = Vec::new();
        if is_notebook && policy.outputs != Outputs::Keep {
            edits = twins(survey, bytes);
        }
        // A large notebook is not scanned more often than it must be.
        let mut found = match found {
            Some(found) if policy.outputs != Outputs::Clear => found,
            _ => self.scan(&survey.path, bytes),
        };
        for _ in 0..ROUNDS {
            let is_masked = |finding: &&Finding| match &finding.notebook {
                Some(place) if place.role != Role::Code => policy.outputs != Outputs::Keep,
                _ => masks_rest,
            };
            let masked = found.iter().filter(is_masked);
            edits.extend(masked.flat_map(|finding| mask::finding(bytes, finding)));
            if edits.is_empty() || !splice(bytes, std::mem::take(&mut edits), is_json) {
                return;
            }
            found = self.scan(&survey.path, bytes);
        }
    }

    fn clear(&self, survey: &Survey, bytes: &mut Vec<u8>) {
        let found = self.scan(&survey.path, bytes);
        let Some(notebook) = notebook::read(bytes) else {
            return;
        };
        let mut cells: Vec<usize> = found
            .iter()
            .filter(|finding| {
                finding
                    .notebook
                    .as_ref()
                    .is_some_and(|p| p.role == Role::Output)
            })
            .filter_map(|finding| {
                let start = finding.byte_start() as usize;
                notebook
                    .cells
                    .iter()
                    .position(|cell| cell.range.contains(&start))
            })
            .collect();
        cells.dedup();
        let edits = cells
            .into_iter()
            .flat_map(|cell| notebook.clear(cell))
            .collect();
        splice(bytes, edits, true);
    }
}

/// Places outside of code where a value that was found stands once more.
fn twins(survey: &Survey, bytes: &[u8]) -> Vec<Edit> {
    let stretches = notebook::outside_code(bytes);
    let values = survey.findings.iter().map(|f| f.secret.expose());
    let values: BTreeSet<&[u8]> = values.collect();
    values
        .into_iter()
        .flat_map(|value| mask::twins(bytes, &stretches, value))
        .collect()
}

/// Makes the edits, those that overlap an earlier or longer one left out. A notebook must stay JSON:
/// else the edits are made one by one, and only those that keep it so. Tells whether anything changed.
fn splice(bytes: &mut Vec<u8>, mut edits: Vec<Edit>, is_json: bool) -> bool {
    edits.sort_by_key(|edit| (edit.range.start, Reverse(edit.range.end)));
    let mut end = 0;
    edits.retain(|edit| {
        let apart = edit.range.start >= end;
        if apart {
            end = edit.range.end;
        }
        apart
    });
    let valid = |text: &[u8]| !is_json || notebook::is_json(text);
    let (after, _) = edit::apply(bytes, &edits);
    if valid(&after) {
        let changed = after != *bytes;
        *bytes = after;
        return changed;
    }
    let mut changed = false;
    for one in edits.into_iter().rev() {
        let (after, _) = edit::apply(bytes, std::slice::from_ref(&one));
        if valid(&after) && after != *bytes {
            *bytes = after;
            changed = true;
        }
    }
    changed
}

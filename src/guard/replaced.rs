//! Which findings of a push are old: what their own commits replace or remove has their values.
//!
//! A push may change a file with a known value twice. The second commit then replaces what the first
//! one brought, and that excuses it as far as the first one was excused.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::copies;
use super::fold;
use super::known;
use crate::error::Error;
use crate::finding::Finding;
use crate::git::changes::{self, Places, add_place};
use crate::git::reader::Reader;
use crate::pipeline::Options;
use crate::secret::Secret;
use crate::source::objects::Objects;
use crate::unit::{ObjectId, Part};

/// A file at a path.
type File = (Arc<str>, ObjectId);

/// Whether the push itself brought a file to a path, or without an object, the path.
pub type IsNew<'a> = dyn Fn(&str, Option<ObjectId>) -> bool + 'a;

/// A commit with its findings and the files that it replaces or removes.
struct Step<'f> {
    findings: Vec<&'f Finding>,
    files: Vec<File>,
}

/// What is known of values that are old.
struct Old<'r> {
    is_new: &'r IsNew<'r>,
    /// Values in files that it did not bring.
    standing: HashMap<ObjectId, HashSet<Secret>>,
    /// Values that are old in files that it brought, or without an object, in names.
    excused: HashMap<(Arc<str>, Option<ObjectId>), HashSet<Secret>>,
}

/// Takes out the findings of secrets that in their path are old wherever one of `commits` brings them,
/// which stand parents before children. Returns how many those were.
///
/// # Errors
/// When a commit or a tree cannot be read.
pub fn drop_replaced(
    findings: &mut Vec<Finding>,
    reader: &Reader,
    commits: &[ObjectId],
    is_new: &IsNew<'_>,
    options: &Options,
) -> Result<usize, Error> {
    let mut by_commit: HashMap<Option<ObjectId>, Vec<&Finding>> = HashMap::new();
    for finding in findings.iter() {
        let commit = finding.origin.git.and_then(|git| git.commit);
        by_commit.entry(commit).or_default().push(finding);
    }
    let mut steps = Vec::new();
    for commit in commits {
        if let Some(findings) = by_commit.remove(&Some(*commit)) {
            let files = changes::replaced(reader, *commit)?;
            steps.push(Step { findings, files });
        }
    }
    // What no commit is known to bring replaces nothing.
    let mut new: HashSet<fold::Key> = by_commit.into_values().flatten().map(fold::key).collect();
    let places = old_files(&steps, is_new);
    let mut old = Old {
        is_new,
        standing: known::standing(findings, &Objects::placed(reader, places), options)?,
        excused: HashMap::new(),
    };
    for step in steps {
        new.extend(old.weigh(&step)?.into_iter().map(fold::key));
    }
    let before = findings.len();
    findings.retain(|finding| new.contains(&fold::key(finding)));
    Ok(before - findings.len())
}

fn old_files(steps: &[Step<'_>], is_new: &IsNew<'_>) -> Places {
    let mut places = Places::new();
    for (path, blob) in steps.iter().flat_map(|step| &step.files) {
        if !is_new(path, Some(*blob)) {
            add_place(&mut places, copies::kind, *blob, path, None);
        }
    }
    places
}

impl Old<'_> {
    /// The new ones among a commit's findings. The others are kept in mind.
    fn weigh<'f>(&mut self, step: &Step<'f>) -> Result<Vec<&'f Finding>, Error> {
        let values: HashSet<&Secret> = step
            .files
            .iter()
            .flat_map(|file| self.values(file))
            .collect();
        let names = self.names(step)?;
        let is_old = |finding: &&Finding| {
            values.contains(&finding.secret) || is_name(finding) && names.contains(&finding.secret)
        };
        let (old, new): (Vec<_>, Vec<_>) = step.findings.iter().copied().partition(is_old);
        for finding in old {
            let object = finding.origin.git.map(|git| git.object);
            let key = (
                finding.origin.path.clone(),
                object.filter(|_| !is_name(finding)),
            );
            let values = self.excused.entry(key).or_default();
            values.insert(finding.secret.clone());
        }
        Ok(new)
    }

    /// The old values in a file.
    fn values(&self, (path, blob): &File) -> impl Iterator<Item = &Secret> {
        let values = match (self.is_new)(path, Some(*blob)) {
            true => self.excused.get(&(path.clone(), Some(*blob))),
            false => self.standing.get(blob),
        };
        values.into_iter().flatten()
    }

    /// The values in names that a commit brings and that names of files which it replaces or removes
    /// have.
    fn names<'s>(&'s self, step: &Step<'s>) -> Result<HashSet<&'s Secret>, Error> {
        let names = step.findings.iter().filter(|finding| is_name(finding));
        let wanted: HashSet<&Secret> = names.map(|finding| &finding.secret).collect();
        let wanted: Vec<&Secret> = wanted.into_iter().collect();
        let literal = known::literal(&wanted)?;
        let mut old = HashSet::new();
        for (path, _) in step.files.iter().filter(|_| !wanted.is_empty()) {
            if (self.is_new)(path, None) {
                old.extend(
                    self.excused
                        .get(&(path.clone(), None))
                        .into_iter()
                        .flatten(),
                );
            } else {
                let hits = literal.find_overlapping_iter(&**path);
                old.extend(hits.map(|hit| wanted[hit.pattern()]));
            }
        }
        Ok(old)
    }
}

fn is_name(finding: &Finding) -> bool {
    finding.origin.part == Part::FileName
}

//! Which findings are old: their values stood in what was there before.
//!
//! What counts is the value, not the rule or the line. It is looked for as it stands, and in
//! whatever the pipeline decodes, so a line that was moved, indented, encoded or run again is quiet. A key
//! block, which is found with its line breaks, is compared without what they and its indentation look like.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::AhoCorasick;

use crate::error::{Error, ErrorKind};
use crate::finding::Finding;
use crate::ledger::Reason;
use crate::pipeline::{Options, Progress, Sweep};
use crate::rules::Level;
use crate::secret::Secret;
use crate::source::{Sink, Source};
use crate::unit::{ObjectId, Unit};

/// From this length on a value does not stand somewhere by chance.
const TELLING: usize = 12;

/// Takes out the findings whose values `old` has. Returns how many those were.
///
/// # Errors
/// When the source can deliver nothing.
pub fn drop_known(
    findings: &mut Vec<Finding>,
    old: &dyn Source,
    options: &Options,
) -> Result<usize, Error> {
    if findings.is_empty() {
        return Ok(0);
    }
    let standing = standing(findings, old, options)?;
    let known: HashSet<Secret> = standing.into_values().flatten().collect();
    let before = findings.len();
    findings.retain(|finding| !known.contains(&finding.secret));
    Ok(before - findings.len())
}

/// Which values of `findings` stand in which objects of `old`.
///
/// # Errors
/// When the source can deliver nothing.
pub fn standing(
    findings: &[Finding],
    old: &dyn Source,
    options: &Options,
) -> Result<HashMap<ObjectId, HashSet<Secret>>, Error> {
    let values: HashSet<&Secret> = findings.iter().map(|finding| &finding.secret).collect();
    let mut alike: HashMap<Cow<'_, [u8]>, Vec<&Secret>> = HashMap::new();
    for value in &values {
        alike.entry(essence(value)).or_default().push(value);
    }
    let is_telling = |value: &&Secret| value.expose().len() >= TELLING;
    let telling: Vec<&Secret> = values.iter().copied().filter(is_telling).collect();
    let literal = literal(&telling)?;
    let spotter = Spotter {
        old,
        literal,
        hits: Mutex::default(),
    };
    let sweep = Sweep::new(Options {
        min_confidence: Level::Low,
        ..options.clone()
    });
    let outcome = sweep.run(&spotter, &Progress::default())?;
    let Spotter { literal, hits, .. } = spotter;
    let mut hits = hits.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut standing: HashMap<ObjectId, HashSet<Secret>> = HashMap::new();
    for finding in outcome.findings {
        let Some(git) = finding.origin.git else {
            continue;
        };
        let inside = literal.find_overlapping_iter(finding.secret.expose());
        let inside = inside.map(|hit| (git.object, hit.pattern().as_usize()));
        hits.extend(inside);
        if let Some(alike) = alike.get(&essence(&finding.secret)) {
            let standing = standing.entry(git.object).or_default();
            standing.extend(alike.iter().copied().cloned());
        }
    }
    for (object, hit) in hits {
        standing
            .entry(object)
            .or_default()
            .insert(telling[hit].clone());
    }
    Ok(standing)
}

/// What makes a value: all of it, but of a key block only letters and digits. The rest is how it is laid out
/// and written in code: line breaks, their escapes, indentation. What of base64 goes with it, no two keys
/// differ in alone.
fn essence(value: &Secret) -> Cow<'_, [u8]> {
    let bytes = value.expose();
    if !bytes.starts_with(b"-----BEGIN ") {
        return Cow::Borrowed(bytes);
    }
    let mut kept = Vec::with_capacity(bytes.len());
    let mut is_escaped = false;
    for &byte in bytes {
        let is_break = is_escaped && matches!(byte, b'n' | b'r' | b't');
        is_escaped = byte == b'\\';
        if byte.is_ascii_alphanumeric() && !is_break {
            kept.push(byte);
        }
    }
    Cow::Owned(kept)
}

/// Finds values as they stand, each by its number.
///
/// # Errors
/// When they are too many.
pub fn literal(values: &[&Secret]) -> Result<AhoCorasick, Error> {
    AhoCorasick::new(values.iter().map(|value| value.expose()))
        .map_err(|_| Error::new(ErrorKind::Usage, "too many findings to compare"))
}

/// A source whose bytes are also searched for the values themselves.
struct Spotter<'a> {
    old: &'a dyn Source,
    literal: AhoCorasick,
    /// Objects with the numbers of the values in them.
    hits: Mutex<HashSet<(ObjectId, usize)>>,
}

impl Source for Spotter<'_> {
    fn deliver(&self, sink: &dyn Sink) -> Result<(), Error> {
        self.old.deliver(&Spotting {
            literal: &self.literal,
            hits: &self.hits,
            sink,
        })
    }
}

struct Spotting<'a> {
    literal: &'a AhoCorasick,
    hits: &'a Mutex<HashSet<(ObjectId, usize)>>,
    sink: &'a dyn Sink,
}

impl Sink for Spotting<'_> {
    fn expect(&self, inputs: u64) {
        self.sink.expect(inputs);
    }

    fn unit(&self, unit: &Unit<'_>) {
        let hits = self.literal.find_overlapping_iter(unit.bytes);
        let object = unit.origin.git.map(|git| git.object);
        let hits = hits.filter_map(|hit| Some((object?, hit.pattern().as_usize())));
        let hits: HashSet<(ObjectId, usize)> = hits.collect();
        if !hits.is_empty() {
            let all = self.hits.lock();
            all.unwrap_or_else(PoisonError::into_inner).extend(hits);
        }
        self.sink.unit(unit);
    }

    fn done(&self, bytes: u64) {
        self.sink.done(bytes);
    }

    fn leave_out(&self, path: Arc<str>, reason: Reason, detail: &str) {
        self.sink.leave_out(path, reason, detail);
    }
}

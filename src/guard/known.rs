//! Which findings are old: their values stood in what was there before.
//!
//! What counts is the value, not the rule or the line. It is looked for as it stands, and in
//! whatever the pipeline decodes, so a line that was moved, indented, encoded or run again is quiet.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::AhoCorasick;

use crate::error::{Error, ErrorKind};
use crate::finding::Finding;
use crate::ledger::Reason;
use crate::pipeline::{Options, Progress, Sweep};
use crate::rules::Level;
use crate::secret::Secret;
use crate::source::{Sink, Source};
use crate::unit::Unit;

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
    let values: HashSet<&Secret> = findings.iter().map(|finding| &finding.secret).collect();
    let values: Vec<Secret> = values.into_iter().cloned().collect();
    let known = seen(&values, old, options)?;
    let before = findings.len();
    findings.retain(|finding| !known.contains(&finding.secret));
    Ok(before - findings.len())
}

/// Those of `values` that stand in what `old` delivers.
fn seen(values: &[Secret], old: &dyn Source, options: &Options) -> Result<HashSet<Secret>, Error> {
    let telling: Vec<&Secret> = values
        .iter()
        .filter(|value| value.expose().len() >= TELLING)
        .collect();
    let literal = AhoCorasick::builder()
        .build(telling.iter().map(|value| value.expose()))
        .map_err(|_| Error::new(ErrorKind::Usage, "too many findings to compare"))?;
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
    let hits = spotter
        .hits
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let mut known: HashSet<Secret> = hits.iter().map(|hit| telling[*hit].clone()).collect();
    let old: HashSet<&[u8]> = outcome
        .findings
        .iter()
        .map(|finding| finding.secret.expose())
        .collect();
    let stood = |value: &Secret| {
        let value = value.expose();
        let inside = |old: &&[u8]| memchr::memmem::find(old, value).is_some();
        old.contains(value) || value.len() >= TELLING && old.iter().any(inside)
    };
    known.extend(values.iter().filter(|value| stood(value)).cloned());
    Ok(known)
}

/// A source whose bytes are also searched for the values themselves.
struct Spotter<'a> {
    old: &'a dyn Source,
    literal: AhoCorasick,
    hits: Mutex<HashSet<usize>>,
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
    hits: &'a Mutex<HashSet<usize>>,
    sink: &'a dyn Sink,
}

impl Sink for Spotting<'_> {
    fn expect(&self, inputs: u64) {
        self.sink.expect(inputs);
    }

    fn unit(&self, unit: &Unit<'_>) {
        let hits = self.literal.find_overlapping_iter(unit.bytes);
        let hits: HashSet<usize> = hits.map(|hit| hit.pattern().as_usize()).collect();
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

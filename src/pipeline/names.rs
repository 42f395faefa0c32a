//! What reports show of names that others chose: of files, of references, of people.
//!
//! A name may hold a secret, and one may say again what a file holds. Neither is printed.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::assemble::is_unguessable;
use super::copies::{self, Copies};
use super::{Scanner, Sweep, Worker};
use crate::finding::{Finding, Fingerprint};
use crate::ledger::Ledger;
use crate::pool::Pool;
use crate::rules::Level;
use crate::secret::Secret;
use crate::span::{SourceSpan, SpanSet};
use crate::unit::{Origin, PathKey, Unit};

/// Shorter values stand in many names by chance, and without them nobody finds the file.
const SHORTEST_COPY: usize = 8;
/// What the rules are so sure of is shown in no name.
const ENOUGH: Level = Level::Medium;

impl Sweep {
    /// A name with all that the rules find in it masked. Names are printed, so whoever prints one that
    /// others chose takes it from here.
    pub fn masked<'n>(&self, name: &'n str) -> Cow<'n, str> {
        self.scanner().masked(name, &Copies::default())
    }
}

/// Masks what the rules find in the names that a report prints (paths, references and authors) and in what
/// its ledger says, and what of them is a copy of a value that was found, or of one in another name that
/// nobody can guess.
pub fn mask_names<'f>(
    sweep: &Sweep,
    findings: impl IntoIterator<Item = &'f mut Finding>,
    ledger: &mut Ledger,
) {
    let mut findings: Vec<&mut Finding> = findings.into_iter().collect();
    let masked = masked_names(sweep, &findings, ledger);
    if masked.is_empty() {
        return;
    }
    ledger.reword(|text| masked.get(text).map(String::as_str));
    for finding in &mut findings {
        if let Some(path) = masked.get(&*finding.origin.path) {
            finding.shown_path = path.as_str().into();
        }
        for name in names_of_trace(finding) {
            if let Some(masked) = masked.get(name) {
                name.clone_from(masked);
            }
        }
    }
}

/// Masks what the rules find in texts, and what of them is a copy of one of `values`.
pub fn mask_texts<'t>(
    sweep: &Sweep,
    values: &[Secret],
    texts: impl IntoIterator<Item = &'t mut String>,
) {
    let copies = Copies::of(values.iter().map(Secret::expose));
    let mut scanner = sweep.scanner();
    for text in texts {
        *text = scanner.masked(text, &copies).into();
    }
}

/// The names in a report that show a secret, and what is shown in their stead.
fn masked_names(
    sweep: &Sweep,
    findings: &[&mut Finding],
    ledger: &Ledger,
) -> HashMap<String, String> {
    let mut names: HashSet<&str> = ledger.texts().collect();
    for finding in findings {
        names.insert(&finding.origin.path);
        if let Some(trace) = &finding.trace {
            names.extend(trace.notes().map(|note| &*note.author));
            names.extend(trace.refs.iter().map(String::as_str));
        }
    }
    let workers = Pool::default();
    let told = names.into_par_iter().map_init(
        || workers.lend(Worker::default),
        |worker, name| (name, sweep.told_by(name, worker).secret),
    );
    let told: Vec<(&str, SpanSet)> = told.collect();
    // Between letters of another name no rule finds them.
    let made = told.iter().flat_map(|(name, secret)| {
        let values = secret.iter().map(|span| within(name, span));
        values.filter(|value| is_unguessable(value))
    });
    let found = values(findings.iter().map(|finding| &**finding));
    let copies = Copies::of(found.chain(made).collect::<HashSet<_>>());
    let masked = told.into_par_iter().filter_map(|(name, mut secret)| {
        add_copies(&copies, name, &mut secret);
        match without(name, &secret) {
            Cow::Borrowed(_) => None,
            Cow::Owned(masked) => Some((name.to_owned(), masked)),
        }
    });
    masked.collect()
}

/// The values of findings that are hidden wherever they stand in names.
fn values<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> impl Iterator<Item = &'f [u8]> {
    let findings = findings.into_iter();
    let values = findings.map(|finding| finding.secret.expose());
    values.filter(|value| is_no_chance(value))
}

/// The keys of the paths of findings that are shown otherwise than they are.
pub fn path_keys(sweep: &Sweep, findings: &[Finding]) -> HashMap<Arc<str>, PathKey> {
    let masked = findings.iter();
    let masked: HashMap<&Arc<str>, &str> = masked
        .filter(|finding| finding.shown_path != finding.origin.path)
        .map(|finding| (&finding.origin.path, finding.path()))
        .collect();
    if masked.is_empty() {
        return HashMap::new();
    }
    let copies = Copies::of(values(findings).collect::<HashSet<_>>());
    let mut worker = Worker::default();
    let keys = masked.into_iter().map(|(path, shown)| {
        let told = sweep.told_by(path, &mut worker);
        let unguessable = told.without_guessable(path, &copies);
        let hash = Fingerprint(sweep.options.fingerprint_key.hash([unguessable.as_bytes()]));
        let key = PathKey {
            text: format!("{shown}~{hash}"),
            is_own: matches!(unguessable, Cow::Borrowed(_)),
        };
        (path.clone(), key)
    });
    keys.collect()
}

/// The names in what a history says of a finding.
fn names_of_trace(finding: &mut Finding) -> impl Iterator<Item = &mut String> {
    finding.trace.iter_mut().flat_map(|trace| {
        let notes = trace.first.iter_mut().chain(&mut trace.last);
        let authors = notes.map(|note| &mut note.author);
        authors.chain(&mut trace.refs)
    })
}

/// Whether a value that stands in a name does so because somebody wrote it there.
fn is_no_chance(value: &[u8]) -> bool {
    value.len() >= SHORTEST_COPY && copies::is_no_word(value)
}

impl Scanner<'_> {
    /// A name without secrets: those that the rules find in it or in one of its parts, and those copied.
    fn masked<'n>(&mut self, name: &'n str, copies: &Copies<'_>) -> Cow<'n, str> {
        let mut told = self.sweep.told_by(name, &mut self.worker);
        add_copies(copies, name, &mut told.secret);
        without(name, &told.secret)
    }
}

/// What the rules find in a name.
#[derive(Default)]
pub(super) struct Told {
    /// All that is not to be shown.
    secret: SpanSet,
    /// That of it which is found whatever a sweep is to report.
    sure: SpanSet,
}

impl Told {
    /// The name as it is shown.
    pub fn shown(&self, name: &Arc<str>) -> Arc<str> {
        match without(name, &self.secret) {
            Cow::Borrowed(_) => name.clone(),
            Cow::Owned(shown) => shown.into(),
        }
    }

    /// The name as it stands in the fingerprint of a value, of which a name must not tell more than the
    /// rest of it. However a sweep is set, it is the same. What nobody can guess stays in it: behind their
    /// masks many secrets are alike, and what is accepted in one path must not be in another.
    pub fn hashed<'n>(&self, name: &'n str, value: &[u8]) -> Cow<'n, str> {
        self.without_guessable(name, &Copies::of(is_no_chance(value).then_some(value)))
    }

    /// The name with those of its secrets, and of these copies, masked that could be guessed.
    fn without_guessable<'n>(&self, name: &'n str, copies: &Copies<'_>) -> Cow<'n, str> {
        let mut secret = self.sure.clone();
        add_copies(copies, name, &mut secret);
        let mut guessable = SpanSet::default();
        secret
            .iter()
            .filter(|span| !is_unguessable(within(name, *span)))
            .for_each(|span| guessable.insert(span));
        without(name, &guessable)
    }

    /// Adds what stands in the part of a name that starts there.
    fn add(&mut self, start: u32, span: SourceSpan, confidence: Level) {
        let span = SourceSpan {
            start: start + span.start,
            end: start + span.end,
        };
        self.secret.insert(span);
        if confidence >= ENOUGH {
            self.sure.insert(span);
        }
    }
}

impl Sweep {
    /// What the rules take for secrets in a name or in one of its parts.
    pub(super) fn told_by(&self, name: &str, worker: &mut Worker) -> Told {
        let mut told = Told::default();
        self.add_told(name, 0, worker, &mut told);
        if name.contains('/') {
            let mut start = 0;
            for part in name.split('/') {
                self.add_told(part, start, worker, &mut told);
                start += part.len() as u32 + 1;
            }
        }
        told
    }

    /// Adds what they take for secrets in the part of a name that starts there.
    fn add_told(&self, part: &str, start: u32, worker: &mut Worker, told: &mut Told) {
        let unit = Unit::words(Origin::file(""), part.as_bytes());
        let Ok(document) = worker.opener.open(&unit, self.options.limits, &[]) else {
            return;
        };
        // What is reported is no measure of what may be shown.
        let enough = self.options.min_confidence.min(ENOUGH);
        let path = &unit.origin.path;
        for judged in self.judge_views(path, &document, None, worker) {
            let confidence = judged.assessment.confidence;
            if confidence < enough {
                continue;
            }
            let located = document.locate(judged.view, judged.assessment.secret);
            for span in located.source {
                told.add(start, span, confidence);
            }
        }
        worker.opener.recycle(document);
    }
}

/// The bytes of a name there.
fn within(name: &str, span: SourceSpan) -> &[u8] {
    &name.as_bytes()[span.start as usize..span.end as usize]
}

fn add_copies(copies: &Copies<'_>, name: &str, secret: &mut SpanSet) {
    for copy in copies.find(name.as_bytes()) {
        secret.insert(SourceSpan {
            start: copy.start as u32,
            end: copy.end as u32,
        });
    }
}

/// A name with these bytes masked.
fn without<'n>(name: &'n str, secret: &SpanSet) -> Cow<'n, str> {
    if secret.is_empty() {
        return name.into();
    }
    let mut shown = Vec::with_capacity(name.len());
    let mut next = 0;
    for SourceSpan { start, end } in secret.iter() {
        let (start, end) = (start as usize, end as usize);
        shown.extend_from_slice(&name.as_bytes()[next..start]);
        let mask = Secret::new(&name.as_bytes()[start..end]).masked();
        shown.extend_from_slice(mask.as_bytes());
        next = end;
    }
    shown.extend_from_slice(&name.as_bytes()[next..]);
    String::from_utf8_lossy(&shown).into_owned().into()
}

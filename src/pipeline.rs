//! The flow: a source's units are decoded, searched, judged and turned into findings.
//!
//! [`Sweep`] is all that does not change while scanning and can be shared by threads. What a thread
//! needs to write to is a `Worker`, taken from a pool for the time of one unit, so a source may
//! push from as many threads as it likes. Findings and ledgers are merged and sorted once, at the
//! end: what the threads did in which order cannot be seen in the output.

mod assemble;
mod copies;
mod names;
mod resolve;
mod traces;

use std::cell::LazyCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::decode::{self, Document, Limits, Note, Opener, Role, View};
use crate::detect::keywords::Hit;
use crate::detect::{Candidate, Detector, Known, Scratch};
use crate::error::Error;
use crate::finding::{ByteRange, Finding};
use crate::judge::place::{Kinds, Place};
use crate::judge::readings::Readings;
use crate::judge::{Assessment, Dropped, Judge, Probe, ProofKind, Read};
use crate::ledger::{Ledger, Reason};
use crate::pool::Pool;
use crate::rules::{Level, RuleSet};
use crate::secret::{FingerprintKey, Secret};
use crate::source::{Sink, Source};
use crate::span::ViewSpan;
use crate::unit::{Origin, Part, Unit};
use names::Told;
pub use names::{mask_names, mask_texts, path_keys};
pub use traces::{Ask, Focus, Possible, Traces, Wanted};

/// What a sweep looks for and what it reports.
#[derive(Clone, Debug)]
pub struct Options {
    pub rules: RuleSet,
    /// Findings the judge is less sure of are not reported.
    pub min_confidence: Level,
    pub limits: Limits,
    pub fingerprint_key: FingerprintKey,
    /// The present in seconds since 1970, by which expiry is judged.
    pub now: i64,
    /// Keep values that the model of generic secrets takes for none, for training it.
    pub thorough: bool,
}

impl Options {
    /// The built-in rules and the usual bounds.
    pub fn new(now: i64) -> Self {
        Self {
            rules: RuleSet::built_in(),
            min_confidence: Level::Medium,
            limits: Limits::default(),
            fingerprint_key: FingerprintKey::default(),
            now,
            thorough: false,
        }
    }
}

/// The engine, ready to scan.
pub struct Sweep {
    detector: Detector,
    judge: Judge,
    options: Options,
}

/// What came of a sweep.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// In the order of path and place.
    pub findings: Vec<Finding>,
    pub ledger: Ledger,
}

/// How far a sweep has come. Read it from another thread while [`Sweep::run`] goes on.
#[derive(Debug, Default)]
pub struct Progress {
    pub expected: AtomicU64,
    pub done: AtomicU64,
    pub bytes: AtomicU64,
}

/// What one thread writes to.
#[derive(Default)]
struct Worker {
    opener: Opener,
    scratch: Scratch,
    candidates: Vec<Candidate>,
    /// Keywords in the text of the unit at hand, in order, if something is encoded in it.
    of_text: Vec<Hit>,
    readings: Readings,
    /// Kept of the last unit where somebody asks for it.
    traces: Option<Traces>,
    outcome: Outcome,
}

/// Scans units one by one. Every thread has its own.
pub struct Scanner<'s> {
    sweep: &'s Sweep,
    worker: Worker,
}

impl Scanner<'_> {
    /// Scans one unit. What it finds, in the order of places, replaces what the last one found.
    pub fn scan(&mut self, unit: &Unit<'_>) -> &mut Vec<Finding> {
        self.scan_for(unit, Ask::default())
    }

    /// Scans one unit for what is asked of it.
    pub fn scan_for(&mut self, unit: &Unit<'_>, ask: Ask<'_>) -> &mut Vec<Finding> {
        self.worker.outcome.findings.clear();
        if let Some(traces) = &mut self.worker.traces {
            traces.clear();
        }
        self.sweep.scan_unit(unit, ask, &mut self.worker);
        &mut self.worker.outcome.findings
    }

    /// The same, which from now on keeps [`Traces`] of each unit, with possible findings instead of
    /// findings: for texts whose path is not known.
    pub fn tracing(mut self) -> Self {
        self.worker.traces = Some(Traces::default());
        self
    }

    /// What was seen in the last unit besides findings, of a scanner that is [`tracing`](Self::tracing).
    pub fn traces(&mut self) -> &mut Traces {
        self.worker.traces.get_or_insert_default()
    }

    pub fn detector(&self) -> &Detector {
        &self.sweep.detector
    }

    /// What was read since it was last taken.
    pub fn take_ledger(&mut self) -> Ledger {
        std::mem::take(&mut self.worker.outcome.ledger)
    }
}

/// A candidate that the judge took for a secret, in its view.
struct Judged {
    view: usize,
    candidate: Candidate,
    assessment: Assessment,
    /// Under which kinds of path it may be one, where that is asked for.
    kinds: Kinds,
}

impl Judged {
    /// The secret, decoded.
    fn value<'d>(&'d self, document: &'d Document<'_>) -> &'d [u8] {
        match &self.assessment.value {
            Some(value) => value,
            None => &document.view(self.view).text[self.assessment.secret.range()],
        }
    }

    /// Where it starts and ends in the unit's bytes.
    fn span(&self, document: &Document<'_>) -> ViewSpan {
        let located = document.locate(self.view, self.assessment.secret);
        ViewSpan {
            start: located.source.first().map_or(0, |span| span.start),
            end: located.source.last().map_or(0, |span| span.end),
        }
    }
}

impl Sweep {
    pub fn new(options: Options) -> Self {
        Self {
            detector: Detector::new(options.rules.clone()),
            judge: Judge::new(),
            options,
        }
    }

    pub fn rules(&self) -> &RuleSet {
        self.detector.rules()
    }

    /// Scans bytes at hand, under a name that says what they are.
    pub fn scan_bytes(&self, path: &str, bytes: &[u8]) -> Vec<Finding> {
        let mut worker = Worker::default();
        let unit = Unit::whole(Origin::file(path), bytes);
        self.scan_unit(&unit, Ask::default(), &mut worker);
        worker
            .outcome
            .findings
            .sort_by(|a, b| a.order().cmp(&b.order()));
        worker.outcome.findings
    }

    /// The engine with a worker of its own, for a thread that brings units one by one.
    pub fn scanner(&self) -> Scanner<'_> {
        Scanner {
            sweep: self,
            worker: Worker::default(),
        }
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What rules make of a text by themselves, before overlapping finds are resolved: the indices
    /// of those that take the same bytes of one view for their secret stand together, each with
    /// the kind of its proof.
    pub(crate) fn claims(&self, path: &str, bytes: &[u8]) -> Vec<Vec<(usize, Option<ProofKind>)>> {
        let unit = Unit::whole(Origin::file(path), bytes);
        let Ok(document) = decode::open(&unit, self.options.limits) else {
            return Vec::new();
        };
        let mut judged = self.judge_views(path, &document, None, &mut Worker::default());
        let place = |judged: &Judged| (judged.view, judged.assessment.secret);
        judged.sort_by_key(place);
        let together = judged.chunk_by(|a, b| place(a) == place(b));
        let claim = |judged: &Judged| {
            let proof = judged.assessment.proof.as_ref();
            (
                judged.candidate.rule as usize,
                proof.map(|proof| proof.kind),
            )
        };
        together
            .map(|judged| judged.iter().map(claim).collect())
            .collect()
    }

    /// Scans all that a source delivers.
    ///
    /// # Errors
    /// When the source can deliver nothing at all; what it could not read stands in the ledger.
    pub fn run(&self, source: &dyn Source, progress: &Progress) -> Result<Outcome, Error> {
        let run = Run {
            sweep: self,
            progress,
            workers: Pool::default(),
        };
        source.deliver(&run)?;
        let workers = run.workers.into_items();
        let mut outcome = Outcome::default();
        for worker in workers {
            // The first list is kept as it is: there may be many findings, and one thread.
            match outcome.findings.is_empty() {
                true => outcome.findings = worker.outcome.findings,
                false => outcome.findings.extend(worker.outcome.findings),
            }
            outcome.ledger.merge(worker.outcome.ledger);
        }
        outcome.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        outcome.ledger.sort();
        Ok(outcome)
    }

    fn scan_unit(&self, unit: &Unit<'_>, ask: Ask<'_>, worker: &mut Worker) {
        let Ask {
            focus,
            wanted,
            known,
            parts,
        } = ask;
        let path = &unit.origin.path;
        let Worker { opener, .. } = worker;
        let opened = match focus {
            Some(focus) => {
                // With neither there is nothing to find, and no document is made.
                if !opener.survey(unit.bytes, focus.lines) && focus.hits.is_empty() {
                    return;
                }
                opener.open_surveyed(unit, self.options.limits, focus.bounds)
            }
            None => opener.open(unit, self.options.limits, parts),
        };
        let mut document = match opened {
            Ok(document) => document,
            Err(binary) => {
                let ledger = &mut worker.outcome.ledger;
                return ledger.leave_out(Reason::Binary, path.clone(), binary.0);
            }
        };
        self.record(unit, &document, &mut worker.outcome.ledger);
        if let Some(traces) = &mut worker.traces {
            traces.parts = std::mem::take(&mut document.parts);
        }
        let mut judged = self.judge_views(path, &document, focus, worker);
        if let Some(known) = known {
            judged.retain(|one| known.binary_search(&one.span(&document)).is_ok());
        }
        if let Some(traces) = &mut worker.traces {
            let possible = judged.iter();
            let possible = possible.filter_map(|one| self.possible(unit, &document, one));
            traces.possible.extend(possible);
        } else if judged.iter().any(|judged| self.is_confident(judged)) {
            // What is less sure counts only by what it hides.
            judged.sort_by_key(|j| (j.view, j.candidate.secret));
            let told = self.told_by(path, worker);
            let findings = &mut worker.outcome.findings;
            self.assemble(unit, (&document, &judged, &told), wanted, findings);
        }
        worker.opener.recycle(document);
    }

    /// Whether the judge is as sure as it takes to be reported.
    fn is_confident(&self, judged: &Judged) -> bool {
        judged.assessment.confidence >= self.options.min_confidence
    }

    /// Makes findings of what was judged to be secrets in one document.
    fn assemble(
        &self,
        unit: &Unit<'_>,
        (document, judged, told): (&Document<'_>, &[Judged], &Told),
        wanted: Option<&Wanted<'_>>,
        findings: &mut Vec<Finding>,
    ) {
        let assembly = assemble::Assembly::new(self, unit, (document, judged), told);
        let is_wanted = |index| {
            let secret = || Secret::new(assembly.value(index));
            wanted.is_none_or(|wanted| wanted(assembly.rule(index), &secret()))
        };
        for index in resolve::survivors(judged, &assembly, document) {
            let counts = self.is_confident(&judged[index]) && assembly.in_core(index);
            if counts && is_wanted(index) {
                findings.push(assembly.finding(index));
            }
        }
    }

    /// What is kept of a possible finding, unless another window has it.
    fn possible(
        &self,
        unit: &Unit<'_>,
        document: &Document<'_>,
        judged: &Judged,
    ) -> Option<Possible> {
        let ViewSpan { start, end } = judged.span(document);
        let base = unit.before.bytes;
        unit.starts_in_core(start).then(|| Possible {
            rule: self.rules().get(judged.candidate.rule as usize).clone(),
            secret: Secret::new(judged.value(document)),
            bytes: ByteRange {
                start: base + u64::from(start),
                end: base + u64::from(end),
            },
            kinds: judged.kinds,
            coded: judged.view != 0,
            sure: self.is_confident(judged),
            far: self.detector.looks_far(judged.candidate.rule),
            chained: self.detector.is_chained(judged.candidate.rule),
        })
    }

    fn record(&self, unit: &Unit<'_>, document: &Document<'_>, ledger: &mut Ledger) {
        let path = &unit.origin.path;
        ledger.files += u64::from(unit.before.bytes == 0 && unit.origin.is_file());
        if !matches!(unit.origin.part, Part::FileName | Part::RefName) {
            ledger.bytes += unit.fresh_bytes();
        }
        ledger.windowed += u64::from(unit.is_window() && unit.before.bytes == 0);
        ledger.notebooks += u64::from(document.is_notebook());
        match &document.note {
            Some(Note::MalformedNotebook(fault)) => {
                ledger.note(
                    path.clone(),
                    format!("not a valid notebook ({fault}); read as text"),
                );
            }
            Some(Note::WindowedNotebook) => {
                ledger.note(
                    path.clone(),
                    "too large to be read cell by cell; read as text",
                );
            }
            None => {}
        }
    }

    /// What the judge is told of a match in a view.
    fn probe<'p>(
        &'p self,
        view: &'p View<'_>,
        candidate: &Candidate,
        place: &decode::Place,
        of_path: &Place,
    ) -> Probe<'p> {
        Probe {
            text: &view.text,
            stretch: view.stretch(candidate.matched.start),
            matched: candidate.matched,
            secret: candidate.secret,
            rule: self.rules().get(candidate.rule as usize),
            name: candidate.name.map_or(b"", |name| &view.text[name.range()]),
            quoted: candidate.quoted,
            place: of_path.within(place.role),
            thorough: self.options.thorough,
            machine_made: place.machine_made,
            now: self.options.now,
        }
    }

    /// Puts what fits in a view into the worker's candidates, in order.
    fn search(
        &self,
        (index, view): (usize, &View<'_>),
        document: &Document<'_>,
        focus: Option<Focus<'_>>,
        worker: &mut Worker,
    ) {
        let Worker {
            scratch,
            candidates,
            of_text,
            ..
        } = worker;
        candidates.clear();
        let searched = Known {
            hits: of_text,
            base: 0,
        };
        let known = focus.map_or(Some(searched), |focus| focus.known);
        let known = known.filter(|_| view.is_copy_of_text());
        let detector = &self.detector;
        match (focus.filter(|_| index == 0), known) {
            (Some(Focus { hits, stirred, .. }), _) => {
                detector.try_hits(view, hits, stirred, scratch, candidates);
            }
            (None, Some(known)) => detector.scan_copy(view, known, scratch, candidates),
            (None, None) => detector.scan(view, scratch, candidates),
        }
        if index == 0 && focus.is_none() && document.searchable().nth(1).is_some() {
            of_text.clear();
            of_text.extend_from_slice(scratch.hits());
            of_text.sort_unstable();
        }
        candidates.sort_unstable();
        candidates.dedup();
    }

    /// Judges what is found in all views; in the first only what the focus says.
    fn judge_views(
        &self,
        path: &str,
        document: &Document<'_>,
        focus: Option<Focus<'_>>,
        worker: &mut Worker,
    ) -> Vec<Judged> {
        let mut judged = Vec::new();
        let of_path = LazyCell::new(|| Place::of(path));
        for (index, view) in document.searchable() {
            self.search((index, view), document, focus, worker);
            let Worker {
                scratch,
                candidates,
                readings,
                traces,
                ..
            } = &mut *worker;
            if let Some(traces) = traces {
                let focus = focus.filter(|_| index == 0);
                let hits = focus.map_or(scratch.hits(), |focus| focus.hits);
                traces.add(&self.detector, document, index, hits);
            }
            for candidate in &*candidates {
                if !view.tells(candidate.span()) {
                    continue;
                }
                let place = document.place(view.segment(candidate.secret.start).place);
                let probe = self.probe(view, candidate, place, &of_path);
                let read = readings.read(&self.judge, &probe, candidate.rule);
                if let Some(traces) = traces.as_mut().filter(|_| index == 0) {
                    traces.add_candidate(candidate, probe.rule, read.is_ok());
                }
                let Ok(read) = read else {
                    continue;
                };
                // A part of a notebook says more than the path.
                let by_path = place.role == Role::Text;
                let weighed = match traces {
                    Some(_) => self.weigh_briefly(&probe, &read, by_path),
                    None => self.judge.weigh(&probe, &read).map(|it| (it, Kinds::ALL)),
                };
                if let Ok((assessment, kinds)) = weighed {
                    judged.push(Judged {
                        view: index,
                        candidate: *candidate,
                        assessment,
                        kinds,
                    });
                }
            }
        }
        judged
    }

    /// Judges a match whose path is not known, and under which kinds of path it may be a finding, if that
    /// hangs on the path.
    fn weigh_briefly(
        &self,
        probe: &Probe<'_>,
        read: &Read,
        by_path: bool,
    ) -> Result<(Assessment, Kinds), Dropped> {
        let least = self.options.min_confidence;
        let mut brief = self.judge.weigh_briefly(probe, read)?;
        let kinds = match by_path && brief.found.confidence >= least {
            true => self.judge.kinds(probe, &mut brief, least),
            false => Kinds::ALL,
        };
        Ok((brief.found, kinds))
    }
}

/// A sweep under way: the sink that sources push to.
struct Run<'s> {
    sweep: &'s Sweep,
    progress: &'s Progress,
    workers: Pool<Worker>,
}

impl Sink for Run<'_> {
    fn expect(&self, inputs: u64) {
        self.progress.expected.fetch_add(inputs, Ordering::Relaxed);
    }

    fn unit(&self, unit: &Unit<'_>) {
        let mut worker = self.workers.lend(Worker::default);
        self.sweep.scan_unit(unit, Ask::default(), &mut worker);
    }

    fn done(&self, bytes: u64) {
        self.progress.done.fetch_add(1, Ordering::Relaxed);
        self.progress.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn leave_out(&self, path: Arc<str>, reason: Reason, detail: &str) {
        self.progress.done.fetch_add(1, Ordering::Relaxed);
        let mut worker = self.workers.lend(Worker::default);
        worker.outcome.ledger.leave_out(reason, path, detail);
    }
}

//! What a scan leaves for the scan of the same text after a change.

use crate::decode::Document;
use crate::decode::notebook::{Part, Parts};
use crate::detect::keywords::Hit;
use crate::detect::{Candidate, Detector, Far, Known};
use crate::finding::ByteRange;
use crate::judge::place::Kinds;
use crate::rules::{Matcher, RuleDef, RuleRef};
use crate::secret::Secret;
use crate::span::ViewSpan;

/// What was seen in a text besides findings, so that after a change only that has to be looked at
/// which the change can concern. All by bytes of the unit.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    /// Keywords in the text itself.
    pub hits: Vec<Hit>,
    /// Where rules stand that look farther than [`LOCAL`](crate::detect::LOCAL), in the text or in
    /// what is encoded in it.
    pub far: Vec<Far>,
    /// Keywords in what is encoded in the text: where the first byte of each comes from.
    pub coded: Vec<Hit>,
    /// Where rules' patterns fit in the text itself and what is around decides whether that is a
    /// secret, or where the next match of a pattern may start.
    pub live: Vec<u32>,
    /// What the judge takes for secrets under some path, where that is not known.
    pub possible: Vec<Possible>,
    /// The parts of a notebook, those that were known as well; and of any text, whether what was seen in
    /// some part does not depend on that alone.
    pub parts: Parts,
}

/// What is taken for a secret, and may be a finding under some kinds of path, unless there another takes
/// its place.
#[derive(Clone, Debug)]
pub struct Possible {
    pub rule: RuleRef,
    pub secret: Secret,
    /// Where it starts and ends in the whole input.
    pub bytes: ByteRange,
    pub kinds: Kinds,
    /// Whether it stands in what is encoded in the text.
    pub coded: bool,
    /// Whether it is sure enough to be a finding. Others are only hidden in what findings show.
    pub sure: bool,
    /// Whether its rule looks farther than most.
    pub far: bool,
    /// Whether that it is found may hang on what the rule matched before.
    pub chained: bool,
}

/// What is asked of a unit; by default, all findings.
#[derive(Clone, Copy, Default)]
pub struct Ask<'a> {
    /// Where to look.
    pub focus: Option<Focus<'a>>,
    /// Of which secrets findings are made. The others are only hidden in what these show.
    pub wanted: Option<&'a Wanted<'a>>,
    /// Where secrets are known to stand, in order. What is taken for one elsewhere is so because
    /// only parts of the text are looked at.
    pub known: Option<&'a [ViewSpan]>,
    /// Parts of a notebook that need not be read, as it is known what they hold: the same bytes were such
    /// parts of another.
    pub parts: &'a [Part],
}

/// Tells whether a rule's find of a secret is wanted.
pub type Wanted<'a> = dyn Fn(&RuleRef, &Secret) -> bool + 'a;

/// What of a text is to be looked at, for one whose keywords are known.
#[derive(Clone, Copy, Debug)]
pub struct Focus<'f> {
    /// Keywords in the text itself.
    pub hits: &'f [Hit],
    /// Where encodings are looked for, in order and apart.
    pub lines: &'f [ViewSpan],
    /// How far what is found there is opened.
    pub bounds: ViewSpan,
    /// What the rules must look at to be tried in the text itself, in order; without, all are.
    pub stirred: Option<&'f [ViewSpan]>,
    /// All keywords in the text itself, where they are at hand.
    pub known: Option<Known<'f>>,
}

impl Traces {
    pub(super) fn clear(&mut self) {
        self.hits.clear();
        self.far.clear();
        self.coded.clear();
        self.live.clear();
        self.possible.clear();
        self.parts = Parts::default();
    }

    /// Adds what fits in the text itself; `open` when it does not tell by itself that it is no secret.
    pub(super) fn add_candidate(&mut self, candidate: &Candidate, rule: &RuleDef, open: bool) {
        let start = match candidate.name {
            Some(name) => name.start,
            None => candidate.matched.start,
        };
        if open || matches!(rule.matcher, Matcher::Regex { .. }) {
            self.live.push(start);
        }
    }

    /// Adds the keywords of one view. Of a notebook they are not asked for.
    pub(super) fn add(
        &mut self,
        detector: &Detector,
        document: &Document<'_>,
        view: usize,
        hits: &[Hit],
    ) {
        if document.is_notebook() {
            return;
        }
        if view == 0 {
            self.hits.extend_from_slice(hits);
        }
        for hit in hits {
            let hit = match view {
                0 => *hit,
                _ => {
                    let start = document.origin(view, hit.start);
                    let hit = Hit {
                        start,
                        end: start + 1,
                        keyword: hit.keyword,
                    };
                    self.coded.push(hit);
                    hit
                }
            };
            self.far.extend(detector.far(&hit));
        }
    }
}

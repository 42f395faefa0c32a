//! From judged candidates of one document to findings that can be shown.

use std::borrow::Cow;
use std::cell::OnceCell;

use smallvec::SmallVec;

use super::copies::Copies;
use super::names::Told;
use super::{Judged, Sweep};
use crate::decode::{Document, Layer, Located};
use crate::finding::{ByteRange, Finding, Fingerprint, Frame, NotebookPlace};
use crate::host::{HostPlace, Spot, Survey};
use crate::rules::{Kind, RuleRef};
use crate::secret::Secret;
use crate::span::{LineIndex, Position, SpanSet, ViewSpan, Width};
use crate::unit::Unit;

/// Bytes of a line shown on either side of a secret.
const REACH: usize = 60;
/// Longer values have lines of their own.
const LONGEST_COPY: usize = 1 << 10;
/// A value with fewer bits than this by its character counts could be guessed from its hash.
const STRONG_BITS: f32 = 80.0;

/// A document with everything that the judge took for a secret in it.
pub(super) struct Assembly<'a> {
    sweep: &'a Sweep,
    unit: &'a Unit<'a>,
    document: &'a Document<'a>,
    judged: &'a [Judged],
    /// What the path tells.
    told: &'a Told,
    located: Vec<Located>,
    /// The bytes of all of them.
    secret: SpanSet,
    /// Their values, as they stand in their views and decoded.
    copies: Copies<'a>,
    lines: LineIndex<'a>,
    /// Made with the first finding.
    survey: OnceCell<Survey<'a>>,
}

/// Whether a value has too many forms to be guessed, as far as its signs tell.
fn is_strong(value: &[u8]) -> bool {
    entropy::shannon_entropy(value) * value.len() as f32 >= STRONG_BITS
}

/// Whether a value looks made by a machine: people think up none of that length.
fn is_made(value: &[u8]) -> bool {
    value.len() >= 24 && value.iter().any(u8::is_ascii_digit)
}

/// Whether nobody can guess a value of which no rule tells that it is made by a machine.
pub(super) fn is_unguessable(value: &[u8]) -> bool {
    is_strong(value) && is_made(value)
}

impl<'a> Assembly<'a> {
    pub fn new(
        sweep: &'a Sweep,
        unit: &'a Unit<'a>,
        (document, judged): (&'a Document<'a>, &'a [Judged]),
        told: &'a Told,
    ) -> Self {
        let located: Vec<Located> = judged
            .iter()
            .map(|j| document.locate(j.view, j.assessment.secret))
            .collect();
        let mut secret = SpanSet::default();
        for span in located.iter().flat_map(|located| &located.source) {
            secret.insert(*span);
        }
        let values = judged.iter().flat_map(|judged| {
            let Judged {
                view, assessment, ..
            } = judged;
            let stands = &document.view(*view).text[assessment.secret.range()];
            [stands, assessment.value.as_deref().unwrap_or_default()]
        });
        let copies = Copies::of(values);
        let lines = LineIndex::new(document.text());
        Self {
            sweep,
            unit,
            document,
            judged,
            told,
            located,
            secret,
            copies,
            lines,
            survey: OnceCell::new(),
        }
    }

    pub fn located(&self, index: usize) -> &Located {
        &self.located[index]
    }

    pub fn rule(&self, index: usize) -> &RuleRef {
        self.sweep
            .rules()
            .get(self.judged[index].candidate.rule as usize)
    }

    /// The secret, decoded.
    pub fn value(&self, index: usize) -> &[u8] {
        self.judged[index].value(self.document)
    }

    /// Whether a finding of a window is that window's to report.
    pub fn in_core(&self, index: usize) -> bool {
        let start = self.located[index].source.first();
        self.unit.starts_in_core(start.map_or(0, |span| span.start))
    }

    pub fn finding(&self, index: usize) -> Finding {
        let Judged {
            assessment, view, ..
        } = &self.judged[index];
        let located = &self.located[index];
        let rule = self.rule(index).clone();
        let text = (
            located.text.first().map_or(0, |span| span.start),
            located.text.last().map_or(0, |span| span.end),
        );
        let name = self.name(index);
        let mut assessment = assessment.clone();
        assessment.hush(|said| self.copies.are_in(said));
        let base = self.unit.before.bytes;
        let ((start, from), (end, to)) = (self.position(text.0), self.position(text.1));
        Finding {
            title: assessment.title.unwrap_or_else(|| rule.title.clone()),
            grants: assessment.grants.unwrap_or_else(|| rule.grants.clone()),
            rotate: assessment
                .rotated_as
                .and_then(|id| self.sweep.rules().find(id))
                .map_or_else(|| rule.rotate.clone(), |other| other.rotate.clone()),
            severity: assessment.severity,
            confidence: assessment.confidence,
            reasons: assessment.reasons,
            proof: assessment.proof,
            explanation: assessment.explanation,
            secret: Secret::new(self.value(index)),
            bytes: located
                .source
                .iter()
                .map(|s| ByteRange {
                    start: base + u64::from(s.start),
                    end: base + u64::from(s.end),
                })
                .collect(),
            start,
            end,
            utf16: (from, to),
            notebook: self.notebook_place(located),
            layers: self.layers(*view),
            host: self.host(index),
            fingerprint: self.fingerprint(index, &rule, name.as_deref()),
            frame: self.frame(index),
            trace: None,
            origin: self.unit.origin.clone(),
            shown_path: self.told.shown(&self.unit.origin.path),
            name,
            rule,
        }
    }

    /// The name that the value is given, unless that tells a secret itself: names are printed.
    fn name(&self, index: usize) -> Option<Box<str>> {
        let Judged {
            candidate, view, ..
        } = &self.judged[index];
        let span = candidate.name?;
        let name = &self.document.view(*view).text[span.range()];
        let tells = span.range().any(|at| self.is_secret(*view, at)) || self.copies.are_in(name);
        (!tells).then(|| String::from_utf8_lossy(name).into())
    }

    /// The context of a finding among those that the file as a whole allows.
    fn host(&self, index: usize) -> HostPlace {
        let start = |located: &Located| located.text.first().map_or(0, |span| span.start);
        let survey = self.survey.get_or_init(|| {
            let starts: Vec<u32> = self.located.iter().map(start).collect();
            let path = &self.unit.origin.path;
            Survey::new(
                path,
                self.document.text(),
                self.document.is_notebook(),
                &starts,
            )
        });
        let located = &self.located[index];
        let Judged {
            view, assessment, ..
        } = &self.judged[index];
        let stretch = self.document.view(*view).stretch(assessment.secret.start);
        let in_cell = assessment.secret.start - stretch.start;
        let cell = located.place_line.map(|_| {
            let text = &self.document.view(*view).text[stretch.range()];
            (self.document.place(located.place).role, text)
        });
        let mut place = survey.place(Spot {
            offset: start(located),
            cell,
            in_cell: Some(in_cell),
        });
        // What reads as a key may itself hold a secret, and keys are printed.
        place.keys.retain(|key| !self.copies.are_in(key.as_bytes()));
        place
            .label
            .take_if(|label| self.copies.are_in(label.as_bytes()));
        place
    }

    /// Line and column in the whole input, and the column in UTF-16 code units.
    fn position(&self, offset: u32) -> (Position, u32) {
        let before = &self.unit.before;
        let (line, width) = self.lines.line_and_width(offset);
        let carried = match line {
            1 => before.columns,
            _ => Width::default(),
        };
        let Width { chars, utf16 } = carried + width;
        let position = Position {
            line: line + before.lines as u32,
            column: chars + 1,
        };
        (position, utf16 + 1)
    }

    /// The encodings around a view, outermost first; plain text and notebook cells are none.
    fn layers(&self, view: usize) -> SmallVec<[Layer; 2]> {
        let chain = self.document.chain(view).into_iter();
        chain
            .filter(|layer| !matches!(layer, Layer::Text | Layer::Notebook))
            .collect()
    }

    fn notebook_place(&self, located: &Located) -> Option<NotebookPlace> {
        let line = located.place_line?;
        let place = self.document.place(located.place);
        Some(NotebookPlace {
            role: place.role,
            cell: place.cell,
            output: place.output,
            mime: place
                .mime
                .clone()
                .filter(|mime| !self.copies.are_in(mime.as_bytes())),
            line,
        })
    }

    /// A strong value names itself, under the key. One that could be guessed from a published hash
    /// stays out of it: rule, path and name stand for it. So it does for what of the path could be.
    fn fingerprint(&self, index: usize, rule: &RuleRef, name: Option<&str>) -> Fingerprint {
        let value = self.value(index);
        let strong = is_strong(value) && (rule.kind != Kind::Generic || is_made(value));
        let named: &[u8] = if strong {
            value
        } else {
            name.unwrap_or_default().as_bytes()
        };
        let path = self.told.hashed(&self.unit.origin.path, value);
        let parts = [
            if strong { &b"value"[..] } else { b"name" },
            rule.id.as_bytes(),
            path.as_bytes(),
            named,
        ];
        Fingerprint(self.sweep.options.fingerprint_key.hash(parts))
    }

    /// The line around a secret. Each byte that comes from any judged secret's bytes is masked,
    /// also those of secrets seen only in another view.
    fn frame(&self, index: usize) -> Frame {
        let Judged {
            view, assessment, ..
        } = &self.judged[index];
        let secret = assessment.secret;
        let stretch = self.document.view(*view).stretch(secret.start);
        let text = &self.document.view(*view).text[..];
        let from = (secret.start as usize)
            .saturating_sub(REACH)
            .max(stretch.start as usize);
        let to = (secret.end as usize + REACH).min(stretch.end as usize);
        let before = &text[from..secret.start as usize];
        let after = &text[secret.end as usize..to.max(secret.end as usize)];
        let cut = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at + 1);
        let end = memchr::memchr2(b'\n', b'\r', after).unwrap_or(after.len());
        Frame {
            before: self.masked(*view, from + cut, secret.start as usize),
            mask: Secret::new(self.value(index)).masked(),
            after: self.masked(*view, secret.end as usize, secret.end as usize + end),
        }
    }

    /// Text of a view with the bytes of all secrets starred, copies of their values too, and control
    /// characters made harmless.
    fn masked(&self, view: usize, start: usize, end: usize) -> String {
        let text = &self.document.view(view).text;
        let star = |(at, byte): (usize, &u8)| match self.is_secret(view, at) {
            true => b'*',
            false => *byte,
        };
        let mut bytes: Vec<u8> = (start..).zip(&text[start..end]).map(star).collect();
        // A copy may begin before what is shown or end after it.
        let reach = self.copies.longest().min(LONGEST_COPY);
        let (from, to) = (start.saturating_sub(reach), (end + reach).min(text.len()));
        for copy in self.copies.find(&text[from..to]) {
            let shown = (from + copy.start).max(start)..(from + copy.end).min(end);
            if let Some(shown) = bytes.get_mut(shown.start - start..shown.end.max(start) - start) {
                shown.fill(b'*');
            }
        }
        let shown: Cow<'_, str> = String::from_utf8_lossy(&bytes);
        let mut line = String::with_capacity(shown.len());
        for c in shown.chars() {
            if c == '*' && line.ends_with("********") {
                continue;
            }
            line.push(if c.is_control() && c != '\t' {
                '\u{b7}'
            } else {
                c
            });
        }
        line
    }

    fn is_secret(&self, view: usize, at: usize) -> bool {
        let own = self.document.locate(view, ViewSpan::new(at, at + 1)).source;
        own.iter().any(|span| self.secret.overlaps(*span))
    }
}

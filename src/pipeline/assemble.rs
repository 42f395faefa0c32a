//! From judged candidates of one document to findings that can be shown.

use std::borrow::Cow;
use std::cell::OnceCell;

use smallvec::SmallVec;

use super::{Judged, Sweep};
use crate::decode::{Document, Layer, Located};
use crate::finding::{ByteRange, Finding, Fingerprint, Frame, NotebookPlace};
use crate::host::{HostPlace, Spot, Survey};
use crate::rules::{Kind, RuleRef};
use crate::secret::Secret;
use crate::span::{LineIndex, Position, SourceSpan, ViewSpan};
use crate::unit::Unit;

/// Bytes of a line shown on either side of a secret.
const REACH: usize = 60;
/// A value with fewer bits than this by its character counts could be guessed from its hash.
const STRONG_BITS: f32 = 80.0;

/// A document with everything that the judge took for a secret in it.
pub(super) struct Assembly<'a> {
    sweep: &'a Sweep,
    unit: &'a Unit<'a>,
    document: &'a Document<'a>,
    judged: &'a [Judged],
    located: Vec<Located>,
    lines: LineIndex<'a>,
    /// Made with the first finding.
    survey: OnceCell<Survey<'a>>,
}

impl<'a> Assembly<'a> {
    pub fn new(
        sweep: &'a Sweep,
        unit: &'a Unit<'a>,
        document: &'a Document<'a>,
        judged: &'a [Judged],
    ) -> Self {
        let located = judged
            .iter()
            .map(|j| document.locate(j.view, j.assessment.secret))
            .collect();
        let lines = LineIndex::new(document.text());
        Self {
            sweep,
            unit,
            document,
            judged,
            located,
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
        let Judged {
            view, assessment, ..
        } = &self.judged[index];
        match &assessment.value {
            Some(value) => value,
            None => &self.document.view(*view).text[assessment.secret.range()],
        }
    }

    /// Whether a finding of a window is that window's to report.
    pub fn in_core(&self, index: usize) -> bool {
        let start = self.located[index]
            .source
            .first()
            .map_or(0, |span| span.start);
        self.unit
            .core
            .as_ref()
            .is_none_or(|core| core.contains(&start))
    }

    pub fn finding(&self, index: usize) -> Finding {
        let Judged {
            assessment,
            candidate,
            view,
        } = &self.judged[index];
        let located = &self.located[index];
        let rule = self.rule(index).clone();
        let text = (
            located.text.first().map_or(0, |span| span.start),
            located.text.last().map_or(0, |span| span.end),
        );
        // What reads as a name may itself hold another secret, and names are printed.
        let tells = |span: &ViewSpan| span.range().any(|at| self.is_secret(*view, at));
        let name = candidate.name.filter(|span| !tells(span)).map(|span| {
            let name = &self.document.view(*view).text[span.range()];
            String::from_utf8_lossy(name).into()
        });
        let base = self.unit.before.bytes;
        Finding {
            title: assessment
                .title
                .clone()
                .unwrap_or_else(|| rule.title.clone()),
            grants: assessment
                .grants
                .clone()
                .unwrap_or_else(|| rule.grants.clone()),
            severity: assessment.severity,
            confidence: assessment.confidence,
            reasons: assessment.reasons.clone(),
            proof: assessment.proof.clone(),
            secret: Secret::new(self.value(index)),
            bytes: located
                .source
                .iter()
                .map(|s| ByteRange {
                    start: base + u64::from(s.start),
                    end: base + u64::from(s.end),
                })
                .collect(),
            start: self.position(text.0),
            end: self.position(text.1),
            utf16: (self.utf16_column(text.0), self.utf16_column(text.1)),
            notebook: self.notebook_place(located),
            layers: self.layers(*view),
            host: self.host(index),
            fingerprint: self.fingerprint(index, &rule, name.as_deref()),
            frame: self.frame(index),
            trace: None,
            origin: self.unit.origin.clone(),
            name,
            rule,
        }
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
        place.keys.retain(|key| !self.tells(key.as_bytes()));
        place.label.take_if(|label| self.tells(label.as_bytes()));
        place
    }

    /// Whether a text quotes one of the values; those of a letter or three are in every text.
    fn tells(&self, text: &[u8]) -> bool {
        (0..self.judged.len()).any(|index| {
            let value = self.value(index);
            (4..=text.len()).contains(&value.len()) && memchr::memmem::find(text, value).is_some()
        })
    }

    /// Line and column in the whole input.
    fn position(&self, offset: u32) -> Position {
        let mut position = self.lines.position(offset);
        if position.line == 1 {
            position.column += self.unit.before.columns as u32;
        }
        position.line += self.unit.before.lines as u32;
        position
    }

    fn utf16_column(&self, offset: u32) -> u32 {
        let line = self.lines.position(offset).line;
        let start = self.lines.line_start(line) as usize;
        let text = self.document.text();
        let before =
            String::from_utf8_lossy(&text[start..(offset as usize).max(start).min(text.len())]);
        let carried = if line == 1 {
            self.unit.before.columns as u32
        } else {
            0
        };
        before.encode_utf16().count() as u32 + carried + 1
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
            mime: place.mime.clone(),
            line,
        })
    }

    /// A strong value names itself, under the key. One that could be guessed from a published hash
    /// stays out of it: rule, path and name stand for it.
    fn fingerprint(&self, index: usize, rule: &RuleRef, name: Option<&str>) -> Fingerprint {
        let value = self.value(index);
        let bits = entropy::shannon_entropy(value) * value.len() as f32;
        let strong = bits >= STRONG_BITS
            && (rule.kind != Kind::Generic
                || value.len() >= 24 && value.iter().any(u8::is_ascii_digit));
        let named: &[u8] = if strong {
            value
        } else {
            name.unwrap_or_default().as_bytes()
        };
        let parts = [
            if strong { &b"value"[..] } else { b"name" },
            rule.id.as_bytes(),
            self.unit.origin.path.as_bytes(),
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

    /// Text of a view with the bytes of all secrets starred and control characters made harmless.
    fn masked(&self, view: usize, start: usize, end: usize) -> String {
        let text = &self.document.view(view).text;
        let bytes: Vec<u8> = (start..end)
            .map(|at| {
                if self.is_secret(view, at) {
                    b'*'
                } else {
                    text[at]
                }
            })
            .collect();
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
        let hides = |span: &SourceSpan| own.iter().any(|o| o.overlaps(*span));
        self.located
            .iter()
            .any(|located| located.source.iter().any(hides))
    }
}

//! From a match to a verdict: is it a secret, how sure, how bad, and what proves it offline.
//!
//! The detector says where a rule's pattern fits. The judge drops what cannot be a secret
//! (placeholders, references, emulator keys), runs the rule's named [checks](crate::rules::check),
//! and says why in words. It reads the text around and a clock, nothing else.

pub mod checks;
mod gates;
pub mod generic;
pub mod place;
pub mod placeholder;
mod published;
pub mod readings;
pub mod reference;
pub mod structure;

use std::borrow::Cow;

use crate::rules::{Kind, Level, Matcher, RuleDef, Severity};
use crate::span::ViewSpan;
use generic::model::{Explanation, Model};
use place::{Kinds, Place};
use placeholder::Placeholders;
use published::Published;

/// A match, with all that a check may look at.
#[derive(Clone, Copy)]
pub struct Probe<'a> {
    /// The text of the view.
    pub text: &'a [u8],
    /// The stretch of `text` that belongs together; looking outside means reading another cell.
    pub stretch: ViewSpan,
    /// The whole match.
    pub matched: ViewSpan,
    /// The group named `secret`.
    pub secret: ViewSpan,
    pub rule: &'a RuleDef,
    /// The name to which the value is assigned; empty where there is none.
    pub name: &'a [u8],
    /// Whether quotes or tags delimit the value of an assignment.
    pub quoted: bool,
    /// What the path, and the part of a notebook, say of the text.
    pub place: Place,
    /// Whether generic values are kept whatever their score, as training needs them.
    pub thorough: bool,
    /// Whether the text is library code or the like, where names say nothing.
    pub machine_made: bool,
    /// The present, in seconds since 1970, for expiry.
    pub now: i64,
}

impl<'a> Probe<'a> {
    /// Whether the rule goes by a name near its value rather than by a mark of that.
    pub fn is_named(&self) -> bool {
        matches!(self.rule.kind, Kind::Generic | Kind::Context)
    }

    pub fn value(&self) -> &'a [u8] {
        &self.text[self.secret.range()]
    }

    /// The text up to `bytes` before the secret, within the stretch.
    pub fn before(&self, bytes: usize) -> &'a [u8] {
        let end = self.secret.start as usize;
        let start = end.saturating_sub(bytes).max(self.stretch.start as usize);
        &self.text[start..end]
    }

    /// The text up to `bytes` after the secret, within the stretch.
    pub fn after(&self, bytes: usize) -> &'a [u8] {
        let start = self.secret.end as usize;
        let end = (start + bytes).min(self.stretch.end as usize);
        &self.text[start..end.max(start)]
    }

    /// The line that holds the secret, cut to `reach` bytes on either side.
    pub fn line(&self, reach: usize) -> ViewSpan {
        let before = self.before(reach);
        let after = self.after(reach);
        let start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at + 1);
        let end = memchr::memchr2(b'\n', b'\r', after).unwrap_or(after.len());
        ViewSpan::new(
            self.secret.start as usize - (before.len() - start),
            self.secret.end as usize + end,
        )
    }
}

/// What makes a find certain without asking anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub kind: ProofKind,
    /// In words, such as `Marvin32 with the seed of a Service Bus key that may only send`.
    pub detail: Cow<'static, str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProofKind {
    /// A sum inside the value holds.
    Checksum,
    /// The value parses into what it claims to be.
    Structure,
}

impl ProofKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Checksum => "checksum",
            Self::Structure => "structure",
        }
    }
}

/// What is known of a match. Starts from the rule's word; checks move it.
#[derive(Clone, Debug)]
pub struct Assessment {
    pub severity: Severity,
    pub confidence: Level,
    /// Why the confidence and severity are what they are. Never quotes the value.
    pub reasons: Vec<Cow<'static, str>>,
    pub proof: Option<Proof>,
    /// A more exact title than the rule's, such as the service that a key names.
    pub title: Option<Cow<'static, str>>,
    /// A more exact word than the rule's on what the secret opens.
    pub grants: Option<Cow<'static, str>>,
    /// The id of the rule whose steps rotate it, when it turned out to be another service's.
    pub rotated_as: Option<&'static str>,
    /// Where the secret is, when a check knows better than the regex.
    pub secret: ViewSpan,
    /// The secret decoded, when it is not the text of its span.
    pub value: Option<Vec<u8>>,
    /// What the model of generic secrets added up.
    pub explanation: Option<Explanation>,
}

impl Assessment {
    pub fn of(probe: &Probe<'_>) -> Self {
        Self {
            severity: probe.rule.severity,
            confidence: probe.rule.confidence,
            reasons: Vec::new(),
            proof: None,
            title: None,
            grants: None,
            rotated_as: None,
            secret: probe.secret,
            value: None,
            explanation: None,
        }
    }

    pub fn because(&mut self, reason: impl Into<Cow<'static, str>>) {
        self.reasons.push(reason.into());
    }

    pub fn prove(&mut self, kind: ProofKind, detail: impl Into<Cow<'static, str>>) {
        self.proof = Some(Proof {
            kind,
            detail: detail.into(),
        });
        self.confidence = Level::High;
    }

    /// Takes out every text that `quotes` a secret, as when a password is also the name of its
    /// host. Fixed texts quote nothing.
    pub fn hush(&mut self, quotes: impl Fn(&[u8]) -> bool) {
        let quotes = |said: &Cow<'static, str>| match said {
            Cow::Borrowed(_) => false,
            Cow::Owned(said) => quotes(said.as_bytes()),
        };
        self.reasons.retain(|reason| !quotes(reason));
        self.title.take_if(|title| quotes(title));
        self.grants.take_if(|grants| quotes(grants));
        if let Some(proof) = self.proof.as_mut().filter(|proof| quotes(&proof.detail)) {
            proof.detail = proof.kind.name().into();
        }
    }

    /// One step less sure, and why.
    pub fn doubt(&mut self, reason: impl Into<Cow<'static, str>>) {
        self.confidence = self.confidence.lower();
        self.because(reason);
    }
}

/// Why a match is not reported. Static, so that it cannot quote the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped(pub &'static str);

const IS_NAME: Dropped = Dropped("is a name, not a value");

/// What a match says by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// For a rule that leaves the value to the model.
    generic: Option<generic::Read>,
}

/// A match that is taken for a secret, without all reasons.
pub struct Brief {
    pub found: Assessment,
    /// What was seen around one that was left to the model.
    around: Option<generic::features::Features>,
}

/// Decides what is a secret.
pub struct Judge {
    placeholders: Placeholders,
    model: Model,
    published: Published,
}

impl Default for Judge {
    fn default() -> Self {
        Self::new()
    }
}

impl Judge {
    pub fn new() -> Self {
        Self {
            placeholders: Placeholders::new(),
            model: Model::built_in(),
            published: Published::new(),
        }
    }

    /// Judges a match.
    ///
    /// # Errors
    /// When it is no secret, with the reason.
    pub fn assess(&self, probe: &Probe<'_>) -> Result<Assessment, Dropped> {
        self.read(probe).and_then(|read| self.weigh(probe, &read))
    }

    /// Reads what a match says by itself. Text outside of it is not looked at, so what is dropped here
    /// is dropped wherever in a file it stands.
    ///
    /// # Errors
    /// When it is no secret, with the reason.
    pub fn read(&self, probe: &Probe<'_>) -> Result<Read, Dropped> {
        gates::randomness(probe)?;
        if probe.is_named() && probe.machine_made {
            return Err(Dropped("a name in machine-made text says nothing"));
        }
        let name = match probe.rule.matcher {
            Matcher::Assignment => Some(generic::name(probe)?),
            _ => None,
        };
        if let Some(reason) = self.placeholders.reason(probe.value()) {
            return Err(Dropped(reason));
        }
        if structure::connection::is_emulator_key(probe.value()) {
            return Err(Dropped("is the emulator's public key"));
        }
        if probe.is_named() && is_name_word(probe.value()) {
            return Err(IS_NAME);
        }
        // A rule that says nothing of its value leaves that to the model.
        let generic = name.map(|name| generic::read(probe, name, &self.model));
        Ok(Read {
            generic: generic.transpose()?,
        })
    }

    /// Judges a match by what stands around.
    ///
    /// # Errors
    /// When it is no secret, with the reason.
    pub fn weigh(&self, probe: &Probe<'_>, read: &Read) -> Result<Assessment, Dropped> {
        self.weigh_by(probe, read, |read, found| {
            generic::judge(probe, read, &self.model, found)
        })
    }

    /// Judges in the same way a match of which no more is asked than whether it is a secret, how sure, and
    /// where: most of its reasons are not put into words.
    ///
    /// # Errors
    /// When it is no secret, with the reason.
    pub fn weigh_briefly(&self, probe: &Probe<'_>, read: &Read) -> Result<Brief, Dropped> {
        let mut around = None;
        let found = self.weigh_by(probe, read, |read, found| {
            around = Some(generic::judge_briefly(probe, read, &self.model, found)?);
            Ok(())
        })?;
        Ok(Brief { found, around })
    }

    fn weigh_by(
        &self,
        probe: &Probe<'_>,
        read: &Read,
        generic: impl FnOnce(&generic::Read, &mut Assessment) -> Result<(), Dropped>,
    ) -> Result<Assessment, Dropped> {
        gates::pass(probe)?;
        if probe.is_named() {
            if let Some(reason) = reference::reason(probe) {
                return Err(Dropped(reason));
            }
            if is_own_name(probe) {
                return Err(IS_NAME);
            }
        }
        let mut found = Assessment::of(probe);
        if let Some(read) = &read.generic {
            generic(read, &mut found)?;
        }
        if let Matcher::AssignedValue { .. } = probe.rule.matcher
            && let Some(reason) = generic::reject::of_any(probe)
        {
            return Err(Dropped(reason));
        }
        for check in probe.rule.checks.iter() {
            checks::run(*check, probe, &self.placeholders, &mut found)?;
        }
        let value = &probe.text[found.secret.range()];
        if found.proof.is_none() && is_cut_off(probe) {
            return Err(Dropped("an ellipsis stands for the rest"));
        }
        if self.published.has(value) {
            return Err(Dropped("is printed as an example in a standard or manual"));
        }
        Ok(found)
    }

    /// Under which kinds of path a match may be a finding of this confidence that is one under the
    /// [most telling](Place::MOST_TELLING) of all. What bears a mark of its own is one under all.
    pub fn kinds(&self, probe: &Probe<'_>, brief: &mut Brief, least: Level) -> Kinds {
        if !probe.is_named() {
            return Kinds::ALL;
        }
        let places = place::Kind::ALL.into_iter().map(Place::most_telling);
        if let (Some(features), []) = (brief.around.take(), &*probe.rule.checks) {
            return generic::kinds(probe, features, (&self.model, least), places);
        }
        let is_one = |place: &Place| {
            let place = *place;
            let found = self.assess(&Probe { place, ..*probe });
            found.is_ok_and(|found| found.confidence >= least)
        };
        let kinds: Kinds = places.filter(is_one).map(|place| place.kind).collect();
        kinds.of_all_files()
    }
}

/// Whether an ellipsis takes the value's place from where the match ends.
fn is_cut_off(probe: &Probe<'_>) -> bool {
    let next = probe.after(3);
    next == b"..." || next == "\u{2026}".as_bytes()
}

/// Whether a value repeats the name that stands right before it, as in `{ pw: pw }`.
fn is_own_name(probe: &Probe<'_>) -> bool {
    const GLUE: &[u8] = b" \t\"'=:`[](){}";
    let value = probe.value();
    let before = probe.before(value.len() + 16);
    let end = before
        .iter()
        .rposition(|b| !GLUE.contains(b))
        .map_or(0, |at| at + 1);
    before[..end].ends_with(value)
}

/// Whether a value is a name for such values: `password=password`, or in a list of names
/// `DB_PASSWORD`, `sasl.password`, `administratorLoginPassword`.
fn is_name_word(value: &[u8]) -> bool {
    const WORDS: [&[u8]; 9] = [
        b"pass",
        b"password",
        b"passwd",
        b"pwd",
        b"secret",
        b"token",
        b"key",
        b"credential",
        b"passphrase",
    ];
    let joins = |b: &u8| matches!(b, b'_' | b'-' | b'.');
    if !value.iter().all(|b| b.is_ascii_alphabetic() || joins(b)) {
        return false;
    }
    let last = value.rsplit(joins).next().unwrap_or(value);
    if WORDS.iter().any(|word| last.eq_ignore_ascii_case(word)) {
        return true;
    }
    // Words joined by their capitals; two alone may be somebody's idea of a password.
    let humps = value.iter().filter(|b| b.is_ascii_uppercase()).count();
    let last = value.iter().rposition(u8::is_ascii_uppercase).unwrap_or(0);
    let lower = value.first().is_some_and(u8::is_ascii_lowercase);
    let is_word = |word: &&[u8]| value[last..].eq_ignore_ascii_case(word);
    humps >= 2 && lower && WORDS.iter().any(is_word)
}

#[cfg(test)]
mod tests;

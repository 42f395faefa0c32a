//! Values that a name alone calls secret.
//!
//! First comes what cannot be a secret, each thing with its reason ([`reject`]). What is left is
//! weighed: its [`features`] are numbers that a person can read, and a linear [`model`] with weights
//! from `patterns/generic/model.toml` adds them up. Its score decides between high, medium and low
//! confidence and silence, and its weightiest parts are the reasons that a finding gives.
//!
//! A verdict depends on the path and on the text within [`features::FARTHEST`] bytes of the value, in
//! one stretch, so a sweep over changed text need not read more.

mod company;
pub mod features;
pub mod model;
mod name;
pub mod reject;
pub mod words;

use super::place::{Kinds, Place};
use super::structure::text::contains_any_ci;
use super::{Assessment, Dropped, Probe, reference};
use crate::checksum::his::{self, HisVerdict};
use crate::checksum::key84::{self, Key84Verdict};
use crate::rules::Level;
use features::Features;
use model::{Explanation, Model, THRESHOLDS};
use name::{Name, Promise};

/// How many reasons a finding gives for and against.
const REASONS: (usize, usize) = (3, 1);

/// What an assignment says by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    name: Name,
    /// Without those of the text around.
    features: Features,
}

/// Why the value of an assignment says nothing in its favour.
const AGAINST: Dropped = Dropped("the name and the value speak against a secret");

/// Reads the name that an assignment gives its value. Most are told by it, or by the length of the
/// value, to be none of interest.
///
/// # Errors
/// When the value is no secret, with the reason.
pub fn name(probe: &Probe<'_>) -> Result<Name, Dropped> {
    if probe.value().len() < reject::SHORTEST {
        return Err(Dropped("too short for a secret"));
    }
    let name = features::name_of(probe);
    match reject::at_once(probe, &name) {
        Some(reason) => Err(Dropped(reason)),
        None => Ok(name),
    }
}

/// Reads the value of an assignment whose name was read.
///
/// # Errors
/// When it is no secret whatever stands around, with the reason.
pub fn read(probe: &Probe<'_>, name: Name, model: &Model) -> Result<Read, Dropped> {
    if let Some(reason) = reject::of_value(probe.value(), &name) {
        return Err(Dropped(reason));
    }
    let features = Features::of_match(probe, &name);
    if model.most(&features) < THRESHOLDS[0] && !probe.thorough {
        return Err(AGAINST);
    }
    Ok(Read { name, features })
}

/// Judges an assignment by what stands around.
///
/// # Errors
/// When the value is no secret, with the reason.
pub fn judge(
    probe: &Probe<'_>,
    read: &Read,
    model: &Model,
    found: &mut Assessment,
) -> Result<(), Dropped> {
    let (features, level) = look_around(probe, read, model)?;
    found.confidence = level;
    let mut explanation = model.explain(&features);
    explanation.features = probe.thorough.then(|| Box::new(features));
    tell(&explanation, found);
    if let Some(doubt) = doubt(probe, &read.name) {
        found.confidence = Level::Low;
        explanation.capped = true;
        found.because(doubt);
    }
    found.explanation = Some(explanation);
    Ok(())
}

/// Judges in the same way without a word on why; gives what was seen around as well.
///
/// # Errors
/// When the value is no secret, with the reason.
pub fn judge_briefly(
    probe: &Probe<'_>,
    read: &Read,
    model: &Model,
    found: &mut Assessment,
) -> Result<Features, Dropped> {
    let (features, level) = look_around(probe, read, model)?;
    found.confidence = match doubt(probe, &read.name) {
        Some(_) => Level::Low,
        None => level,
    };
    Ok(features)
}

/// Adds what stands around to what an assignment says, and how sure that makes of it.
fn look_around(
    probe: &Probe<'_>,
    read: &Read,
    model: &Model,
) -> Result<(Features, Level), Dropped> {
    if let Some(reason) = reject::reason(probe) {
        return Err(Dropped(reason));
    }
    let mut features = read.features.clone();
    model.look_around(probe, &mut features);
    let level = level(probe, model.score(&features)).ok_or(AGAINST)?;
    Ok((features, level))
}

/// Under which of the places an assignment is taken for a secret with this confidence, if in its own
/// it is, from which they differ in the kind of their path only. What was asked of the text around holds
/// for all; and a doubt that holds under all has not kept it from being one.
pub fn kinds(
    probe: &Probe<'_>,
    mut features: Features,
    (model, least): (&Model, Level),
    places: impl Iterator<Item = Place>,
) -> Kinds {
    let is_one = |place: &Place| {
        let probe = Probe {
            place: *place,
            ..*probe
        };
        let level = level(&probe, model.score(features.move_to(&probe)));
        level.is_some_and(|level| level >= least) && reject::by_kind(&probe).is_none()
    };
    places.filter(is_one).map(|place| place.kind).collect()
}

/// How sure a score is; without, not at all.
fn level(probe: &Probe<'_>, score: f32) -> Option<Level> {
    let [low, medium, high] = THRESHOLDS;
    match score {
        score if score >= high => Some(Level::High),
        score if score >= medium => Some(Level::Medium),
        score if score >= low || probe.thorough => Some(Level::Low),
        _ => None,
    }
}

/// What keeps the confidence low whatever the score.
fn doubt(probe: &Probe<'_>, name: &Name) -> Option<&'static str> {
    if name.passing {
        return Some("a token that names a page or a request opens nothing");
    }
    if has_wrong_sum(probe.value()) {
        return Some("has a key's mark, but its checksum does not hold");
    }
    is_request_id(probe, name).then_some("a UUID that names a request or a change")
}

/// Whether a UUID stands by a token's name that speaks of no way to sign in: what such tokens do is
/// to make a change happen once.
fn is_request_id(probe: &Probe<'_>, name: &Name) -> bool {
    name.promise == Some(Promise::Token)
        && reference::is_guid(probe.value())
        && (!name.qualified && !name.alone
            || contains_any_ci(probe.name, &["clienttoken", "client_token", "client-token"]))
}

/// Whether a value has the mark of a Microsoft key and not its sum.
fn has_wrong_sum(value: &[u8]) -> bool {
    const MARK: &[u8] = b"JQQJ99";
    let marked = memchr::memmem::find(value, MARK).is_some();
    marked && !matches!(key84::verify(value), Key84Verdict::Verified(_))
        || matches!(his::verify(value), HisVerdict::WrongSum(family) if !family.rewritten)
}

/// Gives the weightiest parts as reasons.
fn tell(explanation: &Explanation, found: &mut Assessment) {
    let parts = explanation.parts.iter();
    let named = |(feature, _): &&(features::Feature, f32)| *feature != features::Feature::Bias;
    for (feature, _) in parts
        .clone()
        .filter(|(_, added)| *added > 0.0)
        .filter(named)
        .take(REASONS.0)
    {
        found.because(feature.words());
    }
    for (feature, _) in parts
        .filter(|(_, added)| *added < 0.0)
        .filter(named)
        .take(REASONS.1)
    {
        found.because(format!("against it: {}", feature.words()));
    }
}

#[cfg(test)]
mod tests;

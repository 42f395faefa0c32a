//! One finding per secret and place.
//!
//! Several rules fit one secret, and one secret is seen in several views (as it stands, and
//! decoded). Those that share source bytes are one find, and the one that says most stays. The
//! plain and the HTML form of one output, or an error and its traceback, show the same value in
//! different bytes: within one output they too are one.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::Judged;
use super::assemble::Assembly;
use crate::decode::Document;
use crate::rules::{Kind, Level};
use crate::span::SpanSet;

/// The indices of those that stay, in the order of their place in the source.
pub(super) fn survivors(
    judged: &[Judged],
    assembly: &Assembly<'_>,
    document: &Document<'_>,
) -> Vec<usize> {
    let mut ranked: Vec<usize> = (0..judged.len()).collect();
    ranked.sort_by_cached_key(|&index| Reverse(rank(index, judged, assembly, document)));
    let mut kept: Vec<usize> = Vec::new();
    let mut taken = SpanSet::default();
    let mut seen = HashSet::new();
    for index in ranked {
        let source = &assembly.located(index).source;
        let overlaps = source.iter().any(|span| taken.overlaps(*span));
        let place = document.place(assembly.located(index).place);
        let twin = place.output.is_some()
            && !seen.insert((place.cell, place.output, assembly.value(index)));
        if !overlaps && !twin {
            source.iter().for_each(|span| taken.insert(*span));
            kept.push(index);
        }
    }
    kept.sort_by_key(|&index| assembly.located(index).source.first().copied());
    kept
}

/// Who says most: proof, then what is likely at all, then the kind of rule and whether it goes above
/// others of that kind, then certainty and gravity, then the most text, the
/// least decoding, and last the order of the rules, so that nothing is left to chance.
fn rank(
    index: usize,
    judged: &[Judged],
    assembly: &Assembly<'_>,
    document: &Document<'_>,
) -> impl Ord + use<> {
    let Judged {
        view,
        candidate,
        assessment,
        ..
    } = &judged[index];
    (
        assessment.proof.as_ref().map(|proof| Reverse(proof.kind)),
        // A guess must not hide what is likely; a mark with a wrong sum may, it is more than a guess.
        assessment.confidence > Level::Low || assembly.rule(index).kind >= Kind::Anchored,
        assembly.rule(index).kind,
        !assembly.rule(index).above.is_empty(),
        assessment.confidence,
        assessment.severity,
        candidate.matched.len(),
        // Of a broken notebook's two texts, the one that knows cells.
        assembly.located(index).place_line.is_some(),
        Reverse(document.view(*view).depth()),
        Reverse(candidate.rule),
    )
}

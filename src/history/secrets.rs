//! Secrets by number, so that a thousand versions of a file name one without holding it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use crate::finding::Finding;
use crate::judge::place::Kinds;
use crate::pipeline::Possible;
use crate::rules::RuleRef;
use crate::secret::{FingerprintKey, Secret};
use crate::span::ViewSpan;

/// What stands for one rule's find of one value.
pub type SecretId = u32;

/// Where a secret stands in the bytes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spot {
    pub start: u32,
    pub end: u32,
    pub secret: SecretId,
    /// Under which kinds of path it may be one.
    pub kinds: Kinds,
    /// Whether it stands in what is encoded in the object's text.
    pub coded: bool,
    /// Whether it may be a finding. Others are only hidden in what findings show.
    pub sure: bool,
    /// Whether its rule looks farther than most.
    pub far: bool,
    /// Whether that it is found may hang on what the rule matched before.
    pub chained: bool,
}

/// Each secret once, under all kinds of path that any of its places names.
pub fn once_each(mut secrets: Vec<(SecretId, Kinds)>) -> Vec<(SecretId, Kinds)> {
    secrets.sort_unstable();
    secrets.dedup_by(|next, last| {
        let same = next.0 == last.0;
        if same {
            last.1 = last.1.or(next.1);
        }
        same
    });
    secrets
}

/// Spots without those in encodings that stand in the text itself as well: no report tells the two
/// apart, and whether the second is seen may hang on marks farther off than the walk looks. What compares
/// the walk with a scan of the whole compares these.
pub fn without_twins(spots: &[Spot]) -> Vec<Spot> {
    let plain: HashSet<(ViewSpan, SecretId)> = spots
        .iter()
        .filter(|spot| !spot.coded)
        .map(|spot| (spot.span(), spot.secret))
        .collect();
    let is_new = |spot: &&Spot| !spot.coded || !plain.contains(&(spot.span(), spot.secret));
    spots.iter().filter(is_new).copied().collect()
}

/// Gives numbers to secrets. Holds keyed hashes, no values.
pub struct Secrets {
    key: FingerprintKey,
    numbers: Mutex<HashMap<[u8; 16], SecretId>>,
}

impl Secrets {
    pub fn new(key: FingerprintKey) -> Self {
        Self {
            key,
            numbers: Mutex::default(),
        }
    }

    /// The number of a finding's secret.
    pub fn number(&self, finding: &Finding) -> SecretId {
        self.of(&finding.rule, &finding.secret)
    }

    /// The number of a rule's find of a secret.
    pub fn of(&self, rule: &RuleRef, secret: &Secret) -> SecretId {
        let hash = self.key.hash([rule.id.as_bytes(), secret.expose()]);
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let next = numbers.len() as SecretId;
        *numbers.entry(hash).or_insert(next)
    }

    /// Where a possible finding stands in its object.
    pub fn spot(&self, possible: &Possible) -> Spot {
        Spot {
            start: possible.bytes.start as u32,
            end: possible.bytes.end as u32,
            secret: self.of(&possible.rule, &possible.secret),
            kinds: possible.kinds,
            coded: possible.coded,
            sure: possible.sure,
            far: possible.far,
            chained: possible.chained,
        }
    }
}

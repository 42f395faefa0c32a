//! Secrets by number, so that a thousand versions of a file name one without holding it.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::FixedState;

use crate::finding::Finding;
use crate::judge::place::Kinds;
use crate::pipeline::Possible;
use crate::rules::RuleRef;
use crate::secret::{FingerprintKey, Secret};
use crate::span::ViewSpan;

/// What stands for one rule's find of one value.
pub type SecretId = u32;

/// What stands for one value, whichever rules find it.
pub type ValueId = u32;

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

/// A secret that an object holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub secret: SecretId,
    /// Under which kinds of path it may be one.
    pub kinds: Kinds,
    /// What else is taken for a secret in its bytes, wherever it stands, and so may be shown in its place:
    /// where this is the same, the same is shown. `None` where nothing is.
    pub covers: Option<u64>,
}

/// Others near a spot that are asked whether they share bytes with it, on either side.
const ASKED: usize = 16;

/// The secrets of some spots, which are in order: each once, under all kinds of path that any of its places
/// names.
pub fn held(spots: &[Spot]) -> Vec<Held> {
    let sure = spots.iter().enumerate().filter(|(_, spot)| spot.sure);
    let held = sure.map(|(at, spot)| Held {
        secret: spot.secret,
        kinds: spot.kinds,
        covers: covers(spots, at),
    });
    once_each(held.collect())
}

/// What stands for all others that share bytes with a spot.
fn covers(spots: &[Spot], at: usize) -> Option<u64> {
    let spot = &spots[at];
    let near = at.saturating_sub(ASKED)..spots.len().min(at + ASKED + 1);
    let others = spots[near].iter().filter(|other| {
        other.secret != spot.secret && other.start < spot.end && spot.start < other.end
    });
    let told = others.map(|other| FixedState::default().hash_one(other.secret));
    told.reduce(u64::wrapping_add)
}

/// Each secret once.
pub fn once_each(mut secrets: Vec<Held>) -> Vec<Held> {
    secrets.sort_unstable_by_key(|held| held.secret);
    secrets.dedup_by(|next, last| {
        let same = next.secret == last.secret;
        if same {
            last.kinds = last.kinds.or(next.kinds);
            let both = last.covers.zip(next.covers);
            last.covers = both.map(|(last, next)| last.wrapping_add(next));
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
    numbers: Mutex<Numbers>,
}

#[derive(Default)]
struct Numbers {
    secrets: HashMap<[u8; 16], SecretId>,
    values: HashMap<[u8; 16], ValueId>,
    /// By secret.
    value_of: Vec<ValueId>,
}

impl Secrets {
    pub fn new(key: FingerprintKey) -> Self {
        Self {
            key,
            numbers: Mutex::default(),
        }
    }

    /// By secret, the number of its value.
    pub fn values(&self) -> Vec<ValueId> {
        self.numbers().value_of.clone()
    }

    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a finding's secret.
    pub fn number(&self, finding: &Finding) -> SecretId {
        self.of(&finding.rule, &finding.secret)
    }

    /// The number of a rule's find of a secret.
    pub fn of(&self, rule: &RuleRef, secret: &Secret) -> SecretId {
        let hash = self.key.hash([rule.id.as_bytes(), secret.expose()]);
        let mut numbers = self.numbers();
        if let Some(known) = numbers.secrets.get(&hash) {
            return *known;
        }
        let next = numbers.values.len() as ValueId;
        let value = self.key.hash([secret.expose()]);
        let value = *numbers.values.entry(value).or_insert(next);
        let next = numbers.value_of.len() as SecretId;
        numbers.value_of.push(value);
        numbers.secrets.insert(hash, next);
        next
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

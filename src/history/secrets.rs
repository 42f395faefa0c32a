//! Secrets by number, so that a thousand versions of a file name one without holding it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::finding::Finding;
use crate::secret::FingerprintKey;

/// What stands for one rule's find of one value.
pub type SecretId = u32;

/// Where a secret stands in the bytes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spot {
    pub start: u32,
    pub end: u32,
    pub secret: SecretId,
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
        let hash = self
            .key
            .hash([finding.rule.id.as_bytes(), finding.secret.expose()]);
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let next = numbers.len() as SecretId;
        *numbers.entry(hash).or_insert(next)
    }

    /// Where a finding stands in its object.
    pub fn spot(&self, finding: &Finding) -> Spot {
        Spot {
            start: finding.byte_start() as u32,
            end: finding.byte_end() as u32,
            secret: self.number(finding),
        }
    }
}

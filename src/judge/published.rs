//! Values that specifications and manuals print as their examples. Everybody has them, so they open
//! nothing; they are known by their hashes, so that this list holds none of them.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

/// A hash and where the value is printed, a line each.
const LIST: &str = include_str!("../../patterns/words/published.tsv");
/// How many bytes of the hash the list has.
const KNOWN: usize = 8;
/// No longer value is in the list.
const LONGEST: usize = 512;

/// The values that are printed as examples.
pub struct Published(HashSet<[u8; KNOWN]>);

impl Published {
    pub fn new() -> Self {
        let codes = LIST.lines().filter_map(|line| line.split_once('\t'));
        let hashes = codes.filter_map(|(code, _)| u64::from_str_radix(code, 16).ok());
        Self(hashes.map(u64::to_be_bytes).collect())
    }

    /// Whether `value` is one of them. Hashes, so ask last.
    pub fn has(&self, value: &[u8]) -> bool {
        value.len() <= LONGEST
            && Sha256::digest(value)
                .first_chunk()
                .is_some_and(|hash| self.0.contains(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_standards_are_known() {
        // The nonce of RFC 6455 and the seed of the key URI format, which say so when decoded.
        let nonce = crate::rules::template::Generator::new(1).fill("{b64of:the sample nonce}");
        let published = Published::new();
        assert!(published.has(nonce.expect("a template").as_bytes()));
        assert!(!published.has(b"the sample nonce"));
        assert!(!published.has(b""));
    }

    #[test]
    fn every_line_has_a_hash_and_a_source() {
        let lines = LIST.lines().filter(|line| !line.starts_with('#'));
        let mut count = 0;
        for line in lines {
            let (code, source) = line.split_once('\t').expect("two columns");
            assert!(code.len() == 2 * KNOWN && code.bytes().all(|b| b.is_ascii_hexdigit()));
            assert!(!source.is_empty());
            count += 1;
        }
        assert_eq!(Published::new().0.len(), count);
    }
}

//! Values that specifications and manuals print as their examples. Everybody has them, so they open
//! nothing; they are known by their hashes, so that this list holds none of them.

use sha2::{Digest, Sha256};

/// A hash and where the value is printed, a line each.
const LIST: &str = include_str!("../../patterns/words/published.tsv");
/// How many bytes of the hash the list has.
const KNOWN: usize = 8;
/// No longer value is in the list.
const LONGEST: usize = 512;

/// Whether `value` is printed as an example. Hashes, so ask last.
pub fn is_example(value: &[u8]) -> bool {
    if value.len() > LONGEST {
        return false;
    }
    let hash = Sha256::digest(value);
    let mut known = LIST.lines().filter_map(|line| line.split_once('\t'));
    known.any(|(code, _)| is_code_of(code, &hash[..KNOWN]))
}

/// Whether `code` spells `bytes` in hexadecimal.
fn is_code_of(code: &str, bytes: &[u8]) -> bool {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
    let spelled = bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]);
    code.chars().map(Some).eq(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_standards_are_known() {
        // The nonce of RFC 6455 and the seed of the key URI format, which say so when decoded.
        let nonce = crate::rules::template::Generator::new(1).fill("{b64of:the sample nonce}");
        assert!(is_example(nonce.expect("a template").as_bytes()));
        assert!(!is_example(b"the sample nonce"));
        assert!(!is_example(b""));
    }

    #[test]
    fn every_line_has_a_hash_and_a_source() {
        let lines = LIST.lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let (code, source) = line.split_once('\t').expect("two columns");
            assert!(code.len() == 2 * KNOWN && code.bytes().all(|b| b.is_ascii_hexdigit()));
            assert!(!source.is_empty());
        }
    }
}

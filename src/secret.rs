//! The one type that holds a secret's bytes.
//!
//! `Debug` and `Display` print a mask, so a secret cannot reach a log, an error or a panic message
//! by accident. The single way to the bytes is [`Secret::expose`], which is easy to search for.

use std::fmt;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::Error;

/// A secret found in the input, decoded. Printing it prints its mask.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Secret(Box<[u8]>);

/// How many leading characters a mask may show of a value long enough to spare them.
const SHOWN: usize = 4;
/// A value shorter than this shows nothing at all of itself.
const LONG_ENOUGH: usize = 24;

impl Secret {
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes themselves. Every caller is a place where a secret could leak: keep them few.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The value as text, for the one door that shows it. Bytes that are not UTF-8 read as Latin-1.
    pub fn expose_text(&self) -> String {
        match std::str::from_utf8(&self.0) {
            Ok(text) => text.to_owned(),
            Err(_) => self.0.iter().map(|&b| b as char).collect(),
        }
    }

    /// What may be printed in its place: the first four characters of a long value, which for
    /// provider tokens is their public prefix, and nothing at all of a short one.
    pub fn masked(&self) -> String {
        let shown = if self.0.len() >= LONG_ENOUGH {
            self.0
                .iter()
                .take(SHOWN)
                .take_while(|b| b.is_ascii_graphic())
                .map(|&b| b as char)
                .collect()
        } else {
            String::new()
        };
        format!("{shown}********")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.masked())
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// The key under which fingerprints are made.
///
/// The built-in key makes fingerprints equal on every machine. Whoever publishes reports can set a
/// key of their own, so that nobody without it can test guesses against a published fingerprint.
#[derive(Clone)]
pub struct FingerprintKey(Box<[u8]>);

impl Default for FingerprintKey {
    fn default() -> Self {
        Self::new(b"keysweep fingerprint v1".as_slice())
    }
}

impl FingerprintKey {
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// Reads a key from a file.
    ///
    /// # Errors
    /// When it cannot be read, or holds fewer than 16 bytes.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let key = std::fs::read(file).map_err(|error| Error::io(file, error))?;
        if key.trim_ascii().len() < 16 {
            let path = file.display();
            return Err(Error::usage(format!(
                "{path}: a fingerprint key needs at least 16 bytes"
            )));
        }
        Ok(Self::new(key.trim_ascii()))
    }

    /// HMAC-SHA-256 over the length-prefixed parts, cut to 128 bits.
    pub(crate) fn hash<'p>(&self, parts: impl IntoIterator<Item = &'p [u8]>) -> [u8; 16] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        let full = mac.finalize().into_bytes();
        let mut cut = [0; 16];
        cut.copy_from_slice(&full[..16]);
        cut
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_never_shows_the_value() {
        let value = "correct-horse-battery-staple-and-more";
        let secret = Secret::new(value.as_bytes());
        for shown in [format!("{secret}"), format!("{secret:?}")] {
            assert!(shown.contains("corr****"), "{shown}");
            assert!(!shown.contains(&value[4..8]), "{shown}");
        }
        assert_eq!(format!("{}", Secret::new(&b"Summer2019!"[..])), "********");
    }

    #[test]
    fn hashes_depend_on_key_and_on_the_borders_of_parts() {
        let key = FingerprintKey::default();
        let parts = |a: &'static [u8], b: &'static [u8]| key.hash([a, b]);
        assert_ne!(parts(b"ab", b"c"), parts(b"a", b"bc"));
        let other = FingerprintKey::new(&b"other"[..]);
        assert_ne!(key.hash([&b"a"[..]]), other.hash([&b"a"[..]]));
    }
}

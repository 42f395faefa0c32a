//! Byte helpers that the parsers share.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Takes what real keys look like after copying: padding may be missing, spare bits may be set.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Decodes base64 in either alphabet, with or without padding.
pub fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|&&b| b == b'=').count();
    let body = text.get(..text.len() - padding)?;
    if padding > 2 || body.is_empty() {
        return None;
    }
    if memchr::memchr2(b'-', b'_', body).is_none() {
        return LENIENT.decode(body).ok();
    }
    let plain: Vec<u8> = body.iter().map(|&b| standard(b)).collect();
    LENIENT.decode(plain).ok()
}

fn standard(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }
}

/// Resolves `%41`; a `%` that no two hex digits follow stands for itself.
pub fn percent_decode(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let escaped = (byte == b'%')
            .then(|| Some(hex(*text.get(at + 1)?)? << 4 | hex(*text.get(at + 2)?)?))
            .flatten();
        decoded.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    Cow::Owned(decoded)
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|d| d as u8)
}

/// Where `needle`, which is lower case, first stands in `text`, whatever the case there.
pub fn find_ci(text: &[u8], needle: &[u8]) -> Option<usize> {
    let &first = needle.first()?;
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), text).find(|&at| {
        text.get(at..at + needle.len())
            .is_some_and(|here| here.eq_ignore_ascii_case(needle))
    })
}

pub fn contains_ci(text: &[u8], needle: &[u8]) -> bool {
    find_ci(text, needle).is_some()
}

pub fn starts_with_ci(text: &[u8], prefix: &[u8]) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

pub fn ends_with_ci(text: &[u8], suffix: &[u8]) -> bool {
    text.len() >= suffix.len() && text[text.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
}

/// Whether `text` holds one of `needles`, which are lower case.
pub fn contains_any_ci(text: &[u8], needles: &[&str]) -> bool {
    needles.iter().any(|n| contains_ci(text, n.as_bytes()))
}

/// Whether `text` is one of `words`, which are lower case.
pub fn is_one_of(text: &[u8], words: &[&str]) -> bool {
    words
        .iter()
        .any(|w| text.eq_ignore_ascii_case(w.as_bytes()))
}

/// A name out of the input, fit to stand in a sentence: plain visible characters, not too many.
pub fn shown(name: &[u8]) -> String {
    const LONGEST: usize = 80;
    name.iter()
        .filter(|b| b.is_ascii_graphic())
        .take(LONGEST)
        .map(|&b| b as char)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_takes_either_alphabet_and_any_padding() {
        for text in ["-_-_", "+/+/", "+_-/"] {
            assert_eq!(base64(text.as_bytes()), Some(vec![0xfb, 0xff, 0xbf]));
        }
        assert_eq!(base64(b"YQ"), Some(b"a".to_vec()));
        assert_eq!(base64(b"YQ=="), Some(b"a".to_vec()));
        for bad in ["", "=", "YQ===", "Y", "a b="] {
            assert_eq!(base64(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn percent_signs_without_digits_stay() {
        assert_eq!(&*percent_decode(b"a%2Bb%3d%zz%4"), b"a+b=%zz%4");
    }

    #[test]
    fn search_ignores_case() {
        assert_eq!(find_ci(b"..ACCOUNTkey=", b"accountkey"), Some(2));
        assert_eq!(find_ci(b"accoun", b"account"), None);
    }
}

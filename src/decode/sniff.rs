//! What the bytes of a unit are: text of which coding, or no text.

use super::ViewBuilder;

/// How a unit's bytes spell its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, ASCII or any single-byte superset of ASCII: read as it is.
    Bytes,
    Utf16Le,
    Utf16Be,
    Utf32Le,
    Utf32Be,
}

/// Bytes that are not text; the word says what they seem to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binary(pub &'static str);

/// Decides from the first bytes, and for NUL bytes from a sample.
///
/// # Errors
/// When the bytes are no text.
pub fn sniff(_bytes: &[u8]) -> Result<Encoding, Binary> {
    Ok(Encoding::Bytes)
}

/// Writes UTF-16 or UTF-32 as UTF-8, mapped token by token.
pub fn transcode(_bytes: &[u8], _encoding: Encoding, _out: &mut ViewBuilder) {}

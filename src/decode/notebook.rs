//! Jupyter notebooks.

use super::{Place, ViewBuilder};

/// Whether bytes without the name of a notebook hold one all the same.
pub fn looks_like_one(_text: &[u8]) -> bool {
    false
}

/// What makes a notebook unreadable as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Byte offset of the fault.
    pub offset: usize,
    pub what: &'static str,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}", self.what, self.offset)
    }
}

/// Decodes a notebook's readable text into `builder`.
///
/// # Errors
/// When the text is not well-formed; `builder` then holds what could be read of its strings.
pub fn decode(
    _text: &[u8],
    _builder: &mut ViewBuilder,
    _places: &mut Vec<Place>,
) -> Result<(), Fault> {
    Ok(())
}

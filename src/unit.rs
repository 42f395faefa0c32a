//! A unit: one piece of input as a source hands it over.

use std::sync::Arc;

/// Where a unit's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The path to show and to judge by, with forward slashes, relative to where the scan started.
    pub path: Arc<str>,
}

impl Origin {
    pub fn file(path: impl Into<Arc<str>>) -> Self {
        Self { path: path.into() }
    }
}

/// Bytes to look into, whole or one window of something too large to hold.
#[derive(Clone, Debug)]
pub struct Unit<'b> {
    pub origin: Origin,
    pub bytes: &'b [u8],
    /// What came before these bytes, when they are a window of a larger input.
    pub before: Before,
    /// Whether the input was too large to be decoded as a whole.
    pub windowed: bool,
}

/// What precedes a window in its input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    pub bytes: u64,
    pub lines: u64,
    /// Characters of the window's first line that stand before the window.
    pub columns: u64,
}

impl<'b> Unit<'b> {
    /// A whole input.
    pub fn whole(origin: Origin, bytes: &'b [u8]) -> Self {
        Self {
            origin,
            bytes,
            before: Before::default(),
            windowed: false,
        }
    }
}

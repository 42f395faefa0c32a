//! A unit: one piece of input as a source hands it over.

use std::ops::Range;
use std::sync::Arc;

use crate::sniff::Encoding;
use crate::span::Width;

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
    /// How the bytes spell text, where the source knows; a window may not look like its input.
    pub encoding: Option<Encoding>,
    /// For a window: the part in which findings must start to be this window's.
    pub core: Option<Range<u32>>,
}

/// What precedes a window in its input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    pub bytes: u64,
    pub lines: u64,
    /// How much of the window's first line stands before the window.
    pub columns: Width,
}

impl<'b> Unit<'b> {
    /// Whether this is a part of an input too large to be decoded as a whole.
    pub fn is_window(&self) -> bool {
        self.core.is_some()
    }

    /// How many bytes of the input are in this unit and in none before it.
    pub fn fresh_bytes(&self) -> u64 {
        let old = match &self.core {
            Some(core) if self.before.bytes > 0 => core.start as usize,
            _ => 0,
        };
        let end = self
            .core
            .as_ref()
            .map_or(self.bytes.len(), |core| core.end as usize);
        end.saturating_sub(old) as u64
    }

    /// A whole input.
    pub fn whole(origin: Origin, bytes: &'b [u8]) -> Self {
        Self {
            origin,
            bytes,
            before: Before::default(),
            encoding: None,
            core: None,
        }
    }
}

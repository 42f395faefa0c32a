//! Encodings inside text.

use super::{Document, Limits};

/// Adds a view for each encoding that some view holds, and for those inside them.
pub(super) fn open(_document: &mut Document<'_>, _limits: Limits) {}

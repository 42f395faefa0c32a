//! The named checks.

use super::{Assessment, Dropped, Probe};
use crate::rules::check::Check;

/// Runs one check.
///
/// # Errors
/// When the match is no secret, with the reason.
pub fn run(_check: Check, _probe: &Probe<'_>, _found: &mut Assessment) -> Result<(), Dropped> {
    Ok(())
}

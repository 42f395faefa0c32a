//! Where units come from.
//!
//! A source pushes: it calls the [`Sink`] with each unit from as many threads as it likes, and
//! tells it what it could not deliver. Pushing lets the bytes be borrowed from buffers that the
//! source reuses.

pub mod listed;
pub mod objects;
pub mod stream;
pub mod walk;

use std::sync::Arc;

use crate::error::Error;
use crate::ledger::Reason;
use crate::unit::Unit;

/// Delivers units.
pub trait Source {
    /// Hands all units to `sink`.
    ///
    /// # Errors
    /// When nothing sensible can be delivered at all. What fails for one file is told to the sink.
    fn deliver(&self, sink: &dyn Sink) -> Result<(), Error>;
}

/// Receives units, from several threads at once.
pub trait Sink: Sync {
    /// How many more inputs there will be, as far as is known.
    fn expect(&self, inputs: u64);

    /// One unit; the units of one input come in order, from one thread.
    fn unit(&self, unit: &Unit<'_>);

    /// One input is done, with so many bytes read.
    fn done(&self, bytes: u64);

    /// An input, or the rest of one, that was not read.
    fn leave_out(&self, path: Arc<str>, reason: Reason, detail: &str);
}

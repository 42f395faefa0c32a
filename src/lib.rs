//! keysweep finds leaked secrets and says what to do about them.

pub mod checksum;
pub mod decode;
pub mod demo;
pub mod error;
pub mod judge;
pub mod rules;
pub mod secret;
pub mod span;
pub mod unit;

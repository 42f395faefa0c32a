//! keysweep finds leaked secrets in notebooks, source files and git history, judges them offline and
//! says what to do about each.
//!
//! The flow, one module a stage, each using only those before it:
//!
//! ```text
//! source -> unit -> decode -> detect -> judge -> finding -> advise -> report
//! ```
//!
//! A [`source`] pushes [units](mod@unit) (bytes with an origin). [`decode`] opens a unit into views, each a
//! decoded text with an exact map back to the file. [`detect`] finds where rules' patterns fit, in
//! one keyword pass a view. [`judge`] decides what is a secret and proves what can be proven without
//! a network. [`pipeline`] wires the stages; [`report`] turns findings into text or JSON.
//!
//! ```
//! use keysweep::pipeline::{Options, Sweep};
//!
//! let sweep = Sweep::new(Options::new(1_790_000_000));
//! let text = b"The password is in the vault.";
//! assert!(sweep.scan_bytes("notes.txt", text).is_empty());
//! ```

pub mod advise;
pub mod checksum;
pub mod decode;
pub mod demo;
pub mod detect;
pub mod error;
pub mod exam;
pub mod finding;
pub mod fix;
pub mod git;
pub mod guard;
pub mod history;
pub mod host;
pub mod ignores;
pub mod judge;
pub mod ledger;
pub mod lines;
pub mod pipeline;
pub mod pool;
pub mod report;
pub mod rules;
pub mod secret;
pub mod sniff;
pub mod source;
pub mod span;
pub mod unit;

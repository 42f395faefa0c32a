//! Gates: a range of commits, what is staged, what is being pushed.
//!
//! All run the pipeline of a scan on the objects that came in, and then leave only what is new. A
//! [`range`] asks whether a value stood in the base; a [`push`] knows only what it replaces, so that
//! its cost grows with the push and not with the repository. [`policy`], [`audit`] and [`answer`]
//! belong to the hooks.

mod address;
pub mod answer;
pub mod audit;
mod base;
pub mod ci;
pub mod cleaning;
pub mod client;
mod commands;
pub mod copies;
mod earlier;
pub mod fold;
pub mod install;
mod kept;
pub mod known;
mod ownership;
pub mod policy;
pub mod push;
pub mod range;
pub mod receiving;
mod refspec;
pub mod rehearse;
pub mod remotes;
pub mod replaced;
mod script;
pub mod server;
mod urls;

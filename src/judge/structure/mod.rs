//! Parsers for secrets with parts: each reads the text around a match and gives a typed value.
//!
//! They look at bytes only, know nothing of rules, and never fail loudly: what does not parse is
//! `None`, or a [`Dropped`](super::Dropped) where the reason is worth telling. What the parts mean
//! for severity stands beside the parser, so that one file holds all there is to know of one shape.

pub mod basic;
pub mod connection;
pub mod date;
pub mod jwt;
pub mod pem;
pub mod query;
pub mod sas;
pub mod service;
pub mod text;
pub mod url;

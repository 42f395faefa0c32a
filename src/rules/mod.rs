//! Rules: data in `patterns/`, checked and compiled into the binary by `build.rs`.

pub mod check;
pub mod def;
pub mod lint;
pub mod pattern;
pub mod raw;
pub mod template;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

pub use def::{Kind, Level, Matcher, RuleDef, Severity};

use crate::error::Error;

/// What `build.rs` wrote.
#[allow(unused_qualifications, reason = "generated code spells paths out")]
mod built_in {
    use super::{Cow, Kind, Level, RuleDef, Severity, check, def};

    include!(concat!(env!("OUT_DIR"), "/rules.rs"));
}

/// An ordered set of rules with distinct ids.
#[derive(Clone, Debug)]
pub struct RuleSet {
    rules: Vec<RuleRef>,
}

/// A rule that findings can keep: a built-in one costs a pointer, a custom one is shared.
#[derive(Clone)]
pub struct RuleRef(Kept);

#[derive(Clone)]
enum Kept {
    BuiltIn(&'static RuleDef),
    Custom(Arc<RuleDef>),
}

impl Deref for RuleRef {
    type Target = RuleDef;

    fn deref(&self) -> &RuleDef {
        match &self.0 {
            Kept::BuiltIn(rule) => rule,
            Kept::Custom(rule) => rule,
        }
    }
}

impl fmt::Debug for RuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RuleRef({})", self.id)
    }
}

impl RuleSet {
    /// The rules compiled into the program.
    pub fn built_in() -> Self {
        Self {
            rules: built_in::BUILT_IN
                .iter()
                .map(|rule| RuleRef(Kept::BuiltIn(rule)))
                .collect(),
        }
    }

    /// A set of the rules of one file.
    ///
    /// # Errors
    /// When the text is not a valid rule file; the message names the rule and the fault.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut set = Self { rules: Vec::new() };
        set.add(text)?;
        Ok(set)
    }

    /// Adds the rules of a file.
    ///
    /// # Errors
    /// As [`RuleSet::parse`], and when an id is already taken.
    pub fn add(&mut self, text: &str) -> Result<(), Error> {
        let mut taken: HashSet<String> = self.iter().map(|r| r.id.to_string()).collect();
        let rules = raw::parse(text).map_err(Error::rules)?;
        if let Some(twin) = rules.iter().find(|r| !taken.insert(r.id.to_string())) {
            return Err(Error::rules(format!("rule {}: id: is taken", twin.id)));
        }
        let rules = rules.into_iter().map(|r| RuleRef(Kept::Custom(r.into())));
        self.rules.extend(rules);
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.rules.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub fn get(&self, index: usize) -> &RuleRef {
        &self.rules[index]
    }

    pub fn find(&self, id: &str) -> Option<&RuleDef> {
        self.iter().find(|rule| rule.id == id)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &RuleDef> {
        self.rules.iter().map(|rule| &**rule)
    }
}

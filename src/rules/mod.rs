//! Rules: data in `patterns/`, checked and compiled into the binary by `build.rs`.

pub mod check;
pub mod def;
pub mod raw;
pub mod template;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashSet;

pub use def::{Kind, Level, Matcher, RuleDef, Severity};

use crate::error::Error;

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// An ordered set of rules with distinct ids.
#[derive(Clone, Debug)]
pub struct RuleSet {
    rules: Vec<RuleRef>,
}

/// A built-in rule costs a pointer; a custom one is shared.
#[derive(Clone, Debug)]
enum RuleRef {
    BuiltIn(&'static RuleDef),
    Custom(std::sync::Arc<RuleDef>),
}

impl RuleRef {
    fn get(&self) -> &RuleDef {
        match self {
            Self::BuiltIn(rule) => rule,
            Self::Custom(rule) => rule,
        }
    }
}

impl RuleSet {
    /// The rules compiled into the program.
    pub fn built_in() -> Self {
        Self {
            rules: BUILT_IN.iter().map(RuleRef::BuiltIn).collect(),
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
        for rule in raw::parse(text).map_err(Error::rules)? {
            if !taken.insert(rule.id.to_string()) {
                return Err(Error::rules(format!("rule {}: the id is taken", rule.id)));
            }
            self.rules.push(RuleRef::Custom(rule.into()));
        }
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.rules.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub fn get(&self, index: usize) -> &RuleDef {
        self.rules[index].get()
    }

    pub fn find(&self, id: &str) -> Option<&RuleDef> {
        self.iter().find(|rule| rule.id == id)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &RuleDef> {
        self.rules.iter().map(RuleRef::get)
    }
}

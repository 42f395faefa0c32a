//! What rules must hold beside their form: no two alike, and no keyword that is everywhere.
//!
//! A keyword wakes its rule wherever it stands, so a common one makes every scan slow and the rule
//! noisy. How common a word is, is measured: `patterns/common-text.tsv` lists the short texts that
//! are frequent in code and prose (`examples/common_text.rs` makes it). A longer keyword is at most
//! as common as its rarest eight bytes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use super::RuleSet;
use super::def::{Kind, Matcher, RuleDef};

/// Something wrong with a rule. Its text quotes rules only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub rule: String,
    /// The field of the rule file, with its number where there may be several.
    pub field: String,
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {}: {}: {}", self.rule, self.field, self.what)
    }
}

impl Fault {
    pub(crate) fn new(rule: &RuleDef, field: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            rule: rule.id.to_string(),
            field: field.into(),
            what: what.into(),
        }
    }
}

/// Looks at the rules from `first` on, in the company of those before.
pub fn check(rules: &RuleSet, first: usize) -> Vec<Fault> {
    let common = Common::new();
    let mut faults = Vec::new();
    let mut seen: HashMap<(&str, &[Cow<'static, str>]), Vec<&RuleDef>> = HashMap::new();
    for (index, rule) in rules.iter().enumerate() {
        let alike = seen.entry((pattern(rule), &*rule.near)).or_default();
        if index >= first {
            faults.extend(common.keywords(rule));
            faults.extend(twin(rule, alike));
            faults.extend(unknown_above(rule, rules));
        }
        alike.push(rule);
    }
    faults
}

/// How often a keyword may stand in a megabyte. Rules about the words everybody uses, and about
/// text whose marks everybody uses, cannot do without common ones.
fn allowance(kind: Kind) -> u32 {
    match kind {
        Kind::Context | Kind::Anchored => 50,
        Kind::Generic | Kind::Structured => 1000,
    }
}

/// The common texts with their occurrences in a megabyte.
struct Common(HashMap<&'static str, u32>);

/// The longest text of the table.
const LONGEST: usize = 8;

impl Common {
    fn new() -> Self {
        let lines = include_str!("../../patterns/common-text.tsv").lines();
        let entries = lines.filter_map(|line| {
            let (rate, text) = line.split_once('\t')?;
            Some((text, rate.parse().ok()?))
        });
        Self(entries.collect())
    }

    /// How often a keyword stands in a megabyte, at most; 0 for what the table does not list.
    fn rate(&self, keyword: &str) -> u32 {
        let keyword = keyword.trim().to_ascii_lowercase();
        let length = keyword.len().min(LONGEST);
        let parts = (0..=keyword.len() - length).filter_map(|at| keyword.get(at..at + length));
        let rates = parts.map(|part| self.0.get(part).copied().unwrap_or(0));
        rates.min().unwrap_or(0)
    }

    fn keywords(&self, rule: &RuleDef) -> Option<Fault> {
        let most = allowance(rule.kind);
        let rates = rule.keywords.iter().map(|word| (self.rate(word), word));
        let (rate, word) = rates.max_by_key(|(rate, _)| *rate)?;
        (rate > most).then(|| {
            let what = format!(
                "{word:?} stands {rate} times in a megabyte of code and prose; the limit for kind \
                 {} is {most}",
                rule.kind.name()
            );
            Fault::new(rule, "keywords", what)
        })
    }
}

fn pattern(rule: &RuleDef) -> &str {
    match &rule.matcher {
        Matcher::Regex { regex, .. } | Matcher::AssignedValue { regex } => regex,
        Matcher::Assignment => "",
    }
}

/// Whether another rule finds the same: the same pattern and, where keywords are not part of it, a
/// keyword in common.
fn twin(rule: &RuleDef, alike: &[&RuleDef]) -> Option<Fault> {
    let shares = |other: &&&RuleDef| {
        other.matcher.is_assignment() == rule.matcher.is_assignment()
            && (!rule.matcher.is_assignment()
                || rule.keywords.iter().any(|ours| {
                    let mut theirs = other.keywords.iter();
                    theirs.any(|word| word.eq_ignore_ascii_case(ours))
                }))
    };
    let field = match &rule.matcher {
        Matcher::Regex { .. } => "regex",
        Matcher::AssignedValue { .. } => "value",
        Matcher::Assignment => "assignment",
    };
    alike.iter().find(shares).map(|other| {
        Fault::new(
            rule,
            field,
            format!("rule {} has the same pattern", other.id),
        )
    })
}

fn unknown_above(rule: &RuleDef, rules: &RuleSet) -> Option<Fault> {
    let stands_above = |id: &str| rules.find(id).is_some_and(|other| other.kind == rule.kind);
    let stray = rule.above.iter().find(|id| !stands_above(id))?;
    let what = format!("there is no rule {stray} of the same kind");
    Some(Fault::new(rule, "above", what))
}

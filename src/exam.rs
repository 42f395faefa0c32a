//! Puts rules to the test: are their examples found and their counter-examples not, through the
//! whole pipeline and in every carrier?
//!
//! A rule that fits its example in plain text may still miss it in a notebook, where a string
//! escape stands before the quote. So each example is filled by the seeded generator and scanned
//! plain, as a JSON string, as a notebook's source and output, percent-encoded and in base64.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::pipeline::{Options, Sweep};
use crate::rules::def::Example;
use crate::rules::lint::{self, Fault};
use crate::rules::template::Generator;
use crate::rules::{Level, RuleDef, RuleSet};

/// How an example's text is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    Plain,
    JsonString,
    NotebookSource,
    NotebookOutput,
    Percent,
    Base64,
}

const CARRIERS: [Carrier; 6] = [
    Carrier::Plain,
    Carrier::JsonString,
    Carrier::NotebookSource,
    Carrier::NotebookOutput,
    Carrier::Percent,
    Carrier::Base64,
];

impl Carrier {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain text",
            Self::JsonString => "a JSON string",
            Self::NotebookSource => "a notebook source",
            Self::NotebookOutput => "a notebook output",
            Self::Percent => "percent-encoding",
            Self::Base64 => "base64",
        }
    }

    /// File name and content.
    fn carry(self, text: &str) -> (&'static str, String) {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        match self {
            Self::Plain => ("example.txt", text.to_owned()),
            Self::JsonString => ("example.json", json!({ "text": text }).to_string()),
            Self::NotebookSource => ("example.ipynb", notebook(json!(lines), json!([]))),
            Self::NotebookOutput => {
                let output = json!({ "output_type": "stream", "name": "stdout", "text": lines });
                ("example.ipynb", notebook(json!([]), json!([output])))
            }
            Self::Percent => ("example.txt", percent(text)),
            Self::Base64 => ("example.txt", BASE64_STANDARD.encode(text)),
        }
    }
}

fn notebook(source: serde_json::Value, outputs: serde_json::Value) -> String {
    let cell = json!({
        "cell_type": "code", "execution_count": 1, "metadata": {},
        "source": source, "outputs": outputs,
    });
    json!({ "cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4 }).to_string()
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                (byte as char).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The seed by which examples are filled when nobody names another: a rule that passes today must
/// pass tomorrow.
pub const SEED: u64 = 0;

/// Checks the rules of a set from the index `first` on, in the company of all. `now` is the time by
/// which expiry is judged; `seed` decides what the examples hold.
pub fn check(rules: &RuleSet, first: usize, now: i64, seed: u64) -> Vec<Fault> {
    let options = |min_confidence| Options {
        rules: rules.clone(),
        min_confidence,
        ..Options::new(now)
    };
    let eager = Sweep::new(options(Level::Low));
    let usual = Sweep::new(options(Level::Medium));
    let mut faults = lint::check(rules, first);
    for (index, rule) in rules.iter().enumerate().skip(first) {
        // Each rule has a seed of its own, so that a rule's examples do not depend on its neighbours.
        let mut generator = Generator::new(seed ^ seed_of(&rule.id));
        let mut examine = |kind: &str, examples: &[Example], test: &Test<'_>| {
            for (nth, example) in examples.iter().enumerate() {
                if let Err(what) = test(example, &mut generator) {
                    faults.push(Fault::new(rule, format!("{kind} {}", nth + 1), what));
                }
            }
        };
        examine("example", &rule.examples, &|example, generator| {
            let (text, secret) = generator.example(example)?;
            find(rule, &text, &secret, &eager)?;
            alone(index, &text, &eager)
        });
        examine("counter", &rule.counters, &|counter, generator| {
            stay_silent(&generator.example(counter)?.0, &usual)
        });
    }
    faults
}

/// A number out of a rule's name (FNV-1a).
fn seed_of(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

type Test<'t> = dyn Fn(&Example, &mut Generator) -> Result<(), String> + 't;

/// The secret must be found in every carrier, by the rule itself or one that says more.
fn find(rule: &RuleDef, text: &str, secret: &str, sweep: &Sweep) -> Result<(), String> {
    for carrier in CARRIERS {
        let (name, content) = carrier.carry(text);
        let findings = sweep.scan_bytes(name, content.as_bytes());
        let found = findings
            .iter()
            .find(|f| reads_as(f.secret.expose(), secret))
            .ok_or_else(|| format!("not found in {}", carrier.name()))?;
        let by = &found.rule;
        // A connection string claims the key in it.
        let says_more = by.kind > rule.kind || found.proof.is_some() || goes_above(by, rule);
        if by.id != rule.id && !says_more {
            return Err(format!("claimed by {} in {}", by.id, carrier.name()));
        }
    }
    Ok(())
}

/// No other rule of the same kind may take the secret for its own, unless a proof decides between
/// the two or one of them says that it goes above the other.
fn alone(index: usize, text: &str, sweep: &Sweep) -> Result<(), String> {
    let (name, content) = Carrier::Plain.carry(text);
    let rule = sweep.rules().get(index);
    for claims in sweep.claims(name, content.as_bytes()) {
        let Some((_, ours)) = claims.iter().find(|(claimant, _)| *claimant == index) else {
            continue;
        };
        let equals = claims.iter().filter(|(_, proof)| proof == ours);
        let rival = equals
            .map(|(claimant, _)| sweep.rules().get(*claimant))
            .filter(|other| other.id != rule.id && other.kind == rule.kind)
            .find(|other| !goes_above(other, rule) && !goes_above(rule, other));
        if let Some(rival) = rival {
            return Err(format!(
                "rule {} of the same kind claims it too, and neither goes above the other",
                rival.id
            ));
        }
    }
    Ok(())
}

fn goes_above(rule: &RuleDef, other: &RuleDef) -> bool {
    rule.above.contains(&other.id)
}

/// Whether a find is the secret. It may be reported as it stands, when the rule reads an encoding
/// itself: line ends of a key block spelled out, a signature percent-encoded.
fn reads_as(found: &[u8], secret: &str) -> bool {
    let found = String::from_utf8_lossy(found);
    let on_one_line = |text: &str| {
        text.replace("\\\\n", "")
            .replace("\\n", "")
            .replace('\n', "")
    };
    found == secret || on_one_line(&found) == on_one_line(secret) || found == percent(secret)
}

fn stay_silent(text: &str, sweep: &Sweep) -> Result<(), String> {
    for carrier in CARRIERS {
        let (name, content) = carrier.carry(text);
        if let Some(found) = sweep.scan_bytes(name, content.as_bytes()).first() {
            return Err(format!(
                "taken for a secret by {} in {}",
                found.rule.id,
                carrier.name()
            ));
        }
    }
    Ok(())
}

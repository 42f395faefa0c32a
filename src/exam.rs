//! Puts rules to the test: are their examples found and their counter-examples not, through the
//! whole pipeline and in every carrier?
//!
//! A rule that fits its example in plain text may still miss it in a notebook, where a string
//! escape stands before the quote. So each example is filled by the seeded generator and scanned
//! plain, as a JSON string, as a notebook's source and output, percent-encoded and in base64.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::pipeline::{Options, Sweep};
use crate::rules::def::Example;
use crate::rules::template::Generator;
use crate::rules::{Kind, Level, RuleDef, RuleSet};

/// Something wrong with a rule. Its text quotes templates only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub rule: String,
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {}: {}", self.rule, self.what)
    }
}

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

/// Checks all rules of a set. `now` is the time by which expiry is judged, and the seed.
pub fn check(rules: &RuleSet, now: i64) -> Vec<Fault> {
    let options = |min_confidence| Options {
        rules: rules.clone(),
        min_confidence,
        ..Options::new(now)
    };
    let eager = Sweep::new(options(Level::Low));
    let usual = Sweep::new(options(Level::Medium));
    let mut faults = Vec::new();
    for rule in rules.iter() {
        let mut generator = Generator::new(now as u64);
        for (nth, example) in rule.examples.iter().enumerate() {
            let found = find(rule, example, &eager, &mut generator);
            faults.extend(found.err().map(|what| fault(rule, "example", nth, &what)));
        }
        for (nth, counter) in rule.counters.iter().enumerate() {
            let silent = stay_silent(counter, &usual, &mut generator);
            faults.extend(
                silent
                    .err()
                    .map(|what| fault(rule, "counter-example", nth, &what)),
            );
        }
    }
    faults
}

fn fault(rule: &RuleDef, kind: &str, nth: usize, what: &str) -> Fault {
    Fault {
        rule: rule.id.to_string(),
        what: format!("{kind} {}: {what}", nth + 1),
    }
}

fn find(
    rule: &RuleDef,
    example: &Example,
    sweep: &Sweep,
    generator: &mut Generator,
) -> Result<(), String> {
    let (text, secret) = generator.example(example)?;
    for carrier in CARRIERS {
        let (name, content) = carrier.carry(&text);
        let findings = sweep.scan_bytes(name, content.as_bytes());
        let found = findings
            .iter()
            .find(|f| reads_as(f.secret.expose(), &secret));
        match found {
            // A rule that says more may claim it, as a connection string claims the key in it.
            Some(found) if found.rule.id == rule.id || found.rule.kind != Kind::Generic => {}
            Some(found) => {
                return Err(format!(
                    "claimed by {} in {}",
                    found.rule.id,
                    carrier.name()
                ));
            }
            None => return Err(format!("not found in {}", carrier.name())),
        }
    }
    Ok(())
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

fn stay_silent(counter: &Example, sweep: &Sweep, generator: &mut Generator) -> Result<(), String> {
    let (text, _) = generator.example(counter)?;
    for carrier in CARRIERS {
        let (name, content) = carrier.carry(&text);
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

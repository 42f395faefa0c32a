//! What every built-in rule promises: it compiles, and it finds the secrets of its own examples.

use regex::bytes::{Regex, RegexBuilder};

use super::RuleSet;
use super::built_in::BUILT_IN;
use super::check::Check;
use super::def::{Example, Matcher, RuleDef};
use super::template::Generator;
use crate::checksum::{aws, crc, devops, entra, his, key84};

const SEEDS: std::ops::Range<u64> = 0..6;

fn compile(rule: &RuleDef) -> Option<Regex> {
    let (Matcher::Regex { regex, .. } | Matcher::AssignedValue { regex }) = &rule.matcher else {
        return None;
    };
    let built = RegexBuilder::new(regex).unicode(false).build();
    Some(built.unwrap_or_else(|error| panic!("{}: {error}", rule.id)))
}

/// Fills every example of every rule under every seed, and fails with the first fault that `test`
/// finds in each rule.
fn each_example(test: impl Fn(&RuleDef, Option<&Regex>, &str, &str) -> Result<(), String>) {
    let faults: Vec<String> = BUILT_IN
        .iter()
        .filter_map(|rule| first_fault(rule, &test))
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn first_fault(
    rule: &RuleDef,
    test: impl Fn(&RuleDef, Option<&Regex>, &str, &str) -> Result<(), String>,
) -> Option<String> {
    let regex = compile(rule);
    for (nth, example) in rule.examples.iter().enumerate() {
        for seed in SEEDS {
            let filled = Generator::new(seed * 1000 + nth as u64).example(example);
            let fault = filled.and_then(|(text, secret)| {
                let tested = test(rule, regex.as_ref(), &text, &secret);
                tested.map_err(|fault| format!("{fault} in\n{text}"))
            });
            if let Err(fault) = fault {
                return Some(format!("{}: {fault}", rule.id));
            }
        }
    }
    None
}

fn ensure(holds: bool, fault: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(fault.into()) }
}

/// The value as it reads once the encodings that may stand raw around it are undone.
fn undone(found: &[u8]) -> [Vec<u8>; 3] {
    let mut percent = Vec::new();
    let mut rest = found;
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|hex| str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if first == b'%' => {
                percent.push(byte);
                rest = &tail[2..];
            }
            _ => {
                percent.push(first);
                rest = tail;
            }
        }
    }
    let json = String::from_utf8_lossy(found).replace("\\n", "\n");
    [found.to_vec(), percent, json.into_bytes()]
}

/// Whether the regex captures exactly the secret somewhere in the text, with the borders allowed.
fn captures(rule: &RuleDef, regex: &Regex, text: &str, secret: &str) -> bool {
    let text = text.as_bytes();
    regex.captures_iter(text).any(|captures| {
        let found = captures.name("secret").expect("checked by the parser");
        let before = text[..found.start()].last();
        let after = text.get(found.end());
        undone(found.as_bytes())
            .iter()
            .any(|v| v == secret.as_bytes())
            && !before.is_some_and(|&b| rule.not_before.contains(b))
            && !after.is_some_and(|&b| rule.not_after.contains(b))
    })
}

#[test]
fn each_rule_finds_the_secrets_of_its_examples() {
    each_example(|rule, regex, text, secret| {
        let fits = match (&rule.matcher, regex) {
            (Matcher::Regex { .. }, Some(regex)) => captures(rule, regex, text, secret),
            (Matcher::AssignedValue { .. }, Some(regex)) => regex.is_match(secret.as_bytes()),
            _ => text.contains(secret),
        };
        ensure(fits, "not found")
    });
}

#[test]
fn examples_hold_a_keyword_and_a_word_of_the_neighbourhood() {
    each_example(|rule, _, text, _| {
        let text = text.to_ascii_lowercase();
        let holds = |word: &str| text.contains(&word.to_ascii_lowercase());
        ensure(rule.keywords.iter().any(|k| holds(k)), "no keyword")?;
        let near = rule.near.is_empty() || rule.near.iter().any(|word| holds(word));
        ensure(near, "no word near")
    });
}

#[test]
fn example_secrets_reach_the_entropy_floor() {
    each_example(|rule, _, _, secret| {
        let entropy = entropy::shannon_entropy(secret);
        let least = rule.min_entropy;
        ensure(entropy >= least, format!("{entropy} is below {least}"))
    });
}

#[test]
fn example_secrets_pass_the_checksums_their_rule_asks_for() {
    each_example(|rule, _, _, secret| {
        let value = secret.as_bytes();
        for check in rule.checks.iter() {
            let holds = match check {
                Check::HisKey => matches!(his::verify(value), his::HisVerdict::Verified { .. }),
                Check::Key84 => matches!(key84::verify(value), key84::Key84Verdict::Verified(_)),
                Check::Entra8 => entra::verify(value),
                Check::DevopsCrc => devops::verify(value).is_some(),
                Check::CrcBase62 => crc::base62_holds(value),
                Check::CrcBase64 => crc::base64_holds(value),
                Check::CrcHex => crc::hex_holds(value),
                Check::AwsKeyId => aws::account(value).is_some(),
                _ => true,
            };
            ensure(holds, check.name())?;
        }
        Ok(())
    });
}

#[test]
fn counter_examples_can_be_filled_and_say_why() {
    for rule in BUILT_IN {
        assert!(!rule.counters.is_empty(), "{} has none", rule.id);
        for Example { text, secret, why } in rule.counters.iter() {
            assert!(!why.is_empty() && !text.is_empty(), "{}", rule.id);
            let example = Example {
                text: text.clone(),
                secret: secret.clone(),
                why: why.clone(),
            };
            let filled = Generator::new(1).example(&example);
            assert!(filled.is_ok(), "{}: {filled:?}", rule.id);
        }
    }
}

#[test]
fn vault_names_are_what_a_vault_accepts() {
    for rule in BUILT_IN {
        let name = &rule.vault_name;
        let fits = (1..=127).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        assert!(fits, "{}: {name}", rule.id);
    }
}

#[test]
fn built_in_ids_are_found() {
    let rules = RuleSet::built_in();
    assert_eq!(rules.len(), BUILT_IN.len());
    assert!(rules.find("azure-storage-key").is_some());
    assert!(rules.find("no-such-rule").is_none());
}

//! Every built-in rule finds its examples and leaves its counter-examples alone, in every carrier.

use keysweep::exam;
use keysweep::finding::Finding;
use keysweep::pipeline::{Options, Sweep};
use keysweep::rules::RuleSet;

/// 2026-01-01, for expiry.
const NOW: i64 = 1_767_225_600;

#[test]
fn examples_are_found_and_counter_examples_are_not() {
    for seed in exam::SEED..exam::SEED + 3 {
        let faults = exam::check(&RuleSet::built_in(), 0, NOW, seed);
        let list: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(
            faults.is_empty(),
            "{} faults:\n{}",
            faults.len(),
            list.join("\n")
        );
    }
}

#[test]
fn a_rule_that_misses_its_example_is_a_fault() {
    let rules = RuleSet::parse(
        r#"
        provider = "Test"
        [[rule]]
        id = "blind"
        title = "Blind"
        severity = "low"
        kind = "anchored"
        keywords = ["zzqx_"]
        regex = '(?P<secret>zzqx_[0-9]{8})'
        grants = "nothing"
        rotate = ["nowhere"]
        vault_name = "blind"
        references = []
        [[rule.example]]
        text = 'k = "{s}"'
        secret = 'zzqx_{letters:8}'
        "#,
    )
    .expect("a well-formed rule");
    let faults = exam::check(&rules, 0, NOW, exam::SEED);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].what.contains("not found"), "{}", faults[0]);
}

/// A rule file with one rule a body; each has an example and a unique id.
fn file(bodies: &[&str]) -> RuleSet {
    let rules: String = bodies
        .iter()
        .zip(["first", "second"])
        .map(|(body, id)| {
            format!(
                "[[rule]]\nid = \"{id}\"\ntitle = \"T\"\nseverity = \"low\"\n\
                 grants = \"g\"\nrotate = [\"r\"]\nvault_name = \"t\"\nreferences = []\n{body}\n"
            )
        })
        .collect();
    RuleSet::parse(&format!("provider = \"T\"\n{rules}")).expect("well-formed rules")
}

/// The faults of the given rules, as they are told.
fn faults(bodies: &[&str]) -> Vec<String> {
    let faults = exam::check(&file(bodies), 0, NOW, exam::SEED);
    faults.iter().map(ToString::to_string).collect()
}

const DIGITS: &str = "kind = \"anchored\"\nkeywords = [\"zzqx_\"]\n\
    regex = '(?P<secret>zzqx_[0-9]{12})'\n\
    [[rule.example]]\ntext = 'k = \"{s}\"'\nsecret = 'zzqx_{digits:12}'";
const LETTERS_OR_DIGITS: &str = "kind = \"anchored\"\nkeywords = [\"zzqx_\"]\n\
    regex = '(?P<secret>zzqx_[0-9a-z]{12})'\n\
    [[rule.example]]\ntext = 'k = \"{s}\"'\nsecret = 'zzqx_{lower:12}'";

#[test]
fn rules_that_find_the_same_are_faults() {
    assert_eq!(faults(&[DIGITS]), [""; 0]);
    assert_eq!(
        faults(&[DIGITS, DIGITS])[0],
        "rule second: regex: rule first has the same pattern"
    );
    let rivals = faults(&[DIGITS, LETTERS_OR_DIGITS]);
    let cause = "rule first: example 1: rule second of the same kind claims it too";
    assert!(rivals[0].starts_with(cause), "{rivals:?}");
}

#[test]
fn a_rule_that_goes_above_another_may_share_its_examples() {
    let above = DIGITS.replace("[[rule.example]]", "above = [\"second\"]\n[[rule.example]]");
    assert_eq!(faults(&[&above, LETTERS_OR_DIGITS]), [""; 0]);
    // The order of the file must not matter, nor may the lesser rule win its own example.
    let below = above.replace("second", "first");
    assert_eq!(faults(&[LETTERS_OR_DIGITS, &below]), [""; 0]);
    assert_eq!(
        faults(&[&above]),
        ["rule first: above: there is no rule second of the same kind"]
    );
}

#[test]
fn keywords_that_are_everywhere_are_faults_with_the_figure() {
    let common = DIGITS.replace("zzqx_\"]", "zzqx_\", \"return\"]");
    let found = faults(&[&common]);
    let (before, after) = found[0].split_once(" times in a megabyte").expect("a rate");
    let rate = before.strip_prefix("rule first: keywords: \"return\" stands ");
    assert!(rate.is_some_and(|rate| rate.parse::<u32>().is_ok_and(|r| r > 50)));
    assert!(
        after.contains("the limit for kind anchored is 50"),
        "{after}"
    );
    // A long keyword is as rare as its rarest part.
    let rare = DIGITS.replace("zzqx_\"]", "zzqx_\", \"return zzqx\"]");
    assert_eq!(faults(&[&rare]), [""; 0]);
}

/// What a rule with this regex and these keywords finds in a text.
fn found(keywords: &str, regex: &str, text: &str) -> Vec<String> {
    let body = format!(
        "kind = \"anchored\"\nkeywords = [{keywords}]\nregex = '{regex}'\n\
         [[rule.example]]\ntext = 'k = \"{{s}}\"'\nsecret = 'unused'"
    );
    let options = Options {
        rules: file(&[&body]),
        ..Options::new(NOW)
    };
    let findings = Sweep::new(options).scan_bytes("a.txt", text.as_bytes());
    let value = |finding: &Finding| String::from_utf8_lossy(finding.secret.expose()).into_owned();
    findings.iter().map(value).collect()
}

/// Rules whose matches start at their keyword, shortly before it, or anywhere around it.
#[test]
fn a_pattern_is_tried_where_its_matches_may_start() {
    let value = "K3xW9q7Lm2Zp";
    let secret = "(?P<secret>[A-Za-z0-9]{12})";
    let text = format!("zzqx-{value}, zzqxyzzqx-{value} ZZQX-{value}");
    let one = [value; 1];
    // A boundary is one of the text, not of what the pattern is tried on.
    let bound = format!(r"\bzzqx-{secret}");
    assert_eq!(found("\"zzqx-\"", &bound, &text), one);
    assert_eq!(
        found("\"zzqx-\"", &bound, &format!("yzzqx-{value}")),
        [""; 0]
    );
    let optional = format!("zzqx(?:yzzqx)?-{secret}");
    assert_eq!(found("\"zzqx-\", \"zzqxy\"", &optional, &text).len(), 2);
    let before = "(?P<secret>[a-z0-9]{3,9}[.]zzqx[.-][A-Z]{8})";
    let text = "k1.zzqx-HBQDKXWM kd93w.zzqx.HBQDKXWM xk4w9d2m7q.zzqx-WMHQBKDX";
    let expected = ["kd93w.zzqx.HBQDKXWM", "k4w9d2m7q.zzqx-WMHQBKDX"];
    assert_eq!(found("\".zzqx.\", \".zzqx-\"", before, text), expected);
    let far = "(?P<secret>[a-z0-9]{3,90}[.]zzqx[.-][A-Z]{8})";
    let long = "k4w9d2m7q".repeat(10);
    let text = format!("{long}.zzqx-HBQDKXWM\n{long}{long}.zzqx-WMHQBKDX");
    let expected = [
        format!("{long}.zzqx-HBQDKXWM"),
        format!("{long}.zzqx-WMHQBKDX"),
    ];
    assert_eq!(found("\".zzqx.\", \".zzqx-\"", far, &text), expected);
}

#[test]
fn malformed_rules_are_refused_with_the_cause() {
    let rule = |body: &str| {
        format!(
            "provider = \"T\"\n[[rule]]\nid = \"t\"\ntitle = \"T\"\nseverity = \"low\"\nkind = \"anchored\"\ngrants = \"g\"\nrotate = [\"r\"]\nvault_name = \"t\"\nreferences = []\n{body}\n[[rule.example]]\ntext = \"{{s}}\"\nsecret = \"s\"\n"
        )
    };
    for (body, cause) in [
        (
            "keywords = [\"abcd\"]\nregex = '(?P<secret>abcd.*)'",
            "no longest match",
        ),
        (
            "keywords = [\"abcd\"]\nregex = 'abcd[0-9]{4}'",
            "no group named secret",
        ),
        (
            "keywords = []\nregex = '(?P<secret>abcd)'",
            "needs a keyword",
        ),
        (
            "keywords = [\"ab\"]\nregex = '(?P<secret>abcd)'",
            "at least 3",
        ),
        (
            "keywords = [\"abcd\"]\nregex = '(?P<secret>abcd)'\nchecks = [\"nope\"]",
            "unknown check",
        ),
        (
            "keywords = [\"abcd\"]\nregex = '(?P<secret>abcd)'\ncolour = 1",
            "unknown field",
        ),
        (
            "keywords = [\"abcd\"]\nregex = '(?P<secret>abcd)'\nnear_bytes = 4294967295",
            "near_bytes: at most 16384",
        ),
        ("keywords = [\"abcd\"]", "exactly one of"),
    ] {
        let error = RuleSet::parse(&rule(body)).expect_err(body).to_string();
        assert!(error.contains(cause), "{error}");
    }
}

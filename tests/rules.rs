//! Every built-in rule finds its examples and leaves its counter-examples alone, in every carrier.

use keysweep::exam;
use keysweep::rules::RuleSet;

/// 2026-01-01, for expiry and as a seed.
const NOW: i64 = 1_767_225_600;

#[test]
fn examples_are_found_and_counter_examples_are_not() {
    for now in [NOW, NOW + 1, NOW + 86_400] {
        let faults = exam::check(&RuleSet::built_in(), now);
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
    let faults = exam::check(&rules, NOW);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].what.contains("not found"), "{}", faults[0]);
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
        ("keywords = [\"abcd\"]", "exactly one of"),
    ] {
        let error = RuleSet::parse(&rule(body)).expect_err(body).to_string();
        assert!(error.contains(cause), "{error}");
    }
}

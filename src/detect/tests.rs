//! What the detector finds is what a search by each regex finds.

use proptest::prelude::*;

use super::*;
use crate::decode::{self, Limits};
use crate::unit::{Origin, Unit};

/// Patterns whose matches start at a keyword, shortly before it or far from it, some of which look
/// behind, each with its keywords.
const PATTERNS: [(&str, &str); 9] = [
    ("zq-(?P<secret>[a-d]{2,4})", "\"zq-\""),
    ("(?P<secret>zq(?:yz)?-[a-d]{2})", "\"zq-\", \"zqyz-\""),
    (r"\bzq-(?P<secret>[a-d]{2,4})", "\"zq-\""),
    ("(?P<secret>[a-c]{1,6}zq-[0-9]{2})", "\"zq-\""),
    ("(?:ab|c)zq-(?P<secret>[0-9]{2})", "\"zq-\""),
    (r"(?:\bab|cd)(?P<secret>zq[.-][0-9]{2})", "\"zq-\", \"zq.\""),
    ("(?P<secret>[a-c]{1,40}zq-[0-9]{2})", "\"zq-\""),
    ("[a-c]{1,40}ZQ-(?P<secret>[0-9]{2})?d", "\"zq-\""),
    ("(?i:key|zq)-(?P<secret>[0-9]{2})", "\"KEY-\", \"zq-\""),
];

fn rules(regex: &str, keywords: &str) -> RuleSet {
    let rule = format!(
        "provider = \"T\"\n[[rule]]\nid = \"t\"\ntitle = \"T\"\nseverity = \"low\"\n\
         kind = \"anchored\"\nkeywords = [{keywords}]\nregex = '{regex}'\ngrants = \"g\"\n\
         rotate = [\"r\"]\nvault_name = \"t\"\nreferences = []\n\
         [[rule.example]]\ntext = '{{s}}'\nsecret = 's'"
    );
    RuleSet::parse(&rule).expect("a well-formed rule")
}

/// All matches with their secrets, by a search from the start of the text.
fn oracle(regex: &str, text: &str) -> Vec<(ViewSpan, ViewSpan)> {
    let regex = RegexBuilder::new(regex)
        .unicode(false)
        .build()
        .expect("a regex");
    let all = regex.captures_iter(text.as_bytes());
    let found = all.filter_map(|found| {
        let (matched, secret) = (found.get(0)?, found.name("secret")?);
        Some((
            ViewSpan::new(matched.start(), matched.end()),
            ViewSpan::new(secret.start(), secret.end()),
        ))
    });
    found.collect()
}

proptest! {
    #[test]
    fn rules_find_what_their_regexes_find(
        (regex, keywords) in prop::sample::select(&PATTERNS),
        pieces in prop::collection::vec(
            prop_oneof!["[a-dx .]{0,9}", "zq-[0-9]{2}", "[zZ][qQ]-", "abzq-", "cdzq[.]12", "zqyz-ab", "[kK]ey-12"],
            0..14,
        ),
        long in prop::option::of(20..60_usize),
    ) {
        let long = "abc".repeat(long.unwrap_or_default() / 3);
        let text = long + &pieces.concat();
        let detector = Detector::new(rules(regex, keywords));
        let unit = Unit::whole(Origin::file("a.txt"), text.as_bytes());
        let document = decode::open(&unit, Limits::default()).expect("text");
        let mut candidates = Vec::new();
        detector.scan(document.view(0), &mut Scratch::default(), &mut candidates);
        let mut found: Vec<_> = candidates.iter().map(|one| (one.matched, one.secret)).collect();
        found.sort();
        found.dedup();
        prop_assert_eq!(found, oracle(regex, &text), "{} in {:?}", regex, text);
    }
}

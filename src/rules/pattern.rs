//! What a rule's regex says of its matches: how long they get, and how they begin.
//!
//! Compiled twice, as [`raw`](super::raw) is.

use regex_syntax::hir::literal::{Extractor, Literal};
use regex_syntax::hir::{Class, ClassBytes, Hir, HirKind, Repetition};

use super::def::{ByteSet, Lead, Row};

/// How many bytes of a match's beginning are told, at most.
pub const OPENING: usize = 12;

/// Words and most names are shorter than this.
const ROW: u32 = 16;

/// The shortest literal worth a look before a regex is run.
const INNER: usize = 4;

/// Parses a rule's regex.
///
/// # Errors
/// When it is none, in words.
pub fn parse(pattern: &str) -> Result<Hir, String> {
    regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(pattern)
        .map_err(|error| error.to_string())
}

/// The longest match, which windows and overlaps are made of: `told`, where the pattern has none.
///
/// # Errors
/// When there is none, or it is too long.
pub fn longest(hir: &Hir, told: Option<usize>) -> Result<u32, String> {
    const LONGEST: usize = 64 * 1024;
    match hir.properties().maximum_len().or(told) {
        Some(len) if len <= LONGEST => Ok(len as u32),
        Some(len) => Err(format!(
            "the regex may match {len} bytes; the limit is {LONGEST}"
        )),
        None => Err("the regex has no longest match: bound every repetition".into()),
    }
}

/// Whether some group is named `secret`.
pub fn has_secret_group(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Capture(c) => c.name.as_deref() == Some("secret") || has_secret_group(&c.sub),
        HirKind::Repetition(r) => has_secret_group(&r.sub),
        HirKind::Concat(list) | HirKind::Alternation(list) => list.iter().any(has_secret_group),
        _ => false,
    }
}

/// Whether each match starts with one of `keywords`, whatever its case, so that the regex need be
/// tried at the keywords only.
pub fn starts_with_one(hir: &Hir, keywords: &[String]) -> bool {
    folded_starts_with_one(&folded(hir), keywords)
}

fn folded_starts_with_one(hir: &Hir, keywords: &[String]) -> bool {
    let starts = |literal: &Literal| {
        let mut keywords = keywords.iter().map(|keyword| keyword.as_bytes());
        keywords.any(|keyword| {
            let start = literal.as_bytes().get(..keyword.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(keyword))
        })
    };
    let prefixes = Extractor::new().extract(hir);
    let literals = prefixes.literals().unwrap_or_default();
    !literals.is_empty() && literals.iter().all(starts)
}

/// The same with letters of either case read as small ones.
fn folded(hir: &Hir) -> Hir {
    let all = |list: &[Hir]| list.iter().map(folded).collect();
    match hir.kind() {
        HirKind::Class(Class::Bytes(class)) => match small_letter(class) {
            Some(letter) => Hir::literal([letter]),
            None => hir.clone(),
        },
        HirKind::Repetition(times) => Hir::repetition(Repetition {
            sub: Box::new(folded(&times.sub)),
            ..times.clone()
        }),
        HirKind::Capture(capture) => folded(&capture.sub),
        HirKind::Concat(list) => Hir::concat(all(list)),
        HirKind::Alternation(list) => Hir::alternation(all(list)),
        _ => hir.clone(),
    }
}

/// The letter of which a class has both cases and nothing else.
fn small_letter(class: &ClassBytes) -> Option<u8> {
    let mut letters = class.ranges().iter().map(|range| {
        let is_one = range.start() == range.end();
        is_one.then(|| range.start().to_ascii_lowercase())
    });
    let letter = letters.next()??;
    letters.all(|other| other == Some(letter)).then_some(letter)
}

/// What is told of the bytes before a keyword, at most, and the parts of a pattern that are looked at for
/// one: nobody shall wait for a rule to be read.
const MOST_BEFORE: usize = 128;
const PARTS: usize = 32;

/// How many bytes of a match may stand before the first of `keywords` in it; `None` where that cannot be
/// told.
pub fn before_keyword(hir: &Hir, keywords: &[String]) -> Option<usize> {
    before(&folded(hir), keywords)
}

fn before(hir: &Hir, keywords: &[String]) -> Option<usize> {
    if folded_starts_with_one(hir, keywords) {
        return Some(0);
    }
    match hir.kind() {
        HirKind::Literal(literal) => (1..literal.0.len()).find(|&at| {
            let rest = Hir::literal(&literal.0[at..]);
            folded_starts_with_one(&rest, keywords)
        }),
        HirKind::Repetition(times) if times.min > 0 => before(&times.sub, keywords),
        HirKind::Alternation(list) => {
            let all = list.iter().map(|part| before(part, keywords));
            all.reduce(|a, b| Some(a?.max(b?)))?
        }
        HirKind::Concat(list) => {
            let mut passed = 0;
            for (at, part) in list.iter().enumerate() {
                if passed > MOST_BEFORE {
                    return None;
                }
                // A keyword that is made of more parts is not told.
                let next = list[at..].iter().take(PARTS).cloned().collect();
                if folded_starts_with_one(&Hir::concat(next), keywords) {
                    return Some(passed);
                }
                if let Some(before) = before(part, keywords) {
                    return Some(passed + before);
                }
                passed += part.properties().maximum_len()?;
            }
            None
        }
        _ => None,
    }
}

/// Whether the group named `secret` is all of each match.
pub fn is_all_secret(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Capture(capture) => capture.name.as_deref() == Some("secret"),
        HirKind::Concat(list) => {
            let mut parts = list
                .iter()
                .filter(|part| !matches!(part.kind(), HirKind::Look(_)));
            parts.next().is_some_and(is_all_secret) && parts.next().is_none()
        }
        _ => false,
    }
}

/// Which bytes each match starts with: a set for each of the first bytes that all matches have, up
/// to [`OPENING`].
pub fn opening(hir: &Hir) -> Vec<ByteSet> {
    let mut sets = Vec::new();
    open(hir, &mut sets);
    sets.truncate(OPENING);
    sets
}

/// Adds the sets of what `hir` starts with. Tells whether all its matches end there, so that what
/// follows can be added.
fn open(hir: &Hir, sets: &mut Vec<ByteSet>) -> bool {
    if sets.len() >= OPENING {
        return false;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => {
            sets.extend(literal.0.iter().map(|&byte| ByteSet::of(byte..=byte)));
            true
        }
        HirKind::Class(class) => {
            let set = set_of(class);
            sets.extend(set);
            set.is_some()
        }
        HirKind::Capture(capture) => open(&capture.sub, sets),
        HirKind::Concat(list) => list.iter().all(|part| open(part, sets)),
        HirKind::Repetition(times) => {
            (0..times.min).all(|_| open(&times.sub, sets)) && times.max == Some(times.min)
        }
        HirKind::Alternation(list) => {
            let open = |part| {
                let mut sets = Vec::new();
                (open(part, &mut sets), sets)
            };
            let parts: Vec<(bool, Vec<ByteSet>)> = list.iter().map(open).collect();
            let shortest = parts.iter().map(|(_, sets)| sets.len()).min().unwrap_or(0);
            for at in 0..shortest {
                let all = parts.iter().map(|(_, sets)| sets[at]);
                sets.push(all.fold(ByteSet::default(), ByteSet::or));
            }
            parts
                .iter()
                .all(|(end, sets)| *end && sets.len() == shortest)
        }
    }
}

/// The bytes of a class; `None` where some of its characters have more than one.
fn set_of(class: &Class) -> Option<ByteSet> {
    let class = match class {
        Class::Bytes(class) => class.clone(),
        // What alternatives of one letter each are read as.
        Class::Unicode(class) => class.to_byte_class()?,
    };
    let ranges = class.ranges().iter();
    let ranges = ranges.map(|range| ByteSet::of(range.start()..=range.end()));
    Some(ranges.fold(ByteSet::default(), ByteSet::or))
}

/// How each match goes on behind its beginning, which is all before the first part that is repeated;
/// `None` where that part could have the byte that must follow it.
pub fn lead(hir: &Hir) -> Option<Lead> {
    let HirKind::Concat(parts) = hir.kind() else {
        return None;
    };
    let at = parts.iter().position(|part| repeated(part).is_some())?;
    let (beginning, rest) = (&parts[..at], &parts[at + 1..]);
    let mut over = repeated(&parts[at])?;
    let mut from = 0;
    for part in beginning {
        let properties = part.properties();
        let shortest = properties.minimum_len()?;
        from += shortest;
        if properties.maximum_len() != Some(shortest) {
            over = over.or(all_bytes(part)?);
        }
    }
    let to = *opening(&Hir::concat(rest.to_vec())).first()?;
    (from > 0 && !over.meets(&to)).then_some(Lead {
        from: from as u32,
        over,
        to,
    })
}

/// The bytes of a class that may come more than once, or not at all.
fn repeated(hir: &Hir) -> Option<ByteSet> {
    match hir.kind() {
        HirKind::Repetition(times) => match times.sub.kind() {
            HirKind::Class(class) => set_of(class),
            _ => None,
        },
        _ => None,
    }
}

/// All bytes that may be in a match.
fn all_bytes(hir: &Hir) -> Option<ByteSet> {
    let all = |parts: &[Hir]| {
        let sets: Option<Vec<ByteSet>> = parts.iter().map(all_bytes).collect();
        Some(sets?.into_iter().fold(ByteSet::default(), ByteSet::or))
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(ByteSet::default()),
        HirKind::Literal(literal) => {
            let bytes = literal.0.iter().map(|&byte| ByteSet::of(byte..=byte));
            Some(bytes.fold(ByteSet::default(), ByteSet::or))
        }
        HirKind::Class(class) => set_of(class),
        HirKind::Capture(capture) => all_bytes(&capture.sub),
        HirKind::Repetition(times) => all_bytes(&times.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => all(parts),
    }
}

/// The longest literal that each match holds behind its beginning, which mostly is the keyword that led
/// there; empty where it is too short to be rare.
pub fn inner(hir: &Hir) -> &[u8] {
    let (literal, _) = longest_literal(hir, true);
    if literal.len() < INNER {
        return &[];
    }
    literal
}

/// The longest literal of all matches, but for one that they begin with where this is what is `first` in
/// them; and whether what follows this still is.
fn longest_literal(hir: &Hir, first: bool) -> (&[u8], bool) {
    match hir.kind() {
        HirKind::Literal(literal) if !first => (&literal.0, false),
        HirKind::Look(_) | HirKind::Empty => (&[], first),
        HirKind::Capture(capture) => longest_literal(&capture.sub, first),
        HirKind::Repetition(times) if times.min > 0 => longest_literal(&times.sub, first),
        HirKind::Concat(list) => {
            let mut at = (&[][..], first);
            for part in list {
                let (literal, first) = longest_literal(part, at.1);
                let longest = if literal.len() > at.0.len() {
                    literal
                } else {
                    at.0
                };
                at = (longest, first);
            }
            at
        }
        _ => (&[], false),
    }
}

/// A row of bytes of one class that each match holds, the longest that can be told; `None` where it
/// is too short to be rare.
pub fn row(hir: &Hir) -> Option<Row> {
    longest_row(hir).filter(|row| row.len >= ROW)
}

fn longest_row(hir: &Hir) -> Option<Row> {
    match hir.kind() {
        HirKind::Class(class) => Some(Row {
            set: set_of(class)?,
            len: 1,
        }),
        HirKind::Capture(capture) => longest_row(&capture.sub),
        HirKind::Repetition(times) if times.min > 0 => {
            let row = longest_row(&times.sub)?;
            let len = match times.sub.kind() {
                HirKind::Class(_) => times.min,
                _ => row.len,
            };
            Some(Row { len, ..row })
        }
        HirKind::Concat(list) => list
            .iter()
            .filter_map(longest_row)
            .max_by_key(|row| row.len),
        HirKind::Alternation(list) => {
            let rows: Option<Vec<Row>> = list.iter().map(longest_row).collect();
            rows?.into_iter().reduce(|a, b| Row {
                set: a.set.or(b.set),
                len: a.len.min(b.len),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bstr::ByteSlice;
    use proptest::prelude::*;

    #[test]
    fn openings_say_what_all_matches_begin_with() {
        let shown = |pattern| {
            let sets = opening(&parse(pattern).expect("a good regex"));
            let show = |set: &ByteSet| -> String {
                let members = (0..=u8::MAX).filter(|byte| set.contains(*byte));
                members.map(char::from).collect()
            };
            sets.iter().map(show).collect::<Vec<_>>()
        };
        assert_eq!(shown("ab[0-2]{2,9}c"), ["a", "b", "012", "012"]);
        assert_eq!(shown(r"\ba(?P<secret>b|cd)e"), ["a", "bc"]);
        assert_eq!(shown("a(?:bc|de){2}f"), ["a", "bd", "ce", "bd", "ce", "f"]);
        assert_eq!(shown("(?i)a-b?"), ["Aa", "-"]);
        assert_eq!(shown("a*b"), [""; 0]);
        assert_eq!(shown("a{40}").len(), OPENING);
    }

    #[test]
    fn the_longest_row_of_all_matches_is_told() {
        let told = |pattern| {
            let row = row(&parse(pattern).expect("a good regex"))?;
            let members = (0..=u8::MAX).filter(|byte| row.set.contains(*byte));
            Some((row.len, members.map(char::from).collect::<String>()))
        };
        let some = |len, members: &str| Some((len, members.to_owned()));
        assert_eq!(
            told("key[^a]{0,60}(?P<secret>[0-3]{20,40})"),
            some(20, "0123")
        );
        assert_eq!(told("[a-c]{16}|x?[d-e]{17,}"), some(16, "abcde"));
        assert_eq!(told("(?:[a-b]{18}-){2}"), some(18, "ab"));
        assert_eq!(told("[a-c]{15}"), None);
        assert_eq!(told("[a-c]{16}|key"), None);
        assert_eq!(told("(?:[a-c]{20})?"), None);
    }

    #[test]
    fn the_longest_literal_behind_the_beginning_is_told() {
        let told = |pattern| {
            let inner = inner(&parse(pattern).expect("a good regex")).to_vec();
            String::from_utf8(inner).expect("text")
        };
        assert_eq!(
            told(r"\b(?P<secret>eyJ[a-z]{8,}\.eyJ[a-z]{8,}\.[a-z]+)"),
            ".eyJ"
        );
        assert_eq!(told("longest[a-z]{3}(?:inner){2}x"), "inner");
        assert_eq!(told("[a-z]{3}longest"), "longest");
        assert_eq!(told("key[a-z]{3}(?:maybe)?"), "");
        assert_eq!(told("key[a-z]{3}(?:this|that)"), "");
        assert_eq!(told("(?i:key[0-9]inner)"), "");
    }

    #[test]
    fn how_matches_go_on_is_told() {
        let told = |pattern| {
            let lead = lead(&parse(pattern).expect("a good regex"))?;
            let shown = |set: ByteSet| -> String {
                let members = (0..=u8::MAX).filter(|byte| set.contains(*byte));
                members.map(char::from).collect()
            };
            Some((lead.from, shown(lead.over), shown(lead.to)))
        };
        let some = |from, over: &str, to: &str| Some((from, over.to_owned(), to.to_owned()));
        assert_eq!(told("ab[0-2]{0,9}(?:a|c)d"), some(2, "012", "ac"));
        assert_eq!(told("(?:key|longer)[0-1]+:"), some(3, "01egklnory", ":"));
        assert_eq!(told("ab[0-2]{0,9}(?:a|c)?d"), None);
        assert_eq!(told("ab[0-2]{0,9}1"), None);
        assert_eq!(told("(?:key|longer)[0-1]+l"), None);
        assert_eq!(told("[0-2]{0,9}ab"), None);
        assert_eq!(told("ab"), None);
    }

    #[test]
    fn a_match_that_starts_with_one_keyword_or_another_is_sought_there() {
        let keywords = ["the key".to_owned(), "api".to_owned()];
        let starts = |pattern| starts_with_one(&parse(pattern).expect("a good regex"), &keywords);
        assert!(starts("(?i:the key|api key)[a-z]{0,9}"));
        assert!(starts(r"\b(?P<secret>api_[0-9]{4})"));
        assert!(!starts("(?i:the key|a key)"));
        assert!(!starts("x?api"));
        assert!(!starts("(?:api)?[0-9]{4}"));
        assert!(starts("(?i:a)pi(?:_key)? [0-9]"));
        assert!(starts("[aA]pi|(?:the|thE) key"));
        assert!(!starts("[ab]pi"));
    }

    #[test]
    fn what_may_stand_before_a_keyword_is_told() {
        let keywords = [".s3.", ".s3-", "key"].map(str::to_owned);
        let before = |pattern| before_keyword(&parse(pattern).expect("a good regex"), &keywords);
        assert_eq!(before(r"[a-z]{2,40}\.s3[.-][a-z]"), Some(40));
        assert_eq!(before("x?(?i:key)"), Some(1));
        assert_eq!(before("(?:ab[0-9]{2}|c)(?P<secret>key[0-9]+)"), Some(4));
        assert_eq!(before(r"a{3}(?:b{2}|c)(?:KEY|x\.s3-){2}"), Some(6));
        assert_eq!(before("a*key"), None);
        assert_eq!(before("a(?:key)?b"), None);
        assert_eq!(before("a(?:key|b)"), None);
    }

    #[test]
    fn a_group_that_is_all_of_each_match_is_told() {
        let is_all = |pattern| is_all_secret(&parse(pattern).expect("a good regex"));
        assert!(is_all(r"\b(?P<secret>key_[a-z]{3}(?:x|y))\b"));
        assert!(!is_all("key(?P<secret>[a-z]{3})"));
        assert!(!is_all("(?P<secret>[a-z]{3})[;,]?"));
        assert!(!is_all("(?P<other>[a-z]{3}(?P<secret>x))"));
    }

    proptest! {
        #[test]
        fn no_keyword_stands_farther_behind(
            (pattern, keywords, text) in prop::sample::select(vec![
                ("(?:ab|[c-e]f?){1,3}(?:key|token)[0-9]{1,2}", &["key", "tok"][..]),
                (r"[a-z.]{1,9}\.s3[.-](?:[a-z]{2,4}\.){0,2}com", &[".s3.", ".s3-"]),
                ("x{0,4}(?:(?:k|K)(?:e|E)y|y?code)[a-y]{0,9}", &["KEY", "code"]),
                ("(?:aa?b){2}(?:mysql(?:dump)? |psql )-p", &["mysql ", "mysqldump ", "psql"]),
            ])
            .prop_flat_map(|(pattern, keywords)| {
                let texts = proptest::string::string_regex(pattern).expect("a good regex");
                (Just(pattern), Just(keywords), texts)
            }),
        ) {
            let owned: Vec<String> = keywords.iter().map(|word| (*word).to_owned()).collect();
            let before = before_keyword(&parse(pattern).expect("a good regex"), &owned);
            let text = text.to_ascii_lowercase();
            let first = keywords.iter().filter_map(|word| text.find(&word.to_ascii_lowercase())).min();
            prop_assert!(first.expect("in each match") <= before.expect("is told"), "{pattern} {text}");
        }

        #[test]
        fn matches_begin_as_their_opening_says(
            (pattern, text) in prop::sample::select(vec![
                "EAA[A-Za-z0-9]{10,20}",
                "(?:ab|[c-e]f?|g{2,3})[0-9]{1,2}h",
                "a(?:b(?:c|d)e|f){1,3}[g-k]*",
                "x?(?:yz|[0-4]{5})",
                r"a[0-9]{2,9}(?:\.key-){1,2}[a-z]?",
                "(?P<secret>inner[a-z]{3})(?:x|y)?behind",
                "://[^:@]{0,9}:(?P<secret>[a-z]{3,9})@",
                "(?i:the door|a door|code)[a-z ]{0,9}[0-9:]x?",
                "(?:a|bc){1,3}[ -]{0,3}(?P<secret>[0-9])",
            ])
            .prop_flat_map(|pattern| {
                let texts = proptest::string::string_regex(pattern).expect("a good regex");
                (Just(pattern), texts)
            }),
        ) {
            let hir = parse(pattern).expect("a good regex");
            let sets = opening(&hir);
            if let Some(row) = longest_row(&hir) {
                prop_assert!(row.is_in(text.as_bytes()), "{pattern} {text}");
            }
            prop_assert!(text.as_bytes().find(inner(&hir)).is_some(), "{pattern} {text}");
            if let Some(lead) = lead(&hir) {
                prop_assert!(lead.fits(text.as_bytes()), "{pattern} {text} {lead:?}");
            }
            prop_assert!(sets.len() <= text.len(), "{pattern} {text}");
            for (set, byte) in sets.iter().zip(text.bytes()) {
                prop_assert!(set.contains(byte), "{pattern} {text}");
            }
        }
    }
}

//! What a rule's regex says of its matches: how long they get, and how they begin.
//!
//! Compiled twice, as [`raw`](super::raw) is.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::def::ByteSet;

/// How many bytes of a match's beginning are told, at most.
pub const OPENING: usize = 12;

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

/// The longest match, which windows and overlaps are made of.
///
/// # Errors
/// When there is none, or it is too long.
pub fn longest(hir: &Hir) -> Result<u32, String> {
    const LONGEST: usize = 64 * 1024;
    match hir.properties().maximum_len() {
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

/// Whether each match starts with `keyword`, whatever its case, so that the regex need be tried at
/// the keyword only.
pub fn starts_with(hir: &Hir, keyword: &str) -> bool {
    let mut rest = keyword.as_bytes();
    literal_prefix(hir, &mut rest);
    rest.is_empty()
}

/// Eats the literal bytes with which every match of `hir` begins from `rest`; false when the
/// literal part ends within `hir`.
fn literal_prefix(hir: &Hir, rest: &mut &[u8]) -> bool {
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Look(look) => !matches!(look, Look::End | Look::EndLF | Look::EndCRLF),
        HirKind::Literal(literal) => {
            for &byte in &*literal.0 {
                match rest.split_first() {
                    Some((first, tail)) if first.eq_ignore_ascii_case(&byte) => *rest = tail,
                    _ => return false,
                }
            }
            true
        }
        HirKind::Class(class) => {
            let Some((&first, tail)) = rest.split_first() else {
                return false;
            };
            let folded = class
                .literal()
                .is_some_and(|l| l.eq_ignore_ascii_case(&[first]))
                || is_case_pair(class, first);
            if folded {
                *rest = tail;
            }
            folded
        }
        HirKind::Capture(capture) => literal_prefix(&capture.sub, rest),
        HirKind::Concat(list) => list.iter().all(|part| literal_prefix(part, rest)),
        HirKind::Repetition(_) | HirKind::Alternation(_) => false,
    }
}

fn is_case_pair(class: &Class, letter: u8) -> bool {
    let Class::Bytes(class) = class else {
        return false;
    };
    class
        .ranges()
        .iter()
        .all(|r| r.start() == r.end() && r.start().eq_ignore_ascii_case(&letter))
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
        HirKind::Class(Class::Bytes(class)) => {
            let ranges = class.ranges().iter();
            let ranges = ranges.map(|range| ByteSet::of(range.start()..=range.end()));
            sets.push(ranges.fold(ByteSet::default(), ByteSet::or));
            true
        }
        HirKind::Class(Class::Unicode(_)) => false,
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

#[cfg(test)]
mod tests {
    use super::*;
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

    proptest! {
        #[test]
        fn matches_begin_as_their_opening_says(
            (pattern, text) in prop::sample::select(vec![
                "EAA[A-Za-z0-9]{10,20}",
                "(?:ab|[c-e]f?|g{2,3})[0-9]{1,2}h",
                "a(?:b(?:c|d)e|f){1,3}[g-k]*",
                "x?(?:yz|[0-4]{5})",
            ])
            .prop_flat_map(|pattern| {
                let texts = proptest::string::string_regex(pattern).expect("a good regex");
                (Just(pattern), texts)
            }),
        ) {
            let sets = opening(&parse(pattern).expect("a good regex"));
            prop_assert!(sets.len() <= text.len(), "{pattern} {text}");
            for (set, byte) in sets.iter().zip(text.bytes()) {
                prop_assert!(set.contains(byte), "{pattern} {text}");
            }
        }
    }
}

//! Matches that were read before.
//!
//! Texts repeat themselves: `token: string` stands in a thousand places, and in each version of a
//! file again. [`Judge::read`] looks at nothing but the match, so what it said once holds the next
//! time. What is kept is compared whole, so that no text can be made to pass for another.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;

use super::place::Place;
use super::{Dropped, Judge, Probe, Read};
use crate::span::ViewSpan;

/// Matches kept. Each may take the place of another; in tests they often do.
const SLOTS: usize = if cfg!(test) { 4 } else { 1 << 12 };
/// Bytes of the longest match kept, with its name.
const LONGEST: usize = 128;

/// Matches and what they say by themselves. Every thread has its own.
#[derive(Default)]
pub struct Readings {
    /// None before there is a match to keep.
    slots: Vec<Option<Match>>,
    /// The match at hand.
    text: Vec<u8>,
}

/// All that the reading of a match depends on, but for its text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Shape {
    rule: u32,
    /// By bytes of the match.
    secret: ViewSpan,
    name: u32,
    quoted: bool,
    machine_made: bool,
    thorough: bool,
    place: Place,
}

struct Match {
    shape: Shape,
    /// The name, then the match.
    text: Box<[u8]>,
    read: Result<Box<Read>, Dropped>,
}

impl Readings {
    /// Reads a match of the rule with this number.
    ///
    /// # Errors
    /// When it is no secret, with the reason.
    pub fn read(&mut self, judge: &Judge, probe: &Probe<'_>, rule: u32) -> Result<Read, Dropped> {
        let (matched, secret) = (probe.matched, probe.secret);
        let long = probe.name.len() + matched.len() > LONGEST;
        if long || !matched.contains(secret) {
            return judge.read(probe);
        }
        let shape = Shape {
            rule,
            secret: ViewSpan {
                start: secret.start - matched.start,
                end: secret.end - matched.start,
            },
            name: probe.name.len() as u32,
            quoted: probe.quoted,
            machine_made: probe.machine_made,
            thorough: probe.thorough,
            place: probe.place,
        };
        self.slots.resize_with(SLOTS, || None);
        self.text.clear();
        self.text.extend_from_slice(probe.name);
        self.text.extend_from_slice(&probe.text[matched.range()]);
        // Who makes two texts fall together makes them be read twice.
        let hash = FixedState::default().hash_one((shape, &self.text));
        let slot = &mut self.slots[hash as usize % SLOTS];
        let same = |known: &&Match| known.shape == shape && *known.text == *self.text;
        if let Some(known) = slot.as_ref().filter(same) {
            return known.read.clone().map(|read| *read);
        }
        let read = judge.read(probe);
        *slot = Some(Match {
            shape,
            text: self.text.as_slice().into(),
            read: read.clone().map(Box::new),
        });
        read
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::judge::place::Kind;
    use crate::rules::{Matcher, RuleSet};

    const SPELLINGS: [&str; 4] = [
        "password = '{}'",
        "password={}",
        "TOKEN: {}",
        "x_key: \"{}\"",
    ];
    const BEFORE: [&str; 3] = ["", "user: me\n", "https://host/?"];
    const BEHIND: [&str; 3] = ["", ";", "\nexample"];

    proptest! {
        /// So few texts that most come again, each between whatever stands around.
        #[test]
        fn what_was_read_before_is_what_is_read_now(
            texts in prop::collection::vec(
                (
                    (0..SPELLINGS.len(), "(none|changeme|me[.]token|a1|Tr4vel-Kq7&Zx[0-2])"),
                    (0..BEFORE.len(), 0..BEHIND.len()),
                    (0..2_usize, prop::sample::select(&[Kind::Code, Kind::Config])),
                    (any::<bool>(), any::<bool>(), any::<bool>()),
                ),
                1..60,
            ),
        ) {
            let rules = RuleSet::built_in();
            let all = (0..).zip(rules.iter());
            let of_names = all.filter(|(_, rule)| matches!(rule.matcher, Matcher::Assignment));
            let of_names: Vec<_> = of_names.take(2).collect();
            let (judge, mut readings) = (Judge::new(), Readings::default());
            for ((spelling, value), (before, behind), (rule, kind), flags) in texts {
                let (number, rule) = of_names[rule];
                let (quoted, machine_made, thorough) = flags;
                let (name, _) = SPELLINGS[spelling].split_once([' ', '=', ':']).expect("a name");
                let middle = SPELLINGS[spelling].replace("{}", &value);
                let start = BEFORE[before].len();
                let text = [BEFORE[before], &middle, BEHIND[behind]].concat();
                let at = start + middle.find(&value).expect("the value");
                let secret = ViewSpan::new(at, at + value.len());
                let probe = Probe {
                    text: text.as_bytes(),
                    stretch: ViewSpan::new(0, text.len()),
                    matched: ViewSpan::new(start, secret.end as usize),
                    secret,
                    rule,
                    name: name.as_bytes(),
                    quoted,
                    place: Place::most_telling(kind),
                    thorough,
                    machine_made,
                    now: 0,
                };
                let known = readings.read(&judge, &probe, number);
                prop_assert_eq!(known, judge.read(&probe), "{}", text);
            }
        }
    }
}

//! Where rules' patterns fit.
//!
//! One [`keywords`] pass over a view says which rules could match and where. A rule with a regex
//! is tried at the keyword, at each of the few bytes before it where a match may start, or in a
//! window around it as wide as its longest match; a rule about assignments is handed to the
//! [`assign`] grammar. Regexes compile when a keyword first asks for them, so a thousand rules cost
//! nothing on text without their keywords. What fits is a [`Candidate`]; whether it is a secret is
//! the judge's business.

pub mod assign;
mod copied;
mod gram;
pub mod keywords;
mod sides;
mod window;

use std::ops::Range;
use std::sync::OnceLock;

use regex::bytes::{CaptureLocations, Regex, RegexBuilder};

use crate::decode::View;
use crate::rules::def::{Anchor, ByteSet};
use crate::rules::{Matcher, RuleDef, RuleSet};
use crate::span::ViewSpan;
pub use copied::Known;
use keywords::{Hit, Keywords, Word};

/// A place where a rule's pattern fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Index into the rule set.
    pub rule: u32,
    /// The secret itself.
    pub secret: ViewSpan,
    /// All that the pattern matched.
    pub matched: ViewSpan,
    /// The name to which the value is assigned, where there is one.
    pub name: Option<ViewSpan>,
    /// Whether the value stands in quotes or is delimited as surely.
    pub quoted: bool,
}

impl Candidate {
    /// The match with its name.
    pub fn span(&self) -> ViewSpan {
        let start = self.name.map_or(self.matched.start, |name| {
            name.start.min(self.matched.start)
        });
        ViewSpan {
            start,
            end: self.matched.end,
        }
    }
}

/// Bytes of a keyword that are looked for. What goes on longer is compared where these stand: so a
/// change concerns only what starts less than this before it.
const SOUGHT: usize = 24;

/// Bytes that each thread may spend on the states of one regex. There are many regexes, in a long
/// history most are tried, and none needs the two megabytes that it would take by default.
const MOST_STATES: usize = 128 << 10;

/// Bytes beyond the longest match that a closing `\b` may see.
const BEYOND: u32 = 4;

/// How far from its keyword most rules look, in bytes: the longest match and what must stand near.
/// A text is re-scanned in part by looking this far around what changed; the rules that look
/// farther leave [`Far`] marks so that their places are looked at again as well.
pub const LOCAL: u32 = 1024;

/// A keyword of a rule that looks farther than [`LOCAL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Far {
    /// Where the keyword starts.
    pub start: u32,
    /// How far before it and behind it the rule looks, in bytes.
    pub reach: Reach,
}

/// How far a rule looks from where its keyword starts, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach {
    pub before: u32,
    pub behind: u32,
}

/// Finds candidates. Shared by all threads; what changes lives in [`Scratch`].
pub struct Detector {
    rules: RuleSet,
    keywords: Keywords,
    /// For each keyword the rules it wakes.
    wakes: Vec<Box<[Wake]>>,
    /// For each keyword how far its rules look, where that is farther than [`LOCAL`].
    far: Vec<Option<Reach>>,
    /// For each rule on what its candidates at a keyword depend.
    reaches: Vec<Reach>,
    /// The same for all rules of each keyword.
    widest: Vec<Reach>,
    compiled: Vec<OnceLock<Compiled>>,
}

/// A rule that a keyword wakes.
struct Wake {
    rule: u32,
    /// What of a long keyword must follow its first [`SOUGHT`] bytes.
    rest: Box<str>,
}

/// A rule's regex, ready to run.
struct Compiled {
    regex: Regex,
    /// Index of the group named `secret`, where that is not all of each match.
    group: Option<usize>,
}

/// What one thread needs while it searches.
#[derive(Default)]
pub struct Scratch {
    hits: Vec<Hit>,
    /// For each rule with a window, the stretch of text it still has to look at.
    windows: Vec<Option<ViewSpan>>,
    /// Rules with an open window.
    open: Vec<u32>,
    regexes: Vec<Option<Own>>,
    /// What of a copy was decoded.
    decoded: Vec<ViewSpan>,
}

impl Scratch {
    /// The keywords of the view that was searched last.
    pub fn hits(&self) -> &[Hit] {
        &self.hits
    }
}

/// A rule's regex as one thread uses it: a clone has memory of its own to search with, for which it
/// need not wait.
struct Own {
    regex: Regex,
    locations: CaptureLocations,
}

impl Detector {
    pub fn new(rules: RuleSet) -> Self {
        let parts = |word: &str| word.len().min(SOUGHT);
        let all = rules.iter().flat_map(|rule| rule.keywords.iter());
        let (words, indices) = keywords::distinct(all.map(|word| &word[..parts(word)]));
        let mut wakes: Vec<Vec<Wake>> = Vec::new();
        wakes.resize_with(words.len(), Vec::new);
        let mut indices = indices.into_iter();
        for (rule, def) in rules.iter().enumerate() {
            for (word, index) in def.keywords.iter().zip(indices.by_ref()) {
                let rest = &word[parts(word)..];
                let list = &mut wakes[index as usize];
                let rule = rule as u32;
                let is_there = |wake: &Wake| wake.rule == rule && *wake.rest == *rest;
                if !list.last().is_some_and(is_there) {
                    let rest = rest.into();
                    list.push(Wake { rule, rest });
                }
            }
        }
        let far = wakes.iter().map(|list| far_reach(list, &rules)).collect();
        let words = words.iter().zip(&wakes).map(|(word, list)| Word {
            word,
            opening: common_opening(list, &rules),
        });
        let reaches = rules.iter().map(|rule| candidate_reach(&rule.matcher));
        let reaches: Vec<Reach> = reaches.collect();
        let widest = wakes.iter().map(|list| {
            let reaches = list.iter().map(|wake| reaches[wake.rule as usize]);
            reaches.fold(Reach::default(), Reach::or)
        });
        Self {
            far,
            widest: widest.collect(),
            reaches,
            keywords: Keywords::new(words),
            wakes: wakes.into_iter().map(Into::into).collect(),
            compiled: rules.iter().map(|_| OnceLock::new()).collect(),
            rules,
        }
    }

    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The one pass over every text.
    pub fn keywords(&self) -> &Keywords {
        &self.keywords
    }

    /// What the rules of a keyword look at; `None` when all are content with [`LOCAL`].
    pub fn far(&self, hit: &Hit) -> Option<Far> {
        let reach = self.far[hit.keyword as usize]?;
        Some(Far {
            start: hit.start,
            reach,
        })
    }

    /// Whether a rule looks farther than [`LOCAL`].
    pub fn looks_far(&self, rule: u32) -> bool {
        reach(self.rules.get(rule as usize)).is_far()
    }

    /// Whether what a rule makes of a place may hang on matches before it, and those on others.
    pub fn is_chained(&self, rule: u32) -> bool {
        matches!(
            self.rules.get(rule as usize).matcher,
            Matcher::Regex {
                anchor: Anchor::Window { .. },
                ..
            }
        )
    }

    /// How far from its keyword any rule looks, in bytes.
    pub fn farthest(&self) -> u32 {
        let far = self.far.iter().flatten();
        far.fold(LOCAL, |far, reach| far.max(reach.before).max(reach.behind))
    }

    /// Leaves of some keywords, which are in order, those of which a rule looks as far as to one of
    /// these spans, which are in order as well.
    pub fn retain_stirred(&self, hits: &mut Vec<Hit>, stirred: &[ViewSpan]) {
        let mut stirred = Stirred::new(stirred);
        hits.retain(|hit| self.widest[hit.keyword as usize].meets(stirred.near(hit.start)));
    }

    /// Appends the candidates of one view to `out`, in no particular order. The keywords in it are in
    /// `scratch` then.
    pub fn scan(&self, view: &View<'_>, scratch: &mut Scratch, out: &mut Vec<Candidate>) {
        let mut hits = std::mem::take(&mut scratch.hits);
        hits.clear();
        self.keywords.scan(&view.text, &mut hits);
        self.try_hits(view, &hits, None, scratch, out);
        scratch.hits = hits;
    }

    /// Does the same of a view that is a copy of its parent for the most part, of which the keywords are
    /// known.
    pub fn scan_copy(
        &self,
        view: &View<'_>,
        parent: Known<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<Candidate>,
    ) {
        let mut hits = std::mem::take(&mut scratch.hits);
        hits.clear();
        parent.carry(view, &self.keywords, &mut scratch.decoded, &mut hits);
        self.try_hits(view, &hits, None, scratch, out);
        scratch.hits = hits;
    }

    /// Does the same of a view whose keywords are known, in order. With `stirred`, rules are only
    /// tried where what they look at reaches one of these spans, which are in order as well.
    pub fn try_hits(
        &self,
        view: &View<'_>,
        hits: &[Hit],
        stirred: Option<&[ViewSpan]>,
        scratch: &mut Scratch,
        out: &mut Vec<Candidate>,
    ) {
        if hits.is_empty() {
            return;
        }
        scratch.windows.resize(self.rules.len(), None);
        let mut stirred = stirred.map(Stirred::new);
        for hit in hits {
            let near = stirred.as_mut().map(|stirred| stirred.near(hit.start));
            let stretch = view.stretch(hit.start);
            if hit.end <= stretch.end {
                self.wake(view, *hit, stretch, near, scratch, out);
            }
        }
        while let Some(rule) = scratch.open.pop() {
            if let Some(window) = scratch.windows[rule as usize].take() {
                self.search(view, rule, window, scratch, out);
            }
        }
    }

    /// Tries each rule that a keyword wakes, if it looks as far as to what is `near`.
    fn wake(
        &self,
        view: &View<'_>,
        hit: Hit,
        stretch: ViewSpan,
        near: Option<Reach>,
        scratch: &mut Scratch,
        out: &mut Vec<Candidate>,
    ) {
        let mut assigned: Option<(u32, assign::Found)> = None;
        for Wake { rule, rest } in &self.wakes[hit.keyword as usize] {
            let rule = *rule;
            let Some(hit) = completed(view, hit, stretch, rest) else {
                continue;
            };
            let reach = self.reaches[rule as usize];
            if near.is_some_and(|near| !reach.meets(near)) {
                continue;
            }
            match &self.rules.get(rule as usize).matcher {
                Matcher::Regex { .. } => self.try_regex(view, rule, hit, stretch, scratch, out),
                Matcher::Assignment | Matcher::AssignedValue { .. } => {
                    let read = || (hit.end, assign::read(&view.text, stretch, hit.span()));
                    assigned.take_if(|(end, _)| *end != hit.end);
                    let (_, found) = assigned.get_or_insert_with(read);
                    let reach = Reach {
                        before: hit.start.saturating_sub(found.read.start),
                        behind: found.read.end.saturating_sub(hit.start),
                    };
                    if near.is_none_or(|near| reach.meets(near)) {
                        self.assign(view, rule, found, out);
                    }
                }
            }
        }
    }

    /// Runs a regex where matches may start that have this keyword, or notes that it is to be.
    fn try_regex(
        &self,
        view: &View<'_>,
        rule: u32,
        hit: Hit,
        stretch: ViewSpan,
        scratch: &mut Scratch,
        out: &mut Vec<Candidate>,
    ) {
        let Matcher::Regex {
            anchor,
            max_len,
            opening,
            ..
        } = &self.rules.get(rule as usize).matcher
        else {
            return;
        };
        let from = |before: u32| hit.start.saturating_sub(before).max(stretch.start);
        match *anchor {
            Anchor::Keyword => {
                out.extend(self.match_at(view, rule, hit.start, stretch, scratch));
            }
            Anchor::Shortly { before } => {
                let mut at = from(before);
                while at <= hit.start {
                    let may_start = opening[0].contains(view.text[at as usize]);
                    let found = may_start.then(|| self.match_at(view, rule, at, stretch, scratch));
                    // The first one counts, as in a search; and what ends before is another keyword's.
                    match found.flatten() {
                        Some(found) if found.matched.end > hit.start => return out.push(found),
                        Some(found) => at = found.matched.end.max(at + 1),
                        None => at += 1,
                    }
                }
            }
            Anchor::Window { before } => {
                let window = ViewSpan {
                    start: from(before),
                    end: hit.start.saturating_add(*max_len).min(stretch.end),
                };
                self.widen(view, rule, (window, stretch), scratch, out);
            }
        }
    }

    /// Runs a regex at a place where its matches may start.
    fn match_at(
        &self,
        view: &View<'_>,
        rule: u32,
        start: u32,
        stretch: ViewSpan,
        scratch: &mut Scratch,
    ) -> Option<Candidate> {
        // A few bytes more than the longest match let a closing `\b` see what follows.
        let reach = self.reaches[rule as usize].behind;
        let end = start.saturating_add(reach).min(stretch.end);
        let text = &view.text[start as usize..end as usize];
        if !self.may_match(rule, text) {
            return None;
        }
        let compiled = self.compiled(rule);
        let own = own(&mut scratch.regexes, rule, &compiled.regex);
        let found = own.find(compiled.group, text, 0)?;
        found.candidate(rule, start)
    }

    /// Whether a text holds what every match of a rule's regex does, where that is rare, and goes on like
    /// it where the regex has a lead: then matches start where the text does.
    fn may_match(&self, rule: u32, text: &[u8]) -> bool {
        match &self.rules.get(rule as usize).matcher {
            Matcher::Regex {
                lead, row, inner, ..
            } => {
                let goes_on = || lead.is_none_or(|lead| lead.fits(text));
                let has_inner = || inner.is_empty() || memchr::memmem::find(text, inner).is_some();
                goes_on() && has_inner() && row.is_none_or(|row| row.is_in(text))
            }
            _ => true,
        }
    }

    /// Adds a window to a rule's open one in the same stretch, or searches that and opens anew.
    fn widen(
        &self,
        view: &View<'_>,
        rule: u32,
        (window, stretch): (ViewSpan, ViewSpan),
        scratch: &mut Scratch,
        out: &mut Vec<Candidate>,
    ) {
        let slot = &mut scratch.windows[rule as usize];
        match slot {
            Some(open)
                if stretch.contains(*open)
                    && window.start <= open.end
                    && open.start <= window.end =>
            {
                open.start = open.start.min(window.start);
                open.end = open.end.max(window.end);
            }
            Some(open) => {
                let done = std::mem::replace(open, window);
                self.search(view, rule, done, scratch, out);
            }
            None => {
                *slot = Some(window);
                scratch.open.push(rule);
            }
        }
    }

    /// Runs a regex over a window.
    fn search(
        &self,
        view: &View<'_>,
        rule: u32,
        window: ViewSpan,
        scratch: &mut Scratch,
        out: &mut Vec<Candidate>,
    ) {
        if !self.may_match(rule, &view.text[window.range()]) {
            return;
        }
        let compiled = self.compiled(rule);
        let own = own(&mut scratch.regexes, rule, &compiled.regex);
        let text = &view.text[..window.end as usize];
        let mut at = window.start as usize;
        while at <= text.len()
            && let Some(found) = own.find(compiled.group, text, at)
        {
            at = found.matched.end.max(at + 1);
            out.extend(found.candidate(rule, 0));
        }
    }

    /// Takes the values that the grammar found for a rule about assignments.
    fn assign(&self, view: &View<'_>, rule: u32, found: &assign::Found, out: &mut Vec<Candidate>) {
        let fits = |value: ViewSpan| match &self.rules.get(rule as usize).matcher {
            Matcher::AssignedValue { .. } => self
                .compiled(rule)
                .regex
                .is_match(&view.text[value.range()]),
            _ => true,
        };
        for assigned in &found.values {
            if fits(assigned.value) {
                out.push(Candidate {
                    rule,
                    secret: assigned.value,
                    matched: ViewSpan {
                        start: found.name.start.min(assigned.value.start),
                        end: assigned.value.end,
                    },
                    name: Some(found.name),
                    quoted: assigned.quoted,
                });
            }
        }
    }

    /// The rule's regex. Valid by construction: the rule parser has parsed it.
    fn compiled(&self, rule: u32) -> &Compiled {
        self.compiled[rule as usize].get_or_init(|| {
            let def = self.rules.get(rule as usize);
            let pattern = match &def.matcher {
                Matcher::Regex {
                    regex,
                    anchor: Anchor::Keyword | Anchor::Shortly { .. },
                    ..
                } => format!(r"\A(?:{regex})"),
                Matcher::Regex { regex, .. } | Matcher::AssignedValue { regex } => {
                    regex.to_string()
                }
                Matcher::Assignment => String::new(),
            };
            let regex = RegexBuilder::new(&pattern)
                .unicode(false)
                .dfa_size_limit(MOST_STATES)
                .build()
                .unwrap_or_else(|fault| panic!("rule {}: {fault}", def.id));
            let mut names = regex.capture_names();
            let group = names.position(|name| name == Some("secret"));
            let is_all = matches!(
                &def.matcher,
                Matcher::Regex {
                    is_all_secret: true,
                    ..
                }
            );
            let group = group.filter(|_| !is_all);
            Compiled { regex, group }
        })
    }
}

impl Reach {
    /// As far as either.
    fn or(self, other: Self) -> Self {
        Self {
            before: self.before.max(other.before),
            behind: self.behind.max(other.behind),
        }
    }

    fn is_far(self) -> bool {
        self.before.max(self.behind) > LOCAL
    }

    /// Whether it is as far as to something at this distance on either side.
    fn meets(self, near: Self) -> bool {
        near.before <= self.before || near.behind <= self.behind
    }
}

/// Tells of one place after the other how far it is to the nearest of some spans.
struct Stirred<'s> {
    left: &'s [ViewSpan],
    /// The end of those that start before the place.
    end: Option<u32>,
}

impl<'s> Stirred<'s> {
    fn new(spans: &'s [ViewSpan]) -> Self {
        Self {
            left: spans,
            end: None,
        }
    }

    /// Places must be asked for in order.
    fn near(&mut self, place: u32) -> Reach {
        while let [first, rest @ ..] = self.left
            && first.start <= place
        {
            self.end = self.end.max(Some(first.end));
            self.left = rest;
        }
        let next = self.left.first();
        Reach {
            before: self.end.map_or(u32::MAX, |end| place.saturating_sub(end)),
            behind: next.map_or(u32::MAX, |next| next.start - place),
        }
    }
}

/// On what the candidates of a rule depend, from where its keyword starts.
fn candidate_reach(matcher: &Matcher) -> Reach {
    match matcher {
        Matcher::Regex {
            max_len, anchor, ..
        } => {
            let behind = max_len + BEYOND;
            match *anchor {
                Anchor::Keyword => Reach { before: 0, behind },
                Anchor::Shortly { before } => Reach { before, behind },
                // What matches there depends on what matched right before.
                Anchor::Window { before } => Reach {
                    before: before + behind,
                    behind: max_len + behind,
                },
            }
        }
        Matcher::Assignment | Matcher::AssignedValue { .. } => Reach {
            before: (assign::LONGEST_NAME + assign::LONGEST_OTHER) as u32,
            behind: (assign::LONGEST_NAME + assign::REACH) as u32 + BEYOND,
        },
    }
}

/// A hit with all of its keyword, of which the `rest` is still to be compared.
fn completed(view: &View<'_>, hit: Hit, stretch: ViewSpan, rest: &str) -> Option<Hit> {
    if rest.is_empty() {
        return Some(hit);
    }
    let end = hit.end + rest.len() as u32;
    let follows = view.text[..stretch.end as usize].get(hit.end as usize..end as usize)?;
    let all = follows.eq_ignore_ascii_case(rest.as_bytes());
    all.then_some(Hit { end, ..hit })
}

/// How far the rules of one keyword look; `None` when all are content with [`LOCAL`].
fn far_reach(woken: &[Wake], rules: &RuleSet) -> Option<Reach> {
    let reaches = woken
        .iter()
        .map(|wake| reach(rules.get(wake.rule as usize)));
    let farthest = reaches.fold(Reach::default(), Reach::or);
    farthest.is_far().then_some(farthest)
}

/// How far a rule looks with all that the judge asks for it; not at all if by itself it is content with
/// [`LOCAL`].
fn reach(def: &RuleDef) -> Reach {
    let near = if def.near.is_empty() {
        0
    } else {
        def.near_bytes
    };
    let checks = def.checks.iter().map(|check| check.reach());
    let around = checks.fold(near, u32::max);
    let matched = match &def.matcher {
        Matcher::Regex {
            max_len, anchor, ..
        } => Reach {
            before: match *anchor {
                Anchor::Keyword => 0,
                Anchor::Shortly { before } | Anchor::Window { before } => before,
            },
            behind: *max_len,
        },
        _ if around <= LOCAL => return Reach::default(),
        matcher => candidate_reach(matcher),
    };
    Reach {
        before: matched.before + around,
        behind: matched.behind + around,
    }
}

/// What the first bytes of a match are among, whichever of a keyword's rules it is of. Nothing where
/// one of them can match elsewhere than at the keyword.
fn common_opening(woken: &[Wake], rules: &RuleSet) -> Box<[ByteSet]> {
    let opening = |wake: &Wake| match &rules.get(wake.rule as usize).matcher {
        Matcher::Regex {
            opening,
            anchor: Anchor::Keyword,
            ..
        } => &**opening,
        _ => &[],
    };
    let shortest = woken.iter().map(|wake| opening(wake).len()).min();
    let at = |at: usize| {
        let sets = woken.iter().map(|wake| opening(wake)[at]);
        sets.fold(ByteSet::default(), ByteSet::or)
    };
    (0..shortest.unwrap_or(0)).map(at).collect()
}

/// This thread's regex of a rule.
fn own<'s>(all: &'s mut Vec<Option<Own>>, rule: u32, regex: &Regex) -> &'s mut Own {
    let index = rule as usize;
    if all.len() <= index {
        all.resize_with(index + 1, || None);
    }
    all[index].get_or_insert_with(|| Own {
        regex: regex.clone(),
        locations: regex.capture_locations(),
    })
}

impl Own {
    /// The first match from `at` on.
    fn find(&mut self, group: Option<usize>, text: &[u8], at: usize) -> Option<Found> {
        let Some(group) = group else {
            let matched = self.regex.find_at(text, at)?.range();
            let secret = Some(matched.clone());
            return Some(Found { matched, secret });
        };
        let found = self.regex.captures_read_at(&mut self.locations, text, at)?;
        let secret = self.locations.get(group);
        Some(Found {
            matched: found.range(),
            secret: secret.map(|(start, end)| start..end),
        })
    }
}

/// A match, by the bytes of the text that it was found in.
struct Found {
    matched: Range<usize>,
    /// None where the group takes no part in it.
    secret: Option<Range<usize>>,
}

impl Found {
    /// The same by the bytes of a view in which the text starts there.
    fn candidate(&self, rule: u32, start: u32) -> Option<Candidate> {
        let span = |range: &Range<usize>| {
            let start = start as usize;
            ViewSpan::new(start + range.start, start + range.end)
        };
        Some(Candidate {
            rule,
            secret: span(self.secret.as_ref()?),
            matched: span(&self.matched),
            name: None,
            quoted: false,
        })
    }
}

#[cfg(test)]
mod tests;

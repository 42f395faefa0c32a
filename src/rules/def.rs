//! The shape of one rule. Built-in rules are static data in this shape; custom ones own theirs.

use std::borrow::Cow;

use serde::Deserialize;

/// One rule: what to look for, how to judge it, what to tell about it.
#[derive(Clone, Debug)]
pub struct RuleDef {
    /// Stable, kebab-case.
    pub id: Cow<'static, str>,
    pub title: Cow<'static, str>,
    /// Whose secret it is: the `provider` of its file.
    pub provider: Cow<'static, str>,
    pub severity: Severity,
    pub kind: Kind,
    /// What a match is worth before the judge looks at it.
    pub confidence: Level,
    /// One of these stands in every match (case aside).
    pub keywords: Cow<'static, [Cow<'static, str>]>,
    pub matcher: Matcher,
    /// Bytes that must not stand right before the secret.
    pub not_before: ByteSet,
    /// Bytes that must not stand right after the secret.
    pub not_after: ByteSet,
    /// In bits per byte; 0 asks nothing.
    pub min_entropy: f32,
    pub checks: Cow<'static, [super::check::Check]>,
    /// Lower case; one of them must stand near. Empty asks nothing.
    pub near: Cow<'static, [Cow<'static, str>]>,
    pub near_bytes: u32,
    /// Ids of rules of the same kind that fit some of the same text and say less.
    pub above: Cow<'static, [Cow<'static, str>]>,
    pub grants: Cow<'static, str>,
    pub rotate: Cow<'static, [Cow<'static, str>]>,
    pub vault_name: Cow<'static, str>,
    pub references: Cow<'static, [Cow<'static, str>]>,
    pub examples: Cow<'static, [Example]>,
    pub counters: Cow<'static, [Example]>,
}

/// How a rule finds its secret once a keyword has been seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matcher {
    /// A regex with a group named `secret`, run near the keyword only.
    Regex {
        regex: Cow<'static, str>,
        /// The longest match in bytes.
        max_len: u32,
        anchor: Anchor,
        /// What the first bytes of each match are among; empty where that is not worth asking.
        opening: Cow<'static, [ByteSet]>,
        /// Whether the secret is all of each match: to find a group in one takes longer than to find it.
        is_all_secret: bool,
        /// How each match goes on behind its beginning, where a few bytes tell; it is tried where it starts.
        lead: Option<Lead>,
        /// What each match holds, where that is rare.
        row: Option<Row>,
        /// Bytes that each match holds behind its beginning; empty where there are none, or few.
        inner: Cow<'static, [u8]>,
    },
    /// The assignment grammar (`name = "value"` in all its spellings); keywords are parts of names.
    Assignment,
    /// As [`Matcher::Assignment`], and the regex must match the whole value.
    AssignedValue { regex: Cow<'static, str> },
}

impl Matcher {
    /// Whether the assignment grammar finds the value.
    pub fn is_assignment(&self) -> bool {
        matches!(self, Self::Assignment | Self::AssignedValue { .. })
    }
}

/// Where a match can start, given a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// At the keyword.
    Keyword,
    /// At most so few bytes before it that all can be tried.
    Shortly { before: u32 },
    /// Anywhere such that the keyword is inside, at most so many bytes before it.
    Window { before: u32 },
}

/// How much a rule's shape says by itself, which also decides between overlapping finds: the more
/// specific, later kind wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A name that promises a secret and any value.
    Generic,
    /// A provider's name near a value of its shape.
    Context,
    /// A marked shape of its own.
    Anchored,
    /// Text with parts (connection string, SAS, URL) that is parsed.
    Structured,
}

impl Kind {
    pub(crate) fn usual_confidence(self) -> Level {
        match self {
            Self::Generic | Self::Context => Level::Medium,
            Self::Anchored | Self::Structured => Level::High,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Context => "context",
            Self::Anchored => "anchored",
            Self::Structured => "structured",
        }
    }
}

/// How bad it is when somebody else has the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Says something, opens nothing.
    Info,
    Low,
    /// Scoped or short-lived access.
    Medium,
    /// Broad access to data.
    High,
    /// Full control of a resource or identity.
    Critical,
}

impl Severity {
    pub const ALL: [Self; 5] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Info,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// One step milder, down to `Low`.
    pub fn lower(self) -> Self {
        match self {
            Self::Critical => Self::High,
            Self::High => Self::Medium,
            Self::Medium | Self::Low => Self::Low,
            Self::Info => Self::Info,
        }
    }

    /// One step graver.
    pub fn raise(self) -> Self {
        match self {
            Self::Info => Self::Low,
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }
}

/// How sure the judge is that a find is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Low,
    Medium,
    High,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    pub fn lower(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium | Self::Low => Self::Low,
        }
    }
}

/// An example or counter-example: templates that the seeded generator fills.
#[derive(Clone, Debug)]
pub struct Example {
    /// The text around; `{s}` stands for the secret.
    pub text: Cow<'static, str>,
    /// The secret's template; may be empty in a counter-example.
    pub secret: Cow<'static, str>,
    pub why: Cow<'static, str>,
}

/// A byte that must come, and what may come before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lead {
    /// From which byte of a match on only these come before the one that must.
    pub from: u32,
    pub over: ByteSet,
    /// None of `over`.
    pub to: ByteSet,
}

impl Lead {
    /// Whether a text goes on like a match.
    pub fn fits(&self, text: &[u8]) -> bool {
        let mut behind = text.get(self.from as usize..).unwrap_or_default().iter();
        let first = behind.find(|&&byte| !self.over.contains(byte));
        first.is_some_and(|&byte| self.to.contains(byte))
    }
}

/// So many bytes of a set side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub set: ByteSet,
    pub len: u32,
}

impl Row {
    /// Whether a text holds such a row.
    pub fn is_in(&self, mut text: &[u8]) -> bool {
        // None can reach over the last byte of a window that is not of the set.
        while let Some(window) = text.get(..self.len as usize) {
            match window.iter().rposition(|&byte| !self.set.contains(byte)) {
                Some(outside) => text = &text[outside + 1..],
                None => return true,
            }
        }
        false
    }
}

/// A set of byte values.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct ByteSet(pub [u64; 4]);

impl ByteSet {
    pub fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// The bytes of a range.
    pub fn of(bytes: std::ops::RangeInclusive<u8>) -> Self {
        let mut set = Self::default();
        for byte in bytes {
            set.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
        set
    }

    pub fn meets(&self, other: &Self) -> bool {
        self.0
            .iter()
            .zip(other.0)
            .any(|(ours, theirs)| ours & theirs != 0)
    }

    /// The bytes of either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }

    /// Reads the inside of a character class: single characters and ranges such as `A-Za-z0-9+/_-`.
    pub fn parse(class: &str) -> Result<Self, String> {
        let bytes = class.as_bytes();
        let mut set = Self::default();
        let mut at = 0;
        while at < bytes.len() {
            let low = bytes[at];
            let is_range = bytes.get(at + 1) == Some(&b'-') && at + 2 < bytes.len();
            let high = if is_range { bytes[at + 2] } else { low };
            if low > high || !low.is_ascii() || !high.is_ascii() {
                return Err(format!("{class:?} is not a class of ASCII characters"));
            }
            set = set.or(Self::of(low..=high));
            at += if is_range { 3 } else { 1 };
        }
        Ok(set)
    }
}

impl std::fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let members = (0..=255u8).filter(|&b| self.contains(b));
        f.debug_set().entries(members.map(char::from)).finish()
    }
}

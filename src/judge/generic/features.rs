//! What can be said of a value that a name calls secret, each thing by a name and in words.
//!
//! A feature is a number, most of them 0 or 1. All depend only on the path and on the text within
//! [`FARTHEST`] bytes of the value; nearly all within [`REACH`].

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::super::place::{Kind, Place};
use super::super::structure::text::{contains_any_ci, contains_ci};
use super::super::{Probe, reference};
use super::name::{self, Name, Promise, Tail};
use super::words::Wording;

/// How far from the value the text counts, in bytes.
pub const REACH: usize = 256;

/// How far before the value an opening mark of a string of several lines is looked for: the bound of
/// all that a verdict depends on.
pub const FARTHEST: usize = 1024;

macro_rules! features {
    ($($variant:ident = $name:literal, $words:literal;)+) => {
        /// One thing that can be said of a value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Feature {
            $(#[doc = $words] $variant,)+
        }

        impl Feature {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name in the file of weights.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// For people.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$variant => $words,)+
                }
            }
        }
    };
}

features! {
    Bias = "bias", "a value stands by a name that promises a secret";
    NamePassword = "name.password", "the name says password";
    NameSecret = "name.secret", "the name says secret";
    NameToken = "name.token", "the name says token";
    NameKey = "name.key", "the name says key";
    NameAuth = "name.auth", "the name speaks of signing in";
    NameCredential = "name.credential", "the name says credential";
    NameSalt = "name.salt", "the name says salt, nonce or the like";
    NameQualified = "name.qualified", "the name says what the secret is for";
    NameAlone = "name.alone", "the name says no more than one word";
    NameHarmless = "name.harmless", "a word of the name speaks against a secret";
    NameMadeUp = "name.made-up", "the name speaks of a test";
    NameHashed = "name.hashed", "the name speaks of a hash or of encryption";
    NameTailSame = "name.tail-same", "the name ends in a word such as value or text";
    NameTailOther = "name.tail-other", "the name goes on to say something else";
    NameCapitals = "name.capitals", "the name is in capitals";
    Equals = "sep.equals", "an equals sign gives the value";
    Colon = "sep.colon", "a colon gives the value";
    Arrow = "sep.arrow", "an arrow gives the value";
    Compares = "sep.compares", "the value is compared with";
    Pair = "sep.pair", "name and value are arguments of a call";
    Sibling = "sep.sibling", "a field called value beside one with the name";
    Setter = "sep.setter", "a call that sets, or that asks and falls back, has the value";
    Argument = "sep.argument", "the value is the argument of a call named so";
    Wrapped = "sep.wrapped", "a call stands around the value";
    Default = "sep.default", "the value is given when nothing else is";
    Flag = "sep.flag", "an option on a command line";
    Element = "sep.element", "an element or attribute of XML holds the value";
    Query = "sep.query", "a parameter of an address";
    Numbers = "sep.numbers", "the value is a list of bytes";
    Prose = "sep.prose", "the name stands among words";
    Quoted = "lit.quoted", "the value is in quotes";
    BareSetting = "lit.bare-setting", "a bare value among settings";
    BareCode = "lit.bare-code", "a bare value in code";
    InString = "lit.in-string", "name and value stand inside a string";
    Len4 = "val.len-4", "the value has under six characters";
    Len6 = "val.len-6", "the value has six or seven characters";
    Len8 = "val.len-8", "the value has eight to eleven characters";
    Len12 = "val.len-12", "the value has twelve to nineteen characters";
    Len20 = "val.len-20", "the value has twenty to thirty-nine characters";
    Len40 = "val.len-40", "the value has forty characters or more";
    Lower = "val.lower", "the value is of small letters only";
    Upper = "val.upper", "the value is of capitals only";
    Digits = "val.digits", "the value is of digits only";
    Hex = "val.hex", "the value is hexadecimal with letters and digits";
    Alnum = "val.alnum", "the value is of letters and digits";
    Signs = "val.signs", "the value has signs as passwords have";
    Classes3 = "val.classes-3", "the value has several kinds of characters";
    Uuid = "val.uuid", "the value is a UUID";
    Space = "val.space", "the value has blanks";
    Snake = "val.snake", "the value is words with underscores";
    Kebab = "val.kebab", "the value is words with dashes";
    Camel = "val.camel", "the value is words in camel case";
    Dotted = "val.dotted", "the value is words with dots or slashes";
    Screaming = "val.screaming", "the value is words in capitals with underscores";
    Title = "val.title", "the value is one capitalised word";
    NotAscii = "val.not-ascii", "the value has letters outside ASCII";
    Random = "val.random", "letters and digits take turns as in generated values";
    Entropy = "val.entropy", "how evenly the characters of the value are spread";
    LongRandom = "val.long-random", "the value is long and evenly spread";
    Words = "val.words", "the share of the value that common words make up";
    AllWords = "val.all-words", "the value is made of common words";
    Dummy = "val.dummy", "the share of the value made of words for no secret";
    AllDummy = "val.all-dummy", "the value is made of words for no secret";
    DummyDigits = "val.dummy-digits", "the value is words for no secret and digits";
    Surprise = "val.surprise", "how unlike language the letters are";
    LikeName = "val.like-name", "the value repeats a word of the name";
    Escapes = "val.escapes", "the value has escaped bytes";
    Padded = "val.padded", "the value ends as base64 does";
    Comment = "line.comment", "the line is a comment";
    TestLine = "line.test", "the line checks something";
    ExampleLine = "line.example", "the line speaks of an example";
    Account = "near.account", "a user, host or address is named near";
    OtherSecret = "near.secret", "another secret is named near";
    Code = "file.code", "the file is code";
    Script = "file.script", "the file is a script";
    Config = "file.config", "the file holds settings";
    Doc = "file.doc", "the file is prose";
    Markup = "file.markup", "the file is a page";
    Data = "file.data", "the file holds records";
    Test = "path.test", "the path belongs to tests";
    Example = "path.example", "the path belongs to examples";
    Locale = "path.locale", "the path belongs to translations";
    PasswordQuoted = "x.password-quoted", "a password in quotes";
    PasswordBare = "x.password-bare", "a password as a bare setting";
    PasswordOdd = "x.password-odd", "a password of letters, digits and signs";
    PasswordDummy = "x.password-dummy", "a password of words for no secret";
    PasswordWords = "x.password-words", "a password of common words";
    WeakWords = "x.weak-words", "common words by a name that is no password's";
    WeakDummy = "x.weak-dummy", "words for no secret by a name that is no password's";
    WeakRandom = "x.weak-random", "a random value by a name that is no password's";
    KeyRandom = "x.key-random", "a random value by a key's name";
    KeyShort = "x.key-short", "a short value by a key's name";
    TokenShort = "x.token-short", "a short value by a token's name";
    CompareDummy = "x.compare-dummy", "a comparison with words for no secret";
}

/// How many features there are.
pub const COUNT: usize = Feature::ALL.len();

/// What starts a line of comment.
const COMMENTS: [&[u8]; 8] = [b"#", b"//", b"*", b"--", b"<!--", b";", b"/*", b"rem "];

/// Words around a value, each with the feature that it speaks for.
const AROUND: &[(&str, Feature)] = &[
    ("assert", Feature::TestLine),
    ("expect(", Feature::TestLine),
    ("should", Feature::TestLine),
    ("verify(", Feature::TestLine),
    ("mock", Feature::TestLine),
    ("stub(", Feature::TestLine),
    (" it(", Feature::TestLine),
    ("test(", Feature::TestLine),
    ("example", Feature::ExampleLine),
    ("sample", Feature::ExampleLine),
    ("e.g.", Feature::ExampleLine),
    ("such as", Feature::ExampleLine),
    ("for instance", Feature::ExampleLine),
    ("user", Feature::Account),
    ("login", Feature::Account),
    ("email", Feature::Account),
    ("host", Feature::Account),
    ("url", Feature::Account),
    ("server", Feature::Account),
    ("client_id", Feature::Account),
    ("clientid", Feature::Account),
    ("database", Feature::Account),
    ("account", Feature::Account),
    ("passw", Feature::OtherSecret),
    ("secret", Feature::OtherSecret),
    ("token", Feature::OtherSecret),
    ("apikey", Feature::OtherSecret),
    ("api_key", Feature::OtherSecret),
    ("credential", Feature::OtherSecret),
];

/// Finds the words around a value in one pass. Built once.
#[derive(Clone, Debug)]
pub struct Lookout(AhoCorasick);

impl Default for Lookout {
    fn default() -> Self {
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(AROUND.iter().map(|(word, _)| word))
            .expect("the list is short and fixed");
        Self(words)
    }
}

impl Lookout {
    fn each(&self, text: &[u8], mut act: impl FnMut(Feature, Range<usize>)) {
        for found in self.0.find_overlapping_iter(text) {
            act(AROUND[found.pattern().as_usize()].1, found.range());
        }
    }
}

/// A value's features.
#[derive(Clone, Debug, PartialEq)]
pub struct Features(pub [f32; COUNT]);

impl Features {
    pub fn get(&self, feature: Feature) -> f32 {
        self.0[feature as usize]
    }

    fn set(&mut self, feature: Feature, holds: bool) {
        self.0[feature as usize] = f32::from(u8::from(holds));
    }

    fn weigh(&mut self, feature: Feature, share: f32) {
        self.0[feature as usize] = share;
    }

    /// Reads what can be said of a match by itself.
    pub fn of_match(probe: &Probe<'_>, name: &Name) -> Self {
        let mut features = Self([0.0; COUNT]);
        features.set(Feature::Bias, true);
        features.name(name, probe.value());
        features.carrier(probe);
        features.value(probe, name);
        features.file(probe.place);
        features.cross();
        features
    }

    /// Adds what the text around the match says.
    pub fn look_around(&mut self, probe: &Probe<'_>, lookout: &Lookout) {
        self.setting(probe);
        self.around(probe, lookout);
    }

    /// Makes them those of the same match and text under a path of another kind.
    pub fn move_to(&mut self, probe: &Probe<'_>) -> &Self {
        self.file(probe.place);
        self.setting(probe);
        self
    }

    /// What the text around the match may add yet.
    pub fn open(&self) -> impl Iterator<Item = Feature> {
        const ANYWHERE: [Feature; 6] = [
            Feature::Query,
            Feature::Comment,
            Feature::TestLine,
            Feature::ExampleLine,
            Feature::Account,
            Feature::OtherSecret,
        ];
        const BARE: [Feature; 4] = [
            Feature::InString,
            Feature::BareCode,
            Feature::BareSetting,
            Feature::PasswordBare,
        ];
        let on = |feature: Feature| self.get(feature) > 0.5;
        let bare = BARE.into_iter().filter(move |_| !on(Feature::Quoted));
        let setter = on(Feature::Pair).then_some(Feature::Setter);
        ANYWHERE.into_iter().chain(bare).chain(setter)
    }

    fn name(&mut self, name: &Name, value: &[u8]) {
        let feature = match name.promise {
            Some(Promise::Password) => Some(Feature::NamePassword),
            Some(Promise::Secret) => Some(Feature::NameSecret),
            Some(Promise::Token) => Some(Feature::NameToken),
            Some(Promise::Key) => Some(Feature::NameKey),
            Some(Promise::Auth) => Some(Feature::NameAuth),
            Some(Promise::Credential) => Some(Feature::NameCredential),
            Some(Promise::Salt) => Some(Feature::NameSalt),
            None => None,
        };
        if let Some(feature) = feature {
            self.set(feature, true);
        }
        self.set(Feature::NameQualified, name.qualified);
        self.set(Feature::NameAlone, name.alone);
        self.set(Feature::NameHarmless, name.harmless);
        self.set(Feature::NameMadeUp, name.made_up);
        self.set(Feature::NameHashed, name.hashed || is_hash(value));
        self.set(Feature::NameTailSame, name.tail == Tail::Same);
        self.set(Feature::NameTailOther, name.tail == Tail::Other);
        self.set(Feature::NameCapitals, name.capitals);
    }

    fn carrier(&mut self, probe: &Probe<'_>) {
        let between = between(probe);
        let signs = between.trim_ascii_start();
        let open = signs.iter().position(|b| {
            !matches!(
                b,
                b'"' | b'\'' | b'`' | b'\\' | b']' | b')' | b'}' | b' ' | b'*' | b'\t'
            )
        });
        let rest = &signs[open.unwrap_or(signs.len())..];
        let feature = match rest {
            [b'=' | b'!', b'=', ..] => Feature::Compares,
            [b'=' | b'-', b'>', ..] => Feature::Arrow,
            [b'=', ..] | [b':', b'=', ..] => Feature::Equals,
            [b':', ..] => Feature::Colon,
            [b',' | b'v' | b'V' | b'\r' | b'\n', ..] if contains_ci(rest, b"value") => {
                Feature::Sibling
            }
            [b',', ..] => Feature::Pair,
            [b'(', ..] => Feature::Argument,
            [b'>' | b'<', ..] => Feature::Element,
            [b'.' | b't' | b's' | b'i' | b'e', ..] => Feature::Compares,
            _ => Feature::Prose,
        };
        self.set(feature, true);
        if contains_any_ci(rest, &["equal", ".eq", " eq"]) {
            self.set(Feature::Compares, true);
        }
        let inner = rest.get(1..).unwrap_or_default();
        let call = memchr::memchr2(b'(', b'[', inner);
        self.set(Feature::Wrapped, call.is_some());
        let fallback = call.is_some_and(|at| memchr::memchr(b',', &inner[at..]).is_some())
            || contains_any_ci(inner, &["||", "??", " or ", ":-"]);
        self.set(Feature::Default, fallback);
        self.set(Feature::Flag, probe.name.first() == Some(&b'-'));
        self.set(Feature::Numbers, is_numbers(probe.value()));
        self.set(Feature::Quoted, probe.quoted);
    }

    /// In what the match stands.
    fn setting(&mut self, probe: &Probe<'_>) {
        let pair = self.get(Feature::Pair) > 0.5;
        self.set(Feature::Setter, pair && is_setter(probe));
        let before = name_start(probe)
            .checked_sub(1)
            .and_then(|at| probe.text.get(at));
        self.set(
            Feature::Query,
            matches!(before, Some(b'?' | b'&')) && between(probe) == b"=",
        );
        if probe.quoted {
            return;
        }
        let in_string = is_text(probe);
        let code = matches!(probe.place.kind, Kind::Code | Kind::Markup) && !is_command(probe);
        let setting = !in_string && !code;
        self.set(Feature::InString, in_string);
        self.set(Feature::BareCode, !in_string && code);
        self.set(Feature::BareSetting, setting);
        let password = self.get(Feature::NamePassword) > 0.5;
        self.set(Feature::PasswordBare, password && setting);
    }

    fn value(&mut self, probe: &Probe<'_>, name: &Name) {
        let value = probe.value();
        if is_numbers(value) {
            // Bytes of a key, of which the digits they are written in say nothing.
            self.set(Feature::Len20, true);
            self.set(Feature::LongRandom, true);
            self.set(Feature::Alnum, true);
            return;
        }
        let shape = Shape::of(value);
        let len = value.len();
        let length = match len {
            0..6 => Feature::Len4,
            6..8 => Feature::Len6,
            8..12 => Feature::Len8,
            12..20 => Feature::Len12,
            20..40 => Feature::Len20,
            40.. => Feature::Len40,
        };
        self.set(length, true);
        let letters = shape.upper + shape.lower;
        self.set(Feature::Lower, shape.lower == len);
        self.set(Feature::Upper, shape.upper == len);
        self.set(Feature::Digits, shape.digits == len);
        self.set(
            Feature::Hex,
            len >= 8 && shape.digits > 0 && letters > 0 && value.iter().all(u8::is_ascii_hexdigit),
        );
        self.set(
            Feature::Alnum,
            shape.digits > 0 && letters > 0 && shape.signs + shape.dashes == 0,
        );
        self.set(Feature::Signs, shape.signs > 0);
        self.set(Feature::Classes3, shape.classes() >= 3);
        self.set(Feature::Uuid, reference::is_guid(value));
        self.set(Feature::Space, shape.blanks > 0);
        self.set(Feature::NotAscii, shape.other > 0);
        self.set(Feature::Random, shape.digits > 0 && turns(value) >= 3);
        self.spelling(value, &shape);
        let entropy = entropy::shannon_entropy(value);
        let most = (len.clamp(2, 64) as f32).log2();
        self.weigh(Feature::Entropy, entropy / most);
        let spread = len >= 20
            && entropy >= 3.0
            && shape.blanks == 0
            && (shape.digits > 0 || shape.upper > 0 && shape.lower > 0);
        let wording = Wording::of(value);
        self.set(Feature::LongRandom, spread && wording.words < 0.6);
        self.weigh(Feature::Words, wording.words);
        self.set(Feature::AllWords, wording.words > 0.85);
        self.weigh(Feature::Dummy, wording.dummy);
        self.set(Feature::AllDummy, wording.dummy > 0.85 && shape.digits == 0);
        self.set(
            Feature::DummyDigits,
            wording.dummy > 0.85 && shape.digits > 0,
        );
        self.weigh(Feature::Surprise, wording.surprise / Wording::MOST_SURPRISE);
        self.set(
            Feature::LikeName,
            shares_word(value, probe.name) && name.promise.is_some(),
        );
        self.set(Feature::Escapes, memchr::memchr(b'\\', value).is_some());
        self.set(Feature::Padded, value.ends_with(b"="));
    }

    /// How words are joined in the value.
    fn spelling(&mut self, value: &[u8], shape: &Shape) {
        let joined = |sign: u8| {
            let mut parts = value.split(|b| *b == sign);
            memchr::memchr(sign, value).is_some()
                && parts.all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_alphabetic))
        };
        self.set(Feature::Snake, joined(b'_') && shape.upper == 0);
        self.set(Feature::Screaming, joined(b'_') && shape.lower == 0);
        self.set(Feature::Kebab, joined(b'-'));
        self.set(Feature::Dotted, joined(b'.') || joined(b'/'));
        let letters = shape.upper + shape.lower == value.len();
        let first_upper = value.first().is_some_and(u8::is_ascii_uppercase);
        self.set(
            Feature::Title,
            letters && shape.upper == 1 && first_upper && shape.lower > 0,
        );
        let humps = value
            .windows(2)
            .filter(|p| p[0].is_ascii_lowercase() && p[1].is_ascii_uppercase())
            .count();
        self.set(
            Feature::Camel,
            letters && humps > 0 && humps <= 4 && shape.upper <= humps + 1,
        );
    }

    fn around(&mut self, probe: &Probe<'_>, lookout: &Lookout) {
        let line = probe.line(REACH);
        let head = probe.text[line.range()].trim_ascii_start();
        let comment = COMMENTS.iter().any(|mark| {
            head.get(..mark.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(mark))
        });
        self.set(Feature::Comment, comment);
        let low = (line.start as usize)
            .saturating_sub(REACH / 2)
            .max(probe.stretch.start as usize);
        let high = (line.end as usize + REACH / 2).min(probe.stretch.end as usize);
        let (name, end) = (name_start(probe), probe.secret.end as usize);
        lookout.each(&probe.text[low..high], |feature, found| {
            let (from, to) = (low + found.start, low + found.end);
            let before = to <= name;
            let holds = match feature {
                Feature::TestLine => from >= line.start as usize && to <= line.end as usize,
                Feature::ExampleLine => before && from >= line.start as usize,
                _ => before || from >= end,
            };
            if holds {
                self.set(feature, true);
            }
        });
    }

    fn file(&mut self, place: Place) {
        let kinds = [
            (Feature::Code, Kind::Code),
            (Feature::Script, Kind::Script),
            (Feature::Config, Kind::Config),
            (Feature::Doc, Kind::Doc),
            (Feature::Markup, Kind::Markup),
            (Feature::Data, Kind::Data),
        ];
        for (feature, kind) in kinds {
            self.set(feature, place.kind == kind);
        }
        self.set(Feature::Test, place.test);
        self.set(Feature::Example, place.example);
        self.set(Feature::Locale, place.locale);
    }

    /// What two features say together.
    fn cross(&mut self) {
        let on = |feature: Feature| self.get(feature) > 0.5;
        let password = on(Feature::NamePassword);
        let secret = on(Feature::NameSecret);
        let random = on(Feature::LongRandom) || on(Feature::Random) && on(Feature::Alnum);
        let short = on(Feature::Len4) || on(Feature::Len6) || on(Feature::Len8);
        let words = self.get(Feature::Words);
        let dummy = self.get(Feature::Dummy);
        let weak = f32::from(u8::from(!password));
        let strong = f32::from(u8::from(password));
        let flags = [
            (Feature::PasswordQuoted, password && on(Feature::Quoted)),
            (
                Feature::PasswordOdd,
                password
                    && on(Feature::Classes3)
                    && !on(Feature::Len4)
                    && !on(Feature::Space)
                    && dummy < 0.8,
            ),
            (Feature::WeakRandom, !password && random),
            (Feature::KeyRandom, on(Feature::NameKey) && random),
            (
                Feature::KeyShort,
                !password && !secret && !on(Feature::NameToken) && short,
            ),
            (Feature::TokenShort, on(Feature::NameToken) && short),
            (Feature::CompareDummy, on(Feature::Compares) && dummy > 0.6),
        ];
        for (feature, holds) in flags {
            self.set(feature, holds);
        }
        self.weigh(Feature::PasswordDummy, strong * dummy);
        self.weigh(Feature::PasswordWords, strong * words);
        self.weigh(Feature::WeakWords, weak * words);
        self.weigh(Feature::WeakDummy, weak * dummy);
    }
}

/// Where the name starts.
fn name_start(probe: &Probe<'_>) -> usize {
    probe.matched.start as usize
}

/// Whether name and value are the arguments of a call that sets, or that asks and has the value to
/// fall back to: `conf.set("k", "v")`, `getenv("k", "v")`.
fn is_setter(probe: &Probe<'_>) -> bool {
    const LONGEST: usize = 32;
    let end = name_start(probe);
    let start = end
        .saturating_sub(LONGEST)
        .max(probe.stretch.start as usize);
    let before = probe.text[start..end].trim_ascii_end();
    let before = before
        .strip_suffix(b"\"")
        .or(before.strip_suffix(b"'"))
        .unwrap_or(before);
    let before = before.strip_suffix(b"\\").unwrap_or(before);
    let Some(callee) = before.strip_suffix(b"(") else {
        return false;
    };
    let word = callee
        .iter()
        .rposition(|b| !b.is_ascii_alphanumeric())
        .map_or(0, |at| at + 1);
    name::lists(&callee[word..]) & name::SETTER != 0
}

/// The text from the name to the value.
pub fn between<'a>(probe: &Probe<'a>) -> &'a [u8] {
    let end = probe.secret.start as usize;
    let start = (name_start(probe) + probe.name.len()).clamp(end.saturating_sub(REACH), end);
    &probe.text[start..end]
}

/// Whether a value without quotes in a cell or in code belongs to a command or to settings: the
/// line starts as one of a shell or a magic does, or the cell gives a name what is no identifier.
pub fn is_command(probe: &Probe<'_>) -> bool {
    const STARTS: [&[u8]; 7] = [b"%", b"!", b"$ ", b"export ", b"set ", b"env ", b"ENV "];
    let line = probe.line(REACH).start as usize;
    let head = probe.text[line..name_start(probe).max(line)].trim_ascii_start();
    if STARTS.iter().any(|start| head.starts_with(start)) {
        return true;
    }
    let identifier = probe
        .value()
        .iter()
        .all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'.'));
    probe.place.cell
        && head.is_empty()
        && matches!(between(probe), b"=" | b": " | b":")
        && !identifier
}

/// Whether a value without quotes is text all the same.
pub fn is_text(probe: &Probe<'_>) -> bool {
    in_string(probe) || in_block(probe)
}

/// Whether the value stands in a string of several lines, judged by the last mark of one before it:
/// an opening one ends its line.
fn in_block(probe: &Probe<'_>) -> bool {
    let before = probe.before(FARTHEST);
    let tick = memchr::memrchr(b'`', before).map(|at| (at, 1));
    let quotes = memchr::memrchr2_iter(b'"', b'\'', before);
    let triple = quotes
        .filter_map(|last| Some((last.checked_sub(2)?, last)))
        .find(|&(first, last)| before[first..last].iter().all(|b| *b == before[last]))
        .map(|(first, _)| (first, 3));
    let Some((at, len)) = tick.max(triple) else {
        return false;
    };
    let line = memchr::memrchr(b'\n', &before[..at]).map_or(0, |end| end + 1);
    let head = before[line..at].trim_ascii();
    let tail = &before[at + len..];
    let line_end = memchr::memchr(b'\n', tail);
    // A mark that follows nothing closes; one after an operator, a bracket or a word opens.
    let opens = head.last().is_some_and(|b| {
        matches!(b, b'=' | b'(' | b',' | b':' | b'+' | b'[' | b'{' | b'|')
            || b.is_ascii_alphabetic() && head.ends_with(b"return")
    });
    opens && line_end.is_some()
}

/// Whether a value without quotes stands inside a string literal: before it on its line a quote is
/// open, or a quote follows at once.
fn in_string(probe: &Probe<'_>) -> bool {
    let line = probe.line(REACH);
    let before = &probe.text[line.start as usize..name_start(probe).max(line.start as usize)];
    let open = |quote: u8| {
        let mut count = 0;
        let mut escaped = false;
        for &byte in before {
            if escaped {
                escaped = false;
            } else if byte == b'\\' {
                escaped = true;
            } else if byte == quote {
                count += 1;
            }
        }
        count % 2 == 1
    };
    let next = probe.after(1).first();
    open(b'"')
        || open(b'`')
        || open(b'\'') && matches!(next, Some(b'\'' | b'&' | b';' | b'\\' | b' '))
        || matches!(next, Some(b'"' | b'\'' | b'`' | b'\\'))
}

pub fn is_numbers(value: &[u8]) -> bool {
    memchr::memchr_iter(b',', value).count() >= 7
        && value
            .iter()
            .all(|b| b.is_ascii_hexdigit() || b", xX-".contains(b))
}

/// Hashes of passwords, by their marks.
fn is_hash(value: &[u8]) -> bool {
    const MARKS: [&[u8]; 12] = [
        b"$2a$", b"$2b$", b"$2y$", b"$1$", b"$5$", b"$6$", b"$argon2", b"{SHA", b"{SSHA", b"{MD5",
        b"pbkdf2", b"sha1$",
    ];
    MARKS.iter().any(|mark| value.starts_with(mark))
}

/// How often digits and other characters take turns.
fn turns(value: &[u8]) -> usize {
    value
        .windows(2)
        .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit())
        .count()
}

/// Whether a word of four letters or more stands in both.
fn shares_word(value: &[u8], name: &[u8]) -> bool {
    name.split(|b| !b.is_ascii_alphabetic())
        .filter(|word| word.len() >= 4)
        .any(|word| {
            let mut parts = value.windows(word.len());
            parts.any(|part| part.eq_ignore_ascii_case(word))
        })
}

/// How many characters of each kind a value has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    pub upper: usize,
    pub lower: usize,
    pub digits: usize,
    /// `-`, `_`, `.`, `/`, `:`, `+`, `=`: joints of identifiers, paths and base64.
    pub dashes: usize,
    pub signs: usize,
    pub blanks: usize,
    /// Bytes outside ASCII, and control characters.
    pub other: usize,
}

impl Shape {
    pub fn of(value: &[u8]) -> Self {
        let mut shape = Self::default();
        for byte in value {
            let count = match byte {
                b'A'..=b'Z' => &mut shape.upper,
                b'a'..=b'z' => &mut shape.lower,
                b'0'..=b'9' => &mut shape.digits,
                b'-' | b'_' | b'.' | b'/' | b':' | b'+' | b'=' => &mut shape.dashes,
                b' ' | b'\t' => &mut shape.blanks,
                0x21..=0x7e => &mut shape.signs,
                _ => &mut shape.other,
            };
            *count += 1;
        }
        shape
    }

    pub fn classes(&self) -> usize {
        [
            self.upper,
            self.lower,
            self.digits,
            self.signs + self.dashes,
        ]
        .iter()
        .filter(|&&count| count > 0)
        .count()
    }
}

/// Reads the name of a match.
pub fn name_of(probe: &Probe<'_>) -> Name {
    name::read(probe.name)
}

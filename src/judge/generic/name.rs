//! The name of a value, read as words: what it promises, and what takes the promise back.
//!
//! The words are data, `patterns/generic/names.toml`.

use smallvec::SmallVec;

include!(concat!(env!("OUT_DIR"), "/names.rs"));

/// The kind of secret that a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    Password,
    Secret,
    Token,
    Key,
    Auth,
    Credential,
    /// A salt, nonce, vector or one-time code.
    Salt,
}

/// A name, read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Name {
    pub promise: Option<Promise>,
    /// A word before makes the promise exact: `api key`, `client secret`, `access token`.
    pub qualified: bool,
    /// The name is the promise alone: `key`, `token`.
    pub alone: bool,
    /// What follows the promise leaves it standing: `password_text`, `tokenValue`, `secret2`.
    pub tail: Tail,
    /// A word speaks against a secret: `primary key`, `cache key`.
    pub harmless: bool,
    /// A word says that the value is made for a test: `wrong`, `expected`, `dummy`.
    pub made_up: bool,
    /// The value is a hash or encrypted, by the name.
    pub hashed: bool,
    /// The token leads to the next page of a list, or names a request so that it is done once.
    pub passing: bool,
    /// The name is that of a public key.
    pub public: bool,
    /// The name speaks of a text for people, or of an error.
    pub label: bool,
    /// All capitals, as constants and variables of the environment are.
    pub capitals: bool,
}

/// What follows the promise in a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tail {
    #[default]
    None,
    Same,
    /// Another word, of which nothing is known.
    Other,
    /// Another thing: an id, a length, an address.
    Thing,
}

/// The longest word that the lists have, and more.
const LONGEST: usize = 24;
/// Whatever promises something.
const PROMISES: u32 = PASSWORD | SECRET | TOKEN | KEY | AUTH | CREDENTIAL | SALT;

/// The lists that a word stands in.
pub fn lists(word: &[u8]) -> u32 {
    let mut lower = [0; LONGEST];
    let Some(lower) = lower.get_mut(..word.len()) else {
        return 0;
    };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    let found = NAME_WORDS.binary_search_by(|(known, _)| known.as_bytes().cmp(lower));
    found.map_or(0, |at| NAME_WORDS[at].1)
}

/// Reads a name.
pub fn read(name: &[u8]) -> Name {
    let words = words(name);
    let known: SmallVec<[u32; 8]> = words.iter().map(|word| lists(word)).collect();
    let any = |range: &[u32], list: u32| range.iter().any(|lists| lists & list != 0);
    let mut read = Name {
        capitals: name.iter().any(u8::is_ascii_uppercase)
            && !name.iter().any(u8::is_ascii_lowercase),
        ..Name::default()
    };
    let Some((at, promise)) = (0..words.len())
        .rev()
        .find_map(|at| Some((at, promise(words[at], known[at])?)))
    else {
        return read;
    };
    let before = &known[..at];
    // `secret_key`: the last word names the thing, those before it its kind; only `key` gives way.
    let secret = promise == Promise::Key && any(before, SECRET);
    read.promise = Some(if secret { Promise::Secret } else { promise });
    let joined = known[at] & PROMISES == 0 || words[at].len() > 5 && known[at] & KEY != 0;
    read.qualified = any(before, EXACT) || joined;
    read.alone = words.len() == 1 && !joined;
    read.harmless = any(&known, HARMLESS);
    read.made_up = any(&known, MADE_UP);
    read.hashed = any(&known, HASHED);
    read.public = promise == Promise::Key && any(&known, PUBLIC);
    read.passing = promise == Promise::Token && any(before, PASSING);
    read.label = any(before, LABEL);
    let tails = words[at + 1..].iter().zip(&known[at + 1..]);
    read.tail = tails
        .map(|(word, lists)| tail(word, *lists))
        .max()
        .unwrap_or_default();
    read
}

fn tail(word: &[u8], lists: u32) -> Tail {
    if word.iter().all(u8::is_ascii_digit) || lists & SAME != 0 {
        Tail::Same
    } else if lists & THING != 0 {
        Tail::Thing
    } else {
        Tail::Other
    }
}

/// What one word promises, also at the end of a compound such as `dbpassword`.
fn promise(word: &[u8], lists: u32) -> Option<Promise> {
    const ORDER: [(u32, Promise); 7] = [
        (PASSWORD, Promise::Password),
        (SECRET, Promise::Secret),
        (TOKEN, Promise::Token),
        (KEY, Promise::Key),
        (CREDENTIAL, Promise::Credential),
        (AUTH, Promise::Auth),
        (SALT, Promise::Salt),
    ];
    let of = |lists: u32| {
        ORDER
            .iter()
            .find(|(list, _)| lists & list != 0)
            .map(|(_, p)| *p)
    };
    of(lists).or_else(|| {
        let starts = 2..=word.len().saturating_sub(3);
        starts.filter_map(|start| joined(word, start)).find_map(of)
    })
}

/// The lists of the word that ends a compound, when the two are such that they are joined: after a
/// short word for a password only what is known to stand before it, since `onepass` is none.
fn joined(word: &[u8], start: usize) -> Option<u32> {
    const SHORT: usize = 4;
    const ENDS: u32 = PASSWORD | SECRET | TOKEN | KEY | CREDENTIAL;
    let (head, end) = word.split_at(start);
    let lists_of_end = lists(end) & ENDS;
    let known = end.len() > SHORT || end.eq_ignore_ascii_case(b"key") || lists(head) & HEAD != 0;
    (lists_of_end != 0 && known).then_some(lists_of_end)
}

/// The words of a name: split at signs, at capitals after small letters, and before digits.
fn words(name: &[u8]) -> SmallVec<[&[u8]; 8]> {
    let mut words = SmallVec::new();
    let mut start = 0;
    for at in 0..=name.len() {
        let here = name.get(at);
        let before = at.checked_sub(1).and_then(|b| name.get(b));
        let ends = here.is_none_or(|b| !b.is_ascii_alphanumeric());
        let hump =
            before.is_some_and(u8::is_ascii_lowercase) && here.is_some_and(u8::is_ascii_uppercase);
        // In `APIKey` the `K` starts a word: a small letter follows it.
        let last_capital = before.is_some_and(u8::is_ascii_uppercase)
            && here.is_some_and(u8::is_ascii_uppercase)
            && name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        let number =
            before.is_some_and(u8::is_ascii_alphabetic) && here.is_some_and(u8::is_ascii_digit);
        if ends || hump || last_capital || number {
            if at > start {
                words.push(&name[start..at]);
            }
            start = at + usize::from(ends);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_into_words() {
        let split = |name: &'static str| -> Vec<String> {
            words(name.as_bytes())
                .iter()
                .map(|w| String::from_utf8_lossy(w).to_ascii_lowercase())
                .collect()
        };
        assert_eq!(split("dbPassword"), ["db", "password"]);
        assert_eq!(split("AWS_SECRET_KEY2"), ["aws", "secret", "key", "2"]);
        assert_eq!(split("myAPIKey"), ["my", "api", "key"]);
        assert_eq!(split("--admin-password"), ["admin", "password"]);
        assert_eq!(
            split("cfg.Net.SASL.Password"),
            ["cfg", "net", "sasl", "password"]
        );
    }

    #[test]
    fn names_promise() {
        for (name, promise, tail) in [
            ("db_password", Some(Promise::Password), Tail::None),
            ("userpass", Some(Promise::Password), Tail::None),
            ("clientSecret", Some(Promise::Secret), Tail::None),
            ("secret_key", Some(Promise::Secret), Tail::None),
            ("passwordText", Some(Promise::Password), Tail::Same),
            ("tokenType", Some(Promise::Token), Tail::Thing),
            ("password_reset_url", Some(Promise::Password), Tail::Thing),
            ("accessKeyId", Some(Promise::Key), Tail::Thing),
            ("colour", None, Tail::None),
        ] {
            let read = read(name.as_bytes());
            assert_eq!((read.promise, read.tail), (promise, tail), "{name}");
        }
        assert!(read(b"api_key").qualified && read(b"apikey").qualified);
        assert!(read(b"token").alone && !read(b"apikey").alone);
        assert!(read(b"publicKey").public && read(b"WRONG_PASSWORD").made_up);
    }
}

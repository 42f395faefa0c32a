//! Names for the vault: valid, stable, human, from the identifier and the place, never from the value.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::finding::Finding;

/// Longer names are cut and made unique again by a hash of their place.
const LONGEST: usize = 80;

/// Words that say nothing by themselves.
const GENERIC: [&str; 22] = [
    "key",
    "secret",
    "password",
    "pwd",
    "pass",
    "token",
    "value",
    "conn",
    "connection",
    "cs",
    "string",
    "sas",
    "cred",
    "credential",
    "data",
    "tmp",
    "x",
    "default",
    "k",
    "s",
    "url",
    "uri",
];

/// Words that do not even name a kind of secret.
const EMPTY: [&str; 31] = [
    "raw", "text", "tmp", "temp", "x", "s", "k", "val", "value", "data", "arg", "args", "param",
    "res", "result", "header", "headers", "default", "string", "old", "new", "user", "username",
    "net", "com", "run", "script", "bash", "pwsh", "command", "cmd",
];

/// Spellings that camel case would tear apart.
const BRANDS: [(&str, &str); 15] = [
    ("OpenAI", "Openai"),
    ("DevOps", "Devops"),
    ("GitHub", "Github"),
    ("OAuth", "Oauth"),
    ("IoT", "Iot"),
    ("MySQL", "Mysql"),
    ("PostgreSQL", "Postgresql"),
    ("CosmosDB", "Cosmosdb"),
    ("SignalR", "Signalr"),
    ("PyPI", "Pypi"),
    ("EventHubs", "Eventhubs"),
    ("EventHub", "Eventhub"),
    ("ServiceBus", "Servicebus"),
    ("KeyVault", "Keyvault"),
    ("AppInsights", "Appinsights"),
];

/// The name for a finding, before collisions are looked at.
pub fn of(finding: &Finding) -> String {
    let family = &finding.rule.vault_name;
    let place = || {
        let keys = finding.host.keys.join(".");
        format!("{}\0{keys}", finding.path())
    };
    let is_item = |key: &str| key.bytes().all(|b| b.is_ascii_digit());
    let by_label =
        finding.host.label.is_some() && finding.host.keys.last().is_some_and(|key| is_item(key));
    if let Some(hint) = of_keys(&finding.host.keys).filter(|_| !by_label) {
        return capped(&from_hint(&hint, family), &place());
    }
    let label = finding.host.label.as_deref();
    let said = finding.name.as_deref().or(label).unwrap_or_default();
    capped(&from_hint(said, family), &place())
}

/// The last key that is a name, with the one before it when the last says nothing.
fn of_keys(keys: &[Box<str>]) -> Option<String> {
    /// Keys of the formats themselves.
    const STRUCTURE: [&str; 17] = [
        "value",
        "defaultValue",
        "default",
        "env",
        "with",
        "inputs",
        "environment",
        "Values",
        "parameters",
        "stringData",
        "data",
        "parameterValues",
        "typeProperties",
        "properties",
        "secrets",
        "items",
        "params",
    ];
    let is_index = |key: &str| key.bytes().all(|b| b.is_ascii_digit());
    let named: Vec<&str> = keys
        .iter()
        .map(|key| &**key)
        .filter(|key| !is_index(key) && !STRUCTURE.contains(key))
        .collect();
    let (last, rest) = named.split_last()?;
    if tokens(last).len() > 1 || !is_generic(last) {
        return Some((*last).to_owned());
    }
    Some(match rest.last() {
        Some(before) => format!("{before}.{last}"),
        None => (*last).to_owned(),
    })
}

fn is_generic(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit());
    GENERIC.contains(&stem)
}

/// A name from an identifier, with the family's in front where the identifier says nothing.
pub fn from_hint(hint: &str, family: &str) -> String {
    let words = tokens(hint);
    let name = match &words[..] {
        [] => family.to_owned(),
        [one] if EMPTY.contains(&&**one) => family.to_owned(),
        [one] if is_generic(one) => with_family(one, family),
        _ => words.join("-"),
    };
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("s-{name}")
    } else {
        name
    }
}

/// `key1` of a storage account is `storage-account-key1`.
fn with_family(word: &str, family: &str) -> String {
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let head = family.rsplit_once('-').map_or(family, |(head, last)| {
        if last == stem || is_generic(last) {
            head
        } else {
            family
        }
    });
    if family == stem || head == stem {
        word.to_owned()
    } else {
        format!("{head}-{word}")
    }
}

/// The words of an identifier, lower case.
pub fn tokens(hint: &str) -> Vec<String> {
    let mut plain: Cow<'_, str> = Cow::Owned(fold(hint));
    for (brand, whole) in BRANDS {
        if plain.contains(brand) {
            plain = Cow::Owned(plain.replace(brand, whole));
        }
    }
    let mut words: Vec<String> = Vec::new();
    for part in plain.split(|c: char| !c.is_ascii_alphanumeric()) {
        for word in camel(part) {
            if words.last() != Some(&word) {
                words.push(word);
            }
        }
    }
    words
}

fn camel(part: &str) -> Vec<String> {
    let bytes = part.as_bytes();
    let mut words = Vec::new();
    let mut start = 0;
    for at in 1..bytes.len() {
        let (before, here) = (bytes[at - 1], bytes[at]);
        let after_lower = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        let hump = here.is_ascii_uppercase() && !before.is_ascii_uppercase();
        let end_of_capitals =
            here.is_ascii_uppercase() && before.is_ascii_uppercase() && after_lower;
        let number_first = start == 0
            && bytes[..at].iter().all(u8::is_ascii_digit)
            && here.is_ascii_alphabetic()
            && !after_lower;
        if hump || end_of_capitals || number_first {
            words.push(part[start..at].to_ascii_lowercase());
            start = at;
        }
    }
    if start < part.len() {
        words.push(part[start..].to_ascii_lowercase());
    }
    words
}

/// Letters without their accents; what has no plain form separates words.
fn fold(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            'à'..='å' => 'a',
            'ç' => 'c',
            'è'..='ë' => 'e',
            'ì'..='ï' => 'i',
            'ñ' => 'n',
            'ò'..='ö' | 'ø' => 'o',
            'ù'..='ü' => 'u',
            'ý' | 'ÿ' => 'y',
            'À'..='Å' => 'A',
            'Ç' => 'C',
            'È'..='Ë' => 'E',
            'Ì'..='Ï' => 'I',
            'Ñ' => 'N',
            'Ò'..='Ö' | 'Ø' => 'O',
            'Ù'..='Ü' => 'U',
            c if c.is_ascii() => c,
            _ => ' ',
        })
        .collect()
}

fn capped(name: &str, place: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let room = LONGEST - 9;
    let cut = name[..room].rfind('-').unwrap_or(room);
    format!("{}-{}", &name[..cut], hash(place, 4))
}

/// The first bytes of a hash of a place, in hex. Places are no secret.
pub fn hash(place: &str, bytes: usize) -> String {
    let sum = Sha256::digest(place.as_bytes());
    sum.iter().take(bytes).map(|b| format!("{b:02x}")).collect()
}

/// Whether a vault takes it as the name of a secret.
pub fn is_valid(name: &str) -> bool {
    (1..=127).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_people_would_give_them() {
        for (hint, family, name) in [
            ("STORAGE_ACCOUNT_KEY", "x", "storage-account-key"),
            ("storageAccountKey", "x", "storage-account-key"),
            ("SQLPassword", "x", "sql-password"),
            ("AZURE_OPENAI_API_KEY", "x", "azure-openai-api-key"),
            ("OpenAIKey", "x", "openai-key"),
            ("Db:Password", "x", "db-password"),
            (
                "spring.datasource.password",
                "x",
                "spring-datasource-password",
            ),
            ("key1", "storage-account-key", "storage-account-key1"),
            ("2ndToken", "x", "s-2nd-token"),
            ("clé_secrète", "x", "cle-secrete"),
            ("password", "sql-password", "sql-password"),
            ("key", "storage-account-key", "storage-account-key"),
            ("password", "password", "password"),
            ("", "github-token", "github-token"),
        ] {
            assert_eq!(from_hint(hint, family), name, "{hint}");
            assert!(is_valid(&from_hint(hint, family)));
        }
    }

    #[test]
    fn long_names_are_cut_at_a_word_and_stay_apart() {
        let long = "very-long-word-".repeat(20);
        let (a, b) = (capped(&long, "a"), capped(&long, "b"));
        assert!(a.len() <= LONGEST && a != b && is_valid(&a), "{a}");
    }
}

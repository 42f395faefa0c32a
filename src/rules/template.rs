//! Fills templates with fresh, random, well-formed secrets.
//!
//! Rules show what they find without holding a secret: an example is a template such as
//! `ghp_{b62:30}{crc-base62}`, and a seeded [`Generator`] makes a value of it, checksum and all. The
//! same seed makes the same values, so a failing test can be repeated.
//!
//! A placeholder is `{name}` or `{name:argument}`, with an optional filter: `{s|percent}`. `{{` and
//! `}}` are braces. The argument of `{b64of:…}` is a template itself; in it, too, braces are doubled.

mod random;
mod shapes;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::def::Example;
use crate::checksum::crc;

/// Makes values out of templates.
#[derive(Clone, Debug)]
pub struct Generator {
    state: u64,
}

/// Templates come from custom rule files too; neither their nesting nor their counts are trusted.
const DEEPEST: usize = 8;
const LONGEST: usize = 64 * 1024;

/// One piece of a template.
enum Piece<'t> {
    Text(&'t str),
    Placeholder(&'t str),
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Fills a template that stands alone.
    ///
    /// # Errors
    /// When a placeholder is unknown or malformed.
    pub fn fill(&mut self, template: &str) -> Result<String, String> {
        self.fill_with(template, None, 0)
    }

    /// Fills an example: the text, and the secret in it as it reads when all encodings are undone.
    ///
    /// # Errors
    /// As [`Generator::fill`].
    pub fn example(&mut self, example: &Example) -> Result<(String, String), String> {
        let secret = self.fill(&example.secret)?;
        let text = self.fill_with(&example.text, Some(&secret), 0)?;
        Ok((text, secret))
    }

    fn fill_with(
        &mut self,
        template: &str,
        secret: Option<&str>,
        depth: usize,
    ) -> Result<String, String> {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while !rest.is_empty() {
            let (piece, tail) = next_piece(rest)?;
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Placeholder(inside) => {
                    let value = self.placeholder(inside, &out, secret, depth)?;
                    out.push_str(&value);
                }
            }
            rest = tail;
        }
        Ok(out)
    }

    fn placeholder(
        &mut self,
        inside: &str,
        before: &str,
        secret: Option<&str>,
        depth: usize,
    ) -> Result<String, String> {
        let (inside, filter) = split_filter(inside);
        let (name, argument) = inside.split_once(':').unwrap_or((inside, ""));
        let value = match (name, secret) {
            ("s", Some(secret)) => secret.to_owned(),
            ("b64of" | "b64uof", _) if depth < DEEPEST => {
                let inner = self.fill_with(argument, secret, depth + 1)?;
                match name {
                    "b64of" => STANDARD.encode(inner),
                    _ => URL_SAFE_NO_PAD.encode(inner),
                }
            }
            ("crc-base62" | "crc-base64" | "crc-hex", _) => sum(name, before)?,
            _ => match self.random_text(name, argument)? {
                Some(value) => value,
                None => self.shape(name, argument)?,
            },
        };
        Ok(filter.apply(value))
    }
}

/// The sum of what stands before, as the families that carry one compute it.
fn sum(name: &str, before: &str) -> Result<String, String> {
    let before = before.as_bytes();
    let tail = |count: usize| {
        let start = before.len().checked_sub(count);
        start
            .map(|start| &before[start..])
            .ok_or(format!("{{{name}}} needs {count} characters before it"))
    };
    Ok(match name {
        "crc-base62" => crc::base62(tail(30)?).map(char::from).iter().collect(),
        "crc-base64" => crc::base64(tail(54)?).map(char::from).iter().collect(),
        _ => crc::hex(&tail(33)?[..32]),
    })
}

/// Cuts the first piece off a template that is not empty.
fn next_piece(template: &str) -> Result<(Piece<'_>, &str), String> {
    let text_end = template.find(['{', '}']).unwrap_or(template.len());
    if text_end > 0 {
        let (text, rest) = template.split_at(text_end);
        return Ok((Piece::Text(text), rest));
    }
    for brace in ["{{", "}}"] {
        if let Some(rest) = template.strip_prefix(brace) {
            return Ok((Piece::Text(&brace[..1]), rest));
        }
    }
    let inside = template.strip_prefix('{').ok_or("a lone }")?;
    let end = placeholder_end(inside).ok_or("a { without its }")?;
    Ok((Piece::Placeholder(&inside[..end]), &inside[end + 1..]))
}

/// Where the placeholder that `text` begins in ends: at its own `}`, past doubled braces and
/// whole placeholders in its argument.
fn placeholder_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut inner = false;
    let mut at = 0;
    loop {
        let doubled = bytes.get(at + 1) == bytes.get(at);
        match bytes.get(at)? {
            b'}' if inner => inner = false,
            b'{' | b'}' if doubled => at += 1,
            b'{' => inner = true,
            b'}' => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

/// How a value is written.
#[derive(Clone, Copy)]
enum Filter {
    None,
    Percent,
    Json,
    Base64,
}

fn split_filter(inside: &str) -> (&str, Filter) {
    match inside.rsplit_once('|') {
        Some((head, "percent")) => (head, Filter::Percent),
        Some((head, "json")) => (head, Filter::Json),
        Some((head, "base64")) => (head, Filter::Base64),
        _ => (inside, Filter::None),
    }
}

impl Filter {
    fn apply(self, value: String) -> String {
        match self {
            Self::None => value,
            Self::Percent => percent(&value),
            Self::Json => {
                let quoted = serde_json::Value::String(value).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Self::Base64 => STANDARD.encode(value),
        }
    }
}

/// Percent-encodes everything but unreserved characters.
fn percent(value: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::{aws, devops, entra, his, key84};

    fn fill(template: &str) -> String {
        Generator::new(7).fill(template).unwrap()
    }

    #[test]
    fn the_same_seed_makes_the_same_text() {
        let make = |seed| Generator::new(seed).fill("{b62:40}").unwrap();
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
    }

    #[test]
    fn braces_are_doubled_and_faults_are_errors() {
        assert_eq!(fill(r#"{{"a": 1}}"#), r#"{"a": 1}"#);
        for bad in [
            "{",
            "a}",
            "{no-such}",
            "{b62}",
            "{b62:x}",
            "{s}",
            "{his:+ASt:Nothing0}",
        ] {
            assert!(Generator::new(1).fill(bad).is_err(), "{bad}");
        }
        assert!(Generator::new(1).fill("{b62:99999999}").is_err());
    }

    #[test]
    fn nested_templates_are_filled_before_they_are_encoded() {
        let text = STANDARD.decode(fill("{b64of:{word}:{digits:4}}")).unwrap();
        let text = String::from_utf8(text).unwrap();
        let (word, digits) = text.split_once(':').unwrap();
        assert!(word.bytes().all(|b| b.is_ascii_lowercase()) && digits.len() == 4);
        let json = URL_SAFE_NO_PAD
            .decode(fill(r#"{b64uof:{{"u":"{hex:8}"}}}"#))
            .unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["u"].as_str().unwrap().len(), 8);
        let deep = "{b64of:".repeat(40) + &"}".repeat(40);
        assert!(Generator::new(1).fill(&deep).is_err());
    }

    #[test]
    fn filters_rewrite_the_secret() {
        let example = |text: &'static str| {
            let example = Example {
                text: text.into(),
                secret: "a+b/\"=".into(),
                why: "".into(),
            };
            Generator::new(1).example(&example).unwrap().0
        };
        assert_eq!(example("<{s|percent}>"), "<a%2Bb%2F%22%3D>");
        assert_eq!(example("<{s|json}>"), "<a+b/\\\"=>");
        assert_eq!(example("<{s|base64}>"), "<YStiLyI9>");
    }

    #[test]
    fn sums_in_templates_verify() {
        let key = |template: &str| fill(template).into_bytes();
        assert!(crc::base62_holds(&key("ghp_{b62:30}{crc-base62}")));
        assert!(crc::base64_holds(&key("cflt{b64:54}{crc-base64}")));
        assert!(crc::hex_holds(&key("zpka_{lower:32}_{crc-hex}")));
        assert!(entra::verify(&key("{entra8}")));
        assert!(devops::verify(&key("{devops}")).is_some());
        assert!(aws::account(&key("{aws-id:AKIA}")).is_some());
        for family in his::FAMILIES {
            for role in family.roles {
                let seed = str::from_utf8(role.seed).unwrap();
                let made = key(&format!("{{his:{}:{seed}}}", family.signature));
                assert_eq!(
                    his::verify(&made),
                    his::HisVerdict::Verified { family, role }
                );
            }
        }
        let made = key("{key84:AZML:INFR}");
        let key84::Key84Verdict::Verified(read) = key84::verify(&made) else {
            panic!("a made key does not verify");
        };
        assert_eq!(&read.signature, b"AZML");
    }

    #[test]
    fn random_text_holds_every_class_of_its_alphabet() {
        for seed in 0..200 {
            let text = Generator::new(seed).fill("{b62:16}").unwrap();
            assert!(text.bytes().any(|b| b.is_ascii_uppercase()), "{seed}");
            assert!(text.bytes().any(|b| b.is_ascii_lowercase()), "{seed}");
            assert!(text.bytes().any(|b| b.is_ascii_digit()), "{seed}");
            let hex = Generator::new(seed).fill("{hex:32}").unwrap();
            assert!(entropy::shannon_entropy(&hex) > 3.1, "{seed}");
        }
    }

    #[test]
    fn tokens_and_key_blocks_parse() {
        let token = fill("{jwt}");
        let parts: Vec<&str> = token.split('.').collect();
        assert_eq!(parts.len(), 3);
        let payload = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
        let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert!(payload["exp"].as_u64().unwrap() > 2_000_000_000);
        let block = fill("{pem:RSA}");
        let lines: Vec<&str> = block.lines().collect();
        assert_eq!(lines.first(), Some(&"-----BEGIN RSA PRIVATE KEY-----"));
        assert_eq!(lines.last(), Some(&"-----END RSA PRIVATE KEY-----"));
        let body = lines[1..lines.len() - 1].concat();
        assert!(STANDARD.decode(body).unwrap().len() > 1000);
    }

    proptest::proptest! {
        #[test]
        fn any_template_is_read_without_a_panic(template in "[{}a-z0-9:|%+é]{0,40}") {
            let _ = Generator::new(1).fill(&template);
        }

        #[test]
        fn known_names_take_any_argument(
            name in "b62|hex|b64bytes|his|key84|pem|aws-id|b64of|jwt|word|devops",
            argument in "[A-Za-z0-9:{}é+]{0,12}",
        ) {
            let _ = Generator::new(1).fill(&format!("{{{name}:{argument}}}"));
        }
    }
}

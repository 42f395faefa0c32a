//! The invented values of a demo and the markers that stand for them in its templates.
//!
//! A marker is `@@name@@` or `@@name|coding@@`. JSON, Terraform, Bicep and workflow files are full
//! of braces, so the marker has none.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::broken;
use crate::error::Error;
use crate::rules::template::Generator;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    /// Templates of the generator; these values are leaks.
    secret: BTreeMap<String, String>,
    /// Templates of the generator; these only look like secrets.
    safe: BTreeMap<String, String>,
    /// Texts with markers, for places that hold several values encoded as a whole.
    text: BTreeMap<String, String>,
}

/// One value per name, and a record of which secrets were asked for.
pub(super) struct Values {
    values: BTreeMap<String, String>,
    texts: BTreeMap<String, String>,
    secrets: BTreeSet<String>,
    used: BTreeSet<String>,
    counted: BTreeSet<String>,
}

const MARK: &str = "@@";

impl Values {
    /// Invents a value for every name that `declared` gives a template.
    pub(super) fn new(declared: &str, seed: u64) -> Result<Self, String> {
        let declared: Declared = toml::from_str(declared).map_err(|e| e.to_string())?;
        let mut generator = Generator::new(seed);
        let secrets = declared.secret.keys().cloned().collect();
        let mut values = BTreeMap::new();
        for (name, template) in declared.secret.into_iter().chain(declared.safe) {
            let value = generator.fill(&template)?;
            if values.insert(name.clone(), value).is_some() {
                return Err(format!("{name} is there twice"));
            }
        }
        Ok(Self {
            values,
            texts: declared.text,
            secrets,
            used: BTreeSet::new(),
            counted: BTreeSet::new(),
        })
    }

    /// How many secrets were asked for so far.
    pub(super) fn used(&self) -> usize {
        self.used.len()
    }

    /// From here on secrets are counted anew.
    pub(super) fn start_count(&mut self) {
        self.counted.clear();
    }

    /// How many secrets were asked for since [`Values::start_count`].
    pub(super) fn counted(&self) -> usize {
        self.counted.len()
    }

    /// Replaces the markers of `template`.
    pub(super) fn fill(&mut self, template: &str) -> Result<String, Error> {
        let mut out = String::with_capacity(template.len() * 2);
        let mut rest = template;
        while let Some((before, from)) = rest.split_once(MARK) {
            let (marker, after) = from
                .split_once(MARK)
                .ok_or_else(|| broken("a marker does not end"))?;
            out.push_str(before);
            out.push_str(&self.resolve(marker)?);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn resolve(&mut self, marker: &str) -> Result<String, Error> {
        let mut parts = marker.split('|');
        let name = parts.next().unwrap_or_default();
        let mut value = match (self.values.get(name), self.texts.get(name)) {
            (Some(value), None) => value.clone(),
            // A text is not among the values, so that it cannot refer to itself.
            (None, Some(text)) => {
                let text = text.clone();
                let nested = self.texts.remove_entry(name);
                let filled = self.fill(&text);
                self.texts.extend(nested);
                filled?
            }
            _ => return Err(broken(format!("unknown marker {name}"))),
        };
        if self.secrets.contains(name) {
            self.used.insert(name.to_owned());
            self.counted.insert(name.to_owned());
        }
        for coding in parts {
            value = encode(&value, coding)?;
        }
        Ok(value)
    }
}

fn encode(value: &str, coding: &str) -> Result<String, Error> {
    Ok(match coding {
        "json" => value.chars().map(json).collect(),
        "html" => value.chars().map(html).collect(),
        "percent" => value.bytes().map(percent).collect(),
        "base64" => STANDARD.encode(value),
        _ => return Err(broken(format!("unknown coding {coding}"))),
    })
}

/// As .NET writes it: more escapes than JSON asks for, which is what hides keys from plain searches.
fn json(c: char) -> String {
    match c {
        '\\' => r"\\".into(),
        '"' | '&' | '\'' | '+' | '<' | '>' | '`' => format!("\\u{:04X}", c as u32),
        c if c.is_ascii_graphic() || c == ' ' => c.into(),
        c => {
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units);
            units.iter().map(|unit| format!("\\u{unit:04X}")).collect()
        }
    }
}

fn html(c: char) -> String {
    match c {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\'' => "&#39;".into(),
        c => c.into(),
    }
}

fn percent(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).into()
        }
        byte => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED: &str = r#"
        [secret]
        key = "a+b&{hex:4}"
        other = "{hex:4}"
        [safe]
        id = "{hex:8}"
        [text]
        pair = "user:@@key@@"
        loop = "@@loop@@"
    "#;

    fn values() -> Values {
        Values::new(DECLARED, 1).unwrap()
    }

    #[test]
    fn one_name_has_one_value() {
        let text = values().fill("@@id@@ @@id@@ @@id@@@host").unwrap();
        let words: Vec<&str> = text.split(' ').collect();
        assert_eq!(words[0], words[1]);
        assert_eq!(words[2], format!("{}@host", words[0]));
    }

    #[test]
    fn codings_undo_to_the_value() {
        let mut values = values();
        let plain = values.fill("@@key@@").unwrap();
        let json = values.fill("\"@@key|json@@\"").unwrap();
        assert!(json.contains("\\u002B"));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), plain);
        let decoded = STANDARD.decode(values.fill("@@pair|base64@@").unwrap());
        assert_eq!(decoded.unwrap(), format!("user:{plain}").as_bytes());
        let html = values.fill("@@key|html@@").unwrap();
        assert_eq!(html.replace("&amp;", "&"), plain);
        let percent = values.fill("@@key|percent@@").unwrap();
        assert!(percent.starts_with("a%2Bb%26"), "{percent}");
    }

    #[test]
    fn json_outside_the_basic_plane_is_two_escapes() {
        let text: String = "é😀".chars().map(json).collect();
        assert_eq!(text, "\\u00E9\\uD83D\\uDE00");
    }

    #[test]
    fn secrets_are_counted_once_and_look_alikes_never() {
        let mut values = values();
        values.fill("@@key@@ @@key@@ @@id@@").unwrap();
        assert_eq!(values.used(), 1);
        values.start_count();
        values.fill("@@other@@").unwrap();
        assert_eq!((values.used(), values.counted()), (2, 1));
    }

    #[test]
    fn faults_are_errors() {
        for bad in ["@@key", "@@nobody@@", "@@key|rot13@@", "@@loop@@"] {
            assert!(values().fill(bad).is_err(), "{bad}");
        }
    }
}

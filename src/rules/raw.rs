//! Rule files as they are written, and their way to [`RuleDef`]s.
//!
//! This file is compiled twice: into the build script, which turns `patterns/*.toml` into static
//! data so that start-up parses nothing, and into the library, which loads custom files with the
//! same checks. It therefore uses nothing of the crate but its neighbours `check`, `def` and `pattern`.

use std::borrow::Cow;

use serde::Deserialize;

use super::check::Check;
use super::def::{Anchor, ByteSet, Example, Kind, Level, Matcher, RuleDef, Severity};
use super::pattern;

/// One file of `patterns/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    /// Whose secrets these are, for grouping.
    provider: String,
    rule: Vec<RawRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    title: String,
    severity: Severity,
    kind: Kind,
    #[serde(default)]
    confidence: Option<Level>,
    keywords: Vec<String>,
    /// The whole pattern, with a group named `secret`.
    regex: Option<String>,
    /// The longest match in bytes, for a pattern that does not bound all it repeats.
    longest: Option<usize>,
    /// Only the value's pattern: the name stands before it on the same line.
    value: Option<String>,
    /// How far after the keyword `value` may start.
    window: Option<usize>,
    /// The assignment grammar finds the value; the keywords are parts of names.
    #[serde(default)]
    assignment: bool,
    /// Bytes that must not stand before or after the secret, as a character class.
    #[serde(default)]
    not_before: String,
    #[serde(default)]
    not_after: String,
    #[serde(default)]
    min_entropy: f32,
    #[serde(default)]
    checks: Vec<String>,
    /// Words of which one must stand within `near_bytes` of the match.
    #[serde(default)]
    near: Vec<String>,
    #[serde(default = "default_near_bytes")]
    near_bytes: u32,
    /// Ids of rules of the same kind that fit some of the same text and say less.
    #[serde(default)]
    above: Vec<String>,
    /// What whoever holds the secret can do.
    grants: String,
    /// How to revoke or rotate, a command or a place, most direct first.
    rotate: Vec<String>,
    /// What the secret would be called in a vault when nothing nearby names it.
    vault_name: String,
    references: Vec<String>,
    #[serde(default)]
    example: Vec<RawExample>,
    #[serde(default)]
    counter: Vec<RawExample>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExample {
    text: String,
    #[serde(default)]
    secret: String,
    /// Why a counter-example is none, or what an example shows.
    #[serde(default)]
    why: String,
}

fn default_near_bytes() -> u32 {
    200
}

/// Reads one rule file. The message of an error names the rule and what is wrong with it.
pub fn parse(text: &str) -> Result<Vec<RuleDef>, String> {
    let file: RawFile = toml::from_str(text).map_err(|error| fault(text, &error))?;
    let provider = file.provider;
    file.rule
        .into_iter()
        .map(|rule| {
            let id = rule.id.clone();
            define(rule, &provider).map_err(|fault| format!("rule {id}: {fault}"))
        })
        .collect()
}

/// Says where a file is no rule file, or whatever it should be, and why, without a word of its
/// content: it may be any file, named by mistake, and hold secrets.
pub(crate) fn fault(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    let quoted = |piece: (usize, &str)| match piece {
        (nth, _) if nth % 2 == 1 => "\u{2026}".to_owned(),
        (_, said) => said.to_owned(),
    };
    let message: Vec<String> = error.message().split('"').enumerate().map(quoted).collect();
    let message = known_names(&message.join("\""));
    let message = message.trim().replace('\n', "; ");
    format!("line {line}, column {column}: {message}")
}

/// A message about a name that is none of those it wants, which it lists. The name is repeated when
/// it reads like a misspelt one.
fn known_names(message: &str) -> String {
    let Some(rest) = message.strip_prefix("unknown ") else {
        return message.to_owned();
    };
    let (unknown, wanted) = rest.split_once(", expected").unwrap_or((rest, ""));
    let (what, name) = unknown.split_once(' ').unwrap_or((unknown, ""));
    let spelt = name.trim_matches('`');
    let is_field = what == "field"
        && spelt.len() <= 20
        && spelt.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let name = if is_field { name } else { "\u{2026}" };
    format!("unknown {what} {name}, expected{wanted}")
}

fn define(raw: RawRule, provider: &str) -> Result<RuleDef, String> {
    check_id(&raw.id)?;
    let keywords = check_keywords(&raw.keywords)?;
    let matcher = matcher(&raw)?;
    if raw.example.is_empty() {
        return Err("example: has none".into());
    }
    if raw.title.is_empty() || raw.grants.is_empty() || raw.rotate.is_empty() {
        return Err("title, grants, rotate: must say something".into());
    }
    if raw.near_bytes > FARTHEST {
        return Err(format!("near_bytes: at most {FARTHEST}"));
    }
    if raw.references.iter().any(|r| !r.starts_with("https://")) {
        return Err("references: must be https:// addresses".into());
    }
    if raw
        .example
        .iter()
        .any(|e| !(e.text.contains("{s}") || e.text.contains("{s|")) || e.secret.is_empty())
    {
        return Err("example: needs a secret, and {s} where it stands in the text".into());
    }
    let checks = raw
        .checks
        .iter()
        .map(|name| Check::from_name(name).ok_or(format!("checks: unknown check {name:?}")))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(RuleDef {
        id: raw.id.into(),
        title: raw.title.into(),
        provider: Cow::Owned(provider.to_owned()),
        severity: raw.severity,
        kind: raw.kind,
        confidence: raw.confidence.unwrap_or(raw.kind.usual_confidence()),
        keywords: keywords.into(),
        matcher,
        not_before: neighbours("not_before", &raw.not_before)?,
        not_after: neighbours("not_after", &raw.not_after)?,
        min_entropy: raw.min_entropy,
        checks: checks.into(),
        near: owned(raw.near.into_iter().map(|w| w.to_ascii_lowercase())),
        near_bytes: raw.near_bytes,
        above: owned(raw.above),
        grants: raw.grants.into(),
        rotate: owned(raw.rotate),
        vault_name: raw.vault_name.into(),
        references: owned(raw.references),
        examples: examples(raw.example),
        counters: examples(raw.counter),
    })
}

fn neighbours(field: &str, class: &str) -> Result<ByteSet, String> {
    ByteSet::parse(class).map_err(|fault| format!("{field}: {fault}"))
}

fn owned(list: impl IntoIterator<Item = String>) -> Cow<'static, [Cow<'static, str>]> {
    list.into_iter().map(Cow::Owned).collect::<Vec<_>>().into()
}

fn examples(list: Vec<RawExample>) -> Cow<'static, [Example]> {
    list.into_iter()
        .map(|e| Example {
            text: e.text.into(),
            secret: e.secret.into(),
            why: e.why.into(),
        })
        .collect::<Vec<_>>()
        .into()
}

fn check_id(id: &str) -> Result<(), String> {
    let kebab = !id.is_empty()
        && id.split('-').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
    kebab.then_some(()).ok_or("id: must be kebab-case".into())
}

fn check_keywords(keywords: &[String]) -> Result<Vec<Cow<'static, str>>, String> {
    if keywords.is_empty() {
        return Err("keywords: needs a keyword".into());
    }
    for keyword in keywords {
        if keyword.len() < 3 || !keyword.is_ascii() {
            return Err(format!(
                "keywords: {keyword:?} must be at least 3 ASCII characters"
            ));
        }
    }
    Ok(keywords.iter().cloned().map(Cow::Owned).collect())
}

/// How far from a match words may stand. Around what changed, as much is read again.
const FARTHEST: u32 = 16 << 10;

/// How far a name and its value may lie apart when the rule does not say.
const USUAL_WINDOW: usize = 60;

/// A keyword of so few bytes turns up by chance, above all in data spelled as letters.
const CHANCY: usize = 5;

/// A match that starts at most so many bytes before its keyword is tried at each of them.
const FEW: u32 = 16;

fn matcher(raw: &RawRule) -> Result<Matcher, String> {
    let field = if raw.value.is_some() {
        "value"
    } else {
        "regex"
    };
    find_by(raw).map_err(|fault| format!("{field}: {fault}"))
}

fn find_by(raw: &RawRule) -> Result<Matcher, String> {
    let regex = match (&raw.regex, &raw.value, raw.assignment) {
        (Some(regex), None, false) => regex.clone(),
        (None, Some(value), false) => {
            named_value(&raw.keywords, value, raw.window.unwrap_or(USUAL_WINDOW))
        }
        (None, None, true) => return Ok(Matcher::Assignment),
        (None, Some(value), true) => {
            // The assignment grammar finds the value; this must match all of it.
            let regex = format!("^(?:{value})$");
            pattern::longest(&pattern::parse(&regex)?, None)?;
            return Ok(Matcher::AssignedValue {
                regex: regex.into(),
            });
        }
        _ => return Err("needs exactly one of regex, value, assignment".into()),
    };
    find_by_regex(raw, regex)
}

fn find_by_regex(raw: &RawRule, regex: String) -> Result<Matcher, String> {
    let hir = pattern::parse(&regex)?;
    let max_len = pattern::longest(&hir, raw.longest)?;
    if !pattern::has_secret_group(&hir) {
        return Err("the regex has no group named secret".into());
    }
    let at_keyword = raw.value.is_some() || pattern::starts_with_one(&hir, &raw.keywords);
    // What looks behind must see what stands there, and what is tried at one place begins there.
    let looks_behind = !hir.properties().look_set_prefix_any().is_empty();
    if hir.properties().maximum_len().is_none() && (!at_keyword || looks_behind) {
        // Where it starts bounds how far such a match gets; a window would not.
        let what =
            "longest: is for a regex that starts with its keywords and asks for nothing before";
        return Err(what.into());
    }
    let mut opening = pattern::opening(&hir);
    let before = match at_keyword {
        true => Some(0),
        false => pattern::before_keyword(&hir, &raw.keywords),
    };
    let before = before.map_or(max_len, |before| before as u32);
    let anchor = match before {
        0 if !looks_behind => Anchor::Keyword,
        1..=FEW if !looks_behind && !opening.is_empty() => Anchor::Shortly { before },
        _ => Anchor::Window { before },
    };
    let chancy = raw.keywords.iter().any(|keyword| keyword.len() <= CHANCY);
    opening.truncate(match anchor {
        Anchor::Keyword if chancy => pattern::OPENING,
        Anchor::Shortly { .. } => 1,
        _ => 0,
    });
    let is_window = matches!(anchor, Anchor::Window { .. });
    Ok(Matcher::Regex {
        regex: regex.into(),
        max_len,
        anchor,
        opening: opening.into(),
        is_all_secret: pattern::is_all_secret(&hir),
        lead: pattern::lead(&hir).filter(|_| !is_window),
        row: pattern::row(&hir),
        inner: pattern::inner(&hir).to_vec().into(),
    })
}

/// A name, then within `window` bytes of the same line a separator and the value.
fn named_value(keywords: &[String], value: &str, window: usize) -> String {
    let names: Vec<String> = keywords.iter().map(|k| regex_syntax::escape(k)).collect();
    format!(
        r#"(?i:{})[^\r\n]{{0,{window}}}?[=:,(\[{{>\s"'`|](?P<secret>{value})"#,
        names.join("|")
    )
}

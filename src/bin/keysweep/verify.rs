//! `keysweep history --verify`: what a clean-up has left of the secrets that were found before it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write};
use std::path::Path;

use keysweep::error::Error;
use keysweep::finding::{Finding, Fingerprint};
use keysweep::ignores::Ignores;
use keysweep::ledger::Ledger;
use keysweep::pipeline::Outcome;
use keysweep::report::human::{commit, counted, coverage, printable, whereabouts};
use keysweep::rules::Level;
use serde_json::Value;

/// What a report of before says of one secret in one path.
#[derive(Clone)]
pub struct Known {
    fingerprint: Fingerprint,
    title: String,
    path: String,
    /// The same number for the same secret.
    group: u64,
}

/// Where one secret is now, path by path.
pub struct Fate {
    title: String,
    /// Whether the report of before names it.
    known: bool,
    paths: Vec<(Fingerprint, String, Place)>,
}

enum Place {
    Gone,
    /// Not found, in a sweep that did not read everything.
    Unseen,
    Accepted,
    /// In these places.
    There(Vec<String>),
}

/// Reads a report as `--format json` or `--format jsonl` writes it. What is wrong with one is said
/// by its position alone: it may hold secrets.
///
/// # Errors
/// When it cannot be read, or is no such report.
pub fn read(path: &Path) -> Result<Vec<Known>, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
    let fail = |what: String| Error::usage(format!("{}: {what}", path.display()));
    let mut findings = Vec::new();
    for (index, value) in serde_json::Deserializer::from_str(&text)
        .into_iter::<Value>()
        .enumerate()
    {
        let value = value.map_err(|error| fail(format!("no JSON at line {}", error.line())))?;
        match value.get("findings").and_then(Value::as_array) {
            Some(list) => findings.extend(list.iter().map(known)),
            None => findings.push(known(&value)),
        }
        if findings.last().is_some_and(Option::is_none) {
            return Err(fail(format!("value {} is no finding", index + 1)));
        }
    }
    if text.trim().is_empty() {
        return Err(fail("is empty, so it proves nothing".into()));
    }
    let all: Option<Vec<Known>> = findings.into_iter().collect();
    all.ok_or_else(|| fail("holds something that is no finding".into()))
}

fn known(finding: &Value) -> Option<Known> {
    let text = |name: &str| Some(finding.get(name)?.as_str()?.to_owned());
    Some(Known {
        fingerprint: Fingerprint::from_hex(&text("fingerprint")?)?,
        title: text("title")?,
        path: text("path")?,
        group: finding.get("group").and_then(Value::as_u64).unwrap_or(0),
    })
}

/// Says of each secret where it is, those of before first, and keeps the findings that count: those
/// of before however sure, others from `min_confidence` on, but for what is accepted.
pub fn compare(
    before: &[Known],
    mut outcome: Outcome,
    mut ignores: Ignores,
    min_confidence: Level,
) -> (Outcome, Vec<Fate>) {
    let mut found: HashMap<Fingerprint, Vec<String>> = HashMap::new();
    for finding in &outcome.findings {
        let places = found.entry(finding.fingerprint).or_default();
        places.push(place(finding));
    }
    ignores.apply(&mut outcome.findings);
    let accepted: HashSet<Fingerprint> = ignores.fingerprints().collect();
    let complete = outcome.ledger.is_complete();
    let fate = |known: &Known| match found.get(&known.fingerprint) {
        None if complete => Place::Gone,
        None => Place::Unseen,
        Some(_) if accepted.contains(&known.fingerprint) => Place::Accepted,
        Some(places) => Place::There(places.clone()),
    };
    let mut fates: Vec<Fate> = by_secret(before)
        .into_iter()
        .map(|secret| Fate {
            title: secret[0].title.clone(),
            known: true,
            paths: secret
                .iter()
                .map(|known| (known.fingerprint, known.path.clone(), fate(known)))
                .collect(),
        })
        .collect();
    let known: HashSet<Fingerprint> = before.iter().map(|known| known.fingerprint).collect();
    let is_known = |f: &Finding| known.contains(&f.fingerprint);
    outcome
        .findings
        .retain(|f| f.confidence >= min_confidence || is_known(f));
    let others = outcome.findings.iter().filter(|f| !is_known(f));
    fates.extend(others.map(|f| Fate {
        title: f.title.to_string(),
        known: false,
        paths: vec![(
            f.fingerprint,
            f.path().to_owned(),
            Place::There(vec![place(f)]),
        )],
    }));
    (outcome, fates)
}

/// Entries of the same secret together, in the order of the report, each fingerprint once.
fn by_secret(before: &[Known]) -> Vec<Vec<Known>> {
    let mut secrets: Vec<Vec<Known>> = Vec::new();
    let mut of_group: BTreeMap<u64, usize> = BTreeMap::new();
    for known in before {
        let at = match of_group.get(&known.group) {
            Some(&at) if known.group > 0 => at,
            _ => {
                secrets.push(Vec::new());
                of_group.insert(known.group, secrets.len() - 1);
                secrets.len() - 1
            }
        };
        let same = |other: &Known| other.fingerprint == known.fingerprint;
        if !secrets[at].iter().any(same) {
            secrets[at].push(known.clone());
        }
    }
    secrets
}

/// `line 3, in older commits only, since 0123456789ab 2026-01-31 Ann Author <ann@example.org>`.
fn place(finding: &Finding) -> String {
    let mut text = format!("line {}", finding.start.line);
    if let Some(trace) = &finding.trace {
        text += &format!(", {}", whereabouts(trace));
        if let Some(first) = &trace.first {
            text += &format!(", since {}", commit(first));
        }
    }
    text
}

impl Fate {
    fn word(&self) -> &'static str {
        let any = |is: fn(&Place) -> bool| self.paths.iter().any(|(_, _, place)| is(place));
        if !self.known {
            "found"
        } else if any(|place| matches!(place, Place::There(_))) {
            "there"
        } else if any(|place| matches!(place, Place::Accepted)) {
            "kept"
        } else if any(|place| matches!(place, Place::Unseen)) {
            "unseen"
        } else {
            "gone"
        }
    }
}

/// Writes a paragraph a secret, and the sum.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(fates: &[Fate], ledger: &Ledger, out: &mut dyn Write) -> io::Result<()> {
    for fate in fates {
        writeln!(out, "{:6} {}", fate.word(), printable(&fate.title))?;
        for (fingerprint, path, place) in &fate.paths {
            let path = printable(path);
            match place {
                Place::Gone => writeln!(out, "       {fingerprint} {path}: gone")?,
                Place::Unseen => writeln!(out, "       {fingerprint} {path}: not seen")?,
                Place::Accepted => writeln!(out, "       {fingerprint} {path}: accepted")?,
                Place::There(places) => {
                    for place in places {
                        writeln!(out, "       {fingerprint} {path}: {place}")?;
                    }
                }
            }
        }
    }
    let count = |word: &str| fates.iter().filter(|fate| fate.word() == word).count() as u64;
    let words = ["gone", "there", "kept", "unseen", "found"];
    let [gone, there, kept, unseen, found] = words.map(count);
    let known = counted(gone + there + kept + unseen, "secret");
    let not_seen = match unseen {
        0 => String::new(),
        _ => format!(", {unseen} not seen"),
    };
    writeln!(
        out,
        "{known} of before: {gone} gone, {there} still there, {kept} accepted{not_seen}; {found} others found"
    )?;
    coverage(ledger, out)?;
    if !ledger.is_complete() {
        writeln!(out, "not everything could be read, so this proves nothing")?;
    }
    Ok(())
}

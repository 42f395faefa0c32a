//! `keysweep plan`: what to rotate, what goes where, and how the history is cleaned.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use keysweep::error::Error;
use keysweep::finding::Finding;
use keysweep::report::human::printable;

use crate::args::PlanArgs;
use crate::exit::{Exit, Fault};
use crate::migrate::{Entry, entries};

pub fn run(args: &PlanArgs) -> Result<Exit, Fault> {
    let (entries, swept) = entries(&args.target)?;
    let mut out = io::stdout().lock();
    if entries.is_empty() {
        writeln!(out, "nothing found, nothing to do")?;
        return Ok(Exit::Clean);
    }
    rotate(&entries, &mut out)?;
    vault(&entries, &mut out)?;
    history(args.replace_text.as_deref(), &mut out)?;
    if let Some(path) = &args.replace_text {
        replace_text(path, &swept.outcome.findings)?;
    }
    Ok(Exit::Findings)
}

fn rotate(entries: &BTreeMap<String, Entry>, out: &mut impl Write) -> Result<(), Fault> {
    writeln!(out, "# Rotate\n")?;
    let mut services: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for (name, entry) in entries {
        services.entry(&entry.provider).or_default().push(name);
    }
    for (service, names) in services {
        writeln!(out, "## {service}\n")?;
        for name in names {
            let entry = &entries[name];
            writeln!(out, "- {name}: {}", printable(&entry.title))?;
            for step in &entry.rotate {
                writeln!(out, "  - {}", printable(step))?;
            }
            if !entry.breaks.is_empty() {
                writeln!(out, "  - breaks {}", entry.breaks)?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn vault(entries: &BTreeMap<String, Entry>, out: &mut impl Write) -> Result<(), Fault> {
    writeln!(out, "# Key Vault\n\n| secret | read at |\n| --- | --- |")?;
    for (name, entry) in entries {
        let places: BTreeSet<String> = entry.places.iter().map(|p| printable(p)).collect();
        let places: Vec<String> = places.into_iter().collect();
        writeln!(out, "| {name} | {} |", places.join(", "))?;
    }
    writeln!(
        out,
        "\nReaders need Key Vault Secrets User on the vault. Store the new values with keysweep migrate.\n"
    )?;
    Ok(())
}

fn history(rules: Option<&Path>, out: &mut impl Write) -> Result<(), Fault> {
    let file = rules.map_or("RULES".into(), |path| path.display().to_string());
    writeln!(
        out,
        "# History\n\n\
         Rewriting history is hygiene; only rotation ends a leaked secret. So rotate first.\n\n\
         1. Announce a freeze; merge or close pull requests.\n\
         2. git clone --mirror URL repository.git, and keep a copy of it off the network.\n\
         3. keysweep plan --replace-text RULES writes the rules; then, in the mirror:\n   \
            git filter-repo --sensitive-data-removal --replace-text {file}\n\
         4. Delete {file}: it holds the live values.\n\
         5. keysweep history --verify must find nothing; git cat-file -t of the first changed commit must fail after gc.\n\
         6. git push --force --mirror origin. Protected branches and refs/pull/* refuse: lift the protection for the push.\n\
         7. GitHub: ask support to drop cached views and pull requests (number of pull requests, first changed commits, LFS list); owners of forks act themselves; close the alerts as revoked.\n\
         8. Azure DevOps: the push needs Force push on all refs; completed pull requests and retained runs keep copies: ask support, or move to a new repository and delete the old one, recycle bin too.\n\
         9. Everybody clones anew. CI caches, image layers, package feeds and run snapshots are copies of their own."
    )?;
    Ok(())
}

/// One rule for each value and each form in which files hold it.
fn replace_text(path: &Path, findings: &[Finding]) -> Result<(), Error> {
    let mut rules: BTreeSet<Vec<u8>> = BTreeSet::new();
    for finding in findings {
        for form in forms(finding.secret.expose()) {
            rules.insert(form);
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|e| Error::io(path, e))?;
    for rule in rules {
        file.write_all(&rule).map_err(|e| Error::io(path, e))?;
    }
    file.sync_all().map_err(|e| Error::io(path, e))
}

/// As rules: literal where the value is one line without `==>`, else a regular expression.
fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    /// A shorter value stands in many places for other reasons.
    const SHORTEST: usize = 6;
    if value.len() < SHORTEST {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(value);
    let mut forms = vec![value.to_vec()];
    let quoted = keysweep::fix::quote::json(&text);
    if quoted != text {
        forms.push(quoted.into_bytes());
    }
    forms.into_iter().map(|form| rule(&form)).collect()
}

fn rule(form: &[u8]) -> Vec<u8> {
    let is_line = !form.iter().any(|b| matches!(b, b'\n' | b'\r'));
    let is_plain = is_line && memchr::memmem::find(form, b"==>").is_none();
    let mut rule = if is_plain {
        [b"literal:", form].concat()
    } else {
        let mut regex = b"regex:".to_vec();
        for byte in form {
            // Python's regular expressions over bytes; every byte by its number.
            regex.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
        }
        regex
    };
    rule.extend_from_slice(b"==>***REMOVED***\n");
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_says_exactly_the_value() {
        let text = |form: &[u8]| String::from_utf8(rule(form)).expect("UTF-8");
        assert_eq!(text(b"a#b=="), "literal:a#b====>***REMOVED***\n");
        assert_eq!(
            text(b"a==>"),
            "regex:\\x61\\x3d\\x3d\\x3e==>***REMOVED***\n"
        );
        assert_eq!(text(b"a\n"), "regex:\\x61\\x0a==>***REMOVED***\n");
        assert!(forms(b"short").is_empty());
        assert_eq!(forms(b"with \"quotes\"").len(), 2);
    }
}

//! What a server's operator decides. Nothing in a push can change it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::error::{Error, ErrorKind};
use crate::finding::Fingerprint;
use crate::pipeline::Options;
use crate::rules::{Level, RuleSet, Severity, raw};
use crate::secret::FingerprintKey;

/// A hook's policy. Without a file the defaults hold.
#[derive(Clone, Debug)]
pub struct Policy {
    pub min_confidence: Level,
    pub min_severity: Severity,
    /// What to do with values that the replaced versions of the files have.
    pub known: Choice,
    pub rules: RuleSet,
    pub fingerprint_key: FingerprintKey,
    pub audit: Option<PathBuf>,
    /// A line for the person who pushes, such as whom to ask.
    pub contact: Option<String>,
    pub budget: Duration,
    pub when_over: Choice,
    pub approvals: Approvals,
    pub accepted: BTreeMap<Fingerprint, String>,
}

/// What to do where either may be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    Accept,
    Refuse,
}

/// Whether the person who pushes may approve a finding.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Approvals {
    pub push_options: bool,
    /// By the server's name for them; empty for everybody who may push.
    pub users: Vec<String>,
}

impl Approvals {
    /// Whether the server's `user` is one who may.
    pub fn may(&self, user: &str) -> bool {
        self.users.is_empty() || self.users.iter().any(|known| known == user)
    }
}

/// A policy that does not hold, and where to log that.
#[derive(Debug)]
pub struct Invalid {
    pub error: Error,
    pub audit: Option<PathBuf>,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    min_confidence: Level,
    min_severity: Severity,
    known: Choice,
    rules: Vec<PathBuf>,
    fingerprint_key: Option<PathBuf>,
    audit: Option<PathBuf>,
    contact: Option<String>,
    budget: RawBudget,
    approvals: Approvals,
    accept: Vec<RawAccept>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawBudget {
    milliseconds: u64,
    when_over: Choice,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAccept {
    fingerprint: String,
    reason: String,
}

impl Default for RawBudget {
    /// GitHub Enterprise Server ends all hooks of a push after 5 seconds.
    fn default() -> Self {
        Self {
            milliseconds: 4500,
            when_over: Choice::Refuse,
        }
    }
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            min_confidence: Level::Medium,
            min_severity: Severity::Low,
            known: Choice::Accept,
            rules: Vec::new(),
            fingerprint_key: None,
            audit: None,
            contact: None,
            budget: RawBudget::default(),
            approvals: Approvals::default(),
            accept: Vec::new(),
        }
    }
}

impl Raw {
    /// Takes the files that it names from its own folder: a hook runs in that of the repository.
    fn find_files(&mut self, folder: &Path) {
        let named = self.rules.iter_mut().chain(&mut self.fingerprint_key);
        for file in named.chain(&mut self.audit) {
            *file = folder.join(&file);
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::from_raw(Raw::default()).expect("the defaults name no file")
    }
}

impl Policy {
    /// Reads a policy file that has to lie outside of the repository at `git_dir`.
    ///
    /// # Errors
    /// When it cannot be read, has a key that is not known, or could be changed by a push.
    pub fn read(file: &Path, git_dir: &Path) -> Result<Self, Invalid> {
        let real = file
            .canonicalize()
            .map_err(|error| Error::io(file, error))?;
        if is_inside(&real, git_dir) {
            let message = format!(
                "{}: a policy must lie outside of the repository",
                file.display()
            );
            return Err(Error::usage(message).into());
        }
        let text = std::fs::read_to_string(&real).map_err(|error| Error::io(file, error))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder).map_err(|invalid| Invalid {
            error: invalid.error.within(file),
            ..invalid
        })
    }

    /// Reads the text of a policy that lies in `folder`.
    ///
    /// # Errors
    /// When it is not valid, or a file that it names cannot be read.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Invalid> {
        let mut raw: Raw = toml::from_str(text).map_err(|error| Invalid {
            error: Error::new(ErrorKind::Usage, raw::fault(text, &error)),
            audit: audit_alone(text).map(|file| folder.join(file)),
        })?;
        raw.find_files(folder);
        let audit = raw.audit.clone();
        Self::from_raw(raw).map_err(|error| Invalid { error, audit })
    }

    fn from_raw(raw: Raw) -> Result<Self, Error> {
        if raw.approvals.push_options && raw.audit.is_none() {
            return Err(Error::usage(
                "[approvals]: push_options needs an audit log, in which approvals are; set `audit`",
            ));
        }
        let mut rules = RuleSet::built_in();
        for file in &raw.rules {
            let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, error))?;
            rules.add(&text).map_err(|error| error.within(file))?;
        }
        let fingerprint_key = match &raw.fingerprint_key {
            Some(file) => FingerprintKey::read(file)?,
            None => FingerprintKey::default(),
        };
        let accepted = raw.accept.into_iter().map(|entry| {
            let fingerprint = Fingerprint::from_hex(&entry.fingerprint);
            let reason = entry.reason.trim().to_owned();
            match fingerprint.filter(|_| !reason.is_empty()) {
                Some(fingerprint) => Ok((fingerprint, reason)),
                None => Err(Error::usage(
                    "[[accept]]: needs a fingerprint of 32 digits and a reason",
                )),
            }
        });
        Ok(Self {
            min_confidence: raw.min_confidence,
            min_severity: raw.min_severity,
            known: raw.known,
            rules,
            fingerprint_key,
            audit: raw.audit,
            contact: raw.contact,
            budget: Duration::from_millis(raw.budget.milliseconds),
            when_over: raw.budget.when_over,
            approvals: raw.approvals,
            accepted: accepted.collect::<Result<_, _>>()?,
        })
    }

    /// How the pipeline is to run.
    pub fn options(&self, now: i64) -> Options {
        Options {
            rules: self.rules.clone(),
            min_confidence: self.min_confidence,
            fingerprint_key: self.fingerprint_key.clone(),
            ..Options::new(now)
        }
    }
}

impl From<Error> for Invalid {
    fn from(error: Error) -> Self {
        Self { error, audit: None }
    }
}

/// The log that a policy names whose other keys are not valid. Of what is no TOML nothing is known.
fn audit_alone(text: &str) -> Option<PathBuf> {
    let table: toml::Table = toml::from_str(text).ok()?;
    table.get("audit")?.as_str().map(PathBuf::from)
}

/// Whether a file lies in the repository, or in a working tree of it, where a push may change it.
fn is_inside(file: &Path, git_dir: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.into());
    let git_dir = real(git_dir);
    // That of a linked working tree names the one that all share.
    let common = std::fs::read_to_string(git_dir.join("commondir"));
    let common = common.map_or(git_dir.clone(), |at| real(&git_dir.join(at.trim_end())));
    file.ancestors().any(|folder| {
        let link = folder.join(".git");
        let leads = std::fs::read_to_string(&link).ok();
        let leads = leads
            .as_deref()
            .and_then(|text| text.strip_prefix("gitdir: "));
        let own = leads.map_or(link.clone(), |at| folder.join(at.trim_end()));
        folder == common || real(&own).starts_with(&common)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused() {
        for (text, word) in [
            ("disabled_rules = ['x']", "disabled_rules"),
            ("[budget]\nseconds = 3", "seconds"),
            ("min_severity = 'awful'", "line 1"),
            ("[[accept]]\nfingerprint = 'x'\nreason = 'y'", "32 digits"),
            ("[approvals]\npush_options = true", "set `audit`"),
        ] {
            let error = Policy::parse(text, Path::new(""))
                .unwrap_err()
                .error
                .to_string();
            assert!(error.contains(word), "{error}");
        }
        let policy = Policy::parse(
            "known = 'refuse'\n[budget]\nmilliseconds = 9",
            Path::new(""),
        )
        .unwrap();
        assert_eq!(policy.known, Choice::Refuse);
        assert_eq!(policy.budget, Duration::from_millis(9));
        assert_eq!(policy.when_over, Choice::Refuse);
    }

    #[test]
    fn an_error_quotes_no_value() {
        for text in [
            "min_severity = 'hunter2'",
            "contact = 'hunter2",
            "audit = 3\nrules = 'hunter2'",
        ] {
            let error = Policy::parse(text, Path::new(""))
                .unwrap_err()
                .error
                .to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_policy_inside_the_repository_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let git = dir.path().join(".git");
        std::fs::create_dir(&git).unwrap();
        let file = dir.path().join("policy.toml");
        std::fs::write(&file, "").unwrap();
        assert!(Policy::read(&file, &git).is_err());
        let other = tempfile::tempdir().unwrap();
        assert!(Policy::read(&file, other.path()).is_ok());
        // A linked working tree of that repository.
        let own = other.path().join("worktrees/linked");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::remove_dir(&git).unwrap();
        std::fs::write(&git, format!("gitdir: {}\n", own.display())).unwrap();
        assert!(Policy::read(&file, other.path()).is_err());
        std::fs::write(own.join("commondir"), "../..\n").unwrap();
        assert!(Policy::read(&file, &own).is_err());
    }
}

//! Writes a small, realistic project with leaked secrets in it, to try keysweep on.
//!
//! The program holds templates only (`fixtures/demo`); the secrets are invented at each run, with
//! valid checksums, so nothing that looks like a key is ever committed or shipped. The project has
//! a git history in which an early commit held keys that a later one removed.

mod values;

use std::fs;
use std::path::{Path, PathBuf};

use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature};
use serde::Deserialize;

use crate::error::{Error, ErrorKind};
use values::Values;

/// Paths and templates of a folder of `fixtures/demo`. A test holds the lists to what is there.
macro_rules! templates {
    ($folder:literal: $($path:literal,)+) => {
        &[$(($path, include_str!(concat!("../../fixtures/demo/", $folder, "/", $path)))),+]
    };
}

/// The project as the last commit leaves it.
const TREE: &[(&str, &str)] = templates! { "tree":
    ".env",
    ".github/workflows/ci.yml",
    "README.md",
    "appsettings.json",
    "azure-pipelines.yml",
    "config/train.yml",
    "deploy/docker-config.json",
    "deploy/secret.yml",
    "infra/main.bicep",
    "infra/main.parameters.json",
    "infra/main.tf",
    "notebooks/explore.ipynb",
    "notebooks/train.ipynb",
    "requirements.lock",
    "src/__init__.py",
    "src/ingest.py",
    "src/score.py",
    "src/settings.py",
};

/// Earlier states of files.
const EARLIER: &[(&str, &str)] = templates! { "history":
    "settings.first.py",
    "settings.second.py",
};

const SECRETS: &str = include_str!("../../fixtures/demo/secrets.toml");
const HISTORY: &str = include_str!("../../fixtures/demo/history.toml");

/// What [`write()`] made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The files of the project, relative to its folder.
    pub files: Vec<PathBuf>,
    pub commits: usize,
    /// How many different secrets were planted, those that only the history holds among them.
    pub secrets: usize,
    /// How many of them stand in the files.
    pub secrets_in_files: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct History {
    commit: Vec<Commit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Commit {
    message: String,
    /// In seconds since 1970.
    date: i64,
    /// Path in the project and name of the earlier state that goes there.
    #[serde(default)]
    put: std::collections::BTreeMap<String, String>,
    /// Whether this commit brings the whole tree.
    #[serde(default)]
    tree: bool,
}

/// Writes the demo into `dir`, which is made when it is not there. The same seed gives the same
/// secrets; a caller that wants fresh ones takes the seed from the clock.
///
/// # Errors
/// When `dir` is a file or a folder that is not empty, or a file or commit cannot be written.
pub fn write(dir: &Path, seed: u64) -> Result<Written, Error> {
    let mut values = Values::new(SECRETS, seed).map_err(broken)?;
    let history: History = toml::from_str(HISTORY).map_err(|e| broken(e.to_string()))?;
    claim(dir)?;
    let repository = init(dir)?;
    let mut files = Vec::new();
    let mut secrets_in_files = 0;
    for commit in &history.commit {
        for (path, name) in &commit.put {
            put(dir, path, &values.fill(template(EARLIER, name)?)?)?;
        }
        if commit.tree {
            values.start_count();
            for (path, template) in TREE {
                put(dir, path, &values.fill(template)?)?;
                files.push(PathBuf::from(path));
            }
            secrets_in_files = values.counted();
        }
        record(&repository, commit).map_err(|e| git(dir, &e))?;
    }
    Ok(Written {
        files,
        commits: history.commit.len(),
        secrets: values.used(),
        secrets_in_files,
    })
}

/// Makes sure that `dir` is there and empty: the demo must not mix with somebody's files.
fn claim(dir: &Path) -> Result<(), Error> {
    fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
    let mut entries = fs::read_dir(dir).map_err(|e| Error::io(dir, e))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(Error::usage(format!(
            "{}: is not empty; the demo wants a folder of its own",
            dir.display()
        ))),
    }
}

fn put(dir: &Path, path: &str, text: &str) -> Result<(), Error> {
    let path = dir.join(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
    }
    fs::write(&path, text).map_err(|e| Error::io(&path, e))
}

fn template<'t>(list: &[(&str, &'t str)], name: &str) -> Result<&'t str, Error> {
    let found = list.iter().find(|(path, _)| *path == name);
    found
        .map(|(_, text)| *text)
        .ok_or_else(|| broken(format!("no earlier state {name}")))
}

fn init(dir: &Path) -> Result<Repository, Error> {
    let mut options = RepositoryInitOptions::new();
    // The user's own templates could bring hooks, and their branch name would differ.
    options.initial_head("main").external_template(false);
    Repository::init_opts(dir, &options).map_err(|e| git(dir, &e))
}

/// Commits everything that lies in the folder, by nobody and at a fixed time.
fn record(repository: &Repository, commit: &Commit) -> Result<(), git2::Error> {
    let mut index = repository.index()?;
    // Forced, because the user's global ignore file may well name `.env`.
    index.add_all(["*"], IndexAddOption::FORCE, None)?;
    index.write()?;
    let tree = repository.find_tree(index.write_tree()?)?;
    let author = Signature::new(
        "Demo",
        "demo@example.invalid",
        &git2::Time::new(commit.date, 0),
    )?;
    let parent = match repository.head() {
        Ok(head) => Some(head.peel_to_commit()?),
        Err(_) => None,
    };
    let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
    let (name, message) = (Some("HEAD"), &commit.message);
    repository.commit(name, &author, &author, message, &tree, &parents)?;
    Ok(())
}

fn git(dir: &Path, error: &git2::Error) -> Error {
    Error::new(
        ErrorKind::Git,
        format!("{}: {}", dir.display(), error.message()),
    )
}

/// A fault of the embedded templates, which the tests rule out.
fn broken(fault: impl std::fmt::Display) -> Error {
    Error::rules(format!("demo: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn listed(folder: &Path, under: &Path, into: &mut BTreeSet<String>) {
        for entry in fs::read_dir(under).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                listed(folder, &path, into);
            } else {
                let relative = path.strip_prefix(folder).unwrap();
                into.insert(relative.to_str().unwrap().replace('\\', "/"));
            }
        }
    }

    #[test]
    fn every_template_is_built_in() {
        for (name, list) in [("tree", TREE), ("history", EARLIER)] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
            let folder = folder.join(name);
            let mut found = BTreeSet::new();
            listed(&folder, &folder, &mut found);
            let built_in = list.iter().map(|(path, _)| (*path).to_owned()).collect();
            assert_eq!(found, built_in);
        }
    }

    #[test]
    fn the_demo_is_complete_and_its_json_parses() {
        let dir = tempfile::tempdir().unwrap();
        let written = write(dir.path(), 1).unwrap();
        assert_eq!(written.files.len(), TREE.len());
        assert!(written.secrets_in_files < written.secrets);
        for file in &written.files {
            let text = fs::read_to_string(dir.path().join(file)).unwrap();
            assert!(!text.contains("@@"), "{}", file.display());
            let json = file
                .extension()
                .is_some_and(|e| e == "json" || e == "ipynb");
            if json {
                let read = serde_json::from_str::<serde_json::Value>(&text);
                assert!(read.is_ok(), "{}: {read:?}", file.display());
            }
        }
    }

    #[test]
    fn every_planted_secret_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let declared: toml::Table = toml::from_str(SECRETS).unwrap();
        let count = declared["secret"].as_table().unwrap().len();
        assert_eq!(write(dir.path(), 1).unwrap().secrets, count);
    }

    #[test]
    fn an_early_commit_holds_a_key_that_the_files_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let written = write(dir.path(), 1).unwrap();
        let repository = Repository::open(dir.path()).unwrap();
        let mut walk = repository.revwalk().unwrap();
        walk.push_head().unwrap();
        let commits: Vec<git2::Oid> = walk.map(|id| id.unwrap()).collect();
        assert_eq!(commits.len(), written.commits);
        let first = repository.find_commit(*commits.last().unwrap()).unwrap();
        let entry = first.tree().unwrap();
        let entry = entry.get_path(Path::new("src/settings.py")).unwrap();
        let blob = repository.find_blob(entry.id()).unwrap();
        let text = std::str::from_utf8(blob.content()).unwrap();
        let line = text.lines().find(|l| l.contains("+ASt")).unwrap();
        let key = line.split('"').nth(1).unwrap();
        for file in &written.files {
            let text = fs::read_to_string(dir.path().join(file)).unwrap();
            assert!(!text.contains(key), "{}", file.display());
        }
        assert!(repository.statuses(None).unwrap().is_empty());
    }

    #[test]
    fn the_seed_decides_the_values() {
        let make = |seed| {
            let dir = tempfile::tempdir().unwrap();
            write(dir.path(), seed).unwrap();
            fs::read_to_string(dir.path().join(".env")).unwrap()
        };
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
    }

    #[test]
    fn a_folder_in_use_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("mine.txt"), "mine").unwrap();
        let error = write(dir.path(), 1).unwrap_err();
        assert!(error.to_string().contains("not empty"), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}

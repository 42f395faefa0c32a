//! `keysweep diff`.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use keysweep::error::Error;
use keysweep::git::reader::Reader;
use keysweep::git::{self, Repo};
use keysweep::guard::ci::{self, System};
use keysweep::guard::range::{self, Judged, Scope};
use keysweep::pipeline::{Options, Outcome, Progress, mask_texts};
use keysweep::report::human::counted;
use keysweep::report::{self, gitlab};
use keysweep::secret::Secret;

use crate::args::{DiffArgs, FormatArg, ReportArgs};
use crate::exit::{Exit, Fault};
use crate::output::Output;
use crate::scan::{exit, fingerprint_key, finish, level, now, style, tell};
use crate::{progress, say};

pub fn run(args: &DiffArgs) -> Result<Exit, Fault> {
    let mut style = style(&args.report, "diff")?;
    let system = System::detect(&variable);
    let outputs = outputs(&args.report, system)?;
    let repo = repository(&args.repo)?;
    let reader = repo.reader()?;
    let scope = scope(&repo, &reader, args, system)?;
    if let Scope::Range { head, .. } = &scope {
        style.commit = Some(git::range::commit(&repo, &reader, head)?.to_string());
    }
    let options = Options {
        min_confidence: level(args.report.min_confidence),
        fingerprint_key: fingerprint_key(args.report.fingerprint_key.as_deref())?,
        ..Options::new(now())
    };
    let progress = Progress::default();
    // An open repository is not for other threads, so the bar's thread is the other one.
    let judged = progress::watch(args.report.quiet, "objects", &progress, || {
        let repo = repository(&args.repo)?;
        range::judge(&repo, &scope, &args.rules, options, &progress)
    })?;
    tell(&judged.outcome.ledger);
    if !args.report.quiet {
        say(&summary(&scope, &judged));
    }
    for (out, format) in outputs {
        let report = ReportArgs {
            format: Some(format),
            ..args.report.clone()
        };
        finish(out, &report, &judged.outcome, &judged.sweep, &style)?;
    }
    if system == Some(System::GitHub) {
        add_summary(&judged.outcome)?;
    }
    Ok(exit(&judged.outcome))
}

/// The index, which git names while it commits.
pub fn staged() -> Scope {
    Scope::Staged {
        index: path("GIT_INDEX_FILE"),
    }
}

/// The repository in `dir`; in the current folder the one that git names to what it runs, if it does.
pub fn repository(dir: &Path) -> Result<Repo, Error> {
    match path("GIT_DIR").filter(|_| dir == Path::new(".")) {
        Some(git_dir) => Repo::open_named(&git_dir, path("GIT_WORK_TREE").as_deref()),
        None => Repo::open(dir),
    }
}

/// A variable that holds a path; it need not be UTF-8.
pub fn path(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}

pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn scope(
    repo: &Repo,
    reader: &Reader,
    args: &DiffArgs,
    system: Option<System>,
) -> Result<Scope, Error> {
    if args.staged {
        return Ok(staged());
    }
    if args.unstaged {
        return Ok(Scope::Unstaged);
    }
    let (base, head) = match (&args.range, system) {
        (Some(range), _) => ends(range)?,
        (None, Some(system)) => return told(repo, reader, ci::range(system, &variable, event)?),
        (None, None) => ("@{upstream}".to_owned(), "HEAD".to_owned()),
    };
    let base = Some(base);
    Ok(Scope::Range { base, head })
}

/// The range that a CI system names.
fn told(repo: &Repo, reader: &Reader, ends: ci::Ends) -> Result<Scope, Error> {
    let head = ends.head;
    let found = git::range::first_of(repo, reader, &ends.bases)?;
    // That none is there is told when the range is resolved.
    let wanted = ends.bases.into_iter().next().filter(|_| !ends.or_all);
    let base = found.or(wanted);
    Ok(Scope::Range { base, head })
}

/// `BASE..HEAD`, `BASE...HEAD`, or `BASE`; an end left out is the checked-out commit.
fn ends(range: &str) -> Result<(String, String), Error> {
    let (base, head) = range
        .split_once("...")
        .or_else(|| range.split_once(".."))
        .unwrap_or((range, ""));
    if base.is_empty() && head.is_empty() {
        return Err(Error::usage(format!(
            "{range}: not a range; write BASE..HEAD"
        )));
    }
    let or_head = |end: &str| {
        let end = if end.is_empty() { "HEAD" } else { end };
        end.to_owned()
    };
    Ok((or_head(base), or_head(head)))
}

fn event(path: &str) -> Option<serde_json::Value> {
    serde_json::from_reader(BufReader::new(File::open(path).ok()?)).ok()
}

fn summary(scope: &Scope, judged: &Judged) -> String {
    let found = counted(judged.outcome.findings.len() as u64, "new finding");
    let known = judged.known;
    let what = match scope {
        Scope::Range { base, head } => {
            let commits = counted(judged.commits as u64, "commit");
            let mut names: Vec<String> = base.iter().chain([head]).cloned().collect();
            mask(&mut names, judged);
            match &*names {
                [base, head] => format!("{commits} of {base}..{head}"),
                _ => format!("{commits}, all that lead to {}", names.concat()),
            }
        }
        Scope::Staged { .. } => "the index".to_owned(),
        Scope::Unstaged => "the working tree".to_owned(),
    };
    format!("judged {what}: {found}, {known} that the base has already")
}

/// Takes out of names the secrets that rules find in them, and those that were found anywhere.
fn mask(names: &mut [String], judged: &Judged) {
    let findings = judged.outcome.findings.iter();
    let values: Vec<Secret> = findings.map(|finding| finding.secret.clone()).collect();
    mask_texts(&judged.sweep, &values, names);
}

/// What to write, and where: what was asked for, else what the CI system reads.
fn outputs(args: &ReportArgs, system: Option<System>) -> Result<Vec<(Output, FormatArg)>, Error> {
    let asked = || Output::open(args.output.as_deref());
    Ok(match (args.format, system) {
        (Some(format), _) => vec![(asked()?, format)],
        (None, Some(System::GitHub)) => vec![(asked()?, FormatArg::Github)],
        (None, Some(System::Azure)) => vec![(asked()?, FormatArg::Azure)],
        (None, Some(System::GitLab)) => {
            let file = match args.output {
                Some(_) => asked()?,
                None => Output::open_own(Path::new(gitlab::FILE))?,
            };
            vec![
                (Output::Stdout, FormatArg::Human),
                (file, FormatArg::Gitlab),
            ]
        }
        (None, _) => vec![(asked()?, FormatArg::Human)],
    })
}

/// Appends to the job's summary where GitHub offers one.
fn add_summary(outcome: &Outcome) -> Result<(), Fault> {
    let Some(path) = variable("GITHUB_STEP_SUMMARY") else {
        return Ok(());
    };
    let path = Path::new(&path);
    let file = OpenOptions::new().create(true).append(true).open(path);
    let mut out = BufWriter::new(file.map_err(|error| Error::io(path, error))?);
    report::github::summary(outcome, &mut out)?;
    out.flush()?;
    Ok(())
}

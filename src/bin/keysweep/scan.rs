//! `keysweep scan`.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use keysweep::error::Error;
use keysweep::git::Repo;
use keysweep::ignores::{self, Ignores};
use keysweep::ledger::{Ledger, Reason};
use keysweep::pipeline::{Options, Outcome, Progress, Sweep, mask_names};
use keysweep::report::{Format, Style};
use keysweep::rules::{Level, RuleSet};
use keysweep::secret::FingerprintKey;
use keysweep::source::Source;
use keysweep::source::stream::{Buffer, Sizes};
use keysweep::source::walk::Walk;

use crate::args::{ColourArg, FormatArg, LevelArg, ReportArgs, ScanArgs};
use crate::exit::{Exit, Fault, heard};
use crate::output::Output;
use crate::{progress, say};

pub fn run(args: &ScanArgs) -> Result<Exit, Fault> {
    let style = style(&args.report, "scan")?;
    let out = Output::open(args.report.output.as_deref())?;
    let sweep = sweep(&args.rules, &args.report)?;
    use_threads(args.threads)?;
    let source: Box<dyn Source + Sync> = if args.paths == [PathBuf::from("-")] {
        Box::new(Stdin {
            name: args.stdin_name.clone(),
        })
    } else {
        Box::new(Walk {
            ignore_files: !args.no_ignore,
            max_size: args.max_size,
            ..Walk::new(args.paths.clone())
        })
    };
    let progress = Progress::default();
    let outcome = progress::watch(args.report.quiet, "files", &progress, || {
        sweep.run(&*source, &progress)
    })?;
    let mut outcome = outcome;
    apply_ignores(&args.paths, &mut outcome)?;
    mask_names(&sweep, &mut outcome.findings, &mut outcome.ledger);
    tell(&outcome.ledger);
    finish(out, &args.report, &outcome, &sweep, &style)
}

/// Writes the report and gives the exit code.
pub fn finish(
    out: Output,
    args: &ReportArgs,
    outcome: &Outcome,
    sweep: &Sweep,
    style: &Style,
) -> Result<Exit, Fault> {
    let style = Style {
        ended: now(),
        ..style.clone()
    };
    heard(out.write(format(args), outcome, sweep.rules(), &style))?;
    Ok(exit(outcome))
}

/// The engine with the rules and settings that were asked for.
pub fn sweep(rule_files: &[PathBuf], report: &ReportArgs) -> Result<Sweep, Error> {
    Ok(Sweep::new(Options {
        rules: rules(rule_files)?,
        min_confidence: level(report.min_confidence),
        fingerprint_key: fingerprint_key(report.fingerprint_key.as_deref())?,
        ..Options::new(now())
    }))
}

/// Sets the number of threads, before any is started.
pub fn use_threads(threads: Option<usize>) -> Result<(), Error> {
    let Some(threads) = threads else {
        return Ok(());
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global()
        .map_err(|error| Error::usage(format!("--threads: {error}")))
}

/// The file of accepted findings and what it says. It lies at the root of the working tree that holds `at`,
/// or in the current folder where there is none.
pub fn accepted(at: &Path) -> Result<(PathBuf, Ignores), Error> {
    let root = Repo::open(at).ok();
    let root = root.and_then(|repo| repo.git2().workdir().map(Path::to_path_buf));
    let file = root.unwrap_or_default().join(ignores::FILE);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Error::io(&file, error)),
    };
    let ignores = Ignores::parse(&text).map_err(|error| error.within(&file))?;
    Ok((file, ignores))
}

/// Takes out what is accepted.
pub fn apply_ignores(paths: &[PathBuf], outcome: &mut Outcome) -> Result<Ignores, Error> {
    let (file, mut ignores) = accepted(Path::new("."))?;
    ignores.apply(&mut outcome.findings);
    // Only a scan of the whole folder can tell that an entry is of no use.
    if paths == [PathBuf::from(".")] {
        for line in ignores.unused() {
            let path = file.to_string_lossy().into();
            let detail = format!("line {line} accepts nothing that was found");
            outcome.ledger.note(path, detail);
        }
    }
    Ok(ignores)
}

/// The exit code that an outcome deserves.
pub fn exit(outcome: &Outcome) -> Exit {
    if !outcome.ledger.is_complete() {
        Exit::Error
    } else if outcome.findings.is_empty() {
        Exit::Clean
    } else {
        Exit::Findings
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| d.as_secs() as i64)
}

pub fn rules(files: &[PathBuf]) -> Result<RuleSet, Error> {
    let mut rules = RuleSet::built_in();
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, error))?;
        rules.add(&text).map_err(|error| error.within(file))?;
    }
    Ok(rules)
}

pub fn fingerprint_key(file: Option<&Path>) -> Result<FingerprintKey, Error> {
    file.map_or_else(|| Ok(FingerprintKey::default()), FingerprintKey::read)
}

pub fn level(arg: LevelArg) -> Level {
    match arg {
        LevelArg::Low => Level::Low,
        LevelArg::Medium => Level::Medium,
        LevelArg::High => Level::High,
    }
}

/// The variables by which CI systems say what they are.
const CI_VARIABLES: [&str; 4] = ["CI", "GITHUB_ACTIONS", "TF_BUILD", "JENKINS_URL"];

pub fn style(args: &ReportArgs, command: &'static str) -> Result<Style, Error> {
    let is_set =
        |name: &&str| std::env::var_os(name).is_some_and(|v| !v.is_empty() && v != "false");
    if args.show_secrets
        && let Some(name) = CI_VARIABLES.iter().find(|name| is_set(name))
    {
        return Err(Error::usage(format!(
            "--show-secrets is refused in CI ({name} is set): its logs are kept and shared"
        )));
    }
    let colour = match args.color {
        ColourArg::Always => true,
        ColourArg::Never => false,
        ColourArg::Auto => {
            args.output.is_none()
                && io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none()
        }
    };
    Ok(Style {
        command,
        explain: args.explain,
        show_secrets: args.show_secrets,
        colour,
        width: width(args.output.is_none()),
        started: now(),
        ..Style::default()
    })
}

/// The columns to keep to: what `COLUMNS` says, else those of the terminal.
pub fn width(to_stdout: bool) -> Option<usize> {
    let said = std::env::var("COLUMNS").ok();
    let said = said.and_then(|columns| columns.parse().ok());
    let shown = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0.into());
    said.or_else(shown).filter(|_| to_stdout)
}

pub fn format(args: &ReportArgs) -> Format {
    match args.format.unwrap_or(FormatArg::Human) {
        FormatArg::Human => Format::Human,
        FormatArg::Json => Format::Json,
        FormatArg::Jsonl => Format::Jsonl,
        FormatArg::Sarif => Format::Sarif,
        FormatArg::Github => Format::Github,
        FormatArg::Azure => Format::Azure,
        FormatArg::Gitlab => Format::Gitlab,
    }
}

/// Says on standard error which inputs were not read as they should be, or stand for what is elsewhere.
pub fn tell(ledger: &Ledger) {
    const MOST: usize = 50;
    let failed = [
        Reason::Unreadable,
        Reason::Vanished,
        Reason::Missing,
        Reason::OutOfTime,
        Reason::Lfs,
    ];
    let failed = failed.map(|reason| ledger.left_out(reason));
    for entries in failed.into_iter().chain([ledger.notes()]) {
        for entry in entries.iter().take(MOST) {
            say(&format!("{}: {}", entry.path, entry.detail));
        }
        let more = entries.len().saturating_sub(MOST);
        if more > 0 {
            say(&format!("and {more} more; --format json lists them all"));
        }
    }
}

/// Standard input under a name.
struct Stdin {
    name: String,
}

impl Source for Stdin {
    fn deliver(&self, sink: &dyn keysweep::source::Sink) -> Result<(), Error> {
        let origin = keysweep::unit::Origin::file(self.name.as_str());
        sink.expect(1);
        let stdin = io::stdin().lock();
        let mut buffer = Buffer::default();
        let sizes = Sizes::default();
        match keysweep::source::stream::read(&origin, stdin, 0, &sizes, &mut buffer, sink) {
            Ok(bytes) => sink.done(bytes),
            Err(error) => sink.leave_out(origin.path, Reason::Unreadable, &error.to_string()),
        }
        Ok(())
    }
}

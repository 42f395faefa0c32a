//! `keysweep scan`.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use keysweep::error::Error;
use keysweep::git::Repo;
use keysweep::ignores::{self, Ignores};
use keysweep::ledger::{Ledger, Reason};
use keysweep::pipeline::{Options, Outcome, Progress, Sweep};
use keysweep::report::{self, Format, Style};
use keysweep::rules::{Level, RuleSet};
use keysweep::secret::FingerprintKey;
use keysweep::source::Source;
use keysweep::source::stream::Sizes;
use keysweep::source::walk::Walk;

use crate::args::{ColourArg, FormatArg, LevelArg, ReportArgs, ScanArgs};
use crate::exit::{Exit, Fault};
use crate::{progress, say};

pub fn run(args: &ScanArgs) -> Result<Exit, Fault> {
    let style = style(&args.report)?;
    let sweep = Sweep::new(Options {
        rules: rules(&args.rules)?,
        min_confidence: level(args.report.min_confidence),
        fingerprint_key: fingerprint_key(args.report.fingerprint_key.as_deref())?,
        ..Options::new(now())
    });
    if let Some(threads) = args.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build_global()
            .map_err(|error| Error::usage(format!("--threads: {error}")))?;
    }
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
    let outcome = progress::watch(args.report.quiet, &progress, || {
        sweep.run(&*source, &progress)
    })?;
    let mut outcome = outcome;
    apply_ignores(args, &mut outcome)?;
    tell(&outcome.ledger);
    write_report(&args.report, &outcome, sweep.rules(), &style)?;
    Ok(exit(&outcome))
}

/// Takes out what the file of accepted findings names. It lies at the root of the working tree, or
/// in the current folder where there is none.
fn apply_ignores(args: &ScanArgs, outcome: &mut Outcome) -> Result<(), Error> {
    let root = Repo::open(Path::new(".")).ok();
    let root = root.and_then(|repo| repo.git2().workdir().map(Path::to_path_buf));
    let file = root.unwrap_or_default().join(ignores::FILE);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io(&file, error)),
    };
    let mut ignores = Ignores::parse(&text).map_err(|error| error.within(&file))?;
    ignores.apply(&mut outcome.findings);
    // Only a scan of the whole folder can tell that an entry is of no use.
    if args.paths == [PathBuf::from(".")] {
        for line in ignores.unused() {
            let path = file.to_string_lossy().into();
            let detail = format!("line {line} accepts nothing that was found");
            outcome.ledger.note(path, detail);
        }
    }
    Ok(())
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

fn rules(files: &[PathBuf]) -> Result<RuleSet, Error> {
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

pub fn style(args: &ReportArgs) -> Result<Style, Error> {
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
        show_secrets: args.show_secrets,
        colour,
        started: now(),
        ..Style::default()
    })
}

/// Writes the report where it was asked for.
pub fn write_report(
    args: &ReportArgs,
    outcome: &Outcome,
    rules: &RuleSet,
    style: &Style,
) -> Result<(), Fault> {
    let format = format(args.format.unwrap_or(FormatArg::Human));
    let style = Style {
        ended: now(),
        ..style.clone()
    };
    let style = &style;
    let mut out: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(File::create(path).map_err(|error| Error::io(path, error))?),
        None => Box::new(anstream::AutoStream::new(
            io::stdout().lock(),
            if style.colour {
                anstream::ColorChoice::Always
            } else {
                anstream::ColorChoice::Never
            },
        )),
    };
    let mut buffered = BufWriter::with_capacity(64 << 10, &mut out);
    report::write(format, outcome, rules, style, &mut buffered)?;
    buffered.flush()?;
    Ok(())
}

fn format(arg: FormatArg) -> Format {
    match arg {
        FormatArg::Human => Format::Human,
        FormatArg::Json => Format::Json,
        FormatArg::Jsonl => Format::Jsonl,
        FormatArg::Sarif => Format::Sarif,
        FormatArg::Github => Format::Github,
        FormatArg::Azure => Format::Azure,
        FormatArg::Gitlab => Format::Gitlab,
    }
}

/// Says on standard error which inputs could not be read as they should.
pub fn tell(ledger: &Ledger) {
    for reason in [Reason::Unreadable, Reason::Vanished, Reason::OutOfTime] {
        for entry in ledger.left_out(reason) {
            say(&format!("{}: {}", entry.path, entry.detail));
        }
    }
    for note in ledger.notes() {
        say(&format!("{}: {}", note.path, note.detail));
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
        let mut buffer = Vec::new();
        let sizes = Sizes::default();
        match keysweep::source::stream::read(&origin, stdin, 0, &sizes, &mut buffer, sink) {
            Ok(bytes) => sink.done(bytes),
            Err(error) => sink.leave_out(origin.path, Reason::Unreadable, &error.to_string()),
        }
        Ok(())
    }
}

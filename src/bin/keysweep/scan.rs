//! `keysweep scan`.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use keysweep::error::Error;
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
    tell(&outcome.ledger);
    write_report(&args.report, &outcome, sweep.rules(), &style)?;
    Ok(exit(&outcome))
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

fn fingerprint_key(file: Option<&Path>) -> Result<FingerprintKey, Error> {
    let Some(file) = file else {
        return Ok(FingerprintKey::default());
    };
    let key = std::fs::read(file).map_err(|error| Error::io(file, error))?;
    if key.trim_ascii().len() < 16 {
        let path = file.display();
        return Err(Error::usage(format!(
            "{path}: a fingerprint key needs at least 16 bytes"
        )));
    }
    Ok(FingerprintKey::new(key.trim_ascii()))
}

fn level(arg: LevelArg) -> Level {
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
    })
}

/// Writes the report where it was asked for.
pub fn write_report(
    args: &ReportArgs,
    outcome: &Outcome,
    rules: &RuleSet,
    style: &Style,
) -> Result<(), Fault> {
    let format = match args.format {
        FormatArg::Human => Format::Human,
        FormatArg::Json => Format::Json,
        FormatArg::Jsonl => Format::Jsonl,
        FormatArg::Sarif => Format::Sarif,
    };
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

/// Says on standard error which inputs could not be read as they should.
pub fn tell(ledger: &Ledger) {
    for reason in [Reason::Unreadable, Reason::Vanished] {
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

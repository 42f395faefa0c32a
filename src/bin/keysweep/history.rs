//! `keysweep history`.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keysweep::error::Error;
use keysweep::git::{Repo, Store};
use keysweep::history::{self, Request};
use keysweep::pipeline::{Outcome, Progress, Sweep};
use keysweep::report::Format;

use crate::args::{HistoryArgs, LevelArg, ReportArgs};
use crate::exit::{Exit, Fault, heard};
use crate::output::Output;
use crate::scan::{accepted, exit, finish, format, level, style, sweep, tell, use_threads};
use crate::{progress, verify};

pub fn run(args: &HistoryArgs) -> Result<Exit, Fault> {
    let style = style(&args.report, "history")?;
    let out = Output::open(args.report.output.as_deref())?;
    let before = match &args.verify {
        Some(Some(report)) => Some(verify::read(report)?),
        Some(None) => Some(Vec::new()),
        None => None,
    };
    let report = match before {
        // What was sure before and is doubtful now is still there.
        Some(_) => &ReportArgs {
            min_confidence: LevelArg::Low,
            ..args.report.clone()
        },
        None => &args.report,
    };
    let stop = on_interrupt()?;
    use_threads(args.threads)?;
    let repo = Repo::open(&args.repo)?;
    let dirs = repo.object_dirs()?;
    let (sweep, store) = rayon::join(
        || sweep(&args.rules, report),
        || Store::open(&dirs).inspect(Store::survey),
    );
    // The process ends with this, and takes its memory along faster than it could be given back.
    let sweep = ManuallyDrop::new(sweep?);
    let request = ManuallyDrop::new(Request {
        sweep: &sweep,
        repo: &repo,
        store: store?,
        reachable_only: args.reachable_only,
        naive: args.naive,
    });
    let outcome = swept(&request, args.report.quiet, &stop)?;
    match before {
        Some(before) => {
            let accepted = accepted(&args.repo)?.1;
            let least = level(args.report.min_confidence);
            let (left, fates) = verify::compare(&before, outcome, accepted, least);
            if format(&args.report) != Format::Human {
                return finish(out, &args.report, &left, &sweep, &style);
            }
            heard(out.write_with(&style, |out| verify::write(&fates, &left.ledger, out)))?;
            Ok(exit(&left))
        }
        None => finish(
            out,
            &args.report,
            &ManuallyDrop::new(outcome),
            &sweep,
            &style,
        ),
    }
}

/// A request for all that a repository holds.
pub fn everything<'r>(sweep: &'r Sweep, repo: &'r Repo) -> Result<Request<'r>, Error> {
    Ok(Request {
        sweep,
        repo,
        store: Store::open(&repo.object_dirs()?)?,
        reachable_only: false,
        naive: false,
    })
}

/// Sweeps, with a progress bar, until the end or `stop`, and says what could not be read.
pub fn swept(request: &Request<'_>, quiet: bool, stop: &AtomicBool) -> Result<Outcome, Error> {
    let progress = Progress::default();
    let outcome = progress::watch(quiet, "objects", &progress, || {
        history::run(request, &progress, stop)
    })?;
    tell(&outcome.ledger);
    Ok(outcome)
}

/// Becomes true when the user presses Ctrl-C, so that what was found can still be shown. A second
/// Ctrl-C ends the program at once.
pub fn on_interrupt() -> Result<Arc<AtomicBool>, Error> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = stop.clone();
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::Relaxed) {
            std::process::exit(2);
        }
    })
    .map_err(|error| Error::usage(format!("cannot watch for Ctrl-C: {error}")))?;
    Ok(stop)
}

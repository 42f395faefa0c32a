//! `keysweep history`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keysweep::error::Error;
use keysweep::git::Repo;
use keysweep::history::{self, Request};
use keysweep::pipeline::Progress;

use crate::args::HistoryArgs;
use crate::exit::{Exit, Fault};
use crate::output::Output;
use crate::progress;
use crate::scan::{finish, style, sweep, tell, use_threads};

pub fn run(args: &HistoryArgs) -> Result<Exit, Fault> {
    let style = style(&args.report)?;
    let out = Output::open(args.report.output.as_deref())?;
    let sweep = sweep(&args.rules, &args.report)?;
    use_threads(args.threads)?;
    let repo = Repo::open(&args.repo)?;
    let request = Request {
        sweep: &sweep,
        repo: &repo,
        dirs: repo.object_dirs()?,
        reachable_only: args.reachable_only,
        naive: args.naive,
    };
    let stop = on_interrupt()?;
    let progress = Progress::default();
    let outcome = progress::watch(args.report.quiet, "objects", &progress, || {
        history::run(&request, &progress, &stop)
    })?;
    tell(&outcome.ledger);
    finish(out, &args.report, &outcome, &sweep, &style)
}

/// Becomes true when the user presses Ctrl-C, so that what was found can still be shown. A second
/// Ctrl-C ends the program at once.
fn on_interrupt() -> Result<Arc<AtomicBool>, Error> {
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

//! `keysweep demo`: a small repository with fresh secrets, and what a scan says of it.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use keysweep::pipeline::{Options, Progress, Sweep};
use keysweep::report::{self, Format, Style};
use keysweep::source::walk::Walk;

use crate::args::DemoArgs;
use crate::exit::{Exit, Fault};
use crate::scan::{exit, now, tell, width};
use crate::{engine, shown};

pub fn run(args: &DemoArgs) -> Result<Exit, Fault> {
    let dir = args.dir.clone().unwrap_or_else(fresh_folder);
    let written = keysweep::demo::write(&dir, seed())?;
    let mut out = io::stdout().lock();
    let (files, commits) = (written.files.len(), written.commits);
    writeln!(
        out,
        "Wrote {files} files and {commits} commits to {}",
        shown(&engine(), &dir)
    )?;
    let (planted, here) = (written.secrets, written.secrets_in_files);
    writeln!(
        out,
        "Planted {planted} fresh secrets, {here} of them in the files. Scanning:\n"
    )?;
    let sweep = Sweep::new(Options::new(now()));
    let outcome = sweep.run(&Walk::new(vec![dir]), &Progress::default())?;
    tell(&outcome.ledger);
    let style = Style {
        explain: false,
        show_secrets: false,
        colour: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        width: width(true),
        ..Style::default()
    };
    report::write(Format::Human, &outcome, sweep.rules(), &style, &mut out)?;
    Ok(exit(&outcome))
}

/// A folder that no earlier demo has used.
fn fresh_folder() -> PathBuf {
    std::env::temp_dir().join(format!("keysweep-demo-{:x}", seed()))
}

/// Different at every run, so that no secret of a demo is ever made twice.
fn seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| d.as_nanos() as u64) ^ u64::from(std::process::id())
}

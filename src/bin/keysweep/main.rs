//! The keysweep command: arguments in, a report out, an exit code.

mod args;
mod demo;
mod diff;
mod exit;
mod filter;
mod fix;
mod history;
mod hook;
mod migrate;
mod output;
mod plan;
mod progress;
mod replace_text;
mod rules;
mod scan;
mod verify;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};
use exit::Exit;
use keysweep::pipeline::{Options, Sweep};
use keysweep::report::human::printable;
use keysweep::unit::path_text;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let ended = match cli.command {
        Command::Scan(args) => scan::run(&args),
        Command::History(args) => history::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Hook { command } => hook::run(&command),
        Command::Fix(args) => fix::run(&args),
        Command::Migrate(args) => migrate::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Filter(args) => filter::run(&args.command),
        Command::Rules(args) => rules::run(&args.command),
        Command::Demo(args) => demo::run(&args),
        Command::Completions { shell } => completions(shell),
        Command::Man => man(),
    };
    match ended {
        Ok(exit) => exit.into(),
        // Whoever read our output has seen enough; that is no failure.
        Err(fault) if fault.is_closed_pipe() => Exit::Clean.into(),
        Err(fault) => {
            say(&engine().masked(&fault.to_string()));
            Exit::Error.into()
        }
    }
}

/// The engine for what was typed, which may be a secret, and for whatever an error names.
fn engine() -> Sweep {
    Sweep::new(Options::new(scan::now()))
}

/// Says what is wrong with the arguments, or the help that they ask for.
fn refuse(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    // In colours, what surrounds a value would be taken for a part of it.
    let masked = error.use_stderr().then(|| engine().masked(&text));
    // A closed standard error is nobody to tell.
    let _ = match masked.filter(|masked| *masked != text) {
        Some(masked) => io::stderr().write_all(masked.as_bytes()),
        None => error.print(),
    };
    ExitCode::from(error.exit_code() as u8)
}

/// One line on standard error. A closed standard error is nobody to tell.
fn say(line: &str) {
    let line = printable(line);
    let _ = writeln!(io::stderr(), "keysweep: {line}");
}

/// A path that somebody gave, as it may be shown.
fn shown(sweep: &Sweep, path: &Path) -> String {
    let text = path_text(path.as_os_str().as_encoded_bytes());
    printable(&sweep.masked(&text))
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, exit::Fault> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "keysweep", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Exit::Clean)
}

fn man() -> Result<Exit, exit::Fault> {
    clap_mangen::Man::new(Cli::command()).render(&mut io::stdout())?;
    Ok(Exit::Clean)
}

//! `keysweep filter`: a git filter that masks secrets in notebooks' outputs on their way into the
//! index. The file in the working folder keeps them.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Command;

use keysweep::advise::facts::Facts;
use keysweep::error::{Error, ErrorKind};
use keysweep::fix::{Fixer, Outputs, Policy, Rest};
use keysweep::pipeline::{Options, Sweep};

use crate::args::FilterCommand;
use crate::exit::{Exit, Fault};
use crate::scan::{accepted, now};
use crate::{engine, shown};

const SETTINGS: [(&str, &str); 3] = [
    ("filter.keysweep.clean", "keysweep filter clean %f"),
    ("filter.keysweep.smudge", "keysweep filter smudge"),
    ("filter.keysweep.required", "true"),
];
const ATTRIBUTE: &str = "*.ipynb filter=keysweep";

pub fn run(command: &FilterCommand) -> Result<Exit, Fault> {
    match command {
        FilterCommand::Install => install(),
        FilterCommand::Uninstall => uninstall(),
        FilterCommand::Clean { path } => clean(path.as_deref().unwrap_or("stdin.ipynb")),
        FilterCommand::Smudge => {
            io::copy(&mut io::stdin().lock(), &mut io::stdout().lock())?;
            Ok(Exit::Clean)
        }
    }
}

fn clean(path: &str) -> Result<Exit, Fault> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let sweep = Sweep::new(Options::new(now()));
    let fixer = Fixer {
        sweep: &sweep,
        facts: Facts::new(None),
        policy: Policy {
            outputs: Outputs::Mask,
            rest: Rest::Keep,
            ..Policy::default()
        },
        accepted: accepted(Path::new("."))?.1.fingerprints().collect(),
    };
    let cleaned = fixer.mask_outputs(path, bytes);
    io::stdout().lock().write_all(&cleaned)?;
    Ok(Exit::Clean)
}

fn install() -> Result<Exit, Fault> {
    for (name, value) in SETTINGS {
        git(&["config", "--local", name, value])?;
    }
    let path = attributes()?;
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    if !text.lines().any(|line| line.trim() == ATTRIBUTE) {
        let lead = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        let text = format!("{text}{lead}{ATTRIBUTE}\n");
        put(&path, &text)?;
    }
    let shown = shown(&engine(), &path);
    writeln!(
        io::stdout(),
        "*.ipynb files are filtered as they are added ({shown})"
    )?;
    Ok(Exit::Clean)
}

fn uninstall() -> Result<Exit, Fault> {
    // A section that is not there is what was asked for.
    let _ = git(&["config", "--local", "--remove-section", "filter.keysweep"]);
    let path = attributes()?;
    if let Ok(text) = std::fs::read_to_string(&path) {
        let kept = text
            .split_inclusive('\n')
            .filter(|line| line.trim() != ATTRIBUTE);
        put(&path, &kept.collect::<String>())?;
    }
    Ok(Exit::Clean)
}

fn put(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    }
    std::fs::write(path, text).map_err(|e| Error::io(path, e))
}

/// The repository's own attributes, which no one else gets.
fn attributes() -> Result<std::path::PathBuf, Error> {
    Ok(git(&["rev-parse", "--git-path", "info/attributes"])?
        .trim()
        .into())
}

fn git(args: &[&str]) -> Result<String, Error> {
    let failed = |what: String| Error::new(ErrorKind::Git, format!("git {}: {what}", args[0]));
    let output = Command::new("git")
        .args(args)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ))
    }
}

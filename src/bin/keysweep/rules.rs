//! `keysweep rules`.

use std::io::{self, Write};
use std::path::PathBuf;

use keysweep::error::Error;
use keysweep::rules::{RuleDef, RuleSet};

use crate::args::RulesCommand;
use crate::exit::{Exit, Fault};
use crate::say;
use crate::scan::now;

pub fn run(command: &RulesCommand) -> Result<Exit, Fault> {
    let mut out = io::stdout().lock();
    match command {
        RulesCommand::List => list(&mut out),
        RulesCommand::Show { id } => show(id, &mut out),
        RulesCommand::Check { files } => check(files, &mut out),
    }
}

fn list(out: &mut impl Write) -> Result<Exit, Fault> {
    for rule in RuleSet::built_in().iter() {
        let severity = rule.severity.name();
        writeln!(
            out,
            "{:44} {severity:8} {:16} {}",
            rule.id, rule.provider, rule.title
        )?;
    }
    Ok(Exit::Clean)
}

/// Checks files, or without any the built-in rules.
fn check(files: &[PathBuf], out: &mut impl Write) -> Result<Exit, Fault> {
    let mut faults = 0;
    let mut sets = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, error))?;
        match RuleSet::parse(&text) {
            Ok(set) => sets.push((file.display().to_string(), set)),
            Err(error) => {
                say(&error.within(file).to_string());
                faults += 1;
            }
        }
    }
    if files.is_empty() {
        sets.push(("built-in rules".to_owned(), RuleSet::built_in()));
    }
    for (name, set) in &sets {
        let found = keysweep::exam::check(set, now());
        for fault in &found {
            say(&format!("{name}: {fault}"));
        }
        faults += found.len();
        writeln!(out, "{name}: {} rules, {} faults", set.len(), found.len())?;
    }
    Ok(if faults == 0 {
        Exit::Clean
    } else {
        Exit::Error
    })
}

fn show(id: &str, out: &mut impl Write) -> Result<Exit, Fault> {
    let rules = RuleSet::built_in();
    let rule = rules.find(id).ok_or_else(|| {
        Error::usage(format!(
            "no rule {id}; `keysweep rules list` names them all"
        ))
    })?;
    describe(rule, out)?;
    Ok(Exit::Clean)
}

fn describe(rule: &RuleDef, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}\n{} ({})\n", rule.id, rule.title, rule.provider)?;
    writeln!(out, "severity    {}", rule.severity.name())?;
    writeln!(out, "confidence  {}", rule.confidence.name())?;
    writeln!(out, "kind        {}", rule.kind.name())?;
    writeln!(out, "opens       {}", rule.grants)?;
    writeln!(out, "keywords    {}", rule.keywords.join("  "))?;
    match &rule.matcher {
        keysweep::rules::Matcher::Regex { regex, .. } => writeln!(out, "regex       {regex}")?,
        keysweep::rules::Matcher::Assignment => {
            writeln!(out, "value       any, judged by its shape")?
        }
        keysweep::rules::Matcher::AssignedValue { regex } => writeln!(out, "value       {regex}")?,
    }
    let checks: Vec<&str> = rule.checks.iter().map(|check| check.name()).collect();
    if !checks.is_empty() {
        writeln!(out, "checks      {}", checks.join("  "))?;
    }
    writeln!(out, "vault name  {}", rule.vault_name)?;
    writeln!(out, "\nrotate")?;
    for step in rule.rotate.iter() {
        writeln!(out, "  {step}")?;
    }
    writeln!(out, "\nreferences")?;
    for reference in rule.references.iter() {
        writeln!(out, "  {reference}")?;
    }
    Ok(())
}

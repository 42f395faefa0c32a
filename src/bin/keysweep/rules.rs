//! `keysweep rules`.

use std::io::{self, Write};
use std::path::PathBuf;

use keysweep::error::Error;
use keysweep::report::human::counted;
use keysweep::rules::{Matcher, RuleDef, RuleSet};

use crate::args::{ListFormat, RulesCommand};
use crate::exit::{Exit, Fault};
use crate::say;
use crate::scan::now;

pub fn run(command: &RulesCommand) -> Result<Exit, Fault> {
    let mut out = io::stdout().lock();
    match command {
        RulesCommand::List { format } => list(*format, &mut out),
        RulesCommand::Show { id } => show(id, &mut out),
        RulesCommand::Check { seed, files } => check(files, *seed, &mut out),
    }
}

fn list(format: ListFormat, out: &mut impl Write) -> Result<Exit, Fault> {
    let rules = RuleSet::built_in();
    match format {
        ListFormat::Human => {
            for rule in rules.iter() {
                let (id, severity, title) = (&rule.id, rule.severity.name(), &rule.title);
                writeln!(out, "{id:44} {severity:8} {:20} {title}", rule.provider)?;
            }
        }
        ListFormat::Json => {
            let list: Vec<_> = rules.iter().map(entry).collect();
            serde_json::to_writer_pretty(&mut *out, &list).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(Exit::Clean)
}

/// A rule as JSON says it.
fn entry(rule: &RuleDef) -> serde_json::Value {
    let checks: Vec<&str> = rule.checks.iter().map(|check| check.name()).collect();
    serde_json::json!({
        "id": rule.id,
        "title": rule.title,
        "provider": rule.provider,
        "severity": rule.severity.name(),
        "confidence": rule.confidence.name(),
        "kind": rule.kind.name(),
        "keywords": rule.keywords,
        "pattern": pattern(rule),
        "near": rule.near,
        "checks": checks,
        "grants": rule.grants,
        "rotate": rule.rotate,
        "vault_name": rule.vault_name,
        "references": rule.references,
    })
}

/// The regex of the match or value; `None` when any value fits.
fn pattern(rule: &RuleDef) -> Option<&str> {
    match &rule.matcher {
        Matcher::Regex { regex, .. } | Matcher::AssignedValue { regex } => Some(regex),
        Matcher::Assignment => None,
    }
}

/// Checks files in the company of the built-in rules, or without any the built-in rules.
fn check(files: &[PathBuf], seed: u64, out: &mut impl Write) -> Result<Exit, Fault> {
    let mut rules = RuleSet::built_in();
    let mut faults = 0;
    let mut judge = |name: &str, rules: &RuleSet, first: usize| -> io::Result<usize> {
        let found = keysweep::exam::check(rules, first, now(), seed);
        for fault in &found {
            say(&format!("{name}: {fault}"));
        }
        let (count, faults) = (rules.len() - first, found.len());
        let count = counted(count as u64, "rule");
        writeln!(out, "{name}: {count}, {}", counted(faults as u64, "fault"))?;
        Ok(faults)
    };
    if files.is_empty() {
        faults += judge("built-in rules", &rules, 0)?;
    }
    for file in files {
        let first = rules.len();
        let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, error))?;
        match rules.add(&text) {
            Ok(()) => faults += judge(&file.display().to_string(), &rules, first)?,
            Err(error) => {
                say(&error.within(file).to_string());
                faults += 1;
            }
        }
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
    match (pattern(rule), rule.matcher.is_assignment()) {
        (Some(regex), false) => writeln!(out, "regex       {regex}")?,
        (Some(regex), true) => writeln!(out, "value       {regex}")?,
        (None, _) => writeln!(out, "value       any, judged by its shape")?,
    }
    if !rule.near.is_empty() {
        writeln!(out, "near        {}", rule.near.join("  "))?;
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

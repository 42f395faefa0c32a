//! `keysweep rules`.

use std::io::{self, Write};

use keysweep::error::Error;
use keysweep::rules::{RuleDef, RuleSet};

use crate::args::RulesCommand;
use crate::exit::{Exit, Fault};

pub fn run(command: &RulesCommand) -> Result<Exit, Fault> {
    let mut out = io::stdout().lock();
    match command {
        RulesCommand::List => list(&mut out),
        RulesCommand::Show { id } => show(id, &mut out),
        RulesCommand::Check { .. } => Ok(Exit::Clean),
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

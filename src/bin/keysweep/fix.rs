//! `keysweep fix`.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keysweep::advise::facts::{Cloud, Facts, Vault};
use keysweep::advise::names::NameMap;
use keysweep::error::Error;
use keysweep::finding::{Finding, Fingerprint};
use keysweep::fix::{Action, Fixed, Fixer, Outputs, Policy, Rest, Survey, Target, diff, write};
use keysweep::ledger::{Ledger, Reason};
use keysweep::pipeline::{Options, Outcome, Progress, Sweep, mask_names, path_keys};
use keysweep::report::human::{counted, printable};
use keysweep::source::walk::Walk;
use keysweep::unit::{PathKey, path_of};
use rayon::prelude::*;

use crate::args::{CloudArg, FixArgs, OutputsArg, RestArg, TargetArgs};
use crate::exit::{Exit, Fault, heard};
use crate::say;
use crate::scan::{apply_ignores, now, rules, tell};

/// What a command that acts on findings works with.
pub struct Swept {
    pub sweep: Sweep,
    pub facts: Facts,
    pub names: NameMap,
    pub accepted: HashSet<Fingerprint>,
}

impl Swept {
    pub fn fixer(&self, policy: Policy) -> Fixer<'_> {
        Fixer {
            sweep: &self.sweep,
            facts: self.facts.clone(),
            policy,
            accepted: self.accepted.clone(),
        }
    }
}

/// Scans the paths of a command that acts on findings.
pub fn sweep(args: &TargetArgs) -> Result<(Swept, Outcome), Fault> {
    let sweep = Sweep::new(Options {
        rules: rules(&args.rules)?,
        ..Options::new(now())
    });
    let walk = Walk {
        ignore_files: !args.no_ignore,
        ..Walk::new(args.paths.clone())
    };
    let mut outcome = sweep.run(&walk, &Progress::default())?;
    let ignores = apply_ignores(&args.paths, &mut outcome)?;
    mask_names(&sweep, &mut outcome.findings, &mut outcome.ledger);
    tell(&outcome.ledger);
    let swept = Swept {
        sweep,
        facts: facts(args)?,
        names: NameMap::load(&args.names)?,
        accepted: ignores.fingerprints().collect(),
    };
    Ok((swept, outcome))
}

fn facts(args: &TargetArgs) -> Result<Facts, Error> {
    let cloud = match args.cloud {
        CloudArg::Public => Cloud::Public,
        CloudArg::China => Cloud::China,
        CloudArg::UsGovernment => Cloud::UsGovernment,
    };
    let vault = args.vault.as_deref().map(|text| Vault::parse(text, cloud));
    let mut facts = Facts::new(vault.transpose()?);
    for fact in &args.facts {
        facts.set(fact)?;
    }
    Ok(facts)
}

/// The files with findings, surveyed in the order of their paths. Their findings, of which there may be
/// many, are the surveys' from now on. What cannot be read once more is told.
pub fn surveys(fixer: &Fixer<'_>, outcome: &mut Outcome) -> Vec<Survey> {
    let keys = path_keys(fixer.sweep, &outcome.findings);
    let findings = outcome.findings.iter();
    let files = findings.filter(|finding| finding.origin.is_file());
    let mut files: Vec<[Arc<str>; 2]> = files
        .map(|finding| [finding.origin.path.clone(), finding.shown_path.clone()])
        .collect();
    files.dedup();
    outcome.findings.retain(|f| !f.origin.is_file());
    outcome.findings.shrink_to_fit();
    let survey = |[path, shown]: [Arc<str>; 2]| match read(&path) {
        Ok(bytes) => {
            let mut survey = fixer.survey(&path, &bytes);
            let key = keys.get(&path).cloned();
            survey.show_as(&shown, key.unwrap_or_else(|| PathKey::plain(&path)));
            Ok(survey)
        }
        Err(error) => Err((shown, error)),
    };
    let surveyed: Vec<_> = files.into_par_iter().map(survey).collect();
    let mut unread = Ledger::default();
    let mut surveys = Vec::with_capacity(surveyed.len());
    for survey in surveyed {
        match survey {
            Ok(survey) if survey.findings.is_empty() => {
                let path = survey.shown_path;
                unread.leave_out(Reason::Vanished, path, "has changed meanwhile");
            }
            Ok(survey) => surveys.push(survey),
            Err((path, error)) => {
                unread.leave_out(Reason::Unreadable, path, error.to_string());
            }
        }
    }
    tell(&unread);
    outcome.ledger.merge(unread);
    surveys
}

/// What a file holds, which can be read twice.
fn read(path: &str) -> io::Result<Vec<u8>> {
    let path = path_of(path);
    match fs::metadata(&path)?.is_file() {
        true => fs::read(path),
        false => Err(io::Error::other("is no regular file")),
    }
}

/// Names for the wishes of all surveys, each survey's in a list of its own.
pub fn assign(names: &mut NameMap, surveys: &[Survey]) -> Vec<Vec<String>> {
    let wishes: Vec<_> = surveys.iter().flat_map(Survey::wishes).collect();
    let mut all = names.assign(&wishes).into_iter();
    surveys
        .iter()
        .map(|survey| {
            all.by_ref()
                .take(survey.targets.len() + survey.beside.len())
                .collect()
        })
        .collect()
}

pub fn run(args: &FixArgs) -> Result<Exit, Fault> {
    if args.interactive && !io::stdin().is_terminal() && std::env::var_os("CI").is_some() {
        return Err(Error::usage("--interactive needs somebody to ask").into());
    }
    let (swept, mut outcome) = sweep(&args.target)?;
    let fixer = swept.fixer(policy(args));
    let surveys = surveys(&fixer, &mut outcome);
    let mut known = swept.names.clone();
    let names = assign(&mut known, &surveys);
    let mut out = io::stdout().lock();
    let mut end = Run {
        names: args.write.then_some((&*args.target.names, &known)),
        ..Run::default()
    };
    let complete = outcome.ledger.is_complete();
    match end.all(args, &swept, surveys.iter().zip(names), &mut out) {
        // Nobody reads on: what is left was not looked at.
        Err(fault) if fault.is_closed_pipe() => {
            return Ok(end.exit(args, complete).max(Exit::Findings));
        }
        all => all?,
    }
    end.names(&outcome.findings);
    heard(end.summary(args, &mut out))?;
    Ok(end.exit(args, complete))
}

fn policy(args: &FixArgs) -> Policy {
    Policy {
        pair: args.pair,
        passwordless: args.passwordless,
        outputs: match args.outputs {
            OutputsArg::Keep => Outputs::Keep,
            OutputsArg::Mask => Outputs::Mask,
            OutputsArg::Clear => Outputs::Clear,
        },
        rest: match args.rest {
            None => Rest::Usual,
            Some(RestArg::Keep) => Rest::Keep,
            Some(RestArg::Mask) => Rest::Mask,
        },
    }
}

/// Asks somebody about each change.
#[derive(Default)]
struct Asker {
    /// Said of all that is left: yes to all, or no.
    standing: Option<bool>,
}

impl Asker {
    /// Leaves the names of those targets only that are to be replaced.
    fn choose(
        &mut self,
        survey: &Survey,
        names: &mut [Option<String>],
        out: &mut impl Write,
    ) -> Result<(), Fault> {
        for (target, name) in survey.targets.iter().zip(names) {
            let finding = &survey.findings[target.findings[0]];
            let frame = &finding.frame;
            let question = format!(
                "{} line {}: {}\n    | {}{}{}\n    replace by a reference to {}?",
                printable(finding.path()),
                finding.start.line,
                finding.title,
                frame.before,
                frame.mask,
                frame.after,
                name.as_deref().unwrap_or_default()
            );
            if !self.agrees(&question, out)? {
                *name = None;
            }
        }
        Ok(())
    }

    /// Asks about all that is masked or cleared in a file.
    fn may_mask(
        &mut self,
        fixed: &Fixed,
        unmasked: &Fixed,
        out: &mut impl Write,
    ) -> Result<bool, Fault> {
        if fixed.after == unmasked.after {
            return Ok(true);
        }
        let masked = fixed.outcomes.iter();
        let secrets = match masked.filter(|o| o.action == Action::Masked).count() {
            0 => "what repeats a secret".to_owned(),
            masked => counted(masked as u64, "secret"),
        };
        let question = format!("{}: take out {secrets}?", printable(&fixed.shown_path));
        self.agrees(&question, out)
    }

    fn agrees(&mut self, question: &str, out: &mut impl Write) -> Result<bool, Fault> {
        if let Some(standing) = self.standing {
            return Ok(standing);
        }
        loop {
            write!(out, "{question} [y/n/a/q] ")?;
            out.flush()?;
            let mut answer = String::new();
            let read = io::stdin().lock().read_line(&mut answer)?;
            match answer.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                "a" | "all" => return Ok(*self.standing.insert(true)),
                "q" | "quit" => return Ok(*self.standing.insert(false)),
                // Nobody is there any more.
                "" if read == 0 => return Ok(*self.standing.insert(false)),
                _ => writeln!(
                    out,
                    "y: yes, n: no, a: yes to all that is left, q: no to all that is left"
                )?,
            }
        }
    }
}

/// What a run did.
#[derive(Default)]
struct Run<'n> {
    /// Names that are still to be kept, and where: before the first file that tells one is written,
    /// so that a run that is killed and its next give the same.
    names: Option<(&'n Path, &'n NameMap)>,
    changed: usize,
    rewritten: usize,
    masked: usize,
    kept: usize,
    failed: usize,
    also: BTreeMap<String, Vec<String>>,
    forms: BTreeSet<String>,
}

impl Run<'_> {
    /// Fixes each file, as somebody answers where they are asked.
    fn all<'s>(
        &mut self,
        args: &FixArgs,
        swept: &Swept,
        surveys: impl Iterator<Item = (&'s Survey, Vec<String>)>,
        out: &mut impl Write,
    ) -> Result<(), Fault> {
        let fixer = swept.fixer(policy(args));
        let unmasking = swept.fixer(Policy {
            outputs: Outputs::Keep,
            rest: Rest::Keep,
            ..policy(args)
        });
        let mut asker = args.interactive.then(Asker::default);
        for (survey, names) in surveys {
            let mut wanted: Vec<Option<String>> = names.into_iter().map(Some).collect();
            let fixed = match &mut asker {
                None => fixer.fix(survey, &wanted),
                Some(asker) => {
                    asker.choose(survey, &mut wanted, out)?;
                    let fixed = fixer.fix(survey, &wanted);
                    let unmasked = unmasking.fix(survey, &wanted);
                    match asker.may_mask(&fixed, &unmasked, out)? {
                        true => fixed,
                        false => unmasked,
                    }
                }
            };
            self.one(args, &fixer, &fixed, out)?;
            self.tell_forms(survey, &wanted, &fixed, &fixer);
        }
        Ok(())
    }

    fn one(
        &mut self,
        args: &FixArgs,
        fixer: &Fixer<'_>,
        fixed: &Fixed,
        out: &mut impl Write,
    ) -> Result<(), Fault> {
        if fixed.is_changed() && !args.write {
            let before: Vec<_> = fixed.outcomes.iter().map(|o| o.finding.clone()).collect();
            let after = fixer.sweep.scan_bytes(&fixed.path, &fixed.after);
            let path = printable(&fixed.shown_path);
            out.write_all(
                diff::unified(&path, (&fixed.before, &before), (&fixed.after, &after)).as_bytes(),
            )?;
            for file in &fixed.files {
                let text = format!("{path}: also makes {} beside it", file.name);
                writeln!(out, "# {text}")?;
            }
        }
        let names_one = |o: &keysweep::fix::Outcome| matches!(o.action, Action::Rewritten(_));
        if args.write
            && fixed.outcomes.iter().any(names_one)
            && let Some((path, names)) = self.names.take()
        {
            keep_names(path, names)?;
        }
        if fixed.is_changed() && args.write && !self.write(fixer, fixed) {
            return Ok(());
        }
        self.changed += usize::from(fixed.is_changed());
        for outcome in &fixed.outcomes {
            let finding = &outcome.finding;
            let place = format!("{} line {}", printable(finding.path()), finding.start.line);
            match &outcome.action {
                Action::Rewritten(name) => {
                    self.rewritten += 1;
                    self.tell_also(fixer, finding, name);
                }
                Action::Passwordless => self.rewritten += 1,
                Action::Masked => self.masked += 1,
                Action::Kept(reason) => {
                    self.kept += 1;
                    say(&format!("{place}: {}: {reason}", finding.title));
                }
            }
        }
        Ok(())
    }

    /// Says which secrets stand in names: nothing is given another name here.
    fn names(&mut self, findings: &[Finding]) {
        for finding in findings {
            self.kept += 1;
            let (path, title) = (printable(finding.path()), &finding.title);
            say(&format!("{path}: {title} stands in the name; rename it"));
        }
    }

    fn write(&mut self, fixer: &Fixer<'_>, fixed: &Fixed) -> bool {
        let path = path_of(&fixed.path);
        let root = root_of(&path);
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut files = fixed.files.iter();
        let written = files
            .try_for_each(|file| write::create(&root, &folder.join(&file.name), &file.text))
            .and_then(|()| {
                if fixed.before == fixed.after {
                    return Ok(());
                }
                write::replace(&root, &path, &fixed.before, &fixed.after)
            });
        if let Err(error) = written {
            let named = path.display().to_string();
            let said = error.to_string().replace(&named, &fixed.shown_path);
            say(&fixer.sweep.masked(&said));
            self.failed += 1;
            return false;
        }
        true
    }

    /// Notes what the vault has to get where that is more than the secret.
    fn tell_forms(
        &mut self,
        survey: &Survey,
        names: &[Option<String>],
        fixed: &Fixed,
        fixer: &Fixer<'_>,
    ) {
        let (of_targets, of_beside) = names.split_at(survey.targets.len());
        let is_rewritten = |target: &&Target| {
            let outcome = &fixed.outcomes[target.findings[0]];
            matches!(outcome.action, Action::Rewritten(_))
        };
        for (target, name) in survey.targets.iter().zip(of_targets) {
            if is_rewritten(&target)
                && let (Some(name), Some(form)) = (name, survey.form(target, fixer.sweep))
            {
                self.forms.insert(format!("{name}: {}", printable(&form)));
            }
        }
        for (beside, name) in survey.beside.iter().zip(of_beside) {
            let mut documents = survey.targets.iter().filter(is_rewritten);
            if let Some(name) = name
                && documents.any(|target| survey.is_beside(beside, target))
            {
                let key = printable(&beside.key);
                self.forms.insert(format!("{name}: the value of {key}"));
            }
        }
    }

    fn tell_also(&mut self, fixer: &Fixer<'_>, finding: &Finding, name: &str) {
        let context = finding.host.context;
        let holes = keysweep::advise::template::Holes::of(finding, &fixer.facts, name);
        let title = format!("{} {}", context.id, context.title);
        let list = self.also.entry(title).or_default();
        for text in context.pair.iter().chain(context.needs) {
            let text = holes.show(text);
            if !list.contains(&text) {
                list.push(text);
            }
        }
    }

    fn summary(&self, args: &FixArgs, out: &mut impl Write) -> Result<(), Fault> {
        let (rewrite, mask) = match args.write {
            true => ("rewrote", "masked"),
            false => ("would rewrite", "mask"),
        };
        let (rewritten, masked, kept) = (self.rewritten, self.masked, self.kept);
        writeln!(
            out,
            "{rewrite} {rewritten} and {mask} {masked} secrets in {}; {kept} stay",
            counted(self.changed as u64, "file")
        )?;
        for (title, list) in &self.also {
            writeln!(out, "\n{title} also needs:")?;
            for text in list {
                writeln!(out, "  - {text}")?;
            }
        }
        if !self.forms.is_empty() {
            writeln!(out, "\nMore than the secret goes into the vault:")?;
            for form in &self.forms {
                writeln!(out, "  - {form}")?;
            }
        }
        if rewritten > 0 {
            writeln!(
                out,
                "\nEvery reader needs the role Key Vault Secrets User on the vault."
            )?;
            writeln!(
                out,
                "What leaked stays leaked until it is rotated: see keysweep plan."
            )?;
        }
        Ok(())
    }

    fn exit(&self, args: &FixArgs, complete: bool) -> Exit {
        if self.failed > 0 || !complete {
            Exit::Error
        } else if self.kept > 0 || !args.write && self.rewritten + self.masked > 0 {
            Exit::Findings
        } else {
            Exit::Clean
        }
    }
}

/// A file may be written to when it lies in the tree of the working folder, or, named from outside,
/// in its own folder.
fn root_of(path: &Path) -> PathBuf {
    if path.is_absolute() || path.starts_with("..") {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        return folder.unwrap_or(Path::new(".")).to_path_buf();
    }
    PathBuf::from(".")
}

fn keep_names(path: &Path, names: &NameMap) -> Result<(), Error> {
    let text = names.to_text();
    match fs::read(path) {
        Ok(held) if held != text.as_bytes() => {
            write::replace(&root_of(path), path, &held, text.as_bytes())
        }
        _ => write::create(&root_of(path), path, &text),
    }
}

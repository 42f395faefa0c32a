//! `keysweep plan`: what to rotate, what goes where, and how the history is cleaned.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use keysweep::advise;
use keysweep::error::Error;
use keysweep::finding::{Finding, State, Trace};
use keysweep::git::Repo;
use keysweep::git::reader::Reader;
use keysweep::pipeline::{Outcome, Sweep};
use keysweep::report::human::{commit, counted, printable, shell_word, whereabouts};
use keysweep::report::{Format, Style};
use keysweep::secret::Secret;
use keysweep::unit::Part;

use crate::args::{PlanArgs, TargetArgs};
use crate::exit::{Exit, Fault, heard};
use crate::fix::{Swept, sweep};
use crate::history::{everything, on_interrupt, swept};
use crate::migrate::{Entry, entries};
use crate::output::Output;
use crate::replace_text::Rules;
use crate::shown;

/// All there is to be planned for.
struct Plan {
    /// What something reads: the files, or the newest commit of a reference. By name.
    entries: BTreeMap<String, Entry>,
    /// What nothing reads, each with a word on where it stands.
    unread: Vec<(&'static str, Entry)>,
    /// What is found in the repository, where there is one to look at.
    history: Option<Vec<Finding>>,
    hosts: Hosts,
    /// Whether all of it could be read.
    complete: bool,
}

/// Where secrets stand that nothing reads.
const IN_NAMES: &str = "in names only";
const IN_HISTORY: &str = "in the history only";

/// Where the repository is known to be kept, by its remotes.
#[derive(Clone, Copy, Default)]
struct Hosts {
    github: bool,
    azure: bool,
}

pub fn run(args: &PlanArgs) -> Result<Exit, Fault> {
    let repo = repository(args)?;
    let report = args.report.as_deref().map(|path| Output::open(Some(path)));
    let report = report.transpose()?;
    let (files, mut found) = sweep(&in_files(&args.target, repo.as_ref()))?;
    let mut rules = Rules::new(args.replace_text.is_some());
    let entries = entries(&files, &mut found, |finding| {
        // The history tells of it again.
        if repo.is_none() {
            rules.add(finding, None);
        }
    });
    let mut plan = Plan {
        entries,
        unread: Vec::new(),
        history: None,
        hosts: Hosts::default(),
        complete: found.ledger.is_complete(),
    };
    if let Some(repo) = &repo {
        let stop = on_interrupt()?;
        let mut outcome = swept(&everything(&files.sweep, repo)?, false, &stop)?;
        plan.complete &= outcome.ledger.is_complete();
        let is_open = |f: &Finding| !files.accepted.contains(&f.fingerprint);
        outcome.findings.retain(is_open);
        if let Some(report) = report {
            let rules = files.sweep.rules();
            heard(report.write(Format::Json, &outcome, rules, &Style::default()))?;
        }
        plan.add_history(outcome, &files);
        plan.hosts = Hosts::of(repo);
    }
    plan.add_names(&found.findings);
    let dirs = repo.as_ref().and_then(|repo| repo.object_dirs().ok());
    let reader = dirs.and_then(|dirs| Reader::of(&dirs).ok());
    let reached = plan.history.as_ref().unwrap_or(&found.findings);
    rules.add_all(reached, reader.as_ref());
    if let Some(path) = &args.replace_text {
        rules.write(path)?;
    }
    let written = Written::of(args, &files.sweep);
    heard(plan.write(&written, &rules, &mut io::stdout().lock()))?;
    Ok(match (plan.complete, plan.is_empty()) {
        (false, _) => Exit::Error,
        (true, true) => Exit::Clean,
        (true, false) => Exit::Findings,
    })
}

/// The repository around the first path, unless it is not to be looked at.
fn repository(args: &PlanArgs) -> Result<Option<Repo>, Error> {
    if args.no_history {
        return Ok(None);
    }
    let first = args.target.paths.first().cloned().unwrap_or_default();
    let none: [&Path; 0] = [];
    if git2::Repository::discover_path(&first, none).is_err() && args.report.is_none() {
        return Ok(None);
    }
    // One that is there and cannot be read is not passed over.
    Repo::open(&first).map(Some)
}

/// The target, without its first path where that is a bare repository, which has no files.
fn in_files(target: &TargetArgs, repo: Option<&Repo>) -> TargetArgs {
    let mut target = target.clone();
    if repo.is_some_and(|repo| repo.git2().is_bare()) && !target.paths.is_empty() {
        target.paths.remove(0);
    }
    target
}

/// The files that were written, as they are printed: wherever the steps are taken, they lead there.
struct Written {
    rules: Option<String>,
    report: Option<String>,
}

impl Written {
    fn of(args: &PlanArgs, sweep: &Sweep) -> Self {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let shown = |path: &PathBuf| shown(sweep, &absolute(path));
        Self {
            rules: args.replace_text.as_ref().map(shown),
            report: args.report.as_ref().map(shown),
        }
    }
}

impl Hosts {
    fn of(repo: &Repo) -> Self {
        let git = repo.git2();
        let names = git.remotes().ok();
        let names = names.iter().flat_map(|names| names.iter()).flatten();
        let mut hosts = Self::default();
        for remote in names
            .flatten()
            .filter_map(|name| git.find_remote(name).ok())
        {
            let url = remote.url().unwrap_or_default().to_ascii_lowercase();
            hosts.github |= url.contains("github.");
            hosts.azure |= url.contains("dev.azure.com") || url.contains("visualstudio.com");
        }
        hosts
    }
}

impl Plan {
    /// Sorts the secrets of a history into those that something still reads and those of the past.
    fn add_history(&mut self, outcome: Outcome, files: &Swept) {
        let facts = &files.facts;
        let named = self.entries.iter();
        let names: HashMap<Secret, String> = named
            .flat_map(|(name, entry)| entry.secrets.iter().map(|s| (s.clone(), name.clone())))
            .collect();
        let mut numbers = HashMap::new();
        for same in outcome.findings.chunk_by(|a, b| group(a) == group(b)) {
            let first = &same[0];
            let advice = advise::advise_with(first, facts);
            let known = names.get(&first.secret).cloned();
            let is_read_somewhere = same.iter().any(is_read);
            // What fix has replaced here goes by the name that it gave.
            let mut given = same
                .iter()
                .filter(|f| is_read(f))
                .filter_map(|f| files.names.known(f));
            let given = given.find(|name| !self.entries.contains_key(*name));
            let known = known.or_else(|| given.map(str::to_owned));
            let free = || self.free(&advice.vault_name, &mut numbers);
            let name = known.or_else(|| is_read_somewhere.then(free));
            let entry = match name {
                Some(name) => self.entries.entry(name).or_default(),
                None => {
                    let place = match same.iter().any(is_name) {
                        true => IN_NAMES,
                        false => IN_HISTORY,
                    };
                    self.unread.push((place, Entry::default()));
                    &mut self.unread.last_mut().expect("just pushed").1
                }
            };
            let is_new = entry.title.is_empty();
            if is_new {
                entry.tell(first);
            }
            entry.past.extend(same.iter().map(since));
            // Files that lie here are listed as such.
            entry.places.extend(
                same.iter()
                    .filter(|f| is_read(f) && (is_new || !is_head(f)))
                    .map(read_at),
            );
        }
        self.history = Some(outcome.findings);
    }

    /// Adds the secrets that stand in names of files only: nothing reads them there.
    fn add_names(&mut self, names: &[Finding]) {
        let unread = self.unread.iter().map(|(_, entry)| entry);
        let entries = self.entries.values().chain(unread);
        let mut known: HashSet<&Secret> = entries.flat_map(|entry| &entry.secrets).collect();
        let new = names.iter().filter(|name| known.insert(&name.secret));
        let named = new.map(|name| {
            let mut entry = Entry::default();
            entry.tell(name);
            entry.past.push(format!("the name of {}", name.path()));
            (IN_NAMES, entry)
        });
        let named: Vec<_> = named.collect();
        self.unread.extend(named);
    }

    /// A name that no other value has. `numbers` are the last ones given to names that are wanted often.
    fn free(&self, wanted: &str, numbers: &mut HashMap<String, usize>) -> String {
        if !self.entries.contains_key(wanted) {
            return wanted.to_owned();
        }
        let last = numbers.entry(wanted.to_owned()).or_insert(1);
        loop {
            *last += 1;
            let name = format!("{wanted}-{last}");
            if !self.entries.contains_key(&name) {
                return name;
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.unread.is_empty()
    }

    fn write(&self, written: &Written, rules: &Rules, out: &mut impl Write) -> Result<(), Fault> {
        if self.is_empty() {
            let sum = match self.complete {
                true => "nothing found, nothing to do",
                false => "nothing found, but not everything could be read",
            };
            writeln!(out, "{sum}")?;
            return Ok(());
        }
        self.rotate(out)?;
        self.vault(out)?;
        self.clean(written, rules, out)
    }

    fn rotate(&self, out: &mut impl Write) -> Result<(), Fault> {
        writeln!(out, "# Rotate\n")?;
        let mut services: BTreeMap<&str, Vec<(&str, &Entry)>> = BTreeMap::new();
        let named = self.entries.iter().map(|(name, entry)| (&**name, entry));
        let unread = self.unread.iter().map(|(place, entry)| (*place, entry));
        let found = named
            .chain(unread)
            .filter(|(_, entry)| !entry.secrets.is_empty());
        for (name, entry) in found {
            let service = services.entry(&entry.provider).or_default();
            service.push((name, entry));
        }
        for (service, entries) in services {
            writeln!(out, "## {service}\n")?;
            for (name, entry) in entries {
                writeln!(out, "- {name}: {}", printable(&entry.title))?;
                for step in &entry.rotate {
                    writeln!(out, "  - {}", printable(step))?;
                }
                if !entry.breaks.is_empty() {
                    writeln!(out, "  - breaks {}", entry.breaks)?;
                }
                for place in &entry.past {
                    writeln!(out, "  - leaked in {}", printable(place))?;
                }
            }
            writeln!(out)?;
        }
        Ok(())
    }

    fn vault(&self, out: &mut impl Write) -> Result<(), Fault> {
        writeln!(out, "# Key Vault\n\n| secret | read at |\n| --- | --- |")?;
        for (name, entry) in &self.entries {
            let places: BTreeSet<String> = entry.places.iter().map(|p| printable(p)).collect();
            let places: Vec<String> = places.into_iter().collect();
            writeln!(out, "| {name} | {} |", places.join(", "))?;
        }
        if !self.unread.is_empty() {
            let unread = counted(self.unread.len() as u64, "secret");
            writeln!(
                out,
                "\n{unread} of the history or of names only: nothing here reads them, so they are revoked and not stored."
            )?;
        }
        writeln!(
            out,
            "\nReaders need Key Vault Secrets User on the vault. Store the new values with keysweep migrate.\n"
        )?;
        Ok(())
    }

    fn clean(&self, written: &Written, rules: &Rules, out: &mut impl Write) -> Result<(), Fault> {
        writeln!(out, "# History\n")?;
        if self.complete && self.history.as_ref().is_some_and(Vec::is_empty) {
            writeln!(
                out,
                "No commit holds any of this: there is nothing to rewrite."
            )?;
            return Ok(());
        }
        writeln!(
            out,
            "Rewriting history is hygiene; only rotation ends a leaked secret. So rotate first.\n"
        )?;
        for (index, step) in self.steps(written, rules).into_iter().enumerate() {
            writeln!(out, "{}. {step}", index + 1)?;
        }
        Ok(())
    }

    fn steps(&self, written: &Written, rules: &Rules) -> Vec<String> {
        let file = written.rules.as_deref().unwrap_or("RULES");
        let report = shell_word(written.report.as_deref().unwrap_or("BEFORE.json"));
        let mut steps = vec![
            "Announce a freeze; merge or close pull requests.".to_owned(),
            "git clone --mirror URL repository.git, and keep a copy of it off the network."
                .to_owned(),
        ];
        if written.rules.is_none() || written.report.is_none() {
            steps.push(format!(
                "keysweep plan --replace-text {} --report {report} repository.git, and go on by the plan that it prints: where it wrote them is written out there.",
                shell_word(file)
            ));
        }
        steps.push(rewrite(file, rules));
        steps.extend(self.unreached(rules));
        steps.push(
            "git reflog expire --expire=now --all && git gc --prune=now (filter-repo does it, unless told not to).".to_owned(),
        );
        steps.push(format!(
            "keysweep history --verify={report} repository.git must end with exit code 0; git cat-file -t of the first changed commit must fail."
        ));
        steps.push(format!(
            "Delete {}: it holds the live values.",
            shell_word(file)
        ));
        steps.push("git push --force --mirror origin. Protected branches and refs/pull/* refuse: lift the protection for the push.".to_owned());
        let Hosts { github, azure } = self.hosts;
        if github || !azure {
            steps.push("GitHub: ask support to drop cached views and pull requests (number of pull requests, first changed commits, LFS list); owners of forks act themselves; close the alerts as revoked.".to_owned());
        }
        if azure || !github {
            steps.push("Azure DevOps: the push needs Force push on all refs; completed pull requests and retained runs keep copies: ask support, or move to a new repository and delete the old one, recycle bin too.".to_owned());
        }
        steps.push("Everybody clones anew. CI caches, image layers, package feeds and run snapshots are copies of their own.".to_owned());
        steps
    }

    /// Steps for what `--replace-text` leaves as it is.
    fn unreached(&self, rules: &Rules) -> Vec<String> {
        let mut steps = Vec::new();
        let whole: BTreeSet<&str> = rules
            .binary
            .iter()
            .chain(&rules.short)
            .map(|p| &**p)
            .collect();
        if !whole.is_empty() {
            let paths = whole.into_iter().map(|path| shell_word(&printable(path)));
            let paths: String = paths.map(|path| format!(" --path {path}")).collect();
            steps.push(format!(
                "No rule reaches some files, which are binary to git or hold a very short value. Drop them in the mirror: git filter-repo --invert-paths{paths}"
            ));
        }
        if rules.short_words {
            steps.push("Values too short for a rule stand in what commits or tags say: reword these by hand.".to_owned());
        }
        if !rules.names.is_empty() {
            let names: Vec<String> = rules.names.iter().map(|path| printable(path)).collect();
            steps.push(format!(
                "Secrets stand in names of files. Rename each: git filter-repo --path-rename OLD:NEW: {}",
                names.join(", ")
            ));
        }
        let mut findings = self.history.iter().flatten();
        if findings.any(|finding| finding.origin.part == Part::RefName) {
            steps.push("Secrets stand in names of references. Rename each: git branch -m, or git tag and git tag -d; on the server delete the old name.".to_owned());
        }
        steps
    }
}

/// The step that puts the rules in a file to the history.
fn rewrite(file: &str, rules: &Rules) -> String {
    let word = shell_word(file);
    let command = format!(
        "git filter-repo --sensitive-data-removal --replace-text {word} --replace-message {word}"
    );
    if !rules.people {
        return format!("In the mirror: {command}");
    }
    let [name, email] = ["name", "email"].map(|of| shell_word(&callback(file, of)));
    format!(
        "In the mirror, with callbacks that put the rules to authors, committers and taggers: {command} --name-callback {name} --email-callback {email}"
    )
}

/// Python that puts the rules in a file to a name or an address. It reads them from there, so that no
/// value stands in the plan; those over several lines stand in no name.
fn callback(file: &str, of: &str) -> String {
    // JSON's strings are Python's too.
    let file = serde_json::Value::from(file);
    format!(
        "import functools; global rules; rules = globals().get(\"rules\") or FilteringOptions.get_replace_text({file}); return functools.reduce(lambda text, rule: text.replace(*rule), rules[\"literals\"], {of})"
    )
}

fn trace(finding: &Finding) -> Option<&Trace> {
    finding.trace.as_deref()
}

fn group(finding: &Finding) -> u32 {
    trace(finding).map_or(0, |trace| trace.group)
}

fn is_head(finding: &Finding) -> bool {
    trace(finding).is_some_and(|trace| trace.state == State::Head)
}

/// Whether it is in a file that somebody who checks out a reference has.
fn is_read(finding: &Finding) -> bool {
    finding.origin.is_file() && is_here(finding)
}

/// Whether it is the name of a file that somebody who checks out a reference has, or of the reference.
fn is_name(finding: &Finding) -> bool {
    let names = [Part::FileName, Part::RefName];
    names.contains(&finding.origin.part) && is_here(finding)
}

/// Whether the newest commit of some reference has it.
fn is_here(finding: &Finding) -> bool {
    trace(finding).is_some_and(|trace| trace.state <= State::Ref)
}

fn read_at(finding: &Finding) -> String {
    let refs = trace(finding).map_or_else(String::new, whereabouts);
    format!("{} line {} ({refs})", finding.path(), finding.start.line)
}

/// `app/settings.py, since 0123456789ab 2026-01-31 Ann Author <ann@example.org>, in older commits only`.
fn since(finding: &Finding) -> String {
    let mut text = finding.path().to_owned();
    if let Some(trace) = trace(finding) {
        if let Some(first) = &trace.first {
            text += &format!(", since {}", commit(first));
        }
        text += &format!(", {}", whereabouts(trace));
    }
    text
}

//! The report for a person at a terminal, grouped by file.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use super::{Style, json};
use crate::advise::{self, WayKind};
use crate::finding::{CommitNote, Finding, NotebookPlace, State, Trace};
use crate::ledger::{Ledger, Reason};
use crate::pipeline::Outcome;
use crate::rules::Severity;
use crate::unit::Part;

/// From this many findings on, the summary counts them by kind.
const MANY: usize = 12;
/// Kinds that the summary names.
const KINDS: usize = 10;
/// Paths listed for one secret of a history, and references for one path.
const MOST_PLACES: usize = 10;
const MOST_NAMES: usize = 4;
/// Text narrower than this is not worth breaking lines for.
const NARROWEST: usize = 30;
/// What stands for a character that could steer a reader.
const HARMLESS: char = '\u{b7}';

/// Writes findings, then a summary with what was read and what was not.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(outcome: &Outcome, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page {
        paint: Paint { on: style.colour },
        show_secrets: style.show_secrets,
        explain: style.explain,
        width: style.width.map(|width| width.max(NARROWEST)),
        told: HashSet::new(),
        out,
    };
    let mut path = None;
    if outcome.findings.iter().any(|f| group(f) > 0) {
        for same in outcome.findings.chunk_by(|a, b| group(a) == group(b)) {
            page.secret(same)?;
        }
        return page.summary(outcome);
    }
    for finding in &outcome.findings {
        if path != Some(finding.path()) {
            path = Some(finding.path());
            let shown = page.paint.bold(&printable(finding.path()));
            writeln!(page.out, "{shown}")?;
        }
        page.finding(finding)?;
    }
    page.summary(outcome)
}

/// The number of a finding's secret in a report by secret; 0 in one by file.
fn group(finding: &Finding) -> u32 {
    finding.trace.as_ref().map_or(0, |trace| trace.group)
}

/// How many secrets these are: in a report by secret one may stand in several places.
fn secrets(findings: &[Finding]) -> usize {
    let last = findings.last().map_or(0, group);
    if last > 0 {
        last as usize
    } else {
        findings.len()
    }
}

/// What is being written.
struct Page<'o> {
    paint: Paint,
    show_secrets: bool,
    explain: bool,
    /// Columns to keep to.
    width: Option<usize>,
    /// What is said of a kind of secret, said once.
    told: HashSet<(String, String)>,
    out: &'o mut dyn Write,
}

impl Page<'_> {
    /// One secret with all its places in a history.
    fn secret(&mut self, places: &[Finding]) -> io::Result<()> {
        let Some(first) = places.first() else {
            return Ok(());
        };
        let paths = match places.len() {
            1 => "in one path".to_owned(),
            paths => format!("in {paths} paths"),
        };
        let title = format!("secret {}, {paths}", group(first));
        writeln!(self.out, "{}", self.paint.bold(&title))?;
        self.finding(first)?;
        for place in places.iter().take(MOST_PLACES) {
            let line = place.start.line;
            writeln!(self.out, "    {}:{line}", printable(place.path()))?;
            if let Some(trace) = &place.trace {
                self.trace(trace)?;
            }
        }
        if places.len() > MOST_PLACES {
            let more = places.len() - MOST_PLACES;
            writeln!(
                self.out,
                "    and {more} more paths; --format json lists them all"
            )?;
        }
        writeln!(self.out)
    }

    /// Since when, until when, and where it still is.
    fn trace(&mut self, trace: &Trace) -> io::Result<()> {
        if let Some(first) = &trace.first {
            writeln!(self.out, "      since {}", commit(first))?;
        }
        if let Some(last) = trace.last.as_ref().filter(|_| trace.last != trace.first) {
            writeln!(self.out, "      until {}", commit(last))?;
        }
        self.paragraph(&format!("      {}", whereabouts(trace)), 8)
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.head(finding)?;
        self.frame(finding)?;
        if !finding.layers.is_empty() {
            let names: Vec<&str> = finding.layers.iter().map(|layer| layer.name()).collect();
            writeln!(self.out, "    hidden by {}", names.join(", then "))?;
        }
        if let Some(trace) = finding.trace.as_ref().filter(|trace| trace.group == 0) {
            self.trace(trace)?;
        }
        self.confidence(finding)?;
        self.explanation(finding)?;
        let advice = advise::advise(finding);
        let rotate = advice.rotate.into_iter().next().unwrap_or_default();
        let kind = (finding.grants.to_string(), rotate);
        if !self.told.contains(&kind) {
            self.paragraph(&format!("    opens   {}", kind.0), 12)?;
            // Commands are there to be copied: they stay on one line.
            if !kind.1.is_empty() {
                writeln!(self.out, "    rotate  {}", kind.1)?;
            }
            if !advice.breaks.is_empty() {
                self.paragraph(&format!("    breaks  {}", advice.breaks), 12)?;
            }
            self.told.insert(kind);
        }
        let better = advice.ways.first();
        if let Some(way) = better.filter(|way| way.kind < WayKind::KeyVault) {
            self.paragraph(&format!("    better  {}", way.text), 12)?;
        }
        writeln!(self.out, "    instead {}", advice.reference)?;
        let id = format!("{} {}", finding.rule.id, finding.fingerprint);
        writeln!(self.out, "    {}\n", self.paint.dim(&id))
    }

    fn head(&mut self, finding: &Finding) -> io::Result<()> {
        let severity = self.paint.severity(finding.severity);
        let place = place(finding);
        let title = printable(&finding.title);
        let whole = 2 + 9 + title.chars().count() + 1 + place.chars().count();
        let apart = match self.width {
            Some(width) if whole > width => "\n    ",
            _ => " ",
        };
        let place = self.paint.dim(&place);
        writeln!(self.out, "  {severity} {title}{apart}{place}")
    }

    /// The line around the secret, cut on both sides to what fits.
    fn frame(&mut self, finding: &Finding) -> io::Result<()> {
        let frame = &finding.frame;
        let shown = if self.show_secrets {
            printable(&finding.secret.expose_text())
        } else {
            printable(&frame.mask)
        };
        let mut before = within_line(frame.before.trim_start());
        let mut after = within_line(frame.after.trim_end());
        if let Some(width) = self.width {
            let room = width.saturating_sub(6 + shown.chars().count());
            let right = after.chars().count().min(room / 2);
            before = last_chars(before, room - right);
            let left = before.chars().count();
            after = first_chars(after, room - left);
        }
        let (bar, shown) = (self.paint.dim("|"), self.paint.red(&shown));
        writeln!(self.out, "    {bar} {before}{shown}{after}")
    }

    fn confidence(&mut self, finding: &Finding) -> io::Result<()> {
        let proof = finding.proof.iter().map(|proof| &*proof.detail);
        let reasons = finding.reasons.iter().map(|reason| &**reason);
        let why: Vec<String> = proof.chain(reasons).map(printable).collect();
        let confidence = finding.confidence.name();
        let said = match why.is_empty() {
            true => format!("    {confidence} confidence"),
            false => format!("    {confidence} confidence: {}", why.join("; ")),
        };
        self.paragraph(&said, 6)
    }

    /// What each feature added to the score of a generic secret, when that was asked for.
    fn explanation(&mut self, finding: &Finding) -> io::Result<()> {
        let Some(explanation) = finding.explanation.as_ref().filter(|_| self.explain) else {
            return Ok(());
        };
        writeln!(self.out, "    score   {:+.2}, of which", explanation.score)?;
        for (feature, added) in &explanation.parts {
            writeln!(self.out, "      {added:+.2}  {}", feature.words())?;
        }
        Ok(())
    }

    /// Text broken into lines where there is a width to keep to, all but the first indented.
    fn paragraph(&mut self, text: &str, indent: usize) -> io::Result<()> {
        let Some(width) = self.width else {
            return writeln!(self.out, "{text}");
        };
        let indent = " ".repeat(indent);
        let options = textwrap::Options::new(width)
            .subsequent_indent(&indent)
            .break_words(false);
        for line in textwrap::wrap(text, options) {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    fn summary(&mut self, outcome: &Outcome) -> io::Result<()> {
        let count = |severity: &Severity| {
            let of = outcome.findings.iter().filter(|f| f.severity == *severity);
            let count = of.count();
            (count > 0).then(|| format!("{count} {}", severity.name()))
        };
        let counts: Vec<String> = Severity::ALL.iter().filter_map(count).collect();
        let (secrets, findings) = (secrets(&outcome.findings), outcome.findings.len());
        let found = match secrets {
            0 => "no secrets found".to_owned(),
            _ => {
                let several = findings > secrets;
                let places = several.then(|| format!(" in {findings} places"));
                let places = places.unwrap_or_default();
                let secrets = counted(secrets as u64, "secret");
                format!("{secrets} found{places} ({})", counts.join(", "))
            }
        };
        writeln!(self.out, "{}", self.paint.bold(&found))?;
        if outcome.findings.len() >= MANY {
            self.kinds(&outcome.findings)?;
        }
        coverage(&outcome.ledger, self.out)
    }

    /// How many there are of each kind, the gravest and most frequent first.
    fn kinds(&mut self, findings: &[Finding]) -> io::Result<()> {
        let mut kinds = BTreeMap::new();
        for finding in findings {
            let kind = kinds.entry((finding.severity, &*finding.title));
            let (count, files) = kind.or_insert_with(|| (0_usize, HashSet::new()));
            *count += 1;
            files.insert(finding.path());
        }
        let mut kinds: Vec<_> = kinds.into_iter().collect();
        kinds.sort_by_key(|((severity, _), (count, _))| std::cmp::Reverse((*severity, *count)));
        for ((severity, title), (count, files)) in kinds.iter().take(KINDS) {
            let severity = self.paint.severity(*severity);
            let files = counted(files.len() as u64, "file");
            writeln!(
                self.out,
                "  {count:6} {severity} {} in {files}",
                printable(title)
            )?;
        }
        let more = kinds.len().saturating_sub(KINDS);
        if more > 0 {
            writeln!(
                self.out,
                "         and {}",
                counted(more as u64, "more kind")
            )?;
        }
        Ok(())
    }
}

/// `1 file`, `2 files`.
pub fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// The end of a text, at most `room` characters, the first of them a mark when something is cut.
fn last_chars(text: String, room: usize) -> String {
    let length = text.chars().count();
    if length <= room {
        return text;
    }
    let kept = text.chars().skip(length - room.saturating_sub(1));
    let mark = (room > 0).then_some('\u{2026}');
    mark.into_iter().chain(kept).collect()
}

/// The start of a text, at most `room` characters, the last of them a mark when something is cut.
fn first_chars(text: String, room: usize) -> String {
    if text.chars().count() <= room {
        return text;
    }
    let kept = text.chars().take(room.saturating_sub(1));
    let mark = (room > 0).then_some('\u{2026}');
    kept.chain(mark).collect()
}

/// What of a repository still has a secret, in words.
pub fn whereabouts(trace: &Trace) -> String {
    let state = match trace.state {
        State::Head => "still in the checked-out commit",
        State::Ref => "still in",
        State::History => "in older commits only",
        State::Unknown => "not known what leads to it: not everything could be read",
        State::Reflog => "only the reflog leads to it: not pushed or cloned",
        State::Dangling => "nothing leads to it: not pushed or cloned",
    };
    let names = trace
        .refs
        .iter()
        .take(MOST_NAMES)
        .map(|name| printable(name));
    let mut names: Vec<String> = names.collect();
    let more = (trace.refs_total as usize).saturating_sub(names.len());
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let joint = match (trace.state, names.is_empty()) {
        (_, true) => String::new(),
        (State::Head, false) => format!(", and in {}", names.join(", ")),
        (_, false) => format!(" {}", names.join(", ")),
    };
    format!("{state}{joint}")
}

/// `0123456789ab 2026-01-31 Ann Author <ann@example.org>`.
pub fn commit(commit: &CommitNote) -> String {
    let id = commit.id.to_string();
    let date = json::date(commit.time);
    let day = date.split('T').next().unwrap_or_default();
    format!("{} {day} {}", &id[..12], printable(&commit.author))
}

/// `line 3, column 5`, for a notebook `cell 12 · output 1 · line 3`, for the name of a file `in the name`.
fn place(finding: &Finding) -> String {
    match &finding.notebook {
        None if finding.origin.part == Part::FileName => "in the name".to_owned(),
        Some(place) => format!(
            "{} · {}",
            printable(file_name(finding.path())),
            in_notebook(place)
        ),
        None => format!(
            "line {}, column {}",
            finding.start.line, finding.start.column
        ),
    }
}

fn in_notebook(place: &NotebookPlace) -> String {
    let mut parts = Vec::new();
    match place.cell {
        Some(cell) => parts.push(format!("cell {cell}")),
        None => parts.push("notebook metadata".to_owned()),
    }
    if let Some(output) = place.output {
        parts.push(format!("output {output}"));
    }
    if let Some(mime) = &place.mime {
        parts.push(printable(mime));
    }
    parts.push(format!("line {}", place.line));
    parts.join(" · ")
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What was read and what was not.
///
/// # Errors
/// When `out` cannot be written to.
pub fn coverage(ledger: &Ledger, out: &mut dyn Write) -> io::Result<()> {
    let files = counted(ledger.files, "file");
    let bytes = size(ledger.bytes);
    let notebooks = counted(ledger.notebooks, "notebook");
    if ledger.objects > 0 {
        let objects = counted(ledger.objects, "object");
        let commits = counted(ledger.commits, "commit");
        writeln!(out, "read {objects} ({commits}), {bytes}")?;
    } else {
        writeln!(out, "read {files} ({notebooks}), {bytes}")?;
    }
    for reason in Reason::ALL {
        let count = ledger.left_out(reason).len();
        if count > 0 {
            writeln!(out, "left out {count}: {}", reason.name().replace('_', " "))?;
        }
    }
    if ledger.windowed > 0 {
        let files = counted(ledger.windowed, "large file");
        writeln!(out, "read in windows: {files}")?;
    }
    Ok(())
}

fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["bytes", "kB", "MB", "GB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} bytes")
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

/// Text from the input with control characters made harmless, those that turn the direction of
/// writing among them, so that no file name can steer the terminal; nor the CI system that reads the
/// log for commands.
pub fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let indent = text.len() - text.trim_start().len();
    let commands = |at: usize| {
        let here = &text[at..];
        // GitHub takes `::` after nothing but blanks.
        is_log_command(here) || at == indent && here.starts_with("::")
    };
    text.char_indices()
        .map(|(at, c)| {
            if steers(c) || commands(at) {
                HARMLESS
            } else {
                c
            }
        })
        .collect()
}

/// A text as a POSIX shell takes it for one word.
pub fn shell_word(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    match !text.is_empty() && text.chars().all(safe) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// A part of a line, not its start, in which no CI system sees a command.
fn within_line(text: &str) -> String {
    text.char_indices()
        .map(|(at, c)| {
            if is_log_command(&text[at..]) {
                HARMLESS
            } else {
                c
            }
        })
        .collect()
}

/// Whether it begins as the commands do that CI systems take from anywhere in a line: `##vso[` (Azure
/// Pipelines), `##[` (that and GitHub), `##teamcity[`.
fn is_log_command(text: &str) -> bool {
    text.strip_prefix("##").is_some_and(|name| {
        let rest = name.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        rest.starts_with('[')
    })
}

/// Colours, or none.
struct Paint {
    on: bool,
}

impl Paint {
    fn with(&self, style: Ansi, text: &str) -> String {
        if self.on {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    fn bold(&self, text: &str) -> String {
        self.with(Ansi::new().bold(), text)
    }

    fn dim(&self, text: &str) -> String {
        self.with(Ansi::new().dimmed(), text)
    }

    fn red(&self, text: &str) -> String {
        self.with(AnsiColor::Red.on_default(), text)
    }

    fn severity(&self, severity: Severity) -> String {
        let colour = match severity {
            Severity::Critical | Severity::High => AnsiColor::Red,
            Severity::Medium => AnsiColor::Yellow,
            Severity::Low | Severity::Info => AnsiColor::Cyan,
        };
        self.with(
            colour.on_default().bold(),
            &format!("{:8}", severity.name()),
        )
    }
}

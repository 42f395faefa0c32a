//! The report for a person at a terminal, grouped by file.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use super::Style;
use crate::advise::{self, WayKind};
use crate::finding::{Finding, NotebookPlace};
use crate::ledger::{Ledger, Reason};
use crate::pipeline::Outcome;
use crate::rules::Severity;

/// Writes findings, then a summary with what was read and what was not.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(outcome: &Outcome, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint { on: style.colour };
    let mut path = None;
    for finding in &outcome.findings {
        if path != Some(finding.path()) {
            path = Some(finding.path());
            writeln!(out, "{}", paint.bold(&printable(finding.path())))?;
        }
        write_finding(finding, style, &paint, out)?;
    }
    summary(outcome, &paint, out)
}

fn write_finding(
    finding: &Finding,
    style: &Style,
    paint: &Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    let severity = paint.severity(finding.severity);
    let place = place(finding);
    writeln!(out, "  {severity} {} {}", finding.title, paint.dim(&place))?;
    let frame = &finding.frame;
    let shown = if style.show_secrets {
        printable(&finding.secret.expose_text())
    } else {
        frame.mask.clone()
    };
    let (before, after) = (frame.before.trim_start(), frame.after.trim_end());
    writeln!(
        out,
        "    {} {before}{}{after}",
        paint.dim("|"),
        paint.red(&shown)
    )?;
    let mut why: Vec<&str> = Vec::new();
    if let Some(proof) = &finding.proof {
        why.push(&proof.detail);
    }
    why.extend(finding.reasons.iter().map(|reason| &**reason));
    if !finding.layers.is_empty() {
        let names: Vec<&str> = finding.layers.iter().map(|layer| layer.name()).collect();
        writeln!(out, "    hidden by {}", names.join(", then "))?;
    }
    let confidence = finding.confidence.name();
    let why = if why.is_empty() {
        String::new()
    } else {
        format!(": {}", why.join("; "))
    };
    writeln!(out, "    {confidence} confidence{why}")?;
    writeln!(out, "    opens   {}", finding.grants)?;
    let advice = advise::advise(finding);
    if let Some(step) = advice.rotate.first() {
        writeln!(out, "    rotate  {step}")?;
    }
    if !advice.breaks.is_empty() {
        writeln!(out, "    breaks  {}", advice.breaks)?;
    }
    if let Some(way) = advice
        .ways
        .first()
        .filter(|way| way.kind < WayKind::KeyVault)
    {
        writeln!(out, "    better  {}", way.text)?;
    }
    writeln!(out, "    instead {}", advice.reference)?;
    let id = format!("{} {}", finding.rule.id, finding.fingerprint);
    writeln!(out, "    {}\n", paint.dim(&id))
}

/// `line 3, column 5`, or for a notebook `cell 12 · output 1 · line 3`.
fn place(finding: &Finding) -> String {
    match &finding.notebook {
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

fn summary(outcome: &Outcome, paint: &Paint, out: &mut dyn Write) -> io::Result<()> {
    let counts: Vec<String> = Severity::ALL
        .iter()
        .filter_map(|severity| {
            let of = outcome.findings.iter().filter(|f| f.severity == *severity);
            let count = of.count();
            (count > 0).then(|| format!("{count} {}", severity.name()))
        })
        .collect();
    let found = match outcome.findings.len() {
        0 => "no secrets found".to_owned(),
        1 => format!("1 secret found ({})", counts.join(", ")),
        n => format!("{n} secrets found ({})", counts.join(", ")),
    };
    writeln!(out, "{}", paint.bold(&found))?;
    coverage(&outcome.ledger, out)
}

fn coverage(ledger: &Ledger, out: &mut dyn Write) -> io::Result<()> {
    let files = ledger.files;
    let bytes = size(ledger.bytes);
    let notebooks = ledger.notebooks;
    writeln!(out, "read {files} files ({notebooks} notebooks), {bytes}")?;
    for reason in Reason::ALL {
        let count = ledger.left_out(reason).len();
        if count > 0 {
            writeln!(out, "left out {count}: {}", reason.name().replace('_', " "))?;
        }
    }
    if ledger.windowed > 0 {
        writeln!(out, "{} large files were read in windows", ledger.windowed)?;
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

/// Text from the input with control characters made harmless, so that no file name can steer the
/// terminal.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{b7}' } else { c })
        .collect()
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

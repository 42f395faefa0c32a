//! What in a file can be rewritten, before names are given.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::mem::{Discriminant, discriminant};
use std::ops::Range;
use std::sync::Arc;

use super::grammar;
use super::literal;
use super::magic::{self, MagicLine};
use super::notebook::{self, Notebook};
use super::reading::{self, Reading, Readings};
use super::region::Region;
use super::slot::{Held, Refused, Scene};
use super::sql;
use super::{Fixer, companion, diff, kubernetes};
use crate::advise::names::{self, Wish};
use crate::advise::{name, template};
use crate::decode::{self, Role};
use crate::finding::Finding;
use crate::host::{Grammar, Slot, Verdict};
use crate::pipeline::Sweep;
use crate::unit::PathKey;

/// A larger file is not rewritten.
const LARGEST: usize = 2 << 20;

/// A file with its findings and what can be done about each.
pub struct Survey {
    pub path: String,
    /// The path as it is printed, without secrets.
    pub shown_path: Arc<str>,
    /// What tells it apart from other files in the map of names.
    pub key: PathKey,
    pub bytes: Vec<u8>,
    pub findings: Vec<Finding>,
    /// Whether the file is a notebook, broken ones too.
    pub(super) is_notebook: bool,
    /// Its parts, when it is one that can be read.
    pub(super) notebook: Option<Notebook>,
    /// The file itself, when it is no notebook.
    pub(super) region: Region,
    pub targets: Vec<Target>,
    /// Values that go with the documents of targets.
    pub beside: Vec<Beside>,
    /// Findings that stay, by index, with the reason.
    pub refused: Vec<(usize, Refused)>,
}

/// One edit to be made, for one finding or several in the same literal.
#[derive(Clone)]
pub struct Target {
    pub findings: Vec<usize>,
    /// The cell, in a notebook.
    pub(super) cell: Option<usize>,
    /// In the text of the region.
    pub(super) secret: Range<usize>,
    pub(super) held: Held,
    pub(super) way: Way,
}

/// A value that is no finding, in a document that is written anew.
pub struct Beside {
    /// What its document calls it, without secrets.
    pub key: String,
    pub(super) held: Held,
    place: String,
    wanted: String,
}

/// How a target is rewritten.
#[derive(Clone)]
pub(super) enum Way {
    /// By its context's slot.
    Slot,
    /// In a line that IPython runs.
    Magic(MagicLine),
    /// A connection string without its password.
    Passwordless { content: Range<usize>, text: String },
}

impl Survey {
    /// A notebook of which nothing is to be rewritten.
    pub(super) fn of_findings(path: &str, findings: Vec<Finding>) -> Self {
        Self {
            path: path.to_owned(),
            shown_path: shown_path(path, &findings),
            key: PathKey::plain(path),
            bytes: Vec::new(),
            is_notebook: true,
            notebook: None,
            region: Region::default(),
            targets: Vec::new(),
            beside: Vec::new(),
            refused: Vec::new(),
            findings,
        }
    }

    /// Shows the file by this path, which tells nothing that was found elsewhere either, and has its names
    /// remembered by that key.
    pub fn show_as(&mut self, path: &Arc<str>, key: PathKey) {
        self.key = key;
        self.shown_path = path.clone();
        for finding in &mut self.findings {
            finding.shown_path = path.clone();
        }
    }

    /// The text of a target's region.
    pub(super) fn region(&self, cell: Option<usize>) -> &Region {
        match (cell, &self.notebook) {
            (Some(cell), Some(notebook)) => &notebook.cells[cell].source,
            _ => &self.region,
        }
    }

    pub(super) fn finding(&self, target: &Target) -> &Finding {
        &self.findings[target.findings[0]]
    }

    /// All Python that runs before a cell.
    pub(super) fn earlier(&self, cell: Option<usize>) -> Vec<u8> {
        let cells = self.notebook.as_ref().map_or(&[][..], |n| &n.cells);
        let before = &cells[..cell.unwrap_or(0).min(cells.len())];
        let code = before.iter().filter(|cell| cell.is_code);
        code.flat_map(|cell| [&cell.source.text[..], b"\n"].concat())
            .collect()
    }

    /// All code of the file, for names that are taken.
    pub(super) fn code(&self) -> Vec<u8> {
        match &self.notebook {
            Some(notebook) => self.earlier(Some(notebook.cells.len())),
            None => self.bytes.clone(),
        }
    }

    /// What the vault gets of a target where that is more than its secret, with all secrets masked.
    pub fn form(&self, target: &Target, sweep: &Sweep) -> Option<String> {
        /// More of a text is not shown.
        const LONGEST: usize = 200;
        let value = &target.held.value;
        let own = self.finding(target);
        // With quotes around it or none.
        let is_whole =
            self.is_document(target) && target.held.around.len() <= target.secret.len() + 2;
        if is_whole || self.stands(own, target.cell).contains(&&value[..]) {
            return None;
        }
        if value.len() > LONGEST {
            return Some(format!("a long text around {}", own.secret));
        }
        // What is escaped is longer in the file.
        let reach = 8 * LONGEST as u64;
        let near = own.byte_start().saturating_sub(reach)..own.byte_end() + reach;
        let first = self
            .findings
            .partition_point(|f| f.byte_start() < near.start);
        let findings = self.findings[first..].iter();
        let text = String::from_utf8_lossy(value);
        let mut shown = text.clone().into_owned();
        for finding in findings.take_while(|finding| finding.byte_start() < near.end) {
            for secret in self.stands(finding, target.cell) {
                let secret = String::from_utf8_lossy(secret);
                if !secret.is_empty() {
                    shown = shown.replace(&*secret, &finding.secret.masked());
                }
            }
        }
        // Of what is encoded, the secret may stand there otherwise than where it was found.
        match shown == text {
            true => Some(format!("a text around {}", own.secret)),
            false => Some(sweep.masked(&shown).into()),
        }
    }

    /// A finding's secret as it stands in the text of its region, and decoded.
    fn stands<'s>(&'s self, finding: &'s Finding, cell: Option<usize>) -> [&'s [u8]; 2] {
        let region = self.region(cell);
        let source = finding.byte_start() as usize..finding.byte_end() as usize;
        let Range { start, end } = region.of_source(source).unwrap_or_default();
        let end = diff::past_entity(&region.text, start, end);
        [&region.text[start..end], finding.secret.expose()]
    }

    /// What wants names in the vault: the targets in their order, then what stands beside them.
    pub fn wishes(&self) -> Vec<Wish<'_>> {
        let targets = self.targets.iter();
        let targets = targets.map(|target| self.wish(self.finding(target), &target.held.value));
        let beside = self.beside.iter().map(|beside| Wish {
            path: &self.shown_path,
            key: &self.key,
            place: beside.place.clone(),
            value: &beside.held.value,
            wanted: beside.wanted.clone(),
            forced: false,
            text: &self.bytes,
            lead: template::KUBERNETES_LEAD,
        });
        targets.chain(beside).collect()
    }

    /// Whether a value stands beside a target in its document.
    pub fn is_beside(&self, beside: &Beside, target: &Target) -> bool {
        target.held.covers == beside.held.covers && self.is_document(target)
    }

    /// Whether two targets stand in one document that is written anew.
    pub(super) fn shares_edit(&self, a: usize, b: usize) -> bool {
        let [a, b] = [a, b].map(|index| &self.targets[index]);
        self.is_document(a) && self.is_document(b) && a.held.covers == b.held.covers
    }

    /// Whether a target is written anew with its whole document.
    fn is_document(&self, target: &Target) -> bool {
        self.finding(target).host.context.slot == Slot::KubernetesSecret
    }

    /// What wants a name for the value of a finding, or for one that holds it.
    pub fn wish<'s>(&'s self, finding: &Finding, value: &'s [u8]) -> Wish<'s> {
        let plain = name::of(finding);
        let wanted = template::vault_name(finding, &plain);
        Wish {
            path: &self.shown_path,
            key: &self.key,
            place: names::place(finding),
            value,
            forced: wanted != plain,
            wanted,
            text: &self.bytes,
            lead: template::lead(finding.host.context),
        }
    }
}

/// The path by which findings in a file show it.
fn shown_path(path: &str, findings: &[Finding]) -> Arc<str> {
    let first = findings.first();
    first.map_or_else(|| path.into(), |finding| finding.shown_path.clone())
}

impl Fixer<'_> {
    /// Scans a file and finds out what can be rewritten.
    pub fn survey(&self, path: &str, bytes: &[u8]) -> Survey {
        let findings = self.scan(path, bytes);
        let is_notebook =
            decode::is_notebook_path(path) || findings.iter().any(|f| f.notebook.is_some());
        let notebook = is_notebook.then(|| notebook::read(bytes)).flatten();
        let mut survey = Survey {
            path: path.to_owned(),
            shown_path: shown_path(path, &findings),
            key: PathKey::plain(path),
            bytes: bytes.to_vec(),
            region: if notebook.is_none() {
                Region::file(bytes)
            } else {
                Region::default()
            },
            is_notebook,
            notebook,
            findings,
            targets: Vec::new(),
            beside: Vec::new(),
            refused: Vec::new(),
        };
        let whole_file = refuse_file(path, bytes, is_notebook && survey.notebook.is_none());
        let found: Vec<_> = match whole_file {
            Some(reason) => vec![Err(reason.into()); survey.findings.len()],
            None => self.targets(&survey),
        };
        let mut places = HashMap::new();
        for (index, found) in found.into_iter().enumerate() {
            match found {
                Ok(target) => merge(&mut survey, &mut places, target),
                Err(reason) => survey.refused.push((index, reason)),
            }
        }
        survey.beside = self.beside(&survey);
        survey
    }

    /// The values beside the targets of documents that are written anew.
    fn beside(&self, survey: &Survey) -> Vec<Beside> {
        let is_document = |target: &&Target| survey.is_document(target);
        let documents = survey.targets.iter().filter(is_document);
        let found: HashSet<_> = documents.clone().map(|t| t.held.around.clone()).collect();
        if found.is_empty() {
            return Vec::new();
        }
        let text = reading::readable(&survey.region, Grammar::Yaml);
        let Some(parsed) = grammar::parse(Grammar::Yaml, &text) else {
            return Vec::new();
        };
        let mut seen = HashSet::new();
        let documents = documents.filter(|target| seen.insert(target.held.covers.clone()));
        let beside = documents.flat_map(|target| {
            let finding = survey.finding(target);
            let scene = scene(survey, finding, &parsed, target.secret.clone(), b"", "");
            let keys = kubernetes::keys_around(&scene).unwrap_or_default();
            let keys = keys.into_iter().filter(|key| !found.contains(&key.range));
            let keys = keys.map(|key| self.beside_of(survey, key, target));
            keys.collect::<Vec<_>>()
        });
        beside.collect()
    }

    /// A value with what tells no secret of its key: it is remembered, and stands in its name.
    fn beside_of(&self, survey: &Survey, key: kubernetes::Key, target: &Target) -> Beside {
        let mut told = [key.key, key.place, key.hint];
        for text in &mut told {
            for finding in &survey.findings {
                let secret = finding.secret.expose();
                if memchr::memmem::find(text.as_bytes(), secret).is_some() {
                    *text = text.replace(&*String::from_utf8_lossy(secret), "*");
                }
            }
            *text = self.sweep.masked(text).into();
        }
        let [key_text, place, hint] = told;
        Beside {
            key: key_text,
            held: Held {
                value: key.value,
                covers: target.held.covers.clone(),
                around: key.range,
            },
            place,
            wanted: name::from_hint(&hint, "secret"),
        }
    }

    /// What can be done about each finding.
    fn targets(&self, survey: &Survey) -> Vec<Result<Target, Refused>> {
        let texts = reading::texts(survey);
        let readings = Readings::of(&texts);
        let findings = 0..survey.findings.len();
        findings
            .map(|index| self.target(survey, index, &readings))
            .collect()
    }

    fn target(
        &self,
        survey: &Survey,
        index: usize,
        readings: &Readings<'_>,
    ) -> Result<Target, Refused> {
        let finding = &survey.findings[index];
        let context = finding.host.context;
        let cell = cell_of(survey, finding)?;
        let region = survey.region(cell);
        let source = finding.byte_start() as usize..finding.byte_end() as usize;
        let secret = region
            .of_source(source)
            .ok_or("is not in the text as it stands")?;
        let target = |held, way| Target {
            findings: vec![index],
            cell,
            secret: secret.clone(),
            held,
            way,
        };
        if context.grammar == Grammar::Python
            && cell.is_some()
            && let Some(line) = magic::line(&region.text, &secret)
        {
            let line = line?;
            return Ok(target(line.held.clone(), Way::Magic(line)));
        }
        let reading = readings.get(cell, context.grammar);
        if let Some(target) = self.passwordless(survey, finding, reading, &secret, &target) {
            return Ok(target);
        }
        if context.verdict == Verdict::Suggest {
            return Err(context.why.into());
        }
        if context.verdict == Verdict::Pair && !self.policy.pair {
            return Err("needs changes elsewhere too; --pair makes the edit here".into());
        }
        let parsed = reading
            .parsed()
            .ok_or("stands in a text that its grammar does not read")?;
        let mut held = scene(survey, finding, parsed, secret.clone(), b"", "kv").held()?;
        // Cut into pieces or not, the same value is the same secret.
        let bare = |text: &[u8]| -> Vec<u8> {
            let signs = |b: &&u8| !matches!(**b, b'"' | b'\'' | b'+') && !b.is_ascii_whitespace();
            text.iter().filter(signs).copied().collect()
        };
        if bare(&held.value) == bare(finding.secret.expose()) {
            held.value = finding.secret.expose().to_vec();
        }
        Ok(target(held, Way::Slot))
    }

    /// A connection string that needs no password, when that was asked for.
    fn passwordless(
        &self,
        survey: &Survey,
        finding: &Finding,
        reading: &Reading<'_>,
        secret: &Range<usize>,
        target: &dyn Fn(Held, Way) -> Target,
    ) -> Option<Target> {
        let grammar = finding.host.context.grammar;
        if !self.policy.passwordless || grammar == Grammar::Lines {
            return None;
        }
        let parsed = reading.parsed()?;
        let literal = literal::find(parsed, grammar, secret).ok()?;
        let content = std::str::from_utf8(&parsed.text[literal.content.clone()]).ok()?;
        let driver = sql::driver(content, &survey.bytes)?;
        let without = sql::without_password(content, driver)?;
        let held = Held {
            value: content.as_bytes().to_vec(),
            around: literal.whole.clone(),
            covers: literal.whole,
        };
        let way = Way::Passwordless {
            content: literal.content,
            text: without,
        };
        Some(target(held, way))
    }
}

/// A scene for a finding of a survey.
pub(super) fn scene<'a>(
    survey: &Survey,
    finding: &Finding,
    parsed: &'a grammar::Parsed<'a>,
    secret: Range<usize>,
    earlier: &'a [u8],
    helper: &'a str,
) -> Scene<'a> {
    Scene {
        parsed,
        context: finding.host.context,
        secret,
        earlier,
        helper,
        is_module: survey.path.ends_with(".mjs") || survey.path.ends_with(".mts"),
    }
}

/// The code cell that holds a finding; `None` outside notebooks.
pub(super) fn cell_of(survey: &Survey, finding: &Finding) -> Result<Option<usize>, Refused> {
    let (Some(notebook), Some(place)) = (&survey.notebook, &finding.notebook) else {
        return Ok(None);
    };
    if place.role != Role::Code {
        return Err("stands where nothing runs".into());
    }
    let start = finding.byte_start() as usize;
    let cells = notebook.cells.iter();
    let found = cells
        .clone()
        .position(|cell| cell.source_range.contains(&start));
    found.map(Some).ok_or(Refused::from("is in no cell"))
}

/// Where a target is: its cell, what it covers, where in that its value is, and how it is rewritten.
type PlaceOf = (
    Option<usize>,
    Range<usize>,
    Option<Range<usize>>,
    Discriminant<Way>,
);

/// Adds a target. Findings in the same literal are one; `places` tells which that is.
fn merge(survey: &mut Survey, places: &mut HashMap<PlaceOf, usize>, target: Target) {
    // A document is written anew as a whole, but each of its values has a name of its own.
    let own = survey
        .is_document(&target)
        .then(|| target.held.around.clone());
    let covers = target.held.covers.clone();
    match places.entry((target.cell, covers, own, discriminant(&target.way))) {
        Entry::Occupied(same) => {
            let same = &mut survey.targets[*same.get()];
            same.findings.extend(target.findings);
        }
        Entry::Vacant(new) => {
            new.insert(survey.targets.len());
            survey.targets.push(target);
        }
    }
}

/// Why nothing in a file is rewritten.
fn refuse_file(path: &str, bytes: &[u8], broken: bool) -> Option<&'static str> {
    const FOLDERS: [&str; 7] = [
        "node_modules/",
        "vendor/",
        "site-packages/",
        "dist/",
        "third_party/",
        "cassettes/",
        ".ipynb_checkpoints/",
    ];
    const ENDS: [&str; 11] = [
        ".min.js",
        ".lock",
        ".tfstate",
        ".tfstate.backup",
        ".tfplan",
        "package-lock.json",
        ".patch",
        ".diff",
        ".log",
        ".map",
        ".snap",
    ];
    let lower = path.to_ascii_lowercase();
    if broken {
        return Some("stands in a notebook that is no valid JSON");
    }
    if FOLDERS
        .iter()
        .any(|f| lower.starts_with(f) || lower.contains(&format!("/{f}")))
    {
        return Some("stands in a file that is generated or somebody else's");
    }
    if ENDS.iter().any(|end| lower.ends_with(end)) {
        return Some("stands in a file that is generated");
    }
    if bytes.len() > LARGEST && !decode::is_notebook_path(path) {
        return Some("stands in a file over 2 MiB");
    }
    if std::str::from_utf8(bytes).is_err() {
        return Some("stands in a file that is no UTF-8");
    }
    if memchr::memmem::find(bytes, b"# SIG # Begin signature block").is_some() {
        return Some("stands in a signed file");
    }
    None
}

/// The helper's name for a survey's file.
pub(super) fn helper_name(survey: &Survey) -> String {
    companion::helper_name(&survey.code())
}

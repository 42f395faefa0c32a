//! Builds the edits of a file and keeps those that are proven.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use super::companion::{self, NewFile};
use super::edit::{self, Edit};
use super::grammar::{self, Parsed};
use super::reading;
use super::slot::{Held, Refused, Scene};
use super::survey::{self, Survey, Target, Way};
use super::{Action, Fixer, kubernetes, notebook};
use crate::advise::template::Holes;
use crate::host::{Grammar, Slot};

/// What was proven, and why the rest was not.
pub struct Proven {
    pub after: Vec<u8>,
    pub files: Vec<NewFile>,
    pub done: Vec<(usize, Action)>,
    pub refused: Vec<(usize, Refused)>,
}

/// Edits of one region.
#[derive(Default)]
struct RegionEdits {
    edits: Vec<Edit>,
    /// Stretches of the text before in which anything may differ.
    declared: Vec<Range<usize>>,
}

/// A file's edits, put together.
struct Draft {
    edits: Vec<Edit>,
    files: Vec<NewFile>,
}

impl Fixer<'_> {
    /// Tries all targets together, and when that is not proven, each half, down to those that are not.
    pub(super) fn proven(&self, survey: &Survey, names: &[Option<String>]) -> Proven {
        let wanted: Vec<usize> = (0..survey.targets.len())
            .filter(|index| names.get(*index).is_some_and(Option::is_some))
            .collect();
        let mut proven = Proven {
            after: survey.bytes.clone(),
            files: Vec::new(),
            done: Vec::new(),
            refused: Vec::new(),
        };
        let mut accepted: Vec<usize> = Vec::new();
        self.accept(survey, names, &wanted, &mut accepted, &mut proven);
        for index in accepted {
            let target = &survey.targets[index];
            let action = match (&target.way, &names[index]) {
                (Way::Passwordless { .. }, _) => Action::Passwordless,
                (_, Some(name)) => Action::Rewritten(name.clone()),
                (_, None) => continue,
            };
            proven
                .done
                .extend(target.findings.iter().map(|f| (*f, action.clone())));
        }
        proven
    }

    /// Adds those of some targets to what is accepted that are proven with it.
    fn accept(
        &self,
        survey: &Survey,
        names: &[Option<String>],
        wanted: &[usize],
        accepted: &mut Vec<usize>,
        proven: &mut Proven,
    ) {
        if wanted.is_empty() {
            return;
        }
        let all = [&accepted[..], wanted].concat();
        match (self.attempt(survey, names, &all), wanted) {
            (Ok((after, files)), _) => {
                (proven.after, proven.files) = (after, files);
                *accepted = all;
            }
            // The edit of a document is the same for all in it.
            (Err(reason), [first, rest @ ..])
                if rest.iter().all(|index| survey.shares_edit(*first, *index)) =>
            {
                let findings = wanted.iter().flat_map(|i| &survey.targets[*i].findings);
                let refused = findings.map(|f| (*f, reason.clone()));
                proven.refused.extend(refused);
            }
            (Err(_), _) => {
                let (first, rest) = wanted.split_at(wanted.len() / 2);
                self.accept(survey, names, first, accepted, proven);
                self.accept(survey, names, rest, accepted, proven);
            }
        }
    }

    fn attempt(
        &self,
        survey: &Survey,
        names: &[Option<String>],
        targets: &[usize],
    ) -> Result<(Vec<u8>, Vec<NewFile>), Refused> {
        let draft = self.draft(survey, names, targets)?;
        let edits = edit::ordered(draft.edits).ok_or("overlaps another edit")?;
        let (after, written) = edit::apply(&survey.bytes, &edits);
        if !edit::only_edited(&survey.bytes, &edits, &after, &written) {
            return Err("would change more than its place".into());
        }
        if survey.notebook.is_some() {
            same_notebook(&survey.bytes, &after)?;
        }
        self.rescan(survey, targets, &after)?;
        Ok((after, draft.files))
    }

    /// A rescan must find none of what was replaced and nothing new.
    fn rescan(&self, survey: &Survey, targets: &[usize], after: &[u8]) -> Result<(), Refused> {
        let gone: HashSet<usize> = targets
            .iter()
            .flat_map(|index| survey.targets[*index].findings.iter().copied())
            .collect();
        let mut allowed: HashMap<(&str, &[u8]), usize> = HashMap::new();
        for (index, finding) in survey.findings.iter().enumerate() {
            if !gone.contains(&index) {
                *allowed
                    .entry((&finding.rule.id, finding.secret.expose()))
                    .or_default() += 1;
            }
        }
        let found = self.scan(&survey.path, after);
        for finding in &found {
            let left = allowed.get_mut(&(&*finding.rule.id, finding.secret.expose()));
            match left {
                Some(count) if *count > 0 => *count -= 1,
                _ => return Err("is still found, or something new is, after the edit".into()),
            }
        }
        Ok(())
    }

    fn draft(
        &self,
        survey: &Survey,
        names: &[Option<String>],
        targets: &[usize],
    ) -> Result<Draft, Refused> {
        let helper = survey::helper_name(survey);
        let mut draft = Draft {
            edits: Vec::new(),
            files: Vec::new(),
        };
        let mut by_region: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        for index in targets {
            let cell = survey.targets[*index].cell;
            by_region.entry(cell).or_default().push(*index);
        }
        let mut first_helped = None;
        for (cell, indices) in by_region {
            let of_region =
                self.region(survey, names, cell, &indices, &helper, &mut draft.files)?;
            let region = survey.region(cell);
            let needs = |index: &usize| {
                let target = &survey.targets[*index];
                let is_way = !matches!(target.way, Way::Passwordless { .. });
                is_way && !survey.finding(target).host.context.helper.is_empty()
            };
            if cell.is_some() && first_helped.is_none() && indices.iter().any(needs) {
                first_helped = cell;
            }
            for edit in &of_region.edits {
                draft.edits.extend(region.to_source(edit));
            }
        }
        if let (Some(cell), Some(notebook)) = (first_helped, &survey.notebook)
            && !notebook.has_helper()
        {
            let source = companion::python_helper(&helper);
            let source = source.trim_end();
            draft
                .edits
                .push(notebook.insert_cell(&survey.bytes, cell, source));
        }
        Ok(draft)
    }

    /// The edits of one text, proven with its grammar.
    fn region(
        &self,
        survey: &Survey,
        names: &[Option<String>],
        cell: Option<usize>,
        indices: &[usize],
        helper: &str,
        files: &mut Vec<NewFile>,
    ) -> Result<RegionEdits, Refused> {
        let region = survey.region(cell);
        let grammar = survey
            .finding(&survey.targets[indices[0]])
            .host
            .context
            .grammar;
        let text = reading::readable(region, grammar);
        let parsed = match grammar {
            Grammar::Lines | Grammar::None => grammar::unparsed(&text),
            _ => grammar::parse(grammar, &text)
                .ok_or("stands in a text that its grammar does not read")?,
        };
        let earlier = survey.earlier(cell);
        let mut all = RegionEdits::default();
        for index in indices {
            let target = &survey.targets[*index];
            let finding = survey.finding(target);
            if finding.host.context.grammar != grammar {
                return Err("stands beside text of another grammar".into());
            }
            let secret = names[*index].as_deref().unwrap_or_default();
            let package = go_package(&text);
            let mut holes = Holes::of(finding, &self.facts, secret);
            holes.package = &package;
            let scene = survey::scene(
                survey,
                finding,
                &parsed,
                target.secret.clone(),
                &earlier,
                helper,
            );
            let name_of = |value: &_| name_of_value(survey, names, target, value);
            self.of_target(target, &scene, &holes, &name_of, &mut all, files)?;
            let wants_helper = !finding.host.context.helper.is_empty()
                && cell.is_none()
                && !matches!(target.way, Way::Passwordless { .. });
            if wants_helper {
                let inserted = companion::insert_helper(&parsed, helper);
                all.add(inserted.into_iter().collect());
            }
        }
        all.edits = edit::ordered(std::mem::take(&mut all.edits)).ok_or("overlaps another edit")?;
        if !matches!(grammar, Grammar::Lines | Grammar::None) {
            prove(region, grammar, &parsed, &all)?;
        }
        Ok(all)
    }

    fn of_target(
        &self,
        target: &Target,
        scene: &Scene<'_>,
        holes: &Holes<'_>,
        name_of: &kubernetes::NameOf<'_>,
        all: &mut RegionEdits,
        files: &mut Vec<NewFile>,
    ) -> Result<(), Refused> {
        let context = scene.context;
        match &target.way {
            Way::Passwordless { content, text } => {
                all.add(vec![Edit::new(content.clone(), text.as_str())]);
                all.declared.push(target.held.covers.clone());
                return Ok(());
            }
            Way::Magic(line) => {
                let expression = holes.fill(context.template).map_err(|fact| {
                    Refused::from(format!("needs --set {}=NAME", fact.replace('_', "-")))
                })?;
                let expression = if context.helper.is_empty() {
                    expression
                } else {
                    expression.replacen("kv(", &format!("{}(", scene.helper), 1)
                };
                all.add(vec![line.edit(&expression)]);
                // The line is blank to the grammar before, and may be code after.
                let text = scene.parsed.text;
                let start = edit::line_start(text, target.secret.start);
                all.declared
                    .push(start..edit::next_line(text, target.secret.end));
                return Ok(());
            }
            Way::Slot if context.slot == Slot::KubernetesSecret => {
                let held = &target.held.around;
                let is_done =
                    |edit: &Edit| edit.range.start <= held.start && held.end <= edit.range.end;
                if all.edits.iter().any(is_done) {
                    return Ok(());
                }
                all.add(vec![kubernetes::external_secret(scene, name_of)?]);
                return Ok(());
            }
            Way::Slot => {}
        }
        all.declared.push(target.held.around.clone());
        all.add(scene.edits(holes)?);
        let needed = companion::needed(scene, holes)?;
        all.add(needed.edits);
        for file in needed.files {
            if !files.contains(&file) {
                files.push(file);
            }
        }
        Ok(())
    }
}

impl RegionEdits {
    fn add(&mut self, edits: Vec<Edit>) {
        for edit in edits {
            if !self.edits.contains(&edit) {
                self.declared.push(edit.range.clone());
                self.edits.push(edit);
            }
        }
    }
}

/// Parses the text after the edits and compares the trees.
fn prove(
    region: &super::region::Region,
    grammar: Grammar,
    before: &Parsed<'_>,
    all: &RegionEdits,
) -> Result<(), Refused> {
    let (after, _) = edit::apply(&region.text, &all.edits);
    let after = if region.is_file() {
        super::region::Region::file(&after)
    } else {
        cell_text(after)
    };
    let readable = reading::readable(&after, grammar);
    let parsed = grammar::parse(grammar, &readable)
        .ok_or("would leave a text that its grammar does not read")?;
    let written: Vec<Range<usize>> = all
        .declared
        .iter()
        .map(|range| moved(range, &all.edits))
        .collect();
    if grammar::same_but(before, &all.declared, &parsed, &written) {
        Ok(())
    } else {
        Err("would change how the text around it reads".into())
    }
}

/// A text that is no whole file, to be read like a cell.
fn cell_text(text: Vec<u8>) -> super::region::Region {
    let mut region = super::region::Region::strings(&[], &[]);
    region.text = text;
    region
}

/// Where a stretch of the text before stands after the edits, with what was inserted at its ends.
fn moved(range: &Range<usize>, edits: &[Edit]) -> Range<usize> {
    // What goes with more around it has no place of its own any more.
    let around = edits.iter().map(|edit| &edit.range);
    let around = around
        .filter(|around| around.start <= range.start && range.end <= around.end)
        .find(|around| !around.is_empty());
    let range = around.unwrap_or(range);
    let shift = |upto: usize, with_inserts: bool| -> isize {
        edits
            .iter()
            .filter(|edit| {
                edit.range.end < upto
                    || edit.range.end == upto && (with_inserts || !edit.range.is_empty())
            })
            .map(|edit| edit.with.len() as isize - edit.range.len() as isize)
            .sum()
    };
    let start = (range.start as isize + shift(range.start, false)).max(0) as usize;
    let end = (range.end as isize + shift(range.end, true)).max(0) as usize;
    // What was taken out leaves nothing of itself.
    start.min(end)..end
}

/// The name for a value of the document that a target stands in.
fn name_of_value(
    survey: &Survey,
    names: &[Option<String>],
    of: &Target,
    range: &Range<usize>,
) -> Result<String, Refused> {
    let targets = survey.targets.iter().map(|target| &target.held);
    let helds = targets.chain(survey.beside.iter().map(|beside| &beside.held));
    let is_value = |held: &Held| held.covers == of.held.covers && held.around == *range;
    let name = helds.zip(names).find(|(held, _)| is_value(held));
    let name = name.and_then(|(_, name)| name.clone());
    name.ok_or("stands beside a secret that stays".into())
}

fn go_package(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let line = text.lines().find_map(|line| line.strip_prefix("package "));
    line.unwrap_or("main").trim().to_owned()
}

/// A notebook's structure must not change, but for one helper cell: the same keys, the same lists,
/// the same numbers; only strings may differ, and there are no other edits than the proven ones.
fn same_notebook(before: &[u8], after: &[u8]) -> Result<(), Refused> {
    let parse = |bytes: &[u8]| {
        serde_json::from_slice::<serde_json::Value>(notebook::without_mark(bytes)).ok()
    };
    let (Some(before), Some(mut after)) = (parse(before), parse(after)) else {
        return Err("would leave a notebook that is no valid JSON".into());
    };
    let sheets = if after.get("cells").is_some() {
        "/cells"
    } else {
        "/worksheets/0/cells"
    };
    let count = |value: &serde_json::Value| {
        value
            .pointer(sheets)
            .and_then(|c| c.as_array())
            .map_or(0, Vec::len)
    };
    if count(&after) == count(&before) + 1
        && let Some(cells) = after.pointer_mut(sheets).and_then(|c| c.as_array_mut())
    {
        let helper = cells
            .iter()
            .position(|cell| cell.to_string().contains(notebook::MARK));
        helper.map(|at| cells.remove(at));
    }
    if same_shape(&before, &after) {
        Ok(())
    } else {
        Err("would change the notebook's structure".into())
    }
}

fn same_shape(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Object, String};
    match (a, b) {
        (String(_), String(_)) => true,
        (Array(a), Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b))
        }
        (Object(a), Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|((k, a), (l, b))| k == l && same_shape(a, b))
        }
        (a, b) => a == b,
    }
}

//! The labelled notebooks beside the project, where they are: every planted secret is found in its
//! cell and output, and notebooks without one stay silent.

mod util;

use std::collections::HashMap;
use std::path::Path;

use keysweep::finding::Finding;
use keysweep::pipeline::{Options, Progress, Sweep};
use keysweep::source::walk::Walk;
use serde_json::Value;
use util::{labelled, planted};

/// 2026-11-01.
const NOW: i64 = 1_793_491_200;

fn scan(folder: &Path) -> Vec<Finding> {
    let sweep = Sweep::new(Options::new(NOW));
    let outcome = sweep.run(&Walk::new(vec![folder.into()]), &Progress::default());
    outcome.expect("the folder can be read").findings
}

/// Whether a finding shows the sensitive part of a planted secret.
fn shows(finding: &Finding, truth: &Value) -> bool {
    let found = String::from_utf8_lossy(finding.secret.expose()).into_owned();
    let also = truth["alt"].as_array().into_iter().flatten();
    also.chain([&truth["secret"]])
        .filter_map(Value::as_str)
        .any(|secret| {
            found.contains(secret)
                || found.len() * 10 >= secret.len() * 6 && secret.contains(&found)
        })
}

#[test]
fn planted_secrets_are_found_in_their_place() {
    let Some(folder) = labelled() else { return };
    let mut by_path: HashMap<String, Vec<Finding>> = HashMap::new();
    for part in ["leaks", "malformed"] {
        for finding in scan(&folder.join(part)) {
            let name = finding.path().rsplit('/').next().expect("a name");
            by_path
                .entry(format!("{part}/{name}"))
                .or_default()
                .push(finding);
        }
    }
    let mut missed = Vec::new();
    for (path, row) in planted(&folder) {
        let hits: Vec<&Finding> = by_path
            .get(&path)
            .into_iter()
            .flatten()
            .filter(|f| shows(f, &row))
            .collect();
        let placed = |f: &&Finding| {
            let place = f.notebook.as_ref();
            let cell = place.and_then(|p| p.cell).map_or(Value::Null, Value::from);
            let output = place
                .and_then(|p| p.output)
                .map_or(Value::Null, Value::from);
            cell == row["cell_index"] && output == row["output_index"]
        };
        let well_formed = row["valid_json"] == true;
        if hits.is_empty() || well_formed && !hits.iter().any(placed) {
            missed.push(format!("{path} {} {}", row["place"], row["family"]));
        }
    }
    assert!(
        missed.is_empty(),
        "{} missed or misplaced:\n{}",
        missed.len(),
        missed.join("\n")
    );
}

#[test]
fn clean_notebooks_stay_silent() {
    let Some(folder) = labelled() else { return };
    let found: Vec<String> = scan(&folder.join("clean"))
        .iter()
        .map(|f| format!("{} line {}: {}", f.path(), f.start.line, f.rule.id))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

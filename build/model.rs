//! Turns `patterns/generic/model.toml`, which `examples/train_generic.rs` writes, into the weights
//! of the judge of generic secrets.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// The model as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    /// When, from what and how the weights were made: for people.
    #[serde(rename = "made")]
    _made: BTreeMap<String, String>,
    /// Scores from which a value is reported with that confidence.
    thresholds: Thresholds,
    weights: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Thresholds {
    low: f64,
    medium: f64,
    high: f64,
}

pub fn write(file: &Path, out: &Path) {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let model: Model = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut code = String::from(
        "/// Weights by feature name, in the order of the names.\npub static WEIGHTS: &[(&str, f32)] = &[\n",
    );
    for (name, weight) in &model.weights {
        writeln!(code, "({name:?}, {weight:?}),").expect("writing to a string");
    }
    let Thresholds { low, medium, high } = model.thresholds;
    assert!(
        low < medium && medium < high,
        "{}: the thresholds ascend",
        file.display()
    );
    writeln!(code, "];\n/// Scores from which confidence is low, medium and high.\npub const THRESHOLDS: [f32; 3] = [{low:?}, {medium:?}, {high:?}];").expect("writing to a string");
    fs::write(out, code).expect("OUT_DIR can be written");
}

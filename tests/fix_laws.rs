//! Laws of `fix` on made-up files: what it fixes is clean, a second fix changes nothing, and no byte
//! outside of an edit is another.

mod util;

use std::collections::HashSet;

use keysweep::advise::facts::{Cloud, Facts, Vault};
use keysweep::advise::names::NameMap;
use keysweep::fix::{Action, Fixed, Fixer, Outputs, Policy, Rest};
use keysweep::pipeline::{Options, Sweep};
use proptest::prelude::*;
use serde_json::json;
use util::made_with;

/// 2026-11-01.
const NOW: i64 = 1_793_491_200;

fn fix(sweep: &Sweep, path: &str, bytes: &[u8]) -> Fixed {
    let vault = Vault::parse("kv-app", Cloud::Public).expect("a name");
    let fixer = Fixer {
        sweep,
        facts: Facts::new(Some(vault)),
        policy: Policy {
            pair: true,
            outputs: Outputs::Mask,
            rest: Rest::Mask,
            passwordless: false,
        },
        accepted: HashSet::new(),
    };
    let survey = fixer.survey(path, bytes);
    let names = NameMap::default().assign(&survey.wishes());
    let names: Vec<Option<String>> = names.into_iter().map(Some).collect();
    fixer.fix(&survey, &names)
}

/// Lines of a Python file, some with a secret in one of many positions.
fn line() -> impl Strategy<Value = String> {
    let secret = (0u64..500, 0usize..3).prop_map(|(seed, kind)| {
        let templates = [
            "ghp_{b62:30}{crc-base62}",
            "{his:+ASt:Default0}",
            "xoxb-{digits:12}-{digits:12}-{b62:24}",
        ];
        made_with(templates[kind], seed)
    });
    let plain = prop_oneof![
        Just("import os".to_owned()),
        Just("# a comment with \u{e9}\u{1f600}".to_owned()),
        Just("x = {'a': [1, 2.5, None]}".to_owned()),
        Just(String::new()),
        Just("def f(a, b=1):\n    return a".to_owned()),
        "[a-z]{1,8}".prop_map(|name| format!("{name}_v = \"{name}\"")),
    ];
    let leaking = (secret, 0usize..9).prop_map(|(s, form)| match form {
        0 => format!("API_TOKEN = \"{s}\""),
        1 => format!("client = f(token='{s}', n=1)"),
        2 => format!("headers = {{'Authorization': f'token {s} {{x}}'}}"),
        3 => format!("raw = b\"{s}\""),
        4 => format!("text = \"\"\"first\n{s}\nlast\"\"\""),
        5 => format!("joined = ('{}'\n    '{}')", &s[..9], &s[9..]),
        6 => format!("# old: {s}"),
        7 => format!("def g(token=\"{s}\"):\n    pass"),
        _ => format!("url = \"https://u:{s}@h.example.org/p\""),
    });
    prop_oneof![2 => plain, 1 => leaking]
}

fn laws(sweep: &Sweep, path: &str, bytes: &[u8]) -> Result<(), TestCaseError> {
    let fixed = fix(sweep, path, bytes);
    let left = sweep.scan_bytes(path, &fixed.after);
    prop_assert!(
        left.is_empty(),
        "{path}: {:?}\n{}",
        left[0].rule.id,
        String::from_utf8_lossy(&fixed.after)
    );
    let again = fix(sweep, path, &fixed.after);
    prop_assert_eq!(&again.after, &fixed.after);
    for outcome in &fixed.outcomes {
        prop_assert!(
            !matches!(outcome.action, Action::Kept(_)),
            "{:?}",
            outcome.action
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn python_files(lines in prop::collection::vec(line(), 1..12), crlf: bool) {
        let sweep = Sweep::new(Options::new(NOW));
        let mut text = lines.join("\n") + "\n";
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        laws(&sweep, "app.py", text.as_bytes())?;
    }

    #[test]
    fn notebooks(
        cells in prop::collection::vec((prop::collection::vec(line(), 1..5), 0usize..3, any::<bool>()), 1..5),
        indent in 0usize..4,
        minor in 4u32..6,
    ) {
        let sweep = Sweep::new(Options::new(NOW));
        let cells: Vec<_> = cells.iter().enumerate().map(|(index, (lines, kind, list))| {
            let text = lines.join("\n");
            let source = if *list { json!(text.split_inclusive('\n').collect::<Vec<_>>()) } else { json!(text) };
            let mut cell = match kind {
                0 => json!({"cell_type": "markdown", "metadata": {}, "source": source}),
                1 => json!({"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [], "source": source}),
                _ => json!({"cell_type": "code", "execution_count": 1, "metadata": {}, "source": ["print(1)"],
                            "outputs": [{"name": "stdout", "output_type": "stream", "text": source}]}),
            };
            if minor == 5 {
                cell["id"] = json!(format!("cell-{index}"));
            }
            cell
        }).collect();
        let notebook = json!({"cells": cells, "metadata": {"kernelspec": {"language": "python"}},
                              "nbformat": 4, "nbformat_minor": minor});
        let text = if indent == 0 { notebook.to_string() } else {
            let mut out = Vec::new();
            let spaces = " ".repeat(indent);
            let form = serde_json::ser::PrettyFormatter::with_indent(spaces.as_bytes());
            let mut writer = serde_json::Serializer::with_formatter(&mut out, form);
            serde::Serialize::serialize(&notebook, &mut writer).expect("JSON");
            String::from_utf8(out).expect("UTF-8")
        };
        laws(&sweep, "n.ipynb", text.as_bytes())?;
    }
}

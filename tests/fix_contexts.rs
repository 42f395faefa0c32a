//! Every context by example: a file before, what `keysweep fix --write` makes of it or why it leaves
//! it alone, and that a second run and a rescan find nothing more to do.

mod util;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use keysweep::host::{self, Verdict};
use util::contexts::{Tried, cases};

#[test]
fn each_context_is_rewritten_as_shown_or_refused_with_the_reason() {
    let mut faults = Vec::new();
    for case in cases() {
        let tried = Tried::new(&case);
        let shown = tried.fix(&case, false);
        for text in [&shown.stdout, &shown.stderr] {
            assert!(
                !text.contains(&tried.secret),
                "{} shows the secret:\n{text}",
                case.path
            );
        }
        let before = case.before.trim_start_matches('\n');
        assert_eq!(
            tried.text(&case.path),
            before,
            "{}: written unasked",
            case.path
        );
        let run = tried.fix(&case, true);
        let text = tried.text(&case.path);
        match &case.refused {
            Some(reason) => {
                if text != before || !run.stderr.contains(reason.as_str()) || run.code != Some(1) {
                    faults.push(format!(
                        "### {} {}\n{}\n{text}",
                        case.id, case.path, run.stderr
                    ));
                }
            }
            None => {
                let expected = case.after.as_deref().unwrap_or("").trim_start_matches('\n');
                if text != expected || run.code != Some(0) {
                    let why = run.stderr.replace(&tried.secret, "@S@");
                    faults.push(format!("### {} {}\n{why}{text}", case.id, case.path));
                }
                for (name, expected) in &case.makes {
                    let expected = expected.trim_start_matches('\n');
                    if tried.text(name) != expected {
                        faults.push(format!(
                            "### {} makes {name}\n{}",
                            case.id,
                            tried.text(name)
                        ));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}\n### end", faults.join("\n"));
}

#[test]
fn what_is_rewritten_is_clean_and_stays_as_it_is() {
    for case in cases().iter().filter(|case| case.refused.is_none()) {
        let tried = Tried::new(case);
        tried.fix(case, true);
        let first = fs::read(tried.dir.path().join(&case.path)).expect("readable");
        let again = tried.fix(case, true);
        let second = fs::read(tried.dir.path().join(&case.path)).expect("readable");
        assert_eq!(
            first, second,
            "{}: a second run changes it:\n{}",
            case.path, again.stdout
        );
        let scan = tried.dir.run(&["scan", "--no-ignore", &case.path]);
        assert_eq!(scan.code, Some(0), "{}: {}", case.path, scan.stdout);
    }
}

#[test]
fn line_ends_are_kept() {
    for case in cases().iter().filter(|case| case.refused.is_none()) {
        let tried = Tried::new(case);
        let before = case
            .before
            .trim_start_matches('\n')
            .replace("@S@", &tried.secret);
        tried.dir.write(&case.path, before.replace('\n', "\r\n"));
        tried.fix(case, true);
        let text = tried.text(&case.path);
        let lone = text.replace("\r\n", "").contains('\n');
        assert!(!lone, "{}: a lone line feed:\n{text}", case.path);
    }
}

#[test]
fn every_context_has_a_case_and_at_least_38_are_rewritten() {
    let cases = cases();
    let known: BTreeSet<&str> = host::contexts().iter().map(|c| c.id).collect();
    let shown: BTreeSet<&str> = cases.iter().map(|c| c.id.as_str()).collect();
    let numbers: BTreeSet<String> = (1..=52).map(|n| format!("C{n:02}")).collect();
    let numbers: BTreeSet<&str> = numbers.iter().map(String::as_str).collect();
    assert_eq!(known, numbers);
    assert_eq!(shown, numbers);
    let rewritten: BTreeSet<&str> = cases
        .iter()
        .filter(|c| c.refused.is_none())
        .map(|c| c.id.as_str())
        .collect();
    assert!(rewritten.len() >= 38, "{} rewritten", rewritten.len());
}

/// `docs/contexts.md` is made from the contexts and these cases.
#[test]
fn the_table_of_contexts_is_up_to_date() {
    let cases = cases();
    let mut table = String::from(
        "| id | host | verdict | rewritten | refused |\n| --- | --- | --- | --- | --- |\n",
    );
    let mut ids: BTreeMap<&str, Vec<&host::Context>> = BTreeMap::new();
    for context in host::contexts() {
        ids.entry(context.id).or_default().push(context);
    }
    for (id, contexts) in ids {
        let titles: BTreeSet<&str> = contexts.iter().map(|c| c.title).collect();
        let verdicts: BTreeSet<&str> = contexts.iter().map(|c| c.verdict.name()).collect();
        let join = |set: BTreeSet<&str>| set.into_iter().collect::<Vec<_>>().join(", ");
        let of = |refused: bool| {
            let own = cases
                .iter()
                .filter(|c| c.id == id && c.refused.is_some() == refused);
            own.map(|c| format!("`{}`", c.path))
                .collect::<Vec<_>>()
                .join(", ")
        };
        table += &format!(
            "| {id} | {} | {} | {} | {} |\n",
            join(titles),
            join(verdicts),
            of(false),
            of(true)
        );
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/contexts.md");
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text.contains(&table),
        "docs/contexts.md should hold:\n{table}"
    );
}

/// A context that only suggests must say why, and one that rewrites must be shown.
#[test]
fn forms_that_rewrite_have_a_template_for_their_slot() {
    for context in host::contexts() {
        if context.verdict == Verdict::Suggest {
            assert!(!context.why.is_empty(), "{} {}", context.id, context.form);
        } else {
            let says = !context.template.is_empty() || !context.instead.is_empty();
            assert!(says, "{} {}", context.id, context.form);
        }
    }
}

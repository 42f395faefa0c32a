//! `keysweep fix --interactive`, answered through a pipe.

mod util;

use std::fs;

use util::{Dir, FIX_AND_MASK, Run, made_with};

fn token(seed: u64) -> String {
    made_with("ghp_{b62:30}{crc-base62}", seed)
}

/// Three files with a secret each, the last a notebook that shows it in an output only.
fn project() -> Dir {
    let dir = Dir::new();
    for (name, seed) in [("a.py", 1), ("b.py", 2)] {
        dir.write(name, format!("API_TOKEN = \"{}\"\n", token(seed)));
    }
    let notebook = serde_json::json!({"cells": [{"cell_type": "code", "execution_count": 1, "metadata": {},
        "source": ["print(1)"], "outputs": [{"name": "stdout", "output_type": "stream", "text": [token(3)]}]}],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 4});
    dir.write("c.ipynb", notebook.to_string());
    dir
}

/// Runs with these answers, and says which of the files still hold their secrets.
fn answered(dir: &Dir, answers: &str) -> (Run, [bool; 3]) {
    let args = [&FIX_AND_MASK[..], &["--interactive"]].concat();
    let run = dir.run_with(&args, &[], answers.as_bytes());
    let holds = [("a.py", 1), ("b.py", 2), ("c.ipynb", 3)].map(|(name, seed)| {
        let secret = token(seed);
        assert!(!run.stdout.contains(&secret) && !run.stderr.contains(&secret));
        let text = fs::read_to_string(dir.path().join(name)).expect("readable");
        text.contains(&secret)
    });
    (run, holds)
}

#[test]
fn each_change_is_made_as_it_was_answered() {
    for (answers, holds, code) in [
        ("y\nn\ny\n", [false, true, false], 1),
        ("no\nYES\nn\n", [true, false, true], 1),
        ("yes\ny\ny\n", [false, false, false], 0),
        ("n\na\n", [true, false, false], 1),
        ("all\n", [false, false, false], 0),
        ("y\nq\n", [false, true, true], 1),
        ("quit\n", [true, true, true], 1),
    ] {
        let (run, held) = answered(&project(), answers);
        assert_eq!(held, holds, "{answers:?}: {}", run.stdout);
        run.expect(code);
    }
}

/// Who says nothing, or nothing that can be understood, agrees to nothing.
#[test]
fn silence_is_no_answer() {
    let (run, held) = answered(&project(), "");
    assert_eq!(held, [true; 3]);
    run.expect(1);
    let (run, held) = answered(&project(), "perhaps\n\ny\nq\n");
    assert_eq!(held, [false, true, true], "{}", run.stdout);
    assert_eq!(run.stdout.matches("a.py line 1").count(), 3);
    assert!(run.stdout.contains("q: no to all that is left"));
}

/// Two secrets in one file: what was agreed to before the end is made.
#[test]
fn an_end_keeps_what_was_agreed_to() {
    let dir = Dir::new();
    let text = format!("A_TOKEN = \"{}\"\nB_TOKEN = \"{}\"\n", token(1), token(2));
    dir.write("a.py", text);
    let args = ["fix", ".", "--vault", "kv-app", "--write", "--interactive"];
    dir.run_with(&args, &[], b"y\nq\n").expect(1);
    let text = fs::read_to_string(dir.path().join("a.py")).expect("readable");
    assert!(
        !text.contains(&token(1)) && text.contains(&token(2)),
        "{}",
        text.replace(&token(2), "@")
    );
}

#[test]
fn nobody_is_asked_in_ci() {
    let dir = project();
    let args = ["fix", ".", "--write", "--interactive"];
    let run = dir.run_with(&args, &[("CI", "true")], b"y\n").expect(2);
    assert!(run.stderr.contains("somebody to ask"), "{}", run.stderr);
}

/// An output that only repeats a secret of the code is no finding, and is asked about all the same.
#[test]
fn what_repeats_a_secret_is_asked_about() {
    let password = made_with("{b62:9}-{b62:9}", 3);
    let notebook = serde_json::json!({"cells": [{"cell_type": "code", "execution_count": 1, "metadata": {},
        "source": [format!("password = \"{password}\"")],
        "outputs": [{"name": "stdout", "output_type": "stream", "text": [format!("is {password} so")]}]}],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 4});
    let args = "fix . --vault kv-app --write --interactive --outputs mask --rest keep";
    let args: Vec<&str> = args.split(' ').collect();
    for (answers, times) in [("n\nn\n", 2), ("n\ny\n", 1), ("y\nn\n", 1), ("y\ny\n", 0)] {
        let dir = Dir::new();
        let path = dir.write("a.ipynb", notebook.to_string());
        let run = dir.run_with(&args, &[], answers.as_bytes());
        assert!(
            run.stdout.contains("what repeats a secret?"),
            "{}",
            run.stdout
        );
        let text = fs::read_to_string(path).expect("readable");
        assert_eq!(text.matches(&password).count(), times, "{answers:?}");
    }
}

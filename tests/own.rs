//! The project's own files hold shapes, templates and talk of secrets, and nothing that is taken for
//! one: by what they say, not by where they are.

mod util;

use std::path::Path;

use util::Dir;

#[test]
fn this_repository_is_clean() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = Dir::new();
    for part in [
        "src",
        "patterns",
        "fixtures",
        "tests",
        "benches",
        "docs",
        "examples",
        "build",
        "build.rs",
        "CHANGELOG.md",
        "fuzz/fuzz_targets",
        "README.md",
    ] {
        let path = root.join(part);
        let path = path.to_str().expect("UTF-8");
        let run = dir.run(&["scan", "--no-ignore", "--format", "jsonl", path]);
        let known = run.json_lines();
        assert!(known.is_empty(), "{known:#?}{}", run.stderr);
        assert_eq!(run.code, Some(0), "{part}: {}", run.stderr);
    }
}

//! The project's own files hold shapes, templates and talk of secrets, and no secret: by what they
//! say, not by where they are.

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
        "fuzz/fuzz_targets",
        "README.md",
    ] {
        let path = root.join(part);
        let run = dir.run(&["scan", "--no-ignore", path.to_str().expect("UTF-8")]);
        assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    }
}

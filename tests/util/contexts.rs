//! The cases of `fixtures/contexts`: what stands there before and after a fix.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::{Dir, Run, made_with};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

/// One context by example.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub id: String,
    pub path: String,
    #[serde(default)]
    pub args: Vec<String>,
    #[serde(default = "token")]
    pub secret: String,
    pub before: String,
    pub after: Option<String>,
    /// Files made beside: name and text.
    #[serde(default)]
    pub makes: BTreeMap<String, String>,
    pub refused: Option<String>,
}

fn token() -> String {
    "ghp_{b62:30}{crc-base62}".into()
}

/// All of `fixtures/contexts`.
pub fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/contexts");
    let mut all = Vec::new();
    for name in ["code", "infra", "config"] {
        let text = fs::read_to_string(folder.join(format!("{name}.toml"))).expect("readable");
        let cases: Cases = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        all.extend(cases.case);
    }
    all
}

/// A case in a folder of its own.
pub struct Tried {
    pub dir: Dir,
    pub secret: String,
}

impl Tried {
    pub fn new(case: &Case) -> Self {
        let dir = Dir::new();
        let secret = made_with(&case.secret, 11);
        dir.write(
            &case.path,
            case.before.trim_start_matches('\n').replace("@S@", &secret),
        );
        Self { dir, secret }
    }

    pub fn fix(&self, case: &Case, write: bool) -> Run {
        let mut args = vec!["fix", ".", "--vault", "kv-app"];
        args.extend(case.args.iter().map(String::as_str));
        args.extend(write.then_some("--write"));
        self.dir.run(&args)
    }

    pub fn text(&self, name: &str) -> String {
        let text = fs::read_to_string(self.dir.path().join(name)).unwrap_or_default();
        text.replace(&self.secret, "@S@")
    }
}

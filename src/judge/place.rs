//! What a path says of the text in it: code, settings or prose, tests or not.
//!
//! A verdict may depend on the path and on the part of a notebook, and on nothing else outside the
//! text around a match.

use super::structure::text::{contains_any_ci, ends_with_ci, is_one_of};
use crate::decode::Role;

/// What kind of text a file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A programming language: a value without quotes is an expression.
    Code,
    /// Shell scripts, build files of containers: a value without quotes is a text.
    Script,
    /// Settings: YAML, properties, ini, environment files, JSON, XML.
    Config,
    /// Prose with examples in it.
    Doc,
    /// Pages and templates of pages.
    Markup,
    /// Recorded traffic, logs, tables, snapshots.
    Data,
    #[default]
    Unknown,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::Code,
        Self::Script,
        Self::Config,
        Self::Doc,
        Self::Markup,
        Self::Data,
        Self::Unknown,
    ];
}

/// A set of kinds of path, and whether also files count of whose names and values nothing is held:
/// those that a tool wrote, and translations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kinds(u8);

impl Kinds {
    pub const ALL: Self = Self(u8::MAX);
    /// Beside a bit for each kind.
    const ALL_FILES: u8 = 1 << 7;

    fn has(self, kind: Kind) -> bool {
        self.0 >> kind as u8 & 1 == 1
    }

    /// Whether the text at a place is of one of them.
    pub fn fit(self, place: &Place) -> bool {
        self.has(place.kind) && (!place.is_mute() || self.0 & Self::ALL_FILES != 0)
    }

    /// The same kinds, of all files.
    #[must_use]
    pub fn of_all_files(self) -> Self {
        Self(self.0 | Self::ALL_FILES)
    }

    /// What is in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        kinds
            .into_iter()
            .fold(Self::default(), |set, kind| set.or(Self(1 << kind as u8)))
    }
}

/// What is known of where a text stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    pub kind: Kind,
    /// Tests and what belongs to them.
    pub test: bool,
    /// Examples, samples, templates of settings.
    pub example: bool,
    /// Translations.
    pub locale: bool,
    /// A cell of a notebook, where commands stand among the code.
    pub cell: bool,
    /// Written by a tool: lock files, minified scripts, bundles.
    pub generated: bool,
}

impl Place {
    /// Where most is taken for a secret: for a text whose path is only asked for if it holds one.
    pub const MOST_TELLING: Self = Self::most_telling(Kind::Config);

    /// Where most is taken for a secret of all texts of a kind.
    pub const fn most_telling(kind: Kind) -> Self {
        Self {
            kind,
            test: true,
            example: false,
            locale: false,
            cell: false,
            generated: false,
        }
    }

    /// Whether a name and a value there are never taken for a secret.
    pub fn is_mute(&self) -> bool {
        self.generated || self.locale
    }

    /// Reads a path with forward slashes. An empty one is not known yet.
    pub fn of(path: &str) -> Self {
        if path.is_empty() {
            return Self::MOST_TELLING;
        }
        const TESTS: &[&str] = &[
            "test",
            "spec",
            "mock",
            "fixture",
            "cassette",
            "e2e",
            "__snapshots__",
        ];
        const EXAMPLES: &[&str] = &["example", "sample", "demo", "tutorial", "template"];
        const LOCALES: &[&str] = &[
            "i18n",
            "l10n",
            "locale",
            "locales",
            "lang",
            "langs",
            "languages",
            "translations",
            "messages",
        ];
        let path = path.as_bytes();
        let name = path.rsplit(|b| *b == b'/').next().unwrap_or(path);
        let mut folders = path[..path.len() - name.len()].split(|b| *b == b'/');
        Self {
            kind: kind(name),
            test: contains_any_ci(path, TESTS),
            example: contains_any_ci(path, EXAMPLES),
            locale: folders.any(|folder| is_one_of(folder, LOCALES)) || ends_with_ci(name, b".po"),
            cell: false,
            generated: is_generated(name),
        }
    }

    /// The same place, narrowed to a part of a notebook.
    pub fn within(self, role: Role) -> Self {
        let kind = match role {
            Role::Text => self.kind,
            Role::Code => Kind::Code,
            Role::Prose => Kind::Doc,
            Role::Output | Role::Attachment => Kind::Data,
            Role::Metadata => Kind::Config,
        };
        let cell = role == Role::Code;
        Self { kind, cell, ..self }
    }
}

fn kind(name: &[u8]) -> Kind {
    const KINDS: &[(Kind, &[&str])] = &[
        (
            Kind::Code,
            &[
                "py",
                "pyi",
                "pyx",
                "js",
                "jsx",
                "mjs",
                "cjs",
                "ts",
                "tsx",
                "java",
                "kt",
                "kts",
                "scala",
                "sc",
                "sbt",
                "groovy",
                "gradle",
                "go",
                "rs",
                "c",
                "h",
                "cc",
                "cpp",
                "cxx",
                "hpp",
                "hh",
                "m",
                "mm",
                "cs",
                "fs",
                "vb",
                "rb",
                "php",
                "php3",
                "phtml",
                "pl",
                "pm",
                "lua",
                "r",
                "jl",
                "swift",
                "dart",
                "ex",
                "exs",
                "erl",
                "hs",
                "ml",
                "clj",
                "cljs",
                "coffee",
                "sol",
                "zig",
                "nim",
                "d",
                "pas",
                "cob",
                "f90",
                "proto",
                "sql",
                "graphql",
                "inc",
                "vala",
                "libsonnet",
                "jsonnet",
                "rake",
                "gemspec",
                "jenkinsfile",
            ],
        ),
        (
            Kind::Script,
            &[
                "sh",
                "bash",
                "zsh",
                "fish",
                "ksh",
                "ps1",
                "psm1",
                "psd1",
                "bat",
                "cmd",
                "mk",
                "dockerfile",
                "tcl",
            ],
        ),
        (
            Kind::Config,
            &[
                "yml",
                "yaml",
                "toml",
                "ini",
                "cfg",
                "conf",
                "cnf",
                "config",
                "properties",
                "env",
                "json",
                "json5",
                "jsonc",
                "xml",
                "plist",
                "tf",
                "tfvars",
                "hcl",
                "nix",
                "service",
                "reg",
                "travis",
                "j2",
                "rc",
                "netrc",
                "npmrc",
                "pypirc",
                "example",
                "sample",
                "dist",
                "template",
                "tpl",
                "settings",
                "inf",
            ],
        ),
        (
            Kind::Doc,
            &[
                "md", "markdown", "rst", "txt", "adoc", "asciidoc", "tex", "org", "textile",
                "rdoc", "pod", "man",
            ],
        ),
        (
            Kind::Markup,
            &[
                "html", "htm", "xhtml", "vue", "svelte", "ejs", "erb", "jsp", "cshtml", "hbs",
                "xaml", "axaml", "svg", "css", "scss", "slim", "haml", "pug",
            ],
        ),
        (
            Kind::Data,
            &[
                "har", "log", "csv", "tsv", "snap", "cast", "golden", "out", "dump", "jsonl",
                "ndjson", "pem", "key", "patch", "diff",
            ],
        ),
    ];
    let extension = match memchr::memrchr(b'.', name) {
        Some(at) => &name[at + 1..],
        None => name,
    };
    let found = KINDS.iter().find(|(_, list)| is_one_of(extension, list));
    if let Some((kind, _)) = found {
        return *kind;
    }
    if contains_any_ci(name, &["dockerfile", "makefile"]) {
        return Kind::Script;
    }
    if name.starts_with(b".env") || contains_any_ci(name, &[".env.", ".conf.", ".yml.", ".yaml."]) {
        return Kind::Config;
    }
    Kind::Unknown
}

/// Lock files and scripts made small by a tool.
fn is_generated(name: &[u8]) -> bool {
    const LOCKS: &[&str] = &[
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "cargo.lock",
        "go.sum",
        "poetry.lock",
        "pipfile.lock",
        "composer.lock",
        "gemfile.lock",
        "packages.lock.json",
        "uv.lock",
        "flake.lock",
        "podfile.lock",
        "mix.lock",
        ".cargo-checksum.json",
    ];
    is_one_of(name, LOCKS)
        || contains_any_ci(
            name,
            &[".min.js", ".min.css", ".bundle.js", ".chunk.js", ".js.map"],
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_kinds() {
        for (path, kind) in [
            ("a/b.py", Kind::Code),
            ("Dockerfile", Kind::Script),
            ("deploy/Dockerfile.dev", Kind::Script),
            (".env", Kind::Config),
            (".env.production", Kind::Config),
            ("config/app.yml.j2", Kind::Config),
            ("README.md", Kind::Doc),
            ("x.har", Kind::Data),
            ("LICENSE", Kind::Unknown),
        ] {
            assert_eq!(Place::of(path).kind, kind, "{path}");
        }
    }

    #[test]
    fn paths_tell_purposes() {
        assert!(Place::of("src/test/java/A.java").test);
        assert!(Place::of("app/i18n/de.json").locale);
        assert!(Place::of("web/package-lock.json").generated);
        assert!(Place::of(".env.example").example);
        assert_eq!(
            Place::of("src/app.py"),
            Place {
                kind: Kind::Code,
                ..Place::default()
            }
        );
    }

    #[test]
    fn cells_tell_more_than_their_notebook() {
        let notebook = Place::of("a.ipynb");
        assert_eq!(notebook.within(Role::Code).kind, Kind::Code);
        assert_eq!(notebook.within(Role::Output).kind, Kind::Data);
    }
}

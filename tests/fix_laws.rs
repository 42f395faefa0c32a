//! Laws of `fix` on made-up files: what it fixes is clean, a second fix changes nothing, and no byte
//! outside of an edit is another.

mod util;

use std::collections::HashSet;

use keysweep::advise::facts::{Cloud, Facts, Vault};
use keysweep::advise::names::NameMap;
use keysweep::decode::Role;
use keysweep::finding::Finding;
use keysweep::fix::{Action, Fixed, Fixer, Outputs, Policy, Rest};
use keysweep::pipeline::{Options, Sweep};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use util::made_with;

/// 2026-11-01.
const NOW: i64 = 1_793_491_200;

fn fix(sweep: &Sweep, path: &str, bytes: &[u8]) -> Fixed {
    let vault = Vault::parse("kv-app", Cloud::Public).expect("a name");
    let mut facts = Facts::new(Some(vault));
    for fact in [
        "resource-group=rg",
        "scope=app",
        "service-connection=app",
        "subscription=00000000-0000-0000-0000-000000000000",
    ] {
        facts.set(fact).expect("a fact");
    }
    let fixer = Fixer {
        sweep,
        facts,
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

fn secret() -> impl Strategy<Value = String> {
    const TEMPLATES: [&str; 3] = [
        "ghp_{b62:30}{crc-base62}",
        "{his:+ASt:Default0}",
        "xoxb-{digits:12}-{digits:12}-{b62:24}",
    ];
    (0u64..500, prop::sample::select(&TEMPLATES[..]))
        .prop_map(|(seed, template)| made_with(template, seed))
}

/// Lines of a Python file, some with a secret in one of many positions.
fn line() -> impl Strategy<Value = String> {
    let plain = prop_oneof![
        Just("import os".to_owned()),
        Just("# a comment with \u{e9}\u{1f600}".to_owned()),
        Just("x = {'a': [1, 2.5, None]}".to_owned()),
        Just(String::new()),
        Just("def f(a, b=1):\n    return a".to_owned()),
        "[a-z]{1,8}".prop_map(|name| format!("{name}_v = \"{name}\"")),
    ];
    let leaking = (secret(), 0usize..9).prop_map(|(s, form)| match form {
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

/// The lines of a text, from 0, in which something is found.
fn found_lines(sweep: &Sweep, path: &str, bytes: &[u8]) -> HashSet<usize> {
    let line = |at: u64| bytes[..at as usize].iter().filter(|b| **b == b'\n').count();
    let findings = sweep.scan_bytes(path, bytes);
    let spans = findings.iter().flat_map(|f| f.bytes.iter());
    spans
        .flat_map(|span| line(span.start)..=line(span.end - 1))
        .collect()
}

/// A text by its lines, each with its end.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|b| *b == b'\n').collect()
}

/// All lines but those in which something was found, and those that `companions` begin, are there
/// still, byte for byte and in their order.
fn keeps_the_rest(
    sweep: &Sweep,
    path: &str,
    fixed: &Fixed,
    companions: &[&str],
) -> Result<(), TestCaseError> {
    let found = found_lines(sweep, path, &fixed.before);
    let (before, after) = (lines(&fixed.before), lines(&fixed.after));
    let is_companion = |line: &[u8]| {
        let line = line.trim_ascii_start();
        companions
            .iter()
            .any(|start| line.starts_with(start.as_bytes()))
    };
    let ops = similar::capture_diff_slices(similar::Algorithm::Myers, &before, &after);
    let gone = ops
        .iter()
        .filter(|op| op.tag() != similar::DiffTag::Equal)
        .flat_map(similar::DiffOp::old_range);
    for line in gone {
        prop_assert!(
            found.contains(&line) || is_companion(before[line]),
            "{path} line {}: {}\n{}",
            line + 1,
            String::from_utf8_lossy(before[line]),
            String::from_utf8_lossy(&fixed.after)
        );
    }
    Ok(())
}

fn laws(sweep: &Sweep, path: &str, bytes: &[u8]) -> Result<Fixed, TestCaseError> {
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
    Ok(fixed)
}

/// A language or a format: a file's frame, and what may stand in it, line by line. `@S@` is a secret,
/// `@N@` the number of the line.
struct Language {
    path: &'static str,
    head: &'static str,
    foot: &'static str,
    plain: &'static [&'static str],
    leaking: &'static [&'static str],
    /// How lines begin that an edit elsewhere changes too.
    companions: &'static [&'static str],
}

const LANGUAGES: &[Language] = &[
    Language {
        path: "Client.cs",
        head: "using System;\n\nnamespace App\n{\n    public class Client\n    {\n",
        foot: "    }\n}\n",
        plain: &[
            "        private int count@N@ = 1;",
            "        // a comment with \u{e9}",
            "        public string Name@N@() => \"a\" + 'b';",
        ],
        leaking: &[
            "        private static readonly string ApiToken@N@ = \"@S@\";",
            "        private string text@N@ = @\"@S@\";",
            "        public string Header@N@() => \"token @S@\";",
            "        public string Filled@N@(int x) => $\"token @S@ {x}\";",
            "        const string Token@N@ = \"@S@\";",
            "        // old: @S@",
        ],
        companions: &[],
    },
    Language {
        path: "src/App.java",
        head: "package app;\n\nimport java.util.List;\n\nclass App {\n",
        foot: "}\n",
        plain: &[
            "    int count@N@ = 1;",
            "    /* a comment with \u{e9} */",
            "    String name@N@() { return \"a\" + 'b'; }",
        ],
        leaking: &[
            "    static final String API_TOKEN_@N@ = \"@S@\";",
            "    String header@N@() { return \"token @S@\"; }",
            "    @Value(\"@S@\") String given@N@;",
            "    // old: @S@",
        ],
        companions: &[],
    },
    Language {
        path: "client.mjs",
        head: "import fs from \"fs\";\n\n",
        foot: "console.log(fs);\n",
        plain: &[
            "const count@N@ = 1;",
            "// a comment with \u{e9}",
            "const name@N@ = `a ${1 + 1} b`;",
        ],
        leaking: &[
            "const apiToken@N@ = \"@S@\";",
            "call({ token: '@S@', n: @N@ });",
            "const header@N@ = `token @S@ ${1 + 1}`;",
            "function plain@N@() { return \"@S@\"; }",
            "async function later@N@(token = \"@S@\") { return token; }",
            "// old: @S@",
        ],
        companions: &[],
    },
    Language {
        path: "client.ts",
        head: "import { Octokit } from \"octokit\";\n\n",
        foot: "export default Octokit;\n",
        plain: &[
            "const count@N@: number = 1;",
            "// a comment with \u{e9}",
            "type Name@N@ = { a: string };",
        ],
        leaking: &[
            "export async function client@N@(): Promise<Octokit> { return new Octokit({ auth: \"@S@\" }); }",
            "const apiToken@N@: string = '@S@';",
            "type Literal@N@ = \"@S@\";",
            "// old: @S@",
        ],
        companions: &[],
    },
    Language {
        path: "cmd/main.go",
        head: "package main\n\nimport \"fmt\"\n\n",
        foot: "func main() {\n\tfmt.Println(1)\n}\n",
        plain: &[
            "var count@N@ = 1",
            "// a comment with \u{e9}",
            "func name@N@() string { return `a` }",
        ],
        leaking: &[
            "var apiToken@N@ = \"@S@\"",
            "var rawToken@N@ = `@S@`",
            "const fixedToken@N@ = \"@S@\"",
            "func show@N@() { fmt.Println(\"token @S@\") }",
            "// old: @S@",
        ],
        companions: &[],
    },
    Language {
        path: "load.R",
        head: "library(httr)\n\n",
        foot: "print(1)\n",
        plain: &[
            "count@N@ <- 1",
            "# a comment with \u{e9}",
            "f@N@ <- function(x) x + 1",
        ],
        leaking: &[
            "token@N@ <- \"@S@\"",
            "call@N@ <- GET(url, token = '@S@')",
            "# old: @S@",
        ],
        companions: &[],
    },
    Language {
        path: "deploy.ps1",
        head: "param([string] $Name)\n\n",
        foot: "Write-Output $Name\n",
        plain: &[
            "$count@N@ = 1",
            "# a comment with \u{e9}",
            "Write-Output 'a'",
        ],
        leaking: &[
            "$token@N@ = '@S@'",
            "Write-Output \"token: @S@ of $Name\"",
            "$secure@N@ = ConvertTo-SecureString '@S@' -AsPlainText -Force",
            "# old: @S@",
        ],
        companions: &[],
    },
    Language {
        path: "run.sh",
        head: "#!/usr/bin/env bash\nset -euo pipefail\n\n",
        foot: "exit 0\n",
        plain: &[
            "COUNT@N@=1",
            "# a comment with \u{e9}",
            "echo 'a' | grep b || true",
        ],
        leaking: &[
            "TOKEN_@N@='@S@'",
            "export API_TOKEN_@N@=\"@S@\"",
            "tool --token=@S@ --verbose",
            "curl -H \"Authorization: token @S@\" https://api.example.com",
            "cat <<'END'\n@S@\nEND",
            "# old: @S@",
        ],
        companions: &[],
    },
    Language {
        path: "main.tf",
        head: "terraform {\n  required_version = \"1.9\"\n}\n\n",
        foot: "output \"x\" {\n  value = 1\n}\n",
        plain: &["locals {\n  count@N@ = 1\n}", "# a comment with \u{e9}"],
        leaking: &[
            "resource \"r\" \"n@N@\" {\n  api_token = \"@S@\"\n}",
            "resource \"s\" \"m@N@\" {\n  header = \"token @S@\"\n}",
            "variable \"token_@N@\" {\n  type    = string\n  default = \"@S@\"\n}",
            "# old: @S@",
        ],
        companions: &[],
    },
    Language {
        path: "main.bicep",
        head: "param location string = 'westeurope'\n",
        foot: "output place string = location\n",
        plain: &["var count@N@ = 1", "// a comment with \u{e9}"],
        leaking: &[
            "param token@N@ string = '@S@'",
            "module app@N@ './app.bicep' = {\n  name: 'app@N@'\n  params: {\n    apiToken: '@S@'\n  }\n}",
            "var fixed@N@ = '@S@'",
            "// old: @S@",
        ],
        companions: &[],
    },
    Language {
        path: "docker-compose.yml",
        head: "services:\n",
        foot: "  last:\n    image: last\n",
        plain: &["  plain@N@:\n    image: \"a\"", "  # a comment with \u{e9}"],
        leaking: &[
            "  s@N@:\n    environment:\n      API_TOKEN: @S@",
            "  t@N@:\n    environment:\n      - OTHER_TOKEN='@S@'",
            "  u@N@:\n    command: tool --token @S@",
            "  # old: @S@",
        ],
        companions: &[],
    },
    Language {
        path: ".github/workflows/ci.yml",
        head: "name: ci\non: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n",
        foot: "      - run: ./last.sh\n",
        plain: &["      - run: ./a.sh @N@", "      # a comment with \u{e9}"],
        leaking: &[
            "      - run: ./d.sh\n        env:\n          API_TOKEN_@N@: \"@S@\"",
            "      - run: tool --token @S@",
            "      # old: @S@",
        ],
        companions: &[],
    },
    Language {
        path: "local.settings.json",
        head: "{\n  \"IsEncrypted\": false,\n  \"Values\": {\n",
        foot: "    \"Last\": \"x\"\n  }\n}\n",
        plain: &[
            "    \"Count@N@\": \"1\",",
            "    \"Name@N@\": \"\\u00e9 \u{e9}\",",
        ],
        leaking: &[
            "    \"ApiToken@N@\": \"@S@\",",
            "    \"Header@N@\": \"token @S@\",",
        ],
        companions: &[],
    },
    Language {
        path: "Web.config",
        head: "<?xml version=\"1.0\"?>\n<configuration>\n  <appSettings>\n",
        foot: "  </appSettings>\n</configuration>\n",
        plain: &[
            "    <add key=\"Count@N@\" value=\"1\" />",
            "    <!-- a comment with \u{e9} -->",
        ],
        leaking: &[
            "    <add key=\"ApiToken@N@\" value=\"@S@\" />",
            "    <!-- old: @S@ -->",
        ],
        // The builder is named where the settings begin.
        companions: &["<appSettings>"],
    },
    Language {
        path: "Dockerfile",
        head: "FROM python:3.12\n",
        foot: "CMD [\"python\"]\n",
        plain: &["COPY a@N@ /app", "# a comment with \u{e9}"],
        leaking: &[
            "ENV API_TOKEN_@N@=@S@",
            "ARG BUILD_TOKEN_@N@=@S@",
            "RUN tool --token @S@",
            "# old: @S@",
        ],
        companions: &[],
    },
    Language {
        path: "application.properties",
        head: "api.url=https://api.example.com\n",
        foot: "last=1\n",
        plain: &["count@N@=1", "# a comment with \u{e9}"],
        leaking: &["api.token@N@=@S@", "header@N@=token @S@", "# old: @S@"],
        companions: &[],
    },
    Language {
        path: ".azure/dev/.env",
        head: "AZURE_ENV_NAME=\"dev\"\n",
        foot: "LAST=1\n",
        plain: &["COUNT@N@=1", "# a comment with \u{e9}"],
        leaking: &["API_TOKEN_@N@=\"@S@\"", "OTHER_TOKEN_@N@=@S@", "# old: @S@"],
        companions: &[],
    },
    Language {
        path: "README.md",
        head: "# Title\n\n",
        foot: "The end.\n",
        plain: &["Some text with \u{e9}.", "```\ncode @N@\n```"],
        leaking: &["Use `API_TOKEN=@S@`.", "```\nexport API_TOKEN=@S@\n```"],
        companions: &[],
    },
];

/// Files of a language.
fn file(language: &'static Language) -> impl Strategy<Value = String> {
    let plain = prop::sample::select(language.plain).prop_map(|line| (line, String::new()));
    let leaking = (prop::sample::select(language.leaking), secret());
    let line = prop_oneof![1 => plain, 1 => leaking];
    prop::collection::vec(line, 1..8).prop_map(|lines| {
        let mut text = language.head.to_owned();
        for (number, (line, secret)) in lines.iter().enumerate() {
            text += &line
                .replace("@N@", &number.to_string())
                .replace("@S@", secret);
            text.push('\n');
        }
        text + language.foot
    })
}

/// Every language and format that is rewritten.
#[test]
fn all_languages() {
    let sweep = Sweep::new(Options::new(NOW));
    for language in LANGUAGES {
        let mut runner = TestRunner::new(ProptestConfig {
            cases: 24,
            failure_persistence: None,
            ..ProptestConfig::default()
        });
        let held = runner.run(&(file(language), any::<bool>()), |(mut text, crlf)| {
            if crlf {
                text = text.replace('\n', "\r\n");
            }
            let fixed = laws(&sweep, language.path, text.as_bytes())?;
            keeps_the_rest(&sweep, language.path, &fixed, language.companions)
        });
        held.unwrap_or_else(|fault| panic!("{}: {fault}", language.path));
    }
}

/// Each language has a form that is replaced, so that the laws do not hold for want of edits.
#[test]
fn every_language_has_something_rewritten() {
    let sweep = Sweep::new(Options::new(NOW));
    let token = made_with("ghp_{b62:30}{crc-base62}", 1);
    for language in LANGUAGES.iter().filter(|l| l.path != "README.md") {
        let line = language.leaking[0]
            .replace("@N@", "1")
            .replace("@S@", &token);
        let text = format!("{}{line}\n{}", language.head, language.foot);
        let fixed = fix(&sweep, language.path, text.as_bytes());
        let is_rewritten = |o: &keysweep::fix::Outcome| matches!(o.action, Action::Rewritten(_));
        assert!(
            fixed.outcomes.iter().all(is_rewritten) && !fixed.outcomes.is_empty(),
            "{}: {:?}",
            language.path,
            fixed.outcomes.iter().map(|o| &o.action).collect::<Vec<_>>()
        );
    }
}

/// Notebooks of several formats and layouts, with secrets in code, prose and outputs.
fn notebook() -> impl Strategy<Value = String> {
    let cell = (
        prop::collection::vec(line(), 1..5),
        0usize..3,
        any::<bool>(),
    );
    let cells = prop::collection::vec(cell, 1..5);
    (cells, 0usize..4, 4u32..6).prop_map(|(cells, indent, minor)| {
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
        if indent == 0 {
            return notebook.to_string();
        }
        let mut out = Vec::new();
        let spaces = " ".repeat(indent);
        let form = serde_json::ser::PrettyFormatter::with_indent(spaces.as_bytes());
        let mut writer = serde_json::Serializer::with_formatter(&mut out, form);
        serde::Serialize::serialize(&notebook, &mut writer).expect("JSON");
        String::from_utf8(out).expect("UTF-8")
    })
}

fn cells(notebook: &[u8]) -> Vec<Value> {
    let notebook: Value = serde_json::from_slice(notebook).expect("JSON");
    notebook["cells"].as_array().expect("cells").clone()
}

/// A text without these bytes.
fn without(text: &[u8], spans: impl Iterator<Item = std::ops::Range<usize>>) -> Vec<u8> {
    let gone: HashSet<usize> = spans.flatten().collect();
    let kept = text.iter().enumerate().filter(|(at, _)| !gone.contains(at));
    kept.map(|(_, byte)| *byte).collect()
}

/// A text without any copy of a value.
fn without_copies(text: &[u8], value: &[u8]) -> Vec<u8> {
    let copies = memchr::memmem::find_iter(text, value);
    without(text, copies.map(|at| at..at + value.len()))
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
        let fixed = laws(&sweep, "app.py", text.as_bytes())?;
        // A text over several lines is put together anew where it begins and ends.
        keeps_the_rest(&sweep, "app.py", &fixed, &["text = \"\"\"", "last\"\"\""])?;
    }

    #[test]
    fn notebooks(text in notebook()) {
        let sweep = Sweep::new(Options::new(NOW));
        laws(&sweep, "n.ipynb", text.as_bytes())?;
    }

    /// The git filter leaves code as it is, and takes no byte out of any other string but a secret's.
    #[test]
    fn filtered_notebooks(text in notebook()) {
        let sweep = Sweep::new(Options::new(NOW));
        let fixer = Fixer {
            sweep: &sweep,
            facts: Facts::new(None),
            policy: Policy { outputs: Outputs::Mask, rest: Rest::Keep, ..Policy::default() },
            accepted: HashSet::new(),
        };
        let before = sweep.scan_bytes("n.ipynb", text.as_bytes());
        let after = fixer.mask_outputs("n.ipynb", text.clone().into_bytes());
        let in_code = |f: &Finding| f.notebook.as_ref().is_some_and(|place| place.role == Role::Code);
        prop_assert!(sweep.scan_bytes("n.ipynb", &after).iter().all(in_code));
        let code: Vec<Value> = cells(text.as_bytes()).into_iter().filter(|cell| cell["cell_type"] == "code").collect();
        let kept = cells(&after).into_iter().filter(|cell| cell["cell_type"] == "code");
        for (cell, kept) in code.iter().zip(kept) {
            prop_assert_eq!(&cell["source"], &kept["source"]);
        }
        let shown: Vec<&Finding> = before.iter().filter(|f| !in_code(f)).collect();
        let spans = shown.iter().flat_map(|f| f.bytes.iter());
        let rest = without(text.as_bytes(), spans.map(|b| b.start as usize..b.end as usize));
        let masks = memchr::memmem::find_iter(&after, "********").map(|at| at..at + 8);
        // Said twice in one output a value is one finding, and masked twice.
        let apart = |text: &[u8]| shown.iter().fold(text.to_vec(), |text, f| without_copies(&text, f.secret.expose()));
        prop_assert_eq!(apart(&without(&after, masks)), apart(&rest));
        // A value that code has as well stays there.
        let sources = |value: &[u8]| -> usize {
            let source = |cell: &Value| serde_json::to_vec(&cell["source"]).expect("JSON");
            code.iter().map(|cell| memchr::memmem::find_iter(&source(cell), value).count()).sum()
        };
        for value in shown.iter().map(|f| f.secret.expose()) {
            prop_assert!(memchr::memmem::find_iter(&after, value).count() <= sources(value));
        }
        if before.iter().all(in_code) {
            prop_assert_eq!(after, text.into_bytes());
        }
    }
}

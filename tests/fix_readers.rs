//! What `fix` makes of each context's example, read by the tools of its language.

mod util;

use std::collections::BTreeSet;
use std::fs;

use keysweep::fix::grammar;
use keysweep::host::Grammar;
use util::contexts::{Case, Tried, cases};
use util::tools::{command, ended, executable, program, python, run_notebook, run_python, stubs};
use util::{Dir, Run};

/// What reads a file of this name; nothing for a name that no test knows.
fn grammar_of(path: &str) -> Option<Grammar> {
    const BY_END: [(&str, Grammar); 24] = [
        (".py", Grammar::Python),
        (".ipynb", Grammar::Json),
        (".cs", Grammar::CSharp),
        (".java", Grammar::Java),
        (".mjs", Grammar::JavaScript),
        (".js", Grammar::JavaScript),
        (".ts", Grammar::TypeScript),
        (".go", Grammar::Go),
        (".R", Grammar::R),
        (".ps1", Grammar::PowerShell),
        (".sh", Grammar::Bash),
        (".json", Grammar::Json),
        (".config", Grammar::Xml),
        (".xml", Grammar::Xml),
        (".yml", Grammar::Yaml),
        (".yaml", Grammar::Yaml),
        (".tf", Grammar::Hcl),
        (".tfvars", Grammar::Hcl),
        (".bicep", Grammar::Bicep),
        (".bicepparam", Grammar::Bicep),
        ("Dockerfile", Grammar::Containerfile),
        (".properties", Grammar::Lines),
        (".env", Grammar::Lines),
        (".npmrc", Grammar::Lines),
    ];
    let found = BY_END.iter().find(|(end, _)| path.ends_with(end));
    found.map(|(_, grammar)| *grammar)
}

/// The cases that are rewritten, of files that end so, all in one folder, each below a folder of its
/// own.
struct Results {
    dir: Dir,
    /// Paths in the folder, at least one.
    paths: Vec<String>,
}

impl Results {
    fn new(ends: &[&str]) -> Self {
        let mut results = Self {
            dir: Dir::new(),
            paths: Vec::new(),
        };
        let all = cases();
        let ends_so = |case: &&Case| ends.iter().any(|end| case.path.ends_with(end));
        let rewritten = all.iter().filter(|case| case.refused.is_none());
        for (number, case) in rewritten.filter(ends_so).enumerate() {
            let tried = Tried::new(case);
            tried.fix(case, true);
            let made = case.makes.keys().map(String::as_str);
            for path in made.chain([&*case.path]) {
                let text = fs::read(tried.dir.path().join(path)).expect("written");
                let at = format!("{number}/{path}");
                results.dir.write(&at, text);
                results.paths.push(at);
            }
        }
        assert!(!results.paths.is_empty(), "no case ends in {ends:?}");
        results
    }
}

#[test]
fn grammars_read_every_result_without_a_fault() {
    let results = Results::new(&[""]);
    for path in &results.paths {
        let grammar = grammar_of(path).unwrap_or_else(|| panic!("{path}: nothing reads it"));
        let mut text = fs::read_to_string(results.dir.path().join(path)).expect("UTF-8");
        if path.ends_with(".bicepparam") {
            // The grammar knows Bicep files only: a parameter that is given is a variable to it.
            text = text
                .replace("using './main.bicep'", "")
                .replace("\nparam ", "\nvar ");
        }
        if grammar != Grammar::Lines {
            let parsed = grammar::parse(grammar, text.as_bytes());
            assert!(parsed.is_some(), "{path}:\n{text}");
        }
    }
}

/// What must hold of each file of Python after it ran, and asked stubs for its secrets.
const HOLDS: [(&str, &str); 9] = [
    (
        "settings.py",
        "STORAGE_ACCOUNT_KEY == 'value-of-storage-account-key'",
    ),
    (
        "formatted.py",
        "token == b'value-of-github-token' and headers['Authorization'] == 'token value-of-github-token 2' and query == 'first line\\nsecond value-of-github-token line\\n'",
    ),
    (
        "train.py",
        "token is workspace.get_default_keyvault().get_secret(name='github-token') and workspace.get_default_keyvault().get_secret.call_args_list[0].kwargs == {'name': 'github-token'}",
    ),
    (
        "step.py",
        "run.get_secret.call_args.kwargs == {'name': 'github-token'}",
    ),
    ("client.py", "api_token == 'value-of-api-token'"),
    (
        "load.py",
        "spark.conf.set.call_args.args[1] is dbutils.secrets.get.return_value and dbutils.secrets.get.call_args.kwargs == {'scope': 'app-dev', 'key': 'storage-account-key'}",
    ),
    (
        "notebook.py",
        "mssparkutils.credentials.getSecret.call_args.args == ('kv-app', 'github-token', 'KeyVaultLS')",
    ),
    (
        "notebook-content.py",
        "notebookutils.credentials.getSecret.call_args.args == ('https://kv-app.vault.azure.net/', 'github-token')",
    ),
    (
        "dags/load.py",
        "token() is Variable.get.return_value and Variable.get.call_args.args == ('github_token',)",
    ),
];

/// Runs a file of Python where the packages of hosts are stubs that remember their calls, and then
/// asks whether something holds.
const RUN_PYTHON: &str = r"
import importlib.abc, importlib.machinery, runpy, sys
from unittest.mock import MagicMock

HOSTS = ('airflow', 'azure.ai', 'azureml', 'notebookutils', 'requests')

class Hosts(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if not (name + '.').startswith(tuple(host + '.' for host in HOSTS)):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec):
        module = MagicMock(name=spec.name)
        module.__path__ = []
        return module
    def exec_module(self, module):
        pass

sys.meta_path.insert(0, Hosts())
given = {name: MagicMock(name=name) for name in ('spark', 'dbutils', 'notebookutils')}
scope = {**given, **runpy.run_path(sys.argv[1], init_globals=given)}
assert eval(sys.argv[2], scope), sys.argv[1]
";

#[test]
fn python_runs_every_result_and_gets_the_value() {
    let Some(python) = python("unittest.mock") else {
        return;
    };
    let results = Results::new(&[".py"]);
    stubs(&results.dir);
    for at in &results.paths {
        let mut known = HOLDS.iter().rev();
        let known = known.find(|(end, _)| at.ends_with(&format!("/{end}")));
        let (_, holds) = known.unwrap_or_else(|| panic!("{at}: what must hold of it?"));
        run_python(&python, &results.dir, RUN_PYTHON, &[at, holds]);
    }
    assert!(results.paths.len() >= HOLDS.len());
}

#[test]
fn notebooks_run_and_get_the_value() {
    let Some(python) = python("nbformat, nbclient, ipykernel") else {
        return;
    };
    let results = Results::new(&[".ipynb"]);
    stubs(&results.dir);
    executable(&results.dir, "bin/tool", "#!/bin/sh\necho \"tool $*\"\n");
    for at in &results.paths {
        let out = run_notebook(&python, &results.dir, at);
        let told = "tool --token value-of-github-token --quiet";
        assert!(out.contains(told), "{out}");
    }
}

/// Each of `files` is read by a script that gets their names.
fn read_all(modules: &str, ends: &[&str], script: &str) {
    let Some(python) = python(modules) else {
        return;
    };
    let results = Results::new(ends);
    let files: Vec<&str> = results.paths.iter().map(String::as_str).collect();
    let script = format!("import sys, {modules}\nfor path in sys.argv[1:]:\n    {script}\n");
    run_python(&python, &results.dir, &script, &files);
}

#[test]
fn json_readers_read_every_result() {
    read_all("json", &[".json", ".ipynb"], "json.load(open(path))");
}

#[test]
fn yaml_readers_read_every_result() {
    let script = "assert list(yaml.safe_load_all(open(path)))";
    read_all("yaml", &[".yml", ".yaml"], script);
}

#[test]
fn xml_readers_read_every_result() {
    let script = "xml.etree.ElementTree.parse(path)";
    read_all("xml.etree.ElementTree", &[".xml", ".config"], script);
}

#[test]
fn hcl_readers_read_every_result() {
    read_all("hcl2", &[".tf", ".tfvars"], "assert hcl2.load(open(path))");
}

#[test]
fn readers_of_settings_see_the_reference() {
    let script = "v = list(dotenv.dotenv_values(path).values()); assert v and all(x.startswith('akvs://') for x in v)";
    read_all("dotenv", &[".env"], script);
    let script = "c = configparser.RawConfigParser(delimiters='='); c.read_string('[x]\\n' + open(path).read()); assert any(v.startswith('${') for v in c['x'].values())";
    read_all("configparser", &[".properties", ".npmrc"], script);
}

/// The schemas that the tools of these files use.
#[test]
fn pipelines_keep_to_their_schemas() {
    let Some(checker) = program("check-jsonschema") else {
        return;
    };
    for (schema, end) in [
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
        ("vendor.azure-pipelines", "azure-pipelines.yml"),
        ("vendor.compose-spec", "docker-compose.yml"),
    ] {
        let results = Results::new(&[end]);
        let mut check = command(&checker, &results.dir);
        // The schemas' patterns are not strict about what may be escaped.
        check.args(["--regex-variant", "python", "--builtin-schema", schema]);
        check.args(&results.paths);
        ended(&mut check).expect(0);
    }
}

#[test]
fn node_reads_every_result() {
    let Some(node) = program("node") else { return };
    let results = Results::new(&[".js", ".mjs"]);
    for at in &results.paths {
        ended(command(&node, &results.dir).args(["--check", at])).expect(0);
    }
}

#[test]
fn bash_reads_every_result() {
    let Some(bash) = program("bash") else { return };
    let results = Results::new(&[".sh"]);
    for at in &results.paths {
        ended(command(&bash, &results.dir).args(["-n", at])).expect(0);
    }
}

/// The scripts that workflows run are bash too.
#[test]
fn bash_and_shellcheck_read_the_scripts_of_workflows() {
    let (Some(python), Some(bash)) = (python("yaml"), program("bash")) else {
        return;
    };
    let results = Results::new(&[".github/workflows/ci.yml"]);
    let script = "import sys, yaml\n\
        steps = [s for path in sys.argv[1:] for j in yaml.safe_load(open(path))['jobs'].values() for s in j['steps']]\n\
        print('set -eo pipefail\\n' + '\\n'.join(s['run'] for s in steps if 'run' in s))\n";
    let files: Vec<&str> = results.paths.iter().map(String::as_str).collect();
    let text = run_python(&python, &results.dir, script, &files);
    assert!(text.contains("az keyvault secret show"), "{text}");
    results.dir.write("run.sh", text);
    ended(command(bash, &results.dir).args(["-n", "run.sh"])).expect(0);
    if let Some(shellcheck) = program("shellcheck") {
        ended(command(shellcheck, &results.dir).args(["--shell=bash", "run.sh"])).expect(0);
    }
}

/// shellcheck has nothing to say of a result that it does not say of what stood there before.
#[test]
fn shellcheck_sees_nothing_new() {
    let Some(shellcheck) = program("shellcheck") else {
        return;
    };
    let said = |case: &Case, tried: &Tried| -> BTreeSet<u64> {
        let mut check = command(&shellcheck, &tried.dir);
        let run: Run = ended(check.args(["--format=json", &case.path]));
        let list: Vec<serde_json::Value> = serde_json::from_str(&run.stdout).expect("JSON");
        list.iter().filter_map(|c| c["code"].as_u64()).collect()
    };
    let all = cases();
    let shell = all.iter().filter(|case| case.refused.is_none());
    let shell: Vec<&Case> = shell.filter(|case| case.path.ends_with(".sh")).collect();
    assert!(!shell.is_empty());
    for case in shell {
        let tried = Tried::new(case);
        let before = said(case, &tried);
        tried.fix(case, true);
        let after = said(case, &tried);
        assert!(after.is_subset(&before), "{}: {after:?}", case.path);
    }
}

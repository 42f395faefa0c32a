//! What `fix` writes, read by the languages' own tools where they are there.

mod util;

use std::fs;
use std::path::Path;
use std::process::Command;

use keysweep::fix::grammar;
use keysweep::host::Grammar;
use util::tools::{command, ended, executable, program, python, run_python, set_mode, stubs};
use util::{Dir, github_token, made_with};

fn fixed(dir: &Dir, args: &[&str]) {
    let all = [
        &["fix", ".", "--vault", "kv-app", "--write", "--pair"],
        args,
    ]
    .concat();
    dir.run(&all).expect(0);
}

#[test]
fn python_runs_what_was_written() {
    let Some(python) = python("json") else { return };
    let dir = Dir::new();
    let token = github_token();
    dir.write(
        "app.py",
        format!(
            "\"\"\"Doc.\"\"\"\nfrom __future__ import annotations\nimport sys\n\nAPI_TOKEN = \"{token}\"\nRAW = b'{token}'\nHEADER = f\"token {token} {{1 + 1}}\"\nTEXT = '''a\n{token}\nb'''\nPARTS = (\"{}\"\n         \"{}\")\nprint(API_TOKEN, RAW, HEADER, repr(TEXT), PARTS)\n",
            &token[..20],
            &token[20..]
        ),
    );
    fixed(&dir, &[]);
    stubs(&dir);
    let out = ended(command(python, &dir).arg("app.py")).expect(0).stdout;
    let value = "value-of-api-token";
    assert_eq!(
        out.trim(),
        format!("{value} b'{value}' token {value} 2 'a\\n{value}\\nb' {value}"),
    );
}

/// The helper's imports are those that the real packages have.
#[test]
fn the_real_packages_have_what_the_helper_imports() {
    let Some(python) = python("azure.identity, azure.keyvault.secrets") else {
        return;
    };
    let dir = Dir::new();
    dir.write("app.py", format!("TOKEN = \"{}\"\n", github_token()));
    fixed(&dir, &[]);
    let text = fs::read_to_string(dir.path().join("app.py")).expect("readable");
    let head = text.split("\nTOKEN").next().expect("a helper");
    dir.write("helper.py", head);
    let script = "import helper; c = helper._kv_client(); assert hasattr(c, 'get_secret')";
    run_python(&python, &dir, script, &[]);
}

#[test]
fn bash_runs_what_was_written() {
    let Some(bash) = program("bash") else { return };
    let dir = Dir::new();
    let token = github_token();
    dir.write(
        "run.sh",
        format!("#!/usr/bin/env bash\nset -eu\nexport API_TOKEN='{token}'\nX=\"a {token} b\"\nprintf '%s|%s|%s\\n' \"$API_TOKEN\" \"$X\" --k={token}\n"),
    );
    fixed(&dir, &[]);
    executable(
        &dir,
        "bin/az",
        "#!/bin/sh\nwhile [ $# -gt 1 ]; do [ \"$1\" = --name ] && echo \"value of $2\"; shift; done\n",
    );
    let run = ended(command(bash, &dir).arg("run.sh")).expect(0);
    assert_eq!(
        run.stdout,
        "value of api-token|a value of api-token b|--k=value of api-token\n",
    );
}

/// An `az` with a vault in a folder, that says what the real one says of a missing secret, and that
/// records what anybody on the machine could see: its arguments and its environment; and its input.
const AZ: &str = r#"#!/bin/bash
printf '%s\0' "$@" >>"$VAULT_DIR/../seen"
env -0 >>"$VAULT_DIR/../seen"
cat >>"$VAULT_DIR/../seen"
verb=$3; shift 3
while [ $# -gt 0 ]; do case $1 in --name) n=$2;; --file) f=$2;; esac; shift; done
case $verb in
show) [ -e "$VAULT_DIR/$n" ] || { echo 'ERROR: (SecretNotFound) none' >&2; exit 3; };;
set) cat "$f" >"$VAULT_DIR/$n";;
download) cat "$VAULT_DIR/$n" >"$f";;
esac
"#;

/// A script of `migrate` for two secrets, with a vault.
fn migration(shell: &str) -> Dir {
    let dir = Dir::new();
    let old = [1, 2].map(|seed| made_with("ghp_{b62:30}{crc-base62}", seed));
    // A name that would leave its line of comment.
    dir.write("a\nrm -rf x.py", format!("API_TOKEN = \"{}\"\n", old[0]));
    dir.write("b.py", format!("OTHER_TOKEN = \"{}\"\n", old[1]));
    let run = dir.run(&["migrate", ".", "--vault", "kv-app", "--shell", shell]);
    let script = run.expect(0).stdout;
    for old in &old {
        assert!(!script.contains(old.as_str()));
    }
    dir.write("migrate", script);
    executable(&dir, "bin/az", AZ);
    dir.write("vault/.keep", "");
    dir
}

fn migrate(dir: &Dir, args: &[&str], input: &str) -> util::Run {
    dir.write("input", input);
    let input = fs::File::open(dir.path().join("input")).expect("there");
    let mut bash = command("bash", dir);
    let vault = dir.path().join("vault");
    bash.args(args).env("VAULT_DIR", vault).stdin(input);
    ended(&mut bash)
}

/// What the script stores is what it was given, byte for byte, and at no moment stands on a command
/// line, in the environment, or in what is printed, not even when bash is asked to trace.
#[test]
fn the_migration_script_stores_exact_bytes_and_shows_none() {
    if program("bash").is_none() {
        return;
    }
    let dir = migration("bash");
    let values = ["n\u{e9}\r\nw \"$x\" \\ value\n", "-n $(touch ran) 'second'"];
    for (name, value) in ["api-token", "other-token"].iter().zip(values) {
        let path = dir.write(&format!("values/{name}"), value);
        set_mode(&path, 0o600);
    }
    let stored = |name: &str| fs::read(dir.path().join("vault").join(name)).ok();
    let first = migrate(&dir, &["-x", "migrate", "values"], "").expect(0);
    assert_eq!(stored("api-token").as_deref(), Some(values[0].as_bytes()));
    assert_eq!(stored("other-token").as_deref(), Some(values[1].as_bytes()));
    let seen =
        String::from_utf8_lossy(&fs::read(dir.path().join("seen")).expect("az ran")).into_owned();
    assert!(seen.contains("secret\0set\0"), "{seen}");
    for shown in [&first.stdout, &first.stderr, &seen] {
        for part in ["value\n", "touch ran"] {
            assert!(!shown.contains(part), "{shown}");
        }
    }
    let again = migrate(&dir, &["migrate", "values"], "");
    assert_eq!(again.code, Some(1), "an existing secret is left as it is");
    fs::remove_file(dir.path().join("vault/api-token")).expect("removed");
    set_mode(&dir.path().join("values/api-token"), 0o644);
    let open = migrate(&dir, &["migrate", "values"], "").expect(1);
    assert!(open.stderr.contains("chmod 600"), "{}", open.stderr);
    assert_eq!(
        stored("api-token"),
        None,
        "a file that others can read is refused"
    );
}

#[test]
fn the_migration_script_asks_for_values() {
    if program("bash").is_none() {
        return;
    }
    let dir = migration("bash");
    let run = migrate(&dir, &["migrate"], "  Kz7first \\ value \n\nnever read\n").expect(1);
    let stored = fs::read(dir.path().join("vault/api-token")).expect("stored");
    assert_eq!(stored, b"  Kz7first \\ value ");
    assert!(
        run.stderr.contains("other-token: empty, left out"),
        "{}",
        run.stderr
    );
    let seen = fs::read(dir.path().join("seen")).expect("az ran");
    assert!(!String::from_utf8_lossy(&seen).contains("Kz7first"));
}

/// What `fix` has replaced is asked for as well, under the names that it gave, until the vault has it.
#[test]
fn the_migration_script_knows_what_was_replaced() {
    if program("bash").is_none() {
        return;
    }
    let dir = migration("bash");
    let first = fs::read_to_string(dir.path().join("migrate")).expect("written");
    let takes = |script: &str| {
        let lines = script.lines().filter(|line| line.starts_with("take "));
        let names = lines.map(|line| line.split(' ').nth(1).unwrap_or_default().to_owned());
        names.collect::<Vec<String>>()
    };
    let args = [".", "--vault", "kv-app"];
    dir.run(&[&["fix", "--write"], &args[..]].concat())
        .expect(0);
    let script = dir.run(&[&["migrate"], &args[..]].concat()).expect(0);
    assert_eq!(takes(&script.stdout), takes(&first));
    assert!(
        script.stdout.contains("# other-token: b.py#"),
        "{}",
        script.stdout
    );
    dir.write("migrate", script.stdout);
    migrate(&dir, &["migrate"], "Kz7first\nKz7second\n").expect(0);
    let stored = fs::read(dir.path().join("vault/other-token")).expect("stored");
    assert_eq!(stored, b"Kz7second");
    migrate(&dir, &["migrate"], "").expect(0);
}

#[test]
fn shells_read_the_migration_scripts() {
    let powershell = migration("powershell");
    let text = fs::read(powershell.path().join("migrate")).expect("written");
    assert!(grammar::parse(Grammar::PowerShell, &text).is_some());
    let dir = migration("bash");
    let text = fs::read(dir.path().join("migrate")).expect("written");
    assert!(grammar::parse(Grammar::Bash, &text).is_some());
    if let Some(bash) = program("bash") {
        ended(command(bash, &dir).args(["-n", "migrate"])).expect(0);
    }
    if let Some(shellcheck) = program("shellcheck") {
        ended(command(shellcheck, &dir).args(["--shell=bash", "migrate"])).expect(0);
    }
}

#[test]
fn a_plan_says_what_and_writes_rules_for_the_owner_only() {
    let dir = Dir::new();
    let token = github_token();
    dir.write("app.py", format!("API_TOKEN = \"{token}\"\n"));
    let plan = dir
        .run(&[
            "plan",
            ".",
            "--vault",
            "kv-app",
            "--replace-text",
            "rules.txt",
        ])
        .expect(1);
    assert!(
        plan.stdout.contains("| api-token | app.py line 1 |"),
        "{}",
        plan.stdout
    );
    assert!(!plan.stdout.contains(&token));
    // No repository: nothing is said of what commits hold.
    assert!(plan.stdout.contains("git filter-repo") && !plan.stdout.contains("No commit"));
    let rules = dir.path().join("rules.txt");
    let text = fs::read_to_string(&rules).expect("readable");
    assert!(text.contains(&format!("literal:{token}==>***REMOVED***\n")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&rules).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn terraform_reads_what_was_written() {
    let Some(python) = python("hcl2") else { return };
    let dir = Dir::new();
    dir.write(
        "main.tf",
        format!(
            "resource \"r\" \"n\" {{\n  api_token = \"{}\"\n}}\n",
            github_token()
        ),
    );
    fixed(&dir, &["--set", "resource-group=rg"]);
    let script = "import hcl2, sys; d = hcl2.load(open('main.tf')); assert len(d['data']) == 2, d";
    run_python(&python, &dir, script, &[]);
    if let Some(terraform) = program("terraform") {
        ended(command(terraform, &dir).args(["fmt", "-check", "-diff"])).expect(0);
    }
}

#[test]
fn yaml_readers_see_the_reference() {
    let Some(python) = python("yaml") else { return };
    let dir = Dir::new();
    let token = github_token();
    dir.write(".github/workflows/ci.yml", format!("on: push\njobs:\n  b:\n    runs-on: x\n    steps:\n      - run: ./d\n        env:\n          API_TOKEN: \"{token}\"\n"));
    dir.write("group_vars/all.yml", format!("api_token: '{token}'\n"));
    dir.write(
        "docker-compose.yml",
        format!("services:\n  a:\n    environment:\n      API_TOKEN: {token}\n"),
    );
    fixed(&dir, &["--no-ignore"]);
    let script = "import yaml\n\
        w = yaml.safe_load(open('.github/workflows/ci.yml'))\n\
        s = w['jobs']['b']['steps']\n\
        assert s[0]['uses'] == 'azure/login@v2' and s[1]['id'] == 'kv-api-token', s\n\
        assert s[2]['env']['API_TOKEN'] == '${{ steps.kv-api-token.outputs.value }}', s\n\
        assert w['jobs']['b']['permissions']['id-token'] == 'write'\n\
        assert yaml.safe_load(open('group_vars/all.yml'))['api_token'].startswith('{{ lookup('), 1\n\
        c = yaml.safe_load(open('docker-compose.yml'))\n\
        assert c['services']['a']['environment']['API_TOKEN'] == '${API_TOKEN:?load from key vault}', c\n";
    run_python(&python, &dir, script, &[]);
}

/// A notebook of many megabytes: but for the secret every byte is as it was.
#[test]
fn the_filter_takes_large_notebooks() {
    const CELLS: usize = 200;
    let token = github_token();
    let picture = "iVBORw0KGgo".repeat(8000);
    let line = "alpha beta gamma 0.123 \\u00e9\\n".repeat(50);
    let cell = |number: usize| {
        let shown = if number % 50 == 7 { &*token } else { "" };
        format!(
            "{{\"cell_type\": \"code\", \"execution_count\":{number}, \"metadata\": {{}}, \"source\": \"x = {number}\",\n\"outputs\": [{{\"name\": \"stdout\",\t\"output_type\": \"stream\", \"text\": [\"{line}\", \"is {shown} so\"]}}, {{\"output_type\": \"display_data\", \"metadata\": {{}}, \"data\": {{\"image/png\": \"{picture}\"}}}}]}}"
        )
    };
    let cells: Vec<String> = (0..CELLS).map(cell).collect();
    let notebook = format!(
        "{{\"nbformat_minor\": 4, \"nbformat\": 4, \"metadata\": {{}}, \"cells\": [{}]}}",
        cells.join(",\r\n")
    );
    assert!(notebook.len() > 16 << 20);
    let dir = Dir::new();
    let run = dir.run_with(&["filter", "clean", "n.ipynb"], &[], notebook.as_bytes());
    let cleaned = run.expect(0).stdout;
    // Not shown when it fails: it is large.
    assert!(cleaned == notebook.replace(&token, "********"));
}

/// A stray zero is no reason to let a secret through; in wide characters no star is written.
#[test]
fn zeros_in_notebooks_do_no_harm() {
    let dir = Dir::new();
    let token = github_token();
    let notebook = format!(
        "{{\"cells\": [{{\"cell_type\": \"code\", \"execution_count\": 1, \"metadata\": {{}}, \"source\": \"print(1)\", \"outputs\": [{{\"name\": \"stdout\", \"output_type\": \"stream\", \"text\": \"is {token} @\"}}]}}], \"metadata\": {{}}, \"nbformat\": 4, \"nbformat_minor\": 4}}"
    );
    let stray = notebook.replace('@', "\0");
    let run = dir.run_with(&["filter", "clean", "n.ipynb"], &[], stray.as_bytes());
    assert_eq!(run.expect(0).stdout, stray.replace(&token, "********"));
    let units = std::iter::once(0xfeff).chain(notebook.encode_utf16());
    let wide: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let path = dir.write("n.ipynb", &wide);
    let args = ["fix", ".", "--write", "--outputs", "mask", "--rest", "mask"];
    dir.run(&args).expect(1);
    assert!(fs::read(path).expect("readable") == wide);
}

/// A real `git add` through the installed filter: the index has no secret, the file keeps it.
#[test]
fn the_git_filter_masks_what_is_added() {
    let dir = Dir::new();
    let token = github_token();
    let notebook = format!(
        "{{\n \"cells\": [\n  {{\n   \"cell_type\": \"code\",\n   \"execution_count\": 1,\n   \"metadata\": {{}},\n   \"outputs\": [\n    {{\n     \"name\": \"stdout\",\n     \"output_type\": \"stream\",\n     \"text\": [\n      \"token {token}\\n\"\n     ]\n    }}\n   ],\n   \"source\": [\n    \"print(1)\"\n   ]\n  }}\n ],\n \"metadata\": {{}},\n \"nbformat\": 4,\n \"nbformat_minor\": 4\n}}\n"
    );
    dir.write("n.ipynb", &notebook);
    let bin = Path::new(env!("CARGO_BIN_EXE_keysweep"))
        .parent()
        .expect("a folder");
    let path = format!(
        "{}:{}",
        bin.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let git = |args: &[&str]| {
        let run = Command::new("git")
            .current_dir(dir.path())
            .env("PATH", &path)
            .args(args)
            .output();
        let run = run.expect("git runs");
        assert!(
            run.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&run.stderr)
        );
        String::from_utf8_lossy(&run.stdout).into_owned()
    };
    git(&["init", "-q"]);
    dir.run(&["filter", "install"]).expect(0);
    dir.run(&["filter", "install"]).expect(0);
    git(&["add", "n.ipynb"]);
    let staged = git(&["show", ":n.ipynb"]);
    assert_eq!(staged, notebook.replace(&token, "********"));
    let held = fs::read_to_string(dir.path().join("n.ipynb")).expect("readable");
    assert_eq!(held, notebook);
    assert_eq!(git(&["status", "--porcelain"]), "A  n.ipynb\n");
    dir.run(&["filter", "uninstall"]).expect(0);
    assert!(!git(&["config", "--local", "--list"]).contains("keysweep"));
}

/// Saves a notebook as a browser does, by a real server with the configuration of the documentation.
const SAVE: &str = r#"
import json, os, socket, subprocess, sys, time, urllib.error, urllib.request

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
here = os.getcwd()
folders = {f"JUPYTER_{name}_DIR": os.path.join(here, name) for name in ("RUNTIME", "CONFIG", "DATA")}
server = subprocess.Popen(
    [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
     f"--ServerApp.port={port}", "--IdentityProvider.token=t", "--config=jupyter_server_config.py"],
    env={**os.environ, **folders}, stderr=subprocess.DEVNULL)
try:
    body = json.dumps({"type": "notebook", "format": "json", "content": json.load(open("sent.json"))})
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/contents/saved.ipynb", body.encode(),
        {"Authorization": "token t", "Content-Type": "application/json"}, method="PUT")
    for attempt in range(600):
        try:
            assert urllib.request.urlopen(request).status == 201
            break
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.1)
finally:
    server.terminate()
    server.wait()
"#;

#[test]
fn the_documented_hook_masks_what_a_jupyter_server_saves() {
    let Some(python) = python("jupyter_server") else {
        return;
    };
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fix.md");
    let manual = fs::read_to_string(manual).expect("readable");
    let hook = manual.split("```python\n").nth(1).expect("a hook");
    let hook = hook.split("```").next().expect("its end");
    let dir = Dir::new();
    let token = github_token();
    let notebook = |shown: &str| {
        serde_json::json!({"cells": [{"cell_type": "code", "execution_count": 1, "metadata": {},
            "source": "print(1)", "outputs": [{"name": "stdout", "output_type": "stream", "text": shown}]}],
            "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
    };
    dir.write(
        "sent.json",
        notebook(&format!("token {token}\n")).to_string(),
    );
    dir.write("jupyter_server_config.py", hook);
    let bin = Path::new(env!("CARGO_BIN_EXE_keysweep"));
    fs::create_dir(dir.path().join("bin")).expect("a folder");
    fs::copy(bin, dir.path().join("bin/keysweep")).expect("copied");
    run_python(&python, &dir, SAVE, &[]);
    let saved = fs::read_to_string(dir.path().join("saved.ipynb")).expect("saved");
    let saved: serde_json::Value = serde_json::from_str(&saved).expect("JSON");
    let text = saved["cells"][0]["outputs"][0]["text"].to_string();
    assert!(text.contains("token ********") && !text.contains(&token));
}

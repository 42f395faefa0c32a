//! What `fix` writes, read by the languages' own tools where they are there.

mod util;

use std::fs;
use std::path::Path;
use std::process::Command;

use util::{Dir, github_token, python, stubs};

fn fixed(dir: &Dir, args: &[&str]) {
    let all = [
        &["fix", ".", "--vault", "kv-app", "--write", "--pair"],
        args,
    ]
    .concat();
    dir.run(&all).expect(0);
}

fn has(tool: &str) -> bool {
    let there = Command::new(tool).arg("--version").output().is_ok();
    if !there {
        eprintln!("skipped: there is no {tool}");
    }
    there
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
    let run = Command::new(python)
        .current_dir(dir.path())
        .env("PYTHONPATH", "stub")
        .env("KEY_VAULT_URL", "https://kv-app.vault.azure.net/")
        .arg("app.py")
        .output()
        .expect("python runs");
    let out = String::from_utf8_lossy(&run.stdout);
    let errors = String::from_utf8_lossy(&run.stderr);
    let value = "value-of-api-token";
    assert_eq!(
        out.trim(),
        format!("{value} b'{value}' token {value} 2 'a\\n{value}\\nb' {value}"),
        "{errors}"
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
    let run = Command::new(python)
        .current_dir(dir.path())
        .env("KEY_VAULT_URL", "https://kv-app.vault.azure.net/")
        .args(["-c", script])
        .output()
        .expect("python runs");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

#[test]
fn bash_reads_and_runs_what_was_written() {
    if !has("bash") {
        return;
    }
    let dir = Dir::new();
    let token = github_token();
    dir.write(
        "run.sh",
        format!("#!/usr/bin/env bash\nset -eu\nexport API_TOKEN='{token}'\nX=\"a {token} b\"\nprintf '%s|%s|%s\\n' \"$API_TOKEN\" \"$X\" --k={token}\n"),
    );
    fixed(&dir, &[]);
    dir.write("bin/az", "#!/bin/sh\nwhile [ $# -gt 1 ]; do [ \"$1\" = --name ] && echo \"value of $2\"; shift; done\n");
    Command::new("chmod")
        .args(["+x"])
        .arg(dir.path().join("bin/az"))
        .status()
        .expect("chmod");
    let path = format!(
        "{}:{}",
        dir.path().join("bin").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let run = Command::new("bash")
        .current_dir(dir.path())
        .env("PATH", path)
        .arg("run.sh")
        .output()
        .expect("bash runs");
    assert_eq!(
        String::from_utf8_lossy(&run.stdout),
        "value of api-token|a value of api-token b|--k=value of api-token\n",
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

/// Scripts of `migrate` store what they are given, byte for byte, and hold no value.
#[test]
fn the_migration_script_stores_exact_bytes() {
    if !has("bash") {
        return;
    }
    let dir = Dir::new();
    let token = github_token();
    dir.write("app.py", format!("API_TOKEN = \"{token}\"\n"));
    let script = dir
        .run(&["migrate", ".", "--vault", "kv-app"])
        .expect(0)
        .stdout;
    assert!(!script.contains(&token));
    dir.write("migrate.sh", &script);
    // A vault in a folder, that says what the real one says of a missing secret.
    dir.write(
        "bin/az",
        "#!/bin/bash\nverb=$3; shift 3; while [ $# -gt 0 ]; do case $1 in --name) n=$2;; --file) f=$2;; --value) echo 'a value on a command line' >&2; exit 9;; esac; shift; done\n\
         case $verb in\nshow) [ -e \"$VAULT_DIR/$n\" ] || { echo 'ERROR: (SecretNotFound) none' >&2; exit 3; };;\nset) cat \"$f\" > \"$VAULT_DIR/$n\";;\ndownload) cat \"$VAULT_DIR/$n\" > \"$f\";;\nesac\n",
    );
    let value = "né\r\nw \"$x\" \\ value\n";
    dir.write("values/api-token", value);
    dir.write("vault/.keep", "");
    for (mode, name) in [("755", "bin/az"), ("600", "values/api-token")] {
        Command::new("chmod")
            .arg(mode)
            .arg(dir.path().join(name))
            .status()
            .expect("chmod");
    }
    let path = format!(
        "{}:{}",
        dir.path().join("bin").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let run = || {
        Command::new("bash")
            .current_dir(dir.path())
            .env("PATH", &path)
            .env("VAULT_DIR", dir.path().join("vault"))
            .args(["migrate.sh", "values"])
            .output()
            .expect("bash runs")
    };
    let first = run();
    let said = String::from_utf8_lossy(&first.stderr).into_owned();
    assert!(first.status.success(), "{said}");
    assert_eq!(
        fs::read(dir.path().join("vault/api-token")).expect("stored"),
        value.as_bytes()
    );
    assert!(
        !run().status.success(),
        "an existing secret is left as it is"
    );
    Command::new("chmod")
        .arg("644")
        .arg(dir.path().join("values/api-token"))
        .status()
        .expect("chmod");
    fs::remove_file(dir.path().join("vault/api-token")).expect("removed");
    assert!(
        !run().status.success(),
        "a file that others can read is refused"
    );
    let powershell = dir.run(&["migrate", ".", "--vault", "kv-app", "--shell", "powershell"]);
    assert!(!powershell.expect(0).stdout.contains(&token));
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
    let run = Command::new(python)
        .current_dir(dir.path())
        .args(["-c", script])
        .output()
        .expect("runs");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    if has("terraform") {
        let run = Command::new("terraform")
            .current_dir(dir.path())
            .args(["fmt", "-check", "-diff"])
            .output();
        let run = run.expect("terraform runs");
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stdout)
        );
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
    let run = Command::new(python)
        .current_dir(dir.path())
        .args(["-c", script])
        .output()
        .expect("runs");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
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

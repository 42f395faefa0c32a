//! The tools that read what was written, where they are there: Python with its packages, shells, a
//! stub of the vault.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Dir, Run};

/// A Python that can import these modules: that of `KEYSWEEP_PYTHON`, of `target/python`, or of the
/// system. Says so where there is none.
pub fn python(modules: &str) -> Option<PathBuf> {
    let named = std::env::var_os("KEYSWEEP_PYTHON").map(PathBuf::from);
    let found = named
        .into_iter()
        .chain([own("python"), "python3".into()])
        .find(|python| {
            let script = format!("import {modules}");
            let run = Command::new(python).args(["-c", &script]).output();
            run.is_ok_and(|run| run.status.success())
        });
    if found.is_none() {
        eprintln!("skipped: no Python with {modules}");
    }
    found
}

/// A program of the packages in `target/python`, or of the system. Says so where there is none.
pub fn program(name: &str) -> Option<PathBuf> {
    let found = [own(name), name.into()].into_iter().find(|program| {
        let run = Command::new(program).arg("--version").output();
        run.is_ok_and(|run| run.status.success())
    });
    if found.is_none() {
        eprintln!("skipped: there is no {name}");
    }
    found
}

fn own(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin");
    folder.join(name)
}

/// Modules `azure.identity` and `azure.keyvault.secrets` in `stub/`, whose vault gives each secret
/// the value `value-of-NAME`.
pub fn stubs(dir: &Dir) {
    dir.write("stub/azure/__init__.py", "");
    dir.write("stub/azure/keyvault/__init__.py", "");
    dir.write(
        "stub/azure/identity.py",
        "class DefaultAzureCredential:\n    pass\n",
    );
    dir.write(
        "stub/azure/keyvault/secrets.py",
        "class SecretClient:\n    def __init__(self, vault_url, credential):\n        assert vault_url.startswith('https://')\n\n    def get_secret(self, name):\n        return type('Secret', (), {'value': 'value-of-' + name})()\n",
    );
}

/// A program in the folder, with what code needs to find the vault, its stubs, and programs in `bin/`.
pub fn command(program: impl AsRef<Path>, dir: &Dir) -> Command {
    let mut command = Command::new(program.as_ref());
    let path = std::env::var("PATH").unwrap_or_default();
    let bin = dir.path().join("bin");
    command
        .current_dir(dir.path())
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("PYTHONPATH", dir.path().join("stub"))
        .env("KEY_VAULT_URL", "https://kv-app.vault.azure.net/")
        .stdin(Stdio::null());
    command
}

/// Runs a script of Python in the folder; what it printed. It has to succeed.
pub fn run_python(python: &Path, dir: &Dir, script: &str, args: &[&str]) -> String {
    let mut command = command(python, dir);
    command.args(["-c", script]).args(args);
    ended(&mut command).expect(0).stdout
}

/// How a command ended.
pub fn ended(command: &mut Command) -> Run {
    command.output().expect("the program starts").into()
}

/// Runs a notebook under a real kernel; what its cells printed.
pub fn run_notebook(python: &Path, dir: &Dir, name: &str) -> String {
    let script = "import sys, nbformat, nbclient\n\
        nb = nbformat.read(sys.argv[1], as_version=4)\n\
        nbformat.validate(nb)\n\
        nbclient.NotebookClient(nb, timeout=120).execute()\n\
        print(''.join(o.get('text', '') for c in nb.cells if c.cell_type == 'code' for o in c.outputs))\n";
    run_python(python, dir, script, &[name])
}

/// A file that can be run.
pub fn executable(dir: &Dir, name: &str, text: &str) {
    set_mode(&dir.write(name, text), 0o755);
}

pub fn set_mode(path: &Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, permissions).expect("the mode");
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
}

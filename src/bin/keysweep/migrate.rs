//! `keysweep migrate`: a script that puts the new values into the vault. No value is in it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

use keysweep::advise;
use keysweep::advise::names::NameMap;
use keysweep::finding::Finding;
use keysweep::fix::{Policy, Survey};
use keysweep::pipeline::Outcome;
use keysweep::secret::Secret;
use smallvec::SmallVec;

use crate::args::{MigrateArgs, ShellArg};
use crate::exit::{Exit, Fault};
use crate::fix::{Swept, assign, surveys, sweep};

/// One secret of the vault, of which there may be many.
#[derive(Default)]
pub struct Entry {
    pub title: Cow<'static, str>,
    pub places: SmallVec<[String; 1]>,
    /// What of it goes into the vault where that is more than the secret.
    pub forms: BTreeSet<String>,
    /// Where in a history it stands.
    pub past: SmallVec<[String; 1]>,
    pub rotate: SmallVec<[Cow<'static, str>; 1]>,
    pub breaks: Cow<'static, str>,
    pub provider: Cow<'static, str>,
    /// The values that are found where it is read.
    pub secrets: SmallVec<[Secret; 1]>,
}

impl Entry {
    /// What a finding says of its secret, but for the place.
    pub fn tell(&mut self, finding: &Finding) {
        self.title.clone_from(&finding.title);
        for step in &*finding.rotate {
            if !self.rotate.contains(step) {
                self.rotate.push(step.clone());
            }
        }
        self.breaks = advise::breaks(finding);
        self.provider.clone_from(&finding.rule.provider);
        self.secrets.push(finding.secret.clone());
    }
}

/// All secrets that the findings in files ask for, by name. `seen` is told of each.
pub fn entries(
    swept: &Swept,
    outcome: &mut Outcome,
    mut seen: impl FnMut(&Finding),
) -> BTreeMap<String, Entry> {
    let fixer = swept.fixer(Policy {
        pair: true,
        ..Policy::default()
    });
    let surveys = surveys(&fixer, outcome);
    let names = all_names(swept.names.clone(), &surveys);
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    for (survey, names) in surveys.into_iter().zip(names) {
        for target in &survey.targets {
            let name = &names[target.findings[0]];
            let form = survey.form(target, &swept.sweep);
            let entry = entries.entry(name.clone()).or_default();
            entry.forms.extend(form);
        }
        let of_beside = names[survey.findings.len()..].iter();
        for (beside, name) in survey.beside.iter().zip(of_beside) {
            let entry = entries.entry(name.clone()).or_default();
            if entry.title.is_empty() {
                entry.title = "a value beside secrets".into();
            }
            entry
                .places
                .push(format!("{} key {}", survey.shown_path, beside.key));
        }
        for (finding, name) in survey.findings.iter().zip(names) {
            let entry = entries.entry(name).or_default();
            entry
                .places
                .push(format!("{} line {}", finding.path(), finding.start.line));
            entry.tell(finding);
            seen(finding);
        }
    }
    entries
}

/// Names for all findings of all surveys, and for what stands beside them: those that `fix` gives, and for
/// what it leaves others.
fn all_names(mut known: NameMap, surveys: &[Survey]) -> Vec<Vec<String>> {
    let mut of_value: HashMap<&Secret, String> = HashMap::new();
    let mut all: Vec<Vec<String>> = Vec::new();
    for (survey, mut names) in surveys.iter().zip(assign(&mut known, surveys)) {
        let beside = names.split_off(survey.targets.len());
        let mut named = vec![String::new(); survey.findings.len()];
        for (target, name) in survey.targets.iter().zip(names) {
            for index in &target.findings {
                of_value.insert(&survey.findings[*index].secret, name.clone());
                named[*index].clone_from(&name);
            }
        }
        named.extend(beside);
        all.push(named);
    }
    let mut left = Vec::new();
    for (survey, named) in surveys.iter().zip(&mut all) {
        let findings = survey.findings.iter().zip(named);
        for (finding, name) in findings.filter(|(_, name)| name.is_empty()) {
            match of_value.get(&finding.secret) {
                Some(known) => name.clone_from(known),
                None => {
                    let mut wish = survey.wish(finding, finding.secret.expose());
                    // What is remembered of the place is the name of what fix replaces there.
                    wish.place += "~left";
                    left.push(wish);
                }
            }
        }
    }
    let unnamed = all.iter_mut().flatten().filter(|name| name.is_empty());
    for (name, given) in unnamed.zip(known.assign(&left)) {
        *name = given;
    }
    all
}

/// Names that `fix` gave before and that nothing in the files asks for any more, each with its places.
struct Given(BTreeMap<String, Vec<String>>);

impl Given {
    fn of(swept: &Swept, entries: &BTreeMap<String, Entry>) -> Self {
        let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (place, name) in swept.names.iter() {
            if !entries.contains_key(name) {
                let places = given.entry(name.to_owned()).or_default();
                places.push(swept.sweep.masked(place).into());
            }
        }
        Self(given)
    }

    /// Writes what they are, and the command for each.
    fn write(&self, command: impl Fn(&str) -> String, out: &mut impl Write) -> Result<(), Fault> {
        if !self.0.is_empty() {
            writeln!(out, "\n# What keysweep fix has replaced already:")?;
        }
        for (name, places) in &self.0 {
            let places: Vec<String> = places.iter().map(|place| line(place)).collect();
            writeln!(out, "# {name}: {}", places.join(", "))?;
            writeln!(out, "{}", command(name))?;
        }
        Ok(())
    }
}

pub fn run(args: &MigrateArgs) -> Result<Exit, Fault> {
    let (swept, mut outcome) = sweep(&args.target)?;
    let entries = entries(&swept, &mut outcome, |_| ());
    let given = Given::of(&swept, &entries);
    let vault = swept.facts.vault.as_ref();
    let suffix = vault.map_or("vault.azure.net", |vault| &vault.suffix);
    let vault = vault.map_or("", |vault| &vault.name);
    let mut out = io::stdout().lock();
    match args.shell {
        ShellArg::Bash => bash(&entries, &given, vault, &mut out)?,
        ShellArg::Powershell => powershell(&entries, &given, vault, suffix, &mut out)?,
    }
    Ok(match outcome.ledger.is_complete() {
        true => Exit::Clean,
        false => Exit::Error,
    })
}

const BASH: &str = r#"#!/usr/bin/env bash
# Puts the NEW value of each secret into the vault. No value stands in this file, on a command line,
# in the environment or in the shell's history.
#   VAULT=name ./migrate.sh            asks for each value (nothing is shown)
#   VAULT=name ./migrate.sh FOLDER     takes FOLDER/NAME, each a file of mode 600, byte for byte
set -euo pipefail
set +x
umask 077
export LC_ALL=C.UTF-8 AZURE_CORE_OUTPUT=none AZURE_CORE_COLLECT_TELEMETRY=false
VAULT="${VAULT:-@VAULT@}"
: "${VAULT:?the name of the Key Vault}"
from="${1:-}"
d="$(mktemp -d "${XDG_RUNTIME_DIR:-${TMPDIR:-/tmp}}/migrate.XXXXXX")"
trap 'rm -rf "$d"' EXIT
trap 'exit 130' INT TERM

# put NAME: the value arrives on standard input and is stored byte for byte.
put() {
  local name="$1" value="$d/value" back="$d/back"
  cat >"$value"
  if [ ! -s "$value" ]; then
    echo "$name: empty, left out" >&2
    return 1
  fi
  if [ "$(wc -c <"$value")" -gt 25600 ]; then
    echo "$name: over 25 KB, the vault's limit" >&2
    return 1
  fi
  az keyvault secret set --vault-name "$VAULT" --name "$name" --file "$value" --encoding utf-8 \
    --content-type text/plain --tags origin=keysweep --only-show-errors -o none
  rm -f "$back"
  az keyvault secret download --vault-name "$VAULT" --name "$name" --file "$back" --encoding utf-8 \
    --only-show-errors
  if ! cmp -s "$value" "$back"; then
    echo "$name: what the vault holds is not what was given (line ends or encoding)" >&2
    return 4
  fi
  rm -f "$value" "$back"
  echo "$name: stored"
}

# take NAME: from the file, or from a prompt. With "given" behind it, it may be stored already.
take() {
  local name="$1" value said="$d/said"
  # 403 is not "missing": only the service's word for that lets the script go on.
  if az keyvault secret show --vault-name "$VAULT" --name "$name" </dev/null >/dev/null 2>"$said"; then
    if [ "${2:-}" = given ]; then
      return 0
    fi
    echo "$name: exists already; a new version would become the current one. Left as it is" >&2
    return 2
  elif ! grep -q 'SecretNotFound' "$said"; then
    cat "$said" >&2
    return 3
  fi
  if [ -n "$from" ]; then
    if [ -n "$(find "$from/$name" -perm /077)" ]; then
      echo "$from/$name: others can read it; chmod 600 first" >&2
      return 1
    fi
    put "$name" <"$from/$name"
  else
    IFS= read -rsp "new value of $name: " value && echo
    printf %s "$value" | put "$name"
  fi
}

failed=0
"#;

fn bash(
    entries: &BTreeMap<String, Entry>,
    given: &Given,
    vault: &str,
    out: &mut impl Write,
) -> Result<(), Fault> {
    out.write_all(BASH.replace("@VAULT@", vault).as_bytes())?;
    writeln!(out, "\n# 1. Make the new credential of each, and store it.")?;
    for (name, entry) in entries {
        comment(out, name, entry)?;
        writeln!(out, "take {name} || failed=1")?;
    }
    given.write(|name| format!("take {name} given || failed=1"), out)?;
    writeln!(
        out,
        "\n# 2. Let the applications read them (once for each identity; PRINCIPAL is its object id):"
    )?;
    writeln!(
        out,
        "# az role assignment create --role 'Key Vault Secrets User' --assignee-object-id PRINCIPAL \\"
    )?;
    writeln!(
        out,
        "#   --assignee-principal-type ServicePrincipal --scope \"$(az keyvault show -n \"$VAULT\" --query id -o tsv)\""
    )?;
    writeln!(out, "\n# 3. Deploy the rewritten code and see it work.")?;
    writeln!(out, "# 4. Only then end the old ones:")?;
    rotations(out, entries)?;
    writeln!(out, "\nexit \"$failed\"")?;
    Ok(())
}

fn comment(out: &mut impl Write, name: &str, entry: &Entry) -> Result<(), Fault> {
    writeln!(out, "# {name}: {}", line(&entry.title))?;
    for place in &entry.places {
        writeln!(out, "#   {}", line(place))?;
    }
    for form in &entry.forms {
        writeln!(out, "#   stored whole: {}", line(form))?;
    }
    Ok(())
}

fn rotations(out: &mut impl Write, entries: &BTreeMap<String, Entry>) -> Result<(), Fault> {
    for (name, entry) in entries {
        for step in &entry.rotate {
            writeln!(out, "# {name}: {}", line(step))?;
        }
        if !entry.breaks.is_empty() {
            writeln!(out, "#   breaks {}", line(&entry.breaks))?;
        }
    }
    Ok(())
}

/// Text that stays on its line of comment, whatever a file is called.
fn line(text: &str) -> String {
    keysweep::report::human::printable(text)
}

const POWERSHELL: &str = r#"# Puts the NEW value of each secret into the vault. No value stands in this file or on a command line.
#   ./migrate.ps1 -Vault name                 asks for each value (nothing is shown)
#   ./migrate.ps1 -Vault name -From FOLDER    takes FOLDER/NAME, as UTF-8, character for character
param(
    [string] $Vault = '@VAULT@',
    [string] $From
)
$ErrorActionPreference = 'Stop'
if (-not $Vault) { throw 'the name of the Key Vault is missing' }
$failed = 0

# With -Given, it may be stored already.
function Save-Value([string] $Name, [switch] $Given) {
    $known = Get-AzKeyVaultSecret -VaultName $Vault -Name $Name
    if ($known -and $Given) {
        return
    }
    if ($known) {
        Write-Warning "${Name}: exists already; a new version would become the current one. Left as it is"
        $script:failed = 1
        return
    }
    if ($From) {
        $path = Join-Path $From $Name
        # Exact text: no splitting into lines, no byte order mark, no code page.
        $raw = [IO.File]::ReadAllText($path, [Text.UTF8Encoding]::new($false, $true))
        if ($raw.Length -eq 0) {
            Write-Warning "${Name}: empty, left out"
            $script:failed = 1
            return
        }
        $value = [Security.SecureString]::new()
        foreach ($c in $raw.ToCharArray()) { $value.AppendChar($c) }
        Remove-Variable raw
    } else {
        $value = Read-Host -AsSecureString -Prompt "new value of $Name"
        if ($value.Length -eq 0) {
            Write-Warning "${Name}: empty, left out"
            $script:failed = 1
            return
        }
    }
    Set-AzKeyVaultSecret -VaultName $Vault -Name $Name -SecretValue $value -ContentType 'text/plain' | Out-Null
    Write-Output "${Name}: stored"
}
"#;

fn powershell(
    entries: &BTreeMap<String, Entry>,
    given: &Given,
    vault: &str,
    suffix: &str,
    out: &mut impl Write,
) -> Result<(), Fault> {
    out.write_all(POWERSHELL.replace("@VAULT@", vault).as_bytes())?;
    if suffix != "vault.azure.net" {
        writeln!(
            out,
            "\n# The vault is at {suffix}: Connect-AzAccount -Environment of that cloud first."
        )?;
    }
    writeln!(out, "\n# 1. Make the new credential of each, and store it.")?;
    for (name, entry) in entries {
        comment(out, name, entry)?;
        writeln!(out, "Save-Value '{name}'")?;
    }
    given.write(|name| format!("Save-Value '{name}' -Given"), out)?;
    writeln!(
        out,
        "\n# 2. Let the applications read them (once for each identity):"
    )?;
    writeln!(
        out,
        "# New-AzRoleAssignment -RoleDefinitionName 'Key Vault Secrets User' -ObjectId PRINCIPAL -Scope (Get-AzKeyVault -VaultName $Vault).ResourceId"
    )?;
    writeln!(out, "\n# 3. Deploy the rewritten code and see it work.")?;
    writeln!(out, "# 4. Only then end the old ones:")?;
    rotations(out, entries)?;
    writeln!(out, "\nexit $failed")?;
    Ok(())
}

//! What to do about a finding: rotate it, and what to write in its place.
//!
//! The first, general advice: how to revoke, the vault name, and the reference in the language of
//! the place. It reads the finding and its rule; it never needs the value.

use crate::decode::Role;
use crate::finding::Finding;

/// What a person should do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Commands or places, most direct first.
    pub rotate: Vec<String>,
    /// The name the secret would have in Key Vault.
    pub vault_name: String,
    /// What to write instead, in the language of the place.
    pub reference: String,
    /// The language of `reference`.
    pub language: &'static str,
}

/// The languages in which a reference is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Python,
    Shell,
    AppSettings,
    Terraform,
    Bicep,
    Pipeline,
    /// No form of its own yet: the command that reads the secret.
    Other,
}

/// Advises on a finding.
pub fn advise(finding: &Finding) -> Advice {
    let vault_name = vault_name(finding);
    let language = language(finding);
    let (reference, language) = reference(language, &vault_name);
    Advice {
        rotate: finding.rotate.iter().map(|step| step.to_string()).collect(),
        vault_name,
        reference,
        language,
    }
}

/// A valid, human name: from the name in the text where there is one, else the rule's.
fn vault_name(finding: &Finding) -> String {
    const LONGEST: usize = 127;
    let said = finding.name.as_deref().unwrap_or_default();
    let mut name = String::new();
    let mut last = ' ';
    for c in said.trim_start_matches('-').chars() {
        let boundary = c.is_ascii_uppercase() && last.is_ascii_lowercase();
        last = c;
        if boundary || (!c.is_ascii_alphanumeric() && !name.is_empty() && !name.ends_with('-')) {
            name.push('-');
        }
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        }
    }
    name.truncate(LONGEST);
    let name = name.trim_matches('-');
    if name.len() >= 3 {
        name.to_owned()
    } else {
        finding.rule.vault_name.to_string()
    }
}

fn language(finding: &Finding) -> Language {
    if let Some(place) = &finding.notebook {
        return match place.role {
            Role::Code | Role::Text => Language::Python,
            _ => Language::Other,
        };
    }
    let path = finding.path().to_ascii_lowercase();
    let file = path.rsplit('/').next().unwrap_or_default();
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "py" | "pyw" => Language::Python,
        "sh" | "bash" | "zsh" => Language::Shell,
        "tf" | "tfvars" => Language::Terraform,
        "bicep" | "bicepparam" => Language::Bicep,
        "json" if file.starts_with("appsettings") || file == "local.settings.json" => {
            Language::AppSettings
        }
        "yml" | "yaml" if file.contains("pipeline") => Language::Pipeline,
        _ => Language::Other,
    }
}

fn reference(language: Language, name: &str) -> (String, &'static str) {
    match language {
        Language::Python => (
            format!(
                "SecretClient(vault_url=\"https://<vault>.vault.azure.net\", \
                 credential=DefaultAzureCredential()).get_secret(\"{name}\").value"
            ),
            "python",
        ),
        Language::AppSettings => (
            format!("@Microsoft.KeyVault(VaultName=<vault>;SecretName={name})"),
            "app setting",
        ),
        Language::Terraform => (
            format!(
                "data.azurerm_key_vault_secret.{}.value",
                name.replace('-', "_")
            ),
            "terraform",
        ),
        Language::Bicep => (format!("kv.getSecret('{name}')"), "bicep"),
        Language::Pipeline => (format!("$({name})"), "azure pipelines"),
        Language::Shell => (
            format!(
                "\"$(az keyvault secret show --vault-name <vault> --name {name} --query value -o tsv)\""
            ),
            "shell",
        ),
        Language::Other => (
            format!(
                "az keyvault secret show --vault-name <vault> --name {name} --query value -o tsv"
            ),
            "command",
        ),
    }
}

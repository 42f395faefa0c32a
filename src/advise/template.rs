//! Fills the holes of a context's templates.

use super::facts::Facts;
use super::name;
use crate::finding::Finding;
use crate::host::{Context, Slot};

/// Everything a template may ask for.
#[derive(Clone, Debug)]
pub struct Holes<'a> {
    pub facts: &'a Facts,
    /// The secret's name in the vault.
    pub secret: &'a str,
    pub keys: &'a [Box<str>],
    /// What the file calls the value.
    pub said: &'a str,
    /// The package of a Go file.
    pub package: &'a str,
}

impl<'a> Holes<'a> {
    pub fn of(finding: &'a Finding, facts: &'a Facts, secret: &'a str) -> Self {
        Self {
            facts,
            secret,
            keys: &finding.host.keys,
            said: finding
                .name
                .as_deref()
                .or(finding.host.label.as_deref())
                .unwrap_or_default(),
            package: "main",
        }
    }

    /// Fills a template; what is not known is named in angle brackets.
    pub fn show(&self, template: &str) -> String {
        self.expand(template, |hole| Ok::<_, ()>(format!("<{hole}>")))
            .unwrap_or_default()
    }

    /// Fills a template.
    ///
    /// # Errors
    /// With the name of a fact that is not known.
    pub fn fill(&self, template: &str) -> Result<String, String> {
        self.expand(template, |hole| Err(hole.to_owned()))
    }

    fn expand<E>(
        &self,
        template: &str,
        unknown: impl Fn(&str) -> Result<String, E>,
    ) -> Result<String, E> {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, tail)) = rest.split_once("<<") {
            out.push_str(before);
            let Some((hole, after)) = tail.split_once(">>") else {
                out.push_str("<<");
                rest = tail;
                continue;
            };
            match self.value(hole) {
                Some(value) => out.push_str(&value),
                None => out.push_str(&unknown(hole)?),
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value(&self, hole: &str) -> Option<String> {
        let vault = self.facts.vault.as_ref();
        let secret = self.secret;
        Some(match hole {
            "secret" => secret.to_owned(),
            "vault" => vault?.name.clone(),
            "vault_url" => format!("{}/", vault?.host()),
            "vault_host" => vault?.host(),
            "uri" => format!("{}/secrets/{secret}", vault?.host()),
            "show" => {
                let vault = vault.map_or("<vault>", |v| &v.name);
                format!(
                    "az keyvault secret show --vault-name {vault} --name {secret} --query value -o tsv"
                )
            }
            // Airflow's backend adds the prefix itself.
            "ident" => {
                let own = secret.strip_prefix("airflow-variables-").unwrap_or(secret);
                own.replace('-', "_")
            }
            "env" => self.variable(),
            "key" => self.key().to_owned(),
            "name" => {
                let before = self.keys.len().checked_sub(2);
                before.map_or(self.said, |at| &self.keys[at]).to_owned()
            }
            "config_path" => self.config_path("--"),
            "setting" => self.config_path("__"),
            "package" => self.package.to_owned(),
            other => self.facts.get(other)?.to_owned(),
        })
    }

    /// The key of the value, past keys that belong to the format.
    fn key(&self) -> &str {
        let is_item = |key: &str| key.bytes().all(|b| b.is_ascii_digit());
        if !self.said.is_empty() && self.keys.last().is_some_and(|key| is_item(key)) {
            return self.said;
        }
        let own = |key: &&str| !matches!(*key, "value" | "connectionString" | "default");
        let key = self.keys.iter().rev().map(|key| &**key).find(own);
        key.unwrap_or(self.said)
    }

    /// As the file spells it where that is a variable's name.
    fn variable(&self) -> String {
        let key = self.key();
        let is_variable = !key.is_empty()
            && key
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            && !key.starts_with(|c: char| c.is_ascii_digit());
        if is_variable {
            key.to_owned()
        } else {
            self.secret.to_ascii_uppercase().replace('-', "_")
        }
    }

    fn config_path(&self, between: &str) -> String {
        if self.keys.is_empty() {
            return self.secret.to_owned();
        }
        let parts: Vec<&str> = self.keys.iter().map(|key| &**key).collect();
        parts.join(between)
    }
}

/// The name in the vault for a finding in its host: the host's where it forces one.
pub fn vault_name(finding: &Finding, plain: &str) -> String {
    let forced = finding.host.context.vault_name;
    if forced.is_empty() {
        return plain.to_owned();
    }
    let facts = Facts::default();
    let made = Holes::of(finding, &facts, plain).show(forced);
    if name::is_valid(&made) {
        made
    } else {
        plain.to_owned()
    }
}

/// What stands before a name in an ExternalSecret.
pub const KUBERNETES_LEAD: &str = "key: ";

/// The signs before a name where the host looks it up; none where it has no look-up.
pub fn lead(context: &Context) -> &'static str {
    if context.slot == Slot::KubernetesSecret {
        return KUBERNETES_LEAD;
    }
    let before = context.template.split_once("<<secret>>");
    let before = before.map_or("", |(before, _)| before);
    let is_sign = |c: char| !c.is_ascii_alphanumeric() && c != '>';
    let signs = &before[before.trim_end_matches(is_sign).len()..];
    match signs.trim() {
        // A blank alone says nothing: `--name NAME`.
        "" => before
            .trim_end()
            .rsplit_once(' ')
            .map_or(signs, |(head, _)| &before[head.len()..]),
        _ => signs,
    }
}

//! What only the user knows: which vault, in which cloud, and the names of things around it.

use std::collections::BTreeMap;

use crate::error::Error;

/// A cloud and its vaults' domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cloud {
    #[default]
    Public,
    China,
    UsGovernment,
}

impl Cloud {
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Public => "vault.azure.net",
            Self::China => "vault.azure.cn",
            Self::UsGovernment => "vault.usgovcloudapi.net",
        }
    }
}

/// A Key Vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    pub name: String,
    pub suffix: String,
}

impl Vault {
    /// Reads a vault's name, or the URL that the portal shows.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str, cloud: Cloud) -> Result<Self, Error> {
        let wrong = || Error::usage(format!("{text:?} is no Key Vault name and no URL of one"));
        let (name, suffix) = match text.strip_prefix("https://") {
            Some(rest) => {
                let host = rest.trim_end_matches('/');
                let (name, suffix) = host.split_once('.').ok_or_else(wrong)?;
                let known = suffix.starts_with("vault.") && !suffix.contains('/');
                (name, if known { suffix } else { return Err(wrong()) })
            }
            None => (text, cloud.suffix()),
        };
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let valid = (3..=24).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && ends(name.chars().next_back())
            && !name.contains("--");
        if !valid {
            return Err(wrong());
        }
        Ok(Self {
            name: name.to_ascii_lowercase(),
            suffix: suffix.to_owned(),
        })
    }

    /// Without a last slash.
    pub fn host(&self) -> String {
        format!("https://{}.{}", self.name, self.suffix)
    }

    pub fn is_public(&self) -> bool {
        self.suffix == Cloud::Public.suffix()
    }
}

/// The vault and the other names that templates ask for.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub vault: Option<Vault>,
    values: BTreeMap<String, String>,
}

/// Facts that can be set, with what they are.
pub const SETTABLE: [(&str, &str); 6] = [
    ("scope", "the Databricks secret scope"),
    ("subscription", "the id of the vault's subscription"),
    ("resource_group", "the vault's resource group"),
    (
        "linked_service",
        "the Key Vault linked service [KeyVaultLS]",
    ),
    (
        "service_connection",
        "the Azure Pipelines service connection",
    ),
    (
        "version",
        "the version of the secret, where a host pins one",
    ),
];

impl Facts {
    pub fn new(vault: Option<Vault>) -> Self {
        let values = BTreeMap::from([("linked_service".into(), "KeyVaultLS".into())]);
        Self { vault, values }
    }

    /// Takes `NAME=VALUE`.
    ///
    /// # Errors
    /// When the name is not one of [`SETTABLE`], or the value could not stand in every file.
    pub fn set(&mut self, assignment: &str) -> Result<(), Error> {
        let (name, value) = assignment
            .split_once('=')
            .ok_or_else(|| Error::usage(format!("{assignment:?} is not NAME=VALUE")))?;
        let name = name.replace('-', "_");
        if !SETTABLE.iter().any(|(known, _)| *known == name) {
            let known: Vec<&str> = SETTABLE.iter().map(|(known, _)| *known).collect();
            let known = known.join(", ");
            return Err(Error::usage(format!("no fact {name:?}; there are {known}")));
        }
        let plain = |c: char| c.is_alphanumeric() || "-_.@() ".contains(c);
        if value.is_empty() || !value.chars().all(plain) {
            return Err(Error::usage(format!(
                "{name}: letters, digits and -_.@() only"
            )));
        }
        self.values.insert(name, value.to_owned());
        Ok(())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vaults_are_names_or_urls() {
        let host = |text, cloud| Vault::parse(text, cloud).map(|v| v.host()).ok();
        let public = Some("https://kv-app.vault.azure.net".to_owned());
        assert_eq!(host("kv-app", Cloud::Public), public);
        assert_eq!(
            host("https://kv-app.vault.azure.net/", Cloud::China),
            public
        );
        assert_eq!(
            host("kv-app", Cloud::UsGovernment).as_deref(),
            Some("https://kv-app.vault.usgovcloudapi.net")
        );
        for bad in [
            "",
            "ab",
            "-kv",
            "kv-",
            "a--b",
            "https://kv.example.com",
            "k'v",
        ] {
            assert_eq!(host(bad, Cloud::Public), None, "{bad}");
        }
    }
}

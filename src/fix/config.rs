//! .NET configuration files: a configuration builder that reads the vault.

use tree_sitter::Node;

use super::edit::{self, Edit};
use super::grammar::{Parsed, nearest};
use super::quote;
use super::slot::{Refused, Scene};
use crate::advise::template::Holes;

const SECTION: &str = "<section name=\"configBuilders\" type=\"System.Configuration.ConfigurationBuildersSection, System.Configuration, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b03f5f7f11d50a3a\" restartOnExternalChanges=\"false\" requirePermission=\"false\" />";
const TYPE: &str = "Microsoft.Configuration.ConfigurationBuilders.AzureKeyVaultConfigBuilder, Microsoft.Configuration.ConfigurationBuilders.Azure";

/// The value, the builder's attribute on its section, and the builder itself.
pub fn builder(scene: &Scene<'_>, dummy: &str, holes: &Holes<'_>) -> Result<Vec<Edit>, Refused> {
    let vault = holes.facts.vault.as_ref().ok_or("needs --vault")?;
    let parsed = scene.parsed;
    let literal = scene.whole_literal()?;
    let mut edits = vec![Edit::new(literal.content, dummy)];
    let key = holes.keys.iter().rev().nth(1).map_or("", |key| key);
    let addressable = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if key.is_empty() || !addressable {
        return Err("has a key that is no name for a secret".into());
    }
    let section = section(scene)?;
    let start = start_tag(section).ok_or("is in no section")?;
    if !has(parsed, start, b"configBuilders=") {
        let at = start.end_byte() - 1;
        edits.push(Edit::insert(at, " configBuilders=\"KeyVault\""));
    }
    edits.extend(declaration(scene, &vault.name)?);
    Ok(edits)
}

/// `appSettings` or `connectionStrings` around the value.
fn section<'a>(scene: &Scene<'a>) -> Result<Node<'a>, Refused> {
    let mut at = Some(scene.at()?);
    while let Some(node) = at {
        let name = start_tag(node).map(|tag| tag_name(scene.parsed, tag));
        if matches!(name, Some(b"appSettings" | b"connectionStrings")) {
            return Ok(node);
        }
        at = node.parent();
    }
    Err("is neither in appSettings nor in connectionStrings".into())
}

fn declaration(scene: &Scene<'_>, vault: &str) -> Result<Option<Edit>, Refused> {
    let parsed = scene.parsed;
    if memchr::memmem::find(parsed.text, b"AzureKeyVaultConfigBuilder").is_some() {
        return Ok(None);
    }
    for name in [&b"<configSections"[..], b"<configBuilders"] {
        if memchr::memmem::find(parsed.text, name).is_some() {
            return Err(
                "has sections or builders of its own: add the Key Vault builder to them".into(),
            );
        }
    }
    let mut at = nearest(scene.at()?, &["element"]);
    while let Some(node) = at {
        let tag = start_tag(node).filter(|tag| tag_name(parsed, *tag) == b"configuration");
        if let Some(tag) = tag {
            let newline = edit::newline(parsed.text);
            let vault = quote::xml(vault);
            let lines = [
                format!("  <configSections>{SECTION}</configSections>"),
                format!(
                    "  <configBuilders><builders><add name=\"KeyVault\" vaultName=\"{vault}\" type=\"{TYPE}\" /></builders></configBuilders>"
                ),
            ];
            let text: String = lines
                .iter()
                .map(|line| format!("{newline}{line}"))
                .collect();
            return Ok(Some(Edit::insert(tag.end_byte(), text)));
        }
        at = node.parent();
    }
    Err("is in no <configuration>".into())
}

fn start_tag(element: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = element.walk();
    element
        .children(&mut cursor)
        .find(|child| child.kind() == "STag")
}

fn tag_name<'t>(parsed: &Parsed<'t>, tag: Node<'_>) -> &'t [u8] {
    let mut cursor = tag.walk();
    let name = tag
        .children(&mut cursor)
        .find(|child| child.kind() == "Name");
    name.map_or(&b""[..], |name| &parsed.text[name.byte_range()])
}

fn has(parsed: &Parsed<'_>, tag: Node<'_>, attribute: &[u8]) -> bool {
    memchr::memmem::find(parsed.text_of(tag), attribute).is_some()
}

//! A Kubernetes Secret as an ExternalSecret of the same name and keys.

use tree_sitter::Node;

use super::edit::{self, Edit};
use super::grammar::Parsed;
use super::quote::{self, YamlStyle};
use super::slot::{Refused, Scene};
use crate::advise::name;

/// The vault's name for a key, where a finding has that.
pub type NameOf<'n> = dyn Fn(&str) -> Result<Option<String>, Refused> + 'n;

/// Writes the document that replaces the one around the secret. `names` gives the vault's name for
/// a key that holds a finding.
///
/// # Errors
/// When the document is not a plain Secret, or one of its keys is to stay.
pub fn external_secret(scene: &Scene<'_>, names: &NameOf<'_>) -> Result<Edit, Refused> {
    let parsed = scene.parsed;
    let document = scene.document()?;
    let mapping = mapping_in(document).ok_or("is no document of keys and values")?;
    let metadata = value(parsed, mapping, "metadata").and_then(mapping_in);
    let metadata = metadata.ok_or("has no metadata")?;
    let said = |key| value(parsed, metadata, key).map(|node| scalar(parsed, node));
    let secret = said("name").ok_or("has no name")?;
    let newline = edit::newline(parsed.text);
    let mut lines = vec![
        "apiVersion: external-secrets.io/v1".to_owned(),
        "kind: ExternalSecret".to_owned(),
        "metadata:".to_owned(),
        format!("  name: {}", quote::yaml(&secret, YamlStyle::Plain)),
    ];
    if let Some(namespace) = said("namespace") {
        lines.push(format!(
            "  namespace: {}",
            quote::yaml(&namespace, YamlStyle::Plain)
        ));
    }
    lines.extend([
        "spec:".to_owned(),
        "  refreshInterval: 1h".to_owned(),
        "  secretStoreRef:".to_owned(),
        "    kind: SecretStore".to_owned(),
        "    name: azure-store".to_owned(),
        "  target:".to_owned(),
        format!("    name: {}", quote::yaml(&secret, YamlStyle::Plain)),
        "  data:".to_owned(),
    ]);
    for key in keys(parsed, mapping) {
        let named = names(&key)?.unwrap_or_else(|| own_name(parsed, metadata, &key));
        lines.push(format!(
            "    - secretKey: {}",
            quote::yaml(&key, YamlStyle::Plain)
        ));
        lines.push("      remoteRef:".to_owned());
        lines.push(format!("        key: {named}"));
    }
    let text = parsed.text_of(mapping);
    let tail = String::from_utf8_lossy(&text[text.trim_ascii_end().len()..]);
    Ok(Edit::new(mapping.byte_range(), lines.join(newline) + &tail))
}

/// What the document that replaces the one around the secret looks up for keys without findings: each
/// name with its key.
pub fn others(scene: &Scene<'_>, names: &NameOf<'_>) -> Vec<(String, String)> {
    let parsed = scene.parsed;
    let mapping = scene.document().ok().and_then(mapping_in);
    let metadata = mapping.and_then(|mapping| value(parsed, mapping, "metadata"));
    let (Some(mapping), Some(metadata)) = (mapping, metadata.and_then(mapping_in)) else {
        return Vec::new();
    };
    let keys = keys(parsed, mapping).into_iter();
    let without = keys.filter(|key| names(key) == Ok(None));
    without
        .map(|key| (own_name(parsed, metadata, &key), key))
        .collect()
}

/// The name for a key without a finding.
fn own_name(parsed: &Parsed<'_>, metadata: Node<'_>, key: &str) -> String {
    let said = |name| value(parsed, metadata, name).map(|node| scalar(parsed, node));
    let of = ["namespace", "name"].map(|name| said(name).unwrap_or_default());
    name::from_hint(&format!("{} {key}", of.join(" ")), "secret")
}

/// The keys of `stringData` and `data`.
fn keys(parsed: &Parsed<'_>, mapping: Node<'_>) -> Vec<String> {
    let mut keys = Vec::new();
    for section in ["stringData", "data"] {
        let Some(section) = value(parsed, mapping, section).and_then(mapping_in) else {
            continue;
        };
        let mut cursor = section.walk();
        for pair in section.named_children(&mut cursor) {
            let key = pair
                .child_by_field_name("key")
                .map(|key| scalar(parsed, key));
            keys.extend(key.filter(|key| !keys.contains(key)));
        }
    }
    keys
}

fn mapping_in(node: Node<'_>) -> Option<Node<'_>> {
    if matches!(node.kind(), "block_mapping" | "flow_mapping") {
        return Some(node);
    }
    let mut cursor = node.walk();
    node.named_children(&mut cursor).find_map(mapping_in)
}

fn value<'n>(parsed: &Parsed<'_>, mapping: Node<'n>, name: &str) -> Option<Node<'n>> {
    let mut cursor = mapping.walk();
    mapping
        .named_children(&mut cursor)
        .find(|pair| {
            let key = pair.child_by_field_name("key");
            key.is_some_and(|key| scalar(parsed, key) == name)
        })
        .and_then(|pair| pair.child_by_field_name("value"))
}

fn scalar(parsed: &Parsed<'_>, node: Node<'_>) -> String {
    let text = String::from_utf8_lossy(parsed.text_of(node))
        .trim()
        .to_owned();
    text.trim_matches(['"', '\'']).to_owned()
}

//! A Kubernetes Secret as an ExternalSecret of the same name and keys.

use std::collections::HashSet;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tree_sitter::Node;

use super::edit::{self, Edit};
use super::grammar::Parsed;
use super::quote::{self, YamlStyle};
use super::slot::{Held, Refused, Scene};

/// The vault's name for the value that stands there.
pub type NameOf<'n> = dyn Fn(&Range<usize>) -> Result<String, Refused> + 'n;

/// A key of a Secret.
pub struct Key {
    /// The section and the key, as in `stringData.user`.
    pub place: String,
    pub key: String,
    /// What names its value where no finding has it.
    pub hint: String,
    /// Where its value stands, and what the vault has to get of it.
    pub range: Range<usize>,
    pub value: Vec<u8>,
}

/// Writes the document that replaces the one around the secret. `names` gives the vault's name for each
/// value.
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
    ]);
    let kind = value(parsed, mapping, "type").map(|node| scalar(parsed, node));
    if let Some(kind) = kind.filter(|kind| kind != "Opaque") {
        lines.push("    template:".to_owned());
        lines.push(format!(
            "      type: {}",
            quote::yaml(&kind, YamlStyle::Plain)
        ));
    }
    lines.push("  data:".to_owned());
    for key in keys(parsed, mapping, metadata)? {
        lines.push(format!(
            "    - secretKey: {}",
            quote::yaml(&key.key, YamlStyle::Plain)
        ));
        lines.push("      remoteRef:".to_owned());
        lines.push(format!("        key: {}", names(&key.range)?));
    }
    let text = parsed.text_of(mapping);
    let tail = String::from_utf8_lossy(&text[text.trim_ascii_end().len()..]);
    Ok(Edit::new(mapping.byte_range(), lines.join(newline) + &tail))
}

/// All keys of the document around the secret.
///
/// # Errors
/// When it is not a plain Secret.
pub fn keys_around(scene: &Scene<'_>) -> Result<Vec<Key>, Refused> {
    let parsed = scene.parsed;
    let mapping = mapping_in(scene.document()?).ok_or("is no document of keys and values")?;
    let metadata = value(parsed, mapping, "metadata").and_then(mapping_in);
    keys(parsed, mapping, metadata.ok_or("has no metadata")?)
}

/// The whole value that the secret stands in: the operator puts nothing into a text.
///
/// # Errors
/// When the document is not a plain Secret, or the secret stands elsewhere in it.
pub fn held(scene: &Scene<'_>) -> Result<Held, Refused> {
    let covers = scene.document()?.byte_range();
    let is_around =
        |key: &Key| key.range.start <= scene.secret.start && scene.secret.end <= key.range.end;
    let key = keys_around(scene)?.into_iter().find(is_around);
    let key = key.ok_or("stands beside the values of its document")?;
    Ok(Held {
        value: key.value,
        covers,
        around: key.range,
    })
}

/// The keys of `stringData` and `data`, of which the first has its say.
fn keys(parsed: &Parsed<'_>, mapping: Node<'_>, metadata: Node<'_>) -> Result<Vec<Key>, Refused> {
    let said = |name| value(parsed, metadata, name).map(|node| scalar(parsed, node));
    let of = ["namespace", "name"].map(|name| said(name).unwrap_or_default());
    let mut keys: Vec<Key> = Vec::new();
    let mut seen = HashSet::new();
    for section in ["stringData", "data"] {
        let Some(node) = value(parsed, mapping, section) else {
            continue;
        };
        let pairs = mapping_in(node).ok_or("has values that stand elsewhere")?;
        let mut cursor = pairs.walk();
        for pair in pairs.named_children(&mut cursor) {
            let Some(key) = pair.child_by_field_name("key") else {
                continue;
            };
            let key = scalar(parsed, key);
            let node = pair.child_by_field_name("value").map(content);
            let node = node.ok_or("has a key without a value")?;
            if key == "<<" || node.kind() == "alias" {
                return Err("has values that stand elsewhere".into());
            }
            if seen.insert(key.clone()) {
                keys.push(Key {
                    place: format!("{section}.{key}"),
                    hint: format!("{} {key}", of.join(" ")),
                    range: node.byte_range(),
                    value: stored(parsed, node, section),
                    key,
                });
            }
        }
    }
    Ok(keys)
}

/// What the vault has to get of a value. The operator encodes what goes into `data` itself.
fn stored(parsed: &Parsed<'_>, node: Node<'_>, section: &str) -> Vec<u8> {
    let text = match node.kind() {
        "block_scalar" => {
            let text = String::from_utf8_lossy(parsed.text_of(node));
            let lines: Vec<&str> = text.lines().skip(1).map(str::trim).collect();
            lines.join("\n")
        }
        _ => scalar(parsed, node),
    };
    let encoded: String = text.split_whitespace().collect();
    let decoded = (section == "data").then(|| STANDARD.decode(encoded).ok());
    decoded.flatten().unwrap_or(text.into_bytes())
}

/// A value without the anchor and the tag before it.
fn content(node: Node<'_>) -> Node<'_> {
    let last = node.named_child_count().saturating_sub(1);
    match node.kind() {
        "flow_node" | "block_node" => node.named_child(last as u32).unwrap_or(node),
        _ => node,
    }
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

//! Text in the quoting of its surroundings.

/// The inside of a JSON string.
pub fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// How a YAML scalar was written, and so how its replacement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YamlStyle {
    Plain,
    Single,
    Double,
}

/// A whole YAML scalar. Plain only where a reader cannot take it for anything else.
pub fn yaml(text: &str, style: YamlStyle) -> String {
    let starts_badly = text.starts_with(|c: char| "@`{[&*!|>%\"'#-?:, ".contains(c));
    let reads_badly = text.contains(": ") || text.contains(" #") || text.ends_with([':', ' ']);
    let flow = text.contains(['{', '}', '[', ']', ',']) && !text.starts_with("${");
    match style {
        YamlStyle::Plain if !text.is_empty() && !starts_badly && !reads_badly && !flow => {
            text.to_owned()
        }
        YamlStyle::Single if !text.contains('\'') => format!("'{text}'"),
        _ => format!("\"{}\"", json(text)),
    }
}

/// Text or an attribute's value in XML.
pub fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

/// The inside of a quoted Terraform string.
pub fn hcl(text: &str) -> String {
    json(text).replace("${", "$${").replace("%{", "%%{")
}

/// Text as the query of a URL has it.
pub fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// The forms, each once, in which notebooks and other files repeat a text: as it is in JSON, in
/// HTML within JSON, and in a URL.
pub fn repeated(text: &str) -> Vec<String> {
    let mut forms = vec![json(text), json(&xml(text)), percent(text)];
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_surrounding_has_its_quotes() {
        assert_eq!(json("a\"b"), "a\\\"b");
        assert_eq!(yaml("$(api-key)", YamlStyle::Plain), "$(api-key)");
        assert_eq!(yaml("@Microsoft", YamlStyle::Plain), "\"@Microsoft\"");
        assert_eq!(yaml("{{ x }}", YamlStyle::Single), "'{{ x }}'");
        assert_eq!(xml("a&b"), "a&amp;b");
        assert_eq!(hcl("${x}"), "$${x}");
    }
}

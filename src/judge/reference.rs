//! Values that the text around shows to be no secret: references to a vault, hashes of lock files,
//! ids, pictures.
//!
//! Only rules that go by a name near a value ask here. A key with a mark of its own is a key
//! wherever it stands.

use super::Probe;
use super::structure::text::{contains_any_ci, contains_ci, ends_with_ci, starts_with_ci};
use crate::decode::notebook::is_uuid;
use crate::rules::Kind;

include!(concat!(env!("OUT_DIR"), "/telling_names.rs"));

/// Why the text around says that this is no secret, if it does.
pub fn reason(probe: &Probe<'_>) -> Option<&'static str> {
    let value = probe.value();
    let before = probe.before(240);
    let token = token_before(before);
    if let Some(reason) = of_value(value) {
        return Some(reason);
    }
    if is_vault(token) {
        return Some("is a reference to a Key Vault secret");
    }
    if is_name_in_environment(before) {
        return Some("is the name of a variable, not its value");
    }
    if is_name_in_vault(before) {
        return Some("is the name of a secret, not its value");
    }
    if is_integrity(token, value) {
        return Some("is a checksum of a package");
    }
    if starts_with_ci(value, b"0024000004800000") || ends_with_ci(token, b"publickey=") {
        return Some("is a public key");
    }
    if token.ends_with(b"IPY_MODEL_") || is_picture(before) {
        return Some("belongs to a picture or a widget");
    }
    if value.ends_with(b"://") {
        return Some("is the start of an address");
    }
    let name = name_before(before).to_ascii_lowercase();
    // A rule may be about a name that reads like an identifier's, such as `appid`.
    let is_ours = |keyword: &&std::borrow::Cow<'_, str>| {
        let keyword = keyword.trim_end_matches('=').to_ascii_lowercase();
        memchr::memmem::find(&name, keyword.as_bytes()).is_some()
    };
    let of_rule =
        || probe.rule.kind == Kind::Context && probe.rule.keywords.iter().any(|k| is_ours(&k));
    if let Some(reason) = by_name(&name).filter(|_| !of_rule()) {
        return Some(reason);
    }
    if probe.rule.kind == Kind::Generic && is_guid(value) && !speaks_of_secret(probe.name) {
        return Some("is an id");
    }
    (probe.rule.kind == Kind::Generic && is_address(value)).then_some("is an address or a path")
}

/// Why the value itself, wherever it stands, is a pointer to a secret, if it is.
pub fn of_value(value: &[u8]) -> Option<&'static str> {
    if is_vault(value) {
        return Some("is a reference to a Key Vault secret");
    }
    is_lookup(value).then_some("is looked up elsewhere")
}

/// Whether a name is so plain that even a UUID by it is a secret, as many services hand out.
fn speaks_of_secret(name: &[u8]) -> bool {
    contains_any_ci(
        name,
        &[
            "token", "secret", "password", "apikey", "api_key", "api-key",
        ],
    )
}

/// The unbroken text that touches the value.
fn token_before(before: &[u8]) -> &[u8] {
    let breaks = |b: &u8| *b <= b' ' || matches!(b, b'"' | b'\'' | b'`' | b'<' | b'>' | b',');
    let start = before.iter().rposition(breaks).map_or(0, |at| at + 1);
    &before[start..]
}

/// Whether the value is an argument of a call that reads a vault. What such a call is given are
/// names; the calls that write a vault are given values and are not among these.
fn is_name_in_vault(before: &[u8]) -> bool {
    const READS: &[&str] = &[
        "kv(",
        "kv_secret(",
        "get_secret(",
        "getsecret(",
        "getsecretwithls(",
        "getsecretasync(",
        "mustsecret(",
        "secrets.get(",
        "secrets.getbytes(",
        "secrets$get(",
        "get-azkeyvaultsecret ",
        "az keyvault secret show ",
    ];
    const REACH: usize = 120;
    let line = &before[before.len().saturating_sub(REACH)..];
    // What stands before a closing bracket belongs to calls that are over.
    let line = line.rsplit(|b| matches!(b, b'\n' | b';' | b')')).next();
    let line = line.unwrap_or_default();
    // Each of them has one or the other; most lines have neither.
    if memchr::memchr(b'(', line).is_none() && !contains_ci(line, b"keyvault") {
        return false;
    }
    contains_any_ci(line, READS)
}

/// Whether the value is what a call that reads the environment is given first, wherever that call stands.
fn is_name_in_environment(before: &[u8]) -> bool {
    const READS: &[&str] = &[
        "getenvironmentvariable(",
        "getenv(",
        "environ.get(",
        "environ[",
        "process.env[",
        "env::var(",
    ];
    let Some(call) = before.strip_suffix(b"\"").or(before.strip_suffix(b"'")) else {
        return false;
    };
    READS.iter().any(|read| ends_with_ci(call, read.as_bytes()))
}

/// Whether `before` ends in the head of a data address, `data:image/png;base64,`.
fn is_picture(before: &[u8]) -> bool {
    const LONGEST: usize = 48;
    let head = &before[before.len().saturating_sub(LONGEST)..];
    head.ends_with(b",") && contains_ci(head, b"data:image/")
}

/// The name to which the value belongs: in `"name": "value"`, `name = value`, `name: value`.
fn name_before(before: &[u8]) -> &[u8] {
    let is_glue = |b: &u8| matches!(b, b' ' | b'\t' | b'"' | b'\'' | b'=' | b':' | b'\\' | b'`');
    let Some(end) = before.iter().rposition(|b| !is_glue(b)) else {
        return &[];
    };
    let before = &before[..=end];
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let start = before
        .iter()
        .rposition(|b| !is_part(b))
        .map_or(0, |at| at + 1);
    &before[start..]
}

fn is_vault(text: &[u8]) -> bool {
    const VAULTS: &[&str] = &[
        ".vault.azure.net",
        ".vault.azure.cn",
        ".vault.usgovcloudapi.net",
        ".vault.microsoftazure.de",
        ".managedhsm.azure.net",
        "@microsoft.keyvault(",
    ];
    contains_any_ci(text, VAULTS)
}

/// Whether the value is code or a pointer that fetches the secret.
fn is_lookup(value: &[u8]) -> bool {
    const STARTS: &[&str] = &[
        "os.environ",
        "os.getenv",
        "process.env",
        "env.",
        "env:",
        "env(",
        "getenv(",
        "sys.argv",
        "vault:",
        "op://",
        "ssm:",
        "sops:",
        "secretref:",
        "arn:aws:",
        "projects/",
        "var.",
        "local.",
        "data.",
        "module.",
        "secrets.",
        "!ref",
        "!sub",
        "!getatt",
        "enc[",
        "parameters(",
        "variables(",
        "reference(",
        "listkeys(",
        "[parameters(",
        "[variables(",
        "[listkeys(",
        "[reference(",
        "[concat(",
        "@pipeline(",
        "@linkedservice(",
        "configuration[",
        "getpass",
    ];
    const CALLS: &[&str] = &[
        "secrets.get(",
        "getsecret(",
        "get_secret(",
        "get_secret_value",
        "getpass(",
        "environ[",
        "getenv(",
        "userdata.get(",
        "listkeys(",
        "keyring.get",
    ];
    STARTS
        .iter()
        .any(|start| starts_with_ci(value, start.as_bytes()))
        || contains_any_ci(value, CALLS)
}

/// Integrity values of lock files, by the mark before them or by their own.
fn is_integrity(token: &[u8], value: &[u8]) -> bool {
    const MARKS: &[&str] = &[
        "sha512-", "sha384-", "sha256-", "sha1-", "h1:", "zh:", "sha256:", "md5:",
    ];
    MARKS
        .iter()
        .any(|mark| ends_with_ci(token, mark.as_bytes()) || starts_with_ci(value, mark.as_bytes()))
}

/// What `name`, in lower case, says of its value.
fn by_name(name: &[u8]) -> Option<&'static str> {
    /// In the order of the build's lists.
    const REASONS: [&str; 3] = [
        "is a checksum by its name",
        "belongs to a picture or a widget",
        "is an id by its name",
    ];
    let order = |(known, _): &(&str, usize)| {
        let lengths = known.len().cmp(&name.len());
        lengths.then_with(|| known.as_bytes().cmp(name))
    };
    let found = TELLING_NAMES.binary_search_by(order);
    found.ok().map(|at| REASONS[TELLING_NAMES[at].1])
}

/// A UUID, in braces or not.
pub fn is_guid(value: &[u8]) -> bool {
    let value = match value {
        [b'{', inner @ .., b'}'] => inner,
        other => other,
    };
    is_uuid(value)
}

/// A URL without user or query, or a path.
fn is_address(value: &[u8]) -> bool {
    if starts_with_ci(value, b"http://") || starts_with_ci(value, b"https://") {
        return memchr::memchr2(b'@', b'?', value).is_none();
    }
    let drive = matches!(value, [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    drive
        || [&b"./"[..], b"../", b"~/", b"file:"]
            .iter()
            .any(|start| value.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_lists_tells() {
        for (name, _) in TELLING_NAMES {
            assert!(by_name(name.as_bytes()).is_some(), "{name}");
            assert!(!name.contains(' '), "a remark is no name: {name}");
        }
        assert_eq!(by_name(b"password"), None);
    }
}

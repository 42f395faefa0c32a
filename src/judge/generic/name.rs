//! The name of a value, read as words: what it promises, and what takes the promise back.

use smallvec::SmallVec;

use super::super::structure::text::is_one_of;

/// The kind of secret that a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    Password,
    Secret,
    Token,
    Key,
    Auth,
    Credential,
    /// A salt, nonce, vector or one-time code.
    Salt,
}

/// A name, read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Name {
    pub promise: Option<Promise>,
    /// A word before makes the promise exact: `api key`, `client secret`, `access token`.
    pub qualified: bool,
    /// The name is the promise alone: `key`, `token`.
    pub alone: bool,
    /// What follows the promise leaves it standing: `password_text`, `tokenValue`, `secret2`.
    pub tail: Tail,
    /// A word says that the value is public or no secret: `public key`, `primary key`.
    pub harmless: bool,
    /// A word says that the value is made for a test: `wrong`, `expected`, `dummy`.
    pub made_up: bool,
    /// The value is a hash or encrypted, by the name.
    pub hashed: bool,
    /// The name is that of a public key.
    pub public: bool,
    /// The name speaks of a text for people, or of an error.
    pub label: bool,
    /// All capitals, as constants and variables of the environment are.
    pub capitals: bool,
}

/// What follows the promise in a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tail {
    #[default]
    None,
    Same,
    /// Another word, of which nothing is known.
    Other,
    /// Another thing: an id, a length, an address.
    Thing,
}

const PASSWORD: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pwd",
    "pass",
    "pw",
    "passwort",
    "kennwort",
    "contrasena",
    "senha",
    "passcode",
    "psw",
    "psswd",
    "motdepasse",
    "wachtwoord",
    "haslo",
    "parola",
    "passwrd",
    "pswd",
    "salasana",
];
const SECRET: &[&str] = &["secret", "secrets", "geheimnis", "segredo"];
const TOKEN: &[&str] = &["token", "tokens", "jwt", "pat"];
const KEY: &[&str] = &[
    "key",
    "keys",
    "apikey",
    "apikeys",
    "nkey",
    "seed",
    "schluessel",
];
const AUTH: &[&str] = &[
    "auth",
    "authorization",
    "authentication",
    "oauth",
    "signature",
    "sig",
    "session",
    "cookie",
    "sid",
    "verifier",
    "otp",
    "totp",
    "pin",
];
const CREDENTIAL: &[&str] = &["credential", "credentials", "cred", "creds"];
const SALT: &[&str] = &["salt", "nonce", "iv", "pepper"];

const HASHED: &[&str] = &[
    "hash",
    "hashed",
    "hashes",
    "encrypted",
    "crypted",
    "digest",
    "sha",
    "sha1",
    "sha256",
    "md5",
    "bcrypt",
    "checksum",
    "fingerprint",
];
const LABEL: &[&str] = &[
    "label",
    "title",
    "status",
    "error",
    "errors",
    "err",
    "msg",
    "message",
    "placeholder",
    "tooltip",
    "advice",
    "caption",
    "text",
    "heading",
    "tip",
    "warning",
    "info",
    "mandatory",
    "confirm_label",
    "btn",
    "button",
    "menu",
    "lbl",
    "translation",
];

const EXACT: &[&str] = &[
    "api",
    "access",
    "private",
    "client",
    "app",
    "application",
    "consumer",
    "encryption",
    "signing",
    "master",
    "shared",
    "secret",
    "account",
    "session",
    "auth",
    "oauth",
    "refresh",
    "bearer",
    "jwt",
    "csrf",
    "cookie",
    "crypt",
    "crypto",
    "aes",
    "hmac",
    "rsa",
    "storage",
    "service",
    "admin",
    "root",
    "db",
    "database",
    "user",
    "identity",
    "id",
    "webhook",
    "deploy",
    "bot",
    "subscription",
    "function",
    "host",
    "security",
    "verification",
    "sas",
    "ssh",
    "ssl",
    "license",
    "cipher",
    "decryption",
    "personal",
    "login",
    "smtp",
    "mail",
    "email",
    "ftp",
    "ldap",
    "proxy",
    "keystore",
    "store",
    "truststore",
    "slack",
    "github",
    "gitlab",
    "aws",
    "azure",
    "google",
    "stripe",
    "twilio",
    "sendgrid",
    "npm",
    "pypi",
    "docker",
    "sonar",
    "codecov",
    "coveralls",
    "primary",
    "secondary",
    "sign",
    "hash",
    "derived",
    "symmetric",
];
const HARMLESS: &[&str] = &[
    "public",
    "pub",
    "publishable",
    "foreign",
    "partition",
    "sort",
    "cache",
    "map",
    "hot",
    "registry",
    "index",
    "dict",
    "row",
    "group",
    "shortcut",
    "press",
    "keyboard",
    "arrow",
    "event",
    "i18n",
    "translation",
    "locale",
    "label",
    "lookup",
    "object",
    "item",
    "column",
    "field",
    "unique",
    "composite",
    "natural",
    "surrogate",
    "param",
    "header",
    "config",
    "csrfmiddleware",
    "next",
    "page",
    "pagination",
    "continuation",
    "start",
    "end",
    "left",
    "right",
    "open",
    "close",
    "delimiter",
    "syntax",
    "resource",
    "routing",
    "bucket",
    "no",
    "without",
    "use",
    "has",
    "is",
    "allow",
    "require",
    "show",
    "hide",
    "enable",
    "disable",
    "forgot",
    "reset",
    "change",
    "update",
    "validate",
    "check",
    "verify",
    "missing",
    "primarykey",
    "resourcekey",
];
const MADE_UP: &[&str] = &[
    "test",
    "tests",
    "testing",
    "dummy",
    "fake",
    "mock",
    "sample",
    "example",
    "expected",
    "invalid",
    "wrong",
    "bad",
    "incorrect",
    "valid",
    "some",
    "my",
    "foo",
    "bar",
    "old",
    "new",
    "another",
    "other",
];
const SAME: &[&str] = &[
    "value",
    "val",
    "values",
    "text",
    "txt",
    "str",
    "string",
    "data",
    "bytes",
    "byte",
    "plain",
    "plaintext",
    "raw",
    "base64",
    "b64",
    "hex",
    "old",
    "new",
    "current",
    "confirm",
    "confirmation",
    "again",
    "repeat",
    "prod",
    "dev",
    "test",
    "staging",
    "stg",
    "qa",
    "local",
    "live",
    "default",
    "const",
    "env",
    "variable",
    "var",
    "one",
    "two",
    "a",
    "b",
    "x",
    "main",
    "primary",
    "secondary",
    "encoded",
    "enc",
    "input",
    "literal",
    "s",
    "salt",
    "root",
    "admin",
    "user",
    "db",
    "api",
    "aws",
    "v",
    "v1",
    "v2",
    "phrase",
    "word",
    "code",
    "header",
];
const THING: &[&str] = &[
    "id",
    "ids",
    "name",
    "names",
    "uri",
    "url",
    "urls",
    "endpoint",
    "path",
    "paths",
    "file",
    "files",
    "filename",
    "dir",
    "folder",
    "type",
    "types",
    "version",
    "ref",
    "reference",
    "expiry",
    "expires",
    "expiration",
    "expired",
    "exp",
    "ttl",
    "age",
    "timeout",
    "lifetime",
    "validity",
    "duration",
    "interval",
    "time",
    "date",
    "at",
    "count",
    "size",
    "length",
    "len",
    "limit",
    "max",
    "min",
    "field",
    "fields",
    "label",
    "title",
    "placeholder",
    "format",
    "prefix",
    "suffix",
    "policy",
    "provider",
    "class",
    "hint",
    "help",
    "message",
    "msg",
    "error",
    "errors",
    "exception",
    "description",
    "desc",
    "required",
    "enabled",
    "disabled",
    "valid",
    "invalid",
    "missing",
    "strength",
    "rules",
    "rule",
    "regex",
    "regexp",
    "pattern",
    "validator",
    "validation",
    "encoder",
    "encoding",
    "algorithm",
    "alg",
    "algo",
    "method",
    "mode",
    "scheme",
    "grant",
    "button",
    "form",
    "modal",
    "dialog",
    "page",
    "screen",
    "view",
    "control",
    "component",
    "element",
    "selector",
    "icon",
    "link",
    "image",
    "service",
    "manager",
    "helper",
    "handler",
    "factory",
    "builder",
    "generator",
    "store",
    "storage",
    "repository",
    "source",
    "vault",
    "backend",
    "server",
    "host",
    "port",
    "scope",
    "scopes",
    "audience",
    "issuer",
    "status",
    "state",
    "action",
    "event",
    "request",
    "response",
    "result",
    "reset",
    "change",
    "update",
    "changed",
    "usage",
    "owner",
    "kind",
    "category",
    "column",
    "table",
    "index",
    "position",
    "pos",
    "offset",
    "line",
    "arn",
    "callback",
    "redirect",
    "domain",
    "realm",
    "hostname",
    "username",
    "user_name",
    "permissions",
    "permission",
    "role",
    "roles",
    "attribute",
    "attributes",
    "attr",
    "property",
    "properties",
    "param",
    "parameter",
    "params",
    "option",
    "options",
    "setting",
    "settings",
    "config",
    "configuration",
    "spec",
    "schema",
    "def",
];

/// Reads a name.
pub fn read(name: &[u8]) -> Name {
    let words = words(name);
    let mut read = Name {
        capitals: name.iter().any(u8::is_ascii_uppercase)
            && !name.iter().any(u8::is_ascii_lowercase),
        ..Name::default()
    };
    let Some(at) = words.iter().rposition(|w| promise(w).is_some()) else {
        return read;
    };
    // `secret_key`, `auth token`: the last word names the thing, those before it its kind. In
    // `token_secret` too; only `key` gives way to what it opens.
    read.promise = promise(words[at]);
    if read.promise == Some(Promise::Key) && words[..at].iter().any(|w| is_one_of(w, SECRET)) {
        read.promise = Some(Promise::Secret);
    }
    let before = &words[..at];
    read.qualified = before.iter().any(|w| is_one_of(w, EXACT)) || is_joined(words[at]);
    read.alone = words.len() == 1 && !is_joined(words[at]);
    read.harmless = words.iter().any(|w| is_one_of(w, HARMLESS));
    read.made_up = words.iter().any(|w| is_one_of(w, MADE_UP));
    read.public = read.promise == Some(Promise::Key)
        && words
            .iter()
            .any(|w| is_one_of(w, &["public", "pub", "pubkey", "publickey", "publishable"]));
    read.hashed = words.iter().any(|w| is_one_of(w, HASHED));
    read.label = before.iter().any(|w| is_one_of(w, LABEL));
    read.tail = words[at + 1..]
        .iter()
        .map(|w| tail(w))
        .max_by_key(|t| *t as u8)
        .unwrap_or_default();
    read
}

fn tail(word: &[u8]) -> Tail {
    if word.iter().all(u8::is_ascii_digit) || is_one_of(word, SAME) {
        Tail::Same
    } else if is_one_of(word, THING) {
        Tail::Thing
    } else {
        Tail::Other
    }
}

/// What one word promises, also at the end of a compound such as `dbpassword`.
fn promise(word: &[u8]) -> Option<Promise> {
    const LISTS: &[(&[&str], Promise)] = &[
        (PASSWORD, Promise::Password),
        (SECRET, Promise::Secret),
        (TOKEN, Promise::Token),
        (KEY, Promise::Key),
        (CREDENTIAL, Promise::Credential),
        (AUTH, Promise::Auth),
        (SALT, Promise::Salt),
    ];
    let exact = LISTS.iter().find(|(list, _)| is_one_of(word, list));
    let joined = || {
        LISTS[..5].iter().find(|(list, _)| {
            list.iter().any(|end| {
                end.len() >= 3
                    && word.len() >= end.len() + 2
                    && word[word.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
            })
        })
    };
    exact.or_else(joined).map(|(_, promise)| *promise)
}

/// Whether a word is a compound of a promise and what qualifies it.
fn is_joined(word: &[u8]) -> bool {
    const ALL: [&[&str]; 7] = [PASSWORD, SECRET, TOKEN, KEY, AUTH, CREDENTIAL, SALT];
    !ALL.iter().any(|list| is_one_of(word, list))
        || word.len() > 5 && word[..3].eq_ignore_ascii_case(b"api")
}

/// The words of a name: split at signs, at capitals after small letters, and before digits.
fn words(name: &[u8]) -> SmallVec<[&[u8]; 8]> {
    let mut words = SmallVec::new();
    let mut start = 0;
    for at in 0..=name.len() {
        let here = name.get(at);
        let before = at.checked_sub(1).and_then(|b| name.get(b));
        let ends = here.is_none_or(|b| !b.is_ascii_alphanumeric());
        let hump =
            before.is_some_and(u8::is_ascii_lowercase) && here.is_some_and(u8::is_ascii_uppercase);
        // In `APIKey` the `K` starts a word: a small letter follows it.
        let last_capital = before.is_some_and(u8::is_ascii_uppercase)
            && here.is_some_and(u8::is_ascii_uppercase)
            && name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        let number =
            before.is_some_and(u8::is_ascii_alphabetic) && here.is_some_and(u8::is_ascii_digit);
        if ends || hump || last_capital || number {
            if at > start {
                words.push(&name[start..at]);
            }
            start = at + usize::from(ends);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_into_words() {
        let split = |name: &'static str| -> Vec<String> {
            words(name.as_bytes())
                .iter()
                .map(|w| String::from_utf8_lossy(w).to_ascii_lowercase())
                .collect()
        };
        assert_eq!(split("dbPassword"), ["db", "password"]);
        assert_eq!(split("AWS_SECRET_KEY2"), ["aws", "secret", "key", "2"]);
        assert_eq!(split("myAPIKey"), ["my", "api", "key"]);
        assert_eq!(split("--admin-password"), ["admin", "password"]);
        assert_eq!(
            split("cfg.Net.SASL.Password"),
            ["cfg", "net", "sasl", "password"]
        );
    }

    #[test]
    fn names_promise() {
        for (name, promise, tail) in [
            ("db_password", Some(Promise::Password), Tail::None),
            ("userpass", Some(Promise::Password), Tail::None),
            ("clientSecret", Some(Promise::Secret), Tail::None),
            ("secret_key", Some(Promise::Secret), Tail::None),
            ("passwordText", Some(Promise::Password), Tail::Same),
            ("tokenType", Some(Promise::Token), Tail::Thing),
            ("password_reset_url", Some(Promise::Password), Tail::Thing),
            ("accessKeyId", Some(Promise::Key), Tail::Thing),
            ("colour", None, Tail::None),
        ] {
            let read = read(name.as_bytes());
            assert_eq!((read.promise, read.tail), (promise, tail), "{name}");
        }
        assert!(read(b"api_key").qualified && read(b"apikey").qualified);
        assert!(read(b"token").alone && !read(b"apikey").alone);
        assert!(read(b"publicKey").harmless && read(b"WRONG_PASSWORD").made_up);
    }
}

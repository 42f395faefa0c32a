//! `scheme://user:password@host`.

use std::ops::Range;

use super::service::{self, Service};
use super::text::{is_one_of, percent_decode, shown};
use crate::judge::Dropped;
use crate::span::ViewSpan;

/// How far before the password its scheme, and how far after it its host, may stand.
const REACH: usize = 300;

/// A URL with a password, in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Lower case.
    pub scheme: Vec<u8>,
    pub user: Vec<u8>,
    /// Where the raw password stands.
    pub password: ViewSpan,
    /// The password, percent-decoded.
    pub value: Vec<u8>,
    /// Lower case, without the port.
    pub host: Vec<u8>,
}

const NONE: Dropped = Dropped("no URL with a password stands here");

/// Reads the URL in which the password at `inside` stands.
///
/// # Errors
/// When there is no such URL.
pub fn parse(text: &[u8], inside: ViewSpan, stretch: ViewSpan) -> Result<Url, Dropped> {
    let Range { start, end } = inside.range();
    let low = start.saturating_sub(REACH).max(stretch.start as usize);
    let before = text.get(low.min(start)..start).ok_or(NONE)?;
    let mark = memchr::memmem::rfind(before, b"://").ok_or(NONE)?;
    let scheme_len = before[..mark]
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b))
        .count();
    let scheme = before[mark - scheme_len..mark].to_ascii_lowercase();
    let from = start - before.len() + mark + 3;
    let high = end.saturating_add(REACH).min(stretch.end as usize);
    let rest = text.get(from..high.max(from)).ok_or(NONE)?;
    let authority = &rest[..authority_len(rest)];
    let at = memchr::memrchr(b'@', authority).ok_or(NONE)?;
    let colon = memchr::memchr(b':', &authority[..at]).ok_or(NONE)?;
    let password = ViewSpan::new(from + colon + 1, from + at);
    // Libraries for file systems write the owner and the repository there.
    if scheme == b"github" {
        return Err(Dropped("names a repository"));
    }
    if scheme.is_empty() || password.is_empty() {
        return Err(Dropped("the URL has no password"));
    }
    if !password.range().contains(&start) {
        return Err(NONE);
    }
    let host = host(&authority[at + 1..]);
    if host.is_empty() {
        return Err(Dropped("the URL has no host"));
    }
    Ok(Url {
        scheme,
        user: percent_decode(&authority[..colon]).into_owned(),
        value: percent_decode(&text[password.range()]).into_owned(),
        password,
        host,
    })
}

/// How long the part with user, password and host is. A `/` ends it even where a careless writer
/// left one in the password: what it would mean then is anybody's guess.
fn authority_len(rest: &[u8]) -> usize {
    let ends = |b: &u8| {
        *b <= b' '
            || matches!(
                b,
                b'/' | b'?' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | 0x7f..
            )
    };
    // A `#` or `?` inside a password is a mistake that drivers forgive when an `@` follows.
    rest.iter().position(ends).unwrap_or(rest.len())
}

fn host(text: &[u8]) -> Vec<u8> {
    let bracketed = text.starts_with(b"[");
    let len = text
        .iter()
        .position(|b| match bracketed {
            true => *b == b']',
            false => !(b.is_ascii_alphanumeric() || b"-._{}$%".contains(b)),
        })
        .map_or(text.len(), |at| at + usize::from(bracketed));
    text[..len].to_ascii_lowercase()
}

impl Url {
    /// Whether the whole is the pattern that manuals show: `user:password@host`.
    pub fn is_sample(&self) -> bool {
        let user = is_one_of(
            &self.user,
            &["user", "username", "usr", "u", "login", "userid"],
        );
        let password = is_one_of(
            &self.value,
            &[
                "password", "pass", "passwd", "pwd", "p", "pw", "secret", "passw0rd",
            ],
        );
        // The account that the manuals of Oracle, and after them all others, sign in with.
        let scott =
            self.user.eq_ignore_ascii_case(b"scott") && self.value.eq_ignore_ascii_case(b"tiger");
        let words = |text: &[u8]| text.iter().all(|b| b.is_ascii_uppercase() || *b == b'_');
        let shouted = words(&self.user) && words(&self.value) && self.value.contains(&b'_');
        (user && password) || scott || shouted || is_class(&self.value) || is_class(&self.user)
    }

    /// Whether the host is this machine, a name inside a network of containers, or made up.
    pub fn is_local(&self) -> bool {
        service::is_local_or_made_up(&self.host)
    }

    /// Whether the password is one that software comes with.
    pub fn has_usual_password(&self) -> bool {
        is_default_password(&self.user, &self.value)
    }

    pub fn service(&self) -> Option<Service> {
        service::of_host(&self.host)
    }

    /// What the URL leads to, such as `PostgreSQL`.
    pub fn service_name(&self) -> Option<&'static str> {
        if let Some(service) = self.service() {
            return Some(service.name);
        }
        const HOSTS: &[(&[u8], &str)] = &[
            (b"github.com", "GitHub"),
            (b"gitlab.com", "GitLab"),
            (b"bitbucket.org", "Bitbucket"),
            (b"dev.azure.com", "Azure DevOps"),
            (b"pkgs.dev.azure.com", "Azure Artifacts"),
            (b".visualstudio.com", "Azure DevOps"),
            (b".scm.azurewebsites.net", "Azure App Service deployment"),
            (b".mongodb.net", "MongoDB Atlas"),
            (b".snowflakecomputing.com", "Snowflake"),
        ];
        const SCHEMES: &[(&[u8], &str)] = &[
            (b"postgres", "PostgreSQL"),
            (b"cockroach", "CockroachDB"),
            (b"mysql", "MySQL"),
            (b"mariadb", "MariaDB"),
            (b"mongodb", "MongoDB"),
            (b"redis", "Redis"),
            (b"amqp", "AMQP broker"),
            (b"mssql", "SQL Server"),
            (b"sqlserver", "SQL Server"),
            (b"oracle", "Oracle Database"),
            (b"snowflake", "Snowflake"),
            (b"clickhouse", "ClickHouse"),
            (b"ftp", "FTP server"),
            (b"sftp", "SFTP server"),
            (b"ldap", "LDAP server"),
            (b"smtp", "mail server"),
            (b"imap", "mail server"),
            (b"mqtt", "MQTT broker"),
            (b"nats", "NATS server"),
        ];
        let by_host = HOSTS.iter().find(|(end, _)| self.host.ends_with(end));
        let by_scheme = SCHEMES.iter().find(|(s, _)| self.scheme.starts_with(s));
        by_host.or(by_scheme).map(|(_, name)| *name)
    }

    pub fn shown_host(&self) -> String {
        shown(&self.host)
    }
}

/// A piece of a regular expression or a format, in which the URL is a pattern for URLs.
fn is_class(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"[^").is_some()
        || matches!(text, b"%s" | b"%d" | b"%v" | b"{}" | b"?" | b".*" | b".+")
        || text.starts_with(b"(?")
}

/// Whether a password is one that software comes with or that everybody tries first.
pub fn is_default_password(user: &[u8], password: &[u8]) -> bool {
    const USUAL: &[&str] = &[
        "password",
        "passw0rd",
        "p@ssw0rd",
        "p@ssword",
        "pass",
        "passwd",
        "pwd",
        "postgres",
        "root",
        "guest",
        "admin",
        "administrator",
        "secret",
        "test",
        "testing",
        "user",
        "username",
        "mysql",
        "mariadb",
        "mongo",
        "mongodb",
        "redis",
        "rabbitmq",
        "rabbit",
        "toor",
        "sa",
        "letmein",
        "qwerty",
        "welcome",
        "1234",
        "12345",
        "123456",
        "1234567",
        "12345678",
        "123456789",
        "1234567890",
        "password1",
        "password123",
        "admin123",
        "root123",
        "test123",
        "pass123",
        "abc123",
        "dev",
        "local",
        "docker",
        "airflow",
        "minioadmin",
        "neo4j",
        "elastic",
        "changeme",
        "supersecret",
        "mysecretpassword",
        "mypassword",
        "yourstrong(!)password",
    ];
    (!user.is_empty() && user == password) || is_one_of(password, USUAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, password: &str) -> Result<Url, Dropped> {
        let at = text
            .find(password)
            .expect("the password stands in the text");
        let inside = ViewSpan::new(at, at + password.len());
        parse(text.as_bytes(), inside, ViewSpan::new(0, text.len()))
    }

    #[test]
    fn parts_of_a_url() {
        let pw = ["Zx9", "kW2", "pQ"].concat();
        let cases = [
            (
                format!("u = \"postgresql+psycopg2://me:{pw}@h.corp.net:5432/d\""),
                "h.corp.net",
            ),
            (
                format!("redis://:{pw}@cache.redis.cache.windows.net:6380"),
                "cache.redis.cache.windows.net",
            ),
            (format!("mongodb://me:{pw}@h1:27017,h2:27017/?x=y"), "h1"),
            (format!("http://me:{pw}@[::1]:80/"), "[::1]"),
            (format!("amqp://me:{pw}@H"), "h"),
        ];
        for (text, host) in &cases {
            let url = read(text, &pw).unwrap_or_else(|_| panic!("{host}"));
            assert_eq!(url.value, pw.as_bytes());
            assert_eq!(String::from_utf8_lossy(&url.host), *host);
            assert_eq!(&text[url.password.range()], pw);
        }
    }

    #[test]
    fn passwords_with_signs() {
        let raw = "a%40b%2Fc@d:e";
        let url = read(&format!("mysql://me:{raw}@h.net/x"), raw).expect("a URL");
        assert_eq!(url.value, b"a@b/c@d:e");
        assert_eq!(url.user, b"me");
        assert_eq!(url.host, b"h.net");
    }

    #[test]
    fn no_password_here() {
        for (text, part) in [
            ("git@host.net:org/repo", "org"),
            ("https://host.net:8080/path@x", "8080"),
            ("https://user@host.net/", "user"),
            ("https://me:a b@host.net/", "a b"),
            ("https://me:abcdef@/x", "abcdef"),
            ("github://owner:abcdef@main/x", "abcdef"),
        ] {
            assert!(read(text, part).is_err(), "{text}");
        }
    }

    #[test]
    fn weak_pairs_and_names() {
        // Put together here, so that this file holds no address with a password.
        let parts = |user: &str, password: &str, host: &str| {
            let text = format!("postgres://{user}:{password}@{host}/x");
            let url = read(&text, &format!("{password}@")).expect("a URL");
            (url.has_usual_password(), url.is_local(), url.service_name())
        };
        let usual = |user, password, host| {
            let (usual, local, _) = parts(user, password, host);
            (usual, local)
        };
        assert_eq!(usual("app", "tiger77", "localhost"), (false, true));
        assert_eq!(usual("app", "postgres", "db.corp.net"), (true, false));
        assert_eq!(usual("scott", "scott", "mq.corp.net"), (true, false));
        assert_eq!(usual("app", "tiger77", "db.corp.net"), (false, false));
        let (_, _, name) = parts("u", "tiger77", "s.postgres.database.azure.com");
        assert_eq!(name, Some("Azure Database for PostgreSQL"));
    }
}

//! Connection strings: `Key=Value;Key=Value` in any order, around one value that is secret.
//!
//! The secret alone says little; the host says whose it is, the policy what it may do, and some
//! strings turn out to be for an emulator or to need no secret at all. Like a query, the string is
//! found from the inside: outwards to the quote or line end that holds it, then cut with the
//! quoting rules of ADO.NET and ODBC.

use std::ops::Range;

use bstr::ByteSlice as _;
use sha2::{Digest, Sha256};

use super::service::{self, Service};
use super::text::{contains_any_ci, contains_ci, is_one_of, shown, starts_with_ci};
use crate::rules::check::Check;
use crate::span::ViewSpan;

/// How far on either side a string may reach.
const REACH: usize = Check::ConnectionString.reach() as usize;

/// A connection string, cut into its segments.
pub struct Connection<'t> {
    text: &'t [u8],
    segments: Vec<Segment>,
    /// The segment that holds the secret.
    slot: usize,
    /// Whether a quote or tag ends the string, so that spaces belong to its values.
    enclosed: bool,
}

struct Segment {
    /// Lower case, without spaces and underscores; empty for a segment without `=`.
    key: String,
    /// Without quotes or braces around.
    value: Range<usize>,
}

/// Reads the string around the secret.
pub fn parse(text: &[u8], secret: ViewSpan, stretch: ViewSpan) -> Option<Connection<'_>> {
    let Range { start, end } = secret.range();
    if start > end || end > text.len() {
        return None;
    }
    let low = start.saturating_sub(REACH).max(stretch.start as usize);
    let high = end.saturating_add(REACH).min(stretch.end as usize);
    let from = left_end(text, low.min(start), start);
    let (to, enclosed) = right_end(text, start, end, high.clamp(end, text.len()));
    let mut cutter = Cutter {
        text,
        secret: start,
        end: to,
        separator: separator(text, from..to, start),
    };
    let segments = cutter.segments(from);
    // Behind more than a mark it belongs to another key, which nothing parts from this one.
    let is_slot = |segment: &Segment| {
        let value = &segment.value;
        let opened = |from| text[from..start].iter().all(|b| is_quote(*b) || *b == b'{');
        value.contains(&start) && !segment.key.is_empty() && opened(value.start)
    };
    let slot = segments.iter().position(is_slot)?;
    Some(Connection {
        text,
        segments,
        slot,
        enclosed,
    })
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// The start of the string, searched from `at` down to `low`.
fn left_end(text: &[u8], low: usize, mut at: usize) -> usize {
    while at > low {
        let byte = text[at - 1];
        let next = text.get(at).copied();
        match byte {
            b'\n' | b'\r' => {
                let above = trim_end(&text[low..at]);
                if above.last() != Some(&b';') || !starts_with_key(&text[at..]) {
                    break;
                }
                at = low + above.len();
            }
            b'<' if at < 2 || text[at - 2] != b'=' => break,
            b'>' if next != Some(b';') => break,
            quote if is_quote(quote) => {
                if opens_value(&text[low..at - 1]) {
                    at -= 1;
                    continue;
                }
                match memchr::memrchr(quote, &text[low..at - 1]) {
                    Some(open)
                        if next == Some(b';') && text[low..low + open].last() == Some(&b'=') =>
                    {
                        at = low + open;
                    }
                    _ => break,
                }
            }
            _ => at -= 1,
        }
    }
    at
}

/// Whether `before` ends in `;Key=`, so that a quote after it opens a value and not a string.
fn opens_value(before: &[u8]) -> bool {
    let Some(before) = before.strip_suffix(b"=") else {
        return false;
    };
    let key = before.iter().rev().take_while(|b| is_key_byte(**b)).count();
    key > 0 && before[..before.len() - key].last() == Some(&b';')
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-' | b'.')
}

/// The end of the string, and whether a quote or a tag ends it.
fn right_end(text: &[u8], secret: usize, from: usize, high: usize) -> (usize, bool) {
    let mut inner = secret
        .checked_sub(1)
        .map(|at| text[at])
        .filter(|b| is_quote(*b) && opens_value(&text[..secret - 1]));
    let mut at = from;
    while at < high {
        let byte = text[at];
        match byte {
            b'\n' | b'\r' => {
                let below = at + (text[at..high].len() - trim_start(&text[at..high]).len());
                if trim_end(&text[..at]).last() != Some(&b';') || !starts_with_key(&text[below..]) {
                    return (at, false);
                }
                at = below;
            }
            b'<' | b'>' if byte == b'>' || at == 0 || text[at - 1] != b'=' => return (at, true),
            b'<' => match memchr::memchr(b'>', &text[at..high.min(at + 64)]) {
                Some(close) => at += close + 1,
                None => return (at, true),
            },
            quote if inner == Some(quote) => {
                inner = None;
                at += 1;
            }
            quote if is_quote(quote) => {
                let closed = (at > 0 && text[at - 1] == b'=')
                    .then(|| memchr::memchr(quote, &text[at + 1..high]))
                    .flatten()
                    .map(|close| at + close + 2);
                match closed {
                    Some(after) if matches!(text.get(after), Some(b';' | b'"' | b'\'')) => {
                        at = after
                    }
                    _ => return (at, true),
                }
            }
            _ => at += 1,
        }
    }
    (at, false)
}

fn trim_end(text: &[u8]) -> &[u8] {
    text.trim_ascii_end()
}

fn trim_start(text: &[u8]) -> &[u8] {
    text.trim_ascii_start()
}

/// Whether a line starts with a key that connection strings are known to have.
fn starts_with_key(line: &[u8]) -> bool {
    let line = trim_start(line);
    let key = line
        .iter()
        .take(48)
        .take_while(|b| is_key_byte(**b))
        .count();
    line.get(key) == Some(&b'=') && is_known(&normal(&line[..key]))
}

/// What stands between segments: `;`, in Redis strings `,`, in libpq strings a space.
fn separator(text: &[u8], region: Range<usize>, secret: usize) -> u8 {
    if memchr::memchr(b';', &text[region.clone()]).is_some() {
        return b';';
    }
    let before = trim_end(&text[region.start..secret.max(region.start)]);
    let before = before.strip_suffix(b"=").unwrap_or(before);
    let key = before.iter().rev().take_while(|b| is_key_byte(**b)).count();
    match before[..before.len() - key].last() {
        Some(b',') => b',',
        _ => b' ',
    }
}

struct Cutter<'t> {
    text: &'t [u8],
    /// Where the secret starts.
    secret: usize,
    end: usize,
    separator: u8,
}

impl Cutter<'_> {
    fn segments(&mut self, mut at: usize) -> Vec<Segment> {
        const MOST: usize = 64;
        let mut segments = Vec::new();
        while at < self.end && segments.len() < MOST {
            at = self.skip_blanks(at);
            let (segment, next) = self.segment(at);
            segments.push(segment);
            at = next + 1;
        }
        segments
    }

    fn segment(&self, start: usize) -> (Segment, usize) {
        let stop = self.find_separator(start);
        let Some(equals) = memchr::memchr(b'=', &self.text[start..stop]) else {
            let value = trimmed(self.text, start..stop);
            let key = String::new();
            return (Segment { key, value }, stop);
        };
        let mut key = key_at_end(&self.text[start..start + equals]);
        let mut from = start + equals + 1;
        // A variable before the first key: `CONN=Server=...`.
        while !is_known(&key) {
            let rest = &self.text[from..stop];
            let Some(equals) = memchr::memchr(b'=', rest) else {
                break;
            };
            let inner = key_at_end(&rest[..equals]);
            if !is_known(&inner) {
                break;
            }
            key = inner;
            from += equals + 1;
        }
        // The secret is given to the name right before it, whatever stands before that.
        if (from..stop).contains(&self.secret) {
            (key, from) = self.slot(from).unwrap_or((key, from));
        }
        let (value, next) = self.value(self.skip_blanks(from).min(self.end), stop);
        (Segment { key, value }, next)
    }

    /// The key that the secret is given to, and where its value starts, if that is behind `from`.
    fn slot(&self, from: usize) -> Option<(String, usize)> {
        let before = &self.text[from..self.secret];
        let before = before.trim_end_with(|c| c.is_ascii_whitespace() || "\"'`{".contains(c));
        let before = before.strip_suffix(b"=")?;
        let last = memchr::memrchr2(b'=', b'&', before).map_or(0, |at| at + 1);
        let key = key_at_end(&before[last..]);
        is_known(&key).then(|| (key, from + before.len() + 1))
    }

    /// A value from `start`, and where its separator stands.
    fn value(&self, start: usize, stop: usize) -> (Range<usize>, usize) {
        let close = match self.text.get(start) {
            Some(&quote) if is_quote(quote) => quote,
            Some(b'{') => b'}',
            _ => return (trimmed(self.text, start..stop.max(start)), stop),
        };
        let mut at = start + 1;
        while let Some(found) = self
            .text
            .get(at..self.end)
            .and_then(|t| memchr::memchr(close, t))
        {
            let end = at + found;
            if self.text.get(end + 1) == Some(&close) && end + 1 < self.end {
                at = end + 2;
                continue;
            }
            let next = self.skip_blanks(end + 1);
            if next >= self.end || self.text[next] == self.separator || self.separator == b' ' {
                return (start + 1..end, next);
            }
            break;
        }
        (trimmed(self.text, start..stop.max(start)), stop)
    }

    fn find_separator(&self, from: usize) -> usize {
        let text = &self.text[from.min(self.end)..self.end];
        let found = match self.separator {
            b' ' => text.iter().position(u8::is_ascii_whitespace),
            other => memchr::memchr(other, text),
        };
        from.min(self.end) + found.unwrap_or(text.len())
    }

    fn skip_blanks(&self, at: usize) -> usize {
        let text = self.text.get(at..self.end).unwrap_or_default();
        at + (text.len() - trim_start(text).len())
    }
}

fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let value = &text[range.clone()];
    let start = range.start + (value.len() - trim_start(value).len());
    start..(range.start + trim_end(value).len()).max(start)
}

/// The key at the end of the text before `=`: of `--connection-string Server` only the last word.
fn key_at_end(before: &[u8]) -> String {
    let whole = normal(before);
    if is_known(&whole) {
        return whole;
    }
    let words: Vec<&[u8]> = before
        .split(|b| b.is_ascii_whitespace() || matches!(b, b':' | b'(' | b'=' | b'?'))
        .filter(|word| !word.is_empty())
        .collect();
    for count in [2, 1] {
        let Some(last) = words.len().checked_sub(count).map(|at| &words[at..]) else {
            continue;
        };
        let key = normal(&last.concat());
        if is_known(&key) {
            return key;
        }
    }
    whole
}

fn normal(key: &[u8]) -> String {
    let letters = key
        .iter()
        .filter(|b| !matches!(b, b' ' | b'_' | b'\t' | b'\r' | b'\n'));
    letters.map(|b| b.to_ascii_lowercase() as char).collect()
}

fn is_known(key: &str) -> bool {
    KEYS.contains(&key)
}

/// Keys, normal, that show a connection string.
const KEYS: &[&str] = &[
    "accesskey",
    "accesskeyname",
    "accountendpoint",
    "accountkey",
    "accountname",
    "addr",
    "address",
    "apikey",
    "applicationname",
    "authentication",
    "authtype",
    "blobendpoint",
    "blobsecondaryendpoint",
    "connecttimeout",
    "connectiontimeout",
    "database",
    "datasource",
    "dbname",
    "defaultendpointsprotocol",
    "developmentstorageproxyuri",
    "deviceid",
    "driver",
    "encrypt",
    "endpoint",
    "endpointsuffix",
    "entitypath",
    "fileendpoint",
    "gatewayhostname",
    "host",
    "hostname",
    "hostnameincertificate",
    "id",
    "initialcatalog",
    "integratedsecurity",
    "logintimeout",
    "moduleid",
    "multipleactiveresultsets",
    "networkaddress",
    "password",
    "persistsecurityinfo",
    "port",
    "provider",
    "pwd",
    "queueendpoint",
    "secret",
    "server",
    "servername",
    "sharedaccesskey",
    "sharedaccesskeyname",
    "sharedaccesssignature",
    "sharedsecretissuer",
    "sharedsecretvalue",
    "ssl",
    "sslmode",
    "tableendpoint",
    "transporttype",
    "trustedconnection",
    "trustservercertificate",
    "uid",
    "usedevelopmentemulator",
    "usedevelopmentstorage",
    "user",
    "userid",
    "username",
    "version",
];

impl<'t> Connection<'t> {
    fn get(&self, key: &str) -> Option<&'t [u8]> {
        let segment = self.segments.iter().find(|s| s.key == key)?;
        Some(&self.text[segment.value.clone()])
    }

    fn first_of(&self, keys: &[&str]) -> Option<&'t [u8]> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// How many `Key=Value` pairs there are besides the secret's own.
    pub fn others(&self) -> usize {
        let named = self.segments.iter().filter(|s| is_known(&s.key));
        named.count().saturating_sub(1)
    }

    /// Whether the secret is a key that a service made, by the name of its slot.
    pub fn holds_key(&self) -> bool {
        !matches!(&*self.segments[self.slot].key, "password" | "pwd") || self.is_redis()
    }

    fn is_redis(&self) -> bool {
        self.service().is_some_and(|s| s == service::REDIS)
    }

    /// Where the whole secret stands.
    pub fn secret(&self) -> ViewSpan {
        let range = self.segments[self.slot].value.clone();
        let value = &self.text[range.clone()];
        let keeps = |b: u8| match (self.holds_key(), self.enclosed) {
            (true, _) => b.is_ascii_alphanumeric() || b"+/=_-%".contains(&b),
            (false, true) => true,
            (false, false) => !b.is_ascii_whitespace(),
        };
        let mut len = value.iter().take_while(|b| keeps(**b)).count();
        // The backslash of an escaped quote that ends the string.
        if self.enclosed && value[..len].ends_with(b"\\") {
            len -= 1;
        }
        ViewSpan::new(range.start, range.start + len)
    }

    pub fn value(&self) -> &'t [u8] {
        &self.text[self.secret().range()]
    }

    /// The host that the string leads to, lower case.
    pub fn host(&self) -> Option<Vec<u8>> {
        const ENDPOINTS: &[&str] = &[
            "accountendpoint",
            "endpoint",
            "tableendpoint",
            "blobendpoint",
            "queueendpoint",
            "fileendpoint",
            "hostname",
            "server",
            "datasource",
            "servername",
            "host",
            "addr",
            "address",
            "networkaddress",
        ];
        let host = self.first_of(ENDPOINTS).or_else(|| {
            let bare = self.segments.iter().find(|s| s.key.is_empty())?;
            Some(&self.text[bare.value.clone()]).filter(|v| v.contains(&b'.'))
        });
        if let Some(host) = host.map(host_of).filter(|h| !h.is_empty()) {
            return Some(host);
        }
        let account = self.get("accountname")?;
        let suffix = self.get("endpointsuffix").unwrap_or(b"core.windows.net");
        Some([account, b".", suffix].concat().to_ascii_lowercase())
    }

    /// The service, by its host and else by the keys.
    pub fn service(&self) -> Option<Service> {
        let host = self.host().unwrap_or_default();
        let found = service::of_host(&host).or_else(|| self.service_by_keys())?;
        if found == service::IOT_HUB && self.get("deviceid").is_some() {
            return Some(service::IOT_DEVICE);
        }
        if found == service::MESSAGING {
            return Some(self.messaging());
        }
        Some(found)
    }

    /// Which of the messaging services, as far as the key's own mark tells.
    fn messaging(&self) -> Service {
        match self.value_of_slot().get(33..37) {
            Some(b"+ASb") => service::SERVICE_BUS,
            Some(b"+AEh") => service::EVENT_HUBS,
            Some(b"+ARm") => service::RELAY,
            _ => service::MESSAGING,
        }
    }

    fn value_of_slot(&self) -> &'t [u8] {
        &self.text[self.segments[self.slot].value.clone()]
    }

    fn service_by_keys(&self) -> Option<Service> {
        let slot = &*self.segments[self.slot].key;
        let driver = self.get("driver").unwrap_or_default();
        if slot == "accountkey" {
            let cosmos = self.get("accountendpoint").is_some();
            return Some(if cosmos {
                service::COSMOS
            } else {
                service::STORAGE
            });
        }
        if matches!(slot, "sharedaccesskey" | "sharedsecretvalue") {
            let device = self.get("deviceid").is_some();
            return Some(if device {
                service::IOT_DEVICE
            } else {
                service::MESSAGING
            });
        }
        if !matches!(slot, "password" | "pwd") {
            return None;
        }
        if contains_ci(driver, b"postgres") || self.get("dbname").is_some() {
            return Some(service::POSTGRES);
        }
        if contains_any_ci(driver, &["mysql", "mariadb"]) || self.get("port") == Some(b"3306") {
            return Some(service::MYSQL);
        }
        if self.get("port") == Some(b"5432") {
            return Some(service::POSTGRES);
        }
        let server = self.first_of(&["server", "datasource", "addr", "address"]);
        server.is_some().then_some(service::SQL_SERVER)
    }

    /// The policy or rule that the key belongs to.
    pub fn policy(&self) -> Option<String> {
        let name = self.first_of(&["sharedaccesskeyname", "sharedsecretissuer"])?;
        Some(shown(name)).filter(|name| !name.is_empty())
    }

    /// The host, fit to be shown.
    pub fn shown_host(&self) -> Option<String> {
        Some(shown(&self.host()?)).filter(|name| !name.is_empty())
    }

    /// Why there is no secret here, if there is none.
    pub fn harmless(&self) -> Option<&'static str> {
        let yes = |v: &[u8]| is_one_of(v, &["true", "yes", "sspi"]);
        let is_yes = |key| self.get(key).is_some_and(yes);
        if is_yes("usedevelopmentstorage") || is_yes("usedevelopmentemulator") {
            return Some("is for the emulator");
        }
        let account = self.get("accountname").unwrap_or_default();
        if account.eq_ignore_ascii_case(b"devstoreaccount1") || is_emulator_key(self.value()) {
            return Some("is the emulator's public key");
        }
        if self.points_to_emulator() {
            return Some("is for an emulator on this machine");
        }
        if self.holds_key() {
            return None;
        }
        if is_yes("integratedsecurity") || is_yes("trustedconnection") {
            return Some("signs in with the user's own account, not with a password");
        }
        let method = self.get("authentication").unwrap_or_default();
        (starts_with_ci(&compact(method), b"activedirectory") && !takes_secret(method))
            .then_some("signs in through Entra ID without a password")
    }

    fn points_to_emulator(&self) -> bool {
        let local = self.host().is_some_and(|host| {
            matches!(
                &*host,
                b"127.0.0.1" | b"localhost" | b"host.docker.internal"
            )
        });
        let azure = matches!(
            &*self.segments[self.slot].key,
            "accountkey" | "accesskey" | "sharedaccesskey"
        );
        local && azure
    }
}

fn compact(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|b| *b != b' ').collect()
}

/// Whether this Entra sign-in method still uses the password field.
fn takes_secret(method: &[u8]) -> bool {
    contains_any_ci(&compact(method), &["password", "serviceprincipal"])
}

/// The host inside an endpoint, a server with port or an address.
fn host_of(value: &[u8]) -> Vec<u8> {
    let after_scheme = memchr::memmem::find(value, b"://").map_or(value, |at| &value[at + 3..]);
    let mut host = after_scheme;
    for prefix in [&b"tcp:"[..], b"np:", b"lpc:"] {
        if starts_with_ci(host, prefix) {
            host = &host[prefix.len()..];
        }
    }
    let end = host
        .iter()
        .position(|b| matches!(b, b'/' | b':' | b',' | b'\\' | b'?' | b' '))
        .unwrap_or(host.len());
    host[..end].to_ascii_lowercase()
}

/// Whether `key` is one of the fixed keys that every storage or Cosmos DB emulator has. They are
/// kept as hashes so that this file holds nothing that looks like a key.
pub fn is_emulator_key(key: &[u8]) -> bool {
    const LENGTH: usize = 88;
    if key.len() != LENGTH || !key.ends_with(b"==") {
        return false;
    }
    let hash = Sha256::digest(key);
    EMULATOR_KEYS.iter().any(|known| hash[..8] == known[..])
}

/// The first eight bytes of the SHA-256 of each key, which is more than enough for two values.
const EMULATOR_KEYS: [[u8; 8]; 2] = [
    [0x00, 0x11, 0xcc, 0x25, 0xeb, 0x43, 0x20, 0x71],
    [0xaa, 0x65, 0x47, 0x43, 0x95, 0x83, 0xc3, 0xa2],
];

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;

//! Shared access signatures: Storage, Service Bus and its kin, Logic Apps.
//!
//! Everything needed to say how bad one is stands in its query: scope, permissions, expiry, who
//! signed it. The signature itself is 32 bytes; all else is public once the signature is gone.

use super::date::{self, DAY, YEAR};
use super::query::{self, Query};
use super::text::{base64, shown};
use crate::judge::Dropped;
use crate::rules::Severity;
use crate::span::ViewSpan;

/// A parsed signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sas {
    pub kind: Kind,
    pub scope: Scope,
    /// Where the raw signature stands.
    pub signature: ViewSpan,
    /// The signature, percent-decoded.
    pub value: Vec<u8>,
    pub permissions: Vec<u8>,
    pub starts: Option<i64>,
    pub expires: Expiry,
    /// The stored access policy or authorization rule that it refers to.
    pub policy: Option<String>,
    pub host: Option<String>,
    /// The container, share or entity.
    pub resource: Option<String>,
    /// Only one address may use it.
    pub one_address: bool,
    /// Of no use without the own token of the user whom it names.
    pub needs_user: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Account,
    Service,
    UserDelegation,
    Messaging,
    Workflow,
}

/// What a signature opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A whole storage account, and whether services or containers themselves are included.
    Account {
        lists: bool,
    },
    Container,
    Directory,
    Share,
    File,
    Blob,
    Table,
    Queue,
    Entity,
    Workflow,
}

/// When a signature ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    At(i64),
    /// A policy on the server knows.
    Policy,
    Never,
    /// A date is there, but cannot be read.
    Unreadable,
}

/// What a signature's parts say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating {
    pub severity: Severity,
    pub reasons: Vec<String>,
    pub title: &'static str,
    pub grants: String,
}

const NAMES: &[&str] = &[
    "sv", "ss", "srt", "sr", "sp", "st", "se", "si", "sip", "sig", "skn", "skoid", "ske", "sduoid",
    "tn", "sdd",
];

const NOT_ONE: Dropped = Dropped("has not the parts of a shared access signature");

/// Reads the query around the signature that stands, at least in part, at `inside`.
///
/// # Errors
/// When this is no shared access signature, or no real one.
pub fn parse(text: &[u8], inside: ViewSpan, stretch: ViewSpan) -> Result<Sas, Dropped> {
    let query = query::around(text, inside, stretch, NAMES).ok_or(NOT_ONE)?;
    let raw = query.span("sig").ok_or(NOT_ONE)?;
    if !raw.contains(&(inside.start as usize)) {
        return Err(NOT_ONE);
    }
    let signature = text[raw.clone()]
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || b"%+/_-=".contains(b))
        .count();
    let mut value = query.get("sig").ok_or(NOT_ONE)?.into_owned();
    value.truncate(value.iter().take_while(|b| is_base64(**b)).count());
    if base64(&value).is_none_or(|bytes| bytes.len() != 32) {
        return Err(Dropped("the signature is not 32 bytes"));
    }
    let kind = kind(&query).ok_or(NOT_ONE)?;
    Ok(Sas {
        kind,
        scope: scope(&query, kind),
        signature: ViewSpan::new(raw.start, raw.start + signature),
        value,
        permissions: query.get("sp").map_or_else(Vec::new, |p| p.into_owned()),
        starts: query.get("st").and_then(|at| date::parse(&at)),
        expires: expiry(&query, kind),
        policy: query
            .get("si")
            .or_else(|| query.get("skn"))
            .map(|name| shown(&name))
            .filter(|name| !name.is_empty()),
        host: host(&query, kind),
        resource: resource(&query, kind),
        one_address: query
            .get("sip")
            .is_some_and(|a| !a.is_empty() && !a.contains(&b'-')),
        needs_user: query.has("sduoid"),
    })
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/_-=".contains(&byte)
}

fn kind(query: &Query<'_>) -> Option<Kind> {
    let permissions = query.get("sp");
    let Some(version) = query.get("sv") else {
        let moment = query.get("se").and_then(|at| date::number(&at));
        return (query.has("sr") && moment.is_some()).then_some(Kind::Messaging);
    };
    if &*version == b"1.0" {
        let triggers = permissions.is_some_and(|p| p.starts_with(b"/triggers"));
        return triggers.then_some(Kind::Workflow);
    }
    date::parse(&version)?;
    if !query.has("se") && !query.has("si") && !query.has("sp") {
        return None;
    }
    Some(if query.has("skoid") {
        Kind::UserDelegation
    } else if query.has("ss") && query.has("srt") {
        Kind::Account
    } else {
        Kind::Service
    })
}

fn scope(query: &Query<'_>, kind: Kind) -> Scope {
    match kind {
        Kind::Account => {
            let types = query.get("srt").unwrap_or_default();
            let lists = types.iter().any(|t| matches!(t, b's' | b'c'));
            return Scope::Account { lists };
        }
        Kind::Messaging => return Scope::Entity,
        Kind::Workflow => return Scope::Workflow,
        Kind::Service | Kind::UserDelegation => {}
    }
    match query.get("sr").as_deref() {
        Some(b"c") => Scope::Container,
        Some(b"d") => Scope::Directory,
        Some(b"s") => Scope::Share,
        Some(b"f") => Scope::File,
        Some(_) => Scope::Blob,
        None if query.has("tn") => Scope::Table,
        None => Scope::Queue,
    }
}

fn expiry(query: &Query<'_>, kind: Kind) -> Expiry {
    let end = query.get("se");
    let moment = match (&end, kind) {
        (Some(end), Kind::Messaging) => date::number(end).map(|n| {
            // IoT Central counts in milliseconds.
            const IN_SECONDS: i64 = 100_000_000_000;
            if n > IN_SECONDS { n / 1000 } else { n }
        }),
        (Some(end), _) => date::parse(end),
        (None, _) => None,
    };
    let key_end = query.get("ske").and_then(|end| date::parse(&end));
    match (moment, key_end) {
        (Some(at), Some(key)) => Expiry::At(at.min(key)),
        (Some(at), None) | (None, Some(at)) => Expiry::At(at),
        (None, None) if end.is_some() => Expiry::Unreadable,
        (None, None) if query.has("si") => Expiry::Policy,
        (None, None) => Expiry::Never,
    }
}

fn host(query: &Query<'_>, kind: Kind) -> Option<String> {
    if kind == Kind::Messaging {
        let entity = query.get("sr")?;
        return Some(shown(&entity)).filter(|name| !name.is_empty());
    }
    let (host, _) = query.host_and_path()?;
    Some(shown(&host)).filter(|name| !name.is_empty())
}

fn resource(query: &Query<'_>, kind: Kind) -> Option<String> {
    if kind == Kind::Messaging {
        return None;
    }
    if let Some(table) = query.get("tn") {
        return Some(shown(&table)).filter(|name| !name.is_empty());
    }
    let (_, path) = query.host_and_path()?;
    let first = path.split(|&b| b == b'/').find(|part| !part.is_empty())?;
    Some(shown(first)).filter(|name| !name.is_empty())
}

impl Sas {
    /// Whether the permissions let the holder change something.
    pub fn writes(&self) -> bool {
        self.permissions.iter().any(|p| b"wcdxyopu".contains(p))
    }

    fn reads(&self) -> bool {
        self.permissions.contains(&b'r')
    }

    fn lists(&self) -> bool {
        self.permissions.contains(&b'l')
    }

    pub fn expired(&self, now: i64) -> Option<i64> {
        match self.expires {
            Expiry::At(at) if at <= now => Some(at),
            _ => None,
        }
    }

    /// How bad it is at the moment `now`, and why.
    pub fn rate(&self, now: i64) -> Rating {
        let grants = self.grants();
        let mut reasons = vec![self.summary(&grants)];
        let severity = match self.expired(now) {
            Some(at) => {
                reasons.push(format!("expired on {}", date::day(at)));
                Severity::Low
            }
            None => self.adjusted(now, &mut reasons),
        };
        Rating {
            severity,
            reasons,
            title: self.title(),
            grants,
        }
    }

    /// Severity by scope and permissions alone.
    fn base(&self) -> Severity {
        let by_policy = self.permissions.is_empty();
        match self.scope {
            Scope::Account { lists: true } if self.writes() => Severity::Critical,
            Scope::Account { .. } | Scope::Table => Severity::High,
            Scope::Container | Scope::Directory | Scope::Share => {
                if self.writes() || by_policy || (self.reads() && self.lists()) {
                    Severity::High
                } else {
                    Severity::Medium
                }
            }
            Scope::Queue if self.writes() => Severity::High,
            Scope::Queue | Scope::Blob | Scope::File | Scope::Workflow => Severity::Medium,
            Scope::Entity if self.all_rights() => Severity::High,
            Scope::Entity => Severity::Medium,
        }
    }

    fn all_rights(&self) -> bool {
        self.policy
            .as_deref()
            .is_some_and(super::service::is_root_policy)
    }

    fn adjusted(&self, now: i64, reasons: &mut Vec<String>) -> Severity {
        let mut severity = self.base();
        if self.one_address {
            reasons.push("only one address may use it".into());
            severity = severity.lower();
        }
        if self.needs_user {
            reasons.push("works only together with the named user's own token".into());
            severity = severity.lower();
        }
        match self.expires {
            Expiry::At(at) if at.saturating_sub(now) < DAY => {
                reasons.push("has less than a day to live".into());
                severity = severity.lower();
            }
            Expiry::At(at) if at.saturating_sub(self.starts.unwrap_or(now)) > YEAR => {
                reasons.push("lives longer than a year".into());
                severity = severity.raise();
            }
            Expiry::At(_) => {}
            Expiry::Policy => reasons.push("a stored policy sets its end and can revoke it".into()),
            Expiry::Unreadable => reasons.push("its end is not a date".into()),
            Expiry::Never => {
                reasons.push("never expires".into());
                severity = severity.raise();
            }
        }
        if self.starts.is_some_and(|start| start > now) {
            reasons.push("is not valid yet".into());
        }
        severity
    }

    fn summary(&self, grants: &str) -> String {
        let mut text = format!("allows {grants}");
        if let Some(host) = &self.host {
            text.push_str(if self.kind == Kind::Messaging {
                " of "
            } else {
                " on "
            });
            text.push_str(host);
        }
        if let Expiry::At(at) = self.expires {
            text.push_str(" until ");
            text.push_str(&date::day(at));
        }
        text
    }

    /// What the holder can do, in words.
    fn grants(&self) -> String {
        if self.kind == Kind::Workflow {
            return "starting the workflow".into();
        }
        if self.kind == Kind::Messaging {
            return match &self.policy {
                Some(rule) if self.all_rights() => {
                    format!("all that the rule {rule} may, which is everything,")
                }
                Some(rule) => format!("what the rule {rule} may"),
                None => "the rights of the key that signed it".into(),
            };
        }
        let words: Vec<&str> = self
            .permissions
            .iter()
            .filter_map(|&p| self.permission(p))
            .collect();
        let what = match (words.is_empty(), &self.policy) {
            (false, _) => words.join(", "),
            (true, Some(policy)) => format!("what the stored policy {policy} says"),
            (true, None) => "access".into(),
        };
        format!("{what} on {}", self.place())
    }

    fn place(&self) -> String {
        let (what, named) = match self.scope {
            Scope::Account { .. } => return "the whole storage account".into(),
            Scope::Container => ("the whole container", true),
            Scope::Directory => ("a directory of container", true),
            Scope::Share => ("the whole share", true),
            Scope::File => ("one file of share", true),
            Scope::Blob => ("one blob of container", true),
            Scope::Table => ("the table", true),
            Scope::Queue => ("the queue", true),
            Scope::Entity | Scope::Workflow => ("it", false),
        };
        match &self.resource {
            Some(name) if named => format!("{what} {name}"),
            _ => what
                .trim_end_matches(" of container")
                .trim_end_matches(" of share")
                .into(),
        }
    }

    fn permission(&self, letter: u8) -> Option<&'static str> {
        let processes = matches!(self.scope, Scope::Account { .. } | Scope::Queue);
        Some(match letter {
            b'r' => "read",
            b'a' => "add",
            b'c' => "create",
            b'w' => "write",
            b'd' => "delete",
            b'x' => "delete versions",
            b'y' => "delete for good",
            b'l' => "list",
            b't' => "tag",
            b'f' => "find by tag",
            b'm' => "move",
            b'e' => "execute",
            b'o' => "change owners",
            b'p' if processes => "process",
            b'p' => "change permissions",
            b'u' => "update",
            b'i' => "set immutability",
            _ => return None,
        })
    }

    fn title(&self) -> &'static str {
        match (self.kind, self.scope) {
            (Kind::Account, _) => "Azure Storage account SAS",
            (Kind::UserDelegation, _) => "Azure Storage user delegation SAS",
            (Kind::Messaging, _) if self.is_iot() => "Azure IoT Hub SAS token",
            (Kind::Messaging, _) => "Azure messaging SAS token",
            (Kind::Workflow, _) => "Azure Logic App callback URL",
            (_, Scope::Container) => "Azure Storage container SAS",
            (_, Scope::Share | Scope::File) => "Azure Files SAS",
            (_, Scope::Table) => "Azure Table Storage SAS",
            (_, Scope::Queue) => "Azure Queue Storage SAS",
            _ => "Azure Storage blob SAS",
        }
    }

    fn is_iot(&self) -> bool {
        let host = self.host.as_deref().unwrap_or_default();
        host.contains("azure-devices")
    }
}

#[cfg(test)]
#[path = "sas_tests.rs"]
mod tests;

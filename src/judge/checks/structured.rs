//! Checks of secrets with parts: each parses, drops what opens nothing, and writes what it learned.

use super::super::placeholder::Placeholders;
use super::super::structure::connection::{self, Connection};
use super::super::structure::text::is_one_of;
use super::super::structure::{basic as basic_pair, jwt as token, pem as block, sas as signature};
use super::super::structure::{service, url as address};
use super::super::{Assessment, Dropped, Probe, ProofKind};
use super::keys::{self, Sum};
use super::weaken;
use crate::rules::Severity;

pub fn sas(
    probe: &Probe<'_>,
    placeholders: &Placeholders,
    found: &mut Assessment,
) -> Result<(), Dropped> {
    let sas = signature::parse(probe.text, probe.secret, probe.stretch)?;
    refuse(placeholders, &sas.value)?;
    let rating = sas.rate(probe.now);
    found.prove(
        ProofKind::Structure,
        "a query with the parts of a shared access signature and 32 bytes of it",
    );
    found.severity = rating.severity;
    found.title = Some(rating.title.into());
    found.grants = Some(rating.grants.into());
    found
        .reasons
        .extend(rating.reasons.into_iter().map(Into::into));
    found.secret = sas.signature;
    found.value = Some(sas.value);
    Ok(())
}

fn refuse(placeholders: &Placeholders, value: &[u8]) -> Result<(), Dropped> {
    placeholders
        .reason(value)
        .map_or(Ok(()), |reason| Err(Dropped(reason)))
}

pub fn connection(
    probe: &Probe<'_>,
    placeholders: &Placeholders,
    found: &mut Assessment,
) -> Result<(), Dropped> {
    let Some(string) = connection::parse(probe.text, probe.secret, probe.stretch) else {
        found.doubt("stands in no connection string");
        return Ok(());
    };
    if let Some(reason) = string.harmless() {
        return Err(Dropped(reason));
    }
    refuse(placeholders, string.value())?;
    if let Some(reason) = super::super::reference::of_value(string.value()) {
        return Err(Dropped(reason));
    }
    found.secret = string.secret();
    describe(&string, found);
    if string.holds_key() {
        key_in(&string, found);
    } else {
        password_in(&string, found);
    }
    if let Some(policy) = string.policy() {
        judge_policy(&string, &policy, found);
    }
    Ok(())
}

/// Title, severity and host, as the service tells them.
fn describe(string: &Connection<'_>, found: &mut Assessment) {
    if let Some(service) = string.service() {
        found.title = Some(format!("{} {}", service.name, service.form).into());
        found.grants = Some(service.grants.into());
        found.severity = service.severity;
        found.rotated_as = service::rotated_as(service.name);
    }
    if let Some(host) = string.shown_host() {
        found.because(format!("for {host}"));
    }
}

fn key_in(string: &Connection<'_>, found: &mut Assessment) {
    let title = found.title.clone();
    let value = string.value();
    match keys::microsoft(value, found) {
        Sum::Proven => {
            // The string's own title names the service as well as the key's does.
            let role = std::mem::replace(&mut found.title, title);
            if let Some(role) = role {
                found.because(format!("the key is: {role}"));
            }
        }
        Sum::Wrong => found.doubt("the checksum of the key does not hold"),
        Sum::Silent => {}
        Sum::None if keys::is_key(value) => {
            if string.others() > 0 {
                found.prove(
                    ProofKind::Structure,
                    "a connection string whose key has the right length",
                );
            }
        }
        Sum::None => found.doubt("the value does not decode to a key"),
    }
}

fn password_in(string: &Connection<'_>, found: &mut Assessment) {
    if string
        .host()
        .is_some_and(|host| service::is_local_or_made_up(&host))
    {
        weaken(found, "the host is local or made up");
    } else if address::is_default_password(b"", string.value()) {
        weaken(found, "the password is a usual default");
    }
}

fn judge_policy(string: &Connection<'_>, policy: &str, found: &mut Assessment) {
    if service::is_root_policy(policy) {
        found.because(format!("the rule {policy} has all rights"));
        found.grants = Some("send, receive and manage everything in the namespace".into());
        found.severity = Severity::Critical;
        return;
    }
    found.because(format!("by the policy {policy}"));
    let reads_only = is_one_of(
        policy.as_bytes(),
        &["registryread", "device", "enrollmentread"],
    );
    if reads_only && string.service() == Some(service::IOT_HUB) {
        found.severity = found.severity.min(Severity::High);
    }
}

pub fn url(
    probe: &Probe<'_>,
    placeholders: &Placeholders,
    found: &mut Assessment,
) -> Result<(), Dropped> {
    let url = address::parse(probe.text, probe.secret, probe.stretch)?;
    if url.is_sample() {
        return Err(Dropped("is a pattern for URLs"));
    }
    // `jdbc:sqlserver://host:1433;user=a@host`: what stands after the colon is the port.
    let digits = url.value.iter().take_while(|b| b.is_ascii_digit()).count();
    if (1..=5).contains(&digits) && url.value.get(digits) == Some(&b';') {
        return Err(Dropped("is a port with properties"));
    }
    refuse(placeholders, &probe.text[url.password.range()])?;
    refuse(placeholders, &url.value)?;
    if let Some(reason) = super::super::reference::of_value(&url.value) {
        return Err(Dropped(reason));
    }
    found.secret = url.password;
    if let Some(name) = url.service_name() {
        found.title = Some(format!("{name} URL with password").into());
    }
    if let Some(service) = url.service() {
        found.grants = Some(service.grants.into());
        found.severity = service.severity;
        found.rotated_as = service::rotated_as(service.name);
    }
    found.because(format!("for {}", url.shown_host()));
    match url.weakness() {
        Some(reason) => weaken(found, reason),
        None => {
            let proven = matches!(keys::microsoft(&url.value, found), Sum::Proven);
            if !proven {
                found.prove(ProofKind::Structure, "a URL with user, password and host");
            }
        }
    }
    if url.value != probe.text[url.password.range()] {
        found.value = Some(url.value);
    }
    Ok(())
}

pub fn jwt(probe: &Probe<'_>, found: &mut Assessment) -> Result<(), Dropped> {
    let jwt = token::parse(probe.value())?;
    if let Some(reason) = jwt.harmless() {
        return Err(Dropped(reason));
    }
    match &jwt.algorithm {
        Some(algorithm) => {
            found.prove(ProofKind::Structure, "header and payload are JSON");
            found.because(format!("signed with {algorithm}"));
        }
        None => found.doubt("the header is not that of a token"),
    }
    let (severity, reasons) = jwt.rate(found.severity, probe.now);
    found.severity = severity;
    found.reasons.extend(reasons.into_iter().map(Into::into));
    if let Some(title) = jwt.title() {
        found.title = Some(title.into());
    }
    Ok(())
}

pub fn pem(probe: &Probe<'_>, found: &mut Assessment) -> Result<(), Dropped> {
    let pem = block::parse(probe.text, probe.matched, probe.stretch)?;
    if pem.decodes {
        found.prove(ProofKind::Structure, "the body decodes to a key");
    } else {
        found.doubt("the body does not decode to a key");
    }
    found.because(format!("a block labelled {}", pem.label));
    if pem.encrypted {
        found.severity = found.severity.lower();
        found.because("is encrypted with a passphrase");
    }
    if !pem.complete {
        found.because("the last line of the block is missing");
    }
    found.secret = pem.span;
    Ok(())
}

pub fn basic(
    probe: &Probe<'_>,
    placeholders: &Placeholders,
    found: &mut Assessment,
) -> Result<(), Dropped> {
    let pair = basic_pair::parse(probe.value())?;
    refuse(placeholders, &pair.password)?;
    let is_sample = is_one_of(&pair.user, &["user", "username"])
        && is_one_of(&pair.password, &["password", "pass", "passwd"]);
    // The pair that the standard itself shows.
    let is_standard = pair.user.eq_ignore_ascii_case(b"aladdin");
    if is_sample || is_standard {
        return Err(Dropped("is the pair that manuals show"));
    }
    if address::is_default_password(&pair.user, &pair.password) {
        weaken(found, "the password is a usual default");
        return Ok(());
    }
    found.prove(ProofKind::Structure, "decodes to user and password");
    found.because("decodes to a user and a password");
    Ok(())
}

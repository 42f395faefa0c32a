//! Checks of keys that carry their proof inside: Microsoft's sums, AWS accounts, plain lengths.

use std::borrow::Cow;

use super::super::structure::connection::is_emulator_key;
use super::super::structure::service;
use super::super::structure::text::{base64, contains_ci, percent_decode};
use super::super::{Assessment, Dropped, Probe, ProofKind};
use crate::checksum::devops::Holder;
use crate::checksum::his::{self, HisVerdict, Power};
use crate::checksum::key84::{self, Key84, Key84Verdict, KeyKind};
use crate::checksum::{aws as aws_sum, devops as devops_sum, entra as entra_sum};
use crate::rules::Severity;

const WRONG_SUM: Dropped = Dropped("the checksum does not hold");

/// What a key's own sum says of it.
pub enum Sum {
    Proven,
    Wrong,
    /// The sum of this service's keys says nothing.
    Silent,
    /// No key with a sum.
    None,
}

/// Tries the sums of Microsoft's keys on `value` and writes what they say.
pub fn microsoft(value: &[u8], found: &mut Assessment) -> Sum {
    match his::verify(value) {
        HisVerdict::Verified { family, role } => {
            found.prove(
                ProofKind::Checksum,
                format!(
                    "Marvin32 with the seed of: {} {}",
                    family.service, role.name
                ),
            );
            found.because("the checksum holds");
            found.title = Some(format!("{} {}", family.service, role.name).into());
            found.severity = severity(role.power);
            if !role.grants.is_empty() {
                found.grants = Some(role.grants.into());
            }
            found.rotated_as = service::rotated_as(family.service).or(found.rotated_as);
            return Sum::Proven;
        }
        HisVerdict::WrongSum(family) if family.rewritten => return Sum::Silent,
        HisVerdict::WrongSum(_) => return Sum::Wrong,
        HisVerdict::NotHis => {}
    }
    match key84::verify(value) {
        Key84Verdict::Verified(key) => {
            found.prove(
                ProofKind::Checksum,
                "Marvin32 of a Microsoft key of 84 characters",
            );
            found.because("the checksum holds");
            describe84(&key, found);
            Sum::Proven
        }
        Key84Verdict::WrongSum(_) => Sum::Wrong,
        Key84Verdict::NotOne => Sum::None,
    }
}

fn severity(power: Power) -> Severity {
    match power {
        Power::Full => Severity::Critical,
        Power::Broad => Severity::High,
        Power::Scoped => Severity::Medium,
    }
}

fn describe84(key: &Key84, found: &mut Assessment) {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let what = match key.kind {
        KeyKind::Key => "key",
        KeyKind::Derived => "derived key",
        KeyKind::Hash => "hash made with a key",
    };
    found.title = Some(match key.service {
        Some("Azure DevOps") => "Azure DevOps personal access token".into(),
        Some(service) => format!("{service} {what}").into(),
        None => format!("Microsoft {what} of an unlisted service").into(),
    });
    if let Some(name) = key.service {
        found.rotated_as = service::rotated_as(name).or(found.rotated_as);
    }
    let (year, month) = key.issued;
    let name = usize::from(month)
        .checked_sub(1)
        .and_then(|at| MONTHS.get(at));
    if let Some(name) = name {
        found.because(format!("issued {name} {year}"));
    }
}

pub fn his(probe: &Probe<'_>, found: &mut Assessment) -> Result<(), Dropped> {
    by_sum(probe, found)
}

pub fn key84(probe: &Probe<'_>, found: &mut Assessment) -> Result<(), Dropped> {
    by_sum(probe, found)
}

fn by_sum(probe: &Probe<'_>, found: &mut Assessment) -> Result<(), Dropped> {
    let value = percent_decode(probe.value());
    match microsoft(&value, found) {
        Sum::Proven => {}
        Sum::Silent => found.because("keys of this service seldom keep their checksum"),
        Sum::Wrong | Sum::None => unproven(probe, found)?,
    }
    if let Cow::Owned(value) = value {
        found.value = Some(value);
    }
    Ok(())
}

/// A wrong sum is forgiven where the text around says that this is a key.
fn unproven(probe: &Probe<'_>, found: &mut Assessment) -> Result<(), Dropped> {
    if !is_in_slot(probe) {
        return Err(WRONG_SUM);
    }
    found.doubt(WRONG_SUM.0);
    Ok(())
}

/// Whether the value is given to a name: `name=`, `"name": "`, `Name("`, `"name", "`.
fn is_in_slot(probe: &Probe<'_>) -> bool {
    let before = probe.before(64);
    let glue = |b: &u8| matches!(b, b' ' | b'\t' | b'"' | b'\'' | b'\\' | b'`');
    let Some(end) = before.iter().rposition(|b| !glue(b)) else {
        return false;
    };
    let name = match before[end] {
        b'=' | b':' | b'(' | b',' => &before[..end],
        _ => return false,
    };
    let Some(last) = name.iter().rposition(|b| !glue(b)) else {
        return false;
    };
    let letters = name[..=last]
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-'))
        .count();
    letters >= 3
}

pub fn entra8(probe: &Probe<'_>, found: &mut Assessment) -> Result<(), Dropped> {
    if entra_sum::verify(probe.value()) {
        found.prove(ProofKind::Checksum, "Marvin32 of an Entra client secret");
        found.because("the checksum holds");
        return Ok(());
    }
    // Secrets of generation 7 have no sum.
    if probe.value().get(3) == Some(&b'7') {
        return Ok(());
    }
    // The mark in its place among forty characters is telling enough without the sum.
    found.doubt(WRONG_SUM.0);
    Ok(())
}

pub fn devops(probe: &Probe<'_>, found: &mut Assessment) -> Result<(), Dropped> {
    let holder = devops_sum::verify(probe.value()).ok_or(WRONG_SUM)?;
    found.prove(ProofKind::Checksum, "the CRC-32 inside the token");
    found.because(match holder {
        Holder::User => "the checksum holds: a user's token",
        Holder::App => "the checksum holds: an app's token",
    });
    Ok(())
}

/// A value without any mark must at least have the length of a key and not be text.
pub fn base64_key(probe: &Probe<'_>, _found: &mut Assessment) -> Result<(), Dropped> {
    let value = percent_decode(probe.value());
    if is_emulator_key(&value) {
        return Err(Dropped("is the emulator's public key"));
    }
    is_key(&value)
        .then_some(())
        .ok_or(Dropped("does not decode to a key"))
}

/// Whether `value` is base64 of as many bytes as keys have, and not of text.
pub fn is_key(value: &[u8]) -> bool {
    base64(value).is_some_and(|bytes| {
        matches!(bytes.len(), 16 | 20 | 32 | 40 | 64)
            && !bytes
                .iter()
                .all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace())
    })
}

pub fn aws(probe: &Probe<'_>, found: &mut Assessment) -> Result<(), Dropped> {
    /// What the id of the manual begins with; tests change its end.
    const MANUAL: &[u8] = b"IOSFODNN7";
    let id = probe.value();
    if contains_ci(id, b"example") || id.get(4..).is_some_and(|id| id.starts_with(MANUAL)) {
        return Err(Dropped("is a key id out of the manual"));
    }
    // Ids of the first years carry no account.
    let old = matches!(id.get(4), Some(b'I' | b'J'));
    if let Some(account) = aws_sum::account(id).filter(|_| !old) {
        found.because(format!("belongs to AWS account {account:012}"));
    }
    Ok(())
}

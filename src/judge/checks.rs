//! The named checks: which code runs for which name, and the small ones.

mod keys;
mod structured;

use super::generic::{self, words::Wording};
use super::place::Kind;
use super::placeholder::Placeholders;
use super::{Assessment, Dropped, Probe, ProofKind};
use crate::checksum::{bech32, crc, crc16};
use crate::rules::Level;
use crate::rules::check::Check;

/// The share of words for no secret from which a password is taken for one of them.
const MOSTLY: f32 = 0.8;

/// Runs one check.
///
/// # Errors
/// When the match is no secret, with the reason.
pub fn run(
    check: Check,
    probe: &Probe<'_>,
    placeholders: &Placeholders,
    found: &mut Assessment,
) -> Result<(), Dropped> {
    match check {
        Check::HisKey => keys::his(probe, found),
        Check::Key84 => keys::key84(probe, found),
        Check::Entra8 => keys::entra8(probe, found),
        Check::DevopsCrc => keys::devops(probe, found),
        Check::Base64Key => keys::base64_key(probe, found),
        Check::CrcBase62 => sum(crc::base62_holds(probe.value()), found),
        Check::CrcBase64 => sum(crc::base64_holds(probe.value()), found),
        Check::CrcHex => sum(crc::hex_holds(probe.value()), found),
        Check::Crc16 => code(
            crc16::holds(probe.value()),
            "the CRC-16 inside the seed",
            found,
        ),
        Check::Bech32 => code(bech32::holds(probe.value()), "the code of bech32", found),
        Check::ConnectionString => structured::connection(probe, placeholders, found),
        Check::Sas => structured::sas(probe, placeholders, found),
        Check::UrlPassword => structured::url(probe, placeholders, found),
        Check::Jwt => structured::jwt(probe, found),
        Check::Pem => structured::pem(probe, found),
        Check::AwsKeyId => keys::aws(probe, found),
        Check::BasicAuth => structured::basic(probe, placeholders, found),
        Check::Password => password(probe, found),
        Check::MixedCase => demand(
            has(probe, u8::is_ascii_uppercase)
                && has(probe, u8::is_ascii_lowercase)
                && has(probe, u8::is_ascii_digit),
            "has not upper case, lower case and a digit",
        ),
        Check::MixedLetters => demand(
            has(probe, u8::is_ascii_uppercase) && has(probe, u8::is_ascii_lowercase),
            "has not both upper and lower case",
        ),
        Check::LettersAndDigits => demand(
            has(probe, u8::is_ascii_alphabetic) && has(probe, u8::is_ascii_digit),
            "has not both letters and digits",
        ),
    }
}

/// A password where only one can stand. Words for no password make it unlikely, and code is none.
fn password(probe: &Probe<'_>, found: &mut Assessment) -> Result<(), Dropped> {
    if let Some(reason) = generic::reject::template(probe.value()) {
        return Err(Dropped(reason));
    }
    if is_member(probe) {
        return Err(Dropped("a member access"));
    }
    if Wording::of(probe.value()).dummy > MOSTLY {
        weaken(found, "the password is made of words for none");
    }
    Ok(())
}

/// Whether the value is a member of an object, in code and outside of quotes: `login.password,`.
fn is_member(probe: &Probe<'_>) -> bool {
    let bare = !matches!(probe.before(1), [b'"' | b'\'' | b'`']);
    let value = probe.value();
    let value = value.strip_suffix(b",").unwrap_or(value);
    bare && probe.place.kind == Kind::Code && generic::reject::is_member_access(value)
}

fn has(probe: &Probe<'_>, class: fn(&u8) -> bool) -> bool {
    probe.value().iter().any(class)
}

fn demand(holds: bool, otherwise: &'static str) -> Result<(), Dropped> {
    holds.then_some(()).ok_or(Dropped(otherwise))
}

/// A provider's CRC. A wrong one nearly always means a made-up token, yet a provider may change
/// how it makes its tokens: the find stays, with little confidence.
fn sum(holds: bool, found: &mut Assessment) -> Result<(), Dropped> {
    if holds {
        found.prove(ProofKind::Checksum, "the CRC-32 inside the token");
        found.because("the checksum holds");
    } else {
        found.confidence = Level::Low;
        found.because("the checksum does not hold");
    }
    Ok(())
}

/// A sum that a standard sets, so that nobody's keys are made otherwise; yet what looks like such
/// a key and stands under its name may be one that was mistyped or masked.
fn code(holds: bool, what: &'static str, found: &mut Assessment) -> Result<(), Dropped> {
    if holds {
        found.prove(ProofKind::Checksum, what);
        found.because("the checksum holds");
    } else {
        found.doubt("the checksum does not hold");
    }
    Ok(())
}

/// What makes the password of a local or sample system worth little.
fn weaken(found: &mut Assessment, reason: &'static str) {
    found.severity = found.severity.min(crate::rules::Severity::Low);
    found.confidence = Level::Low;
    found.because(reason);
}

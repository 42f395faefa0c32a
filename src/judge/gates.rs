//! What every match must pass before its rule's own checks: randomness, neighbours, company.

use super::structure::text::contains_any_ci;
use super::{Dropped, Probe};
use crate::rules::Kind;

/// Runs the gates at which neighbours and company are looked at, cheapest first.
///
/// # Errors
/// When one of them is shut, with the reason.
pub fn pass(probe: &Probe<'_>) -> Result<(), Dropped> {
    boundary(probe)?;
    near(probe)?;
    if probe.rule.kind == Kind::Anchored && is_embedded(probe) {
        return Err(Dropped("stands inside a long row of base64"));
    }
    Ok(())
}

/// The value must be as random as its rule says.
///
/// # Errors
/// When it is not.
pub fn randomness(probe: &Probe<'_>) -> Result<(), Dropped> {
    let floor = probe.rule.min_entropy;
    if floor > 0.0 && entropy::shannon_entropy(probe.value()) < floor {
        return Err(Dropped("is not random enough"));
    }
    Ok(())
}

/// The bytes on either side must not be such that the match is part of something longer.
fn boundary(probe: &Probe<'_>) -> Result<(), Dropped> {
    let before = probe.before(1).first();
    let after = probe.after(1).first();
    let rule = probe.rule;
    // In `\nTOKEN` the letter before the token belongs to an escape.
    let escape = matches!(probe.before(2), [b'\\', b'n' | b'r' | b't']);
    if !escape && before.is_some_and(|b| rule.not_before.contains(*b))
        || after.is_some_and(|b| rule.not_after.contains(*b))
    {
        return Err(Dropped("is part of a longer word"));
    }
    Ok(())
}

/// One of the rule's words must stand in or near the match.
fn near(probe: &Probe<'_>) -> Result<(), Dropped> {
    let words = &probe.rule.near;
    if words.is_empty() {
        return Ok(());
    }
    let reach = probe.rule.near_bytes as usize;
    let low = (probe.matched.start as usize).saturating_sub(reach);
    let high = (probe.matched.end as usize).saturating_add(reach);
    let low = low.max(probe.stretch.start as usize);
    let high = high.min(probe.stretch.end as usize);
    let around = probe.text.get(low..high).unwrap_or_default();
    // A word for the name of a value must not turn up in the value by chance.
    let (secret, by_name) = (probe.secret.range(), probe.rule.kind == Kind::Context);
    let parts = match by_name && low <= secret.start && secret.end <= high {
        true => [
            &probe.text[low..secret.start],
            &probe.text[secret.end..high],
        ],
        false => [around, &[]],
    };
    let found = words
        .iter()
        .any(|word| parts.iter().any(|part| contains_any_ci(part, &[word])));
    found
        .then_some(())
        .ok_or(Dropped("none of the words that belong to it stands near"))
}

/// Whether the secret is a piece of encoded data, such as a picture, in which any short mark turns
/// up by chance sooner or later.
fn is_embedded(probe: &Probe<'_>) -> bool {
    const REACH: usize = 512;
    /// More than a path in a URL or a neighbouring token has.
    const LONG: usize = 128;
    let before = probe.before(REACH);
    let after = probe.after(REACH);
    let left = before.iter().rev().take_while(|b| is_base64(**b)).count();
    let right = after.iter().take_while(|b| is_base64(**b)).count();
    if left + right >= LONG {
        return true;
    }
    // Encoders of mail and keys cut their lines at 64 or 76: whole lines of that length, one after
    // the other, are a block as well.
    let line = left + probe.secret.len() + right;
    let fits =
        |neighbour: &[u8]| neighbour.len() == line && neighbour.iter().all(|b| is_base64(*b));
    matches!(line, 64 | 76)
        && probe.value().iter().all(|b| is_base64(*b))
        && (fits(line_above(&before[..before.len() - left])) || fits(line_below(&after[right..])))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// The line that ends at the end of `before`, which ends in a line end.
fn line_above(before: &[u8]) -> &[u8] {
    let Some(before) = before.strip_suffix(b"\n") else {
        return &[];
    };
    let before = before.strip_suffix(b"\r").unwrap_or(before);
    let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    &before[start..]
}

/// The line that starts after the line end at the start of `after`.
fn line_below(after: &[u8]) -> &[u8] {
    let after = after.strip_prefix(b"\r").unwrap_or(after);
    let Some(after) = after.strip_prefix(b"\n") else {
        return &[];
    };
    let end = memchr::memchr2(b'\n', b'\r', after).unwrap_or(after.len());
    &after[..end]
}

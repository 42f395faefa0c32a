//! Secrets where nothing runs (outputs, prose, comments, metadata): their bytes become stars, in
//! the encoding that holds them.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::edit::Edit;
use crate::decode::Layer;
use crate::finding::Finding;

/// Stands for a secret. Plain in JSON, HTML, URLs and shells, and no secret to any rule.
pub const MASK: &str = "********";

/// The edits that mask one finding.
pub fn finding(file: &[u8], finding: &Finding) -> Vec<Edit> {
    let pieces: Vec<Range<usize>> = finding
        .bytes
        .iter()
        .map(|range| range.start as usize..range.end as usize)
        .filter(|range| range.end <= file.len())
        .collect();
    let innermost = finding
        .layers
        .iter()
        .rev()
        .find(|layer| matches!(layer, Layer::Base64 | Layer::Hex));
    match innermost {
        Some(Layer::Base64) => same_length(file, &pieces, finding.secret.expose(), base64),
        Some(_) => same_length(file, &pieces, finding.secret.expose(), |raw, _| hex(raw)),
        None => {
            let mut with = Some(MASK);
            pieces
                .into_iter()
                .map(|piece| Edit::new(piece, with.take().unwrap_or_default()))
                .collect()
        }
    }
}

/// What encodes text keeps its length, so that what stands around decodes as before.
fn same_length(
    file: &[u8],
    pieces: &[Range<usize>],
    secret: &[u8],
    mask: impl Fn(&[u8], &[u8]) -> Vec<u8>,
) -> Vec<Edit> {
    let masked =
        |piece: &Range<usize>| Edit::new(piece.clone(), mask(&file[piece.clone()], secret));
    pieces.iter().map(masked).collect()
}

/// Base64 of the same text with the secret starred, or of stars alone where it is not found in it.
fn base64(raw: &[u8], secret: &[u8]) -> Vec<u8> {
    let body = raw.iter().take_while(|b| **b != b'=').count();
    let decoded = STANDARD_NO_PAD.decode(&raw[..body]).ok();
    let starred = decoded.and_then(|mut text| {
        let at = memchr::memmem::find(&text, secret)?;
        text[at..at + secret.len()].fill(b'*');
        Some(STANDARD_NO_PAD.encode(text).into_bytes())
    });
    match starred {
        Some(mut out) if out.len() == body => {
            out.extend_from_slice(&raw[body..]);
            out
        }
        // Four characters `Kioq` are three stars; whatever is no base64 stays.
        _ => {
            let mut at = 0;
            let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/-_".contains(&b);
            raw.iter()
                .map(|b| {
                    if !is_base64(*b) {
                        return *b;
                    }
                    at += 1;
                    b"Kioq"[(at - 1) % 4]
                })
                .collect()
        }
    }
}

fn hex(raw: &[u8]) -> Vec<u8> {
    let mut at = 0;
    raw.iter()
        .map(|b| {
            if !b.is_ascii_hexdigit() {
                return *b;
            }
            at += 1;
            b"2a"[(at - 1) % 2]
        })
        .collect()
}

/// Every other place in these stretches of the file where the value stands, as it is or escaped.
pub fn twins(file: &[u8], within: &[Range<usize>], value: &[u8]) -> Vec<Edit> {
    /// Shorter values are words that stand in many places for other reasons.
    const SHORTEST: usize = 8;
    let Ok(text) = std::str::from_utf8(value) else {
        return Vec::new();
    };
    if value.len() < SHORTEST {
        return Vec::new();
    }
    let forms = super::quote::repeated(text);
    let mut edits = Vec::new();
    for stretch in within {
        for form in &forms {
            let found = memchr::memmem::find_iter(&file[stretch.clone()], form.as_bytes());
            edits.extend(found.map(|at| {
                let start = stretch.start + at;
                Edit::new(start..start + form.len(), MASK)
            }));
        }
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_text_keeps_its_length_and_its_neighbours() {
        let raw = STANDARD_NO_PAD.encode("\"k\": \"hidden\"");
        let masked = base64(raw.as_bytes(), b"hidden");
        assert_eq!(masked.len(), raw.len());
        assert_eq!(
            STANDARD_NO_PAD.decode(masked).expect("base64"),
            b"\"k\": \"******\""
        );
        assert_eq!(hex(b"6b65 79"), b"2a2a 2a");
    }

    #[test]
    fn twins_are_found_in_their_escaped_forms() {
        let file = br#"a "pa\"ss<word" b pa%22ss%3Cword c"#;
        let whole = 0..file.len();
        let edits = twins(file, std::slice::from_ref(&whole), b"pa\"ss<word");
        assert_eq!(edits.len(), 2);
    }
}

//! HTML and XML character references: the ones that quote markup, and numbers.

use super::{Finds, Marks, Region, Sign, Writer};

/// `&nbsp;` becomes a plain space: what counts is that it separates words.
const NAMED: [(&[u8], char); 6] = [
    (b"amp;", '&'),
    (b"lt;", '<'),
    (b"gt;", '>'),
    (b"quot;", '"'),
    (b"apos;", '\''),
    (b"nbsp;", ' '),
];

/// Digits of a number, leading zeros and all.
const MAX_DIGITS: usize = 8;

/// Marks are ampersands.
pub(super) fn find(text: &[u8], marks: Marks<'_>, finds: &mut Finds<'_>) {
    finds.lines(text, marks, |start| {
        let (len, _) = reference(&text[start + 1..])?;
        Some(Sign::of(start..start + 1 + len))
    });
}

pub(super) fn decode(text: &[u8], region: &Region, out: &mut Writer<'_>) {
    let text = text.get(..region.end).unwrap_or(text);
    let mut at = region.start;
    while let Some(found) = memchr::memchr(b'&', &text[at..]) {
        let start = at + found;
        out.copy(text, at..start);
        at = match reference(&text[start + 1..]) {
            Some((len, character)) => {
                out.character(start, len + 1, character);
                start + 1 + len
            }
            None => {
                out.copy(text, start..start + 1);
                start + 1
            }
        };
    }
    out.copy(text, at..text.len());
}

/// Reads what follows `&`: its length with the semicolon, and the character.
fn reference(rest: &[u8]) -> Option<(usize, char)> {
    if let [b'#', rest @ ..] = rest {
        let (radix, mark) = match rest.first()? {
            b'x' | b'X' => (16, 1),
            _ => (10, 0),
        };
        let digits = rest.get(mark..)?;
        let len = digits
            .iter()
            .take(MAX_DIGITS + 1)
            .position(|&b| b == b';')?;
        let digits = digits.get(..len).filter(|d| !d.is_empty())?;
        let code = digits.iter().try_fold(0_u32, |code, &digit| {
            let digit = char::from(digit).to_digit(radix)?;
            code.checked_mul(radix)?.checked_add(digit)
        })?;
        return Some((1 + mark + len + 1, char::from_u32(code)?));
    }
    let named = NAMED.iter().find(|(name, _)| rest.starts_with(name))?;
    Some((named.0.len(), named.1))
}

//! Characters of two or four bytes in a text of single bytes.
//!
//! A shell appends to a file in its own encoding, whatever the file has. The bytes that are zero are taken
//! out where such characters stand; what is none of ASCII stays as it is.

use super::{Finds, Marks, Region, Sign, Writer};
use crate::sniff::is_plain;

/// Characters side by side that tell.
const MIN: usize = 8;

/// Marks are zero bytes behind a character.
pub(super) fn find(text: &[u8], marks: Marks<'_>, finds: &mut Finds<'_>) {
    finds.lines(text, marks, |zero| {
        let start = zero.checked_sub(1)?;
        let stands = |width: &usize| stand(&text[start..], *width);
        let width = [2, 4].into_iter().find(stands)?;
        let core = start..start + (MIN - 1) * width + 1;
        Some(Sign::of(core))
    });
}

/// Whether characters of so many bytes begin a text. Behind the last of them anything may stand.
fn stand(text: &[u8], width: usize) -> bool {
    let Some((last, rest)) = text
        .get(..(MIN - 1) * width + 1)
        .and_then(<[u8]>::split_last)
    else {
        return false;
    };
    let is_wide = |unit: &[u8]| is_plain(unit[0]) && unit[1..].iter().all(|&byte| byte == 0);
    is_plain(*last) && rest.chunks_exact(width).all(is_wide)
}

pub(super) fn decode(text: &[u8], region: &Region, out: &mut Writer<'_>) {
    let mut at = region.start;
    for zero in memchr::memchr_iter(0, &text[region.start..region.end]) {
        let zero = region.start + zero;
        out.copy(text, at..zero);
        at = zero + 1;
    }
    out.copy(text, at..region.end);
}

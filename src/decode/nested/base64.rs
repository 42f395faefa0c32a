//! Base64 of text, in the standard and the URL alphabet.
//!
//! A run of the alphabet is opened when it starts with text once decoded; words, paths, hashes and
//! pictures do not. What stands before the run on its line goes along, since it names the value.

use std::ops::Range;

use crate::decode::ViewBuilder;

/// The shortest run that is tried.
const SHORTEST: usize = 20;
/// The longest run of which all is decoded.
const LONGEST: usize = 1 << 20;
/// Bytes of the line before a run that are taken along.
const CONTEXT: usize = 64;
/// Decoded bytes that must be text before a run is opened.
const ENOUGH: usize = 12;

pub fn decode(text: &[u8], stretch: Range<usize>, place: u32, out: &mut ViewBuilder) {
    // A run of SHORTEST bytes has one at every SHORTEST-th place, so only those are looked at.
    let mut probe = stretch.start + SHORTEST - 1;
    while probe < stretch.end {
        if value(text[probe]).is_none() {
            probe += SHORTEST;
            continue;
        }
        let low = probe - (SHORTEST - 1);
        let left = text[low.max(stretch.start)..probe].iter().rev();
        let start = probe - left.take_while(|b| value(**b).is_some()).count();
        let right = text[probe..stretch.end].iter().take(LONGEST);
        let end = probe + right.take_while(|b| value(**b).is_some()).count();
        if end - start >= SHORTEST {
            open(text, start..end, &stretch, place, out);
        }
        probe = end + SHORTEST;
    }
}

/// The six bits of an alphabet's letter.
fn value(byte: u8) -> Option<u8> {
    let bits = VALUES[usize::from(byte)];
    (bits < 64).then_some(bits)
}

/// For every byte its six bits, or 255 when it is in neither alphabet.
const VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [255; 256];
    let mut at = 0;
    while at < LETTERS.len() {
        table[LETTERS[at] as usize] = at as u8;
        at += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
}

fn open(text: &[u8], run: Range<usize>, stretch: &Range<usize>, place: u32, out: &mut ViewBuilder) {
    let readable = readable_len(&text[run.clone()]);
    if readable < ENOUGH {
        return;
    }
    let low = run.start.saturating_sub(CONTEXT).max(stretch.start);
    let before = &text[low..run.start];
    let line = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at + 1);
    out.begin(place, low + line);
    out.copy(low + line, &before[line..]);
    let mut left = readable;
    for (index, quad) in text[run.clone()].chunks(4).enumerate() {
        let (bytes, len) = triple(quad);
        let len = len.min(left);
        out.token(run.start + 4 * index, quad.len(), &bytes[..len]);
        left -= len;
        if left == 0 {
            break;
        }
    }
}

/// Up to three bytes from up to four letters.
fn triple(quad: &[u8]) -> ([u8; 3], usize) {
    let bits = quad
        .iter()
        .fold(0u32, |sum, b| sum << 6 | u32::from(value(*b).unwrap_or(0)));
    let bits = bits << (6 * (4 - quad.len()));
    let bytes = [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8];
    (bytes, quad.len() * 6 / 8)
}

/// How many decoded bytes from the start on are text.
fn readable_len(run: &[u8]) -> usize {
    let mut len = 0;
    for quad in run.chunks(4) {
        let (bytes, count) = triple(quad);
        for byte in &bytes[..count] {
            if !matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e) {
                // Text in other alphabets is text too, once enough of it was plain.
                if *byte < 0x80 || len < ENOUGH {
                    return len;
                }
            }
            len += 1;
        }
    }
    len
}

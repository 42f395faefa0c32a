//! String literals that the program joins: `"ab" + "cd"`, on one line or over two, `"ab"` and `"cd"`
//! on lines of their own, and lines that a backslash continues.

use std::ops::Range;

use super::region::{self, Regions};
use crate::decode::ViewBuilder;

/// Characters that must touch a joint on one side: shorter pieces carry no secret.
const CARRIER: usize = 6;
/// The widest gap between two literals.
const WIDEST: usize = 200;

pub fn decode(text: &[u8], stretch: Range<usize>, place: u32, out: &mut ViewBuilder) {
    let mut joints: Vec<Range<usize>> = Vec::new();
    let mut at = stretch.start;
    while let Some(found) = memchr::memchr2(b'\n', b'+', &text[at..stretch.end]) {
        let mark = at + found;
        at = mark + 1;
        if let Some(joint) = joint(text, mark, &stretch)
            && joints.last().is_none_or(|last| last.end <= joint.start)
        {
            at = joint.end.max(at);
            joints.push(joint);
        }
    }
    if joints.is_empty() {
        return;
    }
    let mut regions = Regions::default();
    for joint in &joints {
        let first = region::line(text, joint.start, &stretch).start;
        let last = region::line(text, joint.end, &stretch).end;
        regions.add(first..last);
    }
    let mut joints = joints.into_iter().peekable();
    for region in regions.into_iter() {
        out.begin(place, region.start);
        let mut from = region.start;
        while let Some(joint) = joints.next_if(|joint| joint.end <= region.end) {
            out.copy(from, &text[from..joint.start]);
            from = joint.end;
        }
        out.copy(from, &text[from..region.end]);
    }
}

/// From the closing quote of one literal to behind the opening quote of the next, around `mark`.
fn joint(text: &[u8], mark: usize, stretch: &Range<usize>) -> Option<Range<usize>> {
    let low = mark.saturating_sub(WIDEST).max(stretch.start);
    let high = (mark + WIDEST).min(stretch.end);
    if text[mark] == b'\n' && text[low..mark].ends_with(b"\\") && carries(&text[low..mark - 1]) {
        return Some(mark - 1..mark + 1);
    }
    let gap = text[low..mark]
        .iter()
        .rev()
        .take_while(|b| is_gap(**b))
        .count();
    let close = mark.checked_sub(gap + 1).filter(|at| *at >= low)?;
    let open = mark + 1;
    let quote = text[close];
    if !matches!(quote, b'"' | b'\'') {
        return None;
    }
    let after = &text[open..high];
    let gap = after.iter().take_while(|b| is_gap(**b)).count();
    let rest = &after[gap..];
    let prefix = rest
        .iter()
        .take(2)
        .take_while(|b| b"rRbBfFuU".contains(b))
        .count();
    if rest.get(prefix) != Some(&quote) {
        return None;
    }
    let end = open + gap + prefix + 1;
    let left = carries(&text[low..close]);
    let right = text[end..stretch.end]
        .iter()
        .take(CARRIER)
        .all(|b| is_solid(*b));
    (left || right && end + CARRIER <= stretch.end).then_some(close..end)
}

fn carries(before: &[u8]) -> bool {
    before.len() >= CARRIER && before.iter().rev().take(CARRIER).all(|b| is_solid(*b))
}

/// No blank, quote or list sign: part of a token.
fn is_solid(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b'"' | b'\'' | b',' | b'(' | b'[' | 0x7f)
}

fn is_gap(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\r' | b'\n' | b'+' | b'\\' | b'&' | b'.'
    )
}

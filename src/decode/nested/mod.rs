//! Encodings inside text.
//!
//! Each coding looks through a view for stretches that hold it and are worth opening, and writes
//! those, decoded, into one child view. Children are opened in turn, so an escaped string in an
//! HTML attribute in a base64 block is reached, down to a bounded depth and a bounded sum of bytes.
//! Text without a coding costs a search for its mark.
//!
//! A child is looked through for every coding except that a coding that only takes things out
//! (joined literals, terminal colours) is never its own child. Orders of codings that could be
//! reached in two ways give equal spans of source, which the resolver folds.

mod ansi;
mod base64;
mod escapes;
mod html;
mod literals;
mod percent;
mod region;

use super::{Document, Layer, Limits, View, ViewBuilder};

/// Writes what a coding holds in one stretch of text.
type Decoder = fn(text: &[u8], stretch: std::ops::Range<usize>, place: u32, out: &mut ViewBuilder);

const DECODERS: [(Layer, Decoder); 6] = [
    (Layer::Ansi, ansi::decode),
    (Layer::Literals, literals::decode),
    (Layer::Escapes, escapes::decode),
    (Layer::Html, html::decode),
    (Layer::Percent, percent::decode),
    (Layer::Base64, base64::decode),
];

/// Small documents may grow to this much whatever the factor says.
const ALWAYS: usize = 1 << 20;

/// Adds a view for each coding that some view holds, and for those inside them.
pub(super) fn open(document: &mut Document<'_>, limits: Limits) {
    let mut budget = document.text().len().saturating_mul(limits.growth) + ALWAYS;
    let mut at = usize::from(document.is_notebook() && document.note.is_none());
    while at < document.views.len() {
        let view = &document.views[at];
        if view.depth < limits.depth {
            let children = children(view, at);
            for child in children {
                if child.text.len() > budget {
                    return;
                }
                budget -= child.text.len();
                document.views.push(child);
            }
        }
        at += 1;
    }
}

fn children<'u>(view: &View<'u>, index: usize) -> Vec<View<'u>> {
    let mut children = Vec::new();
    for (layer, decode) in DECODERS {
        if layer == view.layer && matches!(layer, Layer::Ansi | Layer::Literals) {
            continue;
        }
        let mut builder = ViewBuilder::default();
        for (stretch, place) in view.stretches() {
            decode(&view.text, stretch.range(), place, &mut builder);
        }
        if !builder.text.is_empty() {
            children.push(View::built(builder, layer, index, view.depth + 1));
        }
    }
    children
}

#[cfg(test)]
mod tests;

//! The keywords of a text that is a copy of another for the most part.
//!
//! Of a whole program in one string all but its line ends and some quotes is as it was. The keywords in
//! what was copied are known, and those around what was decoded are few: no keyword has a line end.

use super::keywords::{Hit, Keywords};
use crate::decode::View;
use crate::span::ViewSpan;

/// Keywords of a text that are known.
#[derive(Clone, Copy, Debug)]
pub struct Known<'h> {
    /// In order, and all that there are in the part of the text that is looked at.
    pub hits: &'h [Hit],
    /// Where that part starts.
    pub base: u32,
}

impl<'h> Known<'h> {
    /// Appends the keywords of a view of which this text is the parent, in order. `decoded` is room for what
    /// of the view was decoded.
    pub fn carry(
        mut self,
        view: &View<'_>,
        keywords: &Keywords,
        decoded: &mut Vec<ViewSpan>,
        hits: &mut Vec<Hit>,
    ) {
        decoded.clear();
        let mut copied = false;
        for (row, from) in view.rows() {
            if let Some(from) = from {
                if copied {
                    // What stood between two copies is gone, and their ends may make a keyword.
                    let end = row.start;
                    note(decoded, ViewSpan { start: end, end });
                }
                self.copy(row, from, hits);
            } else if view.text[row.range()].iter().any(|&b| keywords.may_hold(b)) {
                note(decoded, row);
            }
            copied = from.is_some();
        }
        keywords.scan_changed(&view.text, decoded, hits);
        // Two runs that are in order or nearly so, which this sort takes in one pass.
        hits.sort();
    }

    /// Appends those in a copy of what stands at `from`, and forgets those that start before the end of
    /// that. Most copies have none.
    #[inline]
    fn copy(&mut self, copy: ViewSpan, from: u32, hits: &mut Vec<Hit>) {
        let start = self.base + from;
        let end = start + copy.len() as u32;
        let moved = |at: u32| at - start + copy.start;
        while let [hit, rest @ ..] = self.hits
            && hit.start < end
        {
            self.hits = rest;
            if start <= hit.start && hit.end <= end {
                let (start, end) = (moved(hit.start), moved(hit.end));
                hits.push(Hit { start, end, ..*hit });
            }
        }
    }
}

/// Adds what was decoded next.
fn note(decoded: &mut Vec<ViewSpan>, span: ViewSpan) {
    match decoded.last_mut() {
        Some(last) if span.start <= last.end => last.end = span.end,
        _ => decoded.push(span),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decode::{self, Limits};
    use crate::detect::keywords::Word;
    use crate::unit::{Origin, Unit};

    proptest! {
        #[test]
        fn keywords_of_a_copy_are_those_of_a_search(
            words in prop::collection::vec("[ab\"/%&n]{3,5}", 1..5),
            text in r#"(a|b|"|/|n|x|\n|\\n|\\"|\\/|\\x61|\\u0062|%61|&amp;|\x1b\[m|" \+ "){0,80}"#,
            base in 0..3_u32,
        ) {
            let keywords = Keywords::new(words.iter().map(|word| Word::from(&**word)));
            let unit = Unit::whole(Origin::file("a.js"), text.as_bytes());
            let document = decode::open(&unit, Limits::default()).expect("text");
            let mut known = Vec::new();
            keywords.scan(text.as_bytes(), &mut known);
            for hit in &mut known {
                (hit.start, hit.end) = (hit.start + base, hit.end + base);
            }
            known.sort();
            let copies = document.searchable().map(|(_, view)| view);
            for view in copies.filter(|view| view.is_copy_of_text()) {
                let known = Known { hits: &known, base };
                let (mut carried, mut found) = (Vec::new(), Vec::new());
                known.carry(view, &keywords, &mut Vec::new(), &mut carried);
                keywords.scan(&view.text, &mut found);
                found.sort();
                prop_assert_eq!(carried, found, "{:?}", view.text);
            }
        }
    }
}

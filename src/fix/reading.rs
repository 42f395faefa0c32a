//! The texts of a file as their grammars read them, each parsed once however many findings it holds.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::grammar::{self, Parsed};
use super::notebook;
use super::region::Region;
use super::survey::{Survey, cell_of};
use crate::host::Grammar;

/// The cell of a notebook, if it is one, and the grammar that reads it.
type Key = (Option<usize>, Grammar);

/// Each text of a file that findings stand in, as the grammars of their contexts read it.
pub(super) fn texts(survey: &Survey) -> HashMap<Key, Vec<u8>> {
    let mut texts = HashMap::new();
    for finding in &survey.findings {
        let grammar = finding.host.context.grammar;
        if let Ok(cell) = cell_of(survey, finding) {
            texts
                .entry((cell, grammar))
                .or_insert_with(|| readable(survey.region(cell), grammar));
        }
    }
    texts
}

/// These texts, parsed when they are asked for.
pub(super) struct Readings<'t>(HashMap<Key, Reading<'t>>);

impl<'t> Readings<'t> {
    pub(super) fn of(texts: &'t HashMap<Key, Vec<u8>>) -> Self {
        let reading = |(&(cell, grammar), text): (&Key, &'t Vec<u8>)| {
            let parsed = OnceCell::new();
            (
                (cell, grammar),
                Reading {
                    grammar,
                    text,
                    parsed,
                },
            )
        };
        Self(texts.iter().map(reading).collect())
    }

    /// That of a finding.
    pub(super) fn get(&self, cell: Option<usize>, grammar: Grammar) -> &Reading<'t> {
        &self.0[&(cell, grammar)]
    }
}

/// One of them.
pub(super) struct Reading<'t> {
    grammar: Grammar,
    text: &'t [u8],
    parsed: OnceCell<Option<Parsed<'t>>>,
}

impl<'t> Reading<'t> {
    /// `None` when the grammar finds a fault in it. Lines have none.
    pub(super) fn parsed(&self) -> Option<&Parsed<'t>> {
        let parse = || match self.grammar {
            Grammar::Lines => Some(grammar::unparsed(self.text)),
            grammar => grammar::parse(grammar, self.text),
        };
        self.parsed.get_or_init(parse).as_ref()
    }
}

/// A region as a grammar of its context reads it.
pub(super) fn readable(region: &Region, grammar: Grammar) -> Vec<u8> {
    if grammar == Grammar::Python && !region.is_file() {
        return notebook::without_magics(&region.text);
    }
    if grammar == Grammar::Bash && !region.is_file() && region.text.starts_with(b"%%") {
        let mut text = region.text.clone();
        let end = memchr::memchr(b'\n', &text).unwrap_or(text.len());
        text[..end].fill(b'#');
        return text;
    }
    if grammar == Grammar::Bicep {
        return without_using(&region.text);
    }
    region.text.clone()
}

/// A Bicep parameter file in the grammar's terms, byte for byte: without its first statement,
/// and with its parameters as variables.
fn without_using(text: &[u8]) -> Vec<u8> {
    let mut out = text.to_vec();
    let start = text.len() - text.trim_ascii_start().len();
    if text[start..].starts_with(b"using ") {
        let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |n| start + n);
        out[start..end].fill(b' ');
        // A parameter without a type reads like a variable.
        let mut at = end;
        while let Some(found) = memchr::memmem::find(&out[at..], b"\nparam ") {
            at += found + 1;
            out[at..at + 5].copy_from_slice(b"var  ");
        }
    }
    out
}

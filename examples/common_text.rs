//! Counts which short texts are common in code and prose, for the check of rules' keywords.
//!
//! Prints `patterns/common-text.tsv`:
//!
//! ```sh
//! cargo run --release --example common_text -- ~/.cargo/registry/src /usr/lib/python3 /usr/share/doc \
//!     > patterns/common-text.tsv
//! ```
//!
//! `patterns/common-grams.tsv` has the lines of four bytes of a later run.
//!
//! Reads text files of the named folders, as many bytes of each kind of file as of any other, and
//! lists every text of three to eight bytes (case aside) that stands at least `LEAST` times in a
//! megabyte, or a fifth of that for those of four bytes, by which keywords are noted.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::{env, fs};

/// Bytes read of each kind of file, at most.
const SHARE: u64 = 6_000_000;
/// Larger files are data or made by machines.
const LARGEST: u64 = 200_000;
/// A kind of file with less than this in all is left out.
const SMALLEST_SHARE: u64 = 100_000;
/// Rarer texts are not listed, in occurrences per megabyte; see [`least`].
const LEAST: u64 = 50;

fn main() -> io::Result<()> {
    let mut kinds: BTreeMap<String, Vec<(PathBuf, u64)>> = BTreeMap::new();
    for folder in env::args().skip(1) {
        for entry in ignore::WalkBuilder::new(folder)
            .standard_filters(false)
            .sort_by_file_path(Ord::cmp)
            .build()
        {
            let Ok(entry) = entry else { continue };
            let bytes = entry.metadata().map_or(0, |data| data.len());
            let kind = entry.path().extension().and_then(|e| e.to_str());
            if let Some(kind) = kind.filter(|_| (1..=LARGEST).contains(&bytes)) {
                let files = kinds.entry(kind.to_owned()).or_default();
                files.push((entry.into_path(), bytes));
            }
        }
    }
    let mut text = Vec::new();
    let mut read = Vec::new();
    for (kind, files) in &kinds {
        let before = text.len();
        sample(files, &mut text);
        let bytes = text.len() - before;
        if (bytes as u64) < SMALLEST_SHARE {
            text.truncate(before);
        } else {
            read.push(format!("{kind} {}", bytes / 1000));
        }
    }
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "# Texts of 3 to 8 bytes, and how often each stands in a megabyte of code and prose.\n\
         # Made by examples/common_text.rs out of {} kB: {}.",
        text.len() / 1000,
        read.join(", ")
    )?;
    for length in 3..=8 {
        for (rate, word) in common(&text, length) {
            writeln!(out, "{rate}\t{word}")?;
        }
    }
    Ok(())
}

/// Reads files spread evenly over the list, until the share is full.
fn sample(files: &[(PathBuf, u64)], text: &mut Vec<u8>) {
    let total: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    let step = total.div_ceil(SHARE).max(1) as usize;
    for (path, _) in files.iter().step_by(step) {
        let content = fs::read(path).unwrap_or_default();
        if !content.contains(&0) && str::from_utf8(&content).is_ok() {
            text.extend(content.to_ascii_lowercase());
            text.push(b'\n');
        }
    }
}

fn least(length: usize) -> u64 {
    match length {
        4 => LEAST / 5,
        _ => LEAST,
    }
}

/// The texts of `length` bytes that are common, with their rates.
fn common(text: &[u8], length: usize) -> Vec<(u64, String)> {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~');
    let mut seen: Vec<u64> = text
        .windows(length)
        .filter(|window| window.iter().all(is_plain))
        .map(|window| window.iter().fold(0, |sum, b| sum << 8 | u64::from(*b)))
        .collect();
    seen.sort_unstable();
    let per_megabyte = |count: usize| count as u64 * 1_000_000 / text.len() as u64;
    seen.chunk_by(|a, b| a == b)
        .map(|equal| (per_megabyte(equal.len()), equal[0]))
        .filter(|(rate, _)| *rate >= least(length))
        .map(|(rate, packed)| {
            let bytes = &packed.to_be_bytes()[8 - length..];
            (rate, String::from_utf8_lossy(bytes).into_owned())
        })
        .collect()
}

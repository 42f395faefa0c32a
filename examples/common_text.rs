//! Counts which short texts are common in code and prose, for the check of rules' keywords.
//!
//! Prints `patterns/common-text.tsv`, or with `--grams` `patterns/common-grams.tsv`:
//!
//! ```sh
//! cargo run --release --example common_text -- ~/.cargo/registry/src /usr/lib/python3 /usr/share/doc \
//!     > patterns/common-text.tsv
//! cargo run --release --example common_text -- --grams ~/.cargo/registry/src /usr/lib/python3 \
//!     /usr/lib/python3.11 /usr/share/doc PACKAGES > patterns/common-grams.tsv
//! ```
//!
//! `PACKAGES` is a folder of some unpacked packages of npm and PyPI: bundles, source maps and Python are
//! much of what is searched.
//!
//! Reads text files of the named folders, as many bytes of each kind of file as of any other. The
//! first file lists every text of three to eight bytes (case aside) that stands at least `LEAST`
//! times in a megabyte; by it `rules check` refuses keywords. The second lists those of four bytes
//! down to a fifth of that; by it the build chooses where in a keyword the search looks. The two
//! were made at different times, out of what the folders held then: their heads say how much of what.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::{env, fs};

/// Bytes read of each kind of file, at most.
const SHARE: u64 = 30_000_000;
/// Larger files are data or made by machines.
const LARGEST: u64 = 200_000;
/// A kind of file with less than this in all is left out.
const SMALLEST_SHARE: u64 = 100_000;
/// Rarer texts are not listed, in occurrences per megabyte.
const LEAST: u64 = 50;

fn main() -> io::Result<()> {
    let mut kinds: BTreeMap<String, Vec<(PathBuf, u64)>> = BTreeMap::new();
    let (flags, folders): (Vec<String>, Vec<String>) =
        env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let (said, lengths, least) = match flags.first().map(String::as_str) {
        Some("--grams") => ("4", 4..=4, LEAST / 5),
        _ => ("3 to 8", 3..=8, LEAST),
    };
    for folder in folders {
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
        "# Texts of {said} bytes, and how often each stands in a megabyte of code and prose.\n\
         # Made by examples/common_text.rs out of {} kB: {}.",
        text.len() / 1000,
        read.join(", ")
    )?;
    for length in lengths {
        for (rate, word) in common(&text, length, least) {
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

/// The texts of `length` bytes that stand `least` times in a megabyte or more, with their rates.
fn common(text: &[u8], length: usize, least: u64) -> Vec<(u64, String)> {
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
        .filter(|(rate, _)| *rate >= least)
        .map(|(rate, packed)| {
            let bytes = &packed.to_be_bytes()[8 - length..];
            (rate, String::from_utf8_lossy(bytes).into_owned())
        })
        .collect()
}

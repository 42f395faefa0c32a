//! Texts in codings of several bytes, and texts too large to be held whole: where a finding stands.

mod util;

use serde_json::{Value, json};
use util::{Dir, github_token, made, made_with};

type Spell = fn(&str) -> Vec<u8>;

fn utf8(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn utf16le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn utf16be(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn utf32le(text: &str) -> Vec<u8> {
    text.chars()
        .flat_map(|c| u32::from(c).to_le_bytes())
        .collect()
}

fn utf32be(text: &str) -> Vec<u8> {
    text.chars()
        .flat_map(|c| u32::from(c).to_be_bytes())
        .collect()
}

const CODINGS: [(&str, Spell); 5] = [
    ("utf8", utf8),
    ("utf16le", utf16le),
    ("utf16be", utf16be),
    ("utf32le", utf32le),
    ("utf32be", utf32be),
];

fn number(finding: &Value, field: &str) -> usize {
    finding[field].as_u64().expect("a number") as usize
}

/// Asserts that a finding points at `token` in `text`, which is spelled by `spell` in the file.
fn assert_place(finding: &Value, text: &str, token: &str, spell: Spell) {
    let at = text.find(token).expect("the token is there");
    let start = spell(&text[..at]).len();
    assert_eq!(number(finding, "byte_start"), start);
    assert_eq!(number(finding, "byte_end"), start + spell(token).len());
    let breaks = text[..at].replace("\r\n", "\n").replace('\r', "\n");
    let column = breaks
        .rsplit('\n')
        .next()
        .map_or(0, |line| line.chars().count())
        + 1;
    assert_eq!(number(finding, "line"), breaks.matches('\n').count() + 1);
    assert_eq!(number(finding, "column"), column);
    assert_eq!(
        number(finding, "end_column"),
        column + token.chars().count()
    );
}

#[test]
fn notebooks_of_every_coding_have_cells_lines_and_bytes() {
    let (token, key) = (github_token(), made("{his:+ASt:Default0}"));
    let notebook = json!({ "cells": [
        { "cell_type": "markdown", "metadata": {}, "source": "Größe 😀 中" },
        { "cell_type": "code", "metadata": {}, "source": ["é = 1\n", format!("t = '😀{token}'")],
          "outputs": [
            { "output_type": "stream", "name": "stdout", "text": "ü\n" },
            { "output_type": "execute_result", "metadata": {}, "data": {
                "text/plain": ["a\n", "b\n", format!("key={key}")] } } ] },
    ], "metadata": {}, "nbformat": 4, "nbformat_minor": 4 });
    let text = serde_json::to_string_pretty(&notebook).expect("JSON");
    for mark in ["", "\u{feff}"] {
        for (name, spell) in CODINGS {
            let dir = Dir::new();
            let text = format!("{mark}{text}");
            dir.write("n.ipynb", spell(&text));
            let findings = dir.findings(&[]);
            assert_eq!(findings.len(), 2, "{name} {mark:?}: {findings:?}");
            for (finding, value, place) in [
                // serde_json writes outputs before the source.
                (&findings[0], &key, json!([1, 1, 3])),
                (&findings[1], &token, json!([1, null, 2])),
            ] {
                assert_eq!(finding["secret"], json!(value));
                assert_place(finding, &text, value, spell);
                let said = json!([finding["cell"], finding["output"], finding["cell_line"]]);
                assert_eq!(said, place, "{name} {mark:?}");
            }
        }
    }
}

/// A text of at least `bytes` bytes in its coding that repeats `filler` and holds tokens where
/// windows meet, and what they are.
fn large(filler: &str, bytes: usize, spell: Spell) -> (String, Vec<String>) {
    let each = spell(filler).len();
    let mut text = String::new();
    let mut tokens = Vec::new();
    // Just before, on and after the borders of cores, and at the end.
    let around =
        [8 << 20, 16 << 20].map(|border| [border - 300 * each, border, border + 300 * each]);
    let mut places: Vec<usize> = around.concat();
    places.retain(|place| *place < bytes);
    places.push(bytes);
    let mut filled = 0;
    for (seed, place) in places.into_iter().enumerate() {
        let times = (place - filled) / each;
        text.push_str(&filler.repeat(times));
        filled += times * each;
        let token = made_with("ghp_{b62:30}{crc-base62}", seed as u64);
        let piece = format!("t = '{token}' ");
        filled += spell(&piece).len();
        text.push_str(&piece);
        tokens.push(token);
    }
    (text, tokens)
}

fn assert_found_in_windows(name: &str, filler: &str, spell: Spell) {
    let dir = Dir::new();
    let (text, tokens) = large(filler, 17 << 20, spell);
    dir.write(name, spell(&text));
    let findings = dir.findings(&[]);
    assert_eq!(findings.len(), tokens.len(), "{findings:?}");
    for (finding, token) in findings.iter().zip(&tokens) {
        assert_eq!(finding["secret"], json!(token));
        assert_place(finding, &text, token, spell);
    }
    let run = dir.run(&["scan", "--format", "json"]).expect(1);
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let coverage = &report["coverage"];
    assert_eq!(
        (&coverage["files"], &coverage["windowed"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(coverage["bytes"], json!(spell(&text).len()));
}

#[test]
fn wide_text_is_read_in_windows() {
    assert_found_in_windows("a.log", "all is well here, grün 😀\r\n", utf16le);
}

#[test]
fn wide_text_without_line_ends_is_read_in_windows() {
    assert_found_in_windows("a.json", "\"all is well here, 😀é\", ", utf32be);
}

#[test]
fn one_line_is_read_in_windows() {
    assert_found_in_windows("a.js", "x=[1,2,3];s=\"😀é\";", utf8);
}

#[test]
fn bare_returns_end_lines_in_windows_too() {
    assert_found_in_windows("a.txt", "all is well here\r", utf8);
}

#[test]
fn a_mark_holds_for_all_windows() {
    // Windows from the middle would be taken for anything but UTF-16.
    let dir = Dir::new();
    let token = github_token();
    let text = format!(
        "\u{feff}{}{token}\n",
        "中文字符\u{3000}語\n".repeat(1_300_000)
    );
    dir.write("a.txt", utf16be(&text));
    let findings = dir.findings(&[]);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_place(&findings[0], &text, &token, utf16be);
}

#[test]
fn a_large_binary_is_left_out_once() {
    let dir = Dir::new();
    let noise: Vec<u8> = (0..4_500_000_u32).flat_map(u32::to_le_bytes).collect();
    dir.write("a.bin", noise);
    let run = dir.run(&["scan", "--format", "json"]).expect(0);
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let coverage = &report["coverage"];
    assert_eq!(
        coverage["left_out"]["binary"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(coverage["files"], json!(0));
}

#[test]
fn many_findings_on_one_line_cost_no_more_than_apart() {
    let dir = Dir::new();
    let mut text = String::from("😀");
    for seed in 0..5_000 {
        text.push_str(&format!(
            "'{}',",
            made_with("ghp_{b62:30}{crc-base62}", seed)
        ));
        text.push_str(&"x ".repeat(500));
    }
    dir.write("a.js", &text);
    let findings = dir.findings(&[]);
    assert_eq!(findings.len(), 5_000);
    let last = findings.last().expect("findings");
    let token = made_with("ghp_{b62:30}{crc-base62}", 4_999);
    assert_place(last, &text, &token, utf8);
}

#[test]
fn a_bare_return_ends_a_line_of_an_output() {
    let dir = Dir::new();
    let text = format!("10%\r20%\r\n30%\n{}", github_token());
    let notebook = json!({ "cells": [{ "cell_type": "code", "metadata": {}, "source": "", "outputs": [
        { "output_type": "stream", "name": "stdout", "text": text } ] }], "nbformat": 4 });
    dir.write("n.ipynb", notebook.to_string());
    assert_eq!(dir.findings(&[])[0]["cell_line"], json!(4));
}

//! Turns `patterns/generic/*.txt` into the tables that the judge of generic secrets reads: a trie
//! of words, and how surprising each letter is after another.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// What a word of the trie is, as `judge::generic::words` reads it.
const COMMON: u32 = 1;
const DUMMY: u32 = 2;

#[derive(Default)]
struct Node {
    children: BTreeMap<u8, usize>,
    class: u32,
}

/// Writes the words of names with a bit for each list they stand in, and those bits by the lists'
/// names.
pub fn write_names(file: &Path, out: &Path) {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let lists: BTreeMap<String, String> =
        toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut words: BTreeMap<&str, u32> = BTreeMap::new();
    let mut code = String::new();
    for (bit, (name, row)) in lists.iter().enumerate() {
        let constant = name.to_ascii_uppercase();
        writeln!(
            code,
            "/// The list `{name}`.\npub const {constant}: u32 = {};",
            1u32 << bit
        )
        .expect("writing to a string");
        for word in row.split_whitespace() {
            assert!(
                word.bytes().all(|b| b.is_ascii_lowercase()),
                "{}: {word:?} is no word of small letters",
                file.display()
            );
            *words.entry(word).or_default() |= 1 << bit;
        }
    }
    code.push_str("/// Words with the lists they stand in, in order.\nstatic NAME_WORDS: &[(&str, u32)] = &[\n");
    for (word, lists) in words {
        writeln!(code, "({word:?}, {lists}),").expect("writing to a string");
    }
    code.push_str("];\n");
    fs::write(out, code).expect("OUT_DIR can be written");
}

/// Writes `TELLING_NAMES` into `out`: the lines of some files, each with the number of the first file
/// that has it. They are in the order of their lengths first, by which most names are told apart.
pub fn write_telling_names(files: &[&Path], out: &Path) {
    let mut names: BTreeMap<(usize, String), usize> = BTreeMap::new();
    for (number, file) in files.iter().enumerate() {
        let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        for name in listed(&text) {
            names.entry((name.len(), name.to_owned())).or_insert(number);
        }
    }
    let mut code = String::from(
        "/// Names that say that their values open nothing, by length and then in order, each with the\n/// number of its list.\nstatic TELLING_NAMES: &[(&str, usize)] = &[\n",
    );
    for ((_, name), number) in names {
        writeln!(code, "({name:?}, {number}),").expect("writing to a string");
    }
    code.push_str("];\n");
    fs::write(out, code).expect("OUT_DIR can be written");
}

/// Writes `TRIE` and `SURPRISE` into `out`.
pub fn write(patterns: &Path, out: &Path) {
    let common = read(&patterns.join("words.txt"));
    let dummy = read(&patterns.join("dummy.txt"));
    let mut nodes = vec![Node::default()];
    for (list, class) in [(&common, COMMON), (&dummy, DUMMY)] {
        for word in list {
            insert(&mut nodes, word, class);
        }
    }
    let mut code = trie(&nodes);
    code.push_str(&surprise(&common));
    fs::write(out, code).expect("OUT_DIR can be written");
}

/// The lines of a list, without remarks.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    let is_entry = |line: &&str| !line.starts_with('#') && !line.is_empty();
    text.lines().filter(is_entry)
}

fn read(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    listed(&text)
        .map(|word| {
            assert!(
                word.bytes().all(|b| b.is_ascii_lowercase()),
                "{}: {word:?} is no word of small letters",
                file.display()
            );
            word.to_owned()
        })
        .collect()
}

fn insert(nodes: &mut Vec<Node>, word: &str, class: u32) {
    let mut at = 0;
    for byte in word.bytes() {
        let letter = byte - b'a';
        at = match nodes[at].children.get(&letter) {
            Some(next) => *next,
            None => {
                nodes.push(Node::default());
                let next = nodes.len() - 1;
                nodes[at].children.insert(letter, next);
                next
            }
        };
    }
    nodes[at].class |= class;
}

/// Each node is a pair: a bit for each letter that goes on from it, and the index of the first of
/// its children (which stand in a row) with the class in the low two bits.
fn trie(nodes: &[Node]) -> String {
    let mut order = vec![0];
    let mut firsts = vec![0usize; nodes.len()];
    let mut next = 0;
    while let Some(&node) = order.get(next) {
        firsts[node] = order.len();
        order.extend(nodes[node].children.values());
        next += 1;
    }
    let mut code =
        String::from("/// The words of `patterns/generic`.\npub static TRIE: &[(u32, u32)] = &[\n");
    for &node in &order {
        let mask = nodes[node]
            .children
            .keys()
            .fold(0u32, |mask, letter| mask | 1 << letter);
        write!(
            code,
            "({mask},{}),",
            firsts[node] << 2 | nodes[node].class as usize
        )
        .expect("writing to a string");
    }
    code.push_str("];\n");
    code
}

/// For each pair of letters the surprise of the second after the first in the list of words, in
/// quarters of a bit.
fn surprise(words: &[String]) -> String {
    let mut counts = [[1u32; 26]; 26];
    for word in words {
        for pair in word.as_bytes().windows(2) {
            counts[usize::from(pair[0] - b'a')][usize::from(pair[1] - b'a')] += 1;
        }
    }
    let mut code = String::from(
        "/// Surprise of a letter after another, in quarters of a bit.\npub static SURPRISE: [[u8; 26]; 26] = [\n",
    );
    for row in counts {
        let total: u32 = row.iter().sum();
        let bits = row.map(|count| (f64::from(total) / f64::from(count)).log2() * 4.0);
        writeln!(code, "{:?},", bits.map(|b| b.round() as u8)).expect("writing to a string");
    }
    code.push_str("];\n");
    code
}

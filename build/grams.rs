//! Turns `patterns/common-grams.tsv` into the table by which keywords are noted where they are rare.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::gram;

/// Writes the common texts of four bytes, each by its key and in the order of that, with how often
/// they stand in a megabyte.
pub fn write(file: &Path, out: &Path) {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut common = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (rate, gram) = line
            .split_once('\t')
            .unwrap_or_else(|| panic!("{}: {line:?} has no tab", file.display()));
        let rate: u32 = rate
            .parse()
            .unwrap_or_else(|e| panic!("{}: {line:?}: {e}", file.display()));
        let bytes = <[u8; 4]>::try_from(gram.as_bytes())
            .unwrap_or_else(|_| panic!("{}: {line:?} is not of four bytes", file.display()));
        common.push((gram::key(u32::from_le_bytes(bytes) | 0x2020_2020), rate));
    }
    common.sort_unstable();
    let mut code = String::from("static COMMON: &[(u32, u32)] = &[\n");
    for (key, rate) in common {
        writeln!(code, "({key}, {rate}),").expect("writing to a string");
    }
    code.push_str("];\n");
    fs::write(out, code).expect("OUT_DIR can be written");
}

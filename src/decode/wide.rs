//! Text of two or four bytes a unit.

use super::ViewBuilder;
use crate::sniff::{Encoding, character};

/// Units of ASCII written in one go.
const ROW: usize = 1 << 10;
/// Units looked at together.
const BLOCK: usize = 32;

/// Writes UTF-16 or UTF-32 as UTF-8, mapped token by token. The byte order mark is left out; what
/// is no character becomes U+FFFD, and bytes too few for a unit are dropped.
pub fn transcode(bytes: &[u8], encoding: Encoding, out: &mut ViewBuilder) {
    let width = encoding.width();
    let units = bytes.len() / width;
    let unit = |index| encoding.unit(bytes, index).unwrap_or(0);
    let mut at = usize::from(units > 0 && unit(0) == 0xFEFF);
    let mut row = Vec::with_capacity(ROW);
    while at < units {
        row.clear();
        ascii_blocks(&bytes[at * width..], encoding, &mut row);
        while row.len() < ROW && at + row.len() < units {
            match unit(at + row.len()) {
                ascii @ 0..0x80 => row.push(ascii as u8),
                _ => break,
            }
        }
        out.tokens(at * width, width, 1, &row);
        at += row.len();
        if at < units && row.len() < ROW {
            let next = (at + 1 < units).then(|| unit(at + 1));
            let (character, taken) = character(unit(at), next.filter(|_| width == 2));
            let mut utf8 = [0; 4];
            let utf8 = character.encode_utf8(&mut utf8);
            out.token(at * width, taken * width, utf8.as_bytes());
            at += taken;
        }
    }
}

/// Fills a row with blocks of units as long as all of one are ASCII.
fn ascii_blocks(bytes: &[u8], encoding: Encoding, row: &mut Vec<u8>) {
    match encoding {
        Encoding::Bytes => {}
        Encoding::Utf16Le => blocks::<2, 0>(bytes, row),
        Encoding::Utf16Be => blocks::<2, 1>(bytes, row),
        Encoding::Utf32Le => blocks::<4, 0>(bytes, row),
        Encoding::Utf32Be => blocks::<4, 3>(bytes, row),
    }
}

/// The same of units of `WIDTH` bytes, of which the one at `LOW` is the lowest. Without a branch within a
/// block, the compiler looks at many units at once.
fn blocks<const WIDTH: usize, const LOW: usize>(bytes: &[u8], row: &mut Vec<u8>) {
    let (units, _) = bytes.as_chunks::<WIDTH>();
    let (blocks, _) = units.as_chunks::<BLOCK>();
    for block in &blocks[..blocks.len().min(ROW / BLOCK)] {
        let mut other = [0; WIDTH];
        for unit in block {
            for (other, byte) in other.iter_mut().zip(unit) {
                *other |= byte;
            }
        }
        other[LOW] &= 0x80;
        if other != [0; WIDTH] {
            return;
        }
        row.extend_from_slice(&block.map(|unit| unit[LOW]));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sniff::WIDE;
    use crate::sniff::tests::spell;
    use crate::span::ViewSpan;

    fn decoded(bytes: &[u8], encoding: Encoding) -> ViewBuilder {
        let mut out = ViewBuilder::default();
        transcode(bytes, encoding, &mut out);
        assert_eq!(out.text.len(), out.map.len());
        out
    }

    fn parent(out: &ViewBuilder, start: usize, end: usize) -> Vec<(u32, u32)> {
        let pieces = out.map.to_parent(ViewSpan::new(start, end));
        pieces.iter().map(|p| (p.start, p.end)).collect()
    }

    #[test]
    fn halves_of_pairs_and_odd_bytes_do_no_harm() {
        let out = decoded(b"a\0\x00\xd8b\0c", Encoding::Utf16Le);
        assert_eq!(out.text, "a\u{fffd}b".as_bytes());
        assert_eq!(parent(&out, 1, 4), [(2, 4)]);
        let out = decoded(b"\xff\xfe\x3d\xd8\x00\xdex\0", Encoding::Utf16Le);
        assert_eq!(out.text, "\u{1f600}x".as_bytes());
        assert_eq!(parent(&out, 0, 4), [(2, 6)]);
        assert_eq!(parent(&out, 4, 5), [(6, 8)]);
    }

    #[test]
    fn the_mark_is_no_text() {
        for encoding in WIDE {
            let bytes = spell("\u{feff}a", encoding);
            assert_eq!(decoded(&bytes, encoding).text, b"a");
        }
    }

    proptest! {
        #[test]
        fn wide_text_comes_back(text in "(?s)[^\u{feff}]{0,40}", pick in 0..4_usize) {
            let encoding = WIDE[pick];
            let bytes = spell(&text, encoding);
            let out = decoded(&bytes, encoding);
            prop_assert_eq!(&out.text, text.as_bytes());
            for (at, c) in text.char_indices() {
                let found = parent(&out, at, at + c.len_utf8());
                let (start, end) = found[0];
                let source = &bytes[start as usize..end as usize];
                prop_assert_eq!(source, spell(&c.to_string(), encoding));
            }
        }

        /// Wherever in a block a unit stands that is none of ASCII.
        #[test]
        fn rows_end_where_ascii_does(
            before in 0..90_usize,
            c in prop_oneof![Just('\u{80}'), Just('\u{7f}'), Just('\u{100}'), any::<char>()],
            behind in 0..90_usize,
            pick in 0..4_usize,
        ) {
            let text = format!("{}{c}{}", "x".repeat(before), "y".repeat(behind));
            prop_assume!(!text.starts_with('\u{feff}'));
            let out = decoded(&spell(&text, WIDE[pick]), WIDE[pick]);
            prop_assert_eq!(&out.text, text.as_bytes());
        }

        #[test]
        fn any_bytes_become_text(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for encoding in WIDE {
                let out = decoded(&bytes, encoding);
                prop_assert!(std::str::from_utf8(&out.text).is_ok());
            }
        }
    }
}

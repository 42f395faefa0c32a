//! Text of two or four bytes a unit.

use super::ViewBuilder;
use crate::sniff::{Encoding, character};

/// Units of ASCII written in one go.
const ROW: usize = 1 << 10;

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

        #[test]
        fn any_bytes_become_text(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for encoding in WIDE {
                let out = decoded(&bytes, encoding);
                prop_assert!(std::str::from_utf8(&out.text).is_ok());
            }
        }
    }
}

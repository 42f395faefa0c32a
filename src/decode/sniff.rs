//! What the bytes of a unit are: text of which coding, or no text.
//!
//! Decided from a bounded sample, so a large file costs no more than a small one. Single-byte
//! codings and broken UTF-8 need no decoding: the engine works on bytes and every secret is ASCII
//! or survives as it is. Only UTF-16 and UTF-32 are rewritten.

use super::ViewBuilder;

/// How a unit's bytes spell its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, ASCII or any single-byte superset of ASCII: read as it is.
    Bytes,
    Utf16Le,
    Utf16Be,
    Utf32Le,
    Utf32Be,
}

/// Bytes that are not text; the word says what they seem to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binary(pub &'static str);

/// How files that are no text begin.
const MAGIC: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF87a", "GIF image"),
    (b"GIF89a", "GIF image"),
    (b"RIFF", "RIFF media"),
    (b"%PDF-", "PDF document"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"PK\x05\x06", "ZIP archive"),
    (b"\x1f\x8b", "gzip archive"),
    (b"BZh", "bzip2 archive"),
    (b"\xfd7zXZ\0", "xz archive"),
    (b"\x28\xb5\x2f\xfd", "zstd archive"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    (b"\x7fELF", "ELF program"),
    (b"\xcf\xfa\xed\xfe", "Mach-O program"),
    (b"\xca\xfe\xba\xbe", "Java class or Mach-O program"),
    (b"\0asm", "WebAssembly program"),
    (b"SQLite format 3\0", "SQLite database"),
    (b"\x89HDF\r\n\x1a\n", "HDF5 data"),
    (b"PAR1", "Parquet data"),
    (b"\0\x01\0\0\0", "TrueType font"),
    (b"OTTO", "OpenType font"),
    (b"wOFF", "web font"),
    (b"wOF2", "web font"),
    (b"\0\0\x01\0", "icon"),
    (b"ID3", "MP3 audio"),
    (b"OggS", "Ogg media"),
    (b"fLaC", "FLAC audio"),
];

/// Bytes looked at, at the start and at two places further in.
const SAMPLE: usize = 4096;

/// Decides from byte order marks, known beginnings and a sample.
///
/// # Errors
/// When the bytes are no text.
pub fn sniff(bytes: &[u8]) -> Result<Encoding, Binary> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Ok(Encoding::Bytes);
    }
    if bytes.starts_with(b"\xff\xfe\0\0") {
        return Ok(Encoding::Utf32Le);
    }
    if bytes.starts_with(b"\0\0\xfe\xff") {
        return Ok(Encoding::Utf32Be);
    }
    if bytes.starts_with(b"\xff\xfe") {
        return Ok(Encoding::Utf16Le);
    }
    if bytes.starts_with(b"\xfe\xff") {
        return Ok(Encoding::Utf16Be);
    }
    let sample = |from: usize| &bytes[from.min(bytes.len())..(from + SAMPLE).min(bytes.len())];
    let head = sample(0);
    let middle = sample((bytes.len() / 2) & !3);
    let tail = sample(bytes.len().saturating_sub(SAMPLE) & !3);
    if let Some(wide) = wide(head) {
        return Ok(wide);
    }
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        // A few signatures are words; text that starts with one has no odd bytes after it.
        if odd(head) > 0 || odd(middle) > 0 {
            return Err(Binary(name));
        }
    }
    let odd_share = |part: &[u8]| odd(part) * 10 > part.len();
    if odd_share(head) || odd_share(middle) && odd_share(tail) {
        return Err(Binary("binary data"));
    }
    Ok(Encoding::Bytes)
}

/// Bytes that text has no use for.
fn odd(part: &[u8]) -> usize {
    let is_odd = |b: &&u8| matches!(b, 0..=6 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
    part.iter().filter(is_odd).count()
}

/// UTF-16 or UTF-32 without a mark, told by where the NUL bytes of its ASCII stand.
fn wide(head: &[u8]) -> Option<Encoding> {
    if head.len() < 4 || memchr::memchr(0, head).is_none() {
        return None;
    }
    let mut nuls = [0usize; 4];
    for (index, byte) in head.iter().enumerate() {
        nuls[index % 4] += usize::from(*byte == 0);
    }
    let quarter = head.len().div_ceil(4);
    let full = |n: usize| n * 10 >= quarter * 7;
    let none = |n: usize| n * 20 <= quarter;
    match nuls.map(|n| (full(n), none(n))) {
        [(_, true), (true, _), (true, _), (true, _)] => Some(Encoding::Utf32Le),
        [(true, _), (true, _), (true, _), (_, true)] => Some(Encoding::Utf32Be),
        [(_, true), (true, _), (_, true), (true, _)] => Some(Encoding::Utf16Le),
        [(true, _), (_, true), (true, _), (_, true)] => Some(Encoding::Utf16Be),
        _ => None,
    }
}

/// Writes UTF-16 or UTF-32 as UTF-8, mapped character by character. What is no character reads as
/// U+FFFD; a byte order mark is passed over.
pub fn transcode(bytes: &[u8], encoding: Encoding, out: &mut ViewBuilder) {
    let mut at = 0;
    let mut utf8 = [0; 4];
    while at < bytes.len() {
        let (len, c) = match encoding {
            Encoding::Bytes => (1, bytes[at] as char),
            Encoding::Utf16Le => utf16(&bytes[at..], u16::from_le_bytes),
            Encoding::Utf16Be => utf16(&bytes[at..], u16::from_be_bytes),
            Encoding::Utf32Le => utf32(&bytes[at..], u32::from_le_bytes),
            Encoding::Utf32Be => utf32(&bytes[at..], u32::from_be_bytes),
        };
        if at > 0 || c != '\u{feff}' {
            out.token(at, len, c.encode_utf8(&mut utf8).as_bytes());
        }
        at += len;
    }
}

fn utf16(rest: &[u8], read: fn([u8; 2]) -> u16) -> (usize, char) {
    let unit = |at: usize| rest.get(at..at + 2).map(|pair| read([pair[0], pair[1]]));
    let Some(first) = unit(0) else {
        return (rest.len(), char::REPLACEMENT_CHARACTER);
    };
    match char::decode_utf16([first].into_iter().chain(unit(2))).next() {
        Some(Ok(c)) => (c.len_utf16() * 2, c),
        _ => (2, char::REPLACEMENT_CHARACTER),
    }
}

fn utf32(rest: &[u8], read: fn([u8; 4]) -> u32) -> (usize, char) {
    match rest.first_chunk::<4>() {
        Some(four) => (
            4,
            char::from_u32(read(*four)).unwrap_or(char::REPLACEMENT_CHARACTER),
        ),
        None => (rest.len(), char::REPLACEMENT_CHARACTER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(text: &str, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Bytes => text.as_bytes().to_vec(),
            Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Encoding::Utf32Le => text
                .chars()
                .flat_map(|c| (c as u32).to_le_bytes())
                .collect(),
            Encoding::Utf32Be => text
                .chars()
                .flat_map(|c| (c as u32).to_be_bytes())
                .collect(),
        }
    }

    const WIDE: [Encoding; 4] = [
        Encoding::Utf16Le,
        Encoding::Utf16Be,
        Encoding::Utf32Le,
        Encoding::Utf32Be,
    ];

    #[test]
    fn wide_text_is_told_with_and_without_a_mark() {
        for encoding in WIDE {
            let text = "connection = \"Server=tcp:x;Password=y\"\r\n";
            assert_eq!(sniff(&encode(text, encoding)), Ok(encoding));
            assert_eq!(
                sniff(&encode(&format!("\u{feff}é{text}"), encoding)),
                Ok(encoding)
            );
        }
    }

    #[test]
    fn text_stays_text() {
        for text in [
            &b""[..],
            b"a",
            b"caf\xe9 = 1\n",
            b"a\0b and then some more text",
            b"PAR1 is a word",
            b"ID3,x\n",
        ] {
            assert_eq!(sniff(text), Ok(Encoding::Bytes), "{text:?}");
        }
    }

    #[test]
    fn binaries_are_named() {
        assert_eq!(
            sniff(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
            Err(Binary("PNG image"))
        );
        assert_eq!(
            sniff(&[1, 2, 3, 0, 0, 0, 9, 200]),
            Err(Binary("binary data"))
        );
    }

    proptest! {
        #[test]
        fn transcoding_keeps_text_and_its_map(text in "\\PC{0,40}", which in 0usize..4) {
            let bytes = encode(&text, WIDE[which]);
            let mut out = ViewBuilder::default();
            transcode(&bytes, WIDE[which], &mut out);
            let expected = text.strip_prefix('\u{feff}').unwrap_or(&text);
            prop_assert_eq!(&out.text[..], expected.as_bytes());
            prop_assert_eq!(out.map.len(), out.text.len());
        }

        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..100), which in 0usize..4) {
            let _ = sniff(&bytes);
            transcode(&bytes, WIDE[which], &mut ViewBuilder::default());
        }
    }
}

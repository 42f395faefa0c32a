//! What the bytes of a unit are: text of which coding, or no text.
//!
//! The question is asked of every file of a tree, so the answer comes from the first bytes and a
//! few samples, whatever the size. In doubt the bytes are text: a missed secret costs more than a
//! searched picture.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

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

/// Files that say what they are, unless they go on as text does, or have nothing but what text has. A mark
/// made of letters is only believed where the format has bytes around it that text has not: see
/// [`NUL_NEAR`].
const MARKS: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "PNG image"),
    (0, b"\xff\xd8\xff", "JPEG image"),
    (0, b"GIF87a", "GIF image"),
    (0, b"GIF89a", "GIF image"),
    (0, b"II*\0", "TIFF image"),
    (0, b"MM\0*", "TIFF image"),
    (8, b"WEBP", "WebP image"),
    (8, b"WAVEfmt ", "WAV audio"),
    (8, b"AVI LIST", "AVI video"),
    (0, b"\0\0\x01\0", "icon"),
    (0, b"8BPS\0", "Photoshop image"),
    (0, b"%PDF-", "PDF document"),
    (0, b"PK\x03\x04", "ZIP archive"),
    (0, b"PK\x05\x06", "ZIP archive"),
    (0, b"\x1f\x8b\x08", "gzip archive"),
    (4, b"1AY&SY", "bzip2 archive"),
    (0, b"\xfd7zXZ\0", "xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "zstd archive"),
    (0, b"\x04\x22\x4d\x18", "lz4 archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (0, b"Rar!\x1a\x07", "RAR archive"),
    (0, b"MSCF\0\0\0\0", "cabinet archive"),
    (0, b"!<arch>\n", "ar archive"),
    (0, b"\x7fELF", "ELF program"),
    (0, b"\xfe\xed\xfa\xce", "Mach-O program"),
    (0, b"\xfe\xed\xfa\xcf", "Mach-O program"),
    (0, b"\xce\xfa\xed\xfe", "Mach-O program"),
    (0, b"\xcf\xfa\xed\xfe", "Mach-O program"),
    (0, b"\xca\xfe\xba\xbe", "Java class or Mach-O program"),
    (0, b"\0asm", "WebAssembly module"),
    (0, b"BC\xc0\xde", "LLVM bitcode"),
    (0, b"SQLite format 3\0", "SQLite database"),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5 file"),
    (0, b"PAR1\x15", "Parquet file"),
    (0, b"\x93NUMPY", "NumPy array"),
    (0, b"\0\x01\0\0", "font"),
    (0, b"OTTO\0", "font"),
    (0, b"ttcf\0", "font"),
    (0, b"OggS\0", "Ogg audio"),
    (0, b"fLaC\0", "FLAC audio"),
    (0, b"ID3\x02", "MP3 audio"),
    (0, b"ID3\x03", "MP3 audio"),
    (0, b"ID3\x04", "MP3 audio"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska video"),
];

/// Marks that text might begin with: believed when one of the first 64 bytes is NUL.
const NUL_NEAR: &[(usize, &[u8], &str)] = &[
    (0, b"MZ", "Windows program"),
    (0, b"BM", "bitmap image"),
    (4, b"ftyp", "MP4 video"),
    (0, b"wOFF", "font"),
    (0, b"wOF2", "font"),
    (0, b"PACK", "git pack"),
    (0, b"DIRC", "git index"),
    (257, b"ustar", "tar archive"),
];

/// How much of the beginning of a file its mark is in, as far as [`is_marked`] needs it.
pub const HEAD: usize = 264;
/// How much behind a mark tells whether text follows.
const NEAR: usize = 128;

/// Bytes of plain text side by side that are not found in wide characters: of a script in which two such may
/// be one character, hardly ever are all of so many.
const PLAIN: usize = 32;

/// Number and size of the samples.
const SAMPLES: usize = 4;
const SAMPLE: usize = 1 << 10;

/// Decides from the first bytes, and for NUL bytes from a sample.
///
/// # Errors
/// When the bytes are no text.
pub fn sniff(bytes: &[u8]) -> Result<Encoding, Binary> {
    if let Some(encoding) = byte_order_mark(bytes) {
        return Ok(encoding);
    }
    if let Some(name) = mark(bytes) {
        return Err(Binary(name));
    }
    if samples(bytes).all(is_usual) {
        return Ok(Encoding::Bytes);
    }
    let (mut nuls, mut controls, mut total) = (0, 0, 0);
    for sample in samples(bytes) {
        nuls += memchr::memchr_iter(0, sample).count();
        controls += count_controls(sample);
        total += sample.len();
    }
    if nuls > 0 {
        let wide = WIDE.into_iter().find(|&wide| reads_as(bytes, wide));
        if let Some(wide) = wide {
            return Ok(if has_plain(bytes) {
                Encoding::Bytes
            } else {
                wide
            });
        }
        nuls -= samples(bytes).map(count_wide).sum::<usize>();
    }
    // One byte in ten of compressed data is a control; no text of any language comes near that.
    if nuls * 10 > total || controls * 16 > total {
        return Err(Binary("binary data"));
    }
    Ok(Encoding::Bytes)
}

/// Whether a file that begins so says that it is no text, whatever follows. `head` is all of the file
/// or its first [`HEAD`] bytes.
pub fn is_marked(head: &[u8]) -> bool {
    byte_order_mark(head).is_none() && mark(head).is_some()
}

/// What a mark at the beginning says of the encoding. Plain text of single bytes behind it is hidden from
/// whoever believes it: read as wide characters it would be other words. A shell that appends to a file
/// writes in its own encoding, and who wants to hide something may do so too. Wide characters among single
/// bytes are found there as an encoding inside of the text.
fn byte_order_mark(bytes: &[u8]) -> Option<Encoding> {
    let (encoding, rest) = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => (Encoding::Bytes, rest),
        [0xFF, 0xFE, 0, 0, rest @ ..] => (Encoding::Utf32Le, rest),
        [0, 0, 0xFE, 0xFF, rest @ ..] => (Encoding::Utf32Be, rest),
        [0xFF, 0xFE, rest @ ..] => (Encoding::Utf16Le, rest),
        [0xFE, 0xFF, rest @ ..] if !rest.is_empty() => (Encoding::Utf16Be, rest),
        _ => return None,
    };
    match begins_plain(rest) || has_plain(rest) {
        true => Some(Encoding::Bytes),
        false => Some(encoding),
    }
}

/// Whether some bytes begin as a text in ASCII does. No bytes tell nothing.
fn begins_plain(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(NEAR)];
    !head.is_empty() && head.iter().all(|&byte| is_plain(byte))
}

/// Whether a byte is a character of plain text by itself.
pub fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// Whether [`PLAIN`] bytes of plain text stand side by side.
fn has_plain(bytes: &[u8]) -> bool {
    let mut start = 0;
    // All of them are plain if none is not, and the last that is not tells where to go on.
    while let Some(stretch) = bytes.get(start..start + PLAIN) {
        match stretch.iter().rposition(|&byte| !is_plain(byte)) {
            None => return true,
            Some(other) => start += other + 1,
        }
    }
    false
}

/// How many zero bytes of a sample have a plain byte and another zero behind them, as in wide characters.
fn count_wide(sample: &[u8]) -> usize {
    let is_wide = |near: &&[u8]| matches!(near, [0, byte, 0] if is_plain(*byte));
    sample.windows(3).filter(is_wide).count()
}

/// Where marks begin.
const PLACES: [usize; 3] = [0, 4, 8];

/// By byte, a bit for each of the places at which a mark begins with it. Nearly all text is told by
/// that, and every object of a history is asked.
const FIRSTS: [u8; 256] = firsts();

const fn firsts() -> [u8; 256] {
    let mut firsts = [0; 256];
    let mut index = 0;
    while index < MARKS.len() {
        let (at, mark, _) = MARKS[index];
        let mut place = 0;
        while PLACES[place] != at {
            place += 1;
        }
        firsts[mark[0] as usize] |= 1 << place;
        index += 1;
    }
    firsts
}

fn mark(bytes: &[u8]) -> Option<&'static str> {
    let behind = |&(at, mark, _): &(usize, &[u8], &'static str)| {
        let rest = bytes.get(at..);
        rest.and_then(|rest| rest.strip_prefix(mark))
    };
    let is_believed = |mark: &&_| behind(mark).is_some_and(|rest| !begins_plain(rest));
    let may_begin = |(place, &at): (usize, &usize)| {
        let first = bytes.get(at).map(|&byte| FIRSTS[usize::from(byte)]);
        first.is_some_and(|places| places & 1 << place != 0)
    };
    if PLACES.iter().enumerate().any(may_begin)
        && let Some((_, _, name)) = MARKS.iter().find(is_believed)
        && !samples(bytes).all(is_usual)
    {
        return Some(name);
    }
    let head = bytes.get(..64).unwrap_or(bytes);
    if !head.contains(&0)
        && bytes
            .get(200..257)
            .is_none_or(|header| !header.contains(&0))
    {
        return None;
    }
    // Python's magic number ends in a line end so that a copy in text mode would break it.
    if let [_, 0x0B..=0x0E, b'\r', b'\n', ..] = bytes {
        return Some("Python bytecode");
    }
    let stands = |mark: &&_| behind(mark).is_some();
    NUL_NEAR.iter().find(stands).map(|(_, _, name)| *name)
}

/// Pieces from all over the bytes; all of them when they are few. Each starts at a multiple of 4.
fn samples(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = bytes.len() <= SAMPLES * SAMPLE;
    let (count, size) = if whole {
        (1, bytes.len())
    } else {
        (SAMPLES, SAMPLE)
    };
    let step = bytes.len().saturating_sub(size) / SAMPLES.saturating_sub(1).max(1);
    (0..count).filter_map(move |index| {
        let start = (index * step) & !3;
        bytes.get(start..start + size)
    })
}

/// Whether there are no control bytes but tabs and line ends: what most text is like, told at once.
fn is_usual(sample: &[u8]) -> bool {
    dispatch!(Level::new(), simd => holds_usual_only(simd, sample))
}

/// Needs to be inlined to be compiled for the level at hand.
#[inline(always)]
fn holds_usual_only<S: Simd>(simd: S, sample: &[u8]) -> bool {
    const BLOCK: usize = 64;
    let blocks = sample.chunks_exact(BLOCK);
    let usual = |byte: &u8| !byte.is_ascii_control() || matches!(byte, b'\t' | b'\n' | b'\r');
    blocks.remainder().iter().all(usual)
        && blocks.into_iter().all(|block| {
            let bytes = u8x64::from_slice(simd, block);
            let kept = bytes.simd_eq(b'\t') | bytes.simd_eq(b'\n') | bytes.simd_eq(b'\r');
            let controls = bytes.simd_lt(b' ') | bytes.simd_eq(0x7F);
            controls.to_bitmask() & !kept.to_bitmask() == 0
        })
}

/// Control bytes that text has no use for; terminals use the others.
fn is_control(byte: u8) -> bool {
    matches!(byte, 1..=6 | 14..=26 | 28..=31 | 127)
}

/// Sums of bytes let the compiler count many at once; no sum of so few can overflow.
fn count_controls(bytes: &[u8]) -> usize {
    let count = |piece: &[u8]| piece.iter().map(|&b| u8::from(is_control(b))).sum::<u8>();
    bytes
        .chunks(128)
        .map(|piece| usize::from(count(piece)))
        .sum()
}

pub const WIDE: [Encoding; 4] = [
    Encoding::Utf32Le,
    Encoding::Utf32Be,
    Encoding::Utf16Le,
    Encoding::Utf16Be,
];

/// Whether the samples, read in this encoding, are mostly ASCII and hardly ever control. Mostly the
/// first of them tell that they are not.
fn reads_as(bytes: &[u8], encoding: Encoding) -> bool {
    let width = encoding.width();
    let units: usize = samples(bytes).map(|sample| sample.len() / width).sum();
    let (mut other, mut odd) = (0, 0);
    for sample in samples(bytes) {
        for unit in sample.chunks_exact(width) {
            match unit_value(unit, encoding) {
                0x20..0x7F | 9..=13 | 27 => continue,
                0..0x20 | 0x7F => odd += 1,
                _ => {}
            }
            other += 1;
            if other * 10 > units * 3 || odd * 50 > units {
                return false;
            }
        }
    }
    units > 1
}

fn unit_value(unit: &[u8], encoding: Encoding) -> u32 {
    let shift = |value: u32, &byte: &u8| value << 8 | u32::from(byte);
    match encoding {
        Encoding::Utf16Le | Encoding::Utf32Le => unit.iter().rev().fold(0, shift),
        _ => unit.iter().fold(0, shift),
    }
}

impl Encoding {
    /// Bytes in its smallest unit.
    pub fn width(self) -> usize {
        match self {
            Self::Bytes => 1,
            Self::Utf16Le | Self::Utf16Be => 2,
            Self::Utf32Le | Self::Utf32Be => 4,
        }
    }

    /// The value of the unit at `index`, counted in units.
    pub fn unit(self, bytes: &[u8], index: usize) -> Option<u32> {
        let width = self.width();
        let unit = bytes.get(index * width..(index + 1) * width)?;
        Some(unit_value(unit, self))
    }
}

/// The character of a unit of wide text and perhaps the next, and how many units it takes. What is
/// no character is U+FFFD.
pub fn character(unit: u32, next: Option<u32>) -> (char, usize) {
    if let (0xD800..0xDC00, Some(low @ 0xDC00..0xE000)) = (unit, next) {
        let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        return (
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
            2,
        );
    }
    (
        char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER),
        1,
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn spell(text: &str, encoding: Encoding) -> Vec<u8> {
        let wide = |c: char| u32::from(c);
        match encoding {
            Encoding::Bytes => text.as_bytes().to_vec(),
            Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Encoding::Utf32Le => text.chars().flat_map(|c| wide(c).to_le_bytes()).collect(),
            Encoding::Utf32Be => text.chars().flat_map(|c| wide(c).to_be_bytes()).collect(),
        }
    }

    #[test]
    fn files_say_what_they_are() {
        let cases: &[(&[u8], &str)] = &[
            (b"\x89PNG\r\n\x1a\n\0\0", "PNG image"),
            (b"RIFF\x10\0\0\0WEBPVP8 \x04\0", "WebP image"),
            (
                b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\nstream\nx\x9c\x01",
                "PDF document",
            ),
            (b"GIF89a\x10\0\x10\0", "GIF image"),
            (b"BZh91AY&SY\x01", "bzip2 archive"),
            (b"MZ\x90\0\x03\0\0\0", "Windows program"),
            (b"\0\0\0\x18ftypmp42", "MP4 video"),
            (b"\xa7\x0d\r\n\0\0\0\0", "Python bytecode"),
            (b"SQLite format 3\0", "SQLite database"),
            (b"PAR1\x15\x04", "Parquet file"),
        ];
        for (bytes, name) in cases {
            assert_eq!(sniff(bytes), Err(Binary(name)));
        }
        let mut tar = b"name.txt".to_vec();
        tar.resize(257, 0);
        tar.extend(b"ustar\x0000and more");
        assert_eq!(sniff(&tar), Err(Binary("tar archive")));
    }

    #[test]
    fn every_mark_is_told() {
        for (at, begins, name) in MARKS {
            let mut bytes = vec![b'x'; *at];
            bytes.extend(*begins);
            bytes.extend(b"text\x01");
            assert_eq!(mark(&bytes), Some(*name));
            let short = mark(&bytes[..at + begins.len() - 1]);
            assert_ne!(short, Some(*name));
        }
    }

    proptest! {
        #[test]
        fn the_head_tells_a_marked_file(
            (at, begins) in prop::sample::select(
                MARKS.iter().chain(NUL_NEAR).map(|&(at, mark, _)| (at, mark)).collect::<Vec<_>>(),
            ),
            (before, byte) in (any::<u8>(), prop_oneof![Just(0_u8), any::<u8>()]),
            len in 0..9000_usize,
        ) {
            let mut bytes = vec![before; at];
            bytes.extend(begins);
            bytes.resize(bytes.len() + len, byte);
            let head = &bytes[..bytes.len().min(HEAD)];
            prop_assert!(!is_marked(head) || sniff(&bytes).is_err());
            let in_text = byte_order_mark(&bytes).is_some() || mark(&bytes).is_none();
            prop_assert!(is_marked(head) || in_text || head.len() < bytes.len());
        }

        #[test]
        fn usual_text_is_told_as_byte_by_byte(
            text in prop::collection::vec(prop_oneof![60 => 32..127_u8, 1 => any::<u8>()], 0..200),
        ) {
            let usual = text.iter().all(|b| b"\t\n\r".contains(b) || !b.is_ascii_control());
            prop_assert_eq!(is_usual(&text), usual);
        }
    }

    #[test]
    fn text_stays_text() {
        let long_log = "\x1b[31mred\x1b[0m\x08\x08 bell\x07\r\n".repeat(500);
        let cases: &[&[u8]] = &[
            b"",
            b"x",
            b"MZ is how the header of a program begins",
            b"BM, PACK and wOFF are words",
            b"PAR1 = 4",
            b"ID3 tags",
            b"KEY=value\0HOME=/home/somebody\0",
            b"caf\xe9 fianc\xe9 na\xefve \xa3\x80\x99",
            b"\x83\x70\x83\x58\x83\x8f\x81\x5b\x83\x68 \x82\xcd",
            b"\xef\xbb\xbftext",
            b"\xff\xfetext",
            b"\0\0\xfe\xfftext\n",
            b"%PDF-1.7\nall of it is text",
            b"GIF89a=1",
            b"GIF89a = 1  # caf\xc3\xa9\n",
            b"%PDF-1.7 is no caf\xe9\n",
            b"\xff\xfe# caf\xc3\xa9\ntoken = 'this is a text of single bytes'",
            b"PK\x03\x04=1\nand so on, as a text goes on for a while\n",
            long_log.as_bytes(),
        ];
        for bytes in cases {
            assert_eq!(sniff(bytes), Ok(Encoding::Bytes), "{bytes:?}");
        }
    }

    #[test]
    fn noise_is_binary() {
        // A linear congruence: noise that is the same in every run.
        let mut state = 1_u32;
        let noise: Vec<u8> = (0..20_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        assert_eq!(sniff(&noise), Err(Binary("binary data")));
        let numbers: Vec<u8> = (0..5000_u32).flat_map(u32::to_le_bytes).collect();
        assert_eq!(sniff(&numbers), Err(Binary("binary data")));
    }

    #[test]
    fn wide_text_is_known_with_and_without_a_mark() {
        for encoding in WIDE {
            let text = "password = \"gr\u{fc}n\"\r\n\u{4e2d} and so on";
            assert_eq!(sniff(&spell(text, encoding)), Ok(encoding));
            let marked = format!("\u{feff}{text}");
            let bytes = spell(&marked, encoding);
            assert_eq!(sniff(&bytes), Ok(encoding));
            let long = spell(&text.repeat(1000), encoding);
            assert_eq!(sniff(&long), Ok(encoding));
        }
    }

    #[test]
    fn plain_text_beside_wide_is_not_taken_for_wide() {
        let plain = "a line that a shell appended in its own encoding\n";
        for encoding in WIDE {
            let wide = spell(
                &"\u{feff}PATH=/usr/bin\r\nHOME=/root\r\n".repeat(9),
                encoding,
            );
            let appended = [&*wide, plain.as_bytes()].concat();
            assert_eq!(sniff(&appended), Ok(Encoding::Bytes), "{encoding:?}");
            let long = [&*wide.repeat(99), plain.as_bytes(), &*wide.repeat(99)].concat();
            assert_eq!(sniff(&long), Ok(Encoding::Bytes), "{encoding:?}");
        }
        for wide in [Encoding::Utf16Le, Encoding::Utf16Be] {
            let appended = [plain.as_bytes(), &spell(&plain.repeat(3), wide)].concat();
            assert_eq!(sniff(&appended), Ok(Encoding::Bytes), "{wide:?}");
        }
        let foreign = "\u{feff}\u{4e2d}\u{6587}\u{8bf4}\u{660e}\u{3002}".repeat(40);
        let bytes = spell(&foreign, Encoding::Utf16Le);
        assert_eq!(sniff(&bytes), Ok(Encoding::Utf16Le));
    }

    proptest! {
        #[test]
        fn plain_text_is_found_wherever_it_stands(
            parts in prop::collection::vec(("[ -~\n]{0,40}", prop::bool::ANY), 0..9),
        ) {
            let bytes: Vec<u8> = parts.iter().flat_map(|(text, ends)| {
                let end = if *ends { &b"\x00"[..] } else { b"" };
                [text.as_bytes(), end].concat()
            }).collect();
            let rows = bytes.split(|&byte| !is_plain(byte));
            let longest = rows.map(<[u8]>::len).max().unwrap_or(0);
            prop_assert_eq!(has_plain(&bytes), longest >= PLAIN);
        }

        #[test]
        fn any_bytes_are_something(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = sniff(&bytes);
        }
    }
}

//! Paths as git writes them in its lists: in quotes, with escapes, where they have signs of their own.

use std::path::PathBuf;

/// What stands before the closing quote, unescaped, and what comes after it; `None` where git would not
/// have written it so.
pub fn read(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut bytes = Vec::new();
    loop {
        let (first, behind) = rest.split_first()?;
        rest = behind;
        match first {
            b'"' => return Some((bytes, rest)),
            b'\\' => {
                let (byte, width) = escape(rest)?;
                bytes.push(byte);
                rest = &rest[width..];
            }
            byte => bytes.push(*byte),
        }
    }
}

/// What an escape means, behind its backslash, and how long it is there.
fn escape(rest: &[u8]) -> Option<(u8, usize)> {
    let byte = match *rest.first()? {
        b'0'..=b'3' => {
            let digits = std::str::from_utf8(rest.get(..3)?).ok()?;
            return Some((u8::from_str_radix(digits, 8).ok()?, 3));
        }
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        sign @ (b'"' | b'\\') => sign,
        _ => return None,
    };
    Some((byte, 1))
}

#[cfg(unix)]
pub fn path(bytes: Vec<u8>) -> PathBuf {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
pub fn path(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_git_writes_them() {
        let cases: [(&[u8], &[u8], &[u8]); 3] = [
            (b"/a\\040b\"", b"/a b", b""),
            (b"\\303\\251\\\"\\\\\\n\":/c", b"\xc3\xa9\"\\\n", b":/c"),
            (b"\"", b"", b""),
        ];
        for (source, path, rest) in cases {
            assert_eq!(read(source), Some((path.to_vec(), rest)));
        }
        for source in [
            &b"half"[..],
            b"\\q\"",
            b"\\\"",
            b"\\40\"",
            b"\\777\"",
            b"\\",
        ] {
            assert_eq!(read(source), None);
        }
    }
}

//! JSON that may stand in a CI system's log.

use std::io::{self, Write};

/// Writes JSON with no two `#` in a row, so that nothing in it is taken for a command such as `##vso[`.
/// It means the same: outside of strings JSON has no `#`.
pub struct Escaped<'o> {
    out: &'o mut dyn Write,
    after_hash: bool,
}

impl<'o> Escaped<'o> {
    pub fn new(out: &'o mut dyn Write) -> Self {
        Self {
            out,
            after_hash: false,
        }
    }
}

impl Write for Escaped<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        for at in memchr::memchr_iter(b'#', bytes) {
            let follows = match at.checked_sub(1) {
                Some(before) => bytes[before] == b'#',
                None => self.after_hash,
            };
            if follows {
                self.out.write_all(&bytes[written..at])?;
                self.out.write_all(b"\\u0023")?;
                written = at + 1;
            }
        }
        self.out.write_all(&bytes[written..])?;
        if let Some(last) = bytes.last() {
            self.after_hash = *last == b'#';
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_the_same_however_it_is_cut() {
        let text = "a # b ##vso[x] ####";
        let json = serde_json::to_vec(text).expect("JSON");
        for cut in 1..json.len() {
            let mut out = Vec::new();
            let mut escaped = Escaped::new(&mut out);
            for part in json.chunks(cut) {
                escaped.write_all(part).expect("a vector takes all");
            }
            let out = String::from_utf8(out).expect("UTF-8");
            assert!(!out.contains("##"), "{out}");
            assert_eq!(serde_json::from_str::<String>(&out).expect("JSON"), text);
        }
    }
}

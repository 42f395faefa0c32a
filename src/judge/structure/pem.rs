//! Private key blocks, in every carrier that notebooks and settings put them: whole lines,
//! literal `\n`, lists of quoted lines, indentation, comment signs.

use super::text::{base64, contains_ci};
use crate::judge::Dropped;
use crate::span::ViewSpan;

/// The longest block read; an RSA key of 16384 bits takes some 13 kB.
const REACH: usize = 32 * 1024;
/// Base64 characters below which a body is a shortened example. An EC key has 160.
const SHORTEST: usize = 64;

/// A private key block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pem {
    /// Such as `RSA PRIVATE KEY`.
    pub label: String,
    /// From the first dash to the last, or to where the body ends when the end line is missing.
    pub span: ViewSpan,
    pub encrypted: bool,
    /// Whether the body decodes to what the label promises.
    pub decodes: bool,
    pub complete: bool,
}

/// Reads the block that starts at or after `from`.
///
/// # Errors
/// When it is no private key, or only an example's outline of one.
pub fn parse(text: &[u8], from: ViewSpan, stretch: ViewSpan) -> Result<Pem, Dropped> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let start = from.start as usize;
    let high = start.saturating_add(REACH).min(stretch.end as usize);
    let block = text.get(start..high.max(start)).unwrap_or_default();
    let begin = memchr::memmem::find(block, BEGIN).ok_or(Dropped("no key block stands here"))?;
    let after = &block[begin + BEGIN.len()..];
    let label_len = memchr::memmem::find(after.get(..64).unwrap_or(after), b"-----")
        .ok_or(Dropped("the key block has no first line"))?;
    let label = &after[..label_len];
    if memchr::memmem::find(label, b"PRIVATE KEY").is_none() {
        return Err(Dropped("is a public key or a certificate"));
    }
    let body_at = begin + BEGIN.len() + label_len + 5;
    let body = Body::read(&block[body_at..]);
    if body.elided {
        return Err(Dropped("the key block is an outline"));
    }
    if body.text.len() < SHORTEST {
        return Err(Dropped("the key block holds no key"));
    }
    let decoded = decode(&body.text);
    if decoded.as_deref().is_some_and(is_cut_off) {
        return Err(Dropped("the key block is an outline"));
    }
    Ok(Pem {
        label: label.iter().map(|&b| b as char).collect(),
        span: ViewSpan::new(start + begin, start + body_at + body.len),
        encrypted: label.starts_with(b"ENCRYPTED")
            || body.says_encrypted
            || decoded.as_deref().is_some_and(is_encrypted_openssh),
        decodes: decoded.is_some_and(|bytes| fits(label, &bytes)),
        complete: body.complete,
    })
}

/// Whether a key in DER says that it is more than twice as long as what stands there.
fn is_cut_off(key: &[u8]) -> bool {
    match key {
        [0x30, 0x82, high, low, rest @ ..] => {
            usize::from(u16::from_be_bytes([*high, *low])) > 2 * rest.len()
        }
        _ => false,
    }
}

/// What stands between the first line and the last.
#[derive(Default)]
struct Body {
    /// The base64 characters.
    text: Vec<u8>,
    /// Bytes up to the end of the last line, or of the body.
    len: usize,
    says_encrypted: bool,
    elided: bool,
    complete: bool,
}

impl Body {
    fn read(raw: &[u8]) -> Self {
        let mut body = Self::default();
        let mut at = 0;
        while let Some(&byte) = raw.get(at) {
            let rest = &raw[at..];
            at += match byte {
                b'-' if rest.starts_with(b"-----END") => {
                    body.complete = true;
                    body.len = at + end_line(rest);
                    return body;
                }
                b'.' if rest.starts_with(b"..") => {
                    body.elided = true;
                    return body;
                }
                0xe2 if rest.starts_with("…".as_bytes()) => {
                    body.elided = true;
                    return body;
                }
                b'+' if is_joint(raw, at) => 1,
                _ if is_base64(byte) => match body.word(rest) {
                    Some(len) => {
                        body.len = at + len;
                        len
                    }
                    None => return body,
                },
                b'\\' => escape_len(rest),
                _ if is_filler(byte) => 1,
                _ => return body,
            };
        }
        body
    }

    /// Takes a run of base64, or steps over a header line such as `DEK-Info: ...`.
    fn word(&mut self, rest: &[u8]) -> Option<usize> {
        let len = rest.iter().take_while(|b| is_base64(**b)).count();
        let next = &rest[len..];
        let is_header =
            len < 24 && matches!(next.first(), Some(b':' | b'-')) && !next.starts_with(b"-----");
        if !is_header {
            self.text.extend_from_slice(&rest[..len]);
            return Some(len);
        }
        let line = rest
            .iter()
            .take(200)
            .position(|b| matches!(b, b'\n' | b'\r' | b'\\' | b'"'))?;
        let header = &rest[..line];
        memchr::memchr(b':', header)?;
        self.says_encrypted |= contains_ci(header, b"encrypted");
        Some(line)
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn is_filler(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b',' | b'#' | b'*' | b'>' | b'|')
}

/// Whether a `+` joins two literals rather than being part of the base64: blank or quote on both
/// sides.
fn is_joint(raw: &[u8], at: usize) -> bool {
    let blank = |b: Option<&u8>| b.is_some_and(|b| is_filler(*b));
    at > 0 && blank(raw.get(at - 1)) && blank(raw.get(at + 1))
}

/// The length of `\n`, `\r`, `\\n` or a bare backslash before a line end.
fn escape_len(rest: &[u8]) -> usize {
    let slashes = rest.iter().take_while(|b| **b == b'\\').count();
    match rest.get(slashes) {
        Some(b'n' | b'r' | b't') => slashes + 1,
        _ => slashes,
    }
}

/// The length of the last line.
fn end_line(rest: &[u8]) -> usize {
    const END: usize = 8;
    let window = rest.get(END..rest.len().min(END + 64)).unwrap_or_default();
    match memchr::memmem::find(window, b"-----") {
        Some(at) => END + at + 5,
        None => END,
    }
}

/// Decodes the body up to its padding; a PGP checksum may follow.
fn decode(body: &[u8]) -> Option<Vec<u8>> {
    let data = memchr::memchr(b'=', body).map_or(body, |at| &body[..at]);
    // A cut-off body still decodes up to its last whole group.
    let whole = if data.len() % 4 == 1 {
        data.len() - 1
    } else {
        data.len()
    };
    base64(&data[..whole])
}

const OPENSSH: &[u8] = b"openssh-key-v1\0";

fn fits(label: &[u8], bytes: &[u8]) -> bool {
    if label.starts_with(b"OPENSSH") {
        return bytes.starts_with(OPENSSH);
    }
    if label.starts_with(b"PGP") {
        return bytes.first().is_some_and(|b| b & 0x80 != 0);
    }
    // A DER sequence, or what a cipher made of one.
    bytes.first() == Some(&0x30) || bytes.len().is_multiple_of(8)
}

/// The name of the cipher follows the magic, with its length in front; `none` is no cipher.
fn is_encrypted_openssh(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(OPENSSH) else {
        return false;
    };
    rest.len() > 8 && !rest.starts_with(b"\0\0\0\x04none")
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// Base64 of bytes that start like a DER sequence or an OpenSSH key.
    fn body(start: &[u8]) -> Vec<String> {
        let mut bytes = start.to_vec();
        bytes.extend((0..157u32).map(|n| (n * n * 31 + n * 7) as u8));
        let text = STANDARD.encode(bytes);
        text.as_bytes()
            .chunks(64)
            .map(|l| String::from_utf8_lossy(l).into_owned())
            .collect()
    }

    fn block(label: &str, lines: &[String], joint: &str) -> String {
        let mut all = vec![format!("-----BEGIN {label}-----")];
        all.extend_from_slice(lines);
        all.push(format!("-----END {label}-----"));
        all.join(joint)
    }

    fn read(text: &str) -> Result<Pem, Dropped> {
        let all = ViewSpan::new(0, text.len());
        parse(text.as_bytes(), all, all)
    }

    #[test]
    fn carriers() {
        let lines = body(&[0x30, 0x82]);
        for joint in [
            "\n",
            "\r\n",
            "\\n",
            "\\\\n",
            "\n    ",
            "\\n\",\n \"",
            "\" +\n  \"",
            "\n# ",
        ] {
            let text = format!("k = \"{}\" x", block("RSA PRIVATE KEY", &lines, joint));
            let pem = read(&text).unwrap_or_else(|d| panic!("{joint:?}: {}", d.0));
            assert!(
                pem.complete && pem.decodes && !pem.encrypted,
                "{joint:?} {pem:?}"
            );
            let found = &text[pem.span.range()];
            assert!(
                found.starts_with("-----BEGIN") && found.ends_with("KEY-----"),
                "{found}"
            );
        }
    }

    #[test]
    fn encryption_is_seen() {
        let plain = body(&[0x30, 0x82]);
        let mut headed = vec![
            "Proc-Type: 4,ENCRYPTED".into(),
            "DEK-Info: AES,00".into(),
            String::new(),
        ];
        headed.extend(plain.clone());
        let none = body(b"openssh-key-v1\0\0\0\0\x04none");
        let aes = body(b"openssh-key-v1\0\0\0\0\x0aaes256-ctr");
        for (label, lines, encrypted) in [
            ("ENCRYPTED PRIVATE KEY", &plain, true),
            ("PRIVATE KEY", &plain, false),
            ("RSA PRIVATE KEY", &headed, true),
            ("OPENSSH PRIVATE KEY", &none, false),
            ("OPENSSH PRIVATE KEY", &aes, true),
        ] {
            let pem = read(&block(label, lines, "\n")).expect("a key");
            assert_eq!((pem.encrypted, pem.decodes), (encrypted, true), "{label}");
        }
    }

    #[test]
    fn outlines_and_public_parts_are_none() {
        let lines = body(&[0x30, 0x82]);
        let short = vec![lines[0][..40].to_owned()];
        let dots = vec![lines[0].clone(), "...".to_owned()];
        for (label, lines) in [
            ("CERTIFICATE", &lines),
            ("PUBLIC KEY", &lines),
            ("PRIVATE KEY", &short),
            ("PRIVATE KEY", &dots),
        ] {
            assert!(read(&block(label, lines, "\n")).is_err(), "{label}");
        }
    }

    #[test]
    fn a_cut_off_block_ends_with_its_body() {
        let lines = body(&[0x30, 0x82]);
        let text = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n{}\")\nprint",
            lines[0], lines[1]
        );
        let pem = read(&text).expect("a key");
        assert!(!pem.complete);
        assert!(text[pem.span.range()].ends_with(&lines[1]));
    }
}

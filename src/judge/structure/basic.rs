//! Base64 of `user:password`, as the `Basic` scheme and Docker settings carry it.

use super::text::base64;
use crate::judge::Dropped;

/// A decoded pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basic {
    pub user: Vec<u8>,
    pub password: Vec<u8>,
}

/// Decodes a pair.
///
/// # Errors
/// When it is none, or has no password.
pub fn parse(encoded: &[u8]) -> Result<Basic, Dropped> {
    const NONE: Dropped = Dropped("does not decode to user and password");
    let text = base64(encoded).ok_or(NONE)?;
    if std::str::from_utf8(&text).is_err() || text.iter().any(u8::is_ascii_control) {
        return Err(NONE);
    }
    let colon = memchr::memchr(b':', &text).ok_or(NONE)?;
    let (user, password) = (text[..colon].to_vec(), text[colon + 1..].to_vec());
    if password.is_empty() {
        return Err(Dropped("has an empty password"));
    }
    Ok(Basic { user, password })
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn pairs() {
        let read = |text: &[u8]| parse(STANDARD.encode(text).as_bytes());
        let pair = read(b"me:a:b").expect("a pair");
        assert_eq!((&*pair.user, &*pair.password), (&b"me"[..], &b"a:b"[..]));
        assert!(read(b":token").is_ok());
        for none in [&b"me:"[..], b"nothing", b"me:\x00x", b"\xff:\xfe"] {
            assert!(read(none).is_err());
        }
    }
}

//! Tokens that end in a CRC-32 of the characters before it, in three spellings.
//!
//! Every function takes the whole token and reads from its end, so that one serves all prefixes.

use base64::Engine as _;

use super::{BASE62, UNPADDED, digits};

/// GitHub and npm: 30 characters, then six of base 62.
pub fn base62_holds(token: &[u8]) -> bool {
    body_and_sum(token, 30, 6).is_some_and(|(body, sum)| sum == base62(body))
}

/// Confluent: 54 characters, then six of base64 over the little-endian sum.
pub fn base64_holds(token: &[u8]) -> bool {
    body_and_sum(token, 54, 6).is_some_and(|(body, sum)| sum == base64(body))
}

/// Zuplo: 32 characters, `_`, then eight hex digits.
pub fn hex_holds(token: &[u8]) -> bool {
    body_and_sum(token, 33, 8).is_some_and(|(body, sum)| {
        body.strip_suffix(b"_")
            .is_some_and(|body| sum == hex(body).as_bytes())
    })
}

pub fn base62(body: &[u8]) -> [u8; 6] {
    digits(crc32fast::hash(body).into(), BASE62).0
}

pub fn base64(body: &[u8]) -> [u8; 6] {
    let mut text = [0; 6];
    let written = UNPADDED.encode_slice(crc32fast::hash(body).to_le_bytes(), &mut text);
    debug_assert!(written == Ok(6));
    text
}

pub fn hex(body: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(body))
}

fn body_and_sum(token: &[u8], body: usize, sum: usize) -> Option<(&[u8], &[u8])> {
    let start = token.len().checked_sub(body + sum)?;
    Some(token[start..].split_at(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_sums_hold() {
        assert_eq!(&base62(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"), b"0mLq17");
        let github = ["ghp_YeD4ui4ygqnn8EQThQTvLYBM", "0lx67V", "3CsYGv"].concat();
        assert!(base62_holds(github.as_bytes()));
        let npm = ["npm_Ji9IMzE8CNRgYmCMFheyNDD890", "J7lR", "1FwTUk"].concat();
        assert!(base62_holds(npm.as_bytes()));
    }

    #[test]
    fn made_sums_hold_and_changed_bodies_break_them() {
        let body = "b7".repeat(27);
        let sum = String::from_utf8(base64(body.as_bytes()).to_vec()).unwrap();
        assert!(base64_holds(format!("cflt{body}{sum}").as_bytes()));
        assert!(!base64_holds(
            format!("cfltc{}{sum}", &body[1..]).as_bytes()
        ));

        let body = "k3".repeat(16);
        let sum = hex(body.as_bytes());
        assert!(hex_holds(format!("zpka_{body}_{sum}").as_bytes()));
        assert!(!hex_holds(format!("zpka_x{}_{sum}", &body[1..]).as_bytes()));

        let body = "Qx".repeat(15);
        let sum = String::from_utf8(base62(body.as_bytes()).to_vec()).unwrap();
        assert!(base62_holds(format!("ghp_{body}{sum}").as_bytes()));
        assert!(!base62_holds(
            format!("ghp_R{}{sum}", &body[1..]).as_bytes()
        ));
    }

    #[test]
    fn short_tokens_do_not_hold() {
        assert!(!base62_holds(b"ghp_short"));
        assert!(!base64_holds(b""));
        assert!(!hex_holds(b"_00000000"));
    }
}

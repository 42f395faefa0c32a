//! Azure DevOps tokens of the older form: 52 base32 characters with a CRC-32 spread among them.

/// Where the sum's bytes stand, least significant first.
const SUM_AT: [usize; 4] = [22, 8, 7, 2];
const USER: u32 = 0xE0B9_692D;
const APP: u32 = 0x1019_F92E;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    User,
    App,
}

impl Holder {
    const fn mask(self) -> u32 {
        match self {
            Self::User => USER,
            Self::App => APP,
        }
    }
}

/// Whose token `token` is, when its sum holds.
pub fn verify(token: &[u8]) -> Option<Holder> {
    let bytes = decode(token)?;
    let mut sum = [0; 4];
    for (to, at) in sum.iter_mut().zip(SUM_AT) {
        *to = bytes[at];
    }
    let sum = u32::from_le_bytes(sum);
    [Holder::User, Holder::App]
        .into_iter()
        .find(|holder| crc(&bytes) ^ holder.mask() == sum)
}

/// A valid token out of random bytes.
pub fn make(random: &[u8; 32], holder: Holder) -> String {
    let mut bytes = *random;
    let sum = (crc(&bytes) ^ holder.mask()).to_le_bytes();
    for (at, byte) in SUM_AT.into_iter().zip(sum) {
        bytes[at] = byte;
    }
    encode(&bytes)
}

/// Of all bytes but those that hold the sum.
fn crc(bytes: &[u8; 32]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for range in [0..2, 3..7, 9..22, 23..32] {
        hasher.update(&bytes[range]);
    }
    hasher.finalize()
}

fn decode(token: &[u8]) -> Option<[u8; 32]> {
    // The last character holds one bit and four zeros.
    if token.len() != 52 || !matches!(token[51], b'a' | b'q') {
        return None;
    }
    let mut bytes = [0; 32];
    let mut at = 0;
    let mut held = 0u32;
    let mut bits = 0;
    for &character in token {
        let five = match character {
            b'a'..=b'z' => character - b'a',
            b'2'..=b'7' => character - b'2' + 26,
            _ => return None,
        };
        held = (held << 5 | u32::from(five)) & 0xfff;
        bits += 5;
        if bits >= 8 && at < bytes.len() {
            bits -= 8;
            bytes[at] = (held >> bits) as u8;
            at += 1;
        }
    }
    Some(bytes)
}

fn encode(bytes: &[u8; 32]) -> String {
    let bit = |at: usize| {
        let byte = bytes.get(at / 8).copied().unwrap_or(0);
        byte >> (7 - at % 8) & 1
    };
    (0..52)
        .map(|nth| {
            let five = (0..5).fold(0, |sum, k| sum << 1 | bit(nth * 5 + k));
            char::from(ALPHABET[usize::from(five)])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_examples_verify_and_tell_the_holder() {
        let user = ["mhtmqkfd3t7kolfph4sdr7w7", "goe4a4glgt5ai5anuawn3yrxqhiq"].concat();
        assert_eq!(verify(user.as_bytes()), Some(Holder::User));
        let app = ["dr3fc5nos3bq426erouzg2wm", "6liqh3f4fjkkwab3h5rgz57rgkhq"].concat();
        assert_eq!(verify(app.as_bytes()), Some(Holder::App));
    }

    #[test]
    fn made_tokens_verify_and_changed_ones_do_not() {
        for holder in [Holder::User, Holder::App] {
            let random = std::array::from_fn(|i| (i * 37 + 11) as u8);
            let token = make(&random, holder);
            assert_eq!(verify(token.as_bytes()), Some(holder));
            let mut changed = token.into_bytes();
            changed[20] = if changed[20] == b'c' { b'd' } else { b'c' };
            assert_eq!(verify(&changed), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[a-z2-7A]{51}[aqb]") {
            verify(text.as_bytes());
        }
    }
}

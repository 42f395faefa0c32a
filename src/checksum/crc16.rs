//! Keys of NATS and Stellar: base32 of a type, 32 bytes of key and their CRC-16.

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Type, key and sum of the longer of the two, which NATS uses.
const LONGEST: usize = 36;
const KEY: usize = 32;

/// Whether the sum at the end of `seed` is that of what stands before it.
pub fn holds(seed: &[u8]) -> bool {
    let mut bytes = [0; LONGEST];
    let Some(len) = decode(seed, &mut bytes) else {
        return false;
    };
    let Some(body) = len.checked_sub(2) else {
        return false;
    };
    sum(&bytes[..body]) == u16::from_le_bytes([bytes[body], bytes[body + 1]])
}

/// Whether `text` is a public key: the type is one letter of a public kind, and the sum holds.
pub fn is_public_key(text: &[u8]) -> bool {
    /// Servers, clusters, operators, accounts, users, curve keys of NATS, accounts of Stellar.
    const PUBLIC: &[u8] = b"NCOAUXG";
    const LENGTH: usize = 56;
    text.len() == LENGTH && PUBLIC.contains(&text[0]) && holds(text)
}

/// A valid key. `kind` is a letter of a public key's kind, or of a seed `S` for Stellar, or for
/// NATS `S` and the letter of who signs with it: `SU` a user, `SA` an account, `SO` an operator.
pub fn make(kind: &str, random: &[u8; KEY]) -> Option<String> {
    let digit = |letter: &u8| ALPHABET.iter().position(|known| known == letter);
    let head: Vec<u8> = match kind.as_bytes() {
        [one] => vec![(digit(one)? << 3) as u8],
        [one, two] => ((digit(one)? << 11 | digit(two)? << 6) as u16)
            .to_be_bytes()
            .into(),
        _ => return None,
    };
    let mut bytes = [head.as_slice(), random].concat();
    bytes.extend(sum(&bytes).to_le_bytes());
    Some(encode(&bytes))
}

/// CRC-16 of XMODEM.
fn sum(bytes: &[u8]) -> u16 {
    const POLYNOMIAL: u16 = 0x1021;
    bytes.iter().fold(0, |mut crc: u16, byte| {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            crc = match crc & 0x8000 {
                0 => crc << 1,
                _ => crc << 1 ^ POLYNOMIAL,
            };
        }
        crc
    })
}

/// Reads base32 without padding and tells how many bytes it was; bits left over must be zero.
fn decode(text: &[u8], out: &mut [u8; LONGEST]) -> Option<usize> {
    let (mut pool, mut bits, mut len) = (0u32, 0, 0);
    for letter in text {
        let digit = ALPHABET.iter().position(|known| known == letter)?;
        pool = pool << 5 | digit as u32;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            *out.get_mut(len)? = (pool >> bits) as u8;
            pool &= (1 << bits) - 1;
            len += 1;
        }
    }
    (pool == 0).then_some(len)
}

fn encode(bytes: &[u8]) -> String {
    let (mut pool, mut bits) = (0u32, 0);
    let mut text = String::new();
    for byte in bytes {
        pool = pool << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(pool >> bits & 31) as usize]));
        }
        pool &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(pool << (5 - bits) & 31) as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_sum_is_the_published_one() {
        assert_eq!(sum(b"123456789"), 0x31C3);
    }

    #[test]
    fn seeds_look_as_documented() {
        let seed = |kind| make(kind, &[0xA5; KEY]).expect("a known kind");
        for (kind, start, len) in [("S", "S", 56), ("SU", "SUA", 58), ("SO", "SOA", 58)] {
            assert!(seed(kind).starts_with(start), "{kind}");
            assert_eq!(seed(kind).len(), len, "{kind}");
        }
        assert_eq!(make("s", &[0; KEY]), None);
        assert_eq!(make("", &[0; KEY]), None);
    }

    #[test]
    fn public_keys_are_told_from_seeds() {
        let key = |kind| make(kind, &[0x5A; KEY]).expect("a known kind");
        for (kind, public) in [
            ("U", true),
            ("A", true),
            ("G", true),
            ("S", false),
            ("SU", false),
        ] {
            assert_eq!(is_public_key(key(kind).as_bytes()), public, "{kind}");
        }
        let mut wrong = key("U").into_bytes();
        wrong[20] = if wrong[20] == b'A' { b'B' } else { b'A' };
        assert!(!is_public_key(&wrong));
    }

    proptest! {
        #[test]
        fn made_seeds_hold_and_changed_ones_do_not(random: [u8; KEY], at in 3usize..50) {
            for kind in ["S", "SU", "SA"] {
                let mut seed = make(kind, &random).expect("a known kind").into_bytes();
                prop_assert!(holds(&seed));
                seed[at] = if seed[at] == b'A' { b'B' } else { b'A' };
                prop_assert!(!holds(&seed));
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, text in "[A-Z2-7]{0,80}") {
            prop_assert!(!holds(&bytes) || bytes.len() > 3);
            holds(text.as_bytes());
        }
    }
}

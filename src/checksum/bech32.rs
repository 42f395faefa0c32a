//! Bech32 (BIP-173): a readable part, `1`, and base32 with a code that catches any change of a
//! few characters. Nostr, Sui and age write private keys so.

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// Characters of the code at the end.
const CODE: usize = 6;

/// Whether the code of `text` holds. Upper and lower case are the same, but not both in one text.
pub fn holds(text: &[u8]) -> bool {
    let upper = text.iter().any(u8::is_ascii_uppercase);
    if upper && text.iter().any(u8::is_ascii_lowercase) {
        return false;
    }
    let Some(split) = text.iter().rposition(|b| *b == b'1') else {
        return false;
    };
    let (readable, data) = (&text[..split], &text[split + 1..]);
    if readable.is_empty() || data.len() < CODE {
        return false;
    }
    let mut check = 1;
    for value in expand(readable) {
        check = step(check, value);
    }
    for letter in data {
        let lower = letter.to_ascii_lowercase();
        let Some(digit) = ALPHABET.iter().position(|known| *known == lower) else {
            return false;
        };
        check = step(check, digit as u8);
    }
    check == 1
}

/// A valid text, in lower case.
pub fn make(readable: &str, bytes: &[u8]) -> String {
    let mut digits = Vec::new();
    let (mut pool, mut bits) = (0u32, 0);
    for byte in bytes {
        pool = pool << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            digits.push((pool >> bits & 31) as u8);
        }
        pool &= (1 << bits) - 1;
    }
    if bits > 0 {
        digits.push((pool << (5 - bits) & 31) as u8);
    }
    let check = expand(readable.as_bytes())
        .chain(digits.iter().copied())
        .chain([0; CODE])
        .fold(1, step)
        ^ 1;
    digits.extend((0..CODE).rev().map(|at| (check >> (5 * at) & 31) as u8));
    let data = digits.iter().map(|d| char::from(ALPHABET[usize::from(*d)]));
    format!("{readable}1{}", data.collect::<String>())
}

/// The readable part as the code reads it: high bits, a zero, low bits.
fn expand(readable: &[u8]) -> impl Iterator<Item = u8> {
    let high = readable.iter().map(|b| b.to_ascii_lowercase() >> 5);
    high.chain([0]).chain(readable.iter().map(|b| b & 31))
}

fn step(check: u32, value: u8) -> u32 {
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let top = check >> 25;
    let check = (check & 0x01ff_ffff) << 5 ^ u32::from(value);
    let set = GENERATOR.iter().enumerate();
    set.filter(|(bit, _)| top >> bit & 1 == 1)
        .fold(check, |check, (_, term)| check ^ term)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_bip_173_are_told_apart() {
        for valid in [
            "A12UEL5L",
            "a12uel5l",
            "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
            "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
        ] {
            assert!(holds(valid.as_bytes()), "{valid}");
        }
        for invalid in [
            "a12UEL5L",
            "pzry9x0s0muk",
            "1pzry9x0s0muk",
            "x1b4n0q5v",
            "li1dgmt3",
            "A1G7SGD8",
            "",
        ] {
            assert!(!holds(invalid.as_bytes()), "{invalid}");
        }
    }

    proptest! {
        #[test]
        fn made_texts_hold_and_changed_ones_do_not(
            readable in "[a-z]{1,12}", bytes in prop::collection::vec(any::<u8>(), 1..40)
        ) {
            let mut text = make(&readable, &bytes).into_bytes();
            prop_assert!(holds(&text));
            prop_assert!(holds(&text.to_ascii_uppercase()));
            let at = readable.len() + 1;
            text[at] = if text[at] == b'q' { b'p' } else { b'q' };
            prop_assert!(!holds(&text));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            holds(&bytes);
        }
    }
}

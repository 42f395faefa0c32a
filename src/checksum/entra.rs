//! Entra ID client secrets of generation 8: the last three characters are a Marvin32 sum.

use super::{digits, marvin};

const SEED: u64 = marvin::seed(b"AadPwd00");
const LENGTH: usize = 40;
const BODY: usize = 37;
/// The digits of base 66, which are also all the characters of a secret.
pub const ALPHABET: &[u8; 66] =
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890.-_~";

/// Whether `secret` has the shape of generation 8 and its sum holds.
pub fn verify(secret: &[u8]) -> bool {
    secret.len() == LENGTH
        && &secret[3..6] == b"8Q~"
        && secret.iter().all(|byte| ALPHABET.contains(byte))
        && secret[BODY..] == sum(&secret[..BODY])
}

/// A valid secret: 3 characters, the mark, 31 characters, the sum. `None` when a part does not fit.
pub fn make(first: &str, rest: &str) -> Option<String> {
    let body = format!("{first}8Q~{rest}");
    let fits = first.len() == 3 && rest.len() == 31;
    (fits && body.bytes().all(|byte| ALPHABET.contains(&byte))).then(|| {
        let sum = sum(body.as_bytes()).map(char::from);
        body.chars().chain(sum).collect()
    })
}

fn sum(body: &[u8]) -> [u8; 3] {
    let ([a, b, c, ..], _) = digits::<6>(marvin::hash32(SEED, body).into(), ALPHABET);
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_examples_verify() {
        let example = ["hWW8Q~ixAHomuLAby7", "B.huOguE.yeZVM3VeGEbDi"].concat();
        assert!(verify(example.as_bytes()));
        let sample = format!("zzz8Q~{}blP", "z".repeat(31));
        assert!(verify(sample.as_bytes()));
    }

    #[test]
    fn made_secrets_verify_and_changed_ones_do_not() {
        let made = make("a1Z", &"pQ9~_.-x".repeat(4)[..31]).unwrap();
        assert!(verify(made.as_bytes()));
        for at in [0, 12, 38] {
            let mut changed = made.clone().into_bytes();
            changed[at] = if changed[at] == b'k' { b'm' } else { b'k' };
            assert!(!verify(&changed), "changed at {at}");
        }
        assert_eq!(make("a1", "x"), None);
    }
}

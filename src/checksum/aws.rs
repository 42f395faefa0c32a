//! AWS key ids of the newer form carry the number of their account.

/// The bits of the first six bytes that are the account number, and how far right it stands.
const MASK: u64 = 0x7fff_ffff_ff80;
const SHIFT: u32 = 7;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Account numbers have twelve digits.
const LIMIT: u64 = 1_000_000_000_000;

/// The account number in a key id of 20 characters; `None` when it is none or holds no account.
pub fn account(key_id: &[u8]) -> Option<u64> {
    if key_id.len() != 20 {
        return None;
    }
    let mut number = 0u128;
    for &character in &key_id[4..] {
        let five = match character {
            b'A'..=b'Z' => character - b'A',
            b'2'..=b'7' => character - b'2' + 26,
            _ => return None,
        };
        number = number << 5 | u128::from(five);
    }
    // 16 characters are ten bytes, of which the first six count.
    let account = ((number >> 32) as u64 & MASK) >> SHIFT;
    (account > 0 && account < LIMIT).then_some(account)
}

/// A key id of `account` with the four-letter prefix; `random` fills the other bits.
pub fn make(prefix: &str, account: u64, random: u128) -> String {
    let account = u128::from(account) << SHIFT & u128::from(MASK);
    let number = random & !(u128::from(MASK) << 32) | account << 32;
    // Newer ids have their top bit set; it is not part of the account.
    let number = number | 1 << 79;
    let body = (0..16)
        .rev()
        .map(|nth| char::from(ALPHABET[(number >> (nth * 5) & 31) as usize]));
    prefix.chars().chain(body).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_comes_back_out_of_a_made_id() {
        for account_number in [1, 123_456_789_012, 999_999_999_999] {
            let id = make("AKIA", account_number, 0x1234_5678_9abc_def0_1122_3344);
            assert_eq!(id.len(), 20);
            assert_eq!(account(id.as_bytes()), Some(account_number));
        }
    }

    #[test]
    fn other_text_has_no_account() {
        assert_eq!(account(b"AKIA"), None);
        assert_eq!(account(b"AKIA0000000000000000"), None);
    }
}

//! Checksums inside keys and tokens: verified for proof, made for examples.
//!
//! Each module knows one family of sums and both directions of it. Verifying is what turns a find
//! into a certain one without asking anybody; making is what lets every rule's examples be fresh
//! random values instead of literals. Nothing here allocates on the verifying side.

pub mod aws;
pub mod bech32;
pub mod crc;
pub mod crc16;
pub mod devops;
pub mod entra;
pub mod his;
pub mod key84;
pub mod marvin;

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Base64 without padding, which callers cut off first, and with no bits set beyond the bytes.
const UNPADDED: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// The digits of base 62 in the order that both GitHub and Microsoft use.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The digits of `number` under `alphabet`, most significant first, on the right of the array;
/// the rest of it is the alphabet's zero. Also how many digits there are.
fn digits<const N: usize>(mut number: u64, alphabet: &[u8]) -> ([u8; N], usize) {
    let mut out = [alphabet[0]; N];
    let mut count = 0;
    while number > 0 && count < N {
        out[N - 1 - count] = alphabet[(number % alphabet.len() as u64) as usize];
        number /= alphabet.len() as u64;
        count += 1;
    }
    (out, count)
}

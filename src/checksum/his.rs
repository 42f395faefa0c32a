//! Microsoft's identifiable keys: random bytes, a signature, a Marvin32 sum.
//!
//! A key of N bytes is random, then 24 bits of signature that start on a base64 character, then
//! zero bits up to a byte, then four bytes of Marvin32 (little-endian) over everything before.
//! Which seed makes the sum hold tells what the key may do, so the seeds are data with a meaning.

mod families;

use base64::Engine as _;

use super::{UNPADDED, marvin};
pub use families::FAMILIES;

/// One kind of key.
#[derive(Debug, PartialEq, Eq)]
pub struct Family {
    /// Four base64 characters.
    pub signature: &'static str,
    pub service: &'static str,
    pub layout: Layout,
    pub roles: &'static [Role],
    /// Whether keys are written with `-` and `_`.
    url_safe: bool,
    /// Whether the service rewrites characters after the sum is made, so that a wrong sum says
    /// nothing.
    pub rewritten: bool,
}

/// What a seed stands for.
#[derive(Debug, PartialEq, Eq)]
pub struct Role {
    /// The eight characters of the seed.
    pub seed: &'static [u8; 8],
    /// What the key is, such as `read-only key`.
    pub name: &'static str,
    pub power: Power,
    /// What whoever holds the key can do; empty where the rule's word is as exact.
    pub grants: &'static str,
}

/// How far a key reaches within its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// Everything, other keys included.
    Full,
    /// All of the data, or one direction of it.
    Broad,
    /// Reads or calls only.
    Scoped,
}

/// How many bytes a key has, and with that where everything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    Bytes64,
    Bytes40,
    Bytes39,
    Bytes32,
}

impl Layout {
    const fn bytes(self) -> usize {
        match self {
            Self::Bytes64 => 64,
            Self::Bytes40 => 40,
            Self::Bytes39 => 39,
            Self::Bytes32 => 32,
        }
    }

    const fn signature_at(self) -> usize {
        match self {
            Self::Bytes64 => 76,
            Self::Bytes40 => 44,
            Self::Bytes39 => 42,
            Self::Bytes32 => 33,
        }
    }

    /// From the number of base64 characters without padding.
    const fn of_characters(count: usize) -> Option<Self> {
        match count {
            86 => Some(Self::Bytes64),
            54 => Some(Self::Bytes40),
            52 => Some(Self::Bytes39),
            43 => Some(Self::Bytes32),
            _ => None,
        }
    }

    const fn padding(self) -> usize {
        match self {
            Self::Bytes64 | Self::Bytes40 => 2,
            Self::Bytes39 => 0,
            Self::Bytes32 => 1,
        }
    }
}

/// What the shape and the sum of a key say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HisVerdict {
    Verified {
        family: &'static Family,
        role: &'static Role,
    },
    /// The shape is a family's, no seed of it makes the sum hold.
    WrongSum(&'static Family),
    NotHis,
}

/// Reads a key in either base64 alphabet. Padding may be `=` or `%3D`, and may be missing where
/// Functions keys in addresses often lose it.
pub fn verify(key: &[u8]) -> HisVerdict {
    let (body, padding) = cut_padding(key);
    let Some(layout) = Layout::of_characters(body.len()) else {
        return HisVerdict::NotHis;
    };
    let mut text = [0; 86];
    let text = &mut text[..body.len()];
    for (to, from) in text.iter_mut().zip(body) {
        *to = match from {
            b'-' => b'+',
            b'_' => b'/',
            &other => other,
        };
    }
    let at = layout.signature_at();
    let signature = &text[at..at + 4];
    let Some(family) = FAMILIES
        .iter()
        .find(|f| f.layout == layout && f.signature.as_bytes() == signature)
    else {
        return HisVerdict::NotHis;
    };
    if padding != layout.padding() && !(family.url_safe && padding == 0) {
        return HisVerdict::NotHis;
    }
    let mut bytes = [0; 64];
    match UNPADDED.decode_slice(&*text, &mut bytes) {
        Ok(count) if count == layout.bytes() && zero_bits_are_zero(text, layout) => {
            sum_of(family, &bytes[..count])
        }
        _ => HisVerdict::NotHis,
    }
}

fn sum_of(family: &'static Family, bytes: &[u8]) -> HisVerdict {
    let (body, sum) = bytes.split_at(bytes.len() - 4);
    let role = family
        .roles
        .iter()
        .find(|role| sum == marvin::hash32(marvin::seed(role.seed), body).to_le_bytes());
    match role {
        Some(role) => HisVerdict::Verified { family, role },
        None => HisVerdict::WrongSum(family),
    }
}

/// Where the signature does not end on a byte, the rest of its last byte is zero.
fn zero_bits_are_zero(text: &[u8], layout: Layout) -> bool {
    let after = text[layout.signature_at() + 4];
    match layout {
        Layout::Bytes64 | Layout::Bytes40 => true,
        Layout::Bytes39 => matches!(after, b'A'..=b'D'),
        Layout::Bytes32 => matches!(after, b'A'..=b'P'),
    }
}

fn cut_padding(key: &[u8]) -> (&[u8], usize) {
    let mut body = key;
    let mut padding = 0;
    loop {
        body = match body {
            [rest @ .., b'='] | [rest @ .., b'%', b'3', b'D' | b'd'] => rest,
            _ => return (body, padding),
        };
        padding += 1;
    }
}

/// The family of a signature and, in it, the role of a seed.
pub fn find(signature: &str, seed: &str) -> Option<(&'static Family, &'static Role)> {
    let family = FAMILIES.iter().find(|f| f.signature == signature)?;
    let role = family
        .roles
        .iter()
        .find(|role| role.seed.as_slice() == seed.as_bytes())?;
    Some((family, role))
}

/// A valid key out of random bytes. Families that avoid some characters need another draw when
/// they turn up; see [`avoids_symbols`].
pub fn make(random: &[u8; 64], family: &Family, role: &Role) -> String {
    let layout = family.layout;
    let mut bytes = *random;
    let bytes = &mut bytes[..layout.bytes()];
    let mut text = UNPADDED.encode(&*bytes).into_bytes();
    let at = layout.signature_at();
    text[at..at + 4].copy_from_slice(family.signature.as_bytes());
    // All the bits of this character are zero or are overwritten by the sum below.
    text[at + 4] = b'A';
    let decoded = UNPADDED.decode_slice(&text, bytes);
    debug_assert!(decoded.is_ok_and(|count| count == layout.bytes()));
    let sum_at = layout.bytes() - 4;
    let sum = marvin::hash32(marvin::seed(role.seed), &bytes[..sum_at]);
    bytes[sum_at..].copy_from_slice(&sum.to_le_bytes());
    let mut key = UNPADDED.encode(&*bytes);
    if family.url_safe {
        key = key.replace('+', "-").replace('/', "_");
    }
    key.extend(std::iter::repeat_n('=', layout.padding()));
    key
}

/// Whether real keys of the family hold letters and digits only, padding aside.
pub fn avoids_symbols(family: &Family) -> bool {
    family.rewritten || family.signature == "AzSe"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked examples, in two parts so that no scanner takes them for live keys.
    const EXAMPLES: &[(&str, &str, &str, &str)] = &[
        (
            "+ASt",
            "Default0",
            "8ivauiwIpW43dIWIrKLTbRhE7cLfuG7tc30kfwWt73vqFYEsuWQN+91Rt0Fqh",
            "UPH7XeNpV0dimHg+AStKnh+hA==",
        ),
        (
            "ACDb",
            "MastRW00",
            "c6EJk67Z5zvWN/ZaGoKUBq2ZRydrQHzywDn909evXAu3nhk7INXJ6r+W9gnvj",
            "3tw9oO5CRGcVWc1ACDbBV/nKg==",
        ),
        (
            "+ABa",
            "AbAcct00",
            "bjxBaMHAO66qoAM5LiX624lYoJIr/Dexpj5zT3ivx0UFG1BoSmzlnpGcJWjCh",
            "ucrMR+50tkXfUYz+ABa7GrAQQ==",
        ),
        (
            "+AMC",
            "Classic0",
            "o44oe1ycXhDbfECBR9kqA9AjKl8f8/VNKKMXQUVjF+0yUAspRmxbdGK7lD15d",
            "esvAyiZjVaP8pY4+AMCYyU7fQ==",
        ),
        (
            "APIM",
            "Tenant00",
            "wcyOi2MOL7VynRfMfdVma6MyFV+AjTUNIXY0a3IApcMmz/b97qRXuBZ6+N6l7",
            "UgMXI92gbJNwL2gAPIMFm1DhQ==",
        ),
        (
            "+ASb",
            "Manage00",
            "C+S/tK0rUPaXpcKng+Nw71C1x",
            "GQNwj1u/+ASbLnGxp8=",
        ),
        (
            "+ASb",
            "Send0000",
            "P6RduuJHt/8tR0a6iqwpJO+ZQ",
            "NZ7K4xsB+ASbLqfZYQ=",
        ),
        (
            "+AEh",
            "Send0000",
            "U6ltn2k/QNvn/8Q1zyL5bx+u2",
            "leGdc+QI+AEhKdQ1kI=",
        ),
        (
            "+ARm",
            "Listen00",
            "3+hUotvZNHRnM+ymuKbv9URJv",
            "9oaKi3Sf+ARmPIAjv4=",
        ),
        (
            "AIoT",
            "IoTHub00",
            "tk3h5N7slA6Jcp4jmZQY4R0Dw",
            "bmx8KG16AIoTF34GiI=",
        ),
        (
            "AZEG",
            "SendRecv",
            "AiQOKtierWCngrE67zJ5WI29a",
            "hCVnCd4wAZEGJZxDgE=",
        ),
        (
            "AzCa",
            "Access00",
            "fS2ln7KnW9odznDbSbo105bmY",
            "httn1sCfAzCaFRCXtw=",
        ),
        (
            "AzFu",
            "Functi00",
            "P9bbpuNfNKiJJAtdMNCSZwGlPdJuQ",
            "XfuCZYn7oD6snFqAzFu4ZEWZg==",
        ),
        (
            "AzSe",
            "PAdmin00",
            "ZOnndAenOTZ7WrEzPtPvyffgye73f",
            "ECVRivoTvEqiJAzSeAm0e89",
        ),
        (
            "AzSe",
            "Query000",
            "l5dNbzPhgjfojDLERU5zTB8iKdgdS",
            "14l0bxUXwpZCyAzSeB9gRtu",
        ),
        (
            "+ACR",
            "ACRDflt0",
            "E/gMWyPlS3bkAXytHzCiTpR0WAlVN",
            "v1UfzTZP/ctjJ+ACRCqcfYc",
        ),
    ];

    fn random(first: u8) -> [u8; 64] {
        let mut byte = first;
        std::array::from_fn(|_| {
            byte = byte.wrapping_mul(73).wrapping_add(41);
            byte
        })
    }

    #[test]
    fn worked_examples_verify_and_name_their_role() {
        for &(signature, seed, head, tail) in EXAMPLES {
            let key = [head, tail].concat();
            let (family, role) = find(signature, seed).unwrap();
            assert_eq!(
                verify(key.as_bytes()),
                HisVerdict::Verified { family, role },
                "{signature} {seed}"
            );
        }
    }

    #[test]
    fn made_keys_verify_and_changed_ones_do_not() {
        for family in FAMILIES {
            for (nth, role) in family.roles.iter().enumerate() {
                let key = make(&random(nth as u8), family, role).into_bytes();
                assert_eq!(verify(&key), HisVerdict::Verified { family, role });
                let mut changed = key.clone();
                changed[10] = if key[10] == b'x' { b'y' } else { b'x' };
                assert_eq!(verify(&changed), HisVerdict::WrongSum(family));
            }
        }
    }

    #[test]
    fn functions_keys_may_lose_or_encode_their_padding() {
        let (family, role) = find("AzFu", "Master00").unwrap();
        let key = make(&random(9), family, role);
        let bare = key.trim_end_matches('=');
        for written in [bare.to_owned(), format!("{bare}%3D%3d")] {
            assert_eq!(
                verify(written.as_bytes()),
                HisVerdict::Verified { family, role }
            );
        }
        let (storage, role) = find("+ASt", "Default0").unwrap();
        let key = make(&random(9), storage, role);
        assert_eq!(
            verify(key.trim_end_matches('=').as_bytes()),
            HisVerdict::NotHis
        );
        let url_safe = key.replace('+', "-").replace('/', "_");
        assert!(matches!(
            verify(url_safe.as_bytes()),
            HisVerdict::Verified { .. }
        ));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            verify(&bytes);
        }

        #[test]
        fn near_keys_are_read_without_a_panic(text in "[A-Za-z0-9+/=%_-]{40,90}") {
            verify(text.as_bytes());
        }
    }
}

//! Microsoft's 84-character keys: letters and digits only, marked `JQQJ9`, dated, signed by their
//! service and closed by a Marvin32 sum.
//!
//! The services and their provider data are a table for naming only. A key of a signature that is
//! not in it verifies all the same: new services appear faster than lists of them.

use base64::Engine as _;

use super::{BASE62, UNPADDED, digits, marvin};

const SEED: u64 = marvin::seed(b"Default0");
const MARK_AT: usize = 52;
const SUM_AT: usize = 80;

/// What a key says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key84 {
    pub kind: KeyKind,
    /// The year and month (1 to 12) in which the key was made.
    pub issued: (u16, u8),
    /// Four characters, such as `ACOG`.
    pub signature: [u8; 4],
    /// The service, when the signature is a known one.
    pub service: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    Key,
    Derived,
    Hash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key84Verdict {
    Verified(Key84),
    /// The shape is right, the sum is not.
    WrongSum(Key84),
    NotOne,
}

/// Reads a key in its form of 84 characters or of 88.
pub fn verify(key: &[u8]) -> Key84Verdict {
    let Some(read) = read(key) else {
        return Key84Verdict::NotOne;
    };
    let Some(sums) = sums(&key[..SUM_AT]) else {
        return Key84Verdict::NotOne;
    };
    let written = &key[SUM_AT..];
    let holds = sums.iter().any(|sum| match written {
        [six @ .., b'=', b'='] => six == sum,
        four => four == &sum[..4],
    });
    if holds {
        Key84Verdict::Verified(read)
    } else {
        Key84Verdict::WrongSum(read)
    }
}

fn read(key: &[u8]) -> Option<Key84> {
    let body = match key {
        body if body.len() == 84 => body,
        [body @ .., b'=', b'='] if body.len() == 86 => body,
        _ => return None,
    };
    if !body.iter().all(u8::is_ascii_alphanumeric) || &body[MARK_AT..MARK_AT + 5] != b"JQQJ9" {
        return None;
    }
    let kind = match body[57] {
        b'9' => KeyKind::Key,
        b'D' => KeyKind::Derived,
        b'H' => KeyKind::Hash,
        _ => return None,
    };
    let year = match body[58] {
        letter @ b'A'..=b'Z' => 2024 + u16::from(letter - b'A'),
        letter @ b'a'..=b'z' => 2050 + u16::from(letter - b'a'),
        digit => 2076 + u16::from(digit - b'0'),
    };
    let month = match body[59] {
        letter @ b'A'..=b'L' => letter - b'A' + 1,
        _ => return None,
    };
    let mut signature = [0; 4];
    signature.copy_from_slice(&body[76..80]);
    let provider = &body[72..76];
    Some(Key84 {
        kind,
        issued: (year, month),
        signature,
        service: service(&signature, provider),
    })
}

/// The two ways in which the sum of the first 80 characters is written.
fn sums(head: &[u8]) -> Option<[[u8; 6]; 2]> {
    let mut bytes = [0; 60];
    let count = UNPADDED.decode_slice(head, &mut bytes).ok()?;
    (count == bytes.len()).then(|| {
        let sum = marvin::hash32(SEED, &bytes).to_le_bytes();
        [base62_sum(sum), base64_sum(sum)]
    })
}

/// The bytes as one number in base 62, left-aligned; a leading zero byte is a digit of its own.
fn base62_sum(sum: [u8; 4]) -> [u8; 6] {
    let (number, count) = digits::<6>(u32::from_be_bytes(sum).into(), BASE62);
    let zeros = sum.iter().take_while(|&&byte| byte == 0).count();
    let mut text = [BASE62[0]; 6];
    let room = text.len() - zeros;
    let shown = count.min(room);
    text[zeros..zeros + shown].copy_from_slice(&number[6 - count..6 - count + shown]);
    text
}

fn base64_sum(sum: [u8; 4]) -> [u8; 6] {
    let mut text = [0; 6];
    let written = UNPADDED.encode_slice(sum, &mut text);
    debug_assert!(written == Ok(6));
    text
}

/// The service behind a signature. AI services share one and differ in their provider data.
fn service(signature: &[u8; 4], provider: &[u8]) -> Option<&'static str> {
    Some(match signature {
        b"ACOG" => match provider {
            [b'A', b'A', b'A', number] => ai_service(*number),
            _ => "Azure AI services",
        },
        b"AZML" => "Azure Machine Learning endpoint",
        b"AZDO" => "Azure DevOps",
        b"ASRS" => "Azure SignalR Service",
        b"AWPS" => "Azure Web PubSub",
        b"AZAC" => "Azure App Configuration",
        b"AZCS" => "Azure Communication Services",
        b"AZEG" => "Azure Event Grid",
        b"AZMP" => "Azure Maps",
        b"AZFR" => "Azure Fluid Relay",
        b"AZMR" => "Azure Mixed Reality",
        b"AZBS" => "Azure Bot Service",
        b"msql" => "Azure SQL",
        _ => return None,
    })
}

fn ai_service(number: u8) -> &'static str {
    match number {
        b'B' => "Azure OpenAI",
        b'C' | b'D' => "Azure AI Anomaly Detector",
        b'F' => "Azure AI Vision",
        b'G' => "Azure AI Content Moderator",
        b'H' => "Azure AI Content Safety",
        b'I' | b'J' => "Azure AI Custom Vision",
        b'K' => "Azure AI Face",
        b'L' => "Azure AI Document Intelligence",
        b'M' | b'N' => "Azure AI Health Insights",
        b'O' => "Azure AI Immersive Reader",
        b'R' | b'S' => "Azure AI Language Understanding",
        b'T' => "Azure AI Metrics Advisor",
        b'U' => "Azure AI Personalizer",
        b'V' | b'W' => "Azure AI QnA Maker",
        b'X' | b'Y' | b'Z' => "Azure AI Speech",
        b'a' => "Azure AI Language",
        b'b' => "Azure AI Translator",
        b'd' | b'e' => "Azure AI Video",
        b'f'..=b'o' => "Bing Search",
        _ => "Azure AI services",
    }
}

/// A valid key of 84 characters: 52 random ones, a date, 12 of platform data, the provider's data
/// and signature. `None` when a part is not letters and digits or has the wrong length.
pub fn make(
    random: &str,
    date: &str,
    platform: &str,
    provider: &str,
    sign: &str,
) -> Option<String> {
    let head = format!("{random}JQQJ99{date}{platform}{provider}{sign}");
    let parts = [
        (random, 52),
        (date, 2),
        (platform, 12),
        (provider, 4),
        (sign, 4),
    ];
    let fits = parts.iter().all(|(part, length)| part.len() == *length)
        && head.bytes().all(|b| b.is_ascii_alphanumeric());
    let [sum, _] = sums(head.as_bytes()).filter(|_| fits)?;
    let four = sum.iter().take(4).map(|&b| char::from(b));
    Some(head.chars().chain(four).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLES: &[(&str, &str, &str, (u16, u8))] = &[
        (
            "7ESEqkfIItiPuHsr9Fnn95Tbo9qUi3KSgbOKYNdNi69nAEzkrEqbJQ",
            "QJ99BDACOCR8VXJ3w3AAABACOGq85l",
            "Azure OpenAI",
            (2025, 4),
        ),
        (
            "fl2gzstqDTfpfZhRPnUrgEL4cCIkpD9vrqOO1lIksC8M5WCrfBBYJQ",
            "QJ99BCAAAAAAAAAAAAINFRAZMLOKYV",
            "Azure Machine Learning endpoint",
            (2025, 3),
        ),
        (
            "E8MdWv6CjoD8RlC42FN5SzpwEcx5KddX9FQm7BSywEiYHBUEEM9tJQ",
            "QJ99BCACAAAAAhB8YWAAASAZDO4HjS",
            "Azure DevOps",
            (2025, 3),
        ),
        (
            "LMmcyGJBcq4e4sijynCDAoozjX8n2VgH7OPu1tQKkPDTs2y2lmODJQ",
            "QJ99CAACX40RfXJ3w3AAAAASRS1CRL",
            "Azure SignalR Service",
            (2026, 1),
        ),
    ];

    fn example() -> Vec<u8> {
        [EXAMPLES[0].0, EXAMPLES[0].1].concat().into_bytes()
    }

    #[test]
    fn worked_examples_verify_and_tell_service_and_date() {
        for &(head, tail, service, issued) in EXAMPLES {
            let key = [head, tail].concat();
            let Key84Verdict::Verified(read) = verify(key.as_bytes()) else {
                panic!("the example for {service} does not verify");
            };
            assert_eq!(read.service, Some(service));
            assert_eq!((read.issued, read.kind), (issued, KeyKind::Key));
        }
    }

    #[test]
    fn one_changed_character_breaks_the_sum() {
        let mut key = example();
        key[3] = if key[3] == b'a' { b'b' } else { b'a' };
        assert!(matches!(verify(&key), Key84Verdict::WrongSum(_)));
    }

    #[test]
    fn the_long_form_carries_the_whole_sum_of_either_producer() {
        let key = example();
        let sums = sums(&key[..SUM_AT]).unwrap();
        assert_eq!(&sums[0], b"q85lD0");
        for sum in sums {
            let long = [&key[..SUM_AT], &sum, b"=="].concat();
            assert!(matches!(verify(&long), Key84Verdict::Verified(_)));
            let short = [&key[..SUM_AT], &sum[..4]].concat();
            assert_eq!(
                matches!(verify(&short), Key84Verdict::Verified(_)),
                sum[..4].iter().all(u8::is_ascii_alphanumeric)
            );
        }
        assert_eq!(verify(&[&key[..SUM_AT], b"q85lD1", b"=="].concat()), {
            let Key84Verdict::Verified(read) = verify(&key) else {
                panic!("the example verifies");
            };
            Key84Verdict::WrongSum(read)
        });
    }

    #[test]
    fn leading_zero_bytes_are_digits() {
        assert_eq!(&base62_sum([0, 0, 0, 61]), b"000z00");
        assert_eq!(&base62_sum([0, 0, 0, 0]), b"000000");
        assert_eq!(&base62_sum([0x2d, 0xe9, 0xd1, 0x83]), b"q85lD0");
    }

    #[test]
    fn made_keys_verify_and_bad_parts_make_none() {
        let random = "aB3".repeat(17) + "x";
        let key = make(&random, "CA", "ACOCR8VXJ3w3", "AAAB", "ACOG").unwrap();
        let Key84Verdict::Verified(read) = verify(key.as_bytes()) else {
            panic!("a made key does not verify");
        };
        assert_eq!(read.issued, (2026, 1));
        assert_eq!(make(&random, "CA", "AC", "AAAB", "ACOG"), None);
        assert_eq!(make(&random, "CA", "ACOCR8VXJ3w3", "AA+B", "ACOG"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            verify(&bytes);
        }

        #[test]
        fn near_keys_are_read_without_a_panic(
            head in "[A-Za-z0-9]{52}", tail in "[A-Za-z0-9+=]{20,34}"
        ) {
            verify(format!("{head}JQQJ9{tail}").as_bytes());
        }
    }
}

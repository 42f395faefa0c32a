//! Random text that looks random.
//!
//! A short random string now and then has no digit, or repeats itself, and a rule's entropy floor
//! or its check for mixed case then drops it, rightly. Examples must not be such strings, so text is
//! drawn again until it shows every class of characters that its alphabet has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Generator, LONGEST};

const B62: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const B64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const B64U: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const B32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const B32_LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
const HEX: &[u8] = b"0123456789abcdef";
const HEX_UPPER: &[u8] = b"0123456789ABCDEF";
const DIGITS: &[u8] = b"0123456789";

/// Plain words, none of which a placeholder would use.
const WORDS: &[&str] = &[
    "harbor", "maple", "copper", "orchid", "granite", "willow", "falcon", "meadow", "ember",
    "cobalt", "juniper", "quartz", "saffron", "thistle", "lantern", "pebble", "walnut", "glacier",
    "marble", "heron",
];

/// After so many draws the last one is taken: no text of that length shows more.
const DRAWS: usize = 200;
/// Shorter text need not show every class.
const SHORT: usize = 8;

impl Generator {
    /// The text of a placeholder that is random characters or words; `None` for other names.
    pub(super) fn random_text(
        &mut self,
        name: &str,
        argument: &str,
    ) -> Result<Option<String>, String> {
        let alphabet = match name {
            "b62" => B62,
            "b64" => B64,
            "b64u" => B64U,
            "letters" => LETTERS,
            "upper" => UPPER,
            "lower" => LOWER,
            "b32" => B32,
            "b32-lower" => B32_LOWER,
            "hex" => HEX,
            "HEX" => HEX_UPPER,
            "digits" => DIGITS,
            "b64bytes" => {
                let count = count(name, argument)?;
                return Ok(Some(self.base64_of_bytes(count)));
            }
            "word" => return Ok(Some(self.word().to_owned())),
            "password" => return Ok(Some(self.password())),
            _ => return Ok(None),
        };
        let count = count(name, argument)?;
        Ok(Some(self.text(alphabet, count)))
    }

    /// The next number of the SplitMix64 sequence.
    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is small enough that the remainder is fair.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next() as u8)
    }

    pub(super) fn b62(&mut self, count: usize) -> String {
        self.text(B62, count)
    }

    pub(super) fn text(&mut self, alphabet: &[u8], count: usize) -> String {
        self.redraw(alphabet, |generator| {
            (0..count)
                .map(|_| char::from(alphabet[generator.below(alphabet.len())]))
                .collect()
        })
    }

    pub(super) fn base64_of_bytes(&mut self, count: usize) -> String {
        self.redraw(B62, |generator| {
            let bytes: Vec<u8> = (0..count).map(|_| generator.next() as u8).collect();
            STANDARD.encode(bytes)
        })
    }

    pub(super) fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }

    /// As people make them: a word, digits, a symbol, a word.
    fn password(&mut self) -> String {
        let mut first = self.word().to_owned();
        first[..1].make_ascii_uppercase();
        let digits = 1000 + self.below(9000);
        let symbol = ['!', '-', '_'][self.below(3)];
        let last = self.word();
        format!("{first}{digits}{symbol}{last}")
    }

    fn redraw(&mut self, alphabet: &[u8], mut draw: impl FnMut(&mut Self) -> String) -> String {
        let mut text = draw(self);
        for _ in 0..DRAWS {
            if looks_random(&text, alphabet) {
                break;
            }
            text = draw(self);
        }
        text
    }
}

fn looks_random(text: &str, alphabet: &[u8]) -> bool {
    if text.len() < SHORT {
        return true;
    }
    let classes = [
        u8::is_ascii_uppercase,
        u8::is_ascii_lowercase,
        u8::is_ascii_digit,
    ];
    let shows_all = classes
        .iter()
        .all(|class| !alphabet.iter().any(class) || text.as_bytes().iter().any(class));
    let repeats = text
        .as_bytes()
        .windows(4)
        .any(|w| w.iter().all(|b| *b == w[0]));
    // What a text of this length can reach, less what chance usually takes.
    let most = (text.len().min(alphabet.len()) as f32).log2();
    shows_all && !repeats && entropy::shannon_entropy(text) >= 0.8 * most
}

fn count(name: &str, argument: &str) -> Result<usize, String> {
    match argument.parse() {
        Ok(count) if count <= LONGEST => Ok(count),
        _ => Err(format!("{{{name}}} needs a count of at most {LONGEST}")),
    }
}

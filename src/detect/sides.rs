//! The second question about a window: may its keyword stand there?
//!
//! A window fires by the hash of three bytes and a class of the fourth. Here all bytes are asked about
//! that the keyword has in the window, with the classes of four beside them, and most do not stay. The
//! answer is looked up, so that nothing branches for it.

use super::window::Window;
use crate::rules::def::ByteSet;

/// What may stand beside the windows of all keywords.
pub struct Sides {
    /// By all four bytes.
    whole: Table<13, 0x0567>,
    /// By the first three, of windows that end behind their keyword.
    head: Table<13, 0x0456>,
    /// By the last three, of windows that start before it.
    tail: Table<12, 0x1567>,
}

/// By the hash of some bytes, with two to the power of `BITS` slots, a set of classes for each of four
/// bytes beside. Where these stand, from a byte before the window, are the digits of `BESIDE`: known
/// when this is compiled, they are read out of a register.
struct Table<const BITS: u32, const BESIDE: u32>(Box<[u64]>);

/// The class of each byte, case folded. Signs are told from letters, and frequent letters from each
/// other.
const CLASSES: [u8; 256] = by_byte();

const fn by_byte() -> [u8; 256] {
    const LETTERS: &[u8; 26] = b"etaoinsrhldcumfpgwybvkxjqz";
    const OTHERS: u8 = 3;
    const MANY: usize = 12;
    let mut classes = [OTHERS; 256];
    let mut rank = 0;
    while rank < LETTERS.len() {
        classes[LETTERS[rank] as usize] = OTHERS + 1 + (rank % MANY) as u8;
        rank += 1;
    }
    let mut digit = b'0';
    while digit <= b'9' {
        classes[digit as usize] = 0;
        digit += 1;
    }
    // Spaces, and what joins words; carriage return and dash fold alike.
    let signs: [(&[u8], u8); 2] = [(b" \n\t", 2), (b"-_./:", 1)];
    let mut list = 0;
    while list < signs.len() {
        let (bytes, class) = signs[list];
        let mut at = 0;
        while at < bytes.len() {
            classes[(bytes[at] | 0x20) as usize] = class;
            at += 1;
        }
        list += 1;
    }
    classes
}

impl<const BITS: u32, const BESIDE: u32> Table<BITS, BESIDE> {
    fn new() -> Self {
        Self(vec![0; 1 << BITS].into())
    }

    fn slot(bytes: u32) -> usize {
        // Of some hundred tried one that leads few common grams to a slot of other bytes.
        const FACTOR: u32 = 0xB6C0_04CD;
        (bytes.wrapping_mul(FACTOR) >> (u32::BITS - BITS)) as usize
    }

    /// Where the four bytes stand, from a byte before the window.
    fn beside() -> [u32; 4] {
        [12, 8, 4, 0].map(|digit| BESIDE >> digit & 0xF)
    }

    fn note(&mut self, bytes: u32, classes: impl Fn(i32) -> u16) {
        let sets = Self::beside().into_iter().rev();
        let sets = sets.fold(0, |sets, place| {
            sets << 16 | u64::from(classes(place as i32 - 1))
        });
        self.0[Self::slot(bytes)] |= sets;
    }

    /// Whether a window may stay; `text` starts one byte before it.
    #[inline(always)]
    fn fit(&self, bytes: u32, text: u64) -> u64 {
        let sets = self.0[Self::slot(bytes)];
        let mut fit = 1;
        for (index, place) in Self::beside().into_iter().enumerate() {
            let byte = (text >> (8 * place)) as u8;
            fit &= sets >> (16 * index) >> CLASSES[usize::from(byte)];
        }
        fit
    }
}

impl Sides {
    pub fn new() -> Self {
        Self {
            whole: Table::new(),
            head: Table::new(),
            tail: Table::new(),
        }
    }

    /// Notes one window of a keyword in lower case, of which `opening` says what may follow it.
    pub fn note(&mut self, word: &[u8], opening: &[ByteSet], window: &Window) {
        let may_stand = |place: i32| {
            let Ok(at) = usize::try_from(window.offset + place) else {
                return u16::MAX;
            };
            match (word.get(at), opening.get(at)) {
                (Some(&byte), _) => 1 << CLASSES[usize::from(byte | 0x20)],
                (None, Some(set)) => classes(set),
                (None, None) => u16::MAX,
            }
        };
        match window.known {
            u32::MAX => self.whole.note(window.bytes, may_stand),
            HEAD => self.head.note(window.bytes, may_stand),
            _ => self.tail.note(window.bytes >> 8, may_stand),
        }
    }

    /// Whether a keyword may stand around a window, given eight bytes of case-folded text of which
    /// the window starts with the second.
    #[inline(always)]
    pub fn fit(&self, text: u64) -> bool {
        let bytes = (text >> 8) as u32;
        let fit = self.whole.fit(bytes, text)
            | self.head.fit(bytes & HEAD, text)
            | self.tail.fit(bytes >> 8, text);
        fit & 1 != 0
    }
}

/// The first three bytes of a window.
const HEAD: u32 = 0x00FF_FFFF;

/// The classes of some bytes, a bit each.
fn classes(set: &ByteSet) -> u16 {
    let meets = |members: &[u64; 4]| (0..4).any(|word| set.0[word] & members[word] != 0);
    let class = |(class, members)| u16::from(meets(members)) << class;
    (0..).zip(&MEMBERS).map(class).sum()
}

/// The bytes of each class, as sets.
const MEMBERS: [[u64; 4]; 16] = by_class();

const fn by_class() -> [[u64; 4]; 16] {
    let mut members = [[0; 4]; 16];
    let mut byte = 0;
    while byte < CLASSES.len() {
        members[CLASSES[byte | 0x20] as usize][byte / 64] |= 1 << (byte % 64);
        byte += 1;
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_the_classes_of_its_bytes() {
        for byte in 0..=u8::MAX {
            let class = CLASSES[usize::from(byte | 0x20)];
            assert_eq!(classes(&ByteSet::of(byte..=byte)), 1 << class, "{byte}");
        }
        assert_eq!(classes(&ByteSet([u64::MAX; 4])), u16::MAX);
        assert_eq!(classes(&ByteSet::default()), 0);
    }
}

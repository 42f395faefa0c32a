//! The second question about a window: may its keyword stand there?
//!
//! A window fires by the hash of three bytes and a class of the fourth, which in code one in thirty
//! does. Here all four bytes are asked about, with a class of the byte before and of the one behind,
//! and half of them stay. The answer is looked up, so that nothing branches for it.

use super::gram;
use super::window::Window;
use crate::rules::def::ByteSet;

const SLOTS: usize = 1 << 16;

/// By the hash of four bytes, what may stand beside them.
pub struct Sides {
    by_bytes: Box<[Side; SLOTS]>,
}

/// A bit for each class of bytes.
#[derive(Clone, Copy, Default)]
struct Side {
    before: u16,
    behind: u16,
}

impl Sides {
    pub fn new() -> Self {
        let by_bytes = vec![Side::default(); SLOTS].into_boxed_slice();
        let Ok(by_bytes) = by_bytes.try_into() else {
            unreachable!("made with SLOTS entries");
        };
        Self { by_bytes }
    }

    /// Notes one window of a keyword in lower case, of which `opening` says what may follow it.
    pub fn note(&mut self, word: &[u8], opening: &[ByteSet], window: &Window) {
        let at = |at: i32| usize::try_from(at).ok();
        let may_stand = |place: i32| match at(place).and_then(|at| word.get(at)) {
            Some(&byte) => ByteSet::of(byte..=byte),
            None => {
                let set = at(place).and_then(|at| opening.get(at));
                set.copied().unwrap_or(ByteSet([u64::MAX; 4]))
            }
        };
        let side = Side {
            before: classes(may_stand(window.offset - 1)),
            behind: classes(may_stand(window.offset + 4)),
        };
        let mut add = |bytes: u32| {
            let known = &mut self.by_bytes[hash(bytes)];
            known.before |= side.before;
            known.behind |= side.behind;
        };
        if window.known == u32::MAX {
            return add(window.bytes);
        }
        // One byte, the first or the last, is not the keyword's.
        let unknown = (!window.known).trailing_zeros();
        let set = may_stand(window.offset + unknown as i32 / 8);
        for byte in (0..=u8::MAX).filter(|&byte| set.contains(byte)) {
            add(window.bytes | u32::from(byte | 0x20) << unknown);
        }
    }

    /// Whether a keyword may stand around a window, given eight bytes of case-folded text of which
    /// the window starts with the second.
    #[inline(always)]
    pub fn fit(&self, text: u64) -> bool {
        let side = self.by_bytes[hash((text >> 8) as u32)];
        side.before >> (text & 15) & side.behind >> (text >> 40 & 15) & 1 != 0
    }
}

/// Hashes all of four bytes.
fn hash(bytes: u32) -> usize {
    usize::from(gram::mix(bytes as u16, (bytes >> 16) as u16))
}

/// The classes of some bytes: their low four bits, which folding leaves alone.
fn classes(set: ByteSet) -> u16 {
    let rows = set.0.iter().fold(0, |rows, row| rows | row);
    (rows | rows >> 16 | rows >> 32 | rows >> 48) as u16
}

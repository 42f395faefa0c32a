//! Of which four bytes of a keyword the search for it takes notice.

use std::ops::RangeInclusive;

use super::gram::key;

// `COMMON`: the common grams in the order of their `key`, with how often each stands in a megabyte.
include!(concat!(env!("OUT_DIR"), "/grams.rs"));

/// What is known of four bytes of text that a keyword may stand at, case folded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    pub bytes: u32,
    /// All ones for each byte that is known.
    pub known: u32,
    /// Where in the keyword the window starts; -1 when that is one byte before it.
    pub offset: i32,
}

impl Window {
    /// The window that starts at `offset` of a keyword, or one byte before it.
    pub fn of(word: &[u8], offset: i32) -> Self {
        let mut bytes = [0; 4];
        let mut known = [0; 4];
        for (index, at) in (offset..offset + 4).enumerate() {
            let byte = usize::try_from(at).ok().and_then(|at| word.get(at));
            if let Some(byte) = byte {
                (bytes[index], known[index]) = (byte | 0x20, 0xFF);
            }
        }
        Self {
            bytes: u32::from_le_bytes(bytes),
            known: u32::from_le_bytes(known),
            offset,
        }
    }

    /// Its bytes: where the first may be any, with each that text has there when folded.
    pub fn spellings(&self) -> impl Iterator<Item = u32> + use<> {
        let bytes = self.bytes;
        let firsts = match self.known & 0xFF {
            0 => 0..=u8::MAX,
            _ => 0x20..=0x20,
        };
        let firsts = firsts.filter(|first| first & 0x20 != 0);
        firsts.map(move |first| bytes | u32::from(first))
    }

    /// The bits of the classes that the fourth byte may be of.
    pub fn next_classes(&self) -> u16 {
        match self.known >> 24 {
            0 => u16::MAX,
            _ => 1 << (self.bytes >> 24 & 15),
        }
    }
}

/// How often a gram that is not listed stands in ten megabytes, about.
const RARE: u32 = 30;
/// What looking up a window costs, in comparisons with a keyword.
const LOOK_UP: u32 = 4;

/// What it costs to note a keyword under a window, only good for comparing: how often the window
/// fires, by chance or by what else has its hash, times the work it makes then. Where it fires
/// already for another keyword, this one adds but a comparison.
pub fn cost(window: &Window, fires: bool) -> u32 {
    let rate = window.spellings().map(|bytes| {
        let first = key(bytes);
        match window.known >> 24 {
            0 => rate(first & !15..=first | 15),
            _ => rate(first..=first),
        }
    });
    rate.sum::<u32>() * if fires { 1 } else { 1 + LOOK_UP }
}

/// How often texts of such keys stand in ten megabytes, about.
fn rate(keys: RangeInclusive<u32>) -> u32 {
    let from = COMMON.partition_point(|(key, _)| key < keys.start());
    let alike = COMMON[from..].iter();
    let rates = alike.take_while(|(key, _)| key <= keys.end());
    let common = rates.map(|(_, rate)| 10 * rate).sum::<u32>();
    common + RARE * (keys.end() - keys.start() + 1)
}

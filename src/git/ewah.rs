//! Sets of numbers as git compresses them: EWAH bitmaps.

use super::cursor::{Cursor, Cut};

/// In a word.
const BITS: u64 = 64;

/// Reads a bitmap; the numbers of its bits that are set, in order. None may be `end` or above.
///
/// # Errors
/// When it is cut off or has a higher number.
pub fn read(input: &mut Cursor<'_>, end: usize) -> Result<Vec<usize>, Cut> {
    // How many bits; and where the last marker stands, at the end.
    input.take(4)?;
    let count = input.u32()? as usize;
    let mut words = Cursor::new(input.take(count.checked_mul(8).ok_or(Cut)?)?);
    input.take(4)?;
    let mut set = Vec::new();
    let mut at: u64 = 0;
    while !words.is_empty() {
        let marker = words.u64()?;
        let run = (marker >> 1 & 0xffff_ffff) * BITS;
        if marker & 1 == 1 {
            add(&mut set, at, run, end, |_| true)?;
        }
        at = at.saturating_add(run);
        for _ in 0..marker >> 33 {
            let word = words.u64()?;
            add(&mut set, at, BITS, end, |bit| word >> bit & 1 == 1)?;
            at = at.saturating_add(BITS);
        }
    }
    Ok(set)
}

/// Adds those of `count` numbers from `at` on whose bit is set.
fn add(
    set: &mut Vec<usize>,
    at: u64,
    count: u64,
    end: usize,
    is_set: impl Fn(u64) -> bool,
) -> Result<(), Cut> {
    for bit in (0..count).filter(|bit| is_set(*bit)) {
        let number = at.checked_add(bit).filter(|n| *n < end as u64).ok_or(Cut)?;
        set.push(number as usize);
    }
    Ok(())
}

//! The hash of four bytes of text. The build script orders a table by it.

/// Hashes the first three of four bytes that are case folded.
///
/// Texts that differ in the third byte only are near each other: there are few pairs of bytes that most
/// text is made of, so what is looked up for it stays in the nearest cache.
pub fn slot(bytes: u32) -> usize {
    let (pair, third) = (bytes as u16, (bytes >> 16) as u16);
    usize::from(pair.wrapping_mul(PAIR) ^ third & THIRD)
}

/// The factor of the first two bytes: of some hundred tried one that leads few common grams to the slots
/// of keywords.
pub const PAIR: u16 = 0xBBF9;
/// What tells bytes apart that are case folded.
pub const THIRD: u16 = 0x5F;

/// What decides whether four bytes fire: the hash of three and the class of the fourth.
pub fn key(bytes: u32) -> u32 {
    (slot(bytes) as u32) << 4 | bytes >> 24 & 15
}

//! The hash of four bytes of text. The build script orders a table by it.

/// Hashes the first three of four bytes that are case folded.
pub fn slot(bytes: u32) -> usize {
    let (low, high) = (bytes as u16, (bytes >> 16) as u16 & 0xFF);
    usize::from(low.wrapping_mul(FACTORS[0]) ^ high.wrapping_mul(FACTORS[1]))
}

pub const FACTORS: [u16; 2] = [0x9E3D, 0x6A97];

/// What decides whether four bytes fire: the hash of three and the class of the fourth.
pub fn key(bytes: u32) -> u32 {
    (slot(bytes) as u32) << 4 | bytes >> 24 & 15
}

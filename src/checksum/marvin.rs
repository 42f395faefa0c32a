//! Marvin32, the keyed hash that Microsoft puts into its own keys.

/// The seed whose big-endian bytes are the eight characters of `name`.
pub const fn seed(name: &[u8; 8]) -> u64 {
    u64::from_be_bytes(*name)
}

/// The 32-bit value: both halves of [`hash64`] folded.
pub fn hash32(seed: u64, data: &[u8]) -> u32 {
    let full = hash64(seed, data);
    (full >> 32) as u32 ^ full as u32
}

pub fn hash64(seed: u64, data: &[u8]) -> u64 {
    let mut state = (seed as u32, (seed >> 32) as u32);
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut full = [0; 4];
        full.copy_from_slice(word);
        state = round(state, u32::from_le_bytes(full));
    }
    let rest = words.remainder();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    let (a, b) = round(round(state, u32::from_le_bytes(last)), 0);
    u64::from(b) << 32 | u64::from(a)
}

fn round((a, b): (u32, u32), word: u32) -> (u32, u32) {
    let a = a.wrapping_add(word);
    let b = b ^ a;
    let a = a.rotate_left(20).wrapping_add(b);
    let b = b.rotate_left(9) ^ a;
    let a = a.rotate_left(27).wrapping_add(b);
    (a, b.rotate_left(19))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_reference_values() {
        assert_eq!(hash64(0xd53c_d9ce_cd08_93b7, b"abc"), 0x22c7_4339_4927_69bf);
        assert_eq!(hash32(0xd53c_d9ce_cd08_93b7, b"abc"), 0x6be0_2a86);
        let letters: Vec<u8> = (b'a'..=b'z').collect();
        assert_eq!(
            hash64(0x0ddd_deee_efff_f000, &letters),
            0xa128_eb7e_7260_aca2
        );
    }

    #[test]
    fn seeds_are_read_big_endian() {
        assert_eq!(seed(b"AadPwd00"), 0x4161_6450_7764_3030);
    }
}

//! Sets of byte values.

/// A set of byte values as a table.
pub(super) struct Class([bool; 256]);

impl Class {
    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }

    /// Where the run of members that goes on at `at` ends.
    pub(super) fn run_end(&self, text: &[u8], at: usize) -> usize {
        let rest = &text[at..];
        let len = rest.iter().position(|&b| !self.has(b));
        at + len.unwrap_or(rest.len())
    }
}

/// The set of the bytes in `ranges`, ends included, and of the `others`.
pub(super) const fn of(ranges: &[(u8, u8)], others: &[u8]) -> Class {
    let mut members = [false; 256];
    let mut index = 0;
    while index < ranges.len() {
        let (mut byte, last) = ranges[index];
        while byte <= last {
            members[byte as usize] = true;
            byte += 1;
        }
        index += 1;
    }
    index = 0;
    while index < others.len() {
        members[others[index] as usize] = true;
        index += 1;
    }
    Class(members)
}

//! The stretch of text around a mark that is decoded with it.

use std::ops::Range;

/// How far to either side of a mark a line is followed.
const REACH: usize = 4096;

/// The line around `at`, cut to the reach and to the stretch.
pub fn line(text: &[u8], at: usize, stretch: &Range<usize>) -> Range<usize> {
    let low = at.saturating_sub(REACH).max(stretch.start);
    let high = (at + REACH).min(stretch.end);
    let start = memchr::memrchr2(b'\n', b'\r', &text[low..at]).map_or(low, |found| low + found + 1);
    let end = memchr::memchr2(b'\n', b'\r', &text[at..high]).map_or(high, |found| at + found);
    start..end
}

/// Collects marks into regions that do not overlap, in order.
#[derive(Default)]
pub struct Regions {
    list: Vec<Range<usize>>,
}

impl Regions {
    /// Adds a region; those that touch the last are joined with it.
    pub fn add(&mut self, region: Range<usize>) {
        match self.list.last_mut() {
            Some(last) if region.start <= last.end => last.end = last.end.max(region.end),
            _ => self.list.push(region),
        }
    }

    pub fn into_iter(self) -> impl Iterator<Item = Range<usize>> {
        self.list.into_iter()
    }
}

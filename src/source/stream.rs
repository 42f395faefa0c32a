//! Reads one input of any size into units, whole or in overlapping windows.
//!
//! An input up to the whole-read bound is one unit. A larger one is cut into windows: each has a
//! *core* and a margin on both sides, and only findings that start in the core count, so each is
//! found exactly once and with all the context it would have in the whole. The margin is wider than
//! any rule's longest match.

use std::io::{self, Read};
use std::ops::Range;

use super::Sink;
use crate::span;
use crate::unit::{Before, Origin, Unit};

/// Bytes of context before and after a window's core. Twice the longest match a rule may have.
const MARGIN: usize = 128 * 1024;

/// How large inputs are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Up to this many bytes an input is read whole.
    pub whole: usize,
    /// As `whole`, for notebooks, which lose their cells when they are cut.
    pub notebook: usize,
    /// Bytes in a window's core, a multiple of four so that wide characters stay aligned.
    pub core: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            whole: 16 << 20,
            notebook: 64 << 20,
            core: 8 << 20,
        }
    }
}

impl Sizes {
    /// How much of `path` is held at once.
    pub fn whole_bound(&self, path: &str) -> usize {
        if path.ends_with(".ipynb") {
            self.notebook
        } else {
            self.whole
        }
    }
}

/// Memory to read into, used again for the next input.
#[derive(Default)]
pub struct Buffer {
    /// As many bytes as were ever needed, so that none is cleared twice.
    bytes: Vec<u8>,
    /// How many of them have been read.
    filled: usize,
}

impl Buffer {
    /// A large input must not make its thread hold a large buffer from then on.
    const KEPT: usize = 8 << 20;
    /// Bytes first read of an input of unknown size.
    const FIRST: usize = 64 << 10;

    fn read(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// Makes room for an input of likely `expected` bytes, and forgets the last one.
    fn restart(&mut self, expected: usize) {
        self.filled = 0;
        if self.bytes.len() < expected || self.bytes.len() > Self::KEPT {
            // What the old memory holds is not worth copying.
            self.bytes = Vec::new();
            // More than is needed, so that a row of ever larger files costs little.
            let len = match expected {
                0..=Self::KEPT => expected.next_power_of_two(),
                _ => expected,
            };
            self.bytes = vec![0; len];
        }
    }

    /// Reads until `upto` bytes are held or the input has no more.
    fn fill(&mut self, input: &mut impl Read, upto: usize) -> io::Result<()> {
        while self.filled < upto {
            if self.filled == self.bytes.len() {
                let more = (2 * self.filled).clamp(Self::FIRST, upto.max(Self::FIRST));
                self.bytes.resize(more, 0);
            }
            let end = upto.min(self.bytes.len());
            match input.read(&mut self.bytes[self.filled..end]) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn drop_front(&mut self, passed: usize) {
        self.bytes.copy_within(passed..self.filled, 0);
        self.filled -= passed;
    }
}

/// Reads `input` to its end and hands it on. `expected` is the input's likely size. Returns the
/// bytes read.
///
/// # Errors
/// When reading fails; what was read before has been handed on.
pub fn read(
    origin: &Origin,
    mut input: impl Read,
    expected: u64,
    sizes: &Sizes,
    buffer: &mut Buffer,
    sink: &dyn Sink,
) -> io::Result<u64> {
    let bound = sizes.whole_bound(&origin.path);
    // One byte more than expected, so that the read that meets the end needs no larger buffer.
    buffer.restart((expected as usize).min(bound).saturating_add(1));
    buffer.fill(&mut input, bound + 1)?;
    if buffer.filled <= bound {
        sink.unit(&Unit::whole(origin.clone(), buffer.read()));
        return Ok(buffer.filled as u64);
    }
    windows(origin, input, sizes.core, buffer, sink)
}

fn windows(
    origin: &Origin,
    mut input: impl Read,
    core_len: usize,
    buffer: &mut Buffer,
    sink: &dyn Sink,
) -> io::Result<u64> {
    let mut before = Before::default();
    // The first core starts at the very start; later ones behind a margin.
    let mut core_start = 0;
    loop {
        let core_end = core_start + core_len;
        buffer.fill(&mut input, core_end + MARGIN)?;
        let window_end = buffer.filled.min(core_end + MARGIN);
        let last = buffer.filled <= core_end;
        let core = core_start..if last { window_end } else { core_end };
        sink.unit(&window(origin, &buffer.read()[..window_end], core, before));
        if last {
            return Ok(before.bytes + buffer.filled as u64);
        }
        let next_start = core_end - MARGIN;
        before.advance(&buffer.read()[..next_start]);
        buffer.drop_front(next_start);
        core_start = MARGIN;
    }
}

fn window<'b>(origin: &Origin, bytes: &'b [u8], core: Range<usize>, before: Before) -> Unit<'b> {
    Unit {
        origin: origin.clone(),
        bytes,
        before,
        core: Some(core.start as u32..core.end as u32),
    }
}

impl Before {
    fn advance(&mut self, passed: &[u8]) {
        self.bytes += passed.len() as u64;
        let lines = memchr::memchr_iter(b'\n', passed).count() as u64;
        self.lines += lines;
        match memchr::memrchr(b'\n', passed) {
            Some(at) => self.columns = span::count_chars(&passed[at + 1..]) as u64,
            None => self.columns += span::count_chars(passed) as u64,
        }
    }
}

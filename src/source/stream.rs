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

/// Reads `input` to its end and hands it on. `buffer` is reused between calls; `expected` is the
/// input's likely size. Returns the bytes read.
///
/// # Errors
/// When reading fails; what was read before has been handed on.
pub fn read(
    origin: &Origin,
    mut input: impl Read,
    expected: u64,
    sizes: &Sizes,
    buffer: &mut Vec<u8>,
    sink: &dyn Sink,
) -> io::Result<u64> {
    let bound = sizes.whole_bound(&origin.path);
    buffer.clear();
    // One byte more than expected, so that the read that meets the end needs no larger buffer.
    buffer.reserve((expected as usize).min(bound).saturating_add(1));
    fill(&mut input, buffer, bound + 1)?;
    if buffer.len() <= bound {
        sink.unit(&Unit::whole(origin.clone(), buffer));
        return Ok(buffer.len() as u64);
    }
    windows(origin, input, sizes.core, buffer, sink)
}

fn fill(input: &mut impl Read, buffer: &mut Vec<u8>, upto: usize) -> io::Result<()> {
    let missing = upto.saturating_sub(buffer.len());
    input
        .by_ref()
        .take(missing as u64)
        .read_to_end(buffer)
        .map(drop)
}

fn windows(
    origin: &Origin,
    mut input: impl Read,
    core_len: usize,
    buffer: &mut Vec<u8>,
    sink: &dyn Sink,
) -> io::Result<u64> {
    let mut before = Before::default();
    // The first core starts at the very start; later ones behind a margin.
    let mut core_start = 0;
    loop {
        let core_end = core_start + core_len;
        fill(&mut input, buffer, core_end + MARGIN)?;
        let window_end = buffer.len().min(core_end + MARGIN);
        let last = buffer.len() <= core_end;
        let core = core_start..if last { window_end } else { core_end };
        sink.unit(&window(origin, &buffer[..window_end], core, before));
        if last {
            return Ok(before.bytes + buffer.len() as u64);
        }
        let next_start = core_end - MARGIN;
        before.advance(&buffer[..next_start]);
        buffer.drain(..next_start);
        core_start = MARGIN;
    }
}

fn window<'b>(origin: &Origin, bytes: &'b [u8], core: Range<usize>, before: Before) -> Unit<'b> {
    Unit {
        origin: origin.clone(),
        bytes,
        before,
        core: Some(core.start as u32..core.end as u32),
        is_text: false,
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

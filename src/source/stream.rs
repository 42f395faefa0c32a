//! Reads one input of any size into units, whole or in overlapping windows.
//!
//! An input up to the whole-read bound is one unit. A larger one is cut into windows: each has a
//! *core* and a margin on both sides, and only findings that start in the core count, so each is
//! found exactly once and with all the context it would have in the whole. The margin is wider than
//! any rule's longest match.

use std::borrow::Cow;
use std::io::{self, Read};

use super::Sink;
use crate::sniff::{self, Encoding};
use crate::span::LineIndex;
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
    /// Bytes in a window's core: more than the margin, and a multiple of four so that wide
    /// characters stay aligned.
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
    /// About where the windows of an input of `len` bytes start, and where their cores do; the first is not
    /// among them.
    pub fn starts(&self, len: usize) -> impl Iterator<Item = (usize, usize)> {
        let cores = (self.core..len).step_by(self.core);
        cores.map(|core| (core - MARGIN, core))
    }

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
    // Asked once: a window from the middle may look like something else. What is no file is a text.
    let encoding = match origin.is_file() {
        true => sniff::sniff(buffer.read()),
        false => Ok(Encoding::Bytes),
    };
    let Ok(encoding) = encoding else {
        sink.unit(&Unit::whole(origin.clone(), buffer.read()));
        return Ok(buffer.filled as u64);
    };
    let mut before = Before::default();
    // The first core starts at the very start; later ones behind a margin.
    let mut core_start = 0;
    loop {
        let core_end = core_start + core_len;
        buffer.fill(&mut input, core_end + MARGIN)?;
        let window_end = buffer.filled.min(core_end + MARGIN);
        let last = buffer.filled <= core_end;
        let core = core_start..if last { window_end } else { core_end };
        sink.unit(&Unit {
            origin: origin.clone(),
            bytes: &buffer.read()[..window_end],
            before,
            encoding: Some(encoding),
            core: Some(core.start as u32..core.end as u32),
        });
        if last {
            return Ok(before.bytes + buffer.filled as u64);
        }
        let next_start = cut(buffer.read(), core_end - MARGIN, encoding);
        before.advance(&buffer.read()[..next_start], encoding);
        buffer.drop_front(next_start);
        core_start = core_end - next_start;
    }
}

/// The last place up to `at` that lies between two characters and not between `\r` and `\n`.
fn cut(bytes: &[u8], at: usize, encoding: Encoding) -> usize {
    let width = encoding.width();
    let within = |at: &usize| {
        let unit = encoding.unit(bytes, at / width).unwrap_or_default();
        let last = (at / width).checked_sub(1);
        let last = last.and_then(|last| encoding.unit(bytes, last));
        let continues = match encoding {
            Encoding::Bytes => (0x80..0xC0).contains(&unit),
            _ => (0xDC00..0xE000).contains(&unit),
        };
        continues || (unit == u32::from(b'\n') && last == Some(u32::from(b'\r')))
    };
    // Text has no longer characters; what is no text is cut anywhere.
    let near = (0..=4).filter_map(|units| at.checked_sub(units * width));
    near.into_iter().find(|at| !within(at)).unwrap_or(at)
}

impl Before {
    /// Goes on by `passed`, which ends where a character does.
    fn advance(&mut self, passed: &[u8], encoding: Encoding) {
        self.bytes += passed.len() as u64;
        let text = match encoding {
            Encoding::Bytes => Cow::Borrowed(passed),
            wide => Cow::Owned(narrow(passed, wide)),
        };
        let index = LineIndex::new(&text);
        let (line, width) = index.line_and_width(text.len() as u32);
        self.columns = match line {
            1 => self.columns + width,
            _ => width,
        };
        self.lines += u64::from(line - 1);
    }
}

/// Wide text as UTF-8, read as the decoder reads it.
fn narrow(bytes: &[u8], encoding: Encoding) -> Vec<u8> {
    let mut text = String::with_capacity(bytes.len() / encoding.width());
    let mut at = usize::from(encoding.unit(bytes, 0) == Some(0xFEFF));
    while let Some(unit) = encoding.unit(bytes, at) {
        let next = encoding.unit(bytes, at + 1);
        let (character, taken) = sniff::character(unit, next.filter(|_| encoding.width() == 2));
        text.push(character);
        at += taken;
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::ledger::Reason;
    use crate::sniff::WIDE;
    use crate::sniff::tests::spell;

    /// Keeps what came before each window, and the windows.
    #[derive(Default)]
    struct Windows(Mutex<Vec<(Before, Vec<u8>)>>);

    impl Sink for Windows {
        fn expect(&self, _: u64) {}

        fn unit(&self, unit: &Unit<'_>) {
            let window = (unit.before, unit.bytes.to_vec());
            self.0.lock().expect("one thread").push(window);
        }

        fn done(&self, _: u64) {}

        fn leave_out(&self, _: Arc<str>, _: Reason, _: &str) {}
    }

    /// The text that every coding is asked to cut at bad places.
    fn check(text: &str, encoding: Encoding) {
        let bytes = spell(text, encoding);
        let sizes = Sizes {
            whole: 1 << 10,
            notebook: 1 << 10,
            core: MARGIN + (4 << 10),
        };
        let windows = Windows::default();
        let origin = Origin::file("a.txt");
        read(
            &origin,
            &bytes[..],
            0,
            &sizes,
            &mut Buffer::default(),
            &windows,
        )
        .expect("memory can be read");
        let windows = windows.0.into_inner().expect("one thread");
        assert!(windows.len() > 3, "{}", windows.len());
        for (before, window) in windows {
            let at = before.bytes as usize;
            assert_eq!(bytes[at..at + window.len()], window);
            let passed = match encoding {
                Encoding::Bytes => bytes[..at].to_vec(),
                wide => narrow(&bytes[..at], wide),
            };
            let passed = String::from_utf8(passed).expect("cut between characters");
            let breaks = passed.replace("\r\n", "\n").replace('\r', "\n");
            assert_eq!(before.lines as usize, breaks.matches('\n').count());
            let line = breaks.rsplit('\n').next().unwrap_or_default();
            assert_eq!(before.columns.chars as usize, line.chars().count());
            assert_eq!(before.columns.utf16 as usize, line.encode_utf16().count());
        }
    }

    #[test]
    fn windows_know_what_came_before_in_every_coding() {
        for encoding in WIDE.into_iter().chain([Encoding::Bytes]) {
            for shift in 0..5 {
                let shift = "x".repeat(shift);
                // No line end at all, only bare returns, and pairs that a cut may part.
                check(
                    &format!("{shift}{}", "abcdefghij\u{1f600}\u{e9}".repeat(40_000)),
                    encoding,
                );
                check(&format!("{shift}{}", "abc d\r".repeat(80_000)), encoding);
                check(
                    &format!("{shift}{}", "\u{4e2d}bc def\r\n".repeat(60_000)),
                    encoding,
                );
            }
        }
    }
}

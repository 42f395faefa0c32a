//! Delta instructions of a pack: copy from the base, or insert new bytes.

/// A delta's header and its instructions, not yet checked against a base.
pub struct Delta<'d> {
    pub base_len: usize,
    pub result_len: usize,
    rest: &'d [u8],
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'d> {
    Copy { from: usize, len: usize },
    Insert(&'d [u8]),
}

/// The delta, or its base, is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl<'d> Delta<'d> {
    /// Reads the two lengths in front of the instructions.
    ///
    /// # Errors
    /// When they are cut off or too large.
    pub fn parse(mut bytes: &'d [u8]) -> Result<Self, Broken> {
        let base_len = length(&mut bytes)?;
        let result_len = length(&mut bytes)?;
        Ok(Self {
            base_len,
            result_len,
            rest: bytes,
        })
    }

    /// The instructions, in the order of the result.
    pub fn steps(&self) -> Steps<'d> {
        Steps { rest: self.rest }
    }
}

/// Iterates over instructions; ends after the first that is broken.
pub struct Steps<'d> {
    rest: &'d [u8],
}

impl<'d> Iterator for Steps<'d> {
    type Item = Result<Step<'d>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&op, rest) = self.rest.split_first()?;
        self.rest = rest;
        let step = match op {
            0 => Err(Broken),
            1..=0x7F => self.take(op as usize).map(Step::Insert),
            _ => self.copy(op),
        };
        if step.is_err() {
            self.rest = &[];
        }
        Some(step)
    }
}

impl<'d> Steps<'d> {
    fn take(&mut self, len: usize) -> Result<&'d [u8], Broken> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Broken)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A set bit in `op` says that the byte of that rank follows; the others are zero.
    fn copy(&mut self, op: u8) -> Result<Step<'d>, Broken> {
        let mut number = |first: u8, count: u8| {
            let mut value = 0;
            for rank in 0..count {
                if op & (1 << (first + rank)) != 0 {
                    value |= usize::from(self.take(1)?[0]) << (8 * rank);
                }
            }
            Ok(value)
        };
        let from = number(0, 4)?;
        let len = number(4, 3)?;
        Ok(Step::Copy {
            from,
            len: if len == 0 { 0x1_0000 } else { len },
        })
    }
}

fn length(bytes: &mut &[u8]) -> Result<usize, Broken> {
    let (mut value, mut shift) = (0_usize, 0);
    loop {
        let (&byte, rest) = bytes.split_first().ok_or(Broken)?;
        *bytes = rest;
        if shift > 56 {
            return Err(Broken);
        }
        value |= usize::from(byte & 0x7F) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_lengths_copies_and_inserts() {
        let bytes = [0x90, 0x01, 0x07, 0x91, 0x05, 0x04, 0x03, b'a', b'b', b'c'];
        let delta = Delta::parse(&bytes).expect("lengths");
        assert_eq!((delta.base_len, delta.result_len), (144, 7));
        let steps: Vec<_> = delta.steps().collect();
        let copy = Step::Copy { from: 5, len: 4 };
        assert_eq!(steps, [Ok(copy), Ok(Step::Insert(b"abc"))]);
    }

    #[test]
    fn a_copy_without_length_is_64_kib() {
        let delta = Delta::parse(&[1, 1, 0x80]).expect("lengths");
        let copy = Step::Copy {
            from: 0,
            len: 0x1_0000,
        };
        assert_eq!(delta.steps().next(), Some(Ok(copy)));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(delta) = Delta::parse(&bytes) {
                prop_assert!(delta.steps().count() <= bytes.len());
            }
        }
    }
}

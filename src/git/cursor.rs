//! Reads a file of git's from its front.

/// What is left to read.
pub struct Cursor<'b>(&'b [u8]);

/// The file ends before what it says, or says what cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut;

impl<'b> Cursor<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn take(&mut self, len: usize) -> Result<&'b [u8], Cut> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Cut)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Cut> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Cut)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub fn u8(&mut self) -> Result<u8, Cut> {
        self.array().map(u8::from_be_bytes)
    }

    pub fn u16(&mut self) -> Result<u16, Cut> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Cut> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Cut> {
        self.array().map(u64::from_be_bytes)
    }

    /// The twenty bytes of an object's name, or of another hash.
    pub fn hash(&mut self) -> Result<[u8; 20], Cut> {
        self.array()
    }

    /// Text up to a zero byte, which is passed over.
    pub fn text(&mut self) -> Result<&'b [u8], Cut> {
        let end = memchr::memchr(0, self.0).ok_or(Cut)?;
        let text = self.take(end)?;
        self.take(1)?;
        Ok(text)
    }
}

//! Writing strings: terminal sequences taken out, pictures in data URIs left out.

use memchr::memmem;

use super::mime;
use crate::decode::ViewBuilder;
use crate::decode::json::{Piece, Str};

/// Strings shorter than this are not searched for data URIs; the picture in one is no burden.
const SHORT: usize = 512;

/// Writes a string as it is, but for the payloads of pictures.
pub fn write_plain(text: &[u8], string: Str, out: &mut ViewBuilder) {
    without_pictures(text, string, |part| part.write(text, out));
}

/// Hands on the parts of a string that lie around the base64 of pictures, fonts and sounds in
/// `data:` URIs. The URI's head stays, so that the text still shows what was there.
fn without_pictures(text: &[u8], string: Str, mut write: impl FnMut(Str)) {
    const MARK: &[u8] = b";base64,";
    let mut rest = string;
    if string.raw(text).len() >= SHORT {
        let raw = string.raw(text);
        for mark in memmem::find_iter(raw, MARK) {
            let begin = mark + MARK.len();
            let from = (rest.start - string.start) as usize;
            if mark < from || !names_payload(&raw[from..mark]) {
                continue;
            }
            let end = begin + payload_len(&raw[begin..]);
            write(Str {
                end: string.start + begin as u32,
                ..rest
            });
            rest.start = string.start + end as u32;
        }
    }
    write(rest);
}

/// Whether `before` ends in `data:` and a type that holds no text.
fn names_payload(before: &[u8]) -> bool {
    let near = &before[before.len().saturating_sub(64)..];
    let Some(at) = memmem::rfind(near, b"data:") else {
        return false;
    };
    let name: Vec<u8> = near[at + 5..]
        .iter()
        .copied()
        .filter(|b| *b != b'\\')
        .collect();
    mime::kind(&name) == mime::Kind::Payload
}

/// How far base64 goes, line ends and escaped slashes included.
fn payload_len(raw: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = &raw[at..];
        let run = rest.iter().position(|b| !is_base64(*b));
        let Some(run) = run else { return raw.len() };
        match rest.get(run..run + 2) {
            Some(b"\\n" | b"\\r" | b"\\/") => at += run + 2,
            _ => return at + run,
        }
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// Takes terminal sequences out of text that comes in several strings.
///
/// A sequence is dropped as a terminal would drop it, with one exception: the address of a
/// hyperlink is not shown by a terminal, yet may well be a signed URL. It is kept, between spaces.
#[derive(Default)]
pub struct Terminal {
    state: State,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After ESC, or after ESC and bytes that announce one more.
    Escape,
    /// After `ESC [`.
    Control,
    /// After `ESC ]`, and after a following `8`.
    Command,
    Eight,
    /// In the parameters of a hyperlink, then in its address.
    LinkParameters,
    Link {
        begun: bool,
    },
    /// In a command or other string that nobody sees.
    Hidden,
}

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

impl Terminal {
    pub fn write(&mut self, text: &[u8], string: Str, out: &mut ViewBuilder) {
        without_pictures(text, string, |part| {
            // A raw ESC is against the standard and does not happen in what kernels send.
            let raw = memchr::memchr(ESC, part.raw(text)).is_some();
            for piece in part.pieces(text) {
                match piece {
                    Piece::Plain { at, bytes } if self.state == State::Text && !raw => {
                        out.copy(at, bytes);
                    }
                    Piece::Plain { at, bytes } => self.plain(at, bytes, out),
                    Piece::Escape { at, from, meant } => {
                        let [first, ..] = *meant.bytes() else {
                            continue;
                        };
                        if self.shows(first, at, out) {
                            out.token(at, from, meant.bytes());
                        }
                    }
                }
            }
        });
    }

    fn plain(&mut self, start: usize, bytes: &[u8], out: &mut ViewBuilder) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if self.state == State::Text {
                let Some(run) = memchr::memchr(ESC, rest) else {
                    out.copy(start + at, rest);
                    return;
                };
                out.copy(start + at, &rest[..run]);
                self.state = State::Escape;
                at += run + 1;
            } else {
                if self.shows(rest[0], start + at, out) {
                    out.copy(start + at, &rest[..1]);
                }
                at += 1;
            }
        }
    }

    /// Takes a byte and says whether it is text.
    fn shows(&mut self, byte: u8, at: usize, out: &mut ViewBuilder) -> bool {
        let before = self.state;
        self.state = self.after(byte);
        match (before, self.state) {
            (State::Link { begun }, State::Link { .. }) => {
                if !begun {
                    out.glue(b" ", at);
                }
                return true;
            }
            (State::Link { begun: true }, _) => out.glue(b" ", at),
            _ => {}
        }
        // The byte that ends a sequence is its last, or the first that cannot belong to it.
        self.state == State::Text
            && match before {
                State::Text => true,
                State::Escape => !(0x20..0x7f).contains(&byte),
                State::Control => !(0x40..0x7f).contains(&byte),
                _ => is_line_control(byte),
            }
    }

    fn after(&self, byte: u8) -> State {
        if byte == ESC {
            return State::Escape;
        }
        match (self.state, byte) {
            (State::Text, _) => State::Text,
            (State::Escape, b'[') => State::Control,
            (State::Escape, b']') => State::Command,
            (State::Escape, b'P' | b'X' | b'^' | b'_') => State::Hidden,
            (State::Escape, 0x20..0x30) => State::Escape,
            (State::Control, 0x20..0x40) => State::Control,
            (State::Escape | State::Control, _) => State::Text,
            // An unterminated string must not swallow more than its line.
            (_, BEL) => State::Text,
            (_, _) if is_line_control(byte) => State::Text,
            (State::Command, b'8') => State::Eight,
            (State::Eight, b';') => State::LinkParameters,
            (State::LinkParameters, b';') => State::Link { begun: false },
            (State::LinkParameters, _) => State::LinkParameters,
            (State::Link { .. }, _) => State::Link { begun: true },
            (State::Command | State::Eight | State::Hidden, _) => State::Hidden,
        }
    }
}

fn is_line_control(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

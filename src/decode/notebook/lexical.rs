//! Notebooks that are no JSON, read by their strings alone.
//!
//! Merge conflicts, cut-off downloads and slips of hand-written tools leave a file whose strings
//! are nearly all whole while its brackets are not. So strings are taken one by one in the order
//! of the file and nothing is ever stepped over because a bracket is missing. Brackets and keys
//! serve only to guess where a string stands; cells are counted by their `"cell_type"`.

use super::cells::{Joined, is_prose};
use super::leaves::{Lines, Output};
use super::mime;
use crate::decode::json::{Str, conflict_marker};
use crate::decode::{Place, Role, ViewBuilder};

/// How far up an unmatched closing bracket looks for its partner.
const REACH: usize = 8;

/// Reads every string of a notebook that cannot be parsed.
pub fn read(text: &[u8], out: &mut ViewBuilder, places: &mut Vec<Place>) {
    let mut scan = Scan {
        to: Output { text, out, places },
        at: 0,
        open: Vec::new(),
        key: None,
        cells: 0,
        cell: None,
        prose: false,
        outputs: 0,
        name: None,
        run: None,
        stream: None,
    };
    scan.whole();
}

/// What a stretch between two brackets seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Unknown,
    Cells,
    Cell,
    Source,
    Outputs,
    Output,
    /// Text of a stream.
    Stream,
    Error,
    /// Values by mime type, of an output or of an attachment.
    Bundle,
    Attachments,
    /// The value of the mime type named by a key.
    Mime {
        key: Str,
        attached: bool,
    },
    Metadata,
}

#[derive(Clone, Copy)]
struct Open {
    bracket: u8,
    part: Part,
    key: Option<Str>,
}

struct Scan<'a, 't> {
    to: Output<'a, 't>,
    at: usize,
    open: Vec<Open>,
    /// The key whose value is due.
    key: Option<Str>,
    cells: u32,
    cell: Option<u32>,
    prose: bool,
    outputs: u32,
    /// What the output at hand calls its stream.
    name: Option<Str>,
    /// The list whose strings are being joined.
    run: Option<Joined>,
    stream: Option<Stream>,
}

/// The text of a stream, which may go on in the next output.
struct Stream {
    name: Option<Str>,
    cell: Option<u32>,
    /// The count of outputs at its last string.
    outputs: u32,
    joined: Joined,
}

impl Scan<'_, '_> {
    fn whole(&mut self) {
        while let Some(&byte) = self.to.text.get(self.at) {
            match byte {
                b'"' => self.string(),
                b'{' | b'[' => self.push(byte),
                b'}' => self.pop(b'{'),
                b']' => self.pop(b'['),
                b',' => self.key = None,
                b'<' | b'=' | b'>' | b'|' if conflict_marker(self.to.text, self.at) => {
                    self.end_run();
                    self.stream = None;
                    let rest = &self.to.text[self.at..];
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        self.end_run();
    }

    /// Takes the string whose quote is here and stops at its last byte. A string ends at its line's
    /// end too: no writer leaves a line end raw, so the closing quote is what is missing.
    fn string(&mut self) {
        let text = self.to.text;
        let start = self.at + 1;
        let mut end = start;
        let mut escaped = false;
        loop {
            let rest = text.get(end..).unwrap_or_default();
            match memchr::memchr3(b'"', b'\\', b'\n', rest) {
                Some(found) if rest[found] == b'\\' => {
                    escaped = true;
                    end = (end + found + 2).min(text.len());
                }
                found => {
                    end += found.unwrap_or(rest.len());
                    break;
                }
            }
        }
        self.at = end;
        let string = Str {
            start: start as u32,
            end: end as u32,
            escaped,
        };
        let after = text.get(end + 1..).unwrap_or_default();
        let next = after.iter().take(64).find(|b| !b.is_ascii_whitespace());
        if next == Some(&b':') {
            self.name(string);
        } else {
            self.value(string);
        }
    }

    fn top(&self) -> Part {
        self.open.last().map_or(Part::Unknown, |open| open.part)
    }

    fn name(&mut self, key: Str) {
        self.end_run();
        self.key = Some(key);
        let counts = matches!(self.top(), Part::Unknown | Part::Cells | Part::Cell);
        if counts && key.raw(self.to.text) == b"cell_type" {
            self.cell = Some(self.cells);
            self.cells += 1;
            self.prose = false;
        }
    }

    fn push(&mut self, bracket: u8) {
        let part = self.part();
        let key = self.key.take();
        match part {
            Part::Cell if bracket == b'{' && self.top() == Part::Cells => {
                self.cell = Some(self.cells);
            }
            Part::Outputs => self.outputs = 0,
            Part::Output if self.top() == Part::Outputs => {
                self.outputs += 1;
                self.name = None;
            }
            _ => {}
        }
        let key = key.or(self.open.last().and_then(|open| open.key));
        self.end_run();
        self.open.push(Open { bracket, part, key });
    }

    fn pop(&mut self, bracket: u8) {
        self.end_run();
        self.key = None;
        let near = self.open.iter().rev().take(REACH);
        let Some(above) = near.into_iter().position(|open| open.bracket == bracket) else {
            return;
        };
        for _ in 0..=above {
            if self.open.pop().map(|open| open.part) == Some(Part::Cells) {
                self.cell = None;
            }
        }
    }

    /// What the value that is due seems to be.
    fn part(&self) -> Part {
        let top = self.top();
        let in_list = self.open.last().is_some_and(|open| open.bracket == b'[');
        let Some(key) = self.key.filter(|_| !in_list) else {
            return match top {
                Part::Cells => Part::Cell,
                Part::Outputs => Part::Output,
                within => within,
            };
        };
        let of_mime = |attached| Part::Mime { key, attached };
        let name = key.raw(self.to.text);
        match (top, name) {
            (Part::Metadata | Part::Mime { .. } | Part::Source, _) => top,
            (Part::Attachments, _) if !name.contains(&b'/') => Part::Attachments,
            (Part::Output | Part::Bundle | Part::Attachments, _) if name.contains(&b'/') => {
                of_mime(top == Part::Attachments)
            }
            (_, b"cells") => Part::Cells,
            (_, b"outputs") => Part::Outputs,
            (_, b"metadata") => Part::Metadata,
            (_, b"source" | b"input") => Part::Source,
            (_, b"attachments") => Part::Attachments,
            (Part::Output, b"data") => Part::Bundle,
            (Part::Output, b"text") => Part::Stream,
            (Part::Output, b"evalue" | b"traceback") => Part::Error,
            (Part::Output, short) if mime::of_short_name(short).is_some() => of_mime(false),
            _ => Part::Unknown,
        }
    }

    fn value(&mut self, string: Str) {
        let list = self.open.last().filter(|open| open.bracket == b'[');
        let in_list = list.is_some();
        let key = self.key.or(list.and_then(|open| open.key));
        let name = key.map_or(&b""[..], |key| key.raw(self.to.text));
        if name == b"cell_type" {
            self.prose = is_prose(string.raw(self.to.text));
            return;
        }
        // What cells say of themselves would stand between two outputs of one stream.
        match (self.top(), name, string.raw(self.to.text)) {
            (Part::Output, b"name" | b"stream", b"stdout" | b"stderr") => {
                self.name = Some(string);
                return;
            }
            (Part::Output, b"output_type", _) => return,
            _ => {}
        }
        let part = self.part();
        if part == Part::Stream {
            return self.stream(string);
        }
        let mime = self.mime(part);
        let kind = mime.as_deref().map(|mime| mime::kind(mime.as_bytes()));
        let (between, terminal) = match (part, kind) {
            (Part::Source, _) => (&b""[..], false),
            (Part::Error, _) => (&b"\n"[..], true),
            (_, Some(mime::Kind::Payload)) => return,
            (_, Some(mime::Kind::Plain | mime::Kind::Text)) => {
                (&b""[..], kind == Some(mime::Kind::Plain))
            }
            _ => return self.leaf(part, key, string),
        };
        let mut run = self.run.take().unwrap_or_else(|| {
            let joined = Joined::new(self.place(part), between);
            if terminal {
                joined.without_colours()
            } else {
                joined
            }
        });
        let Output { text, out, places } = &mut self.to;
        run.add(text, string, out, places);
        self.run = Some(run);
        if !in_list {
            self.end_run();
        }
    }

    fn end_run(&mut self) {
        if let Some(run) = self.run.take() {
            run.mark_library(self.to.out, self.to.places);
        }
    }

    /// A string of a stream, joined to the output before if that was of the same stream.
    fn stream(&mut self, string: Str) {
        let raw = |name: Option<Str>| name.map(|name| name.raw(self.to.text));
        let goes_on = |held: &Stream| {
            held.cell == self.cell
                && matches!(self.outputs.checked_sub(held.outputs), Some(0 | 1))
                && raw(held.name) == raw(self.name)
        };
        let held = self.stream.take().filter(goes_on);
        let mut stream = held.unwrap_or_else(|| Stream {
            name: self.name,
            cell: self.cell,
            outputs: self.outputs,
            joined: Joined::new(self.place(Part::Stream), b"").without_colours(),
        });
        stream.outputs = self.outputs;
        let Output { text, out, places } = &mut self.to;
        stream.joined.add(text, string, out, places);
        self.stream = Some(stream);
    }

    fn leaf(&mut self, part: Part, key: Option<Str>, string: Str) {
        let place = self.place(part);
        let Output { text, out, places } = &mut self.to;
        Lines::new(place, Output { text, out, places }).string(key, string);
    }

    fn mime(&self, part: Part) -> Option<Box<str>> {
        let Part::Mime { key, .. } = part else {
            return None;
        };
        let name = key.raw(self.to.text);
        let mime = mime::of_short_name(name).map(Into::into);
        mime.or_else(|| Some(String::from_utf8_lossy(name).into()))
    }

    fn place(&self, part: Part) -> Place {
        let output = Some(self.outputs.saturating_sub(1)).filter(|_| {
            let at_output = |open: &Open| open.part == Part::Output;
            self.open.iter().rev().take(REACH).any(at_output)
        });
        Place {
            role: match part {
                Part::Source if self.prose => Role::Prose,
                Part::Source => Role::Code,
                Part::Metadata => Role::Metadata,
                Part::Attachments | Part::Mime { attached: true, .. } => Role::Attachment,
                Part::Stream | Part::Error | Part::Mime { .. } => Role::Output,
                _ => Role::Text,
            },
            cell: self.cell,
            output,
            mime: self.mime(part),
            machine_made: false,
        }
    }
}

//! The levels of a notebook that give a text its place: cells, outputs, mime bundles.
//!
//! One pass, in the order of the file. What depends on members that come later is settled at the
//! end of the cell or output: a source's role is set once the cell's type is known, and a stream's
//! text that stands before the stream's name is stepped over and read afterwards.

use smallvec::SmallVec;

use super::text::{Terminal, write_plain};
use super::{Part, PartKind, Parts, Taken, leaves, mime};
use crate::decode::json::{Bracket, Event, Fault, Reader, Str};
use crate::decode::{Place, Role, ViewBuilder};
use crate::span::ViewSpan;

/// Reads a whole notebook, but for its known parts.
///
/// # Errors
/// When the text is not well-formed; `out` and `places` then hold what came before.
pub fn read(
    text: &[u8],
    known: &[Part],
    out: &mut ViewBuilder,
    places: &mut Vec<Place>,
) -> Result<Parts, Fault> {
    // Its texts depend on more than the bytes of their parts.
    let is_format_2 = is_format_2(text);
    let mut notebook = Notebook {
        text,
        reader: Reader::new(text),
        out,
        places,
        known: if is_format_2 { &[] } else { known },
        parts: Parts::default(),
        cells: 0,
        between: if is_format_2 { b"\n" } else { b"" },
    };
    notebook.whole()?;
    let mut parts = notebook.parts;
    parts.all.sort_unstable_by_key(|part| part.span.start);
    let taken = Taken {
        used: out.text.len(),
        room: leaves::room(text),
    };
    parts.cut = is_format_2 || taken.used >= taken.room;
    parts.taken[0] = taken;
    Ok(parts)
}

/// Format 2 cut texts into lines without their line ends. Its number comes last in the file.
fn is_format_2(text: &[u8]) -> bool {
    let tail = &text[text.len().saturating_sub(256)..];
    let head = &text[..text.len().min(256)];
    [tail, head].iter().any(|end| {
        let name = b"\"nbformat\":";
        memchr::memmem::find(end, name)
            .is_some_and(|at| end[at + name.len()..].trim_ascii_start().starts_with(b"2"))
    })
}

struct Notebook<'a, 't> {
    text: &'t [u8],
    reader: Reader<'t>,
    out: &'a mut ViewBuilder,
    places: &'a mut Vec<Place>,
    /// Parts to step over.
    known: &'a [Part],
    /// Parts so far.
    parts: Parts,
    /// Cells so far.
    cells: u32,
    /// What a list of lines is joined with.
    between: &'static [u8],
}

/// A cell while it is read.
struct Cell {
    index: u32,
    prose: bool,
    /// Places of its sources.
    sources: SmallVec<[u32; 1]>,
    /// The stream that the last output belongs to.
    run: Option<(Str, Joined)>,
}

/// An output while it is read.
struct Output {
    index: u32,
    is_stream: Option<bool>,
    name: Option<Str>,
    /// Where text stands that came before the members saying what it is.
    late: SmallVec<[usize; 1]>,
}

impl Notebook<'_, '_> {
    fn whole(&mut self) -> Result<(), Fault> {
        match self.reader.event()? {
            Event::Open(Bracket::Object) => self.top()?,
            other => self.leaves(other, None, metadata(None, None))?,
        }
        match self.reader.event()? {
            Event::End => Ok(()),
            // Nothing else can follow a whole value.
            _ => Err(Fault {
                offset: self.reader.offset(),
                what: "text after the end",
            }),
        }
    }

    fn top(&mut self) -> Result<(), Fault> {
        while let Some(key) = self.next_key()? {
            match &*key.decoded(self.text) {
                b"cells" => self.cells()?,
                b"worksheets" => self.worksheets()?,
                b"nbformat" | b"nbformat_minor" => self.reader.skip()?,
                _ => self.metadata(key, None, None)?,
            }
        }
        Ok(())
    }

    fn worksheets(&mut self) -> Result<(), Fault> {
        let place = metadata(None, None);
        self.each_object(place, |notebook| {
            while let Some(key) = notebook.next_key()? {
                match &*key.decoded(notebook.text) {
                    b"cells" => notebook.cells()?,
                    _ => notebook.metadata(key, None, None)?,
                }
            }
            Ok(())
        })
    }

    fn cells(&mut self) -> Result<(), Fault> {
        self.each_object(metadata(None, None), Self::cell)
    }

    /// A cell, of which the first bracket is read.
    fn cell(&mut self) -> Result<(), Fault> {
        let start = self.reader.offset() - 1;
        if let Some(known) = self.known(start, PartKind::Cell) {
            self.reader.leave(known.end as usize);
        } else {
            let before = (self.out.text.len(), self.parts.all.len());
            self.members()?;
            if before != (self.out.text.len(), self.parts.all.len()) {
                self.met(start, PartKind::Cell);
            }
        }
        self.cells += 1;
        Ok(())
    }

    /// Notes a part that was read up to here and has text: without, it keeps nothing before it and behind
    /// it apart.
    fn met(&mut self, start: usize, kind: PartKind) {
        let span = ViewSpan::new(start, self.reader.offset());
        self.parts.all.push(Part { span, kind });
    }

    /// Where the part stands that starts there, if it is known: then it need not be read.
    fn known(&mut self, start: usize, kind: PartKind) -> Option<ViewSpan> {
        let known = self.known;
        let at = known.binary_search_by_key(&start, |part| part.span.start as usize);
        let at = at.ok().filter(|&at| known[at].kind == kind)?;
        let span = known[at].span;
        let inside = known[at..].iter();
        let inside = inside.take_while(|part| part.span.start < span.end);
        self.parts.all.extend(inside);
        self.parts.stepped_over.push(span);
        // What comes next does not go on with what came before, as it would not behind the part's text.
        self.places.push(metadata(Some(self.cells), None));
        self.out.begin((self.places.len() - 1) as u32, start);
        Some(span)
    }

    fn members(&mut self) -> Result<(), Fault> {
        let mut cell = Cell {
            index: self.cells,
            prose: false,
            sources: SmallVec::new(),
            run: None,
        };
        let at = Some(cell.index);
        while let Some(key) = self.next_key()? {
            match &*key.decoded(self.text) {
                b"cell_type" => match self.reader.event()? {
                    Event::Text(kind) => cell.prose = is_prose(kind.raw(self.text)),
                    other => self.leaves(other, Some(key), metadata(at, None))?,
                },
                b"source" | b"input" => self.source(&mut cell)?,
                b"outputs" => self.outputs(&mut cell)?,
                b"attachments" => self.attachments(&cell)?,
                b"execution_count" | b"prompt_number" => self.reader.skip()?,
                _ => self.metadata(key, at, None)?,
            }
        }
        if cell.prose {
            for source in cell.sources {
                self.places[source as usize].role = Role::Prose;
            }
        }
        Ok(())
    }

    fn source(&mut self, cell: &mut Cell) -> Result<(), Fault> {
        let place = Place {
            role: Role::Code,
            cell: Some(cell.index),
            ..Place::default()
        };
        let mut joined = Joined::new(place, self.between);
        let first = self.reader.event()?;
        self.join(first, &mut joined)?;
        cell.sources.extend(joined.index);
        Ok(())
    }

    fn attachments(&mut self, cell: &Cell) -> Result<(), Fault> {
        let place = Place {
            role: Role::Attachment,
            cell: Some(cell.index),
            ..Place::default()
        };
        match self.reader.event()? {
            Event::Open(Bracket::Object) => {
                while let Some(file) = self.next_key()? {
                    self.bundle(file, &place)?;
                }
                Ok(())
            }
            other => self.leaves(other, None, place),
        }
    }

    fn outputs(&mut self, cell: &mut Cell) -> Result<(), Fault> {
        let mut index = 0;
        cell.run = None;
        let place = Place {
            role: Role::Output,
            cell: Some(cell.index),
            ..Place::default()
        };
        self.each_object(place, |notebook| {
            let output = Output {
                index,
                is_stream: None,
                name: None,
                late: SmallVec::new(),
            };
            index += 1;
            notebook.output(cell, output)
        })
    }

    fn output(&mut self, cell: &mut Cell, mut output: Output) -> Result<(), Fault> {
        let place = Place {
            role: Role::Output,
            cell: Some(cell.index),
            output: Some(output.index),
            ..Place::default()
        };
        let mut error = Joined::new(place.clone(), b"\n").without_colours();
        while let Some(key) = self.next_key()? {
            let name = key.decoded(self.text);
            match &*name {
                b"output_type" => match self.reader.event()? {
                    Event::Text(kind) => output.is_stream = Some(kind.raw(self.text) == b"stream"),
                    other => self.leaves(other, Some(key), place.clone())?,
                },
                b"name" | b"stream" => match self.reader.event()? {
                    Event::Text(name) => output.name = Some(name),
                    other => self.leaves(other, Some(key), place.clone())?,
                },
                b"text" => match (output.is_stream, output.name) {
                    (Some(false), _) | (Some(true), Some(_)) => self.text(cell, &output, &place)?,
                    _ => {
                        output.late.push(self.reader.offset());
                        self.reader.skip()?;
                    }
                },
                b"data" => self.bundle(key, &place)?,
                b"evalue" | b"traceback" => {
                    let first = self.reader.event()?;
                    self.join(first, &mut error)?;
                }
                b"execution_count" | b"prompt_number" => self.reader.skip()?,
                short => match mime::of_short_name(short) {
                    Some(mime) => drop(self.mime_value(mime, &place)?),
                    None => self.metadata(key, Some(cell.index), Some(output.index))?,
                },
            }
        }
        for offset in std::mem::take(&mut output.late) {
            let later = std::mem::replace(&mut self.reader, Reader::value_at(self.text, offset));
            self.text(cell, &output, &place)?;
            self.reader = later;
        }
        if output.is_stream != Some(true) {
            cell.run = None;
        }
        Ok(())
    }

    /// The text of a stream, joined to the output before if that was of the same stream; or the
    /// plain text of a result in formats 2 and 3.
    fn text(&mut self, cell: &mut Cell, output: &Output, place: &Place) -> Result<(), Fault> {
        if output.is_stream != Some(true) {
            return self.mime_value("text/plain", place).map(drop);
        }
        let none = Str {
            start: 0,
            end: 0,
            escaped: false,
        };
        let name = output.name.unwrap_or(none);
        let (_, mut stream) = cell
            .run
            .take()
            .filter(|(held, _)| held.raw(self.text) == name.raw(self.text))
            .unwrap_or_else(|| {
                let joined = Joined::new(place.clone(), self.between);
                (name, joined.without_colours())
            });
        let first = self.reader.event()?;
        self.join(first, &mut stream)?;
        cell.run = Some((name, stream));
        Ok(())
    }

    /// An object of values by mime type, under `key`.
    fn bundle(&mut self, key: Str, place: &Place) -> Result<(), Fault> {
        match self.reader.event()? {
            Event::Open(Bracket::Object) => {
                while let Some(mime) = self.next_key()? {
                    self.member(mime, place)?;
                }
                Ok(())
            }
            other => self.leaves(other, Some(key), place.clone()),
        }
    }

    /// The value of one mime type.
    fn member(&mut self, mime: Str, place: &Place) -> Result<(), Fault> {
        let start = mime.start as usize;
        let kind = match place.role {
            Role::Attachment => PartKind::Attachment,
            _ => PartKind::Output,
        };
        if let Some(known) = self.known(start, kind) {
            self.reader.pass(known.end as usize);
            return Ok(());
        }
        let name = mime.decoded(self.text);
        let places = self.places.len();
        let is_text = self.mime_value(&String::from_utf8_lossy(&name), place)?;
        if is_text && self.places.len() > places {
            self.met(start, kind);
        }
        Ok(())
    }

    /// Reads a value of a mime type. Tells whether it is a text by itself.
    fn mime_value(&mut self, mime: &str, place: &Place) -> Result<bool, Fault> {
        let kind = mime::kind(mime.as_bytes());
        if kind == mime::Kind::Payload {
            self.reader.skip()?;
            return Ok(false);
        }
        let place = Place {
            mime: Some(mime.into()),
            ..place.clone()
        };
        let first = self.reader.event()?;
        let text = match first {
            Event::Text(_) => true,
            Event::Open(Bracket::Array) => kind != mime::Kind::Json,
            _ => false,
        };
        if !text {
            self.leaves(first, None, place)?;
            return Ok(false);
        }
        let mut joined = Joined::new(place, self.between);
        if kind == mime::Kind::Plain {
            joined = joined.without_colours();
        }
        self.join(first, &mut joined)?;
        joined.mark_library(self.out, self.places);
        Ok(true)
    }

    /// Reads the objects of a list; whatever else is there is read as leaves at `place`.
    fn each_object(
        &mut self,
        place: Place,
        mut read: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        match self.reader.event()? {
            Event::Open(Bracket::Array) => {}
            other => return self.leaves(other, None, place),
        }
        loop {
            match self.reader.event()? {
                Event::Close(_) => return Ok(()),
                Event::Open(Bracket::Object) => read(self)?,
                other => self.leaves(other, None, place.clone())?,
            }
        }
    }

    /// The key of the next member; `None` at the end of the object.
    fn next_key(&mut self) -> Result<Option<Str>, Fault> {
        match self.reader.event()? {
            Event::Key(key) => Ok(Some(key)),
            _ => Ok(None),
        }
    }

    /// Joins all strings of a value.
    fn join(&mut self, first: Event, joined: &mut Joined) -> Result<(), Fault> {
        let mut event = first;
        let mut depth = 0_usize;
        loop {
            match event {
                Event::Text(string) => joined.add(self.text, string, self.out, self.places),
                Event::Open(_) => depth += 1,
                Event::Close(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
            event = self.reader.event()?;
        }
    }

    fn metadata(&mut self, key: Str, cell: Option<u32>, output: Option<u32>) -> Result<(), Fault> {
        let first = self.reader.event()?;
        self.leaves(first, Some(key), metadata(cell, output))
    }

    fn leaves(&mut self, first: Event, key: Option<Str>, place: Place) -> Result<(), Fault> {
        let to = leaves::Output {
            text: self.text,
            out: self.out,
            places: self.places,
        };
        leaves::walk(&mut self.reader, first, key, place, to)
    }
}

fn metadata(cell: Option<u32>, output: Option<u32>) -> Place {
    Place {
        role: Role::Metadata,
        cell,
        output,
        ..Place::default()
    }
}

/// Whether a cell of this type is text for people.
pub fn is_prose(cell_type: &[u8]) -> bool {
    matches!(cell_type, b"markdown" | b"raw" | b"heading" | b"html")
}

/// A text that comes in several strings and goes into one segment, which starts with the first
/// string that is not empty.
pub struct Joined {
    place: Place,
    index: Option<u32>,
    between: &'static [u8],
    terminal: Option<Terminal>,
}

impl Joined {
    pub fn new(place: Place, between: &'static [u8]) -> Self {
        Self {
            place,
            index: None,
            between,
            terminal: None,
        }
    }

    /// The same with terminal sequences taken out.
    pub fn without_colours(self) -> Self {
        Self {
            terminal: Some(Terminal::default()),
            ..self
        }
    }

    /// Marks the place as machine-made when what was written last, which must be this, is a library.
    pub fn mark_library(&self, out: &ViewBuilder, places: &mut [Place]) {
        let (Some(index), Some(segment)) = (self.index, out.segments.last()) else {
            return;
        };
        let text = &out.text[segment.start as usize..];
        let place = &mut places[index as usize];
        let mime = place.mime.as_deref();
        place.machine_made = mime.is_some_and(|mime| mime::is_library(mime, text));
    }

    pub fn add(
        &mut self,
        text: &[u8],
        string: Str,
        out: &mut ViewBuilder,
        places: &mut Vec<Place>,
    ) {
        if string.is_empty() && self.between.is_empty() {
            return;
        }
        let place = &mut self.place;
        let index = *self.index.get_or_insert_with(|| {
            places.push(std::mem::take(place));
            (places.len() - 1) as u32
        });
        // Something else may have come in between two outputs of one stream.
        if out.segments.last().map(|segment| segment.place) == Some(index) {
            out.glue(self.between, string.start as usize);
        } else {
            out.begin(index, string.start as usize);
        }
        match &mut self.terminal {
            Some(terminal) => terminal.write(text, string, out),
            None => write_plain(text, string, out),
        }
    }
}

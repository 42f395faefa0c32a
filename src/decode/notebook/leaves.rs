//! Trees of unknown shape, as lines of `key = "value"`.
//!
//! Metadata and JSON outputs come from dozens of writers, so nothing is expected of their shape.
//! Every string, and every short number or truth value with a name of its own, becomes a line that
//! the rules for code can read. What makes such a line useful is the right name, and that is not
//! always the nearest key: `{"name": "pat", "value": "…"}`, a parameter's `defaultValue`, a table
//! whose columns are numbered in the rows and named beside them. So an object's values wait until
//! the object ends, and numbered cells until their table ends.
//!
//! Memory stays linear on hostile input: frames are kept for a bounded depth (below it, strings
//! are still read, under the nearest key), names are cut, and a view that has outgrown its file
//! by repeated names gets no more of them.

use smallvec::SmallVec;

use super::mime;
use super::text::write_plain;
use crate::decode::json::{Bracket, Event, Fault, Piece, Reader, Str};
use crate::decode::{Place, Role, ViewBuilder};

/// Levels for which names are worked out.
const DEPTH: usize = 128;
/// Bytes of a name that are written.
const NAME: usize = 64;
/// Longest number written.
const NUMBER: u32 = 32;

/// Walks one value, whose first event is `first`, and writes its leaves at `place`.
///
/// # Errors
/// When the value is not well-formed.
pub fn walk(
    reader: &mut Reader<'_>,
    first: Event,
    key: Option<Str>,
    place: Place,
    to: Output<'_, '_>,
) -> Result<(), Fault> {
    let mut tree = Tree {
        lines: Lines::new(place, to),
        key,
        frames: Vec::new(),
        deeper: 0,
        columns: Vec::new(),
        cells: Vec::new(),
    };
    let mut event = first;
    loop {
        if let Event::Key(key) = event
            && mime::kind(&key.decoded(tree.lines.to.text)) == mime::Kind::Payload
        {
            reader.skip()?;
        } else {
            tree.take(event);
        }
        if tree.frames.is_empty() && tree.deeper == 0 {
            break;
        }
        event = reader.event()?;
    }
    tree.end_table(0);
    Ok(())
}

/// Where a walk reads from and writes to.
pub struct Output<'a, 't> {
    pub text: &'t [u8],
    pub out: &'a mut ViewBuilder,
    pub places: &'a mut Vec<Place>,
}

struct Tree<'a, 't> {
    lines: Lines<'a, 't>,
    /// The key that the whole tree stands under; below [`DEPTH`], the nearest.
    key: Option<Str>,
    frames: Vec<Frame>,
    /// Brackets open below [`DEPTH`].
    deeper: usize,
    /// Names of numbered columns, from the schema of the table at hand.
    columns: Vec<Option<Str>>,
    /// Numbered cells that wait for the table's end.
    cells: Vec<(Str, Str)>,
}

struct Frame {
    bracket: Bracket,
    /// The key that the container stands under.
    own: Option<Str>,
    /// The key that the next value stands under.
    key: Option<Str>,
    /// What the object calls itself, and how surely.
    name: Option<(Naming, Str)>,
    /// The number that the object gives a column.
    column: Option<usize>,
    /// Strings under `value` and its like, until the object's name is known.
    values: SmallVec<[(Str, Str); 2]>,
    /// Whether the object describes its columns.
    table: bool,
    /// Where the numbered cells within it start.
    cells: usize,
}

/// How a member names its siblings, surest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Naming {
    Name,
    Key,
    Label,
}

impl Tree<'_, '_> {
    fn take(&mut self, event: Event) {
        match event {
            Event::Open(bracket) if self.frames.len() < DEPTH => {
                let own = self.nearest();
                self.frames.push(Frame {
                    bracket,
                    own,
                    key: own.filter(|_| bracket == Bracket::Array),
                    name: None,
                    column: None,
                    values: SmallVec::new(),
                    table: false,
                    cells: self.cells.len(),
                });
            }
            Event::Open(_) => {
                if self.deeper == 0 {
                    self.key = self.nearest();
                }
                self.deeper += 1;
            }
            Event::Close(_) if self.deeper > 0 => self.deeper -= 1,
            Event::Close(_) => self.close(),
            Event::Key(key) => self.name_next(key),
            Event::Text(value) => self.string(value),
            Event::Scalar(value) => self.scalar(value),
            Event::End => {}
        }
    }

    fn name_next(&mut self, key: Str) {
        match self.frames.last_mut() {
            Some(frame) if self.deeper == 0 => {
                let raw = key.raw(self.lines.to.text);
                frame.table |= matches!(raw, b"schema" | b"columns" | b"fields");
                frame.key = Some(key);
            }
            _ => self.key = Some(key),
        }
    }

    /// The key for a container: the name of an object whose `value` it is, else the nearest.
    fn nearest(&self) -> Option<Str> {
        let Some(frame) = self.frames.last() else {
            return self.key;
        };
        let text = self.lines.to.text;
        match (frame.key, frame.name) {
            (Some(key), Some((_, name))) if is_value(key.raw(text)) => Some(name),
            (key, _) => key,
        }
    }

    fn string(&mut self, value: Str) {
        let Some(frame) = self.frames.last_mut().filter(|_| self.deeper == 0) else {
            return self.lines.string(self.key, value);
        };
        let text = self.lines.to.text;
        let (Bracket::Object, Some(key)) = (frame.bracket, frame.key) else {
            return self.lines.string(frame.key, value);
        };
        let raw = key.raw(text);
        // Databricks keeps what was typed into a cell's widgets beside the cell's title.
        let typed = frame
            .own
            .is_some_and(|own| own.raw(text) == b"inputWidgets");
        if is_value(raw) || typed {
            let holder = self.frames.len() - if typed && self.frames.len() > 1 { 2 } else { 1 };
            self.frames[holder].values.push((key, value));
            return;
        }
        if column_number(raw).is_some() {
            self.cells.push((key, value));
            return;
        }
        if let Some(naming) = naming(raw) {
            let short = (1..=NAME).contains(&value.raw(text).len());
            if short && frame.name.is_none_or(|(held, _)| naming < held) {
                frame.name = Some((naming, value));
            }
            if naming == Naming::Key {
                frame.column = column_number(value.raw(text)).or(frame.column);
            }
        }
        self.lines.string(Some(key), value);
    }

    fn scalar(&mut self, value: Str) {
        if let Some(frame) = self.frames.last().filter(|_| self.deeper == 0)
            && let (Bracket::Object, Some(key)) = (frame.bracket, frame.key)
        {
            let key = self.nearest().unwrap_or(key);
            self.lines.number(key, value);
        }
    }

    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        if let (Some(column), Some((Naming::Name, name))) = (frame.column, frame.name) {
            if self.columns.len() <= column {
                self.columns.resize(column + 1, None);
            }
            self.columns[column] = Some(name);
        }
        let name = frame.name.map(|(_, name)| name).or(frame.own);
        for (key, value) in frame.values {
            self.lines.string(Some(name.unwrap_or(key)), value);
        }
        if frame.table {
            self.end_table(frame.cells);
        }
    }

    /// Writes the numbered cells that came since the first `cells`.
    fn end_table(&mut self, cells: usize) {
        for (key, value) in self.cells.drain(cells..) {
            let number = column_number(key.raw(self.lines.to.text));
            let column = number.and_then(|n| *self.columns.get(n)?);
            self.lines.string(Some(column.unwrap_or(key)), value);
        }
        self.columns.clear();
    }
}

/// Writes leaves as lines, in a segment that starts with the first of them.
pub struct Lines<'a, 't> {
    to: Output<'a, 't>,
    place: Option<Place>,
    /// Whether UUIDs are names of things rather than somebody's key.
    metadata: bool,
}

impl<'a, 't> Lines<'a, 't> {
    pub fn new(place: Place, to: Output<'a, 't>) -> Self {
        Self {
            to,
            metadata: place.role == Role::Metadata,
            place: Some(place),
        }
    }

    pub fn string(&mut self, key: Option<Str>, value: Str) {
        if value.is_empty() || self.says_nothing(key, value) {
            return;
        }
        let glue = if self.start(key, value) {
            self.to.out.glue(b"\"", value.start as usize);
            &b"\"\n"[..]
        } else {
            b"\n"
        };
        write_plain(self.to.text, value, self.to.out);
        self.to.out.glue(glue, value.end as usize);
    }

    fn number(&mut self, key: Str, value: Str) {
        let raw = value.raw(self.to.text);
        if value.end - value.start > NUMBER || raw == b"null" {
            return;
        }
        self.start(Some(key), value);
        self.to.out.copy(value.start as usize, raw);
        self.to.out.glue(b"\n", value.end as usize);
    }

    /// Starts the segment if need be, then the line; whether there is a name on it.
    fn start(&mut self, key: Option<Str>, value: Str) -> bool {
        if let Some(place) = self.place.take() {
            let places = &mut *self.to.places;
            if places.last() != Some(&place) {
                places.push(place);
            }
            let index = (places.len() - 1) as u32;
            // Trees of one place that follow each other are read as one.
            let last = self.to.out.segments.last();
            if last.map(|segment| segment.place) != Some(index) {
                self.to.out.begin(index, value.start as usize);
            }
        }
        let room = room(self.to.text);
        let Some(key) = key.filter(|_| self.to.out.text.len() < room) else {
            return false;
        };
        write_name(self.to.text, key, self.to.out);
        self.to.out.glue(b" = ", value.start as usize);
        true
    }

    fn says_nothing(&self, key: Option<Str>, value: Str) -> bool {
        let raw = value.raw(self.to.text);
        if raw.starts_with(b"IPY_MODEL_") || (self.metadata && is_uuid(raw)) {
            return true;
        }
        key.is_some_and(|key| is_identifier(key.raw(self.to.text)) && is_bare(raw))
    }
}

/// Bytes of a notebook's view from which on it gets no more names.
pub fn room(text: &[u8]) -> usize {
    2 * text.len() + (1 << 16)
}

/// Writes the start of a name, without the colon of a label.
fn write_name(text: &[u8], mut name: Str, out: &mut ViewBuilder) {
    while let [.., b':' | b' '] = name.raw(text) {
        name.end -= 1;
    }
    let mut room = NAME;
    for piece in name.pieces(text) {
        if room == 0 {
            return;
        }
        match piece {
            Piece::Plain { at, bytes } => {
                let bytes = &bytes[..bytes.len().min(room)];
                out.copy(at, bytes);
                room -= bytes.len();
            }
            Piece::Escape { at, from, meant } => {
                out.token(at, from, meant.bytes());
                room = room.saturating_sub(meant.bytes().len());
            }
        }
    }
}

/// Whether a member's value belongs to the name given beside it.
fn is_value(key: &[u8]) -> bool {
    matches!(
        key,
        b"value" | b"Value" | b"currentValue" | b"defaultValue" | b"default" | b"secretValue"
    )
}

fn naming(key: &[u8]) -> Option<Naming> {
    Some(match key {
        b"name" | b"Name" | b"keyName" | b"secretName" | b"variableName" | b"parameterName" => {
            Naming::Name
        }
        b"key" | b"Key" | b"parameter" | b"variable" | b"env" | b"field" | b"property" => {
            Naming::Key
        }
        b"label" | b"description" | b"title" | b"displayName" | b"display_name" => Naming::Label,
        _ => return None,
    })
}

/// The number of a column that is named by its number.
fn column_number(key: &[u8]) -> Option<usize> {
    if !(1..=3).contains(&key.len()) || !key.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(key).ok()?.parse().ok()
}

/// Whether a member of this name holds an identifier or a sum.
fn is_identifier(key: &[u8]) -> bool {
    matches!(
        key,
        b"id"
            | b"_id"
            | b"hash"
            | b"sha1"
            | b"sha256"
            | b"md5"
            | b"checksum"
            | b"etag"
            | b"nuid"
            | b"uuid"
            | b"guid"
            | b"model_id"
            | b"cell_id"
            | b"cellId"
            | b"outputId"
            | b"output_id"
            | b"commId"
            | b"comm_id"
            | b"executionId"
            | b"execution_id"
            | b"origin_nbid"
            | b"parent_id"
    )
}

/// Whether a value is one short word, not a URL with parameters or a connection string.
fn is_bare(value: &[u8]) -> bool {
    let in_word = |b: &u8| b.is_ascii_alphanumeric() || b"-_+/=:.".contains(b);
    value.len() <= 128 && value.iter().all(in_word)
}

/// Whether a text is 8-4-4-4-12 hexadecimal digits.
pub fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

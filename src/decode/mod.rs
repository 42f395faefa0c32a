//! From a unit's bytes to texts worth searching, each with the way back.
//!
//! A [`Document`] is a small tree of [`View`]s. The first view is the text of the unit (the bytes
//! themselves, or their transcoding from UTF-16 or UTF-32). A notebook adds a view in which every
//! cell source, output and metadata value stands joined and unescaped; encodings nested inside a
//! text (percent, base64, string escapes, HTML entities, terminal colours, split literals,
//! characters of two bytes among single ones) add views of the stretches that hold them. All the
//! text of one coding goes into *one* view with a table of [`Segment`]s, not into a view per cell:
//! searching is then one pass over one buffer.
//!
//! Each view maps to its parent only ([`offset::OffsetMap`]); chains are followed when a finding
//! needs them, so text without findings never pays for composing maps.

pub mod json;
pub mod nested;
pub mod notebook;
pub mod offset;
mod opener;
pub mod wide;

use std::borrow::Cow;
use std::cell::OnceCell;

use smallvec::SmallVec;

use crate::sniff::{self, Encoding};
use crate::span::{LineStarts, SourceSpan, ViewSpan};
use crate::unit::Unit;
use notebook::{Part, Parts};
use offset::OffsetMap;
pub use opener::Opener;
use opener::Spares;

/// Everything that can be read in one unit.
pub struct Document<'u> {
    views: Vec<View<'u>>,
    places: Vec<Place>,
    /// Lines of the notebook's view, once somebody asks.
    lines: OnceCell<LineStarts>,
    /// What could not be read as its name promised.
    pub note: Option<Note>,
    /// The parts of a notebook. [`cut`](Parts::cut) is told of any text.
    pub parts: Parts,
}

/// How far from what was decoded it tells something new, in bytes: as far as the judge looks.
const TOLD: u32 = 512;

/// One decoded text.
pub struct View<'u> {
    pub text: Cow<'u, [u8]>,
    /// How this text came out of its parent's.
    pub layer: Layer,
    parent: Option<usize>,
    map: OffsetMap,
    segments: Vec<Segment>,
    depth: u8,
}

/// How a view was decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// The text of the unit.
    Text,
    /// A notebook's cells, outputs and metadata.
    Notebook,
    /// Backslash escapes of JSON, JavaScript, Python and their like.
    Escapes,
    /// `%41`.
    Percent,
    /// `&amp;`.
    Html,
    Base64,
    Hex,
    /// Characters of two or four bytes in a text of single bytes.
    Wide,
    /// Terminal escape sequences taken out.
    Ansi,
    /// Neighbouring string literals joined into one.
    Literals,
}

impl Layer {
    /// The word reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Notebook => "notebook",
            Self::Escapes => "string escapes",
            Self::Percent => "percent-encoding",
            Self::Html => "HTML entities",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Wide => "wide characters",
            Self::Ansi => "terminal colours",
            Self::Literals => "joined literals",
        }
    }
}

/// A stretch of a view that stands in one place of the document. It ends where the next starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub start: u32,
    /// Index into the document's places.
    pub place: u32,
    /// Whether it begins, and whether it ends, in the middle of what may be base64.
    pub(super) cut: [bool; 2],
}

/// Where in a document a text stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub role: Role,
    /// 0-based over all cells of the notebook.
    pub cell: Option<u32>,
    /// 0-based over the outputs of the cell.
    pub output: Option<u32>,
    pub mime: Option<Box<str>>,
    /// Library code or other machine-made text, in which a name near a value says nothing.
    pub machine_made: bool,
}

/// What part of a document a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Plain file text.
    #[default]
    Text,
    /// Source of a code cell.
    Code,
    /// Source of a markdown, raw or heading cell.
    Prose,
    Output,
    Metadata,
    Attachment,
}

/// Said once for a document that is not what it seems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A notebook that is not valid JSON; its strings were read one by one. The text says where.
    MalformedNotebook(String),
    /// A notebook too large to be decoded whole; it was read as text.
    WindowedNotebook,
}

/// Where a span of some view stands in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// In order of the text; more than one when the text was split in the file.
    pub source: SmallVec<[SourceSpan; 2]>,
    /// The same in the unit's text, which differs from its bytes in UTF-16 and UTF-32 only.
    pub text: SmallVec<[ViewSpan; 2]>,
    pub place: u32,
    /// 1-based line within the cell source, output or value; `None` outside notebooks.
    pub place_line: Option<u32>,
}

/// Collects the text, map and segments of a view that is being decoded.
#[derive(Default)]
pub struct ViewBuilder {
    pub text: Vec<u8>,
    pub map: OffsetMap,
    pub segments: Vec<Segment>,
}

impl ViewBuilder {
    /// Starts a segment at the present end, after a line end that keeps it apart from the last.
    pub fn begin(&mut self, place: u32, parent: usize) {
        if !self.text.is_empty() {
            self.glue(b"\n", parent);
        }
        let start = self.text.len() as u32;
        match self.segments.last_mut() {
            Some(last) if last.start == start => last.place = place,
            _ => self.segments.push(Segment {
                start,
                place,
                cut: [false; 2],
            }),
        }
    }

    /// Says of the last segment where it cuts what may be base64.
    fn cut(&mut self, cut: [bool; 2]) {
        if let Some(last) = self.segments.last_mut() {
            last.cut = cut;
        }
    }

    /// Ends the last segment as the others end, so that none is read otherwise for being the last.
    pub fn end(&mut self, parent: usize) {
        if !self.text.is_empty() {
            self.glue(b"\n", parent);
        }
    }

    /// Appends parent bytes that lie at `parent`, unchanged.
    pub fn copy(&mut self, parent: usize, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
        self.map.copy(parent, bytes.len());
    }

    /// Appends the first `len` of some parent bytes that lie at `parent`, unchanged. They are mostly few:
    /// to copy more and drop what is too much takes less time than to copy so many.
    #[inline]
    fn copy_first(&mut self, parent: usize, bytes: &[u8], len: usize) {
        const FEW: usize = 64;
        match bytes.first_chunk::<FEW>() {
            Some(few) if len <= FEW => {
                let end = self.text.len() + len;
                self.text.extend_from_slice(few);
                self.text.truncate(end);
            }
            _ => self.text.extend_from_slice(&bytes[..len]),
        }
        self.map.copy(parent, len);
    }

    /// Appends what one token of `from` parent bytes stands for.
    #[inline]
    pub fn token(&mut self, parent: usize, from: usize, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
        self.map.token(parent, from, bytes.len());
    }

    /// Appends what a row of tokens side by side stands for, each of `from` parent bytes that
    /// gave `to` bytes.
    pub fn tokens(&mut self, parent: usize, from: usize, to: usize, bytes: &[u8]) {
        debug_assert_eq!(bytes.len() % to, 0);
        self.text.extend_from_slice(bytes);
        self.map.tokens(parent, from, to, bytes.len() / to);
    }

    /// Appends bytes that stand nowhere in the parent.
    pub fn glue(&mut self, bytes: &[u8], parent: usize) {
        self.text.extend_from_slice(bytes);
        self.map.glue(parent, bytes.len());
    }
}

impl<'u> View<'u> {
    fn built(builder: ViewBuilder, layer: Layer, parent: usize, depth: u8) -> Self {
        debug_assert_eq!(builder.text.len(), builder.map.len());
        Self {
            text: Cow::Owned(builder.text),
            layer,
            parent: Some(parent),
            map: builder.map,
            segments: builder.segments,
            depth,
        }
    }

    /// The segment that holds `offset`.
    pub fn segment(&self, offset: u32) -> Segment {
        let after = self.segments.partition_point(|s| s.start <= offset);
        self.segments[after.saturating_sub(1)]
    }

    /// The stretches of text that belong together, each with its place.
    pub fn stretches(&self) -> impl Iterator<Item = (ViewSpan, u32)> + '_ {
        self.segments.iter().enumerate().map(|(index, segment)| {
            let next = self.segments.get(index + 1);
            let end = next.map_or(self.text.len(), |n| n.start as usize);
            (ViewSpan::new(segment.start as usize, end), segment.place)
        })
    }

    /// The stretch that holds `offset`.
    pub fn stretch(&self, offset: u32) -> ViewSpan {
        let after = self.segments.partition_point(|s| s.start <= offset);
        let start = self.segments[after.saturating_sub(1)].start as usize;
        let end = self.segments.get(after).map(|s| s.start as usize);
        ViewSpan::new(start, end.unwrap_or(self.text.len()))
    }

    /// Whether this text has something new to say of what stands at `span`: something near to it was
    /// decoded. What is a plain copy far around is read in the parent as well, where nothing is cut.
    pub fn tells(&self, span: ViewSpan) -> bool {
        if self.parent.is_none() || self.layer == Layer::Notebook {
            return true;
        }
        let mut stretch = self.stretch(span.start);
        // But for the line end behind it.
        stretch.end -= 1;
        let near = ViewSpan {
            start: span.start.saturating_sub(TOLD),
            end: span.end.saturating_add(TOLD),
        };
        !self.map.is_copy(near.clipped(stretch))
    }

    /// The rows of bytes of which it is made, in order: where each is, and where in the parent it stands if it is
    /// a copy.
    pub fn rows(&self) -> impl Iterator<Item = (ViewSpan, Option<u32>)> + '_ {
        self.map.rows()
    }

    /// Whether this is the unit's text for the most part, with something decoded here and there.
    pub fn is_copy_of_text(&self) -> bool {
        self.parent == Some(0)
            && match self.layer {
                Layer::Escapes | Layer::Percent | Layer::Html | Layer::Ansi | Layer::Literals => {
                    true
                }
                Layer::Text | Layer::Notebook | Layer::Base64 | Layer::Hex | Layer::Wide => false,
            }
    }

    /// How many layers lie between this text and the document's own.
    pub fn depth(&self) -> u8 {
        self.depth
    }
}

/// How a unit is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many encodings may lie inside each other.
    pub depth: u8,
    /// Bytes of nested text decoded, at most this many times the unit's size plus a mebibyte.
    pub growth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 4,
            growth: 3,
        }
    }
}

/// Whether bytes are text that is read as it stands: neither in wide characters nor a notebook.
/// Such a text can be read in parts.
pub fn is_plain(encoding: Encoding, bytes: &[u8]) -> bool {
    encoding == Encoding::Bytes && !notebook::looks_like_one(bytes)
}

/// Whether bytes are read as a notebook whatever their name.
pub fn looks_like_notebook(bytes: &[u8]) -> bool {
    notebook::looks_like_one(bytes)
}

/// Whether a file of this name is read as a notebook whatever it holds.
pub fn is_notebook_path(path: &str) -> bool {
    path.ends_with(".ipynb")
}

/// Opens a unit. Bytes that are no text at all give `Err` with the reason.
pub fn open<'u>(unit: &Unit<'u>, limits: Limits) -> Result<Document<'u>, sniff::Binary> {
    Opener::default().open(unit, limits, &[])
}

impl<'u> Document<'u> {
    /// The text of a unit with nothing opened in it.
    fn of(unit: &Unit<'u>, spares: &mut Spares) -> Result<Self, sniff::Binary> {
        let encoding = match unit.encoding {
            Some(known) => known,
            None => sniff::sniff(unit.bytes)?,
        };
        let text = match encoding {
            Encoding::Bytes => {
                let (mut map, mut segments) = (spares.map(), spares.segments());
                map.copy(0, unit.bytes.len());
                segments.push(Segment {
                    start: 0,
                    place: 0,
                    cut: [false; 2],
                });
                View {
                    text: Cow::Borrowed(unit.bytes),
                    layer: Layer::Text,
                    parent: None,
                    map,
                    segments,
                    depth: 0,
                }
            }
            wide => {
                let mut builder = spares.builder();
                builder.begin(0, 0);
                wide::transcode(unit.bytes, wide, &mut builder);
                View {
                    parent: None,
                    ..View::built(builder, Layer::Text, 0, 0)
                }
            }
        };
        let mut places = spares.places();
        places.push(Place::default());
        Ok(Self {
            views: vec![text],
            places,
            lines: OnceCell::new(),
            note: None,
            parts: Parts::default(),
        })
    }

    /// Whether the document is a notebook that was read cell by cell.
    pub fn is_notebook(&self) -> bool {
        self.views.iter().any(|view| view.layer == Layer::Notebook)
    }

    /// The unit's own text.
    pub fn text(&self) -> &[u8] {
        &self.views[0].text
    }

    pub fn place(&self, index: u32) -> &Place {
        &self.places[index as usize]
    }

    pub fn view(&self, index: usize) -> &View<'u> {
        &self.views[index]
    }

    /// The views to search, with their indices. The text of a well-formed notebook is not among
    /// them: all that can hold a secret stands, readable, in its notebook view.
    pub fn searchable(&self) -> impl Iterator<Item = (usize, &View<'u>)> {
        let skip_text = self.is_notebook() && self.note.is_none();
        let views = self.views.iter().enumerate();
        views.skip(usize::from(skip_text))
    }

    /// Where in the unit the byte at an offset of view `index` comes from.
    pub fn origin(&self, index: usize, mut offset: u32) -> u32 {
        let mut at = Some(index);
        while let Some(view) = at.and_then(|index| self.views.get(index)) {
            offset = view.map.origin(offset);
            at = view.parent;
        }
        offset
    }

    /// Follows a span of view `index` back to the unit.
    pub fn locate(&self, index: usize, span: ViewSpan) -> Located {
        let view = &self.views[index];
        let place = view.segment(span.start).place;
        let mut spans: SmallVec<[ViewSpan; 2]> = SmallVec::from_slice(&[span]);
        let mut at = index;
        let mut place_line = None;
        loop {
            let view = &self.views[at];
            if view.layer == Layer::Notebook {
                place_line = spans
                    .first()
                    .map(|first| self.line_in_stretch(view, *first));
            }
            let Some(parent) = view.parent else { break };
            spans = join(spans.iter().flat_map(|s| view.map.to_parent(*s)));
            at = parent;
        }
        let root = &self.views[at];
        let source = join(spans.iter().flat_map(|s| root.map.to_parent(*s)));
        Located {
            source: source
                .iter()
                .map(|s| SourceSpan {
                    start: s.start,
                    end: s.end,
                })
                .collect(),
            text: spans,
            place,
            place_line,
        }
    }

    /// The layers from the unit's text to view `index`.
    pub fn chain(&self, index: usize) -> SmallVec<[Layer; 4]> {
        let mut layers = SmallVec::new();
        let mut at = Some(index);
        while let Some(view) = at.and_then(|index| self.views.get(index)) {
            layers.insert(0, view.layer);
            at = view.parent;
        }
        layers
    }

    /// The 1-based line of `span` within its stretch of the notebook's `view`.
    fn line_in_stretch(&self, view: &View<'_>, span: ViewSpan) -> u32 {
        let lines = self.lines.get_or_init(|| LineStarts::new(&view.text));
        let start = view.stretch(span.start).start;
        let line = |offset| lines.line(&view.text, offset).line;
        line(span.start) - line(start) + 1
    }

    /// Opens a notebook, but for its known parts.
    fn open_notebook(&mut self, unit: &Unit<'_>, known: &[Part], spares: &mut Spares) {
        let named = unit.origin.is_file() && is_notebook_path(&unit.origin.path);
        if unit.is_window() {
            if named && unit.before.bytes == 0 {
                self.note = Some(Note::WindowedNotebook);
            }
            return;
        }
        if !named && !notebook::looks_like_one(self.text()) {
            return;
        }
        let mut builder = spares.builder();
        let text = &self.views[0].text;
        match notebook::decode(text, known, &mut builder, &mut self.places) {
            Ok(parts) => self.parts = parts,
            Err(fault) => {
                if !named {
                    self.places.truncate(1);
                    return spares.put(builder);
                }
                self.note = Some(Note::MalformedNotebook(fault.to_string()));
            }
        }
        if builder.segments.is_empty() {
            spares.put(builder);
        } else {
            builder.end(self.views[0].text.len());
            self.views.push(View::built(builder, Layer::Notebook, 0, 0));
        }
    }
}

/// Joins pieces that touch.
fn join(pieces: impl Iterator<Item = ViewSpan>) -> SmallVec<[ViewSpan; 2]> {
    let mut joined: SmallVec<[ViewSpan; 2]> = SmallVec::new();
    for piece in pieces {
        match joined.last_mut() {
            Some(last) if last.end == piece.start => last.end = piece.end,
            _ => joined.push(piece),
        }
    }
    joined
}

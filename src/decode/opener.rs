//! Opens one unit after the other with the same memory.
//!
//! A sweep opens a great many units, most of them small and with nothing in them. Asking for memory
//! would then cost more than looking, so what a document was made of is kept for the next one.

use super::notebook::Part;
use super::offset::OffsetMap;
use super::{Document, Limits, Place, Segment, ViewBuilder, nested, sniff};
use crate::span::ViewSpan;
use crate::unit::Unit;

/// Bytes of one list beyond which its memory is given back: one large unit must not make its thread
/// hold that much from then on.
const KEPT: usize = 1 << 20;

/// Opens units.
#[derive(Default)]
pub struct Opener {
    survey: nested::Survey,
    spares: Spares,
}

impl Opener {
    /// Opens a unit, but for the parts of a notebook that are known.
    ///
    /// # Errors
    /// When the bytes are no text at all.
    pub fn open<'u>(
        &mut self,
        unit: &Unit<'u>,
        limits: Limits,
        known: &[Part],
    ) -> Result<Document<'u>, sniff::Binary> {
        self.open_to(unit, limits, known, None)
    }

    /// Looks for encodings in some lines of a text, in order and apart. Tells whether there may be any.
    pub fn survey(&mut self, text: &[u8], lines: &[ViewSpan]) -> bool {
        self.survey.read_parts(text, lines);
        !self.survey.is_empty()
    }

    /// Opens a unit with only those encodings in its text that it was [surveyed](Self::survey) for, as
    /// far as these bounds.
    ///
    /// # Errors
    /// When the bytes are no text at all.
    pub fn open_surveyed<'u>(
        &mut self,
        unit: &Unit<'u>,
        limits: Limits,
        bounds: ViewSpan,
    ) -> Result<Document<'u>, sniff::Binary> {
        self.open_to(unit, limits, &[], Some(bounds))
    }

    fn open_to<'u>(
        &mut self,
        unit: &Unit<'u>,
        limits: Limits,
        known: &[Part],
        surveyed: Option<ViewSpan>,
    ) -> Result<Document<'u>, sniff::Binary> {
        let mut document = Document::of(unit, &mut self.spares)?;
        document.open_notebook(unit, known, &mut self.spares);
        let Self { survey, spares } = self;
        nested::open(&mut document, limits, surveyed, survey, spares);
        Ok(document)
    }

    /// Takes the memory of a document that is not needed any more.
    pub fn recycle(&mut self, document: Document<'_>) {
        self.spares.take(document);
        self.survey.shrink(KEPT / size_of::<u32>());
    }
}

/// Memory that documents have been made of. All of it is empty.
#[derive(Default)]
pub(super) struct Spares {
    texts: Vec<Vec<u8>>,
    maps: Vec<OffsetMap>,
    segments: Vec<Vec<Segment>>,
    places: Vec<Place>,
}

impl Spares {
    pub(super) fn builder(&mut self) -> ViewBuilder {
        ViewBuilder {
            text: self.texts.pop().unwrap_or_default(),
            map: self.map(),
            segments: self.segments(),
        }
    }

    pub(super) fn map(&mut self) -> OffsetMap {
        self.maps.pop().unwrap_or_default()
    }

    pub(super) fn segments(&mut self) -> Vec<Segment> {
        self.segments.pop().unwrap_or_default()
    }

    pub(super) fn places(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.places)
    }

    /// Takes back a builder whose view is not wanted.
    pub(super) fn put(&mut self, builder: ViewBuilder) {
        let ViewBuilder {
            text,
            map,
            segments,
        } = builder;
        self.put_text(text);
        self.put_map(map);
        self.put_segments(segments);
    }

    fn put_text(&mut self, mut text: Vec<u8>) {
        if (1..=KEPT).contains(&text.capacity()) {
            text.clear();
            self.texts.push(text);
        }
    }

    fn put_map(&mut self, mut map: OffsetMap) {
        if map.capacity() <= KEPT / OffsetMap::RUN {
            map.clear();
            self.maps.push(map);
        }
    }

    fn put_segments(&mut self, mut segments: Vec<Segment>) {
        if segments.capacity() <= KEPT / size_of::<Segment>() {
            segments.clear();
            self.segments.push(segments);
        }
    }

    fn take(&mut self, document: Document<'_>) {
        for view in document.views {
            if let std::borrow::Cow::Owned(text) = view.text {
                self.put_text(text);
            }
            self.put_map(view.map);
            self.put_segments(view.segments);
        }
        let mut places = document.places;
        if places.capacity() <= KEPT / size_of::<Place>() {
            places.clear();
            self.places = places;
        }
    }
}

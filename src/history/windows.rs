//! Objects too large to be scanned at once.

use std::sync::{Arc, Mutex, PoisonError};

use crate::decode;
use crate::decode::nested::payload_cut_by;
use crate::detect::keywords::Hit;
use crate::ledger::Reason;
use crate::pipeline::Scanner;
use crate::sniff::Encoding;
use crate::source::Sink;
use crate::source::stream::{self, Sizes};
use crate::unit::{Origin, Part, Unit};

use super::around::in_order;
use super::secrets::{Secrets, Spot};
use super::seen::Seen;

/// Scans an object, or what it says, window by window.
pub fn scan(
    (scanner, secrets): (&mut Scanner<'_>, &Secrets),
    part: Part,
    bytes: &[u8],
    sizes: &Sizes,
) -> Seen {
    let gathered = Mutex::new(Gathered {
        scanner,
        secrets,
        len: bytes.len(),
        encoding: None,
        withheld: false,
        spots: Vec::new(),
        hits: Vec::new(),
        coded: Vec::new(),
        live: Vec::new(),
    });
    let origin = Origin {
        part,
        ..Origin::file("")
    };
    let read = stream::read(
        &origin,
        bytes,
        bytes.len() as u64,
        sizes,
        &mut stream::Buffer::default(),
        &gathered,
    );
    debug_assert!(read.is_ok(), "reading from memory cannot fail");
    let gathered = gathered
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    gathered.seen(bytes, sizes)
}

/// Whether what may be base64 begins before a window and reaches into its core. What that decodes to there
/// depends on where the window starts, and not on the text alone.
pub fn cut_payload(bytes: &[u8], sizes: &Sizes) -> bool {
    sizes.starts(bytes.len()).any(|(start, core)| {
        // Windows start between two characters.
        let near = start.saturating_sub(4)..=start;
        near.into_iter()
            .any(|at| payload_cut_by(bytes, at).end > core)
    })
}

/// What was seen in the windows.
struct Gathered<'g, 's> {
    scanner: &'g mut Scanner<'s>,
    secrets: &'g Secrets,
    /// Bytes of the object.
    len: usize,
    /// How the text is spelled.
    encoding: Option<Encoding>,
    /// Whether no marks are handed on: something was left out for want of room, or they are too many.
    withheld: bool,
    spots: Vec<Spot>,
    hits: Vec<Hit>,
    coded: Vec<Hit>,
    live: Vec<u32>,
}

impl Gathered<'_, '_> {
    fn add(&mut self, unit: &Unit<'_>) {
        self.encoding = unit.encoding;
        self.scanner.scan(unit);
        let traces = self.scanner.traces();
        let possible = traces.possible.iter();
        self.spots
            .extend(possible.map(|one| self.secrets.spot(one)));
        self.withheld |= traces.parts.cut || unit.encoding != Some(Encoding::Bytes);
        if self.withheld {
            return;
        }
        let by = unit.before.bytes as u32;
        let own = |hits: &[Hit], all: &mut Vec<Hit>| {
            let own = hits.iter().filter(|hit| unit.starts_in_core(hit.start));
            all.extend(own.map(|hit| Hit {
                start: hit.start + by,
                end: hit.end + by,
                ..*hit
            }));
        };
        own(&traces.hits, &mut self.hits);
        own(&traces.coded, &mut self.coded);
        let live = traces.live.iter();
        let live = live.filter(|&&start| unit.starts_in_core(start));
        self.live.extend(live.map(|start| start + by));
        let marks = self.hits.len() + self.coded.len() + self.live.len();
        if Seen::are_too_many(marks, self.len) {
            self.withheld = true;
            self.hits = Vec::new();
            self.coded = Vec::new();
            self.live = Vec::new();
        }
    }

    fn seen(mut self, bytes: &[u8], sizes: &Sizes) -> Seen {
        let seen = Seen {
            spots: in_order(&mut self.spots),
            ..Seen::default()
        };
        let Some(encoding) = self.encoding.filter(|_| !self.withheld) else {
            return seen;
        };
        if !decode::is_plain(encoding, bytes) || cut_payload(bytes, sizes) {
            return seen;
        }
        Seen {
            encoding: Some(encoding),
            plain: true,
            hits: in_order(&mut self.hits),
            coded: in_order(&mut self.coded),
            live: in_order(&mut self.live),
            ..seen
        }
    }
}

impl Sink for Mutex<Gathered<'_, '_>> {
    fn expect(&self, _: u64) {}

    fn unit(&self, unit: &Unit<'_>) {
        let mut gathered = self.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.add(unit);
    }

    fn done(&self, _: u64) {}

    fn leave_out(&self, _: Arc<str>, _: Reason, _: &str) {}
}

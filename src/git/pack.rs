//! A pack file and its index.
//!
//! `gix-pack` maps the files and reads entry headers; libdeflate inflates, which wants the exact
//! size and gets it from the header. An entry is reached from its base and never by itself, so each
//! is inflated once. zlib-rs inflates the beginning of one, which libdeflate cannot.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gix_hash::Kind as Hash;
use gix_pack::data::entry::Header;
use gix_pack::{data, index};
use gix_utils::progress::Discard;
use libdeflater::Decompressor;
use rayon::prelude::*;
use zlib_rs::{Inflate, InflateFlush};

use super::Kind;
use super::forest::{Base, Entry, Forest, Node};
use crate::error::{Error, ErrorKind};
use crate::unit::ObjectId;

/// Deflate makes of one byte at most this many: a header that promises more is wrong.
pub(super) const MOST_GROWTH: u64 = 1040;
/// The largest window that deflate knows.
pub const WINDOW_BITS: u8 = 15;
/// Bytes of room behind what is inflated, and behind what that is inflated from. As long as libdeflate
/// has so much on either side it need not look out for the ends, and most deltas are shorter.
const ROOM: usize = 320;
/// Bytes of a pack that may lie in memory before its mapping is made anew, so that what was once read does
/// not stay with the process.
const REMAP: u64 = 48 << 20;
/// Bytes of a file that the system maps at once, if it has them: whoever reads one has all of them.
const MAPPED: u64 = 64 << 10;

/// A pack with its index.
pub struct Pack {
    path: PathBuf,
    index: index::File,
    data: Mutex<Mapping>,
    /// Read when it is first asked for, or asked for anew.
    forest: Mutex<Option<Arc<Forest>>>,
    /// Where ids stand in the index, known with the forest.
    ids: OnceLock<Ids>,
}

/// A mapped file.
struct Mapping {
    file: Arc<data::File>,
    /// For each [`MAPPED`] bytes a bit: whether any of them was read.
    read: Vec<u64>,
    /// How many were.
    count: u64,
}

impl Mapping {
    fn new(file: data::File) -> Self {
        Self {
            file: Arc::new(file),
            read: Vec::new(),
            count: 0,
        }
    }

    /// Notes that a range is read. What lies behind the file's end is no part of it, whatever an index says.
    fn note(&mut self, range: &Range<u64>) {
        let end = range.end.min(self.file.pack_end() as u64);
        for part in range.start / MAPPED..end.div_ceil(MAPPED) {
            let (word, bit) = ((part / 64) as usize, 1 << (part % 64));
            if word >= self.read.len() {
                self.read.resize(word + 1, 0);
            }
            self.count += u64::from(self.read[word] & bit == 0);
            self.read[word] |= bit;
        }
    }
}

impl Pack {
    /// Opens the pack that the index at `path` belongs to.
    ///
    /// # Errors
    /// When either file is missing or broken.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let broken = |what: &Path, error: String| {
            Error::new(ErrorKind::Git, format!("{}: {error}", what.display()))
        };
        let index = index::File::at(path, Hash::Sha1).map_err(|e| broken(path, e.to_string()))?;
        let path = path.with_extension("pack");
        let file = data::File::at(&path, Hash::Sha1).map_err(|e| broken(&path, e.to_string()))?;
        if file.num_objects() != index.num_objects() {
            return Err(broken(&path, "does not belong to its index".into()));
        }
        Ok(Self {
            path,
            index,
            data: Mutex::new(Mapping::new(file)),
            forest: Mutex::default(),
            ids: OnceLock::new(),
        })
    }

    /// Looks whether the index is what was written, in order, and names places of the pack, as all that goes
    /// by it takes for granted.
    ///
    /// # Errors
    /// When it is not; the message says how to write it anew.
    pub fn check(&self) -> Result<(), Error> {
        let go_on = AtomicBool::new(false);
        let ids = (0..self.len()).map(|number| self.index.oid_at_index(number));
        let why = if self.index.verify_checksum(&mut Discard, &go_on).is_err() {
            "is damaged"
        } else if self.is_whole() && self.names_behind_end() {
            "names objects behind the end of its pack"
        } else if !ids.is_sorted() {
            "is not in order"
        } else {
            return Ok(());
        };
        let (index, pack) = (self.path.with_extension("idx"), self.path.display());
        let message = format!(
            "{}: {why}; write it anew: git index-pack {pack}",
            index.display()
        );
        Err(Error::new(ErrorKind::Git, message))
    }

    /// Whether the pack ends as it did when its index was written. Of one that does not, git and libgit2 read
    /// nothing; here all is read that is left.
    pub fn is_whole(&self) -> bool {
        self.file(0..0).checksum() == self.index.pack_checksum()
    }

    /// What is wrong with a pack that is not whole.
    pub fn fault(&self) -> Option<Error> {
        if self.is_whole() {
            return None;
        }
        let why = match self.names_behind_end() {
            true => "is cut off",
            false => "is cut off or damaged: its sum is not the one that its index names",
        };
        let pack = self.path.display();
        let message = format!(
            "{pack}: {why}; only what is left of it is read; move it and its .idx away and get it anew: git \
             fetch --refetch"
        );
        Some(Error::new(ErrorKind::Git, message))
    }

    fn names_behind_end(&self) -> bool {
        let end = self.end();
        let mut offsets = (0..self.len()).map(|number| self.index.pack_offset_at_index(number));
        offsets.any(|offset| offset >= end)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many objects it holds.
    pub fn len(&self) -> u32 {
        self.index.num_objects()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of the object with that number.
    pub fn id(&self, number: u32) -> ObjectId {
        let mut id = [0; 20];
        id.copy_from_slice(self.index.oid_at_index(number).as_bytes());
        ObjectId(id)
    }

    /// The number of an object.
    pub fn number(&self, id: &ObjectId) -> Option<u32> {
        let Some(ids) = self.ids.get() else {
            return self.index.lookup(gix_hash::ObjectId::Sha1(id.0));
        };
        let mut alike = ids.alike(key(&id.0));
        alike.find(|number| self.index.oid_at_index(*number).as_bytes() == id.0)
    }

    /// Whether it holds an object. Once the forest was read, of an id only the beginning is asked, as the
    /// whole stands far off in memory: one in billions of those that are not here seems to be.
    pub fn has(&self, id: &ObjectId) -> bool {
        match self.ids.get() {
            Some(ids) => ids.alike(key(&id.0)).next().is_some(),
            None => self.number(id).is_some(),
        }
    }

    /// The mapped file to read a range of, made anew when much of it has been read.
    fn file(&self, range: Range<u64>) -> Arc<data::File> {
        let mut mapping = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        if mapping.count * MAPPED >= REMAP {
            match data::File::at(&self.path, Hash::Sha1) {
                Ok(file) => *mapping = Mapping::new(file),
                // It may be gone by now; what is mapped stays.
                Err(_) => mapping.count = 0,
            }
        }
        mapping.note(&range);
        mapping.file.clone()
    }

    /// Where the pack ends, which its sum does.
    fn end(&self) -> u64 {
        self.file(0..0).pack_end() as u64
    }

    /// All entries, with each delta hung on its base.
    pub fn forest(&self) -> Arc<Forest> {
        let mut forest = self.forest.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || Arc::new(self.read_forest());
        forest.get_or_insert_with(read).clone()
    }

    /// The same for one who keeps it, and nobody else.
    pub fn take_forest(&self) -> Forest {
        let mut forest = self.forest.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = forest.take().and_then(Arc::into_inner);
        taken.unwrap_or_else(|| self.read_forest())
    }

    /// Gives the memory of the forest back, when nobody walks through it any more.
    pub fn forget_forest(&self) {
        let mut forest = self.forest.lock().unwrap_or_else(PoisonError::into_inner);
        *forest = None;
    }

    /// Reads all entries' headers.
    fn read_forest(&self) -> Forest {
        let mut order: Vec<(u64, u32)> = (0..self.len())
            .map(|number| (self.index.pack_offset_at_index(number), number))
            .collect();
        order.par_sort_unstable();
        let offsets = Stretches::of(order.iter().map(|entry| entry.0));
        let place = |offset: u64| {
            let near = offsets.near(offset);
            let entries = &order[near.start as usize..near.end as usize];
            let at = entries.binary_search_by_key(&offset, |entry| entry.0);
            at.ok().map(|at| near.start + at as u32)
        };
        let mut places = vec![0; order.len()];
        for (place, (_, number)) in order.iter().enumerate() {
            places[*number as usize] = place as u32;
        }
        let mut nodes = Vec::with_capacity(order.len());
        let end = self.end();
        let stretch = |entry: &(u64, u32)| entry.0 / REMAP;
        for order in order.chunk_by(|one, next| stretch(one) == stretch(next)) {
            // The headers touch every page.
            let start = order[0].0;
            let file = self.file(start..start.saturating_add(REMAP));
            let read = order.par_iter().map(|&(offset, number)| {
                // Of a pack that is cut off some stand behind its end.
                let entry = (offset < end).then(|| file.entry(offset).ok()).flatten();
                let size = entry.as_ref().map_or(0, |entry| entry.decompressed_size);
                let data = entry.as_ref().map_or(0, |entry| entry.data_offset);
                // Whoever made a longer one made it wrong.
                let header = u8::try_from(data.saturating_sub(offset));
                let entry = entry.filter(|_| header.is_ok());
                let (kind, base) = match entry.map(|entry| entry.header) {
                    Some(Header::Commit) => (Some(Kind::Commit), Base::None),
                    Some(Header::Tree) => (Some(Kind::Tree), Base::None),
                    Some(Header::Blob) => (Some(Kind::Blob), Base::None),
                    Some(Header::Tag) => (Some(Kind::Tag), Base::None),
                    Some(Header::OfsDelta { base_distance }) => {
                        let base = offset.checked_sub(base_distance).and_then(place);
                        (None, base.map_or(Base::Elsewhere, Base::Entry))
                    }
                    Some(Header::RefDelta { base_id }) => {
                        let base = self.index.lookup(base_id);
                        let base = base.map(|number| places[number as usize]);
                        (None, base.map_or(Base::Elsewhere, Base::Entry))
                    }
                    None => (None, Base::Elsewhere),
                };
                Node::from(Entry {
                    number,
                    offset,
                    header: header.unwrap_or_default(),
                    size,
                    base,
                    kind,
                })
            });
            nodes.par_extend(read);
        }
        let keys = (0..self.len()).map(|number| key(self.index.oid_at_index(number).as_bytes()));
        let place_ids = || self.ids.set(Ids::of(keys));
        rayon::join(|| Forest::new(nodes), place_ids).0
    }

    /// Inflates the entry at a place of the pack's forest into `out`: the object, or its delta.
    ///
    /// # Errors
    /// When the entry is broken, in words.
    pub fn inflate(
        &self,
        (forest, place): (&Forest, u32),
        inflater: &mut Inflater,
        out: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        let Entry {
            offset,
            header,
            size,
            ..
        } = forest.entry(place);
        let len = self.packed_len(forest, place);
        let packed = offset + u64::from(header)..offset + len;
        let file = self.file(offset..offset + len);
        inflate(&file, packed, size, inflater, out)
    }

    /// How many bytes of the pack the entry at a place of its forest takes up.
    pub fn packed_len(&self, forest: &Forest, place: u32) -> u64 {
        let next = (place + 1 < self.len()).then(|| forest.entry(place + 1).offset);
        let end = next.unwrap_or_else(|| self.end());
        end.saturating_sub(forest.entry(place).offset)
    }

    /// Inflates the beginning of the entry at a place of the forest into `head`. Gives what of it was there.
    ///
    /// # Errors
    /// When the entry is broken as far as that, in words.
    pub fn inflate_head<'h>(
        &self,
        (forest, place): (&Forest, u32),
        inflater: &mut Inflate,
        head: &'h mut [u8],
    ) -> Result<&'h [u8], &'static str> {
        let start = forest.entry(place).offset;
        let len = self.packed_len(forest, place);
        let file = self.file(start..start + len);
        let entry = file.entry(start).map_err(|_| "its header is broken")?;
        let packed = entry.data_offset..start + len;
        let packed = file.entry_slice(packed).ok_or("the pack is cut off")?;
        inflater.reset(true);
        let inflated = inflater.decompress(packed, head, InflateFlush::NoFlush);
        inflated.map_err(|_| "its data is broken")?;
        Ok(&head[..inflater.total_out() as usize])
    }
}

/// Inflates entries. A decompressor keeps the tables of the code that deflate has for all short texts until
/// it meets another, and most deltas are short: one is kept for them alone.
pub struct Inflater {
    fixed: Decompressor,
    other: Decompressor,
}

impl Default for Inflater {
    fn default() -> Self {
        Self {
            fixed: Decompressor::new(),
            other: Decompressor::new(),
        }
    }
}

impl Inflater {
    /// The one for what begins so.
    fn of(&mut self, packed: &[u8]) -> &mut Decompressor {
        // Behind the two bytes of zlib's header: whether the first block is the last, then its type.
        match packed.get(2) {
            Some(first) if first >> 1 & 3 == 1 => &mut self.fixed,
            _ => &mut self.other,
        }
    }
}

/// Inflates so many bytes of what is packed from where `range` starts on and ends in it.
fn inflate(
    file: &data::File,
    range: Range<u64>,
    size: u64,
    inflater: &mut Inflater,
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    let most = range
        .end
        .saturating_sub(range.start)
        .saturating_mul(MOST_GROWTH);
    if range.start > range.end || size > most + 64 {
        return Err("its size is wrong");
    }
    let size = size as usize;
    let end = range.end.saturating_add(ROOM as u64);
    let end = end.min(file.pack_end() as u64);
    let packed = range.start..end.max(range.end);
    let packed = file.entry_slice(packed).ok_or("the pack is cut off")?;
    // What is there is written over, so only what is new of it is filled.
    out.resize(size + ROOM, 0);
    let inflated = inflater.of(packed).zlib_decompress(packed, out);
    out.truncate(size);
    match inflated {
        Ok(written) if written == size => Ok(()),
        _ => Err("its data is broken"),
    }
}

/// The beginnings of ids, in order, side by side.
struct Ids {
    stretches: Stretches,
    /// Of each key the half that its stretch does not tell.
    halves: Vec<u32>,
}

impl Ids {
    fn of(keys: impl DoubleEndedIterator<Item = u64> + ExactSizeIterator + Clone) -> Self {
        Self {
            stretches: Stretches::of(keys.clone()),
            halves: keys.map(|key| key as u32).collect(),
        }
    }

    /// The numbers of those whose keys are this one, as far as their stretches and halves tell.
    fn alike(&self, key: u64) -> impl Iterator<Item = u32> + '_ {
        let near = self.stretches.near(key);
        near.filter(move |number| self.halves[*number as usize] == key as u32)
    }
}

/// Tells about where in a list of ascending keys one is: which are in each stretch of their range, of
/// as many stretches as there are keys, or fewer.
struct Stretches {
    /// A stretch is two to the power of this long.
    shift: u32,
    /// How many keys are before each stretch; one more than there are stretches.
    before: Vec<u32>,
}

impl Stretches {
    fn of(keys: impl DoubleEndedIterator<Item = u64> + ExactSizeIterator + Clone) -> Self {
        let last = keys.clone().next_back().unwrap_or_default();
        let each = last / keys.len().max(1) as u64;
        let shift = (u64::BITS - each.leading_zeros()).min(u64::BITS - 1);
        let mut before = vec![0; (last >> shift) as usize + 2];
        for key in keys {
            before[(key >> shift) as usize + 1] += 1;
        }
        for stretch in 1..before.len() {
            before[stretch] += before[stretch - 1];
        }
        Self { shift, before }
    }

    /// Those among which a key is, if it is there.
    fn near(&self, key: u64) -> Range<u32> {
        let stretch = (key >> self.shift) as usize;
        match self.before.get(stretch..) {
            Some([first, end, ..]) => *first..*end,
            _ => 0..0,
        }
    }
}

/// The beginning of an id as a key.
fn key(id: &[u8]) -> u64 {
    let beginning = id.first_chunk().expect("twenty bytes");
    u64::from_be_bytes(*beginning)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_are_near_where_they_are_said_to_be(
            keys in prop::collection::btree_set(
                prop_oneof![8 => 12..4000_u64, 1 => any::<u64>()],
                0..60,
            ),
            others in prop::collection::vec(prop_oneof![12..4000_u64, any::<u64>()], 0..30),
        ) {
            let keys: Vec<u64> = keys.into_iter().collect();
            let stretches = Stretches::of(keys.iter().copied());
            let ids = Ids::of(keys.iter().copied());
            for key in keys.iter().chain(&others) {
                let near = stretches.near(*key);
                let place = keys.binary_search(key).ok();
                let near = near.start as usize..near.end as usize;
                let found = keys[near.clone()].binary_search(key).ok();
                prop_assert_eq!(found.map(|at| near.start + at), place);
                let alike: Vec<usize> = ids.alike(*key).map(|at| at as usize).collect();
                prop_assert!(place.is_none_or(|place| alike.contains(&place)));
                let has_half = |&at: &usize| keys[at] as u32 == *key as u32;
                prop_assert!(alike.iter().all(|at| near.contains(at) && has_half(at)));
            }
        }
    }
}

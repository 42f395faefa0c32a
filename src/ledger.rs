//! What was read and what was left out. Nothing is skipped in silence.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Counts of everything a sweep met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    pub files: u64,
    pub bytes: u64,
    /// Git objects looked at, and how many of them are commits.
    pub objects: u64,
    pub commits: u64,
    /// Notebooks read cell by cell.
    pub notebooks: u64,
    /// Files read in overlapping windows because of their size.
    pub windowed: u64,
    left_out: BTreeMap<Reason, Vec<LeftOut>>,
    notes: Vec<LeftOut>,
}

/// A file and a word about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    pub path: Arc<str>,
    pub detail: String,
}

/// Why a file was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No text, and not asked for.
    Binary,
    /// Over the size that was asked for.
    TooLarge,
    /// Could not be opened or read to its end.
    Unreadable,
    /// Was listed, and gone when it was to be read.
    Vanished,
    /// A socket, a pipe, a device.
    NotAFile,
    /// Belongs to what was to be read, and is not there.
    Missing,
    /// Not followed; what it points to is read where it stands, if that is in the tree.
    Symlink,
    /// The time allowed was over before its turn came.
    OutOfTime,
    /// Stands for a file that Git LFS keeps elsewhere.
    Lfs,
}

impl Reason {
    pub const ALL: [Self; 9] = [
        Self::Binary,
        Self::TooLarge,
        Self::Unreadable,
        Self::Vanished,
        Self::NotAFile,
        Self::Missing,
        Self::Symlink,
        Self::OutOfTime,
        Self::Lfs,
    ];

    /// The key in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::TooLarge => "too_large",
            Self::Unreadable => "unreadable",
            Self::Vanished => "vanished",
            Self::NotAFile => "not_a_file",
            Self::Missing => "missing",
            Self::Symlink => "symlink",
            Self::OutOfTime => "out_of_time",
            Self::Lfs => "lfs",
        }
    }

    /// Whether it means that the sweep did not see all it was asked to see.
    pub fn is_failure(self) -> bool {
        matches!(
            self,
            Self::Unreadable | Self::Vanished | Self::Missing | Self::OutOfTime
        )
    }
}

impl Ledger {
    pub fn leave_out(&mut self, reason: Reason, path: Arc<str>, detail: impl Into<String>) {
        let detail = detail.into();
        self.left_out
            .entry(reason)
            .or_default()
            .push(LeftOut { path, detail });
    }

    /// Something to say of a file that was read all the same.
    pub fn note(&mut self, path: Arc<str>, detail: impl Into<String>) {
        let detail = detail.into();
        self.notes.push(LeftOut { path, detail });
    }

    /// The files left out for a reason, by path.
    pub fn left_out(&self, reason: Reason) -> &[LeftOut] {
        self.left_out.get(&reason).map_or(&[], |list| list)
    }

    pub fn notes(&self) -> &[LeftOut] {
        &self.notes
    }

    /// All that is said in it: paths, and details, which may tell paths again.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let lists = self.left_out.values().chain([&self.notes]);
        let entries = lists.flatten();
        entries.flat_map(|entry| [&*entry.path, &entry.detail])
    }

    /// Gives texts in it another form, such as one without secrets; those that need none stay.
    pub fn reword<'t>(&mut self, text: impl Fn(&str) -> Option<&'t str>) {
        let lists = self.left_out.values_mut().chain([&mut self.notes]);
        for entry in lists.flatten() {
            if let Some(path) = text(&entry.path) {
                entry.path = path.into();
            }
            if let Some(detail) = text(&entry.detail) {
                entry.detail = detail.into();
            }
        }
    }

    /// Whether everything that was asked for could be read.
    pub fn is_complete(&self) -> bool {
        Reason::ALL
            .iter()
            .all(|reason| !reason.is_failure() || self.left_out(*reason).is_empty())
    }

    /// Adds another worker's counts.
    pub fn merge(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.objects += other.objects;
        self.commits += other.commits;
        self.notebooks += other.notebooks;
        self.windowed += other.windowed;
        self.notes.extend(other.notes);
        for (reason, list) in other.left_out {
            self.left_out.entry(reason).or_default().extend(list);
        }
    }

    /// Puts the lists into the order of paths, whatever the threads did.
    pub fn sort(&mut self) {
        self.notes.sort();
        self.left_out.values_mut().for_each(|list| list.sort());
    }
}

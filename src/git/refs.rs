//! What leads into a repository: references, checked-out commits, reflogs.
//!
//! They are read from their files. libgit2 passes over what it cannot read, and all that only such a
//! reference leads to would seem to be led to by nothing; and of linked worktrees it knows little.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Kind;
use super::object::Tag;
use super::reader::Reader;
use super::repo::Repo;
use crate::ledger::Reason;
use crate::unit::ObjectId;

/// How many references may name each other, as in git.
const DEEPEST: usize = 5;
/// Folders of references that each worktree has for itself.
const OWN: [&str; 3] = ["refs/bisect/", "refs/rewritten/", "refs/worktree/"];

/// A reference and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ref {
    /// The full name, such as `refs/heads/main`; of another worktree as git calls it, such as
    /// `worktrees/NAME/HEAD`. Bytes that are no UTF-8 are replaced.
    pub name: String,
    /// The object it names: a commit, or the tag object of an annotated tag.
    pub target: ObjectId,
    /// The annotated tags that lead from there to what they are about.
    pub tags: Vec<ObjectId>,
    /// What a tag, or a tag of a tag, is about; for others the target.
    pub peeled: ObjectId,
    pub kind: Option<Kind>,
}

/// A reference or a file of some that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub reason: Reason,
    pub place: String,
    pub why: String,
}

/// All ways into a repository.
#[derive(Clone, Debug, Default)]
pub struct Refs {
    /// The checked-out commit.
    pub head: Option<ObjectId>,
    pub refs: Vec<Ref>,
    /// What the reflogs name, in order: commits, and tags or blobs where those of tags are kept. Some of it
    /// may be gone.
    pub reflog: Vec<ObjectId>,
    /// References that could not be read: what nothing seems to lead to, one of them may.
    pub faults: Vec<Fault>,
    /// Reflogs that could not.
    pub log_faults: Vec<Fault>,
}

/// What a file of a reference says.
#[derive(Debug, PartialEq, Eq)]
enum Value {
    Object(ObjectId),
    Reference(String),
}

/// A worktree's own folder, and what comes before the names of its references.
struct Tree {
    folder: PathBuf,
    before: String,
}

impl Refs {
    /// Reads them all. What cannot be read is a fault, the rest goes on; a reference to an object that is
    /// not there is kept, without a kind.
    pub fn read(repo: &Repo, reader: &Reader) -> Self {
        let mut reading = Reading {
            reader,
            values: BTreeMap::new(),
            found: Self::default(),
        };
        let common = repo.common_dir();
        let trees = reading.trees(common, repo.git2().path());
        for tree in &trees {
            reading.loose(tree);
        }
        // Whoever packs a reference does so before the file of its own goes.
        reading.packed(&common.join("packed-refs"));
        reading.follow_all();
        for tree in &trees {
            reading.head(tree);
            reading.logs(&tree.folder.join("logs"));
        }
        let mut found = reading.found;
        found.reflog.sort_unstable();
        found.reflog.dedup();
        found
    }
}

/// References on the way from files to what they lead to.
struct Reading<'r> {
    reader: &'r Reader,
    values: BTreeMap<String, Value>,
    found: Refs,
}

impl Reading<'_> {
    /// The main worktree, or the bare repository, and those linked to it. `own` is the folder of the one
    /// that is looked at.
    fn trees(&mut self, common: &Path, own: &Path) -> Vec<Tree> {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let own = real(own);
        let tree = |folder: PathBuf, before: String| {
            let is_own = real(&folder) == own;
            let before = if is_own { String::new() } else { before };
            Tree { folder, before }
        };
        let mut trees = vec![tree(common.to_path_buf(), "main-worktree/".into())];
        let linked = common.join("worktrees");
        for (name, path) in listed(&linked, &mut self.found.faults) {
            trees.push(tree(path, format!("worktrees/{name}/")));
        }
        trees
    }

    /// References in files of their own.
    fn loose(&mut self, tree: &Tree) {
        for (name, path) in files(&tree.folder.join("refs"), "refs", &mut self.found.faults) {
            let is_own = OWN.iter().any(|own| name.starts_with(own));
            let before = if is_own { &*tree.before } else { "" };
            let name = format!("{before}{name}");
            if let Some(value) = self.value(&name, &path) {
                self.values.insert(name, value);
            }
        }
    }

    /// What the file of a reference says, if it is there.
    fn value(&mut self, name: &str, path: &Path) -> Option<Value> {
        let why = match fs::read(path) {
            Ok(text) => match Value::parse(&text) {
                Some(value) => return Some(value),
                None => "broken: it names neither an object nor another reference".to_owned(),
            },
            // It was deleted or packed meanwhile, or is a link to one that was.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => error.to_string(),
        };
        self.lose(Reason::Unreadable, name, why);
        None
    }

    fn lose(&mut self, reason: Reason, name: &str, why: impl Into<String>) {
        let place = format!("reference {name}");
        let why = why.into();
        self.found.faults.push(Fault { reason, place, why });
    }

    /// The references in the one file of many.
    fn packed(&mut self, file: &Path) {
        let text = match fs::read(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.found.faults.push(Fault::of(file, error.to_string())),
        };
        let mut broken = None;
        let lines = text.split(|&b| b == b'\n').enumerate();
        // Those of the second kind say what the tag of the line before is about.
        for (index, line) in lines.filter(|(_, line)| !matches!(line, [] | [b'#' | b'^', ..])) {
            match packed_line(line) {
                Some((name, id)) => {
                    self.values.entry(name).or_insert(Value::Object(id));
                }
                None => broken = broken.or(Some(index + 1)),
            }
        }
        if let Some(line) = broken {
            let why = format!("broken: line {line} is no reference");
            self.found.faults.push(Fault::of(file, why));
        }
    }

    /// Follows the references to what they are about. Those to others lead nowhere else.
    fn follow_all(&mut self) {
        let values = std::mem::take(&mut self.values);
        for (name, value) in &values {
            match value {
                Value::Object(id) => {
                    let followed = self.follow(name.clone(), *id);
                    self.found.refs.push(followed);
                }
                Value::Reference(_) if resolve(&values, value).is_err() => {
                    self.lose(Reason::Unreadable, name, "leads through too many others");
                }
                Value::Reference(_) => {}
            }
        }
        self.values = values;
    }

    /// The commit that a worktree has checked out.
    fn head(&mut self, tree: &Tree) {
        let name = format!("{}HEAD", tree.before);
        let Some(value) = self.value(&name, &tree.folder.join("HEAD")) else {
            return;
        };
        if matches!(&value, Value::Reference(to) if !to.starts_with("refs/")) {
            return self.lose(Reason::Unreadable, &name, "broken: it names no reference");
        }
        let local = match &value {
            // Where a worktree goes by its own reference.
            Value::Reference(to) if OWN.iter().any(|own| to.starts_with(own)) => {
                Value::Reference(format!("{}{to}", tree.before))
            }
            _ => value,
        };
        let id = match resolve(&self.values, &local) {
            Ok(Some(id)) => id,
            // Nothing was committed yet, or the branch has a fault of its own.
            Ok(None) => return,
            Err(Endless) => {
                return self.lose(Reason::Unreadable, &name, "leads through too many others");
            }
        };
        let known = self.found.refs.iter().find(|known| known.target == id);
        let head = match known.cloned() {
            Some(known) => Ref { name, ..known },
            None => self.follow(name, id),
        };
        // What is looked at is told apart from what leads there.
        if tree.before.is_empty() {
            self.found.head = (head.kind == Some(Kind::Commit)).then_some(head.peeled);
        } else {
            self.found.refs.push(head);
        }
    }

    /// Follows a reference to an object.
    fn follow(&mut self, name: String, target: ObjectId) -> Ref {
        let mut tags = Vec::new();
        let mut peeled = target;
        let kind = loop {
            match self.look(peeled) {
                Ok((kind, None)) => break Some(kind),
                Ok((_, Some(about))) if !tags.contains(&about) => {
                    tags.push(peeled);
                    peeled = about;
                }
                Ok((kind, Some(_))) => break Some(kind),
                Err(why) => {
                    let (reason, why) = match self.reader.has(peeled) {
                        false => (Reason::Missing, "is not here".to_owned()),
                        true => (Reason::Unreadable, format!("cannot be read: {why}")),
                    };
                    self.lose(reason, &name, format!("object {peeled} {why}"));
                    break None;
                }
            }
        };
        Ref {
            name,
            target,
            tags,
            peeled,
            kind,
        }
    }

    /// What an object is, and of a tag what it is about.
    fn look(&self, id: ObjectId) -> Result<(Kind, Option<ObjectId>), String> {
        if let Some(kind) = self.reader.kind(id).filter(|kind| *kind != Kind::Tag) {
            return Ok((kind, None));
        }
        let object = self.reader.try_read(id)?;
        match object.kind {
            Kind::Tag => {
                let tag = Tag::parse(object.bytes()).ok_or("no tag")?;
                Ok((Kind::Tag, Some(tag.target)))
            }
            kind => Ok((kind, None)),
        }
    }

    /// What the reflogs in a folder name.
    fn logs(&mut self, folder: &Path) {
        for (_, path) in files(folder, "logs", &mut self.found.log_faults) {
            match fs::read(&path) {
                Ok(text) => {
                    for line in text.split(|&b| b == b'\n') {
                        let ids = [line.get(..40), line.get(41..81)];
                        let ids = ids.into_iter().flatten().filter_map(id);
                        self.found.reflog.extend(ids);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let fault = Fault::of(&path, error.to_string());
                    self.found.log_faults.push(fault);
                }
            }
        }
    }
}

impl Value {
    /// Reads what a file of a reference says; `None` when it is none.
    fn parse(text: &[u8]) -> Option<Self> {
        if let Some(name) = text.strip_prefix(b"ref:") {
            let name = String::from_utf8_lossy(name.trim_ascii());
            return (!name.is_empty()).then(|| Self::Reference(name.into_owned()));
        }
        let (hex, rest) = text.split_at_checked(40)?;
        let ends = rest.first().is_none_or(u8::is_ascii_whitespace);
        Some(Self::Object(id(hex).filter(|_| ends)?))
    }
}

impl Fault {
    fn of(file: &Path, why: String) -> Self {
        Self {
            reason: Reason::Unreadable,
            place: file.to_string_lossy().into_owned(),
            why,
        }
    }
}

/// That references name each other without an end.
struct Endless;

/// The object that a value leads to, if the references on the way are there.
fn resolve(values: &BTreeMap<String, Value>, value: &Value) -> Result<Option<ObjectId>, Endless> {
    let mut value = value;
    for _ in 0..=DEEPEST {
        match value {
            Value::Object(id) => return Ok(Some(*id)),
            Value::Reference(name) => match values.get(name) {
                Some(next) => value = next,
                None => return Ok(None),
            },
        }
    }
    Err(Endless)
}

/// Reads `ID NAME`.
fn packed_line(line: &[u8]) -> Option<(String, ObjectId)> {
    let (hex, rest) = line.split_at_checked(40)?;
    let name = rest.strip_prefix(b" ")?.trim_ascii();
    let name = String::from_utf8_lossy(name).into_owned();
    (!name.is_empty()).then_some((name, id(hex)?))
}

/// Reads an id; that of no object is none.
fn id(hex: &[u8]) -> Option<ObjectId> {
    let id = ObjectId::from_hex(std::str::from_utf8(hex).ok()?)?;
    (id.0 != [0; 20]).then_some(id)
}

/// All files below a folder that is called `name`, by their names. What cannot be listed is a fault.
fn files(folder: &Path, name: &str, faults: &mut Vec<Fault>) -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    let mut open = vec![(name.to_owned(), folder.to_path_buf())];
    while let Some((above, folder)) = open.pop() {
        for (name, path) in listed(&folder, faults) {
            let name = format!("{above}/{name}");
            match fs::metadata(&path) {
                Ok(meta) if meta.is_file() => files.push((name, path)),
                // Links may lead round in circles.
                Ok(meta) if meta.is_dir() && !path.is_symlink() => open.push((name, path)),
                Ok(_) => faults.push(Fault::of(&path, "neither a file nor a folder".into())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => faults.push(Fault::of(&path, error.to_string())),
            }
        }
    }
    files
}

/// The entries of a folder, if it is there, but for those that git passes over too.
fn listed(folder: &Path, faults: &mut Vec<Fault>) -> Vec<(String, PathBuf)> {
    let mut entries = Vec::new();
    let mut list = || -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') && !name.ends_with(".lock") {
                entries.push((name, entry.path()));
            }
        }
        Ok(())
    };
    match list() {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            faults.push(Fault::of(folder, error.to_string()));
        }
        _ => {}
    }
    entries.sort();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_references_are_read_as_git_reads_them() {
        let hex = "0123456789abcdef0123456789abcdef01234567";
        let object = Some(Value::Object(id(hex.as_bytes()).expect("an id")));
        assert_eq!(Value::parse(format!("{hex}\n").as_bytes()), object);
        assert_eq!(Value::parse(hex.as_bytes()), object);
        assert_eq!(Value::parse(format!("{hex}0\n").as_bytes()), None);
        assert_eq!(Value::parse(&[b'0'; 40]), None);
        let to = Value::parse(b"ref:  refs/heads/main \n");
        assert_eq!(to, Some(Value::Reference("refs/heads/main".into())));
        for broken in [&b""[..], b"ref:\n", b"0123", &[0; 41]] {
            assert_eq!(Value::parse(broken), None);
        }
        assert!(packed_line(format!("{hex} refs/tags/v1\r").as_bytes()).is_some());
        for broken in [&hex[..30], hex, &format!("{hex} "), "refs/tags/v1"] {
            assert_eq!(packed_line(broken.as_bytes()), None);
        }
    }
}

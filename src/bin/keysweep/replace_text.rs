//! Rules for `git filter-repo --replace-text`: a file with the live values, for its owner only.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use keysweep::error::Error;
use keysweep::finding::Finding;
use keysweep::fix::quote;
use keysweep::git::object;
use keysweep::git::reader::{Object, Reader};
use keysweep::unit::{ObjectId, Part};

/// A shorter value stands in many places for other reasons.
const SHORTEST: usize = 6;
/// The same for a piece of one.
const SHORTEST_PIECE: usize = 12;
/// The same for what base64 makes of the middle of a value.
const SHORTEST_BASE64: usize = 16;
/// git takes a file for binary that has a zero in so many first bytes; so does filter-repo, which
/// then leaves it as it is.
const TELLS_BINARY: usize = 8192;

/// The rules, and what they cannot reach.
#[derive(Default)]
pub struct Rules {
    /// Whether rules are asked for, and not only what they could not reach.
    are_wanted: bool,
    forms: BTreeSet<Vec<u8>>,
    /// Files that filter-repo takes for binary.
    pub binary: BTreeSet<String>,
    /// Files with values too short for a rule.
    pub short: BTreeSet<String>,
    /// Whether what commits or tags say holds values too short for a rule.
    pub short_words: bool,
    /// Files and folders whose names hold values, which rules leave as they are.
    pub names: BTreeSet<String>,
    /// Whether values stand in what commits or tags say of people, which no option puts the rules to.
    pub people: bool,
}

impl Rules {
    pub fn new(are_wanted: bool) -> Self {
        Self {
            are_wanted,
            ..Self::default()
        }
    }

    /// Adds rules for values and each form in which files hold them.
    pub fn add_all(&mut self, findings: &[Finding], reader: Option<&Reader>) {
        for together in findings.chunk_by(|a, b| blob_of(a) == blob_of(b)) {
            let blob = reader.zip(together.first().and_then(blob_of));
            // One that cannot be read any more was reported by the sweep.
            let blob = blob.and_then(|(reader, blob)| reader.try_read(blob).ok());
            let bytes = blob.as_ref().map(Object::bytes);
            together.iter().for_each(|finding| self.add(finding, bytes));
        }
        let mut findings = findings.iter();
        self.people |= reader.is_some_and(|reader| findings.any(|f| is_of_people(f, reader)));
    }

    /// Adds rules for a value, as it stands in what is known of its file.
    pub fn add(&mut self, finding: &Finding, blob: Option<&[u8]>) {
        let listed = |list: &mut BTreeSet<String>| {
            if !list.contains(finding.path()) {
                list.insert(finding.path().to_owned());
            }
        };
        if finding.origin.part == Part::FileName {
            listed(&mut self.names);
        }
        let value = finding.secret.expose();
        if value.len() < SHORTEST {
            self.short_words |= is_of_words(finding);
            if finding.origin.is_file() {
                listed(&mut self.short);
            }
            return;
        }
        if self.are_wanted {
            self.forms.extend(forms(value));
        }
        let Some(bytes) = blob else {
            return;
        };
        if bytes[..bytes.len().min(TELLS_BINARY)].contains(&0) {
            return listed(&mut self.binary);
        }
        if self.are_wanted {
            let held = held(finding, bytes).into_iter().map(<[u8]>::to_vec);
            self.forms.extend(held);
        }
    }

    /// Writes the file, which must not exist.
    ///
    /// # Errors
    /// When it exists or cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|e| Error::io(path, e))?;
        // The longest first: what stands in another must not be replaced before it.
        let mut forms: Vec<&Vec<u8>> = self.forms.iter().collect();
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        let text: Vec<u8> = forms.into_iter().flat_map(|form| rule(form)).collect();
        let written = file.write_all(&text).and_then(|()| file.sync_all());
        written.map_err(|error| {
            // A part of the rules is of no use, and holds live values all the same.
            let _ = std::fs::remove_file(path);
            Error::io(path, error)
        })
    }
}

/// The blob that a finding stands in, if it is of a history's files.
fn blob_of(finding: &Finding) -> Option<ObjectId> {
    let git = finding.origin.git.filter(|_| finding.origin.is_file());
    git.map(|git| git.object)
}

/// Whether it is in what a commit or a tag says.
fn is_of_words(finding: &Finding) -> bool {
    matches!(finding.origin.part, Part::Commit | Part::Tag)
}

/// Whether a commit or a tag says it of its author, committer or tagger, in its message as well or not.
fn is_of_people(finding: &Finding, reader: &Reader) -> bool {
    let git = finding.origin.git.filter(|_| is_of_words(finding));
    let read = git.and_then(|git| reader.try_read(git.object).ok());
    read.is_some_and(|read| {
        let bytes = read.bytes();
        let message = object::message(bytes).len();
        // What stands behind the message is the rest.
        let is_behind = finding.byte_start() >= message as u64;
        let head = &bytes[..bytes.len() - message];
        is_behind || memchr::memmem::find(head, finding.secret.expose()).is_some()
    })
}

/// The bytes that hold a finding's value: its pieces, or with what stands between them where a piece
/// by itself says too little.
fn held<'b>(finding: &Finding, bytes: &'b [u8]) -> Vec<&'b [u8]> {
    let range = |start: u64, end: u64| bytes.get(start as usize..end as usize);
    let pieces = finding.bytes.iter().map(|b| range(b.start, b.end));
    let pieces: Option<Vec<&[u8]>> = pieces.collect();
    match pieces {
        Some(pieces) if pieces.iter().all(|piece| piece.len() >= SHORTEST_PIECE) => pieces,
        _ => range(finding.byte_start(), finding.byte_end())
            .filter(|whole| whole.len() >= SHORTEST)
            .into_iter()
            .collect(),
    }
}

/// The value as it is, escaped, and within base64 at each of its three offsets.
fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![value.to_vec()];
    if let Ok(text) = std::str::from_utf8(value) {
        forms.extend(quote::repeated(text).into_iter().map(String::into_bytes));
    }
    for offset in 0..3 {
        // Characters that depend on what stands around are left out.
        let skipped = (3 - offset) % 3;
        let whole = value.len().saturating_sub(skipped) / 3 * 3;
        let middle = value.get(skipped..skipped + whole).unwrap_or_default();
        let standard = STANDARD_NO_PAD.encode(middle);
        if standard.len() >= SHORTEST_BASE64 {
            forms.push(standard.replace('+', "-").replace('/', "_").into_bytes());
            forms.push(standard.into_bytes());
        }
    }
    forms
}

/// Literal where the form is one line without `==>`, else a regular expression.
fn rule(form: &[u8]) -> Vec<u8> {
    let is_line = !form.iter().any(|b| matches!(b, b'\n' | b'\r'));
    let is_plain = is_line && memchr::memmem::find(form, b"==>").is_none();
    let mut rule = if is_plain {
        [b"literal:", form].concat()
    } else {
        let mut regex = b"regex:".to_vec();
        for byte in form {
            // Python's regular expressions over bytes; every byte by its number.
            regex.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
        }
        regex
    };
    rule.extend_from_slice(b"==>***REMOVED***\n");
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_says_exactly_the_form() {
        let text = |form: &[u8]| String::from_utf8(rule(form)).expect("UTF-8");
        assert_eq!(text(b"a#b=="), "literal:a#b====>***REMOVED***\n");
        assert_eq!(
            text(b"a==>"),
            "regex:\\x61\\x3d\\x3d\\x3e==>***REMOVED***\n"
        );
        assert_eq!(text(b"a\n"), "regex:\\x61\\x0a==>***REMOVED***\n");
    }

    #[test]
    fn base64_is_met_whatever_stands_before() {
        let value = b"correct-horse-battery-staple?>~";
        let forms = forms(value);
        for before in ["", "a", "ab"] {
            let held = STANDARD_NO_PAD.encode([before.as_bytes(), value, b"after"].concat());
            let met = |form: &Vec<u8>| held.as_bytes().windows(form.len()).any(|w| w == form);
            assert!(forms.iter().any(met), "{held}");
        }
    }
}

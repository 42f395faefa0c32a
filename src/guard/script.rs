//! The script that is installed: its text, and what is known of one that stands there.
//!
//! A server may run it with a `PATH` of its own, or none: so it calls nothing but builtins of the shell,
//! the earlier hook and the program. Whatever it cannot do refuses.

use std::path::Path;

use super::earlier;
use super::install::Kind;
use crate::error::Error;

/// What a script is to call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Script<'p> {
    pub kind: Kind,
    pub program: &'p Path,
    pub policy: Option<&'p Path>,
    /// Whether a hook that was there before runs first. Without it nothing passes any more.
    pub is_chained: bool,
}

/// By this a script of ours is known.
const MARK: &str = "# keysweep hook, made by `keysweep hook install`";
/// Lines of older versions, but for those that call the program.
const OLDER: [&str; 5] = [
    "input=$(cat)",
    "if [ -x \"$before\" ]; then",
    "  feed | \"$before\" \"$@\" || exit $?",
    "  \"$before\" \"$@\" || exit $?",
    "before=$(CDPATH= cd \"$(dirname \"$0\")\" && pwd -P).before-keysweep/",
];

impl Script<'_> {
    /// # Errors
    /// When a path cannot be written in it.
    pub fn text(&self) -> Result<String, Error> {
        let name = self.kind.name();
        let mut call = format!("{} hook {name}", quoted(self.program)?);
        if let Some(policy) = self.policy {
            call.push_str(&format!(" --policy {}", quoted(policy)?));
        }
        let begin = format!("#!/bin/sh\n{MARK}\n");
        if !self.is_chained {
            return Ok(format!("{begin}exec {call} \"$@\"\n"));
        }
        let before = before(name);
        Ok(if self.kind.reads_input() {
            format!(
                "{begin}{before}input=$(while IFS= read -r line || [ -n \"$line\" ]; do printf '%s\\n' \
                 \"$line\" || exit 2; done) || exit 2\nfeed() {{ [ -z \"$input\" ] || printf '%s\\n' \
                 \"$input\"; }}\nfeed | \"$before\" \"$@\" || exit $?\nfeed | {call} \"$@\" || exit \
                 $?\n"
            )
        } else {
            format!("{begin}{before}\"$before\" \"$@\" || exit $?\nexec {call} \"$@\"\n")
        })
    }

    /// Whether `text`, a script of ours, has lines that no version wrote.
    ///
    /// # Errors
    /// When a path cannot be written in a script.
    pub fn is_edited(&self, text: &str) -> Result<bool, Error> {
        let name = self.kind.name();
        let now = [true, false].map(|is_chained| {
            Self {
                is_chained,
                ..*self
            }
            .text()
        });
        let now = now.into_iter().collect::<Result<String, _>>()?;
        let beside = format!("\"$(dirname \"$0\")/{name}{}\"", earlier::BEFORE);
        let is_known = |line: &str| {
            let older = line.replace(&beside, "\"$before\"");
            let older = older.strip_suffix(name).unwrap_or(&older);
            now.lines().any(|known| known == line)
                || OLDER.contains(&older)
                || called(line, name).is_some()
        };
        Ok(!text.lines().all(is_known))
    }
}

/// Finds the earlier hook, or refuses: git passes over a hook that it may not run, but this one was run
/// before.
fn before(name: &str) -> String {
    format!(
        "hooks=$(CDPATH= cd -- \"${{0%/*}}\" && pwd -P) || exit 2\nbefore=$hooks{}/{name}\nif [ ! -x \
         \"$before\" ]; then\n  echo 'keysweep: the {name} hook that was there before cannot be run: put \
         it right, or install keysweep again' >&2\n  exit 2\nfi\n",
        earlier::BEFORE
    )
}

pub(super) fn is_ours(script: &[u8]) -> bool {
    memchr::memmem::find(script, MARK.as_bytes()).is_some()
}

/// Whether a script of ours runs the hook that was there before.
pub(super) fn is_chained(script: &[u8]) -> bool {
    memchr::memmem::find(script, b"\nbefore=$hooks").is_some()
}

/// The policy that a script of ours names.
pub(super) fn policy(text: &str, kind: Kind) -> Option<String> {
    text.lines()
        .find_map(|line| called(line, kind.name()))
        .flatten()
}

/// Of a line that calls the program as we write it, and in no other way: the policy, if it names one.
fn called(line: &str, name: &str) -> Option<Option<String>> {
    let begins = ["exec ", "feed | "];
    let rest = begins.iter().find_map(|begin| line.strip_prefix(begin))?;
    let (_, rest) = word(rest)?;
    let rest = rest.strip_prefix(" hook ")?.strip_prefix(name)?;
    let (policy, rest) = match rest.strip_prefix(" --policy ") {
        Some(rest) => word(rest).map(|(policy, rest)| (Some(policy), rest))?,
        None => (None, rest),
    };
    matches!(rest, " \"$@\"" | " \"$@\" || exit $?").then_some(policy)
}

/// Reads what [`quoted`] wrote, and gives what follows.
fn word(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('\'')?;
    let mut word = String::new();
    loop {
        let (piece, after) = rest.split_once('\'')?;
        word.push_str(piece);
        let Some(next) = after.strip_prefix(r"\''") else {
            return Some((word, after));
        };
        word.push('\'');
        rest = next;
    }
}

/// A path as a shell reads it, with forward slashes everywhere.
fn quoted(path: &Path) -> Result<String, Error> {
    let text = path
        .to_str()
        .ok_or_else(|| Error::usage(format!("{}: the path is not UTF-8", path.display())))?;
    let text = if cfg!(windows) {
        text.replace('\\', "/")
    } else {
        text.to_owned()
    };
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_of_a_script_is_read_back() {
        for is_chained in [true, false] {
            let script = Script {
                kind: Kind::PreReceive,
                program: Path::new("/it's/keysweep"),
                policy: Some(Path::new("/a 'policy'.toml")),
                is_chained,
            };
            let text = script.text().unwrap();
            let read = policy(&text, Kind::PreReceive);
            assert_eq!(read.as_deref(), Some("/a 'policy'.toml"));
            assert!(!script.is_edited(&text).unwrap(), "{text}");
        }
    }
}

//! Which references a remote's refspecs write when it is fetched from.
//!
//! libgit2 reads them, too, but stops at a remote by whose name git goes though no command would give it.

/// What `+SOURCE:DESTINATION` says, whose ends may have a `*` each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refspec {
    source: String,
    destination: String,
}

impl Refspec {
    /// `None` for one that writes nothing: that names no destination, or takes references out.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('+').unwrap_or(text);
        let (source, destination) = text.split_once(':')?;
        Some(Self {
            source: source.to_owned(),
            destination: destination.to_owned(),
        })
    }

    /// Whether it writes a reference of that name.
    pub fn writes(&self, name: &str) -> bool {
        matched(&self.destination, name).is_some()
    }

    /// Where it writes the reference that has that name on the other side.
    pub fn written(&self, name: &str) -> Option<String> {
        let part = matched(&self.source, name)?;
        Some(self.destination.replacen('*', part, 1))
    }
}

/// What stands in a name for the `*` of a pattern; nothing where the pattern has none.
fn matched<'n>(pattern: &str, name: &'n str) -> Option<&'n str> {
    match pattern.split_once('*') {
        Some((start, end)) => name.strip_prefix(start)?.strip_suffix(end),
        None => (pattern == name).then_some(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_git_writes_them() {
        for (text, name, written) in [
            (
                "+refs/heads/*:refs/remotes/o/*",
                "refs/heads/a/b",
                "refs/remotes/o/a/b",
            ),
            (
                "refs/pull/*/head:refs/remotes/o/pr/*",
                "refs/pull/7/head",
                "refs/remotes/o/pr/7",
            ),
            (
                "refs/heads/a:refs/remotes/o/b",
                "refs/heads/a",
                "refs/remotes/o/b",
            ),
        ] {
            let spec = Refspec::parse(text).unwrap();
            assert_eq!(spec.written(name).as_deref(), Some(written), "{text}");
            assert!(spec.writes(written), "{text}");
            for other in ["refs/heads", "refs/pull//hea", "refs/remotes/", "HEAD", ""] {
                assert_eq!(spec.written(other), None, "{text} {other}");
                assert!(!spec.writes(other), "{text} {other}");
            }
        }
        for nothing in ["refs/heads/*", "^refs/heads/a", "HEAD", ""] {
            assert_eq!(Refspec::parse(nothing), None, "{nothing}");
        }
    }
}

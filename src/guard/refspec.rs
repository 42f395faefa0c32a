//! Which references a remote's refspecs write when it is fetched from.
//!
//! libgit2 reads them, too, but stops at a remote by whose name git goes though no command would give it.

/// What `+SOURCE:DESTINATION` says, whose ends may have a `*` each, of where it writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refspec {
    destination: String,
}

impl Refspec {
    /// `None` for one that writes nothing: that names no destination, or takes references out.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('+').unwrap_or(text);
        let (_, destination) = text.split_once(':')?;
        Some(Self {
            destination: destination.to_owned(),
        })
    }

    /// Whether it writes a reference of that name.
    pub fn writes(&self, name: &str) -> bool {
        matched(&self.destination, name).is_some()
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
        for (text, written) in [
            ("+refs/heads/*:refs/remotes/o/*", "refs/remotes/o/a/b"),
            (
                "refs/pull/*/head:refs/remotes/o/pr/*",
                "refs/remotes/o/pr/7",
            ),
            ("refs/heads/a:refs/remotes/o/b", "refs/remotes/o/b"),
        ] {
            let spec = Refspec::parse(text).unwrap();
            assert!(spec.writes(written), "{text}");
            for other in ["refs/heads", "refs/pull//hea", "refs/remotes/", "HEAD", ""] {
                assert!(!spec.writes(other), "{text} {other}");
            }
        }
        for nothing in ["refs/heads/*", "^refs/heads/a", "HEAD", ""] {
            assert_eq!(Refspec::parse(nothing), None, "{nothing}");
        }
    }
}

//! Errors: what went wrong and where, never what was being read.

use std::fmt;
use std::path::{Path, PathBuf};

/// An error that stops what was asked. Its text names a path or a rule, never content.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    context: String,
}

/// What kind of thing failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file or folder could not be read or written.
    Io(std::io::Error),
    /// A rule file is not valid.
    Rules,
    /// The arguments do not make sense together.
    Usage,
    /// A git repository could not be made or read.
    Git,
}

impl Error {
    pub fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self {
            kind,
            context: context.into(),
        }
    }

    pub fn io(path: &Path, error: std::io::Error) -> Self {
        Self::new(ErrorKind::Io(error), path.display().to_string())
    }

    pub fn rules(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Rules, context)
    }

    pub fn usage(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, context)
    }

    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The same failure, said of another place, such as a file name for a rule's message.
    pub fn within(mut self, path: &Path) -> Self {
        let path: PathBuf = path.into();
        self.context = format!("{}: {}", path.display(), self.context);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::Io(error) => write!(f, "{}: {error}", self.context),
            ErrorKind::Rules | ErrorKind::Usage | ErrorKind::Git => f.write_str(&self.context),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Io(error) => Some(error),
            _ => None,
        }
    }
}

//! How the command ends.

use std::fmt;
use std::io;
use std::process::ExitCode;

/// What the exit code says. The graver outcome wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything was read and holds no secret.
    Clean = 0,
    Findings = 1,
    /// Something could not be done or read.
    Error = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not be carried out.
#[derive(Debug)]
pub enum Fault {
    Engine(keysweep::error::Error),
    Output(io::Error),
}

impl Fault {
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Takes a closed pipe for no fault: whoever read the output has seen enough, and what was found stays
/// found.
///
/// # Errors
/// When the output could not be written for another reason.
pub fn heard(written: Result<(), Fault>) -> Result<(), Fault> {
    match written {
        Err(fault) if fault.is_closed_pipe() => Ok(()),
        written => written,
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(error) => error.fmt(f),
            Self::Output(error) => write!(f, "writing the output: {error}"),
        }
    }
}

impl From<keysweep::error::Error> for Fault {
    fn from(error: keysweep::error::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_win_over_findings() {
        assert_eq!(Exit::Findings.max(Exit::Error), Exit::Error);
        assert_eq!(Exit::Clean.max(Exit::Findings), Exit::Findings);
    }
}

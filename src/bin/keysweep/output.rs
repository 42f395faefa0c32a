//! Where a report goes: standard output, or a file that is either the whole report or untouched.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use keysweep::error::Error;
use keysweep::pipeline::Outcome;
use keysweep::report::{self, Format, Style};
use keysweep::rules::RuleSet;
use tempfile::NamedTempFile;

use crate::exit::Fault;

/// An open destination.
pub enum Output {
    Stdout,
    /// A regular file, written beside its place and put there once it is whole.
    File {
        place: PathBuf,
    },
    /// A pipe or a device, which nothing can be put in the place of.
    Other {
        path: PathBuf,
        file: File,
    },
}

impl Output {
    /// Opens the destination before there is anything to write, so that a scan of an hour does not
    /// end at a folder that is not there.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn open(path: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = path else {
            return Ok(Self::Stdout);
        };
        let fail = |error| Error::io(path, error);
        match fs::metadata(path) {
            Ok(known) if known.is_dir() => Err(fail(io::ErrorKind::IsADirectory.into())),
            Ok(known) if !known.is_file() => {
                let file = File::options().write(true).open(path).map_err(fail)?;
                let path = path.into();
                Ok(Self::Other { path, file })
            }
            // What a link points to is written, not the link.
            Ok(_) => Self::file(path.canonicalize().map_err(fail)?).map_err(fail),
            Err(_) => Self::file(path.into()).map_err(fail),
        }
    }

    /// Opens a file by a name that nobody gave. A link by that name may be part of what is judged: the file is
    /// put in its place.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn open_own(name: &Path) -> Result<Self, Error> {
        let fail = |error| Error::io(name, error);
        if fs::symlink_metadata(name).is_ok_and(|known| known.is_dir()) {
            return Err(fail(io::ErrorKind::IsADirectory.into()));
        }
        Self::file(name.into()).map_err(fail)
    }

    /// Tries whether a draft can be made, and leaves none for the scan to come upon.
    fn file(place: PathBuf) -> io::Result<Self> {
        draft(&place)?.close()?;
        Ok(Self::File { place })
    }

    /// Writes a whole report.
    ///
    /// # Errors
    /// When it cannot be written; a file is then as it was before.
    pub fn write(
        self,
        format: Format,
        outcome: &Outcome,
        rules: &RuleSet,
        style: &Style,
    ) -> Result<(), Fault> {
        self.write_with(style, |out| {
            report::write(format, outcome, rules, style, out)
        })
    }

    /// Writes all that `page` writes.
    ///
    /// # Errors
    /// When it cannot be written; a file is then as it was before.
    pub fn write_with(
        self,
        style: &Style,
        page: impl Fn(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Fault> {
        let write = |out: &mut dyn Write| {
            let mut buffered = BufWriter::with_capacity(64 << 10, out);
            page(&mut buffered)?;
            buffered.flush()
        };
        match self {
            Self::Stdout => {
                let colour = match style.colour {
                    true => ColorChoice::Always,
                    false => ColorChoice::Never,
                };
                let mut out = AutoStream::new(io::stdout().lock(), colour);
                write(&mut out).map_err(Fault::Output)
            }
            Self::File { place } => draft(&place)
                .and_then(|mut draft| {
                    write(draft.as_file_mut())?;
                    draft.persist(&place).map_err(|error| error.error)
                })
                .map(drop)
                .map_err(|error| Error::io(&place, error).into()),
            Self::Other { path, mut file } => match write(&mut file) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    Err(Fault::Output(error))
                }
                written => written.map_err(|error| Error::io(&path, error).into()),
            },
        }
    }
}

fn draft(place: &Path) -> io::Result<NamedTempFile> {
    let folder = match place.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".keysweep-report-");
    // Like any new file: the umask decides who may read it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

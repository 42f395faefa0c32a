//! Files of a folder by their paths from it.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::stream::{self, Sizes};
use super::{Sink, Source};
use crate::error::Error;
use crate::ledger::Reason;
use crate::unit::{Origin, path_text};

/// Files to read as git would store them, reported by the paths under which they are listed: of a
/// symbolic link that is where it leads. What is neither, or no longer there, has no content and is
/// passed over.
pub struct Listed {
    pub root: PathBuf,
    pub files: Vec<PathBuf>,
}

impl Source for Listed {
    fn deliver(&self, sink: &dyn Sink) -> Result<(), Error> {
        let mut buffer = stream::Buffer::default();
        sink.expect(self.files.len() as u64);
        for name in &self.files {
            let origin = Origin::file(path_text(name.as_os_str().as_encoded_bytes()));
            match read(&self.root.join(name), &origin, &mut buffer, sink) {
                Ok(bytes) => sink.done(bytes),
                Err(error) => sink.leave_out(origin.path, Reason::Unreadable, &error.to_string()),
            }
        }
        Ok(())
    }
}

fn read(
    path: &Path,
    origin: &Origin,
    buffer: &mut stream::Buffer,
    sink: &dyn Sink,
) -> io::Result<u64> {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        // A file may stand where its folder was.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(0);
        }
        Err(error) => return Err(error),
    };
    let sizes = Sizes::default();
    if metadata.is_symlink() {
        let target = fs::read_link(path)?.into_os_string();
        let text = target.as_encoded_bytes();
        stream::read(origin, text, text.len() as u64, &sizes, buffer, sink)
    } else if metadata.is_file() {
        let file = File::open(path)?;
        stream::read(origin, file, metadata.len(), &sizes, buffer, sink)
    } else {
        Ok(0)
    }
}

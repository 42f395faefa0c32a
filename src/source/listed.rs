//! Files of a folder by their paths from it.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use super::stream::{self, Sizes};
use super::{Sink, Source};
use crate::error::Error;
use crate::ledger::Reason;
use crate::unit::Origin;

/// Files to read, reported by the paths under which they are listed. What is no regular file, or no
/// longer there, has no content and is passed over.
pub struct Listed {
    pub root: PathBuf,
    pub files: Vec<Arc<str>>,
}

impl Source for Listed {
    fn deliver(&self, sink: &dyn Sink) -> Result<(), Error> {
        let mut buffer = stream::Buffer::default();
        let sizes = Sizes::default();
        sink.expect(self.files.len() as u64);
        for name in &self.files {
            let path = self.root.join(&**name);
            let Some(metadata) = path.symlink_metadata().ok().filter(|m| m.is_file()) else {
                sink.done(0);
                continue;
            };
            let origin = Origin::file(name.clone());
            let read = File::open(&path).and_then(|file| {
                stream::read(&origin, file, metadata.len(), &sizes, &mut buffer, sink)
            });
            match read {
                Ok(bytes) => sink.done(bytes),
                Err(error) => sink.leave_out(name.clone(), Reason::Unreadable, &error.to_string()),
            }
        }
        Ok(())
    }
}

//! Where a stream is read from: a file, or standard input.

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use crate::cli::outcome::Failure;

/// Read at once where nothing else is asked for.
const CHUNK_BYTES: NonZeroUsize = NonZeroUsize::new(64 * 1024).unwrap();

/// The arguments that say what to read.
#[derive(Debug, clap::Args)]
// Its group would bear the same name as that of the command it is part of.
#[group(skip)]
pub(crate) struct Args {
    /// Read at most N bytes at a time
    #[arg(long, value_name = "N", default_value_t = CHUNK_BYTES)]
    chunk_size: NonZeroUsize,

    /// The response to read; standard input if omitted or `-`
    file: Option<PathBuf>,
}

impl Args {
    /// What is read, for messages.
    pub(crate) fn name(&self) -> String {
        match self.path() {
            Some(path) => path.display().to_string(),
            None => "standard input".into(),
        }
    }

    fn path(&self) -> Option<&Path> {
        self.file.as_deref().filter(|path| *path != Path::new("-"))
    }

    /// Reads to the end and hands over each chunk as soon as it has come.
    pub(crate) fn for_each_chunk(
        &self,
        mut f: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let fail = |error: io::Error| Failure::Usage(format!("{}: {error}", self.name()));
        let mut source: Box<dyn Read> = match self.path() {
            Some(path) => Box::new(File::open(path).map_err(fail)?),
            // Not the buffered handle: it would wait until its own buffer asks for more.
            None => Box::new(io::stdin().lock()),
        };
        let mut buffer = vec![0; self.chunk_size.get()];
        loop {
            match source.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(len) => f(&buffer[..len])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(fail(error)),
            }
        }
    }
}

/// All of standard input, which has to be text.
pub(crate) fn text() -> Result<String, Failure> {
    io::read_to_string(io::stdin().lock())
        .map_err(|error| Failure::Usage(format!("standard input: {error}")))
}

//! The streams that every binding in `ffi-examples` has to read, and what they give, as files.
//!
//! `cases.tsv` has a line for each case: `name  file  dialect  is_short`, with tabs between.
//! `file` lies beside it and is the body of a response; `dialect` is what the decoder is told, or
//! `auto`; `is_short` is 1 where tests cut it in two at every position, else 0. `NAME.lines` is what
//! a program prints that reads it through the C ABI: the lines of `deltawire deltas` with three
//! differences, which `decode_in_c` makes. `NAME.errors`, where there is one, has a line for each event
//! that cannot be decoded.
//!
//! The cases are the streams of `tests/streams` that need no other option, those of `tests/data`, and a
//! few recorded ones of each dialect where the recordings lie beside the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use deltawire::Dialect;

use super::decoding::{Recording, decode_in_c, decoder, recordings, streams};

/// Streams up to this many bytes are cut in two at every position.
const SHORT: usize = 400;

/// No recorded stream is longer: each is read in pieces of one byte, in languages that are slow at it.
const LONGEST: usize = 24_000;

/// Writes them all, and says how many there are.
pub fn write(folder: &Path) -> usize {
    fs::create_dir_all(folder).expect("a folder that can be made");
    let mut cases = Cases {
        folder: folder.to_owned(),
        table: String::new(),
        names: BTreeSet::new(),
    };

    for stream in streams() {
        if stream.max_event_bytes.is_none() {
            cases.write(&slug(&stream.name), stream.dialect, &stream.input);
        }
    }
    let data = crate::root("tests/data");
    let mut paths: Vec<PathBuf> = fs::read_dir(data)
        .expect("tests/data")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sse"))
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let body = fs::read(&path).expect("a readable stream");
        cases.write(&name, None, &body);
    }
    // `recordings` says itself where there are none.
    let recordings = recordings().unwrap_or_default();
    for dialect in Dialect::ALL {
        for recording in chosen(&recordings, *dialect) {
            cases.write(
                &slug(&recording.name),
                Some(recording.dialect),
                &recording.body,
            );
        }
    }
    fs::write(cases.folder.join("cases.tsv"), &cases.table).expect("a table that can be written");
    cases.names.len()
}

/// The folder, and what has been written to it so far.
struct Cases {
    folder: PathBuf,
    table: String,
    names: BTreeSet<String>,
}

impl Cases {
    fn write(&mut self, name: &str, dialect: Option<Dialect>, body: &[u8]) {
        let mut unique = name.to_owned();
        for number in 2.. {
            if self.names.insert(unique.clone()) {
                break;
            }
            unique = format!("{name}-{number}");
        }
        let outcome = decode_in_c(&mut decoder(dialect), [body]);
        self.file(&format!("{unique}.input"), body);
        self.file(&format!("{unique}.lines"), lines(&outcome.lines).as_bytes());
        if !outcome.errors.is_empty() {
            self.file(
                &format!("{unique}.errors"),
                lines(&outcome.errors).as_bytes(),
            );
        }
        let dialect = dialect.map_or("auto", |dialect| dialect.as_str());
        let is_short = u8::from(body.len() <= SHORT);
        self.table.push_str(&format!(
            "{unique}\t{unique}.input\t{dialect}\t{is_short}\n"
        ));
    }

    fn file(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.join(name), bytes).expect("a file that can be written");
    }
}

fn lines(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A name without what a shell or a file system minds: `document: heading` as `document-heading`.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(72);
    slug.trim_end_matches('-').to_owned()
}

/// The shortest, the middle one and the longest of a dialect's recordings, as far as they are not too
/// long.
fn chosen(recordings: &[Recording], dialect: Dialect) -> Vec<&Recording> {
    let mut fitting: Vec<&Recording> = recordings
        .iter()
        .filter(|recording| recording.dialect == dialect && recording.body.len() <= LONGEST)
        .collect();
    fitting.sort_by_key(|recording| recording.body.len());
    let (middle, last) = (fitting.len() / 2, fitting.len().wrapping_sub(1));
    let chosen = fitting.iter().enumerate();
    chosen
        .filter(|(at, _)| [0, middle, last].contains(at))
        .map(|(_, recording)| *recording)
        .collect()
}

//! The checked-in inputs of the fuzz targets, one archive each, which `fuzz/seeds` packs.

use std::fs::File;
use std::io::Read;

/// Returns the seeds of a fuzz target, each with its name.
pub fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let path = crate::root("fuzz/corpus").join(format!("{target}.tar"));
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut archive = tar::Archive::new(file);
    let entries = archive.entries().expect("an archive");
    let read = entries.map(|entry| {
        let mut entry = entry.expect("a whole archive");
        let name = entry.path().expect("a name").display().to_string();
        let mut seed = Vec::new();
        entry.read_to_end(&mut seed).expect("a whole archive");
        (name, seed)
    });
    read.collect()
}

//! The inputs that are checked in for the fuzz targets, with the oracles of these: what was found once
//! stays found.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use deltawire_test_support::oracles::{self, TARGETS};
use deltawire_test_support::seeds::seeds;

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(path)
}

/// The files of a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_seed_of_every_target_passes_its_oracle() {
    for (target, oracle) in TARGETS {
        let seeds = seeds(target);
        assert!(!seeds.is_empty(), "{target} has no seeds");
        for (name, input) in &seeds {
            let passed = catch_unwind(AssertUnwindSafe(|| oracle(input)));
            assert!(passed.is_ok(), "{target}/{name}");
        }
        println!("{target}: {} seeds", seeds.len());
    }
}

#[test]
fn every_target_is_replayed_and_every_corpus_has_a_target() {
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stems = |at: &str| -> BTreeSet<String> {
        let stem = |file: &PathBuf| file.file_stem().unwrap().to_string_lossy().into_owned();
        files(&folder(at)).iter().map(stem).collect()
    };
    assert_eq!(known, stems("fuzz_targets"));
    assert_eq!(known, stems("corpus"));
    let manifest = std::fs::read_to_string(folder("Cargo.toml")).unwrap();
    for target in known {
        assert!(
            manifest.contains(&format!("\nname = \"{target}\"\n")),
            "{target}"
        );
    }
}

/// An oracle that compares nothing finds nothing.
#[test]
fn seeds_reach_the_plain_reading_of_each_dialect() {
    let json = seeds("json");
    let streams: usize = json
        .iter()
        .map(|(_, input)| oracles::json::compare(input))
        .sum();
    let wholes = seeds("whole")
        .iter()
        .filter(|(_, input)| oracles::whole::compare(input))
        .count();
    println!("{streams} streams and {wholes} whole responses are compared");
    assert!(streams >= 10 && wholes >= 10, "{streams} and {wholes}");
    for dialect in oracles::plain::DIALECTS {
        let name = match dialect.as_str().trim_start_matches("openai-") {
            "chat" => "chat".to_owned(),
            other => other.to_owned(),
        };
        let (_, seed) = json.iter().find(|(seed, _)| *seed == name).expect("a seed");
        assert_eq!(oracles::json::compare(seed), 1, "{name}");
    }
}

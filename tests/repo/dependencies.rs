//! The crates that each set of features brings, with their versions and licences: those of
//! `tests/dependencies.tsv` and no others. `UPDATE_DEPENDENCIES=1` writes that file, and the
//! difference is the review.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

/// Sets of features, and what cargo calls them.
const SETS: [(&str, &[&str]); 7] = [
    ("none", &["--no-default-features"]),
    ("default", &[]),
    ("client", &["--features", "client"]),
    ("capi", &["--features", "capi"]),
    ("moderation", &["--features", "moderation"]),
    ("tokens", &["--features", "tokens"]),
    ("cli", &["--features", "cli"]),
];

/// What may be linked with code under MIT or Apache-2.0 by whoever keeps the notices. CDLA is that of
/// Mozilla's list of certificates, Unicode-3.0 of a table.
const LICENCES: [&str; 11] = [
    "MIT",
    "Apache-2.0",
    "ISC",
    "BSD-3-Clause",
    "BSL-1.0",
    "Zlib",
    "0BSD",
    "Unlicense",
    "CDLA-Permissive-2.0",
    "Unicode-3.0",
    "LLVM-exception",
];

/// Crate, version and licence of what a set of features brings on one system, what builds it among
/// them. From what is on this machine alone, and from the checked-in `Cargo.lock`.
fn crates(features: &[&str]) -> Vec<[String; 3]> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["tree", "--locked", "--offline", "--edges", "normal,build"]);
    cargo.args(["--target", "x86_64-unknown-linux-gnu"]);
    cargo.args(["--prefix", "none", "--no-dedupe", "--format", "{p}|{l}"]);
    let output = cargo.args(features).output().expect("cargo");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let tree = String::from_utf8(output.stdout).expect("UTF-8");
    let mut crates: Vec<[String; 3]> = tree
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (package, licence) = line.split_once('|').expect("a licence");
            let mut words = package.split(' ');
            let name = words.next().unwrap_or_default();
            let version = words.next().unwrap_or_default();
            // What follows tells of macros, and of sources other than the registry.
            let source = words.next();
            assert!(
                name == "deltawire" || matches!(source, None | Some("(proc-macro)")),
                "{package} is not from the registry"
            );
            [name, version.trim_start_matches('v'), licence].map(str::to_owned)
        })
        .filter(|[name, ..]| name != "deltawire")
        .collect();
    crates.sort();
    crates.dedup();
    crates
}

#[test]
fn no_set_of_features_brings_other_crates_than_the_list_has() {
    let mut counts = String::new();
    let mut all: BTreeMap<[String; 3], Vec<&str>> = BTreeMap::new();
    for (set, features) in SETS {
        let crates = crates(features);
        writeln!(counts, "# {set}\t{}", crates.len()).expect("a string");
        for one in crates {
            all.entry(one).or_default().push(set);
        }
    }
    let mut list = format!(
        "# Set of features, and how many crates it brings, on x86-64 Linux.\n{counts}\
         # crate\tversion\tlicence\tsets\n"
    );
    for ([name, version, licence], sets) in &all {
        writeln!(list, "{name}\t{version}\t{licence}\t{}", sets.join(" ")).expect("a string");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dependencies.tsv");
    if std::env::var_os("UPDATE_DEPENDENCIES").is_some() {
        std::fs::write(path, &list).expect("a file that can be written");
    }
    let known = std::fs::read_to_string(path).expect("tests/dependencies.tsv");
    assert_eq!(list, known, "the crates are not those of {path}");
}

#[test]
fn every_crate_has_a_licence_that_goes_with_this_one() {
    let all: BTreeSet<[String; 3]> = SETS.iter().flat_map(|(_, set)| crates(set)).collect();
    assert!(all.len() > 50, "{}", all.len());
    for [name, version, licence] in all {
        let words = licence.split([' ', '/', '(', ')']);
        let unknown: Vec<&str> = words
            .filter(|word| !matches!(*word, "" | "OR" | "AND" | "WITH"))
            .filter(|word| !LICENCES.contains(word))
            .collect();
        assert!(!licence.is_empty(), "{name} {version} has no licence");
        assert!(unknown.is_empty(), "{name} {version}: {unknown:?}");
    }
}

#[test]
fn security_md_says_how_many_there_are() {
    let page = include_str!("../../SECURITY.md");
    let row = page.lines().find(|line| line.starts_with("| 20 |"));
    let row = row.expect("the promise of few crates");
    for (set, features) in SETS {
        let words = match set {
            "none" => "without features",
            "default" | "capi" => "by default and for C",
            "moderation" => "with moderation",
            "tokens" => "with tokens",
            "client" => "with the client",
            _ => "with the command",
        };
        let said = format!(" {} {words}", crates(features).len());
        assert!(row.contains(&said), "{set}: not{said} in {row}");
    }
}

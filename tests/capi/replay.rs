//! Streams read from C, in every cutting and through every entrance: the same as from Rust.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use crate::toolchain::{checked_library, folder, program, runner, stage};
use deltawire_test_support::decoding::{Outcome, decode_in_c, decoder, recordings, streams};

struct Case {
    name: String,
    dialect: String,
    max_event_bytes: usize,
    path: PathBuf,
    reads: Option<Vec<usize>>,
    expected: Outcome,
    is_short: bool,
}

/// The project's own streams, written to files, and the recorded ones.
fn cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(read_cases)
}

fn read_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let files = folder().join("streams");
    std::fs::create_dir_all(&files).expect("a folder for streams");
    for (at, stream) in streams().into_iter().enumerate() {
        let path = files.join(at.to_string());
        std::fs::write(&path, &stream.input).expect("a stream that can be written");
        cases.push(Case {
            dialect: stream.dialect.map_or("auto", |it| it.as_str()).into(),
            max_event_bytes: stream.max_event_bytes.unwrap_or(0),
            path,
            reads: None,
            expected: decode_in_c(&mut stream.decoder(), [&stream.input[..]]),
            is_short: stream.input.len() <= 1500,
            name: stream.name,
        });
    }
    for recording in recordings().unwrap_or_default() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
        cases.push(Case {
            dialect: "auto".into(),
            max_event_bytes: 0,
            path: corpus.join(&recording.name),
            reads: recording.reads,
            expected: decode_in_c(&mut decoder(None), [&recording.body[..]]),
            is_short: recording.body.len() <= 1500,
            name: recording.name,
        });
    }
    cases
}

/// Runs the jobs of all cases in one process and holds what it prints against what is expected.
fn check(program: &Path, jobs: &[(&Case, &str, String)]) {
    let mut lines = String::new();
    for (case, how, sizes) in jobs {
        let (dialect, max) = (&case.dialect, case.max_event_bytes);
        let path = case.path.display();
        writeln!(lines, "{dialect} {max} {how} {sizes} {path}").expect("a string");
    }
    let mut command = runner(program);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program that was compiled");
    let mut stdin = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("the program's end");
    assert!(output.status.success(), "{command:?}: {}", output.status);
    writer
        .join()
        .expect("no panic")
        .expect("a program that reads all jobs");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let mut printed = printed.split("====\n");
    for (case, how, sizes) in jobs {
        let (errors, lines): (Vec<&str>, Vec<&str>) = printed
            .next()
            .expect("an answer to every job")
            .lines()
            .partition(|line| line.starts_with('!'));
        let at = format!("{} by {how} in pieces of {sizes:.40}", case.name);
        assert_eq!(lines, case.expected.lines, "{at}");
        let errors: Vec<&str> = errors.iter().map(|line| &line[1..]).collect();
        assert_eq!(errors, case.expected.errors, "{at}");
    }
}

fn jobs(cases: &[Case]) -> Vec<(&Case, &'static str, String)> {
    let mut jobs = Vec::new();
    for case in cases {
        for how in ["input", "window", "batch", "window-batch"] {
            for size in [usize::MAX / 2, 1, 7, 64] {
                jobs.push((case, how, size.to_string()));
            }
            if let Some(reads) = &case.reads {
                let sizes: Vec<String> = reads.iter().map(usize::to_string).collect();
                jobs.push((case, how, sizes.join(",")));
            }
        }
    }
    jobs
}

#[test]
fn every_stream_reads_from_c_as_it_does_from_rust_however_it_is_cut() {
    let source = "tests/capi/c/replay.c";
    let Some(program) = program(source, "replay", &[checked_library()]) else {
        return;
    };
    let cases = cases();
    let jobs = jobs(cases);
    check(&program, &jobs);
    println!("{} streams, {} cuttings", cases.len(), jobs.len());
}

#[test]
fn every_cut_in_two_of_short_streams_reads_the_same_from_c() {
    let source = "tests/capi/c/replay.c";
    let Some(program) = program(source, "halves", &[checked_library()]) else {
        return;
    };
    let cases = cases();
    let short = cases.iter().filter(|case| case.is_short);
    let jobs: Vec<_> = short
        .flat_map(|case| ["input", "batch", "window"].map(|how| (case, how, "halves".into())))
        .collect();
    assert!(jobs.len() > 300, "short streams");
    check(&program, &jobs);
    println!("{} streams", jobs.len() / 3);
}

#[test]
fn the_static_library_as_it_is_shipped_reads_every_stream() {
    let source = "tests/capi/c/replay.c";
    let library = stage().join("lib/libdeltawire.a");
    let Some(program) = program(source, "replay-shipped", &[&library]) else {
        return;
    };
    let cases = cases();
    let jobs: Vec<_> = cases
        .iter()
        .flat_map(|case| ["4096", "100"].map(|sizes| (case, "batch", sizes.to_owned())))
        .collect();
    check(&program, &jobs);
}

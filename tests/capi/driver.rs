//! `ffi-examples/run`: what has failed is seen to fail, and no number of a wrong reply is published.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::toolchain::{compiler, folder, root, stage};
use deltawire_test_support::cases;

/// A folder with the driver and languages that are made up: `check` is a script that is given the words
/// of the driver.
struct Driver {
    folder: PathBuf,
}

impl Driver {
    /// `None`, and a line that says so, where there is no Python.
    fn new(name: &str) -> Option<Driver> {
        if Command::new("python3").arg("--version").output().is_err() {
            println!("SKIPPED: no python3");
            return None;
        }
        let folder = folder().join("driver").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        for file in ["run", "speed.py"] {
            let from = root().join("ffi-examples").join(file);
            fs::copy(from, folder.join(file)).expect("a copy");
        }
        let readme = "<!-- machine -->\n<!-- /machine -->\n<!-- speed -->\n<!-- /speed -->\n\
                      <!-- goals -->\n<!-- /goals -->\n";
        fs::write(folder.join("README.md"), readme).expect("a file");
        let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"Grüß\"}}]}\n\n".repeat(3);
        fs::write(folder.join("bench.sse"), stream).expect("a file");
        Some(Driver { folder })
    }

    /// A language whose `check test` and `check bench` are these lines of shell.
    fn language(&self, name: &str, needs: &str, test: &str, bench: &str) {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).expect("a folder");
        let script = format!(
            "#!/bin/sh\ncase $1 in\nneeds) {needs} ;;\nversion) echo Made up 1.0 ;;\n\
             test) {test} ;;\nbench) {bench} ;;\nesac\n"
        );
        let path = folder.join("check");
        fs::write(&path, script).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        // Nothing is built: none of these looks at the library.
        Command::new(self.folder.join("run"))
            .args(arguments)
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .env("DELTAWIRE_PREFIX", &self.folder)
            .env("DELTAWIRE", "/bin/sh")
            .env("DELTAWIRE_CASES", &self.folder)
            .env("DELTAWIRE_STREAM", self.folder.join("bench.sse"))
            .env("DELTAWIRE_LIMIT", "2")
            .output()
            .expect("python3")
    }

    fn file(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(name)).ok()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Exit status, closing line, and what was printed before it.
fn outcome(output: &Output) -> (Option<i32>, String, String) {
    let printed = text(&output.stdout);
    let last = printed.lines().last().unwrap_or_default().to_owned();
    (output.status.code(), last, printed)
}

#[test]
fn a_language_that_failed_in_any_way_makes_the_driver_fail() {
    let Some(driver) = Driver::new("tests") else {
        return;
    };
    let fine = "echo 7 passed, 0 failed";
    driver.language("fine", ":", fine, ":");
    let (status, last, printed) = outcome(&driver.run(&[]));
    assert_eq!(status, Some(0), "{printed}");
    assert_eq!(last, "1 passed, 0 failed, 0 skipped");
    assert!(printed.contains("Made up 1.0"), "{printed}");

    for (name, needs, test) in [
        ("one-failed", ":", "echo 7 passed, 1 failed; exit 1"),
        ("failed-unsaid", ":", "echo 7 passed, 1 failed"),
        ("status", ":", "echo 7 passed, 0 failed; exit 3"),
        ("none-passed", ":", "echo 0 passed, 0 failed"),
        ("no-count", ":", "echo all is well"),
        ("not-last", ":", "echo 7 passed, 0 failed; echo bye"),
        ("hangs", ":", "echo 7 passed, 0 failed; sleep 60"),
        ("needs-broken", "exit 1", fine),
        ("needs-unsaid", "echo something", fine),
        (
            "no-version",
            ":; exit 0 ;; version) echo Made up; exit 1",
            fine,
        ),
    ] {
        driver.language(name, needs, test, ":");
        let output = driver.run(&["fine", name]);
        let (status, last, printed) = outcome(&output);
        assert_eq!(status, Some(1), "{name}: {printed}");
        assert_eq!(last, "1 passed, 1 failed, 0 skipped", "{name}: {printed}");
        assert!(text(&output.stderr).contains(&format!("{name}: failed")));
    }
}

#[test]
fn what_a_language_lacks_is_said_and_is_a_failure_where_all_have_to_run() {
    let Some(driver) = Driver::new("needs") else {
        return;
    };
    let needs = r"printf 'thing\tlibthing-dev\n'; exit 1";
    driver.language("lacks", needs, "echo 1 passed, 0 failed", ":");
    let (status, last, printed) = outcome(&driver.run(&["lacks"]));
    assert_eq!(status, Some(0), "{printed}");
    assert_eq!(last, "0 passed, 0 failed, 1 skipped");
    let said = "lacks: needs thing (package libthing-dev)";
    assert!(printed.contains(said), "{printed}");
    let (status, last, _) = outcome(&driver.run(&["--strict", "lacks"]));
    assert_eq!(status, Some(1));
    assert_eq!(last, "0 passed, 0 failed, 1 skipped");

    let output = driver.run(&["nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no language nowhere; there are: lacks"));
}

#[test]
fn only_rows_that_read_the_whole_stream_are_published() {
    let Some(driver) = Driver::new("bench") else {
        return;
    };
    let row = |name: &str, mode: &str, nanoseconds: u32, bytes: u32| {
        format!(r"printf '{name}\t{mode}\t{nanoseconds}\t3\t{bytes}\n';")
    };
    let own = row("deltawire", "16k", 100, 18) + &row("deltawire", "event", 200, 18);
    let peer = row("peer", "16k", 500, 18);
    driver.language("right", ":", ":", &format!("{own}{peer}"));
    for (name, bench) in [
        (
            "a-byte-short",
            format!("{own}{}", row("peer", "16k", 500, 17)),
        ),
        ("twice", format!("{own}{own}{peer}")),
        ("no-peer", own.clone()),
        ("no-own", peer.clone()),
        (
            "no-number",
            format!(r"{own}printf 'peer\t16k\tfast\t3\t18\n'"),
        ),
        ("no-time", format!("{own}{}", row("peer", "16k", 0, 18))),
        (
            "other-mode",
            format!("{own}{}", row("peer", "32k", 500, 18)),
        ),
        ("status", format!("{own}{peer} exit 1")),
    ] {
        driver.language(name, ":", ":", &bench);
        let (status, last, printed) = outcome(&driver.run(&["--bench", "right", name]));
        assert_eq!(status, Some(1), "{name}: {printed}");
        assert_eq!(last, "1 passed, 1 failed, 0 skipped", "{name}: {printed}");
        assert_eq!(driver.file("results.tsv"), None, "{name}");
    }

    let (status, _, printed) = outcome(&driver.run(&["--bench", "right"]));
    assert_eq!(status, Some(0), "{printed}");
    let readme = driver.file("README.md").expect("a README");
    assert!(readme.contains("| Made up 1.0 | deltawire | 0.100 | 0.200 |"));
    assert!(readme.contains("|  | peer | 0.500 (5.0×) |  |"), "{readme}");
    let results = driver.file("results.tsv").expect("results");
    assert!(results.contains("peer\t16k\t500.0\t3\t18"), "{results}");
    assert!(driver.file("speed.svg").is_some());

    // Slower than what it replaces: published, and no success.
    let slower = format!("{own}{}", row("peer", "event", 150, 18));
    driver.language("slower", ":", ":", &slower);
    let (status, _, printed) = outcome(&driver.run(&["--bench", "slower"]));
    assert_eq!(status, Some(1), "{printed}");
    let results = driver.file("results.tsv").expect("results");
    assert!(results.contains("right\t") && results.contains("slower\t"));
    let readme = driver.file("README.md").expect("a README");
    assert!(readme.contains("slower, peer, one event a piece | missed |"));
}

/// A binding whose lines are not the command's, by one byte.
#[test]
fn a_line_that_differs_by_a_byte_makes_its_language_fail() {
    if Driver::new("byte").is_none() || compiler("CC", "cc").is_none() {
        return;
    }
    let Some(command) = option_env!("CARGO_BIN_EXE_deltawire") else {
        return println!("SKIPPED: no command, feature `cli`");
    };
    let folder = folder().join("driver/byte");
    let written = folder.join("cases");
    cases::write(&written);
    // A few will do.
    let table = fs::read_to_string(written.join("cases.tsv")).expect("a table");
    let few: String = table.split_inclusive('\n').take(30).collect();
    fs::write(written.join("cases.tsv"), few).expect("a table");
    let run = |cases: &Path| {
        let output = Command::new(root().join("ffi-examples/run"))
            .arg("c")
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .env("DELTAWIRE_PREFIX", stage())
            .env("DELTAWIRE", command)
            .env("DELTAWIRE_CASES", cases)
            .output()
            .expect("python3");
        (
            output.status.code(),
            text(&output.stdout) + &text(&output.stderr),
        )
    };
    let (status, printed) = run(&written);
    if printed.contains("c: needs") {
        return println!("SKIPPED: {printed}");
    }
    assert_eq!(status, Some(0), "{printed}");

    let path = written.join("anthropic-text.lines");
    let lines = fs::read_to_string(&path).expect("lines");
    fs::write(&path, lines.replacen("\"text\"", "\"texT\"", 1)).expect("lines");
    let (status, printed) = run(&written);
    assert_eq!(status, Some(1), "{printed}");
    assert!(
        printed.contains("prints_the_case, anthropic-text"),
        "{printed}"
    );
    assert!(
        printed.contains("reads_the_case, anthropic-text"),
        "{printed}"
    );
}

//! Programs in C, and the libraries they are linked with.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// Where everything is built that is built here, with a target folder of its own: the one of the
/// running tests may be locked.
pub(crate) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("capi");
    std::fs::create_dir_all(&folder).expect("a folder for what tests build");
    folder
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn words(variable: &str) -> Vec<String> {
    let value = std::env::var(variable).unwrap_or_default();
    value.split_whitespace().map(str::to_owned).collect()
}

/// Runs a program to its end, which has to be a good one.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The compiler; `None`, and a line that says so, where there is none.
pub(crate) fn compiler(variable: &str, default: &str) -> Option<Command> {
    let mut name = words(variable);
    if name.is_empty() {
        name.push(default.to_owned());
    }
    let mut version = Command::new(&name[0]);
    version
        .args(&name[1..])
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if !version.status().is_ok_and(|status| status.success()) {
        println!("SKIPPED: no compiler {}", name.join(" "));
        return None;
    }
    let mut command = Command::new(&name[0]);
    command.args(&name[1..]);
    Some(command)
}

fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).env("CARGO_TARGET_DIR", folder());
    // Of the run that builds the tests, which is none of this one's business.
    cargo
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo
}

/// The static library with debug assertions, overflow checks and `dw_test_panic`, which is in no
/// library that is shipped.
pub(crate) fn checked_library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let arguments = "rustc --quiet --locked --lib --features capi --crate-type staticlib \
                         --config profile.dev.opt-level=1 -- --cfg deltawire_test_panic";
        run(cargo().args(arguments.split_whitespace()));
        folder().join("debug/libdeltawire.a")
    })
}

/// What `ffi-examples/stage` installs.
pub(crate) fn stage() -> &'static Path {
    static STAGE: OnceLock<PathBuf> = OnceLock::new();
    STAGE.get_or_init(|| {
        let prefix = folder().join("stage");
        let mut stage = Command::new(root().join("ffi-examples/stage"));
        run(stage.arg(&prefix).env("CARGO_TARGET_DIR", folder()));
        prefix
    })
}

/// Compiles a program of this project with the options that hold for all; `None` where there is no
/// compiler.
pub(crate) fn program(source: &str, name: &str, arguments: &[&Path]) -> Option<PathBuf> {
    let is_cpp = source.ends_with(".cpp");
    let mut compiler = if is_cpp {
        compiler("CXX", "c++")
    } else {
        compiler("CC", "cc")
    }?;
    let path = folder().join(name);
    compiler.arg(if is_cpp { "-std=c++17" } else { "-std=c99" });
    compiler.args(["-g", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic"]);
    compiler.args(words("DW_TEST_CFLAGS"));
    compiler.arg("-I").arg(root().join("include"));
    compiler
        .arg("-o")
        .arg(&path)
        .arg(root().join(source))
        .args(arguments);
    // What `rustc --print native-static-libs` names, so far as it is not there anyway.
    compiler.args(["-lpthread", "-ldl", "-lm"]);
    run(&mut compiler);
    Some(path)
}

/// The command that runs a program, under another one where that is wanted.
pub(crate) fn runner(program: &Path) -> Command {
    let mut words = words("DW_TEST_RUNNER").into_iter();
    match words.next() {
        None => Command::new(program),
        Some(runner) => {
            let mut command = Command::new(runner);
            command.args(words).arg(program);
            command
        }
    }
}

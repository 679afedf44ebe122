//! Every command in a Markdown file of the repository is run, or the table below says why it is not.
//!
//! A command is a line of a block `sh` or `console`, or of an indented block. Those that run do so in a
//! copy of the tree, with the built `deltawire` on the path. In a block `console` lines with `$` are
//! commands, and what they print has to be what stands below them; the port that a block gives to a server
//! is exchanged for a free one, so that two runs on one machine do not meet. C, C++ and Python in the documents is
//! given to a compiler, where there is one.
//!
//! `DELTAWIRE_LONG=1` runs the long ones too, as `.ci/run commands` does.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use self::How::{Long, Not, Runs, Stage, With};

pub(super) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What becomes of a command that is not in a block `console`.
#[derive(Debug, Clone, Copy)]
enum How {
    /// It is run here.
    Runs,
    /// It is run here where `DELTAWIRE_LONG` is set: minutes of building.
    Long,
    /// The same, where this succeeds: what it needs is there.
    With(&'static str),
    /// A stage of `.ci/run` does what it does.
    Stage(&'static str),
    /// It is not run, for this reason.
    Not(&'static str),
}

const CHANGES: &str = "renews what is checked in; the test that holds it is in stage test or capi";
const ASKS: &str = "asks a provider, with a key";
const LANGUAGE: &str =
    "fetches packages or has its own folders; .ci/run languages runs these programs in its way";
const CSHARP: &str = "mcs --version && mono --version";
const GO: &str = "go version";
const ZIG: &str = "zig version";

/// How each command begins; the longest beginning counts.
const COMMANDS: &[(&str, How)] = &[
    (".ci/run ", Not("is all stages itself")),
    ("OPENAI_API_KEY=", Not(ASKS)),
    (
        "RUSTC_BOOTSTRAP=1 cargo fuzz run ",
        Not("runs until it is stopped"),
    ),
    ("UPDATE_ABI=1 ", Not(CHANGES)),
    ("UPDATE_HEADER=1 ", Not(CHANGES)),
    ("../../target/deltas ", With(ZIG)),
    ("binding=", With(CSHARP)),
    ("c++ -std=c++17 ffi-examples/cpp/deltas.cpp ", Long),
    ("c++ -std=c++17 -pthread ffi-examples/cpp/chat.cpp ", Long),
    ("cargo add ", Not("changes the reader's own crate")),
    ("cargo clippy ", Stage("lint")),
    ("cargo fmt --check ", Stage("format")),
    (
        "cargo install cargo-fuzz ",
        Not("installs a program for good"),
    ),
    (
        "cargo install --path ",
        Not("installs the command for the user"),
    ),
    ("cargo run --release --features cli -- demo ", Stage("demo")),
    (
        "cargo run --release --manifest-path examples/gateway/Cargo.toml -- measure ",
        Not("takes minutes, and prints times"),
    ),
    (
        "cargo run --manifest-path examples/gateway/Cargo.toml -- --upstream ",
        Not("serves until it is stopped"),
    ),
    (
        "cargo run --manifest-path examples/async/Cargo.toml ",
        Not(ASKS),
    ),
    ("cargo test --all-features ", Stage("test")),
    ("cargo test --all-features --test repo ", Stage("repo")),
    ("cargo test --manifest-path examples/", Stage("examples")),
    ("cc ffi-examples/c/", Long),
    ("cd ffi-examples/csharp ", With(CSHARP)),
    ("cd ffi-examples/go ", With(GO)),
    ("cd ffi-examples/node ", Not(LANGUAGE)),
    ("cd ffi-examples/zig ", With(ZIG)),
    ("export ", Runs),
    ("ffi-examples/java/check ", Not(LANGUAGE)),
    (
        "ffi-examples/php/",
        With("php -r 'exit(extension_loaded(\"ffi\") ? 0 : 1);'"),
    ),
    ("ffi-examples/ruby/", With("ruby -rfiddle -e 1")),
    (
        "ffi-examples/run ",
        Not("tests every language that is installed: minutes"),
    ),
    ("ffi-examples/stage ", Long),
    ("fuzz/run ", Stage("fuzz")),
    ("fuzz/seeds ", Runs),
    ("go run ./cmd/deltas ", With(GO)),
    ("luajit ", With("luajit -v")),
    ("mcs ", With(CSHARP)),
    ("mkdir -p fuzz/found ", Runs),
    ("mono ", With(CSHARP)),
    ("node ", Not(LANGUAGE)),
    ("perl ", With("perl -MFFI::Platypus -e 1")),
    ("pip install ", Not(LANGUAGE)),
    ("python ", Not(LANGUAGE)),
    ("run ", Not(LANGUAGE)),
    ("run() ", Not(LANGUAGE)),
    ("target/deltas ", Long),
    ("zig ", With(ZIG)),
];

/// Pieces of C that are no whole file, by how they begin, with what has to stand around them. Without
/// anything around it a piece is shown as what is replaced.
const PIECES: &[(&str, Option<(&str, &str)>)] = &[
    (
        "dw_input input = { bytes, len, 0 };",
        Some((
            "#include <deltawire.h>\n#include <stdio.h>\n\
             void piece(dw_decoder *decoder, const uint8_t *bytes, size_t len) {\n\
             dw_status status; dw_delta delta;\n",
            "(void)status; }\n",
        )),
    ),
    (
        "dw_decoder *decoder = NULL;",
        Some((
            "#include <deltawire.h>\n#include <stdio.h>\n#include <unistd.h>\n\
             void piece(int fd) { static uint8_t bytes[64]; ssize_t len;\n",
            "}\n",
        )),
    ),
    (
        "deltawire::decoder decoder;",
        Some((
            "#include <deltawire.hpp>\n#include <string>\n#include <string_view>\n#include <vector>\n\
             void piece(const std::vector<std::string_view> &chunks, std::string &reply) {\n",
            "}\n",
        )),
    ),
    ("/* in libcurl's write callback */", None),
];

/// What blocks may say they are beside those that are looked at here.
const OTHER_LANGUAGES: [&str; 9] = [
    "csharp", "go", "java", "js", "lua", "perl", "php", "ruby", "zig",
];

/// A block of a document.
#[derive(Debug)]
pub(super) struct Block {
    /// The document and the line, for messages.
    pub(super) at: String,
    /// What stands behind the fence; `indented` for a block without one.
    pub(super) language: String,
    pub(super) text: String,
}

/// All Markdown files but those that are documents of tests.
fn documents() -> Vec<PathBuf> {
    let mut files = Vec::new();
    walk(Path::new(ROOT), &mut |path| {
        let is_test = path.starts_with(Path::new(ROOT).join("tests"));
        if path.extension() == Some(OsStr::new("md")) && !is_test {
            files.push(path.to_owned());
        }
    });
    files.sort();
    assert!(files.iter().any(|file| file.ends_with("README.md")));
    files
}

/// Every file that may belong to the repository.
pub(super) fn walk(folder: &Path, file: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let is_made = ["target", ".git", "node_modules", "found", "stage.tmp"]
            .iter()
            .any(|made| name == *made);
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() && !is_made {
            walk(&path, file);
        } else if kind.is_file() {
            file(&path);
        }
    }
}

pub(super) fn blocks() -> Vec<Block> {
    documents()
        .iter()
        .flat_map(|path| blocks_of(path))
        .collect()
}

fn blocks_of(path: &Path) -> Vec<Block> {
    let text = fs::read_to_string(path).expect("a document");
    let name = path.strip_prefix(ROOT).unwrap_or(path).display();
    let mut blocks: Vec<Block> = Vec::new();
    let mut fence: Option<usize> = None;
    let mut before = "";
    for (number, line) in (1..).zip(text.lines()) {
        let bare = line.trim_start();
        if let Some(language) = bare.strip_prefix("```") {
            if fence.take().is_none() {
                fence = Some(line.len() - bare.len());
                blocks.push(Block {
                    at: format!("{name}:{number}"),
                    language: language.trim().to_owned(),
                    text: String::new(),
                });
            }
        } else if let Some(indent) = fence {
            let block = blocks.last_mut().expect("the fence made one");
            block.text.push_str(line.get(indent..).unwrap_or_default());
            block.text.push('\n');
        } else if let Some(line) = line.strip_prefix("    ") {
            // Of a list's item or a table's row the line before says that it goes on.
            let goes_on = before.starts_with("    ");
            if before.is_empty() {
                blocks.push(Block {
                    at: format!("{name}:{number}"),
                    language: "indented".to_owned(),
                    text: String::new(),
                });
            }
            if before.is_empty() || goes_on {
                let block = blocks
                    .last_mut()
                    .filter(|block| block.language == "indented");
                if let Some(block) = block {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
            }
        }
        before = line;
    }
    assert!(fence.is_none(), "{name}: a fence is left open");
    blocks
}

/// The commands of a block that is no console: a line each, with what goes on joined, and without the
/// words that explain it, which stand three spaces behind it.
fn commands(block: &Block) -> Vec<String> {
    let parts: Vec<&str> = block.text.split("\\\n").map(str::trim).collect();
    let joined = parts.join(" ");
    let command = |line: &str| {
        line.split("   ")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    joined
        .lines()
        .map(str::trim_start)
        .map(command)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

fn how(command: &str) -> Option<(&'static str, How)> {
    let command = format!("{command} ");
    let known = COMMANDS
        .iter()
        .filter(|(start, _)| command.starts_with(start));
    known.max_by_key(|(start, _)| start.len()).copied()
}

/// A copy of the tree that commands may change, and the path with the built command.
fn tree() -> &'static Path {
    static TREE: OnceLock<PathBuf> = OnceLock::new();
    TREE.get_or_init(|| {
        let tree = Path::new(env!("CARGO_TARGET_TMPDIR")).join("markdown");
        let _ = fs::remove_dir_all(&tree);
        walk(Path::new(ROOT), &mut |path| {
            let to = tree.join(path.strip_prefix(ROOT).expect("below the root"));
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            fs::copy(path, to).expect("a copy");
        });
        fs::create_dir_all(tree.join("target")).expect("a folder");
        tree
    })
}

/// Runs a script in the copy and gives all it prints, and whether it succeeded.
fn bash(script: &str) -> (String, bool) {
    let built = Path::new(env!("CARGO_BIN_EXE_deltawire"));
    let folder = built.parent().expect("a folder").to_owned();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let path = [folder].into_iter().chain(std::env::split_paths(&rest));
    let output = Command::new("bash")
        .args(["-c", &format!("exec 2>&1\n{script}")])
        .current_dir(tree())
        .env("PATH", std::env::join_paths(path).expect("a path"))
        .env(
            "CARGO_TARGET_DIR",
            built.ancestors().nth(2).expect("target"),
        )
        .env_remove("OPENAI_API_KEY")
        .env_remove("OPENAI_BASE_URL")
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (text, output.status.success())
}

#[test]
fn every_command_is_run_or_said_why_not() {
    let stages = fs::read_to_string(Path::new(ROOT).join(".ci/run")).unwrap_or_default();
    let runs_long = std::env::var_os("DELTAWIRE_LONG").is_some();
    let mut met = BTreeSet::new();
    let mut ran = 0;
    for block in blocks() {
        if !["sh", "indented"].contains(&block.language.as_str()) {
            continue;
        }
        let mut script = String::from("set -eu\n");
        for command in commands(&block) {
            let Some((start, how)) = how(&command) else {
                panic!(
                    "{}: `{command}` is not in the table of {}",
                    block.at,
                    file!()
                );
            };
            met.insert(start);
            let is_run = match how {
                Runs => true,
                Long => runs_long,
                With(probe) => {
                    runs_long && {
                        let is_there = bash(probe).1;
                        if !is_there {
                            println!("SKIPPED: {}: `{command}`, for want of `{probe}`", block.at);
                        }
                        is_there
                    }
                }
                Stage(name) => {
                    let stage = format!("\nstage_{name}() {{");
                    assert!(
                        stages.is_empty() || stages.contains(&stage),
                        "no stage {name}"
                    );
                    false
                }
                Not(why) => {
                    assert!(!why.is_empty());
                    false
                }
            };
            if is_run {
                script.push_str(&command);
                script.push('\n');
                ran += 1;
            }
        }
        let (printed, is_done) = bash(&script);
        assert!(is_done, "{}:\n{script}{printed}", block.at);
    }
    // A package from a registry has not all of the documents, nor the stages.
    let stale: Vec<&str> = COMMANDS
        .iter()
        .map(|(start, _)| *start)
        .filter(|start| !met.contains(start))
        .collect();
    assert!(
        stages.is_empty() || stale.is_empty(),
        "no document has {stale:?}"
    );
    println!(
        "{ran} commands were run, {} beginnings are known",
        met.len()
    );
    if !runs_long {
        println!("SKIPPED: those that take minutes; DELTAWIRE_LONG=1 runs them");
    }
}

#[test]
fn consoles_show_what_is_printed() {
    let mut consoles = 0;
    for block in blocks().iter().filter(|block| block.language == "console") {
        consoles += 1;
        let mut shown = block.text.clone();
        for port in served_ports(&block.text) {
            shown = shown.replace(port, &free_port());
        }
        let mut script = String::from("trap 'kill $(jobs -p) 2>/dev/null' EXIT\n");
        for line in shown.lines() {
            let Some(command) = line.strip_prefix("$ ") else {
                continue;
            };
            // Shown as it was, then run.
            script.push_str(&format!("printf '%s\\n' {}\n{command}\n", quoted(line)));
            // What goes to the background gets time to begin.
            for port in served_ports(command) {
                script.push_str(&format!(
                    "for wait in $(seq 300); do\n\
                     (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && break; sleep 0.1\ndone\n"
                ));
            }
        }
        let (printed, _) = bash(&script);
        for (printed, shown) in printed.lines().zip(shown.lines()) {
            assert_eq!(steady(printed), steady(shown), "{}", block.at);
        }
        assert_eq!(
            printed.lines().count(),
            shown.lines().count(),
            "{}",
            block.at
        );
    }
    assert!(consoles > 0);
}

/// The ports that servers are told to listen on.
fn served_ports(text: &str) -> Vec<&str> {
    let behind = text.split("--port ").skip(1);
    behind
        .filter_map(|rest| rest.split_whitespace().next())
        .collect()
}

/// A port that nobody listens on.
fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener
        .local_addr()
        .expect("an address")
        .port()
        .to_string()
}

/// A line without what differs from run to run: times such as `3.04 s`, and the length of a row of
/// points or crosses, which is a time too.
fn steady(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in line.split(' ') {
        let is_time = |word: &String| word.contains('.') && word.parse::<f32>().is_ok();
        if word == "s" && words.last().is_some_and(is_time) {
            words.pop();
            words.push("TIME".to_owned());
        }
        // The space between a row and its time makes up for the row.
        if word.is_empty() && words.last().is_some_and(|last| last == "ROW") {
            continue;
        }
        let mut word = word.to_owned();
        if word.len() > 20 && word.bytes().all(|byte| matches!(byte, b'.' | b'#')) {
            word.truncate(0);
            word.push_str("ROW");
        }
        words.push(word);
    }
    words.join(" ")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[test]
fn code_in_other_languages_compiles() {
    for block in blocks() {
        let language = block.language.as_str();
        let text = &block.text;
        match language {
            "c" | "cpp" => {
                let whole = if text.contains("#include <deltawire") {
                    text.clone()
                } else {
                    let piece = PIECES.iter().find(|(start, _)| text.starts_with(start));
                    let Some((_, around)) = piece else {
                        panic!("{}: neither a file nor a piece that is known", block.at);
                    };
                    let Some((before, behind)) = around else {
                        continue;
                    };
                    // Three points stand for what the reader does.
                    format!(
                        "{before}{}{behind}",
                        text.replace("    ...", "    (void)0;")
                    )
                };
                let (compiler, standard) = match language {
                    "c" => ("cc", "-std=c99"),
                    _ => ("c++", "-std=c++17"),
                };
                let name = if language == "c" { "c" } else { "c++" };
                let include = format!("-I{ROOT}/include");
                let args = [
                    standard,
                    "-D_POSIX_C_SOURCE=200809L",
                    "-fsyntax-only",
                    "-Wall",
                ];
                // A piece may end before it has used all that it has.
                let more = ["-Werror", "-Wno-unused-variable", &include, "-x", name, "-"];
                read_by(&block.at, compiler, &[&args[..], &more].concat(), &whole);
            }
            "python" => {
                let check = "import ast, sys; ast.parse(sys.stdin.read())";
                read_by(&block.at, "python3", &["-c", check], text);
            }
            "sh" | "console" | "indented" | "text" | "json" | "" => {}
            _ if language.starts_with("rust") || OTHER_LANGUAGES.contains(&language) => {}
            _ => panic!("{}: nothing is known of blocks of {language:?}", block.at),
        }
    }
}

/// Gives `input` to a program, which has to take it.
fn read_by(at: &str, program: &str, args: &[&str], input: &str) {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        println!("SKIPPED: {at}, no {program}");
        return;
    };
    let mut stdin = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut stdin, input.as_bytes()).expect("a reader");
    drop(stdin);
    let output = child.wait_with_output().expect("an end");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{at}: {complaint}\n{input}");
}

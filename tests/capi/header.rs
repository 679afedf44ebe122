//! `include/deltawire.h` is what cbindgen and the documentation of `src/capi` make of it.
//!
//!     UPDATE_HEADER=1 cargo test --all-features --test capi header
//!
//! writes it anew. The header is made section by section, a section of a file: its introduction is
//! the file's head, and macros, which Rust has not, stand there as a piece of C. What cbindgen writes
//! is only laid out again: short comments on one line, a function on as many as it needs.

use std::fmt::Write;
use std::path::Path;

use cbindgen::{Builder, Config, DocumentationLength, DocumentationStyle, Language, Style};

/// The files with a section each, in the header's order.
const SECTIONS: &[&str] = &[
    "version",
    "slice",
    "status",
    "names",
    "parser",
    "delta",
    "decoder",
    "message",
    "moderation",
    "client",
];

const LINE_LENGTH: usize = 100;

fn config() -> Config {
    let mut config = Config {
        language: Language::C,
        style: Style::Both,
        line_length: LINE_LENGTH,
        tab_width: 4,
        usize_is_size_t: true,
        no_includes: true,
        documentation_style: DocumentationStyle::Doxy,
        documentation_length: DocumentationLength::Full,
        ..Config::default()
    };
    config.function.must_use = Some("DW_NODISCARD".into());
    config
}

/// What a file's head says, and the macros in it.
fn head(source: &str) -> (String, String) {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let (mut text, mut macros) = (String::new(), String::new());
    let mut is_code = false;
    for line in lines {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match line {
            "```c" => is_code = true,
            "```" => is_code = false,
            line if is_code => macros = format!("{macros}{line}\n"),
            line => text = format!("{text}{line}\n"),
        }
    }
    (text.trim_end().to_owned(), macros)
}

fn section(folder: &Path, name: &str) -> String {
    let path = folder.join(format!("{name}.rs"));
    let source = std::fs::read_to_string(&path).expect("a file of src/capi");
    let (text, macros) = head(&source);
    let mut section = String::from("\n/*\n");
    for (at, line) in text.lines().enumerate() {
        let line = match at {
            0 => format!(" * ---- {line} {}", "-".repeat(90 - line.len())),
            _ => format!(" * {line}").trim_end().to_owned(),
        };
        writeln!(section, "{line}").expect("a string");
    }
    section.push_str(" */\n");
    if !macros.is_empty() {
        write!(section, "\n{macros}").expect("a string");
    }
    let mut config = config();
    // Also the types that no function of the section has.
    config.export.include = types(&source);
    let builder = Builder::new().with_config(config).with_src(&path);
    let mut items = Vec::new();
    builder
        .generate()
        .expect("items that C can have")
        .write(&mut items);
    section.push('\n');
    lay_out(&String::from_utf8(items).expect("text"), &mut section);
    section
}

fn types(source: &str) -> Vec<String> {
    let names = source.lines().filter_map(|line| {
        let rest = line
            .strip_prefix("pub struct ")
            .or(line.strip_prefix("pub enum "))?;
        rest.split_whitespace().next()
    });
    names.map(str::to_owned).collect()
}

fn lay_out(items: &str, out: &mut String) {
    let mut lines = items.trim().lines().peekable();
    while let Some(line) = lines.next() {
        let margin = &line[..line.len() - line.trim_start().len()];
        if line.trim() == "/**" {
            let text: Vec<&str> = lines
                .by_ref()
                .take_while(|line| line.trim() != "*/")
                .collect();
            let short = format!("{margin}/** {} */", text[0].trim().trim_start_matches("* "));
            if text.len() == 1 && short.len() <= LINE_LENGTH {
                writeln!(out, "{short}").expect("a string");
            } else {
                writeln!(out, "{line}\n{}\n{margin} */", text.join("\n")).expect("a string");
            }
        } else if margin.is_empty() && line.contains('(') || line == "DW_NODISCARD" {
            // A type is called by its name alone everywhere but where it is declared.
            let mut function = line.to_owned();
            while !function.ends_with(';') {
                let more = lines.next().expect("the rest of a function").trim();
                let space = if function.ends_with('(') { "" } else { " " };
                function = format!("{function}{space}{more}");
            }
            writeln!(out, "{}", wrapped(&function.replace("struct dw_", "dw_"))).expect("a string");
        } else {
            let is_declared = line.starts_with("typedef ");
            let line = if is_declared {
                line.to_owned()
            } else {
                line.replace("struct dw_", "dw_")
            };
            writeln!(out, "{line}").expect("a string");
        }
    }
}

/// A function on one line, else its arguments below each other.
fn wrapped(function: &str) -> String {
    if function.len() <= LINE_LENGTH {
        return function.to_owned();
    }
    let (name, arguments) = function.split_once('(').expect("arguments");
    let margin = " ".repeat(name.len() + 1);
    format!(
        "{name}({}",
        arguments.replace(", ", &format!(",\n{margin}"))
    )
}

fn generated() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/capi");
    let mut header = std::fs::read_to_string(folder.join("overview.h")).expect("the overview");
    for name in SECTIONS {
        header.push_str(&section(&folder, name));
    }
    header.push_str("\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
    header
}

#[test]
fn the_header_is_what_the_sources_make_of_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/deltawire.h");
    let generated = generated();
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&path, generated).expect("a header that can be written");
        return;
    }
    let header = std::fs::read_to_string(&path).expect("a header");
    for (at, (is, made)) in header.lines().zip(generated.lines()).enumerate() {
        assert_eq!(
            is,
            made,
            "line {} of the header; UPDATE_HEADER=1 writes it",
            at + 1
        );
    }
    assert_eq!(header, generated, "UPDATE_HEADER=1 writes the header");
}

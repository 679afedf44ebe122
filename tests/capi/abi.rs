//! What a program that was compiled yesterday relies on: symbols, layouts, versions.
//!
//!     UPDATE_ABI=1 cargo test --all-features --test capi abi
//!
//! writes the list of symbols anew; `CONTRIBUTING.md` says when.

use std::fmt::Write as _;
use std::mem::{align_of, offset_of, size_of};
use std::process::Command;

use deltawire::capi::{
    client::*, decoder::*, delta::*, message::*, moderation::*, parser::*, slice::*, status::*,
};

use crate::toolchain::{folder, program, root, run, runner, stage};

fn header() -> String {
    std::fs::read_to_string(root().join("include/deltawire.h")).expect("a header")
}

/// The functions that the header declares, in alphabetical order.
fn declared() -> Vec<String> {
    let header = header();
    let is_code = |line: &&str| !line.starts_with([' ', '/', '#', '}']);
    let mut names: Vec<String> = header
        .lines()
        .filter(is_code)
        .filter_map(|line| line.split_once('('))
        .filter_map(|(before, _)| before.rsplit([' ', '*']).next())
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

#[test]
fn the_library_has_the_functions_of_the_header_and_of_the_list_and_no_others() {
    let declared = declared();
    let path = root().join("tests/capi/symbols.txt");
    if std::env::var_os("UPDATE_ABI").is_some() {
        std::fs::write(&path, declared.join("\n") + "\n").expect("a list that can be written");
    }
    let listed = std::fs::read_to_string(path).expect("a list of symbols");
    let listed: Vec<&str> = listed.lines().collect();
    assert_eq!(
        declared, listed,
        "the header against tests/capi/symbols.txt"
    );
    let library = stage().join("lib/libdeltawire.so");
    let mut nm = Command::new("nm");
    let Ok(output) = nm.args(["-D", "--defined-only"]).arg(&library).output() else {
        println!("SKIPPED: no nm (package binutils)");
        return;
    };
    assert!(output.status.success(), "{nm:?}: {output:?}");
    let symbols = String::from_utf8(output.stdout).expect("names");
    let mut exported: Vec<&str> = symbols
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .collect();
    exported.sort_unstable();
    assert_eq!(
        exported, listed,
        "the library against tests/capi/symbols.txt"
    );
    println!("{} functions", listed.len());
}

/// A struct as Rust lays it out: its name, size and alignment, and its fields with their offsets.
struct Layout {
    name: &'static str,
    size: usize,
    align: usize,
    fields: Vec<(&'static str, usize)>,
}

macro_rules! layouts {
    ($($name:ident { $($field:ident),* })*) => {
        vec![$(Layout {
            name: stringify!($name),
            size: size_of::<$name>(),
            align: align_of::<$name>(),
            fields: vec![$((stringify!($field), offset_of!($name, $field))),*],
        }),*]
    };
}

fn layouts() -> Vec<Layout> {
    layouts! {
        dw_slice { ptr, len }
        dw_input { data, len, pos }
        dw_error { status, reserved0, offset, at, message, reserved }
        dw_parser_options { struct_size, framing, eof, reserved0, max_event_bytes }
        dw_item { kind, reserved0, offset, retry_ms, event, data, id, name, raw, reserved }
        dw_usage {
            known, reserved0, input_tokens, output_tokens, total_tokens, cached_tokens,
            cache_creation_tokens, reasoning_tokens
        }
        dw_delta {
            kind, choice, index, flags, finish_reason, error_kind, text, id, name, model, role, code,
            raw, usage, reserved
        }
        dw_decoder_options {
            struct_size, dialect, framing, eof, flags, reserved0, max_event_bytes, text_field,
            reasoning_field
        }
        dw_message_info {
            id, model, role, usage, choices, tool_calls, server_tool_calls, end, is_complete,
            error_kind, error_transient, error_code, error_message, reserved
        }
        dw_choice { index, finish_reason, finish_raw, text, reasoning, refusal, reserved }
        dw_tool_call { choice, index, id, name, arguments, reserved }
        dw_moderator_options { struct_size, unit, characters, max_held_bytes }
        dw_header { name, value }
        dw_client_options {
            struct_size, provider, base_url, key, api_version, proxy, ca_file, headers, headers_len,
            timeout_connect_ms, timeout_first_byte_ms, timeout_idle_ms, timeout_content_ms, retries,
            reserved0, max_response_bytes, decoder
        }
        dw_turn { role, content }
        dw_request {
            struct_size, flags, model, turns, turns_len, max_tokens, n, temperature, path, json
        }
        dw_failure {
            status, http_status, error_kind, transient, retry_after_ms, offset, message, code, said,
            request_id, body, reserved
        }
    }
}

/// The structs of the header with their fields, as its text has them.
fn structs() -> Vec<(String, Vec<String>)> {
    let header = header();
    let mut structs = Vec::new();
    let mut lines = header.lines();
    while let Some(line) = lines.next() {
        let start = line.strip_prefix("typedef struct ");
        let Some(name) = start.and_then(|rest| rest.strip_suffix(" {")) else {
            continue;
        };
        let fields = lines
            .by_ref()
            .take_while(|line| !line.starts_with('}'))
            .filter_map(|line| line.strip_suffix(';'))
            .filter_map(|line| line.rsplit([' ', '*']).next())
            .filter_map(|field| field.split('[').next())
            .map(str::to_owned)
            .collect();
        structs.push((name.to_owned(), fields));
    }
    structs
}

#[test]
fn structs_lie_in_c_as_they_lie_in_rust() {
    let layouts = layouts();
    let known: Vec<(String, Vec<String>)> = layouts
        .iter()
        .map(|it| {
            let fields = it.fields.iter().map(|(field, _)| (*field).to_owned());
            (it.name.to_owned(), fields.collect())
        })
        .collect();
    assert_eq!(
        structs(),
        known,
        "the structs of the header against those of this test"
    );
    let mut source = String::from(
        "#include <deltawire.h>\n#include <stdio.h>\n#define ALIGN(type) offsetof(struct { char c; \
         type it; }, it)\nint main(void) {\n",
    );
    let mut expected = String::new();
    for Layout {
        name,
        size,
        align,
        fields,
    } in &layouts
    {
        writeln!(expected, "{name} {size} {align}").expect("a string");
        writeln!(
            source,
            "printf(\"{name} %zu %zu\\n\", sizeof({name}), ALIGN({name}));"
        )
        .expect("a string");
        for (field, offset) in fields {
            writeln!(expected, "{name}.{field} {offset}").expect("a string");
            writeln!(
                source,
                "printf(\"{name}.{field} %zu\\n\", offsetof({name}, {field}));"
            )
            .expect("a string");
        }
    }
    source.push_str("return 0;\n}\n");
    let path = folder().join("layout.c");
    std::fs::write(&path, source).expect("a program that can be written");
    let path = path.to_str().expect("a path that is text");
    let Some(program) = program(path, "layout", &[]) else {
        return;
    };
    let output = run(&mut runner(&program));
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn the_versions_of_the_header_are_those_of_the_library() {
    let library = stage().join("lib/libdeltawire.a");
    let Some(program) = program("tests/capi/c/version.c", "version", &[&library]) else {
        return;
    };
    let output = run(&mut runner(&program));
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(printed.trim(), env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_example_of_the_header_prints_a_reply() {
    let header = header();
    let (_, from) = header.split_once("@code\n").expect("an example");
    let (example, _) = from.split_once(" * @endcode").expect("its end");
    let lines = example.lines();
    let code: Vec<&str> = lines.map(|line| line.trim_start_matches(" *")).collect();
    let path = folder().join("example.c");
    std::fs::write(&path, code.join("\n") + "\n").expect("a program that can be written");
    let path = path.to_str().expect("a path that is text");
    let library = stage().join("lib/libdeltawire.a");
    let Some(program) = program(path, "example", &[&library]) else {
        return;
    };
    let chat = std::fs::read(root().join("tests/data/serve-chat.sse")).expect("a stream");
    // One whose last line has no end, and one with an event that cannot be read.
    let cut = br#"{"message":{"content":"Hi"},"done":true}"#.to_vec();
    let broken = [b"data: {\n\n", &chat[..]].concat();
    for (stream, reply) in [(chat, "Grüß dich"), (cut, "Hi"), (broken, "Grüß dich")] {
        let path = folder().join("example.stream");
        std::fs::write(&path, stream).expect("a stream that can be written");
        let stream = std::fs::File::open(path).expect("a stream");
        let output = run(runner(&program).stdin(stream));
        assert_eq!(String::from_utf8_lossy(&output.stdout), reply);
    }
    assert!(code.len() <= 26, "an example of some twenty lines");
}

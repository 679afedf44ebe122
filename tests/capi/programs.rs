//! Programs in C and C++: tests that say themselves whether all is well, and `ffi-examples`.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::server::Server;
use crate::toolchain::{checked_library, folder, program, root, run, runner, stage};
use deltawire_test_support::decoding::{decode_in_c, decoder, streams};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn static_library() -> std::path::PathBuf {
    stage().join("lib/libdeltawire.a")
}

#[test]
fn misuse_does_what_the_header_says() {
    let source = "tests/capi/c/misuse.c";
    let Some(program) = program(source, "misuse", &[checked_library()]) else {
        return;
    };
    print!("{}", text(&run(&mut runner(&program)).stdout));
}

#[test]
fn the_cpp_header_keeps_its_promises_with_exceptions_and_without() {
    for (name, option) in [
        ("header_only", "-std=c++17"),
        ("header_only_20", "-std=c++20"),
        ("header_only_no_exceptions", "-fno-exceptions"),
    ] {
        let source = "tests/capi/c/header_only.cpp";
        let arguments = [Path::new(option), checked_library()];
        let Some(program) = program(source, name, &arguments) else {
            return;
        };
        print!("{name}: {}", text(&run(&mut runner(&program)).stdout));
    }
}

/// Programs that print deltas as the command does.
#[test]
fn the_examples_that_print_deltas_print_what_the_command_prints() {
    let (mut checked, streams) = (0, streams());
    for source in ["ffi-examples/c/deltas.c", "ffi-examples/cpp/deltas.cpp"] {
        let name = source.replace(['/', '.'], "-");
        let Some(program) = program(source, &name, &[&static_library()]) else {
            return;
        };
        let path = folder().join(format!("{name}.input"));
        // Those that need no options.
        for stream in streams.iter().step_by(5) {
            if stream.dialect.is_some() || stream.max_event_bytes.is_some() {
                continue;
            }
            std::fs::write(&path, &stream.input).expect("a stream that can be written");
            let expected = decode_in_c(&mut decoder(None), [&stream.input[..]]);
            let output = runner(&program).arg(&path).output().expect("a program");
            let lines = text(&output.stdout);
            assert_eq!(
                lines.lines().collect::<Vec<_>>(),
                expected.lines,
                "{}",
                stream.name
            );
            let complaints = text(&output.stderr);
            let complaints: Vec<&str> = complaints
                .lines()
                .filter_map(|line| line.strip_prefix("deltas: "))
                .collect();
            assert_eq!(complaints, expected.errors, "{}", stream.name);
            checked += 1;
        }
    }
    println!("{checked} streams");
    assert!(checked > 50);
}

#[test]
fn the_gateway_passes_every_byte_and_tells_what_went_through() {
    let source = "ffi-examples/c/gateway.c";
    let Some(program) = program(source, "gateway", &[&static_library()]) else {
        return;
    };
    for (file, report) in [
        (
            "serve-chat",
            "openai-chat complete: 7 events, 3 pieces, 9 tokens in, 4 tokens out, finish 0 stop\n",
        ),
        (
            "serve-error",
            "openai-chat truncated: 3 events, 1 pieces, error overloaded\n",
        ),
    ] {
        let path = root().join(format!("tests/data/{file}.sse"));
        let input = std::fs::File::open(&path).expect("a stream");
        let output = run(runner(&program).stdin(input));
        assert_eq!(output.stdout, std::fs::read(&path).expect("a stream"));
        assert_eq!(text(&output.stderr), report);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_parser_in_the_callers_memory_never_calls_malloc() {
    let forbidden = root().join("tests/capi/c/abort_malloc.c");
    let arguments = [forbidden.as_path(), &static_library()];
    let source = "ffi-examples/c/no_malloc.c";
    if !std::env::var("DW_TEST_CFLAGS")
        .unwrap_or_default()
        .is_empty()
    {
        println!("SKIPPED: sanitizers have an allocator of their own");
        return;
    }
    let Some(parser) = program(source, "no_malloc", &arguments) else {
        return;
    };
    // Cut by the program's reads, an ID, several lines of data, and one event that does not fit.
    let mut stream = b"id: 1\ndata: first\ndata: second\n\n: comment\n\n".repeat(100);
    stream.extend(format!("data: {}\n\ndata: last\n\n", "x".repeat(20_000)).bytes());
    let path = folder().join("no_malloc.input");
    std::fs::write(&path, &stream).expect("a stream that can be written");
    let input = std::fs::File::open(&path).expect("a stream");
    let output = run(runner(&parser).stdin(input));
    let expected = "first\nsecond\n".repeat(100) + "last\n";
    assert_eq!(text(&output.stdout), expected);
    assert_eq!(
        text(&output.stderr),
        "an event was larger than the limit and was skipped\n"
    );

    // That malloc does abort shows in a program that calls it.
    let decoder = program("ffi-examples/c/deltas.c", "some_malloc", &arguments).expect("as above");
    let output = Command::new(decoder).stdin(Stdio::null()).output();
    let output = output.expect("a program");
    assert!(!output.status.success());
    assert_eq!(text(&output.stderr), "malloc was called\n");
}

/// Runs a chat against a server that answers so: exit status, reply, complaint, request.
fn ask(program: &Path, status: &'static str, body: &[u8]) -> (Option<i32>, String, String, String) {
    let server = Server::start(status, body.to_vec());
    let mut command = chat_of(program, &server.base_url);
    let output = command.output().expect("a program");
    let request = server.requests.recv().expect("a request");
    let said = text(&output.stdout);
    (output.status.code(), said, text(&output.stderr), request)
}

fn chat_of(program: &Path, base_url: &str) -> Command {
    let mut command = runner(program);
    command
        .arg("Say \"hello\"")
        .env("OPENAI_BASE_URL", base_url);
    command
        .env("OPENAI_API_KEY", "key-1")
        .env("OPENAI_MODEL", "tiny-chat-1");
    command
}

/// What every chat has to do, whatever carries it.
fn check_chat(program: &Path, refused: i32) {
    let chat = std::fs::read(root().join("tests/data/serve-chat.sse")).expect("a stream");
    let refusal = br#"{"error":{"message":"Incorrect API key","code":"invalid_api_key"}}"#;
    let name = program.display();
    let (status, reply, _, request) = ask(program, "200 OK", &chat);
    assert_eq!((status, &*reply), (Some(0), "Grüß dich\n"), "{name}");
    assert!(
        request.starts_with("POST /v1/chat/completions "),
        "{request}"
    );
    let head = request.to_ascii_lowercase();
    assert!(
        head.contains("authorization: bearer key-1\r\n"),
        "{request}"
    );
    let (_, body) = request.split_once("\r\n\r\n").expect("a body");
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["messages"][0]["content"], "Say \"hello\"");
    assert_eq!(
        (&body["stream"], &body["model"]),
        (&true.into(), &"tiny-chat-1".into())
    );

    let (status, reply, _, _) = ask(program, "200 OK", &chat[..chat.len() - 16]);
    assert_eq!((status, &*reply), (Some(1), "Grüß dich\n"), "{name}");
    let (status, reply, complaint, _) = ask(program, "401 Unauthorized", refusal);
    assert_eq!((status, reply.trim()), (Some(refused), ""), "{name}");
    assert!(complaint.contains("Incorrect API key"), "{complaint}");
    assert!(!complaint.contains("key-1"), "{complaint}");
}

#[test]
fn a_chat_on_the_built_in_transport_prints_the_reply_and_says_what_was_wrong() {
    for source in ["ffi-examples/c/chat.c", "ffi-examples/cpp/chat.cpp"] {
        let name = source.replace(['/', '.'], "-");
        let Some(program) = program(source, &name, &[&static_library()]) else {
            return;
        };
        check_chat(&program, 3);
        // A base URL that is none, and a server that is not there.
        for (base_url, complaint) in [("nowhere", "nowhere"), ("http://127.0.0.1:1/v1", ":1/v1")] {
            let output = chat_of(&program, base_url).output().expect("a program");
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(3), "{said}");
            assert!(said.contains(complaint), "{said}");
        }
    }
}

#[test]
#[cfg(unix)]
fn control_c_ends_a_chat_that_waits_and_leaves_the_reply_so_far() {
    let source = "ffi-examples/c/chat.c";
    let Some(program) = program(source, "chat-cancelled", &[&static_library()]) else {
        return;
    };
    // A server that says a word and then no more.
    let word = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Well\"}}]}\n\n";
    let server = Server::start_and_wait("200 OK", word.to_vec());
    let mut command = chat_of(&program, &server.base_url);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("a program");
    let mut first = [0; 4];
    let stdout = child.stdout.as_mut().expect("a pipe");
    stdout.read_exact(&mut first).expect("the first word");
    assert_eq!(&first, b"Well");
    run(Command::new("kill").args(["-INT", &child.id().to_string()]));
    let output = child.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("cancelled"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn transport_misuse_and_cancelling_do_what_the_header_says() {
    let source = "tests/capi/c/transport.c";
    let Some(program) = program(source, "transport", &[&static_library()]) else {
        return;
    };
    let chat = std::fs::read(root().join("tests/data/serve-chat.sse")).expect("a stream");
    let complete = Server::start("200 OK", chat.clone());
    let waits = Server::start_and_wait("200 OK", chat[..200].to_vec());
    let refuses = Server::start("429 Too Many Requests", b"{\"error\":\"slow\"}".to_vec());
    let whole = br#"{"choices":[{"message":{"content":"2"},"finish_reason":"stop"}]}"#.to_vec();
    let whole = Server::start("200 OK", whole);
    let mut broken = Vec::new();
    for text in [r#""one""#, "nothing", r#""t\two""#] {
        let event = format!(r#"{{"choices":[{{"index":0,"delta":{{"content":{text}}}}}]}}"#);
        broken.extend(format!("data: {event}\n\n").bytes());
    }
    broken.extend(chat);
    let broken = Server::start_at_once("200 OK", broken);
    let mut command = runner(&program);
    for server in [&complete, &waits, &refuses, &whole, &broken] {
        command.arg(&server.base_url);
    }
    print!("{}", text(&run(&mut command).stdout));
}

#[test]
fn text_is_held_back_until_it_can_be_checked() {
    let source = "tests/capi/c/moderation.c";
    let Some(program) = program(source, "moderation", &[&static_library()]) else {
        return;
    };
    print!("{}", text(&run(&mut runner(&program)).stdout));
}

#[test]
fn a_library_without_the_transport_says_so() {
    let Some(program) = program("tests/capi/c/no_transport.c", "none", &[checked_library()]) else {
        return;
    };
    run(&mut runner(&program));
}

#[test]
fn a_chat_over_libcurl_prints_the_reply_and_says_what_was_wrong() {
    let curl = Command::new("pkg-config")
        .args(["--libs", "libcurl"])
        .output();
    let Ok(curl) = curl.as_ref().map(|output| text(&output.stdout)) else {
        return println!("SKIPPED: no pkg-config");
    };
    if curl.is_empty() {
        return println!("SKIPPED: no libcurl (package libcurl4-openssl-dev)");
    }
    let library = static_library();
    let mut arguments = vec![library.as_path()];
    arguments.extend(curl.split_whitespace().map(Path::new));
    for source in [
        "ffi-examples/c/curl_chat.c",
        "ffi-examples/cpp/curl_chat.cpp",
    ] {
        let name = source.replace(['/', '.'], "-");
        let Some(program) = program(source, &name, &arguments) else {
            return;
        };
        check_chat(&program, 1);
    }
}

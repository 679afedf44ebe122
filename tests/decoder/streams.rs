//! The streams of `tests/streams`: each gives what its document says, however it is cut.

use deltawire_test_support::decoding::{Stream, decode, decoder, streams};

/// Inputs up to this many bytes are cut in two at every position.
const SHORT: usize = 2048;

fn check(stream: &Stream, how: &str, chunks: &mut dyn Iterator<Item = &[u8]>) {
    let outcome = decode(&mut stream.decoder(), chunks);
    assert_eq!(outcome.lines, stream.lines, "{} ({how})", stream.name);
    assert_eq!(outcome.errors, stream.errors, "{} ({how})", stream.name);
}

#[test]
fn every_stream_gives_what_its_document_says() {
    let streams = streams();
    for stream in &streams {
        check(stream, "whole", &mut [&stream.input[..]].into_iter());
    }
    println!("{} streams", streams.len());
}

#[test]
fn no_size_of_pieces_changes_what_a_stream_gives() {
    for stream in &streams() {
        for size in 1..=64 {
            check(
                stream,
                &format!("in pieces of {size}"),
                &mut stream.input.chunks(size),
            );
        }
    }
}

#[test]
fn no_cut_in_two_changes_what_a_short_stream_gives() {
    let streams = streams();
    let short = streams.iter().filter(|stream| stream.input.len() <= SHORT);
    for stream in short {
        for at in 0..=stream.input.len() {
            let (left, right) = stream.input.split_at(at);
            check(
                stream,
                &format!("cut at {at}"),
                &mut [left, right].into_iter(),
            );
        }
    }
}

#[test]
fn a_decoder_that_is_reset_gives_the_same_again() {
    // One decoder for all of them, so that whatever one leaves behind shows in the next.
    let streams = streams();
    let mut recognising = decoder(None);
    for stream in streams.iter().chain(streams.iter().rev()) {
        let mut told = stream.decoder();
        let decoder = match (stream.dialect, stream.max_event_bytes) {
            (None, None) => &mut recognising,
            _ => &mut told,
        };
        for _ in 0..2 {
            decoder.reset();
            let outcome = decode(decoder, [&stream.input[..]]);
            assert_eq!(outcome.lines, stream.lines, "{}", stream.name);
        }
    }
}

/// Every provider's text must survive; what is printed must be JSON in the documented form.
#[test]
fn every_expected_line_is_json_with_its_type_first() {
    for stream in &streams() {
        for line in &stream.lines {
            let json: serde_json::Value =
                serde_json::from_str(line).unwrap_or_else(|e| panic!("{}: {e}", stream.name));
            let first = json["type"].as_str().expect("a type");
            assert!(line.starts_with(&format!(r#"{{"type":"{first}""#)));
        }
        let last = stream.lines.last().expect("an outcome");
        assert!(last.starts_with(r#"{"type":"end","#), "{}", stream.name);
    }
}

#[cfg(feature = "cli")]
#[test]
fn the_command_prints_the_lines_byte_for_byte() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    for stream in &streams() {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deltawire"));
        command.arg("deltas");
        if let Some(dialect) = stream.dialect {
            command.args(["--dialect", dialect.as_str()]);
        }
        if let Some(max) = stream.max_event_bytes {
            command.args(["--max-event-bytes", &max.to_string()]);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(&stream.input).expect("a reader");
        drop(stdin);
        let output = child.wait_with_output().expect("an end");
        let mut expected = stream.lines.join("\n");
        expected.push('\n');
        let name = &stream.name;
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{name}");
        let told = String::from_utf8_lossy(&output.stderr);
        for error in &stream.errors {
            assert!(told.contains(error.as_str()), "{name}: {told}");
        }
        let is_fine = stream.errors.is_empty()
            && expected.ends_with("{\"type\":\"end\",\"complete\":true,\"invalid\":0}\n")
            && !expected.contains("{\"type\":\"error\",");
        assert_eq!(
            output.status.code(),
            Some(i32::from(!is_fine)),
            "{name}: {told}"
        );
        assert!(!is_fine || told.is_empty(), "{name}: {told}");
    }
}

//! No bytes make a decoder panic, and no cutting of them changes what it says.

use deltawire::frame::Eof;
use deltawire::{Decoder, Dialect, Message, Options};
use deltawire_test_support::decoding::{decode, decoder, pieces, streams};
use proptest::prelude::*;

/// Bytes that mean something to a framing, to JSON or to a dialect, among any others.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "data: ",
        "data:",
        "event: error\n",
        "error: ",
        "id: 1\n",
        ": c\n",
        "\n\n",
        "\n",
        "\r",
        "\r\n",
        "[DONE]",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\ud83d",
        "\\u0000",
        "null",
        "NaN",
        "-",
        "1e400",
        "123456789012345678901234567890",
        "\"choices\":",
        "\"delta\":{",
        "\"content\":\"a\"",
        "\"tool_calls\":[{",
        "\"index\":-1",
        "\"arguments\":{\"a\":[1]}",
        "\"error\":",
        "\"usage\":{\"prompt_tokens\":",
        "\"finish_reason\":\"stop\"",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n",
        "\u{FEFF}",
        "é😀",
    ]);
    let piece = prop_oneof![
        4 => words.prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// One of the project's own streams with some of its bytes changed, dropped, doubled or cut off.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let inputs: Vec<Vec<u8>> = streams().into_iter().map(|stream| stream.input).collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), 0..5u8, any::<u8>()), 1..6);
    (prop::sample::select(inputs), changes).prop_map(|(mut bytes, changes)| {
        for (index, what, byte) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = index.index(bytes.len());
            match what {
                0 => bytes[at] = byte,
                1 => {
                    bytes.remove(at);
                }
                2 => bytes.insert(at, byte),
                3 => bytes.truncate(at),
                _ => {
                    let tail = bytes[at..].to_vec();
                    bytes.extend(tail);
                }
            }
        }
        bytes
    })
}

fn dialect() -> impl Strategy<Value = Option<Dialect>> {
    prop::option::of(prop::sample::select(Dialect::ALL))
}

fn check(bytes: &[u8], cuts: &[usize], dialect: Option<Dialect>) -> Result<(), TestCaseError> {
    let whole = decode(&mut decoder(dialect), [bytes]);
    let cut = decode(
        &mut decoder(dialect),
        pieces(bytes, cuts.iter().copied().cycle()),
    );
    prop_assert_eq!(&whole, &cut);
    let mut options = Options::default();
    options.dialect = dialect;
    options.max_event_bytes = 40;
    options.eof = Eof::Discard;
    let mut small = Decoder::with_options(options);
    let whole = decode(&mut small, [bytes]);
    small.reset();
    let cut = decode(&mut small, pieces(bytes, cuts.iter().copied().cycle()));
    prop_assert_eq!(whole, cut);
    // A message of whatever came, and of the bytes taken for a whole response.
    let _ = Message::from_response(bytes);
    let mut message = Message::new();
    let mut decoder = decoder(dialect);
    let mut input = bytes;
    while let Some(delta) = decoder.next(&mut input) {
        message.push(&delta);
    }
    let _ = message.tool_calls();
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        // PROPTEST_CASES asks for more.
        cases: ProptestConfig::default().cases.max(1024),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_bytes_at_all_are_too_much(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        cuts in prop::collection::vec(1..40usize, 1..4),
        dialect in dialect(),
    ) {
        check(&bytes, &cuts, dialect)?;
    }

    #[test]
    fn no_pieces_of_streams_are_too_much(
        bytes in fragments(),
        cuts in prop::collection::vec(1..40usize, 1..4),
        dialect in dialect(),
    ) {
        check(&bytes, &cuts, dialect)?;
    }

    #[test]
    fn no_damaged_stream_is_too_much(
        bytes in mutated(),
        cuts in prop::collection::vec(1..100usize, 1..4),
        dialect in dialect(),
    ) {
        check(&bytes, &cuts, dialect)?;
    }
}

#[test]
fn an_error_behind_other_lines_is_found_wherever_a_cr_lf_is_cut() {
    let error = "{\r\n  \"error\": {\"message\": \"cancelled\"}\r\n}\r\n";
    let body = format!("{{\"broken\r\n\r\n{error}more\r\n\r\n{error}");
    for size in 1..body.len() {
        check(body.as_bytes(), &[size], None).unwrap();
    }
}

#[test]
fn deep_nesting_is_no_deep_stack() {
    for (open, close) in [("[", "]"), ("{\"error\":", "}"), ("{\"choices\":[", "]}")] {
        for depth in [500, 2_000, 200_000] {
            let payload = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let stream = format!("data: {payload}\n\nevent: error\ndata: {payload}\n\n{payload}");
            for dialect in [None, Some(Dialect::OpenAiChat)] {
                decode(&mut decoder(dialect), [stream.as_bytes()]);
            }
            let _ = Message::from_response(payload.as_bytes());
        }
    }
}

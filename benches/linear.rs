//! The framing's work for `benches/budgets.sh`, which counts its instructions.
//!
//!     linear SHAPE BYTES CHUNK [memory]     one stream of about BYTES bytes in CHUNK-byte pieces
//!     linear events COUNT CHUNK [memory]    COUNT events of 326 bytes, CHUNK 0: one event a piece
//!
//! CHUNK `whole` is one piece; `memory` takes a fixed carry in place of a `Vec`.
use std::hint::black_box;

use deltawire::frame::{Carry, Item, sse};

const EVENT: &str = concat!(
    r#"data: {"id":"chatcmpl-CXo3LkUBYYIuCbxyOqbF4LtmgjSIE","object":"chat.completion.chunk","#,
    r#""created":1762183171,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","#,
    r#""system_fingerprint":"fp_560af6e559","choices":[{"index":0,"delta":{"content":" the"},"#,
    r#""logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"Kd0z"}"#,
    "\n\n",
);

/// All that is counted: every item is read, its data's length included.
#[inline(never)]
fn measured<C: Carry>(parser: &mut sse::Parser<C>, stream: &[u8], chunk: usize) -> (usize, usize) {
    let (mut items, mut bytes) = (0, 0);
    for chunk in stream.chunks(chunk) {
        let mut input = chunk;
        while let Some(item) = parser.next(&mut input).expect("no event is over the limit") {
            items += 1;
            if let Item::Event(event) = black_box(item) {
                bytes += event.data.len();
            }
        }
    }
    (items, bytes)
}

fn stream(shape: &str, len: usize) -> Vec<u8> {
    let (start, body, end) = match shape {
        "one-line" => ("data: ", "x", "\n\n"),
        "many-lines" => (
            "",
            "data: of an event with very many lines, sixty-four bytes in each\n",
            "\n",
        ),
        "lines-and-comments" => (
            "",
            "data: in one event\n: with a comment behind each\n",
            "\n",
        ),
        "ids" => ("", "id: 12345678\n", "\n"),
        "events" => ("", EVENT, ""),
        "comments" => ("", ": keep-alive\n", ""),
        "cr" => ("", "\r", ""),
        _ => panic!("no such shape: {shape}"),
    };
    [start, &body.repeat(len / body.len()), end]
        .concat()
        .into_bytes()
}

fn main() {
    const { assert!(EVENT.len() == 326) };
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let [shape, len, chunk, carry @ ..] = &args[..] else {
        eprintln!("run benches/budgets.sh");
        return;
    };
    let len: usize = len.parse().expect("a number");
    let len = if shape == "events" {
        len * EVENT.len()
    } else {
        len
    };
    let stream = stream(shape, len);
    let chunk = match &chunk[..] {
        "whole" => stream.len(),
        "0" => EVENT.len(),
        size => size.parse().expect("a number"),
    };
    let (items, bytes) = if carry.is_empty() {
        measured(&mut sse::Parser::new(), &stream, chunk)
    } else {
        let mut memory = vec![0; 2 * stream.len() + 4096];
        measured(&mut sse::Parser::in_memory(&mut memory), &stream, chunk)
    };
    println!("{items} items, {bytes} bytes of data");
}

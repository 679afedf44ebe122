//! What a decoder at rest costs: gateways hold thousands of them.

use deltawire::Decoder;
use deltawire_test_support::allocator::held;

/// Heap and handle together, in bytes.
const BUDGET: usize = 2048;

fn feed(decoder: &mut Decoder, chunks: &[String]) {
    for chunk in chunks {
        let mut input = chunk.as_bytes();
        while decoder.next(&mut input).is_some() {}
    }
}

#[test]
fn a_decoder_at_rest_in_an_openai_stream_holds_no_more_than_its_budget() {
    let chunk = |delta: &str, padding: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-CXo3LkUBYYIuCbxyOqbF4LtmgjSIE\",\"object\":\
             \"chat.completion.chunk\",\"created\":1762183171,\"model\":\"gpt-4o-mini-2024-07-18\",\
             \"service_tier\":\"default\",\"system_fingerprint\":\"fp_560af6e559\",\"choices\":[{{\
             \"index\":0,\"delta\":{{{delta}}},\"logprobs\":null,\"finish_reason\":null}}],\"usage\":null,\
             \"obfuscation\":\"{padding}\"}}\n\n"
        )
    };
    let mut chunks = vec![chunk(
        "\"role\":\"assistant\",\"content\":\"\",\"refusal\":null",
        "Kd0",
    )];
    for word in ["Hel", "lo", ",", " caf\u{e9}", "\\n\\n", " again and again"] {
        chunks.push(chunk(
            &format!("\"content\":\"{word}\""),
            &"x".repeat(word.len()),
        ));
    }
    // The thread's own memory, which all its decoders share, is there after the first of them.
    feed(&mut Decoder::new(), &chunks);

    let (heap, decoder) = held(|| {
        let mut decoder = Decoder::new();
        feed(&mut decoder, &chunks);
        decoder
    });
    let handle = size_of::<Decoder>();
    drop(decoder);
    println!("{heap} bytes of heap and {handle} of handle");
    assert!(
        heap + handle <= BUDGET,
        "{heap} bytes of heap and {handle} of handle"
    );
}

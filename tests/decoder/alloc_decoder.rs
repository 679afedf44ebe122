//! A decoder that has seen a stream reads another one like it without calling the allocator.
use deltawire::{Decoder, Delta};
use deltawire_test_support::allocator::count;
use deltawire_test_support::decoding::{decoder, recordings, streams};

/// Reads a stream to its end and forgets it. Returns how many deltas it had.
fn read(decoder: &mut Decoder, body: &[u8], size: usize) -> u64 {
    decoder.reset();
    let mut deltas = 0;
    let mut count = |delta: &Delta<'_>| {
        std::hint::black_box(delta);
        deltas += 1;
    };
    for chunk in body.chunks(size) {
        let mut input = chunk;
        while let Some(delta) = decoder.next(&mut input) {
            count(&delta);
        }
    }
    loop {
        match decoder.finish() {
            Some(delta) => count(&delta),
            None => return deltas,
        }
    }
}

#[test]
fn a_warm_decoder_never_calls_the_allocator() {
    let own = streams()
        .into_iter()
        .map(|stream| (stream.name, stream.input));
    let recorded = recordings().unwrap_or_default();
    let recorded = recorded.into_iter().map(|it| (it.name, it.body));
    let bodies: Vec<(String, Vec<u8>)> = own.chain(recorded).collect();
    let mut faults = Vec::new();
    let (mut streams, mut deltas) = (0, 0);
    for (name, body) in &bodies {
        for size in [16 * 1024, 64] {
            let mut decoder = decoder(None);
            read(&mut decoder, body, size);
            let (calls, read) = count(|| read(&mut decoder, body, size));
            deltas += read;
            if calls > 0 {
                faults.push(format!("{name} in pieces of {size}: {calls} calls"));
            }
            streams += 1;
        }
    }
    println!("{streams} streams, {deltas} deltas");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

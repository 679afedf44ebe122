//! Random streams for property tests.

/// How many random cases a property test tries: 2,000, or what `PROPTEST_CASES` says.
pub fn cases(default: u32) -> proptest::test_runner::Config {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(default);
    proptest::test_runner::Config {
        cases,
        failure_persistence: None,
        ..Default::default()
    }
}

/// Random streams that look like event streams: the standard's words in any order.
pub fn stream() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
    use proptest::prelude::*;
    let word = prop_oneof![
        8 => proptest::sample::select(vec![&b"data"[..], b"data:", b"data: ", b"data:  ", b"event: ",
            b"event:", b"id: ", b"id:", b"id", b"retry: ", b"retry:", b"event", b"retry"]),
        8 => proptest::sample::select(vec![&b"\n"[..], b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n"]),
        2 => proptest::sample::select(vec![&b":"[..], b": ", b" ", b"x", b"foo: ", b"Data: ",
            b"dat", b"datas: ", b": ping\n", b"\0", b"\t", b"error: "]),
        2 => proptest::sample::select(vec![&b"0"[..], b"7", b"30", b"+1", b"-2", b"4294967295",
            b"4294967296", b"18446744073709551615", b"18446744073709551616", b"00000000000000000000001"]),
        2 => proptest::sample::select(vec![&b"\xEF\xBB\xBF"[..], b"\xEF\xBB", b"\xEF", b"\xBF", b"\xFF",
            b"\xC0\xAF", b"\xE2\x82", b"\xF0\x9F\x92", b"\xED\xA0\x80", "\u{2028}".as_bytes(),
            "\u{85}".as_bytes(), "é".as_bytes(), "💩".as_bytes(), b"\x0B", b"\x0C"]),
    ];
    let bytes = prop_oneof![
        20 => proptest::collection::vec(word, 0..24).prop_map(|words| words.concat()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    (prop::bool::weighted(0.1), bytes).prop_map(|(bom, mut bytes)| {
        if bom {
            bytes.splice(0..0, *b"\xEF\xBB\xBF");
        }
        bytes
    })
}

/// A random stream and where it is cut; a position may come twice, which is an empty chunk.
pub fn cut_stream() -> impl proptest::strategy::Strategy<Value = (Vec<u8>, Vec<usize>)> {
    use proptest::prelude::*;
    (
        stream(),
        proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
    )
        .prop_map(|(stream, cuts)| {
            let mut cuts: Vec<usize> = cuts.iter().map(|at| at.index(stream.len() + 1)).collect();
            cuts.sort_unstable();
            (stream, cuts)
        })
}

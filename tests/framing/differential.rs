//! Random streams in random chunks give what two independent parsers give: sse-core and sse-parse.
//!
//! Where they differ the standard (HTML 9.2.6) decides, and the comparison makes room for it:
//!
//! - sse-core keeps `retry` in 32 bits and ignores what does not fit. "If the field value consists of
//!   only ASCII digits, then interpret it as an integer": so here it is 64 bits, and for sse-core
//!   larger ones are left out of the comparison.
//! - sse-core refuses a field over 512 KiB unless told otherwise, and drops the ID of such an event.
//!   No limit is in the standard; the streams here stay far below.
//! - sse-core's last event ID is `None` until one is set, here and in the standard it is empty.
//! - Both decode invalid UTF-8 while they parse. The values here are bytes, their text view is what
//!   is compared.
//! - Neither shows comments and unknown fields, nor data-less blocks; those are compared elsewhere.

use deltawire_test_support::framing::cut;
use deltawire_test_support::others::{Outcome, Said, deltawire, sse_core, sse_parse};
use deltawire_test_support::random::{cases, cut_stream};
use proptest::prelude::*;

fn without_retry(outcome: Outcome) -> Outcome {
    Outcome {
        said: outcome
            .said
            .into_iter()
            .filter(|one| matches!(one, Said::Event(..)))
            .collect(),
        ..outcome
    }
}

fn last_retry(outcome: &Outcome) -> Option<u64> {
    outcome.said.iter().rev().find_map(|one| match one {
        Said::Retry(millis) => Some(*millis),
        Said::Event(..) => None,
    })
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn events_ids_and_retry_are_those_of_sse_core((stream, cuts) in cut_stream(), seed in "[a-z]{0,3}") {
        let chunks = cut(&stream, &cuts);
        let mut ours = deltawire(&chunks, &seed);
        ours.said.retain(|one| !matches!(one, Said::Retry(millis) if u32::try_from(*millis).is_err()));
        prop_assert_eq!(ours, sse_core(&chunks, &seed), "{}", stream.escape_ascii());
    }

    #[test]
    fn events_ids_and_retry_are_those_of_sse_parse((stream, cuts) in cut_stream(), seed in "[a-z]{0,3}") {
        let chunks = cut(&stream, &cuts);
        let ours = deltawire(&chunks, &seed);
        let (theirs, retry) = sse_parse(&chunks, &seed);
        prop_assert_eq!(last_retry(&ours), retry, "{}", stream.escape_ascii());
        prop_assert_eq!(without_retry(ours), theirs, "{}", stream.escape_ascii());
    }
}

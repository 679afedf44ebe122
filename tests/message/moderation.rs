//! Text held back until a piece of it is whole: nothing is lost, nothing comes early, no cutting
//! changes what comes, and no more is held than may be.

use deltawire::moderation::{Moderator, Options, Unit};
use deltawire::{Delta, FinishReason, Usage};
use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation as _;

fn options(unit: Unit, max_held_bytes: usize) -> Options {
    let mut options = Options::new(unit);
    options.max_held_bytes = max_held_bytes;
    options
}

/// The pieces of a text that comes in these parts; `max` is held at most once they were taken.
fn pieces<'t>(options: &Options, parts: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let mut moderator = Moderator::with_options(options.clone());
    let mut pieces = Vec::new();
    let mut take = |moderator: &mut Moderator| {
        while let Some(delta) = moderator.next() {
            let Delta::Text {
                choice: 0, text, ..
            } = delta
            else {
                panic!("{delta:?}")
            };
            assert!(!text.is_empty());
            pieces.push(text.to_owned());
        }
        assert!(moderator.held_bytes() <= options.max_held_bytes.max(4));
    };
    for text in parts {
        assert!(moderator.push(&Delta::Text {
            choice: 0,
            text,
            part: 0
        }));
        take(&mut moderator);
    }
    moderator.finish();
    take(&mut moderator);
    assert_eq!(moderator.held_bytes(), 0);
    pieces
}

fn sentences(text: &str) -> Vec<String> {
    pieces(&Options::new(Unit::Sentence), [text])
}

#[test]
fn a_sentence_is_whole_once_the_next_words_begin() {
    assert_eq!(
        sentences("It is approx. 3 km. Go on! “Yes?” he said. 早安。你好。"),
        [
            "It is approx. 3 km. ",
            "Go on! ",
            "“Yes?” ",
            "he said. ",
            "早安。",
            "你好。"
        ]
    );
    let mut moderator = Moderator::new(Unit::Sentence);
    for (text, piece) in [
        ("Five.", None),
        (" ", None),
        ("5", None),
        (" is more. A", Some("Five. 5 is more. ")),
        ("ll", None),
    ] {
        moderator.push(&Delta::Text {
            choice: 0,
            text,
            part: 0,
        });
        let given = moderator.next().map(|delta| match delta {
            Delta::Text { text, .. } => text.to_owned(),
            other => panic!("{other:?}"),
        });
        assert_eq!(given.as_deref(), piece, "{text}");
        assert_eq!(moderator.next(), None);
    }
}

#[test]
fn a_paragraph_ends_with_its_blank_line() {
    let options = Options::new(Unit::Paragraph);
    let text = "\n\none\ntwo\n \t\nthree\r\n\r\n\nfour";
    assert_eq!(
        pieces(&options, [text]),
        ["\n\none\ntwo\n \t\n", "three\r\n\r\n", "\nfour"]
    );
}

#[test]
fn characters_are_those_that_a_reader_counts() {
    let options = Options::new(Unit::Characters(3));
    let text = "e\u{301}a\u{300}o👩‍👩‍👧‍👦🇩🇪x";
    assert_eq!(
        pieces(&options, text.split_inclusive(|_| true)),
        ["e\u{301}a\u{300}o", "👩‍👩‍👧‍👦🇩🇪x"]
    );
}

#[test]
fn a_unit_that_is_too_long_comes_in_parts_cut_at_white_space() {
    let text = "no end of words and thenaverylongwordthathasnoend";
    assert_eq!(
        pieces(&options(Unit::Sentence, 16), [text]),
        [
            "no end of words ",
            "and ",
            "thenaverylongwo",
            "rdthathasnoend"
        ]
    );
}

#[test]
fn what_ends_a_text_makes_it_whole_and_comes_behind_it() {
    let mut moderator = Moderator::new(Unit::Paragraph);
    let kept = [
        Delta::Reasoning {
            choice: 0,
            text: "why",
            part: 0,
        },
        Delta::Text {
            choice: 1,
            text: "one",
            part: 0,
        },
        Delta::Text {
            choice: 0,
            text: "zero",
            part: 0,
        },
    ];
    for delta in &kept {
        assert!(moderator.push(delta));
    }
    // The text of choice 0 ended its reasoning.
    assert_eq!(moderator.next().as_ref(), Some(&kept[0]));
    assert_eq!(moderator.next(), None);
    assert!(!moderator.push(&Delta::Usage(Usage::default())));
    assert_eq!(moderator.next(), None);
    let finish = Delta::Finish {
        choice: 0,
        reason: FinishReason::Stop,
        raw: "stop",
    };
    assert!(!moderator.push(&finish));
    assert_eq!(moderator.next().as_ref(), Some(&kept[2]));
    assert_eq!(moderator.next(), None);
    assert!(!moderator.push(&Delta::Done));
    assert_eq!(moderator.next().as_ref(), Some(&kept[1]));
    assert_eq!(moderator.next(), None);
}

#[test]
fn behind_a_refused_piece_nothing_comes() {
    let mut moderator = Moderator::new(Unit::Characters(2));
    let text = Delta::Text {
        choice: 0,
        text: "abcd",
        part: 0,
    };
    moderator.push(&text);
    assert!(moderator.next().is_some());
    moderator.stop();
    assert!(moderator.push(&text) && moderator.is_stopped());
    moderator.finish();
    assert_eq!(moderator.next(), None);
    assert_eq!(moderator.held_bytes(), 0);
}

#[test]
fn a_stream_of_ever_new_choices_holds_no_more_for_it() {
    let mut moderator = Moderator::with_options(options(Unit::Paragraph, 100));
    let (mut most, mut released) = (0, 0);
    for choice in 0..10_000 {
        let text = "held back ";
        moderator.push(&Delta::Text {
            choice,
            text,
            part: 0,
        });
        while moderator.next().is_some() {
            released += 1;
        }
        most = most.max(moderator.held_bytes());
    }
    assert_eq!((most, released), (2560, 10_000 - 256));
}

fn text() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "a",
        "word ",
        ". ",
        ".",
        "3",
        "!",
        "? ",
        "\n",
        "\n\n",
        "\r\n",
        "A",
        "…",
        "。",
        "é",
        "e\u{301}",
        "👩‍👧",
        "🇩🇪",
        " ",
        "\"",
        ")",
        "Mr. ",
        "\u{2029}",
        "x,",
        "ß",
    ]);
    prop::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
}

fn unit() -> impl Strategy<Value = Unit> {
    prop_oneof![
        Just(Unit::Sentence),
        Just(Unit::Paragraph),
        (0usize..8).prop_map(Unit::Characters),
    ]
}

proptest! {
    #[test]
    fn no_cutting_changes_the_pieces_and_all_text_comes(
        text in text(), unit in unit(), max in 0usize..120,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let options = options(unit, max);
        let whole = pieces(&options, [&*text]);
        prop_assert_eq!(whole.concat(), &*text);
        let single = pieces(&options, text.split_inclusive(|_| true));
        prop_assert_eq!(&single, &whole);
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        places.retain(|place| text.is_char_boundary(*place));
        places.extend([0, text.len()]);
        places.sort_unstable();
        let parts = places.windows(2).map(|pair| &text[pair[0]..pair[1]]);
        prop_assert_eq!(pieces(&options, parts), whole);
    }

    #[test]
    fn sentences_are_those_of_the_whole_text(text in text()) {
        let whole: Vec<&str> = text.split_sentence_bounds().collect();
        let one_by_one = pieces(&Options::new(Unit::Sentence), text.split_inclusive(|_| true));
        prop_assert_eq!(one_by_one, whole);
    }
}

//! Texts written by hand, with what they must read as.

use std::string::String;
use std::vec::Vec;

use super::{Kind, MAX_DEPTH, Malformed, Problem, Reader, Short, Str, Value};

/// Checks a text by skipping it.
fn check(text: &str) -> Result<(), Malformed> {
    let mut reader = Reader::new(text);
    reader.skip()?;
    reader.end()
}

/// Reads every value of a text by the methods for its kind, and returns how many there are.
fn walk(reader: &mut Reader<'_>) -> Result<usize, Malformed> {
    let mut count = 1;
    match reader.peek() {
        Kind::Object => reader.members(|reader, _| {
            count += walk(reader)?;
            Ok(())
        })?,
        Kind::Array => reader.elements(|reader| {
            count += walk(reader)?;
            Ok(())
        })?,
        Kind::String => drop(reader.string()?),
        _ => drop(reader.value()?),
    }
    Ok(count)
}

/// Returns where the text stops being JSON. Both ways of reading must agree, and the text must stop
/// at the same place as a member with others after it, because the end of a text is read differently.
fn stops_at(text: &str) -> Option<u32> {
    let stop = stops_at_alone(text);
    let goes_on = |at: u32| {
        matches!(
            text.as_bytes().get(at as usize),
            None | Some(b',' | b'}' | b']')
        )
    };
    if !stop.is_some_and(goes_on) {
        let start = "{\"name\":";
        let rest = ",\"padding\":\"a text that is longer than two blocks\"}";
        let stop = stop.map(|at| at + start.len() as u32);
        if text.bytes().filter(|byte| b"[{".contains(byte)).count() < MAX_DEPTH as usize {
            assert_eq!(
                stops_at_alone(&[start, text, rest].concat()),
                stop,
                "{text}"
            );
        }
    }
    stop
}

fn stops_at_alone(text: &str) -> Option<u32> {
    let skipped = check(text);
    let mut reader = Reader::new(text);
    let walked = walk(&mut reader).and_then(|_| reader.end());
    assert_eq!(skipped, walked, "{text}");
    let malformed = skipped.err()?;
    assert_eq!(malformed.problem, Problem::Syntax, "{text}");
    Some(malformed.at)
}

fn string(text: &str) -> Str<'_> {
    Reader::new(text).string().unwrap()
}

fn unescaped(text: &str) -> String {
    let string = string(text);
    let mut out = String::from("<");
    string.unescape_into(&mut out).unwrap();
    assert_eq!(string.chars().collect::<String>(), out[1..]);
    assert!(string.is(&out[1..]));
    assert!(!string.is(&out));
    out.split_off(1)
}

#[test]
fn values_of_each_kind_are_valid() {
    for text in [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "12",
        "-12",
        "0.5",
        "1.25",
        "1e5",
        "1E+05",
        "0e0",
        "1.0e-10",
        "1e400",
        "NaN",
        "Infinity",
        "-Infinity",
        "123456789012345678901234567890",
        "\"\"",
        "\"a\"",
        "\"é💩\"",
        "\"\u{7f}\"",
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "{\"\":[]}",
        "[1,2]",
        "{\"a\":1,\"a\":2}",
        " [ 1 , 2 ] ",
        "\t{\n\"a\"\r:\t1\n,\"b\" : 2 } \n",
        "[\"\",\"\"]",
        r#""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDCA9""#,
        r#"{"\u0061":null}"#,
        "[NaN,Infinity,-Infinity]",
    ] {
        assert_eq!(stops_at(text), None, "{text}");
    }
}

#[test]
fn the_first_byte_that_is_not_json_is_reported() {
    for (text, at) in [
        ("", 0),
        (" ", 1),
        ("\u{FEFF}1", 0),
        ("x", 0),
        ("nul", 3),
        ("nulx", 3),
        ("nullx", 4),
        ("truE", 3),
        ("fals", 4),
        ("falsy", 4),
        ("NaM", 2),
        ("Inf", 3),
        ("-Infinite", 8),
        ("-", 1),
        ("-x", 1),
        ("+1", 0),
        ("01", 1),
        ("-01", 2),
        ("1.", 2),
        ("1.x", 2),
        ("1.e5", 2),
        (".5", 0),
        ("1e", 2),
        ("1e+", 3),
        ("1e+x", 3),
        ("1x", 1),
        ("1 1", 2),
        ("0x1", 1),
        ("--1", 1),
        ("\"", 1),
        ("\"abc", 4),
        ("\"a\nb\"", 2),
        ("\"\0\"", 1),
        ("\"\u{1f}\"", 1),
        ("\"\\", 2),
        ("\"\\x\"", 2),
        ("\"\\u12g4\"", 5),
        ("\"\\ug234\"", 3),
        ("\"\\u1g34\"", 4),
        ("\"\\u123g\"", 6),
        ("\"\\u123/\"", 6),
        ("\"\\u12\"", 5),
        ("\"\\\"", 3),
        ("'a'", 0),
        ("[", 1),
        ("[1", 2),
        ("[1,", 3),
        ("[1,]", 3),
        ("[,1]", 1),
        ("[1 2]", 3),
        ("[1}", 2),
        ("]", 0),
        ("{", 1),
        ("{\"a\"", 4),
        ("{\"a\":", 5),
        ("{\"a\":1", 6),
        ("{\"a\":1,", 7),
        ("{\"a\":1,}", 7),
        ("{a:1}", 1),
        ("{1:1}", 1),
        ("{\"a\",1}", 4),
        ("{\"a\":1]", 6),
        ("{,}", 1),
        ("{\"a\":}", 5),
        ("[]]", 2),
        ("{}}", 2),
        ("[1],", 3),
        ("\u{a0}1", 0),
        ("[1,\u{b}2]", 3),
        ("\u{c}1", 0),
        ("[1/**/]", 2),
        ("\0", 0),
        ("1\0", 1),
        ("[\0]", 1),
        ("[\"a\"\0]", 4),
    ] {
        assert_eq!(stops_at(text), Some(at), "{text}");
    }
}

#[test]
fn containers_nest_to_the_limit() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth: usize| {
            let close = if open == "[" {
                close.repeat(depth)
            } else {
                "1".to_owned() + &close.repeat(depth)
            };
            open.repeat(depth) + &close
        };
        let limit = MAX_DEPTH as usize;
        assert_eq!(stops_at(&nested(limit)), None);
        let text = nested(limit + 1);
        let malformed = Malformed {
            at: (open.len() * limit) as u32,
            problem: Problem::TooDeep,
        };
        assert_eq!(check(&text), Err(malformed));
        assert_eq!(walk(&mut Reader::new(&text)), Err(malformed));
        assert_eq!(check(&open.repeat(1_000_000)), Err(malformed));
    }
}

#[test]
fn escapes_are_resolved() {
    for (text, expected) in [
        (r#""""#, ""),
        (r#""plain""#, "plain"),
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""\u00e9\u00E9\u0000""#, "éé\0"),
        (r#""\uD83D\uDCA9""#, "💩"),
        (r#""\uD83D""#, "\u{FFFD}"),
        (r#""\uDCA9x""#, "\u{FFFD}x"),
        (r#""\uD83D\uD83D\uDCA9""#, "\u{FFFD}💩"),
        (r#""\uD83D\u0041""#, "\u{FFFD}A"),
        (r#""\uD83D\\uDCA9""#, "\u{FFFD}\\uDCA9"),
        (r#""\uDCA9\uD83D""#, "\u{FFFD}\u{FFFD}"),
        (r#""\uD83Dé""#, "\u{FFFD}é"),
        (
            r#""a long text before \n and a long text after it""#,
            "a long text before \n and a long text after it",
        ),
    ] {
        assert_eq!(unescaped(text), expected, "{text}");
        let string = string(text);
        assert_eq!(string.has_escapes(), text.contains('\\'));
        assert_eq!(string.plain().is_none(), string.has_escapes());
        assert_eq!(
            (string.start(), string.raw()),
            (1, &text[1..text.len() - 1])
        );
        assert_eq!(string.is_empty(), text.len() == 2);
    }
}

#[test]
fn keys_are_unescaped_for_a_match() {
    let long = "\\u0061".repeat(129);
    let text = format!(r#"{{"\u0063ontent":1,"a":2,"":3,"{long}":4}}"#);
    let mut names = Vec::new();
    let mut reader = Reader::new(&text);
    let result = reader.members(|reader, key| {
        names.push((String::from(key.name()), key.span().of(reader.text()).len()));
        reader.skip().map(drop)
    });
    assert_eq!(result, Ok(()));
    let expected = [
        ("content".to_owned(), 12),
        ("a".to_owned(), 1),
        (String::new(), 0),
        (long.clone(), long.len()),
    ];
    assert_eq!(names, expected);
    let mut buffer = Short::new();
    assert_eq!(string(r#""\u0061b""#).short(&mut buffer), "ab");
    let exactly = format!("\"{}\\n\"", "a".repeat(63));
    assert_eq!(string(&exactly).short(&mut buffer).len(), 64);
    let too_long = format!("\"{}\\n\"", "a".repeat(64));
    assert_eq!(
        string(&too_long).short(&mut buffer),
        string(&too_long).raw()
    );
}

#[test]
fn numbers_are_integers_if_they_fit() {
    let value = |text: &'static str| Reader::new(text).value().unwrap();
    for (text, unsigned, signed) in [
        ("0", Some(0), Some(0)),
        ("-0", Some(0), Some(0)),
        ("7", Some(7), Some(7)),
        ("-7", None, Some(-7)),
        ("3.0", Some(3), Some(3)),
        ("3e0", Some(3), Some(3)),
        ("30e-1", Some(3), Some(3)),
        ("1.5", None, None),
        ("-1.0", None, Some(-1)),
        ("18446744073709551615", Some(u64::MAX), None),
        ("18446744073709551616", None, None),
        ("1e400", None, None),
        ("NaN", None, None),
        ("-Infinity", None, None),
        ("2147483648", Some(1 << 31), None),
    ] {
        assert_eq!(value(text).u64(), unsigned, "{text}");
        assert_eq!(value(text).i32(), signed, "{text}");
    }
    assert_eq!(value("4294967296").u32(), None);
    assert_eq!(value("4294967295").u32(), Some(u32::MAX));
    assert_eq!(value("true").bool(), Some(true));
    assert_eq!(value("false").bool(), Some(false));
    assert!(value("null").is_null() && !value("0").is_null());
    let Value::Number(number) = value(" 1.50") else {
        panic!("a number");
    };
    assert_eq!(number.text(), "1.50");
    assert_eq!(value("\"3\"").u64(), None);
}

#[test]
fn a_span_is_read_again() {
    let text = r#" {"a": [1, {"b": "c"} ], "d": null}"#;
    let mut span = None;
    let mut reader = Reader::new(text);
    reader
        .members(|reader, key| {
            let value = reader.value()?;
            if key.name() == "a" {
                span = value.span();
            }
            Ok(())
        })
        .unwrap();
    reader.end().unwrap();
    let span = span.unwrap();
    assert_eq!(span.of(text), r#"[1, {"b": "c"} ]"#);
    let mut reader = Reader::at(text, span.start as usize);
    let mut values = Vec::new();
    reader
        .elements(|reader| {
            values.push(reader.value()?);
            Ok(())
        })
        .unwrap();
    assert_eq!(reader.offset(), span.end as usize);
    assert_eq!(values[0].u64(), Some(1));
    assert!(matches!(values[1], Value::Object(span) if span.of(text) == r#"{"b": "c"}"#));
}

#[test]
fn another_kind_is_an_error_that_says_so() {
    let other = |at| {
        Err(Malformed {
            at,
            problem: Problem::OtherKind,
        })
    };
    assert_eq!(Reader::new(" 1").string(), Err(other(1).unwrap_err()));
    assert_eq!(Reader::new("[]").members(|_, _| Ok(())), other(0));
    assert_eq!(Reader::new("{}").elements(|_| Ok(())), other(0));
    assert_eq!(
        Reader::new("").elements(|_| Ok(())),
        Err(Malformed::syntax(0))
    );
}

#[test]
fn a_truncated_text_stops_at_its_length() {
    let text = r#" { "a\u00e9\"" : [ 1.5e+10 , -0, "x\n", true,false , null,{}, [ ] ,"a text of more than sixteen bytes" , NaN, -Infinity ] , "b":{"c":"d"} }"#;
    assert_eq!(stops_at(text), None);
    for len in 0..text.len() {
        assert_eq!(stops_at(&text[..len]), Some(len as u32), "{}", &text[..len]);
    }
}

//! The command `demo`, and what all commands have of help and colours.

use crate::served::{deltawire, run};

const KEY: &str = "canary-key-93d0";

#[test]
fn colours_are_for_terminals_that_want_them() {
    let coloured = |name: &str| {
        let (_, stdout, _) = run(deltawire(&["demo", "--fast"]).env(name, "1"));
        stdout.contains('\x1b')
    };
    assert!(coloured("CLICOLOR_FORCE"));
    assert!(!coloured("NO_COLOR"));
}

#[test]
fn help_says_which_file_answers_and_where_the_key_comes_from() {
    for (command, needed) in [
        ("serve", "The request's \"model\" chooses"),
        ("chat", "OPENAI_API_KEY"),
        ("demo", "15 seconds"),
    ] {
        let (status, stdout, _) = run(&mut deltawire(&[command, "--help"]));
        assert_eq!(status, Some(0));
        let words: Vec<&str> = stdout.split_whitespace().collect();
        assert!(words.join(" ").contains(needed), "{stdout}");
    }
}

#[test]
fn demo_shows_the_guides_figures() {
    let mut command = deltawire(&["demo", "--fast"]);
    // The demo needs neither; nor must it go looking for them.
    command
        .env("OPENAI_API_KEY", KEY)
        .env("OPENAI_BASE_URL", "http://192.0.2.1/v1")
        .env("ALL_PROXY", "http://192.0.2.1:1");
    let (status, stdout, stderr) = run(&mut command);
    assert_eq!((status, &*stderr), (Some(0), ""));
    for figure in [
        "Count to 100, with a comma between each number and no newlines.",
        "36 prompt + 301 completion = 337 tokens",
        "gpt-3.5-turbo-0301",
        "measured, 3.03 s in the guide",
        "What's 1+1? Answer in one word.",
        "text    \"\\n\\n\"",
        "text    \"2\"",
        "4 chunks and [DONE]",
        "302 and [DONE]",
        "measured, 0.10 s in the guide",
        "measured, 2.97 s in the guide",
        "2.93 s sooner, as the guide recorded it",
        "98, 99, 100.",
        "text-davinci-002",
        "193 and [DONE]",
        "measured, 3.43 s in the guide",
        "measured, 0.18 s in the guide",
        "measured, 2.73 s in the guide",
        "194 and [DONE]",
        "6 prompt + 193 completion = 199 tokens",
    ] {
        assert!(stdout.contains(figure), "{figure} is missing in:\n{stdout}");
    }
    assert_eq!(
        stdout.matches("the same text as the whole reply").count(),
        2
    );
    assert!(!stdout.contains(KEY));
    assert!(!stdout.contains('\x1b'), "colours in a pipe");
    let widest = stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{widest:?}");
}

#[test]
fn the_demo_draws_the_guides_request_streamed_and_whole() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo.svg");
    let (status, stdout, _) = run(&mut deltawire(&[
        "demo",
        "--fast",
        "--svg",
        path.to_str().unwrap(),
    ]));
    let svg = std::fs::read_to_string(&path).unwrap();
    // The guide's 300 pieces, and the whole reply.
    assert_eq!((status, svg.matches("v24").count()), (Some(0), 301));
    assert!(svg.contains("300 pieces, the first after 0.10 s"));
    assert!(svg.contains("all at once, after 3.03 s"));
    assert!(stdout.contains("Drawn in "));
}

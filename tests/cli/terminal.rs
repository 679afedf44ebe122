//! What a person sees of the command: on a terminal of some width, made by `script` of util-linux.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::thread;

use crate::served::{FOREVER, Served};
use serde_json::{Value, json};

/// A command on a terminal, and all bytes that this has got.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    out: ChildStdout,
    columns: usize,
    bytes: Vec<u8>,
}

/// Whether terminals can be had here.
fn is_there() -> bool {
    let version = Command::new("script").arg("--version").output();
    let is_there =
        version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("util-linux"));
    if !is_there {
        println!("SKIPPED: no `script` of util-linux, so no terminals");
    }
    is_there
}

impl Terminal {
    fn start(columns: usize, arguments: &[&str]) -> Terminal {
        let quoted: Vec<String> = arguments
            .iter()
            .map(|argument| format!("'{}'", argument.replace('\'', r"'\''")))
            .collect();
        let line = format!(
            "stty cols {columns} rows 24; exec '{}' {}",
            env!("CARGO_BIN_EXE_deltawire"),
            quoted.join(" ")
        );
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        for name in ["OPENAI_API_KEY", "OPENAI_BASE_URL"] {
            command.env_remove(name);
        }
        let mut child = command
            .env("NO_COLOR", "1")
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script");
        Terminal {
            keys: child.stdin.take().expect("a pipe"),
            out: child.stdout.take().expect("a pipe"),
            child,
            columns,
            bytes: Vec::new(),
        }
    }

    /// Reads until the screen shows this.
    fn wait_for(&mut self, text: &str) {
        while !self.screen().join("\n").contains(text) {
            let mut piece = [0; 4096];
            let len = self.out.read(&mut piece).expect("bytes");
            assert!(len > 0, "{text} never comes: {:?}", self.screen());
            self.bytes.extend_from_slice(&piece[..len]);
        }
    }

    /// Waits for the end: the lines that are left on the screen, and the exit status.
    fn end(mut self) -> (Vec<String>, Option<i32>) {
        self.out.read_to_end(&mut self.bytes).expect("bytes");
        let status = self.child.wait().expect("an end").code();
        (self.screen(), status)
    }

    /// The lines that the bytes so far make, without the empty ones at the end.
    fn screen(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.bytes);
        let mut lines = vec![Vec::new()];
        let (mut row, mut column) = (0, 0);
        let mut rest = text.chars();
        while let Some(char) = rest.next() {
            match char {
                '\r' => column = 0,
                '\n' => row += 1,
                '\x1b' => {
                    assert_eq!(rest.next(), Some('['), "{text:?}");
                    let escape: String = rest.by_ref().take_while(|it| *it != 'K').collect();
                    assert_eq!(escape, "2", "an escape that is not known: {text:?}");
                    lines[row].clear();
                }
                _ => {
                    if column == self.columns {
                        (row, column) = (row + 1, 0);
                    }
                    lines.resize(lines.len().max(row + 1), Vec::new());
                    let line = &mut lines[row];
                    line.resize(line.len().max(column + 1), ' ');
                    line[column] = char;
                    column += 1;
                }
            }
            lines.resize(lines.len().max(row + 1), Vec::new());
        }
        let lines = lines.into_iter().map(String::from_iter);
        let mut lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn event(delta: &Value, finish: Option<&str>) -> String {
    let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
    format!("data: {}\n\n", json!({"choices": [choice]}))
}

/// A server that has these deltas and that finish reason to tell.
fn serve(name: &str, deltas: &[Value], finish: &str) -> Served {
    let mut stream: String = deltas.iter().map(|delta| event(delta, None)).collect();
    stream += &event(&json!({}), Some(finish));
    stream += "data: [DONE]\n\n";
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, stream).unwrap();
    Served::start(&[path.to_str().unwrap()])
}

fn call(index: u32, id: &str, arguments: &str) -> Value {
    let function = json!({"name": "get_weather", "arguments": arguments});
    json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]})
}

/// What is on the screen but for the closing line, which tells times.
fn but_for_times(mut lines: Vec<String>) -> Vec<String> {
    let closing = lines.pop().expect("a line");
    assert!(closing.contains("first token "), "{closing}");
    lines
}

#[test]
fn reply_reasoning_and_tool_calls_have_lines_of_their_own_and_none_is_empty() {
    if !is_there() {
        return;
    }
    let deltas = [
        json!({"reasoning_content": "Towns "}),
        json!({"reasoning_content": "first."}),
        json!({"content": "I look "}),
        json!({"content": "them up."}),
        json!({"reasoning_content": "Two."}),
        call(0, "a", "{\"city\":"),
        json!({"tool_calls": [{"index": 0, "function": {"arguments": "\"Zug\"}"}}]}),
        call(1, "b", "{\"city\":\"Bern\"}"),
    ];
    let server = serve("terminal-tools.sse", &deltas, "length");
    let chat = ["chat", "--base-url", &server.base_url, "Hi"];
    let (lines, status) = Terminal::start(80, &chat).end();
    assert_eq!(
        but_for_times(lines),
        [
            "reasoning: Towns first.",
            "I look them up.",
            "reasoning: Two.",
            "deltawire: tool call: get_weather",
            r#"{"city":"Zug"}"#,
            "deltawire: tool call: get_weather",
            r#"{"city":"Bern"}"#,
            "deltawire: the reply was cut off at the token limit",
        ]
    );
    assert_eq!(status, Some(0));
}

/// A server that sends its role, and a word each time it is told to; where it is, and how it is told.
fn slow() -> (String, Sender<&'static str>) {
    let (go_on, words) = mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(connection.try_clone().unwrap());
        let mut line = String::new();
        let mut body = Vec::new();
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if let Some(len) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                body.resize(len.trim().parse().unwrap(), 0);
            }
        }
        // What is left unread resets the connection when it is closed.
        reader.read_exact(&mut body).unwrap();
        write!(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").unwrap();
        let send = |connection: &mut TcpStream, delta: Value| {
            connection.write_all(event(&delta, None).as_bytes())
        };
        send(&mut connection, json!({"role": "assistant"})).unwrap();
        while let Ok(word) = words.recv_timeout(FOREVER) {
            if send(&mut connection, json!({"content": word})).is_err() {
                return;
            }
        }
        let _ = connection.write_all(b"data: [DONE]\n\n");
    });
    (base_url, go_on)
}

#[test]
fn a_spinner_waits_for_the_first_token_and_leaves_no_trace() {
    if !is_there() {
        return;
    }
    for (columns, model) in [
        (80, "m"),
        (40, "a-model-whose-name-is-longer-than-the-line"),
    ] {
        let (base_url, go_on) = slow();
        let chat = ["chat", "--base-url", &base_url, "--model", model, "Hi"];
        let mut terminal = Terminal::start(columns, &chat);
        terminal.wait_for("waiting for ");
        // The role has come long since by then.
        let frames = |terminal: &Terminal| terminal.bytes.iter().filter(|it| **it == b'\r').count();
        while frames(&terminal) < 12 {
            let len = terminal.bytes.len();
            let mut piece = [0; 64];
            let read = terminal.out.read(&mut piece).unwrap();
            assert!(read > 0, "gone after {len} bytes: {:?}", terminal.screen());
            terminal.bytes.extend_from_slice(&piece[..read]);
        }
        assert_eq!(terminal.screen().len(), 1, "{:?}", terminal.screen());
        go_on.send("Here ").unwrap();
        terminal.wait_for("Here");
        assert_eq!(terminal.screen(), ["Here"]);
        go_on.send("it is.").unwrap();
        drop(go_on);
        let (lines, status) = terminal.end();
        assert_eq!(lines[0], "Here it is.");
        assert!(lines[1].starts_with("first token "), "{lines:?}");
        assert_eq!(status, Some(0));
    }
}

#[test]
fn the_spinner_is_gone_before_a_check_says_anything() {
    if !is_there() {
        return;
    }
    let (base_url, go_on) = slow();
    // It waits for a frame of the spinner, were there one.
    let check = "sleep 0.3; echo seen >&2";
    let chat = ["chat", "--base-url", &base_url, "--moderate", check, "Hi"];
    let mut terminal = Terminal::start(80, &chat);
    terminal.wait_for("waiting for ");
    go_on.send("One. ").unwrap();
    go_on.send("Two.").unwrap();
    drop(go_on);
    let (lines, status) = terminal.end();
    assert_eq!(lines[..2], ["seen", "One. seen"]);
    assert_eq!(status, Some(0));
}

#[test]
fn ctrl_c_takes_the_spinner_away_and_keeps_what_has_come() {
    if !is_there() {
        return;
    }
    for columns in [80, 40] {
        let (base_url, go_on) = slow();
        let chat = ["chat", "--base-url", &base_url, "Hi"];
        let mut terminal = Terminal::start(columns, &chat);
        terminal.wait_for("waiting for ");
        terminal.keys.write_all(b"\x03").unwrap();
        assert_eq!(terminal.end(), (Vec::new(), Some(130)));
        drop(go_on);

        let (base_url, go_on) = slow();
        let chat = ["chat", "--base-url", &base_url, "Hi"];
        let mut terminal = Terminal::start(columns, &chat);
        go_on.send("Half").unwrap();
        terminal.wait_for("Half");
        terminal.keys.write_all(b"\x03").unwrap();
        let (lines, status) = terminal.end();
        assert_eq!((&*lines[0], status), ("Half^C", Some(130)));
    }
}

#[test]
fn what_goes_wrong_is_told_in_whole_words() {
    if !is_there() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let (lines, status) = Terminal::start(40, &["chat", "--base-url", &base_url, "Hi"]).end();
    assert_eq!(status, Some(3));
    let words = |lines: &[String]| -> Vec<String> {
        let words = lines.iter().flat_map(|line| line.split_whitespace());
        words.map(str::to_owned).collect()
    };
    let told = words(&lines).join(" ");
    assert!(
        told.ends_with(
            "Is the server running at this address? Set it with --base-url or OPENAI_BASE_URL."
        ),
        "{lines:?}"
    );
    // Only the address is longer than a line.
    for line in lines.iter().skip(2) {
        assert!(line.starts_with("  ") && line.len() <= 40, "{lines:?}");
    }
}

#[test]
fn tables_and_the_closing_line_keep_to_the_width() {
    if !is_there() {
        return;
    }
    let words: Vec<Value> = (0..40)
        .map(|at| json!({"content": format!("{at} ")}))
        .collect();
    let server = serve("terminal-times.sse", &words, "stop");
    let chat = ["chat", "--base-url", &server.base_url, "Hi", "--tokens"];
    let (lines, _) = Terminal::start(40, &chat).end();
    let closing = lines
        .iter()
        .position(|line| line.starts_with("first token"));
    let closing = &lines[closing.expect("a closing line")..];
    assert!(closing.len() > 1, "{closing:?}");
    // A part that says one thing stays on one line.
    let tokens = "8 prompt + 81 completion = 89 tokens";
    let parts: Vec<&str> = closing.iter().flat_map(|line| line.split(" · ")).collect();
    assert!(
        parts.iter().any(|part| part.starts_with(tokens)),
        "{closing:?}"
    );
    let (lines, _) = Terminal::start(40, &[&chat[..], &["--timing"]].concat()).end();
    let table = lines
        .iter()
        .position(|line| line.starts_with("  first token"));
    for line in &lines[table.expect("a table")..] {
        let (name, text) = line.split_at(19);
        assert!(line.len() <= 40 && !text.starts_with(' '), "{lines:#?}");
        assert!(name.starts_with("  "), "{lines:#?}");
    }
}

#[test]
fn help_and_the_demo_keep_to_the_width() {
    if !is_there() {
        return;
    }
    for (columns, arguments) in [
        (80, &["--help"][..]),
        (80, &["chat", "--help"]),
        (80, &["listen", "--help"]),
        (80, &["serve", "--help"]),
        (60, &["chat", "--help"]),
        (40, &["demo", "--help"]),
        (40, &["demo", "--fast"]),
    ] {
        // Wide enough to see what goes beyond.
        let mut terminal = Terminal::start(columns, arguments);
        terminal.columns = 1000;
        let (lines, status) = terminal.end();
        assert_eq!(status, Some(0));
        for line in &lines {
            assert!(line.chars().count() <= columns, "{arguments:?}: {line}");
        }
        // What was wrapped before is not wrapped again: no line breaks off far before its end.
        if arguments[0] == "demo" && arguments[1] == "--fast" {
            assert!(
                lines.iter().any(|line| line == "   # text arrives"),
                "{lines:#?}"
            );
        }
    }
}

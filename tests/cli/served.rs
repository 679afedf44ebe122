//! `deltawire` as a user runs it, and `deltawire serve` to run it against.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test is a crate of its own and uses its part"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

pub const CHAT: &str = "tests/data/serve-chat.sse";
/// Longer than anything here takes: only a test that would hang meets it.
pub const FOREVER: Duration = Duration::from_secs(30);

pub fn deltawire(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deltawire"));
    command.args(args).stdin(Stdio::null());
    for name in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "NO_COLOR"] {
        command.env_remove(name);
    }
    command
}

pub fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// `deltawire serve`, until it is dropped.
pub struct Served {
    child: Child,
    pub base_url: String,
}

impl Served {
    pub fn start(args: &[&str]) -> Served {
        let mut child = deltawire(&["serve"])
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let base_url = lines
            .by_ref()
            .map(|line| line.unwrap())
            .find_map(|line| Some(line.split_once("listening on ")?.1.to_owned()))
            .expect("the server tells its address");
        // Whoever writes into a pipe that nobody reads waits for ever.
        thread::spawn(move || lines.for_each(drop));
        Served { child, base_url }
    }

    pub fn chat(&self, args: &[&str]) -> Command {
        let mut command = deltawire(&["chat", "--base-url", &self.base_url]);
        command.args(args);
        command
    }

    /// A raw request: its status line's number and its body, HTTP chunks not undone.
    pub fn http(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let address = self.base_url.strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(address.strip_suffix("/v1").unwrap()).unwrap();
        connection.set_read_timeout(Some(FOREVER)).unwrap();
        write!(
            connection,
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut response = String::new();
        connection.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    pub fn post(&self, path: &str, body: &str) -> (u16, String) {
        self.http("POST", path, "", body)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

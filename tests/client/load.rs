//! Much at once, and for long.

use std::sync::Arc;
use std::thread;

use deltawire::Delta;
use deltawire::client::Client;

use super::server::{DONE, SSE, Server, event, script};
use super::{client, options, request};

/// How many deltas a stream has; fewer than 100,000 where the tests are not optimised.
const DELTAS: usize = if cfg!(debug_assertions) {
    2_000
} else {
    100_000
};
const STREAMS: usize = 200;

#[test]
fn two_hundred_streams_at_once_lose_and_mix_nothing() {
    let scripts: Vec<_> = (0..STREAMS)
        .map(|_| {
            script(|connection| {
                let request = connection.number().to_owned();
                let mut block = String::new();
                connection.send(format!("{SSE}\r\n"));
                for n in 0..DELTAS {
                    block.push_str(&event(&format!("{request}/{n}")));
                    if block.len() > 60_000 {
                        connection.send(&block);
                        block.clear();
                    }
                }
                connection.send(block + DONE);
            })
        })
        .collect();
    let server = Arc::new(Server::new(scripts));
    let client = client(&server);
    let readers: Vec<_> = (0..STREAMS)
        .map(|number| {
            let (client, _server) = (client.clone(), Arc::clone(&server));
            thread::spawn(move || {
                let json = format!("{{\"number\":{number}}}");
                let mut stream = client.post("/chat/completions", &json).stream().unwrap();
                let mut n = 0;
                while let Some(delta) = stream.next().unwrap() {
                    if let Delta::Text { text, .. } = delta {
                        assert_eq!(text, format!("{number}/{n}"));
                        n += 1;
                    }
                }
                assert_eq!(n, DELTAS);
                assert_eq!(stream.end(), deltawire::End::Complete);
            })
        })
        .collect();
    for reader in readers {
        reader.join().unwrap();
    }
}

/// The most memory that the process has had, in bytes.
#[cfg(target_os = "linux")]
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<usize>().unwrap() * 1024
}

/// Runs a test that measures its whole process in one of its own.
#[cfg(target_os = "linux")]
pub(super) fn alone(name: &str) {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn memory_stays_flat_over_a_long_stream() {
    alone("load::a_long_stream");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "measures the memory of its whole process: memory_stays_flat_over_a_long_stream runs it in one of its own"]
fn a_long_stream() {
    // 1 GiB, or a sixteenth of it where the tests are not optimised.
    let total: usize = if cfg!(debug_assertions) {
        1 << 26
    } else {
        1 << 30
    };
    let server = Server::script(move |connection| {
        connection.send(format!("{SSE}\r\n"));
        let block = event("some words").repeat(1000);
        for _ in 0..total / block.len() {
            connection.send(&block);
        }
        connection.send(DONE);
    });
    let mut stream = client(&server).stream(&request()).unwrap();
    let mut at_first = 0;
    let mut deltas = 0_u64;
    while stream.next().unwrap().is_some() {
        deltas += 1;
        if deltas == 10_000 {
            at_first = peak();
        }
    }
    assert_eq!(stream.end(), deltawire::End::Complete);
    let grown = peak() - at_first;
    println!("{deltas} deltas, {grown} bytes more than after 10,000");
    assert!(deltas > 500_000, "{deltas}");
    assert!(grown < 1 << 20, "{grown}");
}

#[cfg(target_os = "linux")]
#[test]
fn memory_over_an_endless_line_is_bounded() {
    alone("load::an_endless_line");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "measures the memory of its whole process: memory_over_an_endless_line_is_bounded runs it in one of its own"]
fn an_endless_line() {
    const LIMIT: usize = 4 << 20;
    let total: usize = if cfg!(debug_assertions) {
        1 << 26
    } else {
        1 << 30
    };
    let server = Server::script(move |connection| {
        connection.send(format!("{SSE}\r\ndata: "));
        let block = "x".repeat(1 << 16);
        for _ in 0..total / block.len() {
            connection.send(&block);
        }
        connection.send(format!("\n\n{}{DONE}", event("a")));
    });
    let mut options = options(&server.url);
    options.decoder.max_event_bytes = LIMIT;
    let stream = Client::new(options).unwrap().stream(&request()).unwrap();
    let outcome = super::read(stream);
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    let error = outcome.invalid.first().map(ToString::to_string);
    assert!(error.is_some_and(|error| error.contains("4194304 bytes")));
    assert_eq!(outcome.text, "a");
    let peak = peak();
    println!("{peak} bytes at most");
    assert!(peak < (16 << 20) + LIMIT, "{peak}");
}

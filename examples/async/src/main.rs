//! Prints a reply as it comes, with `reqwest`, whose bodies are streams of chunks.
//!
//!     OPENAI_API_KEY=... async_chat "What's 1+1?"
//!
//! `OPENAI_BASE_URL` and `OPENAI_MODEL` ask someone else. The decoder never waits, so there is nothing
//! about it that is async: what is awaited is the next chunk. Exit status: 0, 1 where the reply is not
//! whole or could not be had, 2 wrong usage.
#![deny(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use deltawire::{Decoder, Delta, End};
use futures_util::StreamExt;

type AnyError = Box<dyn std::error::Error>;

/// Reads a response's deltas. This is all that it takes.
async fn read(
    response: reqwest::Response,
    mut each: impl FnMut(Delta<'_>),
) -> Result<End, AnyError> {
    let (mut decoder, mut body) = (Decoder::new(), response.bytes_stream());
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        let mut input = &chunk[..];
        while let Some(delta) = decoder.next(&mut input) {
            each(delta);
        }
    }
    Ok(decoder.close(each))
}

async fn ask(prompt: &str) -> Result<End, AnyError> {
    let from = |name, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let base = from("OPENAI_BASE_URL", "https://api.openai.com/v1");
    let response = reqwest::Client::new()
        .post(format!("{}/chat/completions", base.trim_end_matches('/')))
        .bearer_auth(from("OPENAI_API_KEY", ""))
        .json(&serde_json::json!({
            "model": from("OPENAI_MODEL", "gpt-4o-mini"),
            "messages": [{"role": "user", "content": prompt}],
            "stream": true,
        }))
        .send()
        .await?
        .error_for_status()?;
    let mut out = std::io::stdout();
    let end = read(response, |delta| match delta {
        Delta::Text { text, .. } => {
            // Whoever read it may be gone; the reply need not be given up in the middle.
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
        Delta::Invalid { error, .. } => eprintln!("async_chat: skipped: {error}"),
        _ => {}
    })
    .await?;
    println!();
    Ok(end)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(prompt) = std::env::args().nth(1) else {
        eprintln!("usage: async_chat PROMPT");
        return ExitCode::from(2);
    };
    match ask(&prompt).await {
        Ok(End::Complete) => return ExitCode::SUCCESS,
        Ok(_) => eprintln!("async_chat: the reply is cut"),
        Err(error) => eprintln!("async_chat: {error}"),
    }
    ExitCode::FAILURE
}

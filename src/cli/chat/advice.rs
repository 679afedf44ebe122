//! What a person can do about an error.

use deltawire::client::{Error, Kind, Provider, Status};
use deltawire::delta::ErrorKind;

/// What to do next.
pub(super) fn advice(error: &Error, provider: Provider, has_key: bool) -> Option<String> {
    let key = provider.key_variables()[0];
    let place = match provider.base_url_variables() {
        [variable, ..] => format!("--base-url or {variable} sets it."),
        [] => "--base-url sets it.".into(),
    };
    Some(match error.kind() {
        Kind::Connect => format!("Is the server running, and is this its address? {place}"),
        Kind::Tls => "Look at --base-url; --ca-file names certificates of your own.".into(),
        Kind::Timeout(_) | Kind::Closed | Kind::Reset | Kind::Truncated => "Try again.".into(),
        Kind::ContentType | Kind::Protocol | Kind::Redirect => {
            format!("Is this the API's address? {place}")
        }
        Kind::Request => {
            format!("Look at --base-url, which begins with http:// or https://, and at {key}.")
        }
        Kind::Status => refused(error.status()?, provider, has_key)?,
        _ => return None,
    })
}

fn refused(status: &Status, provider: Provider, has_key: bool) -> Option<String> {
    let key = provider.key_variables()[0];
    Some(match status.kind {
        ErrorKind::Authentication if has_key => format!("Is {key} this provider's key?"),
        ErrorKind::Authentication => format!("Set {key}."),
        ErrorKind::Permission => "Look at the account's credit and at what its key may do.".into(),
        ErrorKind::NotFound => {
            let end = match provider {
                Provider::OpenAi => ", which usually ends in /v1",
                _ => "",
            };
            format!("Look at --model and at --base-url{end}.")
        }
        ErrorKind::ContextLength => "Shorten the prompt.".into(),
        _ if status.transient => match status.retry_after {
            Some(wait) => format!("Try again in {} s.", wait.as_secs().max(1)),
            None => "Try again in a while.".into(),
        },
        _ => return None,
    })
}

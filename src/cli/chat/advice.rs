//! What a person can do about an error.

use deltawire::client::{Error, Kind, Provider, Status};
use deltawire::delta::ErrorKind;

/// What to do next.
pub(super) fn advice(error: &Error, provider: Provider, has_key: bool) -> Option<String> {
    let key = provider.key_variables()[0];
    let place = match provider.base_url_variables() {
        [variable, ..] => format!("Set it with --base-url or {variable}."),
        [] => "Set it with --base-url.".into(),
    };
    Some(match error.kind() {
        Kind::Connect => format!("Is the server running at this address? {place}"),
        Kind::Tls => "Check --base-url. Use --ca-file to trust your own certificates.".into(),
        Kind::Timeout(_) | Kind::Closed | Kind::Reset | Kind::Truncated => "Try again.".into(),
        Kind::ContentType | Kind::Protocol | Kind::Redirect => {
            format!("Is this the address of the API? {place}")
        }
        Kind::Request => {
            format!("Check --base-url, which starts with http:// or https://, and {key}.")
        }
        Kind::Status => refused(error.status()?, provider, has_key)?,
        _ => return None,
    })
}

fn refused(status: &Status, provider: Provider, has_key: bool) -> Option<String> {
    let key = provider.key_variables()[0];
    Some(match status.kind {
        ErrorKind::Authentication if has_key => {
            format!("Check that {key} is a key of this provider.")
        }
        ErrorKind::Authentication => format!("Set {key}."),
        ErrorKind::Permission => {
            "Check the account's credit and the permissions of its key.".into()
        }
        ErrorKind::NotFound => {
            let end = match provider {
                Provider::OpenAi => " (usually ending in /v1)",
                _ => "",
            };
            format!("Check --model and --base-url{end}.")
        }
        ErrorKind::ContextLength => "Shorten the prompt.".into(),
        _ if status.transient => match status.retry_after {
            Some(wait) => format!("Try again in {} s.", wait.as_secs().max(1)),
            None => "Try again later.".into(),
        },
        _ => return None,
    })
}

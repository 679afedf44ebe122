//! Token counts under the names that the providers give them.

use super::count::Count;
use super::details::Path;
use super::walk::{Member, Walk};
use crate::delta::{Scope, Usage};
use crate::json::Span;

/// Stores a count. Returns false if the member is not one.
pub(crate) fn count(
    walk: &mut Walk<'_, '_>,
    usage: &mut Usage,
    key: &str,
    member: Member<'_>,
) -> bool {
    let Some(count) = Count::named(key) else {
        return false;
    };
    let Some(number) = member.value.u64() else {
        return member.value.is_null();
    };
    *count.of(usage) = Some(number);
    walk.queue.count(member.span, count);
    true
}

/// Reads a usage object. Its other members are details of the response.
pub(crate) fn read(walk: &mut Walk<'_, '_>, object: Span, path: &Path<'_>) -> Usage {
    let mut usage = Usage::default();
    // Counts in nested objects are more precise than flat members, wherever they stand.
    let mut nested = Usage::default();
    walk.object(object, Scope::Response, path, |walk, key, member| {
        let Some(inner) = member.as_object() else {
            return count(walk, &mut usage, key, member);
        };
        match key {
            "prompt_tokens_details"
            | "completion_tokens_details"
            | "input_tokens_details"
            | "output_tokens_details" => {
                let path = path.key(key);
                walk.object(inner, Scope::Response, &path, |walk, key, member| {
                    let is_count = matches!(
                        key,
                        "cached_tokens"
                            | "cache_write_tokens"
                            | "reasoning_tokens"
                            | "thinking_tokens"
                    );
                    is_count && count(walk, &mut nested, key, member)
                });
                true
            }
            // Cohere counts here what the model read; `billed_units` is what is paid for.
            "tokens" => {
                let inner = read(walk, inner, &path.key(key));
                nested.merge(&inner);
                true
            }
            _ => false,
        }
    });
    usage.merge(&nested);
    usage
}

/// Reads a usage object that may be missing. Returns false if the member is neither an object nor null.
pub(crate) fn report(walk: &mut Walk<'_, '_>, member: Member<'_>, path: &Path<'_>) -> bool {
    match member.as_object() {
        Some(object) => {
            let usage = read(walk, object, path);
            walk.progress.usage(usage, walk.queue);
            true
        }
        None => member.value.is_null(),
    }
}

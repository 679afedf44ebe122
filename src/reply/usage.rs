//! Token counts under the names that the providers give them.

use super::count::Count;
use super::queue::Queue;
use crate::delta::Usage;
use crate::tape::Value;

/// Reads a usage object; what is none of them, or no number, is left out. Where the numbers stand is
/// marked, since in some streams they grow with every event.
pub(crate) fn read(value: Value<'_>, queue: &mut Queue) -> Usage {
    let mut usage = Usage::default();
    // Details are more precise than a flat member of the same meaning, wherever they stand.
    let mut details = Usage::default();
    for (key, value) in value.members() {
        match key {
            "prompt_tokens_details"
            | "completion_tokens_details"
            | "input_tokens_details"
            | "output_tokens_details" => {
                for (key, value) in value.members() {
                    match key {
                        "cached_tokens" | "cache_write_tokens" | "reasoning_tokens"
                        | "thinking_tokens" => count(&mut details, key, value, queue),
                        _ => queue.ignored(key),
                    }
                }
            }
            // Cohere counts here what the model saw; `billed_units` is what is paid for.
            "tokens" => details.merge(&read(value, queue)),
            key => count(&mut usage, key, value, queue),
        }
    }
    usage.merge(&details);
    usage
}

/// [`read`], of a member that may be missing.
pub(crate) fn of(value: Option<Value<'_>>, queue: &mut Queue) -> Usage {
    value.map(|value| read(value, queue)).unwrap_or_default()
}

fn count(usage: &mut Usage, key: &str, value: Value<'_>, queue: &mut Queue) {
    match Count::named(key) {
        Some(count) => {
            let slot = count.of(usage);
            *slot = value.u64().or(*slot);
            queue.count(key, count);
        }
        None => queue.ignored(key),
    }
}

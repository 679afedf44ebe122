//! Members that several dialects look for.

use crate::reply::Payload;
use crate::tape::Value;

/// Returns the payload's own type, or `None` if it names none.
pub(super) fn type_of<'d>(payload: &Payload<'d>) -> Option<&'d str> {
    payload.doc.root.get("type").and_then(Value::str)
}

/// Returns true if the object has a string by this name.
pub(super) fn has_text(object: Value<'_>, key: &str) -> bool {
    object.get(key).is_some_and(|value| value.str().is_some())
}

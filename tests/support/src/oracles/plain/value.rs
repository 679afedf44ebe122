//! Payloads, and what is taken from their values.

use crate::json::Json;
use serde_json::Value;

pub(super) static NOTHING: Value = Value::Null;

/// The payload, where JSON readers agree on it.
pub(super) fn value(data: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(data);
    let value: Value = serde_json::from_str(&text).ok()?;
    // A key that comes twice is there once, and an integer out of range is a float.
    let outline = Json::read(text.as_bytes())?;
    let is_plain = members(&value) == outline_members(&outline) && has_small_integers(&outline);
    is_plain.then_some(value)
}

fn has_small_integers(json: &Json<'_>) -> bool {
    match json {
        Json::Object(object) => object.iter().all(|(_, json)| has_small_integers(json)),
        Json::Array(array) => array.iter().all(has_small_integers),
        Json::Scalar(text) => {
            let text = std::str::from_utf8(text).unwrap_or_default();
            let digits = text.strip_prefix('-').unwrap_or(text);
            let is_integer = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
            !is_integer || text.parse::<u64>().is_ok() || text.parse::<i64>().is_ok()
        }
    }
}

fn members(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        Value::Array(array) => array.iter().map(members).sum(),
        _ => 0,
    }
}

fn outline_members(json: &Json<'_>) -> usize {
    match json {
        Json::Object(object) => {
            object.len()
                + object
                    .iter()
                    .map(|(_, json)| outline_members(json))
                    .sum::<usize>()
        }
        Json::Array(array) => array.iter().map(outline_members).sum(),
        Json::Scalar(_) => 0,
    }
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Whole and not negative; 3.0 is 3.
pub(super) fn number(value: &Value) -> Option<u64> {
    let whole = |float: &f64| *float >= 0.0 && *float < 9e15 && float.fract() == 0.0;
    let float = || value.as_f64().filter(whole).map(|float| float as u64);
    value.as_u64().or_else(|| match value.is_i64() {
        true => None,
        false => float(),
    })
}

pub(super) fn choice_of(value: &Value) -> u32 {
    let number = number(value).and_then(|number| u32::try_from(number).ok());
    number.unwrap_or_default()
}

pub(super) fn index_of(value: &Value) -> Option<i32> {
    match value.as_i64() {
        Some(index) => i32::try_from(index).ok(),
        None => i32::try_from(number(value)?).ok(),
    }
}

/// It says nothing.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(array) => array.iter().all(is_empty),
        Value::Object(object) => object.values().all(is_empty),
        _ => false,
    }
}

pub(super) fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(super) fn pairs(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let pairs = value.as_object().into_iter().flatten();
    pairs.map(|(key, value)| (&**key, value))
}

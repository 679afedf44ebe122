//! Numbers: where they end, and their value as an integer.

use super::scan::{at, digits_end};
use super::{Malformed, Span};

/// A number, as the text has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number<'d> {
    /// The whole text.
    pub(super) text: &'d str,
    pub(super) span: Span,
}

impl<'d> Number<'d> {
    /// Returns the number's text.
    #[inline]
    pub(crate) fn text(self) -> &'d str {
        self.span.of(self.text)
    }

    /// Returns the number if it is an integer that fits. 3.0 and 3e0 are integers.
    #[inline]
    pub(crate) fn u64(self) -> Option<u64> {
        match *self.text().as_bytes() {
            [digit @ b'0'..=b'9'] => Some(u64::from(digit - b'0')),
            _ => u64::try_from(integer(self.text())?).ok(),
        }
    }

    /// Returns the number if it is an integer that fits. 3.0 and 3e0 are integers.
    pub(crate) fn i64(self) -> Option<i64> {
        i64::try_from(integer(self.text())?).ok()
    }
}

/// Returns the value of a number that is an integer of at most 64 bits.
fn integer(text: &str) -> Option<i128> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let value = if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse::<u64>().ok()?
    } else {
        whole(digits)?
    };
    let value = i128::from(value);
    Some(if is_negative { -value } else { value })
}

/// Returns the value of a number with a fraction or an exponent, if it is an integer of at most 2^53. Above
/// that, readers that store it as a float do not agree on the integer.
#[cold]
fn whole(text: &str) -> Option<u64> {
    const MAX: u64 = 1 << 53;
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (int, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // Zeros at the end of the fraction say nothing.
    let fraction = fraction.trim_end_matches('0');
    let digits = int.bytes().chain(fraction.bytes());
    let value = digits.clone().try_fold(0u64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })?;
    if value == 0 {
        return Some(0);
    }
    let exponent = exponent.parse::<i32>().ok()?;
    let shift = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10u64.checked_pow(shift.unsigned_abs())?;
    let value = if shift < 0 {
        (value % power == 0).then_some(value / power)?
    } else {
        value.checked_mul(power)?
    };
    (value <= MAX).then_some(value)
}

/// Returns where the number ends that begins at `pos`. Its first byte is a digit, `-`, `N` or `I`.
pub(super) fn number_end(bytes: &[u8], mut pos: u32) -> Result<u32, Malformed> {
    match at(bytes, pos) {
        b'N' => return word_end(bytes, pos, b"NaN"),
        b'I' => return word_end(bytes, pos, b"Infinity"),
        b'-' => {
            pos += 1;
            if at(bytes, pos) == b'I' {
                return word_end(bytes, pos, b"Infinity");
            }
        }
        _ => {}
    }
    // A zero is the whole integer part; if another digit follows, the caller finds it unexpected.
    pos = match at(bytes, pos) {
        b'0' => pos + 1,
        b'1'..=b'9' => digits_end(bytes, pos + 1),
        _ => return Err(Malformed::syntax(pos)),
    };
    if at(bytes, pos) == b'.' {
        pos = some_digits_end(bytes, pos + 1)?;
    }
    if let b'e' | b'E' = at(bytes, pos) {
        pos += 1;
        if let b'+' | b'-' = at(bytes, pos) {
            pos += 1;
        }
        pos = some_digits_end(bytes, pos)?;
    }
    Ok(pos)
}

/// Returns where the digits end that begin at `pos`, of which there must be at least one.
fn some_digits_end(bytes: &[u8], pos: u32) -> Result<u32, Malformed> {
    match at(bytes, pos) {
        b'0'..=b'9' => Ok(digits_end(bytes, pos + 1)),
        _ => Err(Malformed::syntax(pos)),
    }
}

/// Returns the end of `word`, which must stand at `pos`.
pub(super) fn word_end(bytes: &[u8], pos: u32, word: &[u8]) -> Result<u32, Malformed> {
    let mut end = pos;
    for &byte in word {
        if at(bytes, end) != byte {
            return Err(Malformed::syntax(end));
        }
        end += 1;
    }
    Ok(end)
}

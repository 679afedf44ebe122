//! Searches that compare 16 bytes at a time.
//!
//! Each search loads a block of 16 bytes, turns it into a mask of one bit per byte and returns the
//! offset of the lowest bit. Near the end of the text it loads the last 16 bytes instead and shifts
//! the mask, so that only texts shorter than a block are read byte by byte.

use core::num::NonZeroU16;

use wide::u8x16;

/// The number of bytes in a block.
pub(super) const BLOCK: u32 = 16;

/// The same, for arrays.
const SIZE: usize = BLOCK as usize;

/// A block and the bytes after it that a token may need. One bounds check loads all of them: the
/// compiler knows that an offset found in the block, plus 2, is still inside.
pub(super) type Window = [u8; SIZE + 2];

/// Returns the byte at `pos`, or 0 at the end of the text. JSON has no use for a 0 byte, so the two
/// need not be told apart.
#[inline(always)]
pub(super) fn at(bytes: &[u8], pos: u32) -> u8 {
    bytes.get(pos as usize).copied().unwrap_or(0)
}

/// Returns the two bytes at `pos`, the first one in the low half, or 0 if there are not two.
#[inline(always)]
pub(super) fn pair_at(bytes: &[u8], pos: u32) -> u16 {
    match bytes.get(pos as usize..pos as usize + 2) {
        Some(&[first, second]) => u16::from_le_bytes([first, second]),
        _ => 0,
    }
}

/// Returns the window at `pos`, unless the text ends before it does.
#[inline(always)]
pub(super) fn window(bytes: &[u8], pos: u32) -> Option<&Window> {
    let window = bytes.get(pos as usize..pos as usize + size_of::<Window>())?;
    window.try_into().ok()
}

/// Returns the offset of the first byte of the window's block that is a quote, a backslash or a control
/// character.
#[inline(always)]
pub(super) fn stop_in(window: &Window) -> Option<usize> {
    Some(first(stops(block_of(window)))? as usize)
}

/// Returns the offset of the first byte of the window's block that is not a digit.
#[inline(always)]
pub(super) fn digits_in(window: &Window) -> Option<usize> {
    Some(first(not_digits(block_of(window)))? as usize)
}

#[inline(always)]
fn block_of(window: &Window) -> u8x16 {
    let [block @ .., _, _] = window;
    u8x16::from(*block)
}

/// Returns the number of the lowest bit of a mask.
#[inline(always)]
fn first(mask: u32) -> Option<u32> {
    // A `u16` says that the number is below 16.
    Some(NonZeroU16::new(mask as u16)?.trailing_zeros())
}

/// Returns the block at `pos`.
#[inline(always)]
fn block(bytes: &[u8], pos: usize) -> Option<u8x16> {
    let block: &[u8; SIZE] = bytes.get(pos..pos + SIZE)?.try_into().ok()?;
    Some(u8x16::from(*block))
}

/// Returns a mask of the bytes that end a run of plain string characters.
#[inline(always)]
fn stops(block: u8x16) -> u32 {
    // Exclusive or with 2 exchanges the quote and the space, and keeps control characters below the
    // space. So one unsigned comparison finds quotes and control characters.
    let flipped = block ^ u8x16::splat(2);
    let low = flipped.min(u8x16::splat(0x20)).cmp_eq(flipped);
    (low | block.cmp_eq(u8x16::splat(b'\\'))).move_mask() as u32
}

/// Returns a mask of the bytes that are not digits.
#[inline(always)]
fn not_digits(block: u8x16) -> u32 {
    let value = block - u8x16::splat(b'0');
    !value.min(u8x16::splat(9)).cmp_eq(value).move_mask() as u32 & 0xFFFF
}

/// Returns a mask of the bytes that are not white space.
#[inline(always)]
fn not_spaces(block: u8x16) -> u32 {
    let is = |byte| block.cmp_eq(u8x16::splat(byte));
    let spaces = (is(b' ') | is(b'\n')) | (is(b'\r') | is(b'\t'));
    !spaces.move_mask() as u32 & 0xFFFF
}

/// Returns a mask of the backslashes.
#[inline(always)]
fn backslashes(block: u8x16) -> u32 {
    block.cmp_eq(u8x16::splat(b'\\')).move_mask() as u32
}

/// Returns the offset of the first byte from `pos` on that `mask` marks, or the length of the text.
#[inline(always)]
fn find(bytes: &[u8], mut pos: usize, mask: impl Fn(u8x16) -> u32) -> usize {
    while let Some(block) = block(bytes, pos) {
        let found = mask(block);
        if found != 0 {
            return pos + found.trailing_zeros() as usize;
        }
        pos += SIZE;
    }
    find_in_rest(bytes, pos, mask)
}

/// Does what [`find`] does if fewer than 16 bytes are left.
#[inline(always)]
fn find_in_rest(bytes: &[u8], pos: usize, mask: impl Fn(u8x16) -> u32) -> usize {
    let len = bytes.len();
    let rest = len.saturating_sub(pos);
    let found = if let Some(block) = len.checked_sub(SIZE).and_then(|at| block(bytes, at)) {
        mask(block) >> (SIZE - rest.min(SIZE)).min(31)
    } else {
        // The mask of a zero byte is cut off below.
        let mut copy = [0; SIZE];
        for (to, from) in copy.iter_mut().zip(bytes.get(pos..).unwrap_or_default()) {
            *to = *from;
        }
        mask(u8x16::from(copy))
    };
    pos + (found.trailing_zeros() as usize).min(rest)
}

/// Skips a string without escapes, whose first character is the first byte of `rest`. Returns what
/// follows, beginning with the closing quote. `rest` is the end of `text`, which is at least one block
/// long. Inlined for short strings.
#[inline(always)]
pub(crate) fn skip_plain_string<'t>(text: &[u8], mut rest: &'t [u8]) -> Option<&'t [u8]> {
    let stop = loop {
        let Some((block, after)) = rest.split_first_chunk::<SIZE>() else {
            let last = u8x16::from(*text.last_chunk::<SIZE>()?);
            break stops(last) >> (SIZE - rest.len());
        };
        let found = stops(u8x16::from(*block));
        if found != 0 {
            break found;
        }
        rest = after;
    };
    let rest = rest.get(stop.trailing_zeros() as usize..)?;
    (rest.first() == Some(&b'"')).then_some(rest)
}

/// Returns the offset of the first byte from `pos` on that is a quote, a backslash or a control
/// character, or the length of the text.
#[inline(never)]
pub(super) fn string_stop(bytes: &[u8], pos: u32) -> u32 {
    let mut pos = pos as usize;
    for _ in 0..4 {
        let Some(block) = block(bytes, pos) else {
            break;
        };
        let found = stops(block);
        if found != 0 {
            return pos as u32 + found.trailing_zeros();
        }
        pos += SIZE;
    }
    // Long texts are searched four blocks at a time.
    while let Some(blocks) = bytes.get(pos..pos + 4 * SIZE) {
        if has_stop(blocks) {
            break;
        }
        pos += 4 * SIZE;
    }
    find(bytes, pos, stops) as u32
}

/// Returns whether [`stops`] finds anything in one of the blocks.
#[inline(always)]
fn has_stop(blocks: &[u8]) -> bool {
    let mut lowest = u8x16::splat(0xFF);
    let mut backslashes = u8x16::splat(0);
    for block in blocks.as_chunks::<SIZE>().0 {
        let block = u8x16::from(*block);
        lowest = lowest.min(block ^ u8x16::splat(2));
        backslashes |= block.cmp_eq(u8x16::splat(b'\\'));
    }
    let low = lowest.min(u8x16::splat(0x20)).cmp_eq(lowest);
    (low | backslashes).move_mask() != 0
}

/// Returns the offset of the first byte from `pos` on that is not a digit, or the length of the text.
#[inline(never)]
pub(super) fn digits_end(bytes: &[u8], pos: u32) -> u32 {
    find(bytes, pos as usize, not_digits) as u32
}

/// Returns the offset of the first backslash from `pos` on, or the length of the text.
#[inline]
pub(super) fn backslash(bytes: &[u8], pos: usize) -> usize {
    find(bytes, pos, backslashes)
}

/// Returns the offset of the first byte from `pos` on that is not white space.
#[inline(never)]
pub(super) fn space_end(bytes: &[u8], pos: u32) -> u32 {
    match pair_at(bytes, pos).to_le_bytes() {
        [b' ', next] if next > b' ' => pos + 1,
        _ => find(bytes, pos as usize, not_spaces) as u32,
    }
}

/// Returns the offset of the next byte that is not white space, and the byte, or 0 at the end of the
/// text.
#[inline(always)]
pub(super) fn token(bytes: &[u8], pos: u32) -> (u32, u8) {
    let byte = at(bytes, pos);
    if byte > b' ' {
        return (pos, byte);
    }
    let pos = space_end(bytes, pos);
    (pos, at(bytes, pos))
}

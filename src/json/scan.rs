//! Searches that compare 16 bytes at a time.
//!
//! Each search loads a block of 16 bytes, turns it into a mask of one bit per byte and returns the
//! offset of the lowest bit. Near the end of the text it loads the last 16 bytes instead and shifts
//! the mask, so that only texts shorter than a block are read byte by byte.

use wide::u8x16;

/// The number of bytes in a block.
const BLOCK: usize = 16;

/// Returns the byte at `pos`, or 0 at the end of the text. JSON has no use for a 0 byte, so the two
/// need not be told apart.
#[inline(always)]
pub(super) fn at(bytes: &[u8], pos: u32) -> u8 {
    bytes.get(pos as usize).copied().unwrap_or(0)
}

/// Returns the block at `pos`.
#[inline(always)]
fn block(bytes: &[u8], pos: usize) -> Option<u8x16> {
    let block: &[u8; BLOCK] = bytes.get(pos..)?.first_chunk()?;
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
        pos += BLOCK;
    }
    find_in_rest(bytes, pos, mask)
}

/// Does what [`find`] does if fewer than 16 bytes are left.
#[inline(always)]
fn find_in_rest(bytes: &[u8], pos: usize, mask: impl Fn(u8x16) -> u32) -> usize {
    let len = bytes.len();
    let rest = len.saturating_sub(pos);
    let found = if let Some(block) = len.checked_sub(BLOCK).and_then(|at| block(bytes, at)) {
        mask(block) >> (BLOCK - rest.min(BLOCK)).min(31)
    } else {
        // The mask of a zero byte is cut off below.
        let mut copy = [0; BLOCK];
        for (to, from) in copy.iter_mut().zip(bytes.get(pos..).unwrap_or_default()) {
            *to = *from;
        }
        mask(u8x16::from(copy))
    };
    pos + (found.trailing_zeros() as usize).min(rest)
}

/// Returns the offset of the first byte from `pos` on that is a quote, a backslash or a control
/// character, or the length of the text.
#[inline(always)]
pub(super) fn string_stop(bytes: &[u8], pos: u32) -> u32 {
    if let Some(block) = block(bytes, pos as usize) {
        let found = stops(block);
        if found != 0 {
            return pos + found.trailing_zeros();
        }
    }
    far_string_stop(bytes, pos)
}

#[inline(never)]
fn far_string_stop(bytes: &[u8], pos: u32) -> u32 {
    find(bytes, pos as usize, stops) as u32
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
#[cold]
#[inline(never)]
pub(super) fn space_end(bytes: &[u8], mut pos: u32) -> u32 {
    while let b' ' | b'\n' | b'\r' | b'\t' = at(bytes, pos) {
        pos += 1;
    }
    pos
}

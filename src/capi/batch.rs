//! Many deltas handed out by one call.

use core::mem::MaybeUninit;
use core::ops::Range;

use super::delta::dw_delta;
use super::slice::dw_slice;

/// A batch ends where so many bytes had to be copied for it, and so many are kept for the next one.
const MAX_KEPT_BYTES: usize = 64 * 1024;

/// The caller's room for a batch; `None` where there is none, or where it cannot be.
///
/// # Safety
///
/// `deltas` is NULL, or may be written `capacity` times, and nothing else points there meanwhile.
pub(super) unsafe fn room<'r>(
    deltas: *mut dw_delta,
    capacity: usize,
) -> Option<&'r mut [MaybeUninit<dw_delta>]> {
    let size = size_of::<dw_delta>().checked_mul(capacity)?;
    let is_room = size > 0 && isize::try_from(size).is_ok() && !deltas.is_null();
    // SAFETY: there is room for `capacity` deltas, of which nothing is read.
    is_room.then(|| unsafe { core::slice::from_raw_parts_mut(deltas.cast(), capacity) })
}

/// Fills `room` with the deltas that `next` writes, until it has none. Gives how many, and the error
/// that ended them.
///
/// Deltas of several events can be handed out together since each slice points either into `input`,
/// which stays, or to bytes of the decoder's own, which the next event overwrites and which are
/// therefore copied to `kept` first.
#[inline]
pub(super) fn fill<E>(
    room: &mut [MaybeUninit<dw_delta>],
    input: Range<*const u8>,
    kept: &mut Vec<u8>,
    mut next: impl for<'o> FnMut(&'o mut MaybeUninit<dw_delta>) -> Result<Option<&'o mut dw_delta>, E>,
) -> (usize, Option<E>) {
    let is_lent = |slice: &dw_slice| slice.len > 0 && !input.contains(&slice.ptr);
    kept.clear();
    kept.shrink_to(MAX_KEPT_BYTES);
    let mut len: usize = 0;
    // The last delta's own slices stay good as long as the decoder is left alone.
    let mut settled = 0;
    let mut error = None;
    while let Some(slot) = room.get_mut(len) {
        let written = match next(slot) {
            Ok(Some(written)) => written,
            Ok(None) => break,
            Err(met) => {
                error = Some(met);
                break;
            }
        };
        len = len.saturating_add(1);
        let mut is_kept = true;
        for slice in written.slices_mut() {
            if is_lent(slice) {
                // SAFETY: the decoder was not called since it handed this out.
                let lent = unsafe { slice.get() }.unwrap_or_default();
                is_kept &= kept.try_reserve(lent.len()).is_ok();
                if is_kept {
                    kept.extend_from_slice(lent);
                }
            }
        }
        if !is_kept {
            break;
        }
        settled = len;
        if kept.len() >= MAX_KEPT_BYTES {
            break;
        }
    }
    if !kept.is_empty() {
        // In the order in which they were copied.
        let mut copies = kept.as_slice();
        for slot in room.get_mut(..settled).unwrap_or_default() {
            // SAFETY: all up to `len` were written above.
            let delta = unsafe { slot.assume_init_mut() };
            for slice in delta.slices_mut() {
                if is_lent(slice)
                    && let Some((copy, behind)) = copies.split_at_checked(slice.len)
                {
                    *slice = dw_slice::of(copy);
                    copies = behind;
                }
            }
        }
    }
    (len, error)
}

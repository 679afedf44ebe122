//! The program of calls, and the bytes that a caller lends.

use core::ptr::null;

use deltawire::capi::slice::dw_input;

/// The calls, over and over.
pub(super) struct Program<'p> {
    bytes: &'p [u8],
    at: usize,
}

impl<'p> Program<'p> {
    pub(super) fn new(bytes: &'p [u8]) -> Self {
        Program { bytes, at: 0 }
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        let byte = self
            .bytes
            .get(self.at % self.bytes.len().max(1))
            .copied()
            .unwrap_or(0);
        self.at += 1;
        usize::from(byte) % n
    }

    /// How many of the bytes that are left come next.
    pub(super) fn piece(&mut self, left: usize) -> usize {
        let len = match self.below(8) {
            0 => left,
            1 => self.below(3),
            2 => 256 * self.below(8),
            _ => self.below(64),
        };
        len.clamp(left.min(1), left)
    }
}

/// The caller's bytes, in memory of their own.
pub(super) struct Lent {
    bytes: Box<[u8]>,
    pub(super) input: dw_input,
}

impl Lent {
    pub(super) fn new(bytes: &[u8]) -> Lent {
        let mut lent = Lent {
            bytes: bytes.into(),
            input: dw_input {
                data: null(),
                len: bytes.len(),
                pos: 0,
            },
        };
        lent.input.data = lent.bytes.as_ptr();
        lent
    }

    /// What a caller may do once all is used.
    pub(super) fn overwrite(mut self) {
        assert_eq!(
            self.input.pos, self.input.len,
            "`DW_OK` means that all is used"
        );
        self.bytes.fill(0xAA);
    }
}

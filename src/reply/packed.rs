//! Tables of words without a pointer for each row.
//!
//! A row of a slice of `(&str, Kind)` takes 24 bytes beside its word, and in a shared library as many again
//! for the loader. Packed at compile time it takes 2.

/// The rows of a table, one behind the other: the length of the word, the number of its meaning, the word.
pub(crate) struct Packed<T: 'static> {
    bytes: &'static [u8],
    /// The meanings by their numbers.
    meanings: &'static [T],
}

impl<T: Copy> Packed<T> {
    pub(crate) const fn new(bytes: &'static [u8], meanings: &'static [T]) -> Self {
        Packed { bytes, meanings }
    }

    /// Returns the meaning of the first word for which `f` returns true.
    pub(crate) fn find(&self, mut f: impl FnMut(&[u8]) -> bool) -> Option<T> {
        let mut bytes = self.bytes;
        while let [len, meaning, rest @ ..] = bytes {
            let (word, rest) = rest.split_at_checked(usize::from(*len))?;
            if f(word) {
                return self.meanings.get(usize::from(*meaning)).copied();
            }
            bytes = rest;
        }
        None
    }
}

/// Packs a constant table of `(&str, Kind)`.
macro_rules! packed {
    ($visible:vis $name:ident: $kind:ident = $rows:ident) => {
        $visible static $name: crate::reply::packed::Packed<$kind> = {
            const SIZE: usize = {
                let mut size = 0;
                let mut row = 0;
                while row < $rows.len() {
                    size += 2 + $rows[row].0.len();
                    row += 1;
                }
                size
            };
            static BYTES: [u8; SIZE] = {
                let mut bytes = [0; SIZE];
                let (mut at, mut row) = (0, 0);
                while row < $rows.len() {
                    let (word, kind) = $rows[row];
                    let word = word.as_bytes();
                    assert!(word.len() < 256);
                    bytes[at] = word.len() as u8;
                    bytes[at + 1] = kind as u8;
                    let mut n = 0;
                    while n < word.len() {
                        bytes[at + 2 + n] = word[n];
                        n += 1;
                    }
                    at += 2 + word.len();
                    row += 1;
                }
                bytes
            };
            crate::reply::packed::Packed::new(&BYTES, $kind::ALL)
        };
    };
}
pub(crate) use packed;

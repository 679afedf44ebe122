"""Chooses who makes deltas: the extension where it was built, else ctypes.

``DELTAWIRE_PURE=1`` in the environment does without the extension.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Callable, NamedTuple, Union

from . import _library as lib
from . import _pure
from ._deltas import KINDS, Delta

try:
    if os.environ.get("DELTAWIRE_PURE", "") not in ("", "0"):
        raise ImportError
    from . import _speedups
except ImportError:
    HAS_SPEEDUPS = False
else:
    HAS_SPEEDUPS = True
    _speedups.setup(
        KINDS,
        lib.FINISH_REASONS,
        lib.ERROR_KINDS,
        lib.address(lib.decoder_next_batch),
        lib.address(lib.decoder_finish),
        lib.address(lib.stream_next_batch),
    )

Bytes = Union[bytes, bytearray, memoryview]


class Reads(NamedTuple):
    """What is read of a decoder; `_speedups.read` and `_speedups.finish` without their handle."""

    read: Callable[[Bytes, int, "list[Delta]", int], "tuple[int, int]"]
    finish: Callable[["list[Delta]"], int]


def reads(decoder: int, pure: bool) -> Reads:
    if HAS_SPEEDUPS and not pure:
        return Reads(partial(_speedups.read, decoder), partial(_speedups.finish, decoder))
    reader = _pure.Reader(decoder)
    return Reads(reader.read, reader.finish)


def waits(stream: int) -> Callable[["list[Delta]"], int]:
    """What waits for a stream's next deltas and appends them; gives the library's status."""
    if HAS_SPEEDUPS:
        return partial(_speedups.wait, stream)
    return _pure.Waiter(stream).wait

"""A pointer into the library that one thread uses at a time, and that is freed once."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Callable, Optional, Self


class Handle:
    """`with handle as pointer:` holds it for a call.

    Raises ValueError where it was freed, and RuntimeError while it is held, by whichever thread: the
    library's objects are used by one at a time.
    """

    __slots__ = ("pointer", "acquire", "release", "what", "_free")

    def __init__(self, what: str, pointer: int, free: Callable[[int], Any]) -> None:
        lock = threading.Lock()
        self.acquire = lock.acquire
        self.release = lock.release
        self.pointer = pointer
        self.what = what
        self._free = free

    def __enter__(self) -> int:
        if not self.acquire(False):
            raise self.busy()
        if not self.pointer:
            self.release()
            raise self.closed()
        return self.pointer

    def __exit__(
        self,
        kind: Optional[type[BaseException]] = None,
        error: Optional[BaseException] = None,
        trace: Optional[TracebackType] = None,
    ) -> None:
        self.release()

    def busy(self) -> RuntimeError:
        return RuntimeError(f"the {self.what} is in use")

    def closed(self) -> ValueError:
        return ValueError(f"the {self.what} is closed")

    def close(self, wait: bool = False) -> None:
        """Frees it. Where it is held, `wait` says to wait for that to end."""
        if not self.acquire(wait):
            raise self.busy()
        try:
            pointer, self.pointer = self.pointer, 0
            if pointer:
                self._free(pointer)
        finally:
            self.release()

    def __del__(self) -> None:
        # The net for an object that nobody closed.
        if self.pointer:
            self._free(self.pointer)


class Closing:
    """What has a handle: `with` closes it."""

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

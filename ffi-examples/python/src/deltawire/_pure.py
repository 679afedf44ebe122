"""Deltas out of the library's structs, by ctypes alone.

`_speedups.c` does the same faster; this is what is used where it could not be built.
"""

from __future__ import annotations

import ctypes
from ctypes import byref, c_size_t, string_at
from struct import Struct
from typing import Any

from . import _deltas as d
from . import _library as lib

#: How many deltas are read in one call.
CAPACITY = 64

_SIZE = ctypes.sizeof(lib.DwDelta)
#: The fields of a text and what else begins a delta: kind, choice, index, flags, finish reason, error
#: kind, text. Reading them all at once is much faster than one by one through ctypes.
_head = Struct("@IIiIIIPN")
_heads = Struct(f"@IIiIIIPN{_SIZE - _head.size}x")
_TEXTS: dict[int, Any] = {2: d.Text, 3: d.Reasoning, 4: d.Refusal}


def _convert(delta: lib.DwDelta) -> d.Delta | None:
    """A delta; None for one of a kind that is newer than this package."""
    kind = delta.kind
    if not 1 <= kind <= len(d.KINDS):
        return None
    cls = d.KINDS[kind - 1]
    if cls is d.Start:
        return d.Start(delta.id.text(), delta.model.text(), delta.role.text())
    if cls in (d.Text, d.Reasoning, d.Refusal):
        return cls(delta.text.text(), delta.choice)
    if cls is d.ToolCallStart or cls is d.ServerToolCallStart:
        return cls(delta.id.text(), delta.name.text(), delta.index, delta.choice)
    if cls is d.ToolCallArguments or cls is d.ServerToolCallArguments:
        whole = delta.flags & lib.DELTA_WHOLE != 0
        return cls(delta.text.text(), delta.index, delta.choice, whole)
    if cls is d.Finish:
        reason = lib.name_of(lib.FINISH_REASONS, delta.finish_reason)
        return d.Finish(reason, delta.raw.text(), delta.choice)
    if cls is d.Usage:
        return usage(delta.usage)
    if cls is d.ProviderError:
        return d.ProviderError(
            lib.name_of(lib.ERROR_KINDS, delta.error_kind),
            delta.text.text(),
            delta.code.text(),
            delta.flags & lib.DELTA_TRANSIENT != 0,
            delta.raw.data(),
        )
    if cls is d.Other:
        return d.Other(delta.name.text(), delta.raw.data())
    return d.Done()


def usage(counts: lib.DwUsage) -> d.Usage:
    """Token counts, None for those that are not known."""
    return d.Usage(
        *(
            getattr(counts, name) if counts.known & 1 << bit else None
            for bit, name in enumerate(lib.USAGE_FIELDS)
        )
    )


class Reader:
    """Reads a decoder. It has memory of its own for what a call fills."""

    def __init__(self, decoder: int) -> None:
        self._decoder = ctypes.c_void_p(decoder)
        self._input = lib.Input()
        self._address = c_size_t.from_buffer(self._input)
        self._deltas = (lib.DwDelta * CAPACITY)()
        self._memory = memoryview(self._deltas).cast("B")
        self._count = c_size_t()
        self._given = byref(self._input)
        self._written = byref(self._count)

    def read(
        self, chunk: bytes | bytearray | memoryview, pos: int, out: list[d.Delta], most: int
    ) -> tuple[int, int]:
        """Appends deltas to `out`. See `_speedups.read`."""
        data = chunk if type(chunk) is bytes else bytes(chunk)
        given, count, deltas = self._input, self._count, self._deltas
        given.data = data
        given.len = len(data)
        given.pos = pos
        base, end = self._address.value, self._address.value + len(data)
        append, texts, left = out.append, _TEXTS, most
        while True:
            status = lib.decoder_next_batch(
                self._decoder, self._given, deltas, min(left, CAPACITY), self._written
            )
            if status <= 0:
                break
            found = count.value
            heads = _heads.iter_unpack(self._memory[: found * _SIZE])
            for at, (kind, choice, _, _, _, _, text, size) in enumerate(heads):
                cls = texts.get(kind)
                if cls is None:
                    delta = _convert(deltas[at])
                    if delta is not None:
                        append(delta)
                elif base <= text < end:
                    append(cls(data[text - base : text - base + size].decode(), choice))
                else:
                    append(cls(string_at(text, size).decode(), choice))
            left -= found
            if not left:
                break
        pos = given.pos
        given.data = None
        return status, pos

    def finish(self, out: list[d.Delta]) -> int:
        """Appends what only the end of the stream shows. Returns 0 or an error."""
        delta = self._deltas[0]
        while (status := int(lib.decoder_finish(self._decoder, byref(delta)))) > 0:
            converted = _convert(delta)
            if converted is not None:
                out.append(converted)
        return status


class Waiter:
    """Waits for a stream's deltas."""

    def __init__(self, stream: int) -> None:
        self._stream = ctypes.c_void_p(stream)
        self._deltas = (lib.DwDelta * CAPACITY)()
        self._count = ctypes.c_size_t()

    def wait(self, out: list[d.Delta]) -> int:
        """Appends the next delta and all behind it that have come. Returns the library's status."""
        status = int(
            lib.stream_next_batch(self._stream, self._deltas, CAPACITY, byref(self._count))
        )
        if status > 0:
            converted = map(_convert, self._deltas[: self._count.value])
            out.extend(delta for delta in converted if delta is not None)
        return status

"""From the bytes of one response to its deltas."""

from __future__ import annotations

from ctypes import byref
from typing import AsyncIterable, AsyncIterator, Iterable, Iterator, Optional

from . import _library as lib
from ._backend import Bytes, reads
from ._deltas import Delta
from ._errors import End, EventError, IncompleteError
from ._handle import Closing, Handle

#: How many deltas are made in one go; fewer only to show what that gains.
_ALL = 1 << 30


class Decoder(Closing):
    """Reads one response: `feed` it what was received, cut wherever it may be, then `finish` it.

        with Decoder() as decoder:
            for chunk in response:
                for delta in decoder.feed(chunk):
                    ...
            for delta in decoder.finish():
                ...
            if decoder.end is not End.COMPLETE:
                ...

    All text in deltas is Python's own. A decoder is used by one thread at a time; another one gets a
    RuntimeError meanwhile. Used after `close` it raises ValueError.

    :param dialect: the provider's format, such as ``openai-chat``; None recognises it.
    :param framing: ``sse``, ``ndjson`` or ``event-stream``; None is what the dialect has, or the first
        bytes show.
    :param eof: what becomes of an event whose blank line is missing at the end: ``flush`` or
        ``discard``; None is ``flush``.
    :param max_event_bytes: the largest event that is accepted; None is 16 MiB.
    :param text_field: the name of a member of an OpenAI chat delta that carries text besides those
        that are known.
    :param reasoning_field: the same for reasoning.
    """

    def __init__(
        self,
        dialect: Optional[str] = None,
        *,
        framing: Optional[str] = None,
        eof: Optional[str] = None,
        max_event_bytes: Optional[int] = None,
        text_field: str = "",
        reasoning_field: str = "",
        _pure: bool = False,
        _most: int = _ALL,
    ) -> None:
        options, _kept = lib.decoder_options(
            dialect, framing, eof, max_event_bytes, text_field, reasoning_field
        )
        pointer = lib.made(lib.decoder_new, byref(options))
        self._handle = Handle("decoder", pointer, lib.decoder_free)
        self._acquire, self._release = self._handle.acquire, self._handle.release
        self._read, self._finish = reads(pointer, _pure)
        self._most = _most

    def feed(self, chunk: Bytes) -> list[Delta]:
        """The deltas of the next bytes, in their order. What `chunk` ends in the middle of is kept."""
        found: list[Delta] = []
        # `with self._handle`, which costs two calls more.
        if not self._acquire(False):
            raise self._handle.busy()
        try:
            pointer = self._handle.pointer
            if not pointer:
                raise self._handle.closed()
            status, pos = self._read(chunk, 0, found, self._most)
            while status != lib.OK:
                if status < 0:
                    found.append(_event_error(pointer, status))
                status, pos = self._read(chunk, pos, found, self._most)
        finally:
            self._release()
        return found

    def finish(self) -> list[Delta]:
        """The deltas of what the end of the body leaves unfinished; then `end` says how it ended.

        Call `reset` before the next stream.
        """
        found: list[Delta] = []
        with self._handle as pointer:
            while (status := self._finish(found)) < 0:
                found.append(_event_error(pointer, status))
        return found

    def reset(self) -> None:
        """Forgets the stream and begins another one. Options and memory are kept."""
        with self._handle as pointer:
            lib.check(lib.decoder_reset(pointer))

    @property
    def end(self) -> End:
        """How the stream ended, or would have if it ended here."""
        with self._handle as pointer:
            return End(lib.decoder_end(pointer))

    @property
    def dialect(self) -> Optional[str]:
        """Whose response it is; None as long as that is not known."""
        with self._handle as pointer:
            number = lib.decoder_dialect(pointer)
        return lib.dialect_name(number).decode() if number else None

    @property
    def offset(self) -> int:
        """How many bytes were used, those of an unfinished event among them."""
        with self._handle as pointer:
            return int(lib.decoder_offset(pointer))

    @property
    def events(self) -> int:
        """How many events were dispatched, those whose payload is not JSON among them."""
        with self._handle as pointer:
            return int(lib.decoder_events(pointer))

    @property
    def seen(self) -> bytes:
        """The lines that are no part of an event stream, up to 64 KiB, such as those of a web page."""
        seen = lib.Slice()
        with self._handle as pointer:
            lib.check(lib.decoder_seen(pointer, byref(seen)))
            return seen.data()

    def close(self) -> None:
        """Frees the decoder. What it handed out stays. To close it again does nothing."""
        self._handle.close()


def _event_error(decoder: int, status: int) -> EventError:
    """What failed, where the stream goes on behind it; raises all else."""
    if not lib.is_event_error(status):
        lib.check(status)
    error = lib.DwError()
    lib.check(lib.decoder_error(decoder, byref(error)))
    return EventError(error.message.text(), lib.status_text(status), error.offset, error.at)


def deltas(
    chunks: Iterable[Bytes],
    dialect: Optional[str] = None,
    *,
    framing: Optional[str] = None,
    eof: Optional[str] = None,
    max_event_bytes: Optional[int] = None,
    text_field: str = "",
    reasoning_field: str = "",
) -> Iterator[Delta]:
    """The deltas of a body that comes in `chunks`, each as soon as its bytes are there.

    Options are those of `Decoder`. Raises IncompleteError behind the last delta where the body ended
    before the reply did.
    """
    with Decoder(
        dialect,
        framing=framing,
        eof=eof,
        max_event_bytes=max_event_bytes,
        text_field=text_field,
        reasoning_field=reasoning_field,
    ) as decoder:
        for chunk in chunks:
            yield from decoder.feed(chunk)
        yield from decoder.finish()
        if decoder.end is not End.COMPLETE:
            raise IncompleteError(decoder.end)


async def adeltas(
    chunks: AsyncIterable[Bytes],
    dialect: Optional[str] = None,
    *,
    framing: Optional[str] = None,
    eof: Optional[str] = None,
    max_event_bytes: Optional[int] = None,
    text_field: str = "",
    reasoning_field: str = "",
) -> AsyncIterator[Delta]:
    """As `deltas`, of chunks that are waited for, such as those of ``httpx``'s ``aiter_bytes``."""
    with Decoder(
        dialect,
        framing=framing,
        eof=eof,
        max_event_bytes=max_event_bytes,
        text_field=text_field,
        reasoning_field=reasoning_field,
    ) as decoder:
        async for chunk in chunks:
            for delta in decoder.feed(chunk):
                yield delta
        for delta in decoder.finish():
            yield delta
        if decoder.end is not End.COMPLETE:
            raise IncompleteError(decoder.end)

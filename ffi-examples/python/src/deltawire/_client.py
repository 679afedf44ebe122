"""Asks a provider over HTTP, and reads the response as it comes."""

from __future__ import annotations

import contextlib
import ctypes
import json as _json
import signal
import socket
import threading
from ctypes import byref
from types import TracebackType
from typing import Any, Iterator, Mapping, Optional, Self, Sequence, Union

from . import _library as lib
from ._backend import waits
from ._deltas import Delta
from ._errors import (
    CancelledError,
    End,
    EventError,
    IncompleteError,
    NotAResponseError,
    StatusError,
    TransportError,
)
from ._handle import Closing, Handle
from ._message import Message

PROVIDERS = ("openai", "azure", "anthropic", "gemini", "ollama")

#: A turn of a conversation: whose it is and what was said.
Turn = Union[Mapping[str, str], "tuple[str, str]"]


class Client(Closing):
    """Whom to ask. Several threads may ask with one client.

        with Client(key=key) as client:
            with client.stream("gpt-4o-mini", [("user", "What is 1+1?")]) as stream:
                for delta in stream:
                    ...

    Times are in seconds, infinity for no limit and None for the default. A ValueError says what is wrong
    with an argument. The key is in no text that this package hands out.

    :param provider: ``openai``, or whoever speaks like it; ``azure``, ``anthropic``, ``gemini``,
        ``ollama``.
    :param base_url: what precedes every path; empty for the provider's own.
    :param api_version: Azure's; empty for the API that has no versions.
    :param proxy: ``http://``, ``socks4://`` or ``socks5://``; ``direct`` for none; empty for what the
        environment says.
    :param ca_file: certificates in PEM that are trusted in place of Mozilla's.
    :param headers: headers besides.
    :param connect_timeout: 10 s unless set.
    :param first_byte_timeout: from there to the first byte of the body; 600 s unless set.
    :param idle_timeout: between bytes; 300 s unless set.
    :param content_timeout: the same, for more than comments and pings; no limit unless set.
    :param retries: attempts besides the first, where no connection came about or the server refused; 2
        unless set.
    :param max_response_bytes: the largest whole response; None for 16 MiB.

    The other options are those of a `Decoder`.
    """

    def __init__(
        self,
        provider: str = "openai",
        *,
        key: str = "",
        base_url: str = "",
        api_version: str = "",
        proxy: str = "",
        ca_file: str = "",
        headers: Optional[Mapping[str, str]] = None,
        connect_timeout: Optional[float] = None,
        first_byte_timeout: Optional[float] = None,
        idle_timeout: Optional[float] = None,
        content_timeout: Optional[float] = None,
        retries: Optional[int] = None,
        max_response_bytes: Optional[int] = None,
        dialect: Optional[str] = None,
        framing: Optional[str] = None,
        eof: Optional[str] = None,
        max_event_bytes: Optional[int] = None,
        text_field: str = "",
        reasoning_field: str = "",
    ) -> None:
        if provider not in PROVIDERS:
            raise ValueError(f"provider is one of {', '.join(PROVIDERS)}, not {provider!r}")
        decoder, _fields = lib.decoder_options(
            dialect, framing, eof, max_event_bytes, text_field, reasoning_field
        )
        kept = _Kept()
        others = dict(headers or {})
        lines = (lib.Header * len(others))(
            *(lib.Header(kept.lend(name), kept.lend(value)) for name, value in others.items())
        )
        options = lib.ClientOptions(
            struct_size=ctypes.sizeof(lib.ClientOptions),
            provider=PROVIDERS.index(provider),
            base_url=kept.lend(base_url),
            key=kept.lend(key),
            api_version=kept.lend(api_version),
            proxy=kept.lend(proxy),
            ca_file=kept.lend(ca_file),
            headers=lines,
            headers_len=len(others),
            timeout_connect_ms=_milliseconds(connect_timeout),
            timeout_first_byte_ms=_milliseconds(first_byte_timeout),
            timeout_idle_ms=_milliseconds(idle_timeout),
            timeout_content_ms=_milliseconds(content_timeout),
            retries=0 if retries is None else retries or lib.NONE,
            max_response_bytes=max_response_bytes or 0,
            decoder=ctypes.pointer(decoder),
        )
        pointer = ctypes.c_void_p()
        why = ctypes.create_string_buffer(512)
        status = lib.client_new(byref(options), byref(pointer), why, len(why))
        if status == lib.ERR_REQUEST:
            raise ValueError(why.value.decode("utf-8", "replace"))
        lib.check(status)
        assert pointer.value is not None
        self._handle = Handle("client", pointer.value, lib.client_free)
        # Threads that ask at the same time wait for each other, since that takes no time.
        self._asking = threading.Lock()

    def stream(
        self,
        model: str,
        messages: Sequence[Turn],
        *,
        max_tokens: Optional[int] = None,
        n: Optional[int] = None,
        temperature: Optional[float] = None,
        include_usage: bool = False,
    ) -> Stream:
        """A stream of the reply to a conversation, which is put as the provider wants it.

        Nothing is sent before the first delta is asked for.

        :param messages: pairs of role and content, or mappings that have these.
        :param include_usage: asks for token counts, which some providers send only then.
        """
        kept = _Kept()
        turns = [
            lib.Turn(kept.lend(role), kept.lend(content)) for role, content in map(_turn, messages)
        ]
        flags = lib.REQUEST_INCLUDE_USAGE if include_usage else 0
        if temperature is not None:
            flags |= lib.REQUEST_TEMPERATURE
        return self._ask(
            model=kept.lend(model),
            turns=(lib.Turn * len(turns))(*turns),
            turns_len=len(turns),
            max_tokens=max_tokens or 0,
            n=n or 0,
            temperature=temperature or 0.0,
            flags=flags,
        )

    def post(self, path: str, body: Union[bytes, Mapping[str, Any]]) -> Stream:
        """The same with JSON that the caller wrote, which asks for a stream itself.

        :param path: below the base URL, such as ``/chat/completions``, or a whole URL.
        :param body: bytes, or what `json.dumps` takes.
        """
        kept = _Kept()
        data = body if isinstance(body, bytes) else _json.dumps(body).encode()
        return self._ask(path=kept.lend(path), json=kept.lend(data))

    def _ask(self, **fields: Any) -> Stream:
        request = lib.Request(struct_size=ctypes.sizeof(lib.Request), **fields)
        with self._asking, self._handle as pointer:
            return Stream(lib.made(lib.client_stream, pointer, byref(request)))

    def close(self) -> None:
        """Frees the client and its connections at rest; its streams go on."""
        with self._asking:
            self._handle.close()


class Stream(Closing):
    """A request and its response: an iterator of deltas, which waits for each.

    It raises TransportError, StatusError or CancelledError where the request was not answered to its end,
    behind all that came, and IncompleteError where the body ended before the reply did.

    Other threads run while it waits. `with` closes it. In a `with` of the main thread Ctrl-C ends the
    waiting, and raises KeyboardInterrupt as it does elsewhere.
    """

    def __init__(self, pointer: int) -> None:
        self._handle = Handle("stream", pointer, lib.stream_free)
        self._acquire, self._release = self._handle.acquire, self._handle.release
        self._wait = waits(pointer)
        #: What has come and was not asked for yet, from the last to the first.
        self._come: list[Delta] = []
        self._cancelling = threading.Lock()
        self._is_closing = False
        self._interrupts: contextlib.ExitStack = contextlib.ExitStack()

    def __iter__(self) -> Iterator[Delta]:
        return self

    def __next__(self) -> Delta:
        come = self._come
        if come and not self._is_closing:
            return come.pop()
        # `with self._handle`, which costs two calls more.
        if not self._acquire(False):
            raise self._handle.busy()
        try:
            pointer = self._handle.pointer
            if not pointer:
                raise self._handle.closed()
            while (status := self._wait(come)) > 0:
                # Those of a kind that is newer than this package are passed over.
                if come:
                    come.reverse()
                    return come.pop()
            if status == lib.OK:
                end = End(lib.stream_end(pointer))
                if end is End.COMPLETE:
                    raise StopIteration
                raise IncompleteError(end)
            failure = self._failure(pointer, status)
        finally:
            self._release()
        if isinstance(failure, EventError):
            return failure
        raise failure

    def fetch(self) -> Message:
        """Waits for the whole response, of a request that asks for no stream if it is a `post`.

        Raises NotAResponseError beside what an iteration raises.
        """
        message = Message()
        with self._handle as pointer, message._handle as into:
            status = lib.stream_fetch(pointer, into)
            if status == lib.OK:
                return message
            if status in (lib.ERR_NOT_JSON, lib.ERR_NOT_A_RESPONSE):
                raise NotAResponseError(lib.failure_of(pointer).message.text())
            if status == lib.ERR_ORDER:
                raise RuntimeError("the stream has begun")
            raise self._failure(pointer, status)

    def cancel(self) -> None:
        """Ends the stream. MAY BE CALLED FROM ANY THREAD, also while another waits for a delta.

        What waits raises CancelledError at once.
        """
        with self._cancelling:
            # `close` takes the lock before it frees.
            if not self._is_closing:
                lib.stream_cancel(self._handle.pointer)

    @property
    def end(self) -> End:
        """How the stream ended, or would have if it ended here."""
        with self._handle as pointer:
            return End(lib.stream_end(pointer))

    def close(self) -> None:
        """Frees the stream, and closes its connection if the response is not at its end.

        A thread that waits on it is cancelled first. To close it again does nothing.
        """
        self.cancel()
        with self._cancelling:
            self._is_closing = True
        self._handle.close(wait=True)

    def __enter__(self) -> Self:
        self._interrupts.enter_context(_ended_by_interrupt(self))
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        # Not in `close`, which any thread may call: the descriptor of signals is the main thread's.
        self._interrupts.close()
        super().__exit__(kind, error, trace)

    def _failure(self, pointer: int, status: int) -> Union[EventError, TransportError]:
        if not lib.is_event_error(status) and not lib.ERR_TRANSPORT <= status <= lib.ERR_REQUEST:
            lib.check(status)
        failure = lib.failure_of(pointer)
        message, name = failure.message.text(), lib.status_text(status)
        if lib.is_event_error(status):
            return EventError(message, name, failure.offset)
        transient = bool(failure.transient)
        if status == lib.ERR_CANCELLED:
            return CancelledError(message, name, transient)
        if status != lib.ERR_STATUS:
            return TransportError(message, name, transient)
        refused = StatusError(message, name, transient)
        refused.http_status = failure.http_status
        refused.error_kind = lib.name_of(lib.ERROR_KINDS, failure.error_kind)
        refused.retry_after = failure.retry_after_ms / 1000
        refused.code = failure.code.text()
        refused.said = failure.said.text()
        refused.request_id = failure.request_id.text()
        refused.body = failure.body.text()
        return refused


@contextlib.contextmanager
def _ended_by_interrupt(stream: Stream) -> Iterator[None]:
    """Cancels a stream on Ctrl-C.

    Python runs its handler of a signal when the call that waits in the library is over, which it would
    be with the next delta. What the interpreter writes to its wakeup descriptor comes at once; so a
    thread waits for that. Does nothing where the descriptor is somebody's, an event loop's above all.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    if before != -1:
        signal.set_wakeup_fd(before)
        ours.close()
        theirs.close()
        yield
        return

    def wait() -> None:
        while numbers := ours.recv(64):
            if signal.SIGINT in numbers:
                stream.cancel()

    waiter = threading.Thread(target=wait, name="deltawire-interrupt", daemon=True)
    waiter.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        theirs.close()
        waiter.join()
        ours.close()


class _Kept:
    """Keeps alive what slices point to, as long as it lives itself."""

    def __init__(self) -> None:
        self._texts: list[bytes] = []

    def lend(self, text: Union[str, bytes]) -> lib.Slice:
        data = text if isinstance(text, bytes) else text.encode()
        self._texts.append(data)
        return lib.lend(data)


def _turn(turn: Turn) -> tuple[str, str]:
    if isinstance(turn, Mapping):
        return turn["role"], turn["content"]
    role, content = turn
    return role, content


def _milliseconds(seconds: Optional[float]) -> int:
    if seconds is None:
        return 0
    if seconds <= 0:
        raise ValueError("a time limit is more than zero")
    return lib.UNLIMITED if seconds == float("inf") else max(1, round(seconds * 1000))

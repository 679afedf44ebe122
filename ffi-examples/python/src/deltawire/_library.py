"""The shared library: where it is, what its structs look like, its functions.

The structs and functions are those of ``include/deltawire.h``, which says what each does.
"""

from __future__ import annotations

import ctypes
import os
import pathlib
import sys
from ctypes import POINTER, byref, c_char_p, c_double, c_int32, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Callable, Optional

from ._errors import LibraryError

ABI_VERSION = 1

OK = 0
ERR_ARGUMENT = -1
ERR_ORDER = -2
ERR_NOT_A_RESPONSE = -5
ERR_OUT_OF_MEMORY = -10
ERR_NOT_JSON = -13
# From here to ERR_TRANSPORT it is the transport that failed.
ERR_REQUEST = -20
ERR_STATUS = -24
ERR_CANCELLED = -33
ERR_TRANSPORT = -34


def is_event_error(status: int) -> bool:
    """`DW_IS_EVENT_ERROR`."""
    return -20 < status <= -10


class Slice(ctypes.Structure):
    """Bytes that are lent; both methods copy them out."""

    _fields_ = [("ptr", c_void_p), ("len", c_size_t)]

    def data(self) -> bytes:
        return ctypes.string_at(self.ptr, self.len) if self.len else b""

    def text(self) -> str:
        return self.data().decode("utf-8", "replace")


class Input(ctypes.Structure):
    _fields_ = [("data", c_char_p), ("len", c_size_t), ("pos", c_size_t)]


class DwError(ctypes.Structure):
    _fields_ = [
        ("status", c_int32),
        ("reserved0", c_uint32),
        ("offset", c_uint64),
        ("at", c_uint64),
        ("message", Slice),
        ("reserved", c_uint64 * 4),
    ]


class DwUsage(ctypes.Structure):
    _fields_ = [
        ("known", c_uint32),
        ("reserved0", c_uint32),
        ("input_tokens", c_uint64),
        ("output_tokens", c_uint64),
        ("total_tokens", c_uint64),
        ("cached_tokens", c_uint64),
        ("cache_creation_tokens", c_uint64),
        ("reasoning_tokens", c_uint64),
    ]


#: The counts in the order of their bits in `known`.
USAGE_FIELDS = tuple(field[0] for field in DwUsage._fields_[2:])


class DwDelta(ctypes.Structure):
    _fields_ = [
        ("kind", c_uint32),
        ("choice", c_uint32),
        ("index", c_int32),
        ("flags", c_uint32),
        ("finish_reason", c_uint32),
        ("error_kind", c_uint32),
        ("text", Slice),
        ("id", Slice),
        ("name", Slice),
        ("model", Slice),
        ("role", Slice),
        ("code", Slice),
        ("raw", Slice),
        ("usage", DwUsage),
        ("reserved", c_uint64 * 4),
    ]


DELTA_WHOLE = 1
DELTA_TRANSIENT = 2


class DecoderOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("dialect", c_uint32),
        ("framing", c_uint32),
        ("eof", c_uint32),
        ("flags", c_uint32),
        ("reserved0", c_uint32),
        ("max_event_bytes", c_size_t),
        ("text_field", Slice),
        ("reasoning_field", Slice),
    ]


class MessageInfo(ctypes.Structure):
    _fields_ = [
        ("id", Slice),
        ("model", Slice),
        ("role", Slice),
        ("usage", DwUsage),
        ("choices", c_size_t),
        ("tool_calls", c_size_t),
        ("server_tool_calls", c_size_t),
        ("end", c_uint32),
        ("is_complete", c_uint32),
        ("error_kind", c_uint32),
        ("error_transient", c_uint32),
        ("error_code", Slice),
        ("error_message", Slice),
        ("reserved", c_uint64 * 4),
    ]


class DwChoice(ctypes.Structure):
    _fields_ = [
        ("index", c_uint32),
        ("finish_reason", c_uint32),
        ("finish_raw", Slice),
        ("text", Slice),
        ("reasoning", Slice),
        ("refusal", Slice),
        ("reserved", c_uint64 * 4),
    ]


class DwToolCall(ctypes.Structure):
    _fields_ = [
        ("choice", c_uint32),
        ("index", c_int32),
        ("id", Slice),
        ("name", Slice),
        ("arguments", Slice),
        ("reserved", c_uint64 * 4),
    ]


class Header(ctypes.Structure):
    _fields_ = [("name", Slice), ("value", Slice)]


class ClientOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("provider", c_uint32),
        ("base_url", Slice),
        ("key", Slice),
        ("api_version", Slice),
        ("proxy", Slice),
        ("ca_file", Slice),
        ("headers", POINTER(Header)),
        ("headers_len", c_size_t),
        ("timeout_connect_ms", c_uint64),
        ("timeout_first_byte_ms", c_uint64),
        ("timeout_idle_ms", c_uint64),
        ("timeout_content_ms", c_uint64),
        ("retries", c_uint32),
        ("reserved0", c_uint32),
        ("max_response_bytes", c_size_t),
        ("decoder", POINTER(DecoderOptions)),
    ]


UNLIMITED = 2**64 - 1
NONE = 2**32 - 1


class Turn(ctypes.Structure):
    _fields_ = [("role", Slice), ("content", Slice)]


class Request(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("model", Slice),
        ("turns", POINTER(Turn)),
        ("turns_len", c_size_t),
        ("max_tokens", c_uint32),
        ("n", c_uint32),
        ("temperature", c_double),
        ("path", Slice),
        ("json", Slice),
    ]


REQUEST_INCLUDE_USAGE = 1
REQUEST_TEMPERATURE = 2


class Failure(ctypes.Structure):
    _fields_ = [
        ("status", c_int32),
        ("http_status", c_uint32),
        ("error_kind", c_uint32),
        ("transient", c_uint32),
        ("retry_after_ms", c_uint64),
        ("offset", c_uint64),
        ("message", Slice),
        ("code", Slice),
        ("said", Slice),
        ("request_id", Slice),
        ("body", Slice),
        ("reserved", c_uint64 * 4),
    ]


#: What each struct takes where pointers have 8 bytes: a field that is missing or of another width
#: shows here, when the package is imported.
SIZES: dict[type[ctypes.Structure], int] = {
    Slice: 16,
    Input: 24,
    DwError: 72,
    DwUsage: 56,
    DwDelta: 224,
    DecoderOptions: 64,
    MessageInfo: 208,
    DwChoice: 104,
    DwToolCall: 88,
    ClientOptions: 160,
    Turn: 32,
    Header: 32,
    Request: 88,
    Failure: 144,
}


def text_of(slice: Slice) -> str:
    return slice.text()


def lend(text: bytes) -> Slice:
    """A slice of `text`, which the caller has to keep alive."""
    return Slice(ctypes.cast(c_char_p(text), c_void_p).value, len(text))


def _names() -> tuple[str, ...]:
    if sys.platform == "darwin":
        return ("libdeltawire.0.1.dylib", "libdeltawire.dylib")
    if sys.platform == "win32":
        return ("deltawire.dll",)
    return ("libdeltawire.so.0.1", "libdeltawire.so")


def find() -> str:
    """The library: of ``DELTAWIRE_LIBRARY``, else beside this file, else where the loader looks."""
    named = os.environ.get("DELTAWIRE_LIBRARY")
    if named:
        return named
    for name in _names():
        beside = pathlib.Path(__file__).with_name(name)
        if beside.exists():
            return str(beside)
    return _names()[0]


_path = find()
try:
    # Of calls that wait for the network the interpreter is given to other threads; the others are too
    # short for that.
    _waiting = ctypes.CDLL(_path)
    _quick = ctypes.PyDLL(_path)
except OSError as error:
    raise LibraryError(f"the shared library of deltawire cannot be loaded: {error}") from None

_pointer = c_void_p
_out = POINTER(c_void_p)


def _function(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    function: Any = getattr(library, name)
    function.restype = result
    function.argtypes = arguments
    return function  # type: ignore[no-any-return]


version: Callable[[], bytes] = _function(_quick, "dw_version", c_char_p)
abi_version: Callable[[], int] = _function(_quick, "dw_abi_version", c_uint32)

if abi_version() != ABI_VERSION:
    raise LibraryError(f"{_path} has ABI {abi_version()}, this package is for {ABI_VERSION}")
if ctypes.sizeof(c_void_p) == 8:
    for _struct, _size in SIZES.items():
        if ctypes.sizeof(_struct) != _size:
            raise LibraryError(f"{_struct.__name__} has {ctypes.sizeof(_struct)} bytes, not {_size}")

status_name: Callable[[int], bytes] = _function(_quick, "dw_status_name", c_char_p, c_int32)
status_message: Callable[[int], bytes] = _function(_quick, "dw_status_message", c_char_p, c_int32)
dialect_name: Callable[[int], bytes] = _function(_quick, "dw_dialect_name", c_char_p, c_uint32)
dialect_by_name: Callable[[bytes, int], int] = _function(
    _quick, "dw_dialect_by_name", c_uint32, c_char_p, c_size_t
)
finish_reason_name: Callable[[int], bytes] = _function(
    _quick, "dw_finish_reason_name", c_char_p, c_uint32
)
error_kind_name: Callable[[int], bytes] = _function(_quick, "dw_error_kind_name", c_char_p, c_uint32)

decoder_new = _function(_quick, "dw_decoder_new", c_int32, POINTER(DecoderOptions), _out)
decoder_free = _function(_quick, "dw_decoder_free", None, _pointer)
decoder_next_batch = _function(
    _quick,
    "dw_decoder_next_batch",
    c_int32,
    _pointer,
    POINTER(Input),
    POINTER(DwDelta),
    c_size_t,
    POINTER(c_size_t),
)
decoder_finish = _function(_quick, "dw_decoder_finish", c_int32, _pointer, POINTER(DwDelta))
decoder_reset = _function(_quick, "dw_decoder_reset", c_int32, _pointer)
decoder_end = _function(_quick, "dw_decoder_end", c_uint32, _pointer)
decoder_dialect = _function(_quick, "dw_decoder_dialect", c_uint32, _pointer)
decoder_offset = _function(_quick, "dw_decoder_offset", c_uint64, _pointer)
decoder_events = _function(_quick, "dw_decoder_events", c_uint64, _pointer)
decoder_seen = _function(_quick, "dw_decoder_seen", c_int32, _pointer, POINTER(Slice))
decoder_error = _function(_quick, "dw_decoder_error", c_int32, _pointer, POINTER(DwError))

message_new = _function(_quick, "dw_message_new", c_int32, _out)
message_free = _function(_quick, "dw_message_free", None, _pointer)
message_push = _function(_quick, "dw_message_push", c_int32, _pointer, POINTER(DwDelta))
message_finish = _function(_quick, "dw_message_finish", c_int32, _pointer, c_uint32)
message_read = _function(
    _quick, "dw_message_read", c_int32, _pointer, c_char_p, c_size_t, POINTER(DwError)
)
message_get = _function(_quick, "dw_message_get", c_int32, _pointer, POINTER(MessageInfo))
message_choice = _function(
    _quick, "dw_message_choice", c_int32, _pointer, c_size_t, POINTER(DwChoice)
)
message_tool_call = _function(
    _quick, "dw_message_tool_call", c_int32, _pointer, c_size_t, POINTER(DwToolCall)
)
message_server_tool_call = _function(
    _quick, "dw_message_server_tool_call", c_int32, _pointer, c_size_t, POINTER(DwToolCall)
)

client_new = _function(
    _quick, "dw_client_new", c_int32, POINTER(ClientOptions), _out, c_char_p, c_size_t
)
client_free = _function(_quick, "dw_client_free", None, _pointer)
client_stream = _function(_quick, "dw_client_stream", c_int32, _pointer, POINTER(Request), _out)
stream_next_batch = _function(
    _waiting,
    "dw_stream_next_batch",
    c_int32,
    _pointer,
    POINTER(DwDelta),
    c_size_t,
    POINTER(c_size_t),
)
stream_fetch = _function(_waiting, "dw_stream_fetch", c_int32, _pointer, _pointer)
stream_free = _function(_waiting, "dw_stream_free", None, _pointer)
# Takes a lock that a thread in `dw_stream_next_batch` may hold for a moment.
stream_cancel = _function(_waiting, "dw_stream_cancel", None, _pointer)
stream_end = _function(_quick, "dw_stream_end", c_uint32, _pointer)
stream_failure = _function(_quick, "dw_stream_failure", c_int32, _pointer, POINTER(Failure))


def address(function: Callable[..., Any]) -> int:
    """Where a function is, for the extension, which calls it by itself."""
    place = ctypes.cast(function, c_void_p).value  # type: ignore[arg-type]
    assert place is not None
    return place


def check(status: int) -> None:
    """Raises for a status of a call that fails only where it is misused."""
    if status >= 0:
        return
    text = status_message(status).decode()
    if status == ERR_ARGUMENT:
        raise ValueError(text)
    if status == ERR_OUT_OF_MEMORY:
        raise MemoryError(text)
    raise LibraryError(f"{status_name(status).decode()}: {text}")


def made(make: Callable[..., int], *arguments: Any) -> int:
    """The pointer to an object that `make` wrote to its last argument."""
    pointer = c_void_p()
    check(make(*arguments, byref(pointer)))
    assert pointer.value is not None
    return pointer.value


def failure_of(stream: int) -> Failure:
    """What failed last; its slices are lent until the next call on the stream."""
    failure = Failure()
    check(stream_failure(stream, byref(failure)))
    return failure


def names(of: Callable[[int], bytes]) -> tuple[str, ...]:
    """The names of an enumeration by number, up to the first that is not known."""
    found = [""]
    while (name := of(len(found)).decode()) != "unknown":
        found.append(name)
    return tuple(found)


FINISH_REASONS = names(finish_reason_name)
ERROR_KINDS = names(error_kind_name)


def name_of(table: tuple[str, ...], number: int) -> str:
    return table[number] if number < len(table) else "unknown"


def status_text(status: int) -> str:
    return status_name(status).decode()


def decoder_options(
    dialect: Optional[str],
    framing: Optional[str],
    eof: Optional[str],
    max_event_bytes: Optional[int],
    text_field: str,
    reasoning_field: str,
) -> tuple[DecoderOptions, tuple[bytes, ...]]:
    """The options of a decoder, and what has to be kept alive as long as they are."""
    options = DecoderOptions(struct_size=ctypes.sizeof(DecoderOptions))
    if dialect is not None:
        name = dialect.encode()
        options.dialect = dialect_by_name(name, len(name))
        if options.dialect == 0:
            raise ValueError(f"no dialect is called {dialect!r}")
    options.framing = _number("framing", framing, ("sse", "ndjson", "event-stream"))
    options.eof = _number("eof", eof, ("discard", "flush"))
    if max_event_bytes is not None:
        if max_event_bytes < 1:
            raise ValueError("max_event_bytes is at least 1")
        options.max_event_bytes = max_event_bytes
    kept = (text_field.encode(), reasoning_field.encode())
    options.text_field, options.reasoning_field = map(lend, kept)
    return options, kept


def _number(what: str, name: Optional[str], known: tuple[str, ...]) -> int:
    if name is None:
        return 0
    if name not in known:
        raise ValueError(f"{what} is one of {', '.join(known)}, not {name!r}")
    return known.index(name) + 1

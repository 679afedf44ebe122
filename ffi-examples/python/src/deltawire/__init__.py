"""Reads streaming responses of language models.

`Decoder` and `deltas` make deltas of the bytes that an HTTP client received; `Client` asks by itself;
`Message` puts deltas together. All text handed out is Python's own and outlives what it came from.
"""

from . import _library
from ._backend import HAS_SPEEDUPS
from ._client import Client, Stream
from ._decoder import Decoder, adeltas, deltas
from ._deltas import (
    Delta,
    Done,
    Finish,
    Other,
    ProviderError,
    Reasoning,
    Refusal,
    ServerToolCallArguments,
    ServerToolCallStart,
    Start,
    Text,
    ToolCallArguments,
    ToolCallStart,
    Usage,
)
from ._errors import (
    CancelledError,
    End,
    Error,
    EventError,
    IncompleteError,
    LibraryError,
    NotAResponseError,
    StatusError,
    TransportError,
)
from ._message import Choice, Message, ToolCall

#: The version of the library that is loaded.
__version__ = _library.version().decode()

__all__ = [
    "CancelledError",
    "Choice",
    "Client",
    "Decoder",
    "Delta",
    "Done",
    "End",
    "Error",
    "EventError",
    "Finish",
    "HAS_SPEEDUPS",
    "IncompleteError",
    "LibraryError",
    "Message",
    "NotAResponseError",
    "Other",
    "ProviderError",
    "Reasoning",
    "Refusal",
    "ServerToolCallArguments",
    "ServerToolCallStart",
    "Start",
    "StatusError",
    "Stream",
    "Text",
    "ToolCall",
    "ToolCallArguments",
    "ToolCallStart",
    "TransportError",
    "Usage",
    "adeltas",
    "deltas",
]

"""What is raised."""

from __future__ import annotations

import enum
from typing import ClassVar


class End(enum.Enum):
    """How a stream ended, or would have if it ended here."""

    #: Nobody has said yet.
    UNKNOWN = 0
    #: All came: the provider's own terminator did, or all of a provider that sends none.
    COMPLETE = 1
    #: Something is missing, or an error took its place.
    TRUNCATED = 2
    #: It was no stream of a known provider.
    UNRECOGNISED = 3


class Error(Exception):
    """All that this package raises by itself, but for ValueError and TypeError."""


class LibraryError(Error):
    """The shared library is missing, is not of this package's version, or has failed."""


class IncompleteError(Error):
    """The bytes ended before the reply did; what came before was handed out."""

    def __init__(self, end: End) -> None:
        super().__init__(
            "this is no stream of a known provider"
            if end is End.UNRECOGNISED
            else "the stream ended before the reply did"
        )
        #: `End.TRUNCATED`, `End.UNRECOGNISED`, or `End.UNKNOWN` where nothing came at all.
        self.end = end


class EventError(Error):
    """One event could not be read. It comes among the deltas, and the stream goes on behind it."""

    kind: ClassVar[str] = "event_error"

    def __init__(self, message: str, status: str, offset: int, at: int = 0) -> None:
        super().__init__(message)
        self.message = message
        #: What failed, such as ``DW_ERR_EVENT_TOO_LARGE``.
        self.status = status
        #: Where the event begins, in bytes from the start of the stream.
        self.offset = offset
        #: ``DW_ERR_NOT_JSON``: how far into the payload it is JSON, in bytes.
        self.at = at


class NotAResponseError(Error):
    """A whole response is not JSON, or that of no known provider."""


class TransportError(Error):
    """A request was not answered, or not to its end."""

    def __init__(self, message: str, status: str, transient: bool = False) -> None:
        super().__init__(message)
        self.message = message
        #: What failed, such as ``DW_ERR_TIMEOUT``.
        self.status = status
        #: The same request may succeed later.
        self.transient = transient


class CancelledError(TransportError):
    """`Stream.cancel` was called."""


class StatusError(TransportError):
    """The server refused, by an HTTP status other than 2xx."""

    #: The HTTP status, such as 429.
    http_status: int
    #: What the provider says went wrong: ``authentication``, ``rate_limit`` and so on.
    error_kind: str
    #: How many seconds the server asks to wait before another attempt; 0 where it does not.
    retry_after: float
    #: The provider's code, else its type.
    code: str
    #: The provider's message.
    said: str
    #: What the provider calls the request, for its support.
    request_id: str
    #: The body of the refusal, up to 64 KiB of it.
    body: str

"""A reply put together."""

from __future__ import annotations

from ctypes import byref
from dataclasses import dataclass
from typing import Callable, Optional, TypeVar

from . import _deltas as d
from . import _library as lib
from ._errors import End, EventError, NotAResponseError
from ._handle import Closing, Handle
from ._pure import usage

_T = TypeVar("_T")
_KINDS: dict[type, int] = {cls: number for number, cls in enumerate(d.KINDS, 1)}
#: The strings of a delta, by the names that they have in the library's struct.
_STRINGS = {"text": "text", "fragment": "text", "message": "text", "event": "name"} | {
    name: name for name in ("id", "name", "model", "role", "code", "raw")
}


@dataclass(slots=True, frozen=True)
class Choice:
    """One of the replies to a prompt."""

    #: Its index on the wire, from 0.
    index: int
    text: str
    reasoning: str
    refusal: str
    #: Why it ended, such as ``stop``; empty where it has not.
    finish_reason: str
    #: The same in the provider's words.
    finish_raw: str


@dataclass(slots=True, frozen=True)
class ToolCall:
    """A call of a tool."""

    #: The provider's name for the call, which its result has to carry.
    id: str
    name: str
    #: JSON text, if the model wrote it right.
    arguments: str
    #: Its index on the wire, else a running count.
    index: int
    #: The choice that it belongs to.
    choice: int


class Message(Closing):
    """Takes deltas in with `push`, or a whole response with `read`, and copies what it keeps.

    What it hands out is copied out again: each property asks the library anew.
    """

    def __init__(self) -> None:
        self._handle = Handle("message", lib.made(lib.message_new), lib.message_free)

    def push(self, delta: d.Delta) -> None:
        """Takes in a delta. An EventError says nothing about the reply and is passed over."""
        if isinstance(delta, EventError):
            return
        kind = _KINDS.get(type(delta))
        if kind is None:
            raise TypeError(f"a {type(delta).__name__} is no delta")
        given = lib.DwDelta(kind=kind)
        kept = []
        for name in delta.__slots__:
            value = getattr(delta, name)
            if name in _STRINGS:
                data = value if isinstance(value, bytes) else value.encode()
                kept.append(data)
                setattr(given, _STRINGS[name], lib.lend(data))
        if isinstance(delta, d.Usage):
            for bit, name in enumerate(lib.USAGE_FIELDS):
                if (count := getattr(delta, name)) is not None:
                    given.usage.known |= 1 << bit
                    setattr(given.usage, name, count)
        elif isinstance(delta, d.ProviderError):
            given.error_kind = _number(lib.ERROR_KINDS, delta.error_kind)
            given.flags = lib.DELTA_TRANSIENT if delta.transient else 0
        elif not isinstance(delta, (d.Start, d.Other, d.Done)):
            given.choice = delta.choice
            if isinstance(delta, d.Finish):
                given.finish_reason = _number(lib.FINISH_REASONS, delta.reason)
            elif not isinstance(delta, (d.Text, d.Reasoning, d.Refusal)):
                given.index = delta.index
                if getattr(delta, "whole", False):
                    given.flags = lib.DELTA_WHOLE
        with self._handle as pointer:
            lib.check(lib.message_push(pointer, byref(given)))

    def finish(self, end: End) -> None:
        """Notes how the stream ended, as `Decoder.end` says."""
        with self._handle as pointer:
            lib.check(lib.message_finish(pointer, end.value))

    def read(self, body: bytes) -> None:
        """Reads a whole response, not streamed, in place of what the message had.

        Raises NotAResponseError.
        """
        error = lib.DwError()
        with self._handle as pointer:
            status = lib.message_read(pointer, body, len(body), byref(error))
            if status in (lib.ERR_NOT_JSON, lib.ERR_NOT_A_RESPONSE):
                raise NotAResponseError(error.message.text())
            lib.check(status)

    @property
    def id(self) -> str:
        """The provider's name for the response."""
        return self._of(lambda info: lib.text_of(info.id))

    @property
    def model(self) -> str:
        """The model that answered."""
        return self._of(lambda info: lib.text_of(info.model))

    @property
    def role(self) -> str:
        """Whose message it is: ``assistant``."""
        return self._of(lambda info: lib.text_of(info.role))

    @property
    def usage(self) -> d.Usage:
        """Token counts: of each the last that came."""
        return self._of(lambda info: usage(info.usage))

    @property
    def end(self) -> End:
        """What `finish` noted, else `End.UNKNOWN`."""
        return self._of(lambda info: End(info.end))

    @property
    def is_complete(self) -> bool:
        """Whether the stream came to its end and reported no error."""
        return self._of(lambda info: bool(info.is_complete))

    @property
    def error(self) -> Optional[d.ProviderError]:
        """The first error that the provider reported."""

        def read(info: lib.MessageInfo) -> Optional[d.ProviderError]:
            if not info.error_kind:
                return None
            return d.ProviderError(
                lib.name_of(lib.ERROR_KINDS, info.error_kind),
                info.error_message.text(),
                info.error_code.text(),
                bool(info.error_transient),
            )

        return self._of(read)

    @property
    def text(self) -> str:
        """The text of the first choice; empty where there is none."""
        return self.choices[0].text if self.choices else ""

    @property
    def choices(self) -> list[Choice]:
        """The replies, in the order of their indexes."""
        with self._handle as pointer:
            found = []
            choice = lib.DwChoice()
            for at in range(_info(pointer).choices):
                lib.check(lib.message_choice(pointer, at, byref(choice)))
                found.append(
                    Choice(
                        choice.index,
                        choice.text.text(),
                        choice.reasoning.text(),
                        choice.refusal.text(),
                        lib.name_of(lib.FINISH_REASONS, choice.finish_reason),
                        choice.finish_raw.text(),
                    )
                )
            return found

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The tool calls of all choices, in the order in which they began."""
        return self._calls(lib.message_tool_call, "tool_calls")

    @property
    def server_tool_calls(self) -> list[ToolCall]:
        """The same of tools that the provider ran itself."""
        return self._calls(lib.message_server_tool_call, "server_tool_calls")

    def _calls(self, get: Callable[..., int], count: str) -> list[ToolCall]:
        with self._handle as pointer:
            found = []
            call = lib.DwToolCall()
            for at in range(getattr(_info(pointer), count)):
                lib.check(get(pointer, at, byref(call)))
                found.append(
                    ToolCall(
                        call.id.text(),
                        call.name.text(),
                        call.arguments.text(),
                        call.index,
                        call.choice,
                    )
                )
            return found

    def _of(self, read: Callable[[lib.MessageInfo], _T]) -> _T:
        with self._handle as pointer:
            return read(_info(pointer))

    def close(self) -> None:
        """Frees the message. To close it again does nothing."""
        self._handle.close()


def _info(pointer: int) -> lib.MessageInfo:
    info = lib.MessageInfo()
    lib.check(lib.message_get(pointer, byref(info)))
    return info


def _number(table: tuple[str, ...], name: str) -> int:
    if name not in table:
        raise ValueError(f"no such name: {name!r}")
    return table.index(name)

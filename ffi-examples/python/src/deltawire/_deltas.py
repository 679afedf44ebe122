"""What a stream says, piece by piece: a class a kind, for ``match`` and ``isinstance``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Optional, Union

from ._errors import EventError


@dataclass(slots=True)
class Start:
    """The message begins. Comes again where the provider changes one of these."""

    kind: ClassVar[str] = "start"
    #: The provider's name for the response.
    id: str = ""
    #: The model that answers.
    model: str = ""
    #: Whose message it is: ``assistant``.
    role: str = ""


@dataclass(slots=True)
class Text:
    """A piece of the reply."""

    kind: ClassVar[str] = "text"
    text: str
    #: Which of the replies, from 0.
    choice: int = 0


@dataclass(slots=True)
class Reasoning:
    """A piece of the model's reasoning or of its summary."""

    kind: ClassVar[str] = "reasoning"
    text: str
    choice: int = 0


@dataclass(slots=True)
class Refusal:
    """A piece of the model's refusal to answer."""

    kind: ClassVar[str] = "refusal"
    text: str
    choice: int = 0


@dataclass(slots=True)
class ToolCallStart:
    """A tool call begins, or one that is known gets the ID or name it lacked, or is returned to.

    A new ID at an index in use is a new call.
    """

    kind: ClassVar[str] = "tool_call_start"
    #: The provider's name for the call, which its result has to carry.
    id: str = ""
    #: The tool's name.
    name: str = ""
    #: Its index on the wire, else a running count.
    index: int = 0
    choice: int = 0


@dataclass(slots=True)
class ToolCallArguments:
    """A piece of a tool call's arguments, which are JSON when they are put together."""

    kind: ClassVar[str] = "tool_call_arguments"
    fragment: str
    index: int = 0
    choice: int = 0
    #: The fragment is all of the arguments, in place of any that came before.
    whole: bool = False


@dataclass(slots=True)
class ServerToolCallStart:
    """As `ToolCallStart`, of a tool that the provider runs: nothing is left to do."""

    kind: ClassVar[str] = "server_tool_call_start"
    id: str = ""
    name: str = ""
    index: int = 0
    choice: int = 0


@dataclass(slots=True)
class ServerToolCallArguments:
    """As `ToolCallArguments`, of a tool that the provider runs."""

    kind: ClassVar[str] = "server_tool_call_arguments"
    fragment: str
    index: int = 0
    choice: int = 0
    whole: bool = False


@dataclass(slots=True)
class Finish:
    """A choice is at its end."""

    kind: ClassVar[str] = "finish"
    #: ``stop``, ``length``, ``tool_calls``, ``content_filter``, ``error`` or ``other``.
    reason: str
    #: The provider's word for it.
    raw: str = ""
    choice: int = 0


@dataclass(slots=True)
class Usage:
    """Token counts so far; None where the provider gave none. Each number replaces the one before.

    Providers differ in whether cached tokens are part of `input_tokens`, and reasoning tokens part of
    `output_tokens`.
    """

    kind: ClassVar[str] = "usage"
    input_tokens: Optional[int] = None
    output_tokens: Optional[int] = None
    total_tokens: Optional[int] = None
    cached_tokens: Optional[int] = None
    cache_creation_tokens: Optional[int] = None
    reasoning_tokens: Optional[int] = None


@dataclass(slots=True)
class ProviderError:
    """The provider reports an error in the stream."""

    kind: ClassVar[str] = "error"
    #: ``authentication``, ``rate_limit``, ``overloaded`` and so on, or ``other``.
    error_kind: str
    message: str = ""
    #: The provider's code, else its type.
    code: str = ""
    #: The same request may succeed later.
    transient: bool = False
    #: The whole payload as it came, which need not be UTF-8.
    raw: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class Other:
    """What has no place among the others."""

    kind: ClassVar[str] = "other"
    #: What it is.
    event: str
    #: The whole payload as it came, which need not be UTF-8.
    raw: bytes = b""


@dataclass(slots=True)
class Done:
    """The provider's own end of the stream. Comes once; more may follow it."""

    kind: ClassVar[str] = "done"


#: The delta kinds of `dw_delta_kind`, by their numbers from 1.
KINDS = (
    Start,
    Text,
    Reasoning,
    Refusal,
    ToolCallStart,
    ToolCallArguments,
    ServerToolCallStart,
    ServerToolCallArguments,
    Finish,
    Usage,
    ProviderError,
    Other,
    Done,
)

#: What an iteration gives. An `EventError` among them says that one event could not be read, and that
#: the stream goes on behind it: pass over it or raise it.
Delta = Union[
    Start,
    Text,
    Reasoning,
    Refusal,
    ToolCallStart,
    ToolCallArguments,
    ServerToolCallStart,
    ServerToolCallArguments,
    Finish,
    Usage,
    ProviderError,
    Other,
    Done,
    EventError,
]

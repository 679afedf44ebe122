"""Deltas as the command `deltawire deltas` prints them.

A JSON object a line, keys in a fixed order, absent ones left out, no spaces, non-ASCII as it is.
"""

from __future__ import annotations

import json
from typing import Any

import deltawire as dw


def line_of(delta: dw.Delta) -> str:
    """The line of a delta, with its line end; nothing for an EventError."""
    keys: dict[str, Any] = {}
    match delta:
        case dw.EventError():
            return ""
        case dw.Start():
            keys = _given(id=delta.id, model=delta.model, role=delta.role)
        case dw.Text() | dw.Reasoning() | dw.Refusal():
            keys = {"choice": delta.choice, "text": delta.text}
        case dw.ToolCallStart() | dw.ServerToolCallStart():
            keys = {"choice": delta.choice, "index": delta.index}
            keys |= _given(id=delta.id, name=delta.name)
        case dw.ToolCallArguments() | dw.ServerToolCallArguments():
            keys = {"choice": delta.choice, "index": delta.index, "fragment": delta.fragment}
            if delta.whole:
                keys["whole"] = True
        case dw.Finish():
            keys = {"choice": delta.choice, "reason": delta.reason, "raw": delta.raw}
        case dw.Usage():
            counts = {name: getattr(delta, name) for name in delta.__slots__}
            keys = {name: count for name, count in counts.items() if count is not None}
        case dw.ProviderError():
            keys = {"kind": delta.error_kind, **_given(code=delta.code)}
            keys |= {"message": delta.message, "transient": delta.transient}
        case dw.Other():
            keys = {"event": delta.event, "raw": delta.raw.decode("utf-8", "replace")}
    return _json({"type": delta.kind} | keys)


def end_line(end: dw.End) -> str:
    """The last line."""
    return _json({"type": "end", "complete": end is dw.End.COMPLETE})


def _given(**texts: str) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"

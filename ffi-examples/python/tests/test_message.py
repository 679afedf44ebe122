"""A reply is put together alike from deltas and from a whole response."""

from __future__ import annotations

import unittest

from support import CHAT

import deltawire as dw

EVERYTHING: list[dw.Delta] = [
    dw.Start("r1", "m1", "assistant"),
    dw.Text("Gr\0ü"),
    dw.Text("ß", choice=0),
    dw.Text("zwei", choice=1),
    dw.Reasoning("hm", 0),
    dw.Refusal("no", 1),
    dw.ToolCallStart("c1", "add", 0, 0),
    dw.ToolCallArguments('{"a"', 0, 0),
    dw.ToolCallArguments('{"b":1}', 0, 0, whole=True),
    dw.ServerToolCallStart("s1", "search", 1, 0),
    dw.ServerToolCallArguments('{"q":2}', 1, 0),
    dw.Usage(input_tokens=3, reasoning_tokens=0),
    dw.Usage(output_tokens=4),
    dw.EventError("passed over", "DW_ERR_NOT_JSON", 0),
    dw.Other("thing", b"\xff"),
    dw.Finish("tool_calls", "tool_use", 0),
    dw.Done(),
]


class Message(unittest.TestCase):
    def test_every_kind_of_delta_is_taken_in(self) -> None:
        with dw.Message() as message:
            for delta in EVERYTHING:
                message.push(delta)
            self.assertIs(message.end, dw.End.UNKNOWN)
            message.finish(dw.End.COMPLETE)
            self.assertIs(message.end, dw.End.COMPLETE)
            self.assertTrue(message.is_complete)
            self.assertEqual((message.id, message.model, message.role), ("r1", "m1", "assistant"))
            self.assertEqual(message.text, "Gr\0üß")
            self.assertEqual(
                message.choices,
                [
                    dw.Choice(0, "Gr\0üß", "hm", "", "tool_calls", "tool_use"),
                    dw.Choice(1, "zwei", "", "no", "", ""),
                ],
            )
            self.assertEqual(message.tool_calls, [dw.ToolCall("c1", "add", '{"b":1}', 0, 0)])
            self.assertEqual(
                message.server_tool_calls, [dw.ToolCall("s1", "search", '{"q":2}', 1, 0)]
            )
            self.assertEqual(message.usage, dw.Usage(3, 4, reasoning_tokens=0))
            self.assertIsNone(message.error)

    def test_an_error_of_the_provider_is_kept(self) -> None:
        with dw.Message() as message:
            message.push(dw.ProviderError("overloaded", "later", "busy", True, b"{}"))
            message.finish(dw.End.TRUNCATED)
            self.assertFalse(message.is_complete)
            self.assertEqual(message.error, dw.ProviderError("overloaded", "later", "busy", True))

    def test_a_recorded_stream_is_put_together(self) -> None:
        with dw.Decoder() as decoder, dw.Message() as message:
            for delta in decoder.feed(CHAT.read_bytes()) + decoder.finish():
                message.push(delta)
            message.finish(decoder.end)
            self.assertEqual(message.text, "Grüß dich")
            self.assertEqual(message.usage, dw.Usage(9, 4, 13, 2))

    def test_a_whole_response_is_read(self) -> None:
        with dw.Message() as message:
            message.read(
                b'{"id":"w","object":"chat.completion","model":"m","choices":[{"index":0,'
                b'"message":{"role":"assistant","content":"whole"},"finish_reason":"stop"}]}'
            )
            self.assertEqual((message.id, message.text), ("w", "whole"))
            for body in (b"<html>", b"[1,2]", b""):
                with self.assertRaises(dw.NotAResponseError):
                    message.read(body)

    def test_misuse_is_an_error(self) -> None:
        message = dw.Message()
        with self.assertRaises(TypeError):
            message.push("text")  # type: ignore[arg-type]
        with self.assertRaises(ValueError):
            message.push(dw.Finish("bored"))
        with self.assertRaises(ValueError):
            message.finish(dw.End.UNKNOWN)
        message.close()
        message.close()
        for use in (lambda: message.push(dw.Done()), lambda: message.text, lambda: message.usage):
            with self.assertRaises(ValueError):
                use()

"""What a user of the decoder may rely on."""

from __future__ import annotations

import asyncio
import gc
import resource
import threading
import unittest
from typing import AsyncIterator

from support import CHAT, DONE, event

import deltawire as dw

#: Both ways to make deltas, where the extension is there.
WAYS = (False, True) if dw.HAS_SPEEDUPS else (True,)


def texts(deltas: list[dw.Delta]) -> list[str]:
    return [delta.text for delta in deltas if isinstance(delta, dw.Text)]


class Decoder(unittest.TestCase):
    def test_text_outlives_its_chunk_the_next_call_and_the_decoder(self) -> None:
        for pure in WAYS:
            decoder = dw.Decoder(_pure=pure)
            # The first is carried over a cut and has an escape, so it lies in memory of the library's.
            first = event("caf\\u00e9 ")
            chunk = bytearray(first[:-3])
            kept = decoder.feed(chunk)
            chunk[:] = first[-3:] + event("olé")
            kept += decoder.feed(chunk)
            chunk[:] = b"x" * len(chunk)
            decoder.feed(event("something else"))
            decoder.close()
            gc.collect()
            self.assertEqual(texts(kept), ["café ", "olé"])

    def test_bytes_like_objects_are_read_where_they_lie(self) -> None:
        body = event("one") + DONE
        for pure in WAYS:
            for chunk in (body, bytearray(body), memoryview(body), memoryview(b"x" + body)[1:]):
                with dw.Decoder(_pure=pure) as decoder:
                    self.assertEqual(texts(decoder.feed(chunk)), ["one"])
            with dw.Decoder(_pure=pure) as decoder, self.assertRaises(TypeError):
                decoder.feed("a string")  # type: ignore[arg-type]

    def test_nul_and_non_ascii_come_through(self) -> None:
        for pure in WAYS:
            with dw.Decoder(_pure=pure) as decoder:
                found = decoder.feed(event("a\\u0000b") + event("\U0001f980 \\ud83e\\udd80 ß"))
                self.assertEqual(texts(found), ["a\0b", "\U0001f980 \U0001f980 ß"])

    def test_a_payload_that_is_not_utf_8_comes_as_bytes(self) -> None:
        for pure in WAYS:
            with dw.Decoder("openai-chat", _pure=pure) as decoder:
                found = decoder.feed(b"data: \xff\0nothing\n\n" + event("on"))
            error, other, text = found[0], found[1], found[-1]
            assert isinstance(error, dw.EventError) and isinstance(other, dw.Other)
            self.assertEqual((error.status, error.offset), ("DW_ERR_NOT_JSON", 0))
            self.assertEqual(other.raw, b"\xff\0nothing")
            self.assertEqual(texts([text]), ["on"])

    def test_an_event_over_the_limit_costs_itself_alone(self) -> None:
        large = event("x" * 2000)
        for pure in WAYS:
            with dw.Decoder(max_event_bytes=1000, _pure=pure) as decoder:
                found = decoder.feed(event("a") + large + event("b") + DONE)
                self.assertEqual(texts(found), ["a", "b"])
                (error,) = [delta for delta in found if isinstance(delta, dw.EventError)]
                self.assertEqual(error.status, "DW_ERR_EVENT_TOO_LARGE")
                self.assertEqual(error.offset, len(event("a")))
                self.assertIn("1000", str(error))
                self.assertIs(decoder.end, dw.End.COMPLETE)
                with self.assertRaises(dw.Error):
                    raise error

    def test_the_error_of_the_last_event_comes_with_its_chunk(self) -> None:
        for pure in WAYS:
            with dw.Decoder("openai-chat", _pure=pure) as decoder:
                kinds = [delta.kind for delta in decoder.feed(event("a") + b"data: {\n\n")]
                self.assertEqual(kinds, ["start", "text", "event_error", "other"][-len(kinds) :])

    def test_many_deltas_in_one_chunk_come_in_order(self) -> None:
        chunk = b"".join(event(str(number)) for number in range(1000))
        for pure in WAYS:
            for most in (1, 2, 1000):
                with dw.Decoder(_pure=pure, _most=most) as decoder:
                    self.assertEqual(texts(decoder.feed(chunk)), list(map(str, range(1000))))

    def test_a_truncated_stream_says_so(self) -> None:
        body = CHAT.read_bytes()
        with dw.Decoder() as decoder:
            decoder.feed(body[: len(body) // 2])
            decoder.finish()
            self.assertIs(decoder.end, dw.End.TRUNCATED)
        found = []
        with self.assertRaises(dw.IncompleteError) as caught:
            for delta in dw.deltas([event("so far")]):
                found.append(delta)
        self.assertEqual(texts(found), ["so far"])
        self.assertIs(caught.exception.end, dw.End.TRUNCATED)

    def test_what_is_no_stream_is_told_and_seen(self) -> None:
        with dw.Decoder() as decoder:
            decoder.feed(b"<html>\n<body>\n")
            decoder.finish()
            self.assertIs(decoder.end, dw.End.UNRECOGNISED)
            self.assertEqual(decoder.seen, b"<html>\n<body>\n")

    def test_its_state_is_told(self) -> None:
        with dw.Decoder() as decoder:
            self.assertIsNone(decoder.dialect)
            decoder.feed(event("a") + event("b")[:10])
            self.assertEqual(decoder.dialect, "openai-chat")
            self.assertEqual((decoder.offset, decoder.events), (len(event("a")) + 10, 1))
            decoder.reset()
            self.assertEqual((decoder.offset, decoder.events), (0, 0))

    def test_unknown_names_and_limits_are_refused(self) -> None:
        for wrong in ({"dialect": "klingon"}, {"dialect": ""}, {"dialect": "a\0b"}, {"framing": "xml"},
                      {"eof": "never"}, {"max_event_bytes": 0}):  # fmt: skip
            with self.assertRaises(ValueError, msg=str(wrong)):
                dw.Decoder(**wrong)

    def test_a_named_dialect_and_a_field_of_ones_own_are_used(self) -> None:
        body = event("x").replace(b'"content"', b'"invented"')
        with dw.Decoder("openai-chat", text_field="invented") as decoder:
            self.assertEqual(texts(decoder.feed(body)), ["x"])

    def test_use_after_close_is_an_error_and_closing_twice_is_none(self) -> None:
        for pure in WAYS:
            decoder = dw.Decoder(_pure=pure)
            decoder.close()
            decoder.close()
            for use in (
                lambda: decoder.feed(DONE),
                decoder.finish,
                decoder.reset,
                lambda: decoder.end,
                lambda: decoder.dialect,
                lambda: decoder.seen,
            ):
                with self.assertRaises(ValueError):
                    use()

    def test_two_threads_do_not_use_one_decoder_at_a_time(self) -> None:
        decoder = dw.Decoder()
        with decoder._handle:
            for use in (lambda: decoder.feed(DONE), decoder.close, lambda: decoder.end):
                with self.assertRaises(RuntimeError):
                    use()
        decoder.close()

    def test_threads_with_decoders_of_their_own_mix_nothing(self) -> None:
        found: dict[int, list[str]] = {}

        def read(number: int) -> None:
            with dw.Decoder(_pure=WAYS[number % len(WAYS)]) as decoder:
                for turn in range(300):
                    found.setdefault(number, []).extend(
                        texts(decoder.feed(event(f"{number}:{turn}")))
                    )

        threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for number in range(8):
            self.assertEqual(found[number], [f"{number}:{turn}" for turn in range(300)])

    def test_dropped_objects_leave_no_memory_behind(self) -> None:
        body = event("x" * 10_000)
        held = event("y" * 50_000)[:-10]

        def drop(times: int) -> None:
            for _ in range(times):
                for pure in WAYS:
                    decoder = dw.Decoder(_pure=pure)
                    decoder.feed(body)
                    decoder.feed(held)
                message = dw.Message()
                message.push(dw.Text("z" * 1000))

        drop(200)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        drop(10_000)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        # In KiB. Decoders that were kept would hold 50 KiB each, texts 10.
        self.assertLess(grown, 20_000)

    def test_chunks_can_be_waited_for(self) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for piece in (event("a")[:20], event("a")[20:], event("b"), DONE):
                await asyncio.sleep(0)
                yield piece

        async def read() -> list[dw.Delta]:
            return [delta async for delta in dw.adeltas(chunks())]

        self.assertEqual(texts(asyncio.run(read())), ["a", "b"])

    def test_both_ways_make_equal_deltas(self) -> None:
        if not dw.HAS_SPEEDUPS:
            self.skipTest("there is no extension here")
        body = CHAT.read_bytes() + b"data: {\n\n"
        both = []
        for pure in WAYS:
            with dw.Decoder(_pure=pure) as decoder:
                both.append([repr(delta) for delta in decoder.feed(body) + decoder.finish()])
        self.assertGreater(len(both[0]), 6)
        self.assertEqual(*both)

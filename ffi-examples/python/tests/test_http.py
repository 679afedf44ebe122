"""The transport against a server: streamed, cancelled, refused."""

from __future__ import annotations

import json
import pathlib
import signal
import socket
import threading
import time
import unittest
import urllib.request

from support import DATA, serving

import deltawire as dw

KEY = "sk-python-test-0123456789"
HELLO = [("user", "Say hello")]


def read(stream: dw.Stream) -> str:
    return "".join(delta.text for delta in stream if isinstance(delta, dw.Text))


class Transport(unittest.TestCase):
    def test_a_reply_comes_while_it_is_sent(self) -> None:
        with serving(interval_ms=100) as base_url:
            with dw.Client(base_url=base_url) as client:
                with client.stream("tiny-chat-1", HELLO, include_usage=True) as stream:
                    times, text = [], ""
                    for delta in stream:
                        times.append(time.monotonic())
                        text += delta.text if isinstance(delta, dw.Text) else ""
                    self.assertIs(stream.end, dw.End.COMPLETE)
        self.assertEqual(text, "Grüß dich")
        # Seven events, a tenth of a second apart: the first delta did not wait for the last one.
        self.assertGreater(times[-1] - times[0], 0.3)

    def test_a_request_of_ones_own_and_a_whole_response(self) -> None:
        body = {"model": "tiny-chat-1", "messages": [], "stream": True}
        with serving() as base_url, dw.Client(base_url=base_url) as client:
            with client.post("/chat/completions", body) as stream:
                self.assertEqual(read(stream), "Grüß dich")
            with client.post("/chat/completions", json.dumps(body).encode()) as stream:
                self.assertEqual(read(stream), "Grüß dich")
            messages = [{"role": "user", "content": "Say hello"}]
            with client.stream("tiny-chat-1", messages, max_tokens=9, n=1, temperature=0) as stream:
                with stream.fetch() as message:
                    self.assertEqual(message.text, "Grüß dich")
                    self.assertEqual(message.usage.output_tokens, 4)
            with client.stream("tiny-chat-1", HELLO) as stream:
                next(stream)
                with self.assertRaises(RuntimeError):
                    stream.fetch()
            with client.post("/chat/completions", body) as stream:
                with self.assertRaisesRegex(dw.NotAResponseError, "expected a reply but got text"):
                    stream.fetch()

    def test_another_thread_cancels_and_what_came_is_kept(self) -> None:
        with serving(interval_ms=400) as base_url, dw.Client(base_url=base_url) as client:
            with client.stream("tiny-chat-1", HELLO) as stream:
                texts: list[str] = []
                cancelled_at: list[float] = []

                def cancel() -> None:
                    cancelled_at.append(time.monotonic())
                    stream.cancel()

                with self.assertRaises(dw.CancelledError) as caught:
                    for delta in stream:
                        if isinstance(delta, dw.Text):
                            texts.append(delta.text)
                            threading.Timer(0.05, cancel).start()
                took = time.monotonic() - cancelled_at[0]
                self.assertEqual(caught.exception.status, "DW_ERR_CANCELLED")
                # Not with the next event, which would have been 0.35 s later.
                self.assertLess(took, 0.2)
                self.assertEqual(texts, ["Grüß"])

    def test_other_threads_run_while_one_waits(self) -> None:
        with serving(interval_ms=300) as base_url, dw.Client(base_url=base_url) as client:
            turns = 0
            is_over = threading.Event()

            def count() -> None:
                nonlocal turns
                while not is_over.wait(0.01):
                    turns += 1

            counter = threading.Thread(target=count)
            counter.start()
            with client.stream("tiny-chat-1", HELLO) as stream:
                self.assertEqual(read(stream), "Grüß dich")
            is_over.set()
            counter.join()
            self.assertGreater(turns, 30)

    def test_closing_ends_a_thread_that_waits(self) -> None:
        with serving(interval_ms=2000) as base_url, dw.Client(base_url=base_url) as client:
            stream = client.stream("tiny-chat-1", HELLO)
            met: list[BaseException] = []

            def wait() -> None:
                try:
                    read(stream)
                except dw.Error as error:
                    met.append(error)

            waiter = threading.Thread(target=wait)
            waiter.start()
            time.sleep(0.3)
            begun = time.monotonic()
            stream.close()
            waiter.join()
            self.assertLess(time.monotonic() - begun, 1)
            self.assertIsInstance(met[0], dw.CancelledError)
            stream.close()
            stream.cancel()
            with self.assertRaises(ValueError):
                next(stream)

    def test_another_thread_may_close_what_the_main_one_waits_for(self) -> None:
        with serving(interval_ms=2000) as base_url, dw.Client(base_url=base_url) as client:
            with client.stream("tiny-chat-1", HELLO) as stream:
                closer = threading.Timer(0.3, stream.close)
                closer.start()
                with self.assertRaises(dw.CancelledError):
                    read(stream)
                closer.join()
                with self.assertRaises(ValueError):
                    next(stream)

    def test_an_interrupt_raises_at_once(self) -> None:
        with serving(interval_ms=2000) as base_url, dw.Client(base_url=base_url) as client:
            begun = time.monotonic()
            main = threading.main_thread().ident
            assert main is not None
            timer = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT))
            timer.start()
            with self.assertRaises(KeyboardInterrupt):
                with client.stream("tiny-chat-1", HELLO) as stream:
                    read(stream)
            self.assertLess(time.monotonic() - begun, 1.5)
            self.assertEqual(signal.set_wakeup_fd(-1), -1)

    def test_a_stream_outside_the_main_thread_leaves_signals_alone(self) -> None:
        with serving() as base_url, dw.Client(base_url=base_url) as client:
            found: list[str] = []

            def ask() -> None:
                with client.stream("tiny-chat-1", HELLO) as stream:
                    found.append(read(stream))

            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(found, ["Grüß dich"] * 4)

    def test_a_refusal_says_why_and_shows_no_key(self) -> None:
        with serving(key="another") as base_url, dw.Client(base_url=base_url, key=KEY) as client:
            with client.stream("tiny-chat-1", HELLO) as stream:
                with self.assertRaises(dw.StatusError) as caught:
                    read(stream)
        refused = caught.exception
        self.assertEqual((refused.http_status, refused.error_kind), (401, "authentication"))
        self.assertEqual(refused.status, "DW_ERR_STATUS")
        self.assertTrue(refused.said)
        self.assertIn(refused.said, refused.body)
        self.assertFalse(refused.transient)
        shown = f"{refused} {refused!r} {vars(refused)} {vars(client)} {client!r} {stream!r}"
        self.assertNotIn(KEY, shown)

    def test_a_reply_that_is_cut_or_carries_an_error_is_incomplete(self) -> None:
        for name, kinds in (("serve-cut.sse", 0), ("serve-error.sse", 1)):
            with serving(DATA / name) as base_url, dw.Client(base_url=base_url) as client:
                with client.stream("tiny-chat-1", HELLO) as stream:
                    found: list[dw.Delta] = []
                    with self.assertRaises(dw.Error) as caught:
                        found.extend(iter_into(stream, found))
                    self.assertIsInstance(
                        caught.exception, (dw.IncompleteError, dw.TransportError), name
                    )
                    errors = [delta for delta in found if isinstance(delta, dw.ProviderError)]
                    self.assertEqual(len(errors), kinds, name)
                    self.assertTrue(any(isinstance(delta, dw.Text) for delta in found), name)

    def test_nobody_listens(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            base_url = f"http://127.0.0.1:{probe.getsockname()[1]}/v1"
            with dw.Client(base_url=base_url, retries=0) as client:
                with client.stream("m", HELLO) as stream:
                    with self.assertRaises(dw.TransportError) as caught:
                        read(stream)
        self.assertEqual(caught.exception.status, "DW_ERR_CONNECT")

    def test_a_wait_has_a_limit(self) -> None:
        with serving(interval_ms=3000) as base_url:
            with dw.Client(base_url=base_url, idle_timeout=0.3, retries=0) as client:
                with client.stream("tiny-chat-1", HELLO) as stream:
                    with self.assertRaises(dw.TransportError) as caught:
                        read(stream)
        self.assertEqual(caught.exception.status, "DW_ERR_TIMEOUT")

    def test_what_cannot_be_asked_is_refused(self) -> None:
        for wrong in (
            {"provider": "nobody"},
            {"idle_timeout": 0},
            {"ca_file": str(pathlib.Path("no such file"))},
            {"dialect": "klingon"},
        ):
            with self.assertRaises(ValueError, msg=str(wrong)):
                dw.Client(**wrong)
        with dw.Client(base_url="no url") as client, client.stream("m", HELLO) as stream:
            with self.assertRaises(dw.TransportError) as caught:
                read(stream)
            self.assertEqual(caught.exception.status, "DW_ERR_REQUEST")
        client = dw.Client()
        client.close()
        client.close()
        with self.assertRaises(ValueError):
            client.stream("m", HELLO)


def iter_into(stream: dw.Stream, found: list[dw.Delta]) -> list[dw.Delta]:
    """Reads all, keeping what came before an exception."""
    for delta in stream:
        found.append(delta)
    return []


class Urllib(unittest.TestCase):
    def test_a_reply_comes_while_it_is_sent(self) -> None:
        body = {"model": "tiny-chat-1", "messages": [], "stream": True}
        with serving(interval_ms=100) as base_url:
            request = urllib.request.Request(
                base_url + "/chat/completions",
                json.dumps(body).encode(),
                {"Content-Type": "application/json"},
            )
            times, text = [], ""
            with urllib.request.urlopen(request, timeout=30) as response:
                for delta in dw.deltas(iter(lambda: response.read1(16384), b"")):
                    times.append(time.monotonic())
                    text += delta.text if isinstance(delta, dw.Text) else ""
        self.assertEqual(text, "Grüß dich")
        self.assertGreater(times[-1] - times[0], 0.3)

"""Measures what an event costs, beside what else reads such streams in Python.

    check bench FILE      installs the others into a venv of its own and runs this

FILE is a stream of OpenAI chat chunks. Prints rows, tab-separated: name, mode, nanoseconds an event, text
deltas, bytes of text. Mode `16k` hands the bytes over in 16 KiB pieces, `event` one event a piece. Each
row counts the deltas and joins their text; the least of five rounds after one to warm up. Rows that end
in `, HTTP` read from a server on this machine, all others from memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import multiprocessing
import socket
import sys
import time
import urllib.parse
from typing import Any, Callable, Iterable, Iterator

import deltawire as dw
import httpx
import httpx2
import liter_llm
import openai
from httpx_sse import EventSource

ROUNDS = 5
HEADERS = {"Content-Type": "text/event-stream"}
MESSAGES: list[Any] = [{"role": "user", "content": "Go on"}]
Reads = Callable[[list[bytes]], list[str]]


def read_deltawire(chunks: Iterable[bytes], **options: Any) -> list[str]:
    texts = []
    with dw.Decoder(**options) as decoder:
        for chunk in chunks:
            for delta in decoder.feed(chunk):
                if isinstance(delta, dw.Text):
                    texts.append(delta.text)
        decoder.finish()
        assert decoder.end is dw.End.COMPLETE
    return texts


def read_json(payload: str, texts: list[str]) -> bool:
    """What programs do by hand with a payload; false at the end."""
    if payload == "[DONE]":
        return False
    for choice in json.loads(payload)["choices"]:
        if text := choice["delta"].get("content"):
            texts.append(text)
    return True


def read_lines(chunks: Iterable[bytes]) -> list[str]:
    """Lines split by hand, as is done where no event has more than one line of data."""
    texts: list[str] = []
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data: "):
                read_json(line[6:].decode(), texts)
    return texts


def read_httpx_sse(chunks: Iterable[bytes]) -> list[str]:
    return read_event_source(httpx.Response(200, headers=HEADERS, content=iter(chunks)))


def read_event_source(response: httpx.Response) -> list[str]:
    texts: list[str] = []
    for event in EventSource(response).iter_sse():
        if not read_json(event.data, texts):
            break
    return texts


def read_openai(chunks: Iterable[bytes]) -> list[str]:
    """The whole client; only the network below it is replaced."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers=HEADERS, content=iter(chunks))

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as below:
        return ask_openai(openai.OpenAI(api_key="none", http_client=below))


def ask_openai(client: openai.OpenAI) -> list[str]:
    texts = []
    stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    for chunk in stream:
        for choice in chunk.choices:
            if choice.delta.content:
                texts.append(choice.delta.content)
    return texts


def ask_liter_llm(base_url: str) -> list[str]:
    async def ask() -> list[str]:
        texts = []
        client = liter_llm.create_client("none", base_url=base_url, max_retries=0)
        request = liter_llm.ChatCompletionRequest(model="openai/m", messages=MESSAGES)
        async for chunk in liter_llm.chat_stream(client, request):
            for choice in chunk.choices:
                if choice.delta.content:
                    texts.append(choice.delta.content)
        return texts

    return asyncio.run(ask())


def ask_http_client(base_url: str) -> list[str]:
    """The decoder over the client of the standard library."""
    place = urllib.parse.urlsplit(base_url)
    connection = http.client.HTTPConnection(place.netloc)
    connection.request("POST", place.path + "/chat/completions", b"{}")
    with contextlib.closing(connection), connection.getresponse() as response:
        return read_deltawire(iter(lambda: response.read1(16384), b""))


def ask_httpx(base_url: str, read: Callable[[httpx.Response], list[str]]) -> list[str]:
    with httpx.Client() as client:
        with client.stream("POST", base_url + "/chat/completions", json={}) as response:
            return read(response)


def ask_deltawire(base_url: str) -> list[str]:
    """The transport of the library."""
    with dw.Client(base_url=base_url) as client, client.stream("m", [("user", "Go on")]) as stream:
        return [delta.text for delta in stream if isinstance(delta, dw.Text)]


def serve(listener: socket.socket, pieces: list[bytes]) -> None:
    """Answers every request with the stream, a chunk of HTTP for each piece."""
    framed = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    while True:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while request := receive(connection):
                assert request.startswith(b"POST")
                connection.sendall(head)
                for piece in framed:
                    connection.sendall(piece)
                connection.sendall(b"0\r\n\r\n")


def receive(connection: socket.socket) -> bytes:
    """A request, its body read and dropped; nothing where the client is gone."""
    request = b""
    while b"\r\n\r\n" not in request:
        if not (piece := connection.recv(65536)):
            return b""
        request += piece
    head, _, body = request.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head


@contextlib.contextmanager
def serving(pieces: list[bytes]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = multiprocessing.Process(target=serve, args=(listener, pieces), daemon=True)
        server.start()
        try:
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.kill()
            server.join()


def measure(name: str, mode: str, events: int, read: Callable[[], list[str]]) -> None:
    """A row. Prints it when it is there, so that a slow one does not hold back the others."""
    best = 0
    for turn in range(ROUNDS + 1):
        begun = time.perf_counter_ns()
        texts = read()
        joined = "".join(texts)
        took = time.perf_counter_ns() - begun
        if turn and (not best or took < best):
            best = took
    print(name, mode, f"{best / events:.0f}", len(texts), len(joined.encode()), sep="\t", flush=True)



def main() -> int:
    if len(sys.argv) != 2:
        print("usage: bench.py FILE", file=sys.stderr)
        return 2
    with open(sys.argv[1], "rb") as file:
        body = file.read()
    by_event = [event + b"\n\n" for event in body.split(b"\n\n") if event]
    by_size = [body[at : at + 16384] for at in range(0, len(body), 16384)]
    events = len(by_event)
    assert dw.HAS_SPEEDUPS, "the extension was not built"

    in_memory: list[tuple[str, Reads]] = [
        ("deltawire", read_deltawire),
        ("deltawire, one call a delta", lambda chunks: read_deltawire(chunks, _most=1)),
        ("deltawire by ctypes", lambda chunks: read_deltawire(chunks, _pure=True)),
        (
            "deltawire by ctypes, one call a delta",
            lambda chunks: read_deltawire(chunks, _pure=True, _most=1),
        ),
        ("lines + json", read_lines),
        ("httpx-sse + json", read_httpx_sse),
        ("openai", read_openai),
    ]
    over_http: list[tuple[str, Callable[[str], list[str]]]] = [
        ("deltawire + http.client, HTTP", ask_http_client),
        (
            "deltawire + httpx, HTTP",
            lambda url: ask_httpx(url, lambda response: read_deltawire(response.iter_bytes())),
        ),
        ("deltawire's client, HTTP", ask_deltawire),
        ("httpx-sse + json, HTTP", lambda url: ask_httpx(url, read_event_source)),
        ("openai, HTTP", lambda url: ask_openai(openai.OpenAI(api_key="none", base_url=url))),
        ("liter-llm, HTTP", ask_liter_llm),
    ]
    for mode, chunks in (("16k", by_size), ("event", by_event)):
        for name, read in in_memory:
            measure(name, mode, events, lambda: read(chunks))
        with serving(chunks) as base_url:
            for name, ask in over_http:
                measure(name, mode, events, lambda: ask(base_url))
    return 0


if __name__ == "__main__":
    sys.exit(main())

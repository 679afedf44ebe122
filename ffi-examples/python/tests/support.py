"""What the tests share: the files, the server and the programs."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import subprocess
import sys
from typing import Iterator

HERE = pathlib.Path(__file__).resolve().parent.parent
DATA = HERE.parent.parent / "tests" / "data"
CHAT = DATA / "serve-chat.sse"
CASES = pathlib.Path(os.environ["DELTAWIRE_CASES"])
COMMAND = os.environ["DELTAWIRE"]

sys.path.insert(0, str(HERE))


@contextlib.contextmanager
def serving(*files: pathlib.Path, interval_ms: int = 0, key: str = "") -> Iterator[str]:
    """A server that replays files; gives its base URL."""
    arguments = [COMMAND, "serve", "--port", "0", "--interval-ms", str(interval_ms)]
    if key:
        arguments += ["--key", key]
    server = subprocess.Popen(
        [*arguments, *map(str, files or (CHAT,))], stderr=subprocess.PIPE, text=True
    )
    try:
        assert server.stderr is not None
        told = ""
        for line in server.stderr:
            told += line
            if found := re.search(r"listening on (http://\S+)", line):
                yield found[1]
                break
        else:
            raise AssertionError(f"the server ended: {told}")
    finally:
        server.kill()
        server.wait()
        assert server.stderr is not None
        server.stderr.close()


def run(
    program: str, *arguments: str, stdin: bytes = b"", **env: str
) -> "subprocess.CompletedProcess[bytes]":
    """Runs one of the programs beside this folder to its end."""
    return subprocess.run(
        [sys.executable, str(HERE / program), *arguments],
        input=stdin,
        capture_output=True,
        env=os.environ | env,
        timeout=60,
    )


def event(text: str) -> bytes:
    """A chat chunk with a text, as an event; `text` is what stands in the JSON string."""
    json = '{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%s"}}]}'
    return b"data: " + (json % text).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"

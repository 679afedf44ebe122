"""A chat on the terminal over urllib: whatever client a program has, its chunks can be fed.

    python urllib_chat.py PROMPT

OPENAI_BASE_URL (https://api.openai.com/v1 unless set), OPENAI_API_KEY and OPENAI_MODEL say whom to ask.
The reply goes to standard output as it comes. Ctrl-C ends it.

Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request

import deltawire as dw

#: As much as a read takes at once; it returns with what is there.
CHUNK_BYTES = 16 * 1024


def request(prompt: str) -> urllib.request.Request:
    base_url = os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
    body = {
        "model": os.environ.get("OPENAI_MODEL") or "gpt-4o-mini",
        "messages": [{"role": "user", "content": prompt}],
        "stream": True,
    }
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', '')}",
    }
    return urllib.request.Request(
        base_url.rstrip("/") + "/chat/completions", json.dumps(body).encode(), headers
    )


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: urllib_chat.py PROMPT", file=sys.stderr)
        return 2
    is_faulty = False
    try:
        with urllib.request.urlopen(request(sys.argv[1]), timeout=300) as response:
            # Not `read`, which waits until all that it was asked for is there.
            for delta in dw.deltas(iter(lambda: response.read1(CHUNK_BYTES), b"")):
                match delta:
                    case dw.Text(text):
                        print(text, end="", flush=True)
                    case dw.ProviderError() | dw.EventError():
                        print(delta.message, file=sys.stderr)
                        is_faulty = True
            print(flush=True)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except dw.IncompleteError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except urllib.error.HTTPError as error:
        with error, dw.Message() as message:
            print(f"HTTP {error.code}: {refusal(message, error.read())}", file=sys.stderr)
        return 3
    except OSError as error:
        print(error, file=sys.stderr)
        return 3
    return int(is_faulty)


def refusal(message: dw.Message, body: bytes) -> str:
    """What a provider says in place of a reply."""
    try:
        message.read(body)
    except dw.NotAResponseError:
        return body.decode("utf-8", "replace")
    return f"{message.error.error_kind}: {message.error.message}" if message.error else ""


if __name__ == "__main__":
    sys.exit(main())

"""A chat on the terminal.

    python chat.py PROMPT

OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. The reply goes to standard output as
it comes, what is known of it to standard error. Ctrl-C ends the reply and keeps what has come.

Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
"""

from __future__ import annotations

import os
import sys

import deltawire as dw


def print_reply(stream: dw.Stream) -> bool:
    """Prints the text as it comes, and tells whether there was an error among it."""
    is_faulty = False
    for delta in stream:
        match delta:
            case dw.Text(text):
                print(text, end="", flush=True)
            case dw.Usage(output_tokens=int(tokens)):
                print(f"({tokens} tokens)", file=sys.stderr)
            case dw.ProviderError():
                print(f"{delta.error_kind}: {delta.message}", file=sys.stderr)
                is_faulty = True
            case dw.EventError():
                print(delta, file=sys.stderr)
                is_faulty = True
    return is_faulty


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: chat.py PROMPT", file=sys.stderr)
        return 2
    model = os.environ.get("OPENAI_MODEL") or "gpt-4o-mini"
    try:
        with (
            dw.Client(
                key=os.environ.get("OPENAI_API_KEY", ""),
                base_url=os.environ.get("OPENAI_BASE_URL", ""),
                retries=0,
            ) as client,
            client.stream(model, [("user", sys.argv[1])], include_usage=True) as stream,
        ):
            try:
                return int(print_reply(stream))
            finally:
                print(flush=True)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except dw.IncompleteError as error:
        print(error, file=sys.stderr)
        return 1
    except (dw.TransportError, ValueError) as error:
        print(error, file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())

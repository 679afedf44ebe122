"""A chat on the terminal over httpx and asyncio.

    pip install httpx
    python httpx_chat.py PROMPT

As `urllib_chat.py` else; the exit status of Ctrl-C is Python's own.
"""

from __future__ import annotations

import asyncio
import os
import sys

import deltawire as dw
import httpx


async def chat(prompt: str) -> None:
    body = {
        "model": os.environ.get("OPENAI_MODEL") or "gpt-4o-mini",
        "messages": [{"role": "user", "content": prompt}],
        "stream": True,
    }
    async with httpx.AsyncClient(
        base_url=os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1",
        headers={"Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', '')}"},
        timeout=300,
    ) as client:
        async with client.stream("POST", "/chat/completions", json=body) as response:
            response.raise_for_status()
            async for delta in dw.adeltas(response.aiter_bytes()):
                if isinstance(delta, dw.Text):
                    print(delta.text, end="", flush=True)
                elif isinstance(delta, (dw.ProviderError, dw.EventError)):
                    print(delta.message, file=sys.stderr)
    print()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: httpx_chat.py PROMPT")
    try:
        asyncio.run(chat(sys.argv[1]))
    except (httpx.HTTPError, dw.Error) as error:
        sys.exit(f"\n{error}")

#!/usr/bin/env python3
"""Hold what `deltawire collect` makes of recorded streams against the providers' own SDKs.

    tests/sdk_agreement.py [--corpus DIR] [--command FILE] [--only DIALECT[,DIALECT]] [--show N]

Every recording is given to the official Python SDK of its dialect as the body of a response, with no
network, and the text and the tool calls that come out are compared with those of `deltawire
collect`. Where both report an error, what came before it is compared. Where the SDK is known to be
wrong, KNOWN says so and why; a fault that is listed and no longer there fails too.

The SDKs are installed, in the versions below, into a virtual environment under the target folder
when the script runs for the first time. Ends with 'N passed, N failed', after the number of known
faults; exit status 1 where any failed.
"""
import argparse
import collections
import fnmatch
import json
import os
import pathlib
import re
import subprocess
import sys
import venv
import warnings

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PACKAGES = ("openai==3.54.0", "anthropic==2.12.0", "google-genai==3.4.0", "cohere==7.3.1")

# Recordings, by a pattern of their names, on which the SDK and deltawire differ because the SDK is
# wrong or does not promise the dialect that the sender speaks.
KNOWN = {
    "anthropic-070-*": "anthropic reads the `[DONE]` that some gateways send behind message_stop as JSON; "
    "older versions ignored it",
    "openai-chat-151-mistral-*": "openai promises content as a string and hands on Mistral's list of typed parts",
    "openai-chat-165-mistral-*": "openai promises content as a string and hands on Mistral's list of typed parts",
}


class Outcome:
    """Text by choice, tool calls by choice and order, and whether an error was reported."""

    def __init__(self):
        self.text = collections.defaultdict(str)
        self.calls = []
        self.error = None

    def call(self, choice, key, ident, name):
        """The call that a fragment with this key belongs to; a new ID opens a new one."""
        for call in reversed(self.calls):
            if call["key"] == (choice, key):
                if ident and call["id"] and call["id"] != ident:
                    break
                call["id"] = call["id"] or ident or ""
                call["name"] = call["name"] or name or ""
                return call
        call = {"key": (choice, key), "id": ident or "", "name": name or "", "arguments": ""}
        self.calls.append(call)
        return call

    def view(self):
        calls = [(call["key"][0], call["name"], arguments(call["arguments"])) for call in self.calls]
        return {k: v for k, v in self.text.items() if v}, calls


def arguments(value):
    """Arguments in a form that compares equal where they mean the same."""
    if isinstance(value, str):
        try:
            value = json.loads(value or "{}")
        except ValueError:
            return value
    return json.dumps(value, sort_keys=True)


def collected(command, path, dialect):
    run = subprocess.run([command, "collect", "--dialect", dialect, str(path)], capture_output=True, timeout=60)
    got = json.loads(run.stdout)
    outcome = Outcome()
    for choice, text in got["text"].items():
        outcome.text[int(choice)] = text
    for call in got["tool_calls"]:
        made = {"key": (call["choice"], None), "name": call["name"] or "", "arguments": call["arguments"]}
        outcome.calls.append(made)
    outcome.error = got["error"]
    return outcome


def transport(httpx, body, kind):
    def answer(_request):
        return httpx.Response(200, headers={"content-type": kind}, content=body)
    return httpx.MockTransport(answer)


def openai_client(body):
    import httpx2
    import openai
    client = httpx2.Client(transport=transport(httpx2, body, "text/event-stream"))
    return openai.OpenAI(api_key="-", base_url="http://sdk.invalid/v1", http_client=client, max_retries=0)


def openai_chat(body, outcome):
    stream = openai_client(body).chat.completions.create(model="m", messages=[], stream=True)
    for chunk in stream:
        for choice in chunk.choices or []:
            delta = choice.delta
            if delta is None:
                continue
            outcome.text[choice.index] += delta.content or ""
            if delta.function_call:
                call = outcome.call(choice.index, 0, None, delta.function_call.name)
                call["arguments"] += delta.function_call.arguments or ""
            for part in delta.tool_calls or []:
                function = part.function
                call = outcome.call(choice.index, part.index, part.id, function and function.name)
                call["arguments"] += (function and function.arguments) or ""


def openai_completions(body, outcome):
    for chunk in openai_client(body).completions.create(model="m", prompt="", stream=True):
        for choice in chunk.choices or []:
            outcome.text[choice.index] += choice.text or ""


def openai_responses(body, outcome):
    for event in openai_client(body).responses.create(model="m", input="", stream=True):
        if event.type == "response.output_text.delta":
            outcome.text[0] += event.delta
        elif event.type == "response.output_item.added" and event.item.type in ("function_call", "custom_tool_call"):
            outcome.call(0, event.output_index, event.item.call_id, event.item.name)
        elif event.type == "response.function_call_arguments.done":
            outcome.call(0, event.output_index, None, None)["arguments"] = event.arguments
        elif event.type == "response.custom_tool_call_input.done":
            outcome.call(0, event.output_index, None, None)["arguments"] = event.input
        elif event.type == "response.failed":
            outcome.error = event.response.error.message
        elif event.type == "error":
            outcome.error = event.message


def openai_assistants(body, outcome):
    client = openai_client(body)
    for event in client.beta.threads.runs.create("t", assistant_id="a", stream=True):
        if event.event == "thread.message.delta":
            for part in event.data.delta.content or []:
                if part.type == "text":
                    outcome.text[0] += part.text.value or ""
        elif event.event == "thread.run.step.delta":
            details = event.data.delta.step_details
            for part in getattr(details, "tool_calls", None) or []:
                if part.type == "function":
                    call = outcome.call(0, part.index, part.id, part.function.name)
                    call["arguments"] += part.function.arguments or ""


def anthropic(body, outcome):
    import anthropic
    import httpx2
    client = httpx2.Client(transport=transport(httpx2, body, "text/event-stream"))
    client = anthropic.Anthropic(api_key="-", base_url="http://sdk.invalid", http_client=client, max_retries=0)
    # The SDK's own accumulator, looked at after every event, as an error leaves no final message.
    with client.messages.stream(model="m", max_tokens=1, messages=[]) as stream:
        try:
            for _event in stream:
                pass
        finally:
            for index, block in enumerate(stream.current_message_snapshot.content):
                if block.type == "text":
                    outcome.text[0] += block.text
                elif block.type == "tool_use":
                    outcome.call(0, index, block.id, block.name)["arguments"] = block.input


def gemini(body, outcome):
    import httpx2
    from google import genai
    from google.genai import types
    client = httpx2.Client(transport=transport(httpx2, body, "text/event-stream"))
    options = types.HttpOptions(httpx_client=client, base_url="http://sdk.invalid")
    client = genai.Client(api_key="-", http_options=options)
    for chunk in client.models.generate_content_stream(model="m", contents="-"):
        for candidate in chunk.candidates or []:
            for part in (candidate.content and candidate.content.parts) or []:
                if part.text and not part.thought:
                    outcome.text[candidate.index or 0] += part.text
                if part.function_call and part.function_call.name:
                    made = outcome.call(candidate.index or 0, len(outcome.calls), None, part.function_call.name)
                    made["arguments"] = part.function_call.args or {}


def cohere(body, outcome):
    import cohere
    import httpx
    client = httpx.Client(transport=transport(httpx, body, "text/event-stream"))
    client = cohere.ClientV2(api_key="-", base_url="http://sdk.invalid", httpx_client=client)
    for event in client.chat_stream(model="m", messages=[]):
        if event.type in ("content-start", "content-delta"):
            content = event.delta.message.content
            outcome.text[0] += getattr(content, "text", None) or ""
        elif event.type == "tool-call-start":
            part = event.delta.message.tool_calls
            outcome.call(0, event.index, part.id, part.function.name)["arguments"] += part.function.arguments or ""
        elif event.type == "tool-call-delta":
            part = event.delta.message.tool_calls
            outcome.call(0, event.index, None, None)["arguments"] += part.function.arguments or ""


DIALECTS = {
    "openai-chat": openai_chat,
    "openai-completions": openai_completions,
    "openai-responses": openai_responses,
    "openai-assistants": openai_assistants,
    "anthropic": anthropic,
    "gemini": gemini,
    "cohere": cohere,
}


def difference(path, dialect, command):
    """What the two disagree about; None where they agree."""
    ours = collected(command, path, dialect)
    theirs = Outcome()
    fault = None
    try:
        DIALECTS[dialect](path.read_bytes(), theirs)
    except Exception as error:  # Whatever an SDK throws at its caller.
        fault = f"{type(error).__name__}: {error}".split("\n")[0][:200]
    if bool(ours.error) != bool(fault or theirs.error):
        return f"error: SDK {fault or theirs.error!r}, deltawire {ours.error!r}"
    for what, sdk, own in zip(("text", "calls"), theirs.view(), ours.view()):
        if sdk != own:
            return f"{what}: SDK {str(sdk)[:160]}, deltawire {str(own)[:160]}"
    return None


def known(name):
    return next((why for pattern, why in KNOWN.items() if fnmatch.fnmatch(name, pattern)), None)


def inside_venv():
    """Starts this script again where the SDKs are, installing them if need be."""
    home = TARGET / "sdk-venv"
    python = home / "bin" / "python"
    stamp = home / "installed"
    if not stamp.exists() or stamp.read_text() != "\n".join(PACKAGES):
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        stamp.write_text("\n".join(PACKAGES))
    if pathlib.Path(sys.prefix) != home:
        os.execv(python, [str(python), *sys.argv])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=pathlib.Path, default=ROOT.parent / "shared" / "corpus")
    parser.add_argument("--command", default=str(TARGET / "release" / "deltawire"))
    parser.add_argument("--only", default="")
    parser.add_argument("--show", type=int, default=40)
    args = parser.parse_args()
    if not args.corpus.is_dir():
        print(f"SKIPPED: no recorded streams at {args.corpus}")
        return 0
    inside_venv()
    # The SDKs warn of what is deprecated or newer than they are; that is not what is asked here.
    warnings.simplefilter("ignore")
    only = set(filter(None, args.only.split(",")))
    passed = failed = faults = 0
    used = set()
    for path in sorted(args.corpus.glob("*.sse")):
        dialect = re.match(r"(.+?)-\d+-", path.name).group(1)
        if dialect not in DIALECTS or (only and dialect not in only):
            continue
        why = difference(path, dialect, args.command)
        reason = known(path.name)
        if why and reason:
            faults += 1
            used.update(p for p in KNOWN if fnmatch.fnmatch(path.name, p))
        elif why or reason:
            failed += 1
            if failed <= args.show:
                print(f"FAIL {path.name}\n     {why or 'agrees, but is listed as a known fault: ' + reason}")
        else:
            passed += 1
    for pattern in KNOWN.keys() - used if not only else ():
        print(f"FAIL no recording shows the known fault {pattern}")
        failed += 1
    print(f"{faults} known faults of the SDKs")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The command against servers that others wrote: nginx as a TLS proxy, and LiteLLM's proxy.

    tests/real_servers.py [--spoil] [nginx] [litellm]

Needs target/release/deltawire, nginx, openssl, curl, and for LiteLLM a venv, which is made where it is
missing. `--spoil` alters every reply that is read, so that each check on one has to fail.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
COMMAND = TARGET / "release" / "deltawire"
VENV = TARGET / "litellm-venv"
LITELLM = "litellm[proxy]==1.106.2"
CHAT = ROOT / "tests" / "data" / "serve-chat.sse"
KEY = "sk-real-servers-1"
SPOIL = "--spoil" in sys.argv
checks = {"passed": 0, "failed": 0}


def check(name, ok, detail=""):
    checks["passed" if ok else "failed"] += 1
    if not ok:
        print(f"FAILED {name}: {str(detail)[:600]}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process, seconds=120):
    """Until somebody listens: a connection is the sign, not a pause."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended with status {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit(f"nobody listens on port {port}")


@contextlib.contextmanager
def running(arguments, port, log, env=None):
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [str(argument) for argument in arguments], stdout=output, stderr=output,
            stdin=subprocess.DEVNULL, env=env, start_new_session=True)
    try:
        wait_for(port, process)
        yield process
    except SystemExit:
        print(pathlib.Path(log).read_text(errors="replace")[-2000:])
        raise
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def serve(folder, *arguments):
    port = free_port()
    return port, running([COMMAND, "serve", "--port", port, *arguments], port, folder / f"serve-{port}.log")


def deltawire(*arguments, key=None):
    """Exit status, standard output, standard error."""
    env = {name: value for name, value in os.environ.items() if "API_KEY" not in name}
    if key:
        env |= {"OPENAI_API_KEY": key, "ANTHROPIC_API_KEY": key}
    done = subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, text=True, env=env, timeout=120,
        stdin=subprocess.DEVNULL)
    stdout = done.stdout.replace("r", "R").replace("e", "E") if SPOIL else done.stdout
    return done.returncode + (7 if SPOIL else 0), stdout, done.stderr


def chat(base_url, *arguments, key=None):
    return deltawire("chat", "--proxy", "direct", "--retries", 0, "--base-url", base_url, *arguments, "Hi", key=key)


def listen(url, *arguments):
    status, stdout, _ = deltawire("listen", url, "--proxy", "direct", "--retries", 0, "--reconnect", "never", *arguments)
    with contextlib.suppress(ValueError, IndexError, KeyError):
        return status, json.loads(stdout.splitlines()[-1])["error"]
    return status, stdout


def text_of(lines):
    """The text of `chat --json`, whether it is complete, its finish reasons and usage."""
    deltas = []
    for line in lines.splitlines():
        with contextlib.suppress(ValueError):
            deltas.append(json.loads(line))
    kind = lambda name: [delta for delta in deltas if delta.get("type") == name]
    text = "".join(delta["text"] for delta in kind("text"))
    usage = kind("usage")[-1] if kind("usage") else {}
    complete = bool(kind("end")) and kind("end")[-1]["complete"]
    return text, complete, [delta["reason"] for delta in kind("finish")], usage


# ---- nginx -----------------------------------------------------------------------------------------

def certificates(folder):
    """An authority and a certificate of `localhost`, and an authority that signed nothing."""
    run = lambda *arguments: subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
    for name in ("ca", "other"):
        run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN=authority {name}")
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "2", "-extfile", "names", "-out", "server.pem")


def nginx_conf(folder, port, upstream, slow, dead):
    proxy = lambda place, target, extra: f"""
        location /{place}/ {{
            proxy_pass http://127.0.0.1:{target}/;
            proxy_set_header Host localhost;
            {extra}
        }}"""
    places = "".join([
        proxy("plain", upstream, ""),
        proxy("unbuffered", upstream, "proxy_buffering off; proxy_http_version 1.1; proxy_set_header Connection '';"),
        proxy("old", upstream, "proxy_buffering off; proxy_http_version 1.0;"),
        # What the client asks for is taken out of the request, so that it is compressed unasked.
        proxy("gzip/body", upstream, ""),
        proxy("dead", dead, ""),
        proxy("slow", slow, "proxy_buffering off; proxy_read_timeout 1s; proxy_http_version 1.1;"),
    ])
    return f"""
daemon off; worker_processes 1; error_log {folder}/nginx-error.log; pid {folder}/nginx.pid;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    gzip on; gzip_types text/event-stream application/json; gzip_min_length 0; gzip_proxied any;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
        {places}
        location = /busy {{ add_header Retry-After 7 always; return 429 "slow down"; }}
        location = /moved {{ return 302 /plain/v1/nothing; }}
    }}
}}
"""


def nginx(folder):
    certificates(folder)
    port, dead = free_port(), free_port()
    upstream, upstream_server = serve(folder, CHAT)
    slow, slow_server = serve(folder, "--interval-ms", 400, CHAT)
    # Dead is where nobody listens; slow sends seven events in 2.8 s, and one of its pauses is cut below.
    (folder / "nginx.conf").write_text(nginx_conf(folder, port, upstream, slow, dead))
    url = f"https://localhost:{port}"
    ca = ("--ca-file", folder / "ca.pem")
    arguments = ["nginx", "-p", folder, "-e", folder / "nginx-error.log", "-c", folder / "nginx.conf"]
    with upstream_server, slow_server as slow_process, running(arguments, port, folder / "nginx.log"):
        _, direct, _ = chat(f"http://127.0.0.1:{upstream}/v1", "--json")
        check("the reply is complete without nginx", text_of(direct)[:2] == ("Grüß dich", True), direct)
        for place in ("plain", "unbuffered", "old"):
            status, through, stderr = chat(f"{url}/{place}/v1", "--json", *ca)
            check(f"{place}: the same lines as without nginx", status == 0 and through == direct, stderr or through)
        status, whole, stderr = chat(f"{url}/plain/v1", "--no-stream", *ca)
        check("a whole response, which may be compressed", (status, whole) == (0, "Grüß dich\n"), stderr)
        # curl shows that nginx compresses for whoever asks; the command is made to ask.
        asked = subprocess.run(
            ["curl", "-s", "--cacert", folder / "ca.pem", "-D", "-", "-o", folder / "body", "-H", "accept-encoding: gzip",
             "-d", '{"stream":true}', f"{url}/unbuffered/v1/chat/completions"], capture_output=True, text=True)
        check("nginx compresses a stream", "content-encoding: gzip" in asked.stdout.lower(), asked.stdout)
        for place in ("plain", "unbuffered"):
            status, through, stderr = chat(f"{url}/{place}/v1", "--json", *ca, "--header", "accept-encoding: gzip")
            check(f"{place}: a compressed stream reads the same", status == 0 and through == direct, stderr or through)
        status, error = listen(f"{url}/busy", *ca)
        told = isinstance(error, dict) and (error["kind"], error["status"], error["retry_after_ms"], error["body"])
        check("a refusal with Retry-After", (status, told) == (3, ("status", 429, 7000, "slow down")), error)
        status, error = listen(f"{url}/dead/x", *ca)
        told = isinstance(error, dict) and (error["kind"], error["status"], "Bad Gateway" in (error["body"] or ""))
        check("an upstream that is down", (status, told) == (3, ("status", 502, True)), error)
        status, error = listen(f"{url}/moved", *ca)
        told = isinstance(error, dict) and (error["kind"], error["status"])
        check("a redirect of a GET is followed", (status, told) == (3, ("status", 404)), error)
        for name, options in (("another authority", ("--ca-file", folder / "other.pem")), ("Mozilla's roots", ())):
            status, error = listen(f"{url}/plain/v1", *options)
            told = isinstance(error, dict) and error["kind"]
            check(f"{name}: not trusted", (status, told) == (3, "tls"), error)
        status, _, stderr = chat(f"https://127.0.0.1:{port}/plain/v1", *ca)
        check("a certificate of another name", status == 3 and "not valid for name" in stderr, stderr)
        # The upstream is stopped in the middle: nginx gives up after 1 s, then it is killed.
        for name, stop in (("falls silent", signal.SIGSTOP), ("dies", signal.SIGKILL)):
            client = subprocess.Popen(
                [COMMAND, "chat", "--json", "--proxy", "direct", "--retries", "0", "--base-url", f"{url}/slow/v1",
                 *map(str, ca), "Hi"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            first = client.stdout.readline()
            os.kill(slow_process.pid, stop)
            rest, stderr = client.communicate(timeout=60)
            if stop == signal.SIGSTOP:
                os.kill(slow_process.pid, signal.SIGCONT)
            seen = first + rest
            ok = '"type":"start"' in first and '"complete":false' in seen and client.returncode in (1, 3)
            check(f"an upstream that {name} in the middle is never complete", ok and not SPOIL, seen + stderr)


# ---- LiteLLM ---------------------------------------------------------------------------------------

def install_litellm():
    if not (VENV / "bin" / "litellm").exists():
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([VENV / "bin" / "pip", "install", "--quiet", LITELLM], check=True)
        print(f"installed {LITELLM} in {time.monotonic() - began:.0f} s")


def post(url, body, key=KEY):
    """What the server says, read without this project."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}", "x-api-key": key}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as response:
        return response.read().decode()


def litellm(folder):
    install_litellm()
    reply = 'Grüß dich, "Welt" 🌍.\nZwei Zeilen.'
    upstream, upstream_server = serve(folder, CHAT)
    port = free_port()
    mock = lambda name, response: {"model_name": name, "litellm_params": {
        "model": "openai/gpt-4o-mini", "api_key": "none", "mock_response": response}}
    served = {"model_name": "served", "litellm_params": {
        "model": "custom_openai/serve-chat", "api_key": "none", "api_base": f"http://127.0.0.1:{upstream}/v1"}}
    config = {
        "model_list": [mock("mock", reply), mock("busy", "litellm.RateLimitError"), mock("broken", "litellm.InternalServerError"),
                       mock("long", "litellm.ContextWindowExceededError"), served],
        "litellm_settings": {"num_retries": 0},
        "general_settings": {"master_key": KEY},
    }
    (folder / "litellm.yaml").write_text(json.dumps(config, ensure_ascii=False))
    env = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "*"}
    arguments = [VENV / "bin" / "litellm", "--config", folder / "litellm.yaml", "--host", "127.0.0.1", "--port", port,
                 "--telemetry", "False"]
    with upstream_server, running(arguments, port, folder / "litellm.log", env):
        base = f"http://127.0.0.1:{port}"
        ask = {"model": "mock", "messages": [{"role": "user", "content": "Hi"}]}
        # LiteLLM's own counts, streamed and whole, which differ.
        stream = post(f"{base}/v1/chat/completions", ask | {"stream": True, "stream_options": {"include_usage": True}})
        chunks = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: {")]
        usage = next(chunk["usage"] for chunk in chunks if chunk.get("usage"))
        said = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])
        status, lines, stderr = chat(f"{base}/v1", "--model", "mock", "--json", "--include-usage", key=KEY)
        text, complete, finish, counted = text_of(lines)
        check("openai, streamed", (status, text, complete, finish) == (0, said, True, ["stop"]), stderr or lines)
        check("openai, streamed: the mock's text", text == reply, text)
        check("openai, streamed: usage", counted.get("total_tokens") == usage["total_tokens"], (counted, usage))
        whole = json.loads(post(f"{base}/v1/chat/completions", ask))
        status, lines, stderr = chat(f"{base}/v1", "--model", "mock", "--json", "--no-stream", key=KEY)
        text, complete, finish, counted = text_of(lines)
        check("openai, whole", (status, text, complete, finish) == (0, reply, True, ["stop"]), stderr or lines)
        check("openai, whole: usage", counted.get("total_tokens") == whole["usage"]["total_tokens"], (counted, whole))
        for stream in (True, False):
            name = "streamed" if stream else "whole"
            options = ["--json", *([] if stream else ["--no-stream"])]
            status, lines, stderr = chat(base, "--provider", "anthropic", "--model", "served", *options, key=KEY)
            text, complete, finish, counted = text_of(lines)
            ok = (status, text, complete, finish) == (0, "Grüß dich", True, ["stop"])
            check(f"anthropic, {name}", ok and counted.get("output_tokens"), stderr or lines)
        events = post(f"{base}/v1/messages", ask | {"model": "served", "max_tokens": 9, "stream": True})
        check("anthropic, streamed: these were Anthropic's events", "event: content_block_delta" in events and not SPOIL, events)
        refusals = {"busy": (429, "rate_limit"), "broken": (500, "server"), "long": (400, "context_length"), "nobody": (400, "")}
        for model, (expected, _) in refusals.items():
            status, _, stderr = chat(f"{base}/v1", "--model", model, key=KEY)
            check(f"refusal {model}", status == 3 and f"HTTP status {expected}" in stderr, stderr)
        status, _, stderr = chat(f"{base}/v1", "--model", "mock", key="sk-wrong-canary-1")
        check("a wrong key is refused and not shown", status == 3 and "HTTP status 40" in stderr and "canary" not in stderr, stderr)


def main():
    parts = {"nginx": nginx, "litellm": litellm}
    chosen = [name for name in sys.argv[1:] if name != "--spoil"] or list(parts)
    for name in chosen:
        began, before = time.monotonic(), dict(checks)
        with tempfile.TemporaryDirectory(prefix="deltawire-") as folder:
            parts[name](pathlib.Path(folder))
        passed, failed = (checks[key] - before[key] for key in ("passed", "failed"))
        print(f"{name}: {passed} passed, {failed} failed in {time.monotonic() - began:.0f} s")
    if SPOIL:
        # What has nothing to do with the command's output cannot be spoilt.
        print(f"spoilt: {checks['passed']} checks still passed")
        return
    sys.exit(1 if checks["failed"] else 0)


main()

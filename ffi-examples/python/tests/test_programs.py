"""The programs, run as a reader would run them, and what `pip install` put in place."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

from support import CASES, CHAT, DATA, HERE, run, serving

KEY = "sk-python-test-0123456789"


class Deltas(unittest.TestCase):
    def test_it_prints_what_the_command_prints(self) -> None:
        rows = [row.split("\t") for row in (CASES / "cases.tsv").read_text().splitlines()]
        for name, file, dialect, _ in rows[:: max(1, len(rows) // 4)]:
            expected = (CASES / f"{name}.lines").read_bytes()
            named = [] if dialect == "auto" else ["--dialect", dialect]
            path = str(CASES / file)
            for arguments in ([path], ["--chunk-size", "1", path], []):
                stdin = pathlib.Path(path).read_bytes() if arguments == [] else b""
                done = run("deltas.py", *named, *arguments, stdin=stdin)
                self.assertEqual(done.stdout, expected, f"{name} {arguments}: {done.stderr!r}")

    def test_its_exit_status_says_how_it_went(self) -> None:
        self.assertEqual(run("deltas.py", str(CHAT)).returncode, 0)
        self.assertEqual(run("deltas.py", str(DATA / "serve-cut.sse")).returncode, 1)
        self.assertEqual(run("deltas.py", str(DATA / "serve-error.sse")).returncode, 1)
        bad = b"data: {\n\n" + CHAT.read_bytes()
        done = run("deltas.py", "--dialect", "openai-chat", stdin=bad)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"JSON", done.stderr)
        for wrong in (["--dialect", "klingon"], ["no such file"], ["--chunk-size", "0"], ["a", "b"]):
            self.assertEqual(run("deltas.py", *wrong).returncode, 2, wrong)


class Chat(unittest.TestCase):
    PROGRAMS = ("chat.py", "urllib_chat.py")

    def test_it_prints_the_reply(self) -> None:
        with serving(key=KEY) as base_url:
            for program in self.PROGRAMS:
                done = self.chat(program, base_url)
                self.assertEqual((done.returncode, done.stdout.decode()), (0, "Grüß dich\n"), done.stderr)
                self.assertNotIn(KEY.encode(), done.stderr)

    def test_a_refusal_is_told_without_the_key(self) -> None:
        with serving(key="another") as base_url:
            for program in self.PROGRAMS:
                done = self.chat(program, base_url)
                self.assertEqual(done.returncode, 3, done)
                self.assertIn(b"401", done.stderr)
                self.assertNotIn(KEY.encode(), done.stdout + done.stderr)

    def test_a_reply_that_is_not_complete_is_told(self) -> None:
        for name in ("serve-cut.sse", "serve-error.sse"):
            with serving(DATA / name) as base_url:
                for program in self.PROGRAMS:
                    done = self.chat(program, base_url)
                    self.assertIn(done.returncode, (1, 3) if "cut" in name else (1,), done)
                    self.assertTrue(done.stdout.strip(), done)
                    self.assertTrue(done.stderr.strip(), done)

    def test_an_interrupt_ends_it_and_keeps_what_came(self) -> None:
        with serving(interval_ms=1500) as base_url:
            for program in self.PROGRAMS:
                started = time.monotonic()
                process = subprocess.Popen(
                    [sys.executable, str(HERE / program), "Say hello"],
                    bufsize=0,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=os.environ | {"OPENAI_BASE_URL": base_url, "OPENAI_MODEL": "tiny-chat-1"},
                )
                assert process.stdout is not None
                first = process.stdout.read(1)
                begun = time.monotonic()
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=30)
                self.assertEqual(process.returncode, 130, err)
                self.assertLess(time.monotonic() - begun, 1.2)
                # The reply takes over seven seconds, its first text comes in the third.
                self.assertLess(begun - started, 6)
                self.assertEqual(first, b"G")
                self.assertNotIn(b"dich", out)
                self.assertNotIn(b"Traceback", err)

    def test_wrong_usage_is_told(self) -> None:
        for program in self.PROGRAMS:
            self.assertEqual(run(program).returncode, 2)

    def chat(self, program: str, base_url: str) -> "subprocess.CompletedProcess[bytes]":
        return run(
            program,
            "Say hello",
            OPENAI_BASE_URL=base_url,
            OPENAI_MODEL="tiny-chat-1",
            OPENAI_API_KEY=KEY,
        )


class Wheel(unittest.TestCase):
    SHOW = "import deltawire as dw; print(dw.__version__, dw.HAS_SPEEDUPS, dw._library.find())"

    def show(self, **env: str) -> "subprocess.CompletedProcess[str]":
        clean = {name: value for name, value in os.environ.items() if "DELTAWIRE" not in name}
        return subprocess.run(
            [sys.executable, "-c", self.SHOW], env=clean | env, capture_output=True, text=True
        )

    def test_it_brings_its_library_and_its_extension(self) -> None:
        done = self.show()
        self.assertEqual(done.returncode, 0, done.stderr)
        version, has_speedups, path = done.stdout.split()
        self.assertRegex(version, r"^\d+\.\d+\.\d+$")
        self.assertEqual(has_speedups, "True")
        self.assertIn("site-packages", path)
        self.assertEqual(self.show(DELTAWIRE_PURE="1").stdout.split()[1], "False")

    def test_a_library_that_is_missing_or_another_is_told(self) -> None:
        done = self.show(DELTAWIRE_LIBRARY="/nowhere/libdeltawire.so")
        self.assertEqual(done.returncode, 1)
        self.assertIn("LibraryError", done.stderr)

    def test_types_are_shipped(self) -> None:
        import deltawire

        self.assertTrue(pathlib.Path(deltawire.__file__).with_name("py.typed").exists())

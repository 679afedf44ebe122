"""What the documents show of Python, run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
import unittest

import deltawire
from support import HERE, serving

README = HERE.parent.parent / "README.md"
#: Where the example looks for its server. A test's own has a port of its own, so that is exchanged.
ADDRESS = "http://127.0.0.1:8791/v1"


def blocks(document: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)


class Readme(unittest.TestCase):
    def test_its_example_prints_what_it_says(self) -> None:
        document = README.read_text(encoding="utf-8")
        (example,) = blocks(document)
        self.assertEqual(example.count(ADDRESS), 1)
        printed = re.search(r"it prints `([^`]+)` and `([^`]+)`", document)
        assert printed is not None
        with serving() as base_url:
            done = subprocess.run(
                [sys.executable, "-W", "error", "-c", example.replace(ADDRESS, base_url)],
                capture_output=True,
                encoding="utf-8",
                timeout=60,
            )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.splitlines(), list(printed.groups()))

    def test_what_examples_name_is_there(self) -> None:
        for path in (README, HERE / "README.md", README.parent / "docs" / "migrating.md"):
            named = set(re.findall(r"\bdw\.(\w+)", "".join(blocks(path.read_text(encoding="utf-8")))))
            self.assertTrue(named, path)
            for name in named:
                self.assertTrue(hasattr(deltawire, name), f"{path}: dw.{name}")


if __name__ == "__main__":
    unittest.main()

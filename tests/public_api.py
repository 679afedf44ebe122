#!/usr/bin/env python3
"""Holds the public API of the crate against tests/public-api.txt.

    RUSTDOCFLAGS= cargo doc --no-deps --all-features
    tests/public_api.py                  compares, and prints what differs
    UPDATE_API=1 tests/public_api.py     writes the list, whose difference is the review

The API is what the documentation shows: it is read from the pages that rustdoc made, of which every
item, method, field, variant and implementation has a line with its signature.
"""

import difflib
import html
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOC = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "doc" / "deltawire"
LIST = ROOT / "tests" / "public-api.txt"


def text(markup):
    """A piece of a page as text: tags away, white space as one space."""
    markup = re.sub(r'<a class="(?:src|anchor|doc-anchor)[^>]*>.*?</a>', "", markup)
    plain = html.unescape(re.sub(r"<[^>]+>", "", markup)).replace("\u200b", "")
    return " ".join(plain.split())


def page(path):
    """The lines of one item: its declaration, and the headings of all that belongs to it."""
    markup = path.read_text()
    # Those that every type has are of the standard library.
    for end in ('id="synthetic-implementations"', 'id="blanket-implementations"'):
        markup = markup.split(end)[0]
    name = str(path.relative_to(DOC))[: -len(".html")].replace("/", "::")
    declaration = re.search(r'<pre class="rust item-decl">(.*?)</pre>', markup, re.S)
    if declaration:
        yield f"{name}: {text(declaration.group(1))}"
    for heading in re.finditer(r'<h[34] class="code-header">(.*?)</h[34]>', markup, re.S):
        line = text(heading.group(1))
        # Of the standard's traits the implementation says it all.
        if line.startswith(("pub ", "impl")):
            yield f"{name}: {line}"
    for variant in re.finditer(r'id="(variant\.[\w.]+|structfield\.\w+)"', markup):
        yield f"{name}: {variant.group(1)}"


def main():
    kinds = ("struct", "enum", "trait", "fn", "type", "constant", "macro")
    pages = [path for path in DOC.rglob("*.html") if path.name.split(".")[0] in kinds]
    if len(pages) < 20:
        sys.exit(f"{DOC} has no documentation; run cargo doc --no-deps --all-features")
    # The C ABI is hidden here and has its own list, tests/capi/symbols.txt.
    lines = {line for path in pages if "capi" not in path.parts for line in page(path)}
    now = "".join(f"{line}\n" for line in sorted(lines))
    if os.environ.get("UPDATE_API"):
        LIST.write_text(now)
    known = LIST.read_text()
    if now != known:
        rows = difflib.unified_diff(known.splitlines(), now.splitlines(), str(LIST), "now", lineterm="", n=0)
        print("\n".join(rows))
        sys.exit("the public API is not that of the list")
    print(f"{len(lines)} lines of public API, as tests/public-api.txt has them")


main()

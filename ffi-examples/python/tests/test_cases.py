"""Every recorded and hand-written stream gives the lines that the command prints, however it is cut."""

from __future__ import annotations

import unittest
from typing import Callable, Iterator, Optional

from support import CASES

import deltawire as dw
from lines import end_line, line_of


def cuttings(body: bytes, is_short: bool) -> Iterator[list[bytes]]:
    yield [body]
    for size in (1, 7, 64):
        yield [body[at : at + size] for at in range(0, len(body), size)]
    if is_short:
        for at in range(1, len(body)):
            yield [body[:at], body[at:]]


def lines(decoder: dw.Decoder, chunks: list[bytes]) -> bytes:
    found = [line_of(delta) for chunk in chunks for delta in decoder.feed(chunk)]
    found += map(line_of, decoder.finish())
    found.append(end_line(decoder.end))
    decoder.reset()
    return "".join(found).encode()


class Cases(unittest.TestCase):
    def test_there_are_cases(self) -> None:
        self.assertGreaterEqual(len([name for name in dir(self) if name.endswith("_ctypes")]), 30)


def case(
    name: str, dialect: Optional[str], is_short: bool, file: str, pure: bool
) -> Callable[[Cases], None]:
    def test(self: Cases) -> None:
        body = (CASES / file).read_bytes()
        expected = (CASES / f"{name}.lines").read_bytes()
        for chunks in cuttings(body, is_short):
            # A decoder each, so that each cutting has to be recognised anew.
            with dw.Decoder(dialect, _pure=pure) as decoder:
                found = lines(decoder, chunks)
            if found != expected:
                sizes = [len(chunk) for chunk in chunks][:3]
                self.assertEqual(found.decode(), expected.decode(), f"in pieces of {sizes}…")

    return test


with open(CASES / "cases.tsv", encoding="utf-8") as table:
    for row in table:
        name, file, dialect, is_short = row.rstrip("\n").split("\t")[:4]
        named = None if dialect == "auto" else dialect
        # Both ways to make deltas, where the extension is there.
        for pure in (False, True) if dw.HAS_SPEEDUPS else (True,):
            way = "ctypes" if pure else "extension"
            setattr(
                Cases, f"test_case_{name}_{way}", case(name, named, is_short == "1", file, pure)
            )

"""Prints what a recorded response says, a line a delta, as `deltawire deltas` does.

    python deltas.py [--dialect D] [--chunk-size N] [FILE]

FILE absent or `-` is standard input. Exit status: 0 done, 1 the stream carried an error or was cut,
2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from typing import BinaryIO

import deltawire as dw
from lines import end_line, line_of


def print_deltas(file: BinaryIO, decoder: dw.Decoder, chunk_size: int) -> bool:
    """Prints all deltas, and tells whether there was an error among them."""
    is_faulty = False

    def show(deltas: list[dw.Delta]) -> None:
        nonlocal is_faulty
        for delta in deltas:
            if isinstance(delta, dw.EventError):
                print(f"deltas: {delta}", file=sys.stderr)
            is_faulty |= isinstance(delta, (dw.EventError, dw.ProviderError))
            sys.stdout.buffer.write(line_of(delta).encode())
        sys.stdout.buffer.flush()

    while chunk := file.read1(chunk_size):  # type: ignore[attr-defined]
        show(decoder.feed(chunk))
    show(decoder.finish())
    return is_faulty


def main() -> int:
    parser = argparse.ArgumentParser(prog="deltas", description="Prints deltas, one a line.")
    parser.add_argument("--dialect")
    parser.add_argument("--chunk-size", type=int, default=16 * 1024, metavar="N")
    parser.add_argument("file", nargs="?", default="-", metavar="FILE")
    options = parser.parse_args()
    if options.chunk_size < 1:
        parser.error("a chunk has at least one byte")
    try:
        decoder = dw.Decoder(options.dialect)
        file = sys.stdin.buffer if options.file == "-" else open(options.file, "rb")
    except (OSError, ValueError) as error:
        parser.error(str(error))
    with file, decoder:
        is_faulty = print_deltas(file, decoder, options.chunk_size)
        end = decoder.end
    sys.stdout.buffer.write(end_line(end).encode())
    sys.stdout.buffer.flush()
    return int(is_faulty or end is not dw.End.COMPLETE)


if __name__ == "__main__":
    sys.exit(main())

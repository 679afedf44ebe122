from ._deltas import Delta

def setup(
    kinds: tuple[type, ...],
    finish_reasons: tuple[str, ...],
    error_kinds: tuple[str, ...],
    next_batch: int,
    finish: int,
    stream_next_batch: int,
) -> None: ...
def read(
    decoder: int,
    chunk: bytes | bytearray | memoryview,
    pos: int,
    out: list[Delta],
    most: int,
    /,
) -> tuple[int, int]: ...
def finish(decoder: int, out: list[Delta], /) -> int: ...
def wait(stream: int, out: list[Delta], /) -> int: ...

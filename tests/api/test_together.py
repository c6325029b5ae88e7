"""Answers leave in one piece, whole, and in order, however they are written."""

import asyncio
from typing import Any

from api.roles.together import MOST_BYTES, Together


class Line(asyncio.Transport):
    """The end of a transport that keeps what was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        assert not self.closed
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closed = True


async def test_head_and_body_of_one_turn_are_one_write() -> None:
    line = Line()
    together = Together(line, asyncio.get_running_loop())
    together.write(b"head ")
    together.write(b"body")
    assert line.written == []
    await asyncio.sleep(0)
    assert line.written == [b"head body"]
    together.write(b"next")
    await asyncio.sleep(0)
    assert line.written == [b"head body", b"next"]


async def test_closing_writes_first_what_waits() -> None:
    line = Line()
    together = Together(line, asyncio.get_running_loop())
    together.write(b"last words")
    together.close()
    assert (line.written, line.closed) == ([b"last words"], True)
    await asyncio.sleep(0)
    assert line.written == [b"last words"]


async def test_much_goes_out_at_once_and_in_order() -> None:
    line = Line()
    together = Together(line, asyncio.get_running_loop())
    together.write(b"head")
    together.write(b"b" * MOST_BYTES)
    assert line.written == [b"head" + b"b" * MOST_BYTES]
    together.write(b"tail")
    await asyncio.sleep(0)
    assert b"".join(line.written) == b"head" + b"b" * MOST_BYTES + b"tail"

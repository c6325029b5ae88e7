"""Subscribers' own programs for the delivery benches: one process, a port each, every receipt kept.

    python -m api.bench.receivers LOG HANGING FAILING HEALTHY [PORT...]

The first line on stdout is the JSON list of ports (those given, else free ones),
hanging ones first, then those that answer 500, then the healthy. Each request becomes a JSON line in LOG:
when its answer was written (wall clock), which subscriber, the message id, the
SHA-256 of its body, what it is about, and the status. It shares no code with the sender.
"""

import asyncio
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import IO

HANGS, FAILS, HEALTHY = "hangs", "fails", "healthy"
_ANSWERS = {
    HEALTHY: (200, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    FAILS: (500, b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
}


class Desk(asyncio.Protocol):
    """One connection to one subscriber: reads requests whole, keeps them, answers as told."""

    def __init__(self, subscriber: int, manner: str, log: IO[str]) -> None:
        self._subscriber = subscriber
        self._manner = manner
        self._log = log
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            lines = self._read[:end].decode("latin-1").split("\r\n")[1:]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            whole = end + 4 + int(headers["content-length"])
            if len(self._read) < whole:
                return
            body, self._read = self._read[end + 4 : whole], self._read[whole:]
            self._answer(headers["webhook-id"], body)

    def _answer(self, message: str, body: bytes) -> None:
        told = json.loads(body)
        receipt = {
            "subscriber": self._subscriber,
            "id": message,
            "sha256": hashlib.sha256(body).hexdigest(),
            "alert": told["subject"],
            "revision": told["data"]["alert"]["revision"],
            "incident": told["data"]["incident"]["id"],
        }
        if self._manner == HANGS:
            self._keep({**receipt, "status": None})
            return
        status, answer = _ANSWERS[self._manner]
        self._transport.write(answer)
        self._keep({**receipt, "status": status})

    def _keep(self, receipt: dict[str, object]) -> None:
        self._log.write(json.dumps({"at": time.time(), **receipt}) + "\n")


async def serve(log: Path, hanging: int, failing: int, healthy: int, *wanted: int) -> None:
    """Serve until killed."""
    manners = [HANGS] * hanging + [FAILS] * failing + [HEALTHY] * healthy
    with log.open("a", buffering=1, encoding="utf-8") as receipts:
        loop = asyncio.get_running_loop()
        ports = []
        for number, manner in enumerate(manners):

            def desk(number: int = number, manner: str = manner) -> Desk:
                return Desk(number, manner, receipts)

            port = wanted[number] if wanted else 0
            server = await loop.create_server(desk, "127.0.0.1", port, backlog=512)
            ports.append(server.sockets[0].getsockname()[1])
        print(json.dumps(ports), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    file, *counts = sys.argv[1:]
    asyncio.run(serve(Path(file), *map(int, counts)))

"""The load of row `ingest`, a process of its own: so many keep-alive connections, each asking again at once.

Plain HTTP/1.1 over asyncio streams, so that the load costs little beside what it
measures. Reads its task as one JSON line from standard input, answers with one.
"""

import asyncio
import json
import random
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

SEED = 20261122
NOISE_DEG = 1.5e-5
"""One deviation of a look's place, some 1.5 m, as a drone's own error."""


@dataclass(slots=True)
class Tally:
    """What came back: each answer's status and how long it took, in milliseconds."""

    took_ms: list[float] = field(default_factory=list)
    status: dict[int, int] = field(default_factory=dict)


def bodies(task: dict[str, Any]) -> deque[tuple[str, bytes]]:
    """Return (observation id, request body) of every request, in an order that mixes all fires."""
    chance = random.Random(SEED)
    fires = [
        (chance.uniform(*task["lat_deg"]), chance.uniform(*task["lon_deg"])) for _ in range(task["fires"])
    ]
    made: deque[tuple[str, bytes]] = deque()
    for number in range(task["many"]):
        lat, lon = fires[chance.randrange(len(fires))]
        told = {
            "id": f"load:{task['run']}:{number}",
            "frame": chance.choice(task["frames"]),
            "hazard": "fire",
            "confidence": round(chance.uniform(0.6, 0.98), 3),
            "lat_deg": lat + chance.gauss(0, NOISE_DEG),
            "lon_deg": lon + chance.gauss(0, NOISE_DEG),
            "ellipse": {"major_m": 5.0, "minor_m": 4.0, "bearing_deg": 30.0},
            "seen_at": datetime.now(UTC).isoformat(),
            "detector": "load 1",
            "area_m2": round(chance.uniform(0.5, 1.9), 2),
            "temp_max_c": 420.0,
            "drone": f"D{number % 4}",
            "sortie": f"S{number % 16}",
        }
        made.append((str(told["id"]), json.dumps(told).encode()))
    return made


async def one_line(task: dict[str, Any], waiting: deque[tuple[str, bytes]], tally: Tally) -> None:
    """Ask over one connection until nothing waits."""
    reader, writer = await asyncio.open_connection("127.0.0.1", task["port"])
    head = (
        f"POST /v1/observations HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {task['token']}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    while waiting:
        _, body = waiting.popleft()
        began = time.perf_counter()
        writer.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        tally.took_ms.append((time.perf_counter() - began) * 1e3)
        status = int(answer[9:12])
        tally.status[status] = tally.status.get(status, 0) + 1
    writer.close()


async def run(task: dict[str, Any]) -> dict[str, Any]:
    """Return what the load saw: seconds from first request to last answer, and every answer's time."""
    waiting, tally = bodies(task), Tally()
    began = time.perf_counter()
    await asyncio.gather(*(one_line(task, waiting, tally) for _ in range(task["connections"])))
    return {"seconds": time.perf_counter() - began, "took_ms": tally.took_ms, "status": tally.status}


if __name__ == "__main__":
    json.dump(asyncio.run(run(json.loads(sys.stdin.readline()))), sys.stdout)

"""A gateway as a process of its own, for benches that kill it or fly many sorties through it.

    python -m fleet.bench.region FOLDER < lines of JSON

The first line says what there is: {"drones": [{"drone", "dock", "system_id",
"connect"}], "clock", "mqtt"}. Each further line is a command of the gateway. Told
on standard output, one JSON value a line: {"reply"}, {"event"}, {"dock"} and, again and
again, {"states"}: what is known of each drone.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import structlog

from fleet.docks.mqtt import MqttDocks
from fleet.gateway import DroneLink, Gateway
from fleet.journal import Journal
from missions.clock import clock_from
from missions.model import Drone

_TOLD_S, _TOLD_MANY_S = 0.25, 1.0
_MANY = 20


class _Told:
    """Prints what the gateway tells."""

    async def telemetry(self, drone_id: str, state: dict[str, Any]) -> None:
        """Told together, by `_tell_states`."""

    async def dock(self, dock_id: str, state: dict[str, Any]) -> None:
        tell({"dock": state})

    async def sortie(self, event: dict[str, Any]) -> None:
        tell({"event": event})

    async def frame(self, meta: dict[str, Any], path: Path) -> None:
        await asyncio.to_thread(path.unlink, missing_ok=True)


def tell(value: dict[str, Any]) -> None:
    """Print one JSON value as a line, at once."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


async def serve(folder: Path) -> None:
    """Run the gateway until standard input ends."""
    lines = await _lines()
    there = json.loads(await lines.readline())
    clock = clock_from(there["clock"])
    drones = [
        DroneLink(Drone(d["drone"], "GP-1", d["dock"], d["system_id"]), d["connect"]) for d in there["drones"]
    ]
    journal = Journal(folder / "journal.sqlite")
    docks = MqttDocks(there["mqtt"], clock) if there.get("mqtt") else None
    gateway = Gateway("bench", drones, docks=docks, folder=folder, clock=clock, sink=_Told(), journal=journal)
    running = asyncio.create_task(gateway.run())
    telling = asyncio.create_task(_tell_states(gateway))
    await asyncio.sleep(0)  # let the gateway begin before it is told anything
    try:
        while line := await lines.readline():
            tell({"reply": await gateway.command(json.loads(line))})
    finally:
        for task in (telling, running):
            task.cancel()
        await asyncio.gather(telling, running, return_exceptions=True)
        journal.close()


async def _tell_states(gateway: Gateway) -> None:
    while True:
        tell({"states": {drone: gateway.telemetry(drone) for drone in gateway.carriers}})
        await asyncio.sleep(_TOLD_S if len(gateway.carriers) < _MANY else _TOLD_MANY_S)


async def _lines() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=2**24)
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    return reader


if __name__ == "__main__":
    # Standard output is for what is told; the gateway's own log goes to the other one.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(serve(Path(sys.argv[1])))

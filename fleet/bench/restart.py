"""Rows `restart` of `gridpatrol bench fleet`: a gateway killed while its drones fly.

A simulator with a hundred drones and a gateway, each a process. When all are in
the air the gateway is ended by SIGKILL and started again over the same folder
after longer than the drones' own patience with a silent ground. Some had been
recalled well before, some in the very moment: those orders were promised.

What was sent is read from the flights' records, not from what the gateway says of
itself: an *upload* is any packet of ours that writes a list, a *command twice* any
order of ours to arm, start, change the mode or the current item that the drone
had carried out before, or that was given twice.
"""

import asyncio
import struct
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.bench.processes import Region, region, simulator
from fleet.order import DockPlace, SortieOrder
from fleet.recorder import packets
from missions.clock import clock_from
from missions.geo import LatLon, moved
from missions.items import MissionItem
from missions.measure import Job, Row, at_most, measured

_DRONES, _QUICK_DRONES = 100, 4
_SPEED, _QUICK_SPEED = 1.0, 3.0
_DOWN_S = 7.0  # simulated: longer than FS_GCS_TIMEOUT
_RECALLED = 10  # one drone in so many is recalled before the kill, and one in the moment of it
_OURS = 255
_LISTS = {38: "WRITE_PARTIAL_LIST", 39: "ITEM", 44: "COUNT", 45: "CLEAR_ALL", 73: "ITEM_INT", 23: "PARAM_SET"}
_COMMAND_LONG = 76
_SET_MODE, _RTL = 176, 6
_STEERING = (22, 176, 193, 224, 300, 400)
_LAYOUT = struct.Struct("<7fHBBB")


@dataclass(frozen=True, slots=True)
class Sent:
    """An order of ours on the wire."""

    number: int
    params: tuple[float, ...]
    attempt: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the second gateway did."""

    reattach_s: float
    uploads: int
    commands_twice: int
    promised: int
    kept: int
    left_mission: int
    answered_alike: int


def rows(job: Job) -> Iterator[Row]:
    """Yield the rows of this group."""
    count, speed = (_QUICK_DRONES, _QUICK_SPEED) if job.quick else (_DRONES, _SPEED)
    with tempfile.TemporaryDirectory(prefix="gridpatrol-restart-") as folder:
        found = asyncio.run(_flown(count, speed, Path(folder), job))
    yield measured("restart.vehicles", count, unit="drones", clock="none")
    yield at_most("restart.reattach_s", found.reattach_s, 5.0, unit="s")
    yield at_most("restart.uploads", found.uploads, 0, unit="packets", clock="none")
    yield at_most("restart.commands_twice", found.commands_twice, 0, unit="orders", clock="none")
    yield at_most(
        "restart.promises_broken", found.promised - found.kept, 0, unit=f"of {found.promised}", clock="none"
    )
    yield at_most("restart.left_mission", found.left_mission, 0, unit="drones", clock="none")
    yield at_most(
        "restart.answered_otherwise", count - found.answered_alike, 0, unit="commands", clock="none"
    )


async def _flown(count: int, speed: float, folder: Path, job: Job) -> Outcome:
    arguments = ("--drones", str(count), "--mavlink-port", "0", "--speed", f"{speed:g}")
    async with simulator(*arguments, "--scenario", "fire") as there:
        there = {**there, "mqtt": None}
        drones = [d["drone"] for d in there["drones"]]
        async with region(folder, there) as first:
            orders = await _all_in_the_air(first, drones, job)
            early, late = drones[::_RECALLED], drones[1::_RECALLED]
            for drone in early:
                await first.command(_recall(drone))
            await first.until(lambda: all(first.states[d]["mode"] == "RTL" for d in early))
            for drone in late:
                await first.command(_recall(drone))
            await first.kill()
        killed_at = clock_from(there["clock"]).now().timestamp()
        job.say(f"killed; {count} drones fly on")
        await asyncio.sleep(_DOWN_S / speed)
        began = time.monotonic()
        async with region(folder, there) as second:
            await second.until(lambda: len(_attached(second)) == count, 60.0)
            reattach_s = time.monotonic() - began
            job.say(f"all re-attached {reattach_s:.1f} s after the start of the new process")
            alike = 0
            for order in orders:
                alike += (await second.command(_fly(order)))["accepted"]
            await second.until(
                lambda: all(second.states[d]["mode"] == "RTL" for d in late), 30.0 / speed + 10
            )
            await asyncio.sleep(5.0 / speed)
            modes = {d: s["mode"] for d, s in second.states.items()}
    recalled = {*early, *late}
    sent = {d: _sent_since(folder / "flights" / f"S-{d}.tlog", killed_at) for d in drones}
    uploads = sum(lists for lists, _ in sent.values())
    twice = sum(_twice(orders_, promised=d in late) for d, (_, orders_) in sent.items())
    job.raw.write(
        "restart", *({"drone": d, "mode": modes[d], "orders": list(map(str, sent[d][1]))} for d in drones)
    )
    return Outcome(
        reattach_s,
        uploads,
        twice,
        len(late),
        sum(modes[d] == "RTL" for d in late),
        sum(modes[d] != "AUTO" for d in drones if d not in recalled),
        alike,
    )


async def _all_in_the_air(gateway: Region, drones: list[str], job: Job) -> list[SortieOrder]:
    job.say("waiting for the drones to have their position (42 simulated s)")
    await gateway.until(lambda: len(gateway.states) == len(drones))
    await gateway.until(lambda: all(s["lat_deg"] is not None for s in gateway.states.values()))
    orders = [_order(drone, gateway.states[drone]) for drone in drones]
    for order in orders:
        reply = await gateway.command(_fly(order))
        assert reply["accepted"], reply
    await gateway.until(lambda: all((s["above_home_m"] or 0.0) > 20.0 for s in gateway.states.values()))
    job.say(f"{len(drones)} drones in the air")
    return orders


def _order(drone: str, state: dict[str, Any]) -> SortieOrder:
    """Return a sortie that climbs and waits beside its dock for ten minutes."""
    here = LatLon(state["lat_deg"], state["lon_deg"])
    dock = DockPlace(f"pad of {drone}", here.lat_deg, here.lon_deg, state["altitude_m"])
    beside = moved(here, 45.0, 80.0)
    items = (
        MissionItem(22, 3, (0.0, 0.0, 0.0, 0.0), here.lat_deg, here.lon_deg, 60.0),
        MissionItem(16, 3, (600.0, 0.0, 0.0, 0.0), round(beside.lat_deg, 7), round(beside.lon_deg, 7), 60.0),
        MissionItem(20, 2, (0.0, 0.0, 0.0, 0.0)),
    )
    return SortieOrder(f"S-{drone}", drone, dock, items, 0, 700.0)


def _fly(order: SortieOrder) -> dict[str, Any]:
    return {"id": f"fly-{order.id}", "action": "fly", "sortie": order.to_json()}


def _recall(drone: str) -> dict[str, Any]:
    return {"id": f"recall-{drone}", "action": "recall", "sortie": {"id": f"S-{drone}"}}


def _attached(gateway: Region) -> set[str]:
    return {e["sortie"] for e in gateway.events if "re-attached" in e["evidence"]}


def _sent_since(path: Path, since_s: float) -> tuple[int, list[Sent]]:
    """Return how many packets of ours wrote a list or a parameter, and our orders to fly otherwise."""
    lists, orders = 0, []
    for at, packet in packets(path):
        if packet[0] != 0xFD or packet[5] != _OURS or at.timestamp() < since_s:
            continue
        number = int.from_bytes(packet[7:10], "little")
        if number in _LISTS:
            lists += 1
        elif number == _COMMAND_LONG:
            payload = packet[10 : 10 + packet[1]].ljust(_LAYOUT.size, b"\0")
            *params, command, _, _, attempt = _LAYOUT.unpack(payload[: _LAYOUT.size])
            if command in _STEERING:
                orders.append(Sent(command, tuple(params), attempt))
    return lists, orders


def _twice(orders: list[Sent], *, promised: bool) -> int:
    """Return how many orders were one too many; where a recall was promised at last, one is owed."""
    first_copies = Counter((o.number, o.params[:2]) for o in orders if o.attempt == 0)
    owed = first_copies.pop((_SET_MODE, (1.0, float(_RTL))), 0)
    return sum(first_copies.values()) + max(0, owed - (1 if promised else 0))

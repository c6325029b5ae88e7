"""Rows `vehicles` of `gridpatrol bench fleet`: many vehicles heard at once by one process.

Another process plays the vehicles over UDP (`fleet/bench/crowd.py`). Here every message goes the
way of the gateway: socket, framing and checksum, decoding, and into the state of its vehicle,
keyed by link, system and component. Lost is what was sent and is in no state. The delay is from
the moment a position was sent to the moment it is in the state, by the machine's one steady clock.
The same crowd then speaks to what others use, each in a process of its own (`fleet/bench/peers.py`).
"""

import asyncio
import json
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field

from fleet.bench.crowd import A_PORT, CLOCK_WRAP_US
from fleet.bench.peers import PEERS, Peer, heard_by
from fleet.link import Link
from fleet.messages import Motion
from fleet.vehicle import Vehicles
from missions.measure import Job, Row, at_least, at_most, measured, skipped

_SIZES = (1000, 300)  # the aim, and what is required
_SECONDS, _QUICK_SECONDS, _PEER_SECONDS = 60.0, 3.0, 15.0
_QUICK_SIZE = 100
_REQUIRED = 300
_LIMIT_MS = 100.0
_LAST_S = 1.0  # what may still be under way when the crowd has gone
_HALF_WRAP_US = CLOCK_WRAP_US // 2


@dataclass(slots=True)
class Heard:
    """What arrived in the states of the vehicles, and how late."""

    vehicles: int = 0
    sent: int = 0
    heard: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    late_ms: list[float] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Return how many messages are in no state."""
        return self.sent - self.heard

    @property
    def p99_ms(self) -> float:
        """Return the delay that 99 of 100 positions did not exceed."""
        return percentile(self.late_ms, 0.99)


def rows(job: Job) -> Iterator[Row]:
    """Yield the rows of this group."""
    found = _largest(job)
    job.raw.write("vehicles", {**asdict(found), "late_ms": [round(ms, 3) for ms in found.late_ms]})
    aim = f"the aim is {_SIZES[0]}"
    required = _QUICK_SIZE if job.quick else _REQUIRED
    yield at_least("vehicles.count", found.vehicles, required, unit="vehicles", clock="wall", anchor=aim)
    yield at_most("vehicles.lost", found.lost, 0, unit="messages", clock="wall")
    yield at_most("vehicles.p99_ms", found.p99_ms, _LIMIT_MS, unit="ms", clock="wall")
    yield measured("vehicles.heard", found.heard, unit="messages", clock="wall")
    yield measured("vehicles.cores", found.cpu_s / found.wall_s, unit="cores", clock="cpu")
    for peer in PEERS:
        if job.wants(f"vehicles.{peer.name}"):
            yield from _peer_rows(job, peer, found.vehicles)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of all does not exceed; infinity of nothing."""
    if not values:
        return float("inf")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def late_ms(sent_us: int) -> float:
    """Return how long ago a position was sent, by the microsecond it carries."""
    now_us = time.monotonic_ns() // 1000 % CLOCK_WRAP_US
    return ((now_us - sent_us + _HALF_WRAP_US) % CLOCK_WRAP_US - _HALF_WRAP_US) / 1000.0


def _largest(job: Job) -> Heard:
    """Return the run of the largest crowd that was heard whole and in time, or the smallest one's."""
    sizes, seconds = ((_QUICK_SIZE,), _QUICK_SECONDS) if job.quick else (_SIZES, _SECONDS)
    found = Heard()
    for size in sizes:
        found = asyncio.run(_listen(size, seconds))
        job.say(
            f"vehicles: {size}, {found.sent} messages, {found.lost} lost, "
            f"99 % within {found.p99_ms:.1f} ms, {found.cpu_s / found.wall_s:.0%} of a core"
        )
        if found.lost == 0 and found.p99_ms <= _LIMIT_MS:
            break
    return found


async def _listen(vehicles: int, seconds: float) -> Heard:
    ports = free_ports(-(-vehicles // A_PORT))
    links = [Link(f"udpin:127.0.0.1:{port}") for port in ports]
    found, states = Heard(vehicles=vehicles), Vehicles()
    for link in links:
        await link.open()
    listeners = [asyncio.create_task(_hear(link, states, found)) for link in links]
    began, cpu_began = time.monotonic(), time.process_time()
    found.sent = await _crowd(ports, vehicles, seconds)
    found.wall_s, found.cpu_s = time.monotonic() - began, time.process_time() - cpu_began
    await asyncio.sleep(_LAST_S)  # the last datagrams are on their way
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    return found


async def _hear(link: Link, states: Vehicles, found: Heard) -> None:
    async with aclosing(link.batches()) as batches:
        async for batch in batches:
            for heard in batch:
                key = states.hear(heard, time.monotonic())
                if key is None:
                    continue
                found.heard += 1
                motion = states.states[key].motion
                if isinstance(heard.message, Motion) and motion is not None:
                    found.late_ms.append(late_ms(round(motion.above_home_m * 1000)))


async def _crowd(ports: Sequence[int], vehicles: int, seconds: float) -> int:
    """Run a crowd to its end; return how many messages it sent."""
    process = await asyncio.create_subprocess_exec(
        *crowd_command(ports, vehicles, seconds), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return sum(json.loads(out)["sent"].values())


def crowd_command(ports: Sequence[int], vehicles: int, seconds: float) -> list[str]:
    """Return the command that starts a crowd."""
    told = ",".join(map(str, ports))
    return [
        sys.executable,
        "-m",
        "fleet.bench.crowd",
        *("--ports", told, "--vehicles", str(vehicles), "--seconds", str(seconds)),
    ]


def free_ports(count: int) -> list[int]:
    """Return UDP ports that nobody uses at the moment."""
    made = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for one in made:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in made]
    for one in made:
        one.close()
    return ports


def _peer_rows(job: Job, peer: Peer, vehicles: int) -> Iterator[Row]:
    name = f"vehicles.{peer.name}"
    seconds = _QUICK_SECONDS if job.quick else _PEER_SECONDS
    count = min(vehicles, peer.most) if peer.most else vehicles
    ports = free_ports(-(-count // A_PORT))
    told = heard_by(peer, ports, crowd_command(ports, count, seconds), count, seconds)
    if told.missing:
        yield skipped(f"{name}.lost_share", told.missing, unit="share")
        return
    job.raw.write(name, asdict(told))
    what = f"{count} vehicles for {seconds:.0f} s; {peer.note}"
    yield measured(f"{name}.lost_share", told.lost_share, unit="share", clock="wall", anchor=what)
    yield measured(f"{name}.p99_ms", told.p99_ms, unit="ms", clock="wall")
    yield measured(f"{name}.cores", told.cores, unit="cores", clock="cpu")

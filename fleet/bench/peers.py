"""What others use to hear vehicles, each in a process of its own, before the same crowd.

Each peer is a short script as its users write it; it counts what it hears and how late a position
is (`fleet/bench/crowd.py` says how that is known) and prints it as one line of JSON when its
standard input closes. A peer that is not installed, or that cannot do it, says why.
"""

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fleet.bench.crowd import A_PORT

_READY = "ready"
_POSITIONS_A_SECOND = 4
_EDGE_S = 1.0
_LAST_S = 1.0  # what may still be under way when the crowd has gone
_END_S = 60.0

_BEGIN = """
import json, os, sys, threading, time

at_s, late, over = [], [], threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()

def hear(height_m):
    at_s.append(time.monotonic())
    late.append((time.monotonic_ns() // 1000 % (1 << 30) - height_m * 1000) / 1000)

def end():
    print(json.dumps({"at_s": at_s, "late_ms": late, "cpu_s": time.process_time()}), flush=True)
    os._exit(0)
"""

_MAVUTIL = (
    _BEGIN
    + """
import select
from pymavlink import mavutil

links = [mavutil.mavlink_connection(f"udpin:127.0.0.1:{port}") for port in sys.argv[1].split(",")]
print("ready", flush=True)
while not over.is_set():
    select.select([link.port for link in links], [], [], 0.1)
    for link in links:
        while (message := link.recv_msg()) is not None:
            if message.get_type() == "GLOBAL_POSITION_INT":
                hear(message.relative_alt / 1000)
end()
"""
)

_MAVSDK = (
    _BEGIN
    + """
from mavsdk import ComponentType, Configuration, Mavsdk
from mavsdk.plugins.telemetry import Telemetry

sdk = Mavsdk(Configuration.create_with_component_type(ComponentType.GROUND_STATION))
for port in sys.argv[1].split(","):
    sdk.add_any_connection(f"udpin://127.0.0.1:{port}")
held = []
print("ready", flush=True)
while not over.wait(0.05):
    for system in sdk.get_systems()[len(held):]:
        held.append(Telemetry(system))
        held[-1].subscribe_position(lambda position, _: hear(position.relative_altitude_m))
end()
"""
)


@dataclass(frozen=True, slots=True)
class Peer:
    """Something else that hears vehicles. `most` is how many it can tell apart; 0 is any number."""

    name: str
    module: str
    script: str
    note: str
    most: int = 0


PEERS = (
    Peer("mavutil", "pymavlink", _MAVUTIL, "decoded, no state kept"),
    Peer("mavsdk", "mavsdk", _MAVSDK, "positions alone; it keys by system id alone", most=A_PORT),
)


@dataclass(frozen=True, slots=True)
class PeerHeard:
    """What a peer heard of the positions; `missing` says why it could not be run.

    Counted from a second after the first to a second before the end, because
    MAVSDK subscribes to a vehicle when it has found it.
    """

    vehicles: int = 0
    expected: int = 0
    heard: int = 0
    late_ms: tuple[float, ...] = ()
    cores: float = 0.0
    missing: str = ""

    @property
    def lost_share(self) -> float:
        """Return the share of the positions sent that it did not hand on."""
        return max(0.0, 1.0 - self.heard / self.expected)

    @property
    def p99_ms(self) -> float:
        """Return the delay that 99 of 100 positions did not exceed."""
        ordered = sorted(self.late_ms)
        return ordered[int(0.99 * len(ordered))] if ordered else float("inf")


def heard_by(
    peer: Peer, ports: Sequence[int], crowd: Sequence[str], vehicles: int, seconds: float
) -> PeerHeard:
    """Return what a peer hears of a crowd that speaks to these ports for so long."""
    if importlib.util.find_spec(peer.module) is None:
        return PeerHeard(missing=f"{peer.module} is not installed")
    command = [sys.executable, "-c", peer.script, ",".join(map(str, ports))]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet, text=True
    ) as process:
        said, _ = iter(process.stdout or ()), process.stdin
        if not any(line.strip() == _READY for line in said):
            return PeerHeard(missing=f"{peer.module} could not listen here")
        subprocess.run(crowd, check=True, stdout=quiet)
        time.sleep(_LAST_S)
        out, _ = process.communicate(timeout=_END_S)
    found = json.loads(next(line for line in out.splitlines() if line.startswith("{")))
    return _counted(found, vehicles, seconds)


def _counted(found: dict[str, Any], vehicles: int, seconds: float) -> PeerHeard:
    at_s: list[float] = found["at_s"]
    began = min(at_s, default=0.0) + _EDGE_S
    ended = began + seconds - 2 * _EDGE_S
    late = tuple(ms for at, ms in zip(at_s, found["late_ms"], strict=True) if began <= at < ended)
    expected = round(vehicles * _POSITIONS_A_SECOND * (seconds - 2 * _EDGE_S))
    return PeerHeard(vehicles, expected, len(late), late, found["cpu_s"] / seconds)

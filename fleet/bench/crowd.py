"""Many vehicles that speak MAVLink over UDP as fast as they are told, in a process of its own.

    python -m fleet.bench.crowd --ports 16100,16101 --vehicles 500 --seconds 60

Each vehicle sends 13 messages a second, spread evenly: a heartbeat, four positions and the other
telemetry a flight is followed by. Up to 250 vehicles share a port, each with its own system id. A
position carries the microsecond of the machine's steady clock at which it was sent, as its height
above home. At its end it prints how many messages went to each port.
"""

import argparse
import json
import socket
import struct
import time
from dataclasses import dataclass

from fleet.link import checksum

A_PORT = 250  # system ids are eight bits, and some are the ground's
A_SECOND = 13  # messages of each vehicle
CLOCK_WRAP_US = 1 << 30
_PAUSE_S = 0.002
_SYSTEM, _NUMBER = 5, 4
_HEIGHT = 10 + 16  # where a position's height above home lies

# Message id, the dialect's extra byte, payload: one round of a second, the heartbeat first.
_HEARTBEAT = (0, 50, struct.pack("<IBBBBB", 4, 2, 3, 0x81, 4, 3))
_SYS_STATUS = (
    1,
    124,
    struct.pack("<IIIHHhHHHHHHb", 1 << 28, 0, 1 << 28, 300, 12100, 900, 0, 0, 0, 0, 0, 0, 87),
)
_POSITION = (33, 104, struct.pack("<IiiiihhhH", 0, 302800000, 1194200000, 132000, 50000, 300, 10, -5, 9000))
_FIX = (24, 24, struct.pack("<QiiiHHHHBB", 0, 302800000, 1194200000, 132000, 80, 90, 300, 9000, 3, 14))
_CURRENT = (42, 28, struct.pack("<HHBB", 17, 100, 3, 1))
_GROUND = (245, 130, struct.pack("<BB", 0, 2))
_ESTIMATE = (193, 71, struct.pack("<fffffH", 0.1, 0.1, 0.1, 0.1, 0.1, 831))
_ROUND = (
    _HEARTBEAT,
    _POSITION,
    _SYS_STATUS,
    _FIX,
    _POSITION,
    _CURRENT,
    _GROUND,
    _POSITION,
    _ESTIMATE,
    _FIX,
    _POSITION,
    _SYS_STATUS,
    _CURRENT,
)


@dataclass(slots=True)
class _Sender:
    """One vehicle: where it sends, its system id and the number of its next packet."""

    to: tuple[str, int]
    system: int
    number: int = 0


def _packet(message: tuple[int, int, bytes], sender: _Sender) -> bytes:
    kind, extra, payload = message
    packet = bytearray(b"\xfd\0\0\0\0\0\1" + kind.to_bytes(3, "little") + payload)
    packet[1] = len(payload)
    packet[_NUMBER], packet[_SYSTEM] = sender.number, sender.system
    if message is _POSITION:
        sent_us = time.monotonic_ns() // 1000 % CLOCK_WRAP_US
        struct.pack_into("<i", packet, _HEIGHT, sent_us)
    return bytes(packet) + checksum(bytes(packet[1:]) + bytes([extra])).to_bytes(2, "little")


def run(ports: list[int], vehicles: int, seconds: float) -> dict[int, int]:
    """Send for so long; return how many messages went to each port."""
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    senders = [_Sender(("127.0.0.1", ports[n // A_PORT]), n % A_PORT + 1) for n in range(vehicles)]
    sent = dict.fromkeys(ports, 0)
    total, done, rate = int(seconds * A_SECOND) * vehicles, 0, A_SECOND * vehicles
    began = time.monotonic()
    while done < total:
        due = min(total, int((time.monotonic() - began) * rate))
        while done < due:
            sender = senders[done % vehicles]
            out.sendto(_packet(_ROUND[done // vehicles % A_SECOND], sender), sender.to)
            sender.number = (sender.number + 1) & 0xFF
            sent[sender.to[1]] += 1
            done += 1
        time.sleep(_PAUSE_S)
    out.close()
    return sent


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ports", required=True)
    parser.add_argument("--vehicles", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    ports = [int(port) for port in given.ports.split(",")]
    print(json.dumps({"sent": run(ports, given.vehicles, given.seconds)}), flush=True)


if __name__ == "__main__":
    main()

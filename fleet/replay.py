"""A recorded flight told again: the same packets, the same folding, another reader."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fleet.autopilots.choice import autopilot_of
from fleet.link import unpacked
from fleet.messages import Heard, Motion, PictureTaken, Reached, Said
from fleet.recorder import packets
from fleet.vehicle import VehicleKey, Vehicles, VehicleState
from missions.errors import InputWrong


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened in a flight."""

    at: datetime
    drone: str
    text: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What a .tlog tells."""

    began_at: datetime | None
    ended_at: datetime | None
    packets: int
    moments: tuple[Moment, ...]
    pictures: int
    highest_m: float

    def to_json(self) -> dict[str, Any]:
        """Return it as `gridpatrol replay --json` prints it."""
        return {
            "began_at": self.began_at.isoformat() if self.began_at else None,
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
            "packets": self.packets,
            "pictures": self.pictures,
            "highest_m": round(self.highest_m, 1),
            "moments": [{"at": m.at.isoformat(), "drone": m.drone, "text": m.text} for m in self.moments],
        }

    def lines(self) -> Iterator[str]:
        """Yield it as a person reads it."""
        for moment in self.moments:
            yield f"{moment.at:%H:%M:%S} {moment.drone} {moment.text}"
        if self.began_at is not None and self.ended_at is not None:
            minutes = (self.ended_at - self.began_at).total_seconds() / 60
            yield f"{self.packets} packets in {minutes:.1f} min, {self.pictures} picture records"


def replay(path: Path) -> Replay:
    """Return what a .tlog tells.

    Raises:
        InputWrong: it cannot be read, is empty, or is no .tlog.
    """
    vehicles = Vehicles()
    moments: list[Moment] = []
    pictures: set[tuple[int, int, int]] = set()
    count, highest_m = 0, 0.0
    began_at = ended_at = None
    for at, packet in packets(path):
        began_at = began_at or at
        ended_at = at
        count += 1
        heard = unpacked(packet, path.stem)
        if heard is None:
            continue
        before = vehicles.states.get(VehicleKey(heard.link, heard.system, heard.component))
        key = vehicles.hear(heard, at.timestamp())
        if isinstance(heard.message, PictureTaken):
            pictures.add((heard.system, heard.component, heard.message.index))
        if isinstance(heard.message, Motion):
            highest_m = max(highest_m, heard.message.above_home_m)
        if key is not None:
            texts = _news(before, vehicles.states[key], heard)
            moments += [Moment(at, f"system {heard.system}", text) for text in texts]
    if count == 0:
        raise InputWrong(f"{path}: found no whole packet, so nothing was recorded in it")
    return Replay(began_at, ended_at, count, tuple(moments), len(pictures), highest_m)


def _news(before: VehicleState | None, after: VehicleState, heard: Heard) -> list[str]:
    """Return what is worth telling about one message."""
    match heard.message:
        case Said():
            return [f"says “{heard.message.text}”"]
        case Reached():
            return [f"reached item {heard.message.seq}"]
    news = []
    if before is None or before.mode != after.mode:
        news.append(f"mode {autopilot_of(after.firmware).mode_name(after.mode)}")
    if after.armed is not None and (before is None or before.armed != after.armed):
        news.append("armed" if after.armed else "disarmed")
    if before is not None and before.on_ground != after.on_ground and after.on_ground is not None:
        news.append("on the ground" if after.on_ground else "in the air")
    return news
